"""Random integers that are the same on every machine.

Only the raw 64-bit words of PCG64 are used, whose stream NumPy guarantees; everything that
follows is whole-number arithmetic. Normal and log-normal numbers come from tables of quantiles
rounded to dyadic fractions, so that no last bit of a library's exponential decides an answer.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bipbayes.data.sample import Integers

NORMAL_BITS: Final = 12
"""A standard normal is a whole number of 2**-12."""
TABLE_BITS: Final = 14
"""The normal table has 2**14 quantiles (largest 4.0 standard deviations)."""


class Stream:
    """Random whole numbers from one seed and a path of labels.

    Parameters
    ----------
    seed
        The simulation's seed.
    path
        Whole numbers that name the purpose; streams of different paths are independent.
    """

    def __init__(self, seed: int, *path: int) -> None:
        sequence = np.random.SeedSequence(entropy=seed, spawn_key=path)
        self._generator = np.random.PCG64(sequence)

    def words(self, *shape: int) -> NDArray[np.uint64]:
        """Return raw words of 64 bits."""
        size = int(np.prod(shape))
        return np.asarray(self._generator.random_raw(size), dtype=np.uint64).reshape(shape)

    def below(self, bound: int, *shape: int) -> Integers:
        """Return whole numbers from 0 to `bound` - 1 (`bound` up to 2**31)."""
        high = (self.words(*shape) >> np.uint64(33)).astype(np.int64)
        return (high * bound) >> 31

    def happens(self, numerator: int, denominator: int, *shape: int) -> NDArray[np.bool_]:
        """Return True with probability numerator / denominator."""
        return self.below(denominator, *shape) < numerator

    def permutation(self, size: int) -> Integers:
        """Return 0 .. `size` - 1 in random order."""
        return np.argsort(self.words(size), kind="stable").astype(np.int64)

    def normals(self, *shape: int) -> Integers:
        """Return standard normal numbers in units of 2**-12."""
        return np.asarray(normal_table()[self.words(*shape) >> np.uint64(64 - TABLE_BITS)])

    def weighted(self, weights: Integers, size: int) -> Integers:
        """Return positions drawn in proportion to whole-number weights."""
        edges = np.cumsum(weights)
        return np.searchsorted(edges, self.below(int(edges[-1]), size), side="right").astype(
            np.int64
        )


class MirroredStream(Stream):
    """The same stream with every normal number negated (antithetic draws)."""

    def normals(self, *shape: int) -> Integers:
        """Return the negative of what the plain stream gives."""
        return -super().normals(*shape)


@cache
def normal_table() -> Integers:
    """Quantiles of the standard normal at the middles of 2**14 equal shares, in 2**-12."""
    table = quantised(normal_quantiles(), bits=NORMAL_BITS)
    table.flags.writeable = False
    return table


def normal_quantiles() -> NDArray[np.float64]:
    """Quantiles behind `normal_table`, before rounding; exactly symmetric."""
    half = 2 ** (TABLE_BITS - 1)
    lower = ndtri((np.arange(half) + 0.5) / (2 * half))
    return np.asarray(np.concatenate([lower, -lower[::-1]]))


def quantised(values: NDArray[np.float64], *, bits: int) -> Integers:
    """Round to whole numbers of 2**-bits."""
    return np.rint(np.asarray(values) * 2.0**bits).astype(np.int64)

"""Additive normal terms of an effect: what a hierarchical model is once its sds are given.

A term has one coefficient for each label of its dims (or for each column of its basis over the
combinations), normal with mean zero and a standard deviation shared by the term:

    effect[c, j, k] = sum over terms of  basis_t[c, .] coefficient_t[., j, k]

Nothing here reads a model file: the terms are written down a second time, so that closed forms
and sampler check one another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import comb, sqrt
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy import sparse

from bipbayes.data.sample import Floats, Integers
from bipbayes.errors import SettingsError

CELL: Final = ("combination", "jobcenter", "indicator")
RESPONDENT: Final = "respondent"


@dataclass(frozen=True)
class Term:
    """One batch of coefficients with a common standard deviation.

    Attributes
    ----------
    name
        Of the term; its standard deviation is called ``<name>_sd``. Several terms of one batch
        have their group in brackets: ``combination_effect[1]``.
    dims
        Out of ``combination``, ``respondent``, ``indicator``, ``jobcenter``.
    scale
        Scale of the half-normal prior of the standard deviation, or the standard deviation
        itself where `fixed`.
    fixed
        True where the standard deviation is known.
    basis
        Shape (combination, coefficient), in place of one coefficient for each combination.
    """

    name: str
    dims: tuple[str, ...]
    scale: float
    fixed: bool = False
    basis: Floats | None = None

    @property
    def sd_name(self) -> str:
        """Name of the standard deviation, as the sampler calls it: ``x_effect_sd[1]``."""
        stem, bracket, label = self.name.partition("[")
        return f"{stem}_sd{bracket}{label}"


HIERARCHICAL: Final[Mapping[str, tuple[str, ...]]] = {
    "combination_effect": ("combination",),
    "combination_respondent_effect": ("combination", "respondent"),
    "combination_indicator_effect": ("combination", "indicator"),
    "combination_jobcenter_effect": ("combination", "jobcenter"),
    "jobcenter_effect": ("jobcenter",),
    "jobcenter_indicator_effect": ("jobcenter", "indicator"),
}
"""Terms of the flagship model."""


COMPLETE_POOLING: Final[Mapping[str, tuple[str, ...]]] = {"combination_effect": ("combination",)}
_ENDING: Final = "_effect"


def model_terms(model: str, cells: xr.Dataset, *, priors: object) -> tuple[Term, ...]:
    """Write down a model's terms for a study.

    Parameters
    ----------
    model
        Name of a model of the package that has closed forms here.
    cells
        From `bipbayes.cells.cell_means`; gives the labels.
    priors
        The model's ``Priors``: the scale of term ``x_effect`` is the field ``x``.

    Returns
    -------
    tuple of Term
        Without the batches over a dim of length one.

    Raises
    ------
    SettingsError
        The model's terms are not written down here.
    """
    if model not in KNOWN:
        raise SettingsError(f"{model} has no closed forms here; those with: {', '.join(KNOWN)}")
    lengths = {**cells.sizes, RESPONDENT: len(np.unique(cells[RESPONDENT]))}
    terms = KNOWN[model](cells, priors)
    return tuple(term for term in terms if all(lengths[dim] > 1 for dim in term.dims))


def _plain(batches: Mapping[str, tuple[str, ...]]) -> Callable[[xr.Dataset, object], list[Term]]:
    def terms(cells: xr.Dataset, priors: object) -> list[Term]:
        return [
            Term(name, dims, float(getattr(priors, name.removesuffix(_ENDING))))
            for name, dims in batches.items()
        ]

    return terms


def factorial_model_terms(cells: xr.Dataset, priors: Any) -> list[Term]:
    """Write down the terms of ``factorial``, one for each order of each batch.

    Main effects and interactions are counted by bits: the sign of a term m in combination c is
    (-1) to the number of treatments in m and not in c.
    """
    codes = [int(str(label), 2) for label in cells["combination"].to_numpy()]
    treatments = len(str(cells["combination"].to_numpy()[0]))
    signs = np.array([[(-1.0) ** (m & ~c).bit_count() for m in sorted(codes)] for c in codes])
    orders = np.array([m.bit_count() for m in sorted(codes)])
    ratios = {order: priors.decay ** (order - 1) for order in range(1, treatments + 1)}
    square = sum(comb(treatments, order) * ratio**2 for order, ratio in ratios.items())
    terms = [
        Term("average_effect", (), priors.average, fixed=True),
        Term("respondent_effect", (RESPONDENT,), priors.respondent, fixed=True),
    ]
    for dim, level in (("", None), ("respondent", None), ("indicator", priors.indicator),
                       ("jobcenter", priors.jobcenter)):  # fmt: skip
        stem = f"combination_{dim}" if dim else "combination"
        dims = ("combination", dim) if dim else ("combination",)
        scales = {order: getattr(priors, stem) * r / sqrt(square) for order, r in ratios.items()}
        if level is not None:
            scales = {0: level, **scales}
        for order, scale in scales.items():
            basis = signs[:, orders == order]
            terms.append(Term(f"{stem}_effect[{order}]", dims, scale, basis=basis))
    level_dims = ("jobcenter", "indicator")
    return [*terms, Term("jobcenter_indicator_effect", level_dims, priors.jobcenter_indicator)]


KNOWN: Final[Mapping[str, Callable[[xr.Dataset, Any], list[Term]]]] = {
    "hierarchical": _plain(HIERARCHICAL),
    "complete_pooling": _plain(COMPLETE_POOLING),
    "factorial": factorial_model_terms,
}
"""The models that have closed forms: their terms from cells and priors."""


def design_matrix(cells: xr.Dataset, terms: Sequence[Term]) -> tuple[sparse.csr_array, Integers]:
    """Matrix that turns coefficients into effects.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    terms
        The model's.

    Returns
    -------
    tuple
        Sparse matrix, shape (combination x jobcenter x indicator, coefficient), and the
        position of its term by coefficient.
    """
    blocks = [_block(cells, term) for term in terms]
    group = np.repeat(np.arange(len(terms)), [block.shape[1] for block in blocks])
    return sparse.csr_array(sparse.hstack(blocks, format="csr")), group.astype("int64")


def _block(cells: xr.Dataset, term: Term) -> sparse.csr_array:
    """Kronecker product over combination, jobcenter and indicator."""
    respondent = np.unique(cells[RESPONDENT].to_numpy(), return_inverse=True)[1]
    factors = []
    for dim in CELL:
        length = cells.sizes[dim]
        if dim == "combination" and term.basis is not None:
            factors.append(sparse.csr_array(term.basis))
        elif dim in term.dims:
            factors.append(sparse.eye_array(length, format="csr"))
        elif dim == "indicator" and RESPONDENT in term.dims:
            factors.append(sparse.csr_array(np.eye(respondent.max() + 1)[respondent]))
        else:
            factors.append(sparse.csr_array(np.ones((length, 1))))
    return reduce(lambda left, right: sparse.kron(left, right, format="csr"), factors)

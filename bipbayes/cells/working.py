"""Working covariances of the cell means (DESIGN 4, stage 1).

==============  ==========================================================  =====================
``iid``         diag(S0[k, k] / n[k])                                       all answers independent
``response``    S0 * (o'o) / (n n')                                         one response correlated
``citizen``     (N * (a'a) + D * (o'o)) / (n n')                            shared answers, too
==============  ==========================================================  =====================

``*`` elementwise; N = -S1 is the noise of an answer, D = S0 + 2 S1 what is left of a change.
Without gaps ``citizen`` is S0 n + S1 (neighbouring pairs in the cell, both directions), over n².
Products of a positive definite and a Gram matrix with positive diagonal are positive definite,
so V is, with any gaps, once N, D and S0 are made positive semi-definite.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bipbayes.data.sample import Booleans, Floats

IID: Final = "iid"
RESPONSE: Final = "response"
CITIZEN: Final = "citizen"
VCOV: Final = (IID, RESPONSE, CITIZEN)

# Smallest eigenvalue, in shares of the mean variance. Changes of real questionnaires keep
# theirs well above; below it a direction would count as known almost without error.
FLOOR: Final = 1e-3


@dataclass(frozen=True)
class Repair:
    """What made a matrix positive definite.

    Attributes
    ----------
    eigenvalues
        How many were raised.
    lowest
        The smallest before.
    added
        Sum of what was added, as a share of the trace of S0.
    """

    eigenvalues: int
    lowest: float
    added: float


def clipped(matrix: Floats, *, floor: float, trace: float) -> tuple[Floats, Repair]:
    """Raise eigenvalues below `floor` to it and say by how much.

    Parameters
    ----------
    matrix
        Symmetric.
    floor
        Smallest eigenvalue allowed, at least 0.
    trace
        Trace of S0, the yardstick of the repair.
    """
    values, vectors = np.linalg.eigh(matrix)
    raised = np.maximum(values, floor)
    repair = Repair(
        eigenvalues=int((values < floor).sum()),
        lowest=float(values[0]),
        added=float((raised - values).sum() / trace),
    )
    if not repair.eigenvalues:
        return matrix, repair
    fixed = (vectors * raised) @ vectors.T
    return (fixed + fixed.T) / 2, repair


def mean_covariance(
    joint: Floats, shared: Floats, *, change: Floats, noise: Floats, n: Floats
) -> Floats:
    """Put the working covariance of the cell means together.

    Parameters
    ----------
    joint, shared
        Gram matrices o'o and a'a, shape (cell, indicator, indicator).
    change, noise
        What multiplies them: S0 (or D) and N; shape (indicator, indicator).
    n
        Answers, shape (cell, indicator).

    Returns
    -------
    numpy.ndarray
        Shape (cell, indicator, indicator); ``NaN`` in rows and columns without answers.
    """
    answered = both(n > 0)
    divisor = np.where(answered, n[:, :, None] * n[:, None, :], 1.0)
    matrix = (change * joint + noise * shared) / divisor
    return np.where(answered, matrix, np.nan)


def both(observed: Booleans) -> Booleans:
    """Outer product of flags by cell, shape (cell, indicator, indicator)."""
    return np.asarray(observed[:, :, None] & observed[:, None, :])

"""Working covariances of the cell means (DESIGN 4, stage 1).

==============  ===================================  ==============================================
``iid``         diag(S0[k, k] / n[k])                all answers independent
``response``    S0 * (o'o) / (n n')                  answers of one response are correlated
``citizen``     (N * (a'a) + D * (o'o)) / (n n')     and changes that share an answer are
==============  ===================================  ==============================================

``*`` is elementwise, n n' holds the products of the numbers of answers. A change is the
difference of two answers plus a real change; with N the covariance of an answer's noise and D
that of real changes, changes of k and l at one response covary by (1 + s) N + D, where s[k, l]
is the share of joint changes that start from the same response (1 without gaps), and changes
of which one starts where the other ended by -N. Hence

    N = -S1,    D = S0 + (1 + s) * S1    (without gaps S0 + 2 S1).

Without gaps ``citizen`` is S0 n + S1 (neighbouring pairs in the cell, both directions), over n².
V is a sum of elementwise products of positive semi-definite matrices, and positive definite
because D and S0 are (`bipbayes.cells.repair`) and o'o has a positive diagonal.
"""

from typing import Final

import numpy as np

from bipbayes.data.sample import Booleans, Floats

IID: Final = "iid"
RESPONSE: Final = "response"
CITIZEN: Final = "citizen"
VCOV: Final = (IID, RESPONSE, CITIZEN)


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

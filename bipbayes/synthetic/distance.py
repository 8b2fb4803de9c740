"""Least-distance programming: the shortest vector that keeps linear inequalities.

min |x|^2 subject to G x >= h, solved exactly through its dual, a non-negative least-squares
problem (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23). No solution of
that problem is a certificate that the inequalities contradict each other.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import nnls

from bipbayes.errors import SettingsError

Floats = NDArray[np.float64]

INFEASIBLE = 1e-9


def shortest(G: Floats, h: Floats) -> Floats:
    """Return the shortest x with G x >= h.

    Parameters
    ----------
    G
        Shape (inequality, variable); rows of similar length make the answer more exact.
    h
        Lower bounds, shape (inequality,).

    Raises
    ------
    SettingsError
        The inequalities contradict each other.
    """
    E = np.vstack([G.T, h[None, :]])
    f = np.zeros(G.shape[1] + 1)
    f[-1] = 1.0
    weights, _ = nnls(E, f, maxiter=20 * E.shape[1])
    residual = E @ weights - f
    if abs(residual[-1]) < INFEASIBLE:
        raise SettingsError(
            f"{len(h)} inequalities on {G.shape[1]} effects contradict each other; "
            "loosen the margins or leave claims out"
        )
    return np.asarray(-residual[:-1] / residual[-1])


def nearest(center: Floats, scale: Floats, *, zero: Floats, G: Floats, h: Floats) -> Floats:
    """Return the x nearest to `center` with zero @ x = 0 and G x >= h.

    Parameters
    ----------
    center, scale
        Distances from `center` count in units of `scale`, both of shape (variable,).
    zero
        Equalities, shape (equality, variable). They are solved first: pairs of opposite
        inequalities would make the dual problem nearly singular.
    G, h
        Inequalities.
    """
    equalities = zero * scale
    start = np.linalg.pinv(equalities) @ (-zero @ center)
    basis = null_space(equalities)
    point = center + scale * start
    slopes = (G * scale) @ basis
    lengths = np.linalg.norm(slopes, axis=1)
    steps = basis @ shortest(slopes / lengths[:, None], (h - G @ point) / lengths)
    return np.asarray(point + scale * steps)

"""The parts of a working covariance, made positive definite, and what that took.

Estimates of N and D are differences of estimates and need not be positive semi-definite. In
the directions u in which S1 and T = S0 + (s - 1) * S1, the covariance of changes with a common
start, are both diagonal (u'Tu = 1, u'S1u = r) a change consists of noise, -2 r, and of real
change, 1 + 2 r. Where 1 + 2 r falls short, r is raised: D is clipped and N gives way, so that
the variance of a single change stays as estimated. (Clipping the two one by one would
inflate it: in a simulation of 300 citizens by 22 % against 10 %.) Where r is positive, N is
clipped to zero and D = T + 2 S1 is larger than T, on the safe side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import eigh

from bipbayes.cells import working
from bipbayes.cells.moments import Moments
from bipbayes.data.sample import Floats

# Smallest eigenvalue: of S0 in shares of the mean variance, of D in shares of S0. Well below
# what questionnaires show; without it a direction could count as known without error.
FLOOR: Final = 1e-3


@dataclass(frozen=True)
class Repair:
    """What made a matrix positive definite.

    Attributes
    ----------
    raised
        How many eigenvalues were raised.
    lowest
        The smallest before, in shares of the variance of a change.
    added
        Trace of what was added, in shares of the trace of S0.
    """

    raised: int
    lowest: float
    added: float


@dataclass(frozen=True)
class Parts:
    """The matrices of a working covariance.

    Attributes
    ----------
    vcov
        ``iid``, ``response`` or ``citizen``.
    change, noise
        What multiplies o'o and a'a: S0 (or its diagonal) and zero; under ``citizen`` D and N.
    repairs
        What was clipped, by matrix.
    unknown
        Indicators whose variance could not be estimated and counts as that of all progression.
    pairs
        Neighbouring changes of the indicator with the fewest.
    """

    vcov: str
    change: Floats
    noise: Floats
    repairs: Mapping[str, Repair]
    unknown: int
    pairs: int


def parts(moments: Moments, *, vcov: str) -> Parts:
    """Turn the residual moments into the positive definite parts of a working covariance.

    Parameters
    ----------
    moments
        S0, S1 and the share of common starts.
    vcov
        ``iid``, ``response`` or ``citizen``.
    """
    # Progression is standardised: where no cell has two answers, its variance is taken as 1.
    unknown = np.diag(moments.residual) <= 0
    known = moments.residual + np.diag(np.where(unknown, 1 - np.diag(moments.residual), 0.0))
    noise = np.zeros_like(known)
    repairs: dict[str, Repair] = {}
    if vcov == working.IID:
        change = np.diag(np.diag(known))
    elif vcov == working.RESPONSE:
        change, repairs["S0"] = clipped(known)
    else:
        total, repairs["S0"] = clipped(known + (moments.common - 1) * moments.lag)
        noise, change, split = separated(total, moments.lag)
        repairs |= split
    return Parts(
        vcov=vcov,
        change=change,
        noise=noise,
        repairs={name: entry for name, entry in repairs.items() if entry.raised},
        unknown=int(unknown.sum()),
        pairs=moments.pairs,
    )


def clipped(matrix: Floats) -> tuple[Floats, Repair]:
    """Raise eigenvalues below `FLOOR` (times their mean) and say by how much."""
    values, vectors = np.linalg.eigh(matrix)
    scale = float(np.trace(matrix)) / len(matrix)
    raised = np.maximum(values, FLOOR * scale)
    repair = Repair(
        raised=int((values < raised).sum()),
        lowest=float(values[0] / scale),
        added=float((raised - values).sum() / (scale * len(matrix))),
    )
    if not repair.raised:
        return matrix, repair
    return _symmetric((vectors * raised) @ vectors.T), repair


def separated(total: Floats, lag: Floats) -> tuple[Floats, Floats, dict[str, Repair]]:
    """Split the covariance of a change into the noise of its answers and real change.

    Parameters
    ----------
    total
        Covariance of changes with a common start, positive definite.
    lag
        S1, of neighbouring changes.

    Returns
    -------
    tuple
        N (positive semi-definite), D (positive definite) and what was clipped.
    """
    roots, vectors = eigh(lag, total)
    axes = total @ vectors  # total = axes axes', lag = (axes * roots) axes'
    weight = (axes**2).sum(axis=0) / np.trace(total)
    allowed = np.maximum(roots, (FLOOR - 1) / 2)
    noise = _symmetric((axes * np.maximum(-allowed, 0.0)) @ axes.T)
    change = _symmetric((axes * (1 + 2 * allowed)) @ axes.T)
    repairs = {
        "N": Repair(
            raised=int((roots > 0).sum()),
            lowest=float(-roots.max()),
            added=float(weight @ np.maximum(roots, 0.0)),
        ),
        "D": Repair(
            raised=int((roots < allowed).sum()),
            lowest=float(1 + 2 * roots.min()),
            added=float(weight @ (2 * (allowed - roots))),
        ),
    }
    return noise, change, repairs


def repair_attrs(found: Parts) -> dict[str, str | float | int]:
    """Say in a sentence and in numbers how far a working covariance was repaired."""
    entries = found.repairs.values()
    return {
        "repair": "; ".join(_sentences(found)) or "none needed",
        "repair_added": float(sum(entry.added for entry in entries)),
        "repair_lowest": float(min((entry.lowest for entry in entries), default=0.0)),
        "repair_raised": int(sum(entry.raised for entry in entries)),
        "neighbouring_pairs": found.pairs,
    }


def _sentences(found: Parts) -> list[str]:
    sentences = [
        f"{name}: {entry.raised} of {len(found.change)} eigenvalues raised (lowest "
        f"{entry.lowest:.2g}), which adds {100 * entry.added:.2g} % of the variance of changes"
        for name, entry in found.repairs.items()
    ]
    if found.unknown:
        sentences.append(
            f"{found.unknown} indicators have no cell with two answers; their variance was set "
            "to that of all progression"
        )
    if found.vcov == working.CITIZEN and not found.pairs:
        sentences.append(
            "an indicator has no neighbouring changes; its answers' noise counts as zero"
        )
    return sentences


def _symmetric(matrix: Floats) -> Floats:
    return (matrix + matrix.T) / 2

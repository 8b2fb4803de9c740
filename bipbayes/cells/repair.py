"""The parts of a working covariance, made positive definite, and what that took."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bipbayes.cells import working
from bipbayes.data.sample import Floats


@dataclass(frozen=True)
class Parts:
    """Estimated moments and the matrices used in the working covariance.

    Attributes
    ----------
    vcov
        ``iid``, ``response`` or ``citizen``.
    residual_covariance, lag_covariance
        S0 and S1 as estimated.
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
    residual_covariance: Floats
    lag_covariance: Floats
    change: Floats
    noise: Floats
    repairs: Mapping[str, working.Repair]
    unknown: int
    pairs: int


def parts(residual: Floats, lag: Floats, pairs: int, *, vcov: str) -> Parts:
    """Turn the residual moments into the positive definite parts of a working covariance.

    Parameters
    ----------
    residual, lag
        S0 and S1, shape (indicator, indicator).
    pairs
        Neighbouring changes of the indicator with the fewest.
    vcov
        ``iid``, ``response`` or ``citizen``.
    """
    # Progression is standardised: where no cell has two answers, its variance is taken as 1.
    unknown = np.diag(residual) <= 0
    known = residual + np.diag(unknown.astype(float))
    trace = float(np.trace(known))
    floor = working.FLOOR * trace / len(known)
    repairs = {}
    noise = np.zeros_like(known)
    if vcov == working.IID:
        change = np.diag(np.diag(known))
    elif vcov == working.RESPONSE:
        change, repairs["S0"] = working.clipped(known, floor=floor, trace=trace)
    else:
        noise, repairs["N"] = working.clipped(-lag, floor=0.0, trace=trace)
        change, repairs["D"] = working.clipped(known + 2 * lag, floor=floor, trace=trace)
    return Parts(
        vcov=vcov,
        residual_covariance=residual,
        lag_covariance=lag,
        change=change,
        noise=noise,
        repairs={name: entry for name, entry in repairs.items() if entry.eigenvalues},
        unknown=int(unknown.sum()),
        pairs=pairs,
    )


def repair_attrs(found: Parts) -> dict[str, str | float | int]:
    """Say in a sentence and in numbers how far a working covariance was repaired."""
    entries = found.repairs.values()
    return {
        "repair": "; ".join(_sentences(found)) or "none needed",
        "repair_added": float(sum(entry.added for entry in entries)),
        "repair_lowest": float(min((entry.lowest for entry in entries), default=0.0)),
        "repair_eigenvalues": int(sum(entry.eigenvalues for entry in entries)),
        "neighbouring_pairs": found.pairs,
    }


def _sentences(found: Parts) -> list[str]:
    sentences = [
        f"{name}: {entry.eigenvalues} of {len(found.change)} eigenvalues raised (lowest "
        f"{entry.lowest:.2g}), which added {100 * entry.added:.2g} % of the total variance"
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

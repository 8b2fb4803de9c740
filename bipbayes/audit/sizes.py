"""Printed effect sizes and places moved against the estimates.

The printed number is compared in its own units: with the OLS estimate at the printed decimals
(was it reproduced?) and with both intervals (is it borne out?). An effect singled out for its
significance tends to be too large (type M error), which is what *weakened* says here.
"""

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from bipbayes.audit.rules import NOT_CHECKABLE, NOT_SUPPORTED, REVERSED, UPHELD, WEAKENED, Reading
from bipbayes.intervals import places_moved

MEASURES: Final = ("effect_size", "places_moved")
SIZE_COLUMNS: Final = tuple(
    f"{measure}_{column}"
    for measure in MEASURES
    for column in (
        "printed",
        *(
            f"{source}{part}"
            for source in ("ols", "posterior")
            for part in ("", "_within_rounding", "_verdict")
        ),
    )
)
_SIGNS: Final = {"negative": -1, "not_positive": -1}


def decimals(text: str) -> int:
    """Return the number of decimals that a number was printed with (``"0.020"`` has 3)."""
    return len(text.partition(".")[2])


def within_rounding(value: float, printed: float, places: int) -> bool:
    """Say whether a value could have been printed as this number with so many decimals."""
    return bool(abs(value - printed) <= 0.5 * 10.0**-places + 1e-9)


def size_verdict(printed: float, places: int, reading: Reading) -> str:
    """Return the word for a printed size, all in the printed number's units.

    *upheld* where the interval, widened by half of the last printed digit, holds it;
    *reversed* where the interval excludes zero on the other side; *weakened* where the estimate
    has its sign but is smaller; else *not supported*.
    """
    if math.isnan(reading.estimate) or math.isnan(reading.lower):
        return NOT_CHECKABLE
    half = 0.5 * 10.0**-places
    if reading.lower - half <= printed <= reading.upper + half:
        return UPHELD
    sign = math.copysign(1, printed)
    if sign * reading.side < 0:
        return REVERSED
    if 0 < sign * reading.estimate < abs(printed):
        return WEAKENED
    return NOT_SUPPORTED


def size_columns(
    claim: pd.Series, ols: Reading | None, posterior: Reading | None
) -> dict[str, Any]:
    """Return what the audit says of a claim's printed sizes (nothing where it prints none).

    Parameters
    ----------
    claim
        One row of the claims, all text; ``places_moved`` takes its sign from the direction.
    ols, posterior
        The estimate of ``effect`` under the report's errors and under the model.
    """
    columns: dict[str, Any] = {}
    for measure in MEASURES:
        text = claim[measure]
        if text:
            sign = _SIGNS.get(claim["direction"], 1) if measure == "places_moved" else 1
            printed = sign * abs(float(text)) if measure == "places_moved" else float(text)
            columns |= _measure(measure, printed, decimals(text), ols=ols, posterior=posterior)
    return columns


def _measure(
    measure: str,
    printed: float,
    places: int,
    *,
    ols: Reading | None,
    posterior: Reading | None,
) -> dict[str, Any]:
    columns: dict[str, Any] = {f"{measure}_printed": printed}
    for source, reading in (("ols", ols), ("posterior", posterior)):
        if reading is None:
            columns[f"{measure}_{source}_verdict"] = NOT_CHECKABLE
            continue
        own = _in_places(reading) if measure == "places_moved" else reading
        columns[f"{measure}_{source}"] = own.estimate
        columns[f"{measure}_{source}_within_rounding"] = within_rounding(
            own.estimate, printed, places
        )
        columns[f"{measure}_{source}_verdict"] = size_verdict(printed, places, own)
    return columns


def _in_places(reading: Reading) -> Reading:
    """Translate an effect and its interval into places (increasing, so limits stay limits)."""
    values = places_moved(np.array([reading.estimate, reading.lower, reading.upper]))
    estimate, lower, upper = (float(value) for value in values)
    return Reading(estimate, lower, upper, reading.side)

"""Posterior predictive check of raw changes: no change, extremes, spread.

What the hierarchy supposes of single changes is set against the changes themselves: as normal
numbers (``normal``), rounded to whole points (``rounded``), rounded and kept on the scale from
the given previous answer (``on_scale``), and as answers of the ordered probit (``ordinal``).
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.checks.replicate import (
    NORMAL,
    ON_SCALE,
    ORDINAL,
    ROUNDED,
    Rows,
    indicator_rows,
    normal_changes,
    on_scale,
    ordinal_changes,
)
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats
from bipbayes.errors import FitError
from bipbayes.intervals import ALL_INDICATORS

NO_CHANGE: Final = "no_change"
SPREAD: Final = "sd"
FORMS: Final = (NORMAL, ROUNDED, ON_SCALE, ORDINAL)
SMALLEST_EXTREME: Final = 2


def change_check(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    cells: xr.Dataset,
    effects: xr.DataArray,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Hold raw changes against what an analysis expects of them.

    Parameters
    ----------
    progression, codebook
        The study's.
    cells
        Those that were fitted.
    effects
        Posterior draws, dims ``chain, draw, combination, jobcenter, indicator``; each gives one
        replicated data set (some hundred are enough).
    level
        Of the predictive intervals.
    seed
        Of the replicated data.

    Returns
    -------
    pandas.DataFrame
        ``group`` (indicator, respondent or ``all_indicators``), ``group_kind`` (``indicator``,
        ``respondent``, ``all``), ``n`` (changes), ``statistic`` (``no_change``,
        ``at_least_2`` ..., ``sd`` in scale points), ``observed``, ``form`` (see the module),
        ``expected``, ``lower``, ``upper`` (of replicated data) and ``p_below`` (share of
        replicated data below the observed; near 0 or 1: not what the form expects).
    """
    rows = indicator_rows(progression, codebook)
    names = statistics(codebook)
    groups = _groups(codebook)
    membership = np.array([[code in members for _, members in groups.values()]
                           for code in codebook.indicator_codes], dtype="float64")  # fmt: skip
    found: dict[str, list[Floats]] = {form: [] for form in FORMS}
    for change in normal_changes(rows, cells, effects, seed=seed):
        found[NORMAL].append(_measured(change, membership, names))
        found[ROUNDED].append(_measured(np.round(change), membership, names))
        kept = on_scale(rows, change, codebook.scale)
        found[ON_SCALE].append(_measured(kept, membership, names))
    for change in _ordinal(progression, codebook, rows, draws=len(found[NORMAL]), seed=seed + 1):
        found[ORDINAL].append(_measured(change, membership, names))
    observed = _measured(rows.change, membership, names)
    counts = rows.observed.sum(axis=0) @ membership
    labels = pd.DataFrame(
        [
            {"group": group, "group_kind": kind, "n": int(count), "statistic": name}
            for (group, (kind, _)), count in zip(groups.items(), counts, strict=True)
            for name in names
        ]
    ).assign(observed=observed.ravel())
    frames = [
        labels.assign(form=form, **_summary(np.stack(values), observed, level))
        for form, values in found.items()
        if values
    ]
    return pd.concat(frames, ignore_index=True)


def statistics(codebook: Codebook) -> tuple[str, ...]:
    """Name the statistics: no change, changes of at least so many points, spread."""
    width = codebook.scale[1] - codebook.scale[0]
    # A long scale needs no line for every point.
    steps = range(SMALLEST_EXTREME, min(width, SMALLEST_EXTREME + 2) + 1)
    return (NO_CHANGE, *(f"at_least_{step}" for step in steps), SPREAD)


def _groups(codebook: Codebook) -> dict[str, tuple[str, tuple[str, ...]]]:
    codes = codebook.indicator_codes
    groups: dict[str, tuple[str, tuple[str, ...]]] = {}
    groups |= {code: ("indicator", (code,)) for code in codes}
    for respondent in codebook.respondents:
        members = tuple(code for code in codes if codebook.respondent_of(code) == respondent)
        groups[respondent] = ("respondent", members)
    groups[ALL_INDICATORS] = ("all", codes)
    return groups


def _measured(change: Floats, membership: Floats, names: tuple[str, ...]) -> Floats:
    """Statistics by group, shape (group, statistic)."""
    known = np.isfinite(change)
    size = np.abs(np.where(known, change, 0.0))
    count = known.sum(axis=0) @ membership
    columns = []
    for name in names[:-1]:
        hit = known & (size == 0) if name == NO_CHANGE else size >= int(name.split("_")[-1])
        columns.append(hit.sum(axis=0) @ membership / np.maximum(count, 1))
    total = np.where(known, change, 0.0).sum(axis=0) @ membership
    squares = (size**2).sum(axis=0) @ membership
    variance = (squares - total**2 / np.maximum(count, 1)) / np.maximum(count - 1, 1)
    columns.append(np.sqrt(np.maximum(variance, 0.0)))
    return np.asarray(np.where(count[:, None] > 1, np.column_stack(columns), np.nan))


def _ordinal(
    progression: xr.Dataset, codebook: Codebook, rows: Rows, *, draws: int, seed: int
) -> Iterable[Floats]:
    try:
        yield from ordinal_changes(progression, codebook, rows, draws=draws, seed=seed)
    except FitError:
        return  # the other forms stand without it


def _summary(values: Floats, observed: Floats, level: float) -> dict[str, Floats]:
    tail = (1 - level) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    # Ties count half: shares of whole numbers may agree exactly.
    below = (values < observed).mean(axis=0) + 0.5 * (values == observed).mean(axis=0)
    return {
        "expected": values.mean(axis=0).ravel(),
        "lower": lower.ravel(),
        "upper": upper.ravel(),
        "p_below": below.ravel(),
    }

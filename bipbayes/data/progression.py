"""Progression: the change of an answer since the citizen's previous answer (DESIGN 4)."""

from typing import Final, Literal

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.activities import UNKNOWN
from bipbayes.data.codebook import Codebook
from bipbayes.data.study import Study

PreviousRule = Literal["item", "response"]
PREVIOUS_RULES: Final[tuple[PreviousRule, ...]] = ("item", "response")


def progression(
    study: Study, codebook: Codebook | None = None, *, previous: PreviousRule = "item"
) -> xr.Dataset:
    """Compute progression of every indicator and average.

    Parameters
    ----------
    study
        Checked responses; their order does not matter, dates do.
    codebook
        Defaults to the study's own.
    previous
        ``"item"``: the change since the citizen's latest earlier answer to that question;
        ``"response"``: only since the directly preceding response.

    Returns
    -------
    xarray.Dataset
        Dims ``response`` (the frame's rows) and ``outcome`` (indicators, averages).
        ``change`` in scale points; ``standardised`` is minus ``mean``, divided by ``sd``
        (n - 1), over the analysis sample of that outcome, ``NaN`` elsewhere; ``previous`` is
        the position of the response that a change starts from (-1: none); ``baseline`` the
        answer there; ``mean``, ``sd``, ``n`` by outcome over the analysis sample. Coords on
        ``response``: ``citizen``, ``jobcenter``, ``date``, ``combination``, ``analysed``
        (activities known). The report's definition: its section on progression and Table 1.

    Raises
    ------
    ValueError
        Unknown rule for the previous answer.
    """
    if previous not in PREVIOUS_RULES:
        raise ValueError(f"previous={previous!r} is unknown; allowed: {', '.join(PREVIOUS_RULES)}")
    codebook = codebook or study.codebook
    levels = _levels(study.responses, codebook)
    starts = _previous_positions(study.responses, levels, previous)
    baseline = np.where(starts >= 0, np.take_along_axis(levels, np.maximum(starts, 0), 0), np.nan)
    change = _clean(levels - baseline)
    dims = ("response", "outcome")
    dataset = xr.Dataset(
        {"change": (dims, change), "previous": (dims, starts), "baseline": (dims, baseline)},
        coords=_coords(study.responses, codebook),
        attrs={"previous": previous, "synthetic": int(study.synthetic), "study": codebook.name},
    )
    return _standardise(dataset)


def _levels(responses: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Answers of indicators and averages, shape (response, outcome); NaN = not answered."""
    columns = [responses[code].to_numpy(dtype="float64") for code in codebook.indicator_codes]
    for code in codebook.average_codes:
        members = responses[list(codebook.members(code))].to_numpy(dtype="float64")
        columns.append(members.mean(axis=1))  # NaN where any member is missing
    return np.column_stack(columns)


def _previous_positions(
    responses: pd.DataFrame, levels: np.ndarray, previous: PreviousRule
) -> np.ndarray:
    """Position of the response each change starts from, -1 where there is no change."""
    citizen = pd.factorize(responses["citizen"])[0]
    # Nanoseconds or microseconds: only the order counts.
    order = np.lexsort((responses["date"].to_numpy().astype("int64"), citizen))
    ordered, sorted_citizen = levels[order], citizen[order]
    rows = np.arange(len(order))
    first = np.r_[True, sorted_citizen[1:] != sorted_citizen[:-1]]
    begin = np.maximum.accumulate(np.where(first, rows, 0))[:, None]
    answered = ~np.isnan(ordered)
    if previous == "item":
        last = np.maximum.accumulate(np.where(answered, rows[:, None], -1), axis=0)
        earlier = np.vstack([np.full((1, levels.shape[1]), -1), last[:-1]])
    else:
        before = np.vstack([np.zeros((1, levels.shape[1]), dtype=bool), answered[:-1]])
        earlier = np.where(before, rows[:, None] - 1, -1)
    valid = answered & (earlier >= begin)
    starts = np.full(levels.shape, -1, dtype="int64")
    starts[order] = np.where(valid, order[np.maximum(earlier, 0)], -1)
    return starts


def _clean(change: np.ndarray) -> np.ndarray:
    """Round away float noise, so that an average that did not change is exactly zero."""
    return np.asarray(np.round(change, 12)) + 0.0


def _coords(responses: pd.DataFrame, codebook: Codebook) -> dict[str, object]:
    analysed = (responses["combination"] != UNKNOWN).to_numpy()
    return {
        "response": np.arange(len(responses)),
        "outcome": list(codebook.outcomes),
        "citizen": ("response", responses["citizen"].to_numpy(dtype=object)),
        "jobcenter": ("response", responses["jobcenter"].to_numpy(dtype=object)),
        "date": ("response", responses["date"].to_numpy()),
        "combination": ("response", responses["combination"].to_numpy(dtype=object)),
        "analysed": ("response", analysed),
        "respondent": ("outcome", [codebook.respondent_of(code) for code in codebook.outcomes]),
    }


def _standardise(dataset: xr.Dataset) -> xr.Dataset:
    sample = dataset["change"].where(dataset["analysed"])
    n = sample.notnull().sum("response")
    mean = sample.mean("response")
    sd = sample.std("response", ddof=1) if sample.sizes["response"] else mean
    # One answer, or no variation but rounding, has no standard deviation; the outcome stays empty.
    sd = sd.where((n > 1) & (sd > 1e-10 * abs(sample).max("response")))
    return dataset.assign(mean=mean, sd=sd, n=n, standardised=(sample - mean) / sd)

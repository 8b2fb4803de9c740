"""Progression: the change of an answer since the citizen's previous answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.columns import UNKNOWN
from bipbayes.data.sample import Floats, Integers
from bipbayes.data.study import Study
from bipbayes.errors import SettingsError, unknown
from bipbayes.option_words import PREVIOUS
from bipbayes.option_words import PreviousRule as PreviousRule


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
    SettingsError
        Unknown rule for the previous answer.
    """
    if previous not in PREVIOUS:
        raise SettingsError(unknown("previous", previous, PREVIOUS))
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


@dataclass(frozen=True)
class Spread:
    """Number, mean and squared deviations of changes by outcome; those of parts are added.

    ``squares`` is their sum around the mean, ``largest`` the largest change in absolute value.
    """

    n: Integers
    mean: Floats
    squares: Floats
    largest: Floats

    def __add__(self, other: "Spread") -> "Spread":
        """Put two parts together (Chan, Golub and LeVeque 1983)."""
        n = self.n + other.n
        share = other.n / np.maximum(n, 1)
        step = np.where(self.n > 0, other.mean - self.mean, other.mean)
        mean = np.where(other.n > 0, np.where(self.n > 0, self.mean + share * step, other.mean),
                        self.mean)  # fmt: skip
        between = np.where((self.n > 0) & (other.n > 0), step**2 * self.n * share, 0.0)
        largest = np.maximum(self.largest, other.largest)
        return Spread(n, mean, self.squares + other.squares + between, largest)

    @property
    def sd(self) -> Floats:
        """Standard deviation, ``NaN`` where there is none to speak of, shape (outcome,)."""
        sd = np.sqrt(self.squares / np.maximum(self.n - 1, 1))
        # One answer, or no variation but rounding: the outcome stays empty.
        return np.where((self.n > 1) & (sd > 1e-10 * self.largest), sd, np.nan)


def spread_of(change: Floats) -> Spread:
    """Describe the changes of an analysis sample, shape (response, outcome); ``NaN``: none."""
    known = ~np.isnan(change)
    n = known.sum(axis=0)
    mean = np.where(known, change, 0.0).sum(axis=0) / np.maximum(n, 1)
    squares = (np.where(known, change - mean, 0.0) ** 2).sum(axis=0)
    largest = np.abs(np.where(known, change, 0.0)).max(axis=0, initial=0.0)
    return Spread(n, mean, squares, largest)


def _standardise(dataset: xr.Dataset) -> xr.Dataset:
    sample = dataset["change"].where(dataset["analysed"])
    spread = spread_of(sample.transpose("response", "outcome").to_numpy())
    named = {
        name: ("outcome", values)
        for name, values in (
            ("n", spread.n),
            ("mean", np.where(spread.n > 0, spread.mean, np.nan)),
            ("sd", spread.sd),
        )
    }
    dataset = dataset.assign(named)
    return dataset.assign(standardised=(sample - dataset["mean"]) / dataset["sd"])

"""What progression is adjusted for: the previous answer, or characteristics of the citizens.

The adjusted regression of an outcome's standardised progression y on groups g (combinations, or
cells) is an analysis of covariance,

    y[r] = effect[g(r)] + sum_p slope[p] x[r, p] + error[r],

with regressors x centred over the outcome's analysis sample, so that ``effect`` is expected
progression *at the average of the regressors* and the effects' average, weighted by responses,
stays zero. Slopes are common to all groups; they come from differences within groups.

``baseline``: the previous answer. For an indicator it is a factor with a level for each answer: a
citizen at the lowest answer cannot fall, one at the highest cannot rise, and that bend is no
straight line. Levels with fewer than `FEWEST` answers join their neighbour towards the middle. An
average has too many values for a factor and gets a line and a square. Beside it stands, for each
respondent, the mean of all answers on the occasion from which the change starts (a line). Whoever
allots treatments sees a person and not one answer: given that one answer, those chosen for low
ones would still be worse off, and the adjustment would err to the other side
(`docs/statistics/validation.md`).

``covariates``: named numeric columns of a frame with one row a citizen. A missing value counts as
the sample's mean, with an indicator variable of its own beside it.

Adjusted progression: standardised progression minus what the regressors explain.

By the theorem of Frisch, Waugh and Lovell, group means of ``y - x slope`` with slopes estimated
from differences within the same groups *are* the effects of the one regression on groups and
regressors. So a progression with adjusted values can go through everything that works with means
unchanged. What this leaves out is the error of the slopes, shared by all groups. It adds
``x_mean[g]' Var(slope) x_mean[g]`` to the variance of group g: a second-order term, since group
means of centred regressors are small and slopes rest on the whole sample (`slope_share` says how
much it is). OLS does not leave it out (`bipbayes.regression.adjusted`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers, analysis_sample, group_sums
from bipbayes.data.study_words import by_language
from bipbayes.errors import DataError, SettingsError, raise_all, unknown
from bipbayes.option_words import ADJUSTMENTS, BASELINE, COVARIATES
from bipbayes.phrases import phrases_of
from bipbayes.stored_frames import filled

# A level with a handful of answers has a slope of its own that is mostly noise.
FEWEST: Final = 5


@dataclass(frozen=True)
class Adjustment:
    """Regressors of every outcome.

    Attributes
    ----------
    adjust
        Any of `ADJUSTMENTS`, in that order.
    names
        Regressors by outcome.
    values
        By outcome, shape (response, regressor): centred over the outcome's analysis sample,
        0 outside of it; covariates in standard deviations.
    missing
        Citizens of the analysis sample without a value, by covariate.
    remarks
        The same in words, as attributes ``adjust_remark`` by language (``""``: none).
    """

    adjust: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Floats]
    missing: Mapping[str, int]
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name for attributes and outputs, such as ``baseline+covariates``."""
        return "+".join(self.adjust)


def make_adjustment(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    adjust: Sequence[str] = (BASELINE,),
    covariates: pd.DataFrame | None = None,
    columns: Sequence[str] | None = None,
) -> Adjustment:
    """Build the regressors that progression is adjusted for.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        Says which outcomes are indicators (previous answer as a factor).
    adjust
        ``baseline``, ``covariates`` or both.
    covariates
        One row a citizen: numeric columns and the column (or index) ``citizen``. Citizens that
        the responses lack are ignored; those that it lacks have all values missing.
    columns
        Which columns of it to use; all numeric ones by default.

    Raises
    ------
    SettingsError
        Unknown adjustment, or ``covariates`` without a frame.
    DataError
        The frame repeats a citizen, lacks a column, or a column is not numeric or not finite.
    """
    if not adjust:
        raise SettingsError(f"adjust is empty; known: {', '.join(ADJUSTMENTS)}")
    faults = [unknown("adjust", name, ADJUSTMENTS) for name in adjust if name not in ADJUSTMENTS]
    raise_all(SettingsError, "These adjustments were refused:", faults)
    if COVARIATES in adjust and covariates is None:
        raise SettingsError(
            codebook.say("adjusting for covariates needs a frame with one row a {citizen}")
        )
    sample = _sample(progression)
    blocks: dict[str, list[pd.DataFrame]] = {code: [] for code in codebook.outcomes}
    missing: Mapping[str, int] = {}
    if BASELINE in adjust:
        standing = _standing(progression, codebook)
        for code in codebook.outcomes:
            blocks[code].append(_baseline(progression, code, code in codebook.indicator_codes))
            blocks[code].append(_at_start(progression, code, standing))
    if COVARIATES in adjust and covariates is not None:
        wide = _by_response(progression, _checked(covariates, columns))
        missing = _count_missing(progression, wide)
        for code in codebook.outcomes:
            blocks[code].append(_imputed(wide, sample[code].to_numpy()))
    frames = {code: pd.concat(parts, axis=1) for code, parts in blocks.items()}
    return Adjustment(
        adjust=tuple(name for name in ADJUSTMENTS if name in adjust),
        names={code: tuple(frame.columns) for code, frame in frames.items()},
        values={code: _centred(frame, sample[code].to_numpy()) for code, frame in frames.items()},
        missing=missing,
        remarks=by_language(
            "adjust_remark", lambda language: codebook.say(_remark(missing, language), language)
        ),
    )


def _remark(missing: Mapping[str, int], language: str) -> str:
    lacking = [f"{name} ({count})" for name, count in missing.items() if count]
    text = phrases_of("findings")["adjust_missing"][language]
    return filled(text, {"names": ", ".join(lacking)}) if lacking else ""


def _sample(progression: xr.Dataset) -> pd.DataFrame:
    """Say which response counts for which outcome, columns by outcome."""
    counts = progression["standardised"].notnull() & progression["analysed"]
    frame = counts.transpose("response", "outcome").to_numpy()
    return pd.DataFrame(frame, columns=progression["outcome"].to_numpy())


def _baseline(progression: xr.Dataset, outcome: str, factor: bool) -> pd.DataFrame:
    """Regressors of the previous answer: dummies of its levels, or a line and a square."""
    answer = progression["baseline"].sel(outcome=outcome).to_numpy()
    counted = ~np.isnan(progression["standardised"].sel(outcome=outcome).to_numpy())
    if not factor:
        middle = float(np.nanmean(answer[counted])) if counted.any() else 0.0
        line = answer - middle
        return pd.DataFrame({"previous answer": line, "previous answer squared": line**2})
    levels = merged_levels(answer[counted])
    return pd.DataFrame(
        {
            "previous answer " + "/".join(f"{value:g}" for value in level): np.isin(answer, level)
            for level in levels[1:]
        },
        index=range(len(answer)),
        dtype="float64",
    )


def _standing(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Mean answer of each respondent by response, in points from the questions' own means.

    A question that a citizen answered once has no change and does not count; a respondent without
    any answer counts as average.
    """
    codes = list(codebook.indicator_codes)
    one = progression.sel(outcome=codes).transpose("response", "outcome")
    start, baseline = one["previous"].to_numpy(), one["baseline"].to_numpy()
    row, column = np.nonzero((start >= 0) & ~np.isnan(baseline))
    answers = baseline + one["change"].to_numpy()
    answers[start[row, column], column] = baseline[row, column]
    frame = pd.DataFrame(answers, columns=codes)
    centred = frame - frame.mean()
    owners = pd.Series({code: codebook.respondent_of(code) for code in codes})
    means = centred.T.groupby(owners, sort=False).mean().T
    return means.fillna(0.0).add_prefix("mean previous answer, ")


def _at_start(progression: xr.Dataset, outcome: str, standing: pd.DataFrame) -> pd.DataFrame:
    start = progression["previous"].sel(outcome=outcome).to_numpy()
    chosen: pd.DataFrame = standing.iloc[np.maximum(start, 0)]
    return chosen.reset_index(drop=True)


def merged_levels(answers: Floats) -> list[list[float]]:
    """Return the levels that occur, the rare ones joined to their neighbour towards the middle.

    Parameters
    ----------
    answers
        Previous answers of the analysis sample.
    """
    values, counts = np.unique(answers, return_counts=True)
    levels = [[float(value)] for value in values]
    sizes = [int(count) for count in counts]
    middle = float(np.mean(answers)) if len(answers) else 0.0
    while len(levels) > 1 and min(sizes) < FEWEST:
        rare = int(np.argmin(sizes))
        inward = 1 if levels[rare][0] < middle else -1
        other = rare + inward if 0 <= rare + inward < len(levels) else rare - inward
        low, high = min(rare, other), max(rare, other)
        levels[low : high + 1] = [levels[low] + levels[high]]
        sizes[low : high + 1] = [sizes[low] + sizes[high]]
    return levels


def _checked(covariates: pd.DataFrame, columns: Sequence[str] | None) -> pd.DataFrame:
    """Return the wanted columns as floats, indexed by citizen; refuse with all faults at once."""
    frame = covariates if "citizen" in covariates else covariates.reset_index()
    if "citizen" not in frame:
        raise DataError("the covariates have no column 'citizen'; add it, one row each")
    numeric = frame.drop(columns="citizen").select_dtypes(["number", "bool"]).columns
    wanted = list(columns) if columns is not None else [str(name) for name in numeric]
    absent = [name for name in wanted if name not in frame.columns]
    text = [name for name in wanted if name in frame.columns and name not in numeric]
    repeated = int(frame["citizen"].astype(str).duplicated().sum())
    usable = [name for name in wanted if name in numeric]
    infinite = [name for name in usable if np.isinf(frame[name].astype("float64")).any()]
    faults = [f"columns {absent} are missing; known: {list(numeric)}"] if absent else []
    faults += [f"columns {text} are not numeric; code them as numbers"] if text else []
    faults += [f"columns {infinite} hold infinite values"] if infinite else []
    faults += [f"{repeated} rows repeat an id; keep one row each"] if repeated else []
    faults += ["no column is left to adjust for"] if not wanted else []
    raise_all(DataError, "The covariates cannot be used:", faults)
    return frame.set_index(frame["citizen"].astype(str))[wanted].astype("float64")


def _by_response(progression: xr.Dataset, covariates: pd.DataFrame) -> pd.DataFrame:
    citizens = progression["citizen"].to_numpy().astype(str)
    return covariates.reindex(citizens).reset_index(drop=True)


def _count_missing(progression: xr.Dataset, wide: pd.DataFrame) -> dict[str, int]:
    """Citizens of the analysis sample without a value, by covariate."""
    counted = progression["standardised"].notnull().any("outcome").to_numpy()
    citizens = pd.Series(progression["citizen"].to_numpy()[counted])
    empty = wide[counted].isna().set_index(citizens).groupby(level=0).first()
    return {str(name): int(count) for name, count in empty.sum().items()}


def _imputed(wide: pd.DataFrame, counted: np.ndarray) -> pd.DataFrame:
    """Mean in place of what is missing, an indicator beside it; in standard deviations."""
    sample = wide[counted]
    scale = sample.std().where(lambda sd: sd > 0, 1.0).fillna(1.0)
    values = ((wide - sample.mean()) / scale).fillna(0.0)
    gaps = wide.isna().loc[:, sample.isna().any()].astype("float64").add_suffix(" missing")
    return pd.concat([values, gaps], axis=1)


def _centred(frame: pd.DataFrame, counted: np.ndarray) -> Floats:
    values = frame.to_numpy(dtype="float64")
    if not counted.any():
        return np.zeros_like(values)
    return np.where(counted[:, None], values - values[counted].mean(axis=0), 0.0)


Within = Literal["cell", "combination"]

# A regressor whose part within groups and apart from the others is a smaller share of its
# length than this counts as a copy of them.
COLLINEAR: Final = 1e-8


@dataclass(frozen=True)
class Slopes:
    """The regression of one outcome on regressors within groups.

    Attributes
    ----------
    coefficients
        Shape (regressor,); 0 for what is dropped as collinear.
    kept
        Which regressors were not collinear.
    within
        Kept regressors minus their group means, shape (row, kept).
    inverse
        Inverse of ``within' within``.
    group_means
        Means of the kept regressors, shape (group, kept).
    """

    coefficients: Floats
    kept: Booleans
    within: Floats
    inverse: Floats
    group_means: Floats


def within_slopes(values: Floats, regressors: Floats, *, group: Integers, size: int) -> Slopes:
    """Regress on regressors within groups.

    Parameters
    ----------
    values
        Shape (row,).
    regressors
        Shape (row, regressor), centred.
    group
        Group of each row, codes 0..size-1.
    size
        Number of groups.
    """
    n = group_sums(group, np.ones((len(group), 1)), size=size)
    means = group_sums(group, regressors, size=size) / np.maximum(n, 1)
    within = regressors - means[group]
    kept = independent_columns(within, np.linalg.norm(regressors, axis=0))
    within, means = within[:, kept], means[:, kept]
    inverse = np.linalg.inv(within.T @ within)
    coefficients = np.zeros(len(kept))
    coefficients[kept] = inverse @ (within.T @ values)
    return Slopes(coefficients, kept, within, inverse, means)


def independent_columns(columns: Floats, lengths: Floats) -> Booleans:
    """Say which columns are no linear combination of those before them.

    Parameters
    ----------
    columns
        Shape (row, column).
    lengths
        The yardstick for each column.
    """
    basis: list[Floats] = []
    kept = np.zeros(columns.shape[1], dtype=bool)
    for index, column in enumerate(columns.T):
        rest = column.copy()
        for _ in range(2):  # the second pass removes the rounding of the first
            for direction in basis:
                rest -= (direction @ rest) * direction
        length = float(np.linalg.norm(rest))
        kept[index] = length > COLLINEAR * max(float(lengths[index]), 1e-300)
        if kept[index]:
            basis.append(rest / length)
    return kept


def adjusted_progression(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    adjustment: Adjustment,
    within: Within = "combination",
) -> xr.Dataset:
    """Take what the regressors explain out of standardised progression.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        Gives combinations and outcomes.
    adjustment
        From `bipbayes.data.adjustment.make_adjustment` for this progression.
    within
        Slopes from differences within ``combination`` (means by combination are then the
        one-step OLS estimates) or within ``cell`` (combination x jobcenter). Within small cells
        the slopes of previous answers are biased, since a cell's mean holds a citizen's later
        changes, too (Nickell 1981).

    Returns
    -------
    xarray.Dataset
        The same with ``standardised`` adjusted: still in standard deviations of *unadjusted*
        progression, with the same mean 0 and the same gaps. ``slope_share[outcome]`` is the
        largest share that the slopes' error would add to the variance of a group mean.
        Attrs ``adjust`` and ``adjust_remark``.
    """
    sample = analysis_sample(progression, codebook)
    group = sample.cell if within == "cell" else sample.combination
    size = sample.cells if within == "cell" else len(sample.combinations)
    array = progression["standardised"].transpose("response", "outcome")
    standardised = array.to_numpy().copy()
    share = np.zeros(len(sample.outcomes))
    for position, outcome in enumerate(sample.outcomes):
        here = sample.observed[:, position]
        rows, groups = sample.rows[here], group[here]
        if not len(rows):
            continue
        values = sample.values[here, position]
        regressors = adjustment.values[outcome][rows]
        slopes = within_slopes(values, regressors, group=groups, size=size)
        column = array.get_index("outcome").get_loc(outcome)
        standardised[rows, column] = values - regressors @ slopes.coefficients
        share[position] = _slope_share(slopes, groups, size)
    return progression.assign(
        standardised=(array.dims, standardised),
        slope_share=("outcome", _in_order(share, sample.outcomes, progression)),
    ).assign_attrs(adjust=adjustment.label, **adjustment.remarks)


def _slope_share(slopes: Slopes, group: Integers, size: int) -> float:
    """Largest variance that slopes add to a group mean, relative to the mean's own (1 / n)."""
    n = np.bincount(group, minlength=size)
    added = np.einsum("gp,pq,gq->g", slopes.group_means, slopes.inverse, slopes.group_means)
    return float((added * n).max(initial=0.0))


def _in_order(share: Floats, outcomes: tuple[str, ...], progression: xr.Dataset) -> Floats:
    values = xr.DataArray(share, {"outcome": list(outcomes)}, dims="outcome")
    return np.asarray(values.reindex(outcome=progression["outcome"].to_numpy()).to_numpy())

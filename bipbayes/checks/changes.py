"""Posterior predictive check of raw changes: no change, extremes, spread.

What the hierarchy supposes of single changes is set against the changes themselves: as normal
numbers (``normal``), rounded to whole points (``rounded``), rounded and kept on the scale from
the given previous answer (``on_scale``), and as answers of the ordered probit (``ordinal``).

Changes that an analysis expects of single responses: replicated data sets of raw answers.

The hierarchy knows cell means only. What it supposes of the rows behind them is its working
covariance: a change is the cell's effect, plus what persists in the citizen with covariance C,
plus a real change with covariance D, plus the noise N of the answer that ends it minus that of
the answer from which it starts. These rows are normal numbers, while answers are whole points of
a scale; the ordered probit (`bipbayes.ordinal`) draws answers instead.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bipbayes.cells import CELL
from bipbayes.checks.figure import finish, label_rows, stagger
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result, thinned
from bipbayes.checks.table import GROUP, WORDS, Columns
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers, analysis_sample
from bipbayes.errors import FitError
from bipbayes.estimands.intervals import limits
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.option_words import ORDINAL
from bipbayes.ordinal.estimates import fit_indicators
from bipbayes.plots.style import (
    GREY,
    OLS_COLOUR,
    POSTERIOR_COLOUR,
    across,
    decimal_axis,
    figure_style,
    is_narrow,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.sampling.labels import pooled
from bipbayes.wording import Context, capital, outcome_label, phrase, respondent_word

_NARROW_LEGEND: Final = 0.55  # inches, of a legend with a line an entry
_UNDER_TITLE: Final = 0.5  # inches
COLUMNS: Final[Columns] = {
    "group": GROUP,
    "statistic": WORDS,
    "observed": 3,
    "normal": 3,
    "rounded": 3,
    "on_scale": 3,
    "ordinal": 3,
}
NORMAL = "normal"
ROUNDED = "rounded"
ON_SCALE = "on_scale"
NO_CHANGE: Final = "no_change"
SPREAD: Final = "sd"
FORMS: Final = (NORMAL, ROUNDED, ON_SCALE, ORDINAL)
SMALLEST_EXTREME: Final = 2
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    NORMAL: {"marker": "s", "color": GREY, "markerfacecolor": "none"},
    ROUNDED: {"marker": "^", "color": OLS_COLOUR, "markerfacecolor": "none"},
    ON_SCALE: {"marker": "v", "color": OLS_COLOUR},
    ORDINAL: {"marker": "o", "color": POSTERIOR_COLOUR},
}
_ROW: Final = 0.23
REPLICATED = 200  # data sets of raw changes


@dataclass(frozen=True)
class Rows:
    """The analysed changes of the indicators, row by row.

    Attributes
    ----------
    change, baseline
        Scale points, shape (row, indicator); ``NaN`` without a change.
    observed
        Where there is one.
    start
        Position along ``response`` of the answer from which it starts.
    response
        Position of the row itself.
    combination, jobcenter, citizen
        Positions of its cell and of its citizen.
    responses
        Number of responses, analysed or not.
    sd, mean
        Of progression, by indicator, in scale points.
    """

    change: Floats
    baseline: Floats
    observed: Booleans
    start: Integers
    response: Integers
    combination: Integers
    jobcenter: Integers
    citizen: Integers
    responses: int
    sd: Floats
    mean: Floats


def indicator_rows(progression: xr.Dataset, codebook: Codebook) -> Rows:
    """Take the analysed changes of the indicators out of progression."""
    sample = analysis_sample(progression, codebook)
    codes = list(codebook.indicator_codes)
    chosen = progression.sel(outcome=codes).transpose("response", "outcome", ...)
    observed = sample.observed[:, : len(codes)]
    return Rows(
        change=np.where(observed, chosen["change"].to_numpy()[sample.rows], np.nan),
        baseline=np.where(observed, chosen["baseline"].to_numpy()[sample.rows], np.nan),
        observed=observed,
        start=np.maximum(chosen["previous"].to_numpy()[sample.rows], 0),
        response=sample.rows,
        combination=sample.combination,
        jobcenter=sample.jobcenter,
        citizen=sample.citizen,
        responses=progression.sizes["response"],
        sd=chosen["sd"].to_numpy(),
        mean=chosen["mean"].to_numpy(),
    )


def normal_changes(
    rows: Rows, cells: xr.Dataset, effects: xr.DataArray, *, seed: int = 0
) -> Iterator[Floats]:
    """Draw changes in scale points, one data set for each draw of effects.

    `rows`: from `indicator_rows`; `cells`: those that were fitted: C, N and D of their working
    covariance; `effects`: dims ``chain, draw, combination, jobcenter, indicator``; `seed`: of the
    errors. Yields: shape (row, indicator); ``NaN`` without a change.
    """
    rng = np.random.default_rng(seed)
    noise, change, person = (
        _root(cells[f"{name}_covariance"].fillna(0).transpose("indicator", "indicator_").to_numpy())
        for name in ("noise", "change", "persistent")
    )
    columns = np.arange(len(rows.sd))
    for effect in pooled(effects, *CELL):
        answer = rng.standard_normal((rows.responses, len(columns))) @ noise
        error = rng.standard_normal(rows.change.shape) @ change
        error += answer[rows.response] - answer[rows.start, columns]
        lasting = rng.standard_normal((int(rows.citizen.max()) + 1, len(columns))) @ person
        error += lasting[rows.citizen]
        standardised = effect[rows.combination, rows.jobcenter] + error
        drawn = rows.mean + rows.sd * standardised
        yield np.where(rows.observed, drawn, np.nan)


def on_scale(rows: Rows, change: Floats, scale: tuple[int, int]) -> Floats:
    """Round changes to whole points and keep the answers that they lead to on the scale."""
    answer = np.clip(rows.baseline + np.round(change), *scale)
    return np.asarray(answer - rows.baseline)


def ordinal_changes(
    progression: xr.Dataset, codebook: Codebook, rows: Rows, *, draws: int, seed: int = 0
) -> Iterator[Floats]:
    """Draw answers given previous answers by the fitted ordered probits, as changes.

    Estimates count as known. Answers of one response are correlated as the changes are (a
    normal copula with their within-cell correlation), which leaves each answer's distribution
    as it is.

    `progression`, `codebook`: as for `bipbayes.ordinal.estimates.estimate_ordinal`; `rows`: from
    `indicator_rows`; `draws`: number of data sets; `seed`: of the answers. Yields: shape (row,
    indicator), scale points; ``NaN`` where there is no change or no probit.
    """
    rng = np.random.default_rng(seed)
    sample = analysis_sample(progression, codebook)
    fits = fit_indicators(progression, codebook, sample=sample)
    codes = list(codebook.indicator_codes)
    root = _root(_correlation(rows))
    for _ in range(draws):
        latent = rng.standard_normal(rows.change.shape) @ root
        drawn = np.full(rows.change.shape, np.nan)
        for code, fit in fits.items():
            column, given = codes.index(code), fit.answers
            location = fit.probit.level_effect[given.level] + fit.effect[given.combination]
            value = location + latent[given.rows, column]
            category = np.searchsorted(fit.probit.thresholds, value)
            drawn[given.rows, column] = given.categories[category]
        yield drawn - rows.baseline


def _correlation(rows: Rows) -> Floats:
    """Correlation of the changes of one response, positive definite."""
    centred = (rows.change - rows.mean) / rows.sd
    filled = np.where(rows.observed, centred, 0.0)
    joint = rows.observed.astype("float64")
    covariance = filled.T @ filled / np.maximum(joint.T @ joint, 1.0)
    values, vectors = np.linalg.eigh(covariance)
    repaired = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return np.asarray(repaired / np.outer(scale, scale))


def _root(covariance: Floats) -> Floats:
    """Symmetric root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


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

    `progression`, `codebook`: the study's; `cells`: those that were fitted; `effects`: posterior
    draws, dims ``chain, draw, combination, jobcenter, indicator``; each gives one replicated data
    set (some hundred are enough); `level`: of the predictive intervals; `seed`: of the replicated
    data.

    Returns: ``group`` (indicator, respondent or ``all_indicators``), ``group_kind`` (``indicator``,
    ``respondent``, ``all``), ``n`` (changes), ``statistic`` (``no_change``, ``at_least_2`` ...,
    ``sd`` in scale points), ``observed``, ``form`` (see the module), ``expected``, ``lower``,
    ``upper`` (of replicated data) and ``p_below`` (share of replicated data below the observed;
    near 0 or 1: not what the form expects).
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
    lower, upper = limits(values, level=level)
    # Ties count half: shares of whole numbers may agree exactly.
    below = (values < observed).mean(axis=0) + 0.5 * (values == observed).mean(axis=0)
    return {
        "expected": values.mean(axis=0).ravel(),
        "lower": lower.ravel(),
        "upper": upper.ravel(),
        "p_below": below.ravel(),
    }


def changes_figure(
    frame: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
    page: Page = WHOLE,
) -> Figure:
    """Draw one panel a statistic, one row an indicator, respondent and all."""
    language = context.language
    groups, names = list(dict.fromkeys(frame["group"])), list(dict.fromkeys(frame["statistic"]))
    names = names[page.rows]
    labels = [_label(group, context) for group in groups]
    with figure_style():
        size = (across(2.4 + 1.75 * len(names)), 2.4 + _ROW * len(groups))
        figure = Figure(figsize=size)
        grid = figure.subplots(1, len(names), squeeze=False)[0]
        for place, (axes, name) in enumerate(zip(grid, names, strict=True)):
            label_rows(axes, labels, named=place == 0)
            _panel(axes, frame[frame["statistic"] == name], groups)
            axes.set_title(_title(name, language), loc="left")
            axes.set_xlabel(
                phrase("check_axis_points" if name == SPREAD else "check_axis_share", language)
            )
            axes.locator_params(axis="x", nbins=4)
            decimal_axis(axes, "x", language=language)
        below = is_narrow() or page.of > 1
        forms = [form for form in FORMS if form in set(frame["form"])]
        _legend(figure, forms, language, below=below)
        finish(
            figure, "changes_figure", context, values=values, left=2.25,
            top=0.85 + (_NARROW_LEGEND if below else 0.0), gap=0.12,
        )  # fmt: skip
    return figure


def _panel(axes: Axes, frame: pd.DataFrame, groups: list[str]) -> None:
    shifts = stagger(len(FORMS), 0.8)
    for shift, form in zip(shifts, FORMS, strict=True):
        rows = frame[frame["form"] == form].set_index("group").reindex(groups)
        places = [row + shift for row in range(len(groups))]
        look = _LOOKS[form]
        axes.hlines(places, rows["lower"], rows["upper"], color=look["color"], linewidth=1.1)
        axes.plot(rows["expected"], places, linestyle="", markersize=2.6, **look)
    observed = frame.drop_duplicates("group").set_index("group")["observed"].reindex(groups)
    for row, value in enumerate(observed):
        axes.vlines(value, row - 0.45, row + 0.45, color="black", linewidth=1.6)
    if frame["statistic"].iloc[0] != SPREAD:
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))


def _legend(figure: Figure, forms: list[str], language: str, *, below: bool) -> None:
    look: dict[str, Any] = {"marker": "|", "markersize": 7, "markeredgewidth": 1.6}
    told = phrase("check_column_observed", language)
    handles = [Line2D([], [], color="black", linestyle="", label=told, **look)]
    handles += [
        Line2D(
            [], [], linestyle="", markersize=4, label=phrase(f"check_column_{form}", language),
            **_LOOKS[form],
        )
        for form in forms
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="upper right", ncols=1 if below else len(handles),
        columnspacing=1.2, handletextpad=0.2,
        bbox_to_anchor=(1.0, 1.0 - _UNDER_TITLE / figure.get_size_inches()[1])
        if below else None,
    )  # fmt: skip


def _title(name: str, language: str) -> str:
    if name in (NO_CHANGE, SPREAD):
        return capital(phrase(f"check_short_{name}", language))
    return phrase("check_short_at_least", language, points=name.rsplit("_", 1)[1])


def _label(group: str, context: Context) -> str:
    codebook, language = context.codebook, context.language
    if group in codebook.outcomes or group == ALL_INDICATORS:
        return outcome_label(codebook, group, language=language)
    return capital(respondent_word(group, language=language))


def check_changes(inputs: CheckInputs) -> CheckResult:
    """Hold raw changes against replicated ones."""
    frame = change_check(
        inputs.progression,
        inputs.codebook,
        cells=inputs.cells,
        effects=thinned(inputs.some_effects, REPLICATED),
        level=inputs.settings.level,
        seed=inputs.seed("changes"),
    )
    keys = ["group", "group_kind", "statistic", "observed"]
    wide = frame.pivot_table(index=keys, columns="form", values="expected", sort=False)
    wide = wide.reindex(columns=["normal", "rounded", "on_scale", "ordinal"]).reset_index()
    shown = wide[wide["group_kind"] != "indicator"]
    panels, rows = frame["statistic"].nunique(), frame["group"].nunique()
    found = result(inputs, "changes", COLUMNS, shown, raw=frame, drawn={"frame": frame})
    return found.divided(panels, column=max(2.5, 0.1 * rows), page=1.6)


CHECK: Final = Check(check_changes, needs_responses=True)

"""Which figures a run has: their names, what draws them and the small inputs that each needs.

What draws them is named by text, and neither matplotlib nor ArviZ is imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import pandas as pd
import xarray as xr

from bipbayes.audit.evidence import POSTERIOR
from bipbayes.audit.verdicts import VERDICT
from bipbayes.data.codebook import Codebook
from bipbayes.intervals import ALL_INDICATORS, FREQUENTIST, join_frames, of_analysis
from bipbayes.option_words import BASELINE, ORDINAL
from bipbayes.plots.forest_rows import factorial_data, forest_data, inner_limits, jobcenter_data
from bipbayes.plots.selection import paired_effects, select
from bipbayes.plots.task import (
    ANALYSIS_ROOM,
    ANALYSIS_STEP,
    BESIDE_CELLS,
    BESIDE_INTERVALS,
    COLUMN,
    PANEL_HEIGHT,
    PANEL_OF_ARROWS,
    PANELS_A_ROW,
    ROW_HEIGHT,
    SIZES,
    SMALLEST_COLUMN,
    TWO_INTERVALS,
    WHOLE,
    WIDE,
    WIDEST_ARROWS,
    FigureTask,
    Page,
    arrow_band,
    pages_across,
)
from bipbayes.wording import Context, capital, outcome_label, phrase

if TYPE_CHECKING:
    from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
    from bipbayes.describe.description import Description

_LETTERS: Final = 22  # of a line beside a picture in a column
_FEW_OUTCOMES: Final = 2
FOREST: Final = "bipbayes.plots.forest:forest_figure"
MOST_BESIDE: Final = 5  # models in one figure: as many as looks that can be told apart
DODGED: Final = "bipbayes.plots.forest:dodged_figure"


def forest_form(*, dodged: bool, size: str | None) -> str:
    """Return what draws forests: two panels do not stand side by side in a column."""
    return DODGED if dodged or size == COLUMN else FOREST


_SAMPLER: Final = "bipbayes.plots.sampler"
IN_MAIN_JOB: Final[Mapping[str, bool]] = {
    "intervals": True,
    "residual_correlation": False,
    "heatmap": True,
    "shrinkage": True,
    "forest_of_averages": True,
    "forest_of_others": False,
    "factorial": True,
    "jobcenters": False,
    "new_jobcenter": True,
    "sampler": True,
    "analyses_of_all_indicators": True,
    "analyses_of_others": False,
}
"""Kinds of figures, and whether the main job draws them; ``compare --all`` draws all."""


@dataclass(frozen=True)
class FigureInputs:
    """What a run has to draw.

    Attributes
    ----------
    context
        Codebook, language, and what captions must say.
    intervals
        Long frame: OLS rows, and posterior rows once there are any.
    model
        Posterior model to draw; ``""`` where `intervals` holds one at most.
    vcov
        OLS errors to draw.
    draws
        Draws by estimand (``effect``, ``contrast``), dims ``chain``, ``draw``, ``outcome``,
        ``combination``: only for the thick lines of the forests.
    residual_covariance
        Of the cells, dims ``indicator``, ``indicator_``.
    hyperparameters
        Draws of the standard deviations, dims ``chain``, ``draw`` and possibly labels.
    energy
        Of the sampler, dims ``chain``, ``draw``.
    forest
        What draws forests: `FOREST` in two panels, `DODGED` in one.
    by_size
        Combinations in a forest stand by their posterior means, not in codebook order.
    """

    context: Context
    intervals: pd.DataFrame
    model: str = ""
    vcov: str = "classical"
    draws: Mapping[str, xr.DataArray] = field(default_factory=dict)
    residual_covariance: xr.DataArray | None = None
    hyperparameters: xr.Dataset | None = None
    energy: xr.DataArray | None = None
    forest: str = FOREST
    by_size: bool = False

    def __post_init__(self) -> None:
        """Keep the rows of the analysis and of the model drawn."""
        rows = of_analysis(self.intervals, self.context.analysis)
        if self.model:
            rows = rows[rows["source"].isin(FREQUENTIST) | (rows["model"] == self.model)]
        object.__setattr__(self, "intervals", rows)


def early_tasks(
    inputs: FigureInputs,
    *,
    outcomes: Sequence[str] | None = None,
    quick: bool = False,
    everything: bool = True,
) -> list[FigureTask]:
    """Return the figures that need no posterior, to be drawn while the model compiles.

    Parameters
    ----------
    inputs
        OLS rows and, for the correlations, the cells' covariance.
    outcomes
        Which to draw; None is all of the codebook.
    quick
        True keeps the figures that the page shows (`on_page`), where no outcomes are asked for.
    everything
        False leaves out what `IN_MAIN_JOB` does.
    """
    context = inputs.context
    names = _estimated(inputs, chosen_outcomes(context, outcomes, few=quick))
    tasks = [interval_task(inputs, outcome) for outcome in names]
    if _drawn("residual_correlation", everything) and inputs.residual_covariance is not None:
        arguments = {"covariance": inputs.residual_covariance, "context": context}
        task = FigureTask("residual_correlation", "bipbayes.plots.correlation:draw", arguments)
        tasks.append(task)
    return _named(tasks, context, quick=quick and outcomes is None)


def interval_task(inputs: FigureInputs, outcome: str, estimand: str = "effect") -> FigureTask:
    """Return the report's form of an outcome: OLS by itself, combinations along the x axis."""
    asked = {"estimand": estimand, "vcov": inputs.vcov, "outcome": outcome}
    rows = select(inputs.intervals, source="ols", **asked)
    arguments = {"frame": rows, "context": inputs.context, **asked}
    function = "bipbayes.plots.interval_figure:draw"
    parts = {COLUMN: _across_a_column([WHOLE], inputs.context, BESIDE_INTERVALS)}
    return FigureTask(f"intervals_{outcome}", function, arguments, parts=parts)


def _across_a_column(found: Sequence[Page], context: Context, besides: float) -> list[Page]:
    """Divide combinations side by side among pages of a journal's column."""
    room = SIZES[COLUMN][0] - besides
    return pages_across(found, len(context.codebook.combinations), SMALLEST_COLUMN, room=room)


def posterior_tasks(
    inputs: FigureInputs,
    *,
    outcomes: Sequence[str] | None = None,
    quick: bool = False,
    contrasts: bool = False,
    everything: bool = True,
) -> list[FigureTask]:
    """Return the figures that show the posterior, the slowest first.

    Parameters
    ----------
    inputs
        OLS and posterior rows; what else is missing leaves its figures out.
    outcomes
        Outcomes to draw forests of; None is all of the codebook and ``all_indicators``.
    quick
        True keeps the figures that the page shows (`on_page`), where no outcomes are asked for.
    contrasts
        True adds a forest of the contrasts for every outcome.
    everything
        False leaves out what `IN_MAIN_JOB` does, but for `outcomes` that are asked for.
    """
    tasks = _overviews(inputs)
    few = quick or not _drawn("forest_of_others", everything)
    names = _estimated(inputs, chosen_outcomes(inputs.context, outcomes, few=few))
    if outcomes is None:
        names = [ALL_INDICATORS, *names]
    for estimand in ("effect", "contrast")[: 2 if contrasts else 1]:
        tasks += [task for name in names for task in forest_tasks(inputs, name, estimand)]
    tasks += _factorial(inputs, outcomes) + _new_jobcenter(inputs)
    if _drawn("jobcenters", everything):
        tasks += _jobcenters(inputs)
    return _named(tasks + _sampler(inputs), inputs.context, quick=quick and outcomes is None)


def _drawn(kind: str, everything: bool) -> bool:
    return everything or IN_MAIN_JOB[kind]


def _named(tasks: list[FigureTask], context: Context, *, quick: bool) -> list[FigureTask]:
    """Give figures of another analysis names of their own: ``forest_B1_baseline``."""
    if quick:
        tasks = [task for task in tasks if task.name in on_page(context.codebook)]
    if not context.analysis:
        return tasks
    return [replace(task, name=f"{task.name}_{context.analysis}") for task in tasks]


def _estimated(inputs: FigureInputs, outcomes: Sequence[str]) -> list[str]:
    """Leave out outcomes of which nothing is estimated, since their changes are all alike."""
    rows = inputs.intervals
    there = set(rows.loc[rows["estimate"].notna(), "outcome"])
    return [outcome for outcome in outcomes if outcome in there]


def chosen_outcomes(context: Context, outcomes: Sequence[str] | None, *, few: bool) -> list[str]:
    """Return the outcomes to draw, in codebook order; `few` are averages, or the first ones."""
    codebook = context.codebook
    if outcomes is not None:
        return [name for name in codebook.outcomes if name in set(outcomes)]
    if few:
        return list(codebook.average_codes or codebook.outcomes)[:_FEW_OUTCOMES]
    return list(codebook.outcomes)


def on_page(codebook: Codebook) -> tuple[str, ...]:
    """Return the names of the figures that the page shows, in its order."""
    few = list(codebook.average_codes or codebook.outcomes)[:_FEW_OUTCOMES]
    return (
        *("heatmap_effect", "shrinkage", "claims", f"factorial_{ALL_INDICATORS}"),
        *(f"forest_{outcome}" for outcome in few),
        *("new_jobcenter", f"analyses_{ALL_INDICATORS}"),
        *("combinations", "persistence", "progression_on_weeks"),
    )


def forest_tasks(inputs: FigureInputs, outcome: str, estimand: str = "effect") -> list[FigureTask]:
    """Return the forest of an outcome's combinations, a task a page."""
    context, language = inputs.context, inputs.context.language
    draws = inputs.draws.get(estimand)
    known = draws is not None and outcome in draws["outcome"].to_numpy()
    inner = inner_limits(draws.sel(outcome=outcome)) if known and draws is not None else None
    rows = forest_data(
        inputs.intervals,
        context,
        outcome=outcome,
        estimand=estimand,
        vcov=inputs.vcov,
        inner=inner,
    )
    title = outcome_label(context.codebook, outcome, language=language)
    rows = rows.by_size() if inputs.by_size else rows
    name = f"forest_{outcome}"
    if estimand != "effect":
        title = f"{title}: {phrase(estimand, language)}"
        name = f"forest_{estimand}_{outcome}"
    arguments = {"rows": rows, "context": context, "title": title, "outcome": outcome}
    return FigureTask(name, inputs.forest, arguments).on_pages(len(rows.frame))


def _overviews(inputs: FigureInputs) -> list[FigureTask]:
    tasks = []
    for estimand in ("effect", "contrast"):
        if select(inputs.intervals, source="posterior", estimand=estimand).empty:
            continue
        tasks += heatmap_tasks(inputs, estimand)
        # The arrows' words speak of OLS.
        ols = select(inputs.intervals, source="ols", estimand=estimand, vcov=inputs.vcov)
        if estimand == "effect" and not ols.empty and inputs.context.analysis != ORDINAL:
            arguments = {name: tasks[0].arguments[name] for name in ("frame", "context", "vcov")}
            tasks += _arrows(inputs, arguments)
    return tasks


def _arrows(inputs: FigureInputs, arguments: Mapping[str, object]) -> list[FigureTask]:
    """Return the figure of arrows, a task a page of panels below one another; none without one."""
    codes = inputs.context.codebook.indicator_codes
    band = arrow_band(len(codes))
    arrows = paired_effects(inputs.intervals, codes, vcov=inputs.vcov)
    if arrows.empty:
        return []

    def height(room: float, each: float) -> float:
        return PANEL_OF_ARROWS / max(1, int(room / each))

    task = FigureTask("shrinkage", "bipbayes.plots.shrinkage:draw", arguments)
    count, across = arrows["combination"].nunique(), SIZES["page"][0] - 1.0
    return task.on_pages(count, height(WIDEST_ARROWS, band), column=0.4, page=height(across, band))


def heatmap_tasks(inputs: FigureInputs, estimand: str = "effect") -> list[FigureTask]:
    """Return the heat map of all outcomes, by what sources there are, a task a page."""
    context, vcov = inputs.context, inputs.vcov
    ols = select(inputs.intervals, source="ols", estimand=estimand, vcov=vcov)
    posterior = select(inputs.intervals, source="posterior", estimand=estimand)
    rows = join_frames([ols, posterior])
    arguments = {"frame": rows, "context": context, "vcov": vcov, "estimand": estimand}
    task = FigureTask(f"heatmap_{estimand}", "bipbayes.plots.heatmap:draw", arguments)
    panels = rows["source"].nunique()  # below one another where they are wide, and in print
    stacked = panels if len(context.codebook.combinations) >= WIDE else 1
    printed = {"column": panels * _column_row(context), "page": panels * ROW_HEIGHT}
    tasks = task.on_pages(len(context.codebook.outcomes), stacked * ROW_HEIGHT, **printed)
    narrow = _across_a_column(tasks[0].parts[COLUMN], context, BESIDE_CELLS)
    return [replace(each, parts={**each.parts, COLUMN: narrow}) for each in tasks]


def _column_row(context: Context) -> float:
    """Return the inches of a row in a column, where labels of outcomes take lines."""
    codebook, language = context.codebook, context.language
    longest = max(len(outcome_label(codebook, o, language=language)) for o in codebook.outcomes)
    return 0.04 + 0.12 * -(-longest // _LETTERS)


def _factorial(inputs: FigureInputs, outcomes: Sequence[str] | None) -> list[FigureTask]:
    """Return forests of main effects and interactions: the averages, or what is asked for."""
    context, language = inputs.context, inputs.context.language
    rows = select(inputs.intervals, source="posterior", estimand="factorial")
    wanted = context.codebook.average_codes if outcomes is None else outcomes
    tasks = []
    for outcome in (ALL_INDICATORS, *wanted):
        if not (rows["outcome"] == outcome).any():
            continue
        label = outcome_label(context.codebook, outcome, language=language)
        forest = factorial_data(inputs.intervals, context, outcome=outcome, vcov=inputs.vcov)
        title = phrase("factorial_title", language, outcome=label)
        arguments = {"rows": forest, "context": context, "title": title}
        task = FigureTask(f"factorial_{outcome}", inputs.forest, arguments)
        tasks += task.on_pages(len(forest.frame))
    return tasks


def _new_jobcenter(inputs: FigureInputs) -> list[FigureTask]:
    """Return the figure of effects in these jobcenters and in one not seen."""
    rows = select(
        inputs.intervals,
        source="posterior",
        estimand=("effect", "new_jobcenter"),
        outcome=ALL_INDICATORS,
    )
    if not (rows["estimand"] == "new_jobcenter").any():
        return []
    arguments = {"frame": rows, "context": inputs.context, "outcome": ALL_INDICATORS}
    task = FigureTask("new_jobcenter", "bipbayes.plots.new_jobcenter:draw", arguments)
    return task.on_pages(len(inputs.context.codebook.combinations), TWO_INTERVALS)


def _jobcenters(inputs: FigureInputs) -> list[FigureTask]:
    """Return forests over jobcenters of no treatment and of the most frequent combination.

    Over all indicators, which OLS has not, and for the first indicator, beside OLS.
    """
    context = inputs.context
    rows = select(
        inputs.intervals, source="posterior", estimand="jobcenter", outcome=ALL_INDICATORS
    )
    treated = rows[rows["combination"] != context.codebook.no_treatment]
    if treated.empty:
        return []
    most = str(treated.groupby("combination")["n"].sum().idxmax())
    shown = (context.codebook.no_treatment, most)
    first = context.codebook.indicator_codes[0]
    tasks = [task for name in shown for task in jobcenter_tasks(inputs, combination=name)]
    if context.analysis == ORDINAL:
        return tasks  # there is no ordered probit by jobcenter to stand beside
    return tasks + jobcenter_tasks(inputs, combination=most, outcome=first)


def beside_tasks(
    rows: pd.DataFrame,
    context: Context,
    *,
    by: str,
    outcomes: Sequence[str],
    everything: bool = True,
) -> list[FigureTask]:
    """Return the figures of the same effects under several analyses, or by several models.

    Parameters
    ----------
    rows
        Of the long frame: one model's under all analyses, or one analysis' by all models.
    context
        Codebook, language, and what captions must say; of the plain analysis.
    by
        The column that differs: ``analysis`` or ``model``.
    outcomes
        Outcomes to draw beside ``all_indicators``.
    everything
        False leaves out what `IN_MAIN_JOB` does.
    """
    if not _drawn("analyses_of_others", everything):
        outcomes = ()
    return [
        task
        for outcome in (ALL_INDICATORS, *outcomes)
        for task in dodged_tasks(rows, context, by=by, outcome=outcome)
    ]


def dodged_tasks(
    rows: pd.DataFrame, context: Context, *, by: str, outcome: str
) -> list[FigureTask]:
    """Return the figure of one outcome under several analyses or by several models, by page."""
    here = select(rows, source="posterior", estimand="effect", outcome=outcome)
    arguments = {"frame": here, "context": context, "outcome": outcome, "by": by}
    kind = {"analysis": "analyses", "model": "models"}[by]
    task = FigureTask(f"{kind}_{outcome}", "bipbayes.plots.analyses:draw", arguments)
    height = ANALYSIS_ROOM + ANALYSIS_STEP * here[by].nunique()
    return task.on_pages(here["combination"].nunique(), height)


def jobcenter_tasks(
    inputs: FigureInputs, *, combination: str, outcome: str = ALL_INDICATORS
) -> list[FigureTask]:
    """Return the forest over jobcenters of one combination and outcome, a task a page."""
    context, language = inputs.context, inputs.context.language
    rows = jobcenter_data(
        inputs.intervals, context, combination=combination, outcome=outcome, vcov=inputs.vcov
    )
    label = f"{combination} {context.codebook.combination_label(combination, language)}"
    title = phrase(
        "jobcenters_title",
        language,
        label=capital(label),
        outcome=outcome_label(context.codebook, outcome, language=language).lower()
        if outcome == ALL_INDICATORS
        else outcome_label(context.codebook, outcome, language=language),
    )
    rows = rows.by_size() if inputs.by_size else rows
    name = f"jobcenters_{combination}_{outcome}"
    task = FigureTask(name, inputs.forest, {"rows": rows, "context": context, "title": title})
    return task.on_pages(int((~rows.frame["on_every_page"]).sum()))


def _sampler(inputs: FigureInputs) -> list[FigureTask]:
    tasks = []
    if inputs.hyperparameters is not None:
        arguments = {"draws": inputs.hyperparameters, "context": inputs.context}
        tasks.append(FigureTask("rank_hyperparameters", f"{_SAMPLER}:rank_figure", arguments))
    if inputs.energy is not None:
        arguments = {"energy": inputs.energy, "context": inputs.context}
        tasks.append(FigureTask("energy", f"{_SAMPLER}:energy_figure", arguments))
    return tasks


_TWO_LINES: Final = 0.3  # inches, of a row with a label in two lines
_CLAIM_PANEL: Final = 5.0  # inches, of a panel with its legend
MOST_COMBINATIONS: Final = 32
"""More combinations than this cannot be told apart in one picture."""


def describe_tasks(
    description: "Description",
    context: Context,
    *,
    characteristics: "CharacteristicsCodebook | None" = None,
    quick: bool = False,
) -> list[FigureTask]:
    """Return the descriptive figures that a description suffices for.

    Parameters
    ----------
    description
        What `bipbayes.describe.description.describe` returns.
    context
        Codebook, language and what captions must say.
    characteristics
        Names the rows of Tables 4 to 11; needed for the plot of differences.
    quick
        True leaves out histograms and differences.
    """
    codebook, histograms = context.codebook, description.histograms
    tasks = _weeks(description, context)
    if len(codebook.combinations) <= MOST_COMBINATIONS:
        tasks += _activities(description, context)
    if quick:
        return tasks
    for respondent in codebook.respondents:
        arguments = {"histograms": histograms, "context": context, "respondent": respondent}
        function = "bipbayes.plots.describe_histograms:page_figure"
        task = FigureTask(f"histograms_{respondent}", function, arguments)
        count = [codebook.respondent_of(c) for c in codebook.indicator_codes].count(respondent)
        tasks += task.on_pages(count, PANEL_HEIGHT / PANELS_A_ROW, column=PANEL_HEIGHT / 2)
    tasks += [
        FigureTask(
            f"histogram_{outcome}",
            "bipbayes.plots.describe_histograms:draw",
            {"histograms": histograms, "context": context, "outcome": outcome},
        )
        for outcome in codebook.average_codes
    ]
    if description.differences is not None and characteristics is not None:
        arguments = {
            "differences": description.differences,
            "characteristics": characteristics,
            "context": context,
        }
        task = FigureTask("characteristics", "bipbayes.plots.describe_differences:draw", arguments)
        known = len(characteristics.characteristics)
        tasks.append(task.for_print(known, column=_TWO_LINES, page=_TWO_LINES / 1.5))
    return tasks


def _weeks(description: "Description", context: Context) -> list[FigureTask]:
    arguments = {"slopes": description.slopes, "context": context}
    task = FigureTask("progression_on_weeks", "bipbayes.plots.describe_weeks:draw", arguments)
    return task.on_pages(len(context.codebook.outcomes), column=_column_row(context))


def _activities(description: "Description", context: Context) -> list[FigureTask]:
    combinations = {"combinations": description.combinations, "context": context}
    persistence = {
        "transitions": description.transitions,
        "persistence": description.persistence,
        "context": context,
    }
    return [
        FigureTask("combinations", "bipbayes.plots.describe_combinations:draw", combinations),
        FigureTask(
            "persistence", "bipbayes.plots.describe_persistence:persistence_figure", persistence
        ),
    ]


def claim_panels(audit: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the panels of the claims' figure: estimand, and by what a claim on it is read."""
    found = (
        ("effect", "classical"),
        ("effect", POSTERIOR),
        ("effect", BASELINE),
        ("contrast", POSTERIOR),
    )
    return [pair for pair in found if VERDICT.join(pair) in audit.columns]


def claims_task(audit: pd.DataFrame, context: Context, *, ending: str = "") -> FigureTask:
    """Return the figure of what becomes of the claims, in print a page a panel."""
    arguments = {"audit": audit, "context": context}
    task = FigureTask(f"claims{ending}", "bipbayes.plots.claims:claims_figure", arguments)
    return task.for_print(len(claim_panels(audit)), column=_CLAIM_PANEL, page=_CLAIM_PANEL)

"""One effect under every choice of analysis: the specification curve.

Choices: the rule for the previous answer, the working covariance, the model (closed forms, the
standard deviations integrated over), and OLS with each kind of standard error. The answer to
"what if you had ...": one row a choice.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from bipbayes.cells import CELL, VCOV, cell_means
from bipbayes.checks.figure import finish
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, figure_task
from bipbayes.checks.table import NAMED, PROBABILITY, TEXT, WORDS, Columns, Interval, check_table
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.sample import Floats
from bipbayes.data.study import Study
from bipbayes.errors import ModelError, SettingsError, raise_all
from bipbayes.estimands.draws import estimand_parts
from bipbayes.estimands.intervals import mixture_quantile, tails
from bipbayes.intervals import ALL_INDICATORS, OVERALL
from bipbayes.option_words import PREVIOUS, PreviousRule
from bipbayes.plots.captions import axis_phrase
from bipbayes.plots.style import (
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    across,
    bands,
    decimal_axis,
    figure_style,
    is_narrow,
)
from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.sampling.exact.posterior import normal_mixture
from bipbayes.sampling.labels import SAMPLE
from bipbayes.sampling.registry import ModelFile, load_model, model_names
from bipbayes.wording import Context, capital, combination_text, outcome_label, percent, phrase

COLUMNS: Final[Columns] = {
    "source": NAMED,
    "model": TEXT,
    "vcov": NAMED,
    "previous": WORDS,
    "estimate": 3,
    "interval": Interval(),
    "p_positive": PROBABILITY,
}
POINTS: Final = 64
CURVE: Final = (
    "source", "model", "vcov", "previous", "estimate", "se", "lower", "upper", "level", "kind",
    "p_positive",
)  # fmt: skip
_LOOKS: Final = {
    "ols": (OLS_COLOUR, OLS_MARKER, "confidence"),
    "posterior": (POSTERIOR_COLOUR, POSTERIOR_MARKER, "eti"),
}
CHOICES: Final = ("model", "vcov", "previous")
_ORDER: Final = ("ols", "classical", "HC1", "HC3", "cluster_citizen", "cluster_jobcenter", *VCOV)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """The effect asked for: one row of the long frame without source."""

    estimand: str
    outcome: str
    combination: str


def specification_curve(
    study: Study,
    targets: Sequence[Target],
    *,
    models: Sequence[str] = (),
    vcov: Sequence[str] = VCOV,
    previous: Sequence[PreviousRule] = PREVIOUS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Estimate effects under every combination of choices.

    `study`: checked responses; `targets`: effects or contrasts (also ``standardised_...``) wanted;
    `models`: names or files of models that declare batches, with their default priors; empty is all
    of the package's; `vcov`, `previous`: working covariances and rules for the previous answer;
    `level`: of all intervals.

    Returns: ``estimand, outcome, combination``, then `CURVE`; posterior numbers come from closed
    forms, not from the sampler. OLS has no estimate over all indicators.

    Raises SettingsError: A model that declares no batches.
    """
    chosen = [load_model(name) for name in models or model_names()]
    if without := [each.name for each in chosen if each.batches is None]:
        raise SettingsError(f"{', '.join(without)} declare no batches: they have no closed forms")
    frames = []
    for rule in previous:
        changes = progression(study, previous=rule)
        frames.append(_ols(changes, study, targets, level=level).assign(previous=rule))
        weights = None  # the same whatever the errors
        for name in vcov:
            cells = cell_means(changes, study.codebook, vcov=name)
            weights = weights or _weights(cells, study, targets)
            for model in _fitting(chosen, cells, asked=bool(models)):
                rows = _posterior(cells, weights, targets, model=model, level=level)
                frames.append(rows.assign(vcov=name, model=model.name, previous=rule))
    first = ["estimand", "outcome", "combination"]
    frame = pd.concat(frames, ignore_index=True)[[*first, *CURVE]]
    return frame.sort_values([*first, "estimate"], kind="stable", ignore_index=True)


def _fitting(chosen: Sequence[ModelFile], cells: xr.Dataset, *, asked: bool) -> list[ModelFile]:
    """Leave out models that refuse a study of this shape, unless they were asked for by name."""
    kept = []
    for model in chosen:
        try:
            model.declared(cells)
        except ModelError:
            if asked:
                raise
            continue
        kept.append(model)
    return kept


def _ols(
    changes: xr.Dataset, study: Study, targets: Sequence[Target], *, level: float
) -> pd.DataFrame:
    estimates = estimate_ols(changes, study.codebook)
    frame = ols_intervals(estimates, study.codebook, level=level)
    wanted = pd.DataFrame([vars(target) for target in targets])
    return wanted.merge(frame, on=list(wanted.columns)).assign(p_positive=np.nan)


def _posterior(
    cells: xr.Dataset,
    weights: tuple[Floats, Floats],
    targets: Sequence[Target],
    *,
    model: ModelFile,
    level: float,
) -> pd.DataFrame:
    wanted, shift = weights
    means, sds, weight = normal_mixture(cells, model.declared(cells), wanted, points=POINTS)
    means = means + shift
    estimate = weight @ means
    lower, upper = (mixture_quantile(means, sds, weight, tail) for tail in tails(level))
    return pd.DataFrame([vars(target) for target in targets]).assign(
        source="posterior",
        estimate=estimate,
        se=np.sqrt(weight @ (sds**2 + (means - estimate) ** 2)),
        lower=lower,
        upper=upper,
        level=level,
        kind="eti",
        p_positive=weight @ stats.norm.cdf(means / sds),
    )


def _weights(cells: xr.Dataset, study: Study, targets: Sequence[Target]) -> tuple[Floats, Floats]:
    """Weights of the cells in each target and its shift, read off the estimands themselves.

    Estimands are linear in the effects: unit effects in place of draws give the weights.
    """
    shape = [cells.sizes[dim] for dim in CELL]
    size = int(np.prod(shape))
    units = np.concatenate([np.zeros((1, size)), np.eye(size)]).reshape(1, size + 1, *shape)
    coords: dict[str, Any] = {"chain": [0], "draw": np.arange(size + 1)}
    coords |= {dim: cells[dim].to_numpy() for dim in CELL}
    array = xr.DataArray(units, coords=coords, dims=(*SAMPLE, *CELL))
    names, draws = {target.estimand for target in targets}, {}
    for name, part in estimand_parts(array, cells, study.codebook):
        draws[name] = part
        if names <= {*draws}:
            break
    rows = [
        draws[target.estimand]
        .sel(outcome=target.outcome, combination=target.combination)
        .isel(chain=0)
        .to_numpy()
        for target in targets
    ]
    table = np.stack(rows)
    return table[:, 1:] - table[:, :1], table[:, 0]


def specification_matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """List which choices each row of a specification curve made.

    `frame`: rows of `bipbayes.checks.specification.specification_curve` of one effect. Returns:
    ``choice`` (model, vcov, previous), ``option``, ``line`` (from the top), ``place`` (the row's
    place on the x axis).
    """
    ordered = frame.sort_values("estimate", kind="stable").reset_index(drop=True)
    model = ordered["model"].where(ordered["source"] != "ols", "ols")
    told = ordered.assign(model=model)
    rows: list[dict[str, object]] = []
    line = 0
    for choice in CHOICES:
        known = [name for name in _ORDER if name in set(told[choice])]
        for option in dict.fromkeys([*known, *told[choice].sort_values()]):
            places = np.flatnonzero(told[choice] == option)
            rows += [
                {"choice": choice, "option": option, "line": line, "place": int(place)}
                for place in places
            ]
            line += 1
    return pd.DataFrame(rows)


def specification_figure(
    frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the curve of one effect."""
    language = context.language
    matrix = specification_matrix(frame)
    lines = int(matrix["line"].max()) + 1
    with figure_style():
        width = max(6.4, 2.9 + 0.16 * len(frame))
        high, line = (3.4, 0.25) if is_narrow() else (4.2, 0.17)
        figure = Figure(figsize=(across(width), high + line * lines))
        top, under = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [high - 1.8, line * lines]}
        )
        _intervals(top, frame, context)
        _choices(under, matrix, language)
        finish(
            figure, "specification_figure", context, values=values, letters=True,
            left=2.55, right=0.25, bottom=0.1, top=0.9,
        )  # fmt: skip
        figure.subplots_adjust(hspace=0.04)
    return figure


def _intervals(axes: Axes, frame: pd.DataFrame, context: Context) -> None:
    language = context.language
    ordered = frame.sort_values("estimate", kind="stable").reset_index(drop=True)
    axes.axhline(0, color="black", linewidth=0.6)
    handles = []
    for source, (colour, marker, kind) in _LOOKS.items():
        rows = ordered[ordered["source"] == source]
        if rows.empty:
            continue
        axes.vlines(rows.index, rows["lower"], rows["upper"], color=colour, linewidth=1.2)
        axes.plot(rows.index, rows["estimate"], marker, color=colour, markersize=4)
        name = capital(phrase("ols" if source == "ols" else "posterior", language))
        told = phrase(kind, language, level=percent(float(rows["level"].iloc[0]), language))
        handles.append(
            Line2D([], [], color=colour, marker=marker, markersize=4, label=f"{name}: {told}")
        )
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0),
                ncols=1 if is_narrow() else 2)  # fmt: skip
    axes.set_ylabel(axis_phrase(context))
    axes.tick_params(axis="x", length=0, labelbottom=False)
    decimal_axis(axes, "y", language=language)


def _choices(axes: Axes, matrix: pd.DataFrame, language: str) -> None:
    options = matrix.drop_duplicates("line")
    bands(axes, range(len(options)))
    axes.plot(matrix["place"], matrix["line"], "s", color="black", markersize=3.6)
    labels = [
        _option(str(choice), str(option), language)
        for choice, option in zip(options["choice"], options["option"], strict=True)
    ]
    axes.set_yticks(range(len(labels)), labels)
    starts = options[options["choice"] != options["choice"].shift()]["line"].iloc[1:]
    for start in starts:
        axes.axhline(start - 0.5, color="black", linewidth=0.6)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)


def _option(choice: str, option: str, language: str) -> str:
    if choice == "previous":
        return capital(phrase(f"check_previous_{option}", language))
    if choice == "vcov":
        return capital(phrase(option, language))
    return phrase("ols", language) if option == "ols" else option


def check_specification(inputs: CheckInputs) -> CheckResult:
    """Estimate the effects asked for under every choice of analysis."""
    codebook, language = inputs.codebook, inputs.context.language
    targets = read_targets(inputs.asked.effects, codebook) or _usual_targets(inputs)
    targets = [target for target in targets if _large_enough(target, inputs)]
    if not targets:
        raise ModelError("no effect is left to show; give another --effect")
    curve = _curve(inputs, targets)
    tables, figures = [], []
    for target in targets:
        rows = curve[(curve[list(vars(target))] == pd.Series(vars(target))).all(axis=1)]
        rows = rows.reset_index(drop=True)
        name = f"_{target.outcome}_{target.combination}"
        name += "" if target.estimand == "effect" else f"_{target.estimand}"
        combination = combination_text(codebook, target.combination, language=language)
        values = {
            "outcome": outcome_label(codebook, target.outcome, language=language),
            "combination": combination.replace("  ", " "),
            "estimand": phrase(target.estimand, language),
            "level": percent(inputs.settings.level, language),
        }
        tables.append(
            check_table("specification", COLUMNS, rows, inputs.context, of=name, values=values)
        )
        figures.append(figure_task(inputs, "specification", {"frame": rows}, values, of=name))
    return CheckResult(tuple(tables), tuple(figures), {"rows": len(curve)})


def _curve(inputs: CheckInputs, targets: list[Target]) -> pd.DataFrame:
    models, level = inputs.asked.models, inputs.settings.level
    try:
        return specification_curve(inputs.run.whole, targets, models=models, level=level)
    except SettingsError as fault:
        raise ModelError(f"--model: {fault}") from fault


def _usual_targets(inputs: CheckInputs) -> list[Target]:
    """Averages (or the first outcome) under the most frequent treated combination."""
    codebook = inputs.codebook
    n = inputs.cells["n"].sum(("jobcenter", "indicator")).to_series()
    most = str(n.drop(codebook.no_treatment).idxmax())
    outcomes = codebook.average_codes or codebook.outcomes[:1]
    return [Target("effect", outcome, most) for outcome in outcomes]


def _large_enough(target: Target, inputs: CheckInputs) -> bool:
    rows = pd.DataFrame([vars(target)]).assign(estimate=0.0)
    kept = inputs.blanked(rows)["estimate"].notna().all()
    if not kept:
        logger.warning(
            inputs.codebook.say("--effect %s:%s rests on too few {citizens} to be shown"),
            target.outcome,
            target.combination,
        )
    return bool(kept)


def read_targets(texts: tuple[str, ...], codebook: Codebook) -> list[Target]:
    """Read ``OUTCOME:COMBINATION[:ESTIMAND]``; the estimand is ``effect`` if left out.

    Raises SettingsError: naming every part that the codebook does not know.
    """
    targets, faults = [], []
    for text in texts:
        parts = [*text.split(":"), "effect"]
        outcome, combination, estimand = (*parts, "", "")[:3]
        known = (
            (outcome, (*codebook.outcomes, ALL_INDICATORS)),
            (combination, codebook.combinations),
            (estimand, OVERALL),
        )
        faults += [
            f"--effect {text}: {part!r} is none of {', '.join(allowed)}"
            for part, allowed in known
            if part not in allowed
        ]
        targets.append(Target(estimand, outcome, combination))
    raise_all(SettingsError, "These options were refused:", faults)
    return targets


CHECK: Final = Check(check_specification, needs_fit=False, needs_responses=True)

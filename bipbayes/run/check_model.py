"""Checks of the model against its prior, the cell means and the raw changes."""

import logging

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.checks.calendar import calendar_shocks
from bipbayes.checks.changes import change_check
from bipbayes.checks.histogram import LIMIT, prior_histogram
from bipbayes.checks.lag import claimed_lag, lag_correlation
from bipbayes.checks.predictive import (
    cell_residuals,
    prior_effects,
    residual_summary,
)
from bipbayes.checks.prior import prior_draws
from bipbayes.checks.residuals import group_residuals, quantile_ribbon, size_groups
from bipbayes.errors import ModelError
from bipbayes.estimands.draws import estimand_draws
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.task import FigureTask
from bipbayes.run.check_inputs import CheckInputs, CheckResult, thinned
from bipbayes.sampling.predict import predicted_means
from bipbayes.sampling.registry import ModelFile
from bipbayes.tables.check_tables import check_table
from bipbayes.wording import number, percent, phrase

logger = logging.getLogger(__name__)

PRIOR_DRAWS = 500
REPLICATED = 200  # data sets of raw changes
_SHOCK = ("shock", "lower", "upper", "limit")
_CELL = ("combination", "jobcenter", "indicator")


def check_prior(inputs: CheckInputs) -> CheckResult:
    """Say what the priors of the fitted model, or of all models asked for, expect."""
    frames, figures, facts = [], [], {}
    for model_file in inputs.model_files((inputs.model,)):
        try:
            effects = prior_draws(
                model_file,
                inputs.cells,
                priors=inputs.priors_of(model_file),
                draws=PRIOR_DRAWS,
                seed=inputs.seed(f"prior/{model_file.name}"),
            )
        except ModelError as fault:
            logger.warning("%s", fault)
            continue
        frame, figure = _prior(inputs, model_file, effects)
        frames.append(frame)
        figures.append(figure)
        facts[model_file.name] = float(frame[f"inside_{LIMIT:g}"].iloc[0])
    if not frames:
        raise ModelError("no model with a prior that predicts anything; give another --model")
    table = check_table("prior", pd.concat(frames, ignore_index=True), inputs.context)
    return CheckResult((table,), tuple(figures), {"inside": facts})


def check_cells(inputs: CheckInputs) -> CheckResult:
    """Hold every cell mean against its posterior prediction."""
    predicted = _predicted(inputs)
    residuals = cell_residuals(inputs.cells, predicted)
    by_n = residuals.assign(group=size_groups(residuals["n"]))
    parts = [
        residual_summary(residuals).assign(by="all", group=""),
        _summary(residuals, "respondent"),
        residual_summary(by_n.sort_values("n"), by=["group"]).assign(by="n"),
        _summary(residuals, "indicator"),
    ]
    frame = pd.concat(parts, ignore_index=True)
    first = ["by", "group"]
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    values = {"model": inputs.model}
    figure = FigureTask(
        "check_cells",
        "bipbayes.plots.check_cells:cells_figure",
        {
            "residuals": residuals,
            "ribbon": quantile_ribbon(predicted),
            "context": inputs.context,
            "model": inputs.model,
        },
    )
    facts = {"spread": float(frame["spread"].iloc[0]), "cells": int(frame["cells"].iloc[0])}
    return CheckResult(
        (check_table("cells", frame, inputs.context, values=values),), (figure,), facts
    )


def check_residuals(inputs: CheckInputs) -> CheckResult:
    """Hold whole combinations, jobcenters and both against their posterior prediction."""
    predicted = _predicted(inputs)
    frames = []
    for by in (["combination"], ["jobcenter"], ["indicator"], ["combination", "jobcenter"]):
        rows = group_residuals(inputs.cells, predicted, by=by)
        frames.append(rows.assign(by=" ".join(by), group=rows[by[0]] if len(by) == 1 else ""))
    frame = pd.concat(frames, ignore_index=True)
    labels = ["by", "group", *_CELL]
    frame[list(_CELL)] = frame[list(_CELL)].fillna("")
    frame = frame[[*labels, *(name for name in frame.columns if name not in labels)]]
    mapped = frame[frame["by"] != "indicator"]
    figure = FigureTask(
        "check_residuals",
        "bipbayes.plots.check_residuals:residuals_figure",
        {"groups": mapped, "context": inputs.context, "model": inputs.model},
    )
    raw = frame if inputs.synthetic else _protected(frame, inputs)
    shown = raw[raw["by"].isin(["combination", "jobcenter"])]
    table = check_table("residuals", shown, inputs.context, raw=raw, values={"model": inputs.model})
    return CheckResult((table,), (figure,), {"largest": float(frame["residual"].abs().max())})


def check_lag(inputs: CheckInputs) -> CheckResult:
    """Hold the correlation of neighbouring changes against what the covariance claims."""
    codes, level = inputs.codebook.indicator_codes, inputs.settings.level
    seen = lag_correlation(inputs.progression, outcomes=codes, level=level, seed=inputs.seed("lag"))
    frame = seen.merge(claimed_lag(inputs.cells), on="outcome", how="left")
    vcov = str(inputs.cells.attrs["vcov"])
    language = inputs.context.language
    values = {"vcov": phrase(vcov, language), "level": percent(level, language)}
    figure = FigureTask(
        "check_lag",
        "bipbayes.plots.check_residuals:lag_figure",
        {"frame": frame, "context": inputs.context, "vcov": vcov, "level": level},
    )
    return CheckResult((check_table("lag", frame, inputs.context, values=values),), (figure,))


def check_calendar(inputs: CheckInputs) -> CheckResult:
    """Look for what changes of one jobcenter and quarter share beyond their cells' means."""
    level, language = inputs.settings.level, inputs.context.language
    frame = calendar_shocks(
        inputs.progression, inputs.codebook, level=level, seed=inputs.seed("calendar")
    )
    whole = frame.iloc[0]
    verdict = "found" if whole["p_value"] <= 1 - level else "none"
    told = {name: number(float(whole[name]), 2, language=language) for name in _SHOCK}
    values = {"level": percent(level, language), **told}
    said = phrase(f"check_calendar_{verdict}", language, **values)
    if verdict == "found":
        logger.warning("%s", phrase("check_calendar_found", "en", **values))
    values = {**values, "verdict": said}
    figure = FigureTask(
        "check_calendar",
        "bipbayes.plots.check_residuals:calendar_figure",
        {"frame": frame, "context": inputs.context, "values": values},
    )
    table = check_table("calendar", frame, inputs.context, values=values)
    facts = {name: float(whole[name]) for name in (*_SHOCK, "p_value")}
    return CheckResult((table,), (figure,), facts)


def check_changes(inputs: CheckInputs) -> CheckResult:
    """Hold raw changes against replicated ones."""
    level = inputs.settings.level
    frame = change_check(
        inputs.progression,
        inputs.codebook,
        cells=inputs.cells,
        effects=thinned(inputs.some_effects, REPLICATED),
        level=level,
        seed=inputs.seed("changes"),
    )
    keys = ["group", "group_kind", "statistic", "observed"]
    wide = frame.pivot_table(index=keys, columns="form", values="expected", sort=False)
    wide = wide.reindex(columns=["normal", "rounded", "on_scale", "ordinal"]).reset_index()
    shown = wide[wide["group_kind"] != "indicator"]
    table = check_table("changes", shown, inputs.context, raw=frame, values={"model": inputs.model})
    figure = FigureTask(
        "check_changes",
        "bipbayes.plots.check_changes:changes_figure",
        {"frame": frame, "context": inputs.context, "model": inputs.model, "level": level},
    )
    return CheckResult((table,), (figure,))


def _predicted(inputs: CheckInputs) -> xr.DataArray:
    return predicted_means(inputs.cells, inputs.some_effects, seed=inputs.seed("cells"))


def _summary(residuals: pd.DataFrame, column: str) -> pd.DataFrame:
    summary = residual_summary(residuals, by=[column]).assign(by=column)
    return summary.rename(columns={column: "group"})


def _prior(
    inputs: CheckInputs, model_file: ModelFile, effects: xr.DataArray
) -> tuple[pd.DataFrame, FigureTask]:
    cells, name = inputs.cells, model_file.name
    predicted = predicted_means(cells, effects, seed=inputs.seed("prior"))
    frame = pd.concat(
        [
            prior_effects(effects),
            prior_effects(predicted).iloc[[0]].assign(quantity="mean of a cell"),
        ],
        ignore_index=True,
    )
    values = {
        "effect": effects.to_numpy(),
        "predicted": predicted.to_numpy(),
        "observed": cells["mean"].to_numpy(),
    }
    figure = FigureTask(
        f"check_prior_{name}",
        "bipbayes.plots.check_prior:prior_figure",
        {
            "histogram": prior_histogram(values),
            "intervals": _by_combination(inputs, effects, name),
            "context": inputs.context,
            "model": name,
            "inside": float((np.abs(values["effect"]) <= LIMIT).mean()),
            "level": inputs.settings.level,
        },
    )
    return frame.assign(model=name), figure


def _by_combination(inputs: CheckInputs, effects: xr.DataArray, model: str) -> pd.DataFrame:
    """Prior and, for the fitted model, posterior intervals over all indicators."""
    tail = (1 - inputs.settings.level) / 2
    prior = estimand_draws(effects, inputs.cells, inputs.codebook)["effect"]
    low, high = _ends(prior, tail)
    frame = pd.DataFrame(
        {"combination": prior["combination"], "prior_lower": low, "prior_upper": high}
    )
    if model != inputs.model:
        return frame
    posterior = inputs.draws["effect"]
    low, high = _ends(posterior, tail)
    mean = posterior.sel(outcome=ALL_INDICATORS).mean(("chain", "draw")).to_numpy()
    return frame.assign(posterior_mean=mean, posterior_lower=low, posterior_upper=high)


def _ends(draws: xr.DataArray, tail: float) -> np.ndarray:
    chosen = draws.sel(outcome=ALL_INDICATORS)
    return np.asarray(chosen.quantile([tail, 1 - tail], ("chain", "draw")).to_numpy())


def _protected(frame: pd.DataFrame, inputs: CheckInputs) -> pd.DataFrame:
    """Leave out pairs and blank groups of few responses (data that are not synthetic)."""
    rows = frame[frame["by"] != "combination jobcenter"].copy()
    numbers = rows.select_dtypes("number").columns
    few = rows["n"] / inputs.cells.sizes["indicator"] < inputs.settings.minimum_count
    few &= rows["by"] != "indicator"
    combinations = rows[rows["by"] == "combination"]
    blank = inputs.blanked(combinations)["mean"].isna()
    few |= blank.reindex(rows.index, fill_value=False)
    rows[numbers] = rows[numbers].astype("float64").mask(few)
    return rows

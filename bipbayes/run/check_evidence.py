"""Checks of what the results rest on: hyperpriors, model, choices of the analysis."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from bipbayes.checks.engines import engine_differences, limit, worst_differences
from bipbayes.checks.leave_out import (
    CELLS,
    CLOSED_FORM,
    JOBCENTERS,
    PSIS,
    compare_left_out,
    leave_out,
    leave_out_draws,
    replaced,
)
from bipbayes.checks.power_scaling import (
    CONFLICT,
    THRESHOLD,
    WEAK,
    hyperprior_density,
    power_scaling,
)
from bipbayes.checks.specification import Target, specification_curve
from bipbayes.errors import ModelError, SettingsError
from bipbayes.estimands.effects import effect_draws
from bipbayes.plots.task import FigureTask
from bipbayes.run.check_inputs import CheckInputs, CheckResult, read_targets, thinned
from bipbayes.run.fits import engine_of, stored_fit
from bipbayes.run.posterior_stage import refit
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.registry import load_model, model_names
from bipbayes.sampling.settings import EXACT, NUTS
from bipbayes.tables.check_tables import check_table, group_label
from bipbayes.wording import Context, combination_text, number, outcome_label, percent, phrase

logger = logging.getLogger(__name__)

SCALED_DRAWS = 4000
LEFT_OUT_DRAWS = 4000
_NAMED = ("outcome", "combination")


def check_sensitivity(inputs: CheckInputs) -> CheckResult:
    """Measure how much every reported quantity depends on the hyperpriors."""
    frame = power_scaling(
        {name: thinned(array, SCALED_DRAWS) for name, array in inputs.draws.items()},
        thinned(inputs.effects, SCALED_DRAWS),
        inputs.cells,
        hyperprior=thinned(hyperprior_density(inputs.fit), SCALED_DRAWS),
    )
    values = {
        "model": inputs.model,
        "threshold": number(THRESHOLD, 2, language=inputs.context.language),
    }
    table = check_table("sensitivity", _flags(frame), inputs.context, raw=frame, values=values)
    figure = FigureTask(
        "check_sensitivity",
        "bipbayes.plots.check_sensitivity:sensitivity_figure",
        {"frame": frame, "context": inputs.context, "model": inputs.model},
    )
    flagged = int(frame["diagnosis"].ne("").sum())
    return CheckResult((table,), (figure,), {"quantities": len(frame), "flagged": flagged})


def check_engines(inputs: CheckInputs) -> CheckResult:
    """Fit the stored cells by both engines and hold every reported quantity against the other's."""
    model_file = load_model(inputs.fit_source)
    rows = {}
    for engine in (EXACT, NUTS):
        engine_of(model_file, engine)
        asked = replace(inputs.settings, engine=engine, seed=inputs.seed(engine) % 2**31)
        posterior = refit(inputs.fit, model_file, inputs.codebook, asked)
        for reason in posterior.verdict.reasons:
            logger.warning("engines: the fit by %s: %s", engine, reason)
        rows[engine] = posterior.intervals
    differences = engine_differences(rows[EXACT], rows[NUTS])
    frame = worst_differences(differences)
    for line in _said(frame, inputs.context):
        logger.info("engines: %s", line)
    most, allowed = float(differences["in_errors"].max()), limit(len(differences))
    if most > allowed:
        logger.warning(
            "engines: they disagree: a posterior mean differs by %.1f Monte Carlo errors, where "
            "chance reaches %.1f of %d quantities once in a thousand times",
            most, allowed, len(differences),
        )  # fmt: skip
    values = {"model": inputs.model}
    table = check_table("engines", frame, inputs.context, raw=differences, values=values)
    largest = frame.groupby("measure")["worst"].max()
    facts = {name: float(largest[name]) for name in ("in_errors", "in_sds")}
    return CheckResult((table,), (), {**facts, "limit": allowed, "agree": most <= allowed})


def _said(frame: pd.DataFrame, context: Context) -> Iterator[str]:
    """Say for each estimand what differs most, by every measure, and which quantity it is."""
    words = {"in_errors": "%.2f Monte Carlo errors", "in_sds": "%.3f sds", "sd_ratio": "sds 1:%.3f"}
    for estimand, rows in frame.groupby("estimand", sort=False):
        parts = []
        for row in rows.to_dict("records"):
            labels = [row["jobcenter"], *(group_label(row[k], context) for k in _NAMED)]
            name = ", ".join(label for label in labels if label)
            by = f"; {row['chance']:.1f} by chance" if row["measure"] == "in_errors" else ""
            parts.append(f"{words[row['measure']] % row['worst']} ({name}{by})")
        yield f"{estimand}, worst of {rows['quantities'].iloc[0]}: {'; '.join(parts)}"


def check_leave_out(inputs: CheckInputs) -> CheckResult:
    """Compare models by leaving out cells and jobcenters."""
    frames = []
    for unit in (CELLS, JOBCENTERS):
        predictions = _closed_forms(inputs, unit)
        if unit == CELLS:
            predictions |= _sampled(inputs, predictions)
        if not predictions:
            raise ModelError("none of the models has closed forms or a stored fit to compare")
        compared = compare_left_out({f"{m}\n{how}": p for (m, how), p in predictions.items()})
        names = compared["model"].str.split("\n", expand=True)
        swapped = {
            f"{model}\n{how}": int((prediction["method"] == CLOSED_FORM).sum())
            if how == PSIS
            else 0
            for (model, how), prediction in predictions.items()
        }
        frames.append(
            compared.assign(
                unit=unit, model=names[0], method=names[1], replaced=compared["model"].map(swapped)
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    frame = frame[["unit", *frame.columns.drop("unit")]]
    figure = FigureTask(
        "check_leave_out",
        "bipbayes.plots.check_leave_out:leave_out_figure",
        {"comparison": frame, "context": inputs.context},
    )
    best = frame.drop_duplicates("unit").set_index("unit")["model"].to_dict()
    table = check_table("leave_out", frame, inputs.context)
    return CheckResult((table,), (figure,), {"best": best})


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
        name = f"check_specification_{target.outcome}_{target.combination}"
        name += "" if target.estimand == "effect" else f"_{target.estimand}"
        values = {
            "outcome": outcome_label(codebook, target.outcome, language=language),
            "combination": combination_text(
                codebook, target.combination, language=language
            ).replace("  ", " "),
            "estimand": phrase(target.estimand, language),
            "level": percent(inputs.settings.level, language),
        }
        tables.append(
            check_table("specification", rows, inputs.context, file_name=name, values=values)
        )
        function = "bipbayes.plots.check_specification:specification_figure"
        figures.append(FigureTask(name, function, {"frame": rows, "context": inputs.context}))
    return CheckResult(tuple(tables), tuple(figures), {"rows": len(curve)})


def _curve(inputs: CheckInputs, targets: list[Target]) -> pd.DataFrame:
    study, level, models = inputs.run.whole, inputs.settings.level, inputs.asked.models
    try:
        if models:
            return specification_curve(study, targets, models=models, level=level)
        return specification_curve(study, targets, level=level)
    except SettingsError as fault:
        raise ModelError(f"--model: {fault}") from fault


def _flags(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "estimand": estimand,
            "quantities": len(group),
            "prior_median": group["prior"].median(),
            "prior_largest": group["prior"].max(),
            "likelihood_median": group["likelihood"].median(),
            "weak": int(group["diagnosis"].eq(WEAK).sum()),
            "conflict": int(group["diagnosis"].eq(CONFLICT).sum()),
        }
        for estimand, group in frame.groupby("estimand", sort=False)
    ]
    return pd.DataFrame(rows)


def _closed_forms(inputs: CheckInputs, unit: str) -> dict[tuple[str, str], pd.DataFrame]:
    found = {}
    for model_file in inputs.model_files(model_names()):
        try:
            batches = model_file.declared(inputs.cells, inputs.priors_of(model_file))
        except (ModelError, SettingsError) as fault:
            logger.warning("%s", fault)
            continue
        # A flat model predicts nothing of what is left out.
        if batches and not is_flat(batches):
            found[model_file.name, CLOSED_FORM] = leave_out(inputs.cells, batches, unit=unit)
    return found


def _sampled(
    inputs: CheckInputs, exact: dict[tuple[str, str], pd.DataFrame]
) -> dict[tuple[str, str], pd.DataFrame]:
    """PSIS of the stored fits, with the closed form where it fails and there is one."""
    found = {}
    for name in inputs.asked.models or inputs.fitted:
        if name not in inputs.fitted:
            continue
        if name == inputs.model:
            effects = inputs.effects
        else:
            fit = stored_fit(inputs.folder, name)
            effects = effect_draws(fit, inputs.cells)
        sampled = leave_out_draws(inputs.cells, thinned(effects, LEFT_OUT_DRAWS))
        closed = exact.get((name, CLOSED_FORM), sampled.assign(elpd=float("nan")))
        found[name, PSIS] = replaced(sampled, closed)
    return found


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

"""Joint statements from the stored draws, and what pooling does to each estimate."""

import math

import pandas as pd

from bipbayes.checks.statements import (
    count_improved,
    rank_combinations,
    significant_under_posterior,
)
from bipbayes.comparison import compare
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.task import FigureTask
from bipbayes.run.check_inputs import CheckInputs, CheckResult
from bipbayes.tables.check_tables import check_table
from bipbayes.wording import number, percent

ESTIMANDS = ("effect", "contrast")
ERRORS = ("classical", "cluster_citizen")
MOST = 0.75  # of the indicators, where no number is asked for
LIKELY = 0.05  # a type S error worth counting
_PLOTS = "bipbayes.plots.check_joint"


def check_improved(inputs: CheckInputs) -> CheckResult:
    """Count how many indicators each combination improves."""
    known = inputs.draws["effect"].notnull().any(("chain", "draw", "combination"))
    codes = [code for code in inputs.codebook.indicator_codes if known.sel(outcome=code)]
    wanted = inputs.asked.at_least
    at_least = math.ceil(MOST * len(codes)) if wanted is None else wanted
    level = inputs.settings.level
    parts = [
        count_improved(inputs.draws[name], outcomes=codes, at_least=[at_least], level=level).assign(
            estimand=name
        )
        for name in ESTIMANDS
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.rename(columns={f"p_at_least_{at_least}": "p_at_least"}).assign(at_least=at_least)
    frame = frame[["estimand", *frame.columns.drop("estimand")]]
    values = {
        "model": inputs.model,
        "outcomes": len(codes),
        "at_least": at_least,
        "level": percent(level, inputs.context.language),
    }
    task = _task(
        inputs, "improved", frame, at_least=at_least, level=level,
    )  # fmt: skip
    table = check_table("improved", inputs.blanked(frame), inputs.context, values=values)
    return CheckResult((table,), (task,), {"at_least": at_least})


def check_ranks(inputs: CheckInputs) -> CheckResult:
    """Rank the combinations, over all indicators and for every average."""
    outcomes = [ALL_INDICATORS, *inputs.codebook.average_codes]
    level = inputs.settings.level
    frame = rank_combinations(inputs.draws["effect"], outcomes=outcomes, level=level)
    shown = inputs.blanked(frame).rename(columns={"rank_lower": "lower", "rank_upper": "upper"})
    values = {
        "model": inputs.model,
        "level": percent(level, inputs.context.language),
        "combinations": int(frame["combinations"].max()),
    }
    table = check_table("ranks", shown, inputs.context, values=values)
    best = frame.drop_duplicates("outcome").set_index("outcome")["combination"].to_dict()
    return CheckResult((table,), (_task(inputs, "ranks", frame, level=level),), {"first": best})


def check_pooling(inputs: CheckInputs) -> CheckResult:
    """Say how much pooling takes part in each estimate."""
    rows = inputs.intervals
    compared = compare(rows[rows["source"] == "ols"], rows[rows["source"] == "posterior"])
    columns = ["estimand", "outcome", "combination", "n", "pooling_factor"]
    raw = compared.loc[compared["outcome"].isin(inputs.codebook.indicator_codes), columns]
    raw = raw.dropna(subset="pooling_factor").reset_index(drop=True)
    task = _task(inputs, "pooling", raw)
    raw = inputs.blanked(raw)
    grouped = raw.groupby(["estimand", "combination"], sort=False)
    shown = grouped["pooling_factor"].agg(["median", "min", "max"])
    shown = shown.rename(columns={"min": "lowest", "max": "highest"})
    shown = shown.assign(n=grouped["n"].median()).reset_index()
    table = check_table("pooling", shown, inputs.context, raw=raw, values={"model": inputs.model})
    return CheckResult((table,), (task,), {"median": float(raw["pooling_factor"].median())})


def check_signs(inputs: CheckInputs) -> CheckResult:
    """Judge every significant OLS estimate by the posterior."""
    parts = [
        significant_under_posterior(
            inputs.intervals, inputs.draws[estimand], vcov=vcov, estimand=estimand
        )
        for estimand in ESTIMANDS
        for vcov in ERRORS
    ]
    raw = pd.concat(parts, ignore_index=True)
    tasks = []
    drawn = raw[raw["vcov"] == ERRORS[0]]
    if len(drawn):
        tasks.append(_task(inputs, "signs", drawn, vcov=ERRORS[0]))
    raw = inputs.blanked(raw)
    language = inputs.context.language
    values = {
        "model": inputs.model,
        "level": percent(inputs.settings.level, language),
        "likely": number(LIKELY, 2, language=language),
    }
    table = check_table("signs", _counted(raw), inputs.context, raw=raw, values=values)
    return CheckResult((table,), tuple(tasks), {"significant": len(raw)})


def _counted(raw: pd.DataFrame) -> pd.DataFrame:
    columns = ["estimand", "vcov", "significant", "type_s_median", "type_s_likely",
               "type_m_median", "type_m_largest"]  # fmt: skip
    rows = [
        (
            *key,
            len(rows),
            rows["type_s"].median(),
            int((rows["type_s"] > LIKELY).sum()),
            rows["type_m"].median(),
            rows["type_m"].max(),
        )
        for key, rows in raw.groupby(["estimand", "vcov"], sort=False)
    ]
    return pd.DataFrame(rows, columns=columns)


def _task(inputs: CheckInputs, name: str, frame: pd.DataFrame, **more: object) -> FigureTask:
    arguments = {"frame": frame, "context": inputs.context, "model": inputs.model, **more}
    return FigureTask(f"check_{name}", f"{_PLOTS}:{name}_figure", arguments)

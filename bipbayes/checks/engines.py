"""Whether two engines that share no code but a model's declaration say the same."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from bipbayes.checks.figure import finish, label_rows
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, NAMED, TEXT, WORDS, Columns, group_label
from bipbayes.option_words import EXACT, NUTS
from bipbayes.plots.style import POSTERIOR_COLOUR, across, figure_style
from bipbayes.run.posterior_stage import refit
from bipbayes.sampling.registry import engine_of, load_model
from bipbayes.wording import Context, capital, number, phrase

COLUMNS: Final[Columns] = {
    "estimand": NAMED,
    "quantities": 0,
    "measure": WORDS,
    "worst": 3,
    "chance": 1,
    "outcome": GROUP,
    "combination": GROUP,
    "jobcenter": TEXT,
}
KEYS: Final = ("estimand", "outcome", "combination", "jobcenter")
MEASURES: Final = ("in_errors", "in_sds", "sd_ratio")
FALSE_ALARM: Final = 1e-3  # of a comparison in which nothing differs but the draws
logger = logging.getLogger(__name__)
_NAMED = ("outcome", "combination")


def engine_differences(exact: pd.DataFrame, sampled: pd.DataFrame) -> pd.DataFrame:
    """Hold every reported quantity of one engine against the other's.

    `exact`, `sampled`: posterior rows of the long frame, of the same model and cells.

    Returns: `KEYS` and `MEASURES`, one row a quantity: the difference of posterior means in Monte
    Carlo errors of the difference, and in posterior standard deviations; the ratio of posterior
    standard deviations.
    """
    both = exact.merge(sampled, on=list(KEYS), suffixes=("", "_sampled"), validate="one_to_one")
    both = both.dropna(subset=["mcse", "mcse_sampled"])
    gap = (both["estimate"] - both["estimate_sampled"]).abs()
    errors = np.hypot(both["mcse"], both["mcse_sampled"])
    ratio = both["se_sampled"] / both["se"]
    found = both.assign(in_errors=gap / errors, in_sds=gap / both["se"], sd_ratio=ratio)
    return found[[*KEYS, *MEASURES]].reset_index(drop=True)


def worst_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """Find the quantity of every estimand that differs most, by each measure.

    `differences`: from `engine_differences`.

    Returns: `KEYS` of that quantity, ``quantities`` (so many were compared), ``measure``,
    ``worst``, and ``chance``: about what the largest of so many differences in errors is by chance,
    had they nothing to do with each other (``NaN`` for other measures).
    """
    rows = []
    for _, group in differences.groupby("estimand", sort=False):
        for measure in MEASURES:
            size = group[measure]
            size = np.log(size).abs() if measure == "sd_ratio" else size
            worst = group.iloc[[int(size.argmax())]].to_dict("records")[0]
            chance = np.sqrt(2 * np.log(2 * len(group))) if measure == "in_errors" else np.nan
            rows.append(
                {
                    **{key: worst[key] for key in KEYS},
                    "quantities": len(group),
                    "measure": measure,
                    "worst": worst[measure],
                    "chance": float(chance),
                }
            )
    return pd.DataFrame(rows)


def limit(quantities: int) -> float:
    """Difference in Monte Carlo errors that chance reaches once in a thousand comparisons.

    `quantities`: so many are compared; that they go together makes it rarer still.
    """
    return float(stats.norm.isf(FALSE_ALARM / (2 * quantities)))


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
    largest = frame.groupby("measure")["worst"].max()
    facts = {name: float(largest[name]) for name in ("in_errors", "in_sds")}
    facts |= {"limit": allowed, "agree": most <= allowed}
    told = {"limit": number(allowed, 1, language=inputs.context.language)}
    drawn = {"differences": differences, "limit": allowed}
    return result(
        inputs, "engines", COLUMNS, frame, raw=differences, drawn=drawn, values=told, facts=facts
    )


def engines_figure(
    differences: pd.DataFrame,
    limit: float,
    *,
    context: Context,
    values: Mapping[str, object],
) -> Figure:
    """Draw how far the posterior means of every estimand differ: half, most, and the worst."""
    groups = differences.groupby("estimand", sort=False)["in_errors"]
    shown = groups.quantile(np.array([0.5, 0.95, 1.0])).unstack()
    with figure_style():
        figure = Figure(figsize=(across(6.4), 2.0 + 0.3 * len(shown)))
        axes, rows = figure.add_subplot(), np.arange(len(shown))
        names = (capital(phrase(str(name), context.language)) for name in shown.index)
        of = groups.size().reindex(shown.index)
        label_rows(axes, [f"{name} ({count})" for name, count in zip(names, of, strict=True)])
        axes.hlines(rows, shown[0.5], shown[1.0], color=POSTERIOR_COLOUR, linewidth=1.0)
        axes.hlines(rows, shown[0.5], shown[0.95], color=POSTERIOR_COLOUR, linewidth=3.0)
        axes.plot(shown[1.0], rows, "o", color=POSTERIOR_COLOUR, markersize=3.6)
        axes.axvline(limit, color="black", linewidth=0.7, linestyle="--")
        axes.set_xlim(0, 1.08 * max(limit, float(shown[1.0].max())))
        axes.set_xlabel(phrase("check_axis_engines", context.language))
        finish(figure, "engines_figure", context, values=values, left=1.6)
    return figure


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


CHECK: Final = Check(check_engines, only_asked=True)

"""Coverage, error, bias, wrong signs and width, with Monte Carlo errors.

Replicates that share a truth are no independent witnesses, and the estimates of one replicate
even less: every Monte Carlo error is that of a mean over truths, each truth counting once.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.intervals import ALL_INDICATORS, PLAIN
from bipbayes.validation.scores import LEVELS

SINGLE: Final = "single"
OVERALL: Final = "overall"
AVERAGE: Final = "average"
ANALYSIS: Final = ("source", "engine", "model", "vcov", "analysis")
SIZES: Final = (0, 30, 60, 120, 250, 500, 1000)
_REFERENCE: Final = {"source": "ols", "vcov": "classical", "analysis": PLAIN}


def judged(scores: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Add to each score what the tables average.

    Parameters
    ----------
    scores
        From `bipbayes.validation.replicate.read_scores`.
    codebook
        Tells indicators and averages apart.

    Returns
    -------
    pandas.DataFrame
        With ``target`` (``single`` indicator, ``overall``: all indicators, ``average`` with the
        definition of its truth, see `bipbayes.validation.scores`),
        ``size`` (responses of the combination, in classes), ``covered_50``, ``covered_80``,
        ``covered_95``, ``error``, ``squared_error``, ``wrong_sign`` (P of the sign that is not
        the truth's; for OLS 0 or 1 by its estimate), ``significant`` and ``type_s`` (the 95 %
        interval lies on the wrong side of zero; missing where it does not exclude zero).
    """
    frame = scores[scores["below_truth"].notna()].copy()
    names = np.where(frame["outcome"] == ALL_INDICATORS, OVERALL, SINGLE)
    averages = (AVERAGE + ", " + frame["definition"]).to_numpy()
    frame["target"] = np.where(frame["outcome"].isin(codebook.average_codes), averages, names)
    frame["size"] = size_class(frame["n"])
    centre = (frame["below_truth"] - 0.5).abs()
    for level in LEVELS:
        frame[f"covered_{round(100 * level)}"] = (centre <= level / 2).astype(float)
    frame["error"] = frame["estimate"] - frame["truth"]
    frame["squared_error"] = frame["error"] ** 2
    below = frame["below_zero"].where(frame["source"] != "ols", frame["estimate"] < 0)
    frame["wrong_sign"] = below.astype(float).where(frame["truth"] > 0, 1 - below.astype(float))
    significant = (frame["below_zero"] - 0.5).abs() > max(LEVELS) / 2
    frame["significant"] = significant.astype(float)
    opposite = (frame["estimate"] * frame["truth"] < 0).astype(float)
    frame["type_s"] = opposite.where(significant)
    return frame


def size_class(n: pd.Series) -> pd.Series:
    """Name the class of a number of responses: ``1-30`` ... ``over 1000``."""
    labels = [f"{low + 1}-{high}" for low, high in pairwise(SIZES)]
    return pd.cut(n, [*SIZES, np.inf], labels=[*labels, f"over {SIZES[-1]}"]).astype(str)


def coverage_table(scores: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Average scores by analysis, estimand and kind of target.

    Parameters
    ----------
    scores
        From `judged`.
    by
        Further columns to split by, such as ``size``.

    Returns
    -------
    pandas.DataFrame
        ``source, engine, model, vcov, analysis, estimand, target``, `by`, ``estimates``,
        ``replicates``, ``truths``, then each measure with its Monte Carlo error ``<measure>_mcse``:
        ``covered_50``, ``covered_80``, ``covered_95``, ``rmse``, ``bias``, ``wrong_sign``,
        ``significant``, ``type_s``, ``width_95``; and ``rmse_saved``, how far the error lies
        below that of OLS for the same estimates (paired over truths).
    """
    keys = [*ANALYSIS, "estimand", "target", *by]
    rows = []
    for labels, group in scores.groupby(keys, sort=False, observed=True):
        rows.append({**dict(zip(keys, labels, strict=True)), **_measures(group)})
    table = pd.DataFrame(rows)
    return _with_savings(table, scores, keys)


def _measures(group: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {
        "estimates": len(group),
        "replicates": group["replicate"].nunique(),
        "truths": group["truth_id"].nunique(),
    }
    plain = {name: name for name in group.columns if str(name).startswith("covered_")}
    named = {**plain, "bias": "error"}
    named |= {name: name for name in ("wrong_sign", "significant", "type_s", "width_95")}
    for measure, column in named.items():
        found[measure], found[f"{measure}_mcse"] = _mean(group, column)
    square, error = _mean(group, "squared_error")
    found["rmse"] = float(np.sqrt(square))
    found["rmse_mcse"] = error / (2 * found["rmse"]) if square > 0 else 0.0
    return found


def _mean(group: pd.DataFrame, column: str) -> tuple[float, float]:
    """Mean over truths and its standard error."""
    known = group[["truth_id", column]].dropna()
    means = known.groupby("truth_id")[column].mean()
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
    return float(means.mean()), float(error)


def _with_savings(table: pd.DataFrame, scores: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Compare squared errors with those of OLS for the same estimates, truth by truth."""
    rest = [key for key in keys if key not in ANALYSIS]
    base = scores[(scores[list(_REFERENCE)] == pd.Series(_REFERENCE)).all(axis=1)]
    ols = base.groupby([*rest, "truth_id"], observed=True)["squared_error"].mean()
    own = scores.groupby([*keys, "truth_id"], observed=True)["squared_error"].mean()
    both = (
        own.rename("own")
        .reset_index()
        .merge(ols.rename("ols").reset_index(), on=[*rest, "truth_id"], how="left")
    )
    saved = both.groupby(keys, observed=True)[["own", "ols"]].apply(_saved).reset_index()
    return table.merge(saved, on=keys, how="left")


def _saved(pairs: pd.DataFrame) -> pd.Series:
    """Relative saving in root mean square error, with its error by the delta method."""
    own, ols = pairs["own"].mean(), pairs["ols"].mean()
    ratio = np.sqrt(own / ols) if ols > 0 else np.nan
    influence = (pairs["own"] / own - pairs["ols"] / ols) * ratio / 2
    error = influence.std(ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.nan
    return pd.Series({"rmse_saved": 1 - ratio, "rmse_saved_mcse": error})


def goals(table: pd.DataFrame, *, model: str, vcov: str) -> pd.DataFrame:
    """Hold the goals against the default analysis.

    Parameters
    ----------
    table
        From `coverage_table` without further columns.
    model, vcov
        The default analysis.

    Returns
    -------
    pandas.DataFrame
        ``goal``, ``engine``, ``estimand``, ``target``, ``value``, ``mcse``, ``lower``,
        ``upper`` (the goal's limits), ``reached`` (``yes``, ``no``, or ``undecided`` where the
        Monte Carlo error leaves it open at two errors).
    """
    chosen = table[(table["model"] == model) & (table["vcov"] == vcov)]
    # Under selection the plain analysis is there for comparison.
    chosen = chosen[chosen["analysis"] == chosen["analysis"].iloc[-1]]
    covered = chosen[chosen["target"].isin([SINGLE, OVERALL])]
    saved = chosen[(chosen["target"] == SINGLE) & (chosen["estimand"] == "effect")]
    parts = [
        _goal(covered, "covered_95", "95 % intervals cover 93 to 97 %", (0.93, 0.97)),
        _goal(saved, "rmse_saved", "error at least 40 % below OLS", (0.4, 1.0)),
    ]
    return pd.concat(parts, ignore_index=True)


def _goal(rows: pd.DataFrame, measure: str, goal: str, limits: tuple[float, float]) -> pd.DataFrame:
    frame = rows[["engine", "estimand", "target"]].copy()
    frame.insert(0, "goal", goal)
    frame["value"], frame["mcse"] = rows[measure], rows[f"{measure}_mcse"]
    frame["lower"], frame["upper"] = limits
    inside = frame["value"].between(*limits)
    below, above = ((frame["value"] - limit).abs() for limit in limits)
    gap, near = np.minimum(below, above), np.where(below < above, *limits)
    # A few truths that are all alike are no certainty: theirs is the error at the limit.
    alike = np.sqrt(near * (1 - near) / rows["truths"].to_numpy())
    clear = gap > 2 * frame["mcse"].where(frame["mcse"] != 0, alike)
    frame["reached"] = np.where(~clear, "undecided", np.where(inside, "yes", "no"))
    return frame.reset_index(drop=True)


def design_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the designs under one another: coverage, error and bias, Monte Carlo errors in brackets.

    Parameters
    ----------
    tables
        From `coverage_table`, by design.

    Returns
    -------
    pandas.DataFrame
        Texts, one row for each design and analysis: ``design``, ``analysis``, ``single effect``,
        ``overall effect``, ``single contrast``, ``overall contrast`` (95 % intervals that cover),
        ``error`` (root mean square, single effects), ``bias`` (single contrasts), ``replicates``.
    """
    rows = []
    for design, table in tables.items():
        keys = ["source", "model", "vcov", "analysis"]
        for labels, group in table.groupby(keys, sort=False):
            found = group.set_index(["target", "estimand"])
            row = {"design": design, "analysis": " ".join(str(name) for name in labels if name)}
            for estimand in ("effect", "contrast"):
                for target in (SINGLE, OVERALL):
                    row[f"{target} {estimand}"] = _cell(found, (target, estimand), "covered_95")
            row["error"] = _cell(found, (SINGLE, "effect"), "rmse")
            row["bias"] = _cell(found, (SINGLE, "contrast"), "bias")
            rows.append({**row, "replicates": str(int(group["replicates"].max()))})
    return pd.DataFrame(rows)


def _cell(found: pd.DataFrame, key: tuple[str, str], measure: str) -> str:
    if key not in found.index:
        return ""
    value, error = (float(found[name].loc[key]) for name in (measure, f"{measure}_mcse"))
    return f"{value:.3f} ({error:.3f})"

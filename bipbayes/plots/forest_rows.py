"""Rows of a forest: OLS and posterior for the same quantity, and what is written beside them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.factorial import factorial_contrasts
from bipbayes.estimands.intervals import limits
from bipbayes.intervals import ALL_INDICATORS, PRIOR_DRIVEN
from bipbayes.plots.selection import Side, select, side_of
from bipbayes.plots.task import Page
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.wording import Context, combination_text, phrase

INNER_LEVEL: Final = 0.5
_LIMITS: Final = ("estimate", "lower", "upper")


@dataclass(frozen=True)
class ForestRows:
    """A forest's rows from top to bottom.

    Attributes
    ----------
    frame
        One row a line: ``label`` (unique), ``n``, ``n_citizens``, ``prior_driven``,
        ``on_every_page`` (what the others are compared with) and the columns ``ols_*``,
        ``posterior_*`` (estimate, lower, upper) and ``inner_*`` (lower, upper), in standard
        deviations of progression; NaN where there is no estimate.
    ols, posterior
        What the intervals are; None where a source has no rows.
    whole
        n and posterior mean of all rows, also where a page shows some of them.
    """

    frame: pd.DataFrame
    ols: Side | None
    posterior: Side | None
    whole: tuple[pd.Series, pd.Series]

    def on_page(self, page: Page) -> "ForestRows":
        """Return a page's rows, behind them those that stand on every page."""
        always = self.frame["on_every_page"]
        parts = [self.frame[~always].iloc[page.rows], self.frame[always]]
        return replace(self, frame=pd.concat(parts, ignore_index=True))

    def by_size(self) -> "ForestRows":
        """Return the rows with the largest posterior mean (or estimate of OLS) on top.

        What they are compared with on every page stays below.
        """
        source = "ols" if self.posterior is None else "posterior"
        frame = self.frame.sort_values(f"{source}_estimate", ascending=False, kind="stable")
        frame = frame.sort_values("on_every_page", kind="stable")
        return replace(self, frame=frame.reset_index(drop=True))


def inner_limits(draws: xr.DataArray) -> pd.DataFrame:
    """Return limits for the thick line of a forest: ``lower, upper`` by the label of the row.

    Parameters
    ----------
    draws
        Dims ``chain``, ``draw`` and that of the rows.
    """
    low, high = limits(pooled(draws), level=INNER_LEVEL)
    (rows,) = (dim for dim in draws.dims if dim not in SAMPLE)
    return pd.DataFrame({"lower": low, "upper": high}, index=draws[rows].to_numpy())


def forest_data(
    frame: pd.DataFrame,
    context: Context,
    *,
    outcome: str,
    estimand: str = "effect",
    vcov: str = "classical",
    inner: pd.DataFrame | None = None,
) -> ForestRows:
    """Return an outcome's combinations in codebook order, OLS and posterior beside each other."""
    codebook = context.codebook
    order = [c for c in codebook.combinations if _has_row(c, context, estimand)]
    sides = {
        "ols": select(frame, source="ols", estimand=estimand, vcov=vcov, outcome=outcome),
        "posterior": select(frame, source="posterior", estimand=estimand, outcome=outcome),
    }
    labels = [combination_text(codebook, c, language=context.language) for c in order]
    return forest_rows(sides, "combination", order=order, labels=labels, inner=inner)


def factorial_data(
    frame: pd.DataFrame, context: Context, *, outcome: str, vcov: str = "classical"
) -> ForestRows:
    """Return an outcome's main effects and interactions, OLS and posterior beside each other."""
    chosen = {"estimand": "factorial", "outcome": outcome}
    sides = {
        "ols": select(frame, source="ols", vcov=vcov, **chosen),
        "posterior": select(frame, source="posterior", **chosen),
    }
    order = list(factorial_contrasts(context.codebook)[0])
    labels = [term.replace(":", " × ") for term in order]
    rows = forest_rows(sides, "combination", order=order, labels=labels)
    # No column of counts is drawn, which would be one number: the mark stands at the term.
    marks = np.where(rows.frame["prior_driven"], " †", "")
    return replace(rows, frame=rows.frame.assign(label=rows.frame["label"] + marks))


def jobcenter_data(
    frame: pd.DataFrame,
    context: Context,
    *,
    combination: str,
    outcome: str = ALL_INDICATORS,
    vcov: str = "classical",
) -> ForestRows:
    """Return a combination's effect in every jobcenter, then in all and in one not seen."""
    estimands = ("jobcenter", "effect", "new_jobcenter")
    chosen = {"outcome": outcome, "combination": combination}
    sides = {
        "ols": select(frame, source="ols", estimand=estimands, vcov=vcov, **chosen),
        "posterior": select(frame, source="posterior", estimand=estimands, **chosen),
    }
    last = {"effect": "\0all", "new_jobcenter": "\0new"}
    sides = {
        name: rows.assign(
            jobcenter=rows["jobcenter"].where(
                rows["estimand"] == "jobcenter", rows["estimand"].map(last)
            )
        )
        for name, rows in sides.items()
    }
    seen = set(pd.concat(list(sides.values()))["jobcenter"])
    order = [*_jobcenter_order(seen, context), *(name for name in last.values() if name in seen)]
    words = {"\0all": phrase("all", context.language), "\0new": phrase("new", context.language)}
    # A letter alone would be read as a treatment: BIP's jobcenters are called A to J.
    one = {name: phrase("one_jobcenter", context.language, name=name) for name in order}
    labels = [words.get(name, one[name] if len(name) == 1 else name) for name in order]
    # Nobody has answered in a jobcenter not seen; the long frame counts what it was learnt from.
    sides = {
        name: rows.assign(
            n=rows["n"].astype(float).mask(rows["jobcenter"] == last["new_jobcenter"])
        )
        for name, rows in sides.items()
    }
    return forest_rows(sides, "jobcenter", order=order, labels=labels)


def forest_rows(
    sides: dict[str, pd.DataFrame],
    key: str,
    *,
    order: list[str],
    labels: list[str],
    inner: pd.DataFrame | None = None,
) -> ForestRows:
    """Put the sources beside each other.

    Parameters
    ----------
    sides
        Rows of the long frame for ``ols`` and ``posterior``.
    key
        Column whose text tells the rows apart.
    order, labels
        Its values from top to bottom, and what is written beside them.
    inner
        ``lower, upper`` by key, or None.
    """
    merged = pd.DataFrame(index=pd.Index(order, name=key))
    merged["label"] = labels
    for name, rows in sides.items():
        values = rows.set_index(key).reindex(order)
        for column in _LIMITS:
            merged[f"{name}_{column}"] = values[column]
        for column in ("n", "n_citizens"):
            known = merged.get(column, pd.Series(np.nan, index=merged.index))
            merged[column] = known.fillna(values[column])
    notes = sides["posterior"].set_index(key)["note"].reindex(order)
    merged["prior_driven"] = (notes == PRIOR_DRIVEN).to_numpy()
    merged["on_every_page"] = merged.index.str.startswith("\0")
    for column in ("lower", "upper"):
        merged[f"inner_{column}"] = np.nan if inner is None else inner[column].reindex(order)
    whole = (merged["n"], merged["posterior_estimate"])
    own = (side_of(sides["ols"]), side_of(sides["posterior"]))
    return ForestRows(merged.reset_index(), *own, whole)


def _has_row(combination: str, context: Context, estimand: str) -> bool:
    return "contrast" not in estimand or combination != context.codebook.no_treatment


def _jobcenter_order(seen: set[str], context: Context) -> list[str]:
    known = [name for name in context.codebook.jobcenters if name in seen]
    return known + sorted(name for name in seen - set(known) if not name.startswith("\0"))

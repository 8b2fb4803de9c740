"""Tables on the fit: its standard deviations, and the convergence of what is reported."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from bipbayes.estimands.intervals import limits
from bipbayes.sampling.diagnose import moments_frame
from bipbayes.sampling.labels import elements
from bipbayes.tables.comparison_table import interval_text
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.tables.rounding import decimals, row_decimals
from bipbayes.wording import Context, capital, interval_words, number, parameter_words, phrase

WORST_R_HAT: Final = 1.01
LEAST_ESS: Final = 400.0
_KEYS: Final = ["model", "vcov", "estimand", "outcome", "combination", "jobcenter"]
_MEASURES: Final = ["mcse", "ess_bulk", "ess_tail", "r_hat"]


def hyperparameter_frame(
    draws: xr.Dataset,
    *,
    level: float,
    kind: str = "eti",
    point: npt.NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Summarise hyperparameters.

    Parameters
    ----------
    draws
        Standard deviations (in standard deviations of progression) with dims ``chain``,
        ``draw`` and possibly labels, which become part of the parameter's name.
    level
        Probability of the intervals.
    kind
        ``eti`` or ``hdi``.
    point
        Of the exact engine's draws the point behind each, shape (chain, draw).

    Returns
    -------
    pandas.DataFrame
        ``parameter, mean, sd, lower, upper, level, kind, mcse, ess_bulk, ess_tail, r_hat``.
    """
    frame = moments_frame(draws, point=point)
    rows = np.stack([values.ravel() for values in elements(draws).values()], axis=1)
    low, high = limits(rows, level=level, kind=kind)
    frame = frame.assign(lower=low, upper=high, level=level, kind=kind)
    return frame[["parameter", "mean", "sd", "lower", "upper", "level", "kind", *_MEASURES]]


def hyperparameter_table(frame: pd.DataFrame, context: Context, *, model: str) -> Table:
    """Build the table of `hyperparameter_frame`."""
    language = context.language
    level, kind = float(frame["level"].iloc[0]), str(frame["kind"].iloc[0])
    interval = interval_words(level, kind, language=language)
    columns = (
        Column("parameter", phrase("parameter", language), align="l"),
        Column("mean", phrase("mean", language)),
        Column("sd", phrase("sd", language)),
        Column("interval", capital(interval)),
        Column("ess_bulk", phrase("ess_bulk", language)),
        Column("ess_tail", phrase("ess_tail", language)),
        Column("r_hat", phrase("r_hat", language)),
    )
    title = phrase("hyperparameters", language, model=model)
    return Table(
        name="hyperparameters",
        caption=table_caption(context, title, phrase("in_units", language)),
        notes=(rounding_note(context),),
        columns=_told(columns, frame),
        body=_parameter_body(frame, language),
        raw=frame,
    )


def diagnostics_table(intervals: pd.DataFrame, context: Context) -> Table:
    """Build the table of convergence, one row an estimand; the raw frame has every quantity."""
    language = context.language
    raw = intervals.loc[intervals["source"] == "posterior", _KEYS + _MEASURES]
    raw = raw.reset_index(drop=True)
    names = {
        **{"model": "Model", "estimand": "estimand", "quantities": "quantities"},
        **{"r_hat": "worst_r_hat", "ess_bulk": "least_bulk", "ess_tail": "least_tail"},
        **{"mcse": "worst_mcse", "missed": "missed"},
    }
    columns = tuple(
        Column(
            key,
            entry if key == "model" else phrase(entry, language),
            align="l" if key in ("model", "estimand") else "r",
        )
        for key, entry in names.items()
    )
    limits = phrase(
        "limits",
        language,
        r_hat=number(WORST_R_HAT, 2, language=language),
        ess=number(LEAST_ESS, 0, language=language),
    )
    return Table(
        name="diagnostics",
        caption=table_caption(context, phrase("diagnostics", language)),
        notes=(limits,),
        columns=_told(columns, raw),
        body=_diagnostics_body(raw, language),
        raw=raw,
    )


def _told(columns: Sequence[Column], raw: pd.DataFrame) -> tuple[Column, ...]:
    """Leave R-hat out where no chain has one: the exact engine's draws are independent."""
    return tuple(each for each in columns if each.key != "r_hat" or raw["r_hat"].notna().any())


def _parameter_body(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    places = row_decimals(frame, sd="sd")
    rows = []
    for (_, row), digits in zip(frame.iterrows(), places, strict=True):
        rows.append(
            {
                "parameter": parameter_words(row["parameter"], language=language),
                "mean": number(row["mean"], int(digits), language=language),
                "sd": number(row["sd"], int(digits), language=language),
                "interval": interval_text(
                    row["lower"], row["upper"], int(digits), language=language
                ),
                "ess_bulk": number(row["ess_bulk"], 0, language=language),
                "ess_tail": number(row["ess_tail"], 0, language=language),
                "r_hat": number(row["r_hat"], 3, language=language),
            }
        )
    return pd.DataFrame(rows)


def _diagnostics_body(raw: pd.DataFrame, language: str) -> pd.DataFrame:
    rows = []
    for (model, estimand), group in raw.groupby(["model", "estimand"], sort=False):
        known = group.dropna(subset=["ess_bulk"])
        passed = (known["r_hat"].fillna(1.0) <= WORST_R_HAT) & (
            known[["ess_bulk", "ess_tail"]].min(axis=1) >= LEAST_ESS
        )
        mcse = float(known["mcse"].max())
        rows.append(
            {
                "model": str(model),
                "estimand": phrase(str(estimand), language),
                "quantities": number(len(known), 0, language=language),
                "r_hat": number(float(known["r_hat"].max()), 3, language=language),
                "ess_bulk": number(np.floor(known["ess_bulk"].min()), 0, language=language),
                "ess_tail": number(np.floor(known["ess_tail"].min()), 0, language=language),
                "mcse": number(mcse, int(decimals(mcse, most=5)) + 1, language=language),
                "missed": number(int((~passed).sum()), 0, language=language),
            }
        )
    return pd.DataFrame(rows)

"""How much pooling takes part in each estimate."""

from collections.abc import Mapping
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from bipbayes.checks.figure import against_n
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, NAMED, Columns
from bipbayes.comparison import compare
from bipbayes.wording import Context

COLUMNS: Final[Columns] = {
    "estimand": NAMED,
    "combination": GROUP,
    "n": 0,
    "median": 2,
    "lowest": 2,
    "highest": 2,
}
_SHOWN: Final = {"median": "median", "lowest": "min", "highest": "max"}


def pooling_figure(
    frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the pooling factor of every indicator's estimate against its number of responses."""
    return against_n(
        frame, ["pooling_factor"], name="pooling_figure", context=context, values=values
    )


def check_pooling(inputs: CheckInputs) -> CheckResult:
    """Say how much pooling takes part in each estimate."""
    rows = inputs.intervals
    compared = compare(rows[rows["source"] == "ols"], rows[rows["source"] == "posterior"])
    columns = ["estimand", "outcome", "combination", "n", "pooling_factor"]
    raw = compared.loc[compared["outcome"].isin(inputs.codebook.indicator_codes), columns]
    raw = raw.dropna(subset="pooling_factor").reset_index(drop=True)
    drawn, raw = raw, inputs.blanked(raw)
    grouped = raw.groupby(["estimand", "combination"], sort=False)
    factor = {name: ("pooling_factor", how) for name, how in _SHOWN.items()}
    shown = grouped.agg(**factor, n=("n", "median")).reset_index()
    facts = {"median": float(raw["pooling_factor"].median())}
    return result(inputs, "pooling", COLUMNS, shown, raw=raw, drawn={"frame": drawn}, facts=facts)


CHECK: Final = Check(check_pooling)

"""Words that options, records and frames share; read before NumPy is imported."""

from typing import Final, Literal

VCOVS: Final = ("iid", "response", "citizen")  # working covariances of cell means
PreviousRule = Literal["item", "response"]
PREVIOUS: Final[tuple[PreviousRule, ...]] = ("item", "response")  # rules for the previous answer
CREDIBLE: Final = ("eti", "hdi")
COVARIATES: Final = "covariates"
BASELINE: Final = "baseline"  # at the same previous answer
ADJUSTMENTS: Final = (BASELINE, COVARIATES)
ORDINAL: Final = "ordinal"
EXACT: Final = "exact"
NUTS: Final = "nuts"
ENGINES: Final = (EXACT, NUTS)

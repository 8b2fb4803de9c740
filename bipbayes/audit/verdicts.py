"""The audit: one row a claim, with what OLS and the posterior say of it.

Each claim is read twice: for the report's own estimand (`effect`, against average progress) and
for the contrast with no intervention. Columns of the two begin with ``effect_`` and
``contrast_``. Claims on no intervention itself cannot be checked in the contrast, where it is
the reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes.audit.evidence import (
    BASELINE,
    POSTERIOR,
    AuditSettings,
    Evidence,
    estimand_columns,
    estimand_part,
    labelled_draws,
    select_fit,
    sources,
)
from bipbayes.audit.rules import Cutoffs
from bipbayes.audit.sizes import SIZE_COLUMNS, size_columns
from bipbayes.audit.statements import Statement, statements
from bipbayes.data.codebook import Codebook
from bipbayes.intervals import COMPARED

RULE_COLUMNS: Final = ("kind", "counted", "level", "likely", "beyond")
TEXT: Final = ("reason", "region", "note")


def audit_claims(
    claims: pd.DataFrame,
    intervals_frame: pd.DataFrame,
    draws: Mapping[str, xr.DataArray],
    codebook: Codebook,
    *,
    level: float,
    beyond: float = 0.1,
    settings: AuditSettings | None = None,
    inconsistencies: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Audit claims.

    Parameters
    ----------
    claims
        Checked claims (`bipbayes.audit.claims.read_claims`).
    intervals_frame
        The long frame: OLS with the errors of `settings`, and one posterior fit.
    draws
        Joint draws by estimand (``effect``, ``contrast``), dims chain, draw, outcome,
        combination; estimands without draws leave joint statements unchecked.
    codebook
        Names outcomes and combinations.
    level
        Level of the intervals to read.
    beyond
        The stated size, in standard deviations of progression, for statements on absence.
    settings
        Which fit, which errors, what is called likely.
    inconsistencies
        For each claim the ids of the report's own inconsistencies that bear on it; default: none.

    Returns
    -------
    pandas.DataFrame
        One row a claim in the claims' order: their columns, then those of each estimand
        (``effect_verdict_posterior``, ``contrast_verdict_classical``, ...), then printed sizes
        and the report's own inconsistencies that bear on the claim.

    Raises
    ------
    SettingsError
        No OLS intervals at this level, or several fits and none chosen.
    """
    settings = settings or AuditSettings()
    cutoffs = Cutoffs(level=level, likely=settings.likely, beyond=beyond)
    frame = select_fit(intervals_frame, settings, level=level)
    evidence = {}
    for estimand in COMPARED:
        found = sources(frame, estimand, settings=settings, cutoffs=cutoffs)
        joint = labelled_draws(draws[estimand]) if estimand in draws else None
        evidence[estimand] = Evidence(
            found,
            None if joint is None else joint.without(found[POSTERIOR].silent),
            codebook.no_treatment if estimand == "contrast" else "",
        )
    rows = [
        _row(claim, statement, evidence, settings=settings, cutoffs=cutoffs)
        for (_, claim), statement in zip(
            claims.iterrows(), statements(claims, codebook), strict=True
        )
    ]
    added = _ordered(rows, settings).assign(inconsistencies=inconsistencies or [""] * len(claims))
    return pd.concat([claims.reset_index(drop=True), added], axis=1)


def beside_baseline(audit: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """Put the verdicts at the same previous answer beside the plain ones.

    Where treatment follows low answers, plain estimates are biased towards treatments; those of
    the analysis ``baseline`` are not, as far as the previous answer shows what was selected on.

    Parameters
    ----------
    audit, adjusted
        From `audit_claims`, of the same claims: with plain intervals and draws, and with those
        of the analysis ``baseline``.

    Returns
    -------
    pandas.DataFrame
        `audit` with, for each estimand, ``<estimand>_verdict_baseline`` and
        ``<estimand>_baseline_estimate``, ``_lower``, ``_upper``, ``_p_direction``.
    """
    taken = {f"posterior_{name}": f"baseline_{name}" for name in ("estimate", "lower", "upper")}
    taken |= {f"verdict_{POSTERIOR}": f"verdict_{BASELINE}", "p_direction": "baseline_p_direction"}
    added = {
        f"{estimand}_{name}": adjusted[f"{estimand}_{source}"].to_numpy()
        for estimand in COMPARED
        for source, name in taken.items()
    }
    return audit.assign(**added)


def audit_columns(settings: AuditSettings | None = None) -> tuple[str, ...]:
    """Return the columns that an audit adds to the claims, in order."""
    part = estimand_columns(settings or AuditSettings())
    both = (f"{estimand}_{column}" for estimand in COMPARED for column in part)
    return (*RULE_COLUMNS, *both, *SIZE_COLUMNS, "inconsistencies")


def _ordered(rows: list[dict[str, Any]], settings: AuditSettings) -> pd.DataFrame:
    """Give every audit the same columns, whatever kinds of claims there are."""
    frame = pd.DataFrame(rows).reindex(columns=list(audit_columns(settings)))
    texts = [f"{estimand}_{column}" for estimand in COMPARED for column in TEXT]
    texts += [column for column in SIZE_COLUMNS if column.endswith("_verdict")]
    for column in texts:
        frame[column] = frame[column].astype("object").fillna("").astype("str")
    return frame


def _row(
    claim: pd.Series,
    statement: Statement,
    evidence: Mapping[str, Evidence],
    *,
    settings: AuditSettings,
    cutoffs: Cutoffs,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": statement.kind,
        "counted": statement.over,
        "level": cutoffs.level,
        "likely": cutoffs.likely,
        "beyond": cutoffs.beyond,
    }
    for estimand, known in evidence.items():
        part = estimand_part(statement, known, settings=settings, cutoffs=cutoffs)
        row |= {f"{estimand}_{column}": value for column, value in part.items()}
    key = (statement.outcomes[0], statement.combinations[0])
    ols, posterior = (
        evidence["effect"].sources[name].readings.get(key)
        for name in (settings.errors[0], POSTERIOR)
    )
    return row | size_columns(claim, ols, posterior)

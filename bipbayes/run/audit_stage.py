"""The audit stage: a verdict on every claim, and every published number beside the run's."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.atomic import write_text
from bipbayes.audit.counts import abstract_paragraph, audit_counts
from bipbayes.audit.design import design_analysis, design_by_combination
from bipbayes.audit.evidence import BASELINE, AuditSettings
from bipbayes.audit.rules import rules_table
from bipbayes.audit.verdicts import audit_claims, beside_baseline
from bipbayes.describe.description import Description
from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import join_frames
from bipbayes.plots.pool import DrawingPool
from bipbayes.plots.task import FigureTask
from bipbayes.run.contexts import run_context, warn_of_other_counts
from bipbayes.run.default_study import (
    claim_inconsistencies,
    claims_or_default,
    published_and_reproduced,
    published_tables,
)
from bipbayes.run.fits import ending_of, is_sound
from bipbayes.run.inputs import Run
from bipbayes.tables.audit_disclosure import protected_audit
from bipbayes.tables.audit_tables import audit_counts_table, claims_table, design_table
from bipbayes.tables.disclosure import blank_small_cells
from bipbayes.tables.write import write_tables

STAGE = "audit"


def audit_run(
    run: Run,
    intervals: pd.DataFrame,
    posterior: Posterior,
    *,
    pool: DrawingPool,
    adjusted: Posterior | None = None,
    claims: Path | None = None,
    beyond: float = 0.1,
) -> pd.DataFrame:
    """Audit the report's claims (or a user's own) and write frames, tables and picture.

    Parameters
    ----------
    run
        An open run.
    intervals
        The long frame of the run: OLS and this posterior.
    posterior
        The fit whose draws answer statements on many estimates.
    pool
        Draws the picture.
    adjusted
        The same model's fit at the same previous answer, whose verdicts stand beside; left out
        where it failed its checks and the plain one did not, since the mark follows the latter.
    claims
        A file of the columns of the report's ``claims.csv``; default: the report's.
    beyond
        Stated size, in standard deviations, for statements that something has no effect.
    """
    settings = run.settings
    stated = claims_or_default(claims, run.codebook)
    inconsistencies = claim_inconsistencies(stated)

    def judged(frame: pd.DataFrame, fit: Posterior) -> pd.DataFrame:
        chosen = AuditSettings(
            model=fit.model, vcov=str(fit.cells.attrs["vcov"]), kind=settings.kind
        )
        return audit_claims(
            stated,
            frame,
            fit.draws,
            run.codebook,
            level=settings.level,
            beyond=beyond,
            settings=chosen,
            inconsistencies=inconsistencies,
        )

    with progress.stage("auditing claims"):
        audit = judged(intervals, posterior)
        if adjusted is not None and _may_stand_beside(run, posterior.model):
            ols = intervals[intervals["source"] == "ols"]
            audit = beside_baseline(audit, judged(join_frames([ols, adjusted.intervals]), adjusted))
    audit = audit.assign(model=posterior.model)
    ending = ending_of(run.folder, posterior.model)
    run.folder.write(f"data/audit{ending}.csv", audit)
    shown, printed = _shown(run, audit, intervals)
    _write_tables(run, shown, printed, ending=ending)
    context = run_context(run.folder, run.codebook, settings)
    paragraph = abstract_paragraph(shown, context, model=posterior.model)
    write_text(run.folder.file(f"tables/audit_paragraph{ending}.txt"), paragraph + "\n")
    arguments = {"audit": shown, "context": context}
    pool.submit([FigureTask(f"claims{ending}", "bipbayes.plots.claims:claims_figure", arguments)])
    wanted = {
        "beyond": beyond,
        "level": settings.level,
        "minimum_count": settings.minimum_count,
    }
    run.folder.finish(f"{STAGE}{ending.replace('_', '/', 1)}", wanted, claims=len(audit))
    warn_of_other_counts(run.folder, settings)
    return audit


def _may_stand_beside(run: Run, model: str) -> bool:
    return is_sound(run.folder, model, BASELINE) or not is_sound(run.folder, model)


def compare_with_published(
    run: Run, progression: xr.Dataset, description: Description, *, audit: pd.DataFrame
) -> pd.DataFrame:
    """Put every number of the report beside the run's, and count by table (BIP only)."""
    table = published_and_reproduced(run.whole, progression, description, audit, run.settings.level)
    run.folder.write("data/published.csv", table)
    context = run_context(run.folder, run.codebook, run.settings)
    counts, inconsistencies = published_tables(table, context)
    write_tables([counts], run.folder.file("tables"), context=context)
    run.folder.write("tables/inconsistencies.csv", inconsistencies)
    return table


def _shown(
    run: Run, audit: pd.DataFrame, intervals: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return audit and intervals as tables and pictures may show them."""
    if run.study.synthetic:
        return audit, intervals
    least, none = run.settings.minimum_count, run.codebook.no_treatment
    blanked = blank_small_cells(intervals, minimum_count=least, no_treatment=none).frame
    return protected_audit(audit, blanked, minimum_count=least), blanked


def _write_tables(run: Run, audit: pd.DataFrame, intervals: pd.DataFrame, *, ending: str) -> None:
    context, level = run_context(run.folder, run.codebook, run.settings), run.settings.level
    design = design_analysis(intervals[intervals["source"] == "ols"], level=level)
    summary = design_by_combination(design)
    run.folder.write("tables/design_analysis.csv", design)
    run.folder.write("tables/audit_rules.csv", rules_table())
    run.folder.write(f"tables/audit_words{ending}.csv", audit_counts(audit))
    tables = [claims_table(audit, context), audit_counts_table(audit, context)]
    tables = [replace(table, name=f"{table.name}{ending}") for table in tables]
    tables.append(design_table(summary, context, level=level))
    write_tables(tables, run.folder.file("tables"), context=context)

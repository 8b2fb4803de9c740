"""The audit stage: a verdict on every claim, and every published number beside the run's."""

from dataclasses import replace

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.atomic import write_text
from bipbayes.audit.claims import REQUIRED
from bipbayes.audit.design import design_analysis, design_by_combination
from bipbayes.audit.evidence import AuditSettings
from bipbayes.audit.rules import rules_table
from bipbayes.audit.verdicts import abstract_sentences, audit_claims, beside_baseline
from bipbayes.data.codebook import Codebook
from bipbayes.describe.description import Description
from bipbayes.disclosure.audit import protected_audit
from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.errors import SettingsError
from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import PLAIN, join_frames, of_analysis
from bipbayes.option_words import BASELINE
from bipbayes.plots.catalogue import claims_task
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.closing import of_audit
from bipbayes.run.compare_stage import FIGURES
from bipbayes.run.console import conclude
from bipbayes.run.default_study import (
    claim_inconsistencies,
    claims_or_default,
    published_and_reproduced,
    published_tables,
)
from bipbayes.run.describe_stage import STAGE as DESCRIBE
from bipbayes.run.describe_stage import describe_run
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run, as_made, open_run, open_stored
from bipbayes.run.posterior_stage import stored_posterior
from bipbayes.run.settings import Settings
from bipbayes.run.stored import (
    as_reported,
    chosen_models,
    ending_of,
    fitted_models,
    is_sound,
    run_context,
    warn_of_other_counts,
)
from bipbayes.tables import FORMATS
from bipbayes.tables.audit_tables import audit_counts_table, claims_table, design_table
from bipbayes.tables.write import DEFAULT_FORMATS, write_tables

STAGE = "audit"


def audit_run(
    run: Run,
    intervals: pd.DataFrame,
    posterior: Posterior,
    *,
    pool: DrawingPool,
    adjusted: Posterior | None = None,
) -> pd.DataFrame:
    """Audit the report's claims (or a user's own) and write frames, tables and picture.

    `run`: an open run; its settings name the claims, and the size that "no effect" speaks of;
    `intervals`: the long frame of the run: OLS and this posterior; `posterior`: the fit whose draws
    answer statements on many estimates; `pool`: draws the picture; `adjusted`: the same model's fit
    at the same previous answer, whose verdicts stand beside; left out where it failed its checks
    and the plain one did not, since the mark follows the latter.
    """
    settings = run.settings
    stated = claims_or_default(settings.claims, run.codebook)
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
            beyond=settings.beyond,
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
    paragraph = " ".join(abstract_sentences(shown, context, model=posterior.model))
    write_text(run.folder.file(f"tables/audit_paragraph{ending}.txt"), paragraph + "\n")
    pool.submit([claims_task(shown, context, ending=ending)])
    wanted = {
        "beyond": settings.beyond,
        "level": settings.level,
        "minimum_count": settings.minimum_count,
    }
    run.folder.finish(_stage(ending), wanted, drawn=False, claims=len(audit))
    warn_of_other_counts(run.folder, settings)
    return audit


def _stage(ending: str) -> str:
    return f"{STAGE}{ending.replace('_', '/', 1)}"


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
    tables = [claims_table(audit, context), audit_counts_table(audit, context)]
    tables = [replace(table, name=f"{table.name}{ending}") for table in tables]
    tables.append(design_table(summary, context, level=level))
    place = run.folder.file("tables")
    # What an export wrote of an earlier audit would stay as it was.
    exported = [name for name in FORMATS if (place / f"{tables[0].name}.{name}").is_file()]
    write_tables(tables, place, context=context, formats=[*DEFAULT_FORMATS, *exported])


def baseline_posterior(
    folder: RunFolder, model: str, codebook: Codebook, settings: Settings
) -> Posterior | None:
    """Read a model's fit at the same previous answer, if there is one."""
    if model not in fitted_models(folder, BASELINE):
        return None
    return stored_posterior(folder, model, codebook, replace(settings, adjust=(BASELINE,)))


def audit_alone(settings: Settings) -> None:
    """Audit the claims against what a folder holds; nothing is fitted.

    `settings`: folder, data, language, the cut-offs and the model whose posterior answers, one at
    most; none is the first that was fitted. Raises RunError: the folder holds no fit, not that
    model, or other data; SettingsError: several models.
    """
    if len(settings.models) > 1:
        raise SettingsError("--model: an audit reads one model; run it once for each, in turn")
    folder, codebook = open_stored(settings)
    if settings.claims is None and not codebook.is_bip:
        raise SettingsError(
            "the claims of the package are about BIP; give your own study's with --claims, a table "
            f"with the columns {', '.join(REQUIRED)}"
        )
    settings = as_made(folder, as_reported(folder, settings))
    if not fitted_models(folder):
        folder.stage("fit_posterior")
    model = next(iter(chosen_models(folder, settings.models)))
    with DrawingPool(folder.file(FIGURES), printing=settings.printing) as pool:
        run = open_run(settings)
        progression = run.progression()
        posterior = stored_posterior(folder, model, codebook, settings)
        # The report's claims are about the plain analysis.
        effects = of_analysis(folder.read("data/intervals.csv"), PLAIN)
        rows = effects[(effects["source"] == "ols") | (effects["model"] == model)]
        audit = audit_run(
            run,
            rows,
            posterior,
            pool=pool,
            adjusted=baseline_posterior(folder, model, codebook, settings),
        )
        if codebook.is_bip and not ending_of(folder, model):
            description = describe_run(run, progression, pool=pool)
            compare_with_published(run, progression, description, audit=audit)
        pool.finish()
        folder.note_drawn([_stage(ending_of(folder, model)), DESCRIBE])
    shown = folder.read(f"tables/audit{ending_of(folder, model)}.csv")  # as the paragraph counts
    conclude(lambda: of_audit(folder, shown))

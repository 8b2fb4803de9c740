"""The main job, end to end; one process fits the models, others draw, beside the main one.

Treatment may follow low answers. So the first model is also fitted at the same previous answer,
whatever was asked for (`--adjust none` leaves it out), and the audit shows both verdicts.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import xarray as xr

from bipbayes.plots.pool import DrawingPool
from bipbayes.run.console import conclude
from bipbayes.run.fits import check_stages, chosen_models, sound_rows
from bipbayes.run.inputs import Run, open_run
from bipbayes.run.posterior_process import PosteriorProcess
from bipbayes.run.settings import Settings
from bipbayes.sampling.engines import engine_of
from bipbayes.sampling.registry import load_model

if TYPE_CHECKING:
    import pandas as pd

    from bipbayes.data.totals import Samples
    from bipbayes.describe.description import Description
    from bipbayes.estimands.posterior import Posterior

logger = logging.getLogger(__name__)

FAILED_EXIT = 1
_LEFT_OUT: Final = (
    "read in parts: nothing was described, audited or fitted at the same previous answer; these "
    "need all responses at once (--parts never)"
)


def reproduce(settings: Settings) -> int:
    """Run everything: responses to figures and tables; then the analysis asked for beside it.

    Parameters
    ----------
    settings
        The run's settings.

    Returns
    -------
    int
        Exit code: 0, or 1 where a reported quantity did not converge (a quick run, whose
        results are marked preliminary, gives 0).
    """
    started = time.monotonic()
    # Drawing and sampling libraries are imported over there while this process reads.
    with (
        DrawingPool(settings.out / "figures", formats=settings.drawn_as) as pool,
        PosteriorProcess(_engines(settings)) as process,
        ExitStack() as stack,
    ):
        run = stack.enter_context(closing(open_run(settings, in_parts=True)))
        plain = replace(run, settings=settings.plain())
        looks_beside = settings.looks_beside and not run.parted
        beside = replace(run, settings=settings.at_baseline()) if looks_beside else None
        for each in (plain, run, *([] if beside is None else [beside])):
            check_stages(each)
        run.folder.note(preliminary=settings.quick, settings=settings.record())
        done = _all_stages(plain, beside, pool, process)
        fitted = list(done.posteriors)
        if settings.analysis:
            from bipbayes.run.add_analysis import add_analysis

            fitted += add_analysis(run, pool, process)
        process.close()  # its memory is for what draws
        if run.parted:
            logger.warning("%s", _LEFT_OUT)
        else:
            _audit(plain, done, fitted, pool=pool)
        from bipbayes.run.report_stage import write_report

        write_report(run.folder, run.codebook, plain.settings, drawn=pool.finish)
        passed = all(posterior.verdict.passed for posterior in fitted)
    from bipbayes.run.closing import of_comparison

    seconds = round(time.monotonic() - started, 1)
    run.folder.note(seconds=seconds)
    logger.info("done in %.0f seconds; results are in %s", seconds, settings.out)
    if settings.quick:
        logger.warning("a quick run: every number is preliminary, for a look and not for a paper")
    conclude(lambda: of_comparison(run.folder))
    return 0 if passed or settings.quick else FAILED_EXIT


def _engines(settings: Settings) -> list[str]:
    """Return the engines that the models will be fitted by."""
    return sorted({engine_of(load_model(model), settings.engine) for model in settings.models})


@dataclass(frozen=True)
class _Done:
    """What the plain stages computed; `posteriors` with the one at the same previous answer."""

    progression: "xr.Dataset | Samples"
    ols: "pd.DataFrame"
    description: "Description | None"
    posteriors: "tuple[Posterior, ...]"


def _all_stages(
    run: Run, beside: Run | None, pool: DrawingPool, process: PosteriorProcess
) -> _Done:
    """Run the stages in order; figures are drawn as soon as their numbers are there."""
    from bipbayes.cells import cell_means

    settings, codebook = run.settings, run.codebook
    progression = run.changes()
    run.look_at_directions(progression)
    cells = cell_means(progression, codebook, vcov=settings.vcov)
    fits = process.submit(run, settings.models, cells)
    extra = [] if beside is None else _submit_beside(beside, progression, process)
    # Imported late: the fit waits for nothing of what follows.
    from bipbayes.run import compare_stage, export_stage
    from bipbayes.run.contexts import run_context
    from bipbayes.run.describe_stage import describe_run
    from bipbayes.run.ols_stage import fit_ols

    ols = fit_ols(run, progression)
    # The mark of an earlier fit does not count: it is being replaced.
    context = replace(run_context(run.folder, codebook, settings), preliminary=settings.quick)
    compare_stage.submit_early(pool, context, ols, cells, settings)
    description = None
    if isinstance(progression, xr.Dataset):
        description = describe_run(
            run, progression, pool=pool, characteristics=settings.characteristics
        )
    if beside is not None:
        fit_ols(beside, progression)
    from bipbayes.run.posterior_stage import store_posterior

    posteriors = [store_posterior(run.folder, process.wait(fit)) for fit in fits]
    passed = all(posterior.verdict.passed for posterior in posteriors)
    if not passed:
        # What failed its checks may be looked at, but it carries its mark.
        context = run_context(run.folder, codebook, settings)
    endings = chosen_models(run.folder, settings.models)
    for posterior in posteriors:
        ending = endings[posterior.model]
        compare_stage.submit_posterior(pool, context, ols, posterior, settings, ending=ending)
    comparison = compare_stage.write_comparison(
        run.folder, ols, [posterior.intervals for posterior in posteriors]
    )
    if passed or settings.quick:
        export_stage.write_tables(
            run.folder,
            codebook,
            settings,
            comparison=comparison,
            intervals=run.folder.read("effects.csv"),
            fits=[posterior.fit for posterior in posteriors],
        )
    else:
        logger.error("a fit failed its checks: its figures are marked, its tables not exported")
    added = [store_posterior(run.folder, process.wait(fit)) for fit in extra]
    if added:
        rows = sound_rows(run.folder, run.folder.read("effects.csv"), settings)
        compare_stage.submit_analyses(pool, context, rows, settings, model=added[0].model)
        if passed or settings.quick:
            export_stage.write_analyses(run.folder, codebook, settings, rows, model=added[0].model)
    return _Done(progression, ols, description, (*posteriors, *added))


def _submit_beside(
    beside: Run, progression: "xr.Dataset | Samples", process: PosteriorProcess
) -> "list[Future[Posterior]]":
    """Hand in the first model at the same previous answer."""
    from bipbayes.run.posterior_stage import cells_of_run

    return process.submit(beside, beside.settings.models, cells_of_run(beside, progression))


def _audit(run: Run, done: _Done, fitted: "Sequence[Posterior]", *, pool: DrawingPool) -> None:
    """Audit the claims by the first plain fit, beside it that at the same previous answer."""
    settings, codebook = run.settings, run.codebook
    if not codebook.is_bip and settings.claims is None:
        return
    from bipbayes.audit.evidence import BASELINE
    from bipbayes.intervals import join_frames
    from bipbayes.run.audit_stage import audit_run, compare_with_published

    first = fitted[0]
    same = [each for each in fitted if (each.analysis, each.model) == (BASELINE, first.model)]
    audit = audit_run(
        run,
        join_frames([done.ols, first.intervals]),
        first,
        pool=pool,
        adjusted=same[0] if same else None,
        claims=settings.claims,
        beyond=settings.beyond,
    )
    if codebook.is_bip and done.description and isinstance(done.progression, xr.Dataset):
        compare_with_published(run, done.progression, done.description, audit=audit)

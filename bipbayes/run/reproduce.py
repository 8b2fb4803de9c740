"""The main job, end to end; one process fits the models, others draw, beside the main one."""

import logging
import time
from dataclasses import replace

from bipbayes.plots.pool import DrawingPool
from bipbayes.run.fits import check_stages, chosen_models, engine_of
from bipbayes.run.inputs import Run, open_run
from bipbayes.run.posterior_process import PosteriorProcess
from bipbayes.run.settings import Settings
from bipbayes.sampling.registry import load_model

logger = logging.getLogger(__name__)

FAILED_EXIT = 1


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
        DrawingPool(settings.out / "figures") as pool,
        PosteriorProcess(_engines(settings), quiet=settings.quiet) as process,
    ):
        run = open_run(settings)
        plain = replace(run, settings=settings.plain())
        for each in (plain, run):
            check_stages(each)
        run.folder.note(preliminary=settings.quick, settings=settings.record())
        passed = _all_stages(plain, pool, process)
        if settings.analysis:
            from bipbayes.run.add_analysis import add_analysis

            passed = add_analysis(run, pool, process) and passed
    seconds = round(time.monotonic() - started, 1)
    run.folder.note(seconds=seconds)
    logger.info("done in %.0f seconds; results are in %s", seconds, settings.out)
    if settings.quick:
        logger.warning("a quick run: every number is preliminary, for a look and not for a paper")
    return 0 if passed or settings.quick else FAILED_EXIT


def _engines(settings: Settings) -> list[str]:
    """Return the engines that the models will be fitted by."""
    return sorted({engine_of(load_model(model), settings.engine) for model in settings.models})


def _all_stages(run: Run, pool: DrawingPool, process: PosteriorProcess) -> bool:
    """Run the stages in order; figures are drawn as soon as their numbers are there."""
    from bipbayes.cells import cell_means

    settings, codebook = run.settings, run.codebook
    progression = run.progression()
    run.look_at_directions(progression)
    cells = cell_means(progression, codebook, vcov=settings.vcov)
    fits = process.submit(run, settings.models, cells)
    # Imported late: the fit waits for nothing of what follows.
    from bipbayes.intervals import join_frames
    from bipbayes.run import compare_stage, export_stage
    from bipbayes.run.contexts import figure_context
    from bipbayes.run.describe_stage import describe_run
    from bipbayes.run.ols_stage import fit_ols

    ols = fit_ols(run, progression)
    # The mark of an earlier fit does not count: it is being replaced.
    context = replace(figure_context(run.folder, codebook, settings), preliminary=settings.quick)
    compare_stage.submit_early(pool, context, ols, cells, settings)
    description = describe_run(
        run, progression, pool=pool, characteristics=settings.characteristics
    )
    from bipbayes.run.audit_stage import audit_run, compare_with_published
    from bipbayes.run.posterior_stage import store_posterior

    posteriors = [store_posterior(run.folder, process.wait(fit)) for fit in fits]
    passed = all(posterior.verdict.passed for posterior in posteriors)
    if not passed:
        # What failed its checks may be looked at, but it carries its mark.
        context = figure_context(run.folder, codebook, settings)
    endings = chosen_models(run.folder, settings.models)
    for posterior in posteriors:
        ending = endings[posterior.model]
        compare_stage.submit_posterior(pool, context, ols, posterior, settings, ending=ending)
    comparison = compare_stage.write_comparison(
        run.folder, ols, [posterior.intervals for posterior in posteriors]
    )
    if codebook.is_bip or settings.claims is not None:
        intervals = join_frames([ols, posteriors[0].intervals])
        audit = audit_run(
            run,
            intervals,
            posteriors[0],
            pool=pool,
            claims=settings.claims,
            beyond=settings.beyond,
        )
        if codebook.is_bip:
            compare_with_published(run, progression, description, audit=audit)
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
    pool.finish()
    return passed

"""One more analysis beside the plain one of the main job: fit, compare, draw, tabulate."""

import logging

from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import frequentist, of_analysis
from bipbayes.plots.pool import DrawingPool
from bipbayes.run import compare_stage, export_stage
from bipbayes.run.contexts import run_context
from bipbayes.run.fits import chosen_models, sound_rows
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import fit_ols, read_intervals
from bipbayes.run.posterior_process import PosteriorProcess
from bipbayes.run.posterior_stage import cells_of_run, store_posterior

logger = logging.getLogger(__name__)


def add_analysis(run: Run, pool: DrawingPool, process: PosteriorProcess) -> list[Posterior]:
    """Run the settings' analysis in a folder that holds the plain one.

    Parameters
    ----------
    run
        An open run, with ``adjust`` or ``ordinal`` in its settings.
    pool
        Draws the figures.
    process
        Fits the models.

    Returns
    -------
    list of Posterior
        The fits; tables are exported only where every one passed its checks.
    """
    settings, codebook = run.settings, run.codebook
    progression = run.progression()
    cells = cells_of_run(run, progression)
    fits = process.submit(run, settings.models, cells)
    ols = fit_ols(run, progression)
    context = run_context(run.folder, codebook, settings)
    compare_stage.submit_early(pool, context, ols, cells, settings)
    posteriors = [store_posterior(run.folder, process.wait(fit)) for fit in fits]
    # What failed its checks carries a mark.
    context = run_context(run.folder, codebook, settings)
    endings = chosen_models(run.folder, settings.models, settings.analysis)
    for posterior in posteriors:
        ending = endings[posterior.model]
        compare_stage.submit_posterior(pool, context, ols, posterior, settings, ending=ending)
    intervals = read_intervals(run.folder)
    model = posteriors[0].model
    shown = sound_rows(run.folder, intervals, settings)
    compare_stage.submit_analyses(pool, context, shown, settings, model=model)
    comparison = compare_stage.write_comparison(
        run.folder,
        frequentist(of_analysis(intervals, settings.analysis)),
        [posterior.intervals for posterior in posteriors],
        analysis=settings.analysis,
    )
    passed = all(posterior.verdict.passed for posterior in posteriors)
    if passed or settings.quick:
        export_stage.write_tables(
            run.folder,
            codebook,
            settings,
            comparison=comparison,
            intervals=intervals,
            fits=[posterior.fit for posterior in posteriors],
        )
    else:
        logger.error("a fit of the added analysis failed its checks: its tables are not exported")
    pool.finish()
    return posteriors

"""The main job, end to end; one process fits the models, others draw, beside the main one.

Treatment may follow low answers. So the first model is also fitted at the same previous answer,
whatever was asked for (`--adjust none` leaves it out), and the audit shows both verdicts.
"""

import logging
import time
from contextlib import ExitStack, closing
from dataclasses import replace

from bipbayes.plots.pool import DrawingPool
from bipbayes.run.console import conclude
from bipbayes.run.inputs import open_run
from bipbayes.run.posterior_process import PosteriorProcess
from bipbayes.run.settings import Settings
from bipbayes.run.stored import check_stages
from bipbayes.sampling.registry import engine_of, load_model

logger = logging.getLogger(__name__)

FAILED_EXIT = 1


def reproduce(settings: Settings) -> int:
    """Run everything: responses to figures and tables; then the analysis asked for beside it.

    Returns: exit code: 0, or 1 where a reported quantity did not converge (a quick run, whose
    results are marked preliminary, gives 0).
    """
    started = time.monotonic()
    engines = {engine_of(load_model(model), settings.engine) for model in settings.models}
    # Drawing and sampling libraries are imported over there while this process reads.
    with (
        DrawingPool(settings.out / "figures", printing=settings.printing) as pool,
        PosteriorProcess(sorted(engines)) as process,
        ExitStack() as stack,
    ):
        run = stack.enter_context(closing(open_run(settings, in_parts=True)))
        pool.folder = run.folder.file("figures")
        plain = replace(run, settings=settings.plain())
        looks_beside = settings.looks_beside and not run.parted
        beside = replace(run, settings=settings.at_baseline()) if looks_beside else None
        for each in (plain, run, *([] if beside is None else [beside])):
            check_stages(each)
        run.folder.note(preliminary=settings.quick, settings=settings.record())
        changes = run.changes()
        run.look_at_directions(changes)
        # The fits begin in this order, one after the other.
        first = process.fit(plain, changes)
        extra = None if beside is None else process.fit(beside, changes)
        asked = process.fit(run, changes) if settings.analysis else None
        from bipbayes.run.main_stages import work_through

        fitted = work_through(first, extra, asked, pool)
    from bipbayes.run.closing import of_comparison

    seconds = round(time.monotonic() - started, 1)
    run.folder.note(seconds=seconds)
    logger.info("done in %.0f seconds; results are in %s", seconds, run.folder.path)
    if settings.quick:
        told = "a quick run: every number is preliminary, for a look and not for a paper"
        logger.warning(told, extra={"asked": True})
    conclude(lambda: of_comparison(run.folder))
    passed = all(posterior.verdict.passed for posterior in fitted)
    return 0 if passed or settings.quick else FAILED_EXIT

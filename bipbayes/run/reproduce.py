"""The main job, end to end; one process fits the models, others draw, beside the main one.

Treatment may follow low answers. So the first model is also fitted at the same previous answer,
whatever was asked for (`--adjust none` leaves it out), and the audit shows both verdicts.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import xarray as xr

from bipbayes.plots.pool import DrawingPool
from bipbayes.run.console import conclude
from bipbayes.run.inputs import Run, open_run
from bipbayes.run.posterior_process import PosteriorProcess
from bipbayes.run.settings import Settings
from bipbayes.run.stored import check_stages, chosen_models, sound_rows
from bipbayes.sampling.engines import engine_of
from bipbayes.sampling.registry import load_model

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pandas as pd

    from bipbayes.data.totals import Samples
    from bipbayes.describe.description import Description
    from bipbayes.estimands.posterior import Posterior

    type Changes = xr.Dataset | Samples

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
        changes = run.changes()
        run.look_at_directions(changes)
        # The fits begin in this order, one after the other.
        first = _Analysis(plain, changes, process)
        extra = None if beside is None else _Analysis(beside, changes, process)
        asked = _Analysis(run, changes, process) if settings.analysis else None
        description, fitted = _work_through(first, extra, asked, pool)
        process.close()  # its memory is for what draws
        if run.parted:
            logger.warning("%s", _LEFT_OUT)
        else:
            _audit(first, description, fitted, pool=pool)
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


class _Analysis:
    """One analysis of the main job, its models being fitted from the moment it is made."""

    def __init__(self, run: Run, changes: "Changes", process: PosteriorProcess) -> None:
        from bipbayes.run.posterior_stage import cells_of_run

        self.run, self.changes, self._process = run, changes, process
        self._cells = cells_of_run(run, changes)
        self._fits: list[Future[Posterior]] = process.submit(run, run.settings.models, self._cells)
        self.ols: pd.DataFrame

    def estimate(self, pool: DrawingPool | None) -> None:
        """Estimate OLS, or what stands in its place, and draw it where there is a pool."""
        from bipbayes.run.compare_stage import submit_early
        from bipbayes.run.ols_stage import fit_ols
        from bipbayes.run.stored import run_context

        run = self.run
        self.ols = fit_ols(run, self.changes)
        if pool is not None:
            # The mark of an earlier fit does not count: it is being replaced.
            context = run_context(run.folder, run.codebook, run.settings)
            context = replace(context, preliminary=run.settings.quick)
            submit_early(pool, context, self.ols, self._cells, run.settings)

    def store(self) -> "list[Posterior]":
        """Wait for the fits and store them."""
        from bipbayes.run.posterior_stage import store_posterior

        waited = (self._process.wait(fit) for fit in self._fits)
        return [store_posterior(self.run.folder, posterior) for posterior in waited]

    def finish(self, pool: DrawingPool) -> "list[Posterior]":
        """Store the fits, compare them with OLS, draw, and tabulate where all passed."""
        from bipbayes.run import compare_stage, export_stage
        from bipbayes.run.stored import run_context

        run, posteriors = self.run, self.store()
        folder, codebook, settings = run.folder, run.codebook, run.settings
        # What failed its checks may be looked at, but it carries its mark.
        context = run_context(folder, codebook, settings)
        endings = chosen_models(folder, settings.models, settings.analysis)
        for posterior in posteriors:
            ending = endings[posterior.model]
            compare_stage.submit_posterior(
                pool, context, self.ols, posterior, settings, ending=ending
            )
        comparison = compare_stage.write_comparison(
            folder,
            self.ols,
            [posterior.intervals for posterior in posteriors],
            analysis=settings.analysis,
        )
        if settings.quick or all(posterior.verdict.passed for posterior in posteriors):
            export_stage.write_tables(
                folder,
                codebook,
                settings,
                comparison=comparison,
                intervals=folder.read("data/intervals.csv"),
                fits=[posterior.fit for posterior in posteriors],
            )
        else:
            logger.error("a fit failed its checks: its figures are marked, its tables not exported")
        return posteriors


def _work_through(
    first: _Analysis, extra: _Analysis | None, asked: _Analysis | None, pool: DrawingPool
) -> "tuple[Description | None, list[Posterior]]":
    """Do what needs no fit while the models are fitted, then what waits for each."""
    # Imported late: the fits wait for nothing of what follows.
    from bipbayes.run.describe_stage import describe_run

    first.estimate(pool)
    description, chosen = None, first.run.settings.characteristics
    if isinstance(first.changes, xr.Dataset):
        description = describe_run(first.run, first.changes, pool=pool, characteristics=chosen)
    if extra is not None:
        extra.estimate(None)
    if asked is not None:
        asked.estimate(pool)
    fitted = first.finish(pool)
    if extra is not None:
        fitted = [*fitted, *extra.store()]
    if asked is not None:
        fitted = [*fitted, *asked.finish(pool)]
    if extra is not None or asked is not None:
        _put_side_by_side(first.run, fitted, pool)
    return description, fitted


def _put_side_by_side(run: Run, fitted: "Sequence[Posterior]", pool: DrawingPool) -> None:
    """Draw and tabulate the first model's effects under all analyses."""
    from bipbayes.run import compare_stage, export_stage
    from bipbayes.run.stored import run_context

    folder, settings, model = run.folder, run.settings, fitted[0].model
    context = run_context(folder, run.codebook, settings)
    rows = sound_rows(folder, folder.read("data/intervals.csv"), settings)
    compare_stage.submit_analyses(pool, context, rows, settings, model=model)
    if settings.quick or fitted[0].verdict.passed:
        export_stage.write_analyses(folder, run.codebook, settings, rows, model=model)


def _audit(
    analysis: _Analysis,
    description: "Description | None",
    fitted: "Sequence[Posterior]",
    *,
    pool: DrawingPool,
) -> None:
    """Audit the claims by the first plain fit, beside it that at the same previous answer."""
    run = analysis.run
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
        join_frames([analysis.ols, first.intervals]),
        first,
        pool=pool,
        adjusted=same[0] if same else None,
        claims=settings.claims,
        beyond=settings.beyond,
    )
    if codebook.is_bip and description and isinstance(analysis.changes, xr.Dataset):
        compare_with_published(run, analysis.changes, description, audit=audit)

"""What the main job makes of its analyses: estimates, figures, tables, the audit, the page.

Imported when the fits have begun, so that they wait for nothing of it.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import join_frames
from bipbayes.option_words import BASELINE
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.audit_stage import audit_run, compare_with_published
from bipbayes.run.compare_stage import (
    submit_analyses,
    submit_early,
    submit_posterior,
    write_comparison,
)
from bipbayes.run.describe_stage import describe_run
from bipbayes.run.export_stage import note_tables, write_analyses, write_tables
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_process import Fitting
from bipbayes.run.posterior_stage import store_posterior
from bipbayes.run.report_stage import write_report
from bipbayes.run.stored import chosen_models, run_context, sound_rows

logger = logging.getLogger(__name__)

_LEFT_OUT: Final = (
    "read in parts: nothing was described, audited or fitted at the same previous answer; these "
    "need all responses at once (--parts never)"
)


def work_through(
    first: Fitting, extra: Fitting | None, asked: Fitting | None, pool: DrawingPool
) -> list[Posterior]:
    """Do what needs no fit while the models are fitted, then what waits for each.

    `first`, `extra`, `asked`: the plain analysis, that at the same previous answer unasked, and the
    one asked for; `pool`: draws the figures. Returns: all fits, the plain ones first.
    """
    run, changes = first.run, first.changes
    ols = _estimate(first, pool)
    description = None
    if isinstance(changes, xr.Dataset):
        description = describe_run(run, changes, pool=pool)
    if extra is not None:
        fit_ols(extra.run, changes)
    beside = None if asked is None else _estimate(asked, pool)
    fitted = _finish(first, ols, pool)
    if extra is not None:
        fitted += _store(extra)
    if asked is not None and beside is not None:
        fitted += _finish(asked, beside, pool)
    first.process.close()  # its memory is for what draws
    if len({posterior.analysis for posterior in fitted}) > 1:
        _put_side_by_side(run, fitted, pool)
    book = run.codebook
    if not isinstance(changes, xr.Dataset):
        logger.warning("%s", _LEFT_OUT)
    elif book.is_bip or run.settings.claims is not None:
        audit = _audit(run, ols, fitted, pool)
        if book.is_bip and description is not None:
            compare_with_published(run, changes, description, audit=audit)
    write_report(run.folder, book, run.settings, drawn=pool.finish)
    return fitted


def _estimate(analysis: Fitting, pool: DrawingPool) -> pd.DataFrame:
    """Estimate OLS, or what stands in its place, and draw it."""
    run = analysis.run
    ols = fit_ols(run, analysis.changes)
    # The mark of an earlier fit does not count: it is being replaced.
    context = run_context(run.folder, run.codebook, run.settings)
    context = replace(context, preliminary=run.settings.quick)
    submit_early(pool, context, ols, analysis.cells, run.settings)
    return ols


def _store(analysis: Fitting) -> list[Posterior]:
    """Wait for the fits and store them."""
    waited = (analysis.process.wait(fit) for fit in analysis.fits)
    return [store_posterior(analysis.run.folder, posterior) for posterior in waited]


def _finish(analysis: Fitting, ols: pd.DataFrame, pool: DrawingPool) -> list[Posterior]:
    """Store the fits, compare them with OLS, draw, and tabulate where all passed."""
    run, posteriors = analysis.run, _store(analysis)
    folder, codebook, settings = run.folder, run.codebook, run.settings
    # What failed its checks may be looked at, but it carries its mark.
    context = run_context(folder, codebook, settings)
    endings = chosen_models(folder, settings.models, settings.analysis)
    for posterior in posteriors:
        ending = endings[posterior.model]
        submit_posterior(pool, context, ols, posterior, settings, ending=ending)
    comparison = write_comparison(
        folder,
        ols,
        [posterior.intervals for posterior in posteriors],
        analysis=settings.analysis,
    )
    if settings.quick or all(posterior.verdict.passed for posterior in posteriors):
        fits = [posterior.fit for posterior in posteriors]
        paths = write_tables(
            folder,
            codebook,
            settings,
            comparison=comparison,
            intervals=folder.read("data/intervals.csv"),
            fits=fits,
        )
        note_tables(folder, settings, paths, [str(fit.attrs["model"]) for fit in fits])
    else:
        logger.error("a fit failed its checks: its figures are marked, its tables not exported")
    return posteriors


def _put_side_by_side(run: Run, fitted: Sequence[Posterior], pool: DrawingPool) -> None:
    """Draw and tabulate the first model's effects under all analyses."""
    folder, settings, model = run.folder, run.settings, fitted[0].model
    rows = sound_rows(folder, folder.read("data/intervals.csv"), settings)
    context = run_context(folder, run.codebook, settings)
    submit_analyses(pool, context, rows, settings, model=model)
    if settings.quick or fitted[0].verdict.passed:
        write_analyses(folder, run.codebook, settings, rows, model=model)


def _audit(
    run: Run, ols: pd.DataFrame, fitted: Sequence[Posterior], pool: DrawingPool
) -> pd.DataFrame:
    """Audit the claims by the first plain fit, beside it that at the same previous answer."""
    first = fitted[0]
    same = [each for each in fitted if (each.analysis, each.model) == (BASELINE, first.model)]
    return audit_run(
        run,
        join_frames([ols, first.intervals]),
        first,
        pool=pool,
        adjusted=same[0] if same else None,
    )

"""The one page on a comparison, as a file."""

from pathlib import Path

from bipbayes.api.choices import blanked, file_of, of_kind, one_of
from bipbayes.api.comparisons import Comparison
from bipbayes.api.fits import Fit
from bipbayes.atomic import write_text
from bipbayes.data.study_words import study_words
from bipbayes.errors import DataError, SettingsError
from bipbayes.intervals import join_frames
from bipbayes.page.contents import PageContents
from bipbayes.page.page import page_html
from bipbayes.run.posterior_stage import fit_facts
from bipbayes.run.software import software
from bipbayes.tables.export import MINIMUM_COUNT

BASELINE = "baseline"
ENDINGS = (".html", ".docx")
_TOLD = ("model", "engine", "seed", "vcov", "sampler", "draws_requested")


def report(
    both: Comparison,
    path: str | Path,
    *,
    baseline: Fit | None = None,
    minimum_count: int = MINIMUM_COUNT,
) -> Path:
    """Write the page on a comparison: what came out, whether to trust it, every number.

    Parameters
    ----------
    both
        From `bipbayes.compare`, of the plain analysis.
    path
        A file that ends in ``.html`` (it needs no other file and no network) or ``.docx``; one
        that is there is replaced.
    baseline
        The same model fitted at the same previous answer (``bb.fit(study, adjust="baseline")``),
        which then stands beside.
    minimum_count
        Of data that are not synthetic: fewest citizens that a printed number may rest on.

    Returns
    -------
    pathlib.Path
        The file, which appears only when it is complete.

    Raises
    ------
    SettingsError, DataError
        Another ending, too small a count, or a fit of another study.

    Examples
    --------
    >>> bb.report(both, "report.html").name
    'report.html'
    """
    of_kind("both", both, Comparison, "compare")
    target = file_of("path", path)
    one_of("path: its ending", target.suffix, ENDINGS)
    if both.ols.analysis:
        raise SettingsError("both: the page is on the plain analysis; give others as baseline")
    contents = _contents(both, _beside(both, baseline), minimum_count)
    if target.suffix == ".html":
        write_text(target, page_html(contents))
    else:
        from bipbayes.page.word import write_page_document

        write_page_document(contents, target)
    return target


def _beside(both: Comparison, baseline: Fit | None) -> list[Fit]:
    if baseline is None:
        return []
    of_kind("baseline", baseline, Fit, "fit")
    if (analysis := baseline.posterior.analysis) != BASELINE:
        raise SettingsError(
            "baseline must be a fit at the same previous answer, bipbayes.fit(study, "
            f"adjust='baseline'), not one of the {analysis or 'plain'} analysis"
        )
    if baseline.study.digest != both.study.digest:
        raise DataError(f"baseline is a fit of {baseline.study.name}, not of {both.study.name}")
    return [baseline]


def _contents(both: Comparison, beside: list[Fit], minimum_count: int) -> PageContents:
    study, fit = both.study, both.fit
    book, stage = study.codebook, f"fit_posterior/{fit.model}"
    intervals = join_frames([both.intervals, *(each.posterior.intervals for each in beside)])
    least = None if study.synthetic else minimum_count
    responses, citizens = study.size
    data = {
        "name": study.name,
        "sha256": study.digest,
        "responses": responses,
        "citizens": citizens,
        "findings": study.facts.warnings,
        "words": study_words(book.words, "en"),
    }
    return PageContents(
        context=both.context(),
        record={
            "data": data,
            "stages": {stage: {"verdict": fit.verdict.record(), **fit_facts(fit.posterior)}},
            "changed": {key: fit.tree.attrs[key] for key in _TOLD if key in fit.tree.attrs},
            "software": software(),
        },
        comparison=blanked(both.rows, book, least),
        intervals=blanked(intervals, book, least),
        model=fit.model,
        stage=stage,
        minimum_count=least or 0,
    )

"""A folder in which a model is fitted again: no old number may be taken for a new one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from builders import Shape, make_codebook, random_study

from bipbayes.errors import RunError
from bipbayes.intervals import frequentist
from bipbayes.run.compare_stage import write_comparison
from bipbayes.run.export_stage import refuse_failed
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import compute_posterior, fit_posterior, store_posterior
from bipbayes.run.report_stage import write_report
from bipbayes.run.settings import Settings
from bipbayes.run.stored import as_reported, check_stages, fit_file, is_preliminary, sound_rows
from bipbayes.sampling.exact import fit as exact

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b", "c"))
STUDY = random_study(CODEBOOK, seed=8, shape=Shape(citizens=150, waves=(2, 4)))
MODEL = "hierarchical"


def _run(folder: Path, **options: Any) -> Run:
    run_folder = RunFolder(folder)
    run_folder.claim({"data": "x", "codebook": "y", "previous": "item"}, overwrite=False)
    told = {"name": "random", "synthetic": True, "responses": 1, "citizens": 1}
    run_folder.note(data=told)
    settings = Settings(out=folder, models=(MODEL,), quiet=True, overwrite=True, **options)
    return Run(settings, STUDY, CODEBOOK, run_folder)


def test_another_covariance_replaces_the_rows(tmp_path: Path) -> None:
    """Catches rows of draws that are gone, doubled in every table of the comparison."""
    first = _run(tmp_path)
    ols = fit_ols(first)
    fit_posterior(first, MODEL)
    before = len(first.folder.read("data/intervals.csv"))
    posterior = fit_posterior(_run(tmp_path, vcov="response"), MODEL)
    after = first.folder.read("data/intervals.csv")
    assert len(after) == before
    assert set(after.loc[after["source"] == "posterior", "vcov"]) == {"response"}
    table = write_comparison(first.folder, frequentist(ols), [posterior.intervals])
    assert not table.duplicated(["model", "estimand", "outcome", "combination"]).any()


def test_what_rests_on_an_earlier_fit_is_no_longer_done(tmp_path: Path) -> None:
    """Catches an old comparison exported beside new draws, and a new page that calls itself old."""
    run = _run(tmp_path)
    ols = fit_ols(run)
    posterior = fit_posterior(run, MODEL)
    write_comparison(run.folder, frequentist(ols), [posterior.intervals])
    assert run.folder.stage("compare")
    quick = replace(run.settings, quick=True)
    first = write_report(run.folder, CODEBOOK, quick).read_text("utf-8")
    again = fit_posterior(_run(tmp_path, seed=2), MODEL)
    with pytest.raises(RunError, match="holds no compare"):
        run.folder.stage("compare")
    write_comparison(run.folder, frequentist(ols), [again.intervals])
    second = write_report(run.folder, CODEBOOK, quick).read_text("utf-8")
    assert "earlier fit" not in second and second != first


def test_draws_change_only_with_their_rows_and_verdict(tmp_path: Path) -> None:
    """Catches new draws under an old verdict, when the run fails between the two."""
    run = _run(tmp_path)
    fit_posterior(run, MODEL)
    place = run.folder.file(fit_file(MODEL))
    old = place.read_bytes()
    computed = compute_posterior(_run(tmp_path, vcov="response"), MODEL)
    assert place.read_bytes() == old
    store_posterior(run.folder, computed)
    assert xr.load_datatree(place, engine="h5netcdf").attrs["vcov"] == "response"


def test_a_failed_fit_is_marked_and_not_shown_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a fit of uneven weights that is drawn unmarked, exported or put into a table."""
    run = _run(tmp_path)
    fit_ols(run)
    fit_posterior(run, MODEL)
    assert not is_preliminary(run.folder, run.settings)

    sample = exact.sample

    def uneven(*arguments: Any, **options: Any) -> xr.DataTree:
        fit = sample(*arguments, **options)
        fit.attrs["k_hat"] = 0.9
        return fit

    monkeypatch.setattr(exact, "sample", uneven)
    adjusted = _run(tmp_path, adjust=("baseline",))
    fit_ols(adjusted)
    fit_posterior(adjusted, MODEL)
    assert is_preliminary(run.folder, adjusted.settings)
    assert not is_preliminary(run.folder, run.settings)
    with pytest.raises(RunError, match="no result"):
        refuse_failed(run.folder, MODEL, analysis="baseline")
    rows = run.folder.read("data/intervals.csv")
    shown = sound_rows(run.folder, rows, run.settings)
    assert set(shown.loc[shown["source"] == "posterior", "analysis"]) == {""}
    assert set(shown.loc[shown["source"] == "ols", "analysis"]) == {"", "baseline"}


def test_other_settings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Catches a refused run that has marked the folder already."""
    run = _run(tmp_path)
    fit_posterior(run, MODEL)
    other = replace(run, settings=replace(run.settings, overwrite=False, draws=7))
    with pytest.raises(RunError, match="other settings"):
        check_stages(other)


def test_stored_fits_keep_their_level(tmp_path: Path) -> None:
    """Catches captions and tables of 95 % around rows of another level."""
    run = _run(tmp_path, level=0.8, kind="hdi")
    fit_posterior(run, MODEL)
    reported = as_reported(run.folder, replace(run.settings, level=0.95, kind="eti"))
    assert (reported.level, reported.kind) == (0.8, "hdi")

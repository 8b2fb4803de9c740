"""Several analyses in one folder: stored side by side, never mixed up, refused in sentences."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_study

from bipbayes.cells.means import observed_weights
from bipbayes.data.adjustment import make_adjustment
from bipbayes.errors import RunError, SettingsError
from bipbayes.estimands.draws import effect_draws
from bipbayes.estimands.posterior import cells_of
from bipbayes.intervals import ANALYSES, frequentist, of_analysis
from bipbayes.option_words import ADJUSTMENTS
from bipbayes.ordinal import estimate_ordinal, ordinal_intervals, translate
from bipbayes.plots.task import FigureTask, Printing
from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.regression.adjusted import estimate_adjusted
from bipbayes.run import compare_stage, export_stage, leaving
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.options import settings_from
from bipbayes.run.posterior_stage import fit_posterior
from bipbayes.run.report_stage import _contents
from bipbayes.run.settings import Settings
from bipbayes.run.stored import fit_file, fitted_models, stored_fit
from bipbayes.sampling.tree import load_fit, save_fit

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b", "c"))
STUDY = random_study(CODEBOOK, seed=8, shape=Shape(citizens=150, waves=(2, 4)))
FACTS = {"name": "random", "synthetic": True}
MODEL = "complete_pooling"


def _run(folder: Path, **options: Any) -> Run:
    sampling = {"draws": 150, "tune": 150, "chains": 2}
    # Quick: with so few draws no fit passes its checks, and nothing else would be shown.
    given = {**sampling, "quick": True, "outcomes": CODEBOOK.outcomes, **options}
    settings = Settings(**{"out": folder, "models": (MODEL,), "quiet": True, **given})
    run_folder = RunFolder(folder)
    run_folder.claim({"data": STUDY.digest, "codebook": "y", "previous": "item"}, overwrite=False)
    run_folder.note(data=FACTS)
    return Run(settings, STUDY, CODEBOOK, run_folder)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plain, the baseline and the ordinal analysis, in an odd order."""
    folder = tmp_path_factory.mktemp("analyses")
    for options in ({"ordinal": True}, {}, {"adjust": ("baseline",)}):
        run = _run(folder, **options)
        fit_ols(run)
        fit_posterior(run, MODEL)
    return folder


def _same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        left.reset_index(drop=True), right.reset_index(drop=True), check_dtype=False
    )


def test_each_analysis_has_the_rows_of_its_engine(stored: Path) -> None:
    """Catches an analysis that is estimated with another's regressors, and lost rows."""
    effects = frequentist(RunFolder(stored).read("data/intervals.csv"))
    progression = _run(stored).progression()
    adjustment = make_adjustment(progression, CODEBOOK, adjust=("baseline",))
    adjusted = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment)
    expected = {
        "": ols_intervals(estimate_ols(progression, CODEBOOK), CODEBOOK),
        "baseline": ols_intervals(adjusted, CODEBOOK),
        "ordinal": ordinal_intervals(estimate_ordinal(progression, CODEBOOK), CODEBOOK),
    }
    assert set(effects["analysis"]) == set(expected)
    for analysis, frame in expected.items():
        _same(of_analysis(effects, analysis), frame)
    plain, baseline = (of_analysis(effects, name)["estimate"] for name in ("", "baseline"))
    assert abs(plain.to_numpy() - baseline.to_numpy()).max() > 0.01


def test_adding_an_analysis_leaves_the_others_alone(tmp_path: Path) -> None:
    """Catches merging by source and errors alone, which would replace the plain rows."""
    fit_ols(_run(tmp_path))
    before = RunFolder(tmp_path).read("data/intervals.csv")
    fit_ols(_run(tmp_path, adjust=("baseline",)))
    _same(of_analysis(RunFolder(tmp_path).read("data/intervals.csv"), ""), before)
    fit_ols(_run(tmp_path, adjust=("baseline",), level=0.8, overwrite=True))
    after = RunFolder(tmp_path).read("data/intervals.csv")
    _same(of_analysis(after, ""), before)
    assert set(of_analysis(after, "baseline")["level"]) == {0.8}


def test_a_quick_fit_is_on_its_page(stored: Path, tmp_path: Path) -> None:
    """Catches a page of a quick run that loses its overall effects when written by itself."""
    run = _run(Path(shutil.copytree(stored, tmp_path / "copy")))
    rows = of_analysis(run.folder.read("data/intervals.csv"), "")
    ols, posterior = (rows[rows["source"] == source] for source in ("ols", "posterior"))
    compare_stage.write_comparison(run.folder, ols, [posterior], analysis="")
    contents = _contents(run.folder, CODEBOOK, replace(run.settings, quick=False))
    assert set(contents.overall("effect").index) == set(CODEBOOK.combinations)


def test_the_same_estimates_again_leave_later_steps_as_they_are(tmp_path: Path) -> None:
    """Catches a comparison called out of date although not a number under it has changed."""
    fit_ols(_run(tmp_path))
    folder = RunFolder(tmp_path)
    folder.finish("compare", {})
    fit_ols(_run(tmp_path))
    assert "compare" in folder.record()["stages"]
    fit_ols(_run(tmp_path, level=0.8, overwrite=True))
    assert folder.record()["stale"] == ["compare"]


def test_fits_are_stored_by_analysis(stored: Path) -> None:
    """Catches draws of one analysis written over another's, or found under its name."""
    folder = RunFolder(stored)
    for name in ("", "baseline", "ordinal"):
        assert fitted_models(folder, name) == [MODEL]
        ending = f"-{name}" if name else ""
        assert f"fit_posterior/{MODEL}{ending}" in folder.record()["stages"]
        fit = load_fit(folder.file(f"posterior/{MODEL}{ending}.nc"))
        assert str(fit.attrs.get("analysis", "")) == name
    assert fitted_models(folder, "covariates") == []
    diagnostics = folder.read("data/diagnostics.csv")
    assert set(diagnostics["analysis"]) == {"", "baseline", "ordinal"}
    sizes = diagnostics.groupby("analysis").size()
    assert sizes.nunique() == 1


def test_ordinal_draws_are_translated(stored: Path) -> None:
    """Catches latent effects reported as standard deviations of progression."""
    folder = RunFolder(stored)
    fit = load_fit(folder.file(f"posterior/{MODEL}-ordinal.nc"))
    cells = cells_of(fit)
    latent = effect_draws(fit, cells)
    weights = observed_weights(cells).sel(outcome="q1").drop_vars("outcome")
    moved = (translate(latent, cells).sel(indicator="q1") * weights).sum("jobcenter")
    rows = of_analysis(folder.read("data/intervals.csv"), "ordinal")
    rows = rows[(rows["model"] == MODEL) & (rows["estimand"] == "effect")]
    mine = rows[rows["outcome"] == "q1"].set_index("combination")["estimate"]
    for combination in CODEBOOK.combinations:
        here = moved.sel(combination=combination)
        assert mine[combination] == pytest.approx(float(here.mean()), abs=1e-12)
        untouched = (latent.sel(combination=combination, indicator="q1") * weights.sel(
            combination=combination)).sum("jobcenter")  # fmt: skip
        assert abs(float(untouched.mean())) > 1.05 * abs(mine[combination])


class _Recorder:
    """A drawing pool that only notes what was handed in."""

    tasks: ClassVar[list[str]] = []

    def __init__(self, folder: Path, *, printing: Printing) -> None:
        type(self).tasks = []

    def __enter__(self) -> "_Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def submit(self, tasks: list[FigureTask]) -> None:
        self.tasks.extend(task.name for task in tasks)

    def finish(self) -> list[Path]:
        return []


def _compare(folder: Path, **options: Any) -> list[str]:
    run = _run(folder, **options)
    compare_stage.compare_stored(run.folder, CODEBOOK, run.settings)
    return _Recorder.tasks


def test_figures_are_counted_not_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Catches two formats counted as two figures, and a folder of two sizes without a word."""
    caplog.set_level("INFO")
    folder = RunFolder(tmp_path)
    paths = [tmp_path / "figures" / name for name in ("a.png", "a.pdf", "b.png", "old.png")]
    paths[0].parent.mkdir()
    for path in paths:
        path.touch()
    compare_stage._say_drawn(folder, paths[:3], size="column")
    assert "2 figures (3 files)" in caplog.text and "1 other figures" in caplog.text
    caplog.clear()
    compare_stage._say_drawn(folder, paths[:3:2], size=None)
    assert "2 figures are in" in caplog.text and "other" not in caplog.text


def test_comparisons_put_each_analysis_beside_its_own(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an ordinal posterior beside plain OLS, and comparisons that replace each other."""
    monkeypatch.setattr(compare_stage, "DrawingPool", _Recorder)
    names = {name: _compare(stored, **options) for name, options in (
        ("", {}), ("baseline", {"adjust": ("baseline",)}), ("ordinal", {"ordinal": True})
    )}  # fmt: skip
    table = RunFolder(stored).read("data/comparison.csv")
    effects = frequentist(RunFolder(stored).read("data/intervals.csv"))
    for name in names:
        errors = "cluster_citizen" if name == "ordinal" else "classical"
        rows = of_analysis(table, name)
        assert set(rows["vcov_ols"]) == {errors} and rows["ols_lower"].notna().all()
        own = of_analysis(effects[effects["vcov"] == errors], name)
        both = rows.merge(own, on=["estimand", "outcome", "combination"])
        assert len(both) == len(rows) > 0
        np.testing.assert_allclose(both["ols_estimate"], both["estimate"])
        ending = f"_{name}" if name else ""
        assert f"forest_q1{ending}" in names[name] and "analyses_all_indicators" in names[name]
    assert all(task.endswith("_baseline") or task.startswith("analyses")
               for task in names["baseline"])  # fmt: skip
    assert "residual_correlation_ordinal" not in names["ordinal"]


def test_exports_name_the_analysis(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches tables of one analysis written over another's, or that do not say which it is."""
    monkeypatch.setattr(compare_stage, "DrawingPool", _Recorder)
    for options in ({}, {"ordinal": True}):
        _compare(stored, **options)
        run = _run(stored, **options)
        export_stage.export_stored(run.folder, CODEBOOK, run.settings)
    tables = stored / "tables"
    plain, ordinal = (
        (tables / f"comparison_effect{ending}.html").read_text(encoding="utf-8")
        for ending in ("", "_ordinal")
    )
    assert "Ordered probit of the answer" in ordinal and "Ordered probit" not in plain
    raw = pd.read_csv(tables / "comparison_effect_ordinal.csv", keep_default_na=False)
    assert set(raw["analysis"]) == {"ordinal"}
    together = pd.read_csv(tables / "analyses.csv", keep_default_na=False)
    assert set(together["analysis"]) == {"", "baseline", "ordinal"}
    assert {"all_indicators", *CODEBOOK.outcomes} == set(together["outcome"])
    printed = (tables / "analyses.html").read_text(encoding="utf-8")
    assert "Same previous answer" in printed and "Answers as categories" in printed


@pytest.mark.parametrize("verb", [compare_stage.compare_stored, export_stage.export_stored])
def test_an_analysis_that_is_not_stored_is_a_sentence(
    stored: Path, verb: Callable[..., None]
) -> None:
    """Catches the plain analysis shown in place of the one asked for."""
    run = _run(stored, adjust=("covariates", "baseline"))
    with pytest.raises(RunError, match=r"no baseline\+covariates .* --adjust baseline --adjust"):
        verb(run.folder, CODEBOOK, run.settings)


def test_options_become_one_analysis() -> None:
    """Catches two names for one analysis, and words here that other modules do not know."""
    assert Settings().analysis == "" and Settings(ordinal=True).analysis == "ordinal"
    both = settings_from({"adjust": ["covariates,baseline"], "covariates": ["age"]})
    assert both.analysis == "baseline+covariates" in ANALYSES
    assert both.plain() == replace(both, adjust=(), covariates=())
    assert tuple(name for name in ADJUSTMENTS if Settings(adjust=(name,)).analysis) == ADJUSTMENTS


def test_refused_combinations_are_sentences() -> None:
    """Catches an option that is silently ignored."""
    with pytest.raises(SettingsError, match="exclude each other"):
        Settings(adjust=("baseline",), ordinal=True)
    with pytest.raises(
        SettingsError, match=r"--adjust .age. is unknown; known: baseline, covariates"
    ):
        Settings(adjust=("age",))
    with pytest.raises(SettingsError, match="needs --adjust covariates"):
        Settings(adjust=("baseline",), covariates=("age",))


def test_covariates_without_a_file_are_refused(tmp_path: Path) -> None:
    """Catches own data adjusted for the synthetic register, and a file that is not there."""
    own = _run(tmp_path, data=Path("mine.csv"), adjust=("covariates",))
    with pytest.raises(SettingsError, match="--characteristics"):
        fit_ols(own)
    absent = replace(own.settings, characteristics=tmp_path / "none.csv")
    with pytest.raises(SettingsError, match=r"no file .*none\.csv"):
        fit_ols(replace(own, settings=absent))
    assert "fit_ols/covariates" not in own.folder.record()["stages"]


def test_covariates_come_from_the_file_given(tmp_path: Path) -> None:
    """Catches other columns than those named, and ids that do not find their citizens."""
    people = STUDY.responses["citizen"].unique()
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"citizen": people, "age": rng.normal(40, 9, len(people)), "lives": "in town",
         "visits": rng.poisson(3, len(people)), "synthetic": 1}
    )  # fmt: skip
    path = tmp_path / "people.csv"
    frame.to_csv(path, index=False)
    chosen = {"adjust": ("covariates",), "characteristics": path, "covariates": ("age",)}
    rows = fit_ols(_run(tmp_path / "run", **chosen))
    progression = _run(tmp_path / "run").progression()
    adjustment = make_adjustment(
        progression, CODEBOOK, adjust=("covariates",), covariates=frame, columns=["age"]
    )
    expected = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment)
    _same(rows, ols_intervals(expected, CODEBOOK))
    stage = RunFolder(tmp_path / "run").stage("fit_ols/covariates")
    assert stage["settings"]["covariates"] == ["age"]


def test_draws_of_other_data_are_refused(stored: Path, tmp_path: Path) -> None:
    """Catches another run's draws in the folder, exported under this run's name."""
    fit_ols(_run(tmp_path))
    folder = RunFolder(tmp_path)
    fit = load_fit(RunFolder(stored).file(fit_file(MODEL)))
    fit.attrs["data_sha256"] = "another"
    save_fit(folder.file(fit_file(MODEL)), fit)
    with pytest.raises(RunError, match="other data than this run"):
        stored_fit(folder, MODEL)


def _second_model(folder: RunFolder) -> None:
    """Store the first fit once more under another model's name."""
    fit = load_fit(folder.file(fit_file(MODEL)))
    fit.attrs["model"] = "second"
    save_fit(folder.file(fit_file("second")), fit)
    rows = folder.read("data/intervals.csv")
    own = rows[(rows["model"] == MODEL) & (rows["analysis"] == "")]
    folder.write("data/intervals.csv", pd.concat([rows, own.assign(model="second")]))
    done = folder.stage(f"fit_posterior/{MODEL}")
    facts = {key: done[key] for key in ("verdict", "preliminary")}
    folder.finish("fit_posterior/second", done["settings"], **facts)


def test_every_model_has_its_figures_and_tables(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a second model that is fitted but never shown, or shown over the first."""
    monkeypatch.setattr(compare_stage, "DrawingPool", _Recorder)
    copy = tmp_path / "run"
    shutil.copytree(stored, copy)
    run = _run(copy, models=())
    _second_model(run.folder)
    both = _compare(copy, models=())
    assert {"forest_q1", "forest_q1_second"} <= set(both)
    assert len(both) == len(set(both))
    compare_stage.compare_stored(run.folder, CODEBOOK, replace(run.settings, models=("second",)))
    assert "forest_q1_second" in _Recorder.tasks and "forest_q1" not in _Recorder.tasks
    comparison = run.folder.read("data/comparison.csv")
    assert set(of_analysis(comparison, "")["model"]) == {MODEL, "second"}
    export_stage.export_stored(run.folder, CODEBOOK, run.settings)
    for ending, model in (("", MODEL), ("_second", "second")):
        table = pd.read_csv(copy / "tables" / f"comparison_effect{ending}.csv")
        assert set(table["model"]) == {model}
        assert (copy / "tables" / f"hyperparameters{ending}.tex").is_file()
    assert run.folder.stage("export")["models"] == [MODEL, "second"]
    ols = frequentist(of_analysis(run.folder.read("data/intervals.csv"), ""))
    own = of_analysis(run.folder.read("data/intervals.csv"), "")
    compare_stage.write_comparison(run.folder, ols, [own[own["model"] == "second"]])
    kept = of_analysis(run.folder.read("data/comparison.csv"), "")
    assert set(kept["model"]) == {MODEL, "second"}, "the other model's comparison was lost"
    run.folder.write("data/comparison.csv", kept[kept["model"] == "second"])
    with pytest.raises(RunError, match=r"comparison\.csv holds nothing of"):
        export_stage.export_stored(run.folder, CODEBOOK, run.settings)
    for verb in (compare_stage.compare_stored, export_stage.export_stored):
        with pytest.raises(RunError, match=r"no fit of third \(fitted: .*second"):
            verb(run.folder, CODEBOOK, replace(run.settings, models=("third",)))
    assert "export" not in run.folder.record()["stages"], "what failed counts as done"


def test_a_larger_minimum_count_names_what_it_leaves_behind(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Catches tables of other stages that still print what this export blanks."""
    monkeypatch.setattr(compare_stage, "DrawingPool", _Recorder)
    copy = tmp_path / "run"
    shutil.copytree(stored, copy)
    _compare(copy)
    run = _run(copy, minimum_count=8)
    run.folder.note(data={**FACTS, "synthetic": False})
    run.folder.finish("describe", {"minimum_count": 5})
    run.folder.finish("audit", {"minimum_count": 8})
    # What leaves is made from the responses, which this run has only in memory.
    for name in ("check_disclosure", "ready_to_leave", "write_export"):
        monkeypatch.setattr(leaving, name, lambda *_, **__: [])
    export_stage.export_stored(run.folder, CODEBOOK, run.settings)
    assert "fewer than 8 persons, those of other verbs for another count" in caplog.text
    assert "describe (5)" in caplog.text and "audit (" not in caplog.text

"""The verb check on a small stored run: what it writes, and its numbers against others' ways."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bipbayes.scripts import command
from builders import Shape, make_codebook, random_responses
from typer.testing import CliRunner

from bipbayes.checks import NAMES, engines
from bipbayes.checks.inputs import CheckSettings, thinned
from bipbayes.checks.specification import read_targets
from bipbayes.checks.stage import check
from bipbayes.errors import ModelError, RunError, SettingsError
from bipbayes.option_words import NUTS
from bipbayes.run.folder import RunFolder, place_of_run
from bipbayes.run.inputs import open_run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import fit_posterior, stored_posterior
from bipbayes.run.settings import Settings
from bipbayes.stored_frames import restored

CODEBOOK = make_codebook(4, 2)
TOML = """
name = "random study"
scale = [1, 5]
{indicators}
[treatments.T]
columns = ["T"]
[treatments.U]
columns = ["U"]
[averages.citizen_mean]
members = ["q1", "q2"]
"""


def _write_study(folder: Path, *, synthetic: bool) -> Settings:
    frame = random_responses(CODEBOOK, seed=4, shape=Shape(citizens=120, waves=(2, 5)))
    frame = frame.drop(columns="combination")
    frame = frame.assign(synthetic=1) if synthetic else frame
    frame.to_csv(folder / "responses.csv", index=False)
    entries = [
        f'[[indicators]]\ncode = "{entry.code}"\nrespondent = "{entry.respondent}"\n'
        f'label = {{ en = "Question {entry.code}" }}\n'
        for entry in CODEBOOK.indicators
    ]
    (folder / "study.toml").write_text(TOML.format(indicators="\n".join(entries)))
    return Settings(
        data=folder / "responses.csv",
        codebook=folder / "study.toml",
        out=folder / "results",
        quiet=True,
    )


def _store(folder: Path, *, synthetic: bool = True) -> Settings:
    settings = _write_study(folder, synthetic=synthetic)
    run = open_run(settings)
    fit_ols(run)
    fit_posterior(run, "hierarchical")
    return settings


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = _store(tmp_path_factory.mktemp("check"))
    check(settings, CheckSettings(effects=("q1:10", "q3:01:contrast"), at_least=3))
    return settings


def _read(settings: Settings, name: str) -> pd.DataFrame:
    text = dict.fromkeys(("combination", "code", "outcome", "jobcenter", "group"), str)
    path = place_of_run(settings.out) / "tables" / f"check_{name}.csv"
    return restored(pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""]))


def test_every_check_writes_its_table_and_its_picture(stored: Settings) -> None:
    """Catches a check that is left out, a picture without table, unmarked synthetic data."""
    specifications = ["specification_q1_10", "specification_q3_01_contrast"]
    tables = [name for name in NAMES if name not in {"specification", "engines"}] + specifications
    for name in tables:
        for ending in ("csv", "tex", "html"):
            assert (stored.out / "tables" / f"check_{name}.{ending}").stat().st_size > 100
        assert (_read(stored, name)["synthetic"] == 1).all()
        html = (stored.out / "tables" / f"check_{name}.html").read_text("utf-8")
        assert "Synthetic data" in html
    figures = {path.stem for path in (stored.out / "figures").glob("check/check_*.png")}
    expected = {f"check_{name}" for name in tables if name != "prior"}
    assert figures == expected | {"check_prior_hierarchical"}
    record = json.loads((stored.out / "run.json").read_text("utf-8"))
    assert set(record["stages"]["check"]["checks"]) == set(NAMES) - {"engines"}


def test_counts_of_improved_indicators_are_those_of_the_draws(stored: Settings) -> None:
    """Catches another estimand's draws, or the number asked for ignored."""
    run = open_run(stored)
    posterior = stored_posterior(run.folder, "hierarchical", run.codebook, stored)
    draws = posterior.draws["contrast"].sel(outcome=list(CODEBOOK.indicator_codes))
    share = ((draws > 0).sum("outcome") >= 3).mean(("chain", "draw"))
    table = _read(stored, "improved")
    rows = table[table["estimand"] == "contrast"].set_index("combination")
    for code in ("01", "10", "11"):
        assert rows.loc[code, "p_at_least"] == pytest.approx(float(share.sel(combination=code)))


def test_pooling_factors_and_significant_estimates_come_from_the_stored_frame(
    stored: Settings,
) -> None:
    """Catches errors of another kind, rows of averages, and estimates that are not significant."""
    effects = RunFolder(stored.out).read("data/intervals.csv")
    rows = effects[effects["estimand"] == "effect"].set_index(["outcome", "combination"])
    ols = rows[(rows["source"] == "ols") & (rows["vcov"] == "classical")]
    posterior = rows[rows["source"] == "posterior"]
    pooling = _read(stored, "pooling").query("estimand == 'effect'")
    assert len(pooling) == 16
    for row in pooling.itertuples():
        key = (row.outcome, row.combination)
        expected = 1 - (posterior.loc[key, "se"] / ols.loc[key, "se"]) ** 2
        assert row.pooling_factor == pytest.approx(expected)
    signs = _read(stored, "signs").query("estimand == 'effect' and vcov == 'classical'")
    significant = ols[(ols["lower"] > 0) | (ols["upper"] < 0)]
    assert set(zip(signs["outcome"], signs["combination"], strict=True)) == set(significant.index)


def test_residual_tables_cover_all_cells(stored: Settings) -> None:
    """Catches groups lost on the way to the table."""
    cells = _read(stored, "cells")
    total = cells.loc[cells["by"] == "all", "cells"].item()
    for by in ("respondent", "n", "indicator"):
        assert cells.loc[cells["by"] == by, "cells"].sum() == total
    groups = _read(stored, "residuals")
    counts = groups.groupby("by")["n"].sum()
    assert counts.nunique() == 1 and len(counts) == 4


def test_models_left_out_and_specifications_have_their_rows(stored: Settings) -> None:
    """Catches a model compared with itself, or a choice that is lost."""
    table = _read(stored, "leave_out")
    assert {"cell", "jobcenter"} == set(table["unit"])
    psis = table[table["method"] == "psis"]
    assert psis["model"].tolist() == ["hierarchical"]
    closed = table[(table["method"] == "closed form") & (table["unit"] == "cell")]
    assert {"complete_pooling", "hierarchical"} <= set(closed["model"])
    # The draws are from the closed form: both ways must agree.
    exact = closed.set_index("model").loc["hierarchical", "elpd"]
    assert abs(psis["elpd"].item() - exact) < 2
    curve = _read(stored, "specification_q1_10")
    assert (curve["estimand"] == "effect").all() and (curve["source"] == "ols").sum() == 10
    assert (_read(stored, "specification_q3_01_contrast")["estimand"] == "contrast").all()


def test_one_check_alone_and_in_danish(stored: Settings) -> None:
    """Catches names ignored, the record of the others lost, and English words in Danish tables."""
    danish = replace(stored, language="da")
    done = check(danish, CheckSettings(only=("ranks", "sensitivity")))
    assert list(done) == ["sensitivity", "ranks"]
    html = (stored.out / "tables" / "check_ranks.html").read_text("utf-8")
    assert "Kombinationernes rang" in html and "Syntetiske data" in html
    record = json.loads((stored.out / "run.json").read_text("utf-8"))
    assert set(record["stages"]["check"]["checks"]) == set(NAMES) - {"engines"}


@pytest.mark.parametrize("shift", [0.0, 15.0])
def test_engines_that_differ_are_named(
    stored: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    shift: float,
) -> None:
    """Catches one engine compared with itself, the name of another quantity, a silent difference.

    Another seed of the exact engine stands in for the sampler, with one quantity off.
    """
    refit, asked = engines.refit, []

    def other(fit, model_file, codebook, settings):
        asked.append(settings.engine)
        found = refit(fit, model_file, codebook, replace(settings, engine="exact"))
        rows = found.intervals.copy()
        if settings.engine == NUTS:
            place = (rows[["estimand", "outcome", "combination"]] == ["contrast", "q3", "01"]).all(
                axis=1
            )
            rows.loc[place, "estimate"] += shift * rows.loc[place, "mcse"]
        return replace(found, intervals=rows)

    monkeypatch.setattr(engines, "refit", other)
    with caplog.at_level("INFO"):
        done = check(stored, CheckSettings(only=("engines",)))
    assert asked == ["exact", "nuts"]
    assert done["engines"].facts["agree"] == (shift == 0)
    assert ("they disagree" in caplog.text) == (shift > 0)
    assert "contrast, worst of" in caplog.text
    table = _read(stored, "engines")
    assert len(table) == len(done["engines"].tables[0].raw)
    assert table["in_errors"].max() == pytest.approx(done["engines"].facts["in_errors"])
    if shift:
        worst = table.loc[table["in_errors"].idxmax()]
        assert (worst["estimand"], worst["outcome"], worst["combination"]) == (
            "contrast",
            "q3",
            "01",
        )
        assert "Monte Carlo errors (q3 Question q3, U" in caplog.text


def test_checks_are_asked_for_by_words(stored: Settings) -> None:
    """Catches `check engines` read as a file, and an unknown word taken."""
    run = CliRunner().invoke(
        command(), ["check", "ranks", "pooling", "--out", str(stored.out), "--quiet"]
    )
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(command(), ["check", "forests", "--out", str(stored.out)])
    assert run.exit_code == 2


@pytest.mark.slow
def test_the_engines_agree_on_the_default_data(tmp_path: Path) -> None:
    """Catches what only 3,520 cells show: 5,000 quantities, none beyond chance."""
    settings = Settings(out=tmp_path, quiet=True)
    fit_posterior(open_run(settings), "hierarchical")
    done = check(settings, CheckSettings(only=("engines",)))["engines"]
    assert len(done.tables[0].raw) > 5000
    assert done.facts["agree"]
    assert done.facts["in_sds"] < 0.12


def test_faults_are_said_in_sentences(stored: Settings, tmp_path: Path) -> None:
    """Catches a traceback for a wrong name, a folder without a fit or data that are not there."""
    with pytest.raises(SettingsError, match=r"check 'forests' is unknown.*prior"):
        CheckSettings(only=("forests",))
    with pytest.raises(SettingsError, match=r"'q9' is none of(.|\n)*'100' is none of"):
        read_targets(("q9:01", "q1:100"), CODEBOOK)
    with pytest.raises(RunError, match="holds no run"):
        check(Settings(out=tmp_path, quiet=True), CheckSettings())
    with pytest.raises(RunError, match="fit-posterior"):
        check(stored, CheckSettings(models=("complete_pooling",), only=("ranks",)))
    with pytest.raises(RunError, match="--data"):
        check(replace(stored, data=None), CheckSettings(only=("lag",)))
    with pytest.raises(ModelError, match="no model with a prior"):
        check(stored, CheckSettings(models=("no_pooling",), only=("prior",)))


def test_small_groups_of_real_citizens_are_blank(tmp_path: Path) -> None:
    """Catches numbers of few citizens in the tables of data that are not synthetic."""
    settings = replace(_store(tmp_path, synthetic=False), minimum_count=1000)
    only = ("residuals", "improved", "pooling", "signs")
    check(settings, CheckSettings(only=only))
    assert _read(settings, "improved")["expected"].isna().all()
    assert _read(settings, "pooling")["pooling_factor"].isna().all()
    residuals = _read(settings, "residuals")
    assert set(residuals["by"]) == {"combination", "jobcenter", "indicator"}
    assert residuals.loc[residuals["by"] != "indicator", "mean"].isna().all()
    with pytest.raises(ModelError, match="no effect is left"):
        check(settings, CheckSettings(only=("specification",), effects=("q1:10",)))


def test_thinning_keeps_draws_of_all_chains() -> None:
    """Catches a chain that is dropped, or more draws than asked for."""
    draws = xr.DataArray(np.zeros((4, 1000)), dims=("chain", "draw"))
    assert dict(thinned(draws, 200).sizes) == {"chain": 4, "draw": 50}
    assert thinned(draws, 10**6).sizes["draw"] == 1000

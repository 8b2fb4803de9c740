"""Opening a run: whose data and codebook a folder holds."""

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from builders import make_codebook, random_responses

from bipbayes.errors import BipbayesError, RunError, SettingsError
from bipbayes.plots.captions import axis_phrase, caption
from bipbayes.run.folder import KEPT, RunFolder, place_of_run
from bipbayes.run.inputs import as_made, open_run, open_stored
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.settings import Settings
from bipbayes.run.simulate_stage import SimulationRequest, write_simulation
from bipbayes.run.stored import run_context

CODEBOOK = """
name = "Small"
scale = [1, 5]
[[indicators]]
code = "q1"
column = "q1"
respondent = "citizen"
label = { en = "One" }
[treatments.T]
label = { en = "T" }
columns = ["T"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder made from own data with an own codebook and the other rule."""
    codebook = tmp_path / "small.toml"
    codebook.write_text(CODEBOOK, encoding="utf-8")
    frame = random_responses(make_codebook(1, 1), seed=3)
    data = tmp_path / "mine.csv"
    frame[["citizen", "jobcenter", "date", "q1", "T"]].to_csv(data, index=False)
    made = Settings(
        data=data, codebook=codebook, previous="response", out=tmp_path / "out", quiet=True
    )
    open_run(made)
    return made


def test_a_files_own_labels_stay_with_the_run(settings: Settings, tmp_path: Path) -> None:
    """Catches labels that verbs without the data do not know, or that make another run."""
    frame = pd.read_csv(settings.data, dtype={"citizen": "str"})
    names = {"q1": "From the file", "T": "Visits to homes"}
    path, bare = tmp_path / "mine.sav", tmp_path / "bare.toml"
    pyreadstat.write_sav(frame, str(path), column_labels=[names.get(n, n) for n in frame])
    bare.write_text(re.sub(r"label = .*\n", "", CODEBOOK), encoding="utf-8")
    own = replace(settings, data=path, codebook=bare, out=tmp_path / "labelled")
    run = open_run(own)
    stored = open_stored(replace(own, data=None, codebook=None))[1]
    for book in (run.codebook, stored, open_stored(own)[1]):
        assert book.indicators[0].label == {"en": "From the file"}
        assert book.treatments[0].label == {"en": "Visits to homes"}
    assert open_run(own).folder.record()["identity"] == run.folder.record()["identity"]


def test_a_run_in_parts_is_the_run_in_memory(settings: Settings, tmp_path: Path) -> None:
    """Catches other data, another rule or other numbers where responses are read in parts."""
    folders = []
    for parts in ("always", "never"):
        own = replace(settings, parts=parts, workers=0, out=tmp_path / parts)
        with closing(open_run(own, in_parts=True)) as run:
            assert run.parted == (parts == "always")
            changes = run.changes()
            run.look_at_directions(changes)
            fit_ols(run, changes)
        folders.append(run.folder)
        assert not list(own.out.glob(".parts*"))
    frames = [folder.read("data/intervals.csv") for folder in folders]
    pd.testing.assert_frame_equal(*frames, rtol=1e-10)
    records = [folder.record() for folder in folders]
    for name in ("identity", "data", "directions"):
        assert records[0][name] == records[1][name]


def test_what_needs_all_responses_says_so(settings: Settings, tmp_path: Path) -> None:
    """Catches a traceback, or hours of reading before the refusal."""
    own = replace(settings, parts="always", workers=0, out=tmp_path / "parts")
    with (
        closing(open_run(own, in_parts=True)) as run,
        pytest.raises(RunError, match="read in parts, and this needs all"),
    ):
        run.progression()
    with pytest.raises(SettingsError, match="all responses at once"):
        replace(own, adjust=("baseline",))
    assert not open_run(replace(own, out=tmp_path / "whole")).parted


def test_an_item_that_never_changes_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Catches an outcome left empty without a word, and items named that do change."""
    caplog.set_level("INFO")
    codebook, data = tmp_path / "two.toml", tmp_path / "data.csv"
    second = '[[indicators]]\ncode = "q2"\nrespondent = "citizen"\n'
    codebook.write_text(CODEBOOK + second, encoding="utf-8")
    frame = random_responses(make_codebook(2, 1), seed=3)
    frame = frame[["citizen", "jobcenter", "date", "q1", "q2", "T"]]
    still = frame.assign(q2=frame["q2"].where(frame["q2"].isna(), 3))
    for name, expected in (("moving", []), ("still", ["q2"])):
        (still if expected else frame).to_csv(data, index=False)
        run = open_run(Settings(data=data, codebook=codebook, out=tmp_path / name, quiet=True))
        caplog.clear()
        run.look_at_directions(run.progression())
        told = [r.getMessage() for r in caplog.records if "are alike" in r.getMessage()]
        assert [text.split(":")[0] for text in told] == expected


def test_a_forgotten_file_is_named_and_nothing_is_overwritten(settings: Settings) -> None:
    """Catches real results replaced by synthetic ones because --data was forgotten."""
    before = RunFolder(place_of_run(settings.out)).record()
    for overwrite in (False, True):
        forgotten = Settings(out=settings.out, overwrite=overwrite)
        with pytest.raises(RunError, match=r"no --data was given.*made from mine\.csv"):
            open_run(forgotten)
    assert RunFolder(place_of_run(settings.out)).record() == before


def test_what_a_folder_was_made_with_is_taken_over(settings: Settings) -> None:
    """Catches a verb that refuses its own folder for the codebook or rule it forgot."""
    asked = Settings(data=settings.data, out=settings.out)
    folder, codebook = open_stored(asked)
    assert codebook.name == "Small"
    run = open_run(as_made(folder, asked))
    assert run.settings.previous == "response"
    assert run.codebook.indicator_codes == ("q1",)


def test_another_codebook_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Catches stored numbers read with labels that are not theirs."""
    (place_of_run(settings.out) / "codebook.toml").write_text(
        CODEBOOK.replace("One", "Two"), encoding="utf-8"
    )
    with pytest.raises(RunError, match="made with another codebook"):
        open_stored(Settings(out=settings.out))
    other = tmp_path / "other.csv"
    assert settings.data is not None
    frame = pd.read_csv(settings.data)
    frame.iloc[:-1].to_csv(other, index=False)
    with pytest.raises(RunError, match="other data"):
        open_run(replace(settings, data=other))


def test_turned_answers_are_said_everywhere_and_worse_changes_no_number(
    settings: Settings, tmp_path: Path
) -> None:
    """Catches outputs of turned answers without a word, and a sign that ``higher`` changes."""
    runs = {}
    for name, line in {
        "plain": "",
        "worse": 'higher = { en = "more symptoms", da = "flere symptomer" }\n',
        "turned": "",
    }.items():
        text = line + CODEBOOK
        if name == "turned":
            text = text.replace('code = "q1"', 'code = "q1"\nreverse = true')
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        run = open_run(replace(settings, codebook=path, out=tmp_path / name))
        fit_ols(run)
        context = run_context(run.folder, run.codebook, replace(settings, language="da"))
        stored = pd.read_csv(run.folder.file("data/intervals.csv"))
        runs[name] = (stored, axis_phrase(context), caption(context, []), run.folder.record())
    plain, worse, turned = runs["plain"], runs["worse"], runs["turned"]
    pd.testing.assert_frame_equal(plain[0], worse[0])
    assert "flere symptomer" in worse[1] and "flere symptomer" in worse[2]
    assert plain[2] == "" and "reversed" not in plain[0]
    assert turned[0]["reversed"].all() and "q1" in turned[2]
    np.testing.assert_allclose(turned[0]["estimate"], -plain[0]["estimate"], atol=1e-12)
    assert turned[3]["data"]["reversed"] == ["q1"]
    assert any("reverse = true" in finding for finding in turned[3]["data"]["findings"]["en"])


PRIORS = "[hierarchical]\ncombination = 0.3\n"
KINDS = ("data", "codebook", "priors", "characteristics", "claims", "models")
PLACES = (
    "data/intervals.csv",
    "synthetic/responses.csv",
    "codebook.toml",
    "tables/own.csv",
    "run.json",
)
NO_OUTPUTS = ("export/own.csv", "figures/own/own.csv", "own.csv")


def _place(settings: Settings, kind: str, path: Path) -> Settings:
    """Return the settings with an input of a kind at a path, as it may be read from there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {"codebook": CODEBOOK, "priors": PRIORS, "models": "import sys"}
    assert settings.data is not None
    path.write_text(texts.get(kind, settings.data.read_text()), encoding="utf-8")
    return replace(settings, **{kind: (str(path),) if kind == "models" else path})


@pytest.mark.parametrize("earlier", ["none", "same", "other"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_input_is_ever_removed_or_written_over(
    settings: Settings, tmp_path: Path, *, kind: str, place: str, earlier: str
) -> None:
    """Catches data in --out/data replaced by results, a codebook deleted there, ..."""
    out = settings.out if earlier != "none" else tmp_path / "new"
    if earlier == "other":
        settings = replace(settings, previous="item")
    place = place if kind != "models" else "posterior/own.py"
    fresh = replace(settings, out=out, overwrite=True)
    root = place_of_run(out, synthetic=False)
    asked = _place(fresh, kind, root / place)
    before = (root / place).read_bytes()
    refused = open_run_or_refuse(asked)
    if kind != "models" and not (earlier == "same" and place in KEPT):
        assert refused
    assert (root / place).read_bytes() == before


@pytest.mark.parametrize("place", NO_OUTPUTS)
@pytest.mark.parametrize("kind", ["priors", "characteristics", "claims"])
def test_inputs_beside_outputs_outlive_another_run(
    settings: Settings, *, kind: str, place: str
) -> None:
    """Catches a folder of outputs emptied with what the starting run reads from there."""
    root = place_of_run(settings.out, synthetic=False)
    other = replace(settings, previous="item", overwrite=True)
    asked = _place(other, kind, root / place)
    before = (root / place).read_bytes()
    open_run_or_refuse(asked)
    open_run(other)
    assert (root / place).read_bytes() == before


def open_run_or_refuse(settings: Settings) -> str:
    """Open a run and return the kind of the refusal, empty for none."""
    try:
        open_run(settings)
    except BipbayesError as error:
        return type(error).__name__
    return ""


def test_results_are_not_lost_to_inputs_that_are_refused(settings: Settings) -> None:
    """Catches another run's results removed before the starting run's files were read."""
    (place_of_run(settings.out) / "data/intervals.csv").unlink(missing_ok=True)
    RunFolder(place_of_run(settings.out)).write(
        "data/intervals.csv", pd.DataFrame({"estimate": [1.0]})
    )
    RunFolder(place_of_run(settings.out)).note()
    asked = replace(settings, previous="item", overwrite=True)
    for kind in ("characteristics", "claims", "priors"):
        bad = settings.out.parent / f"{kind}.csv"
        bad.write_text("nothing,here\n1,2\n", encoding="utf-8")
        with pytest.raises(BipbayesError):
            open_run(replace(asked, **{kind: bad}))
        with pytest.raises(BipbayesError, match="no file"):
            open_run(replace(asked, **{kind: bad.with_name("absent.csv")}))
    with pytest.raises(BipbayesError):
        open_run(replace(asked, models=("no_such_model",)))
    assert (place_of_run(settings.out) / "data/intervals.csv").is_file()
    open_run(asked)
    assert not (place_of_run(settings.out) / "data/intervals.csv").exists()


def test_claims_in_the_folder_are_not_replaced_by_an_audit(settings: Settings) -> None:
    """Catches a verb that reads a stored run and writes over its own claims."""
    claims = place_of_run(settings.out) / "data/audit.csv"
    claims.parent.mkdir(exist_ok=True)
    claims.write_text("claim_id\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"audit\.csv: read by this run"):
        open_stored(Settings(out=settings.out, claims=claims))


def test_priors_for_a_model_that_is_not_fitted_are_refused_before_data_are_read(
    tmp_path: Path,
) -> None:
    """Catches a typing error in a model's name: another analysis without a word."""
    priors, data = tmp_path / "priors.toml", tmp_path / "data.csv"
    priors.write_text(PRIORS.replace("hier", "heir"), encoding="utf-8")
    data.write_text("unreadable", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"heirarchical.*does not fit"):
        open_run(Settings(data=data, priors=priors, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_simulation_replaces_only_what_a_simulation_wrote(tmp_path: Path) -> None:
    """Catches a user's responses.csv or truth.csv replaced by simulated ones."""
    codebook = tmp_path / "small.toml"
    codebook.write_text(CODEBOOK, encoding="utf-8")
    request = SimulationRequest(effects="hierarchical", codebook=codebook)
    mine = tmp_path / "out" / "truth.csv"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"truth\.csv, which no simulation wrote"):
        write_simulation(request, mine.parent, overwrite=True)
    assert mine.read_text(encoding="utf-8") == "mine"
    mine.unlink()
    write_simulation(request, mine.parent, overwrite=False)
    with pytest.raises(RunError, match="--overwrite"):
        write_simulation(request, mine.parent, overwrite=False)
    write_simulation(request, mine.parent, overwrite=True)


def test_results_do_not_go_into_a_folder_of_data(settings: Settings, tmp_path: Path) -> None:
    """Catches results written among the parts of the data that they rest on."""
    assert settings.data is not None
    parts = tmp_path / "parts"
    parts.mkdir()
    pd.read_csv(settings.data).to_parquet(parts / "one.parquet")
    for out in (parts, parts / "results"):
        with pytest.raises(RunError, match="parts: read by this run"):
            open_run(replace(settings, data=parts, out=out, overwrite=True))
    assert [path.name for path in parts.iterdir()] == ["one.parquet"]

"""The replication archive: it makes its results again where nothing of the run is left."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from bipbayes.scripts import command
from builders import Shape, make_codebook, random_responses
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from bipbayes.bip.facts import bip_characteristics, bip_codebook
from bipbayes.data.characteristics import read_characteristics
from bipbayes.data.read import read_responses
from bipbayes.errors import RunError
from bipbayes.run.folder import RunFolder
from bipbayes.run.package_files import STAND_INS, stand_in

TOML = """
name = "Reading"
scale = [1, 5]
[[indicators]]
code = "q1"
respondent = "citizen"
[[indicators]]
code = "q2"
respondent = "citizen"
[treatments.T]
columns = ["T"]
"""


def _run(*words: str | Path) -> tuple[int, str]:
    said = CliRunner().invoke(command(), [str(word) for word in words])
    return said.exit_code, said.stderr


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a folder with synthetic responses, a codebook and the OLS results of both."""
    frame = random_responses(make_codebook(2, 1), seed=4, shape=Shape(citizens=60, waves=(2, 4)))
    frame = frame.drop(columns="combination")
    frame.assign(synthetic=1).to_csv(tmp_path / "answers.csv", index=False)
    frame.to_csv(tmp_path / "real.csv", index=False)
    (tmp_path / "study.toml").write_text(TOML, encoding="utf-8")
    for name in ("answers", "real"):
        data, out = tmp_path / f"{name}.csv", tmp_path / name
        asked = ("--data", data, "--codebook", tmp_path / "study.toml", "--out", out, "--quiet")
        assert _run("fit-ols", *asked, "--level", "0.9") == (0, "")
    return tmp_path


def _rebuild(folder: Path, *words: str) -> tuple[int, str]:
    line = [sys.executable, folder / "rebuild.py", *words]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_an_archive_makes_its_results_again_elsewhere(study: Path) -> None:
    """Catches a setting, an input or a module left out, and changed files that go unnoticed."""
    archive, elsewhere = study / "one.zip", study / "elsewhere"
    asked = ("package", "--data", study / "answers.csv", "--out", study / "answers", "--quiet")
    assert _run(*asked, "--to", archive) == (0, "")
    code, told = _run(*asked, "--to", archive)
    assert (code, "new file" in told) == (2, True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(elsewhere)
    commands = json.loads((elsewhere / "commands.json").read_text(encoding="utf-8"))["commands"]
    assert "--level=0.9" in commands[0]
    code, told = _rebuild(elsewhere)
    assert code == 0, told
    assert "identical in every number" in told
    stored = elsewhere / "output" / "data" / "intervals.csv"
    stored.write_text(stored.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert _rebuild(elsewhere)[0] == 2


def test_an_audit_and_an_own_model_are_made_again(study: Path) -> None:
    """Catches claims that are ignored, and a model that is looked for where it lay."""
    folder, claims, model = study / "answers", study / "claims.csv", study / "mine.py"
    asked = ("package", "--data", study / "answers.csv", "--out", folder, "--quiet")
    claims.write_text("claim_id\n", encoding="utf-8")
    model.write_text("# mine\n", encoding="utf-8")
    code, told = _run(*asked, "--claims", claims, "--to", study / "one.zip")
    assert (code, "--claims: nothing that is stored was made with one" in told) == (2, True)
    known = RunFolder(folder).stage("fit_ols")["asked"]
    for stage, more in (
        ("fit_posterior/mine", {"models": [str(model)]}),
        ("audit", {"models": ["mine"], "claims": claims.name, "codebook": "codebook.toml"}),
    ):
        RunFolder(folder, {**known, **more}).finish(stage, {})
    code, told = _run(*asked, "--to", study / "one.zip")
    assert (code, "--claims: the run read claims.csv; give it again" in told) == (2, True)
    again = ("--claims", claims, "--model", model, "--to", study / "one.zip")
    assert _run(*asked, *again) == (0, "")
    with zipfile.ZipFile(study / "one.zip") as packed:
        assert {"inputs/claims.csv", "inputs/mine.py"} <= set(packed.namelist())
        made = json.loads(packed.read("commands.json"))
    verbs = cast(TyperGroup, get_command(command())).commands
    called = [[made["inputs"].get(word, word) for word in words] for words in made["commands"]]
    assert [words[0] for words in called] == ["fit-ols", "fit-posterior", "audit"]
    read = [verbs[words[0]].make_context(words[0], words[1:]).params for words in called]
    assert read[1]["models"] == ["inputs/mine.py"]
    assert (read[2]["models"], read[2]["claims"]) == (["mine"], Path("inputs/claims.csv"))
    RunFolder(folder).forget(["audit"])  # as a later fit does
    code, told = _run(*asked[:-1], "--model", model, "--to", study / "two.zip")
    assert (code, "not made again by it: audit; run these verbs first" in told) == (0, True)


@pytest.mark.parametrize("register", [[], ["characteristics"]])
def test_what_stands_for_confidential_data_can_be_read(register: list[str], tmp_path: Path) -> None:
    """Catches an archive whose programs miss the characteristics, or refuse its own days."""
    codebook = replace(bip_codebook(), dates="%d-%m-%Y", is_bip=False)
    for name, text in stand_in(codebook, register).items():
        (tmp_path / Path(name).name).write_bytes(text)
    people = read_responses(tmp_path / "data.csv", codebook)
    assert people.size[1] == STAND_INS
    assert (tmp_path / "characteristics.csv").is_file() == bool(register)
    for name in register:
        path = tmp_path / f"{name}.csv"
        read_characteristics(path, people, codebook=bip_characteristics())


def test_what_the_run_read_is_asked_for(study: Path) -> None:
    """Catches an archive without its data, or with other data under their name."""
    asked = ("package", "--out", study / "answers", "--to", study / "one.zip", "--quiet")
    code, told = _run(*asked)
    assert (code, "--data: the run read answers.csv; give it again" in told) == (2, True)
    assert not (study / "one.zip").exists()


@pytest.mark.parametrize("part", ["software", "stages", "written"])
def test_a_record_that_lacks_a_part_is_a_sentence(study: Path, part: str) -> None:
    """Catches a traceback, or an archive that leaves out what its record does not name."""
    place = study / "answers" / "run.json"
    record = json.loads(place.read_text(encoding="utf-8"))
    del record[part]
    place.write_text(json.dumps(record), encoding="utf-8")
    asked = ("package", "--data", study / "answers.csv", "--out", study / "answers", "--quiet")
    code, told = _run(*asked, "--to", study / "one.zip")
    assert (code, f"lacks {part}" in told) == (2, True)
    assert not (study / "one.zip").exists()


def test_an_archive_waits_for_no_other_run(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an archive of a folder that another process writes to at the same time."""

    def taken(folder: Path) -> None:
        raise RunError(f"another run is at work in {folder}")

    monkeypatch.setattr("bipbayes.run.inputs.hold", taken)
    code, told = _run("package", "--out", study / "answers", "--to", study / "one.zip")
    assert (code, "another run is at work" in told) == (2, True)


def test_a_frame_that_was_cut_off_is_not_given_away(study: Path) -> None:
    """Catches an archive of lost rows, which its own list of digests then vouches for."""
    place = study / "answers" / "data" / "intervals.csv"
    text = place.read_text(encoding="utf-8")
    place.write_text(text[: text.rindex("\n", 0, -1) + 1], encoding="utf-8")
    asked = ("package", "--data", study / "answers.csv", "--out", study / "answers", "--quiet")
    code, told = _run(*asked, "--to", study / "one.zip")
    assert (code, "intervals.csv is damaged" in told) == (2, True)
    assert not (study / "one.zip").exists()


def test_what_is_not_drawn_to_the_end_is_not_given_away(study: Path) -> None:
    """Catches an archive that lacks pictures, which a killed run leaves, without a word."""
    folder = RunFolder(study / "answers")
    folder.finish("compare/baseline", {}, drawn=False)
    folder.finish("describe", {}, drawn=False)
    asked = ("package", "--data", study / "answers.csv", "--out", study / "answers", "--quiet")
    code, told = _run(*asked, "--to", study / "one.zip")
    assert (code, "run 'bipbayes compare' and 'bipbayes describe' there again" in told) == (2, True)
    folder.note_drawn(["compare/baseline"])
    assert folder.undrawn == ["describe"]
    folder.note_drawn()
    assert "undrawn" not in folder.record()
    assert _run(*asked, "--to", study / "one.zip") == (0, "")


def test_an_archive_is_not_put_where_nothing_may_leave(study: Path) -> None:
    """Catches an archive in private/, where whoever sends it out would have to fetch it."""
    asked = ("package", "--out", study / "real", "--quiet", "--to")
    code, told = _run(*asked, study / "real" / "private" / "new" / "one.zip")
    assert (code, "which never leaves" in told) == (2, True)
    assert not (study / "real" / "private" / "new").exists()


def test_answers_of_persons_stay_where_they_are(study: Path) -> None:
    """Catches confidential responses, or results that were not let out, in an archive."""
    asked = ("package", "--out", study / "real", "--to", study / "one.zip", "--quiet")
    code, told = _run(*asked)
    assert (code, "run 'bipbayes export'" in told) == (2, True)
    code, told = _run(*asked, "--data", study / "real.csv")
    assert (code, "do not go into the archive" in told) == (2, True)
    assert not (study / "one.zip").exists()

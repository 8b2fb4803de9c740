"""Every verb ends with what came out and which file to open, from the command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bipbayes.scripts import command
from builders import Shape, make_codebook, random_responses
from typer.testing import CliRunner, Result

from bipbayes.plots import pool

BIPBAYES = Path(sys.executable).with_name("bipbayes")
CODEBOOK = """
name = "Small"
scale = [1, 5]
words = { citizen = { en = "pupil" }, jobcenter = { en = "school" } }
[[indicators]]
code = "q1"
respondent = "citizen"
[[indicators]]
code = "q2"
respondent = "citizen"
[[indicators]]
code = "q3"
respondent = "citizen"
[treatments.T]
columns = ["T"]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of pupils with its codebook."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(CODEBOOK, encoding="utf-8")
    frame = random_responses(make_codebook(3, 1), seed=3, shape=Shape(citizens=120))
    frame["q3"] = 4.0  # changes that are all alike: nothing is estimated of them, or drawn
    frame.drop(columns="combination").to_csv(folder / "pupils.csv", index=False)
    return folder


def done(study: Path, *arguments: str) -> Result:
    """Run a verb in this process, figures too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(study)
        patch.setattr(pool, "workers_for_this_machine", lambda: 0)
        return CliRunner().invoke(command(), arguments)


def ending(study: Path, *arguments: str) -> list[str]:
    """Run a verb; the sentences after the last empty line."""
    run = done(study, *arguments)
    assert run.exit_code == 0, run.stderr
    assert "\x1b" not in run.stderr
    return run.stderr.strip("\n").rpartition("\n\n")[2].splitlines()


def opened(study: Path, sentence: str) -> Path:
    """Return the file that a sentence says to open."""
    return study / re.findall(r"Open (\S+) first", sentence)[0]


def test_verbs_say_what_came_out_and_what_to_open(study: Path) -> None:
    """Catches a closing that is missing, long, about another study, or names a lost file."""
    data = ("--data", "pupils.csv", "--codebook", "small.toml")
    told = {
        "check-data": ending(study, "check-data", "pupils.csv", "--codebook", "small.toml"),
        "fit-ols": ending(study, "fit-ols", *data),
        "fit-posterior": ending(study, "fit-posterior", "--quick", *data),
        "compare": ending(study, "compare"),
        "export": ending(study, "export", "--outcome", "q1", *data),
        "describe": ending(study, "describe", *data),
    }
    for verb, sentences in told.items():
        assert len(sentences) == 3, verb
        assert not re.search(r"citizen|jobcenter|person|BIP", " ".join(sentences)), verb
        if verb != "check-data":
            assert opened(study, sentences[2]).is_file(), verb
    assert "pupils" in told["check-data"][0]
    assert told["check-data"][2].endswith("--data pupils.csv --codebook small.toml' next.")
    for verb in ("fit-ols", "fit-posterior", "compare"):
        assert re.search(r"[Oo]f 4 ", told[verb][0]), verb
    drawn = {path.stem for path in (study / "results/private/figures").rglob("*.png")}
    assert {"forest_q1", "intervals_q2"} <= drawn
    assert opened(study, told["export"][2]) == study / "results/export/manifest.txt"
    let_out = {path.name for path in (study / "results/export").rglob("*")}
    assert {"forest_q1.png", "report.html", "report.docx", "intervals.csv", "README.txt"} <= let_out
    assert not [name for name in drawn if "q3" in name]
    assert re.match(r"Of 4 95 % intervals", told["fit-ols"][0])
    assert "clustered by pupil" in told["fit-ols"][0]
    assert "k-hat" in told["fit-posterior"][1]
    audit = done(study, "audit", *data)
    assert audit.exit_code == 2
    assert "give your own study's with --claims, a table with the columns" in audit.stderr
    claim = "claim_id,outcome,combination,direction,significant\n1,q1,1,positive,false\n"
    (study / "claims.csv").write_text(claim, encoding="utf-8")
    asked = ("--claims", "claims.csv", "--minimum-count", "120")
    told = {"audit": ending(study, "audit", *data, *asked)}
    # As the tables say, which blank it: not the verdict on a number of few pupils.
    assert told["audit"][0].startswith("Of 1 claim, OLS upholds 0 and")
    assert told["audit"][0].endswith("0 (1 not checkable).")
    again = ending(study, "fit-ols", *data, "--overwrite", "--level", "0.9")
    assert "compare" in again[1] and "rest on an earlier fit" in again[1]


def test_a_quiet_verb_says_nothing(study: Path) -> None:
    """Catches closing lines in a log that was to hold errors only."""
    run = subprocess.run(
        [BIPBAYES, "fit-ols", "--data", "pupils.csv", "--codebook", "small.toml", "--quiet",
         "--out", "quiet"], cwd=study, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == run.stderr == ""


@pytest.mark.slow
def test_a_validation_says_what_was_reached(study: Path) -> None:
    """Catches a closing that counts other goals, or opens a lost file."""
    sizes = ("--replicates", "1", "--quick", "--citizens", "150", "--vcov", "citizen")
    told = ending(study, "validate", *sizes, "--workers", "0", "--codebook", "small.toml")
    assert len(told) == 3
    assert re.match(r"Of \d+ goals", told[0])
    assert opened(study, told[2]).is_file()

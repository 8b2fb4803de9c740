"""Opening a run: whose data and codebook a folder holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_codebook, random_responses

from bipbayes.errors import RunError
from bipbayes.plots.captions import axis_phrase, caption
from bipbayes.run.contexts import figure_context
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import as_made, open_run, open_stored
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.settings import Settings

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


def test_a_forgotten_file_is_named_and_nothing_is_overwritten(settings: Settings) -> None:
    """Catches real results replaced by synthetic ones because --data was forgotten."""
    before = RunFolder(settings.out).record()
    for overwrite in (False, True):
        forgotten = Settings(out=settings.out, overwrite=overwrite)
        with pytest.raises(RunError, match=r"no --data was given.*made from mine\.csv"):
            open_run(forgotten)
    assert RunFolder(settings.out).record() == before


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
    (settings.out / "codebook.toml").write_text(CODEBOOK.replace("One", "Two"), encoding="utf-8")
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
        context = figure_context(run.folder, run.codebook, replace(settings, language="da"))
        stored = pd.read_csv(tmp_path / name / "ols.csv")
        runs[name] = (stored, axis_phrase(context), caption(context, []), run.folder.record())
    plain, worse, turned = runs["plain"], runs["worse"], runs["turned"]
    pd.testing.assert_frame_equal(plain[0], worse[0])
    assert "flere symptomer" in worse[1] and "flere symptomer" in worse[2]
    assert plain[2] == "" and "reversed" not in plain[0]
    assert turned[0]["reversed"].all() and "q1" in turned[2]
    np.testing.assert_allclose(turned[0]["estimate"], -plain[0]["estimate"], atol=1e-12)
    assert turned[3]["data"]["reversed"] == ["q1"]
    assert any("reverse = true" in finding for finding in turned[3]["data"]["findings"])

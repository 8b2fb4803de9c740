"""A proposed codebook reads the file that it was proposed for, and says what is doubtful."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from bipbayes.scripts import command
from builders import FOREIGN, make_codebook, random_responses
from typer.testing import CliRunner

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.files import VARIABLE_LABELS, read_table
from bipbayes.data.load_codebook import load_codebook
from bipbayes.data.propose import Proposal, propose
from bipbayes.data.read import read_responses, responses_from_frame
from bipbayes.data.study import Study
from bipbayes.errors import DataError
from bipbayes.run import options
from bipbayes.synthetic.simulate import simulate


def made(**more: object) -> pd.DataFrame:
    """A study of four questions, two treatments, a number of the wave and an age."""
    frame = random_responses(make_codebook(4, 2), seed=3).sort_values(["citizen", "date"])
    frame["wave"] = frame.groupby("citizen").cumcount() + 1.0
    frame["age"] = 20.0 + frame["citizen"].str[1:].astype("int64") % 40
    return frame.drop(columns="combination").assign(**more).reset_index(drop=True)


def read_back(proposal: Proposal, file: Path | pd.DataFrame, folder: Path) -> Study:
    """The file as the proposed codebook, written and loaded, reads it."""
    path = folder / "proposed.toml"
    path.write_text(proposal.toml(), encoding="utf-8")
    read = responses_from_frame if isinstance(file, pd.DataFrame) else read_responses
    return read(file, load_codebook(path))  # type: ignore[operator]


def test_synthetic_responses_are_understood(tmp_path: Path) -> None:
    """Catches a site taken for a citizen, a box lost, and answers that the scale refuses."""
    frame = simulate(bip_codebook(), citizens=150).responses
    proposal = propose(frame, "BIP")
    study = read_back(proposal, frame, tmp_path)
    codebook = study.codebook
    assert (codebook.citizen, codebook.jobcenter, codebook.date) == ("citizen", "jobcenter", "date")
    assert {one.code for one in codebook.indicators} >= {f"B{i}" for i in range(1, 10)}
    assert codebook.respondents == ("B", "S") and codebook.scale == (1, 5)
    (treatment,) = codebook.treatments
    assert len(treatment.columns) == 21
    assert (proposal.table["none"], proposal.table["dont_know"]) == ("S1_22", "S1_23")
    assert any("part them into treatments" in text for text in proposal.doubtful)
    assert study.synthetic and "synthetic" not in proposal.toml()


def test_labels_of_an_spss_file_are_used(tmp_path: Path) -> None:
    """Catches a declared "don't know" read as an answer, and names and labels that are lost."""
    frame = made()
    frame = frame.rename(columns={"citizen": "pupil_no", "jobcenter": "school", "date": "day"})
    frame["school"] = pd.factorize(frame["school"])[0] + 1.0
    frame.loc[frame.index[::9], "q2"] = 6.0
    path = tmp_path / "schools.sav"
    names = {"q1": 'Sleeps "well"', "T": "Visits\nat home", "pupil_no": "Number of the pupil"}
    scale = {float(i): word for i, word in enumerate(("never", "a", "b", "c", "always"), start=1)}
    pyreadstat.write_sav(
        frame.assign(day=frame["day"].dt.date),
        str(path),
        column_labels=[names.get(column, column) for column in frame],
        variable_value_labels={
            "school": {float(i): f"School {i}" for i in range(1, 5)},
            "q2": {**scale, 6.0: "Don't know"},
        },
    )
    proposal = propose(read_table(path), "schools")
    assert not proposal.guessed
    study = read_back(proposal, path, tmp_path)
    codebook = study.codebook
    assert (codebook.citizen, codebook.jobcenter, codebook.date) == ("pupil_no", "school", "day")
    assert codebook.indicator_codes == ("q1", "q2", "q3", "q4")
    assert [one.missing for one in codebook.indicators] == [(), (6,), (), ()]
    assert codebook.label("q1") == 'Sleeps "well"'
    assert codebook.treatment_codes == ("T", "U")
    assert codebook.treatments[0].label == {"en": "Visits at home"}
    told = "\n".join((*proposal.taken, *proposal.doubtful))
    assert "not used: wave" in told and "person's rows (a file of their own): age" in told
    assert set(study.responses["jobcenter"]) == {f"School {i}" for i in range(1, 5)}


def test_letters_outside_of_ascii_stay_in_codes_and_labels(tmp_path: Path) -> None:
    """Catches a question that is called i1 for one letter, and one that readers see by its code."""
    names = {
        "q1": "læselyst",
        "q2": "Årsag",
        "q3": "café",
        "q4": "Q4",
        "T": "Besøg",
        "U": "Ü",
    }
    frame = made().rename(columns=names)
    frame.attrs[VARIABLE_LABELS] = {"læselyst": "Læselyst", "Q4": "q4"}
    proposal = propose(frame, "reading")
    codebook = read_back(proposal, frame, tmp_path).codebook
    assert codebook.indicator_codes == ("laeselyst", "Aarsag", "cafe", "Q4")
    labels = [codebook.label(code) for code in codebook.indicator_codes]
    assert labels == ["Læselyst", "Årsag", "café", "q4"]
    assert codebook.treatment_codes == ("Besoeg", "Ue")
    assert codebook.treatments[0].label == {"en": "Besøg"}


def test_codes_beyond_the_scale_are_guesses(tmp_path: Path) -> None:
    """Catches a typing error that becomes a missing answer without a word, and one not counted."""
    frame = made()
    frame.loc[frame.index[:3], ["q1", "q3"]] = [[9, 8], [9, 3], [7, 1]]
    proposal = propose(frame, "study")
    (doubt,) = (text for text in proposal.doubtful if "a guess" in text)
    assert doubt.startswith("q1 7 (1 times), 9 (2 times), q3 8 (1 times): beyond the scale, read")
    lines = proposal.toml().splitlines()
    assert "missing = [7, 9]  # a guess: confirm it, or delete the line" in lines
    findings = read_back(proposal, frame, tmp_path).findings
    (told,) = (finding for finding in findings if finding.column == "missing")
    assert (told.count, told.by_column) == (4, {"q1": 3, "q3": 1})


def test_a_question_that_is_worded_the_other_way_is_named() -> None:
    """Catches a turned question that nobody is asked about by name, and one that is named as it is.

    A don't know beyond the scale is no answer there.
    """
    turned = made()
    turned["q3"] = (6 - turned["q3"]).fillna(99)
    for frame, expected in ((turned, ["q3: persons"]), (made(), ["q1, q2, q3, q4: which"])):
        found = [text for text in propose(frame, "One").doubtful if "reverse = true" in text]
        assert len(found) == 1 and found[0].startswith(expected[0]), found


def test_texts_speak_of_no_study_but_this_one(tmp_path: Path) -> None:
    """Catches BIP's words in what is told or in the codes of outputs, and codes without a sense."""
    frame = made().rename(columns={"citizen": "id", "jobcenter": "ward", "T": "v23", "U": "v24"})
    path = tmp_path / "wards.sav"
    labels = {"v23": "Home visits", "v24": "Did a nurse come in the last month?"}
    names = [labels.get(column, column) for column in frame]
    pyreadstat.write_sav(frame.assign(date=frame["date"].dt.date), str(path), column_labels=names)
    proposal = propose(read_table(path), "wards")
    assert not FOREIGN.search("\n".join((*proposal.taken, *proposal.doubtful)))
    study = read_back(proposal, path, tmp_path)
    assert study.codebook.treatment_codes == ("Home_visits", "v24")
    assert study.codebook.average_codes == ("mean",)


def test_nothing_of_a_citizen_is_told(tmp_path: Path) -> None:
    """Catches ids, sites, days or words of answers in what is said, or in the codebook."""
    frame = made(mood=lambda one: np.where(one.index % 2, "SECRETLY", "OPENLY"))
    frame["jobcenter"] = "HIDDEN" + frame["jobcenter"]
    frame["date"] = frame["date"].dt.strftime("%d-%m-%Y")
    proposal = propose(frame, "study")
    told = "\n".join((*proposal.taken, *proposal.doubtful, proposal.toml()))
    assert not re.search(r"SECRETLY|OPENLY|HIDDEN|c00\d|\d-20\d\d", told)
    assert "mood: answers in words?" in told and proposal.table["dates"] == "%d-%m-%Y"
    assert read_back(proposal, frame, tmp_path).size[1] == frame["citizen"].nunique()


def test_what_cannot_be_proposed_is_said() -> None:
    """Catches a codebook without indicators, or of a file with one row a citizen."""
    for frame, text in (
        (made().drop_duplicates("citizen").drop(columns=["jobcenter", "wave"]), "several rows"),
        (made().drop(columns=["q1", "q2", "q3", "q4"]), "asked again and again"),
        (made().drop(columns=["T", "U"]), "like a treatment"),
    ):
        with pytest.raises(DataError, match=text):
            propose(frame, "study")


def test_the_verb_never_writes_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a codebook mixed into what is said, and one that a person wrote being lost."""
    monkeypatch.setattr(options, "start_logging", lambda quiet: None)
    data, out = tmp_path / "study.csv", tmp_path / "study.toml"
    made().to_csv(data, index=False)
    said = CliRunner().invoke(command(), ["codebook", str(data)])
    assert said.exit_code == 0 and "doubtful: " in said.stderr and "doubtful:" not in said.stdout
    asked = ["codebook", str(data), "--out", str(out)]
    assert CliRunner().invoke(command(), asked).exit_code == 0
    assert out.read_text(encoding="utf-8") == said.stdout
    out.write_text("mine", encoding="utf-8")
    assert CliRunner().invoke(command(), asked).exit_code == 2 and out.read_text() == "mine"

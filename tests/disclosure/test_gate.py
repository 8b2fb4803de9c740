"""The last gate: what must not leave is found in any file, and nothing else is taken for it."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bipbayes.data.characteristics import Characteristics
from bipbayes.data.characteristics_codebook import Characteristic, CharacteristicsCodebook
from bipbayes.disclosure.dominance import dominated, extremes
from bipbayes.disclosure.door import Door
from bipbayes.disclosure.gate import Sought, faults_of
from bipbayes.errors import RunError

SOUGHT = Sought(
    ids=frozenset({"C00017", "12", "4711", "20481632", "p 7-a"}),
    dates=frozenset({"2015-03-02"}),
    extremes=frozenset({987654.0, 12.0}),
    columns=frozenset({"citizen", "person"}),
    paths=("/data/project 70",),
    minimum_count=5,
)
PLANTED = {
    "an id": "Most of it is C00017's doing.",
    "a long number that is an id": "estimate,20481632\n",
    "an id with a blank": "see p 7-a there",
    "a CPR number": "01027012 and 010270-1234",
    "a day of a response": "from 2015-03-02 on",
    "the richest citizen": "up to 987654 crowns",
    "a folder": "read from /home/somebody/file.csv",
    "the data's folder": "in /data/project 70/responses.csv",
}
INNOCENT = (
    "n = 12 and 4711 responses, 0.20481632, 20481632.5, 9901021234 of it, made on 2026-01-02, "
    "2015-03-02T10:00:00, and a/b of C000171; SHA-256 0102701234abcdef"
)


def _text(folder: Path, ending: str, text: str) -> Path:
    path = folder / f"told{ending}"
    if ending == ".docx":
        with zipfile.ZipFile(path, "w") as parts:
            parts.writestr("word/document.xml", f"<w:t>{text}</w:t>")
    else:
        path.write_text(f'"{text}"' if ending == ".csv" else text, encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".txt", ".csv", ".html", ".docx", ".json"])
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, what: str, ending: str) -> None:
    """Catches an id, CPR number, day, largest amount or folder in any kind of file."""
    faults = faults_of(_text(tmp_path, ending, PLANTED[what]), SOUGHT)
    assert faults
    assert not any(name in fault for name in SOUGHT.ids - {"12"} for fault in faults)


def test_other_numbers_are_let_through(tmp_path: Path) -> None:
    """Catches counts, decimals, digests and time stamps taken for ids, numbers or days."""
    assert faults_of(_text(tmp_path, ".txt", INNOCENT), SOUGHT) == []


def test_rows_and_columns_of_individuals_are_found(tmp_path: Path) -> None:
    """Catches a count below the minimum, and a column of ids that are numbers like others."""
    path = tmp_path / "rows.csv"
    pd.DataFrame({"n_citizens": [5, 80, np.nan, 0]}).to_csv(path, index=False)
    assert faults_of(path, SOUGHT) == []
    pd.DataFrame({"n_citizens": [5, 4]}).to_csv(path, index=False)
    assert faults_of(path, SOUGHT) == ["rows with n_citizens from 1 to 4 (1)"]
    pd.DataFrame({"Person": [12, 13]}).to_csv(path, index=False)
    assert faults_of(path, SOUGHT) == ["a column of ids (2 rows)"]


def test_pictures_carry_no_words_and_other_kinds_stay(tmp_path: Path) -> None:
    """Catches a PNG with text inside, and a file that nobody can look through."""
    words = PngInfo()
    words.add_text("Author", "C00017")
    for name, info in (("bare", None), ("said", words)):
        Image.new("L", (4, 4)).save(tmp_path / f"{name}.png", pnginfo=info)
    assert faults_of(tmp_path / "bare.png", SOUGHT) == []
    assert faults_of(tmp_path / "said.png", SOUGHT) == ["the picture carries text"]
    (tmp_path / "draws.nc").write_bytes(b"CDF")
    assert "cannot be looked through" in faults_of(tmp_path / "draws.nc", SOUGHT)[0]


def test_one_bad_file_keeps_all_inside(tmp_path: Path) -> None:
    """Catches a door that lets the good files out, or throws an earlier export away."""
    place = tmp_path / "export"
    with Door(place, SOUGHT) as door:
        (door.folder / "good.txt").write_text("nothing", encoding="utf-8")
        door.close("read me", {"data": "x"})
    before = sorted(path.name for path in place.iterdir())
    said = r"1 files may not leave: bad\.txt: ids of the data \(1\)"
    with pytest.raises(RunError, match=said), Door(place, SOUGHT) as door:
        (door.folder / "good.txt").write_text("nothing", encoding="utf-8")
        (door.folder / "bad.txt").write_text("C00017", encoding="utf-8")
        door.close("read me", {"data": "x"})
    assert sorted(path.name for path in place.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_nothing_leaves_unnoted(tmp_path: Path) -> None:
    """Catches an export that is in place before the ledger, which cannot be written, knows it."""

    def noted() -> None:
        raise PermissionError(13, "no")

    with pytest.raises(PermissionError), Door(tmp_path / "export", SOUGHT) as door:
        door.close("read me", {"data": "x"}, noted=noted)
    assert list(tmp_path.iterdir()) == []


def _linked(place: Path) -> None:
    (place / "own.csv").symlink_to(place / "nowhere")


def _elsewhere(place: Path) -> None:
    place.rename(place.with_name("moved"))
    place.symlink_to(place.with_name("moved"))


def _file(place: Path) -> None:
    shutil.rmtree(place)
    place.write_text("mine", encoding="utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file more": lambda place: (place / "own.csv").write_text("a", encoding="utf-8"),
    "other words": lambda place: (place / "README.txt").write_text("mine", encoding="utf-8"),
    "a link more": _linked,
    "manifest gone": lambda place: (place / "manifest.json").unlink(),
    "manifest a list": lambda place: (place / "manifest.json").write_text("[1]", encoding="utf-8"),
    "a link to a folder": _elsewhere,
    "a file": _file,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_person_put_into_an_export_stays(tmp_path: Path, change: str) -> None:
    """Catches a person's file or correction thrown away, and tracebacks for links."""
    place = tmp_path / "export"
    with Door(place, SOUGHT) as door:
        door.close("read me", {"data": "x"})
    CHANGES[change](place)
    before = [(path, path.is_file() and path.read_bytes()) for path in tmp_path.rglob("*")]
    with pytest.raises(RunError, match=r"move (it|them)"):
        Door(place, SOUGHT)
    assert [(path, path.is_file() and path.read_bytes()) for path in tmp_path.rglob("*")] == before


def _people(amounts: list[float]) -> Characteristics:
    entry = Characteristic("income", 4, "amount", "crowns", {"en": "Income"}, high=1e9)
    frame = pd.DataFrame({"citizen": list("abcdefghij"), "income": amounts})
    return Characteristics(frame, CharacteristicsCodebook("money", (entry,)), "", synthetic=False)


def test_a_mean_that_one_citizen_makes_up_is_held_back() -> None:
    """Catches an extreme amount of one or two citizens that a group's mean would tell."""
    groups = pd.DataFrame({"J": [1] * 10, "S": [0] + [1] * 9})
    assert dominated(groups, _people([100.0] * 10)) == set()
    assert dominated(groups, _people([100_000.0] + [100.0] * 9)) == {("income", "J")}
    two = _people([100.0, 9_000.0, 9_000.0] + [100.0] * 7)
    assert dominated(groups, two) == {("income", "J"), ("income", "S")}
    assert extremes(two, 5) == {9000.0}

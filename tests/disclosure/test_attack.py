"""An attacker who has all of ``export/`` pins no small cell and no few citizens' answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from attacker import Attacker
from builders import Shape, make_codebook, random_responses

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.disclosure.held import Held
from bipbayes.errors import RunError, SettingsError
from bipbayes.run import leaving
from bipbayes.run.compare_stage import compare_stored
from bipbayes.run.default_study import default_simulation
from bipbayes.run.export_stage import export_stored
from bipbayes.run.inputs import open_run, open_stored
from bipbayes.run.leaving import tells, told_here
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.package_files import results
from bipbayes.run.posterior_stage import fit_posterior
from bipbayes.run.settings import Settings

BOOK = make_codebook(3, 2)
LEAST = 5
PLANTED = ("11", "site 1")  # two citizens, three responses with a change
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
[averages.caseworker_mean]
members = ["q3"]
"""


def _frame(*, citizens: int = 200, seed: int = 8) -> pd.DataFrame:
    """Responses without gaps or moves, with a cell of two citizens."""
    shape = Shape(citizens=citizens, waves=(3, 5), gaps=0, unknown=0, moves=0)
    frame = random_responses(BOOK, seed=seed, shape=shape)
    place = (frame["combination"] == PLANTED[0]) & (frame["jobcenter"] == PLANTED[1])
    kept = sorted(frame.loc[place, "citizen"].unique())[:2]
    return frame[~place | frame["citizen"].isin(kept)].drop(columns="combination")


def _study(folder: Path, frame: pd.DataFrame) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "responses.csv", index=False)
    entries = [
        f'[[indicators]]\ncode = "{entry.code}"\nrespondent = "{entry.respondent}"\n'
        for entry in BOOK.indicators
    ]
    (folder / "study.toml").write_text(TOML.format(indicators="\n".join(entries)))
    settings = Settings(
        data=folder / "responses.csv",
        codebook=folder / "study.toml",
        out=folder / "results",
        minimum_count=LEAST,
        disclosure="tables",
        quick=True,
        quiet=True,
    )
    run = open_run(settings)
    fit_ols(run)
    fit_posterior(run, "hierarchical")
    return settings


def _export(settings: Settings) -> Path:
    export_stored(*open_stored(settings), settings, formats=("csv",))
    return settings.out / "export"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = _study(tmp_path_factory.mktemp("attack"), _frame())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bipbayes.run.compare_stage.DrawingPool", _NoPictures)
        compare_stored(*open_stored(settings), settings)
    return settings


class _NoPictures:
    """What draws nothing."""

    def __init__(self, *_: object, **__: object) -> None: ...
    def __enter__(self) -> _NoPictures:
        return self

    def __exit__(self, *_: object) -> None: ...
    def submit(self, _: object) -> None: ...
    def finish(self) -> list[Path]:
        return []


@pytest.fixture
def again(stored: Settings, tmp_path: Path) -> Settings:
    """The stored run with a ledger of its own."""
    return replace(stored, ledger=tmp_path / "ledger")


def _pinned(
    settings: Settings, export: Path, *, book: Codebook = BOOK, outcome: str = ""
) -> dict[str, list[Any]]:
    """Return small cells that the attacker narrows down, by what is told of them."""
    progression = open_run(replace(settings, quick=False)).progression()
    cells = leaving.count_cells(progression, book).frame
    own = (cells["outcome"] == (outcome or book.outcomes[0])) & (cells["jobcenter"] != "")
    rows = cells[own].set_index(["combination", "jobcenter"])
    places = tuple(sorted(set(cells["jobcenter"]) - {""}))
    attacker = Attacker(export, book, places, outcome)
    small = [cell for cell, count in rows["citizens"].items() if 0 < count < LEAST]
    targets = [attacker.where(combinations=[c], place=j) for c, j in small]
    found: dict[str, list[Any]] = {}
    for name, equations in (
        ("responses", attacker.number_equations()),
        ("citizens", attacker.citizen_equations()),
    ):
        ends = attacker.numbers(equations, targets)
        found[name] = [
            cell for cell, (low, high) in zip(small, ends, strict=True) if high - low < LEAST - 1
        ]
    asked = [(name, *cell) for name in attacker.outcomes for cell in small]
    scales = progression[["mean", "sd"]].to_dataframe()[["mean", "sd"]]
    ends = attacker.means(rows["n"].to_dict(), scales, asked)
    found["means"] = [key for key, (low, high) in zip(asked, ends, strict=True) if high - low < 1.0]
    assert small
    return found


@pytest.mark.slow
def test_nothing_small_is_pinned_at_the_size_of_the_report(tmp_path: Path) -> None:
    """Catches what only many sites, gaps and people who move tell; each outcome by itself."""
    responses = default_simulation().responses.drop(columns="synthetic")
    responses.to_csv(tmp_path / "responses.csv", index=False)
    settings = Settings(
        data=tmp_path / "responses.csv",
        out=tmp_path / "results",
        minimum_count=LEAST,
        disclosure="tables",
        quiet=True,
    )
    run = open_run(settings)
    fit_ols(run)
    fit_posterior(run, "hierarchical")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bipbayes.run.compare_stage.DrawingPool", _NoPictures)
        compare_stored(*open_stored(settings), settings)
    export, book = _export(settings), run.codebook
    for outcome in book.outcomes:
        found = _pinned(settings, export, book=book, outcome=outcome)
        assert found == {"responses": [], "citizens": [], "means": []}, outcome


def test_nothing_small_is_pinned_by_all_that_leaves(again: Settings) -> None:
    """Catches a cell of two worked out from totals, other outcomes, weightings or averages."""
    assert _pinned(again, _export(again)) == {"responses": [], "citizens": [], "means": []}


def test_the_attacker_breaks_what_is_blanked_one_table_at_a_time(
    again: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an attacker too weak to prove anything: without company a cell is worked out."""

    def alone(cells: pd.DataFrame, codebook: Any, *, minimum_count: int) -> Held:
        few = cells[(cells["jobcenter"] != "") & (cells["citizens"] < minimum_count)]
        pairs = frozenset(zip(few["combination"], few["jobcenter"], strict=True))
        terms = frozenset(factorial_contrasts(codebook)[0])
        return Held(
            frozenset(), pairs, frozenset(), frozenset(), terms, frozenset(),
            minimum_count, codebook.no_treatment,
        )  # fmt: skip

    original = leaving.held_back
    monkeypatch.setattr(
        leaving,
        "held_back",
        lambda *a, **k: original(*a, **k) if k["minimum_count"] == 1 else alone(*a, **k),
    )
    found = _pinned(again, _export(again))
    assert PLANTED in found["responses"] and PLANTED in found["citizens"]
    assert {key[1:] for key in found["means"]} >= {PLANTED}


def test_no_row_rests_on_few_citizens_and_no_count_is_small(again: Settings) -> None:
    """Catches a row of the long frame, or a count of any table, on 1 to 4 citizens."""
    export = _export(again)
    counted = 0
    for path in export.rglob("*.csv"):
        frame = pd.read_csv(path)
        for name in ("n_citizens", "n_carriers"):
            if name in frame:
                values = frame[name].dropna()
                assert not values.between(1, LEAST - 1).any(), path
                counted += len(values)
    assert counted > 100
    rows = pd.read_csv(export / "data" / "intervals.csv")
    assert (rows["n_citizens"] >= LEAST).all() and rows["estimate"].notna().any()


def test_a_manifest_names_every_file(again: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Catches a file without a status, a folder that others have put something into.

    Also numbers that are held back without a word to whoever exports.
    """
    with caplog.at_level("INFO", logger="bipbayes"):
        export = _export(again)
    assert "held back in all that leaves: 6 cells of single sites" in caplog.text
    record = json.loads((export / "manifest.json").read_text("utf-8"))
    there = {p.relative_to(export).as_posix() for p in export.rglob("*") if p.is_file()}
    assert {entry["file"] for entry in record["files"]} == there - {
        "manifest.txt",
        "manifest.json",
    }
    assert {entry["status"] for entry in record["files"]} <= {"pass", "review"}
    assert not list(export.rglob("*.png")) and not (export / "report.html").exists()
    stranger = export / "notes.csv"
    stranger.write_text("mine\n", encoding="utf-8")
    with pytest.raises(RunError, match="no export wrote"):
        _export(again)
    stranger.unlink()


def test_what_is_blank_altogether_is_left_out_and_reasons_are_told_here() -> None:
    """Catches empty tables that leave, and a large combination blanked without its reason."""
    empty = pd.DataFrame({"jobcenter": ["A"], "n": [np.nan], "note": ["blank"]})
    assert not tells(empty) and tells(empty.assign(n=7)) and tells(empty[["note"]])
    assert not tells(empty.drop(columns="n").assign(level=0.95))  # of estimates that are gone
    cells = pd.DataFrame({"combination": ["01", "10"], "jobcenter": "", "citizens": [3, 81]})
    held = SimpleNamespace(
        combinations={"01", "10"}, cells={("01", "A"), ("00", "A")}, minimum_count=5
    )
    (text,) = told_here(held, cells, make_codebook(2, 2))
    assert "2 combinations (U: fewer than 5 {citizens} for some outcome; T: only since" in text
    assert "and 1 cells" in text
    held = SimpleNamespace(combinations=set(), cells=set(), minimum_count=5)
    assert told_here(held, cells, make_codebook(2, 2)) == []


def test_real_data_never_leave_without_protection(again: Settings) -> None:
    """Catches ``--disclosure off`` or an export without the responses for real data.

    A format that is unknown is said first: nobody looks for data to learn of a slip.
    """
    with pytest.raises(SettingsError, match="did you mean"):
        export_stored(*open_stored(again), replace(again, data=None), formats=("dcox",))
    with pytest.raises(SettingsError, match="off is for synthetic"):
        _export(replace(again, disclosure="off"))
    with pytest.raises(SettingsError, match="give --data"):
        _export(replace(again, data=None, disclosure=None))


def test_private_files_say_that_they_are(stored: Settings) -> None:
    """Catches draws, frames or a folder of real data that do not say they may not leave."""
    import xarray as xr

    private = stored.out / "private"
    assert "may leave" in (private / "README.txt").read_text("utf-8")
    assert pd.read_csv(private / "data" / "intervals.csv")["private"].all()
    with xr.open_datatree(private / "posterior" / "hierarchical.nc", engine="h5netcdf") as tree:
        assert "may not leave" in tree.attrs["private"]
    assert not (stored.out / "data").exists()


def test_a_second_export_of_nearly_the_same_people_is_refused(
    stored: Settings, tmp_path: Path
) -> None:
    """Catches a citizen's answers given by the difference of two exports."""
    ledger = tmp_path / "ledger"
    first = replace(stored, ledger=ledger, disclosure="tables")  # pictures count nothing
    _export(first)
    _export(first)  # the same again tells nothing more
    frame = _frame()
    gone = sorted(frame["citizen"].unique())[-2:]
    fewer = _study(tmp_path / "fewer", frame[~frame["citizen"].isin(gone)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bipbayes.run.compare_stage.DrawingPool", _NoPictures)
        compare_stored(*open_stored(fewer), fewer)
    with pytest.raises(RunError, match=r"differ from export 000\d of .* by 1 to 4 persons"):
        _export(replace(fewer, ledger=ledger, disclosure="tables"))
    # Nor what stays: its tables would be those of an export that was refused.
    assert not (fewer.out / "export").exists()
    assert not list(fewer.out.glob("private/tables/comparison*"))
    assert len(list(ledger.glob("*.parquet"))) == 2
    kept = [path.read_bytes() for path in ledger.iterdir()]
    assert not [name for name in gone if any(str(name).encode() in held for held in kept)]


def test_a_study_too_small_for_any_number_can_leave(tmp_path: Path) -> None:
    """Catches a figure without a number to draw that stops the whole export."""
    settings = replace(_study(tmp_path, _frame(citizens=40)), minimum_count=1000)
    compare_stored(*open_stored(settings), settings)
    place = _export(replace(settings, disclosure="strict"))
    drawn = {path.stem for path in place.rglob("*.png")}
    assert not drawn & {"heatmap_effect", "shrinkage", "combinations", "new_jobcenter"}
    assert (place / "report.html").is_file()


def test_an_archive_holds_what_was_let_out_and_nothing_else(again: Settings) -> None:
    """Catches private results in an archive, and a file that somebody put beside an export."""
    export = _export(again)
    folder, _ = open_stored(again)
    (export / "own.csv").write_text("mine\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"own\.csv"):
        results(folder)
    (export / "own.csv").unlink()
    packed = set(results(folder))
    there = {p.relative_to(export).as_posix() for p in export.rglob("*") if p.is_file()}
    assert packed == {f"output/{name}" for name in there}

"""Run folders: whose results they hold and what may be written over."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bipbayes.atomic import note_written, write_frame, write_text
from bipbayes.describe.description import NAMES
from bipbayes.errors import BipbayesError, RunError
from bipbayes.run.folder import RunFolder, hold, makers, refuse_place
from bipbayes.run.inputs import open_run
from bipbayes.run.settings import Settings

MINE = {"data": "aaa", "codebook": "b", "previous": "item"}
OTHER = {**MINE, "data": "zzz"}


def test_another_runs_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Catches results of two data sets mixed in one folder, or the first ones lost."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.write("data/published.csv", pd.DataFrame({"estimate": [1.0]}))
    with pytest.raises(RunError, match=r"other data.*--overwrite"):
        folder.claim(OTHER, overwrite=False)
    assert folder.file("data/published.csv").is_file()
    folder.claim(MINE, overwrite=False)
    assert folder.file("data/published.csv").is_file()


def test_overwrite_removes_what_the_record_lists_and_nothing_else(tmp_path: Path) -> None:
    """Catches stale figures beside new ones, and a user's own files deleted by their name."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    write_text(tmp_path / "tables" / "audit_paragraph.txt", "of the other run")
    drawn = tmp_path / "figures" / "forest_B1.png"
    drawn.parent.mkdir()
    drawn.write_bytes(b"x")
    note_written([drawn])  # as a drawing process reports it
    mine = [tmp_path / name for name in ("data/mine.csv", "notes.txt", "audit_mine.csv")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("keep")
    folder.finish("fit_ols", {})
    folder.claim(OTHER, overwrite=True)
    assert not drawn.exists() and not (tmp_path / "tables" / "audit_paragraph.txt").exists()
    assert all(path.read_text() == "keep" for path in mine)
    assert folder.record()["identity"] == OTHER and folder.record()["written"] == []


def test_a_record_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Catches findings without languages called damage, with the advice to leave the ledger."""
    (tmp_path / "run.json").write_text('{"data": {"findings": ["two rows"]}}', encoding="utf-8")
    assert RunFolder(tmp_path).record()["data"]["findings"] == {"en": ["two rows"]}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_files_that_no_record_lists_are_never_taken_over(
    tmp_path: Path, *, stored: bool, overwrite: bool
) -> None:
    """Catches a user's own file replaced for its name, beside a run or where none was."""
    folder = RunFolder(tmp_path)
    if stored:
        folder.claim(MINE, overwrite=False)
        folder.write("data/intervals.csv", pd.DataFrame({"estimate": [1.0]}))
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data/published.csv").write_text("x")
    with pytest.raises(RunError, match=r"\(1: data/published\.csv\).*never removed"):
        folder.claim(OTHER, overwrite=overwrite)
    assert (tmp_path / "data/published.csv").read_text() == "x"
    assert (tmp_path / "data/intervals.csv").is_file() is stored


RECORDS = (
    *("", "[]", "null", "{", "\ufeff1", '{"stages": []}', '{"stages": {"fit_ols": 1}}'),
    *('{"identity": 3}', '{"identity": []}', '{"identity": {"data": "x"}}', '{"data": null}'),
    *(
        '{"data": [1]}',
        '{"data": {"findings": "x"}}',
        '{"software": "x"}',
        '{"written": null}',
        '{"written": "run.json"}',
    ),
)


@pytest.mark.parametrize("text", RECORDS)
def test_a_damaged_record_removes_nothing(tmp_path: Path, text: str) -> None:
    """Catches a traceback, or files removed on the word of a record that cannot be read."""
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(RunError, match=r"damaged.*name another folder, or move this one"):
            RunFolder(tmp_path).claim(MINE, overwrite=overwrite)
    assert (tmp_path / "run.json").read_text(encoding="utf-8") == text


def test_overwrite_never_forgets_what_was_exported(tmp_path: Path) -> None:
    """Catches other data that replace a run, and are then exported without a look at the first."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    write_text(folder.file("ledger/0001.parquet"), "{}")
    folder.note()
    folder.claim(OTHER, overwrite=True)
    assert folder.file("ledger/0001.parquet").is_file()
    folder.make_way(overwrite=True, inputs=[])
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["ledger"]


def test_a_record_that_lists_files_elsewhere_removes_none_of_them(tmp_path: Path) -> None:
    """Catches run.json of another machine, or a forged one, that leads out of the folder."""
    outside = tmp_path / "outside.csv"
    outside.write_text("keep")
    folder = RunFolder(tmp_path / "out")
    folder.claim(MINE, overwrite=False)
    record = {**folder.record(), "written": ["../outside.csv", str(outside), 3]}
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    folder.claim(OTHER, overwrite=True)
    assert outside.read_text() == "keep"


def test_an_input_among_the_files_of_the_other_run_is_not_removed(tmp_path: Path) -> None:
    """Catches a result of the other run, of whatever name, that the starting run reads."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    write_text(tmp_path / "extra" / "own.csv", "of the other run")
    folder.note()
    with pytest.raises(RunError, match=r"own\.csv: read by this run"):
        folder.claim(OTHER, overwrite=True, inputs=[tmp_path / "extra" / "own.csv"])
    assert (tmp_path / "extra" / "own.csv").is_file()


@pytest.mark.parametrize("other", ["claims", "characteristics"])
def test_inputs_are_read_through_before_the_slow_part(tmp_path: Path, other: str) -> None:
    """Catches a run that refuses its own inputs after minutes, or after removing results."""
    folder = RunFolder(tmp_path / "out")
    folder.claim(MINE, overwrite=False)
    folder.write("data/published.csv", pd.DataFrame({"estimate": [1.0]}))
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing\n1\n", encoding="utf-8")
    wanted = Settings(out=folder.path, overwrite=True, **{other: bad})
    with pytest.raises(BipbayesError, match=r"bad\.csv"):
        open_run(wanted)
    assert folder.file("data/published.csv").is_file() and folder.record()["identity"] == MINE


def test_a_stage_with_other_settings_is_refused(tmp_path: Path) -> None:
    """Catches a fit with other priors silently replacing the stored one."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.finish("fit_ols", {"level": 0.95}, rows=3)
    folder.begin("fit_ols", {"level": 0.95}, overwrite=False)
    with pytest.raises(RunError, match="level"):
        folder.begin("fit_ols", {"level": 0.9}, overwrite=False)
    folder.begin("fit_ols", {"level": 0.9}, overwrite=True)
    assert folder.stage("fit_ols")["rows"] == 3
    with pytest.raises(RunError, match="fit-posterior"):
        folder.stage("fit_posterior/hierarchical")


def test_frames_keep_codes_as_text(tmp_path: Path) -> None:
    """Catches combination 0101 read back as 101 and an empty label as missing."""
    folder = RunFolder(tmp_path)
    frame = pd.DataFrame({"combination": ["0101"], "jobcenter": [""], "estimate": [0.1 + 0.2]})
    folder.write("data/intervals.csv", frame)
    back = folder.read("data/intervals.csv")
    assert back["combination"].tolist() == ["0101"] and back["jobcenter"].tolist() == [""]
    assert back["estimate"].tolist() == [0.1 + 0.2]
    with pytest.raises(RunError, match="missing"):
        folder.read("data/comparison.csv")


def test_text_stays_text_in_any_reader(tmp_path: Path) -> None:
    """Catches 0101 read as 101 or as a date, formulas that run, and labels read as missing.

    What is read back equals what was written, also where a label looks like what we add.
    """
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.note(data={"synthetic": False, "treatments": ["J", "O", "S", "H"]})
    labels = ["=1+1", "'=1", "@SUM(A1)", "+4", "-0.5", "'quoted", "NA", "None", "", "c0101"]
    frame = pd.DataFrame(
        {
            "combination": ["0101", "0000", "1111", "0001", "0010", "J:O", "J", "", "0100", "1000"],
            "jobcenter": labels,
            "estimate": np.linspace(-1, 1, 10),
        }
    )
    folder.write("data/intervals.csv", frame)
    pd.testing.assert_frame_equal(folder.read("data/intervals.csv"), frame)
    folder.write("data/published.csv", folder.read("data/intervals.csv"))
    assert (tmp_path / "data/published.csv").read_bytes() == (
        tmp_path / "data/intervals.csv"
    ).read_bytes()
    plain = pd.read_csv(tmp_path / "data/intervals.csv")
    words = ["O+H", "none", "J+O+S+H", "H", "S", "J:O", "J", np.nan, "O", "J"]
    assert plain["combination"].fillna("").tolist() == [w if w == w else "" for w in words]
    assert plain["code"].tolist()[:5] == ["c0101", "c0000", "c1111", "c0001", "c0010"]
    executed = plain["jobcenter"].dropna().str.match(r"[=+\-@]")
    assert not executed.any() and (plain["estimate"] == frame["estimate"]).all()


@pytest.mark.parametrize("kept", [0, 1, 42, -1])
def test_a_frame_that_was_cut_off_is_damaged_and_the_way_out_is_told(
    tmp_path: Path, kept: int
) -> None:
    """Catches a last row that pandas fills up, and rows after it that are lost without a word."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    frame = pd.DataFrame({"estimate": np.linspace(0.0, 1.0, 9)})
    folder.write("data/intervals.csv", frame)
    path = folder.file("data/intervals.csv")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match=r"remove it and run .*fit-ols and fit-posterior"):
        folder.read("data/intervals.csv")
    folder.note(frames={})  # where no digest was noted, its last line tells
    with pytest.raises(RunError, match=r"remove it and run .*fit-ols and fit-posterior"):
        folder.read("data/intervals.csv")


CHANGES: dict[str, Callable[[str], str]] = {
    "cut at a line's end": lambda text: text[: text.rindex("\n", 0, -1) + 1],
    "other names": lambda text: text.replace("estimate", "etamitse", 1),
    "other columns": lambda text: "a,b\n1,2\n",
    "junk behind": lambda text: text + "junk\n",
    "a row twice": lambda text: text + text.splitlines()[-1] + "\n",
    "another number": lambda text: text.replace("0.5", "0.6", 1),
}


def test_what_makes_a_table_is_known() -> None:
    """Catches the advice to run a verb that does not write the damaged file again."""
    assert {tuple(makers(f"tables/{name}.csv")) for name in NAMES.values()} == {("describe",)}
    assert makers("tables/design_analysis.csv") == makers("data/audit.csv") == ["audit"]
    assert makers("tables/design.tex") == ["export"]


@pytest.mark.parametrize("name", ["data/intervals.csv", "data/audit.csv"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_frame_that_is_not_as_it_was_written_is_damaged(
    tmp_path: Path, change: str, name: str
) -> None:
    """Catches lost rows and other numbers without a word, and tracebacks of missing columns."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.write(name, pd.DataFrame({"outcome": list("abc"), "estimate": [0.0, 0.5, 1.0]}))
    assert folder.read(name)["estimate"].sum() == 1.5
    path = folder.file(name)
    path.write_text(CHANGES[change](path.read_text(encoding="utf-8")), encoding="utf-8")
    for use in (lambda: folder.read(name), folder.refuse_changed_frames):
        with pytest.raises(RunError, match=r"is damaged; remove it and run"):
            use()
    path.unlink()
    with pytest.raises(RunError, match="is missing"):
        folder.refuse_changed_frames()


@pytest.mark.parametrize("placed", [False, True])
def test_a_run_that_ends_beside_a_frame_leaves_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, placed: bool
) -> None:
    """Catches a frame called damaged, since the run was killed before or after placing it."""
    folder, name = RunFolder(tmp_path), "data/intervals.csv"
    folder.claim(MINE, overwrite=False)
    folder.write(name, pd.DataFrame({"estimate": [1.0]}))

    def killed(path: Path, text: str) -> None:
        if placed:
            write_text(path, text)
        raise KeyboardInterrupt

    monkeypatch.setattr("bipbayes.run.folder.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.write(name, pd.DataFrame({"estimate": [2.0]}))
    assert folder.read(name)["estimate"].tolist() == [2.0 if placed else 1.0]


def test_columns_that_hold_no_combinations_are_left_alone(tmp_path: Path) -> None:
    """Catches the rule for previous answers, or a number, taken for an earlier combination."""
    for previous in (["item", "response"], [10, 11]):
        write_frame(tmp_path / "x.csv", pd.DataFrame({"previous": previous}), treatments=["J", "O"])
        plain = pd.read_csv(tmp_path / "x.csv")
        assert list(plain) == ["previous"] and plain["previous"].tolist() == previous


def test_our_files_merge_after_a_plain_read(tmp_path: Path) -> None:
    """Catches files of which one holds text and another numbers of the same combination."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.note(data={"synthetic": False, "treatments": ["J", "O"]})
    folder.write(
        "data/published.csv", pd.DataFrame({"combination": ["00", "01", "10"], "a": [1, 2, 3]})
    )
    write_frame(
        tmp_path / "truth.csv",
        pd.DataFrame({"combination": ["10", "01"], "b": [3, 2]}),
        treatments=["J", "O"],
    )
    left, right = (pd.read_csv(tmp_path / name) for name in ("data/published.csv", "truth.csv"))
    for key in ("combination", "code"):
        both = left.merge(right, on=key)
        assert len(both) == 2 and (both["a"] == both["b"]).all()


def test_frames_say_what_they_rest_on_and_stages_what_was_asked(tmp_path: Path) -> None:
    """Catches quick numbers in a CSV without a mark, and options that run.json forgot."""
    frame = pd.DataFrame({"estimate": [1.0]})
    quick = RunFolder(tmp_path, {"quick": True, "seed": 3})
    quick.claim(MINE, overwrite=False)
    quick.note(data={"synthetic": False})
    quick.write("data/published.csv", frame)
    stored = pd.read_csv(tmp_path / "data/published.csv")
    assert stored["synthetic"].tolist() == [False] and stored["preliminary"].tolist() == [True]
    pd.testing.assert_frame_equal(quick.read("data/published.csv"), frame)
    quick.finish("fit_ols", {})
    assert quick.stage("fit_ols")["asked"] == {"quick": True, "seed": 3}
    later = RunFolder(tmp_path, {"quick": False})
    later.write("data/published.csv", frame)
    assert "preliminary" not in pd.read_csv(tmp_path / "data/published.csv")
    later.finish("fit_posterior/hierarchical", {}, preliminary=True)
    later.write("data/intervals.csv", frame)
    assert pd.read_csv(tmp_path / "data/intervals.csv")["preliminary"].tolist() == [True]
    later.write("data/intervals.csv", frame, fits={"fit_posterior/hierarchical": True})
    assert "preliminary" not in pd.read_csv(tmp_path / "data/intervals.csv")
    later.finish("fit_posterior/hierarchical", {}, preliminary=False, verdict={"passed": False})
    later.write("data/comparison.csv", frame)
    assert pd.read_csv(tmp_path / "data/comparison.csv")["preliminary"].tolist() == [True]


def test_two_processes_never_fill_one_folder(tmp_path: Path) -> None:
    """Catches two runs in one new folder, of which one loses its results; and locks of the dead."""
    out = tmp_path / "new"
    imports = "import sys, pathlib; from bipbayes.run.folder import hold"
    code = f"{imports}; hold(pathlib.Path(sys.argv[1])); "
    other = [sys.executable, "-c", f"{code}print(1, flush=True); input()", str(out)]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None and first.stdout.readline()
        with pytest.raises(RunError, match="another run is at work"):
            hold(out)
        first.kill()
    subprocess.run([sys.executable, "-c", code, str(out)], check=True)
    assert list(out.iterdir()) == []


def test_a_place_that_takes_nothing_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a read-only disk, or a file in the way, that is noticed once data have been read."""
    refuse_place(tmp_path / "new" / "results")
    file = tmp_path / "notes"
    file.touch()
    with pytest.raises(RunError, match="notes is a file; --out is a folder: choose another"):
        refuse_place(file)
    with pytest.raises(RunError, match=r"notes is a file, and .*a/b would lie in it; --out is a f"):
        refuse_place(file / "a" / "b")
    with pytest.raises(OSError, match="too long"):
        refuse_place(tmp_path / ("x" * 300) / "results")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(RunError, match=r"nothing can be written to .*its disk may be read-only"):
        refuse_place(tmp_path / "new" / "results")

"""Atomic writing."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from pandas._libs.parsers import STR_NA_VALUES

from bipbayes.atomic import _owner, atomic_path, write_frame, write_text
from bipbayes.stored_frames import restored


def test_failed_write_leaves_the_old_file_and_no_debris(tmp_path: Path) -> None:
    """Catches a writer that truncates the old result before the new one is whole."""
    target = tmp_path / "intervals.csv"
    write_text(target, "old\n")
    with pytest.raises(OSError, match="disk") as told, atomic_path(target) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "disk full")
    assert told.value.filename == target, "which file it was is not said"
    assert target.read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["intervals.csv"]


def test_a_read_only_disk_is_told_of_the_file_that_was_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a refusal of the temporary file, a name that its reader has never seen.

    Such a disk refuses even to remove what is not there.
    """

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    for name in ("unlink", "write_text"):
        monkeypatch.setattr(Path, name, refuse)
    with pytest.raises(OSError, match="Read-only") as told:
        write_text(tmp_path / "run.json", "new\n")
    assert told.value.filename == tmp_path / "run.json"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="who is gone cannot be known")
def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """Catches halves of a killed run that stay for ever, and one of a run that still writes.

    Where a folder is shared, it may write on another machine.
    """
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours, elsewhere = _owner(gone.pid), f"elsewhere+{gone.pid}"
    names = [f".fit.{ours}.part.nc", f".fit.{_owner(os.getppid())}.part.nc", ".fit.mine.part.nc"]
    names += [
        f".fit.unjudged.{ours}.part.nc",
        f".other.{ours}.part.nc",
        f".fit.{elsewhere}.part.nc",
    ]
    for name in names:
        (tmp_path / name).touch()
    write_text(tmp_path / "fit.nc", "whole\n")
    assert {path.name for path in tmp_path.iterdir()} == {"fit.nc", *names[1:]}


def test_text_has_line_feeds_only(tmp_path: Path) -> None:
    """Catches newline translation, which would change digests between systems."""
    write_text(tmp_path / "new" / "a.csv", "a\nb\n")
    assert (tmp_path / "new" / "a.csv").read_bytes() == b"a\nb\n"


def test_sites_keep_their_zeros_in_any_reader(tmp_path: Path) -> None:
    """Catches 01 read as 1 by who reads the CSV without thinking, and a guard not taken off."""
    path = tmp_path / "a.csv"
    frame = pd.DataFrame({"jobcenter": ["01", "007", "10", "0", "'01", "=1+1", "0A"], "n": 1})
    write_frame(path, frame)
    plain = pd.read_csv(path)["jobcenter"].astype("str")
    assert [text.lstrip("'") for text in plain] == [s.lstrip("'") for s in frame["jobcenter"]]
    pd.DataFrame({"jobcenter": ["01", "02"]}).pipe(lambda sites: write_frame(path, sites))
    assert pd.read_csv(path)["jobcenter"].tolist() == ["'01", "'02"]
    write_frame(path, frame)
    text = restored(pd.read_csv(path, dtype={"jobcenter": "str"}))
    assert text["jobcenter"].tolist() == frame["jobcenter"].tolist()


@pytest.mark.parametrize("only", [True, False])
def test_sites_keep_names_that_readers_take_for_missing(tmp_path: Path, *, only: bool) -> None:
    """Catches a site called NA or None that a plain read loses, alone or beside other sites."""
    path = tmp_path / "a.csv"
    names = sorted(STR_NA_VALUES - {""})
    assert "NA" in names and len(names) > 10
    frame = pd.DataFrame({"jobcenter": [*names, *(f"'{name}" for name in names)]})
    if not only:
        frame = pd.concat([frame, pd.DataFrame({"jobcenter": ["Nanna", "north", ""]})])
    frame = frame.reset_index(drop=True).assign(estimate=0.5)
    write_frame(path, frame)
    plain = pd.read_csv(path)["jobcenter"].fillna("")
    assert plain.str.removeprefix("'").tolist() == frame["jobcenter"].tolist()
    text = restored(pd.read_csv(path, keep_default_na=False))
    assert text["jobcenter"].tolist() == frame["jobcenter"].tolist()

"""Atomic writing."""

from pathlib import Path

import pandas as pd
import pytest

from bipbayes.atomic import atomic_path, write_frame, write_text
from bipbayes.marks import restored


def test_failed_write_leaves_the_old_file_and_no_debris(tmp_path: Path) -> None:
    """Catches a writer that truncates the old result before the new one is whole."""
    target = tmp_path / "effects.csv"
    write_text(target, "old\n")
    with pytest.raises(OSError, match="disk"), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")
    assert target.read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["effects.csv"]


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

"""Atomic writing."""

from pathlib import Path

import pytest

from bipbayes.atomic import atomic_path, write_text


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

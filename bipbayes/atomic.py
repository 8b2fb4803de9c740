"""Writing files so that a reader sees the old one or the whole new one, never half of it."""

import glob
import json
import os
import platform
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from bipbayes.stored_frames import readable, spoken

_SCRATCH: Final = ".parts-"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_WRITTEN: Final[set[str]] = set()  # by this process; a run lists its own in run.json


def note_written(paths: Iterable[Path]) -> None:
    """Note files that were put in place otherwise: by another process, or by renaming."""
    _WRITTEN.update(path.absolute().as_posix() for path in paths)


def written_below(folder: Path) -> list[str]:
    """Return what this process wrote in a folder and those below, relative to it."""
    place = f"{folder.absolute().as_posix()}/"
    return sorted(path.removeprefix(place) for path in _WRITTEN if path.startswith(place))


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes `path`'s place when the block succeeds.

    The temporary name keeps the suffix, since many writers choose the format by it. What a killed
    process left of the same file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before, after = f".{path.stem}.", f".part{path.suffix}"
    temporary = path.with_name(f"{before}{_owner()}{after}")
    for left in path.parent.glob(f"{glob.escape(before)}*{glob.escape(after)}"):
        if _is_gone(left.name[len(before) : -len(after)]):
            left.unlink(missing_ok=True)
    try:
        yield temporary
        temporary.replace(path)
        note_written([path])
    except OSError as error:
        if error.errno is not None:
            error.filename = path  # a full disk names none, others that of the temporary one
        raise
    finally:
        # A disk that cannot be written to says so here, too, of a name that nobody knows.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


class ScratchFolder(tempfile.TemporaryDirectory[str]):
    """A folder of this process in another one, removed when it is left or the process ends."""

    def __enter__(self) -> Path:  # type: ignore[override]
        return self.path

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.name)


def scratch_folder(parent: Path) -> ScratchFolder:
    """Make a folder for what is in the making; one that a killed process left is removed."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_SCRATCH}*"):
        if _is_gone(left.name.removeprefix(_SCRATCH).split("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    return ScratchFolder(prefix=f"{_SCRATCH}{_owner()}-", dir=parent.resolve())


def _owner(process: int | None = None) -> str:
    """Name a process of this machine; another one's may write into the same folder."""
    return f"{re.sub('[^0-9a-z]', '', platform.node().lower())}+{process or os.getpid()}"


def _is_gone(owner: str) -> bool:
    """Say whether a process was killed that left something behind, where that can be known."""
    number = owner.rpartition("+")[2]
    known = number.isdigit() and owner == _owner(int(number)) and Path("/proc/self").exists()
    return known and not Path(f"/proc/{number}").exists()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with line feeds on every system."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a ZIP archive atomically: of the same files the same bytes, whenever it is made."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON, atomically."""
    write_text(path, json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")


def write_frame(
    path: Path,
    frame: pd.DataFrame,
    *,
    treatments: Sequence[str] = (),
    words: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a frame as CSV at full precision, atomically (`frame_text`)."""
    write_text(path, frame_text(frame, treatments=treatments, words=words))


def frame_text(
    frame: pd.DataFrame,
    *,
    treatments: Sequence[str] = (),
    words: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return a frame as CSV at full precision, as `readable` makes it.

    Parameters
    ----------
    frame
        What to write.
    treatments
        Codes in the order of a combination's digits, where the frame has combinations.
    words
        What braces in notes and reasons stand for (`bipbayes.data.study_words.study_words`).
    """
    frame = readable(spoken(frame, words), treatments)
    return str(frame.to_csv(index=False, lineterminator="\n"))

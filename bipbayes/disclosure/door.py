"""The one door to ``export/``: files are made beside it, looked through, and put in place together.

A folder that holds anything which the door did not write is refused.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bipbayes.atomic import note_written, scratch_folder, write_json, write_text
from bipbayes.disclosure.gate import Sought
from bipbayes.disclosure.manifest import FAIL, Entry, entry_of, record, written
from bipbayes.errors import RunError

MANIFEST: Final = "manifest.txt"
RECORD: Final = "manifest.json"
README: Final = "README.txt"


class Door:
    """Where files that are to leave are made.

    Parameters
    ----------
    place
        The folder ``export``.
    sought
        What must not leave.

    Raises
    ------
    RunError
        The folder holds files of somebody else.
    """

    def __init__(self, place: Path, sought: Sought) -> None:
        self._place, self._sought = place, sought
        _refuse_strangers(place)
        self._scratch = scratch_folder(place.parent)
        self.folder = self._scratch.path / place.name

    def __enter__(self) -> "Door":
        self.folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def close(self, readme: str, facts: Mapping[str, Any]) -> list[Entry]:
        """Look through all files, write the manifest and put the folder in its place.

        Parameters
        ----------
        readme
            What the folder says of itself.
        facts
            By which rules, of which data: the head of the manifest.

        Raises
        ------
        RunError
            A file may not leave: none does, and an earlier export stays as it was.
        """
        write_text(self.folder / README, readme + "\n")
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        entries = [entry_of(path, self.folder, self._sought) for path in paths]
        failed = [f"{entry.file}: {entry.reason}" for entry in entries if entry.status == FAIL]
        if failed:
            raise RunError(
                f"nothing was exported, since {len(failed)} files may not leave: "
                f"{'; '.join(failed[:5])}{'; ...' if len(failed) > 5 else ''}"
            )
        write_json(self.folder / RECORD, record(entries, facts))
        write_text(self.folder / MANIFEST, written(entries, facts))
        if self._place.exists():
            shutil.rmtree(self._place)
        self.folder.replace(self._place)
        note_written(self._place / name for name in (*(e.file for e in entries), RECORD, MANIFEST))
        return entries


def listed(place: Path) -> set[str]:
    """Return the files of a folder that an export wrote, as its manifest names them."""
    try:
        files = json.loads((place / RECORD).read_text(encoding="utf-8"))["files"]
        return {str(entry["file"]) for entry in files} | {RECORD, MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _refuse_strangers(place: Path) -> None:
    if not place.exists():
        return
    there = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    if strangers := sorted(there - listed(place)):
        raise RunError(
            f"{place} holds {len(strangers)} files that no export wrote (such as {strangers[0]}); "
            "move them: only what was looked through may lie there"
        )

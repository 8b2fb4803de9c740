"""The one door to ``export/``: files are made beside it, looked through, and put in place together.

A folder that holds anything which the door did not write, or not so, is refused.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
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
        refuse_strangers(place)
        self._scratch = scratch_folder(place.parent)
        self.folder = self._scratch.path / place.name

    def __enter__(self) -> "Door":
        self.folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def close(
        self, readme: str, facts: Mapping[str, Any], *, noted: Callable[[], object] = tuple
    ) -> list[Entry]:
        """Look through all files, write the manifest and put the folder in its place.

        Parameters
        ----------
        readme
            What the folder says of itself.
        facts
            By which rules, of which data: the head of the manifest.
        noted
            What keeps a note of the export: called before anything is put in place, so that
            nothing leaves unnoted.

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
        noted()
        if self._place.exists():
            self._place.replace(self._scratch.path / "earlier")
        self.folder.replace(self._place)
        note_written(self._place / name for name in (*(e.file for e in entries), RECORD, MANIFEST))
        return entries


def record_of(place: Path) -> dict[str, Any]:
    """Return the manifest of a folder for programs, empty where it is missing or damaged."""
    try:
        told = json.loads((place / RECORD).read_text(encoding="utf-8"))
        return {**told, "files": {str(each["file"]): each["sha256"] for each in told["files"]}}
    except (OSError, ValueError, KeyError, TypeError):
        return {"files": {}}


def refuse_strangers(place: Path) -> None:
    """Refuse a folder with files that no export wrote, or that are not as it wrote them.

    Raises
    ------
    RunError
        Naming one of them.
    """
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise RunError(
            f"{place} is a file or a link, and an export's own folder goes there: move it"
        )
    files = record_of(place)["files"]
    strangers = sorted(
        name
        for name, path in ((p.relative_to(place).as_posix(), p) for p in place.rglob("*"))
        if path.is_symlink() or (path.is_file() and not _is_own(name, path, files))
    )
    if strangers:
        raise RunError(
            f"{place} holds {len(strangers)} files that no export wrote, or that changed since "
            f"(such as {strangers[0]}); move them: only what was looked through may lie there"
        )


def _is_own(name: str, path: Path, files: Mapping[str, str]) -> bool:
    if name in (RECORD, MANIFEST):
        return bool(files)
    return files.get(name) == sha256(path.read_bytes()).hexdigest()

"""A run's folder: what lies where, whose it is, and what may be written over."""

import atexit
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeGuard

import pandas as pd
from filelock import BaseFileLock, FileLock, Timeout

from bipbayes.atomic import frame_text, write_json, write_text, written_below
from bipbayes.errors import RunError
from bipbayes.intervals import TEXT_COLUMNS
from bipbayes.run.settings import FIGURE_FORMATS
from bipbayes.run.software import software
from bipbayes.stored_frames import CODES, marked, restored, unmarked
from bipbayes.tables import FORMATS

OUTPUTS: Final = (
    "run.json",
    "README.txt",
    "codebook.toml",
    "data/intervals.csv",
    "data/comparison.csv",
    "data/audit.csv",
    "data/diagnostics.csv",
    "data/published.csv",
    "report.html",
    "report.docx",
    "synthetic/responses.csv",
    "synthetic/characteristics.csv",
    "synthetic/truth.csv",
    "posterior/*.nc",
    *(f"figures/*.{ending}" for ending in (*FIGURE_FORMATS, "txt")),
    *(f"tables/*.{ending}" for ending in (*FORMATS, "txt")),
)
AUDITS: Final = ("data/audit_*.csv",)
PRIVATE: Final = "private"
EXPORT: Final = "export"
LEDGER: Final = "ledger"  # of exports: whatever replaces a run, they have left
README: Final = "README.txt"
_LOCK: Final = ".bipbayes.lock"
_HELD: Final[dict[Path, BaseFileLock]] = {}


class Stage(NamedTuple):
    """Which stages one rests on, and how the names of the files begin that it writes."""

    needs: tuple[str, ...]
    makes: tuple[str, ...]


DESCRIBED: Final = (
    *("activities", "characteristics", "combinations", "histograms", "jobcenters", "persistence"),
    *("progression", "register_limits", "standardised_differences", "transitions", "treatments"),
)
"""How the names of the tables begin that describe the data."""
STAGES: Final = {
    "describe": Stage((), tuple(f"tables/{name}" for name in DESCRIBED)),
    "fit_ols": Stage((), ("data/intervals",)),
    "fit_posterior": Stage((), ("data/intervals", "data/diagnostics")),
    "compare": Stage(("fit_ols", "fit_posterior"), ("data/comparison", "figures/")),
    "export": Stage(("fit_posterior", "compare"), ("tables/",)),
    "audit": Stage(
        ("fit_posterior",),
        (
            *("data/audit", "data/published", "tables/audit", "tables/published"),
            *("tables/design_analysis", "tables/inconsistencies"),
        ),
    ),
    "report": Stage(("compare",), ("report.", "tables/text_", "tables/checklist_")),
    "check": Stage(("fit_posterior",), ("tables/check_", "figures/check")),
}
"""All stages of a run, in their order."""
KEPT: Final = ("codebook.toml", "synthetic/responses.csv", "synthetic/characteristics.csv")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; every file in it is written whole or not at all.

    ``asked`` are all settings of the verb that writes: each stage keeps them in ``run.json``.
    """

    path: Path
    asked: Mapping[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        """Return the path of an output."""
        return self.path / name

    def record(self) -> dict[str, Any]:
        """Return ``run.json``, empty where the folder holds no run.

        Raises
        ------
        RunError
            The file is there but is no record of a run.
        """
        path = self.file("run.json")
        if not path.is_file():
            return {}
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            record = None
        if not _is_record(record):
            ledger = self.file(LEDGER)
            kept = f"; its exports are counted on by --ledger {ledger}" if ledger.is_dir() else ""
            raise RunError(
                f"{path} is damaged, so that nothing says which files here are bipbayes's own; "
                f"name another folder, or move this one away{kept}"
            )
        findings = record.get("data", {}).get("findings")
        if isinstance(findings, list):  # as earlier versions wrote them
            record["data"]["findings"] = {"en": findings}
        return record

    def claim(
        self,
        identity: Mapping[str, Any],
        *,
        overwrite: bool,
        inputs: Iterable[Path] = (),
    ) -> None:
        """Take the folder for a run, or refuse where it holds another one.

        Parameters
        ----------
        identity
            What makes two runs the same: digests of data and codebook, the rule for the
            previous answer.
        overwrite
            Remove the other run's files, those that its record lists, instead of refusing.
        inputs
            What the starting run reads: never removed, never written over.

        Raises
        ------
        RunError
            Another process is at work there; the folder holds other results, and `overwrite` is
            false; an input or a file that no record lists stands where an output goes.
        """
        stored = self.record().get("identity")
        self.spare(inputs, same=stored == dict(identity))
        if stored == dict(identity):
            hold(self.path)
            return
        self._refuse_strangers()
        if stored is not None and not overwrite:
            raise RunError(_refusal(self.path, stored, identity))
        hold(self.path)
        if stored is not None:
            self._clear()
        self.path.mkdir(parents=True, exist_ok=True)
        started = {"started": now(), "identity": dict(identity), "software": software()}
        write_json(self.file("run.json"), {**started, "stages": {}, "written": []})

    def make_way(self, *, overwrite: bool, inputs: Iterable[Path]) -> None:
        """Remove a run of the other kind of data: real ones stand in `PRIVATE`, others do not.

        Raises RunError: there is one, and it may not be overwritten or holds what the starting run
        reads.
        """
        if "identity" not in self.record():
            return
        self.spare(inputs, same=False)
        if not overwrite:
            raise RunError(
                f"{self.path} holds another run (of other data); choose another --out, or allow "
                "--overwrite to replace it"
            )
        self._clear()

    def spare(self, inputs: Iterable[Path], *, same: bool) -> None:
        """Refuse inputs that stand where outputs go.

        `inputs`: files (or a folder of parts) that the starting run reads; `same`: the folder's own
        run goes on: it only reads what it keeps of codebook and data. Raises RunError: naming them;
        nothing has been removed or written.
        """
        written = [name for name in (*OUTPUTS, *AUDITS) if not (same and name in KEPT)]
        if not same:
            written += self._listed()
        lost = [
            place
            for path in inputs
            for place in dict.fromkeys((path.absolute(), path.resolve()))
            if self._holds(place, written)
            or (place.is_dir() and self.path.resolve().is_relative_to(place))
        ]
        if lost:
            raise RunError(
                f"{', '.join(sorted({place.name for place in lost}))}: read by this run, but "
                f"{self.path} is where its results go and they would replace it; choose another "
                "--out, or move the file"
            )

    def _holds(self, place: Path, names: Iterable[str]) -> bool:
        """Say whether a path is one of the folder's files of these names or patterns."""
        for folder in (self.path.absolute(), self.path.resolve()):
            if place.is_relative_to(folder):
                inside = place.relative_to(folder).as_posix().lower()
                if any(fnmatchcase(inside, name.lower()) for name in names):
                    return True
        return False

    def begin(self, stage: str, settings: Mapping[str, Any], *, overwrite: bool) -> None:
        """Refuse a stage that is stored with other settings, unless it may be overwritten."""
        stored = self.record().get("stages", {}).get(stage, {}).get("settings")
        if stored is None or overwrite:
            return
        changed = sorted(key for key in settings if settings[key] != stored.get(key))
        if changed:
            raise RunError(
                f"{self.path} holds {stage} with other settings ({', '.join(changed)}); "
                "choose another --out, or allow --overwrite"
            )

    def finish(
        self, stage: str, settings: Mapping[str, Any], *, drawn: bool = True, **facts: object
    ) -> None:
        """Note in ``run.json`` that a stage is done, with its settings and results.

        One that is not `drawn` yet is listed as such until `note_drawn` says so.
        """
        record = self.record()
        done = {"finished": now(), "settings": dict(settings), **facts}
        if self.asked:
            done["asked"] = dict(self.asked)
        stages = {**record.get("stages", {}), stage: done}
        stale = [name for name in record.get("stale", ()) if name != stage]
        self._store({**record, "stages": stages, "stale": stale})
        self._list_undrawn({stage} if not drawn else set(), drawn={stage} if drawn else set())

    def note_drawn(self, stages: Iterable[str] | None = None) -> None:
        """Note that the figures of stages, or of all, are there."""
        self._list_undrawn(set(), drawn=set(self.undrawn if stages is None else stages))

    @property
    def undrawn(self) -> list[str]:
        """Stages whose figures were handed in and are not known to be drawn."""
        return list(self.record().get("undrawn", ()))

    def _list_undrawn(self, more: set[str], *, drawn: set[str]) -> None:
        record = self.record()
        listed = sorted((set(record.pop("undrawn", ())) | more) - drawn)
        self._store({**record, **({"undrawn": listed} if listed else {})})

    def forget(self, stages: Iterable[str], *, stale: bool = True) -> None:
        """Take stages out of ``run.json``, which then lists them as stale: their files stay.

        One that is made again is not listed; broken off, it is not done.
        """
        record, gone = self.record(), set(stages)
        done = record.get("stages", {})
        kept = {name: facts for name, facts in done.items() if name not in gone}
        listed = {*record.get("stale", ())}
        listed = listed | (gone & set(done)) if stale else listed - gone
        self._store({**record, "stages": kept, "stale": sorted(listed)})

    def note(self, **facts: object) -> None:
        """Add facts about the whole run, and what it has written by now, to ``run.json``."""
        self._store({**self.record(), **facts})

    def _store(self, record: Mapping[str, Any]) -> None:
        written = {*record.get("written", ()), *written_below(self.path)} - {"run.json"}
        write_json(self.file("run.json"), {**record, "written": sorted(written)})

    def stage(self, stage: str) -> dict[str, Any]:
        """Return what is stored about a stage.

        Raises
        ------
        RunError
            The stage has not been run in this folder.
        """
        stages = self.record().get("stages", {})
        if stage not in stages:
            verb = stage.split("/", maxsplit=1)[0].replace("_", "-")
            raise RunError(f"{self.path} holds no {stage}; run 'bipbayes {verb}' there first")
        return dict(stages[stage])

    def write(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        fits: Mapping[str, bool] | None = None,
    ) -> None:
        """Write a frame as CSV, marked (`marked`): synthetic, preliminary, reversed.

        Parameters
        ----------
        name
            Its place in the folder.
        frame
            What to write.
        fits
            Stages of fits that are being replaced, and whether the new draws are sound.
        """
        record = self.record()
        data = record.get("data", {})
        synthetic, turned = data.get("synthetic"), data.get("reversed", ())
        if synthetic is not None:
            stages = record.get("stages", {})
            sound = {name: not _is_unsound(done) for name, done in stages.items()}
            doubtful = not all({**sound, **(fits or {})}.values())
            preliminary = bool(self.asked.get("quick")) or doubtful
            frame = marked(frame, synthetic=synthetic, preliminary=preliminary, turned=turned)
            frame = frame if synthetic else frame.assign(private=True)
        text = frame_text(frame, treatments=data.get("treatments", ()), words=data.get("words", {}))
        if not record:
            write_text(self.file(name), text)
            return
        known, made = record.get("frames", {}), sha256(text.encode()).hexdigest()
        # Until the new one is in its place, a run that breaks off leaves the old one whole.
        self.note(frames={**known, name: [*known.get(name, ()), made]})
        write_text(self.file(name), text)
        self.note(frames={**known, name: [made]})

    def read(self, name: str) -> pd.DataFrame:
        """Read a stored interval or result frame; labels stay text.

        Raises
        ------
        RunError
            The file is not there, cannot be read, or is not as it was written.
        """
        self._refuse_changed(name)
        path = self.file(name)
        text = dict.fromkeys((*TEXT_COLUMNS, *CODES.values(), "kind", "note", "claim_id"), "str")
        # pandas fills up a last row that was cut off: rows would be lost without a word.
        damaged, content = _damaged(path, name), path.read_bytes()
        if not content.endswith(b"\n"):
            raise damaged
        try:
            frame = pd.read_csv(BytesIO(content), dtype=text, keep_default_na=False, na_values=[""])
            frame = restored(unmarked(frame))
        except (ValueError, KeyError, AttributeError) as error:
            raise damaged from error
        present = [column for column in text if column in frame.columns]
        frame[present] = frame[present].fillna("")
        return frame

    def refuse_changed_frames(self) -> None:
        """Refuse a folder where a frame is gone, or not as the run wrote it.

        Raises RunError: naming it, and what writes it again.
        """
        for name in self.record().get("frames", {}):
            self._refuse_changed(name)

    def _refuse_changed(self, name: str) -> None:
        if not self.file(name).is_file():
            raise RunError(
                f"{self.file(name)} is missing; run the earlier steps in this folder first"
            )
        written = self.record().get("frames", {}).get(name)
        if written and sha256(self.file(name).read_bytes()).hexdigest() not in written:
            raise _damaged(self.file(name), name)

    def _listed(self) -> list[str]:
        """Return the files that the record lists, but no names that lead out of the folder."""
        listed = self.record().get("written", [])
        names = [name for name in listed if isinstance(name, str)] if listed else []
        root = self.path.resolve()
        own = [name for name in names if name.split("/")[0] != LEDGER]
        return [name for name in own if self.file(name).resolve().is_relative_to(root)]

    def _refuse_strangers(self) -> None:
        """Refuse files in the places of outputs that no record lists: they are someone's own."""
        found = {p.relative_to(self.path).as_posix() for n in OUTPUTS for p in self.path.glob(n)}
        strangers = sorted(
            name for name in found - {"run.json", *self._listed()} if "/." not in f"/{name}"
        )
        if strangers:
            shown = ", ".join(strangers[:3]) + (", ..." if len(strangers) > 3 else "")
            raise RunError(
                f"{self.path} holds files of an unknown run or of your own, in places where "
                f"results go ({len(strangers)}: {shown}); they are never removed or replaced: "
                "move them, or choose another --out"
            )

    def _clear(self) -> None:
        """Remove what the record lists; everything else in the folder stays."""
        for name in (*self._listed(), "run.json"):
            self.file(name).unlink(missing_ok=True)


def refuse_place(out: Path) -> None:
    """Refuse a folder that nothing can be written to, before the work that is to be stored there.

    Raises RunError, or OSError: for a name that no disk takes.
    """
    place = out.absolute()
    while not _is_there(place):
        place = place.parent
    if not place.is_dir():
        under = "" if place == out.absolute() else f", and {out} would lie in it"
        raise RunError(f"{place} is a file{under}; --out is a folder: choose another")
    if not os.access(place, os.W_OK):
        raise RunError(
            f"nothing can be written to {place}; look who may (its disk may be read-only), or "
            "choose another --out"
        )


def _is_there(place: Path) -> bool:
    """Say whether there is such a file or folder; a name that is none is told by the system."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def place_of_run(out: Path, *, synthetic: bool | None = None) -> Path:
    """Return where a run lies below ``--out``: in ``private`` if its data are real.

    `out`: what the user names; `synthetic`: whether the data are; None: of the run that is stored
    there.
    """
    inner = out / PRIVATE
    real = (inner / "run.json").is_file() if synthetic is None else not synthetic
    return inner if real else out


def export_place(folder: Path) -> Path:
    """Return where lies what may leave: beside ``private``, or in the folder of synthetic data."""
    return (folder.parent if folder.name == PRIVATE else folder) / EXPORT


def makers(name: str) -> list[str]:
    """Return the verbs that write a file: those that know most of how its name begins."""
    known = {
        stage.replace("_", "-"): max(len(start) * name.startswith(start) for start in each.makes)
        for stage, each in STAGES.items()
    }
    most = max(known.values())
    return [verb for verb, length in known.items() if most and length == most]


def _is_record(record: object) -> TypeGuard[dict[str, Any]]:
    """Say whether what ``run.json`` holds is the record of a run, as far as verbs count on it."""
    if not isinstance(record, dict):
        return False
    parts = [record.get(name, {}) for name in ("identity", "data", "stages", "software", "frames")]
    listed = record.get("written", [])
    if not (all(isinstance(part, dict) for part in parts) and isinstance(listed, list)):
        return False
    identity, data, stages, *_ = parts
    named = not identity or {"data", "codebook", "previous"} <= set(identity)
    told = isinstance(data.get("findings", {}), dict | list)
    return named and told and all(isinstance(done, dict) for done in stages.values())


def _damaged(path: Path, name: str) -> RunError:
    """Say what writes a damaged frame again: it is no longer read where it is gone."""
    verbs = " and ".join(makers(name)) or "the verbs"
    return RunError(
        f"{path} is damaged; remove it and run in this folder what writes it again ({verbs} of "
        "each analysis)"
    )


def _is_unsound(done: Mapping[str, Any]) -> bool:
    """Say whether a stage is a fit that was quick or failed its checks."""
    return bool(done.get("preliminary")) or not done.get("verdict", {"passed": True})["passed"]


def _refusal(path: Path, stored: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    changed = sorted(key for key in identity if identity[key] != stored.get(key))
    return (
        f"{path} holds another run (other {', '.join(changed)}); choose another --out, or allow "
        "--overwrite to replace it"
    )


def hold(folder: Path) -> None:
    """Keep a folder for this process alone until it ends; it is made if it is missing.

    Raises RunError: another process keeps it.
    """
    place = folder.resolve()
    if place in _HELD:
        return
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(
            f"another run is at work in {folder}; wait until it has ended, or choose another --out"
        ) from None
    except (RuntimeError, OSError):
        return  # a disk without locks, or one that nothing can be written to, which is told later
    _HELD[place] = lock
    atexit.register(_let_go, place)


def _let_go(place: Path) -> None:
    with suppress(OSError):
        (place / _LOCK).unlink()
    _HELD.pop(place).release()


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")

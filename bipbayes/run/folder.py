"""A run's folder: what lies where, whose it is, and what may be written over."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.atomic import write_frame, write_json
from bipbayes.errors import RunError
from bipbayes.intervals import TEXT_COLUMNS
from bipbayes.marks import marked, unmarked
from bipbayes.run.record import now, software

OUTPUTS: Final = (
    "run.json",
    "codebook.toml",
    "ols.csv",
    "effects.csv",
    "comparison.csv",
    "audit.csv",
    "diagnostics.csv",
    "published.csv",
    "report.html",
    "synthetic/responses.csv",
    "synthetic/characteristics.csv",
    "synthetic/truth.csv",
    "posterior/*.nc",
    "figures/*.png",
    "figures/*.pdf",
    "tables/*.csv",
    "tables/*.tex",
    "tables/*.html",
    "tables/*.txt",
    "tables/*.docx",
)


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
            The file is there but is no JSON.
        """
        path = self.file("run.json")
        if not path.is_file():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise RunError(f"{path} is damaged; run again with --overwrite") from error

    def claim(self, identity: Mapping[str, Any], *, overwrite: bool) -> None:
        """Take the folder for a run, or refuse where it holds another one.

        Parameters
        ----------
        identity
            What makes two runs the same: digests of data and codebook, the rule for the
            previous answer.
        overwrite
            Remove the other run's outputs instead of refusing. Files that the package did not
            write stay.

        Raises
        ------
        RunError
            The folder holds other results, and `overwrite` is false.
        """
        stored = self.record().get("identity")
        if stored == dict(identity):
            return
        if stored is not None or self._outputs():
            if not overwrite:
                raise RunError(_refusal(self.path, stored, identity))
            self._clear()
        self.path.mkdir(parents=True, exist_ok=True)
        started = {"started": now(), "identity": dict(identity), "software": software()}
        write_json(self.file("run.json"), {**started, "stages": {}})

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

    def finish(self, stage: str, settings: Mapping[str, Any], **facts: object) -> None:
        """Note in ``run.json`` that a stage is done, with its settings and results."""
        record = self.record()
        done = {"finished": now(), "settings": dict(settings), **facts}
        if self.asked:
            done["asked"] = dict(self.asked)
        stages = {**record.get("stages", {}), stage: done}
        write_json(self.file("run.json"), {**record, "stages": stages})

    def forget(self, stages: Iterable[str]) -> None:
        """Take stages out of ``run.json``: what they rest on has changed."""
        record, gone = self.record(), set(stages)
        kept = {name: done for name, done in record.get("stages", {}).items() if name not in gone}
        write_json(self.file("run.json"), {**record, "stages": kept})

    def note(self, **facts: object) -> None:
        """Add facts about the whole run to ``run.json``."""
        write_json(self.file("run.json"), {**self.record(), **facts})

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
        drawn: bool = True,
        fits: Mapping[str, bool] | None = None,
    ) -> None:
        """Write a frame as CSV, marked (`bipbayes.marks`): synthetic, preliminary, reversed.

        Parameters
        ----------
        name
            Its place in the folder.
        frame
            What to write.
        drawn
            False for what no posterior draws went into: stored fits do not concern it.
        fits
            Stages of fits that are being replaced, and whether the new draws are sound.
        """
        record = self.record()
        data = record.get("data", {})
        synthetic, turned = data.get("synthetic"), data.get("reversed", ())
        if synthetic is not None:
            stages = record.get("stages", {})
            sound = {name: not _is_unsound(done) for name, done in stages.items()}
            doubtful = drawn and not all({**sound, **(fits or {})}.values())
            preliminary = bool(self.asked.get("quick")) or doubtful
            frame = marked(frame, synthetic=synthetic, preliminary=preliminary, turned=turned)
        write_frame(self.file(name), frame)

    def read(self, name: str) -> pd.DataFrame:
        """Read a stored interval or result frame; labels stay text.

        Raises
        ------
        RunError
            The file is not there.
        """
        path = self.file(name)
        if not path.is_file():
            raise RunError(f"{path} is missing; run the earlier steps in this folder first")
        text = dict.fromkeys((*TEXT_COLUMNS, "kind", "note", "claim_id"), "str")
        frame = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
        frame = unmarked(frame)
        present = [column for column in text if column in frame.columns]
        frame[present] = frame[present].fillna("")
        return frame

    def _outputs(self) -> list[Path]:
        stages = [name.split("/") for name in self.record().get("stages", {})]
        audits = [f"audit_{stage[1]}.csv" for stage in stages if stage[0] == "fit_posterior"]
        return [p for pattern in (*OUTPUTS, *audits) for p in sorted(self.path.glob(pattern))]

    def _clear(self) -> None:
        """Remove what a run writes, by name; a user's other files in the folder stay."""
        for path in self._outputs():
            path.unlink()


def _is_unsound(done: Mapping[str, Any]) -> bool:
    """Say whether a stage is a fit that was quick or failed its checks."""
    return bool(done.get("preliminary")) or not done.get("verdict", {"passed": True})["passed"]


def _refusal(path: Path, stored: Mapping[str, Any] | None, identity: Mapping[str, Any]) -> str:
    if stored is None:
        what = "files of an unknown run"
    else:
        changed = sorted(key for key in identity if identity[key] != stored.get(key))
        what = f"another run (other {', '.join(changed)})"
    return f"{path} holds {what}; choose another --out, or allow --overwrite to replace it"

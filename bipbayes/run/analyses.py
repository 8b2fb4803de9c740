"""Names of the analyses in files, stages and options; several stand side by side in a folder."""

from pathlib import Path
from typing import Any

from bipbayes.data.files import file_digest
from bipbayes.errors import RunError
from bipbayes.intervals import ANALYSES, ORDINAL, PLAIN
from bipbayes.run.folder import RunFolder
from bipbayes.run.settings import COVARIATES, Settings


def analysis_facts(settings: Settings) -> dict[str, Any]:
    """Return what ``run.json`` keeps of an analysis' settings; nothing for the plain one."""
    if settings.analysis == PLAIN:
        return {}
    facts: dict[str, Any] = {"analysis": settings.analysis}
    if COVARIATES in settings.adjust:
        path = settings.characteristics
        facts |= {
            "covariates": list(settings.covariates),
            "characteristics": None if path is None else path.name,
            "characteristics_sha256": _digest(path),
        }
    return facts


def _digest(path: Path | None) -> str | None:
    # A file that is not there is refused where it is read.
    return file_digest(path) if path is not None and path.is_file() else None


def named(stem: str, analysis: str, *, joint: str = "-") -> str:
    """Return the name of a file or stage under an analysis: ``hierarchical-baseline``."""
    return f"{stem}{joint}{analysis}" if analysis else stem


def stored_analyses(folder: RunFolder, stage: str) -> list[str]:
    """Return the analyses that a folder holds of a stage, in the order of `ANALYSES`."""
    stages = folder.record().get("stages", {})
    found = {
        done["settings"].get("analysis", PLAIN)
        for name, done in stages.items()
        if name.split("/")[0] == stage
    }
    return [name for name in ANALYSES if name in found]


def require(folder: RunFolder, stage: str, analysis: str) -> None:
    """Refuse to go on where a folder lacks a stage of an analysis.

    Raises
    ------
    RunError
        Naming what is stored, and the command that is missing.
    """
    stored = stored_analyses(folder, stage)
    if analysis in stored:
        return
    found = ", ".join(name or "plain" for name in stored) or "nothing"
    verb = stage.replace("_", "-")
    raise RunError(
        f"{folder.path} holds no {analysis or 'plain'} analysis of {verb} (stored: {found}); "
        f"run 'bipbayes {verb}{asking_for(analysis)}' there first"
    )


def asking_for(analysis: str) -> str:
    """Return the options that ask for an analysis, with a blank before them."""
    if analysis == ORDINAL:
        return " --ordinal"
    return "".join(f" --adjust {name}" for name in analysis.split("+") if name)

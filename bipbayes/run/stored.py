"""What a folder holds: analyses, fits and their verdicts, and what is to be said of them."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.files import file_digest
from bipbayes.data.study_words import study_words
from bipbayes.errors import RunError, SettingsError
from bipbayes.intervals import ANALYSES, PLAIN
from bipbayes.option_words import COVARIATES, NUTS, ORDINAL
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.settings import DEFAULT_DRAWS, Settings
from bipbayes.sampling.registry import ModelFile, engine_of, load_model
from bipbayes.sampling.tree import load_fit
from bipbayes.wording import Context

logger = logging.getLogger(__name__)

STAGE: Final = "fit_posterior"
SAMPLING: Final = ("draws", "tune", "chains", "target_accept", "seed", "vcov", "previous")
REPORTING: Final = ("level", "kind", "rope")


def stage_name(model: str, analysis: str = PLAIN) -> str:
    """Return the name of a model's stage in ``run.json``."""
    return f"{STAGE}/{named(model, analysis)}"


def fit_file(model: str, analysis: str = PLAIN) -> str:
    """Return the place of a model's draws in the folder."""
    return f"posterior/{named(model, analysis)}.nc"


def unjudged_file(folder: RunFolder, model: str, analysis: str = PLAIN) -> Path:
    """Return where new draws lie until their rows and verdict are stored, too."""
    return folder.file(fit_file(model, analysis)).with_suffix(".unjudged.nc")


def stored_fit(folder: RunFolder, model: str, analysis: str = PLAIN) -> xr.DataTree:
    """Read a model's draws, which must be of the folder's data.

    Raises
    ------
    FitError
        The file is missing or damaged.
    RunError
        The draws were made from other data.
    """
    place = folder.file(fit_file(model, analysis))
    fit = load_fit(place)
    if fit.attrs.get("data_sha256") != folder.record()["identity"]["data"]:
        raise RunError(f"the draws in {place} are of other data than this run; fit the model again")
    return fit


def fitted_models(folder: RunFolder, analysis: str = PLAIN) -> list[str]:
    """Return the models that a folder holds draws of, in the order they were fitted.

    Parameters
    ----------
    folder
        Of the run.
    analysis
        Whose fits are meant; those of other analyses do not count.
    """
    prefix, ending = f"{STAGE}/", named("", analysis)
    return [stage.removeprefix(prefix).removesuffix(ending) for stage in _stages(folder, analysis)]


def chosen_models(folder: RunFolder, asked: Sequence[str], analysis: str = PLAIN) -> dict[str, str]:
    """Return the fitted models to show, each with the ending of its files' names.

    `asked`: names or files of models; empty is all that the folder holds; `analysis`: whose fits
    are meant. Returns: ``""`` for the model that was fitted first, else the model's name. Raises
    RunError: A model is not fitted.
    """
    fitted = fitted_models(folder, analysis)
    names = [Path(name).stem for name in asked]
    if missing := [name for name in names if name not in fitted]:
        raise RunError(
            f"{folder.path} holds no fit of {', '.join(missing)} (fitted: "
            f"{', '.join(fitted) or 'nothing'}); run 'bipbayes fit-posterior --model' first"
        )
    return {
        name: "" if name == fitted[0] else name for name in fitted if name in names or not names
    }


def ending_of(folder: RunFolder, model: str) -> str:
    """Return what the names of a model's own outputs end with: ``""``, or ``_no_pooling``."""
    ending = chosen_models(folder, [model])[model]
    return f"_{ending}" if ending else ""


def check_stages(run: Run) -> None:
    """Refuse fits that a folder holds with other settings, before anything is written or fitted.

    Raises RunError: A fit of the run's analysis is stored with other settings, and may not be
    overwritten.
    """
    settings = run.settings
    for model in settings.models:
        stage = stage_name(Path(model).stem, settings.analysis)
        values = fit_settings(settings, load_model(model))
        run.folder.begin(stage, values, overwrite=settings.overwrite)


def fit_settings(settings: Settings, model_file: ModelFile) -> dict[str, Any]:
    """Return the settings that a fit of a model depends on, engine and draws filled in."""
    engine = engine_of(model_file, settings.engine)
    if engine == NUTS and settings.chains == 1:
        raise SettingsError(
            "--chains 1 is too few for --engine nuts, whose chains are held against one another "
            "(R-hat): give at least 2"
        )
    values = {key: getattr(settings, key) for key in (*SAMPLING, *REPORTING)}
    return {**values, "engine": engine, "draws": settings.draws or DEFAULT_DRAWS[engine]}


def is_sound(folder: RunFolder, model: str, analysis: str = PLAIN) -> bool:
    """Say whether a fit may be shown without a mark: it passed its checks and was not quick."""
    done = _stages(folder, analysis).get(stage_name(model, analysis), {})
    return bool(done) and done["verdict"]["passed"] and not done.get("preliminary", False)


def unsound_fits(folder: RunFolder, analysis: str = PLAIN) -> list[str]:
    """Return the models whose fits of an analysis failed their checks, or were quick."""
    models = fitted_models(folder, analysis)
    return [model for model in models if not is_sound(folder, model, analysis)]


def sound_rows(folder: RunFolder, rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Leave out posterior rows of fits that failed their checks or were quick.

    `rows`: rows of the long frame, of any analyses; `settings`: A quick run keeps all: what it
    shows is marked.
    """
    if settings.quick:
        return rows
    unsound = {
        (model, analysis)
        for analysis in rows["analysis"].unique()
        for model in unsound_fits(folder, analysis)
    }
    keys = zip(rows["model"], rows["analysis"], strict=True)
    return rows.loc[[key not in unsound for key in keys]]


def as_reported(folder: RunFolder, settings: Settings) -> Settings:
    """Take over how the stored fits of an analysis are reported: level and kind of intervals.

    What is computed again from stored draws then agrees with the stored rows.
    """
    for done in _stages(folder, settings.analysis).values():
        stored = {key: done["settings"][key] for key in REPORTING if key in done["settings"]}
        return replace(settings, **stored)
    return settings


def _stages(folder: RunFolder, analysis: str) -> dict[str, dict[str, Any]]:
    return {
        stage: done
        for stage, done in folder.record().get("stages", {}).items()
        if stage.startswith(f"{STAGE}/") and done["settings"].get("analysis", PLAIN) == analysis
    }


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
            # A file that is not there is refused where it is read.
            "characteristics_sha256": file_digest(path) if path and path.is_file() else None,
        }
    return facts


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


def require_figures(folder: RunFolder) -> None:
    """Refuse to go on where figures were handed in, and drawing them was broken off.

    Raises RunError: naming the verbs that draw them.
    """
    if folder.undrawn:
        verbs = dict.fromkeys(stage.split("/", maxsplit=1)[0] for stage in folder.undrawn)
        told = " and ".join(f"'bipbayes {verb}'" for verb in verbs)
        raise RunError(
            f"{folder.path} lacks figures of {', '.join(folder.undrawn)}, since drawing them was "
            f"broken off; run {told} there again, or what made the run"
        )


def asking_for(analysis: str) -> str:
    """Return the options that ask for an analysis, with a blank before them."""
    if analysis == ORDINAL:
        return " --ordinal"
    return "".join(f" --adjust {name}" for name in analysis.split("+") if name)


def is_synthetic(folder: RunFolder) -> bool:
    """Say whether a folder's results rest on synthetic data."""
    return bool(folder.record()["data"]["synthetic"])


def is_preliminary(folder: RunFolder, settings: Settings) -> bool:
    """Say whether results carry a mark: the run is quick, or a fit of the analysis failed."""
    return settings.quick or bool(unsound_fits(folder, settings.analysis))


def run_context(folder: RunFolder, codebook: Codebook, settings: Settings) -> Context:
    """Return what the figures and tables of a run share."""
    return Context(
        codebook,
        synthetic=is_synthetic(folder),
        language=settings.language,
        preliminary=is_preliminary(folder, settings),
        analysis=settings.analysis,
    )


def recorded_words(folder: RunFolder) -> dict[str, str]:
    """Return the study's own English words, as ``run.json`` keeps them."""
    return dict(folder.record().get("data", {}).get("words") or study_words({}, "en"))


def warn_of_other_counts(folder: RunFolder, settings: Settings) -> None:
    """Say which other tables of real data are blanked for another minimum count than these."""
    if is_synthetic(folder):
        return
    own = settings.minimum_count
    counts = {
        name: done["settings"].get("minimum_count", own)
        for name, done in folder.record().get("stages", {}).items()
    }
    other = {name: count for name, count in counts.items() if count != own}
    if other:
        told = ", ".join(f"{name} ({count})" for name, count in other.items())
        logger.warning(
            "these tables are blanked for fewer than %d %s, those of other verbs for another "
            "count: %s; run all with the same --minimum-count before a table leaves the folder",
            own,
            recorded_words(folder)["citizens"],
            told,
        )

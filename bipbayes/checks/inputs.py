"""What the checks of a stored run share: read once, when the first check asks for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.checks import NAMES
from bipbayes.checks.table import Columns, check_table
from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.errors import RunError, SettingsError, raise_all, unknown
from bipbayes.estimands.draws import (
    effect_draws,
    estimand_draws,
    new_jobcenter_draws,
    new_jobcenter_effects,
)
from bipbayes.estimands.posterior import cells_of
from bipbayes.intervals import ALL_INDICATORS, PLAIN
from bipbayes.plots.task import FigureTask
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import SYNTHETIC_FILE, Run, as_made, open_run, open_stored
from bipbayes.run.settings import Settings
from bipbayes.run.stored import as_reported, fitted_models, is_synthetic, run_context, stored_fit
from bipbayes.sampling.predict import predicted_means
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, load_model, model_names
from bipbayes.sampling.settings import derived_seed
from bipbayes.tables.layout import Table
from bipbayes.wording import Context, percent

PREDICTIVE_DRAWS: Final = 1000  # enough for the tails of a check, a tenth of the memory


@dataclass(frozen=True)
class CheckSettings:
    """What the verb ``check`` was asked for.

    Attributes
    ----------
    only
        Names of checks; empty is all.
    models
        Models to check or to compare; empty: the fitted ones, and all with closed forms.
    effects
        ``OUTCOME:COMBINATION`` or ``OUTCOME:COMBINATION:ESTIMAND``, for the specification
        curves.
    at_least
        Number of indicators that must improve; None is three quarters of them.
    """

    only: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    at_least: int | None = None

    def __post_init__(self) -> None:
        faults = [unknown("check", name, NAMES) for name in self.only if name not in NAMES]
        raise_all(SettingsError, "These options were refused:", faults)

    @property
    def needs_no_fit(self) -> bool:
        """Whether the models asked for may be without draws: priors, closed forms, the data."""
        return bool(self.only) and not any(load_check(name).needs_fit for name in self.only)


@dataclass(frozen=True)
class Check:
    """A check, as its file declares it.

    Attributes
    ----------
    run
        Makes the result.
    needs_fit
        Whether a model without stored draws cannot be checked.
    needs_responses
        Whether the responses are read again.
    only_asked
        Whether it is made only where it is asked for by name: it takes minutes.
    """

    run: "Callable[[CheckInputs], CheckResult]"
    needs_fit: bool = True
    needs_responses: bool = False
    only_asked: bool = False


def load_check(name: str) -> Check:
    """Return the check of a name of `NAMES`."""
    check: Check = import_module(f"bipbayes.checks.{name}").CHECK
    return check


@dataclass(frozen=True)
class CheckResult:
    """What a check writes: tables, pictures, and facts for ``run.json``."""

    tables: tuple[Table, ...]
    figures: tuple[FigureTask, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def divided(self, panels: int, *, column: float, page: float) -> "CheckResult":
        """Return it with panels that are pages in print: how many, and the inches each takes."""
        tasks = (task.for_print(panels, column=column, page=page) for task in self.figures)
        return replace(self, figures=tuple(tasks))


class CheckInputs:
    """A stored run as the checks see it; nothing is fitted.

    Parameters
    ----------
    settings
        Folder, language, level and, for data that are not the default ones, the data.
    asked
        What the verb was asked for.

    Raises
    ------
    RunError
        The folder holds no fit (of the first model asked for).
    """

    def __init__(self, settings: Settings, asked: CheckSettings) -> None:
        self.folder, self.codebook = open_stored(settings)
        self.settings, self.asked = as_reported(self.folder, settings), asked
        self.fitted = tuple(fitted_models(self.folder))
        wanted = [name for name in asked.models if name in self.fitted]
        without = not wanted and asked.models and not asked.needs_no_fit
        if not self.fitted or without:
            self.folder.stage(f"fit_posterior/{asked.models[0]}" if without else "fit_posterior")
        self.model = wanted[0] if wanted else self.fitted[0]

    @cached_property
    def run(self) -> Run:
        """The responses behind the stored run."""
        return open_run(_as_stored(self.settings, self.folder))

    @cached_property
    def progression(self) -> xr.Dataset:
        """Progression by the stored run's rule for the previous answer."""
        return self.run.progression()

    @cached_property
    def fit(self) -> xr.DataTree:
        """Draws of the model that is checked."""
        return stored_fit(self.folder, self.model)

    @property
    def fit_source(self) -> str:
        """Name or file of the model that is checked."""
        named = [text for text in self.asked.models if Path(text).stem == self.model]
        return named[0] if named else self.model

    @cached_property
    def cells(self) -> xr.Dataset:
        """Cells that were fitted."""
        return cells_of(self.fit)

    @cached_property
    def effects(self) -> xr.DataArray:
        """All draws of the cells' effects."""
        return effect_draws(self.fit, self.cells)

    @cached_property
    def some_effects(self) -> xr.DataArray:
        """Draws for predictions, evenly out of all chains."""
        return thinned(self.effects, PREDICTIVE_DRAWS)

    @cached_property
    def predicted(self) -> xr.DataArray:
        """Cell means that the posterior predicts."""
        return predicted_means(self.cells, self.some_effects, seed=self.seed("cells"))

    @cached_property
    def draws(self) -> dict[str, xr.DataArray]:
        """All draws of the estimands."""
        draws = estimand_draws(self.effects, self.cells, self.codebook)
        anew = new_jobcenter_effects(self.fit, self.cells)
        if anew is not None:
            draws["new_jobcenter"] = new_jobcenter_draws(anew, self.cells, self.codebook)
        return draws

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """The stored long frame: OLS and the checked model, plain analysis."""
        frame = self.folder.read("data/intervals.csv")
        frame = frame[frame["analysis"] == PLAIN]
        return frame[frame["source"].eq("ols") | frame["model"].eq(self.model)]

    @cached_property
    def context(self) -> Context:
        """What all figures and tables share."""
        return run_context(self.folder, self.codebook, self.settings)

    @property
    def synthetic(self) -> bool:
        """Whether the run rests on synthetic data."""
        return is_synthetic(self.folder)

    def seed(self, name: str) -> int:
        """Seed of a check, derived from the one seed."""
        return derived_seed(self.settings.seed, f"check/{name}")

    def priors_of(self, model_file: ModelFile) -> Any:
        """Priors of a stored fit, else those of ``--priors``, else the model's own."""
        if model_file.name == self.model:
            values = json.loads(str(self.fit.attrs["priors"]))
        else:
            asked = (Path(name).stem for name in self.asked.models)
            known = [model_file.name, *asked, *model_names()]
            values = read_priors(self.settings.priors, known)[model_file.name]
        return make_priors(model_file.Priors, values)

    def model_files(self, names: tuple[str, ...]) -> list[ModelFile]:
        """Load the models asked for, or those named."""
        return [load_model(name) for name in self.asked.models or names]

    def blanked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Blank rows by combination that rest on too few citizens (data not synthetic)."""
        if self.synthetic:
            return frame
        posterior = self.intervals[self.intervals["source"] == "posterior"]
        rows = posterior[posterior["estimand"] == "effect"]
        citizens = rows.groupby(["outcome", "combination"])["n_citizens"].max()
        most = citizens.groupby("combination").max()
        outcome = frame.get("outcome", pd.Series(ALL_INDICATORS, index=frame.index))
        keys = pd.MultiIndex.from_arrays([outcome, frame["combination"]])
        own = pd.Series(citizens.reindex(keys).to_numpy(dtype="float64"), index=frame.index)
        counted = frame.assign(
            outcome=outcome, n_citizens=own.fillna(frame["combination"].map(most))
        )
        blank = blank_small_cells(
            counted,
            minimum_count=self.settings.minimum_count,
            no_treatment=self.codebook.no_treatment,
        ).frame
        return blank[list(frame.columns)]


def result(
    inputs: CheckInputs,
    name: str,
    columns: Columns,
    shown: pd.DataFrame,
    *,
    raw: pd.DataFrame | None = None,
    drawn: Mapping[str, object] | None = None,
    values: Mapping[str, object] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> CheckResult:
    """Hand in a table and a picture that say the same of the model and of what else they name.

    Parameters
    ----------
    inputs
        The stored run.
    name
        Of the check; its file draws with ``<name>_figure``.
    columns, shown, raw
        As for `bipbayes.checks.table.check_table`.
    drawn
        What the picture is made of; None for none.
    values
        What the braces of their words stand for, beside the model and the level in percent.
    facts
        For ``run.json``.
    """
    level = percent(inputs.settings.level, inputs.context.language)
    told = {"model": inputs.model, "level": level, **(values or {})}
    table = check_table(name, columns, shown, inputs.context, raw=raw, values=told)
    figures = () if drawn is None else (figure_task(inputs, name, drawn, told),)
    return CheckResult((table,), figures, facts or {})


def figure_task(
    inputs: CheckInputs,
    name: str,
    drawn: Mapping[str, object],
    values: Mapping[str, object],
    *,
    of: str = "",
) -> FigureTask:
    """Hand in the picture of a check: ``<name>_figure`` of its own file, one `of` several."""
    arguments = {**drawn, "context": inputs.context, "values": values}
    return FigureTask(f"check_{name}{of}", f"bipbayes.checks.{name}:{name}_figure", arguments)


def thinned(draws: xr.DataArray, most: int) -> xr.DataArray:
    """Keep at most so many draws, evenly spaced in every chain."""
    each = max(1, most // draws.sizes["chain"])
    step = max(1, int(np.ceil(draws.sizes["draw"] / each)))
    return draws.isel(draw=slice(None, None, step))


def _as_stored(settings: Settings, folder: RunFolder) -> Settings:
    """Return the settings with the stored run's data, codebook and rule for the previous answer."""
    synthetic = folder.file(SYNTHETIC_FILE).is_file()
    if settings.data is None and not synthetic:
        raise RunError(f"{folder.path} does not hold the responses; give them again with --data")
    return replace(as_made(folder, settings), overwrite=False, priors=None)

"""Model files, the package's by name and a user's own by path, and the engine that fits each."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import xarray as xr

from bipbayes.data.study_words import REMARKS, attribute_names
from bipbayes.errors import BipbayesError, ModelError, SettingsError, raise_all, unknown
from bipbayes.option_words import EXACT, NUTS
from bipbayes.sampling.batches import Batch, present
from bipbayes.sampling.settings import SamplerSettings

_PACKAGE: Final = "bipbayes.models"


@dataclass(frozen=True)
class ModelFile:
    """A checked model file.

    Attributes
    ----------
    name
        Stem of the file; what outputs call the model.
    Priors
        Frozen dataclass of prior scales, all with defaults.
    digest
        SHA-256 of the file's text.
    batches
        ``batches(cells, priors)`` declares additive normal batches: both engines fit it. ``None``
        where the file builds a PyMC model itself.
    builder, TERMS
        ``build(cells, priors) -> pymc.Model`` and the names of the additive terms whose sum is
        the effect; only the sampler fits it.
    target_accept
        The file's ``TARGET_ACCEPT``: least acceptance rate that the model is sampled with, for
        one whose posterior needs smaller steps; 0 where the file asks for none.
    """

    name: str
    Priors: type
    digest: str
    batches: Callable[..., Any] | None = None
    builder: Callable[..., Any] | None = None
    TERMS: tuple[str, ...] = ()
    target_accept: float = 0.0

    def declared(self, cells: xr.Dataset, priors: Any = None) -> tuple[Batch, ...]:
        """Return the batches that a study has; empty where the file declares none."""
        if self.batches is None:
            return ()
        chosen = self.Priors() if priors is None else priors
        with _told(f"{self.name}.py", " in batches"):
            declared = self.batches(cells, chosen)
        return present(declared, cells)

    def terms(self, cells: xr.Dataset, priors: Any = None) -> tuple[str, ...]:
        """Return the names of the additive terms."""
        return self.TERMS or tuple(batch.name for batch in self.declared(cells, priors))

    def build(self, cells: xr.Dataset, priors: Any = None) -> Any:
        """Return the PyMC model of the cells' means."""
        chosen = self.Priors() if priors is None else priors
        if self.builder is not None:
            with _told(f"{self.name}.py", " in build"):
                return self.builder(cells, chosen)
        from bipbayes.sampling.graph import build_batches

        return build_batches(self.declared(cells, chosen), cells)


def model_names() -> tuple[str, ...]:
    """Return the names of the package's models."""
    package = importlib.import_module(_PACKAGE)
    files = (path for folder in package.__path__ for path in Path(folder).glob("*.py"))
    return tuple(sorted(path.stem for path in files if not path.stem.startswith("_")))


def load_model(name_or_path: str | Path) -> ModelFile:
    """Load a model of the package by name, or a user's own file by path.

    Parameters
    ----------
    name_or_path
        ``hierarchical``, or something that ends in ``.py``.

    Returns
    -------
    ModelFile
        The checked contents of the file.

    Raises
    ------
    ModelError
        There is no such model, the file does not run, or it lacks parts of the contract
        (all faults are named).
    """
    text = str(name_or_path)
    path = Path(text) if text.endswith(".py") else None
    if path is None and text not in model_names():
        raise ModelError(
            f"{unknown('model', text, model_names())}; your own is a file: give its path, "
            "ending in .py"
        )
    module = importlib.import_module(f"{_PACKAGE}.{text}") if path is None else _run_file(path)
    source = Path(str(module.__file__))
    raise_all(ModelError, f"The model file {source.name} was refused:", list(_faults(module)))
    return ModelFile(
        name=source.stem,
        Priors=module.Priors,
        digest=hashlib.sha256(source.read_bytes()).hexdigest(),
        batches=getattr(module, "batches", None),
        builder=getattr(module, "build", None),
        TERMS=tuple(getattr(module, "TERMS", ())),
        target_accept=float(getattr(module, "TARGET_ACCEPT", 0.0)),
    )


def _run_file(path: Path) -> ModuleType:
    """Run a user's file as a module under a name of its own."""
    if not path.is_file():
        raise ModelError(f"there is no model file {path}")
    name = f"_bipbayes_model_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        with _told(path.name):
            spec.loader.exec_module(module)
    except ModelError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _told(file: str, where: str = "") -> Iterator[None]:
    """Turn whatever a user's file raises into a sentence, and its leaving, too."""
    try:
        yield
    except BipbayesError:
        raise
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        raise ModelError(f"the model file {file} stops{where} with {kind}: {error}") from error


def _faults(module: ModuleType) -> Iterator[str]:
    names = [name for name in ("batches", "build") if hasattr(module, name)]
    if len(names) != 1:
        yield (
            "it needs one of the functions batches(cells, priors) and build(cells, priors), "
            f"and has {' and '.join(names) or 'neither'}"
        )
    for name in names:
        yield from _call_faults(name, getattr(module, name))
    yield from _priors_faults(getattr(module, "Priors", None))
    if "batches" not in names:
        yield from _terms_faults(getattr(module, "TERMS", None))
    least = getattr(module, "TARGET_ACCEPT", 0.0)
    if not (isinstance(least, (int, float)) and 0 <= least < 1):
        yield f"TARGET_ACCEPT must be a number between 0 and 1, not {least!r}"


def _call_faults(name: str, function: object) -> Iterator[str]:
    if not callable(function):
        yield f"{name} is no function"
        return
    try:
        inspect.signature(function).bind("cells", "priors")
    except TypeError:
        yield f"{name} must take two arguments, cells and priors"


def _priors_faults(priors: object) -> Iterator[str]:
    if priors is None:
        yield "it lacks the frozen dataclass Priors"
    elif not (isinstance(priors, type) and is_dataclass(priors)):
        yield "Priors is no dataclass"
    else:
        if not priors.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            yield "Priors must be frozen: @dataclass(frozen=True)"
        bare = [
            entry.name
            for entry in fields(priors)
            if entry.default is MISSING and entry.default_factory is MISSING
        ]
        if bare:
            yield f"Priors has no default for {', '.join(bare)}"


def _terms_faults(terms: object) -> Iterator[str]:
    if terms is None:
        yield "it lacks TERMS, the names of the additive terms"
    elif not isinstance(terms, (tuple, list)) or not all(isinstance(name, str) for name in terms):
        yield "TERMS must be a tuple of names"
    elif not terms:
        yield "TERMS is empty"
    elif len(set(terms)) < len(terms):
        yield "TERMS names a term twice"


# Imported where a fit is wanted: what only reads fits does without PyMC and nutpie.
ENGINE_MODULES: Final[Mapping[str, str]] = {
    EXACT: "bipbayes.sampling.exact.fit",
    NUTS: "bipbayes.sampling.fit",
}
# Attributes of cells that a fit keeps.
OF_ANALYSIS: Final = (
    *("analysis", "scale"),
    *(each for name in REMARKS for each in attribute_names(name)),
)


def engine_of(model_file: ModelFile, asked: str | None) -> str:
    """Return the engine that fits a model.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    asked
        ``exact``, ``nuts`` or ``None``: exact wherever the model declares batches.

    Raises
    ------
    SettingsError
        Exact is asked for and the model builds a graph of its own.
    """
    if asked == EXACT and model_file.batches is None:
        raise SettingsError(
            f"engine exact: {model_file.name} has no batches(cells, priors), only build; "
            "leave the engine out, or ask for nuts"
        )
    return asked or (NUTS if model_file.batches is None else EXACT)


def fit_cells(
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    engine: str,
    priors: Any,
    settings: SamplerSettings,
    facts: Mapping[str, str | int | float] | None = None,
) -> xr.DataTree:
    """Fit a model to cells by one of the engines, with what the cells say of their analysis.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    cells
        From `bipbayes.cells.cell_means`, or of another analysis.
    engine
        From `engine_of`.
    priors
        An instance of the file's ``Priors``.
    settings
        Draws, chains, seed.
    facts
        More attributes of the fit, such as the data's digest.

    Returns
    -------
    xarray.DataTree
        As of `bipbayes.sampling.fit.sample`.
    """
    told = {name: str(cells.attrs[name]) for name in OF_ANALYSIS if name in cells.attrs}
    fit: xr.DataTree = import_module(ENGINE_MODULES[engine]).sample(
        model_file, cells, priors=priors, settings=settings
    )
    fit.attrs |= {**(facts or {}), **told}
    return fit

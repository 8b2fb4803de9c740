"""Finding and checking model files: the package's by name, a user's own by path."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bipbayes.errors import ModelError, raise_all

_PACKAGE: Final = "bipbayes.models"


@dataclass(frozen=True)
class ModelFile:
    """A checked model file.

    Attributes
    ----------
    name
        Stem of the file; what outputs call the model.
    build
        ``build(cells, priors) -> pymc.Model``.
    Priors
        Frozen dataclass of prior scales, all with defaults.
    TERMS
        Names of the additive terms whose sum is the effect.
    digest
        SHA-256 of the file's text.
    target_accept
        The file's ``TARGET_ACCEPT``: least acceptance rate that the model is sampled with, for
        one whose posterior needs smaller steps; 0 where the file asks for none.
    """

    name: str
    build: Callable[..., Any]
    Priors: type
    TERMS: tuple[str, ...]
    digest: str
    target_accept: float = 0.0


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
            f"there is no model {text!r}; known: {', '.join(model_names())}, "
            "or give the path of your own file, ending in .py"
        )
    module = importlib.import_module(f"{_PACKAGE}.{text}") if path is None else _run_file(path)
    source = Path(str(module.__file__))
    raise_all(ModelError, f"The model file {source.name} was refused:", list(_faults(module)))
    return ModelFile(
        name=source.stem,
        build=module.build,
        Priors=module.Priors,
        TERMS=tuple(module.TERMS),
        digest=hashlib.sha256(source.read_bytes()).hexdigest(),
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
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises
        del sys.modules[name]
        raise ModelError(
            f"the model file {path.name} stops with {type(error).__name__}: {error}"
        ) from error
    return module


def _faults(module: ModuleType) -> Iterator[str]:
    yield from _build_faults(getattr(module, "build", None))
    yield from _priors_faults(getattr(module, "Priors", None))
    yield from _terms_faults(getattr(module, "TERMS", None))
    least = getattr(module, "TARGET_ACCEPT", 0.0)
    if not (isinstance(least, (int, float)) and 0 <= least < 1):
        yield f"TARGET_ACCEPT must be a number between 0 and 1, not {least!r}"


def _build_faults(build: object) -> Iterator[str]:
    if build is None:
        yield "it lacks the function build(cells, priors)"
    elif not callable(build):
        yield "build is no function"
    else:
        try:
            inspect.signature(build).bind("cells", "priors")
        except TypeError:
            yield "build must take two arguments, cells and priors"


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

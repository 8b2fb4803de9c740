"""Priors as values: checked, overridden from a file, written to the output."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from bipbayes.errors import BipbayesError, SettingsError, raise_all, unknown


def require_positive(priors: Any) -> None:
    """Refuse priors whose scales are not positive numbers; a model's ``Priors`` call it.

    Raises
    ------
    SettingsError
        Names every value that is refused.
    """
    faults = [
        f"{name} = {value!r}: a scale must be a positive number"
        for name, value in asdict(priors).items()
        if not (_is_number(value) and value > 0)
    ]
    raise_all(SettingsError, "These priors were refused:", faults)


def make_priors(kind: type, values: Mapping[str, Any]) -> Any:
    """Return a model's priors: the given values, else the model's defaults.

    Parameters
    ----------
    kind
        The ``Priors`` of a model file.
    values
        By name of the field; may be empty.

    Raises
    ------
    SettingsError
        Unknown names, or values that are no finite numbers; all of them are named.
    """
    known = [entry.name for entry in fields(kind)] if is_dataclass(kind) else []
    faults = [unknown("prior", name, known) for name in values if name not in known]
    faults += [
        f"{name} = {value!r} is no finite number"
        for name, value in values.items()
        if name in known and not _is_number(value)
    ]
    raise_all(SettingsError, "These priors were refused:", faults)
    try:
        return kind(**{name: float(value) for name, value in values.items()})
    except BipbayesError:
        raise
    except (TypeError, ValueError) as error:  # a user's own checks
        raise SettingsError(f"These priors were refused: {error}") from error


def read_priors(path: Path | None, models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the tables of a TOML file, such as ``[hierarchical]``.

    Parameters
    ----------
    path
        The file, or ``None`` for none.
    models
        Names of the models that are fitted; one without a table keeps its defaults.

    Returns
    -------
    dict
        The values by model, empty for those without a table.

    Raises
    ------
    SettingsError
        The file is missing, is no TOML, holds values outside of tables, or a table for a
        model that is not fitted.
    """
    if path is None:
        return {model: {} for model in models}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"the file of priors {path} cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"the file of priors {path} is no TOML: {error}") from error
    loose = [name for name, value in content.items() if not isinstance(value, dict)]
    if loose:
        raise SettingsError(
            f"{path} holds {', '.join(loose)} outside of a table; "
            f"write them under the model's name, such as [{models[0]}]"
        )
    if unused := [name for name in content if name not in models]:
        raise SettingsError(
            f"{path} holds priors of {', '.join(unused)}, which this run does not fit (it fits "
            f"{', '.join(models)}); correct the name, add the model with --model, or remove them"
        )
    return {model: dict(content.get(model, {})) for model in models}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

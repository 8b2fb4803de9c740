"""Whether two runs say the same: least squares to the digit, posteriors by Monte Carlo error."""

import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bipbayes.errors import RunError
from bipbayes.intervals import TEXT_COLUMNS
from bipbayes.run.folder import RunFolder, place_of_run
from bipbayes.run.ols_stage import STAGE as FIT_OLS
from bipbayes.run.stored import STAGE as FIT_POSTERIOR
from bipbayes.tables.rounding import limit_factor

RELATIVE: Final = 1e-8  # least squares, on another machine
ERRORS: Final = 4.0  # Monte Carlo errors between two posteriors of the same study
BEYOND: Final = 1e-3  # the share of a posterior's numbers that may lie further apart
KEYS: Final = (*TEXT_COLUMNS, "level", "kind")
INTERVALS: Final = "data/intervals.csv"
MEASURES: Final = ("estimate", "lower", "upper")
GROUP: Final = ("source", "model", "analysis", "vcov")
_TINY: Final = 1e-12
_DIGITS: Final = 12  # of a digest


def run_differences(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Hold every estimate and limit of a run against another run's.

    `first`, `second`: long frames, as in ``data/intervals.csv``.

    Returns: `KEYS`, ``measure``, ``first``, ``second`` and ``gap``: the difference as a share of
    what is allowed, for least squares 1e-8 of the number, for a posterior four Monte Carlo errors
    of the difference (of a limit that of a normal posterior's quantile). Infinite where one run has
    no such number; rows that neither has are left out.
    """
    both = first.merge(second, on=list(KEYS), how="outer", suffixes=("", "_second"))
    factor = both["level"].map(limit_factor)
    parts = []
    for measure in MEASURES:
        one, other = both[measure], both[f"{measure}_second"]
        allowed = RELATIVE * np.maximum(one.abs(), other.abs()) + _TINY
        if measure == "estimate":
            errors = np.hypot(both["mcse"], both["mcse_second"])
        else:
            errors = factor * np.hypot(_limit_error(both, ""), _limit_error(both, "_second"))
        allowed = np.fmax(allowed, ERRORS * errors)
        gap = ((one - other).abs() / allowed).fillna(np.inf)
        known = one.notna() | other.notna()
        part = both[list(KEYS)].assign(measure=measure, first=one, second=other, gap=gap)
        parts.append(part[known])
    return pd.concat(parts, ignore_index=True)


def _limit_error(both: pd.DataFrame, run: str) -> pd.Series:
    effective: pd.Series = both[f"ess_tail{run}"]
    return both[f"se{run}"].div(effective.pow(0.5))


def agreement(differences: pd.DataFrame) -> pd.DataFrame:
    """Judge the numbers of each analysis and model.

    `differences`: from `run_differences`. Returns: `GROUP`, ``numbers``, ``missing`` (one run has
    none), ``identical``, ``beyond`` what is allowed, ``agree``; then the `KEYS` and numbers of the
    worst one.
    """
    rows = []
    for names, group in differences.groupby(list(GROUP), sort=False, dropna=False):
        missing = np.isinf(group["gap"])
        beyond = int(((group["gap"] > 1) & ~missing).sum())
        most = 0 if "ols" in names else int(BEYOND * len(group))
        worst = group.iloc[int(group["gap"].argmax())]
        rows.append(
            {
                "numbers": len(group),
                "missing": int(missing.sum()),
                "identical": int((group["first"] == group["second"]).sum()),
                "beyond": beyond,
                "agree": beyond <= most and not missing.any(),
                **worst.to_dict(),
            }
        )
    return pd.DataFrame(rows)


def verify(first: Path, second: Path) -> tuple[list[str], bool]:
    """Compare two runs' folders and say what came out.

    `first`, `second`: folders of runs, such as the published one and the one made again. Of an
    export (without ``run.json``) only the numbers that it holds are compared.

    Returns: what differs in what was run, then a sentence for each model and analysis with its
    worst quantity, then the verdict; whether all agree.

    Raises RunError: A folder holds no run.
    """
    folders = [RunFolder(place_of_run(path)) for path in (first, second)]
    if empty := [str(f.path) for f in folders if not f.file(INTERVALS).is_file()]:
        raise RunError(f"{' and '.join(empty)}: no run is stored there ({INTERVALS} is missing)")
    records = [folder.record() for folder in folders]
    differences = run_differences(*(_intervals(folder) for folder in folders))
    let_out = [side for side, record in zip(("first", "second"), records, strict=True)
               if not record]  # fmt: skip
    differences = differences.dropna(subset=let_out)
    judged = agreement(differences)
    agree = bool(judged["agree"].all())
    told = [] if let_out else [*_other(*records)]
    told += [_said(row) for row in judged.to_dict("records")]
    if (judged["identical"] == judged["numbers"]).all():
        return [*told, "The two runs are identical in every number."], True
    verdict = "The two runs agree." if agree else "The two runs do not agree."
    return [*told, verdict], agree


def _intervals(folder: RunFolder) -> pd.DataFrame:
    """Read a run's long frame, which must hold each of its numbers once."""
    frame = folder.read(INTERVALS)
    numbers = ["level", *MEASURES, "se", "mcse", "ess_tail"]
    missing = {*KEYS, *numbers} - set(frame.columns)
    if missing or frame.empty or not all(is_numeric_dtype(frame[name]) for name in numbers):
        told = "is damaged: columns or rows are missing, or hold words for numbers"
    elif frame.duplicated(list(KEYS)).any():
        told = "holds rows more than once"
    else:
        return frame.astype(dict.fromkeys(numbers, "float64"))
    raise RunError(f"{folder.file(INTERVALS)} {told}; take another copy of it, or run it again")


def _other(first: dict[str, Any], second: dict[str, Any]) -> Iterator[str]:
    """Say what of the runs' inputs, software and settings is not the same."""
    for part, told in (("identity", "Other inputs"), ("software", "Other software")):
        one, other = first.get(part, {}), second.get(part, {})
        if changed := sorted(key for key in one | other if one.get(key) != other.get(key)):
            yield f"{told}: {', '.join(changed)}."
    stages = [record.get("stages", {}) for record in (first, second)]
    for name in stages[0]:
        if not name.startswith((FIT_OLS, FIT_POSTERIOR)) or name not in stages[1]:
            continue
        asked = [_single(done[name].get("settings", {})) for done in stages]
        if unlike := [f"{key} {one} and {other}" for key, one, other in _unlike(*asked)]:
            yield f"Other settings of {name}: {'; '.join(unlike)}."


def _single(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with each scale of the priors, ``Priors(a=1, b=2)``, as one of its own."""
    priors = re.findall(r"(\w+)=([-+.\de]+)", str(settings.get("priors", "")))
    digest = str(settings.get("model_digest", ""))[:_DIGITS]
    own = {**settings, **({"model_digest": digest} if digest else {})}
    own.pop("priors", None)
    return {**own, **{f"prior {name}": value for name, value in priors}}


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs, with both values; ``none`` where a run has none."""
    for key in {**one, **other}:
        values = (settings.get(key) for settings in (one, other))
        first, second = ("none" if value in (None, "", []) else value for value in values)
        if first != second:
            yield key, first, second


def _said(row: Mapping[Hashable, Any]) -> str:
    """Say in a sentence how far an analysis of the two runs is apart."""
    is_ols = row["source"] == "ols"
    named = [row["source"], row["model"], row["analysis"], row["vcov"]]
    name = ", ".join(word for word in named if word)
    if row["identical"] == row["numbers"]:
        return f"{name}: {row['numbers']} numbers, all identical."
    unit = f"{RELATIVE:g} of the number" if is_ols else f"{ERRORS:g} Monte Carlo errors"
    told = f"{name}: {row['numbers']} numbers, {row['beyond']} further apart than {unit}"
    if row["missing"]:
        told += f", {row['missing']} in one run only"
    place = [row["outcome"], row["combination"], row["jobcenter"]]
    where = f"{row['measure']} of {row['estimand']} ({', '.join(w for w in place if w)})"
    if np.isinf(row["gap"]):
        return f"{told}; such as {where}."
    apart = row["gap"] if is_ols else row["gap"] * ERRORS
    size = f"{apart:.2g} of what is allowed" if is_ols else f"{apart:.2f} Monte Carlo errors"
    return f"{told}; worst: {where}, {row['first']:.6g} and {row['second']:.6g}, {size}."

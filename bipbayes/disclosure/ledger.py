"""What was exported earlier: two exports together may tell what neither tells.

An export of other people than an earlier one (a jobcenter more, a citizen less) gives by
subtraction the numbers of those by whom they differ. The ledger keeps, in the private folder, the
changes behind each export under hashed ids, and what was shown of them.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.atomic import atomic_path
from bipbayes.disclosure.counts import KEYS, Cells
from bipbayes.disclosure.held import Held
from bipbayes.errors import RunError

_WHO: Final = "citizen"
_CHANGE: Final = ["citizen", "date", "change"]
# Only the last: a gap between others is a damaged ledger.
_WITHDRAWN: Final = (
    "; if that export was never sent to anybody, withdraw it: delete its folder export and {path}"
)
_SHOWN: Final = {"time": str, "minimum_count": int, "combinations": list, "cells": list}


def compare_with_earlier(ledger: Path, cells: Cells, held: Held) -> int:
    """Refuse an export that, beside an earlier one, would tell of a few citizens.

    Parameters
    ----------
    ledger
        Folder of the earlier exports.
    cells, held
        What is to be exported.

    Returns
    -------
    int
        How many earlier exports there are.

    Raises
    ------
    RunError
        A shown cell differs by 1 to one less than the minimum of citizens, or each of two exports
        shows a combination that the other holds back; or the ledger is damaged.
    """
    own, earlier = _hashed(cells.rows), _numbers(ledger)
    last = max(earlier, default=0)
    for number in range(1, last + 1):
        path = _place(ledger, number)
        never_sent = _WITHDRAWN.format(path=path) * (number == last)
        before, told = _entry(path)
        least = max(held.minimum_count, int(told["minimum_count"]))
        if found := _differences(own, before, held, told, least):
            raise RunError(
                f"nothing was exported: {found} shown cells differ from export {path.stem} of "
                f"{told['time']} by 1 to {least - 1} {{citizens}}, whose answers the difference "
                "would tell; export the same population, or leave those cells out in both"
                + never_sent
            )
        if _crosses(held, told):
            raise RunError(
                f"nothing was exported: export {path.stem} of {told['time']} held back other "
                "combinations than this one, and both together would tell them; use the same "
                "--minimum-count and data" + never_sent
            )
    return len(earlier)


def note_export(ledger: Path, cells: Cells, held: Held, facts: dict[str, Any]) -> None:
    """Add an export to the ledger.

    Parameters
    ----------
    ledger
        Its folder.
    cells, held
        What was exported.
    facts
        When, and of which data.
    """
    entry = _hashed(cells.rows)
    # In the same file: half an entry would count as none, or as damaged for ever.
    entry.attrs |= {
        **facts,
        "minimum_count": held.minimum_count,
        "combinations": sorted(held.combinations),
        "cells": sorted(map(list, held.cells)),
    }
    with atomic_path(_place(ledger, max(_numbers(ledger), default=0) + 1)) as part:
        entry.to_parquet(part, index=False)


def _numbers(ledger: Path) -> list[int]:
    """Return the numbers of the entries: they are counted from 1, and none is ever taken away."""
    return [int(path.stem) for path in ledger.glob("*.parquet") if path.stem.isdecimal()]


def _place(ledger: Path, number: int) -> Path:
    return ledger / f"{number:04d}.parquet"


def _entry(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read an earlier export: the changes behind it, and what was shown of them."""
    try:
        before = pd.read_parquet(path, columns=[*KEYS, *_CHANGE])
        told = {str(name): shown for name, shown in before.attrs.items()}
        if all(isinstance(told[name], kind) for name, kind in _SHOWN.items()):
            return before, told
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RunError(
        f"nothing was exported: export {path.stem} in the ledger {path.parent} is damaged or "
        "gone, so that nobody can say what both together would tell; put it back from a copy"
    )


def _hashed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the changes under ids that name nobody by themselves."""
    names = {
        name: hashlib.blake2b(str(name).encode(), digest_size=8).hexdigest()
        for name in rows[_WHO].unique()
    }
    dates = pd.to_datetime(rows["date"]).dt.strftime("%Y-%m-%d")
    return rows.assign(citizen=rows[_WHO].map(names), date=dates).astype(
        dict.fromkeys(("citizen", "date", *KEYS), "str")
    )


def _differences(
    own: pd.DataFrame, before: pd.DataFrame, held: Held, told: dict[str, Any], least: int
) -> int:
    """Count the cells, shown in both, that rest on nearly the same citizens."""
    both = own.merge(before, on=[*KEYS, *_CHANGE], how="outer", indicator=True)
    there = [frame.assign(side=1) for frame in (own, before)]
    found = 0
    for everywhere in (True, False):
        keys = KEYS[:2] if everywhere else KEYS
        changed = both[both["_merge"] != "both"].groupby(keys)[_WHO].nunique()
        few = changed[(changed >= 1) & (changed < least)]
        for frame in there:
            few = few[few.index.isin(list(frame.groupby(keys).groups))]
        combinations = held.combinations | set(told["combinations"])
        hidden = held.cells | set(map(tuple, told["cells"]))
        found += sum(
            key[1] not in combinations and (everywhere or (key[1], key[2]) not in hidden)
            for key in few.index
        )
    return found + _whole_differences(both, least)


def _whole_differences(both: pd.DataFrame, least: int) -> int:
    """Count the outcomes whose table of all changes differs by a few citizens."""
    changed = both[both["_merge"] != "both"].groupby("outcome")[_WHO].nunique()
    return int(((changed >= 1) & (changed < least)).sum())


def _crosses(held: Held, told: dict[str, Any]) -> bool:
    """Say whether each of two exports holds back what the other shows."""

    def crosses(one: Iterable[Any], other: Iterable[Any]) -> bool:
        first, second = set(one), set(other)
        return bool(first - second) and bool(second - first)

    return crosses(held.combinations, told["combinations"]) or crosses(
        held.cells, map(tuple, told["cells"])
    )

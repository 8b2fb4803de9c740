"""Earlier exports: what two of them tell together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bipbayes.disclosure.counts import Cells
from bipbayes.disclosure.held import Held
from bipbayes.disclosure.ledger import compare_with_earlier, note_export
from bipbayes.errors import RunError

FACTS = {"time": "2026-01-01", "data": "x"}


def held(*combinations: str, cells: tuple[tuple[str, str], ...] = ()) -> Held:
    """What an export holds back."""
    none: frozenset[str] = frozenset()
    return Held(
        combinations=frozenset(combinations),
        cells=frozenset(cells),
        values=frozenset(),
        groups=frozenset(),
        terms=none,
        few=frozenset(),
        minimum_count=5,
        no_treatment="0",
    )


def cells(citizens: int, *, change: float = 1.0) -> Cells:
    """Changes of so many citizens in two combinations and two jobcenters."""
    rows = [
        (f"c{number:03d}", "2015-01-01", combination, place, "q1", change if number == 0 else 1.0)
        for combination in ("0", "1")
        for place in ("a", "b")
        for number in range(citizens)
    ]
    names = ["citizen", "date", "combination", "jobcenter", "outcome", "change"]
    return Cells(pd.DataFrame(), pd.DataFrame(rows, columns=names))


@pytest.mark.parametrize(
    ("second", "told"),
    [(cells(40), False), (cells(39), True), (cells(36), True), (cells(35), False),
     (cells(44), True), (cells(60), False), (cells(40, change=2.0), True)],
)  # fmt: skip
def test_cells_that_differ_by_few_citizens_are_refused(
    tmp_path: Path, *, second: Cells, told: bool
) -> None:
    """Catches one to four citizens more, less or corrected; five tell of nobody."""
    assert compare_with_earlier(tmp_path, cells(40), held()) == 0
    note_export(tmp_path, cells(40), held(), dict(FACTS))
    if told:
        with pytest.raises(RunError, match=r"export 0001 .* by 1 to 4"):
            compare_with_earlier(tmp_path, second, held())
    else:
        assert compare_with_earlier(tmp_path, second, held()) == 1


def _mixed(few: int, many: int) -> Cells:
    """Changes of so many citizens in combination 0, and in combination 1."""
    rows = [cells(count).rows for count in (few, many)]
    chosen = [frame[frame["combination"] == str(place)] for place, frame in enumerate(rows)]
    return Cells(pd.DataFrame(), pd.concat(chosen, ignore_index=True))


def test_one_cell_of_few_others_is_enough(tmp_path: Path) -> None:
    """Catches a cell that a citizen has left while others changed by many."""
    note_export(tmp_path, cells(40), held(), dict(FACTS))
    with pytest.raises(RunError, match="3 shown cells"):
        compare_with_earlier(tmp_path, _mixed(39, 60), held())


def test_a_cell_that_is_held_back_on_one_side_is_no_difference(tmp_path: Path) -> None:
    """Catches a refusal for a combination that one of the exports does not show."""
    note_export(tmp_path, cells(40), held("0", "2"), dict(FACTS))
    assert compare_with_earlier(tmp_path, _mixed(39, 60), held("0", "2")) == 1


def test_each_of_two_exports_must_not_show_what_the_other_holds_back(tmp_path: Path) -> None:
    """Catches a pair of blank combinations of which another export shows one."""
    note_export(tmp_path, cells(40), held("01", "10"), dict(FACTS))
    assert compare_with_earlier(tmp_path, cells(40), held("01", "10", "11")) == 1
    with pytest.raises(RunError, match="held back other combinations") as refused:
        compare_with_earlier(tmp_path, cells(40), held("01", "11"))
    # Only what was never sent, and is the last, can be taken out again.
    assert f"never sent to anybody, withdraw it: delete its folder export and {tmp_path}" in str(
        refused.value
    )
    note_export(tmp_path, cells(40), held("01", "10"), dict(FACTS))
    with pytest.raises(RunError, match=r"export 0001 .*--minimum-count and data$"):
        compare_with_earlier(tmp_path, cells(40), held("01", "11"))
    for number in (2, 1):
        (tmp_path / f"000{number}.parquet").unlink()
    assert compare_with_earlier(tmp_path, cells(40), held("01", "11")) == 0


def test_the_ledger_names_nobody(tmp_path: Path) -> None:
    """Catches ids in clear in what is kept."""
    note_export(tmp_path, cells(40), held(), dict(FACTS))
    assert not [path for path in tmp_path.iterdir() if b"c001" in path.read_bytes()]


def _tell(path: Path, **shown: object) -> None:
    """Change what an entry says was shown."""
    entry = pd.read_parquet(path)
    entry.attrs = {**entry.attrs, **shown} if shown else {}
    entry.to_parquet(path, index=False)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "other": lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
    "gone": Path.unlink,
    "nothing shown": _tell,
    "count in words": lambda path: _tell(path, minimum_count="5"),
    "cells by name": lambda path: _tell(path, cells={}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_keeps_all_inside(tmp_path: Path, damage: str) -> None:
    """Catches a traceback, and an export that is compared with nothing, or not with one of two."""
    for _ in range(2):
        note_export(tmp_path, cells(40), held(), dict(FACTS))
    DAMAGES[damage](tmp_path / "0001.parquet")
    with pytest.raises(RunError, match=r"export 0001 in the ledger .* put it back"):
        compare_with_earlier(tmp_path, cells(40), held())


def test_an_entry_never_takes_the_place_of_another(tmp_path: Path) -> None:
    """Catches entries numbered by how many there are, where one was moved away."""
    for count in (40, 60):
        note_export(tmp_path, cells(count), held(), dict(FACTS))
    (tmp_path / "0001.parquet").unlink()
    before = (tmp_path / "0002.parquet").read_bytes()
    note_export(tmp_path, cells(80), held(), dict(FACTS))
    assert (tmp_path / "0002.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0002.parquet", "0003.parquet"]

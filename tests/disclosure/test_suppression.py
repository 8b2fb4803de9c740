"""Blank cells cannot be worked out from printed sums."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bipbayes.disclosure.suppression import exposed, narrow, suppressed


def test_zeros_are_printed_and_hide_nobody() -> None:
    """Catches an empty cell counted as a second blank: its zero is known."""
    blank = suppressed([0, 3, 9, 20], np.ones((1, 4)), minimum_count=5).cells
    assert blank.tolist() == [False, True, True, False]


def test_nothing_is_blank_without_small_cells() -> None:
    """Catches blanking at the limit itself."""
    assert not suppressed([5, 0, 40], np.ones((1, 3)), minimum_count=5).cells.any()


def test_a_sum_with_no_other_cell_is_blank_itself() -> None:
    """Catches a small total printed above its blank cells, and a loop without end."""
    for citizens in ([2], [2, 1], [2, 0]):
        found = suppressed(citizens, np.ones((1, len(citizens))), minimum_count=5)
        assert found.cells.sum() == np.count_nonzero(citizens)
        assert found.sums.tolist() == [True]


def test_the_smallest_sum_is_withheld_first() -> None:
    """Catches a sum withheld that tells nothing once a smaller one is."""
    found = suppressed([3, 4], np.array([[1, 0], [1, 1]]), minimum_count=5)
    assert found.cells.all() and found.sums.tolist() == [True, False]


def test_two_sums_over_the_same_cells_need_three_blanks() -> None:
    """Catches two blanks that a total and a mean together solve."""
    sums = np.array([np.ones(5), np.arange(-2, 3)])
    assert suppressed([4, 6, 90, 7, 30], sums, minimum_count=5).cells.sum() == 3


def test_exposure_is_that_of_solving_the_equations() -> None:
    """Catches a wrong rank: compared with brute force over integer solutions."""
    sums = np.array([[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    unknown = np.array([True, True, True, False])
    # The first two sums differ by the first cell; the last one knows the third.
    assert exposed(sums.astype(float), unknown).tolist() == [True, True, True, False]
    sums = np.array([[1.0, 1, 1, 0], [0, 1, 1, 1]])
    assert exposed(sums, np.ones(4, bool)).tolist() == [False] * 4


@pytest.mark.parametrize("seed", range(4))
def test_crossed_tables_admit_other_solutions(seed: int) -> None:
    """Catches rows protected while columns tell: another whole table must fit every sum."""
    rng = np.random.default_rng(seed)
    table = rng.poisson(12, (4, 4)) + rng.integers(0, 3, (4, 4)) * 4
    table[0, 0], table[2, 1] = 2, 3
    cells = [(row, column) for row, column in product(range(4), range(4))]
    sums = [[row == r for row, _ in cells] for r in range(4)]
    sums += [[column == c for _, column in cells] for c in range(4)]
    weights = np.array(sums, dtype=float)
    found = suppressed(table.ravel(), weights, minimum_count=5)
    blank, weights = found.cells, weights[~found.sums]
    assert blank[0]
    assert not blank.all()
    _, sizes, right = np.linalg.svd(weights[:, blank])
    free = right[(sizes > 1e-9).sum() :]  # directions that change no sum
    assert (np.abs(free).max(axis=0) > 1e-6).all()
    for members in weights.astype(bool):
        assert not (members & blank).any() or table.ravel()[members & blank].sum() >= 5


def test_cells_known_to_hold_someone_need_room() -> None:
    """Catches five blank cells of one citizen each: a total of 5 leaves them no other value."""
    blank = suppressed([1, 1, 1, 1, 1, 30], np.ones((1, 6)), minimum_count=5).cells
    assert blank.all()
    assert suppressed([1, 4, 30], np.ones((1, 3)), minimum_count=5).cells.all()


def test_crossed_sums_leave_a_range_open() -> None:
    """Catches a cell between two sums that leave it two values, though neither solves it."""
    # Rows (a, b), (c, d); a + c and b + d: a is 1 to 2 where the first row holds 3.
    count = np.array([2, 1, 8, 9, 20, 20], dtype=float)
    sums = np.array(
        [[1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 0, 1], [1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0]],
        dtype=float,
    )
    unknown = np.array([True, True, True, True, False, False])
    small = count < 5
    assert narrow(sums, unknown, count, small, width=4)[:2].all()
    found = suppressed(count, sums, minimum_count=5)
    weights = sums[~found.sums]
    assert not narrow(weights, found.cells, count, small, width=4).any()


def test_what_is_left_open_is_that_of_trying_all_tables() -> None:
    """Catches a range one value short, and blank cells that may hold nobody."""
    table = np.array([[8, 9, 1], [9, 6, 6], [7, 4, 11]])
    sums = np.array([*np.kron(np.eye(3), np.ones(3)), *np.kron(np.ones(3), np.eye(3))])
    found = suppressed(table.ravel(), sums, minimum_count=5)
    assert found.sums.sum() == 0
    blank = found.cells.reshape(3, 3)
    tables = np.zeros((3, 3, 20**4), dtype=int)
    tables[:2, :2] = 1 + np.indices((20,) * 4).reshape(2, 2, -1)
    tables[:2, 2] = table[:2].sum(axis=1)[:, None] - tables[:2, :2].sum(axis=1)
    tables[2] = table.sum(axis=0)[:, None] - tables[:2].sum(axis=0)
    known = np.where(blank[..., None], tables >= 1, tables == table[..., None])
    possible = tables[..., known.all(axis=(0, 1))]
    for place in zip(*np.nonzero(table < 5), strict=True):
        assert len(np.unique(possible[place])) >= 5
    # A total of 5 leaves each of two cells 1 to 4, one of 6 leaves them 1 to 5.
    both = np.ones(2, dtype=bool)
    assert narrow(np.ones((1, 2)), both, np.array([2.0, 3.0]), both, width=4).all()
    assert not narrow(np.ones((1, 2)), both, np.array([2.0, 4.0]), both, width=4).any()

"""What makes the calibrated design exact: dealing, fitting gaps, the repair."""

import numpy as np
import pytest

from bipbayes.bip.calibrated_design import deal, exact_combinations, fit_complete, fit_counts
from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.simulate import repair
from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import Design, draw_gaps, random_design
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.truth import sum_changes


@pytest.fixture(scope="module")
def design() -> Design:
    return random_design(bip_codebook(), 3, citizens=400)


def test_dealt_items_fill_every_total() -> None:
    """Catches totals missed by one, and heavy items put where there is no room."""
    weights = Stream(1).below(4, 300)
    weights = np.r_[weights, np.ones(60, dtype=np.int64)]
    totals = np.array([3, int(weights.sum()) - 50, 47])
    boxes = deal(Stream(2), weights, totals=totals)
    assert (boxes >= 0).all()
    assert np.bincount(boxes, weights=weights).tolist() == totals.tolist()


def test_items_too_heavy_are_returned() -> None:
    """Catches an item squeezed into a box that is too small."""
    assert deal(Stream(1), np.array([5]), totals=np.array([3, 2])).tolist() == [-1]


def test_exact_combinations_where_runs_must_be_torn() -> None:
    """Catches totals missed when long runs do not fit the rare combinations."""
    citizen = np.repeat(np.arange(6), 8)
    counted = np.ones(48, dtype=bool)
    totals = np.array([[3] * 16])
    found = exact_combinations(
        Stream(3), citizen, site=np.zeros(48, dtype=np.int64), counted=counted, totals=totals
    )
    assert np.bincount(found, minlength=16).tolist() == totals[0].tolist()


def test_gaps_are_fitted_exactly_and_only_on_free_rows() -> None:
    """Catches counts missed by one, or answers changed where that moves other counts."""
    present = np.ones(4000, dtype=bool)
    lost = np.array([50, 100, 20, 80])
    answered = draw_gaps(Stream(7), present, lost=lost, gap_rows=200)
    free = Stream(8).happens(1, 2, 4000)
    surplus = np.array([30, -10, 25, 0])
    fitted = fit_counts(Stream(9), answered, free=free, surplus=surplus)
    assert (answered.sum(axis=0) - fitted.sum(axis=0)).tolist() == surplus.tolist()
    for wanted in (40, -40):
        swapped = fit_complete(Stream(10), fitted, free=free, surplus=wanted)
        assert (swapped.sum(axis=0) == fitted.sum(axis=0)).all()
        assert fitted.all(axis=1).sum() - swapped.all(axis=1).sum() == wanted
        assert (swapped[~free] == answered[~free]).all()
        assert swapped.any(axis=1).all()


def test_counts_out_of_reach_are_said() -> None:
    """Catches a wrong count passed over in silence."""
    answered = np.ones((5, 2), dtype=bool)
    with pytest.raises(SettingsError, match="another seed"):
        fit_counts(Stream(1), answered, free=np.zeros(5, dtype=bool), surplus=np.array([1, 0]))


def test_repair_reaches_any_reachable_totals(design: Design) -> None:
    """Catches a nudge that moves a sum it should not, or leaves the scale."""
    shape = (16, len(design.jobcenters), 20)
    answers = draw_answers(Stream(13), design, drift=np.zeros(shape), process=Process())
    before = sum_changes(design, answers).total
    donor = draw_answers(Stream(14), design, drift=np.zeros(shape), process=Process())
    # Totals of another sample of the same design: moved everywhere, yet consistent.
    wanted = sum_changes(design, donor).total
    repaired = repair(Stream(15), design, answers=answers, wanted=wanted)
    after = sum_changes(design, repaired).total
    assert (before != wanted).mean() > 0.8
    small = sum_changes(design, answers).count[20] < 10  # members may give way in tiny ones
    assert (after[:, ~small] == wanted[:, ~small]).mean() > 0.95
    assert (after[20:] == wanted[20:]).all()
    assert (after[:20].sum(axis=1) == wanted[:20].sum(axis=1)).all()
    assert repaired.min() == 1 and repaired.max() == 5
    assert np.abs(repaired - answers).max() <= 3
    assert (repaired != answers).mean() < 0.25
    assert (repaired[~design.answered] == answers[~design.answered]).all()


def test_repair_says_what_it_cannot_reach(design: Design) -> None:
    """Catches data returned although a sum is not the wanted one."""
    answers = np.full(design.answered.shape, 3)
    wanted = np.full((22, 16), 10**6)
    with pytest.raises(SettingsError):
        repair(Stream(1), design, answers=answers, wanted=wanted)

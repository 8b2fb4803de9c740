"""The parts of a design: gaps, dealing, dates, boxes; and the exact repair."""

import numpy as np
import pytest

from bipbayes.data.activities import combinations as told
from bipbayes.data.load_codebook import bip_codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.activities import EMPTY, tick_boxes
from bipbayes.synthetic.dates import draw_days
from bipbayes.synthetic.design import Design, previous_rows
from bipbayes.synthetic.frame import responses_frame
from bipbayes.synthetic.gaps import draw_gaps, fit_complete, fit_counts
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.random_design import random_design
from bipbayes.synthetic.repair import repair
from bipbayes.synthetic.sequences import deal, exact_combinations, runs
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.sums import sum_changes


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


def test_runs_stay_within_citizens() -> None:
    """Catches a run that goes on from one citizen to the next."""
    citizen = np.repeat(np.arange(50), 3)
    run = runs(Stream(4), citizen)
    assert (run[3::3] != run[2:-1:3]).all()
    assert len(np.unique(run)) < 150


def test_previous_rows_against_a_loop() -> None:
    """Catches a change that starts at another citizen's answer or skips one."""
    answered = Stream(5).below(3, 60, 4) > 0
    citizen = np.sort(Stream(6).below(12, 60))
    begin = np.searchsorted(citizen, citizen)
    found = previous_rows(answered, begin)
    for row in range(60):
        for question in range(4):
            earlier = [r for r in range(begin[row], row) if answered[r, question]]
            wanted = earlier[-1] if earlier and answered[row, question] else -1
            assert found[row, question] == wanted


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


def test_dates_stay_in_the_period_for_the_busiest_citizens() -> None:
    """Catches dates after the extraction, or out of order, where many responses need room."""
    citizen = np.repeat(np.arange(40), 12)
    days = draw_days(Stream(11), citizen).astype("datetime64[D]").reshape(40, 12)
    assert days.min() >= np.datetime64("2013-01-04")
    assert days.max() <= np.datetime64("2017-05-07")
    assert (np.diff(days, axis=1) > np.timedelta64(0, "D")).all()
    assert np.is_busday(days).all()


@pytest.fixture(scope="module")
def design() -> Design:
    return random_design(bip_codebook(), 3, citizens=400)


def test_boxes_say_the_combination(design: Design) -> None:
    """Catches boxes of a wrong treatment, and unknown activities that read as none."""
    boxes = tick_boxes(Stream(12), design)
    answers = np.ones(design.answered.shape, dtype=np.int64)
    frame = responses_frame(design, answers, boxes).astype(dict.fromkeys(boxes, "float64"))
    labels = np.array(design.codebook.combinations)[design.combination]
    assert told(frame, design.codebook).tolist() == np.where(design.known, labels, "").tolist()
    absent = ~design.present[:, -1]
    assert all((ticks[absent] == EMPTY).all() for ticks in boxes.values())
    assert all((ticks[~absent] != EMPTY).all() for ticks in boxes.values())


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

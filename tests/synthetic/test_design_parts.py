"""The parts of a random design: runs, dates, boxes."""

import numpy as np
import pytest

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.columns import combinations as told
from bipbayes.synthetic.design import (
    Design,
    draw_days,
    draw_gaps,
    previous_rows,
    random_design,
    runs,
)
from bipbayes.synthetic.simulate import EMPTY, responses_frame, tick_boxes
from bipbayes.synthetic.streams import Stream


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


def test_dates_stay_in_the_period_for_the_busiest_citizens() -> None:
    """Catches dates after the extraction, or out of order, where many responses need room."""
    citizen = np.repeat(np.arange(40), 12)
    days = draw_days(Stream(11), citizen).astype("datetime64[D]").reshape(40, 12)
    assert days.min() >= np.datetime64("2013-01-04")
    assert days.max() <= np.datetime64("2017-05-07")
    assert (np.diff(days, axis=1) > np.timedelta64(0, "D")).all()
    assert np.is_busday(days).all()


def test_who_takes_part_answers_something() -> None:
    """Catches responses without any answer, answers of who is absent, and gaps outside clumps."""
    present = Stream(7).below(4, 3000) > 0
    answered = draw_gaps(Stream(8), present, lost=np.array([700, 700, 700]), gap_rows=900)
    assert answered[present].any(axis=1).all()
    assert not answered[~present].any()
    complete = answered[present].all(axis=1).mean()
    assert 0.1 < complete < 0.35  # a tenth beside the clumps, the rest by chance


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

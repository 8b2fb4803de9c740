"""Simulated studies of any shape."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic_study import SMALL, read, small_codebook

from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.progression import progression
from bipbayes.data.read import read_responses
from bipbayes.errors import SettingsError
from bipbayes.synthetic import latent
from bipbayes.synthetic.design import random_design
from bipbayes.synthetic.simulate import EffectSds, hierarchical_effects, simulate, write_responses
from bipbayes.synthetic.streams import Stream


def test_parts_of_other_studies_share_effects_and_sites() -> None:
    """Catches a part that draws effects or sites' shares of its own, or shares its citizens."""
    first, second = (simulate(small_codebook(), citizens=4000, part=part) for part in range(2))
    np.testing.assert_array_equal(first.drift, second.drift)
    names = [set(each.responses["person"]) for each in (first, second)]
    assert len(names[0] | names[1]) == 8000
    assert not first.responses["q01"].equals(second.responses["q01"])
    shares = [
        np.bincount(each.design.site, minlength=len(each.design.jobcenters)) / 4000
        for each in (first, second)
    ]
    np.testing.assert_allclose(*shares, atol=4 * np.sqrt(2 * 0.25 / 4000))


@pytest.mark.parametrize(
    "more",
    [
        *({"dates": f"{day}{time}"} for day in ("%d-%m-%Y", "%d%m%Y", "%B %d, %y")
          for time in ("", " %H:%M")),
        {"jobcenters": ["01", "NA", 'Å, "x"']},
        {"scale": [-3, 3], "missing": [8, -9, "unsure"], "none": "nothing", "dont_know": "maybe"},
        {"answers": ["0", "1-2", "3-4", "5", "daily"], "scale": [1, 5]},
        {"indicators": [{"code": "q", "column": "Q 1", "respondent": "self", "reverse": True},
                        {"code": "r", "respondent": "nurse", "progression": False}],
         "averages": {}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_simulated_responses_are_read_by_their_codebook(
    more: dict[str, Any], ending: str, tmp_path: Path
) -> None:
    """Catches an archive that refuses its own data: days written otherwise than the codebook says.

    And a respondent who answers nothing that is analysed, whom no simulation could place.
    """
    codebook = parse_codebook({**SMALL, **more})
    simulation = simulate(codebook, citizens=30)
    write_responses(simulation.responses, tmp_path / f"data.{ending}")
    responses = read_responses(tmp_path / f"data.{ending}", codebook).responses
    design, first = simulation.design, codebook.indicators[0].code
    np.testing.assert_array_equal(responses["date"].to_numpy("datetime64[D]"),
                                  design.days.astype("datetime64[D]"))  # fmt: skip
    assert set(responses["jobcenter"]) == set(design.jobcenters)
    told = np.where(design.answered[:, 0], simulation.answers[:, 0], np.nan)
    np.testing.assert_array_equal(responses[first], told)
    known = np.where(design.known, np.array(codebook.combinations)[design.combination], "")
    np.testing.assert_array_equal(responses["combination"], known)


@pytest.mark.parametrize(
    ("name", "varies"),
    [
        ("combination", (True, False, False)),
        ("combination_respondent", (True, False, True)),
        ("combination_indicator", (True, False, True)),
        ("combination_jobcenter", (True, True, False)),
        ("jobcenter", (False, True, False)),
        ("jobcenter_indicator", (False, True, True)),
    ],
)
def test_each_sd_moves_what_it_names(name: str, varies: tuple[bool, ...]) -> None:
    """Catches terms over other dims, left out, or with the size of another term."""
    sds = EffectSds(**{**dict.fromkeys(asdict(EffectSds()), 0.0), name: 0.5})
    drawn = [
        hierarchical_effects(Stream(seed, 8), small_codebook(), jobcenters=9, sds=sds)
        for seed in range(60)
    ]
    assert tuple(bool(np.ptp(drawn[0], axis=axis).any()) for axis in range(3)) == varies
    assert np.std(drawn) == pytest.approx(0.5, rel=0.15)
    views = [len(np.unique(drawn[0][0, 0, own])) for own in (slice(4), slice(4, 7))]
    assert views == ([4, 3] if name.endswith("indicator") else [1, 1])


def test_answers_are_rounded_to_the_nearest_point() -> None:
    """Catches answers that are cut down, and questions that all have the same middle."""
    design = random_design(small_codebook(), 3, citizens=20)
    sizes = dict.fromkeys(("person", "view", "own", "step", "mood", "impression", "error"), 0)
    still = latent.Process(**sizes, slope=0)
    drift = np.zeros((4, len(design.jobcenters), 7))
    answers = latent.draw_answers(Stream(1), design, drift=drift, process=still)
    middle = 5 + latent.middles(7) / 256 * 10 / 4
    np.testing.assert_array_equal(answers, np.broadcast_to(np.rint(middle), answers.shape))
    assert np.ptp(answers) > 0
    drift[...] = 0.4
    moved = latent.draw_answers(Stream(1), design, drift=drift, process=still)
    place = np.arange(len(answers)) - np.searchsorted(design.citizen, design.citizen)
    wanted = np.clip(np.floor(middle + place[:, None] * 0.4 * 10 / 4 + 0.5), 0, 10)
    assert np.abs(moved - wanted).max() <= 1 and (moved == wanted).mean() > 0.95
    for spread in latent.Process().steadiness:
        squares = (latent.steadiness_table(spread) / 256) ** 2
        assert squares.mean() == pytest.approx(1, rel=0.03)


def test_any_study_with_hierarchical_effects() -> None:
    """Catches a generator that counts on BIP's shape, names or scale."""
    codebook = small_codebook()
    data = read(simulate(codebook, citizens=400, jobcenters=12, seed=7))
    frame = data.study.responses
    assert frame["citizen"].nunique() == 400
    assert sorted(frame["jobcenter"].unique()) == [f"{i:02d}" for i in range(1, 13)]
    assert set(frame["combination"]) == {"", "00", "01", "10", "11"}
    assert set(frame["Q1"].dropna()) == set(range(11))
    assert frame[list(codebook.indicator_codes)].isna().any().all()
    assert (progression(data.study)["n"] > 200).all()
    assert [finding.column for finding in data.study.findings] == ["activities"]


def test_a_turned_item_is_written_as_it_was_ticked() -> None:
    """Catches simulated files whose turned items read back with the truth's sign reversed."""
    plain = small_codebook()
    first, *others = plain.indicators
    turning = replace(plain, indicators=(replace(first, reverse=True), *others))
    ticked, same = (simulate(book, citizens=60, jobcenters=3, seed=7) for book in (plain, turning))
    column = first.column
    assert (ticked.responses[column] + same.responses[column]).dropna().eq(10).all()
    read_back = read(same).study.responses[first.code]
    pd.testing.assert_series_equal(read_back, read(ticked).study.responses[first.code])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"part": -1}, "counted from 0"),
        ({"seed": -1}, "negative"),
        ({"citizens": 3}, "cannot fill"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, int], words: str) -> None:
    """Catches settings that would be ignored in silence."""
    with pytest.raises(SettingsError, match=words):
        simulate(small_codebook(), **{"citizens": 50, **settings})

"""Simulated studies of any shape."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import read, small_codebook

from bipbayes.data.progression import progression
from bipbayes.errors import SettingsError
from bipbayes.synthetic.simulate import simulate


def test_parts_of_other_studies_share_effects_and_sites() -> None:
    """Catches a part that draws effects, or the sites' shares, of its own."""
    first, second = (simulate(small_codebook(), citizens=4000, part=part) for part in range(2))
    np.testing.assert_array_equal(first.drift, second.drift)
    shares = [
        np.bincount(each.design.site, minlength=len(each.design.jobcenters)) / 4000
        for each in (first, second)
    ]
    np.testing.assert_allclose(*shares, atol=4 * np.sqrt(2 * 0.25 / 4000))


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

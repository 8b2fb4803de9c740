"""Progression against a loop that goes row by row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.progression import progression, spread_of
from bipbayes.data.study import Study
from bipbayes.errors import SettingsError

CODEBOOK = bip_codebook()


def _study(seed: int = 3, rows: int = 120) -> Study:
    """Ragged responses in shuffled order: gaps, unknown activities, unequal numbers."""
    rng = np.random.default_rng(seed)
    citizen = rng.integers(0, 30, rows).astype("str")
    days = rng.permutation(rows) * 17
    frame = pd.DataFrame(
        {
            "citizen": citizen,
            "jobcenter": np.where(citizen < "15", "A", "B"),
            "date": pd.Timestamp("2013-01-07") + pd.to_timedelta(days, unit="D"),
        }
    )
    for code in CODEBOOK.indicator_codes:
        frame[code] = np.where(rng.random(rows) < 0.08, np.nan, rng.integers(1, 6, rows))
    frame["combination"] = rng.choice(["", *CODEBOOK.combinations], rows)
    return Study(frame, CODEBOOK, digest="", synthetic=True)


def _by_hand(study: Study, outcome: str, previous: str) -> tuple[np.ndarray, np.ndarray]:
    """Change and start of one outcome, one citizen and one row at a time."""
    frame = study.responses
    members = list(CODEBOOK.members(outcome)) if outcome in CODEBOOK.average_codes else [outcome]
    change = np.full(len(frame), np.nan)
    start = np.full(len(frame), -1)
    for _, rows in frame.sort_values("date").groupby("citizen"):
        latest, latest_row = None, -1
        for row in rows.index:
            answers = frame.loc[row, members]
            level = None if answers.isna().any() else sum(answers) / len(members)
            if level is not None and latest is not None:
                change[row], start[row] = level - latest, latest_row
            if level is not None or previous == "response":
                latest, latest_row = level, row
    return change, start


@pytest.mark.parametrize("previous", ["item", "response"])
@pytest.mark.parametrize("outcome", ["B1", "S12", "citizen_mean", "caseworker_mean"])
def test_against_a_loop(outcome: str, previous: str) -> None:
    """Catches mixing of citizens, wrong order in time, gaps bridged or not by the wrong rule."""
    study = _study()
    dataset = progression(study, previous=previous)  # type: ignore[arg-type]
    change, start = _by_hand(study, outcome, previous)
    np.testing.assert_allclose(dataset["change"].sel(outcome=outcome), change, atol=1e-9)
    np.testing.assert_array_equal(dataset["previous"].sel(outcome=outcome), start)
    sample = change[(study.responses["combination"] != "").to_numpy() & ~np.isnan(change)]
    standardised = dataset["standardised"].sel(outcome=outcome).dropna("response").to_numpy()
    np.testing.assert_allclose(
        standardised, (sample - sample.mean()) / sample.std(ddof=1), atol=1e-9
    )
    assert int(dataset["n"].sel(outcome=outcome)) == len(sample)


def test_standardised_over_the_analysis_sample_only() -> None:
    """Catches standardising over responses whose activities are unknown."""
    dataset = progression(_study())
    z = dataset["standardised"]
    np.testing.assert_allclose(z.mean("response"), 0, atol=1e-12)
    np.testing.assert_allclose(z.std("response", ddof=1), 1, atol=1e-12)
    unknown = dataset["combination"] == ""
    assert bool(z.where(unknown).isnull().all())
    assert bool(dataset["change"].where(unknown).notnull().any())


def test_row_order_does_not_matter() -> None:
    """Catches a result that depends on the order of the file."""
    study = _study()
    shuffled = study.responses.sample(frac=1.0, random_state=1)
    other = progression(replace(study, responses=shuffled.reset_index(drop=True)))
    back = np.argsort(shuffled.index.to_numpy())
    np.testing.assert_array_equal(
        progression(study)["change"].to_numpy(), other["change"].to_numpy()[back]
    )


def test_unchanged_averages_are_exactly_zero() -> None:
    """Catches float noise that would hide the share of citizens without any change."""
    study = _study()
    frame = study.responses.copy()
    first = frame.sort_values("date").groupby("citizen").head(1)
    for code in CODEBOOK.indicator_codes:
        frame[code] = frame["citizen"].map(first.set_index("citizen")[code].fillna(3.0))
    changes = progression(replace(study, responses=frame))["change"]
    assert bool((changes.fillna(0) == 0).all())


def test_no_variation_gives_an_empty_outcome_not_infinity() -> None:
    """Catches division by a zero standard deviation."""
    study = _study()
    frame = study.responses.assign(B1=3.0)
    dataset = progression(replace(study, responses=frame))
    assert np.isnan(float(dataset["sd"].sel(outcome="B1")))
    assert bool(dataset["standardised"].sel(outcome="B1").isnull().all())


@pytest.mark.parametrize("size", [0.1, -0.1])
def test_rounding_is_no_spread(size: float) -> None:
    """Catches a standard deviation of changes that are all alike, in memory or in parts."""
    nobody, alike = np.full((2, 1), np.nan), np.full((3, 1), size)
    for spread in (spread_of(alike), spread_of(nobody) + spread_of(alike)):
        assert 0 < spread.squares.item() < 1e-30 and np.isnan(spread.sd.item())


def test_unknown_rule_is_refused() -> None:
    """Catches a misspelt rule that would silently take the default."""
    with pytest.raises(SettingsError, match="item, response"):
        progression(_study(), previous="latest")  # type: ignore[arg-type]


def test_labels_and_dims() -> None:
    """Catches lost labels: everything downstream selects by name."""
    dataset = progression(_study())
    assert isinstance(dataset, xr.Dataset)
    assert tuple(dataset["outcome"].to_numpy()) == CODEBOOK.outcomes
    assert str(dataset["respondent"].sel(outcome="caseworker_mean").item()) == "caseworker"

"""Both engines side by side: they share a model's declaration and no code."""

import numpy as np
import pandas as pd
import pytest
from fits import RAGGED, UNSEEN, ragged_fit

from bipbayes.checks.engines import MEASURES, engine_differences, limit, worst_differences
from bipbayes.estimands.intervals import IntervalSettings
from bipbayes.estimands.posterior import summarise

ROWS = {
    "estimand": ["effect", "effect", "contrast"],
    "outcome": ["a", "b", "a"],
    "combination": "01",
    "jobcenter": "",
    "estimate": [0.1, 0.3, 0.5],
    "se": [0.05, 0.1, 0.2],
    "mcse": [0.003, 0.004, 0.005],
}


@pytest.mark.parametrize("seed", [12, 13])
def test_the_engines_agree_on_every_reported_quantity(seed: int) -> None:
    """Catches whatever one engine does differently: prior, likelihood, weights or an error.

    Unseen combinations come from the hierarchy alone, where the tails of the standard deviations
    tell most.
    """
    rows = [
        summarise(fit, RAGGED, IntervalSettings()).intervals
        for fit in (ragged_fit("exact", seed=seed), ragged_fit("nuts"))
    ]
    differences = engine_differences(*rows)
    reported = rows[0]["estimate"].notna()
    assert len(differences) == reported.sum() > 600
    assert set(UNSEEN) <= set(differences["combination"])
    assert differences["in_errors"].max() < limit(len(differences))
    # Draws that agree are not draws that say nothing: errors are small beside the posterior.
    assert differences["in_sds"].max() < 0.12
    assert differences["sd_ratio"].between(0.88, 1.13).all()


@pytest.mark.parametrize("term", ["combination_jobcenter_effect", "jobcenter_effect"])
def test_a_term_that_is_off_by_a_tenth_is_seen(term: str) -> None:
    """Catches a comparison that passes whatever the engines say."""
    fit = ragged_fit("nuts").copy(deep=True)
    posterior = fit["posterior"].to_dataset()
    fit["posterior"] = posterior.assign({term: posterior[term] * 1.1 + 0.01})
    fits = (ragged_fit("exact"), fit)
    rows = [summarise(each, RAGGED, IntervalSettings()).intervals for each in fits]
    differences = engine_differences(*rows)
    assert differences["in_errors"].max() > limit(len(differences))


def test_differences_are_those_of_the_frames() -> None:
    """Catches errors added instead of their squares, rows matched by place, the ratio inverted."""
    first = pd.DataFrame(ROWS)
    second = first.assign(
        estimate=[0.1, 0.31, 0.5], se=[0.06, 0.08, 0.2], mcse=[0.004, 0.003, np.nan]
    ).iloc[::-1]
    found = engine_differences(first, second)
    assert found["outcome"].tolist() == ["a", "b"]
    np.testing.assert_allclose(found["in_errors"], [0.0, 2.0], atol=1e-9)
    np.testing.assert_allclose(found["in_sds"], [0.0, 0.1], atol=1e-9)
    np.testing.assert_allclose(found["sd_ratio"], [1.2, 0.8])


def test_the_worst_quantity_is_named_by_each_measure() -> None:
    """Catches the name of another quantity, and a ratio below one taken for less than one above."""
    found = engine_differences(
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).assign(estimate=[0.1, 0.31, 0.5], se=[0.06, 0.08, 0.2]),
    )
    worst = worst_differences(found).set_index(["estimand", "measure"])
    assert set(worst.index) == {(e, m) for e in ("effect", "contrast") for m in MEASURES}
    assert worst.loc[("effect", "in_errors"), "outcome"] == "b"
    assert worst.loc[("effect", "sd_ratio"), "worst"] == pytest.approx(0.8)
    assert worst.loc[("effect", "sd_ratio"), "outcome"] == "b"
    assert worst.loc[("effect", "in_errors"), "quantities"] == 2
    assert np.isnan(worst.loc[("effect", "in_sds"), "chance"])
    assert worst.loc[("effect", "in_errors"), "chance"] == pytest.approx(np.sqrt(2 * np.log(4)))


def test_chance_crosses_the_limit_as_rarely_as_it_says() -> None:
    """Catches a limit of one side, or one that knows nothing of how many are compared."""
    rng = np.random.default_rng(1)
    found = np.abs(rng.normal(size=(20_000, 50))).max(axis=1)
    assert (found > limit(50)).mean() == pytest.approx(1e-3, abs=8e-4)
    assert limit(5000) > limit(50) > limit(1) == pytest.approx(3.29, abs=0.01)

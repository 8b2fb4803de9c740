"""Power, type S and type M against simulation and known values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bipbayes.audit.design import design_analysis, design_by_combination, design_errors


@pytest.mark.parametrize(("effect", "se"), [(0.05, 0.2), (0.1, 0.1), (0.2, 0.05), (-0.1, 0.1)])
def test_closed_forms_agree_with_simulation(effect: float, se: float) -> None:
    """Catches a tail left out, a sign mistaken, or a type M that forgets the absolute value."""
    draws = 400_000
    rng = np.random.default_rng(7)
    critical = stats.norm.ppf(0.975)
    estimate = effect + se * rng.standard_normal(draws)
    found = estimate[np.abs(estimate) > critical * se]
    wrong = np.sign(found) != np.sign(effect)
    size = np.abs(found) / abs(effect)
    expected = (len(found) / draws, wrong.mean(), size.mean())
    errors = (
        np.sqrt(expected[0] * (1 - expected[0]) / draws),
        np.sqrt(max(expected[1] * (1 - expected[1]), 1e-9) / len(found)),
        size.std() / np.sqrt(len(found)),
    )
    for value, truth, error in zip(
        design_errors(effect, se, level=0.95), expected, errors, strict=True
    ):
        assert abs(float(value) - truth) < 5 * error + 1e-6


def test_a_hopeless_and_a_certain_design() -> None:
    """Catches limits that are off: power alpha and coin-flip signs, power one and no errors."""
    power, type_s, type_m = design_errors([1e-9, 1.0], [1.0, 0.01], level=0.95)
    np.testing.assert_allclose(power, [0.05, 1.0], atol=1e-8)
    np.testing.assert_allclose(type_s, [0.5, 0.0], atol=1e-8)
    assert type_m[0] > 1e8
    assert type_m[1] == pytest.approx(1.0)


def test_level_is_used() -> None:
    """Catches a fixed 1.96."""
    assert design_errors(1e-9, 1.0, level=0.9)[0] == pytest.approx(0.1, abs=1e-8)


def test_frame_takes_the_reports_own_errors(rows) -> None:  # type: ignore[no-untyped-def]
    """Catches other errors or estimands mixed in, and rows lost or doubled."""
    values = {("B1", "0000"): -0.2, ("B1", "1000"): 0.1, ("B2", "0000"): 0.0}
    frame = pd.concat(
        [
            rows(values, se=0.1),
            rows(values, se=0.3, vcov="cluster_citizen"),
            rows(values, se=0.2, estimand="contrast"),
        ]
    )
    design = design_analysis(frame, level=0.95)
    assert len(design) == 3 * 3
    assert set(design["se"]) == {0.1}
    assert list(design["true_effect"].iloc[:3]) == [0.05, 0.1, 0.2]
    shuffled = design_analysis(frame.sample(frac=1, random_state=1), level=0.95)
    keys = ["outcome", "combination", "true_effect"]
    pd.testing.assert_frame_equal(
        design.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True)
    )
    summary = design_by_combination(design)
    assert list(summary.loc[summary["combination"] == "0000", "outcomes"]) == [2, 2, 2]

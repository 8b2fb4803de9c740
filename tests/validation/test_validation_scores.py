"""Scores and their summary on made-up posteriors whose coverage is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from bipbayes.validation.scores import score_draws, score_normals
from bipbayes.validation.summary import coverage_table, goals, judged, size_class
from bipbayes.validation.targets import Targets

LABELS = {"engine": "closed forms", "model": "hierarchical", "vcov": "citizen", "analysis": ""}


def _targets(truth: np.ndarray, codebook) -> Targets:
    rows = pd.DataFrame(
        {
            "estimand": "effect",
            "outcome": codebook.indicator_codes[0],
            "definition": "",
            "combination": [str(i) for i in range(len(truth))],
            "n": 40.0,
            "n_citizens": 30.0,
            "truth": truth,
        }
    )
    return Targets(rows, sparse.csr_array(np.eye(len(truth))), np.zeros(len(truth)))


def test_mixtures_and_their_draws_get_the_same_scores(codebook):
    """Catches a wrong quantile or tail in one of the two."""
    rng = np.random.default_rng(1)
    weight = np.array([0.2, 0.5, 0.3])
    means, sds = rng.normal(0, 0.2, (3, 6)), rng.uniform(0.05, 0.4, (3, 6))
    targets = _targets(rng.normal(0, 0.2, 6), codebook)
    exact = score_normals(means, sds, targets, weight=weight, labels=LABELS)
    place = rng.choice(3, size=400_000, p=weight)
    draws = means[place] + sds[place] * rng.standard_normal((400_000, 6))
    sampled = score_draws(draws, targets, labels=LABELS)
    for name in ("estimate", "se", "below_truth", "below_zero", "width_50", "width_95"):
        np.testing.assert_allclose(exact[name], sampled[name], atol=0.01)


@pytest.fixture(scope="module")
def scores(codebook):
    """OLS with correct errors; a posterior with half the error that states the right width."""
    rng = np.random.default_rng(2)
    frames = []
    for truth_id in range(60):
        truth = rng.normal(0, 0.1, 25)
        for source, error, stated in (("ols", 0.1, 0.1), ("posterior", 0.05, 0.05)):
            estimate = truth + rng.normal(0, error, 25)
            means, sds = estimate[None], np.full((1, 25), stated)
            labels = {**LABELS, "source": source}
            if source == "ols":
                labels |= {"engine": "", "model": "", "vcov": "classical"}
            frame = score_normals(
                means, sds, _targets(truth, codebook), weight=np.ones(1), labels=labels
            )
            frames.append(frame.assign(truth_id=truth_id, replicate=truth_id))
    return judged(pd.concat(frames), codebook)


def test_coverage_error_and_saving_are_the_known_ones(scores):
    """Catches one-sided coverage, errors that are not squared, savings in the wrong direction."""
    table = coverage_table(scores).set_index("source")
    for source, error in (("ols", 0.1), ("posterior", 0.05)):
        row = table.loc[source]
        for level in (50, 80, 95):
            gap = row[f"covered_{level}"] - level / 100
            assert abs(gap) < 4 * row[f"covered_{level}_mcse"]
        assert abs(row["rmse"] - error) < 4 * row["rmse_mcse"]
        assert abs(row["bias"]) < 4 * row["bias_mcse"]
        assert row["width_95"] == pytest.approx(2 * stats.norm.ppf(0.975) * error, rel=1e-6)
    saved = table.loc["posterior", ["rmse_saved", "rmse_saved_mcse"]]
    assert abs(saved["rmse_saved"] - 0.5) < 4 * saved["rmse_saved_mcse"]
    assert table.loc["posterior", "type_s"] < table.loc["ols", "wrong_sign"]


def test_monte_carlo_errors_count_truths_not_estimates(scores):
    """Catches errors too small by the square root of the estimates in a truth."""
    whole = scores.assign(covered_95=(scores["truth_id"] % 4 > 0).astype(float))
    row = coverage_table(whole).iloc[0]
    assert row["covered_95"] == pytest.approx(0.75)
    assert row["covered_95_mcse"] == pytest.approx(np.sqrt(0.75 * 0.25 / 59), rel=1e-9)


def test_goals_are_judged_with_their_error(scores):
    """Catches a goal called reached, or missed, within Monte Carlo error."""
    judged_goals = goals(coverage_table(scores), model="hierarchical", vcov="citizen")
    reached = judged_goals.set_index("goal")["reached"]
    assert reached["error at least 40 % below OLS"] == "yes"
    short = scores.assign(covered_95=scores["covered_80"])
    missed = goals(coverage_table(short), model="hierarchical", vcov="citizen")
    assert missed.set_index("goal").loc["95 % intervals cover 93 to 97 %", "reached"] == "no"


def test_sizes_have_names_without_gaps():
    """Catches a limit that falls into no class."""
    assert list(size_class(pd.Series([1, 30, 31, 1000, 1001]))) == [
        "1-30", "1-30", "31-60", "501-1000", "over 1000",
    ]  # fmt: skip

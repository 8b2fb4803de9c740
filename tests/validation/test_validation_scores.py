"""Scores and their summary on made-up posteriors whose coverage is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_codebook, random_progression
from scipy import sparse, stats

from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.validation.scores import Targets, score_draws, score_normals, score_ols
from bipbayes.validation.summary import coverage_table, goals, judged, size_class

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


def test_few_draws_are_scored_by_rank(codebook):
    """Catches another divisor, or a truth beyond all draws that gets the probability 0 or 1."""
    draws = np.array([[0.1, -2.0], [0.4, -1.0], [0.2, 0.5], [0.8, -0.5], [0.3, -3.0]])
    targets = _targets(np.array([0.35, 1.0]), codebook)
    found = score_draws(draws - 0.25, replace(targets, shift=np.full(2, 0.25)), labels=LABELS)
    assert found["se"].tolist() == pytest.approx(draws.std(axis=0, ddof=1).tolist())
    assert found["below_truth"].tolist() == pytest.approx([3.5 / 6, 5.5 / 6])
    assert found["below_zero"].tolist() == pytest.approx([0.5 / 6, 4.5 / 6])
    widths = np.quantile(draws, 0.9, axis=0) - np.quantile(draws, 0.1, axis=0)
    assert found["width_80"].tolist() == pytest.approx(widths.tolist())


def test_ols_is_scored_by_its_own_intervals():
    """Catches contrasts without the covariance, and places counted from the other side."""
    codebook = make_codebook(2, 2)
    data = random_progression(codebook, seed=4)
    estimates = estimate_ols(data, codebook)
    frame = ols_intervals(estimates, codebook).query("vcov == 'cluster_citizen' and se > 0")
    frame = frame[frame["estimand"].isin(["effect", "contrast"])].reset_index(drop=True)
    truth = frame["lower"] + 0.4 * (frame["estimate"] - frame["lower"])
    rows = frame[["estimand", "outcome", "combination", "n", "n_citizens"]]
    targets = Targets(rows.assign(truth=truth), sparse.csr_array((0, 0)), np.zeros(0))
    found = score_ols(estimates, codebook, targets, vcov="cluster_citizen")
    np.testing.assert_allclose(found["estimate"], frame["estimate"])
    np.testing.assert_allclose(found["se"], frame["se"])
    np.testing.assert_allclose(found["width_95"], frame["upper"] - frame["lower"])
    tail = np.minimum(found["below_zero"], 1 - found["below_zero"])
    np.testing.assert_allclose(2 * tail, frame["p_value"])
    assert ((found["below_zero"] < 0.5) == (frame["estimate"] > 0)).all()
    assert found["below_truth"].between(0.025, 0.5).all()


def test_single_scores_are_judged_by_their_sign(codebook):
    """Catches signs and errors turned round where the truth is negative."""
    targets = _targets(np.array([-0.2, 0.2, -0.2]), codebook)
    means, sds = np.array([[-0.1, 0.6, 0.7]]), np.array([[0.1, 0.2, 0.2]])
    found = judged(score_normals(means, sds, targets, weight=np.ones(1), labels=LABELS), codebook)
    assert found["error"].tolist() == pytest.approx([0.1, 0.4, 0.9])
    below = stats.norm.cdf([-1, 3, 3.5]).tolist()
    assert found["wrong_sign"].tolist() == pytest.approx([below[0], 1 - below[1], below[2]])
    assert found["significant"].tolist() == [0, 1, 1]
    assert found["type_s"].tolist()[1:] == [0, 1] and np.isnan(found["type_s"].iloc[0])


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
    # The errors of roots and ratios are those of leaving one truth after the other out.
    squares = scores.groupby(["source", "truth_id"])["squared_error"].mean().unstack(0)
    rest = (squares.sum() - squares) / (len(squares) - 1)
    for name, values in (("rmse", rest["posterior"] ** 0.5),
                         ("rmse_saved", (rest["posterior"] / rest["ols"]) ** 0.5)):  # fmt: skip
        jackknife = np.sqrt((len(values) - 1) * values.var(ddof=0))
        assert table.loc["posterior", f"{name}_mcse"] == pytest.approx(jackknife, rel=0.02)


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


def test_four_truths_that_are_all_covered_decide_nothing(scores):
    """Catches an error of zero, from truths that are alike, taken for certainty."""
    for truths, expected in ((4, "undecided"), (60, "undecided"), (2000, "no")):
        table = coverage_table(scores.assign(covered_95=1.0)).assign(truths=truths)
        found = goals(table, model="hierarchical", vcov="citizen").set_index("goal")
        assert found.loc["95 % intervals cover 93 to 97 %", "reached"] == expected


def test_sizes_have_names_without_gaps():
    """Catches a limit that falls into no class."""
    assert list(size_class(pd.Series([1, 30, 31, 1000, 1001]))) == [
        "1-30", "1-30", "31-60", "501-1000", "over 1000",
    ]  # fmt: skip

"""The ordered probit against statsmodels, numerical derivatives and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_progression
from scipy.special import ndtr
from statsmodels.miscmodels.ordinal_model import OrderedModel

from bipbayes.data.sample import analysis_sample
from bipbayes.ordinal.estimates import fit_indicator, translated_effects
from bipbayes.ordinal.probit import (
    PENALTY,
    Kinds,
    effect_information,
    effect_scores,
    fit_probit,
    indicator_answers,
    parameter_scores,
)

CODEBOOK = make_codebook(3, 2)


def _kinds(rows: np.ndarray, counts: np.ndarray | None = None) -> Kinds:
    kinds, found = np.unique(rows, axis=0, return_counts=True)
    if counts is not None:
        kinds, found = rows, counts
    levels, groups, categories = (int(column.max()) + 1 for column in kinds.T)
    return Kinds(*kinds.T, np.asarray(found, dtype=float), levels, groups, categories)


@pytest.mark.parametrize("position", [0, 2])
def test_single_indicators_equal_statsmodels(position: int) -> None:
    """Catches wrong thresholds, signs, reference levels, information or clusters.

    statsmodels differentiates numerically, so its errors are good to about 1e-5.
    """
    progression = random_progression(CODEBOOK, seed=1, shape=Shape(citizens=100, waves=(2, 4)))
    sample = analysis_sample(progression, CODEBOOK)
    answers = indicator_answers(progression, CODEBOOK, sample=sample)[position]
    fit = fit_indicator(answers, combinations=4)
    assert fit is not None and fit.probit.penalty == 0
    design = np.column_stack(
        [
            pd.get_dummies(code, drop_first=True, dtype=float)
            for code in (answers.level, answers.combination)
        ]
    )
    model = OrderedModel(answers.category, design, distr="probit")
    options = {"method": "newton", "disp": False, "maxiter": 50}
    theirs = model.fit(**options)
    count = design.shape[1]
    mine = np.concatenate([fit.probit.level_effect[1:], fit.probit.group_effect[1:]])
    np.testing.assert_allclose(mine, theirs.params[:count], atol=1e-8)
    cuts = model.transform_threshold_params(theirs.params)[1:-1]
    np.testing.assert_allclose(fit.probit.thresholds, cuts, atol=1e-8)
    errors = np.sqrt(np.diag(np.linalg.inv(fit.probit.information)))[len(cuts) :]
    np.testing.assert_allclose(errors, theirs.bse[:count], rtol=2e-5)
    # The citizens' sums of influence make the sandwich; all of them sum to zero.
    citizen = sample.citizen[answers.rows]
    clustered = model.fit(
        start_params=theirs.params, **options, cov_type="cluster", cov_kwds={"groups": citizen}
    )
    sums = pd.DataFrame(fit.influence).groupby(citizen).sum().to_numpy()
    np.testing.assert_allclose(sums.sum(axis=0), 0.0, atol=1e-10)
    rows, parameters = fit.influence.shape
    factor = len(sums) / (len(sums) - 1) * (rows - 1) / (rows - parameters)
    errors = np.sqrt(np.diag(sums.T @ sums) * factor)[len(cuts) :]
    np.testing.assert_allclose(errors, clustered.bse[:count], rtol=2e-5)


def test_derivatives_are_derivatives() -> None:
    """Catches analytic slopes that only look right: scores, information, Jacobian."""
    progression = random_progression(CODEBOOK, seed=3, shape=Shape(citizens=200, waves=(2, 4)))
    sample = analysis_sample(progression, CODEBOOK)
    answers = indicator_answers(progression, CODEBOOK, sample=sample)[1]
    fit = fit_indicator(answers, combinations=4)
    assert fit is not None
    entry, step = fit.translation, 1e-6
    effects = np.array([-1.3, 0.0, 0.7])
    slope, by_threshold, by_level = entry.slopes(effects)
    up, down = (entry.progress(effects + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(slope, (up - down) / (2 * step), atol=1e-8)
    for name, analytic in (("thresholds", by_threshold), ("level_effect", by_level)):
        for index in range(len(getattr(entry, name))):
            moved = []
            for sign in (1, -1):
                values = getattr(entry, name).copy()
                values[index] += sign * step
                changed = type(entry)(**{**vars(entry), name: values})
                moved.append(changed.progress(effects))
            numeric = (moved[0] - moved[1]) / (2 * step)
            np.testing.assert_allclose(analytic[:, index], numeric, atol=1e-8)
    # By brute force: the average over rows of the expected answer at each row's own level.
    location = entry.level_effect[answers.level] + 0.7
    above = ndtr(location[:, None] - entry.thresholds)
    expected = entry.lowest + above @ entry.steps
    answer = answers.categories[answers.category]
    assert entry.progress(np.array(0.7)) == pytest.approx(
        (expected.mean() - answer.mean()) / answers.sd, abs=1e-12
    )
    assert entry.progress(np.array(entry.zero())) == pytest.approx(0.0, abs=1e-12)
    progress, jacobian = translated_effects(fit)
    assert jacobian.shape == (4, fit.influence.shape[1])
    assert np.isfinite(progress).all()


def test_information_is_the_variance_of_the_score() -> None:
    """Catches observed in place of expected information, or a tail that is lost."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, [3, 2, 4], size=(400, 3))
    fit = fit_probit(_kinds(rows))
    cells = [(b, c, m) for b in range(3) for c in range(2) for m in range(4)]
    every = _kinds(np.array(cells), np.ones(len(cells)))
    borders = np.concatenate([[-np.inf], fit.thresholds, [np.inf]])
    location = (fit.level_effect[:, None] + fit.group_effect)[every.level, every.group]
    probability = ndtr(borders[every.category + 1] - location) - ndtr(
        borders[every.category] - location
    )
    score = effect_scores(fit, every)
    table = pd.DataFrame({"b": every.level, "c": every.group})
    mean = (probability * score).reshape(3, 2, 4).sum(axis=2)
    square = (probability * score**2).reshape(3, 2, 4).sum(axis=2)
    assert len(table) == 24
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    np.testing.assert_allclose(effect_information(fit), square, atol=1e-12)
    total = parameter_scores(fit, _kinds(rows)).T @ _kinds(rows).count
    np.testing.assert_allclose(total, 0.0, atol=1e-9)


@pytest.mark.parametrize("category", [0, 3])
def test_groups_at_an_end_of_the_scale_stay_finite(category: int) -> None:
    """Catches effects that run away, or a penalty where none is needed."""
    rng = np.random.default_rng(1)
    rows = rng.integers(0, [3, 2, 4], size=(300, 3))
    assert fit_probit(_kinds(rows)).penalty == 0
    ends = np.column_stack([rng.integers(0, 3, 8), np.full(8, 2), np.full(8, category)])
    fit = fit_probit(_kinds(np.vstack([rows, ends])))
    assert fit.penalty == PENALTY
    assert 1.0 < abs(fit.group_effect[2]) < 6.0
    assert np.sign(fit.group_effect[2]) == (1 if category else -1)


def test_a_group_confounded_with_a_level_stays_finite() -> None:
    """Catches a singular information matrix."""
    rng = np.random.default_rng(2)
    rows = rng.integers(0, [2, 2, 3], size=(300, 3))
    alone = np.column_stack([np.full(20, 2), np.full(20, 2), rng.integers(0, 3, 20)])
    fit = fit_probit(_kinds(np.vstack([rows, alone])))
    assert fit.penalty == PENALTY
    assert np.isfinite(fit.group_effect).all()

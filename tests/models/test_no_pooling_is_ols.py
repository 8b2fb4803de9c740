"""From ragged responses to draws on one side, through least squares on the other."""

import numpy as np
import pytest
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means
from bipbayes.estimands.draws import effect_draws, estimand_draws
from bipbayes.estimands.intervals import posterior_intervals
from bipbayes.regression.estimates import estimate_ols
from bipbayes.regression.intervals import ols_intervals
from bipbayes.sampling.exact.fit import sample
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b", "c"))


def test_posterior_without_pooling_equals_ols() -> None:
    """Catches cells, weights over jobcenters or estimands that differ from the regression's.

    Nothing is shared but progression: gaps differ by indicator, citizens have two to five
    responses and some move, one jobcenter lacks the treatment.
    """
    shape = Shape(citizens=160, waves=(2, 5), gaps=0.2, moves=0.1, lacking=(("1", "c"),))
    progression = random_progression(CODEBOOK, seed=12, shape=shape)
    cells = cell_means(progression, CODEBOOK, vcov="citizen")
    model = load_model("no_pooling")
    fit = sample(model, cells, settings=SamplerSettings(draws=4000, seed=4))
    draws = estimand_draws(effect_draws(fit, cells), cells, CODEBOOK)
    posterior = posterior_intervals(draws, cells, CODEBOOK, model="no_pooling")
    ols = ols_intervals(estimate_ols(progression, CODEBOOK), CODEBOOK)
    ols = ols[ols["vcov"] == "cluster_citizen"]
    keys = ["estimand", "outcome", "combination"]
    both = ols.merge(posterior, on=keys, suffixes=("_ols", ""))
    both = both[both["estimand"].isin(["effect", "contrast"])]
    both = both[both["outcome"].isin(CODEBOOK.indicator_codes) & (both["jobcenter"] == "")]
    assert len(both) == 3 * (2 + 1)
    gap = np.abs(both["estimate"] - both["estimate_ols"])
    assert (gap < 4.5 * both["mcse"]).all()
    # The working covariance is pooled over cells, so that errors agree only roughly.
    assert both["se"].to_numpy() == pytest.approx(both["se_ols"].to_numpy(), rel=0.35)
    moved = np.abs(both["estimate_ols"]) / both["mcse"]
    assert moved.max() > 20, "the tolerance is too wide to see an estimate at all"

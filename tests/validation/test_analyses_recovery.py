"""Known truth under the analyses: who is treated depends on the previous answers."""

import numpy as np
import pandas as pd
import pytest
from builders import make_codebook

from bipbayes.cells import cell_means
from bipbayes.data.adjustment import adjusted_progression, make_adjustment
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.ordinal import ordinal_cells
from bipbayes.regression.adjusted import estimate_adjusted
from bipbayes.synthetic.simulate import EffectSds, hierarchical_effects
from bipbayes.synthetic.streams import Stream
from bipbayes.validation.generator import Truth, expected_answers
from bipbayes.validation.replicate import fit_scores
from bipbayes.validation.scores import score_ols, study_targets
from bipbayes.validation.settings import CLOSED, ValidationSettings

CODEBOOK = make_codebook(6, 2, jobcenters=("a", "b", "c", "d"))
SETTINGS = ValidationSettings(engines=(CLOSED,))
LEVEL, FIRST, MOOD, NOISE = 0.8, 0.6, 0.3, 0.55
STUDIES = 12


def _answers(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 1, 5)


def _simulate(seed: int, drift: np.ndarray, people: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Two responses of each; the lower the first, the more treatments follow.

    An indicator's own first answer is all that links its level to the treatments: levels and
    first answers are independent over indicators. Returns the responses and the changes.
    """
    rng = np.random.default_rng(seed)
    size = (people, len(CODEBOOK.indicators))
    level = rng.normal(3, LEVEL, size)
    first = _answers(level + rng.normal(0, FIRST, size))
    need = 1.5 * (3 - first.mean(axis=1)) + rng.logistic(size=people)
    combination = np.digitize(need, [-0.5, 0.3, 1.2])
    site = rng.integers(4, size=people)
    mood = rng.normal(0, MOOD, (people, 1))
    second = _answers(level + drift[combination, site] + mood + rng.normal(0, NOISE, size))
    names = np.array(CODEBOOK.combinations)[combination]
    frame = pd.DataFrame(
        {
            "citizen": np.tile([f"c{i:06d}" for i in range(people)], 2),
            "jobcenter": np.tile(np.array(CODEBOOK.jobcenters)[site], 2),
            "date": np.repeat(pd.to_datetime(["2013-01-01", "2013-06-01"]), people),
            **dict(zip(CODEBOOK.indicator_codes, np.vstack([first, second]).T, strict=True)),
            "combination": np.concatenate([np.full(people, ""), names]),
        }
    )
    return frame, second - first


def _truth(drift: np.ndarray) -> Truth:
    """Expected progression of everybody under each cell, whatever their first answer."""
    _, change = _simulate(10**6, drift, 200_000)
    spread = np.full(drift.shape, np.sqrt(LEVEL**2 + MOOD**2 + NOISE**2))
    before = expected_answers(
        np.full(1, 3.0), np.full(1, np.hypot(LEVEL, FIRST)), scale=(1, 5), cut=True
    )
    after = expected_answers(3.0 + drift, spread, scale=(1, 5), cut=True)
    mean, sd = change.mean(axis=0), change.std(axis=0)
    cell = (after - before - mean) / sd
    empty = np.full((*drift.shape[:2], len(CODEBOOK.average_codes)), np.nan)
    whole = np.concatenate([cell, empty], axis=2)
    nothing = np.full(len(CODEBOOK.average_codes), np.nan)
    return Truth(
        whole, np.zeros_like(whole), np.append(mean, nothing), np.append(sd, nothing)
    )  # fmt: skip


def _scores(seed: int) -> pd.DataFrame:
    sds = EffectSds()
    drift = hierarchical_effects(Stream(seed, 1), CODEBOOK, jobcenters=4, sds=sds)
    truth = _truth(drift)
    frame, _ = _simulate(seed, drift, 3000)
    study = Study(frame, CODEBOOK, digest="", synthetic=True, name="selected")
    plain = progression(study, CODEBOOK)
    adjustment = make_adjustment(plain, CODEBOOK)
    adjusted = adjusted_progression(plain, CODEBOOK, adjustment=adjustment)
    cells = {
        "plain": cell_means(plain, CODEBOOK),
        "baseline": cell_means(adjusted, CODEBOOK),
        "ordinal": ordinal_cells(plain, CODEBOOK, scale="progression"),
    }
    frames = []
    for name, each in cells.items():
        targets = study_targets(each, CODEBOOK, truth)
        frames += [f.assign(analysis=name)
                   for f in fit_scores(each, targets, settings=SETTINGS, seed=seed)]  # fmt: skip
    ols = estimate_adjusted(plain, CODEBOOK, adjustment=adjustment)
    targets = study_targets(cells["baseline"], CODEBOOK, truth)
    frames.append(score_ols(ols, CODEBOOK, targets, vcov="cluster_citizen").assign(analysis="ols"))
    return pd.concat(frames, ignore_index=True)


@pytest.mark.slow
def test_adjusted_and_ordinal_posteriors_cover_what_plain_ones_miss() -> None:
    """Catches an adjustment that is no adjustment, and errors of adjusted cells that are off.

    Those with low first answers rise anyhow, and they are treated most: plain progression is no
    effect of treatment here, in the sense of expected progression at the same previous answer.
    """
    scores = pd.concat([_scores(seed) for seed in range(STUDIES)], ignore_index=True)
    covered = (scores["below_truth"] - 0.5).abs() < 0.475
    error = scores["estimate"] - scores["truth"]
    single = scores["outcome"].isin(CODEBOOK.indicator_codes)
    coverage = covered.groupby([scores["analysis"], scores["estimand"], single]).mean()
    rmse = np.sqrt((error**2)[single].groupby(scores["analysis"]).mean())
    for estimand in ("effect", "contrast"):
        assert coverage["plain", estimand, True] < 0.7
        for name in ("baseline", "ordinal"):
            # Overall contrasts are 36 and share a reference: three standard errors are 0.15.
            assert 0.90 < coverage[name, estimand, True] < 0.99
            assert coverage[name, estimand, False] > 0.80
    contrast = scores["estimand"] == "contrast"
    bias = error[single & contrast].groupby(scores["analysis"]).mean()
    assert bias["plain"] > 0.05
    assert bias[["baseline", "ordinal", "ols"]].abs().max() < 0.02
    assert rmse[["baseline", "ordinal"]].max() < rmse["ols"] < rmse["plain"]

"""Effects, contrasts and probabilities against the stored draws, added up by hand."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bipbayes as bb
from bipbayes.run.inputs import open_run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import fit_posterior
from bipbayes.run.settings import Settings

CODES = ("none", "U", "T", "T+U")  # in the order of the digits
NUMBERS = ["estimate", "se", "lower", "upper", "p_positive"]


@pytest.fixture(scope="module")
def draws(fit: bb.Fit) -> np.ndarray:
    """Draws of every cell (draw, combination, jobcenter, indicator), summed from the terms."""
    posterior, cells = fit.tree["posterior"].to_dataset(), fit.cells
    total = 0.0
    for name in json.loads(fit.tree.attrs["terms"]):
        term = posterior[name]
        if "respondent" in term.dims:
            term = term.sel(respondent=cells["respondent"].drop_vars("respondent"))
        total = total + term
    order = ("chain", "draw", "combination", "jobcenter", "indicator")
    values = total.sel({dim: cells[dim].to_numpy() for dim in order[2:]}).transpose(*order)
    return np.asarray(values).reshape(-1, *values.shape[2:])


def stored(fit: bb.Fit, estimand: str, outcome: str = "q2") -> pd.DataFrame:
    """Rows of the fit's own frame, by combination."""
    rows = fit.frame[(fit.frame["estimand"] == estimand) & (fit.frame["outcome"] == outcome)]
    return rows.set_index("combination")


@pytest.mark.parametrize(
    "weights, estimand",
    [("observed", "effect"), ("standardised", "standardised_effect"), ("new", "new_jobcenter")],
)
def test_effects_are_those_of_the_frame(fit: bb.Fit, weights: str, estimand: str) -> None:
    """Catches a second way to the same numbers."""
    own = fit.effects("q2", weights=weights).set_index("combination")
    known = stored(fit, estimand).loc[own.index]
    pd.testing.assert_frame_equal(own[NUMBERS], known[NUMBERS])
    assert own["n"].tolist() == known["n"].tolist()
    assert own["weights"].eq(weights).all()


def test_jobcenters_are_those_of_the_frame(fit: bb.Fit) -> None:
    """Catches jobcenters that are mixed up, and counts that are not theirs."""
    rows = stored(fit, "jobcenter").reset_index().set_index(["jobcenter", "combination"])
    own = fit.effects("q2", jobcenter=fit.study.jobcenters).set_index(["jobcenter", "combination"])
    pd.testing.assert_frame_equal(own[NUMBERS], rows.loc[own.index, NUMBERS])
    assert own["n"].tolist() == rows.loc[own.index, "n"].tolist()


def test_own_weights_are_scaled_and_jobcenters_left_out(fit: bb.Fit, draws: np.ndarray) -> None:
    """Catches weights by position, unscaled ones, and n of jobcenters that do not count."""
    sites = list(fit.study.jobcenters)
    own = fit.effects("q2", "T", weights={"west": 3, "north": 1}).iloc[0]
    item = fit.study.codebook.indicator_codes.index("q2")
    cell = draws[:, CODES.index("T"), :, item]
    wanted = 0.75 * cell[:, sites.index("west")] + 0.25 * cell[:, sites.index("north")]
    assert own["estimate"] == pytest.approx(wanted.mean())
    assert own["upper"] == pytest.approx(np.quantile(wanted, 0.975))
    both = fit.effects("q2", "T", jobcenter=["west", "north"])
    assert own["weights"] == "own" and "weights" not in both
    assert own["n"] == both["n"].sum()


def test_contrasts_are_differences_of_draws(fit: bb.Fit, draws: np.ndarray) -> None:
    """Catches a difference of means whose interval is not that of the difference."""
    own = fit.contrast("U+T - T", "q2", jobcenter="east").iloc[0]
    item, site = 1, fit.study.jobcenters.index("east")
    difference = draws[:, 3, site, item] - draws[:, 2, site, item]
    assert own["lower"] == pytest.approx(np.quantile(difference, 0.025))
    assert own["n_reference"] == fit.effects("q2", "T", jobcenter="east")["n"].item()
    known = stored(fit, "contrast").loc["T", NUMBERS]
    assert fit.contrast("T", "q2")[NUMBERS].iloc[0].tolist() == pytest.approx(known.tolist())
    narrow = fit.contrast("10 - 00", "q2", level=0.5).iloc[0]
    assert known["lower"] < narrow["lower"] < narrow["upper"] < known["upper"]


def test_treatments_go_by_their_labels_too(fit: bb.Fit) -> None:
    """Catches labels that are unknown where a reader of the figures types them."""
    named = fit.contrast("book club+Tutoring - Tutoring", "q1")
    pd.testing.assert_frame_equal(named, fit.contrast("T+U - T", "q1"))


def test_probabilities_count_draws(fit: bb.Fit, draws: np.ndarray) -> None:
    """Catches probabilities of marginal intervals, wrong signs and wrong counts."""
    n = fit.cells["n_outcome"].sel(outcome=list(fit.study.codebook.indicator_codes)).to_numpy()
    mean = (draws * (n / n.sum(axis=1, keepdims=True))).sum(axis=2)  # draw, combination, item
    gain = mean[:, 2] - mean[:, 0]
    told = {
        "T > none in q2": gain[:, 1] > 0,
        "T < none in q2": gain[:, 1] < 0,
        "T - none > 0.2 in at least 3 indicators": (gain > 0.2).sum(axis=1) >= 3,
        "T > none in at most 2 of the indicators": (gain > 0).sum(axis=1) <= 2,
        "T > none in all indicators": (gain > 0).all(axis=1),
        "T > none": gain.mean(axis=1) > 0,
        "T < -0.05": mean[:, 2].mean(axis=1) < -0.05,
        "T > none in q2 and U > none in q1": (gain[:, 1] > 0) & (mean[:, 1, 0] > mean[:, 0, 0]),
        "T > none and T < 0 and U > 0": (gain.mean(axis=1) > 0)
        & (mean[:, 2].mean(axis=1) < 0)
        & (mean[:, 1].mean(axis=1) > 0),
    }
    overall = draws.mean(axis=3)
    better = overall[:, 2] > overall[:, 0]
    told |= {
        "T > none in west": better[:, fit.study.jobcenters.index("west")],
        "T > none in at least 2 schools": better.sum(axis=1) >= 2,
        "T > none in any jobcenter": better.any(axis=1),
    }
    for statement, holds in told.items():
        assert fit.probability(statement) == pytest.approx(holds.mean()), statement


def test_unobserved_combinations_are_marked(study: bb.Study) -> None:
    """Catches an effect without a single response that looks like the others."""
    kept = study.responses[study.responses["combination"] != "11"].reset_index(drop=True)
    fit = bb.fit(replace(study, responses=kept), "complete_pooling", draws=100)
    notes = fit.effects("q1").set_index("combination")["note"]
    assert notes.to_dict() == dict.fromkeys(("none", "U", "T"), "") | {"T+U": "prior-driven"}
    assert fit.contrast("T - T+U", "q1")["note"].item() == "prior-driven"


def test_a_stored_run_gives_the_same_objects(
    folder: Path, study: bb.Study, ols: bb.Intervals, tmp_path: Path
) -> None:
    """Catches an API and a command line that compute different numbers."""
    settings = Settings(
        data=folder / "pupils.csv",
        codebook=folder / "reading.toml",
        models=("complete_pooling",),
        draws=100,
        seed=1,
        out=tmp_path,
    )
    run = open_run(settings)
    fit_ols(run)
    fit_posterior(run, "complete_pooling")
    both = bb.compare(ols, bb.fit(study, "complete_pooling", draws=100, seed=1))
    loaded = bb.load(tmp_path, "comparison")
    pd.testing.assert_frame_equal(loaded.fit.frame, both.fit.frame)
    pd.testing.assert_frame_equal(loaded.frame, both.frame, check_dtype=False)
    assert loaded.fit.probability("T > none in all schools") == both.fit.probability(
        "T > none in all schools"
    )
    assert loaded.study.size == both.study.size
    assert loaded.study.jobcenters == both.study.jobcenters
    again = bb.compare(bb.load(tmp_path, "ols"), both.fit)
    assert len(again.frame) == len(both.frame)
    with pytest.raises(bb.BipbayesError, match="does not hold the responses"):
        bb.ols(loaded.study)
    with pytest.raises(bb.BipbayesError, match="model 'factorial' is unknown; known: complete"):
        bb.load(tmp_path, model="factorial")
    with pytest.raises(bb.BipbayesError, match="holds no baseline analysis"):
        bb.load(tmp_path, analysis="baseline")


WRONG: dict[str, Callable[[bb.Study, bb.Fit], object]] = {
    "draws must be a whole number, at least 4, not 'many'": lambda s, f: bb.fit(s, draws="many"),
    "seed must be a whole number, at least 0, not 'x'": lambda s, f: bb.fit(s, seed="x"),
    "level must be a number, not 'high'": lambda s, f: bb.ols(s, level="high"),
    "priors must be a path, or numbers by": lambda s, f: bb.fit(s, priors=0.3),
    "weights must be 'observed'": lambda s, f: f.effects("q1", "T", weights=[0.5]),
    "weights: east must be a number": lambda s, f: f.effects("q1", "T", weights={"east": "x"}),
    "outcome must be a name or a list of names, not 1": lambda s, f: f.effects(1),
    "combination must be a name or a list": lambda s, f: f.effects("q1", 3),
    "statement must be a text": lambda s, f: f.probability(3),
    "the statement 'T >> none' is not understood": lambda s, f: f.probability("T >> none"),
    "the statement '0 < T < 1' is not understood": lambda s, f: f.probability("0 < T < 1"),
    "treatment 'Tutorin' is unknown": lambda s, f: f.effects("q1", "Tutorin"),
    "data must be a path, or a frame, not 42": lambda s, f: bb.read(42),
    "folder must be a path": lambda s, f: bb.load(3),
    "did you mean 'baseline'": lambda s, f: bb.load("results", analysis="baselin"),
    "adjust must be a name or a list of names": lambda s, f: bb.fit(s, adjust=3),
    "minimum_count must be a whole number": lambda s, f: f.table(minimum_count="few"),
    "font must be the name of a family": lambda s, f: f.forest("q1", font=3),
    "baseline must be a fit at the same": lambda s, f: bb.report(
        bb.compare(bb.ols(s), f), "report.html", baseline=f
    ),
}


@pytest.mark.parametrize("told", WRONG)
def test_wrong_kinds_are_sentences_that_name_the_argument(
    told: str, study: bb.Study, fit: bb.Fit
) -> None:
    """Catches Python's own errors, from which nobody learns what an argument takes."""
    with pytest.raises(bb.BipbayesError, match=re.escape(told)):
        WRONG[told](study, fit)


def test_weights_may_be_a_series(fit: bb.Fit) -> None:
    """Catches a series that is refused, or read by place instead of by name."""
    shares = {"west": 0.25, "east": 0.75}
    found = fit.effects("q1", "T", weights=pd.Series(shares))["estimate"]
    assert found.item() == fit.effects("q1", "T", weights=shares)["estimate"].item()


def test_a_blank_table_says_why(fit: bb.Fit) -> None:
    """Catches a table left empty without a word."""
    assert "fewer than 500 pupils" in fit.table(minimum_count=500).notes[-1]
    assert fit.table().notes == fit.table(minimum_count=500).notes[:-1]

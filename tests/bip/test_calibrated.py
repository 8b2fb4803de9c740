"""The calibrated synthetic BIP against the report, through the code path of real data."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from synthetic_study import Read, analysed, read

from bipbayes.bip.claims import report_claims, unmet_claims
from bipbayes.bip.facts import fact
from bipbayes.bip.simulate import simulate_bip
from bipbayes.data.read import read_responses
from bipbayes.errors import DataError, SettingsError
from bipbayes.regression.estimates import estimate_ols
from bipbayes.regression.intervals import ols_intervals
from bipbayes.synthetic.simulate import csv_text, write_responses

CITIZEN = [f"B{i}" for i in range(1, 12)]
CASEWORKER = [f"S{i}" for i in range(2, 13)]
BOXES = [f"S1_{i}" for i in range(1, 24)]
# SHA-256 of the default data as CSV. A change of the generator changes it, nothing else may:
# no machine, no Python or NumPy version, no hash seed.
DIGEST = "1f49b6535e3894af8e71ede16a26c1285e080fcea00b78fecf397a7037344c56"


def _table1() -> pd.DataFrame:
    return (
        pd.concat([fact("indicators"), fact("aggregates")])
        .set_index("code")
        .dropna(subset=["n_progression"])
    )


@pytest.fixture(params=["default", "retried"])
def data(request: pytest.FixtureRequest) -> Read:
    """The default seed and one that needed a second attempt."""
    return request.getfixturevalue(request.param)


def test_counts_of_citizens_and_responses(data: Read) -> None:
    """Catches a response lost or invented, and caseworker answers beside empty boxes."""
    frame = data.simulation.responses
    assert frame["citizen"].nunique() == 3707
    assert int(frame[CITIZEN].notna().any(axis=1).sum()) == 13_688
    assert int(frame[CITIZEN[:9]].notna().any(axis=1).sum()) == 13_688
    assert int(frame[CASEWORKER].notna().any(axis=1).sum()) == 13_561
    assert int(frame[[*CASEWORKER, *BOXES]].notna().any(axis=1).sum()) == 13_561


def test_every_citizen_has_two_responses_of_both(data: Read) -> None:
    """Catches citizens whom the report would have left out (its lines 73-75)."""
    frame = data.simulation.responses
    for columns in (CITIZEN, CASEWORKER):
        counts = frame[columns].notna().any(axis=1).groupby(frame["citizen"]).sum()
        assert counts.min() >= 2


def test_table_1(data: Read) -> None:
    """Catches a count or a third decimal of a mean that is not the printed one."""
    table = _table1()
    codes = list(data.codebook.outcomes)
    found = data.progression
    assert found["n"].to_pandas()[codes].tolist() == table.loc[codes, "n_progression"].tolist()
    mean = found["mean"].to_pandas()[codes]
    assert mean.round(3).tolist() == table.loc[codes, "mean_progression"].tolist()
    # Not at the edge of the rounding either: float noise must not turn a decimal.
    assert (mean - table.loc[codes, "mean_progression"]).abs().max() < 0.0004


def test_table_3(data: Read) -> None:
    """Catches combinations that are not those of B1's sample (X10)."""
    rows = analysed(data, "B1")
    counts = pd.Series(data.progression["combination"].to_numpy()[rows]).value_counts()
    wanted = fact("combinations").set_index("combination")["n"]
    assert counts[wanted.index].tolist() == wanted.tolist()


def test_table_4_shares_of_jobcenters(data: Read) -> None:
    """Catches jobcenters off by more than a point in any of the five overlapping groups."""
    rows = analysed(data, "B1")
    jobcenter = data.progression["jobcenter"].to_numpy()[rows]
    combination = pd.Series(data.progression["combination"].to_numpy()[rows])
    groups = {name: combination.str[place] == "1" for place, name in enumerate("JOSH")}
    groups["none"] = combination == "0000"
    for row in fact("jobcenters").itertuples():
        inside = jobcenter[groups[row.group].to_numpy()]
        assert abs(100 * np.mean(inside == row.jobcenter) - row.percent) <= 1


def test_weeks_between_responses(data: Read) -> None:
    """Catches gaps that are not just under 22 weeks, or dates outside the period."""
    frame = data.study.responses.sort_values(["citizen", "date"])
    gaps = frame.groupby("citizen")["date"].diff().dropna().dt.days
    assert 21.5 <= gaps.mean() / 7 < 22
    assert gaps.min() > 0
    assert gaps.nunique() > 100  # irregular
    assert frame["date"].min() >= pd.Timestamp("2013-01-01")
    assert frame["date"].max() <= pd.Timestamp("2017-05-07")


def test_share_without_change_of_the_averages(data: Read) -> None:
    """Catches answers that are too noisy or too sticky (Figures 1 and 2: 8 to 12 %)."""
    for outcome in ("citizen_mean", "caseworker_mean"):
        change = data.progression["change"].sel(outcome=outcome).to_numpy()
        assert 0.08 <= np.mean(change[analysed(data, outcome)] == 0) <= 0.12


def test_progression_falls_with_the_weeks_since_the_last_response(default: Read) -> None:
    """Catches a slope of the wrong sign on the two averages (report, line 182)."""
    date = default.progression["date"].to_numpy()
    for outcome in ("citizen_mean", "caseworker_mean"):
        rows = analysed(default, outcome)
        start = default.progression["previous"].sel(outcome=outcome).to_numpy()[rows]
        weeks = (date[rows] - date[start]) / np.timedelta64(7, "D")
        change = default.progression["change"].sel(outcome=outcome).to_numpy()[rows]
        assert np.cov(weeks, change)[0, 1] < 0


def test_every_claim_but_the_exempt_one(data: Read) -> None:
    """Catches an estimate that contradicts a statement of the report."""
    estimate, p_value = data.ols
    assert len(report_claims(data.codebook)) == len(fact("claims")) - 1
    assert unmet_claims(estimate, p_value, data.codebook) == []


def test_single_claims_read_off_without_the_package(data: Read) -> None:
    """Catches a wrong reading of the claims shared by calibration and check."""
    estimate, p_value = data.ols
    claims = fact("claims")
    for claim in claims[claims["scope"].isin(["single", "others"])].itertuples():
        value = estimate.loc[claim.outcome, claim.combination]
        significant = bool(p_value.loc[claim.outcome, claim.combination] < 0.05)
        if claim.direction != "none":
            assert (value > 0) == (claim.direction == "positive"), claim.claim_id
        if claim.significant != "unstated":
            assert significant == (claim.significant == "true"), claim.claim_id


def test_the_package_s_ols_agrees_with_every_claim(default: Read) -> None:
    """Catches an OLS whose verdicts differ from the tiny one's."""
    estimates = estimate_ols(default.progression, default.codebook, vcov=("classical",))
    frame = ols_intervals(estimates, default.codebook, level=0.95)
    effects = frame[(frame["estimand"] == "effect") & (frame["vcov"] == "classical")]
    tables = [
        effects.pivot(index="outcome", columns="combination", values=name)
        for name in ("estimate", "p_value")
    ]
    assert unmet_claims(tables[0], tables[1], default.codebook) == []


def test_printed_effect_sizes(data: Read) -> None:
    """Catches effect sizes that print differently from -0.15, -0.2, 6, 8 and 18 places."""
    estimate, _ = data.ols
    places = 100 * (norm.cdf(estimate) - 0.5)
    places = pd.DataFrame(places, index=estimate.index, columns=estimate.columns)
    assert round(estimate.loc["citizen_mean", "0000"], 2) == -0.15
    assert round(places.loc["citizen_mean", "0000"]) == -6
    assert round(estimate.loc["caseworker_mean", "0000"], 1) == -0.2
    assert round(places.loc["caseworker_mean", "0000"]) == -8
    assert 17.5 <= places.loc["citizen_mean", "1101"] <= 18.5


def test_answers_look_like_answers(default: Read) -> None:
    """Catches repaired or latent answers that are no plausible ones."""
    sd = default.progression["sd"].to_numpy()[:20]
    assert ((sd > 0.8) & (sd < 1.1)).all()
    answers = default.study.responses[list(default.codebook.indicator_codes)]
    shares = answers.stack().value_counts(normalize=True)
    assert shares.min() > 0.03  # every answer from 1 to 5 is given
    change = default.progression["change"].sel(outcome=list(default.codebook.indicator_codes))
    correlation = change.to_pandas().corr()
    own, other = correlation.loc["B1", "B2":"B9"], correlation.loc["B1", "S2":]
    assert own.min() > other.max() > 0  # respondents agree with themselves most


def test_activities_persist(default: Read) -> None:
    """Catches combinations drawn anew at every response."""
    frame = default.study.responses.sort_values(["citizen", "date"])
    before = frame.groupby("citizen")["combination"].shift()
    known = (frame["combination"] != "") & before.notna() & (before != "")
    same = (frame["combination"] == before)[known].mean()
    by_chance = (frame.loc[known, "combination"].value_counts(normalize=True) ** 2).sum()
    assert same > by_chance + 0.3


def test_only_unknown_activities_are_noted(default: Read) -> None:
    """Catches synthetic data that the package's own checks would warn about."""
    assert [finding.column for finding in default.study.findings] == ["activities"]
    assert default.study.synthetic


def test_all_boxes_are_used(default: Read) -> None:
    """Catches an activity that nobody takes part in."""
    assert (default.simulation.responses[BOXES].sum() > 10).all()


def test_columns_of_the_file(default: Read) -> None:
    """Catches a file that is not of the documented shape."""
    columns = ["citizen", "jobcenter", "date", *CITIZEN, *CASEWORKER, *BOXES, "synthetic"]
    assert default.simulation.responses.columns.tolist() == columns
    assert default.simulation.responses["citizen"].iloc[0] == "C00001"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_the_same_bytes_everywhere(default: Read) -> None:
    """Catches whatever differs between machines, versions and runs."""
    assert _digest(csv_text(default.simulation.responses)) == DIGEST


def test_the_same_bytes_under_another_hash_seed() -> None:
    """Catches an order that comes from a set or a dictionary of hashes."""
    program = (
        "import hashlib; from bipbayes.bip.simulate import simulate_bip; "
        "from bipbayes.synthetic.simulate import csv_text; "
        "print(hashlib.sha256(csv_text(simulate_bip().responses).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == DIGEST


def test_a_missed_claim_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches data returned although a statement is contradicted: seed 4 needs a second try."""
    monkeypatch.setattr("bipbayes.bip.simulate.ATTEMPTS", 1)
    with pytest.raises(SettingsError, match="claims not met"):
        simulate_bip(seed=4)


def test_other_seeds_give_other_data(default: Read, retried: Read) -> None:
    """Catches a seed that is not used."""
    ours, theirs = default.simulation.responses, retried.simulation.responses
    assert not ours["B1"].reset_index(drop=True).equals(theirs["B1"].reset_index(drop=True))


def test_parts_are_studies_of_their_own_citizens(default: Read) -> None:
    """Catches parts that share citizens or draws, or whose shares and means differ."""
    table = _table1()
    other = read(simulate_bip(part=1))
    codes = list(other.codebook.outcomes)
    assert other.progression["n"].to_numpy().tolist() == table.loc[codes, "n_progression"].tolist()
    mean = other.progression["mean"].to_numpy().round(3)
    assert mean.tolist() == table.loc[codes, "mean_progression"].tolist()
    counts = pd.Series(
        other.progression["combination"].to_numpy()[analysed(other, "B1")]
    ).value_counts()
    wanted = fact("combinations").set_index("combination")["n"]
    assert counts[wanted.index].tolist() == wanted.tolist()
    citizens = [set(each.study.responses["citizen"]) for each in (default, other)]
    assert not citizens[0] & citizens[1]
    ours, theirs = (
        each.simulation.responses["B1"].reset_index(drop=True) for each in (default, other)
    )
    assert not ours.equals(theirs)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_read_back_alike(default: Read, tmp_path: Path, suffix: str) -> None:
    """Catches a file that the package reads differently from the frame it wrote."""
    path = tmp_path / f"responses{suffix}"
    write_responses(default.simulation.responses, path)
    study = read_responses(path, default.codebook)
    pd.testing.assert_frame_equal(study.responses, default.study.responses, check_dtype=False)
    assert study.synthetic


def test_unknown_suffix_is_refused(default: Read, tmp_path: Path) -> None:
    """Catches data written under a suffix that nothing reads."""
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        write_responses(default.simulation.responses, tmp_path / "responses.xlsx")


def test_description_says_what_was_done(default: Read) -> None:
    """Catches a record that lacks what is needed to make the data again."""
    description = default.simulation.description
    assert description["seed"] == default.simulation.seed
    assert (description["citizens"], description["jobcenters"]) == (3707, 10)
    assert "prove nothing about Denmark" in description["statement"]

"""Replicates: stored one by one, gone on with, the same wherever they run."""

from dataclasses import replace

import pandas as pd
import pytest

from bipbayes.errors import RunError, SettingsError
from bipbayes.validation import replicate as campaign
from bipbayes.validation.replicate import replicate_path, run_validation
from bipbayes.validation.scores import COLUMNS
from bipbayes.validation.settings import ValidationSettings


@pytest.fixture(scope="module")
def folder(codebook, tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("validation")
    run_validation(codebook, settings=tiny, folder=path, where=(None, 0))
    return path


def test_a_stopped_validation_goes_on_where_it_was(codebook, tiny, folder, monkeypatch):
    """Catches a resumed run that repeats what is stored, or draws other studies than before."""
    before = pd.read_parquet(replicate_path(folder, 1))
    replicate_path(folder, 1).unlink()
    ran = []
    original = campaign.run_replicate

    def recorded(codebook, *, number, **tasks):
        ran.append(number)
        return original(codebook, number=number, **tasks)

    monkeypatch.setattr(campaign, "run_replicate", recorded)
    scores = run_validation(codebook, settings=tiny, folder=folder, where=(None, 0))
    assert ran == [1]
    assert sorted(scores["replicate"].unique()) == [0, 1, 2]
    assert list(scores.columns) == [*COLUMNS, "truth_id", "replicate"]
    pd.testing.assert_frame_equal(pd.read_parquet(replicate_path(folder, 1)), before)


def test_more_replicates_may_be_asked_for_but_no_other_validation(codebook, tiny, folder):
    """Catches scores of two validations mixed in one folder."""
    more = replace(tiny, replicates=4)
    scores = run_validation(codebook, settings=more, folder=folder, where=(None, 0))
    assert scores["replicate"].nunique() == 4
    other = replace(tiny, seed=6)
    with pytest.raises(RunError, match="other settings"):
        run_validation(codebook, settings=other, folder=folder, where=(None, 0))


def test_replicates_with_one_truth_differ_in_all_but_the_truth(folder):
    """Catches a seed that gives the same study twice, or effects drawn anew in a group."""
    first, second, other = (pd.read_parquet(replicate_path(folder, i)) for i in (0, 1, 2))
    assert list(first["truth_id"].unique()) == list(second["truth_id"].unique()) == [0]
    assert other["truth_id"].unique() == [1]
    keys = ["source", "engine", "vcov", "estimand", "outcome", "definition", "combination"]
    both = first.merge(second, on=keys)
    assert (both["estimate_x"] != both["estimate_y"]).mean() > 0.9
    # Only the observed weights of the jobcenters differ between the truths.
    assert both["truth_x"].corr(both["truth_y"]) > 0.9
    third = first.merge(other, on=keys)
    assert third["truth_x"].corr(third["truth_y"]) < 0.8


@pytest.mark.slow
def test_a_cluster_of_processes_gives_the_same_scores(codebook, tiny, folder, tmp_path):
    """Catches tasks that depend on the process they run in, or a cluster that does not start."""
    alone = pd.read_parquet(replicate_path(folder, 0))
    two = replace(tiny, replicates=2)
    run_validation(codebook, settings=two, folder=tmp_path, where=(None, 2))
    there = pd.read_parquet(replicate_path(tmp_path, 0))
    pd.testing.assert_frame_equal(there, alone, rtol=1e-9)


def test_failed_replicates_are_named_after_the_others_ran(codebook, tiny, tmp_path, monkeypatch):
    """Catches one failure that throws away the rest, or passes unseen."""

    def runs(*_):
        yield 0, ""
        yield 1, "ValueError: no"
        yield 2, ""

    monkeypatch.setattr(campaign, "_run", runs)
    with pytest.raises(RunError, match=r"1 of 3 tasks failed \(1: ValueError: no\)"):
        run_validation(codebook, settings=tiny, folder=tmp_path)


def test_settings_name_all_faults():
    """Catches settings that fail only after an hour of work."""
    with pytest.raises(SettingsError, match=r"(?s)replicates.*vcov.*engines"):
        ValidationSettings(replicates=0, vcov=("robust",), engines=("magic",))

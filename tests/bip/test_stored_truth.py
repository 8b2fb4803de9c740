"""The stored truth of the calibrated data."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import Read, read

from bipbayes.bip.facts import target_effects
from bipbayes.bip.simulate import simulate_bip
from bipbayes.synthetic.truth import COLUMNS


def test_stored_truth_of_the_default_data(default: Read) -> None:
    """Catches stored truth that was not made anew after the targets changed."""
    truth = default.simulation.truth
    assert tuple(truth.columns) == COLUMNS
    effect = truth[truth["estimand"] == "effect"].pivot(
        index="outcome", columns="combination", values="value"
    )
    targets = target_effects()
    pd.testing.assert_frame_equal(
        effect.loc[targets.index, targets.columns], targets, check_names=False, atol=1e-4
    )
    jobcenters = truth[truth["estimand"] == "jobcenter"]
    assert set(jobcenters["jobcenter"]) == set("ABCDEFGHIJ")
    assert jobcenters["value"].std() > effect.to_numpy().std()  # jobcenters do differ


@pytest.mark.slow
def test_stored_truth_is_what_the_program_gives(default: Read) -> None:
    """Catches stored truth of an older generator."""
    again = default.simulation.simulate_truth()
    stored = default.simulation.truth
    pd.testing.assert_frame_equal(again, stored, atol=1e-4)


@pytest.mark.slow
def test_repaired_data_scatter_around_the_stored_truth() -> None:
    """Catches a repair that moves differences between jobcenters."""
    tables = []
    for seed in range(40, 52):
        found = read(simulate_bip(seed=seed)).progression
        keys = [found["combination"].to_numpy(), found["jobcenter"].to_numpy()]
        table = found["standardised"].to_pandas().groupby(keys).mean()
        tables.append(table.loc["0000":"1111"])
    mean = sum(tables) / len(tables)
    truth = simulate_bip().truth
    cells = truth[(truth["estimand"] == "jobcenter") & (truth["outcome"] == "B1")]
    value = cells.set_index(["combination", "jobcenter"])["value"]
    common = ["0000", "0001", "1000"]
    error = pd.concat(tables).groupby(level=[0, 1])["B1"].std() / np.sqrt(len(tables))
    distance = ((mean["B1"] - value) / error).loc[common]
    assert np.sqrt((distance**2).mean()) < 1.6

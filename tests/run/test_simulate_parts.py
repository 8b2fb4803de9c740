"""Simulations of several times the size are made in parts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.simulate import simulate_bip
from bipbayes.cluster import Workers
from bipbayes.data.codebook import Codebook
from bipbayes.data.read import read_responses
from bipbayes.errors import RunError, SettingsError
from bipbayes.run.simulate_stage import SimulationRequest, write_simulation
from bipbayes.synthetic.simulate import csv_text

TWICE = SimulationRequest(scale=2, file_format="parquet", characteristics=False)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return bip_codebook()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation of twice BIP's size, by two processes."""
    out = tmp_path_factory.mktemp("twice")
    workers = Workers(count=2)
    write_simulation(TWICE, out, overwrite=False, workers=workers)
    workers.close()
    return out


def test_parts_are_the_same_whoever_makes_them(folder: Path) -> None:
    """Catches parts that depend on the worker, on other parts or on how many there are."""
    for part in range(2):
        stored = pd.read_parquet(folder / f"responses/part-{part + 1:06d}.parquet")
        pd.testing.assert_frame_equal(stored, simulate_bip(part=part).responses, check_dtype=False)


def test_a_folder_of_parts_is_one_study(folder: Path, codebook: Codebook) -> None:
    """Catches citizens that two parts share, and a record of one part."""
    study = read_responses(folder / "responses", codebook)
    record = json.loads((folder / "simulation.json").read_text(encoding="utf-8"))
    assert study.synthetic
    assert study.size == (record["responses"], record["citizens"]) == (27896, 2 * 3707)


def test_the_truth_of_parts_is_that_of_one(folder: Path) -> None:
    """Catches a truth of one part, and one that another drift moved."""
    joined = pd.read_csv(folder / "truth.csv", keep_default_na=False, na_values=[""])
    joined = joined.assign(
        combination=joined["code"].str[1:], jobcenter=joined["jobcenter"].fillna("")
    )
    keys = ["outcome", "combination", "jobcenter", "estimand"]
    first = simulate_bip().truth
    both = first.merge(joined, on=keys, validate="one_to_one")
    assert len(both) == len(first) <= len(joined)
    known = both[both["estimand"] == "effect"]
    indicators = known[~known["outcome"].eq("all_indicators")]
    np.testing.assert_allclose(indicators["value_x"], indicators["value_y"], atol=1e-4)
    cells = both[(both["estimand"] == "jobcenter") & both["combination"].eq("1000")]
    assert np.corrcoef(cells["value_x"], cells["value_y"])[0, 1] > 0.9


def test_text_is_one_file_of_all_parts(tmp_path: Path) -> None:
    """Catches a header amid the rows."""
    request = SimulationRequest(scale=2, characteristics=False)
    write_simulation(request, tmp_path, overwrite=False)
    text = (tmp_path / "responses.csv").read_text(encoding="utf-8")
    both = [csv_text(simulate_bip(part=part).responses) for part in range(2)]
    assert text == both[0] + both[1].partition("\n")[2]


def test_overwriting_removes_what_a_simulation_wrote_and_nothing_else(tmp_path: Path) -> None:
    """Catches parts of an earlier, larger simulation that stay, and files that are a user's."""
    write_simulation(TWICE, tmp_path, overwrite=False)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="overwrite"):
        write_simulation(TWICE, tmp_path, overwrite=False)
    once = SimulationRequest(characteristics=False)
    (tmp_path / "responses.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"responses\.csv, which no simulation wrote"):
        write_simulation(once, tmp_path, overwrite=True)
    (tmp_path / "responses.csv").unlink()
    write_simulation(once, tmp_path, overwrite=True)
    assert not list((tmp_path / "responses").glob("*"))
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not list(tmp_path.glob(".parts-*"))


def test_synthetic_data_stay_out_of_a_folder_of_real_results(tmp_path: Path) -> None:
    """Catches synthetic responses and truths beside the results of real ones."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="results of real data"):
        write_simulation(TWICE, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["private"]


@pytest.mark.parametrize("scale", [0, -3, 10**9])
def test_sizes_that_make_no_sense(tmp_path: Path, scale: int) -> None:
    """Catches a simulation that never ends, or makes nobody."""
    with pytest.raises(SettingsError, match="--scale must lie between"):
        write_simulation(SimulationRequest(scale=scale), tmp_path, overwrite=False)

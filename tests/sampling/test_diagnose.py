"""Verdicts: each fault of a fit must turn them, and a good fit must pass."""

import json

import arviz_stats
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bipbayes.sampling.diagnose import (
    COLUMNS,
    THRESHOLDS,
    Thresholds,
    diagnose,
    diagnostics_frame,
    hyperparameters,
)

CHAINS, DRAWS = 4, 1000


def made_up_fit(spread: np.ndarray, **changes: np.ndarray | int) -> xr.DataTree:
    """A fit with one hyperparameter and independent draws of everything else."""
    rng = np.random.default_rng(1)
    sample = ("chain", "draw")
    shape = spread.shape
    stats = {
        "diverging": np.zeros(shape, dtype=bool),
        "reached_max_treedepth": np.zeros(shape, dtype=bool),
        "energy": rng.normal(100, 10, shape),
    }
    interrupted = changes.pop("interrupted", 0)
    stats.update(changes)
    posterior = {
        "level": ((*sample, "combination"), rng.normal(size=(*shape, 2))),
        "level_sd": (sample, spread),
    }
    fit = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior, coords={"combination": ["0", "1"]}),
            "sample_stats": xr.Dataset({name: (sample, v) for name, v in stats.items()}),
        }
    )
    fit.attrs = {
        "model": "made up",
        "terms": json.dumps(["level"]),
        "interrupted": interrupted,
        "draws_obtained": json.dumps([shape[1]] * shape[0]),
        "draws_requested": shape[1],
    }
    return fit


def independent(*, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(CHAINS, DRAWS)) ** 2


def stuck() -> np.ndarray:
    """Two chains that found another place."""
    draws = independent()
    draws[2:] += 3.0
    return draws


def autocorrelated(*, correlation: float = 0.95) -> np.ndarray:
    rng, draws = np.random.default_rng(2), np.zeros((CHAINS, DRAWS))
    for step in range(1, DRAWS):
        draws[:, step] = correlation * draws[:, step - 1] + rng.normal(size=CHAINS)
    return draws


def as_reported(fit: xr.DataTree) -> pd.DataFrame:
    """The hyperparameter's diagnostics as if it were a result."""
    return hyperparameters(fit).assign(estimand="effect")


def judged(fit: xr.DataTree) -> tuple[bool, str]:
    verdict = diagnose(fit, as_reported(fit))
    return verdict.passed, " ".join(verdict.reasons)


def test_a_good_fit_passes() -> None:
    """Catches verdicts that nothing can pass."""
    verdict = diagnose(made_up_fit(independent()), as_reported(made_up_fit(independent())))
    assert verdict.passed
    assert (verdict.reasons, verdict.review) == ((), ())
    assert verdict.record()["thresholds"] == {
        "r_hat": 1.01, "ess": 400.0, "divergences": 0, "e_bfmi": 0.3, "k_hat": 0.7, "good_k": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "fit, word",
    [
        (made_up_fit(stuck()), "R-hat above 1.01 for 1"),
        (made_up_fit(autocorrelated()), "bulk ESS below 400 for 1"),
        (made_up_fit(autocorrelated()), "tail ESS below 400 for 1"),
        (made_up_fit(independent(), diverging=np.eye(CHAINS, DRAWS) > 0), "4 divergent"),
        (made_up_fit(independent(), interrupted=1), "interrupted"),
        (made_up_fit(np.ones((CHAINS, DRAWS)) * np.nan), "no diagnostics"),
    ],
)
def test_each_fault_turns_the_verdict(fit: xr.DataTree, word: str) -> None:
    """Catches a check that never fires."""
    passed, reasons = judged(fit)
    assert not passed
    assert word in reasons


def test_depth_and_energy_ask_for_a_look() -> None:
    """Catches efficiency warnings that fail a fit, or that nobody sees."""
    walk = np.cumsum(np.random.default_rng(3).normal(size=(CHAINS, DRAWS)), axis=1)
    full = np.zeros((CHAINS, DRAWS), dtype=bool)
    full[0, :7] = True
    fit = made_up_fit(independent(), energy=walk, reached_max_treedepth=full)
    verdict = diagnose(fit, as_reported(fit))
    assert verdict.passed
    assert "7 draws" in verdict.review[0]
    assert "E-BFMI" in verdict.review[1]
    assert verdict.worst["e_bfmi"] == pytest.approx(
        float(
            np.min(
                arviz_stats.bfmi(
                    xr.DataTree.from_dict({"sample_stats": fit["sample_stats"].to_dataset()})
                )["energy"]
            )
        )
    )


def test_hyperparameters_have_arviz_diagnostics() -> None:
    """Catches diagnostics of draws in the wrong order of chains and draws."""
    spread = autocorrelated()
    frame = hyperparameters(made_up_fit(spread))
    assert list(frame.columns) == list(COLUMNS)
    (row,) = frame.to_dict("records")
    dataset = xr.Dataset({"x": (("chain", "draw"), spread)})
    assert row["quantity"] == "level_sd"
    assert row["r_hat"] == pytest.approx(float(arviz_stats.rhat(dataset)["x"]), rel=1e-12)
    assert row["ess_bulk"] == pytest.approx(float(arviz_stats.ess(dataset)["x"]), rel=1e-12)
    assert row["mcse"] == pytest.approx(float(arviz_stats.mcse(dataset)["x"]), rel=1e-12)


def test_reported_quantities_are_judged() -> None:
    """Catches a verdict on hyperparameters alone; rows without an estimate do not count."""
    fit = made_up_fit(independent())
    reported = pd.DataFrame(
        {
            "estimand": "effect",
            "outcome": ["B1", "B2"],
            "combination": "01",
            "jobcenter": "",
            "estimate": [0.1, np.nan],
            "se": [0.05, np.nan],
            "r_hat": [1.02, np.nan],
            "ess_bulk": [900.0, np.nan],
            "ess_tail": [900.0, np.nan],
            "mcse": [0.001, np.nan],
        }
    )
    frame = diagnostics_frame(fit, reported)
    assert frame["estimand"].tolist() == ["hyperparameter", "effect"]
    verdict = diagnose(fit, frame)
    assert verdict.reasons == ("R-hat above 1.01 for 1 quantities (worst 1.020)",)
    assert diagnose(fit, frame, thresholds=Thresholds(r_hat=1.05)).passed
    assert THRESHOLDS.r_hat == 1.01


def test_hyperparameters_are_named_and_fail_nothing() -> None:
    """Catches a fit that fails by a standard deviation near zero, which nobody reports."""
    fit = made_up_fit(autocorrelated())
    sound = as_reported(made_up_fit(independent()))
    verdict = diagnose(fit, pd.concat([hyperparameters(fit), sound], ignore_index=True))
    assert verdict.passed
    assert "level_sd" in verdict.review[0]
    assert "bulk ESS below 400 for 1" in verdict.review[0]
    assert verdict.worst["ess_bulk"] > 400


@pytest.mark.parametrize(
    "k_hat, points, reason, review",
    [
        (0.3, 500.0, "", ""),
        (0.6, 500.0, "", "0.60, above 0.5"),
        (0.8, 500.0, "0.80, above 0.7", ""),
        (float("nan"), 500.0, "nan, above 0.7", ""),
        (0.3, 350.0, "350 effective points", ""),
    ],
)
def test_the_exact_engine_is_judged_by_its_points(
    k_hat: float, points: float, reason: str, review: str
) -> None:
    """Catches weights that hang on few points passed as exact, and R-hat asked of no chains."""
    fit = made_up_fit(independent())
    point = np.arange(CHAINS * DRAWS).reshape(CHAINS, DRAWS) // 4
    fit["sample_stats"] = xr.DataTree(xr.Dataset({"point": (("chain", "draw"), point)}))
    fit.attrs |= {"engine": "exact", "k_hat": k_hat, "effective_points": points}
    frame = as_reported(fit)
    assert frame["r_hat"].isna().all()
    assert frame["ess_bulk"].between(500, 4000).all()
    verdict = diagnose(fit, frame)
    assert verdict.passed == (not reason)
    assert reason in " ".join(verdict.reasons)
    assert review in " ".join(verdict.review)
    assert bool(verdict.review) == bool(review)

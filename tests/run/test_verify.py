"""Two runs beside each other: what counts as the same, and which number is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bipbayes.atomic import write_frame, write_json
from bipbayes.errors import RunError
from bipbayes.intervals import COLUMNS
from bipbayes.run.folder import RunFolder
from bipbayes.run.verify import agreement, run_differences, verify


def _frame(source: str, rows: int = 2000) -> pd.DataFrame:
    """Return a long frame of one outcome: ``rows`` effects of size 0.1, sd 0.02, 400 draws."""
    frame = pd.DataFrame(index=range(rows), columns=list(COLUMNS))
    frame[["model", "vcov", "analysis", "jobcenter", "kind", "note"]] = ""
    frame["source"], frame["estimand"], frame["outcome"] = source, "effect", "sleep"
    frame["combination"] = [f"{row:04d}" for row in range(rows)]
    frame["level"] = 0.95
    numbers = {"estimate": 0.1, "lower": 0.06, "upper": 0.14, "se": 0.02}
    if source == "posterior":
        numbers |= {"mcse": 0.001, "ess_tail": 400.0}
    for name, value in numbers.items():
        frame[name] = value
    for name in ("mcse", "ess_tail"):
        frame[name] = frame[name].astype(float)
    return frame


def test_draws_of_another_seed_agree_and_shifted_ones_do_not() -> None:
    """Catches errors of one run only, and limits judged by the mean's Monte Carlo error."""
    rng = np.random.default_rng(1)
    first, second = _frame("posterior"), _frame("posterior")
    errors = {"estimate": 0.001, "lower": 0.00267, "upper": 0.00267}
    for frame in (first, second):
        for name, error in errors.items():
            frame[name] += error * rng.standard_normal(len(frame))
    row = agreement(run_differences(first, second)).iloc[0]
    assert row["agree"]
    # Of 6,000 normal differences about 0.4 lie beyond four errors; the worst near 3.8.
    assert 0.75 < row["gap"] < 1.25
    second.loc[:19, "upper"] += 0.03
    row = agreement(run_differences(first, second)).iloc[0]
    assert not row["agree"]
    assert row["beyond"] >= 19
    assert row["measure"] == "upper"
    assert row["combination"] <= "0019"


def test_least_squares_agree_to_the_eighth_digit() -> None:
    """Catches a Monte Carlo tolerance for numbers that have none."""
    first, second = _frame("ols"), _frame("ols")
    second["estimate"] *= 1 + 1e-9
    assert agreement(run_differences(first, second))["agree"].all()
    second.loc[7, "estimate"] *= 1 + 1e-7
    row = agreement(run_differences(first, second)).iloc[0]
    assert not row["agree"]
    assert (row["combination"], row["beyond"]) == ("0007", 1)


def test_of_an_export_only_its_own_numbers_are_compared(tmp_path: Path) -> None:
    """Catches held-back rows called missing, and a run without rows called an export."""
    whole = RunFolder(tmp_path / "whole")
    whole.path.mkdir()
    write_json(whole.file("run.json"), {"stages": {}})
    whole.write("data/intervals.csv", _frame("ols", 6))
    export = RunFolder(tmp_path / "export")
    part = _frame("ols", 6).drop(index=2)
    part.loc[4, "estimate"] = np.nan
    write_frame(export.file("data/intervals.csv"), part)
    for pair in ((whole.path, export.path), (export.path, whole.path)):
        told, agree = verify(*pair)
        assert agree and "14 numbers, all identical" in told[0]
    with pytest.raises(RunError, match="no run is stored there"):
        verify(whole.path, tmp_path / "nothing")


def test_settings_that_differ_are_told_with_both_values(tmp_path: Path) -> None:
    """Catches differing numbers without the priors, the level or the seed behind them."""
    digest = "0123456789abcdef"
    for name, scale, changed in (("one", 0.15, {}), ("two", 0.3, {"seed": 2, "rope": 0.1})):
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        write_json(run.file("run.json"), {"stages": {}})
        run.write("data/intervals.csv", _frame("ols", 6))
        priors = f"Priors(combination={scale}, jobcenter=0.08)"
        asked = {"level": 0.95, "seed": 1, "rope": None, "priors": priors, "model_digest": digest}
        run.finish("fit_ols", {"level": 0.95})
        run.finish("fit_posterior/hierarchical", {**asked, **changed})
        run.finish("describe", {"minimum_count": changed.get("seed", 1)})
    told, agree = verify(tmp_path / "one", tmp_path / "two")
    assert agree
    assert told[0] == (
        "Other settings of fit_posterior/hierarchical: seed 1 and 2; rope none and 0.1; "
        "prior combination 0.15 and 0.3."
    )
    assert len([text for text in told if "settings" in text]) == 1
    assert not [text for text in verify(*[tmp_path / "one"] * 2)[0] if "settings" in text]


@pytest.mark.parametrize("lost", ["row", "number"])
def test_what_one_run_lacks_is_no_agreement(lost: str) -> None:
    """Catches an inner join, and missing numbers that compare as equal."""
    first, second = _frame("posterior", 5), _frame("posterior", 5)
    if lost == "row":
        second = second.drop(index=3)
    else:
        second.loc[3, ["estimate", "lower", "upper"]] = np.nan
    row = agreement(run_differences(first, second)).iloc[0]
    assert not row["agree"]
    assert (row["missing"], row["combination"]) == (3, "0003")
    assert agreement(run_differences(second, second))["agree"].all()


_DAMAGES = {
    "empty": lambda text: "",
    "header only": lambda text: text.split("\n")[0] + "\n",
    "other columns": lambda text: "a,b\n1,2\n",
    "words": lambda text: text.replace("0.95", "much"),
    "a quote": lambda text: text.replace("ols", '"ols', 1),
    "rows twice": lambda text: text + text.split("\n", 1)[1],
    "a column less": lambda text: text.replace(",mcse,", ",other,", 1),
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_frame_is_named(tmp_path: Path, damage: str) -> None:
    """Catches tracebacks, and a frame without a number, or with each twice, that agrees."""
    run = RunFolder(tmp_path)  # without a record, as what was let out: nothing tells the digest
    run.write("data/intervals.csv", _frame("ols", 6))
    assert verify(tmp_path, tmp_path)[1]
    path = run.file("data/intervals.csv")
    damaged = _DAMAGES[damage](path.read_text(encoding="utf-8"))
    path.write_text(damaged, encoding="utf-8")
    with pytest.raises(RunError, match=r"intervals\.csv (is damaged|holds rows more than once)"):
        verify(tmp_path, tmp_path)

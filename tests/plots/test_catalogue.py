"""Which figures a run has, and drawing them here or in other processes."""

from __future__ import annotations

import errno
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pandas as pd
import pytest
from frame_builders import (
    effect_draws,
    energy,
    hyperparameters,
    long_frame,
    ols_frame,
    residual_covariance,
    small_codebook,
)
from matplotlib.figure import Figure

from bipbayes.errors import RunError
from bipbayes.plots.catalogue import FigureInputs, early_tasks, on_page, posterior_tasks
from bipbayes.plots.pool import DrawingPool
from bipbayes.plots.task import FigureTask, Printing
from bipbayes.run.settings import FIGURE_FORMATS
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)
INPUTS = FigureInputs(
    CONTEXT,
    long_frame(CODEBOOK),
    draws={"effect": effect_draws(CODEBOOK)},
    residual_covariance=residual_covariance(CODEBOOK),
    hyperparameters=hyperparameters(draws=50),
    energy=energy(draws=50),
)


def figure_tasks(inputs: FigureInputs, *, contrasts: bool = False, **chosen) -> list[FigureTask]:
    """All figures that the inputs suffice for."""
    return posterior_tasks(inputs, contrasts=contrasts, **chosen) + early_tasks(inputs, **chosen)


def _names(tasks: list[FigureTask]) -> set[str]:
    return {task.name for task in tasks}


def broken_figure(outcome: str) -> Figure:
    raise ValueError(f"nothing to draw for {outcome}")


def test_a_run_has_all_its_figures() -> None:
    """Catches figures forgotten, or named by number instead of outcome."""
    names = _names(figure_tasks(INPUTS))
    for outcome in CODEBOOK.outcomes:
        assert {f"intervals_{outcome}", f"forest_{outcome}"} <= names
    assert names >= {
        "forest_all_indicators",
        "heatmap_effect",
        "heatmap_contrast",
        "shrinkage",
        "residual_correlation",
        "rank_hyperparameters",
        "energy",
        "jobcenters_00_all_indicators",
    }
    assert len(names) == len(figure_tasks(INPUTS))


def test_ols_figures_need_no_posterior() -> None:
    """Catches early figures that wait for the fit."""
    inputs = FigureInputs(CONTEXT, ols_frame(CODEBOOK))
    assert _names(early_tasks(inputs)) == {f"intervals_{name}" for name in CODEBOOK.outcomes}


def test_chosen_outcomes_and_quick_runs() -> None:
    """Catches --outcome and --quick that change nothing."""
    names = _names(figure_tasks(INPUTS, outcomes=["q2"]))
    assert {name for name in names if name.startswith(("forest_", "intervals_"))} == {
        "forest_q2",
        "intervals_q2",
    }
    quick = _names(figure_tasks(INPUTS, quick=True))
    assert "forest_citizen_mean" in quick
    assert quick <= set(on_page(CODEBOOK))
    asked = _names(figure_tasks(INPUTS, outcomes=["q2"], quick=True))
    assert "forest_q2" in asked, "what is asked for by name is drawn in a quick run, too"
    assert "forest_contrast_q2" in _names(figure_tasks(INPUTS, outcomes=["q2"], contrasts=True))


def test_the_main_job_leaves_figures_to_compare_all() -> None:
    """Catches a main job that draws everything, or leaves out what the report's page shows."""
    every, main = (_names(figure_tasks(INPUTS, everything=each)) for each in (True, False))
    assert every - main == {
        "forest_q1",
        "forest_q2",
        "forest_q3",
        "residual_correlation",
        "jobcenters_00_all_indicators",
        "jobcenters_01_all_indicators",
        "jobcenters_01_q1",
    }
    asked = _names(figure_tasks(INPUTS, outcomes=["q2"], everything=False))
    assert {"forest_q2", "intervals_q2"} <= asked


def test_other_models_rows_are_left_out() -> None:
    """Catches two models' posteriors in one forest."""
    other = INPUTS.intervals[INPUTS.intervals["source"] == "posterior"].assign(model="other")
    both = pd.concat([INPUTS.intervals, other], ignore_index=True)
    inputs = replace(INPUTS, intervals=both, model="other")
    rows = next(t for t in figure_tasks(inputs) if t.name == "forest_q1").arguments["rows"]
    assert rows.posterior.model == "other"


def test_tasks_are_small_enough_to_send() -> None:
    """Catches all draws being sent to every drawing process."""
    forests = [t for t in figure_tasks(INPUTS) if t.name.startswith(("forest", "intervals"))]
    assert max(len(pickle.dumps(task)) for task in forests) < 30_000


def test_drawing_here_and_elsewhere_gives_the_same_files(tmp_path: Path) -> None:
    """Catches a drawing process with other settings, and tasks that cannot be sent."""
    small = FigureInputs(CONTEXT, INPUTS.intervals[INPUTS.intervals["outcome"] == "q1"])
    tasks = [t for t in figure_tasks(small, outcomes=["q1"]) if "q1" in t.name]
    here = {name: DrawingPool(tmp_path / name, workers=0) for name in ("first", "second")}
    for pool in here.values():
        pool.submit(tasks)
    with DrawingPool(tmp_path / "there", workers=1) as pool:
        pool.submit(tasks)
        there = pool.finish()
    assert [path.name for path in there] == [
        "forest_q1.png",
        "intervals_q1.png",
    ]
    for path in there:
        for name in here:
            place = path.relative_to(tmp_path / "there")
            assert path.read_bytes() == (tmp_path / name / place).read_bytes()


def test_all_figures_of_a_run_are_drawn(tmp_path: Path) -> None:
    """Catches figures that cannot be drawn from the task's own inputs, and English in Danish."""
    danish = replace(INPUTS, context=replace(CONTEXT, language="da"))
    tasks = figure_tasks(danish, outcomes=["q1"])
    with DrawingPool(tmp_path, workers=0, printing=Printing(FIGURE_FORMATS)) as pool:
        pool.submit(tasks)
        paths = pool.finish()
    names = {path.name for path in paths}
    assert names == {f"{task.name}.{ending}" for task in tasks for ending in FIGURE_FORMATS}
    assert all(path.stat().st_size > 5_000 for path in paths)


def test_figures_that_fail_are_named_and_the_others_written(tmp_path: Path) -> None:
    """Catches a run that stops at, or hides, one bad figure."""
    good = next(t for t in early_tasks(INPUTS) if t.name == "intervals_q1")
    bad = FigureTask("forest_q9", broken_figure, {"outcome": "q9"})
    pool = DrawingPool(tmp_path, workers=0)
    pool.submit([bad, good])
    with pytest.raises(RunError, match=r"1 of 2 figures.*forest_q9 \(ValueError: nothing"):
        pool.finish()
    assert (tmp_path / "intervals/intervals_q1.png").exists()


def full_disk(**_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_one_fault_whatever_number_of_figures_it_hits(tmp_path: Path) -> None:
    """Catches a sentence that names thirty figures, and none of what to do."""
    pool = DrawingPool(tmp_path, workers=0)
    pool.submit([FigureTask(f"forest_q{place}", full_disk, {}) for place in range(3)])
    with pytest.raises(OSError, match=r"No space left on device$"):
        pool.finish()


STAGES = "reproduce ols_stage describe_stage compare_stage export_stage audit_stage"


def test_the_main_process_imports_nothing_heavy() -> None:
    """Catches stages that import what only draws or samples: seconds, and a tenth of a GB."""
    stages = ", ".join(f"bipbayes.run.{name}" for name in STAGES.split())
    heavy = {"matplotlib", "arviz_plots", "arviz_stats", "pymc", "pytensor", "numba", "nutpie"}
    program = f"import sys, {stages}; sys.exit(str({heavy} & set(sys.modules) or ''))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert found.stderr.decode().strip() == ""

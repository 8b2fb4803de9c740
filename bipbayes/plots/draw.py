"""Draw all figures of a run in one call."""

from collections.abc import Sequence
from pathlib import Path

from bipbayes.plots.catalogue import FigureInputs, figure_tasks, with_language
from bipbayes.plots.pool import DrawingPool


def draw_all(
    inputs: FigureInputs,
    folder: Path,
    *,
    language: str | None = None,
    outcomes: Sequence[str] | None = None,
    quick: bool = False,
    contrasts: bool = False,
    workers: int | None = None,
) -> list[Path]:
    """Draw every figure that the inputs suffice for, as PNG and PDF.

    A run that has other work meanwhile uses `bipbayes.plots.pool.DrawingPool` itself.

    Parameters
    ----------
    inputs
        What there is to draw.
    folder
        Where the files go.
    language
        ``en`` or ``da``; None keeps the inputs' own.
    outcomes
        Outcomes to draw; None is all.
    quick
        True draws few outcomes.
    contrasts
        True adds forests of the contrasts.
    workers
        Drawing processes; None is one for each core, 0 draws in this process.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    RunError
        Naming every figure that could not be drawn.
    """
    chosen = with_language(inputs, language)
    with DrawingPool(folder, workers=workers) as pool:
        pool.submit(figure_tasks(chosen, outcomes=outcomes, quick=quick, contrasts=contrasts))
        return pool.finish()

"""A progress bar for the sampler, on a terminal and nowhere else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Callback = Callable[[Sequence[Any]], None]


@contextmanager
def sampling_bar(title: str, *, total: int, wanted: bool) -> Iterator[Callback | None]:
    """Yield a callback for nutpie that moves a bar, or ``None`` without a terminal.

    Parameters
    ----------
    title
        Stands before the bar.
    total
        Draws of all chains together, tuning included.
    wanted
        False in quiet runs.
    """
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} draws, {task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total, note="tuning")

        def move(chains: Sequence[Any]) -> None:
            divergences = sum(chain.divergences for chain in chains)
            tuning = any(chain.tuning for chain in chains)
            note = "tuning" if tuning else f"{divergences} divergences"
            done = sum(chain.finished_draws for chain in chains)
            bar.update(task, completed=done, note=note)

        yield move

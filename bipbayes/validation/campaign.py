"""Many replicates on a Dask cluster, which go on where they stopped."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bipbayes.atomic import write_json
from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.validation.replicate import replicate_path, run_replicate
from bipbayes.validation.settings import ValidationSettings

logger = logging.getLogger(__name__)


def run_validation(
    codebook: Codebook,
    *,
    settings: ValidationSettings,
    folder: Path,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: bool = False,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Run the replicates that are missing and return the scores of all.

    Parameters
    ----------
    codebook
        Of the simulated studies.
    settings
        Of the validation.
    folder
        Holds one small file a replicate; another validation's folder is refused. Workers of a
        cluster need the same path.
    scheduler
        Address of a Dask scheduler; default: a cluster in this machine's processes.
    workers
        Processes of that cluster (default: one for each core); 0 runs in this process.
    progress
        Show a progress bar if there is a terminal.
    overwrite
        Remove another validation's replicates from the folder.

    Raises
    ------
    RunError
        The folder holds another validation, or replicates failed (all are named; the others
        are stored).
    """
    claim(folder, settings, overwrite=overwrite)
    numbers = range(settings.replicates)
    missing = [number for number in numbers if not replicate_path(folder, number).is_file()]
    logger.info("%d of %d replicates are stored", len(numbers) - len(missing), len(numbers))
    failed: dict[int, str] = {}
    with _bar(len(numbers), done=len(numbers) - len(missing), wanted=progress) as advance:
        runs = _run(codebook, missing, settings, folder, (scheduler, workers))
        for number, error in runs:
            if error:
                failed[number] = error
            advance()
    if failed:
        examples = "; ".join(f"{number}: {text}" for number, text in list(failed.items())[:3])
        raise RunError(f"{len(failed)} of {len(numbers)} replicates failed ({examples})")
    return read_scores(folder, settings)


def read_scores(folder: Path, settings: ValidationSettings) -> pd.DataFrame:
    """Read the stored scores of all replicates wanted that are there."""
    paths = [replicate_path(folder, number) for number in range(settings.replicates)]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise RunError(f"{folder} holds no replicates; run 'bipbayes validate' first")
    return pd.concat([pd.read_parquet(path) for path in there], ignore_index=True)


def claim(folder: Path, settings: ValidationSettings, *, overwrite: bool) -> None:
    """Take a folder for a validation, or refuse where it holds another one.

    Raises
    ------
    RunError
        Its settings differ (the number of replicates may grow), and `overwrite` is false.
    """
    path = folder / "validation.json"
    digest = settings.digest()
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.get("digest") == digest:
            return
        if not overwrite:
            raise RunError(
                f"{folder} holds a validation with other settings; choose another --out, "
                "or allow --overwrite"
            )
        for old in [*folder.glob("replicates/*.parquet"), *folder.glob("truths/*.npz")]:
            old.unlink()
    write_json(path, {"digest": digest, "settings": settings.record(), "synthetic": True})


Runs = Iterator[tuple[int, str]]


def _run(
    codebook: Codebook,
    numbers: list[int],
    settings: ValidationSettings,
    folder: Path,
    where: tuple[str | None, int | None],
) -> Runs:
    """Yield each replicate's number with what went wrong, as they finish."""
    scheduler, workers = where
    if not numbers:
        return
    tasks: dict[str, Any] = {"settings": settings, "folder": folder.resolve()}
    if workers == 0 and scheduler is None:
        for number in numbers:
            run_replicate(codebook, number=number, **tasks)
            yield number, ""
        return
    yield from _run_on_cluster(codebook, numbers, tasks, scheduler=scheduler, workers=workers)


def _run_on_cluster(
    codebook: Codebook,
    numbers: list[int],
    tasks: dict[str, Any],
    *,
    scheduler: str | None,
    workers: int | None,
) -> Runs:
    distributed: Any = import_module("distributed")

    with _client(scheduler, workers) as client:
        shared = client.scatter(codebook, broadcast=True)
        futures = {
            client.submit(run_replicate, shared, number=number, pure=False, **tasks): number
            for number in numbers
        }
        for future in distributed.as_completed(futures):
            error = future.exception()
            yield futures[future], "" if error is None else f"{type(error).__name__}: {error}"


@contextmanager
def _client(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """Connect to a scheduler, or start a cluster of processes with one thread each."""
    # Through importlib, since these packages are not typed throughout.
    dask: Any = import_module("dask")
    distributed: Any = import_module("distributed")

    if scheduler is not None:
        with distributed.Client(scheduler) as client:
            yield client
        return
    # Workers that compile and sample hold the interpreter for longer than Dask's default allows;
    # one thread for linear algebra in each, else the processes would fight for the cores.
    quiet = {
        "distributed.comm.timeouts.connect": "60s",
        "distributed.worker.profile.enabled": False,
    }
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def _bar(total: int, *, done: int, wanted: bool) -> Iterator[Any]:
    """Yield a function that moves the bar by one; it does nothing without a terminal."""
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield lambda: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Replicates", total=total, completed=done)
        yield lambda: bar.advance(task)

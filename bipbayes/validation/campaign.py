"""Many replicates on a Dask cluster, which go on where they stopped."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from bipbayes.atomic import write_json
from bipbayes.cluster import dask_client
from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.progress import stage
from bipbayes.validation.replicate import replicate_path, run_replicate
from bipbayes.validation.settings import ValidationSettings

logger = logging.getLogger(__name__)
Task = Callable[..., object]


def run_validation(
    codebook: Codebook,
    *,
    settings: ValidationSettings,
    folder: Path,
    scheduler: str | None = None,
    workers: int | None = None,
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
    task = partial(run_replicate, settings=settings, folder=folder.resolve())
    with stage("replicates", total=len(numbers)) as running:
        running.advance(len(numbers) - len(missing))
        run_tasks(
            task, missing, shared=codebook, where=(scheduler, workers), advance=running.advance
        )
    return read_scores(folder, settings)


def run_tasks(
    task: Task,
    numbers: Sequence[int],
    *,
    shared: object,
    where: tuple[str | None, int | None],
    advance: Callable[[], None],
) -> None:
    """Run ``task(shared, number=number)`` for every number, here or on a cluster.

    Parameters
    ----------
    task
        Stores its own result.
    numbers
        Still to do.
    shared
        Sent to each worker once.
    where
        Address of a scheduler or ``None``; number of own processes (0: this process).
    advance
        Called after each.

    Raises
    ------
    RunError
        Some failed; the others ran.
    """
    failed: dict[int, str] = {}
    for number, error in _run(task, numbers, shared, where):
        if error:
            failed[number] = error
        advance()
    if failed:
        examples = "; ".join(f"{number}: {text}" for number, text in list(failed.items())[:3])
        raise RunError(f"{len(failed)} of {len(numbers)} tasks failed ({examples})")


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


def _run(
    task: Task, numbers: Sequence[int], shared: object, where: tuple[str | None, int | None]
) -> Iterator[tuple[int, str]]:
    """Yield each number with what went wrong, as tasks finish."""
    scheduler, workers = where
    if not numbers:
        return
    if workers != 0 or scheduler is not None:
        yield from _run_on_cluster(task, numbers, shared, where)
        return
    for number in numbers:
        task(shared, number=number)
        yield number, ""


def _run_on_cluster(
    task: Task, numbers: Sequence[int], shared: object, where: tuple[str | None, int | None]
) -> Iterator[tuple[int, str]]:
    distributed: Any = import_module("distributed")
    with dask_client(*where) as client:
        sent = client.scatter(shared, broadcast=True)
        futures = {
            client.submit(task, sent, number=number, pure=False): number for number in numbers
        }
        for future in distributed.as_completed(futures):
            error = future.exception()
            yield futures[future], "" if error is None else f"{type(error).__name__}: {error}"

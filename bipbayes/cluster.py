"""Work in other processes: a Dask cluster of this machine, or one that is there already."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from bipbayes.errors import RunError
from bipbayes.progress import unsaid

# Workers that compile and sample hold the interpreter for longer than Dask's default allows.
_PATIENCE = "10s"  # until a scheduler answers
_QUIET = {
    "distributed.comm.timeouts.connect": "60s",
    "distributed.worker.profile.enabled": False,
    # What a worker says that is interrupted, or ended between two heartbeats, is nothing for users;
    # faults of its work are raised here.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
}
# A process that died is started again within seconds; where none is there for so many rounds of so
# many seconds, none will be.
_ROUND, _ROUNDS = 20.0, 3
_DIED = (
    "processes that did the parts died again and again, most often for want of memory; try fewer "
    "--workers"
)
# Else the processes would fight for the cores.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def dask_client(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """Connect to a scheduler, or start a cluster of processes with one thread each.

    Parameters
    ----------
    scheduler
        Address, or ``None`` for a cluster of this machine.
    workers
        Processes of that cluster; ``None``: one for each core.
    """
    # Through importlib, since these packages are not typed throughout.
    dask: Any = import_module("dask")
    distributed: Any = import_module("distributed")

    if scheduler is not None:
        try:
            connected = distributed.Client(scheduler, timeout=_PATIENCE)
        except (OSError, ValueError):
            raise RunError(
                f"no Dask scheduler answers at {scheduler}; give --scheduler the address that "
                "'dask scheduler' prints"
            ) from None
        with connected as client:
            yield client
        return
    with (
        unsaid("distributed"),  # that a busy machine is slow to end processes is nothing for users
        dask.config.set(_QUIET),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            env=_ONE_THREAD,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@dataclass
class Workers:
    """Processes that compute functions of many items, started when first needed.

    Parameters
    ----------
    scheduler
        Address of a Dask scheduler, or ``None``.
    count
        Processes of this machine; 0: this process itself, ``None``: one for each core.
    """

    scheduler: str | None = None
    count: int | None = 0
    _client: Any = field(default=None, init=False, repr=False)
    _came: bool = field(default=False, init=False, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def map[Item, Result](
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield the function of each item, in the items' order; a lost worker's work is redone."""
        if self.scheduler is None and self.count == 0:
            yield from map(function, items)
            return
        if self._client is None:
            self._client = self._stack.enter_context(dask_client(self.scheduler, self.count))
        futures = [self._client.submit(function, item, pure=False) for item in items]
        futures.reverse()
        while futures:
            try:
                result = self._result(futures.pop())  # released at once: results do not pile up
            except import_module("distributed").KilledWorker:
                raise RunError(_DIED) from None
            yield result

    def _result(self, future: Any) -> Any:
        """Wait for a result as long as there are processes that may compute it.

        Those of a scheduler elsewhere may stand in a queue: they are missed once they have been
        there.
        """
        deserted = 0
        while deserted < _ROUNDS:
            try:
                return future.result(timeout=_ROUND)
            except TimeoutError:
                if future.done():  # meanwhile, or it is the function's own
                    return future.result()
            if self._client.nthreads():
                deserted, self._came = 0, True
            elif self._came or self.scheduler is None:
                deserted += 1
        raise RunError(_DIED)

    def close(self) -> None:
        """Let the processes go."""
        self._client = None
        self._stack.close()

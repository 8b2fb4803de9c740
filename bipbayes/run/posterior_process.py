"""Fit models in a process of its own, beside the work that needs no posterior.

A second process imports what fitting needs while this one reads, and fits while this one
estimates, describes and draws; PyMC and nutpie are imported where a model is to be sampled. It
stores the draws; everything else in the run's folder is written by the main process, which also
says what it has to say.
"""

import logging
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

import xarray as xr

from bipbayes.errors import FitError
from bipbayes.estimands.draws import hyperparameters
from bipbayes.helpers import Processes
from bipbayes.run.inputs import Run
from bipbayes.run.messages import Sender, listening
from bipbayes.sampling.registry import ENGINE_MODULES

if TYPE_CHECKING:
    from bipbayes.data.sample import Samples
    from bipbayes.estimands.posterior import Posterior

_STAGE: Final = "bipbayes.run.posterior_stage"


class PosteriorProcess(Processes):
    """One process that fits the models handed in, one after the other.

    Parameters
    ----------
    engines
        That the models will be fitted by, whose modules are imported at once.

    Examples
    --------
    >>> with PosteriorProcess(["exact"]) as process:   # begins to import
    ...     analysis = process.fit(run, changes)
    ...     ...                                          # goes on here
    ...     posteriors = [process.wait(fit) for fit in analysis.fits]
    """

    def __init__(self, engines: Sequence[str]) -> None:
        self._stack = ExitStack()
        connection = self._stack.enter_context(listening())
        level = logging.getLogger("bipbayes").getEffectiveLevel()
        super().__init__(1, initializer=_begin, arguments=(connection, level))
        self._process: Future[int] = self.early_job(_import, list(engines))

    def fit(self, run: Run, changes: "xr.Dataset | Samples") -> "Fitting":
        """Hand in the fits of an open run's analysis, one a model; its cells are made here."""
        from bipbayes.run.posterior_stage import cells_of_run

        cells, light = cells_of_run(run, changes), run.without_responses()
        fits = [self.job(_fit, light, model, cells) for model in run.settings.models]
        return Fitting(run, changes, cells, fits, self)

    def wait(self, fit: "Future[Posterior]") -> "Posterior":
        """Wait for a fit.

        Returns
        -------
        Posterior
            Its draws are stored, its rows are not; its fit lacks the draws of the terms.

        Raises
        ------
        BipbayesError
            What the fit raised.
        FitError
            The process died, most often for want of memory.
        """
        try:
            try:
                return fit.result()
            except KeyboardInterrupt:
                # The same key stopped the sampler, which hands over what it has.
                return fit.result()
        except BrokenProcessPool as error:
            raise FitError(
                "the process that fits the model died, most often for want of memory; "
                "try fewer --draws or --chains"
            ) from error

    def close(self, *, wait: bool = True) -> None:
        """End the process; without waiting, what it is fitting is given up."""
        super().close(wait=wait)
        if not wait and self._process.done() and self._process.exception() is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.result(), signal.SIGTERM)
        self._stack.close()


@dataclass(frozen=True)
class Fitting:
    """An analysis whose models are being fitted: its run, changes, cells and a future a model."""

    run: Run
    changes: "xr.Dataset | Samples"
    cells: xr.Dataset
    fits: "list[Future[Posterior]]"
    process: PosteriorProcess


def _begin(connection: "Connection[Any, Any]", level: int) -> None:
    Sender(connection).begin(level)


def _import(engines: list[str]) -> int:
    """Import what fitting needs; returns the process."""
    import_module(_STAGE)
    for engine in engines:
        import_module(ENGINE_MODULES[engine])
    return os.getpid()


def _fit(run: Run, model: str, cells: xr.Dataset) -> "Posterior":
    # Helpers are deaf to Ctrl-C, but a sampler that is stopped hands over what it has.
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        posterior: Posterior = import_module(_STAGE).compute_posterior(run, model, cells=cells)
    finally:
        signal.signal(signal.SIGINT, deaf)
    return replace(posterior, fit=_without_effects(posterior.fit))


def _without_effects(fit: xr.DataTree) -> xr.DataTree:
    """Leave out what is large, stands in the file and is not read there again: draws of terms."""
    kept = {"posterior": hyperparameters(fit), "sample_stats": fit["sample_stats"].to_dataset()}
    lean = xr.DataTree.from_dict(kept)
    lean.attrs = fit.attrs
    return lean

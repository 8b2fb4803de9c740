"""Fits as files: written whole or not at all, read with checks."""

import errno
import os
import shutil
from pathlib import Path
from typing import Final

import xarray as xr

from bipbayes.atomic import atomic_path
from bipbayes.errors import FitError

ENGINE: Final = "h5netcdf"
_ROOM: Final = 2_000_000  # bytes, of a file beside its numbers
GROUPS: Final = ("posterior", "sample_stats", "observed_data", "constant_data")


def save_fit(path: Path, fit: xr.DataTree) -> None:
    """Write a fit; a reader sees the old file or the whole new one.

    Parameters
    ----------
    path
        Of the file, such as ``posterior/hierarchical.nc``; folders are made.
    fit
        From `bipbayes.sampling.fit.sample`.

    Raises
    ------
    OSError
        The disk has no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # HDF5 does not survive a disk that fills while it writes: the whole process would die.
    if shutil.disk_usage(path.parent).free < fit.nbytes + _ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    # Not compressed: that saves a twentieth of the file and takes longer than all draws.
    with atomic_path(path) as temporary:
        fit.to_netcdf(temporary, engine=ENGINE)


def load_fit(path: Path) -> xr.DataTree:
    """Read a fit into memory; the file is closed again.

    Raises
    ------
    FitError
        The file is missing, damaged, or holds something else.
    """
    if not path.is_file():
        raise FitError(f"there is no fit {path}; run fit-posterior first")
    try:
        fit = xr.load_datatree(path, engine=ENGINE)
    except (OSError, ValueError, KeyError) as error:
        raise FitError(f"{path} cannot be read as a fit ({error}); fit the model again") from error
    missing = [name for name in GROUPS if name not in fit.children]
    if missing or "terms" not in fit.attrs:
        lacking = ", ".join(missing) or "the names of its terms"
        raise FitError(f"{path} is no fit of this package: it lacks {lacking}")
    return fit

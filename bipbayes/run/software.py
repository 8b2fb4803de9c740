"""Versions of what a run is made with; imported by itself, also where a package is broken."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGES: Final = (
    "bipbayes",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "statsmodels",
    "pymc",
    "pytensor",
    "nutpie",
    "numba",
    "arviz",
    "arviz-base",
    "arviz-stats",
    "arviz-plots",
    "matplotlib",
    "h5netcdf",
)


def software() -> dict[str, str]:
    """Return the versions of Python, of the system and of every package that matters."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

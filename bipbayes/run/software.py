"""Versions of what a run is made with; imported by itself, also where a package is broken."""

import platform
from functools import cache
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


@cache
def _version(package: str) -> str:
    """Return a version; finding it reads all that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def software() -> dict[str, str]:
    """Return the versions of Python, of the system and of every package that matters."""
    system = {"python": platform.python_version(), "system": platform.platform()}
    return system | {package: _version(package) for package in PACKAGES}

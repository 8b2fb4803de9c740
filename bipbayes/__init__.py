"""Bayesian hierarchical models of progression beside their OLS baseline.

    import bipbayes as bb

    study = bb.read("survey.sav", codebook="study.toml")   # or bb.synthetic_bip()
    ols = bb.ols(study)
    fit = bb.fit(study, "hierarchical")
    both = bb.compare(ols, fit)
    both.forest("sleep")
    fit.contrast("J+S - J")
    bb.report(both, "report.html")
    fit = bb.load("results")                               # what the command line stored

Everything else in the package is private. What each object knows: ``help(bipbayes.Fit)``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bipbayes.api.comparisons import Comparison, compare
    from bipbayes.api.estimates import Intervals, ols
    from bipbayes.api.fits import Fit, fit
    from bipbayes.api.pictures import FigureOptions
    from bipbayes.api.report import report
    from bipbayes.api.stored import load
    from bipbayes.api.study import Study, read, synthetic_bip
    from bipbayes.errors import BipbayesError

__all__ = [
    "BipbayesError",
    "Comparison",
    "FigureOptions",
    "Fit",
    "Intervals",
    "Study",
    "compare",
    "fit",
    "load",
    "ols",
    "read",
    "report",
    "synthetic_bip",
]

# Imported when they are asked for: the command line starts without them.
_HOMES = {
    "BipbayesError": "errors",
    "Comparison": "api.comparisons",
    "FigureOptions": "api.pictures",
    "Fit": "api.fits",
    "Intervals": "api.estimates",
    "Study": "api.study",
    "compare": "api.comparisons",
    "fit": "api.fits",
    "load": "api.stored",
    "ols": "api.estimates",
    "read": "api.study",
    "report": "api.report",
    "synthetic_bip": "api.study",
}


def __getattr__(name: str) -> Any:
    """Import a public name, or look the version up, when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("bipbayes")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)

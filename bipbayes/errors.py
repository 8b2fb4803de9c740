"""Errors that users see: sentences that say what is wrong, where, how often and what to do."""

from collections.abc import Sequence


class BipbayesError(Exception):
    """Base of every error that the package raises on purpose."""


class DataError(BipbayesError):
    """The data file cannot be used as it is."""


class CodebookError(BipbayesError):
    """The codebook is incomplete or contradicts itself."""


class SettingsError(BipbayesError):
    """An option or a combination of options makes no sense."""


class RunError(BipbayesError):
    """A run folder lacks something, or holds the results of another run."""


class ModelError(BipbayesError):
    """A model file does not keep to the contract of ``models/``."""


class FitError(BipbayesError):
    """Sampling failed or did not finish."""


def raise_all(error: type[BipbayesError], heading: str, faults: Sequence[str]) -> None:
    """Raise one error that names all faults, or return where there are none.

    Parameters
    ----------
    error
        The class to raise.
    heading
        One sentence saying what was refused.
    faults
        One sentence for each fault.
    """
    if faults:
        raise error("\n".join([heading, *(f"  - {fault}" for fault in faults)]))

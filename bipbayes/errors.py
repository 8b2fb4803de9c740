"""Errors that users see: sentences that say what is wrong, where, how often and what to do."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


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


def unknown(what: str, given: object, allowed: Iterable[object], *, near: float = 0.6) -> str:
    """Say that a value is none of those allowed, and which it may have been meant to be.

    Parameters
    ----------
    what
        What was given: ``outcome``, ``jobcenter``.
    given
        The value.
    allowed
        All that would have done.
    near
        Share of letters, as difflib counts them, that what was meant has in common with it.

    Examples
    --------
    >>> unknown("outcome", "Slep", ["sleep", "pain"])
    "outcome 'Slep' is unknown; known: sleep, pain; did you mean 'sleep'?"
    """
    known = [str(value) for value in allowed]
    plain = {name.casefold(): name for name in reversed(known)}
    close = get_close_matches(str(given).casefold(), plain, n=1, cutoff=near)
    meant = f"; did you mean {plain[close[0]]!r}?" if close else ""
    return f"{what} {given!r} is unknown; known: {', '.join(known) or 'none'}{meant}"

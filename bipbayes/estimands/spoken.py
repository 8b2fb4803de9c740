"""A statement in words, such as ``J > 0 in at least 15 indicators``, and its probability.

statement   effect SIGN effect-or-number [in PLACE]
effect      a combination or the difference of two: ``J``, ``J+S``, ``J+S - J``, ``none``
PLACE       an outcome's code, a jobcenter's name, or a count of indicators or of jobcenters:
``at least 15 indicators``, ``at most 2 jobcenters``, ``all indicators``, ``any``
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.words import LANGUAGES, study_words
from bipbayes.errors import SettingsError, unknown
from bipbayes.estimands.draws import scaled_indicators
from bipbayes.estimands.posterior import Posterior
from bipbayes.estimands.query import OBSERVED, Effect, Weights, cell_effects, outcome_effects
from bipbayes.intervals import ALL_INDICATORS

_STATEMENT: Final = re.compile(r"\s*(.+?)\s*([<>])=?\s*(.+?)(?:\s+in\s+(.+?))?\s*")
_COUNT: Final = re.compile(r"(?:(at least|at most)\s+(\d+)|(all|any))(?:\s+of)?(?:\s+the)?\s+(.+)")
_INDICATORS: Final = ("indicators", "indicator")


@dataclass(frozen=True)
class Statement:
    """What is said of effects.

    Attributes
    ----------
    first
        The effect on the left.
    sign
        ``>`` or ``<``.
    second
        The effect or the number that it is compared with.
    place
        What stands behind ``in``; ``""`` means over all indicators.
    """

    first: Effect
    sign: str
    second: Effect | float
    place: str = ""


def read_statement(text: str, codebook: Codebook) -> Statement:
    """Read a statement; raises `SettingsError` naming what is not understood."""
    found = _STATEMENT.fullmatch(text)
    if found is None:
        raise SettingsError(f"the statement {text!r} is not understood; {_examples(codebook)}")
    left, sign, right, place = found.groups(default="")
    return Statement(Effect.of(left, codebook), sign, _side(right, codebook), place)


def probability(
    statement: Statement, posterior: Posterior, codebook: Codebook, *, weights: Weights = OBSERVED
) -> float:
    """Return the posterior probability of a statement: the share of draws in which it holds.

    Parameters
    ----------
    statement
        From `read_statement`.
    posterior, codebook, weights
        As for `bipbayes.estimands.query.outcome_effects`; a statement on jobcenters takes no
        weights.

    Returns
    -------
    float
        ``NaN`` where the model says nothing about one of the effects.
    """
    place = statement.place
    count = _COUNT.fullmatch(place)
    if count is None and place not in posterior.cells["jobcenter"].to_numpy():
        outcome = place or ALL_INDICATORS
        outcomes = (*codebook.outcomes, ALL_INDICATORS)
        if outcome not in outcomes:
            raise SettingsError(_unknown_place(place, codebook, posterior))
        draws = outcome_effects(posterior, codebook, weights=weights)
        return _share(statement, draws, [outcome], at_least=1)
    if count is None:
        return _share(statement, _by_jobcenter(posterior), [place], at_least=1)
    word, asked, every, things = count.groups()
    if things in _INDICATORS:
        draws = outcome_effects(posterior, codebook, weights=weights)
        names = [str(name) for name in codebook.indicator_codes]
        scaled = scaled_indicators(posterior.cells)
        names = [name for name in names if bool(scaled.sel(indicator=name))]
    elif things in _jobcenter_words(codebook):
        draws = _by_jobcenter(posterior)
        names = [str(name) for name in draws["outcome"].to_numpy()]
    else:
        allowed = (*_INDICATORS[:1], *_jobcenter_words(codebook)[:2])
        raise SettingsError(f"{unknown('in', things, allowed)}; {_examples(codebook)}")
    least = {"all": len(names), "any": 1}[every] if every else int(asked)
    if least > len(names):
        raise SettingsError(f"in {place}: there are only {len(names)} {things}")
    if word == "at most" and least == len(names):
        return 1.0
    if word == "at most":
        return 1.0 - _share(statement, draws, names, at_least=least + 1)
    return _share(statement, draws, names, at_least=least)


def _share(
    statement: Statement, draws: xr.DataArray, outcomes: Sequence[str], *, at_least: int
) -> float:
    """Share of draws in which the statement holds in so many of the outcomes."""
    difference, beyond = statement.first.draws(draws), 0.0
    if isinstance(statement.second, Effect):
        difference = difference - statement.second.draws(draws)
    else:
        beyond = statement.second
    if statement.sign == "<":
        difference, beyond = -difference, -beyond
    chosen = difference.sel(outcome=list(outcomes))
    holds = (chosen > beyond).sum("outcome") >= at_least
    return float(holds.mean()) if bool(chosen.notnull().all()) else float("nan")


def _by_jobcenter(posterior: Posterior) -> xr.DataArray:
    """Effects over all indicators by jobcenter, which stand in the place of the outcomes."""
    effects, cells = cell_effects(posterior), posterior.cells
    scaled = scaled_indicators(cells).sel(indicator=effects["indicator"]).to_numpy()
    mean = effects.isel(indicator=np.flatnonzero(scaled)).mean("indicator", skipna=False)
    return mean.rename(jobcenter="outcome")


def _side(text: str, codebook: Codebook) -> Effect | float:
    try:
        return float(text)
    except ValueError:
        return Effect.of(text, codebook)


def _examples(codebook: Codebook) -> str:
    """Show in the study's own codes what is understood."""
    code, item = codebook.treatment_codes[0], codebook.indicator_codes[0]
    half = len(codebook.indicators) // 2
    return (
        f"such as '{code} > 0', '{code} > none in {item}', "
        f"'{code} - none > 0.1 in at least {half} indicators' are understood"
    )


def _jobcenter_words(codebook: Codebook) -> tuple[str, ...]:
    """Words for jobcenters in the plural and singular: the package's and the study's."""
    own = (study_words(codebook.words, language) for language in LANGUAGES)
    said = [word for names in own for word in (names["jobcenters"], names["jobcenter"])]
    return tuple(dict.fromkeys([said[0], "jobcenters", *said, "jobcenter"]))


def _unknown_place(place: str, codebook: Codebook, posterior: Posterior) -> str:
    sites = (str(name) for name in posterior.cells["jobcenter"].to_numpy())
    known = (*codebook.outcomes, ALL_INDICATORS, *sites)
    return f"{unknown('in', place, known)}; or a count, such as in at least 2 indicators"

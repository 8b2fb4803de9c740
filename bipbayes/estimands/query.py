"""What a user asks for: effects and contrasts, weighted as wanted, and a statement's probability.

A statement in words, such as ``J > 0 in at least 15 indicators``, and its probability.

statement   effect SIGN effect-or-number [in PLACE], several joined by ``and``
effect      a combination or the difference of two: ``J``, ``J+S``, ``J+S - J``, ``none``
PLACE       an outcome's code, a jobcenter's name, or a count of indicators or of jobcenters:
``at least 15 indicators``, ``at most 2 jobcenters``, ``all indicators``, ``any``
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.cells.means import standard_weights
from bipbayes.data.codebook import Codebook
from bipbayes.data.study_words import study_words
from bipbayes.errors import SettingsError, raise_all, unknown
from bipbayes.estimands.draws import (
    effect_draws,
    new_jobcenter_draws,
    new_jobcenter_effects,
    outcome_draws,
    scaled_indicators,
)
from bipbayes.estimands.intervals import IntervalSettings, answer_counts, summary_rows
from bipbayes.estimands.posterior import Posterior, progress_draws
from bipbayes.intervals import ALL_INDICATORS, PRIOR_DRIVEN, places_moved
from bipbayes.phrases import LANGUAGES
from bipbayes.sampling.diagnose import points_of
from bipbayes.sampling.labels import SAMPLE

OBSERVED: Final = "observed"
STANDARDISED: Final = "standardised"
NEW: Final = "new"
WEIGHTINGS: Final = (OBSERVED, STANDARDISED, NEW)

type Weights = str | Mapping[str, float]


@dataclass(frozen=True)
class Effect:
    """An effect that was asked for by name.

    Attributes
    ----------
    first, second
        Combinations as digits; ``second`` is what is subtracted, ``""`` where nothing is.
    """

    first: str
    second: str = ""

    @classmethod
    def of(cls, text: str, codebook: Codebook, *, contrast: bool = False) -> "Effect":
        """Read ``J+S``, ``none`` or ``J+S - J``.

        Parameters
        ----------
        text
            Combinations by their treatments in any order, or by their digits.
        codebook
            Names the treatments.
        contrast
            Whether a combination alone means its difference to no treatment.

        Raises
        ------
        SettingsError
            A treatment is unknown, or there is more than one difference.
        """
        parts = str(text).split("-")
        if len(parts) > 2:
            raise SettingsError(f"{text!r}: give a combination, or the difference of two")
        first, *others = (codebook.combination_of(part) for part in parts)
        if contrast and not others:
            others = [codebook.no_treatment]
        return cls(first, *others)

    def label(self, codebook: Codebook) -> str:
        """Return the effect in words, as `of` reads it."""
        return " - ".join(
            codebook.combination_label(code) for code in (self.first, self.second) if code
        )

    def draws(self, effects: xr.DataArray) -> xr.DataArray:
        """Pick the effect out of draws by ``combination``, which the result lacks."""
        first = effects.sel(combination=self.first, drop=True)
        return first - effects.sel(combination=self.second, drop=True) if self.second else first


def outcome_effects(
    posterior: Posterior,
    codebook: Codebook,
    *,
    weights: Weights = OBSERVED,
    effects: xr.DataArray | None = None,
) -> xr.DataArray:
    """Average effects over jobcenters as asked.

    Parameters
    ----------
    posterior
        A judged fit.
    codebook
        The study's.
    weights
        ``observed`` (jobcenters as they occur in each combination: OLS's own estimand),
        ``standardised`` (alike in all combinations, by their share of all responses), ``new``
        (what to expect in a jobcenter not seen), or a weight for each jobcenter by name; those
        left out count nothing, and the sum is scaled to one.
    effects
        From `cell_effects`, where they are there already.

    Returns
    -------
    xarray.DataArray
        Dims ``chain, draw, combination, outcome``.

    Raises
    ------
    SettingsError
        Unknown jobcenters or weights, or a model from which no new jobcenter can be drawn.
    """
    cells = posterior.cells
    if isinstance(weights, str) and weights not in WEIGHTINGS:
        raise SettingsError(f"{unknown('weights', weights, WEIGHTINGS)}; or a weight by name")
    if weights == OBSERVED:
        return posterior.draws["effect"]
    if weights == NEW:
        anew = new_jobcenter_effects(posterior.fit, cells)
        if anew is None:
            raise SettingsError(
                f"weights 'new': {posterior.model} has no variation to draw a new one from"
            )
        return new_jobcenter_draws(progress_draws(anew, cells), cells, codebook)
    own = None if isinstance(weights, str) else _own_weights(weights, cells)
    chosen = standard_weights(cells) if own is None else own
    full = chosen.broadcast_like(cells["n_outcome"]).transpose(*cells["n_outcome"].dims)
    effects = cell_effects(posterior) if effects is None else effects
    return outcome_draws(effects, full, cells, codebook=codebook)


def cell_effects(posterior: Posterior) -> xr.DataArray:
    """Return the draws of every cell, dims ``chain, draw, combination, jobcenter, indicator``."""
    cells = posterior.cells
    return progress_draws(effect_draws(posterior.fit, cells), cells)


def effect_frame(
    posterior: Posterior,
    codebook: Codebook,
    asked: Sequence[Effect],
    *,
    outcomes: Sequence[str],
    settings: IntervalSettings,
    weights: Weights = OBSERVED,
    effects: xr.DataArray | None = None,
) -> pd.DataFrame:
    """Summarise effects or contrasts, weighted as asked.

    Parameters
    ----------
    posterior, codebook, weights, effects
        As for `outcome_effects`.
    asked, outcomes
        Which effects of which outcomes, in the order of the rows.
    settings
        Level and kind of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``effect``, ``outcome``, ``n`` and ``n_citizens`` (of the first combination, in the
        jobcenters that count), for a difference ``n_reference``, then ``weights`` (the word, or
        ``own``), estimate, limits, probabilities and diagnostics as in the long frame; ``note``
        is ``prior-driven`` where no answer stands behind a combination.
    """
    averaged = outcome_effects(posterior, codebook, weights=weights, effects=effects)
    averaged = averaged.sel(outcome=list(outcomes))
    labels = [effect.label(codebook) for effect in asked]
    array = xr.concat([effect.draws(averaged) for effect in asked], dim="effect")
    array = array.assign_coords(effect=labels).transpose(*SAMPLE, "effect", "outcome")
    frame = summary_rows(array, settings, points_of(posterior.fit))
    cells = posterior.cells
    if not isinstance(weights, str):
        cells = cells.sel(jobcenter=[name for name, share in weights.items() if share > 0])
    counts = answer_counts(cells, codebook)
    counts = counts[counts["jobcenter"] == ""].set_index(["combination", "outcome"])
    sides = {"first": [each.first for each in asked], "second": [each.second for each in asked]}
    places = {
        side: pd.MultiIndex.from_arrays(
            [frame["effect"].map(dict(zip(labels, codes, strict=True))), frame["outcome"]]
        )
        for side, codes in sides.items()
    }
    first, second = (counts.reindex(place) for place in places.values())
    empty = (first["answers"] == 0).to_numpy() | (second["answers"] == 0).to_numpy()
    frame["n"], frame["n_citizens"] = first["n"].to_numpy(), first["n_citizens"].to_numpy()
    frame["n_reference"] = second["n"].to_numpy()
    frame["level"], frame["kind"] = settings.level, settings.kind
    frame["weights"] = weights if isinstance(weights, str) else "own"
    frame["places_moved"] = places_moved(frame["estimate"])
    frame["note"] = np.where(empty & frame["estimate"].notna().to_numpy(), PRIOR_DRIVEN, "")
    frame = frame[[name for name in _COLUMNS if frame[name].notna().any()]]
    return frame.astype({name: "Int64" for name in frame if name in COUNTS})


COUNTS: Final = ("n", "n_citizens", "n_reference")
_COLUMNS: Final = (
    *("effect", "outcome", *COUNTS, "weights"),
    *("estimate", "se", "lower", "upper", "level", "kind", "p_positive", "p_wrong_sign"),
    *("p_rope", "ess_bulk", "ess_tail", "r_hat", "mcse", "places_moved", "note"),
)


def _own_weights(weights: Mapping[str, float], cells: xr.Dataset) -> xr.DataArray:
    """Return a user's weights by jobcenter, scaled to one."""
    known = [str(name) for name in cells["jobcenter"].to_numpy()]
    faults = [unknown("weights: site", name, known) for name in weights if name not in known]
    faults += [
        f"the weight of {name} is {share}: it must be a number from 0 on"
        for name, share in weights.items()
        if not (np.isfinite(share) and share >= 0)
    ]
    if not faults and not sum(weights.values()) > 0:
        faults = ["the weights sum to 0: at least one must be positive"]
    raise_all(SettingsError, "These weights were refused:", faults)
    shares = np.array([float(weights.get(name, 0.0)) for name in known])
    return xr.DataArray(shares / shares.sum(), coords={"jobcenter": known}, dims="jobcenter")


_SIGN: Final = re.compile("[<>]")
_STATEMENT: Final = re.compile(r"\s*([^<>]+?)\s*([<>])=?\s*([^<>=]+?)(?:\s+in\s+([^<>]+?))?\s*")
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


def read_statements(text: str, codebook: Codebook) -> list[Statement]:
    """Read statements joined by ``and``; raises `SettingsError` naming what is not understood."""
    return [_read_statement(part, codebook) for part in _joined(text)]


def _joined(text: str) -> list[str]:
    """Part a text at each ``and`` that has a sign on both sides: labels may hold the word too."""
    parts: list[str] = []
    for piece in re.split(r"\s+and\s+", text):
        if parts and not (_SIGN.search(parts[-1]) and _SIGN.search(piece)):
            parts[-1] += f" and {piece}"
        else:
            parts.append(piece)
    return parts


def _read_statement(text: str, codebook: Codebook) -> Statement:
    found = _STATEMENT.fullmatch(text)
    if found is None:
        raise SettingsError(f"the statement {text!r} is not understood; {_examples(codebook)}")
    left, sign, right, place = found.groups(default="")
    return Statement(Effect.of(left, codebook), sign, _side(right, codebook), place)


def probability(
    statements: Sequence[Statement],
    posterior: Posterior,
    codebook: Codebook,
    *,
    weights: Weights = OBSERVED,
) -> float:
    """Return the posterior probability that statements hold together: the share of draws.

    Parameters
    ----------
    statements
        From `read_statements`.
    posterior, codebook, weights
        As for `bipbayes.estimands.query.outcome_effects`; a statement on jobcenters takes no
        weights.

    Returns
    -------
    float
        ``NaN`` where the model says nothing about one of the effects.
    """
    shares = [_holds(each, posterior, codebook, weights=weights) for each in statements]
    return float(
        xr.concat(shares, dim="statement").min("statement", skipna=False).mean(skipna=False)
    )


def _holds(
    statement: Statement, posterior: Posterior, codebook: Codebook, *, weights: Weights
) -> xr.DataArray:
    """Return 1 for each draw in which a statement holds, 0 otherwise, ``NaN`` where unsaid."""
    place = statement.place
    count = _COUNT.fullmatch(place)
    if count is None and place not in posterior.cells["jobcenter"].to_numpy():
        outcome = place or ALL_INDICATORS
        outcomes = (*codebook.outcomes, ALL_INDICATORS)
        if outcome not in outcomes:
            raise SettingsError(_unknown_place(place, codebook, posterior))
        draws = outcome_effects(posterior, codebook, weights=weights)
        return _counted(statement, draws, [outcome], at_least=1)
    if count is None:
        return _counted(statement, _by_jobcenter(posterior), [place], at_least=1)
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
        return xr.ones_like(draws.isel(combination=0, outcome=0, drop=True))
    if word == "at most":
        return 1.0 - _counted(statement, draws, names, at_least=least + 1)
    return _counted(statement, draws, names, at_least=least)


def _counted(
    statement: Statement, draws: xr.DataArray, outcomes: Sequence[str], *, at_least: int
) -> xr.DataArray:
    """Say draw by draw whether the statement holds in so many of the outcomes."""
    difference, beyond = statement.first.draws(draws), 0.0
    if isinstance(statement.second, Effect):
        difference = difference - statement.second.draws(draws)
    else:
        beyond = statement.second
    if statement.sign == "<":
        difference, beyond = -difference, -beyond
    chosen = difference.sel(outcome=list(outcomes))
    holds = (chosen > beyond).sum("outcome") >= at_least
    return holds.astype(float).where(chosen.notnull().all("outcome"))


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

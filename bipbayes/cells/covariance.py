"""Working covariances of the cell means: one implementation for plain, adjusted, ordinal cells.

==============  ====================================  ==========================================
``iid``         diag(S0[k, k] / n[k])                 all answers independent
``response``    S0 * (o'o) / (n n')                   answers of one response are correlated
``citizen``     (N * (a'a) + D * (o'o) + C * (p'p))   and changes of one citizen that share an
                / (n n')                              answer are, and so is what persists in a
                                                      citizen
==============  ====================================  ==========================================

``*`` is elementwise; n n' holds the products of the numbers of answers (for weighted scores: of
their information); o, a, p are the weights by response, by answer and by citizen
(`bipbayes.cells.products.Grams`). A change is the difference of two answers, each with noise N,
plus a real change D of its own, plus what persists in the citizen, C. With S0 the covariance
within a response, S1 between neighbouring changes and s the share of joint changes that start
from the same response (1 without gaps),

    S0 = C + D + (1 + s) N,    S1 = C - N,    so    N = C - S1,    D = S0 - C - (1 + s) N,

without gaps and persistence N = -S1, D = S0 + 2 S1; V n² is then S0 n + S1 (neighbouring pairs in
the cell, both directions). V is a sum of elementwise products of positive semi-definite matrices,
and positive definite because D and S0 are and o'o has a positive diagonal.

Estimates of C, N and D need not be positive semi-definite. C is kept between zero and a third of
S0 + 2 S1 (= D + 3 C) in every direction. In the directions u in which S1 - C and
T = S0 - C + (s - 1)(S1 - C) are both diagonal (u'Tu = 1, u'(S1 - C)u = r), a change consists of
noise, -2 r, and of real change, 1 + 2 r. Where 1 + 2 r falls short, r is raised: D is clipped and
N gives way, so that the variance of a single change stays as estimated. (Clipping the two one by
one would inflate it: in a simulation of 300 citizens by 22 % against 10 %.) Where r is positive,
neighbours covary more than other changes of a citizen, no answer's noise is left and r is zero.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy.linalg import eigh

from bipbayes.cells.moments import Moments, estimate_moments
from bipbayes.cells.products import Products
from bipbayes.data.sample import Booleans, Floats, Integers
from bipbayes.data.study_words import by_language
from bipbayes.phrases import decimals_marked, phrases_of, worded
from bipbayes.stored_frames import filled

logger = logging.getLogger(__name__)

IID: Final = "iid"
RESPONSE: Final = "response"
CITIZEN: Final = "citizen"
VCOV: Final = (IID, RESPONSE, CITIZEN)
# Smallest eigenvalue: of S0 in shares of the mean variance, of D in shares of T. Well below
# what questionnaires show; without it a direction could count as known without error.
FLOOR: Final = 1e-3


@dataclass(frozen=True)
class Repair:
    """What made a matrix positive definite.

    Attributes
    ----------
    raised
        How many eigenvalues were raised (of C: raised or lowered).
    lowest
        The smallest before, in shares of the variance of a change.
    added
        Trace of what was added, in shares of the trace of S0.
    """

    raised: int
    lowest: float
    added: float


@dataclass(frozen=True)
class Parts:
    """The matrices of a working covariance, shape (indicator, indicator).

    Attributes
    ----------
    change, noise, person
        What multiplies o'o, a'a and p'p: S0 (or its diagonal), zero, zero; under ``citizen``
        D, N and C.
    repairs
        What was clipped, by matrix.
    unknown
        Indicators whose variance could not be estimated and counts as that of all progression.
    """

    change: Floats
    noise: Floats
    person: Floats
    repairs: Mapping[str, Repair]
    unknown: int


def working_covariance(
    products: Products,
    information: Floats,
    indicators: Sequence[str],
    *,
    respondent: Integers,
    vcov: str,
    blocks: tuple[int, int],
    say: Callable[[str, str], str] = lambda text, language: text,
) -> xr.Dataset:
    """Put the working covariance of the cells' estimates into named arrays.

    `products`: of all parts, from `bipbayes.cells.products.residual_products`; `information`: of
    the cells, shape (cell, indicator); `indicators`: codes, in the scores' order; `respondent`:
    position of each indicator's respondent; `vcov`: ``iid``, ``response`` or ``citizen``; `blocks`:
    number of combinations and of jobcenters; `say`: puts the study's words into sentences
    of a language (`bipbayes.data.codebook.Codebook.say`).

    Returns: ``vcov[combination, jobcenter, indicator, indicator_]``, ``NaN`` without answers; as
    estimated ``residual_covariance`` S0, ``lag_covariance`` S1, ``common_starts`` s; as used
    ``change_covariance`` D (S0 but for ``citizen``), ``noise_covariance`` N and
    ``persistent_covariance`` C (zero but for ``citizen``) ``[indicator, indicator_]``. Attrs
    ``repair`` (a sentence, empty where none was needed; of other languages than English
    with the language behind the name), ``repair_added`` (share of the trace of S0),
    ``repair_lowest``, ``repair_raised``, ``neighbouring_pairs``, ``other_pairs``,
    ``persistence_shrinkage``. Coords of the indicators only.
    """
    grams = products.grams
    found = estimate_moments(products, information, respondent=respondent)
    used = parts(found, vcov=vcov)
    known = both(information > 0)
    divisor = information[:, :, None] * information[:, None, :]
    total = used.person * grams.person + used.noise * grams.shared + used.change * grams.joint
    covariance = np.where(known, total / np.where(known, divisor, 1.0), np.nan)
    count, square = len(indicators), ("indicator", "indicator_")
    data = xr.Dataset(
        {
            "vcov": (
                ("combination", "jobcenter", *square),
                covariance.reshape(*blocks, count, count),
            ),
            "residual_covariance": (square, found.response),
            "lag_covariance": (square, found.neighbour),
            "common_starts": (square, found.common),
            "change_covariance": (square, used.change),
            "noise_covariance": (square, used.noise),
            "persistent_covariance": (square, used.person),
        },
        coords={"indicator": list(indicators), "indicator_": list(indicators)},
        attrs=_attrs(used, found, vcov=vcov, say=say),
    )
    _log(data, used, vcov=vcov)
    return data


def parts(found: Moments, *, vcov: str) -> Parts:
    """Turn moments into D, N and C, all positive semi-definite.

    Parameters
    ----------
    found
        From `bipbayes.cells.moments.estimate_moments`.
    vcov
        ``iid``, ``response`` or ``citizen``.
    """
    # Progression is standardised: where no cell has two answers, its variance is taken as 1.
    unknown = np.diag(found.response) <= 0
    own = found.response + np.diag(np.where(unknown, 1 - np.diag(found.response), 0.0))
    person, noise = np.zeros((2, *own.shape))
    repairs: dict[str, Repair] = {}
    if vcov == IID:
        change = np.diag(np.diag(own))
    elif vcov == RESPONSE:
        change, repairs["S0"] = clipped(own)
    else:
        person, repairs["C"] = persistent(found.person, own, found.neighbour)
        lag = found.neighbour - person
        variance = float(np.diag(own).mean())
        start, repairs["S0"] = clipped(own - person + (found.common - 1) * lag, variance)
        noise, change, split = separated(start, lag)
        repairs |= split
    kept = {name: entry for name, entry in repairs.items() if entry.raised}
    return Parts(change, noise, person, kept, int(unknown.sum()))


def clipped(matrix: Floats, variance: float | None = None) -> tuple[Floats, Repair]:
    """Raise eigenvalues below `FLOOR` and say by how much, in shares of a variance.

    `matrix`: symmetric; `variance`: default: the mean of its diagonal.
    """
    values, vectors = np.linalg.eigh(matrix)
    scale = float(np.trace(matrix)) / len(matrix) if variance is None else variance
    raised = np.maximum(values, FLOOR * scale)
    repair = Repair(
        raised=int((values < raised).sum()),
        lowest=float(values[0] / scale),
        added=float((raised - values).sum() / (scale * len(matrix))),
    )
    if not repair.raised:
        return matrix, repair
    return _symmetric((vectors * raised) @ vectors.T), repair


def persistent(person: Floats, own: Floats, lag: Floats) -> tuple[Floats, Repair]:
    """Keep C between zero and a third of S0 + 2 S1 in every direction.

    `person`, `own`, `lag`: C, S0 and S1 as estimated.
    """
    base = clipped(own)[0]
    roots, vectors = eigh(lag, base)
    axes = base @ vectors  # base = axes axes', lag = (axes * roots) axes'
    limit = _symmetric((axes * np.maximum(1 + 2 * roots, FLOOR)) @ axes.T)
    roots, vectors = eigh(person, limit)
    axes = limit @ vectors
    kept = np.clip(roots, 0.0, 1 / 3)
    repair = Repair(
        raised=int((np.abs(kept - roots) > FLOOR).sum()),
        lowest=float(roots.min()),
        added=float((axes**2).sum(axis=0) / np.trace(own) @ (kept - roots)),
    )
    return _symmetric((axes * kept) @ axes.T), repair


def separated(total: Floats, lag: Floats) -> tuple[Floats, Floats, dict[str, Repair]]:
    """Split the covariance of a change into the noise of its answers and real change.

    `total`: covariance T of changes with a common start less what persists, positive definite;
    `lag`: S1 - C, of neighbouring changes less what persists. Returns: N (positive semi-definite),
    D (positive definite) and what was clipped.
    """
    roots, vectors = eigh(lag, total)
    axes = total @ vectors  # total = axes axes', lag = (axes * roots) axes'
    weight = (axes**2).sum(axis=0) / np.trace(total)
    allowed = np.clip(roots, (FLOOR - 1) / 2, 0.0)
    noise = _symmetric((axes * -allowed) @ axes.T)
    change = _symmetric((axes * (1 + 2 * allowed)) @ axes.T)
    repairs = {
        "N": Repair(
            raised=int((roots > 0).sum()),
            lowest=float(-roots.max()),
            added=float(weight @ np.maximum(roots, 0.0)),
        ),
        "D": Repair(
            raised=int((roots < (FLOOR - 1) / 2).sum()),
            lowest=float(1 + 2 * roots.min()),
            added=float(weight @ np.maximum(2 * (allowed - roots), 0.0)),
        ),
    }
    return noise, change, repairs


def both(observed: Booleans) -> Booleans:
    """Outer product of flags by cell, shape (cell, indicator, indicator)."""
    return np.asarray(observed[:, :, None] & observed[:, None, :])


def _attrs(
    used: Parts, found: Moments, *, vcov: str, say: Callable[[str, str], str]
) -> dict[str, str | float | int]:
    """Say in a sentence by language and in numbers how far a working covariance was repaired."""
    entries = used.repairs.values()

    def told(language: str) -> str:
        return say("; ".join(_sentences(used, found, vcov=vcov, language=language)), language)

    return {
        **by_language("repair", told),
        "repair_added": float(sum(entry.added for entry in entries)),
        "repair_lowest": float(min((entry.lowest for entry in entries), default=0.0)),
        "repair_raised": int(sum(entry.raised for entry in entries)),
        "neighbouring_pairs": found.neighbours,
        "other_pairs": found.others,
        "persistence_shrinkage": found.shrinkage,
    }


def _sentences(used: Parts, found: Moments, *, vcov: str, language: str) -> list[str]:
    def text(key: str) -> str:
        return phrases_of("findings")[f"repair_{key}"][language]

    sentences = [
        filled(
            text("moved"),
            {
                "name": text(name),
                "added": decimals_marked(f"{100 * entry.added:+.2g}", language).replace("-", "−"),
                "meaning": text("matters" if abs(entry.added) >= _NOTICED else "slight"),
            },
        )
        for name, entry in used.repairs.items()
        if abs(entry.added) >= _SLIGHT
    ]
    if used.unknown:
        sentences.append(worded(text("unknown"), {"count": used.unknown}))
    if vcov == CITIZEN and not found.neighbours:
        sentences.append(text("no_neighbours"))
    elif vcov == CITIZEN and not found.others:
        sentences.append(text("no_others"))
    return sentences


_NOTICED: Final = 0.05  # of the variance of changes: standard errors change by half of it
_SLIGHT: Final = 1e-6  # of the variance of changes: rounding


def _log(data: xr.Dataset, used: Parts, *, vcov: str) -> None:
    repair, serious = data.attrs["repair"], "S0" in used.repairs
    if serious and used.repairs["S0"].added >= _SLIGHT:
        logger.warning(
            "too few responses for a covariance of %d indicators: %s", data.sizes["indicator"],
            repair,
        )  # fmt: skip
    elif vcov == CITIZEN and not data.attrs["neighbouring_pairs"]:
        logger.warning("working covariance: %s", repair)
    elif used.repairs:
        logger.info("working covariance: %s", repair)


def _symmetric(matrix: Floats) -> Floats:
    return (matrix + matrix.T) / 2

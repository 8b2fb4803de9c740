"""Target effects: estimates that agree with every claim and are otherwise unremarkable.

Two small quadratic programs over the effects of 20 indicators x 16 combinations (the averages'
effects follow from those of their members):

1. the smoothest effects, combination + combination_respondent + combination_indicator with
   penalties of a hierarchical prior, that agree with all statements on single estimates;
2. these plus noise of the size that estimates from so few answers have (correlated over
   indicators), moved as little as possible until they agree again. Without the noise the
   estimates would be smoother than any data of this size can be.

Tendencies ("mostly progression") are no linear inequalities. Where one fails, the member
nearest to agreeing is bound as well, and the program is solved again.

The report prints three effect sizes; all else here is invented to agree with it, and proves
nothing about Denmark. `solve_targets` is the program; its result is package data.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import bip_codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.claims import (
    Claim,
    Verdicts,
    claim_holds,
    member_truth,
    named_setbacks,
    report_claims,
)
from bipbayes.synthetic.distance import nearest
from bipbayes.synthetic.published import published
from bipbayes.synthetic.streams import NORMAL_BITS, Stream

Floats = NDArray[np.float64]
Bound = tuple[int, int, float, float]  # outcome, combination, sign, lower bound of sign * effect

SMOOTH_SD: Final = (0.08, 0.03, 0.05)  # combination, its respondent part, its indicator part
CLEAR: Final = 2.1  # least |z| of what must be significant, with as few answers as may come
UNCLEAR: Final = 1.8  # largest |z| of what must not be, with as many answers as may come
CHANCE: Final = 2.5  # numbers of answers may differ from those expected by so many sd
LEAST_GAPS: Final = 0.03
SIGN: Final = 0.012  # least effect where only the sign is stated
SIZE_TOLERANCE: Final = 0.002
CRITICAL: Final = 1.96
NOISE: Final = (0.35, 0.35, 0.55)  # shared by all, by a respondent's indicators, own
NOISE_SEED: Final = 2027  # of 40 tried: sweeping statements hold in stricter readings too
ROUNDS: Final = 60


@dataclass(frozen=True)
class Frame:
    """What the program knows: labels, sizes and how averages follow from their members.

    Attributes
    ----------
    codebook
        BIP's.
    n, fewest, most
        Expected answers by outcome and combination (Tables 1 and 3), and how few or many may
        come by chance: Table 3 fixes those of B1 only.
    weights
        Effects of outcomes = weights @ effects of indicators, shape (outcome, indicator).
    claims
        The report's, without the exempt one.
    """

    codebook: Codebook
    n: Floats
    fewest: Floats
    most: Floats
    weights: Floats
    claims: tuple[Claim, ...]


def solve_targets(sd: Floats) -> pd.DataFrame:
    """Solve for the target effects.

    Parameters
    ----------
    sd
        Standard deviation of progression by outcome, indicators then averages, in scale
        points (from an uncalibrated simulation; they weight members into averages).

    Returns
    -------
    pandas.DataFrame
        Rows outcomes, columns combinations; standardised effects rounded to 4 decimals.

    Raises
    ------
    SettingsError
        The claims contradict each other, or a tendency cannot be met.
    """
    codebook = bip_codebook()
    n, chance = _expected_answers()
    weights = _average_weights(sd)
    frame = Frame(codebook, n, n - chance, n + chance, weights, report_claims(codebook))
    bounds = _single_bounds(frame)
    smooth = _solve_smooth(frame, bounds)
    center = smooth + _noise(frame)
    for _ in range(ROUNDS):
        effects = frame.weights @ _solve_near(frame, bounds, center=center)
        missing = _missing_bounds(frame, effects)
        if not missing:
            rows, columns = list(codebook.outcomes), list(codebook.combinations)
            return pd.DataFrame(effects, index=rows, columns=columns).round(4)
        bounds = [*bounds, *missing]
    raise SettingsError(f"tendencies are still unmet after {ROUNDS} rounds of target effects")


def _expected_answers() -> tuple[Floats, Floats]:
    """Answers to expect by outcome and combination, and by how much they may differ."""
    facts = published()
    share = facts.answers / facts.combinations.sum()
    n = np.outer(share, facts.combinations)
    spread = np.sqrt(n * np.maximum(1 - share, LEAST_GAPS)[:, None])
    return n, CHANCE * spread


def _average_weights(sd: Floats) -> Floats:
    """Weights that turn standardised effects of indicators into those of all outcomes."""
    codebook = bip_codebook()
    indicators = codebook.indicator_codes
    weights = np.eye(len(codebook.outcomes), len(indicators))
    for row, average in enumerate(codebook.averages, start=len(indicators)):
        places = [indicators.index(code) for code in average.members]
        weights[row, places] = sd[places] / (len(places) * sd[row])
    return weights


def _single_bounds(frame: Frame) -> list[Bound]:
    """Turn statements on single estimates, and printed sizes, into bounds on effects."""
    bounds = []
    for claim in frame.claims:
        if not claim.at_large and claim.quantifier == "":
            bounds += _claim_bounds(frame, claim, claim.combinations[0])
        elif not claim.at_large and claim.quantifier == "all":
            for place in claim.combinations:
                bounds += _claim_bounds(frame, claim, place)
    return bounds


def _claim_bounds(frame: Frame, claim: Claim, place: int) -> list[Bound]:
    outcome = claim.outcomes[0]
    clear = CLEAR / float(np.sqrt(frame.fewest[outcome, place]))
    unclear = UNCLEAR / float(np.sqrt(frame.most[outcome, place]))
    sign = {"positive": 1.0, "negative": -1.0}.get(claim.direction, 0.0)
    bounds: list[Bound] = []
    size = _printed_size(claim, sign)
    if size is not None:  # a printed size says more than "significant"
        return [(outcome, place, side, side * size - SIZE_TOLERANCE) for side in (-1.0, 1.0)]
    if sign:
        least = clear if claim.significant == "true" else SIGN
        bounds.append((outcome, place, sign, least))
    if claim.significant == "false":
        bounds += [(outcome, place, side, -unclear) for side in (-1.0, 1.0)]
    if claim.direction == "not_negative":
        bounds.append((outcome, place, 1.0, -unclear))
    return bounds


def _printed_size(claim: Claim, sign: float) -> float | None:
    if np.isfinite(claim.effect_size):
        return claim.effect_size
    if np.isfinite(claim.places_moved):
        return sign * float(ndtri(0.5 + claim.places_moved / 100))
    return None


def _inequalities(frame: Frame, bounds: list[Bound]) -> tuple[Floats, Floats]:
    """Write bounds as G x >= h, x being the indicators' effects, combinations fastest."""
    G = np.zeros((len(bounds), *frame.n[: frame.weights.shape[1]].shape))
    for row, (outcome, place, sign, _) in enumerate(bounds):
        G[row, :, place] = sign * frame.weights[outcome]
    return G.reshape(len(bounds), -1), np.array([bound for *_, bound in bounds])


def _zero_sums(frame: Frame) -> Floats:
    """Each indicator's effects are deviations from its mean: weighted by n they sum to zero."""
    indicators, combinations = frame.weights.shape[1], frame.n.shape[1]
    share = frame.n[0] / frame.n[0].sum()
    return np.asarray(np.kron(np.eye(indicators), share.reshape(1, combinations)))


def _solve_smooth(frame: Frame, bounds: list[Bound]) -> Floats:
    """Smoothest effects of the indicators, shape (indicator, combination)."""
    G, h = _inequalities(frame, bounds)
    terms = _hierarchy(frame)
    size = terms.shape[1]
    parts = nearest(np.zeros(size), np.ones(size), zero=_zero_sums(frame) @ terms, G=G @ terms, h=h)
    return np.asarray((terms @ parts).reshape(frame.weights.shape[1], -1))


def _hierarchy(frame: Frame) -> Floats:
    """Matrix from unit normal parts to effects: combination, respondent part, indicator part."""
    codebook = frame.codebook
    own = np.eye(len(codebook.indicators))
    common = np.ones((len(own), 1))
    view = np.array(
        [
            [entry.respondent == name for name in codebook.respondents]
            for entry in codebook.indicators
        ],
        dtype=np.float64,
    )
    parts = [sd * part for sd, part in zip(SMOOTH_SD, (common, view, own), strict=True)]
    return np.asarray(np.kron(np.hstack(parts), np.eye(frame.n.shape[1])), dtype=np.float64)


def _solve_near(frame: Frame, bounds: list[Bound], *, center: Floats) -> Floats:
    """Effects nearest to `center`, in standard errors, that keep the bounds."""
    G, h = _inequalities(frame, bounds)
    errors = 1 / np.sqrt(frame.n[: frame.weights.shape[1]])
    solved = nearest(center.ravel(), errors.ravel(), zero=_zero_sums(frame), G=G, h=h)
    return solved.reshape(center.shape)


def _noise(frame: Frame) -> Floats:
    """Draw sampling noise of estimates, correlated over the indicators.

    Shape (indicator, combination). Its size is that of the standard errors; drawn once, from a
    seed of its own.
    """
    codebook = frame.codebook
    indicators, combinations = frame.weights.shape[1], frame.n.shape[1]
    views = np.array([codebook.respondents.index(e.respondent) for e in codebook.indicators])
    rows = 1 + len(codebook.respondents) + indicators
    draws = Stream(NOISE_SEED).normals(rows, combinations) / 2.0**NORMAL_BITS
    shared, respondent, own = draws[:1], draws[1 : rows - indicators], draws[-indicators:]
    noise = NOISE[0] * shared + NOISE[1] * respondent[views] + NOISE[2] * own
    return np.asarray(noise / np.sqrt(frame.n[:indicators]))


def _missing_bounds(frame: Frame, effects: Floats) -> list[Bound]:
    """For each unmet tendency, bind the member that comes nearest to agreeing."""
    significant = np.abs(effects) * np.sqrt(frame.n) > CRITICAL
    verdicts = Verdicts(effects, significant)
    excepted = named_setbacks(frame.claims, effects.shape)
    bounds = []
    for claim in frame.claims:
        if not claim_holds(claim, verdicts, excepted=excepted):
            truth = member_truth(claim, verdicts, excepted=excepted)
            bounds += _nearest_member(frame, claim, truth, effects=effects)
    return bounds


def _nearest_member(
    frame: Frame, claim: Claim, truth: NDArray[np.bool_], *, effects: Floats
) -> list[Bound]:
    score = (-effects if claim.direction == "negative" else effects) * np.sqrt(frame.n)
    pairs = [
        (float(score[outcome, place]), outcome, place)
        for outcome in claim.outcomes
        for place in claim.combinations
        if not truth[outcome, place]
    ]
    if not pairs:
        raise SettingsError(f"claim {claim.claim_id} is unmet although all its members agree")
    _, outcome, place = max(pairs)
    return (
        _claim_bounds(frame, claim, place)
        if not claim.at_large
        else _large_bounds(frame, claim, outcome, place)
    )


def _large_bounds(frame: Frame, claim: Claim, outcome: int, place: int) -> list[Bound]:
    sign = -1.0 if claim.direction == "negative" else 1.0
    if claim.direction == "not_negative":
        return [(outcome, place, 1.0, -UNCLEAR / float(np.sqrt(frame.most[outcome, place])))]
    return [(outcome, place, sign, SIGN)]

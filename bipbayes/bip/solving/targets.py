"""Solve what the calibrated synthetic BIP aims at: ``scripts/maintenance/solve_targets.py``.

They are the data of ``bipbayes/bip/resources/synthetic``; run by hand when the generator changes:
the targets first, then, once they lie in the package, ``--truth``, the default simulation's.

Jobcenters: Table 3 gives the combinations, Table 4 the jobcenters' shares within five overlapping
groups. `solve_jobcenter_table` finds whole numbers that fit both and lie close to the smoothest
table (maximum entropy).

Effects: estimates that agree with every claim and are otherwise unremarkable, by two small
quadratic programs over the effects of 20 indicators x 16 combinations (the averages' effects
follow from those of their members):

1. the smoothest effects, combination + combination_respondent + combination_indicator with
   penalties of a hierarchical prior, that agree with all statements on single estimates;
2. these plus noise of the size that estimates from so few answers have (correlated over
   indicators), moved as little as possible until they agree again. Without the noise the
   estimates would be smoother than any data of this size can be.

Tendencies ("mostly progression") are no linear inequalities. Where one fails, the member
nearest to agreeing is bound as well, and the program is solved again. Both are least-distance
programs, min |x|^2 subject to G x >= h, solved exactly through their dual, a non-negative
least-squares problem (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23). No
solution of that problem is a certificate that the inequalities contradict each other.

The report prints three effect sizes; all else here is invented to agree with it, and proves
nothing about Denmark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import Bounds, LinearConstraint, milp, nnls
from scipy.special import ndtri

from bipbayes.bip.calibrated_design import calibrated_design, groups_of_combinations, published
from bipbayes.bip.claims import Claim, Verdicts, claim_holds, member_truth, report_claims
from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.simulate import simulate_bip
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats
from bipbayes.errors import SettingsError
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.streams import NORMAL_BITS, Stream
from bipbayes.synthetic.truth import divisors, sum_changes

INFEASIBLE = 1e-9
SWEEPS: Final = 200
TOLERANCE: Final = 0.45  # percentage points: inside the printed rounding
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
PILOT_SEED: Final = 2013
PILOTS: Final = 8
DECIMALS: Final = 4


def shortest(G: Floats, h: Floats) -> Floats:
    """Return the shortest x with G x >= h.

    `G`: shape (inequality, variable); rows of similar length make the answer more exact; `h`: lower
    bounds, shape (inequality,). Raises SettingsError: the inequalities contradict each other.
    """
    E = np.vstack([G.T, h[None, :]])
    f = np.zeros(G.shape[1] + 1)
    f[-1] = 1.0
    weights, _ = nnls(E, f, maxiter=20 * E.shape[1])
    residual = E @ weights - f
    if abs(residual[-1]) < INFEASIBLE:
        raise SettingsError(
            f"{len(h)} inequalities on {G.shape[1]} effects contradict each other; "
            "loosen the margins or leave claims out"
        )
    return np.asarray(-residual[:-1] / residual[-1])


def nearest(center: Floats, scale: Floats, *, zero: Floats, G: Floats, h: Floats) -> Floats:
    """Return the x nearest to `center` with zero @ x = 0 and G x >= h.

    `center`, `scale`: distances from `center` count in units of `scale`, both of shape (variable,);
    `zero`: equalities, shape (equality, variable). They are solved first: pairs of opposite
    inequalities would make the dual problem nearly singular; `G`, `h`: inequalities.
    """
    equalities = zero * scale
    start = np.linalg.pinv(equalities) @ (-zero @ center)
    basis = null_space(equalities)
    point = center + scale * start
    slopes = (G * scale) @ basis
    lengths = np.linalg.norm(slopes, axis=1)
    steps = basis @ shortest(slopes / lengths[:, None], (h - G @ point) / lengths)
    return np.asarray(point + scale * steps)


def solve_jobcenter_table() -> pd.DataFrame:
    """Solve for the table: rows jobcenters, columns combinations, whole numbers.

    Raises SettingsError: no table of whole numbers fits Tables 3 and 4.
    """
    codebook, facts = bip_codebook(), published()
    smooth = _maximum_entropy(facts.combinations.astype(float))
    counts = _whole_numbers(smooth)
    return pd.DataFrame(
        counts, index=list(codebook.jobcenters), columns=list(codebook.combinations)
    )


def _group_totals() -> tuple[NDArray[np.bool_], Floats]:
    """Return combinations by group, and the wanted counts of jobcenter x group."""
    facts = published()
    belongs = groups_of_combinations(bip_codebook())
    totals = facts.combinations @ belongs
    shares = facts.jobcenter_percent / facts.jobcenter_percent.sum(axis=0)
    return belongs, shares * totals


def _maximum_entropy(combinations: Floats) -> Floats:
    """Scale a table by groups and combinations in turn until both fit."""
    belongs, wanted = _group_totals()
    table = np.outer(wanted.sum(axis=1), combinations)
    table = table / wanted.sum()
    for _ in range(SWEEPS):
        for group in range(belongs.shape[1]):
            inside = belongs[:, group]
            table[:, inside] *= (wanted[:, group] / table[:, inside].sum(axis=1))[:, None]
        table *= combinations / table.sum(axis=0)
    return np.asarray(table)


def _whole_numbers(smooth: Floats) -> NDArray[np.int64]:
    """Whole numbers nearest to a table that keep Table 3 exactly and Table 4 as printed."""
    facts = published()
    belongs, _ = _group_totals()
    totals = facts.combinations @ belongs
    sites, combinations = smooth.shape
    cells = sites * combinations
    by_combination = np.kron(np.ones((1, sites)), np.eye(combinations))
    by_group = np.kron(np.eye(sites), belongs.T.astype(float))
    printed = (facts.jobcenter_percent * totals / 100).ravel()
    slack = np.tile(totals * TOLERANCE / 100, sites)
    # Cost: the distance |count - smooth|, written with one more variable a cell.
    distance = np.hstack([np.eye(cells), -np.eye(cells)])
    mirrored = np.hstack([-np.eye(cells), -np.eye(cells)])
    nothing = np.zeros((len(by_combination), cells)), np.zeros((len(by_group), cells))
    solved = milp(
        np.r_[np.zeros(cells), 1 / np.sqrt(smooth.ravel())],
        integrality=np.r_[np.ones(cells), np.zeros(cells)],
        bounds=Bounds(0, np.inf),
        constraints=[
            LinearConstraint(
                np.hstack([by_combination, nothing[0]]), facts.combinations, facts.combinations
            ),
            LinearConstraint(np.hstack([by_group, nothing[1]]), printed - slack, printed + slack),
            LinearConstraint(distance, -np.inf, smooth.ravel()),
            LinearConstraint(mirrored, -np.inf, -smooth.ravel()),
        ],
        options={"time_limit": 60, "mip_rel_gap": 0.02},
    )
    if solved.x is None:
        raise SettingsError(f"no whole numbers fit Tables 3 and 4: {solved.message}")
    return np.rint(solved.x[:cells]).astype(np.int64).reshape(sites, combinations)


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

    `sd`: standard deviation of progression by outcome, indicators then averages, in scale points
    (from an uncalibrated simulation; they weight members into averages).

    Returns: rows outcomes, columns combinations; standardised effects rounded to 4 decimals.

    Raises SettingsError: the claims contradict each other, or a tendency cannot be met.
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
        if not claim.at_large and claim.states.quantifier in ("", "all"):
            for place in claim.combinations:
                bounds += _claim_bounds(frame, claim, place)
    return bounds


def _claim_bounds(frame: Frame, claim: Claim, place: int) -> list[Bound]:
    outcome = claim.outcomes[0]
    clear = CLEAR / float(np.sqrt(frame.fewest[outcome, place]))
    unclear = UNCLEAR / float(np.sqrt(frame.most[outcome, place]))
    kind, sign = claim.states.kind, float(claim.states.sign)
    bounds: list[Bound] = []
    size = _printed_size(claim, sign)
    if size is not None:  # a printed size says more than "significant"
        return [(outcome, place, side, side * size - SIZE_TOLERANCE) for side in (-1.0, 1.0)]
    if kind in ("significant", "direction", "hedged"):
        least = clear if kind == "significant" else SIGN
        bounds.append((outcome, place, sign, least))
    if kind in ("hedged", "insignificant"):
        bounds += [(outcome, place, side, -unclear) for side in (-1.0, 1.0)]
    if kind == "no_opposite":
        bounds.append((outcome, place, sign, -unclear))
    return bounds


def _printed_size(claim: Claim, sign: float) -> float | None:
    if claim.effect_size:
        return float(claim.effect_size)
    if claim.places_moved:
        return sign * float(ndtri(0.5 + float(claim.places_moved) / 100))
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
    bounds = []
    for claim in frame.claims:
        if not claim_holds(claim, verdicts):
            truth = member_truth(claim, verdicts)
            bounds += _nearest_member(frame, claim, truth, effects=effects)
    return bounds


def _nearest_member(
    frame: Frame, claim: Claim, truth: NDArray[np.bool_], *, effects: Floats
) -> list[Bound]:
    score = (claim.states.sign or 1) * effects * np.sqrt(frame.n)
    pairs = [
        (float(score[outcome, place]), outcome, place)
        for outcome in claim.outcomes
        for place in claim.combinations
        if not truth[outcome, place]
    ]
    if not pairs:
        raise SettingsError(
            f"claim {claim.states.claim_id} is unmet although all its members agree"
        )
    _, outcome, place = max(pairs)
    return (
        _claim_bounds(frame, claim, place)
        if not claim.at_large
        else _large_bounds(frame, claim, outcome, place)
    )


def _large_bounds(frame: Frame, claim: Claim, outcome: int, place: int) -> list[Bound]:
    sign = float(claim.states.sign or 1)
    if claim.states.kind == "no_opposite":
        return [(outcome, place, sign, -UNCLEAR / float(np.sqrt(frame.most[outcome, place])))]
    return [(outcome, place, sign, SIGN)]


def pilot_sd() -> pd.Series:
    """Return standard deviations of change by outcome, averaged over simulations without effects.

    Scale points, rounded to three decimals; the jobcenter table must be stored already.
    """
    codebook = bip_codebook()
    nothing = np.zeros(
        (len(codebook.combinations), len(codebook.jobcenters), len(codebook.indicators))
    )
    units = divisors(codebook)
    found = []
    for pilot in range(PILOTS):
        design = calibrated_design(PILOT_SEED + pilot)
        stream = Stream(PILOT_SEED, pilot)
        sums = sum_changes(design, draw_answers(stream, design, drift=nothing, process=Process()))
        found.append([sums.sd(outcome) / unit for outcome, unit in enumerate(units.tolist())])
    return pd.Series(np.mean(found, axis=0).round(3), index=list(codebook.outcomes), name="sd")


def solve_targets_into(folder: Path) -> None:
    """Solve and write ``jobcenters.csv``, ``sd.csv`` and ``targets.csv``."""
    _write(solve_jobcenter_table(), folder / "jobcenters.csv", index="jobcenter")
    sd = pilot_sd()
    _write(sd.to_frame(), folder / "sd.csv", index="outcome")
    targets = solve_targets(sd.to_numpy()).T
    _write(targets, folder / "targets.csv", index="combination")


def truth_into(folder: Path) -> None:
    """Compute and write ``truth.csv`` of the default simulation from the stored targets."""
    truth = simulate_bip().simulate_truth().round(DECIMALS)
    truth.to_csv(folder / "truth.csv", index=False, lineterminator="\n")


def _write(frame: pd.DataFrame, path: Path, *, index: str) -> None:
    frame.rename_axis(index=index).to_csv(path, lineterminator="\n")

"""How the changes of one citizen err together, estimated from the residuals of cells.

Three covariances are estimated from the residuals around the cells' estimates, over pairs of
indicators: S0 within a response, S1 between neighbouring changes (the later starts at the
response where the earlier ends), and C between changes of one citizen that share no answer:
what persists in a citizen, such as steady improvement. Residuals in a cell covary less than
scores do, by what the two scores share with the cell's mean less the mean's own variance; all
three are corrected for it, in `ROUNDS` rounds.

C rests on the citizens with three changes or more, often few, and each of its entries on its own
is mostly noise. So it is shrunk towards its averages over the diagonal, over pairs of indicators
of one respondent and over pairs across respondents (of indicators that are turned for it where
they go against the main component of S0), by the share that sampling error has in its
spread around these averages (Ledoit and Wolf 2004, Schäfer and Strimmer 2005; the error from
`GROUPS` groups of citizens). Without such pairs nothing is known of it, and what neighbours
share positively stands in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bipbayes.cells.products import Products, reciprocal
from bipbayes.data.sample import Floats, Integers

ROUNDS: Final = 5  # each is exact to a further power of 1 / n


@dataclass(frozen=True)
class Moments:
    """Covariances of unit scores, shape (indicator, indicator), as estimated.

    Attributes
    ----------
    response
        S0, within a response; 0 for pairs never answered together.
    neighbour
        S1, neighbouring changes, symmetrised; 0 for pairs that never occur.
    unshrunk, person
        Changes of one citizen that share no answer, as they are and shrunk: C.
    common
        Share of the joint changes that start from the same response (1 without gaps, and 1 for
        pairs that never occur); 1 on the diagonal.
    neighbours, others
        Pairs of changes that S1 and C rest on, of the indicator with the fewest.
    shrinkage
        Weight of the averages in C, 0 to 1.
    """

    response: Floats
    neighbour: Floats
    unshrunk: Floats
    person: Floats
    common: Floats
    neighbours: int
    others: int
    shrinkage: float


def estimate_moments(products: Products, information: Floats, *, respondent: Integers) -> Moments:
    """Estimate covariances within responses, between neighbouring changes and between others.

    `products`: of all parts, from `residual_products`; `information`: of the cells, shape (cell,
    indicator); `respondent`: position of each indicator's respondent, shape (indicator,).

    Returns: S0 is unbiased where responses are independent, with any gaps: products over joint
    answers are divided by the sum over cells of n[kl] (1 - 1/n[k] - 1/n[l] + n[kl] / (n[k] n[l])),
    n[kl] joint answers (n - 1 for each cell without gaps).
    """
    sums = _sums(products, information)
    response = _ratio(products.own, sums.degrees)
    zero = np.zeros_like(response)
    found = Moments(response, zero, zero, zero, sums.common, 0, 0, 1.0)
    for _ in range(ROUNDS):
        found = _improved(found, sums, respondent)
    if not products.counts.apart.any():
        return replace(found, person=_positive(found.neighbour))
    return found


@dataclass(frozen=True)
class _Sums:
    """What the moments are made of.

    ``products`` as summed, ``degrees`` their number less what cell means take of independent
    responses, ``common`` the share with the same start; by cell ``together``, ``inside``,
    ``outside``: weights of joint answers, of neighbours and of other pairs, and ``scale``,
    1 / (I I').
    """

    products: Products
    degrees: Floats
    common: Floats
    together: Floats
    inside: Floats
    outside: Floats
    scale: Floats


def _sums(products: Products, information: Floats) -> _Sums:
    inverse, grams, joint = reciprocal(information), products.grams, products.joint
    scale = inverse[:, :, None] * inverse[:, None, :]
    # Pairs of changes of one indicator in a cell; gaps fall alike, so those of two lie between.
    alike, shared, person = (
        np.diagonal(gram, axis1=1, axis2=2) for gram in (grams.joint, grams.shared, grams.person)
    )
    inside = np.maximum(2 * alike - shared, 0.0)
    lost = products.alone + products.alone.T - (grams.joint**2 * scale).sum(axis=0)
    same = products.counts.same
    return _Sums(
        products=products,
        degrees=joint - lost,
        common=np.divide(same, joint, out=np.ones_like(joint), where=joint > 0),
        together=grams.joint,
        inside=_between(inside),
        outside=_between(np.maximum(person - alike - inside, 0.0)),
        scale=scale,
    )


def _improved(found: Moments, sums: _Sums, respondent: Integers) -> Moments:
    """Correct the moments by the variance of cell means that earlier ones imply."""
    response, neighbour, person = found.response, found.neighbour, found.person
    claimed = response * sums.together + neighbour * sums.inside + person * sums.outside
    claimed = claimed * sums.scale
    independent = response * (sums.together**2 * sums.scale).sum(axis=0)
    ratio = np.diag(_ratio((sums.together * claimed).sum(axis=0), independent))
    root = np.sqrt(np.clip(ratio, 0.0, 2.0))
    pairs, counts = sums.products.residuals, sums.products.counts
    near, apart = counts.near.sum(axis=0), counts.apart.sum(axis=0)
    rows, between = sums.products.rows, (response, neighbour, person)
    lost_near = _lost(between, (rows.wm, rows.mm, rows.mo), near) - _per_pair(
        (sums.inside * claimed).sum(axis=0), near
    )
    lost_apart = _lost(between, (rows.wo, rows.mo, rows.oo), apart) - _per_pair(
        (sums.outside * claimed).sum(axis=0), apart
    )
    others = pairs.apart + lost_apart * counts.apart
    lost = (sums.products.joint - sums.degrees) * np.outer(root, root)
    response = _ratio(sums.products.own, sums.products.joint - lost)
    scale = np.sqrt(np.diag(response)) * _directions(response)
    person, shrinkage = _shrunk(others, counts.apart, scale=scale, respondent=respondent)
    return Moments(
        response=(response + response.T) / 2,  # exactly symmetric
        neighbour=np.where(near > 0, _ratio(pairs.near.sum(axis=0), near) + lost_near, 0.0),
        unshrunk=_ratio(others.sum(axis=0), apart),
        person=person,
        common=sums.common,
        neighbours=int(np.diag(near).min(initial=np.inf) // 2),
        others=int(np.diag(apart).min(initial=np.inf) // 2),
        shrinkage=shrinkage,
    )


def _lost(between: Sequence[Floats], sums: Sequence[Floats], pairs: Floats) -> Floats:
    """Say what a pair of scores shares with their cells' means on average, both together."""
    parts = [
        matrix * _per_pair(_between(count), pairs)
        for matrix, count in zip(between, sums, strict=True)
    ]
    return 2 * np.sum(parts, axis=0)


def _between(counts: Floats) -> Floats:
    """Geometric means over pairs of indicators, shape (..., indicator, indicator)."""
    return np.sqrt(counts[..., :, None] * counts[..., None, :])


def _per_pair(sums: Floats, pairs: Floats) -> Floats:
    return _ratio(sums, _between(np.diag(pairs)))


def _shrunk(
    products: Floats, counts: Floats, *, scale: Floats, respondent: Integers
) -> tuple[Floats, float]:
    """Shrink mean products over pairs towards averages; both by group of citizens.

    Signs of `scale` turn indicators before they are averaged, and back afterwards.

    Returns: shape (indicator, indicator), 0 where nothing is known, and the averages' weight.
    """
    total = counts.sum(axis=0)
    units = np.outer(scale, scale)
    known = (total > 0) & (units != 0)
    if not known.any():
        return np.zeros_like(total), 1.0
    scaled = products * np.divide(1.0, units, out=np.zeros_like(units), where=known)
    own = _ratio(scaled.sum(axis=0), total)
    average = _block_averages(own, total * known, respondent)
    # Sampling variance of a ratio of sums over groups of citizens.
    surplus = np.where(known, scaled - own * counts, 0.0)
    groups = len(products)
    variance = _ratio((surplus**2).sum(axis=0), total**2) * groups / (groups - 1)
    spread = ((own - average)[known] ** 2).sum()
    weight = min(1.0, float(variance[known].sum() / spread)) if spread > 0 else 1.0
    shrunk = np.where(known, weight * average + (1 - weight) * own, average) * units
    return (shrunk + shrunk.T) / 2, weight


def _directions(response: Floats) -> Floats:
    """Turn indicators so that they point the same way: signs of the main component of S0."""
    scale = np.sqrt(np.diag(response))
    main = np.linalg.eigh(_ratio(response, np.outer(scale, scale)))[1][:, -1]
    return np.where(main < 0, -1.0, 1.0)


def _block_averages(values: Floats, counts: Floats, respondent: Integers) -> Floats:
    """Average over the diagonal, over other pairs of one respondent, and across respondents."""
    kind = np.where(respondent[:, None] == respondent, 1, 2)
    np.fill_diagonal(kind, 0)
    sums = np.bincount(kind.ravel(), weights=(values * counts).ravel(), minlength=3)
    sizes = np.bincount(kind.ravel(), weights=counts.ravel(), minlength=3)
    return np.asarray(_ratio(sums, sizes)[kind])


def _positive(matrix: Floats) -> Floats:
    """Keep the positive part of a symmetric matrix."""
    roots, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(roots, 0.0)) @ vectors.T)


def _ratio(products: Floats, counts: Floats) -> Floats:
    # A cell of one response leaves rounding error where its degrees of freedom are zero.
    return np.divide(products, counts, out=np.zeros_like(products), where=counts > 1e-9)

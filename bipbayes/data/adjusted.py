"""Adjusted progression: standardised progression minus what the regressors explain.

By the theorem of Frisch, Waugh and Lovell, group means of ``y - x slope`` with slopes estimated
from differences within the same groups *are* the effects of the one regression on groups and
regressors. So a progression with adjusted values can go through everything that works with means
unchanged. What this leaves out is the error of the slopes, shared by all groups. It adds
``x_mean[g]' Var(slope) x_mean[g]`` to the variance of group g: a second-order term, since group
means of centred regressors are small and slopes rest on the whole sample (`slope_share` says how
much it is). OLS does not leave it out (`bipbayes.regression.adjusted`).
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import xarray as xr

from bipbayes.data.adjustment import Adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers, analysis_sample, group_sums

Within = Literal["cell", "combination"]

# A regressor whose part within groups and apart from the others is a smaller share of its
# length than this counts as a copy of them.
COLLINEAR: Final = 1e-8


@dataclass(frozen=True)
class Slopes:
    """The regression of one outcome on regressors within groups.

    Attributes
    ----------
    coefficients
        Shape (regressor,); 0 for what is dropped as collinear.
    kept
        Which regressors were not collinear.
    within
        Kept regressors minus their group means, shape (row, kept).
    inverse
        Inverse of ``within' within``.
    group_means
        Means of the kept regressors, shape (group, kept).
    """

    coefficients: Floats
    kept: Booleans
    within: Floats
    inverse: Floats
    group_means: Floats


def within_slopes(values: Floats, regressors: Floats, *, group: Integers, size: int) -> Slopes:
    """Regress on regressors within groups.

    Parameters
    ----------
    values
        Shape (row,).
    regressors
        Shape (row, regressor), centred.
    group
        Group of each row, codes 0..size-1.
    size
        Number of groups.
    """
    n = group_sums(group, np.ones((len(group), 1)), size=size)
    means = group_sums(group, regressors, size=size) / np.maximum(n, 1)
    within = regressors - means[group]
    kept = independent_columns(within, np.linalg.norm(regressors, axis=0))
    within, means = within[:, kept], means[:, kept]
    inverse = np.linalg.inv(within.T @ within)
    coefficients = np.zeros(len(kept))
    coefficients[kept] = inverse @ (within.T @ values)
    return Slopes(coefficients, kept, within, inverse, means)


def independent_columns(columns: Floats, lengths: Floats) -> Booleans:
    """Say which columns are no linear combination of those before them.

    Parameters
    ----------
    columns
        Shape (row, column).
    lengths
        The yardstick for each column.
    """
    basis: list[Floats] = []
    kept = np.zeros(columns.shape[1], dtype=bool)
    for index, column in enumerate(columns.T):
        rest = column.copy()
        for _ in range(2):  # the second pass removes the rounding of the first
            for direction in basis:
                rest -= (direction @ rest) * direction
        length = float(np.linalg.norm(rest))
        kept[index] = length > COLLINEAR * max(float(lengths[index]), 1e-300)
        if kept[index]:
            basis.append(rest / length)
    return kept


def adjusted_progression(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    adjustment: Adjustment,
    within: Within = "combination",
) -> xr.Dataset:
    """Take what the regressors explain out of standardised progression.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        Gives combinations and outcomes.
    adjustment
        From `bipbayes.data.adjustment.make_adjustment` for this progression.
    within
        Slopes from differences within ``combination`` (means by combination are then the
        one-step OLS estimates) or within ``cell`` (combination x jobcenter). Within small cells
        the slopes of previous answers are biased, since a cell's mean holds a citizen's later
        changes, too (Nickell 1981).

    Returns
    -------
    xarray.Dataset
        The same with ``standardised`` adjusted: still in standard deviations of *unadjusted*
        progression, with the same mean 0 and the same gaps. ``slope_share[outcome]`` is the
        largest share that the slopes' error would add to the variance of a group mean.
        Attrs ``adjust`` and ``adjust_remark``.
    """
    sample = analysis_sample(progression, codebook)
    group = sample.cell if within == "cell" else sample.combination
    size = sample.cells if within == "cell" else len(sample.combinations)
    array = progression["standardised"].transpose("response", "outcome")
    standardised = array.to_numpy().copy()
    share = np.zeros(len(sample.outcomes))
    for position, outcome in enumerate(sample.outcomes):
        here = sample.observed[:, position]
        rows, groups = sample.rows[here], group[here]
        if not len(rows):
            continue
        values = sample.values[here, position]
        regressors = adjustment.values[outcome][rows]
        slopes = within_slopes(values, regressors, group=groups, size=size)
        column = array.get_index("outcome").get_loc(outcome)
        standardised[rows, column] = values - regressors @ slopes.coefficients
        share[position] = _slope_share(slopes, groups, size)
    return progression.assign(
        standardised=(array.dims, standardised),
        slope_share=("outcome", _in_order(share, sample.outcomes, progression)),
    ).assign_attrs(adjust=adjustment.label, adjust_remark=adjustment.remark)


def _slope_share(slopes: Slopes, group: Integers, size: int) -> float:
    """Largest variance that slopes add to a group mean, relative to the mean's own (1 / n)."""
    n = np.bincount(group, minlength=size)
    added = np.einsum("gp,pq,gq->g", slopes.group_means, slopes.inverse, slopes.group_means)
    return float((added * n).max(initial=0.0))


def _in_order(share: Floats, outcomes: tuple[str, ...], progression: xr.Dataset) -> Floats:
    values = xr.DataArray(share, {"outcome": list(outcomes)}, dims="outcome")
    return np.asarray(values.reindex(outcome=progression["outcome"].to_numpy()).to_numpy())

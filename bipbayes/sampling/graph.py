"""The PyMC model of batches: one graph for all of them, each effect centred as data know it.

A centred effect ``x ~ Normal(0, sd)`` mixes well where the data determine ``x``; where they
hardly do, ``x`` and ``sd`` form a funnel, and the non-centred ``x = sd * raw`` mixes well
(Papaspiliopoulos, Roberts and Sköld 2007, section 4). BIP has both in one batch: 1,681
responses to one combination, 24 to another. So each effect gets its own degree of centring, the
share of its prior variance that the data take away:

    centring = 1 - Var(x | data) / Var(x),      Var(x) = sd**2

below the standard deviations that a few steps of MacKay's (1992) evidence maximisation find:
funnels hurt where a standard deviation is small, and a chain that comes near zero in a batch that
is centred too far stays there. So each is taken at the lowest value that agrees with the squares
found: n effects with a share s of their variance determined have, at probability p,

    (lowest / found)**2 = 1 - (1 - n / chi2(n, p)) / s,     zero if negative,

and half at most. Any value between 0 and 1 gives the same posterior; only the sampler's path
depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.transforms import Transform
from scipy import stats
from threadpoolctl import threadpool_limits

from bipbayes.cells import CELL, error_roots
from bipbayes.errors import ModelError, raise_all
from bipbayes.sampling.batches import Batch, is_flat, positions
from bipbayes.sampling.exact.density import moments
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model
from bipbayes.sampling.labels import TERM_DIMS, labels
from bipbayes.sampling.likelihood import OBSERVED, Tensor, coordinates, observe
from bipbayes.sampling.registry import ModelFile

_NEWTON_STEPS = 30  # of Newton's method, from below, in a function that is increasing and concave


class LightTail(Transform):  # type: ignore[misc]
    """A positive number as ``unit * exp(u - exp(-u))`` of an unconstrained ``u``.

    Under the usual ``exp(u)`` a standard deviation whose posterior reaches down to zero has a
    long tail to the left: halving it for ever takes the sampler for ever. Here that tail falls
    doubly exponentially, and above `unit` both are the same.

    Parameters
    ----------
    unit
        Where the bend is, in the number's own unit; any value leaves the posterior as it is.
    """

    name = "light"

    def __init__(self, unit: Any) -> None:
        self.unit = unit

    def backward(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return the positive number."""
        return self.unit * pt.exp(value - pt.exp(-value))

    def forward(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return ``u``: the root of ``u - exp(-u) = log(value / unit)``."""
        wanted = pt.log(value / self.unit)
        root = pt.minimum(wanted, -pt.log(1.0 + pt.abs(wanted)))
        for _ in range(_NEWTON_STEPS):
            small = pt.exp(-root)
            root = root - (root - small - wanted) / (1.0 + small)
        return root

    def log_jac_det(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return the logarithm of the derivative of `backward`."""
        return pt.log(self.unit) + value - pt.exp(-value) + pt.log1p(pt.exp(-value))


_START = 0.5  # of the prior scale
_STEPS = 6  # within a few percent of where they end
_LEAST = 0.05  # of the prior scale: below, a batch is non-centred anyway
_PROBABILITY = 0.999
_NOTHING = 1e-3  # of a standard deviation: not centred at all
_HALF = 0.5  # of what is found, at most: where the data say much, the model may still err


def centring(batches: Sequence[Batch], cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Work out the degree of centring of every effect.

    `batches`: all batches of a model; those whose standard deviations are known are no funnels and
    left out; `cells`: from `bipbayes.cells.cell_means`. Returns: by name of the batch, shape of its
    effects, 0 (non-centred) to 1 (centred).
    """
    # Several threads cost more than they save on matrices of this size.
    with threadpool_limits(limits=1, user_api="blas"):
        model = gaussian_model(cells, batches)
        shares = np.clip(_shares(model), 0.0, 1.0)
    ends = np.cumsum([batch.size(cells) for batch in model.batches])[:-1]
    return {
        batch.name: part.reshape(batch.shape(cells))
        for batch, part in zip(model.batches, np.split(shares, ends), strict=True)
        if not batch.fixed
    }


def _shares(model: GaussianModel) -> np.ndarray:
    """Share of every effect's variance that the data take, somewhat below the sds found."""
    scale = model.scale
    counts = np.bincount(model.group, minlength=len(scale))
    sds = np.where(model.free, _START * scale, scale)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(model.group, weights=values, minlength=len(scale))

    for _ in range(_STEPS):
        mean, variance = moments(model, sds)
        determined = counts - sums(variance) / sds**2
        found = np.sqrt(sums(mean**2) / np.maximum(determined, 0.5))
        sds = np.where(model.free, np.clip(found, _LEAST * scale, 3 * scale), scale)
    shares = 1 - variance / sds[model.group] ** 2
    known = np.sqrt(sums(shares**2) / counts)
    lowest = np.where(model.free, _lowest(counts, known), 1.0) * sds
    return np.asarray(1 - moments(model, lowest)[1] / lowest[model.group] ** 2)


def _lowest(counts: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Lowest sd that agrees with what was found, as a share of it; see the module's text."""
    ratio = counts / stats.chi2.ppf(_PROBABILITY, counts)
    square = 1 - (1 - ratio) / np.maximum(known, _NOTHING)
    return np.asarray(np.clip(np.sqrt(np.maximum(square, 0.0)), _NOTHING, _HALF))


_BEND = 0.5  # of a prior's scale: below, the sampler's way to zero is short


def build_batches(batches: Sequence[Batch], cells: xr.Dataset) -> pm.Model:
    """Return the PyMC model of batches.

    `batches`: as `bipbayes.sampling.batches.present` leaves them; `cells`: from
    `bipbayes.cells.cell_means`.
    """
    with pm.Model(coords=coordinates(cells)) as model:
        if is_flat(batches):
            effect = _flat(batches[0], cells)
        else:
            known = [batch for batch in batches if batch.fixed]
            effect = add_known(known, cells=cells)
            free = [batch for batch in batches if not batch.fixed]
            for batch in free:
                if batch.basis is not None:
                    own = batch.basis
                    model.add_coords({own.dim: own.labels, own.group_dim: own.group_labels})
            effect += add_batches(free, centring(batches, cells), cells=cells)
        observe(effect, cells)
    return model


def _flat(batch: Batch, cells: xr.Dataset) -> Tensor:
    """Add an effect for every observed cell, without a prior.

    A flat prior stays flat under a linear map; in whitened units all coordinates of the posterior
    are independent with variance one, which the sampler likes.
    """
    roots, observed = error_roots(cells)
    factor = roots - np.eye(roots.shape[-1]) * ~observed[..., None]  # V = L L'
    free = pm.Flat("whitened_effect", initval=np.zeros(observed.sum()), dims="observation")
    # A look-up, products and sums, for the reason given in `add_batches`.
    places = np.where(observed, np.cumsum(observed).reshape(observed.shape) - 1, 0)
    effect = (factor * free[places][..., None, :]).sum(axis=-1)
    pm.Deterministic(batch.name, pt.where(observed, effect, np.nan), dims=CELL)
    return effect


def add_known(batches: Sequence[Batch], *, cells: xr.Dataset) -> Tensor:
    """Add batches whose standard deviations are known, and sum them over cells."""
    terms = [
        pm.Normal(batch.name, 0.0, batch.scales[0], dims=batch.dims or None) for batch in batches
    ]
    return total(terms, [batch.dims for batch in batches], cells=cells)


def add_batches(
    batches: Sequence[Batch], degrees: Mapping[str, np.ndarray], *, cells: xr.Dataset
) -> Tensor:
    """Add batches to the model in whose context this is called, and sum them.

    An effect with centring ``w`` (0 to 1) is ``sd**(1 - w) * raw``, ``raw ~ Normal(0, sd**w)``:
    plain ``Normal(0, sd)`` for every ``w``, centred for ``w = 1``, non-centred for ``w = 0``.

    `batches`: as `present` leaves them; `degrees`: of centring, by name of the batch, shape of its
    effects; `cells`: gives labels and respondents. Returns: the effect, shape (combination,
    jobcenter, indicator).
    """
    if not batches:
        return total([], [], cells=cells)
    # What batches share is computed once, on one row of all their effects: each operation on an
    # array of another shape is code of its own, and compiling takes longer than sampling.
    logarithm = _log_spreads(batches, cells)
    # Data rather than a constant, so that the compile cache serves other data of this shape.
    degree = pm.Data("centring", np.concatenate([degrees[each.name].ravel() for each in batches]))
    # exp(w log sd) rather than powers, which cost several times as much.
    spreads = _parts(pt.exp(degree * logarithm), batches, cells)
    raw = [
        pm.Normal(f"{batch.name}_raw", 0.0, spread, dims=_effect_dims(batch))
        for batch, spread in zip(batches, spreads, strict=True)
    ]
    units = _parts(pt.exp((1.0 - degree) * logarithm), batches, cells)
    # Each of its own raw values alone: a jobcenter not seen is drawn along these lines.
    terms = [
        pm.Deterministic(batch.name, _of_combinations(unit * own, batch), dims=batch.dims)
        for batch, unit, own in zip(batches, units, raw, strict=True)
    ]
    return total(terms, [batch.dims for batch in batches], cells=cells)


def total(terms: Sequence[Tensor], dims: Sequence[tuple[str, ...]], *, cells: xr.Dataset) -> Tensor:
    """Sum terms to the effect of every cell.

    Parameters
    ----------
    terms
        Of any dims that a term may have.
    dims
        Of each term.
    cells
        Gives labels and respondents.

    Returns
    -------
    Tensor
        Shape (combination, jobcenter, indicator).
    """
    sizes = tuple(cells.sizes[dim] for dim in CELL)
    if not terms:
        return pt.zeros(sizes)
    # One look-up in one row of all terms, for the reason given in `add_batches`.
    places, start = [], 0
    for names in dims:
        own = positions(names, cells)
        places.append(start + own.ravel())
        start += int(own.max()) + 1
    return _joined(terms)[np.stack(places)].sum(axis=0).reshape(sizes)


def _log_spreads(batches: Sequence[Batch], cells: xr.Dataset) -> Tensor:
    """Add all standard deviations; returns the logarithm of the one behind each effect."""
    spreads = [_spread(batch) for batch in batches]
    starts = np.cumsum([0, *(len(batch.scales) for batch in batches)])
    groups = [batch.groups(cells) + start for batch, start in zip(batches, starts, strict=False)]
    return pt.log(_joined(spreads))[np.concatenate(groups)]


def _spread(batch: Batch) -> Tensor:
    """Add a batch's standard deviations, which the sampler lets come near zero and go again."""
    scale = np.array(batch.scales) if batch.basis is not None else np.asarray(batch.scale)
    return pm.HalfNormal(
        f"{batch.name}_sd",
        scale,
        dims=None if batch.basis is None else batch.basis.group_dim,
        default_transform=LightTail(_BEND * scale),
    )


def _joined(arrays: Sequence[Tensor]) -> Tensor:
    """Lay arrays in one row."""
    return pt.concatenate([array.reshape((-1,)) for array in arrays])


def _parts(row: Tensor, batches: Sequence[Batch], cells: xr.Dataset) -> list[Tensor]:
    """Cut a row of all effects into batches, in the shape of their effects."""
    shapes = [batch.shape(cells) for batch in batches]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    starts = [0, *ends[:-1]]
    return [
        row[start:end].reshape(shape)
        for start, end, shape in zip(starts, ends, shapes, strict=True)
    ]


def _effect_dims(batch: Batch) -> tuple[str, ...]:
    return batch.dims if batch.basis is None else (batch.basis.dim, *batch.dims[1:])


def _of_combinations(effect: Tensor, batch: Batch) -> Tensor:
    """Turn coefficients into effects of combinations, where there is a basis."""
    if batch.basis is None:
        return effect
    matrix = batch.basis.matrix
    flat = pt.dot(matrix, effect.reshape((matrix.shape[1], -1)))
    return flat.reshape((matrix.shape[0], *effect.shape[1:]))


def build_model(model_file: ModelFile, cells: xr.Dataset, *, priors: object) -> pm.Model:
    """Build a model and check what came out.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    cells
        From `bipbayes.cells.cell_means`.
    priors
        An instance of the file's ``Priors``.

    Raises
    ------
    ModelError
        ``build`` returns no model, a term is missing or has dims of its own, or the likelihood
        is no observed variable ``whitened_mean``; all faults are named.
    """
    model = model_file.build(cells, priors)
    if not isinstance(model, pm.Model):
        raise ModelError(f"build of {model_file.name} returns no PyMC model")
    heading = f"The model {model_file.name} was refused:"
    raise_all(ModelError, heading, list(_faults(model, model_file.terms(cells, priors), cells)))
    return model


def built_terms(model: pm.Model, terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the terms that the model has, in the file's order."""
    return tuple(name for name in terms if name in model.named_vars)


def _faults(model: pm.Model, terms: tuple[str, ...], cells: xr.Dataset) -> Iterator[str]:
    there = built_terms(model, terms)
    # A batch over a dim of length one may be left out; else a name is misspelt.
    single = any(len(values) == 1 for values in labels(cells).values())
    missing = [name for name in terms if name not in there]
    if missing and not (single and there):
        yield f"TERMS names {', '.join(missing)}, which the model does not have"
    for name in there:
        if model[name].ndim:  # a single number counts in every cell
            yield from _dim_faults(name, model.named_vars_to_dims.get(name))
    observed = [variable.name for variable in model.observed_RVs]
    if observed != [OBSERVED]:
        yield (
            f"its observed variables are {observed}; there must be one, {OBSERVED!r}: "
            "call bipbayes.sampling.likelihood.observe(effect, cells)"
        )
    if model.discrete_value_vars:
        yield "it has discrete free variables, which the sampler cannot draw"


def _dim_faults(name: str, dims: tuple[str | None, ...] | None) -> Iterator[str]:
    if dims is None:
        yield f"term {name} has no dims; name them out of {', '.join(TERM_DIMS)}"
        return
    unknown = [str(dim) for dim in dims if dim not in TERM_DIMS]
    if unknown:
        yield f"term {name} has dims {unknown}; allowed: {', '.join(TERM_DIMS)}"

"""Ordinal cells: one-step estimates of combination x jobcenter with their joint covariance.

A cell of twenty responses has no stable probit of its own (its answers may all stand at an end
of the scale). Starting from the indicator's ordered probit over all jobcenters, one step of
Fisher's scoring,

    latent[c, j, k] = latent[c, k] + sum_r score[r, k] / sum_r information[r, k],   r in (c, j),

is as efficient as the cell's own maximum near the start, always finite, and linear in the
responses, so that it has the Gaussian sampling distribution that the hierarchy assumes. Scores
over the root of their information have variance one; how they covary over indicators and over one
citizen's responses is the working covariance of `bipbayes.cells.covariance`. Thresholds and
effects of the previous answer count as known: they rest on all responses.

``scale="latent"``: effects counted from average progression, in standard deviations of the latent
answer; draws are translated afterwards. ``scale="progression"``: the same step on expected
standardised progression (times its slope at the combination's effect), so that nothing
downstream needs to know.

Answers given previous answers are taken one indicator at a time, as codes.
"""

import numpy as np
import xarray as xr

from bipbayes.cells.covariance import CITIZEN
from bipbayes.cells.means import BLOCK, chosen, known_indicators, score_cells
from bipbayes.cells.products import CellSums, cell_sums, make_scores, residual_products
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Sample, samples_of
from bipbayes.errors import SettingsError
from bipbayes.ordinal.estimates import IndicatorFit, fit_indicators
from bipbayes.ordinal.probit import translation_dataset

LATENT = "latent"
PROGRESSION = "progression"
SCALES = (LATENT, PROGRESSION)


def ordinal_cells(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    vcov: str = CITIZEN,
    scale: str = LATENT,
) -> xr.Dataset:
    """Reduce answers, given previous answers, to ordinal cells that every model can read.

    Parameters
    ----------
    progression
        Unadjusted, as `bipbayes.data.progression.progression` returns it.
    codebook
        Gives combinations, indicators and averages; all are labels, also the empty ones.
    vcov
        ``iid``, ``response`` or ``citizen``.
    scale
        ``latent`` or ``progression`` (see the module).

    Returns
    -------
    xarray.Dataset
        Variables, dims and attrs of `bipbayes.cells.means.cell_means` (``mean`` and ``vcov`` on
        the scale; ``residual_covariance``, ``lag_covariance``, ``persistent_covariance`` of
        scores with unit variance), ``information[combination, jobcenter, indicator]`` (latent)
        and what `bipbayes.ordinal.probit.translate` needs. Attrs ``analysis`` (``ordinal``)
        and ``scale``.

    Raises
    ------
    SettingsError
        Unknown scale or working covariance.
    DataError
        Empty analysis sample, unknown labels, or no indicator with two different answers.
    FitError
        An ordered probit did not converge.
    """
    if scale not in SCALES:
        raise SettingsError(f"scale {scale!r} is unknown; known: {', '.join(SCALES)}")
    samples = samples_of(progression, codebook)
    sample = next(samples.parts.map(lambda part: part))
    fits = fit_indicators(progression, codebook, sample=sample)
    codes = list(codebook.indicator_codes)
    values, weight = _scores(fits, sample, codes=codes)
    sums = cell_sums(sample, values=values, weight=weight)
    scores = make_scores(sample, values=values, weight=weight)
    products = residual_products(chosen(scores, known_indicators(sums)))
    cells = score_cells(samples, products, sums, codebook, vcov=vcov)
    stored = translation_dataset({code: entry.translation for code, entry in fits.items()})
    cells = cells.merge(stored.reindex(indicator=codes))
    cells = _placed(cells, sums, *_starts(fits, cells, scale=scale))
    return cells.assign_attrs(analysis="ordinal", scale=scale)


def _scores(
    fits: dict[str, IndicatorFit], sample: Sample, *, codes: list[str]
) -> tuple[Floats, Floats]:
    """Collect all indicators' scores: unit variance, weight the root of the information."""
    values, weight = np.zeros((2, len(sample.rows), len(codes)))
    for position, code in enumerate(codes):
        if code in fits:
            entry = fits[code]
            root = np.sqrt(entry.information)
            weight[entry.answers.rows, position] = root
            values[entry.answers.rows, position] = entry.score / root
    return values, weight


def _starts(
    fits: dict[str, IndicatorFit], cells: xr.Dataset, *, scale: str
) -> tuple[Floats, Floats]:
    """Return combinations' effects on the scale and its slope there, (combination, indicator)."""
    shape = (cells.sizes["combination"], cells.sizes["indicator"])
    start, slope = np.full(shape, np.nan), np.full(shape, np.nan)
    for position, code in enumerate(cells["indicator"].to_numpy()):
        if code not in fits:
            continue
        entry = fits[code]
        if scale == LATENT:
            start[:, position] = entry.effect - float(cells["latent_zero"].sel(indicator=code))
            slope[entry.observed, position] = 1.0
        else:
            known = entry.effect[entry.observed]
            start[entry.observed, position] = entry.translation.progress(known)
            slope[entry.observed, position] = entry.translation.slopes(known)[0]
    return start, slope


def _placed(cells: xr.Dataset, sums: CellSums, start: Floats, slope: Floats) -> xr.Dataset:
    """Add ``mean`` and turn ``vcov`` to the scale."""
    each = (*BLOCK, "indicator")
    shape = tuple(cells.sizes[name] for name in each)
    by_combination = xr.DataArray(slope, dims=("combination", "indicator"))
    factor = by_combination * by_combination.rename(indicator="indicator_")
    mean = start[:, None, :] + slope[:, None, :] * sums.estimate.reshape(shape)
    turned = (cells["vcov"] * factor).transpose(*cells["vcov"].dims)
    return cells.assign(
        mean=(each, mean),
        information=(each, sums.information.reshape(shape)),
        vcov=turned,
    )

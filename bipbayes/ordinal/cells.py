"""Ordinal cells: one-step estimates of combination x jobcenter with their joint covariance.

A cell of twenty responses has no stable probit of its own (its answers may all stand at an end
of the scale). Starting from the indicator's ordered probit over all jobcenters, one step of
Fisher's scoring,

    latent[c, j, k] = latent[c, k] + sum_r score[r, k] / sum_r information[r, k],   r in (c, j),

is as efficient as the cell's own maximum near the start, always finite, and linear in the
responses, so that it has the Gaussian sampling distribution that the hierarchy assumes. Scores
over the root of their information have variance one; how they covary over indicators and over one
citizen's responses is the working covariance of `bipbayes.cells.scores`. Thresholds and effects of
the previous answer count as known: they rest on all responses.

``scale="latent"``: effects counted from average progression, in standard deviations of the latent
answer; draws are translated afterwards. ``scale="progression"``: the same step on expected
standardised progression (times its slope at the combination's effect), so that nothing
downstream needs to know.
"""

import numpy as np
import xarray as xr

from bipbayes.cells import working
from bipbayes.cells.persistence import score_dataset
from bipbayes.cells.scores import Scores, make_scores
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Sample, analysis_sample, distinct_citizens, group_sums
from bipbayes.errors import SettingsError
from bipbayes.ordinal.estimates import fit_indicators
from bipbayes.ordinal.fit import IndicatorFit
from bipbayes.ordinal.translate import translation_dataset

LATENT = "latent"
PROGRESSION = "progression"
SCALES = (LATENT, PROGRESSION)

BLOCK = ("combination", "jobcenter")


def ordinal_cells(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    vcov: str = working.CITIZEN,
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
        and what `bipbayes.ordinal.translate.translate` needs. Attrs ``analysis`` (``ordinal``)
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
    for name, value, allowed in (("vcov", vcov, working.VCOV), ("scale", scale, SCALES)):
        if value not in allowed:
            raise SettingsError(f"{name} {value!r} is unknown; known: {', '.join(allowed)}")
    sample = analysis_sample(progression, codebook)
    fits = fit_indicators(progression, codebook, sample=sample)
    codes = list(codebook.indicator_codes)
    scores = _scores(fits, sample, progression, codes=codes)
    blocks = (len(sample.combinations), len(sample.jobcenters))
    covariance = score_dataset(scores, codes, vcov=vcov, blocks=blocks)
    cells = _counts(sample, scores, codebook).merge(covariance, join="exact")
    stored = translation_dataset({code: entry.translation for code, entry in fits.items()})
    cells = cells.merge(stored.reindex(indicator=codes))
    cells = _placed(cells, scores, *_starts(fits, cells, scale=scale))
    for name, source in (("sd", "sd"), ("mean_change", "mean")):
        cells[name] = progression[source].sel(outcome=list(codebook.outcomes))
    cells.attrs = {
        **progression.attrs,
        **covariance.attrs,
        "vcov": vcov,
        "analysis": "ordinal",
        "scale": scale,
    }
    return cells


def _scores(
    fits: dict[str, IndicatorFit], sample: Sample, progression: xr.Dataset, *, codes: list[str]
) -> Scores:
    """Collect all indicators' scores: unit variance, weight the root of the information."""
    values, weight = np.zeros((2, len(sample.rows), len(codes)))
    for position, code in enumerate(codes):
        if code in fits:
            entry = fits[code]
            root = np.sqrt(entry.information)
            weight[entry.answers.rows, position] = root
            values[entry.answers.rows, position] = entry.score / root
    previous = progression["previous"].sel(outcome=codes).transpose("response", ...).to_numpy()
    return make_scores(sample, previous, values=values, weight=weight)


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


def _placed(cells: xr.Dataset, scores: Scores, start: Floats, slope: Floats) -> xr.Dataset:
    """Add ``mean`` and turn ``vcov`` to the scale."""
    each = (*BLOCK, "indicator")
    shape = tuple(cells.sizes[name] for name in each)
    by_combination = xr.DataArray(slope, dims=("combination", "indicator"))
    factor = by_combination * by_combination.rename(indicator="indicator_")
    mean = start[:, None, :] + slope[:, None, :] * scores.estimate.reshape(shape)
    turned = (cells["vcov"] * factor).transpose(*cells["vcov"].dims)
    return cells.assign(
        mean=(each, mean),
        information=(each, scores.information.reshape(shape)),
        vcov=turned,
    )


def _counts(sample: Sample, scores: Scores, codebook: Codebook) -> xr.Dataset:
    """Answers and citizens by cell; what an indicator without a probit has does not count."""
    codes = list(codebook.indicator_codes)
    shape = (len(sample.combinations), len(sample.jobcenters), -1)
    answers = group_sums(sample.cell, sample.observed.astype(float), size=sample.cells)
    citizens = distinct_citizens(sample, sample.cell, size=sample.cells)
    used = scores.information > 0
    each, outcome = (*BLOCK, "indicator"), (*BLOCK, "outcome")
    return xr.Dataset(
        {
            "n": (each, (answers[:, : len(codes)].astype("int64") * used).reshape(shape)),
            "n_citizens": (each, (citizens[:, : len(codes)] * used).reshape(shape)),
            "n_outcome": (outcome, answers.astype("int64").reshape(shape)),
            "n_citizens_outcome": (outcome, citizens.reshape(shape)),
        },
        coords={
            "combination": list(sample.combinations),
            "jobcenter": list(sample.jobcenters),
            "indicator": codes,
            "indicator_": codes,
            "outcome": list(codebook.outcomes),
            "respondent": ("indicator", [codebook.respondent_of(code) for code in codes]),
        },
    )

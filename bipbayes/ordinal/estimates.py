"""Ordered probits of all indicators side by side and how their effects err together.

One probit for each indicator: thresholds, previous answer, combination.

Every response has an influence on an indicator's effects: its score times the inverse
information, turned to the scale of progression by the delta method. Summed within citizens and
stacked over indicators, their cross products are the joint covariance of all indicators' effects
(the sandwich, clustered by citizen), with gaps wherever they are. Averages are sums of indicators
and take their errors from it. Confidence intervals
are rows of the one long frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.cells.means import average_weights
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import (
    Booleans,
    Floats,
    Integers,
    Sample,
    analysis_sample,
    distinct_citizens,
    group_sums,
)
from bipbayes.errors import DataError
from bipbayes.option_words import ORDINAL
from bipbayes.ordinal.probit import (
    Answers,
    Kinds,
    ProbitFit,
    Translation,
    effect_information,
    effect_scores,
    fit_probit,
    indicator_answers,
    parameter_scores,
    translation,
    translation_dataset,
)
from bipbayes.regression.intervals import (
    checked_level,
    confidence_frame,
    contrasts_of,
    effects_of,
    estimate_rows,
    factorial_of,
)

CLASSICAL: Final = "classical"
CLUSTER_CITIZEN: Final = "cluster_citizen"
VCOV: Final = (CLASSICAL, CLUSTER_CITIZEN)
NOT_OBSERVED = "combination not observed"
ONE_CITIZEN = "rests on one {citizen}"
NO_FIT = "fewer than two different answers"
NO_JOINT = "an average needs errors clustered by {citizen}"
SOURCE: Final = "ordinal"


@dataclass(frozen=True)
class IndicatorFit:
    """An indicator's ordered probit and what each response adds to it.

    Attributes
    ----------
    answers, probit, translation
        The data, the fit and its way back to progression.
    observed
        Which combinations have answers.
    effect
        Latent effect of each combination from the first observed one; ``NaN`` without answers.
    score, information
        Of each row on its own group's effect: derivative of the log probability, and its
        expected square.
    influence
        Scores times the inverse information: what a row adds to the parameters (thresholds,
        level effects, combination effects), shape (row, parameter).
    """

    answers: Answers
    probit: ProbitFit
    translation: Translation
    observed: np.ndarray
    effect: Floats
    score: Floats
    information: Floats
    influence: Floats


@dataclass(frozen=True)
class Stacked:
    """Effects of all indicators, translated, and the citizens' influence on them.

    Attributes
    ----------
    effect
        Shape (indicator, combination); ``NaN`` without answers.
    classical
        Covariance from the inverse information, shape (indicator, combination, combination).
    influence
        Sums within citizens, small-sample factor included, shape
        (citizen, indicator x combination).
    clusters
        Citizens by indicator.
    """

    effect: Floats
    classical: Floats
    influence: Floats
    clusters: Integers


def fit_indicators(
    progression: xr.Dataset, codebook: Codebook, *, sample: Sample
) -> dict[str, IndicatorFit]:
    """Fit the ordered probit of every indicator that has one.

    Raises
    ------
    DataError
        No indicator has two different answers.
    """
    fits = {}
    for answers in indicator_answers(progression, codebook, sample=sample):
        found = fit_indicator(answers, combinations=len(sample.combinations))
        if found is not None:
            fits[answers.indicator] = found
    if not fits:
        raise DataError(
            "no indicator has two different answers among the analysed responses; an ordinal "
            "analysis needs them"
        )
    return fits


def estimate_ordinal(progression: xr.Dataset, codebook: Codebook) -> xr.Dataset:
    """Estimate the answer given the previous answer and the combination by ordered probit.

    Parameters
    ----------
    progression
        Unadjusted, as `bipbayes.data.progression.progression` returns it.
    codebook
        The study's.

    Returns
    -------
    xarray.Dataset
        In standard deviations of progression, averaged over the sample's previous answers:
        ``estimate[outcome, combination]`` (averages are made of all answers of their members),
        ``covariance[vcov, outcome, combination, combination_]`` for ``classical`` and
        ``cluster_citizen``, ``df[vcov, outcome]``, ``n``, ``n_citizens`` and ``note``
        (``[vcov, outcome, combination]``: why an error is empty); and what
        `bipbayes.ordinal.probit.translate` needs.

    Raises
    ------
    DataError
        Empty analysis sample, unknown labels, or no indicator with two different answers.
    FitError
        An ordered probit did not converge.
    """
    sample = analysis_sample(progression, codebook)
    fits = fit_indicators(progression, codebook, sample=sample)
    indicators = list(codebook.indicator_codes)
    stacked = _stack(fits, sample, indicators)
    weights, shift = outcome_weights(progression, codebook)
    dataset = _dataset(stacked, sample, weights=weights, shift=shift)
    stored = translation_dataset({code: entry.translation for code, entry in fits.items()})
    dataset = dataset.merge(stored.reindex(indicator=indicators))
    dataset["sd"] = progression["sd"].sel(outcome=list(codebook.outcomes))
    dataset.attrs = {**progression.attrs, "analysis": "ordinal", "scale": "progression"}
    return dataset


def outcome_weights(progression: xr.Dataset, codebook: Codebook) -> tuple[Floats, Floats]:
    """Weights of indicators in all outcomes, shape (outcome, indicator), and shifts.

    An average that nobody answered has no weights and the shift ``NaN``.
    """
    count = len(codebook.indicator_codes)
    scale = progression[["sd", "mean"]].rename(mean="mean_change")
    averages, moved = average_weights(scale, codebook)
    weights = np.concatenate([np.eye(count), np.nan_to_num(averages.to_numpy())])
    return weights, np.concatenate([np.zeros(count), moved.to_numpy()])


def _stack(fits: dict[str, IndicatorFit], sample: Sample, indicators: Sequence[str]) -> Stacked:
    size, citizens = len(sample.combinations), int(sample.citizen.max()) + 1
    effect = np.full((len(indicators), size), np.nan)
    classical = np.full((len(indicators), size, size), np.nan)
    influence = np.zeros((citizens, len(indicators), size))
    clusters = np.zeros(len(indicators), dtype="int64")
    for position, code in enumerate(indicators):
        if (entry := fits.get(code)) is None:
            continue
        effect[position], jacobian = translated_effects(entry)
        square = np.ix_([position], entry.observed, entry.observed)
        classical[square] = jacobian @ np.linalg.solve(entry.probit.information, jacobian.T)
        citizen = sample.citizen[entry.answers.rows]
        clusters[position] = len(np.unique(citizen))
        factor = _factor(len(citizen), int(clusters[position]), entry.influence.shape[1])
        sums = group_sums(citizen, entry.influence @ jacobian.T, size=citizens)
        influence[:, position, entry.observed] = sums * np.sqrt(factor)
    return Stacked(effect, classical, influence.reshape(citizens, -1), clusters)


def _factor(rows: int, clusters: int, parameters: int) -> float:
    """Stata's small-sample factor, also statsmodels'; ``NaN`` where it is not defined."""
    if clusters < 2 or rows <= parameters:
        return np.nan
    return clusters / (clusters - 1) * (rows - 1) / (rows - parameters)


def _dataset(stacked: Stacked, sample: Sample, *, weights: Floats, shift: Floats) -> xr.Dataset:
    count, size = stacked.effect.shape
    effect = _combined(weights, stacked.effect) + shift[:, None]
    cube = stacked.influence.reshape(-1, count, size)
    moved = np.einsum("ok,gkc->goc", weights, np.nan_to_num(cube))
    clustered = np.einsum("goc,god->ocd", moved, moved, optimize=True)
    classical = np.full_like(clustered, np.nan)
    classical[:count] = stacked.classical
    known = ~np.isnan(effect)
    undefined = (weights > 0) @ np.isnan(cube).any(axis=(0, 2)).astype(float) > 0
    blank = ~(known[:, :, None] & known[:, None, :]) | undefined[:, None, None]
    most = len(stacked.influence)
    clusters = np.array([stacked.clusters[row > 0].min(initial=most) for row in weights])
    degrees = np.where(clusters > 1, clusters - 1, np.nan)
    citizens = distinct_citizens(sample, sample.combination, size=size).T
    answers = group_sums(sample.combination, sample.observed.astype(float), size=size).T
    dims = ("outcome", "combination")
    return xr.Dataset(
        {
            "estimate": (dims, effect),
            "covariance": (
                ("vcov", *dims, "combination_"),
                np.stack([classical, np.where(blank, np.nan, clustered)]),
            ),
            # Of t: the normal for ``classical``, as in every probit; G - 1.
            "df": (("vcov", "outcome"), np.stack([np.full(len(clusters), np.inf), degrees])),
            "n": (dims, answers.astype("int64")),
            "n_citizens": (dims, citizens),
            "note": (("vcov", *dims), _notes(effect, citizens, indicators=count)),
        },
        coords={
            "vcov": list(VCOV),
            "outcome": list(sample.outcomes),
            "combination": list(sample.combinations),
            "combination_": list(sample.combinations),
        },
    )


def _combined(weights: Floats, effect: Floats) -> Floats:
    """Weighted sums over indicators; ``NaN`` where an indicator with weight has none."""
    missing = (weights != 0).astype(float) @ np.isnan(effect)
    return np.where(missing > 0, np.nan, weights @ np.nan_to_num(effect))


def _notes(effect: Floats, citizens: Integers, *, indicators: int) -> np.ndarray:
    notes = np.full((len(VCOV), *effect.shape), "", dtype=object)
    notes[0, indicators:] = NO_JOINT
    notes[1][citizens == 1] = ONE_CITIZEN
    notes[:, np.isnan(effect)] = NOT_OBSERVED
    empty: Booleans = np.isnan(effect).all(axis=1)
    notes[:, empty] = NO_FIT
    return notes


def fit_indicator(answers: Answers, *, combinations: int) -> IndicatorFit | None:
    """Fit an indicator's ordered probit; None where fewer than two categories occur.

    `answers`: from `bipbayes.ordinal.cells.indicator_answers`; `combinations`: number of
    combinations of the codebook.
    """
    if len(answers.categories) < 2:
        return None
    present, group = np.unique(answers.combination, return_inverse=True)
    rows = np.column_stack([answers.level, group, answers.category])
    kinds, kind, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    table = Kinds(
        level=kinds[:, 0],
        group=kinds[:, 1],
        category=kinds[:, 2],
        count=counts.astype("float64"),
        levels=len(answers.levels),
        groups=len(present),
        categories=len(answers.categories),
    )
    probit = fit_probit(table)
    effect = np.full(combinations, np.nan)
    effect[present] = probit.group_effect
    contributions = np.linalg.solve(probit.information, parameter_scores(probit, table).T).T
    return IndicatorFit(
        answers=answers,
        probit=probit,
        translation=translation(answers, probit),
        observed=~np.isnan(effect),
        effect=effect,
        score=effect_scores(probit, table)[kind],
        information=effect_information(probit)[answers.level, group],
        influence=contributions[kind],
    )


def translated_effects(fit: IndicatorFit) -> tuple[Floats, Floats]:
    """Return expected standardised progression of the combinations and its Jacobian.

    Returns: shape (combination,), ``NaN`` without answers; and (observed combination, parameter).
    """
    effects = fit.effect[fit.observed]
    by_effect, by_threshold, by_level = fit.translation.slopes(effects)
    progress = np.full(len(fit.effect), np.nan)
    progress[fit.observed] = fit.translation.progress(effects)
    # The first effect of each kind is the reference and no parameter.
    own = np.diag(by_effect)[:, 1:]
    return progress, np.column_stack([by_threshold, by_level[:, 1:], own])


def ordinal_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn ordinal estimates into the rows that OLS has, in the same units.

    ``effect`` is expected standardised progression under a combination, averaged over the
    sample's previous answers (zero: average progression), ``contrast`` the difference from no
    treatment, ``factorial`` the treatments' main effects and interactions. Families for Holm
    and Benjamini-Hochberg are those of OLS: all indicators, and all averages, of one estimand
    and one kind of standard error.

    Parameters
    ----------
    estimates
        From `bipbayes.ordinal.estimates.estimate_ordinal`.
    codebook
        The study's.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns of `bipbayes.intervals.COLUMNS`, ``source`` and ``analysis`` ``ordinal``, ``vcov``
        ``classical`` or ``cluster_citizen``. There is no ordered probit by jobcenter (a cell of
        twenty responses has none of its own), so jobcenters' effects and what weights
        jobcenters alike have no rows here; the posterior has them.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    names = ["estimate", "covariance", "df", "n", "n_citizens", "note"]
    source = estimates[names]
    rows = [
        estimate_rows(effects_of(source), "effect"),
        estimate_rows(contrasts_of(source, codebook.no_treatment), "contrast"),
        estimate_rows(factorial_of(source, codebook), "factorial"),
    ]
    return confidence_frame(
        rows, codebook, level=checked_level(level), source=SOURCE, analysis=ORDINAL
    )

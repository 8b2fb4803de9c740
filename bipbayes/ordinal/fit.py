"""One ordered probit for each indicator: thresholds, previous answer, combination."""

from dataclasses import dataclass

import numpy as np

from bipbayes.data.sample import Floats
from bipbayes.ordinal.answers import Answers
from bipbayes.ordinal.probit import (
    Kinds,
    ProbitFit,
    effect_information,
    effect_scores,
    fit_probit,
    parameter_scores,
)
from bipbayes.ordinal.translate import Translation, translation


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


def fit_indicator(answers: Answers, *, combinations: int) -> IndicatorFit | None:
    """Fit an indicator's ordered probit; None where fewer than two categories occur.

    Parameters
    ----------
    answers
        From `bipbayes.ordinal.answers.indicator_answers`.
    combinations
        Number of combinations of the codebook.
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

    Returns
    -------
    tuple
        Shape (combination,), ``NaN`` without answers; and (observed combination, parameter).
    """
    effects = fit.effect[fit.observed]
    by_effect, by_threshold, by_level = fit.translation.slopes(effects)
    progress = np.full(len(fit.effect), np.nan)
    progress[fit.observed] = fit.translation.progress(effects)
    # The first effect of each kind is the reference and no parameter.
    own = np.diag(by_effect)[:, 1:]
    return progress, np.column_stack([by_threshold, by_level[:, 1:], own])

"""Main effects and interactions of treatments: the combinations in ±1 coding.

A treatment is coded +1 where it is given and -1 where it is not; an interaction is the product
of its treatments. Every mean over combinations is a sum of such terms,

    mean[c] = sum over terms t of  sign[c, t] coefficient[t],

with ``2 ** treatments`` terms: one of order 0 (the average over combinations), one of order 1
for each treatment, and so on. The columns are orthogonal, so that the coefficients are
``sum_c sign[c, t] mean[c] / 2 ** treatments``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers
from bipbayes.errors import DataError


@dataclass(frozen=True)
class FactorialTerms:
    """The terms of a study, ordered by order and then as the treatments are.

    Attributes
    ----------
    masks
        Each term's treatments as digits: ``"1010"`` is the interaction of the first and third.
    order
        Number of treatments in each term, shape (term,).
    signs
        +1 and -1, shape (combination, term).
    """

    masks: tuple[str, ...]
    order: Integers
    signs: Floats

    def of_order(self, least: int) -> "FactorialTerms":
        """Return the terms of an order and above."""
        kept = np.flatnonzero(self.order >= least)
        masks = tuple(self.masks[place] for place in kept)
        return FactorialTerms(masks, self.order[kept], self.signs[:, kept])


def factorial_terms(labels: Sequence[str]) -> FactorialTerms:
    """Return all terms, order 0 included.

    Parameters
    ----------
    labels
        The combinations as digits; all ``2 ** treatments`` of them, in any order.

    Raises
    ------
    DataError
        Combinations are missing, stand twice, or are no digits 0 and 1.
    """
    treatments = len(labels[0]) if labels else 0
    expected = {"".join(digits) for digits in product("01", repeat=treatments)}
    if not treatments or set(labels) != expected or len(labels) != len(expected):
        raise DataError(
            f"main effects and interactions need every combination of the treatments once; "
            f"there are {len(labels)} labels, {len(set(labels) & expected)} of the "
            f"{len(expected)} combinations among them"
        )
    given = np.array([[digit == "1" for digit in label] for label in labels])
    coded = np.where(given, 1.0, -1.0)
    chosen = [
        members
        for order in range(treatments + 1)
        for members in combinations(range(treatments), order)
    ]
    masks = tuple(
        "".join("1" if place in members else "0" for place in range(treatments))
        for members in chosen
    )
    signs = np.column_stack([coded[:, list(members)].prod(axis=1) for members in chosen])
    return FactorialTerms(masks, np.array([len(members) for members in chosen]), signs)


def term_label(mask: str, codebook: Codebook) -> str:
    """Name a term by its treatments: ``"1010"`` is ``"J:S"``."""
    return ":".join(code for code in codebook.treatment_codes if codebook.has_treatment(mask, code))


def factorial_contrasts(codebook: Codebook) -> tuple[tuple[str, ...], Floats]:
    """Weights that turn the combinations' means into factorial effects.

    An effect is the mean over the half of the combinations with sign +1 less the mean over the
    other half: twice the coefficient, whatever the order (Box, Hunter and Hunter 2005, chapter
    5). For a treatment this is its average effect; for two treatments half of how much the
    effect of one differs by the other; and so on.

    Parameters
    ----------
    codebook
        The study's.

    Returns
    -------
    tuple
        Labels of the terms such as ``"J"``, ``"J:S"`` (no order 0, which is no effect of adding
        anything), and weights of shape (term, combination) in the codebook's order.
    """
    terms = factorial_terms(codebook.combinations).of_order(1)
    labels = tuple(term_label(mask, codebook) for mask in terms.masks)
    return labels, 2.0 * terms.signs.T / len(codebook.combinations)

"""Every analysis and estimand has words in both languages."""

from itertools import product

import pytest

from bipbayes.errors import SettingsError
from bipbayes.estimands.words import ANALYSES, estimand_in_words
from bipbayes.intervals import ESTIMANDS


def test_all_have_their_own_words() -> None:
    """Catches an estimand of the frame without words, or two analyses described alike."""
    texts = {
        estimand_in_words(*labels): labels for labels in product(ANALYSES, ESTIMANDS, ("en", "da"))
    }
    assert len(texts) == len(ANALYSES) * len(ESTIMANDS) * 2


def test_unknown_labels_are_refused() -> None:
    """Catches silent fallbacks."""
    for labels in (("age", "effect", "en"), ("", "mean", "en"), ("", "effect", "fr")):
        with pytest.raises(SettingsError, match="known"):
            estimand_in_words(*labels)

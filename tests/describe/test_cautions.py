"""What is said of a study's design before its results."""

import pandas as pd
import pytest
from builders import Shape, make_codebook, random_responses

from bipbayes.describe.cautions import design_cautions

CODEBOOK = make_codebook(3, 2)


@pytest.mark.parametrize(
    ("sites", "combinations", "told"),
    [
        (6, ("00", "01", "10"), []),
        (5, ("00", "01", "10"), ["Only 5 sites"]),
        (1, ("00", "01", "10"), ["One site only"]),
        (6, ("00", "10"), ["Never given, so that its effect rests on priors alone: U."]),
        (6, ("01", "11"), ["Given every time, so that there is nothing to compare it with: U."]),
        (2, ("10",), ["Only 2 sites", "Never given", "Given every time"]),
        (6, ("",), []),  # nobody's activities are known: that is refused elsewhere
    ],
)
def test_designs_that_say_little_are_named(
    sites: int, combinations: tuple[str, ...], told: list[str]
) -> None:
    """Catches few sites, and treatments that all or none have, passed over in silence."""
    rows = [(f"site {site}", given) for site in range(sites) for given in combinations]
    responses = pd.DataFrame(rows * 3, columns=["jobcenter", "combination"]).assign(citizen="one")
    found = design_cautions(responses, CODEBOOK)
    assert len(found) == len(told)
    assert all(said.startswith(start) for said, start in zip(found, told, strict=True))
    danish = design_cautions(responses, CODEBOOK, language="da")
    assert len(danish) == len(told) and not set(danish) & set(found)


@pytest.mark.parametrize(("most", "told"), [(1, False), (2, True), (3, False)])
def test_two_waves_are_named(most: int, *, told: bool) -> None:
    """Catches errors by citizen, and first answers, taken for what more waves would give."""
    frame = random_responses(CODEBOOK, seed=1, shape=Shape(citizens=40, waves=(1, 4)))
    responses = frame.groupby("citizen").head(most)
    for language, start in (("en", "No person answered"), ("da", "Ingen person svarede")):
        found = design_cautions(responses, CODEBOOK, language=language)
        assert any(said.startswith(start) for said in found) == told

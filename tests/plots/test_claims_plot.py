"""The picture of all claims."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bipbayes.audit.rules import WORDS
from bipbayes.bip.facts import bip_codebook
from bipbayes.plots.claims import TILES, claims_data, claims_figure, panel_title
from bipbayes.plots.save import save_figure
from bipbayes.wording import Context


@pytest.fixture
def audit() -> pd.DataFrame:
    claims = [
        ("A1", "figure", "S2", "true"),
        ("A2", "figure", "B1", "false"),
        ("A3", "figure", "B1", "true"),
        ("A4", "summary", "*", "unstated"),
        ("A5", "figure", "citizen_mean", "true"),
    ]
    frame = pd.DataFrame(claims, columns=["claim_id", "section", "outcome", "significant"])
    for column in ("effect_verdict_classical", "effect_verdict_posterior"):
        frame[column] = list(WORDS)
    frame["contrast_verdict_posterior"] = list(reversed(WORDS))
    return frame.assign(likely=0.8, beyond=0.1, level=0.95)


@pytest.fixture
def context() -> Context:
    return Context(bip_codebook(), synthetic=True)


def test_each_claim_has_one_tile_in_each_panel(audit, context) -> None:
    """Catches tiles on top of one another, and groups out of the codebook's order."""
    data = claims_data(audit, context)
    assert len(data) == 3 * len(audit)
    assert not data.duplicated(["estimand", "reading", "row", "place"]).any()
    first = data[data["reading"] == "classical"].set_index("claim_id")
    assert list(first.loc[["A2", "A1", "A5", "A4"], "row"]) == [0, 1, 2, 3]
    assert list(first.loc[["A2", "A3"], "place"]) == [0, 1]
    assert first.loc["A1", "word"] == WORDS[0]
    last = data[data["estimand"] == "contrast"].set_index("claim_id")
    assert last.loc["A1", "word"] == WORDS[-1]


def test_words_are_told_apart_without_colour() -> None:
    """Catches two words with the same mark, which a grey print could not tell apart."""
    marks = {(tile.marker, tile.fill, tile.mark) for tile in TILES.values()}
    assert set(TILES) == set(WORDS)
    assert len(marks) == len(WORDS)


@pytest.mark.parametrize("language", ["en", "da"])
def test_figure_says_what_it_shows(audit, language: str, tmp_path: Path) -> None:
    """Catches a legend whose counts are wrong and a caption that hides synthetic data."""
    context = Context(bip_codebook(), synthetic=True, language=language)
    figure = claims_figure(audit, context=context)
    legends = [axes.get_legend() for axes in figure.axes]
    assert [len(legend.get_texts()) for legend in legends] == [len(WORDS)] * 3
    assert all(text.get_text().endswith(" 1") for text in legends[0].get_texts())
    texts = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert {"en": "Synthetic data", "da": "Syntetiske data"}[language] in texts
    assert "95 %" in texts
    assert {"en": "0.8", "da": "0,8"}[language] in texts
    ids = {text.get_position()[1]: text.get_text() for text in figure.axes[-1].texts}
    assert ids == {0: "A2 … A3", 1: "A1", 2: "A5", 3: "A4"}
    paths = save_figure(figure, tmp_path / "claims", formats=("png",))
    assert paths[0].stat().st_size > 10_000


def test_panels_are_named_by_source_and_estimand() -> None:
    """Catches OLS intervals under the posterior's name."""
    assert panel_title(("effect", "classical"), "en").startswith("OLS, classical errors")
    assert "no intervention" in panel_title(("contrast", "posterior"), "en")


@pytest.mark.parametrize("language", ["en", "da"])
def test_caption_names_the_model(audit, language: str) -> None:
    """Catches verdicts of one model that look like another's."""
    context = Context(bip_codebook(), synthetic=True, language=language)
    figure = claims_figure(audit.assign(model="no_pooling"), context=context)
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "Posterior: model no_pooling." in texts.replace("\n", " ")

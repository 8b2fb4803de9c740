"""Text for a paper: its numbers are the record's and the frames', and nothing is claimed."""

import re
from typing import Any

import pytest
from builders import FOREIGN
from test_page import CODEBOOK, RECORD, VERDICT, contents

from bipbayes.page import paper
from bipbayes.page.contents import PageContents
from bipbayes.page.page import page_html
from bipbayes.tables.html import html
from bipbayes.wording import Context

SETTINGS = {
    **{"engine": "exact", "draws": 321, "tune": 17, "chains": 3, "seed": 99, "rope": 0.07},
    **{"previous": "response", "model_digest": "abc",
       "priors": "Priors(jobcenter=0.35, all=2.0, combination_respondent=0.066)"},
}  # fmt: skip
CHECKS = {
    "prior": {"model": "hierarchical", "inside": {"hierarchical": 0.912}, "limit": 0.6},
    "sensitivity": {"model": "no_pooling", "quantities": 50, "flagged": 3},
}
STAGE = "fit_posterior/hierarchical"


def given(*, verdict: dict[str, Any] = VERDICT, **changes: Any) -> PageContents:
    """Contents of a fit with all settings, after two checks, one of another model."""
    stages = {
        STAGE: {"verdict": verdict, "settings": SETTINGS, "sampler": "exact",
                "idle_priors": ["combination_respondent"]},
        "check": {"checks": CHECKS},
    }  # fmt: skip
    return contents(record={**RECORD, "stages": stages}, **changes)


@pytest.mark.parametrize("language", ["en", "da"])
def test_methods_take_every_number_from_the_record(language: str) -> None:
    """Catches a number that is typed, another study's words, and a decimal point in Danish."""
    text = " ".join(paper.methods(given(language=language)))
    mark = {"en": ".", "da": ","}[language]
    for number in ("900", "300", "321", "99", "0 ", "10", *(f"0{mark}{n}" for n in ("07", "35"))):
        assert number in text, number
    assert f"91{mark}2 %" in text and "3.13" in text and f"0{mark}21" in text
    assert not re.search(r"[{}]|power scaling|\b50\b", text), "a check of another model"
    assert not FOREIGN.search(text)
    assert not re.search(r"0[.,]066", text), "a prior of a batch that the study's model lacks"
    assert text.startswith(
        {"en": "The data are synthetic", "da": "Dataene er syntetiske"}[language]
    )


@pytest.mark.parametrize("declares", [True, False])
def test_methods_describe_only_what_the_package_knows(declares: bool) -> None:
    """Catches a normal model that is told of an author's own file."""
    stage = {"settings": SETTINGS, "verdict": VERDICT, "declares_batches": declares}
    own = contents(record={**RECORD, "stages": {STAGE: stage}})
    text = " ".join(paper.methods(own))
    assert ("multivariate normal" in text, "authors' own model" in text) == (declares, not declares)


def test_results_are_the_sentences_of_the_page() -> None:
    """Catches a second version of a count, and real data that are called synthetic."""
    real = given(context=Context(CODEBOOK, synthetic=False))
    for told in (paper.methods(real), paper.results(real)):
        assert "synthetic" not in " ".join(told)
    page = page_html(real)
    for sentence in paper.results(real):
        assert sentence.replace("&", "&amp;").replace("'", "&#39;") in page
    assert paper.results(given())[0].startswith("The data are synthetic")


def test_checklists_say_what_was_done_and_what_is_the_authors() -> None:
    """Catches a point ticked for a failed fit, a check not made, or a reason nobody gave."""
    barg, wambs = paper.checklists(given())
    states = {table.name: dict(zip(table.raw["point"], table.raw["state"], strict=True))
              for table in (barg, wambs)}  # fmt: skip
    assert len(barg.raw) == 15 and len(wambs.raw) == 10
    author = {"why", "goals", "priors"}
    missing = {"predictive", "sensitivity"}
    found = states["checklist_barg"]
    assert {point for point, state in found.items() if state == "author"} == author
    assert {point for point, state in found.items() if state == "open"} == missing
    assert states["checklist_wambs"]["doubled"] == "open"
    failed = given(verdict={**VERDICT, "passed": False, "reasons": ["k-hat 0.9"]})
    raw = paper.checklists(failed)[0].raw.set_index("point")
    assert set(raw.loc[["convergence", "ess"], "state"]) == {"open"}
    assert "Synthetic data." in barg.caption and "wrapped" in html([barg])


def test_a_page_of_the_interface_has_less_to_say() -> None:
    """Catches a record without settings that breaks the text, or is taken for a fit's."""
    bare = contents()
    text = " ".join(paper.methods(bare))
    assert "seed" not in text and "priors" not in text and "900" in text
    raw = paper.checklists(bare)[0].raw.set_index("point")
    assert raw.loc["formal", "state"] == "author" and raw.loc["formal", "answer"] == ""

"""Text for a paper: methods, results and two checklists, from record and frames; nothing is typed.

BARG is Kruschke (2021, Nature Human Behaviour 5:1282), WAMBS Depaoli and van de Schoot (2017,
Psychological Methods 22:240), the latter in words of our own.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pandas as pd

from bipbayes.errors import RunError
from bipbayes.page.contents import PageContents
from bipbayes.page.sentences import (
    against_ols,
    analysed,
    claims,
    measures,
    overall,
    selection,
    trust,
)
from bipbayes.phrases import decimals_marked
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.wording import interval_words, number, phrase, whole_number

DONE, OPEN, AUTHOR = "done", "open", "author"
# Points of the lists, and the answer that each takes.
_POINTS: Final[Mapping[str, Mapping[str, str]]] = {
    "barg": {
        point: point
        for point in (
            *("why", "goals", "variables", "likelihood", "priors", "formal", "prior_predictive"),
            *("software", "convergence", "ess", "predictive", "estimates", "decisions"),
            *("sensitivity", "rerun"),
        )
    },
    "wambs": {
        **{"understood": "priors", "convergence": "convergence", "doubled": "doubled"},
        **{"information": "ess", "autocorrelation": "autocorrelation", "sense": "sense"},
        **{"variances": "sensitivity", "uninformative": "uninformative"},
        **{"sensitivity": "sensitivity", "reported": "estimates"},
    },
}
_CHECKS: Final = {"prior_predictive": "prior", "predictive": "cells", "sensitivity": "sensitivity"}
_PLACES: Final = {"limit": 1, "spread": 2, "cells": 0, "flagged": 0, "quantities": 0}  # decimals
_PARTS: Final = ("combination", "indicator", "jobcenter", "respondent")
_COLUMNS: Final = ("point", "state", "answer")


def methods(contents: PageContents) -> list[str]:
    """Return the paragraphs of a methods section; what was not recorded is left out."""
    said, language = _said(contents), contents.language
    of_page = {phrase(key, language) for key in ("page_preliminary", "page_trust_only")}
    judged = [text for text in trust(contents) if text not in of_page]
    ends = [said[name] for name in ("estimates", "decisions")]
    return _paragraphs(
        [*_marks(contents), said["variables"], said["scale"]],
        [said["likelihood"], said["priors"]],
        [said["engine"], *judged],
        [*ends, *(said[name] for name in _CHECKS)],
        [said["software"], rounding_note(contents.context)],
    )


def results(contents: PageContents) -> list[str]:
    """Return the paragraphs of a results section: overall, against OLS, selection, claims."""
    language, beside = contents.language, selection(contents)
    if contents.audit is not None and beside == phrase("page_selection_unknown", language):
        beside = ""  # the audit says so
    return _paragraphs(
        [*_marks(contents), *overall(contents)],
        [*against_ols(contents), beside],
        claims(contents),
        [phrase("page_significant", language)],
    )


def _paragraphs(*parts: Sequence[str]) -> list[str]:
    """Join sentences, leaving out what is empty."""
    return [" ".join(filter(None, part)) for part in parts if any(part)]


TEXTS: Final = (("methods", methods), ("results", results))


def checklists(contents: PageContents) -> list[Table]:
    """Build both checklists: done, not done, or for the author, each with its answer."""
    language, answers = contents.language, _answers(contents)
    columns = [Column(key, phrase(f"checklist_{key}", language), align="l") for key in _COLUMNS]
    tables = []
    for name, points in _POINTS.items():
        rows = [(point, *answers[of]) for point, of in points.items()]
        raw = pd.DataFrame(rows, columns=list(_COLUMNS))
        body = raw.assign(
            point=[phrase(f"{name}_{point}", language) for point in raw["point"]],
            state=[phrase(f"checklist_{state}", language) for state in raw["state"]],
        )
        caption = table_caption(contents.context, phrase(f"checklist_{name}", language))
        tables.append(
            Table(f"checklist_{name}", caption, (), tuple(columns), body, raw, wrapped=True)
        )
    return tables


def _marks(contents: PageContents) -> list[str]:
    context, language = contents.context, contents.language
    held = {"page_synthetic": context.synthetic, "page_preliminary": context.preliminary}
    return [phrase(key, language) for key, holds in held.items() if holds]


def _answers(contents: PageContents) -> dict[str, tuple[str, str]]:
    """Return the state and answer of every point, as far as a machine can know them."""
    language, said = contents.language, _said(contents)
    verdict = contents.fit.get("verdict", {})
    passed = DONE if verdict.get("passed") else OPEN
    exact = "k_hat" in verdict.get("worst", {})
    answers = {point: (DONE if text else AUTHOR, text) for point, text in said.items()}
    for point, check in _CHECKS.items():
        if not said[point]:
            answers[point] = (OPEN, f"check {check}")
    return {
        **dict.fromkeys(("why", "goals", "sense", "uninformative"), (AUTHOR, "")),
        **answers,
        "software": (DONE, phrase("paper_named", language)),
        "priors": (AUTHOR, said["priors"]),  # the reason is nobody else's to give
        "convergence": (passed, measures(verdict, language) if verdict else ""),
        "ess": (passed, said["ess"]),
        "autocorrelation": (
            passed,
            phrase("paper_independent", language) if exact else said["ess"],
        ),
        "doubled": (OPEN, phrase("paper_double", language)),
    }


def _said(contents: PageContents) -> dict[str, str]:
    """Return sentences by what they are about, empty where nothing was recorded of it."""
    language, done, record = contents.language, contents.fit, contents.record
    asked, worst = done.get("settings", {}), done.get("verdict", {}).get("worst", {})
    rows = contents.plain[contents.plain["source"] == "posterior"]
    found = {name: text for name, text in record.get("software", {}).items() if name != "system"}

    def say(key: str, known: object, **values: object) -> str:
        return phrase(f"paper_{key}", language, **values) if known else ""

    told = {key: str(asked.get(key, "")) for key in ("draws", "tune", "chains", "seed")}
    low, high = contents.context.codebook.scale
    previous = say(f"previous_{asked.get('previous')}", asked)
    declared = done.get("declares_batches", False)
    digest, rope = asked.get("model_digest"), asked.get("rope")
    idle = done.get("idle_priors", ())
    priors = _priors(str(asked.get("priors", "")), language, idle=idle)
    least = {side: whole_number(worst.get(f"ess_{side}", float("nan")), language=language)
             for side in ("bulk", "tail")}  # fmt: skip
    interval = "" if rows.empty else interval_words(
        float(rows["level"].iloc[0]), str(rows["kind"].iloc[0]), language=language
    )  # fmt: skip
    return {
        "variables": " ".join(analysed(contents)),
        "scale": say("scale", asked, low=low, high=high, previous=previous),
        "likelihood": f"{say('model', True)} {say('batches' if declared else 'own', done)}".strip(),
        "priors": say("priors", priors, priors=priors),
        "formal": say("formal", digest, model=contents.model, digest=digest),
        "engine": say(asked.get("engine", ""), asked, sampler=done.get("sampler", ""), **told),
        "ess": say("ess", worst, **least),
        "estimates": say("interval", interval, interval=interval),
        "decisions": say("rope", rope, rope=decimals_marked(f"{rope or 0:g}", language)),
        **{point: _checked(contents, point) for point in _CHECKS},
        "software": say("software", found, names=", ".join(" ".join(x) for x in found.items())),
        "rerun": say("rerun", record.get("command")),
    }


def _priors(written: str, language: str, *, idle: Collection[str]) -> str:
    """Write the scales out of ``Priors(a=1, a_b=2)``, with names in the study's words.

    `idle`: those of batches that the model of this study lacks.
    """
    names = {part: phrase(f"paper_part_{part}", language) for part in _PARTS}
    return "; ".join(
        f"{' × '.join(names.get(part, part) for part in name.split('_'))} "
        f"{decimals_marked(value, language)}"
        for name, value in re.findall(r"(\w+)=([-+.\de]+)", written)
        if name not in idle
    )


def _checked(contents: PageContents, point: str) -> str:
    """Say what a check of this model found; ``""`` where it was not made."""
    done = contents.record.get("stages", {}).get("check", {}).get("checks", {})
    facts, language = done.get(_CHECKS[point], {}), contents.language
    if facts.get("model") != contents.model:
        return ""
    values = {name: number(float(facts[name]), digits, language=language)
              for name, digits in _PLACES.items() if name in facts}  # fmt: skip
    shares = facts.get("inside")
    if isinstance(shares, Mapping) and contents.model in shares:
        values["share"] = number(100 * shares[contents.model], 1, language=language)
    elif point == "prior_predictive":
        raise RunError(
            "the check of the prior in this folder is of an earlier version and does not say what "
            "the page tells: run 'bipbayes check prior' again, then 'bipbayes report'"
        )
    return phrase(f"paper_{point}", language, **values)

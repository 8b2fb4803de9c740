"""Text for a paper: methods, results and two checklists, from record and frames; nothing is typed.

BARG is Kruschke (2021, Nature Human Behaviour 5:1282), WAMBS Depaoli and van de Schoot (2017,
Psychological Methods 22:240), the latter in words of our own.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

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
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.wording import decimals_marked, interval_words, number, phrase, whole_number

DONE, OPEN, AUTHOR = "done", "open", "author"
_PARTS: Final = ("combination", "indicator", "jobcenter", "respondent")
_COLUMNS: Final = ("point", "state", "answer")
BARG: Final = (
    *("why", "goals", "variables", "likelihood", "priors", "formal", "prior_predictive"),
    *("software", "convergence", "ess", "predictive", "estimates", "decisions", "sensitivity"),
    "rerun",
)
WAMBS: Final[Mapping[str, str]] = {
    "understood": "priors",
    "convergence": "convergence",
    "doubled": "doubled",
    "information": "ess",
    "autocorrelation": "autocorrelation",
    "sense": "sense",
    "variances": "sensitivity",
    "uninformative": "uninformative",
    "sensitivity": "sensitivity",
    "reported": "estimates",
}
"""Points of the checklists, those of WAMBS with the answer that they share with BARG."""


def methods(contents: PageContents) -> list[str]:
    """Return the sentences of a methods section; what was not recorded is left out."""
    language, asked = contents.language, _asked(contents)
    low, high = contents.context.codebook.scale
    told = _marks(contents) + analysed(contents)
    if "previous" in asked:
        rule = phrase(f"paper_previous_{asked['previous']}", language)
        told.append(phrase("paper_scale", language, low=low, high=high, previous=rule))
    told.append(_model(contents))
    told += [_priors(contents), _engine(contents)]
    told += [text for text in trust(contents) if text != phrase("page_preliminary", language)]
    told += [_interval(contents), _rope(contents)]
    told += [_checked(contents, name) for name in _CHECKED]
    return list(filter(None, [*told, _software(contents), rounding_note(contents.context)]))


def results(contents: PageContents) -> list[str]:
    """Return the sentences of a results section: overall, against OLS, selection, claims."""
    language, beside = contents.language, selection(contents)
    told = [*_marks(contents), *overall(contents), *against_ols(contents)]
    if contents.audit is None or beside != phrase("page_selection_unknown", language):
        told.append(beside)  # else the audit says so
    return [*told, *claims(contents), phrase("page_significant", language)]


TEXTS: Final = (("methods", methods), ("results", results))


def checklists(contents: PageContents) -> list[Table]:
    """Build both checklists: done, not done, or for the author, each with its answer."""
    answers = _answers(contents)
    points = {"barg": dict.fromkeys(BARG), "wambs": WAMBS}
    return [
        _checklist(contents, name, {point: answers[of or point] for point, of in given.items()})
        for name, given in points.items()
    ]


def _checklist(contents: PageContents, name: str, answers: Mapping[str, tuple[str, str]]) -> Table:
    language = contents.language
    rows = [(point, state, answer) for point, (state, answer) in answers.items()]
    raw = pd.DataFrame(rows, columns=list(_COLUMNS))
    body = raw.assign(
        point=[phrase(f"{name}_{point}", language) for point in raw["point"]],
        state=[phrase(f"checklist_{state}", language) for state in raw["state"]],
    )
    columns = [Column(key, phrase(f"checklist_{key}", language), align="l") for key in _COLUMNS]
    return Table(
        name=f"checklist_{name}",
        caption=table_caption(contents.context, phrase(f"checklist_{name}", language)),
        notes=(),
        columns=tuple(columns),
        body=body,
        raw=raw,
        wrapped=True,
    )


def _answers(contents: PageContents) -> dict[str, tuple[str, str]]:
    """Return the state and answer of every point, as far as a machine can know them."""
    language, done = contents.language, contents.fit
    verdict = done.get("verdict", {})
    passed = DONE if verdict.get("passed") else OPEN
    worst = verdict.get("worst", {})
    exact = "k_hat" in worst
    digest = _asked(contents).get("model_digest", "")
    known = {
        "variables": " ".join(analysed(contents)),
        "likelihood": _model(contents),
        "formal": digest and phrase("paper_formal", language, model=contents.model, digest=digest),
        "software": _software(contents),
        "estimates": _interval(contents),
    }
    answers = {point: (DONE if text else AUTHOR, text) for point, text in known.items()}
    answers |= dict.fromkeys(("why", "goals", "sense", "uninformative"), (AUTHOR, ""))
    for name, check in _CHECKED.items():
        text = _checked(contents, name)
        answers[name] = (DONE, text) if text else (OPEN, f"bipbayes check {check}")
    ess = _ess(worst, language)
    command = str(contents.record.get("command", ""))
    rope = _rope(contents)
    return answers | {
        "priors": (AUTHOR, _priors(contents)),
        "convergence": (passed, measures(verdict, language) if verdict else ""),
        "ess": (passed, ess),
        "doubled": (OPEN, phrase("paper_double", language)),
        "autocorrelation": (passed, phrase("paper_independent", language) if exact else ess),
        "decisions": (DONE if rope else AUTHOR, rope),
        "rerun": (DONE if command else AUTHOR, phrase("paper_rerun", language, command=command)),
    }


def _asked(contents: PageContents) -> dict[str, Any]:
    return dict(contents.fit.get("settings", {}))


def _marks(contents: PageContents) -> list[str]:
    context, language = contents.context, contents.language
    held = {"page_synthetic": context.synthetic, "page_preliminary": context.preliminary}
    return [phrase(key, language) for key, holds in held.items() if holds]


def _model(contents: PageContents) -> str:
    told = [phrase("paper_model", contents.language)]
    if "k_hat" in contents.fit.get("verdict", {}).get("worst", {}):
        told.append(phrase("paper_batches", contents.language))
    return " ".join(told)


def _priors(contents: PageContents) -> str:
    """Say the scales, by names in the study's words."""
    language = contents.language
    found = re.findall(r"(\w+)=([-+.\de]+)", str(_asked(contents).get("priors", "")))
    names = {part: phrase(f"paper_part_{part}", language) for part in _PARTS}
    told = [
        f"{' × '.join(names.get(part, part) for part in name.split('_'))} "
        f"{decimals_marked(value, language)}"
        for name, value in found
    ]
    return phrase("paper_priors", language, priors="; ".join(told)) if told else ""


def _engine(contents: PageContents) -> str:
    asked, done = _asked(contents), contents.fit
    if "engine" not in asked:
        return ""
    values = {key: str(asked[key]) for key in ("chains", "draws", "tune", "seed")}
    key = f"paper_{asked['engine']}"
    return phrase(key, contents.language, sampler=done.get("sampler", ""), **values)


def _interval(contents: PageContents) -> str:
    rows = contents.plain[contents.plain["source"] == "posterior"]
    if rows.empty:
        return ""  # a fit that is no result
    level, kind = float(rows["level"].iloc[0]), str(rows["kind"].iloc[0])
    words = interval_words(level, kind, language=contents.language)
    return phrase("paper_interval", contents.language, interval=words)


def _rope(contents: PageContents) -> str:
    rope, language = _asked(contents).get("rope"), contents.language
    if rope is None:
        return ""
    return phrase("paper_rope", language, rope=decimals_marked(f"{rope:g}", language))


def _software(contents: PageContents) -> str:
    found = dict(contents.record.get("software", {}))
    names = ", ".join(f"{name} {version}" for name, version in found.items() if name != "system")
    return phrase("paper_software", contents.language, names=names) if names else ""


def _ess(worst: Mapping[str, float], language: str) -> str:
    if "ess_bulk" not in worst:
        return ""
    least = {side: whole_number(worst[f"ess_{side}"], language=language)
             for side in ("bulk", "tail")}  # fmt: skip
    return phrase("paper_ess", language, **least)


_CHECKED: Final[Mapping[str, str]] = {
    "prior_predictive": "prior",
    "predictive": "cells",
    "sensitivity": "sensitivity",
}
"""Points that a check answers, and its name."""


def _checked(contents: PageContents, point: str) -> str:
    """Say what a check of this model found; ``""`` where it was not made."""
    done = contents.record.get("stages", {}).get("check", {}).get("checks", {})
    facts, language = dict(done.get(_CHECKED[point], {})), contents.language
    if facts.get("model") != contents.model:
        return ""
    if point == "prior_predictive":
        facts["share"] = 100 * facts["inside"].get(contents.model, float("nan"))
    places = {"share": 1, "limit": 1, "spread": 2, "cells": 0, "flagged": 0, "quantities": 0}
    values = {name: number(float(facts[name]), digits, language=language)
              for name, digits in places.items() if name in facts}  # fmt: skip
    return phrase(f"paper_{point}", language, **values)

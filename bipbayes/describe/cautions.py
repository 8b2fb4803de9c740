"""What to know of a study before its results: in sentences, a study without faults has none."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.directions import Against, Directions, directions
from bipbayes.data.study_words import told_by_language
from bipbayes.phrases import LANGUAGES
from bipbayes.wording import number, phrase, study_language

FEW_SITES: Final = 6
"""Fewer clusters than this carry neither clustered errors nor a spread between them."""


def unscaled(scale: xr.Dataset, language: str = "en") -> str:
    """Name outcomes that never change and so have no scale to compare them on; ``""``: none.

    Parameters
    ----------
    scale
        ``sd`` with the dim ``outcome``: progression, or the scale of samples.
    language
        Of the sentence.
    """
    still = scale["outcome"].where(scale["sd"].isnull(), drop=True).to_numpy()
    if not len(still):
        return ""
    names = ", ".join(map(str, still))
    return phrase("caution_unscaled", language, names=names, count=len(still))


def design_cautions(
    responses: pd.DataFrame, codebook: Codebook, *, language: str = "en"
) -> tuple[str, ...]:
    """Say of a design that it has few sites, two waves, or treatments that nobody or all have.

    Parameters
    ----------
    responses
        Of a study in memory; those whose activities are known count.
    codebook
        The study's.
    language
        Of the sentences.
    """
    said, told = study_language(codebook, language), []
    count = responses["jobcenter"].nunique()
    if 0 < count < FEW_SITES:
        key = "caution_one_site" if count == 1 else "caution_few_sites"
        told.append(phrase(key, said, count=count))
    given = responses.loc[responses["combination"] != "", "combination"].drop_duplicates()
    for key, digit in (("caution_given_to_none", "0"), ("caution_given_to_all", "1")):
        names = [
            treatment.code
            for place, treatment in enumerate(codebook.treatments)
            if len(given) and (given.str[place] == digit).all()
        ]
        if names:
            told.append(phrase(key, said, names=", ".join(names)))
    if len(responses) and responses["citizen"].value_counts().max() == 2:
        told.append(phrase("caution_two_waves", said))
    return tuple(told)


def cautions(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    responses: pd.DataFrame | None = None,
    cells: xr.Dataset | None = None,
    language: str = "en",
) -> tuple[str, ...]:
    """Return the sentences on a study.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        The study's.
    responses
        All of them, for its design; a part of them says nothing of that.
    cells
        Its cells by the default covariance: whether citizens have changes enough.
    language
        Of the sentences.
    """
    design = () if responses is None else design_cautions(responses, codebook, language=language)
    found = directions(progression, codebook)
    against = directions_record(found, codebook)["sentence"][str(language)]
    told = {} if cells is None else told_by_language(cells.attrs, "repair")
    few = "" if cells is None or cells.attrs["neighbouring_pairs"] else told.get(str(language), "")
    return tuple(filter(None, (*design, unscaled(progression, language), against, few)))


def directions_record(found: Directions, codebook: Codebook) -> dict[str, Any]:
    """Return what ``run.json`` keeps of the look at the directions.

    Parameters
    ----------
    found
        From `bipbayes.data.directions.directions`.
    codebook
        Says which indicators it turns already.

    Returns
    -------
    dict
        ``against``: each indicator with ``correlation``, ``statistic``, ``n_citizens`` and the
        ``line`` of the codebook that would turn it; ``others``: codes that are clear against
        these; ``undecided``; ``critical``; and by language a ``sentence``, empty where all go
        together.
    """
    return {
        "against": [{**asdict(one), "line": _line(one, codebook)} for one in found.against],
        "others": [one.code for one in found.others],
        "undecided": found.undecided,
        "critical": found.critical,
        "sentence": {name: _sentence(found, codebook, name) for name in LANGUAGES},
    }


def _line(one: Against, codebook: Codebook) -> str:
    """Return the line that turns an indicator, or lets one that is turned be."""
    return f"reverse = {'false' if one.code in codebook.reversed_codes else 'true'}"


def _sentence(found: Directions, codebook: Codebook, language: str) -> str:
    if not found.against:
        return ""
    correlations = [one.correlation for one in found.against]
    ends = [number(end, 2, language=language) for end in (min(correlations), max(correlations))]
    return phrase(
        "directions_undecided" if found.undecided else "directions_against",
        language,
        codes=", ".join(one.code for one in found.against),
        others=", ".join(one.code for one in found.others),
        lowest=ends[0],
        highest=ends[1],
        lines=_lines(found.against, codebook, language),
    )


def _lines(named: Sequence[Against], codebook: Codebook, language: str) -> str:
    """Say which line belongs under which indicators: ``reverse = true`` under q3, q7."""
    codes: dict[str, list[str]] = {}
    for one in named:
        codes.setdefault(_line(one, codebook), []).append(one.code)
    return "; ".join(
        phrase("directions_line", language, line=line, codes=", ".join(under))
        for line, under in codes.items()
    )

"""Words and numbers that people read, in English and Danish.

Figures and tables share them, so that an interval is called the same everywhere: `phrase`, from
the files in ``resources/phrases``. What they call citizens and jobcenters is the study's to say
(`study_language`). Numbers in data files never pass through here: those keep a decimal point
and full precision.
"""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bipbayes.data.codebook import Codebook
from bipbayes.data.study_words import in_language, study_words
from bipbayes.errors import SettingsError, unknown
from bipbayes.intervals import ALL_INDICATORS, PLAIN
from bipbayes.phrases import LANGUAGES, catalogue, decimals_marked, worded

if TYPE_CHECKING:
    import pandas as pd

OTHER_ZERO: Final = 0.03  # sd: an average's zero that lies further off is pointed out
MINUS: Final = "\N{MINUS SIGN}"
_SD_NAME: Final = re.compile(r"(\w+)_effect_sd(?:\[(\d+)\])?")
_DIMS: Final = {"combination", "respondent", "indicator", "jobcenter"}


class StudyLanguage(str):
    """A language together with a study's own words.

    It is ``en`` or ``da`` wherever a language is asked for; `phrase` finds the words in it. A
    plain ``"en"`` has the neutral words.
    """

    names: dict[str, str]

    def __new__(cls, language: str, names: dict[str, str] | None = None) -> "StudyLanguage":
        """Join a language and the words by the placeholder that stands for them."""
        self = super().__new__(cls, checked_language(language))
        names = study_words({}, language) if names is None else names
        self.names = names | {capital(key): capital(text) for key, text in names.items()}
        return self


def study_language(codebook: Codebook, language: str) -> StudyLanguage:
    """Return a language in which phrases take the words of a study's codebook."""
    return StudyLanguage(language, study_words(codebook.words, language))


@dataclass(frozen=True)
class Context:
    """What every figure and table of a run shares.

    Attributes
    ----------
    codebook
        Orders and names outcomes and combinations.
    synthetic
        True where the data are synthetic: everything then says so, and nothing is blanked.
    language
        ``en`` or ``da``; it takes up the study's own words.
    preliminary
        True for a quick run: everything then says so.
    analysis
        What progression was adjusted for, or ``ordinal``: everything then says so.
    """

    codebook: Codebook
    synthetic: bool
    language: str = "en"
    preliminary: bool = False
    analysis: str = PLAIN

    def __post_init__(self) -> None:
        """Join the language and the study's words."""
        object.__setattr__(self, "language", study_language(self.codebook, self.language))


def checked_language(language: str) -> str:
    """Return a known language unchanged.

    Raises
    ------
    SettingsError
        For any other.
    """
    if language not in LANGUAGES:
        raise SettingsError(unknown("language", language, LANGUAGES))
    return language


def phrase(key: str, language: str, **values: object) -> str:
    """Return fixed words in a language, with the study's own words where they stand in it.

    Parameters
    ----------
    key
        Entry of one of the files in ``resources/phrases``.
    language
        ``en`` or ``da``; from `study_language` where the words are of one study.
    **values
        What the other braces stand for.
    """
    spoken = language if isinstance(language, StudyLanguage) else StudyLanguage(language)
    return worded(catalogue()[key][spoken], {**spoken.names, **values})


def capital(text: str) -> str:
    """Return the text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def interval_words(level: float, kind: str, *, language: str) -> str:
    """Name an interval: ``95 % confidence interval``, ``95 % credible interval (...)``.

    Parameters
    ----------
    level
        Such as 0.95.
    kind
        ``confidence``, ``eti`` or ``hdi``.
    """
    return phrase(kind, language, level=percent(level, language))


def percent(share: float, language: str) -> str:
    """Write a share such as 0.975 in percent: ``97.5``, in Danish ``97,5``."""
    return decimals_marked(f"{100 * share:.6g}", language)


def meaning_of_significant(estimand: str, *, language: str) -> str:
    """Say what an interval that excludes zero is different from.

    With all combinations in the regression and no intercept, an effect is measured from
    average progress; a contrast is measured from the combination without treatment; a factorial
    effect is a difference itself.
    """
    if estimand == "factorial":
        return phrase("from_nothing", language)
    return phrase("from_none" if "contrast" in estimand else "from_average", language)


def analysis_name(analysis: str, *, language: str) -> str:
    """Name an analysis in a few words, the plain one ``plain``."""
    return phrase(f"analysis_{analysis or 'plain'}", language)


def analysis_meaning(analysis: str, *, language: str) -> str:
    """Say in a sentence what the effects of an analysis are."""
    return phrase(f"meaning_{analysis or 'plain'}", language)


def number(value: float, decimals: int, *, language: str, signed: bool = False) -> str:
    """Format a number for readers: real minus sign, decimal comma in Danish, ``""`` for NaN.

    Parameters
    ----------
    value
        Any number; NaN gives an empty text.
    decimals
        Digits after the decimal mark.
    signed
        True puts a plus before positive numbers.
    """
    if not math.isfinite(value):
        return ""
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    if float(text) == 0:
        # "-0.00" says nothing more than "0.00".
        text = text.lstrip("+-")
    return decimals_marked(text.replace("-", MINUS), language)


def whole_number(value: float, *, language: str) -> str:
    """Write a count; a dash for one that is unknown or left blank."""
    return number(float(value), 0, language=language) or "–"


def outcome_label(codebook: Codebook, outcome: str, *, language: str) -> str:
    """Name an outcome for readers: ``B1 Idea about work``, ``Citizen mean``, ``All indicators``."""
    if outcome in (ALL_INDICATORS, "*"):  # as a claim names them
        return capital(phrase(ALL_INDICATORS, language))
    label = codebook.label(outcome, language)
    if outcome in codebook.average_codes:
        return label if label != outcome else capital(outcome.replace("_", " "))
    return label if label.split(" ")[0] == outcome else f"{outcome} {label}"


def study_notes(codebook: Codebook, *, language: str) -> list[str]:
    """Say in sentences what readers must know of a study's answers; most studies have none.

    Which indicators are turned, and what a high answer means where it is not the better one.
    """
    notes = []
    if codebook.reversed_codes:
        codes = ", ".join(codebook.reversed_codes)
        notes.append(phrase("reversed_note", language, codes=codes))
    if codebook.higher:
        notes.append(phrase("higher_note", language, words=in_language(codebook.higher, language)))
    return notes


def axis_text(codebook: Codebook, text: str, *, language: str) -> str:
    """Return an axis' words with what a high answer means, where the codebook says it."""
    if not codebook.higher:
        return text
    return phrase("higher_axis", language, text=text, words=in_language(codebook.higher, language))


def combination_text(codebook: Codebook, combination: str, *, language: str) -> str:
    """Name a combination by code and treatments, such as ``1010  J+S``."""
    return f"{combination}  {codebook.combination_label(combination, language)}"


def parameter_words(name: str, *, language: str) -> str:
    """Name a standard deviation in words: ``sd of combination x jobcenter``.

    Names that a user's model made up stay as they are.
    """
    found = _SD_NAME.fullmatch(name)
    dims = found[1].split("_") if found else []
    if found is None or not set(dims) <= _DIMS:
        return name
    parts = " × ".join(phrase(f"check_by_{dim}", language) for dim in dims)
    order = phrase("parameter_order", language, order=found[2]) if found[2] else ""
    return phrase("parameter_sd", language, parts=parts) + order


def respondent_word(respondent: str, *, language: str) -> str:
    """Name a respondent by the study's word, or by its own name where there is none."""
    spoken = language if isinstance(language, StudyLanguage) else StudyLanguage(language)
    return spoken.names.get(respondent, respondent)


def other_zero(outcome: str, n: "pd.Series", means: "pd.Series", context: Context) -> str:
    """Say that an average's zero, of complete responses, is not the average of all answers.

    The posterior rests on every answer, OLS and the zero on complete responses only; weighted by
    these, the effects of an outcome would otherwise be about zero together.

    Parameters
    ----------
    outcome
        Any; nothing is said of an indicator.
    n, means
        Complete responses and posterior means of effects, of all combinations.
    context
        Codebook and language.

    Returns
    -------
    str
        ``""`` where the two lie close, or an n is held back: nobody can say.
    """
    if outcome not in context.codebook.average_codes:
        return ""
    language = context.language
    moved = float((n / n.sum(skipna=False) * means).sum(skipna=False))
    if not abs(moved) >= OTHER_ZERO:
        return ""
    name = outcome_label(context.codebook, outcome, language=language)
    told = number(moved, 2, language=language, signed=True)
    return phrase("average_zero", language, outcome=name, moved=told)

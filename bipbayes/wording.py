"""Words and numbers that people read, in English and Danish.

Figures and tables share them, so that an interval is called the same everywhere: `word` for what
is named all over, `phrase` for the fixed words of single figures and tables, which lie in
``resources/phrases``. Numbers in data files never pass through here: those keep a decimal point
and full precision.
"""

import math
import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.intervals import ALL_INDICATORS

LANGUAGES: Final = ("en", "da")
MINUS: Final = "\N{MINUS SIGN}"

# key: (English, Danish); {level} is the level in percent.
_WORDS: Final = {
    "confidence": ("{level} % confidence interval", "{level} %-konfidensinterval"),
    "eti": (
        "{level} % credible interval (equal-tailed)",
        "{level} %-kredibilitetsinterval (lige store haler)",
    ),
    "hdi": (
        "{level} % credible interval (highest density)",
        "{level} %-kredibilitetsinterval (højeste tæthed)",
    ),
    "classical": ("classical errors", "klassiske standardfejl"),
    "HC1": ("robust errors (HC1)", "robuste standardfejl (HC1)"),
    "HC3": ("robust errors (HC3)", "robuste standardfejl (HC3)"),
    "cluster_citizen": ("errors clustered by citizen", "standardfejl klynget efter borger"),
    "cluster_jobcenter": (
        "errors clustered by jobcenter (CRV3)",
        "standardfejl klynget efter jobcenter (CRV3)",
    ),
    "iid": ("answers taken as independent", "svar regnet som uafhængige"),
    "response": (
        "answers of one response correlated",
        "svar i samme besvarelse korrelerede",
    ),
    "citizen": (
        "answers of one citizen correlated",
        "svar fra samme borger korrelerede",
    ),
    "effect": ("effect", "effekt"),
    "contrast": ("contrast with no intervention", "kontrast til ingen indsats"),
    "standardised_effect": (
        "effect, jobcenters weighted alike",
        "effekt, jobcentre vægtet ens",
    ),
    "standardised_contrast": (
        "contrast with no intervention, jobcenters weighted alike",
        "kontrast til ingen indsats, jobcentre vægtet ens",
    ),
    "jobcenter": ("effect in a jobcenter", "effekt i et jobcenter"),
    "new_jobcenter": ("effect in a jobcenter not seen", "effekt i et nyt jobcenter"),
    "factorial": ("factorial effect", "faktoriel effekt"),
    "from_average": (
        "Significant means different from average progress.",
        "Signifikant betyder forskellig fra den gennemsnitlige progression.",
    ),
    "from_none": (
        "Significant means different from no intervention.",
        "Signifikant betyder forskellig fra ingen indsats.",
    ),
    "from_nothing": (
        "Zero means that adding the intervention changes nothing on average over the others, or "
        "as much with another intervention as without; significant means different from that.",
        "Nul betyder, at det i gennemsnit over de andre indsatser intet ændrer at tilføje "
        "indsatsen, eller at det ændrer lige så meget med en anden indsats som uden; signifikant "
        "betyder forskellig fra det.",
    ),
    ALL_INDICATORS: ("all indicators", "alle indikatorer"),
    "ols": ("OLS", "OLS"),
    "ordinal": ("ordered probit", "ordnet probit"),
    "posterior": ("posterior", "posterior"),
    "model": ("model {name}", "model {name}"),
    "citizen_respondent": ("citizen", "borger"),
    "caseworker_respondent": ("caseworker", "sagsbehandler"),
    "synthetic": ("synthetic data", "syntetiske data"),
    "preliminary": ("preliminary", "foreløbig"),
}


def checked_language(language: str) -> str:
    """Return a known language unchanged.

    Raises
    ------
    SettingsError
        For any other.
    """
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise SettingsError(f"language {language!r} is not known; choose one of: {known}")
    return language


def word(key: str, language: str, **values: str) -> str:
    """Return a fixed word or sentence of the catalogue in a language.

    Parameters
    ----------
    key
        A kind of interval, a name of errors, an estimand or another key of the catalogue.
    language
        ``en`` or ``da``.
    **values
        What the sentence's braces stand for.
    """
    return pick(_WORDS[key], language).format(**values)


def phrase(key: str, language: str, **values: object) -> str:
    """Return fixed words of a figure or table in a language.

    Parameters
    ----------
    key
        Entry of one of the files in ``resources/phrases``.
    language
        ``en`` or ``da``.
    **values
        What the braces stand for.
    """
    return _phrases()[key][checked_language(language)].format(**values)


@cache
def _phrases() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    folder = files("bipbayes") / "resources" / "phrases"
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def pick(pair: tuple[str, str], language: str) -> str:
    """Return the English or the Danish half of a catalogue's entry."""
    return pair[LANGUAGES.index(checked_language(language))]


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
    return word(kind, language, level=percent(level, language))


def percent(share: float, language: str) -> str:
    """Write a share such as 0.975 in percent: ``97.5``, in Danish ``97,5``."""
    text = f"{100 * share:.6g}"
    return text.replace(".", ",") if language == "da" else text


def meaning_of_significant(estimand: str, *, language: str) -> str:
    """Say what an interval that excludes zero is different from.

    With all combinations in the regression and no intercept, an effect is measured from
    average progress; a contrast is measured from the combination without treatment; a factorial
    effect is a difference itself.
    """
    if estimand == "factorial":
        return word("from_nothing", language)
    return word("from_none" if "contrast" in estimand else "from_average", language)


def analysis_name(analysis: str, *, language: str) -> str:
    """Name an analysis in a few words, the plain one ``plain``."""
    return phrase(f"analysis_{analysis or 'plain'}", language)


def analysis_meaning(analysis: str, *, language: str) -> str:
    """Say in a sentence what the effects of an analysis are.

    The whole of it, by estimand, is `bipbayes.estimands.words.estimand_in_words`.
    """
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
    text = text.replace("-", MINUS)
    return text.replace(".", ",") if language == "da" else text


def outcome_label(codebook: Codebook, outcome: str, *, language: str) -> str:
    """Name an outcome for readers: ``B1 Idea about work``, ``Citizen mean``, ``All indicators``."""
    if outcome == ALL_INDICATORS:
        return capital(word(ALL_INDICATORS, language))
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
        notes.append(phrase("higher_note", language, words=_higher(codebook, language)))
    return notes


def axis_text(codebook: Codebook, text: str, *, language: str) -> str:
    """Return an axis' words with what a high answer means, where the codebook says it."""
    if not codebook.higher:
        return text
    return phrase("higher_axis", language, text=text, words=_higher(codebook, language))


def _higher(codebook: Codebook, language: str) -> str:
    return codebook.higher.get(language) or codebook.higher["en"]


def combination_text(codebook: Codebook, combination: str, *, language: str) -> str:
    """Name a combination by code and treatments, such as ``1010  J+S``."""
    return f"{combination}  {codebook.combination_label(combination, language)}"


def respondent_word(respondent: str, *, language: str) -> str:
    """Name a respondent; a codebook's own respondents keep their name."""
    key = f"{respondent}_respondent"
    return word(key, language) if key in _WORDS else respondent

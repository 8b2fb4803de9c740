"""What each estimand means under each analysis, in words that a table or a page can carry."""

from collections.abc import Mapping
from typing import Final

from bipbayes.errors import SettingsError
from bipbayes.intervals import ANALYSES

# key: (English, Danish).
_MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "": (
        "Progression as it was, in standard deviations. Combinations differ in where their "
        "citizens started, so floor, ceiling and regression to the mean are part of it.",
        "Progressionen som den var, i standardafvigelser. Borgerne begyndte forskellige steder "
        "i de enkelte kombinationer, så gulv, loft og regression mod middelværdien indgår.",
    ),
    "baseline": (
        "Progression expected from the sample's average previous answer, in standard deviations "
        "of unadjusted progression: combinations are compared at the same previous answer "
        "(analysis of covariance, the same slope in all combinations). A previous answer is "
        "measured with error, so what it does not show of the citizens' level is not adjusted "
        "for.",
        "Den progression, der ventes fra stikprøvens gennemsnitlige foregående svar, i "
        "standardafvigelser af den ujusterede progression: kombinationer sammenlignes ved samme "
        "foregående svar (kovariansanalyse, samme hældning i alle kombinationer). Et foregående "
        "svar er målt med fejl, så der justeres ikke for det, som svaret ikke viser om borgerens "
        "niveau.",
    ),
    "covariates": (
        "Progression expected at the sample's average register characteristics, in standard "
        "deviations of unadjusted progression; characteristics that are not in the list may "
        "still differ.",
        "Den progression, der ventes ved stikprøvens gennemsnitlige registeroplysninger, i "
        "standardafvigelser af den ujusterede progression; forhold, der ikke er med på listen, "
        "kan stadig være forskellige.",
    ),
    "baseline+covariates": (
        "Progression expected at the sample's average previous answer and average register "
        "characteristics, in standard deviations of unadjusted progression (the same slopes in "
        "all combinations); characteristics that are not in the list may still differ.",
        "Den progression, der ventes ved stikprøvens gennemsnitlige foregående svar og "
        "gennemsnitlige registeroplysninger, i standardafvigelser af den ujusterede progression "
        "(samme hældninger i alle kombinationer); forhold, der ikke er med på listen, kan "
        "stadig være forskellige.",
    ),
    "ordinal": (
        "Expected progression if all citizens of the sample, with the previous answers that they "
        "gave, had the combination, in standard deviations: an ordered probit of the answer "
        "given the previous answer, so answers are categories, no metric, and combinations are "
        "compared at the same previous answer.",
        "Den progression, der ventes, hvis alle stikprøvens borgere med de foregående svar, de "
        "gav, havde kombinationen, i standardafvigelser: en ordnet probit for svaret givet det "
        "foregående svar, så svar er kategorier uden afstande, og kombinationer sammenlignes "
        "ved samme foregående svar.",
    ),
}

_ESTIMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "effect": (
        "Zero is average progression; jobcenters count as they are observed in the combination.",
        "Nul er den gennemsnitlige progression; jobcentre vægter som observeret i kombinationen.",
    ),
    "contrast": (
        "The difference from no intervention; zero is the progression of those without any; "
        "jobcenters count as they are observed in each combination.",
        "Forskellen fra ingen indsats; nul er progressionen hos dem uden indsats; jobcentre "
        "vægter som observeret i hver kombination.",
    ),
    "standardised_effect": (
        "Zero is average progression; jobcenters count alike in all combinations, by their "
        "share of all responses.",
        "Nul er den gennemsnitlige progression; jobcentre vægter ens i alle kombinationer, "
        "efter deres andel af alle besvarelser.",
    ),
    "standardised_contrast": (
        "The difference from no intervention, jobcenters counting alike in all combinations.",
        "Forskellen fra ingen indsats, hvor jobcentre vægter ens i alle kombinationer.",
    ),
    "jobcenter": (
        "In one jobcenter; zero is average progression over all jobcenters.",
        "I ét jobcenter; nul er den gennemsnitlige progression over alle jobcentre.",
    ),
    "new_jobcenter": (
        "What to expect in a jobcenter not seen; zero is average progression.",
        "Hvad der kan ventes i et jobcenter, der ikke er set; nul er den gennemsnitlige "
        "progression.",
    ),
    "factorial": (
        "What adding a treatment changes on average over the other treatments' combinations, or "
        "how far that depends on another treatment.",
        "Hvad det i gennemsnit over de andre indsatsers kombinationer ændrer at tilføje en "
        "indsats, eller hvor meget det afhænger af en anden indsats.",
    ),
}

_OBSERVATIONAL: Final = (
    "Interventions were not allotted at random: this is an association, not the effect of one.",
    "Indsatser blev ikke tildelt tilfældigt: dette er en sammenhæng, ikke virkningen af en "
    "indsats.",
)


def estimand_in_words(adjust: str, estimand: str, language: str = "en") -> str:
    """Say what an estimand means under an analysis.

    Parameters
    ----------
    adjust
        One of `ANALYSES`; the attr ``adjust`` of an adjusted progression, ``""`` for none, or
        ``ordinal``.
    estimand
        As in the long frame.
    language
        ``en`` or ``da``.

    Returns
    -------
    str
        Sentences: what is measured, what zero means and how jobcenters count, what it is not.

    Raises
    ------
    SettingsError
        Unknown analysis, estimand or language.
    """
    languages = ("en", "da")
    for name, value, allowed in (
        ("adjust", adjust, ANALYSES),
        ("estimand", estimand, tuple(_ESTIMANDS)),
        ("language", language, languages),
    ):
        if value not in allowed:
            raise SettingsError(f"{name} {value!r} is unknown; known: {list(allowed)}")
    column = languages.index(language)
    parts = (_MEASURES[adjust], _ESTIMANDS[estimand], _OBSERVATIONAL)
    return " ".join(part[column] for part in parts)

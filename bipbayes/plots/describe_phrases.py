"""Fixed words of the descriptive figures, English and Danish."""

from typing import Final

from bipbayes.wording import pick

_PHRASES: Final = {
    "change": ("Change of the answer (scale points)", "Ændring i svaret (skalapoint)"),
    "changes_percent": ("Percent of changes", "Procent af ændringerne"),
    "histogram_title": ("{outcome}: changes", "{outcome}: ændringer"),
    "histogram_page": (
        "Changes of the {respondent}'s answers",
        "Ændringer i {respondent}ens svar",
    ),
    "histogram_marks": (
        "Share of changes from one answer to the next. One bar for each change that the scale "
        "allows; dark: no change.",
        "Andel af ændringer fra ét svar til det næste. Én søjle for hver ændring, som skalaen "
        "tillader; mørk: ingen ændring.",
    ),
    "histogram_figure": ("Figure {figure} of the report.", "Rapportens figur {figure}."),
    "histogram_appendix": ("The report's appendix.", "Rapportens bilag."),
    "no_change": ("no change", "ingen ændring"),
    "unchanged": ("{percent} % no change", "{percent} % ingen ændring"),
    "mean": ("mean {mean}", "gennemsnit {mean}"),
    "weeks_title": (
        "Progression by weeks since the last answer",
        "Progression efter uger siden sidste svar",
    ),
    "weeks_axis": (
        "Slope (thousandths of a scale point a week)",
        "Hældning (tusindedele skalapoint pr. uge)",
    ),
    "weeks_marks": (
        "Linear regression of each outcome's change on the weeks since the answer it starts from.",
        "Lineær regression af hvert udfalds ændring på antal uger siden det svar, den starter fra.",
    ),
    "weeks_n": ("n = changes.", "n = ændringer."),
    "combinations_title": (
        "Responses by combination of interventions",
        "Besvarelser efter kombination af indsatser",
    ),
    "combinations_axis": ("Responses", "Besvarelser"),
    "combinations_marks": (
        "Columns: combinations in the report's order, with number and percent of the responses "
        "that Table 3 counts. Bars at the left: responses with each intervention, alone or with "
        "others.",
        "Kolonner: kombinationer i rapportens rækkefølge, med antal og procent af de besvarelser, "
        "som tabel 3 tæller. Søjler til venstre: besvarelser med hver indsats, alene eller sammen "
        "med andre.",
    ),
    "persistence_title": (
        "From one response to the next: do interventions persist?",
        "Fra én besvarelse til den næste: fortsætter indsatserne?",
    ),
    "persistence_earlier": ("At the earlier response", "Ved den tidligere besvarelse"),
    "persistence_later": ("At the next response", "Ved den næste besvarelse"),
    "persistence_percent": ("Percent of the row", "Procent af rækken"),
    "persistence_again": ("had it before", "havde den før"),
    "persistence_begun": ("did not have it before", "havde den ikke før"),
    "persistence_axis": (
        "Percent with it at the next response",
        "Procent med den ved næste besvarelse",
    ),
    "persistence_marks": (
        "Pairs of responses of one citizen that follow one another, activities known at both. "
        "Cells: percent of the row; n = pairs that start there.",
        "Par af en borgers på hinanden følgende besvarelser med kendte aktiviteter ved begge. "
        "Felter: procent af rækken; n = par, der starter dér.",
    ),
    "differences_title": (
        "Who gets what: differences from no intervention",
        "Hvem får hvad: forskelle til ingen indsats",
    ),
    "differences_axis": (
        "Standardised difference",
        "Standardiseret forskel",
    ),
    "differences_marks": (
        "Difference of means (or shares) between the responses with an intervention and those "
        "without any, in standard deviations; grey band: within 0.1. The unit is the response; a "
        "response with two interventions counts in both.",
        "Forskel i gennemsnit (eller andele) mellem besvarelser med en indsats og besvarelser uden "
        "nogen, i standardafvigelser; gråt bånd: inden for 0,1. Enheden er besvarelsen; en "
        "besvarelse med to indsatser tæller i begge.",
    ),
    "table": ("Table {number}", "Tabel {number}"),
    "none": ("none", "ingen"),
}


def phrase(key: str, language: str, **values: object) -> str:
    """Return a descriptive figure's fixed words in a language (`en` or `da`)."""
    return pick(_PHRASES[key], language).format(**values)

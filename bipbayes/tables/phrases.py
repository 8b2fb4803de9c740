"""Fixed words of the tables, English and Danish."""

from typing import Final

from bipbayes.wording import pick

_PHRASES: Final = {
    "comparison": ("{outcome}: {estimand}", "{outcome}: {estimand}"),
    "in_units": (
        "In standard deviations of progression",
        "I standardafvigelser af progression",
    ),
    "report_figure": ("Figure {figure} of the report", "Rapportens figur {figure}"),
    "combination": ("Combination", "Kombination"),
    "treatments": ("Interventions", "Indsatser"),
    "n": ("n", "n"),
    "ols": ("OLS", "OLS"),
    "posterior": ("Posterior", "Posterior"),
    "estimate": ("Estimate", "Estimat"),
    "mean": ("Mean", "Middelværdi"),
    "sd": ("SD", "SD"),
    "confidence_short": ("{level} % CI", "{level} %-KI"),
    "credible_short": ("{level} % CrI", "{level} %-KrI"),
    "p_positive": ("P(>0)", "P(>0)"),
    "pooling": ("Pooling", "Pooling"),
    "star": (
        "* The interval excludes zero.",
        "* Intervallet indeholder ikke nul.",
    ),
    "ols_note": ("CI: {interval}, {errors}.", "KI: {interval}, {errors}."),
    "posterior_note": (
        "CrI: {interval}, model {model}, {errors}.",
        "KrI: {interval}, model {model}, {errors}.",
    ),
    "pooling_note": (
        "Pooling: 1 − (posterior SD / OLS standard error)²; 0: none, near 1: nearly all.",
        "Pooling: 1 − (posterior-SD / OLS-standardfejl)²; 0: ingen, nær 1: næsten fuld.",
    ),
    "prior_driven": (
        "† No answers: driven by the prior.",
        "† Ingen svar: bestemt af priorfordelingen.",
    ),
    "rounding": (
        "Posterior numbers show no more decimals than their Monte Carlo error allows.",
        "Posteriortal vises ikke med flere decimaler, end Monte Carlo-usikkerheden tillader.",
    ),
    "blanked": (
        "Left blank: numbers that rest on fewer than {count} citizens, and further numbers from "
        "which these could be worked out.",
        "Udeladt: tal, der bygger på færre end {count} borgere, og yderligere tal, hvoraf de "
        "kunne udregnes.",
    ),
    "hyperparameters": (
        "Standard deviations of the model {model}",
        "Standardafvigelser i modellen {model}",
    ),
    "parameter": ("Parameter", "Parameter"),
    "ess_bulk": ("ESS bulk", "ESS bulk"),
    "ess_tail": ("ESS tail", "ESS hale"),
    "r_hat": ("R-hat", "R-hat"),
    "diagnostics": (
        "Convergence of the reported quantities",
        "Konvergens for de rapporterede størrelser",
    ),
    "estimand": ("Estimand", "Estimand"),
    "quantities": ("Quantities", "Størrelser"),
    "worst_r_hat": ("Largest R-hat", "Største R-hat"),
    "least_bulk": ("Least ESS bulk", "Mindste ESS bulk"),
    "least_tail": ("Least ESS tail", "Mindste ESS hale"),
    "worst_mcse": ("Largest MCSE", "Største MCSE"),
    "missed": ("Missed", "Ikke opfyldt"),
    "limits": (
        "Missed: quantities with R-hat above {r_hat} or an effective sample size below {ess}.",
        "Ikke opfyldt: størrelser med R-hat over {r_hat} eller effektiv stikprøvestørrelse "
        "under {ess}.",
    ),
}


def phrase(key: str, language: str, **values: object) -> str:
    """Return a table's fixed words in a language.

    Parameters
    ----------
    key
        Entry of the catalogue.
    language
        ``en`` or ``da``.
    **values
        What the braces stand for.
    """
    return pick(_PHRASES[key], language).format(**values)

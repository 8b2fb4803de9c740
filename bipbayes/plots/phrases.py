"""Fixed words of the figures, English and Danish."""

from typing import Final

from bipbayes.wording import pick

_PHRASES: Final = {
    "progression": (
        "Progression (standard deviations)",
        "Progression (standardafvigelser)",
    ),
    "report_figure": ("Figure {figure} of the report.", "Rapportens figur {figure}."),
    "n_line": ("n = responses.", "n = besvarelser."),
    "filled": (
        "Filled where the interval excludes zero.",
        "Udfyldt hvor intervallet ikke indeholder nul.",
    ),
    "inner": (
        "Thick line: 50 % credible interval.",
        "Tyk linje: 50 %-kredibilitetsinterval.",
    ),
    "prior_driven": (
        "† no answers: driven by the prior.",
        "† ingen svar: bestemt af priorfordelingen.",
    ),
    "rows": ("Estimates and intervals of {what}", "Estimater og intervaller for {what}"),
    "heat_title": ("All outcomes and combinations", "Alle udfald og kombinationer"),
    "heat_marks": (
        "+ and − mark intervals that exclude zero; · no answers, driven by the prior.",
        "+ og − markerer intervaller, der ikke indeholder nul; · ingen svar, bestemt af"
        " priorfordelingen.",
    ),
    "shrinkage_title": (
        "From OLS to posterior, by number of responses",
        "Fra OLS til posterior, efter antal besvarelser",
    ),
    "shrinkage_marks": (
        "Each arrow is one outcome, from the OLS estimate (square) to the posterior mean (arrow "
        "head); combinations from fewest to most responses. Black line: posterior mean over all "
        "indicators.",
        "Hver pil er et udfald, fra OLS-estimatet (firkant) til posteriormiddelværdien "
        "(pilespids); kombinationer fra færrest til flest besvarelser. Sort linje: "
        "posteriormiddelværdi over alle indikatorer.",
    ),
    "all": ("All jobcenters", "Alle jobcentre"),
    "new": ("Jobcenter not seen", "Nyt jobcenter"),
    "jobcenters_title": ("{label} by jobcenter: {outcome}", "{label} efter jobcenter: {outcome}"),
    "correlation_title": (
        "Residual correlation of the indicators",
        "Residualkorrelation mellem indikatorerne",
    ),
    "correlation_marks": (
        "Correlation (× 100) of the changes of one response within combinations and jobcenters.",
        "Korrelation (× 100) mellem ændringerne i én besvarelse inden for kombinationer og"
        " jobcentre.",
    ),
    "correlation": ("Correlation", "Korrelation"),
    "rank_title": ("Ranks of the draws by chain", "Trækkenes rang efter kæde"),
    "rank_marks": (
        "Difference between each chain's rank distribution and uniform; lines near zero mean "
        "chains that agree; points mark suspicious departures.",
        "Forskel mellem hver kædes rangfordeling og den uniforme; linjer tæt på nul betyder "
        "kæder, der stemmer overens; punkter markerer mistænkelige afvigelser.",
    ),
    "rank_axis": ("Fractional rank", "Relativ rang"),
    "rank_difference": ("Δ ECDF", "Δ ECDF"),
    "chain": ("chain {number}", "kæde {number}"),
    "energy_title": ("Energy of the sampler", "Samplerens energi"),
    "energy_marks": (
        "Marginal energies and transitions of the sampler, centred; similar curves mean that it "
        "moves freely. E-BFMI by chain: {bfmi}.",
        "Samplerens marginale energier og overgange, centreret; ens kurver betyder, at den "
        "bevæger sig frit. E-BFMI efter kæde: {bfmi}.",
    ),
    "energy_axis": ("Energy, centred", "Energi, centreret"),
    "energy_marginal": ("marginal", "marginal"),
    "energy_transition": ("transition", "overgang"),
    "density": ("Density", "Tæthed"),
}


def phrase(key: str, language: str, **values: object) -> str:
    """Return a figure's fixed words in a language.

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

"""What a folder of results holds, as the same objects that the functions return."""

from pathlib import Path
from typing import Final, Literal, overload

import pandas as pd

from bipbayes.api.choices import analysis_name, file_of, one_of
from bipbayes.api.comparisons import Comparison, compare
from bipbayes.api.estimates import Intervals
from bipbayes.api.fits import Fit
from bipbayes.api.study import Facts, Study
from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError, unknown
from bipbayes.intervals import ANALYSES, PLAIN, frequentist, of_analysis
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import open_stored
from bipbayes.run.ols_stage import STAGE as FIT_OLS
from bipbayes.run.posterior_stage import interval_settings, stored_posterior
from bipbayes.run.settings import Settings
from bipbayes.run.stored import STAGE as FIT_POSTERIOR
from bipbayes.run.stored import as_reported, fitted_models, require

WHAT: Final = ("fit", "ols", "comparison")


@overload
def load(
    folder: str | Path,
    what: Literal["fit"] = "fit",
    *,
    model: str = "",
    analysis: str = PLAIN,
    language: str = "en",
) -> Fit: ...
@overload
def load(
    folder: str | Path,
    what: Literal["ols"],
    *,
    model: str = "",
    analysis: str = PLAIN,
    language: str = "en",
) -> Intervals: ...
@overload
def load(
    folder: str | Path,
    what: Literal["comparison"],
    *,
    model: str = "",
    analysis: str = PLAIN,
    language: str = "en",
) -> Comparison: ...
def load(
    folder: str | Path,
    what: str = "fit",
    *,
    model: str = "",
    analysis: str = PLAIN,
    language: str = "en",
) -> Fit | Intervals | Comparison:
    """Read what the command line stored; nothing is fitted again.

    Parameters
    ----------
    folder
        Of the results, such as ``results``.
    what
        ``fit``, ``ols`` or ``comparison`` (which carries both).
    model
        Which of the fitted models; default: the first.
    analysis
        ``""`` (plain), ``baseline``, ``covariates``, ``baseline+covariates`` or ``ordinal``.
    language
        Of figures and tables: ``en`` or ``da``.

    Returns
    -------
    Fit or Intervals or Comparison
        Their study knows its size, codebook and warnings; the responses are not in the folder.

    Raises
    ------
    RunError
        The folder holds no run, or not the model or analysis.

    Examples
    --------
    >>> bb.load("results").verdict.passed  # doctest: +SKIP
    True
    """
    one_of("what", what, WHAT)
    if analysis not in ANALYSES:
        told = unknown("analysis", analysis, ANALYSES[1:])
        raise SettingsError(f"{told} (leave it out for the plain analysis)")
    ordinal = analysis == "ordinal"
    named = analysis_name("" if ordinal else analysis, ordinal=ordinal)
    adjust = tuple(part for part in named.split("+") if part and not ordinal)
    asked = Settings(
        out=file_of("folder", folder),
        adjust=adjust,
        ordinal=ordinal,
        language=language,
    )
    place, codebook = open_stored(asked, alone=False)
    study = _study(place, codebook, language)
    stored = of_analysis(place.read("data/intervals.csv"), named)
    if what != "fit":
        require(place, FIT_OLS, named)
    ols = Intervals(study, frequentist(stored).reset_index(drop=True), named)
    if what == "ols":
        return ols
    require(place, FIT_POSTERIOR, named)
    fitted = fitted_models(place, named)
    settings = as_reported(place, asked)
    chosen = one_of("model", Path(model).stem, fitted) if model else fitted[0]
    posterior = stored_posterior(place, chosen, codebook, settings)
    fit = Fit(study, posterior, interval_settings(settings))
    return fit if what == "fit" else compare(ols, fit)


def _study(folder: RunFolder, codebook: Codebook, language: str) -> Study:
    """Return the study behind a run, without its responses."""
    record = folder.record()
    data = record["data"]
    against = record.get("directions", {}).get("sentence", {})
    rows = folder.read("data/intervals.csv")
    sites = tuple(name for name in dict.fromkeys(rows["jobcenter"]) if name)
    warnings = {
        name: (*found, *filter(None, [against.get(name)]))
        for name, found in data["findings"].items()
    }
    return Study(
        responses=pd.DataFrame(),
        codebook=codebook,
        digest=data["sha256"],
        synthetic=data["synthetic"],
        name=data["name"],
        previous=record["identity"]["previous"],
        language=language,
        given=Facts(data["responses"], data["citizens"], sites, warnings),
    )

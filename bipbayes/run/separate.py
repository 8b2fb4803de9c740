"""Verbs that the main job does on its way, run on their own in a stored or new folder."""

from dataclasses import replace

from bipbayes.audit.claims import REQUIRED
from bipbayes.audit.evidence import BASELINE
from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import PLAIN, of_analysis
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.audit_stage import audit_run, compare_with_published
from bipbayes.run.closing import of_audit, of_description
from bipbayes.run.compare_stage import FIGURES
from bipbayes.run.console import conclude
from bipbayes.run.describe_stage import describe_run
from bipbayes.run.fits import as_reported, chosen_models, ending_of, fitted_models
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import as_made, open_run, open_stored
from bipbayes.run.posterior_stage import stored_posterior
from bipbayes.run.settings import Settings


def describe_alone(settings: Settings) -> None:
    """Describe a study and wait for its figures."""
    with DrawingPool(settings.out / FIGURES, formats=settings.drawn_as) as pool:
        run = open_run(settings)
        describe_run(run, run.progression(), pool=pool, characteristics=settings.characteristics)
        pool.finish()
        run.folder.note()
    conclude(lambda: of_description(run.folder))


def baseline_posterior(
    folder: RunFolder, model: str, codebook: Codebook, settings: Settings
) -> Posterior | None:
    """Read a model's fit at the same previous answer, if there is one."""
    if model not in fitted_models(folder, BASELINE):
        return None
    return stored_posterior(folder, model, codebook, replace(settings, adjust=(BASELINE,)))


def audit_alone(settings: Settings) -> None:
    """Audit the claims against what a folder holds; nothing is fitted.

    Parameters
    ----------
    settings
        Folder, data, language, the cut-offs and the model whose posterior answers, one at most;
        none is the first that was fitted.

    Raises
    ------
    RunError
        The folder holds no fit, not that model, or other data.
    SettingsError
        Several models.
    """
    if len(settings.models) > 1:
        raise SettingsError("--model: an audit reads one model; run it once for each, in turn")
    folder, codebook = open_stored(settings)
    if settings.claims is None and not codebook.is_bip:
        raise SettingsError(
            "the claims of the package are about BIP; give your own study's with --claims, a table "
            f"with the columns {', '.join(REQUIRED)}"
        )
    settings = as_made(folder, as_reported(folder, settings))
    if not fitted_models(folder):
        folder.stage("fit_posterior")
    model = next(iter(chosen_models(folder, settings.models)))
    with DrawingPool(folder.file(FIGURES), formats=settings.drawn_as) as pool:
        run = open_run(settings)
        progression = run.progression()
        posterior = stored_posterior(folder, model, codebook, settings)
        # The report's claims are about the plain analysis.
        effects = of_analysis(folder.read("data/intervals.csv"), PLAIN)
        rows = effects[(effects["source"] == "ols") | (effects["model"] == model)]
        audit = audit_run(
            run,
            rows,
            posterior,
            pool=pool,
            adjusted=baseline_posterior(folder, model, codebook, settings),
            claims=settings.claims,
            beyond=settings.beyond,
        )
        if codebook.is_bip and not ending_of(folder, model):
            description = describe_run(
                run, progression, pool=pool, characteristics=settings.characteristics
            )
            compare_with_published(run, progression, description, audit=audit)
        pool.finish()
        folder.note()
    conclude(lambda: of_audit(folder, audit))

"""Verbs that the main job does on its way, run on their own in a stored or new folder."""

from bipbayes.intervals import PLAIN, of_analysis
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.audit_stage import audit_run, compare_with_published
from bipbayes.run.compare_stage import FIGURES
from bipbayes.run.describe_stage import describe_run
from bipbayes.run.fits import as_reported, fitted_models
from bipbayes.run.inputs import open_run, open_stored
from bipbayes.run.posterior_stage import stored_posterior
from bipbayes.run.settings import Settings


def describe_alone(settings: Settings) -> None:
    """Describe a study and wait for its figures."""
    with DrawingPool(settings.out / FIGURES) as pool:
        run = open_run(settings)
        describe_run(run, run.progression(), pool=pool, characteristics=settings.characteristics)
        pool.finish()


def audit_alone(settings: Settings) -> None:
    """Audit the claims against what a folder holds; nothing is fitted.

    Raises
    ------
    RunError
        The folder holds no fit, or other data.
    """
    folder, codebook = open_stored(settings)
    settings = as_reported(folder, settings)
    models = fitted_models(folder)
    if not models:
        folder.stage("fit_posterior")
    with DrawingPool(folder.file(FIGURES)) as pool:
        run = open_run(settings)
        progression = run.progression()
        posterior = stored_posterior(folder, models[0], codebook, settings)
        # The report's claims are about the plain analysis.
        effects = of_analysis(folder.read("effects.csv"), PLAIN)
        rows = effects[(effects["source"] == "ols") | (effects["model"] == models[0])]
        audit = audit_run(
            run, rows, posterior, pool=pool, claims=settings.claims, beyond=settings.beyond
        )
        if codebook.is_bip:
            description = describe_run(
                run, progression, pool=pool, characteristics=settings.characteristics
            )
            compare_with_published(run, progression, description, audit=audit)
        pool.finish()

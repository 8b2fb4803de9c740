"""The descriptive stage: the report's Tables 1 to 11 and its histograms, as CSV and figures."""

import xarray as xr

from bipbayes.describe.description import Description, describe
from bipbayes.disclosure.description import protected_description
from bipbayes.plots.catalogue import describe_tasks
from bipbayes.plots.pool import DrawingPool
from bipbayes.progress import stage
from bipbayes.run.closing import of_description
from bipbayes.run.compare_stage import FIGURES
from bipbayes.run.console import conclude
from bipbayes.run.inputs import Run, load_characteristics, open_run
from bipbayes.run.settings import Settings
from bipbayes.run.stored import run_context, warn_of_other_counts

STAGE = "describe"


def describe_run(run: Run, progression: xr.Dataset, *, pool: DrawingPool) -> Description:
    """Describe an open run's study; write its tables and hand in its figures.

    The default data bring their own characteristics of citizens, synthetic ones.
    """
    settings = run.settings
    with stage("describing the study"):
        people = load_characteristics(run, settings.characteristics)
        description = describe(
            progression,
            run.codebook,
            characteristics=people,
            level=settings.level,
            language=settings.language,
        )
    shown = description
    if not run.study.synthetic:
        shown = protected_description(
            description, run.codebook, minimum_count=settings.minimum_count
        )
    for name, frame in shown.tables().items():
        run.folder.write(f"tables/{name}.csv", frame)
    context = run_context(run.folder, run.codebook, settings)
    codebook = None if people is None else people.codebook
    tasks = describe_tasks(shown, context, characteristics=codebook, quick=settings.quick)
    pool.submit(tasks)
    run.folder.finish(
        STAGE,
        {"level": settings.level, "minimum_count": settings.minimum_count},
        drawn=False,
        tables=sorted(shown.tables()),
    )
    warn_of_other_counts(run.folder, settings)
    return description


def describe_alone(settings: Settings) -> None:
    """Describe a study and wait for its figures."""
    with DrawingPool(settings.out / FIGURES, printing=settings.printing) as pool:
        run = open_run(settings)
        pool.folder = run.folder.file(FIGURES)
        describe_run(run, run.progression(), pool=pool)
        pool.finish()
        run.folder.note_drawn([STAGE])
    conclude(lambda: of_description(run.folder))

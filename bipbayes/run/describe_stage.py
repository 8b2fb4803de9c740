"""The descriptive stage: the report's Tables 1 to 11 and its histograms, as CSV and figures."""

from pathlib import Path

import xarray as xr

from bipbayes.data.characteristics import (
    Characteristics,
    characteristics_from_frame,
    read_characteristics,
)
from bipbayes.describe.description import Description, describe
from bipbayes.plots.describe_catalogue import describe_tasks
from bipbayes.plots.pool import DrawingPool
from bipbayes.progress import stage
from bipbayes.run.contexts import run_context, warn_of_other_counts
from bipbayes.run.default_study import (
    characteristics_codebook,
    default_characteristics,
    default_register_limits,
)
from bipbayes.run.inputs import SYNTHETIC_FILE, Run
from bipbayes.tables.describe_tables import protected_description

STAGE = "describe"
CHARACTERISTICS_FILE = str(Path(SYNTHETIC_FILE).with_name("characteristics.csv"))


def describe_run(
    run: Run, progression: xr.Dataset, *, pool: DrawingPool, characteristics: Path | None = None
) -> Description:
    """Describe a study; write its tables and hand in its figures.

    Parameters
    ----------
    run
        An open run.
    progression
        Its progression.
    pool
        Draws the figures.
    characteristics
        A file with one row a citizen; the default data bring their own, synthetic ones.
    """
    settings = run.settings
    with stage("describing the study"):
        people = load_characteristics(run, characteristics)
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
        tables=sorted(shown.tables()),
    )
    warn_of_other_counts(run.folder, settings)
    return description


def load_characteristics(run: Run, path: Path | None) -> Characteristics | None:
    """Read the given file; make the synthetic register for the default data; else none."""
    if path is not None:
        return read_characteristics(path, run.whole, codebook=characteristics_codebook())
    if run.settings.data is not None:
        return None
    run.folder.write("tables/register_limits.csv", default_register_limits())
    frame = default_characteristics(run.whole)
    run.folder.write(CHARACTERISTICS_FILE, frame)
    return characteristics_from_frame(
        frame, run.whole, codebook=characteristics_codebook(), name="synthetic register"
    )

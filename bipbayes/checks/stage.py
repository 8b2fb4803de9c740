"""The checks of a stored run: tables ``check_*`` and figures ``check_*``.

Nothing is fitted, but by the check of the engines.
"""

import logging
from collections.abc import Mapping
from typing import Final

from bipbayes.checks import NAMES
from bipbayes.checks.inputs import CheckInputs, CheckResult, CheckSettings, load_check
from bipbayes.errors import ModelError
from bipbayes.plots.pool import DrawingPool
from bipbayes.progress import stage
from bipbayes.run.closing import of_checks
from bipbayes.run.console import conclude
from bipbayes.run.settings import Settings
from bipbayes.tables.write import write_tables

logger = logging.getLogger(__name__)
STAGE: Final = "check"


def check(settings: Settings, asked: CheckSettings) -> dict[str, CheckResult]:
    """Check a stored run and write tables and figures.

    Parameters
    ----------
    settings
        Folder, language, level, seed; the data where they are not the default ones.
    asked
        Which checks, models and effects.

    Returns
    -------
    dict
        Results by name of the check.

    Raises
    ------
    BipbayesError
        The folder holds no fit, or a check that was asked for by name cannot be made (others
        are left out with a message).
    """
    inputs = CheckInputs(settings, asked)
    usual = [name for name in NAMES if not load_check(name).only_asked]
    names = [name for name in NAMES if name in asked.only] or usual
    if any(load_check(name).needs_responses for name in names):
        logger.info("checking %s on %s", inputs.model, inputs.run.study.name)
    done: dict[str, CheckResult] = {}
    with (
        DrawingPool(inputs.folder.file("figures"), printing=settings.printing) as pool,
        stage("all checks", total=len(names)) as checking,
    ):
        for place, name in enumerate(names):
            checking.move(place)
            result = _one(name, inputs, asked)
            if result is None:
                continue
            done[name] = result
            write_tables(result.tables, inputs.folder.file("tables"), context=inputs.context)
            pool.submit(result.figures)
        pool.finish()
    _note(inputs, done)
    tables = {name: [table.name for table in result.tables] for name, result in done.items()}
    conclude(lambda: of_checks(inputs.folder, tables, asked=len(names)))
    return done


def _one(name: str, inputs: CheckInputs, asked: CheckSettings) -> CheckResult | None:
    try:
        with stage(f"check {name}"):
            return load_check(name).run(inputs)
    except ModelError as fault:
        if name in asked.only:
            raise
        logger.warning("check %s is left out: %s", name, fault)
        return None


def _note(inputs: CheckInputs, done: Mapping[str, CheckResult]) -> None:
    """Add the checks made to those that ``run.json`` notes already."""
    earlier = inputs.folder.record().get("stages", {}).get(STAGE, {}).get("checks", {})
    facts = {name: {"model": inputs.model, **result.facts} for name, result in done.items()}
    wanted = {"level": inputs.settings.level, "seed": inputs.settings.seed}
    inputs.folder.finish(STAGE, wanted, checks={**earlier, **facts})

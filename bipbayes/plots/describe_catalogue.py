"""Which descriptive figures a study has, as tasks of the drawing pool."""

from typing import Final

from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.describe.description import Description
from bipbayes.plots.pages import PANEL_HEIGHT, PANELS_A_ROW
from bipbayes.plots.task import FigureTask
from bipbayes.wording import Context

MOST_COMBINATIONS: Final = 32
"""More combinations than this cannot be told apart in one picture."""


def describe_tasks(
    description: Description,
    context: Context,
    *,
    characteristics: CharacteristicsCodebook | None = None,
    quick: bool = False,
) -> list[FigureTask]:
    """Return the descriptive figures that a description suffices for.

    Parameters
    ----------
    description
        What `bipbayes.describe.description.describe` returns.
    context
        Codebook, language and what captions must say.
    characteristics
        Names the rows of Tables 4 to 11; needed for the plot of differences.
    quick
        True leaves out histograms and differences.
    """
    codebook, histograms = context.codebook, description.histograms
    tasks = _weeks(description, context)
    if len(codebook.combinations) <= MOST_COMBINATIONS:
        tasks += _activities(description, context)
    if quick:
        return tasks
    for respondent in codebook.respondents:
        arguments = {"histograms": histograms, "context": context, "respondent": respondent}
        function = "bipbayes.plots.describe_histograms:page_figure"
        task = FigureTask(f"histograms_{respondent}", function, arguments)
        count = [codebook.respondent_of(c) for c in codebook.indicator_codes].count(respondent)
        tasks += task.on_pages(count, PANEL_HEIGHT / PANELS_A_ROW)
    tasks += [
        FigureTask(
            f"histogram_{outcome}",
            "bipbayes.plots.describe_histograms:draw",
            {"histograms": histograms, "context": context, "outcome": outcome},
        )
        for outcome in codebook.average_codes
    ]
    if description.differences is not None and characteristics is not None:
        arguments = {
            "differences": description.differences,
            "characteristics": characteristics,
            "context": context,
        }
        tasks.append(
            FigureTask("characteristics", "bipbayes.plots.describe_differences:draw", arguments)
        )
    return tasks


def _weeks(description: Description, context: Context) -> list[FigureTask]:
    arguments = {"slopes": description.slopes, "context": context}
    task = FigureTask("progression_on_weeks", "bipbayes.plots.describe_weeks:draw", arguments)
    return task.on_pages(len(context.codebook.outcomes))


def _activities(description: Description, context: Context) -> list[FigureTask]:
    combinations = {"combinations": description.combinations, "context": context}
    persistence = {
        "transitions": description.transitions,
        "persistence": description.persistence,
        "context": context,
    }
    return [
        FigureTask("combinations", "bipbayes.plots.describe_combinations:draw", combinations),
        FigureTask(
            "persistence", "bipbayes.plots.describe_persistence:persistence_figure", persistence
        ),
    ]

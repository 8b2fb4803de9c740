"""Which descriptive figures a study has, as tasks of the drawing pool."""

from typing import Final

from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.describe.description import Description
from bipbayes.plots.catalogue import FigureTask
from bipbayes.plots.describe_combinations import combinations_data, combinations_figure
from bipbayes.plots.describe_differences import differences_data, differences_figure
from bipbayes.plots.describe_histograms import average_figure, histogram_data, page_figure
from bipbayes.plots.describe_persistence import persistence_figure
from bipbayes.plots.describe_weeks import weeks_data, weeks_figure
from bipbayes.wording import Context

MOST_COMBINATIONS: Final = 32
"""More combinations than this cannot be told apart in one picture."""


def describe_tasks(
    description: Description,
    context: Context,
    *,
    characteristics: CharacteristicsCodebook | None = None,
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
    """
    codebook, histograms = context.codebook, description.histograms
    tasks = [_weeks(description, context)]
    tasks += [
        FigureTask(
            f"histograms_{respondent}",
            page_figure,
            {"histograms": histograms, "context": context, "respondent": respondent},
        )
        for respondent in codebook.respondents
    ]
    tasks += [
        FigureTask(
            f"histogram_{outcome}",
            average_figure,
            {
                "data": histogram_data(histograms, context, outcome=outcome),
                "context": context,
                "outcome": outcome,
            },
        )
        for outcome in codebook.average_codes
    ]
    if len(codebook.combinations) <= MOST_COMBINATIONS:
        tasks += _activities(description, context)
    if description.differences is not None and characteristics is not None:
        data = differences_data(description.differences, characteristics, context=context)
        arguments = {"data": data, "context": context}
        tasks.append(FigureTask("characteristics", differences_figure, arguments))
    return tasks


def _weeks(description: Description, context: Context) -> FigureTask:
    data = weeks_data(description.slopes, context)
    return FigureTask("progression_on_weeks", weeks_figure, {"data": data, "context": context})


def _activities(description: Description, context: Context) -> list[FigureTask]:
    data = combinations_data(description.combinations, context)
    persistence = {
        "transitions": description.transitions,
        "persistence": description.persistence,
        "context": context,
    }
    return [
        FigureTask("combinations", combinations_figure, {"data": data, "context": context}),
        FigureTask("persistence", persistence_figure, persistence),
    ]

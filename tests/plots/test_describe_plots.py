"""Descriptive figures: their data, what is written on them, no cut labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_study
from matplotlib.figure import Figure

from bipbayes.bip.facts import bip_characteristics, bip_codebook
from bipbayes.data.characteristics import characteristics_from_frame
from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.describe.description import Description, describe
from bipbayes.disclosure.description import protected_description
from bipbayes.plots.catalogue import describe_tasks
from bipbayes.plots.describe_combinations import combinations_data, combinations_figure
from bipbayes.plots.describe_differences import differences_data
from bipbayes.plots.describe_histograms import average_figure, histogram_data
from bipbayes.plots.describe_histograms import draw as histogram
from bipbayes.plots.describe_weeks import weeks_data, weeks_figure
from bipbayes.plots.pool import figure_of
from bipbayes.wording import Context

# Slow to lay out, and their labels differ little between the languages.
DRAWN_ONCE = (
    "histograms_citizen",
    "histograms_caseworker",
    "histogram_citizen_mean",
    "progression_on_weeks",
    "persistence",
)


@dataclass(frozen=True)
class Described:
    """A small study of BIP's codebook, described."""

    description: Description
    entries: CharacteristicsCodebook


@pytest.fixture(scope="module")
def bip() -> Described:
    codebook, entries = bip_codebook(), bip_characteristics()
    shape = Shape(citizens=60, waves=(2, 5))
    frame = random_study(codebook, seed=2, shape=shape).responses
    study = Study(frame, codebook, "", True)
    rng = np.random.default_rng(1)
    citizens = sorted(frame["citizen"].unique())
    register: dict[str, object] = {"citizen": citizens, "synthetic": 1}
    for entry in entries.characteristics:
        low = entry.low if entry.kind == "amount" else 0
        register[entry.column] = low + rng.integers(0, 2, len(citizens)) * (entry.kind != "time")
    free = CharacteristicsCodebook("no rules", entries.characteristics)
    characteristics = characteristics_from_frame(pd.DataFrame(register), study, codebook=free)
    found = describe(progression(study), codebook, characteristics=characteristics)
    return Described(found, entries)


def written(figure: Figure) -> str:
    """All text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.mark.parametrize("language", ["en", "da"])
def test_every_figure_is_whole(bip: Described, language: str) -> None:
    """Catches a label cut at the page's edge, a figure without the word synthetic, or none."""
    context = Context(bip_codebook(), synthetic=True, language=language)
    tasks = describe_tasks(bip.description, context, characteristics=bip.entries)
    assert {task.name for task in tasks} == {
        "progression_on_weeks",
        "histograms_citizen",
        "histograms_caseworker",
        "histogram_citizen_mean",
        "histogram_caseworker_mean",
        "combinations",
        "persistence",
        "characteristics",
    }
    mark = {"en": "Synthetic data", "da": "Syntetiske data"}[language]
    for task in tasks:
        if language == "en" and task.name in DRAWN_ONCE:
            continue
        figure = figure_of(task)
        assert mark in written(figure).replace("\n", " ")
        box, inches = figure.get_tightbbox(), figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0, task.name
        assert box.x1 <= inches[0] and box.y1 <= inches[1], task.name


def test_histograms_show_the_share_of_no_change(bip: Described) -> None:
    """Catches the share of another outcome, a point for a comma, or a lost figure number."""
    codebook = bip_codebook()
    context = Context(codebook, synthetic=False, language="da")
    data = histogram_data(bip.description.histograms, context, outcome="caseworker_mean")
    figure = average_figure(data, context=context, outcome="caseworker_mean")
    table = bip.description.progress.set_index("outcome").loc["caseworker_mean"]
    text = written(figure)
    assert f"{table['unchanged']:.1f}".replace(".", ",") + " % ingen ændring" in text
    assert f"n = {table['n']}" in text
    assert "Svarer til rapportens figur 2." in text and "yntetisk" not in text
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    np.testing.assert_allclose(heights, data["percent"])
    with pytest.raises(ValueError, match="not in the codebook"):
        histogram_data(bip.description.histograms, context, outcome="B99")


def test_slopes_are_drawn_where_they_belong(bip: Described) -> None:
    """Catches rows in another order than the labels, or slopes a week on an axis of years."""
    context = Context(bip_codebook(), synthetic=True)
    shuffled = bip.description.slopes.sample(frac=1, random_state=1)
    data = weeks_data(shuffled, context)
    assert list(dict.fromkeys(data["outcome"])) == list(bip_codebook().outcomes)
    slopes = bip.description.slopes.set_index(["outcome", "vcov"])["slope"]
    found = data.set_index(["outcome", "vcov"])["slope"]
    np.testing.assert_allclose(found, 52 * slopes.loc[found.index])
    axes = weeks_figure(data, context=context).axes[0]
    labels = [label.get_text().split()[0] for label in axes.get_yticklabels()]
    assert labels[:2] == ["B1", "B2"] and axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize("language, told", [("en", "weeks do not vary"), ("da", "ikke varierer")])
@pytest.mark.parametrize("all_alike", [True, False])
def test_weeks_that_do_not_vary_are_named(
    bip: Described, language: str, told: str, all_alike: bool
) -> None:
    """Catches an empty figure, or an empty row, without a word; and words where none is empty."""
    context = Context(bip_codebook(), synthetic=False, language=language)
    data = weeks_data(bip.description.slopes, context)
    assert told not in written(weeks_figure(data, context=context)).replace("\n", " ")
    empty = data["row"] >= 0 if all_alike else data["row"] == 3
    data.loc[empty, ["slope", "lower", "upper"]] = np.nan
    figure = weeks_figure(data, context=context)
    figure.draw_without_rendering()
    assert told in written(figure).replace("\n", " ")


@pytest.mark.parametrize(
    "language, both, reason", [("en", "too few", "worked out"), ("da", "for få", "udregnes")]
)
def test_blanks_are_not_called_weeks_that_do_not_vary(
    language: str, both: str, reason: str
) -> None:
    """Catches a reason that is not the cell's: rows and bins of few citizens are left blank."""
    codebook = make_codebook(2, 1)
    study = random_study(codebook, seed=3, shape=Shape(citizens=6, waves=(2, 3)))
    found = describe(progression(study), codebook)
    shown = protected_description(found, codebook, minimum_count=100)
    context = Context(codebook, synthetic=False, language=language)
    data = weeks_data(shown.slopes, context)
    assert found.slopes["slope"].notna().all() and data["slope"].isna().all()
    bins = histogram_data(shown.histograms, context, outcome="q1")
    whole = histogram_data(found.histograms, context, outcome="q1")
    for figure in (
        weeks_figure(data, context=context),
        average_figure(bins, context=context, outcome="q1"),
    ):
        told = written(figure).replace("\n", " ")
        assert both in told and reason in told
        assert "do not vary" not in told and "ikke varierer" not in told
        assert "<NA>" not in told
    clean = written(average_figure(whole, context=context, outcome="q1")).replace("\n", " ")
    assert both not in clean


def test_the_matrix_says_which_treatments(bip: Described) -> None:
    """Catches digits read from the wrong end."""
    context = Context(bip_codebook(), synthetic=True)
    data = combinations_data(bip.description.combinations, context).set_index("combination")
    assert data.loc["1001", ["J", "O", "S", "H"]].tolist() == [True, False, False, True]
    assert data.loc["1001", "label"] == "J+H"


def test_what_is_held_back_is_said_and_takes_no_room(bip: Described) -> None:
    """Catches inches kept free for bars that none has, and blank bars of unknown weight."""
    context = Context(bip_codebook(), synthetic=False)
    frame = bip.description.combinations
    few = frame.assign(n=frame["n"].astype("Int64").where(frame["n"] > 600), note="x")
    widths = [
        combinations_figure(combinations_data(each, context), context=context).get_size_inches()[0]
        for each in (frame, few)
    ]
    assert widths[1] < widths[0] - 1.5
    bins = bip.description.histograms
    outcome = bip_codebook().average_codes[0]
    ends = (bins["outcome"] == outcome) & (bins["centre"].abs() > 0.5)
    held = bins.assign(n=bins["n"].mask(ends), percent=bins["percent"].mask(ends))
    share = bins.loc[ends, "percent"].sum()
    figure = histogram(held, context=context, outcome=outcome)
    assert f"{share:.1f} % left blank" in written(figure)
    assert "left blank" not in written(histogram(bins, context=context, outcome=outcome))


def test_treatments_named_in_english_only_keep_that_name(bip: Described) -> None:
    """Catches a Danish figure that names treatments by their letters alone."""
    codebook = bip_codebook()
    english = tuple(replace(t, label={"en": t.label["en"]}) for t in codebook.treatments)
    context = Context(replace(codebook, treatments=english), synthetic=True, language="da")
    data = combinations_data(bip.description.combinations, context)
    assert "J  Job-oriented" in written(combinations_figure(data, context=context))


def test_differences_stand_in_the_order_of_the_tables(bip: Described) -> None:
    """Catches two characteristics on one row, or differences from another group than none."""
    context = Context(bip_codebook(), synthetic=True, language="da")
    data = differences_data(bip.description.differences, bip.entries, context=context)
    rows = data.drop_duplicates("column")
    assert rows["column"].tolist() == list(bip.entries.columns)
    assert rows["row"].is_unique and rows["row"].is_monotonic_increasing
    assert set(data["group"]) == {"J", "O", "S", "H"}
    assert "Sigtet: Straffeloven" in set(data["label"])


def test_another_shape_of_study() -> None:
    """Catches drawing code that counts on 20 indicators, 4 treatments or BIP's labels."""
    codebook = make_codebook(3, 1)
    study = random_study(codebook, seed=5, shape=Shape(citizens=25))
    description = describe(progression(study), codebook)
    context = Context(codebook, synthetic=False)
    for task in describe_tasks(description, context):
        text = written(figure_of(task))
        assert "report" not in text.lower() or task.name == "combinations"

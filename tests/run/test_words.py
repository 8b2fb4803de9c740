"""A study with other words: nothing that is printed of it speaks of BIP."""

import csv
import inspect
import json
import logging
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pandas as pd
import pytest
from builders import FOREIGN, Shape, make_codebook, random_responses, random_study
from matplotlib.figure import Figure
from matplotlib.text import Text
from pandas._libs.parsers import STR_NA_VALUES

from bipbayes import plots
from bipbayes.bip.facts import bip_characteristics
from bipbayes.checks import NAMES
from bipbayes.checks.inputs import CheckSettings
from bipbayes.checks.stage import check
from bipbayes.data.characteristics import characteristics_from_frame
from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.data.sample import analysis_sample
from bipbayes.errors import DataError
from bipbayes.helpers import Processes
from bipbayes.plots import pool
from bipbayes.plots.catalogue import DODGED, FOREST
from bipbayes.run.export_stage import export_stored
from bipbayes.run.folder import place_of_run
from bipbayes.run.inputs import open_stored
from bipbayes.run.reproduce import reproduce
from bipbayes.run.settings import Settings

# Texts of CSVs that are names of code: what a row is about, never a sentence.
CODE_COLUMNS = {"by", "quantity", "parameter", "statistic", "estimand", "kind", "change"}
# Drawn of studies with a register, of simulations, and by NUTS only.
OTHERWISE = {"differences_figure", "calibration_figure", "coverage_figure"}
OTHERWISE |= {"rank_figure", "energy_figure", "save_figure"}
TOML = """
name = "Reading"
scale = [1, 5]
citizen = "id"
jobcenter = "place"
date = "day"
words = { citizen = { en = "pupil", da = "elev" }, jobcenter = { en = "school", da = "skole" }, \
caseworker = { en = "teacher", da = ["lærer", "lærere"] } }
[[indicators]]
code = "q1"
respondent = "citizen"
[[indicators]]
code = "q2"
respondent = "citizen"
[[indicators]]
code = "q3"
respondent = "caseworker"
reverse = true
[treatments.T]
columns = ["T"]
[treatments.U]
columns = ["U"]
[averages.pupils]
members = ["q1", "q2"]
"""
COLUMNS = {"citizen": "id", "jobcenter": "place", "date": "day"}
NEUTRAL = re.compile(r"\b(persons?|sites?)\b")  # of studies without words of their own
CLAIMS = """claim_id,outcome,combination,direction,significant,quantifier
1,q1,10,positive,true,
2,pupils,1*,positive,false,most
"""


@dataclass(frozen=True)
class Printed:
    """A folder of results, messages, figures by name, and the functions that drew them."""

    out: Path
    messages: list[str]
    figures: dict[str, Figure]
    kinds: set[str]


@pytest.fixture(scope="module", params=["en", "da"])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Run everything on a tiny study; return the folder and every figure by its function."""
    folder = tmp_path_factory.mktemp(request.param)
    codebook = make_codebook(3, 2, jobcenters=["north", "NA", "west"])
    frame = random_responses(codebook, seed=4, shape=Shape(citizens=90, waves=(2, 5)))
    frame["q1"] = (frame["q1"] + 2 * frame["T"].fillna(0)).clip(1, 5)  # something to find
    frame = pd.concat([frame, frame[:3]])  # rows that stand twice
    file = frame.drop(columns="combination").rename(columns=COLUMNS)
    file.to_csv(folder / "responses.csv", index=False)
    (folder / "study.toml").write_text(TOML, encoding="utf-8")
    (folder / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    settings = Settings(
        data=folder / "responses.csv",
        codebook=folder / "study.toml",
        claims=folder / "claims.csv",
        out=folder / "results",
        language=request.param,
        quiet=True,
        minimum_count=6,
        draws=200,
        everything=True,
    )
    figures: dict[str, Figure] = {}

    def draw(task: Any, *_: Any) -> pool.Drawn:
        function = task.function
        if isinstance(function, str):
            module, name = function.split(":")
            function = getattr(import_module(module), name)
        figures[task.name] = function(**task.arguments)
        if task.function == FOREST:  # the other layout of the same rows
            draw(replace(task, name=f"{task.name}_dodged", function=DODGED))
        return pool.Drawn([], set(), "")

    called: set[str] = set()
    messages: list[str] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        _noted(_kinds().values(), called),
        _heard(messages),
    ):
        # Fits and figures in this process: their helpers' imports take longer than their work.
        begin = Processes.__init__
        patch.setattr(Processes, "__init__", lambda self, count, **given: begin(self, 0, **given))
        patch.setattr(pool, "draw_task", draw)
        reproduce(settings)
        check(settings, CheckSettings(only=tuple(set(NAMES) - {"engines"})))
        other = replace(settings, minimum_count=7)
        export_stored(*open_stored(other), other)
    return Printed(place_of_run(settings.out), messages, figures, called)


@contextmanager
def _heard(messages: list[str]) -> Iterator[None]:
    """Collect what the package tells the console."""
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("bipbayes")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _kinds() -> dict[str, Any]:
    """Every function that draws a kind of figure, by its name."""
    modules = [import_module(f"bipbayes.plots.{m.name}") for m in iter_modules(plots.__path__)]
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if re.fullmatch("[a-z].*_figure", name) and function.__module__ == module.__name__
    }


@contextmanager
def _noted(functions: Iterable[Any], called: set[str]) -> Iterator[None]:
    """Note which functions run, whoever calls them by whatever name."""
    tool, event = sys.monitoring.PROFILER_ID, sys.monitoring.events.PY_START
    sys.monitoring.use_tool_id(tool, "kinds")
    sys.monitoring.register_callback(tool, event, lambda code, _: called.add(code.co_name))
    for function in functions:
        sys.monitoring.set_local_events(tool, function.__code__, event)
    try:
        yield
    finally:
        sys.monitoring.free_tool_id(tool)


def _texts(out: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(out.rglob("*")):
        where = path.relative_to(out).as_posix()
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    cells = {k: v for k, v in row.items() if k not in CODE_COLUMNS}
                    yield from ((where, text) for text in cells.values() if " " in (text or ""))
        elif path.suffix in (".tex", ".html", ".txt", ".md"):
            # The page names the program, and how to run it again.
            text = path.read_text(encoding="utf-8").replace(r"\_", "_")
            text = text.replace("bipbayes report", "").replace("bipbayes", "")
            if path.name == "manifest.txt":  # names files as they are called
                text = re.sub(r"^\S+\.\w+$", "", text, flags=re.MULTILINE)
            yield where, text


def test_files_hold_the_studys_words(printed: Printed) -> None:
    """Catches a table, note, paragraph or reason that calls pupils citizens."""
    texts = [*_texts(printed.out), *_texts(printed.out.parent / "export")]
    assert len({where for where, _ in texts}) > 20
    found = {(where, m[0]) for where, text in texts for m in FOREIGN.finditer(text)}
    assert not found


def _sentences(record: Any) -> Iterator[str]:
    """Every text of a record that has words, no codes."""
    if isinstance(record, dict | list):
        for entry in record.values() if isinstance(record, dict) else record:
            yield from _sentences(entry)
    elif isinstance(record, str) and " " in record and not record.startswith("Priors("):
        yield record


def test_record_and_console_hold_the_studys_words(printed: Printed) -> None:
    """Catches a finding, warning or remark that calls pupils citizens or persons."""
    record = json.loads((printed.out / "run.json").read_text(encoding="utf-8"))
    # The verb that writes the page is named as it is typed.
    told = [text.replace("report (", "(") for text in printed.messages]
    texts = [*_sentences(record), *told]
    for part in ("rows of one pupil", "pupils with responses in more than one school", "7 pupils"):
        assert any(part in text for text in texts), part
    assert not [text for text in texts if FOREIGN.search(text) or NEUTRAL.search(text)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop_duplicates("id"), "two responses of a pupil"),
        (lambda frame: pd.concat([frame, frame.assign(q1=3)]), "id, day: different rows of one p"),
        (lambda frame: frame.assign(place=None), "place: rows without a value"),
        (lambda frame: frame.assign(day="soon"), "day: dates that cannot be read"),
        (lambda frame: frame.drop(columns="id"), "id: columns of the codebook"),
    ],
)
def test_refusals_hold_the_studys_words(change: Any, said: str) -> None:
    """Catches a refusal in BIP's words, or with names that the file does not have."""
    frame = random_responses(make_codebook(3, 2), seed=4, shape=Shape(citizens=30, gaps=0))
    codebook = parse_codebook(tomllib.loads(TOML))
    file = change(frame.drop(columns="combination").rename(columns=COLUMNS))
    with pytest.raises(DataError) as caught:
        study = responses_from_frame(file, codebook)
        analysis_sample(progression(study, codebook), codebook)
    told = str(caught.value).replace("'bipbayes ", "'")  # a verb is named as it is typed
    assert said in told
    assert not FOREIGN.search(told)


def test_a_register_is_checked_in_the_studys_words() -> None:
    """Catches a finding on characteristics that calls pupils citizens."""
    codebook = parse_codebook(tomllib.loads(TOML))
    study = replace(random_study(make_codebook(3, 2), seed=4), codebook=codebook)
    people = study.responses["citizen"].unique()[:-2]
    columns = dict.fromkeys(bip_characteristics().columns, 0)
    register = pd.DataFrame(
        {"id": [*people, *people[:1], "nobody"], "synthetic": 1, **columns, "age": 30}
    )
    read = characteristics_from_frame(register, study, codebook=bip_characteristics())
    said = [finding.sentence(codebook) for finding in read.findings]
    assert len(said) > 3 and all("pupil" in text for text in said)
    assert not [text for text in said if FOREIGN.search(text)]


def test_no_name_is_taken_for_missing(printed: Printed) -> None:
    """Catches a file in which a plain read loses the school called NA."""
    cells: set[str] = set()
    for path in printed.out.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            cells |= {cell for row in csv.reader(stream) for cell in row}
    assert "'NA" in cells
    assert not cells & STR_NA_VALUES - {""}


def test_formatted_tables_name_combinations_in_words(printed: Printed) -> None:
    """Catches a printed table with digits in the place of T+U, or beside it."""
    pages = [path.read_text(encoding="utf-8") for path in printed.out.glob("tables/*.html")]
    texts = [text for page in pages for text in re.findall('<td class="l">(.*?)</td>', page)]
    assert {"T", "U", "T+U"} < set(texts)
    assert not [text for text in texts if re.match("[01]{2}(?![0-9])", text)]


def test_figures_hold_the_studys_words(printed: Printed) -> None:
    """Catches a title, label, legend or caption of another study's words."""
    texts = {
        (name, text.get_text())
        for name, figure in printed.figures.items()
        for text in figure.findobj(Text)
    }
    joined = " ".join(text for _, text in texts)
    assert {"pupil", "school"} <= set(re.findall(r"\w+", joined)) or "elev" in joined
    assert not {(name, m[0]) for name, text in texts for m in FOREIGN.finditer(text)}


def test_every_kind_of_figure_is_looked_at(printed: Printed) -> None:
    """Catches a kind of figure that was added and that the test above never sees."""
    assert set(_kinds()) - printed.kinds == OTHERWISE

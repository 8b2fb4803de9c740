"""What the pages of the documentation tell a reader to type, click and look at is there."""

import re
import shlex
from pathlib import Path
from typing import Any

import gallery
import pytest
import typer
from bipbayes.scripts import command
from reading_study import write_study

from bipbayes.checks import NAMES
from bipbayes.plots.catalogue import IN_MAIN_JOB
from bipbayes.run.compare_stage import write_comparison
from bipbayes.run.inputs import open_run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import fit_posterior
from bipbayes.run.settings import Settings

DOCS = gallery.ROOT / "bipbayes" / "docs"
README = gallery.ROOT / "README.md"
PAGES = {str(path.relative_to(DOCS)): path.read_text("utf-8") for path in DOCS.rglob("*.md")}
PAGES["README"] = README.read_text("utf-8")
RUN = sorted(name for name, text in PAGES.items() if "```python\n" in text and name != "README")
PICTURES = {DOCS / "gallery" / f"{entry['file']}.png" for entry in gallery.gallery_entries()}
LINE = typer.main.get_command(command())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that pages read: a study, and a stored run on the default data."""
    place = write_study(tmp_path_factory.mktemp("pages"))
    run = open_run(Settings(out=place / "results", quick=True, quiet=True))
    posterior = fit_posterior(run, "hierarchical")
    write_comparison(run.folder, fit_ols(run), [posterior.intervals])
    return place


@pytest.mark.parametrize("name", RUN)
def test_blocks_of_python_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a page whose lines fail one after the other in a fresh session."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGES[name], re.DOTALL):
        exec(compile(block, name, "exec"), names)
    assert "bb" not in names or any(getattr(each, "__module__", "") for each in names.values())


def _commands(text: str) -> list[str]:
    """Lines that call a verb: in shell blocks and in blocks that are indented."""
    typed = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    typed += "\n".join(re.findall(r"^    (.*)$", text, re.MULTILINE))
    found = re.findall(r"^(?:uv run |\S*bin/)?bipbayes ([a-z].*)$", typed, re.MULTILINE)
    found += re.findall(r"^(?:.* && )?uv run scripts/([a-z_]+\.py.*)$", typed, re.MULTILINE)
    return [line.replace(".py", "", 1) if ".py" in line.split()[0] else line for line in found]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_commands_can_be_typed(name: str) -> None:
    """Catches a verb or an option that a page names and no script has."""
    for line in _commands(PAGES[name]):
        verb, *options = shlex.split(line, comments=True)
        LINE.commands[verb.replace("_", "-")].make_context(verb, list(options))


def test_commands_are_found() -> None:
    """Catches a page whose commands are no longer seen by the test above."""
    assert _commands("```sh\nbipbayes check prior  # one\n```") == ["check prior  # one"]
    assert _commands("    pip install uv && uv run scripts/reproduce.py   # all") == [
        "reproduce   # all"
    ]
    assert len(_commands(PAGES["howto/step_by_step.md"])) > 12


@pytest.mark.parametrize("entry", gallery.gallery_entries(), ids=lambda entry: entry["file"])
def test_commands_of_the_gallery(entry: dict[str, str]) -> None:
    """Catches an option of the gallery that no verb has, and a text that is missing."""
    for line in [f"bipbayes {words}" for _, words in gallery.RUNS] + [entry["draws"]]:
        _, verb, *options = shlex.split(line)
        LINE.commands[verb].make_context(verb, options)
    assert set(entry) - {"call"} == {"title", "file", "shows", "read", "draws"}


def test_the_gallery_has_every_kind() -> None:
    """Catches a kind of figure, or a check, that nobody put into the gallery."""
    files = [Path(entry["file"]).name for entry in gallery.gallery_entries()]
    kinds = {kind.partition("_of_")[0] for kind in IN_MAIN_JOB} - {"sampler"}
    kinds |= {"rank_hyperparameters", "energy", "claims", "histogram", "characteristics"}
    kinds |= {f"check_{name}" for name in NAMES}
    kinds |= {"coverage", "calibration"}
    assert {kind for kind in kinds if not any(file.startswith(kind) for file in files)} == set()
    assert len({entry["title"] for entry in gallery.gallery_entries()}) == len(files)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    """Catches a link or a picture that a move of files left behind."""
    here = README.parent if name == "README" else (DOCS / name).parent
    targets = re.findall(r"\]\((?!https?:)([^)# ]+)[^)]*\)", PAGES[name])
    assert [t for t in targets if not (here / t).resolve().exists()] == []
    named = {f"{found}.png" for found in re.findall(r'gallery\.md "([^"]+)"', PAGES[name])}
    assert {DOCS / "gallery" / picture for picture in named} <= PICTURES


def test_every_page_is_in_the_contents() -> None:
    """Catches a page that no reader would find."""
    listed = set(
        re.findall(r"^(?:.* <)?([a-z_]+(?:/[a-z_]+)?)>?$", PAGES["index.md"], re.MULTILINE)
    )
    assert listed == {name.removesuffix(".md") for name in PAGES} - {"index", "README"}


def test_the_readme_is_a_page() -> None:
    """Catches a README that grows into a manual again."""
    assert len(PAGES["README"].splitlines()) <= 90

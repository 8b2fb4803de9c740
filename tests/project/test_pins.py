"""The two lists of tested versions agree, and no address stands in them."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _pins() -> list[str]:
    return (ROOT / "constraints.txt").read_text(encoding="utf-8").split()


def test_uv_resolves_to_the_pinned_versions() -> None:
    """Catches an update of constraints.txt that `uv run` would not follow, or the reverse."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(project["tool"]["uv"]["constraint-dependencies"]) == sorted(_pins())


def test_pins_are_names_and_versions_only() -> None:
    """Catches options, addresses or ranges in the pins."""
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in _pins())


def test_every_dependency_is_pinned() -> None:
    """Catches a new dependency that nobody pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        re.split(r"[<>=\[]", entry)[0]
        for group in (project["project"]["dependencies"], *project["dependency-groups"].values())
        for entry in group
    }
    assert wanted <= {pin.split("==")[0] for pin in _pins()}


def test_the_citation_is_of_this_version() -> None:
    """Catches a release that is cited under the version before it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", cited, re.MULTILINE) == [project["version"]]
    assert re.findall(r"^title: \"(\w+)", cited, re.MULTILINE) == [project["name"]]

"""Rules of the code base that a machine can hold: import direction, sizes, packages."""

import ast
import tomllib
from pathlib import Path

import layers
import pytest
from layers import LAYERS

ROOT = Path(__file__).parents[2]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# What a replication archive is given as a program is data here.
MODULES = sorted(
    path for path in (ROOT / "bipbayes").rglob("*.py") if "resources" not in path.parts
)


def _imported(path: Path) -> set[str]:
    """Names of the package's parts that a module imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bipbayes"):
            parts = (node.module or "").split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith("bipbayes.")}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    """Catches a lower stage that reaches up into a later one."""
    relative = path.relative_to(ROOT / "bipbayes").with_suffix("")
    if relative.parts == ("__init__",):
        return
    own = relative.parts[0]
    higher = {
        name
        for name in _imported(path) - {own, "__version__"}
        if LEVEL[name] > LEVEL[own] or "models" in name or "scripts" in name
    }
    assert not higher


def test_the_architecture_page_shows_the_tree() -> None:
    """Catches a page or picture of the layers that has fallen behind the code."""
    assert layers.PICTURE.read_text("utf-8") == layers.picture()
    text = layers.PAGE.read_text("utf-8")
    assert text == layers.page(text)
    there = {path.relative_to(ROOT / "bipbayes").parts[0].removesuffix(".py") for path in MODULES}
    assert set().union(*LAYERS) == there - {"__init__"}


def test_the_method_knows_no_case() -> None:
    """Catches a module of the method that reads what is BIP's alone."""
    users = {
        str(path.relative_to(ROOT / "bipbayes"))
        for path in MODULES
        if "bip" in _imported(path) and not path.is_relative_to(ROOT / "bipbayes" / "bip")
    }
    assert users == {"run/default_study.py"}


@pytest.mark.parametrize("folder, most", [("bipbayes", 600), ("models", 350), ("scripts", 80)])
def test_modules_have_one_job(folder: str, most: int) -> None:
    """Catches modules that have grown past one job."""
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: size for name, size in sizes.items() if size > most} == {}


def test_every_folder_is_installed() -> None:
    """Catches a subpackage that a built wheel would lack, and makers' own in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "bipbayes").rglob("__init__.py")
    }
    listed = set(project["tool"]["setuptools"]["packages"])
    makers = {"bipbayes.bip.solving"}
    assert makers < folders
    assert listed == (folders - makers) | {"bipbayes.models", "bipbayes.scripts"}


def test_planted_bugs_can_still_be_planted() -> None:
    """Catches a list of planted bugs that has fallen behind the code, or names a lost test."""
    bugs = tomllib.loads((ROOT / "tests/benchmarks/planted_bugs.toml").read_text("utf-8"))["bug"]
    texts = {bug["file"]: (ROOT / bug["file"]).read_text("utf-8") for bug in bugs}
    assert [bug["name"] for bug in bugs if texts[bug["file"]].count(bug["old"]) != 1] == []
    assert len({bug["name"] for bug in bugs}) == len(bugs)
    caught = [bug["caught"].split("[")[0].split("::") for bug in bugs]
    lost = [
        (path, name)
        for path, name in caught
        if f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]
    assert lost == []
    assert all(bug["caught"].split("::")[0] in bug["tests"] for bug in bugs)

"""What ``import bipbayes`` offers, how light it is, and that its examples are true."""

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import bipbayes as bb

SOURCE = Path(str(bb.__file__)).read_text(encoding="utf-8")
MODULES = ("study", "estimates", "fits", "comparisons", "pictures", "report", "stored")


def test_the_names_are_those_that_are_listed() -> None:
    """Catches a name that is listed, lazy or known to type checkers, but not all three."""
    assert dir(bb) == sorted(bb.__all__) == sorted(bb._HOMES)
    assert all(getattr(bb, name).__doc__ for name in bb.__all__)
    seen = {
        alias.name
        for node in ast.parse(SOURCE).body
        if isinstance(node, ast.If)
        for line in node.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == set(bb.__all__)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        bb.fitt  # noqa: B018


def test_a_function_is_not_hidden_by_a_part_of_the_package() -> None:
    """Catches a folder or module of a public name, which takes the name's place once imported."""
    parts = {entry.name.removesuffix(".py") for entry in Path(str(bb.__file__)).parent.iterdir()}
    assert not parts & set(bb.__all__)


def test_importing_imports_nothing_heavy() -> None:
    """Catches an eager import: the command line starts in a fifth of a second."""
    code = "import sys, bipbayes; print(len({'numpy', 'pandas', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(
    name: str,
    folder: Path,
    objects: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches an example that a reader cannot repeat."""
    monkeypatch.chdir(folder)
    module = import_module(f"bipbayes.api.{name}")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    done = doctest.testmod(module, extraglobs=objects, optionflags=flags)
    assert (done.failed, done.attempted > 0) == (0, True)

"""Do the tests catch bugs? ``python tests/benchmarks/plant_bugs.py [WORDS OF A NAME ...]``.

Plants the bugs of ``planted_bugs.toml`` one at a time in a copy of the checkout and runs the test
that caught it last, then all of the files named there: prints for each the test that caught it, or
that it survived. A bug that survives is a missing test. The tests that caught bugs must pass
without any, which is looked at first.
"""

import compileall
import os
import py_compile
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).with_name("planted_bugs.toml")
LIBRARIES = (
    "scipy.stats", "scipy.optimize", "pandas", "xarray", "statsmodels.api", "arviz_stats",
    "dask.array", "matplotlib.pyplot",
)  # fmt: skip
COPIED = (
    *("bipbayes", "models", "scripts", "tests"),
    *("pyproject.toml", "constraints.txt", "README.md"),
)


def planted_bugs(words: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the bugs, or those whose name or file holds one of the words."""
    bugs = tomllib.loads(BUGS.read_text(encoding="utf-8"))["bug"]
    return [bug for bug in bugs if not words or any(w in bug["name"] + bug["file"] for w in words)]


def copy_checkout(folder: Path) -> None:
    """Copy what the tests need."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    for name in ("models", "scripts"):  # as installed
        (folder / "bipbayes" / name).symlink_to(folder / name)
    # Known by their text: by time and size, two bugs of one second may look alike.
    by_text = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / "bipbayes", quiet=1, invalidation_mode=by_text)


def first_failure(folder: Path, paths: Sequence[str]) -> str:
    """Run tests in the copy; the first that fails, empty where all pass.

    In a fork, which has the libraries already: they take longer to import than most tests to run.
    """
    with tempfile.TemporaryFile("w+") as said:
        if not (child := os.fork()):
            os._exit(_run_tests(folder, paths, said.fileno()))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        output = said.read()
    if code in (pytest.ExitCode.OK, pytest.ExitCode.USAGE_ERROR):  # the latter: no such test
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, flags=re.MULTILINE)
    return found.group(1) if found else f"pytest stopped: {output[-1000:]}"


def _run_tests(folder: Path, paths: Sequence[str], output: int) -> int:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    os.environ.update({"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})
    return int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *paths]))


def usual(bug: dict[str, Any]) -> str:
    """Return the test that caught a bug, with all of its parameters."""
    return str(bug["caught"]).split("[", maxsplit=1)[0]


def plant(folder: Path, bug: dict[str, Any]) -> str:
    """Plant one bug, run its tests and take it out again; the test that caught it."""
    path = folder / bug["file"]
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(bug["old"], bug["new"]), encoding="utf-8")
    try:
        return first_failure(folder, [usual(bug)]) or first_failure(folder, bug["tests"])
    finally:
        path.write_text(sound, encoding="utf-8")


def main(words: Sequence[str]) -> int:
    """Plant bugs and print what caught them; 1 where one survives."""
    bugs, survivors = planted_bugs(words), 0
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # forks should have no threads to lose
    for name in LIBRARIES:
        import_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_checkout(folder)
        if broken := first_failure(folder, sorted({usual(bug) for bug in bugs})):
            print(f"the tests fail without any bug: {broken}")
            return 1
        for bug in bugs:
            caught = plant(folder, bug)
            survivors += not caught
            print(f"{'killed  ' if caught else 'SURVIVED'}  {bug['name']}  {caught}", flush=True)
    print(f"{len(bugs) - survivors} of {len(bugs)} killed")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

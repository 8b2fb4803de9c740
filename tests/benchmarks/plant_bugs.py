"""Do the tests catch bugs? ``python tests/benchmarks/plant_bugs.py [WORDS OF A NAME ...]``.

Plants the bugs of ``planted_bugs.toml`` one at a time in a copy of the checkout and runs the tests
named there: prints for each the test that caught it, or that it survived. A bug that survives is a
missing test. The tests must pass without any bug, which is looked at first.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).with_name("planted_bugs.toml")
COPIED = ("bipbayes", "models", "scripts", "tests", "pyproject.toml", "README.md")


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


def first_failure(folder: Path, paths: Sequence[str]) -> str:
    """Run tests in the copy; the first that fails, empty where all pass."""
    # Compiled files are known by time and size, which two bugs of one second may share.
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *paths], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, flags=re.MULTILINE)
    return found.group(1) if found else f"pytest stopped: {run.stdout[-500:]}{run.stderr[-500:]}"


def plant(folder: Path, bug: dict[str, Any]) -> str:
    """Plant one bug, run its tests and take it out again; the test that caught it."""
    path = folder / bug["file"]
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(bug["old"], bug["new"]), encoding="utf-8")
    try:
        return first_failure(folder, bug["tests"])
    finally:
        path.write_text(sound, encoding="utf-8")


def main(words: Sequence[str]) -> int:
    """Plant bugs and print what caught them; 1 where one survives."""
    bugs, survivors = planted_bugs(words), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_checkout(folder)
        paths = sorted({path for bug in bugs for path in bug["tests"]})
        if broken := first_failure(folder, paths):
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

"""Make the results of this package again and hold them against those in ``output/``."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def damaged() -> list[str]:
    """Return the files that are missing or not as they were packed."""
    found = []
    for line in (HERE / "MANIFEST.sha256").read_text(encoding="utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        path = HERE / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(name)
    return found


def bipbayes(*words: str) -> int:
    """Run a verb of the bipbayes in ``code/`` and return its exit code."""
    line = [sys.executable, "-c", "from bipbayes.scripts import app; app()", *words]
    places = [str(HERE / "code"), os.environ.get("PYTHONPATH", "")]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    return subprocess.run(line, env=here, cwd=HERE, check=False).returncode


def main() -> int:
    """Check the files, run every command, compare."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, help="the responses, where they are not in here")
    asked.add_argument("--characteristics", type=Path, help="likewise")
    given = asked.parse_args()
    if lost := damaged():
        print(f"missing or changed since they were packed: {', '.join(lost)}", file=sys.stderr)
        return 2
    packed = json.loads((HERE / "commands.json").read_text(encoding="utf-8"))
    inputs = dict(packed["inputs"])
    for name in ("data", "characteristics"):
        if path := getattr(given, name):
            inputs["{" + name + "}"] = str(path.resolve())
    for words in packed["commands"]:
        line = [inputs.get(word, word) for word in words]
        print("bipbayes", *line, flush=True)
        if code := bipbayes(*line):
            return code
    if packed["comparable"] or given.data:
        return bipbayes("verify", "output", "rebuilt")
    print("These were synthetic responses: nothing to compare. Give the real ones with --data.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

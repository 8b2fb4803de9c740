"""The replication archive of a stored run: nothing is fitted, everything can be made again."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from bipbayes.atomic import write_archive
from bipbayes.data.codebook import Codebook
from bipbayes.data.files import file_digest
from bipbayes.errors import RunError, raise_all
from bipbayes.run.audit_stage import STAGE as AUDIT
from bipbayes.run.folder import PRIVATE, RunFolder, export_place
from bipbayes.run.inputs import CODEBOOK_FILE
from bipbayes.run.ols_stage import STAGE as FIT_OLS
from bipbayes.run.package_files import (
    STAND_IN,
    Files,
    code,
    made,
    pins,
    readme,
    results,
    stand_in,
    template,
)
from bipbayes.run.report_stage import asked_options, changed_settings
from bipbayes.run.settings import Settings
from bipbayes.run.stored import STAGE as FIT_POSTERIOR
from bipbayes.run.stored import require_figures

PEOPLE: Final = ("data", "characteristics")
REBUILT: Final = "rebuilt"
_PARTS: Final = ("identity", "data", "software", "stages", "written")
_GIVEN: Final = ("codebook", "priors", "claims", "characteristics", "data")
_CALLED: Final = {name: "{" + name + "}" for name in _GIVEN}
# What an audit is asked for; the rest, such as the codebook, it takes from the folder.
_AUDITED: Final = ("data", "characteristics", "claims", "models", "beyond", "minimum_count",
                   "language")  # fmt: skip


def package(folder: RunFolder, codebook: Codebook, settings: Settings, to: Path) -> list[str]:
    """Write the archive of a stored run and say what is in it.

    `settings`: files that the run read, given again where the folder does not keep them; `to`: the
    archive, ``.zip``.

    Raises RunError: the archive is there already; a frame is not as it was written; a file that the
    run read is not given; results of data that are not synthetic have not been exported, or the
    data are given to be put in.
    """
    if to.suffix != ".zip" or to.exists():
        raise RunError(f"{to} must be a new file that ends in .zip; choose another --to")
    if to.resolve().is_relative_to(export_place(folder.path).resolve()):
        raise RunError(f"{to} is in the folder of what was looked through; choose another --to")
    if folder.path.name == PRIVATE and to.resolve().is_relative_to(folder.path.resolve()):
        raise RunError(
            f"{to} is in {folder.path}, which never leaves, and an archive is to be given away; "
            "choose another --to"
        )
    record = folder.record()
    if lost := [part for part in _PARTS if part not in record]:
        raise RunError(
            f"{folder.file('run.json')} lacks {', '.join(lost)}: it is damaged, or the run broke "
            "off; run it again"
        )
    require_figures(folder)
    folder.refuse_changed_frames()
    runs = _runs(record)
    inputs, files = _inputs(folder, settings, runs)
    commands = [_command(verb, asked) for verb, asked in runs]
    packed = {
        "commands": commands,
        "inputs": inputs,
        "comparable": bool(record["data"]["synthetic"]),
    }
    files |= made(folder) if codebook.is_bip else {}
    read = [name for name in PEOPLE if _CALLED[name] in inputs]
    files |= {} if packed["comparable"] else stand_in(codebook, read)
    files |= code() | results(folder)
    files["environment/constraints.txt"] = "".join(pins()).encode()
    files["rebuild.py"] = template("rebuild.py").encode()
    files["commands.json"] = (json.dumps(packed, indent=2) + "\n").encode()
    files["README.md"] = readme(folder, files, packed).encode()
    lines = [f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    files["MANIFEST.sha256"] = "".join(lines).encode()
    write_archive(to, {name: files[name] for name in sorted(files)})
    stale = ", ".join(record.get("stale", ()))
    left = [f"Of an earlier fit, and not made again by it: {stale}; run these verbs first."]
    return [
        *left * bool(stale),
        f"{len(files)} files are in {to} ({to.stat().st_size / 1e6:.1f} MB).",
        "Fill in what stands in [brackets] in its README.md.",
        "Unpacked, 'python rebuild.py' makes the results again and compares.",
    ]


def _runs(record: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the verbs that made what is stored, each with what it was asked, in order."""
    whole, found = record.get("settings"), []
    audited = [one.get("asked") for name, one in record["stages"].items() if name == AUDIT]
    for name, done in record["stages"].items():
        verb = name.split("/", maxsplit=1)[0]
        asked = done.get("asked", {})
        if asked == whole:
            verb = "reproduce"
            if audited not in ([], [whole]):  # of other claims, in its place
                asked = {**asked, "claims": None}
        if verb == AUDIT:
            asked = {option: asked[option] for option in _AUDITED if option in asked}
        if verb in ("reproduce", FIT_OLS, FIT_POSTERIOR, AUDIT) and (verb, asked) not in found:
            found.append((verb, asked))
    return found


def _inputs(
    folder: RunFolder, settings: Settings, runs: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[dict[str, str], Files]:
    """Return where in the archive each input lies, by its name in a command, and its content."""
    synthetic = folder.record()["data"]["synthetic"]
    places, files, faults = {}, {}, []
    given = {name: getattr(settings, name) for name in _GIVEN}
    kept = folder.file(CODEBOOK_FILE)
    given["codebook"] = kept if kept.is_file() else None
    read = {(name, asked[name]) for _, asked in runs for name in _GIVEN if asked.get(name)}
    # Whatever a folder holds knows its codebook, and its data by their digest.
    faults += [
        f"--{name}: nothing that is stored was made with one; leave it out"
        for name in ("priors", "claims", "characteristics")
        if given[name] is not None and name not in dict(read)
    ]
    for name, called in sorted(read):
        path, place = given[name], f"{'data' if name in PEOPLE else 'inputs'}/{called}"
        if name in PEOPLE and not synthetic:
            place = f"{STAND_IN}/{name}.csv"
            if path is not None:
                faults.append(f"--{name}: data of persons do not go into the archive; leave it out")
        elif path is None or (name != "codebook" and path.name != called):
            faults.append(f"--{name}: the run read {called}; give it again")
        elif name == "data" and file_digest(path) != folder.record()["identity"]["data"]:
            faults.append(f"--data: {path.name} is not what the run read; give that file")
        else:
            files[place] = path.read_bytes()
        places[_CALLED[name]] = place
    own = {Path(name).name: Path(name) for name in settings.models if name.endswith(".py")}
    models = (Path(m).name for _, asked in runs for m in asked["models"] if m.endswith(".py"))
    for called in sorted({*models}):
        if called in own:
            files[f"inputs/{called}"] = own[called].read_bytes()
            places["{" + called + "}"] = f"inputs/{called}"
        else:
            faults.append(f"--model: the run read {called}; give it again")
    raise_all(RunError, "This run cannot be packed:", faults)
    return places, files


def _command(verb: str, asked: Mapping[str, Any]) -> list[str]:
    """Return the words of a command that repeats a run; inputs stand in braces."""
    words = [verb.replace("_", "-")]
    for name, value in changed_settings(asked).items():
        if name in _GIVEN:
            words += [f"--{name}", _CALLED[name]]
        elif name == "models":  # a file's folder is this machine's
            called = ("{" + Path(m).name + "}" if m.endswith(".py") else m for m in value)
            words += [word for model in called for word in ("--model", model)]
        elif name != "out":
            words += asked_options(name, value)
    return [*words, "--out", REBUILT]

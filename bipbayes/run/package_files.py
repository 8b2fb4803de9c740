"""What a replication archive holds: code, environment, results, and a README in the usual form."""

import shlex
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from packaging.requirements import Requirement

from bipbayes.data.codebook import Codebook
from bipbayes.disclosure.door import MANIFEST, RECORD, record_of, refuse_strangers
from bipbayes.errors import RunError
from bipbayes.run.folder import RunFolder, export_place, makers
from bipbayes.run.settings import DEFAULT_SEED
from bipbayes.run.simulate_stage import characteristics_of
from bipbayes.run.verify import ERRORS
from bipbayes.synthetic.simulate import csv_text, simulate

Files = dict[str, bytes]
RESULTS: Final = ("run.json", "report.html", "report.docx", "data/*", "tables/*", "figures/**/*")
STAND_IN: Final = "data/synthetic"
STAND_INS: Final = 1000  # citizens
_CODE: Final = ("bipbayes", "bipbayes.models", "bipbayes.scripts")
_TEMPLATES: Final = "resources/replication"


def made(folder: RunFolder) -> Files:
    """Return the synthetic study that a run made for itself, and BIP's codebook."""
    paths = sorted(folder.path.glob("synthetic/*.csv"))
    book = resources("bipbayes") / "bip/resources/codebook.toml"
    return {
        **{f"data/{path.name}": path.read_bytes() for path in paths},
        "inputs/codebook.toml": book.read_bytes(),
    }


def stand_in(codebook: Codebook, names: Collection[str]) -> Files:
    """Make responses from the codebook alone, which stand for those that may not leave.

    `names`: inputs that the commands read, of which ``characteristics`` are people's, too.
    """
    simulation = simulate(codebook, citizens=STAND_INS, seed=DEFAULT_SEED)
    made = {"data": simulation.responses}
    if "characteristics" in names:
        made["characteristics"] = characteristics_of(simulation)
    return {f"{STAND_IN}/{name}.csv": csv_text(frame).encode() for name, frame in made.items()}


def code() -> Files:
    """Return bipbayes as it is installed here; models and scripts lie in it."""
    found = {}
    for package in _CODE:
        root = Path(str(import_module(package).__file__)).parent
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not ("__pycache__" in name or name.startswith("maintenance/")):
                found[f"code/{package.replace('.', '/')}/{name}"] = path.read_bytes()
    about = distribution("bipbayes").read_text("METADATA") or ""
    found[f"code/bipbayes-{version('bipbayes')}.dist-info/METADATA"] = about.encode()
    return found


def pins() -> list[str]:
    """Return the installed versions of everything that bipbayes needs, a line each."""
    found: dict[str, str] = {}
    waiting = ["bipbayes"]
    while waiting:
        try:
            package = distribution(waiting.pop())
        except PackageNotFoundError:
            continue  # for another system or Python
        found[package.name] = package.version
        needed = [Requirement(line) for line in package.requires or ()]
        applying = [n for n in needed if n.marker is None or n.marker.evaluate({"extra": ""})]
        waiting += [n.name for n in applying if _name(n.name) not in map(_name, found)]
    return sorted(f"{_name(n)}=={number}\n" for n, number in found.items() if n != "bipbayes")


def _name(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def results(folder: RunFolder) -> Files:
    """Return what of a run may be given away.

    Raises RunError: the data are not synthetic, and nothing was exported of them, or it was changed
    since.
    """
    root, patterns = folder.path, tuple[str, ...](RESULTS)
    own = {*folder.record()["written"], "run.json"}
    if not folder.record()["data"]["synthetic"]:
        root, patterns = export_place(folder.path), ("**/*",)
        if not root.is_dir():
            raise RunError(f"{root} is missing; run 'bipbayes export': it says what may leave")
        refuse_strangers(root)
        manifest = record_of(root)
        if manifest.get("data") != folder.record()["identity"]["data"]:
            raise RunError(f"{root} is of other data than this run; run 'bipbayes export' again")
        own = {*manifest["files"], RECORD, MANIFEST}  # by the door, which looked through each
    found = (path for pattern in patterns for path in root.glob(pattern) if path.is_file())
    return {
        f"output/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(found)
        if path.relative_to(root).as_posix() in own
    }


def template(name: str) -> str:
    """Read a file of the archive that stands in the package."""
    return (resources("bipbayes") / _TEMPLATES / name).read_text(encoding="utf-8")


def readme(folder: RunFolder, files: Files, packed: Mapping[str, Any]) -> str:
    """Fill what a machine can in of the social science data editors' template.

    `files`: of the archive, by name; `packed`: ``commands`` (words), ``inputs`` (place by word),
    ``comparable``.
    """
    record = folder.record()
    data, places, seconds = record["data"], packed["inputs"], record.get("seconds")
    lines = [[places.get(word, word) for word in line] for line in packed["commands"]]
    form = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return form.from_string(template("README.md.jinja")).render(
        data=data,
        version=version("bipbayes"),
        digest=record["identity"]["data"],
        duration=f"{seconds:.0f} seconds" if seconds else "[minutes]",
        software=record["software"],
        seed=DEFAULT_SEED,
        errors=f"{ERRORS:g}",
        commands=[shlex.join(["bipbayes", *line]) for line in lines],
        places=places,
        inputs=sorted(name for name in files if name.startswith(("data/", "inputs/"))),
        outputs=list(_outputs(files)),
    )


def _outputs(files: Files) -> Iterator[tuple[str, str]]:
    """Yield each output with the verb that makes it: pictures of a kind, formats together."""
    told: dict[str, set[str]] = {}
    for name in (name.removeprefix("output/") for name in files if name.startswith("output/")):
        place, _, ending = name.rpartition(".")
        place = place.rpartition("/")[0] + "/*" if name.startswith("figures/") else place
        told.setdefault(place, set()).add(ending)
    for place in sorted(told):
        if verbs := makers(f"{place}."):
            yield f"{place}.{', .'.join(sorted(told[place]))}", f"bipbayes {', '.join(verbs)}"

"""What a support person asks first, in plain lines: versions, files, a tiny fit, the machine.

Nothing of a user's is read or told: the study that is fitted is simulated here. What may be broken
is imported where it is looked at.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.resources import files
from pathlib import Path
from typing import Final

from bipbayes.errors import BipbayesError, FitError, RunError
from bipbayes.run.software import software

_HELD: Final = (
    *("docs", "resources/fonts", "resources/page", "resources/phrases"),
    *("bip/resources/audit", "bip/resources/report", "bip/resources/synthetic"),
)
_STUDY: Final = {
    "name": "doctor",
    "scale": [1, 5],
    "indicators": [{"code": f"q{place}", "respondent": "citizen"} for place in (1, 2, 3)],
    "treatments": {"A": {"columns": ["a"]}},
    "none": "none",
}
_CITIZENS: Final = 120
_FOREIGN: Final = "\N{HIRAGANA LETTER A}"  # the fonts that come along lack it
_AGAIN: Final = "install bipbayes again, with the versions of its constraints.txt"


def examine() -> Iterator[tuple[str, str]]:
    """Look at one thing after the other.

    Yields: A line on what was found, and what to do about it (``""``: nothing).
    """
    for name, found in software().items():
        yield f"{name} {found}", ""
    for what, look, advice in (
        ("versions", _versions, _AGAIN),
        ("data files and docs", _files, _AGAIN),
        ("documentation", _documentation, ""),
        ("a tiny exact fit", _fit, _AGAIN),
        ("a figure", _draw, _AGAIN),
        ("cores and memory", _machine, _AGAIN),
        ("the current folder", _write, "go to a folder in which you may write"),
        ("what may be missing", _missing, ""),
    ):
        try:
            yield f"{what}: {look()}", ""
        except Exception as error:  # whatever it is, the next line is still wanted
            told = str(error) if isinstance(error, BipbayesError) else type(error).__name__
            yield f"{what}: FAILED ({told})", advice


def _versions() -> str:
    from packaging.requirements import Requirement

    faults = []
    for wanted in map(Requirement, requires("bipbayes") or ()):
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            found = ""
        if found not in wanted.specifier:
            faults.append(f"{wanted.name} {found or 'is missing,'} must be {wanted.specifier}")
    if faults:
        raise RunError("; ".join(faults))
    return "as they must be"


def _files() -> str:
    rooms = {name: files("bipbayes").joinpath(name) for name in _HELD}
    counts = {name: len(list(room.iterdir())) for name, room in rooms.items() if room.is_dir()}
    if empty := [name for name in _HELD if not counts.get(name)]:
        raise RunError(f"nothing in {', '.join(empty)}")
    return ", ".join(f"{count} in {name}" for name, count in counts.items())


def _documentation() -> str:
    """Say where the pages lie that came along, and the site where one was built; home is ``~``."""
    room = Path(str(files("bipbayes")))
    pages = [room / "site" / "index.html", room / "docs" / "index.md"]
    return " and ".join(_from_home(page) for page in pages if page.is_file())


def _from_home(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _fit() -> str:
    from bipbayes.cells import cell_means
    from bipbayes.data.load_codebook import parse_codebook
    from bipbayes.data.progression import progression
    from bipbayes.data.read import responses_from_frame
    from bipbayes.estimands.intervals import IntervalSettings
    from bipbayes.estimands.posterior import summarise
    from bipbayes.option_words import EXACT
    from bipbayes.sampling.registry import fit_cells, load_model
    from bipbayes.sampling.settings import SamplerSettings
    from bipbayes.synthetic.simulate import simulate

    codebook = parse_codebook(_STUDY)
    responses = simulate(codebook, citizens=_CITIZENS, jobcenters=3).responses
    cells = cell_means(progression(responses_from_frame(responses, codebook)), codebook)
    model, asked = load_model("hierarchical"), SamplerSettings(draws=500)
    fit = fit_cells(model, cells, engine=EXACT, priors=model.Priors(), settings=asked)
    judged = summarise(fit, codebook, IntervalSettings())
    if not judged.verdict.passed:
        raise FitError("; ".join(judged.verdict.reasons))
    return f"works ({len(judged.intervals)} estimates)"


def _draw() -> str:
    from matplotlib.figure import Figure

    from bipbayes.plots.save import save_figure
    from bipbayes.plots.style import figure_style

    with figure_style(), tempfile.TemporaryDirectory() as folder:
        figure = Figure()
        figure.subplots().plot([0, 1])
        (path,) = save_figure(figure, Path(folder) / "doctor")
        return f"works ({path.stat().st_size} bytes)"


def _machine() -> str:
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    return f"{CPU_COUNT} of {os.cpu_count()} cores, {MEMORY_LIMIT / 1e9:.1f} GB"


def _write() -> str:
    here = Path.cwd()
    with tempfile.TemporaryFile(dir=here):
        return f"can be written to, {shutil.disk_usage(here).free / 1e9:.1f} GB are free"


def _missing() -> str:
    from matplotlib.figure import Figure

    from bipbayes.plots.style import undrawn

    figure = Figure()
    figure.text(0, 0, _FOREIGN)
    told = ["a font for letters such as Chinese ones"] if undrawn(figure) else []
    if not (shutil.which("g++") or shutil.which("clang++")):
        told.append("a C++ compiler (PyTensor warns; --engine nuts compiles by Numba)")
    return "; ".join(told) or "nothing"

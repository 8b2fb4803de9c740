"""Writing synthetic responses, characteristics and the truth behind them.

A simulation of several times the size is made in parts of that many citizens: each is a study of
its own with the same effects, and the same whoever makes it, alone or beside others.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.atomic import atomic_path, note_written, scratch_folder, write_frame, write_json
from bipbayes.cluster import Workers
from bipbayes.data.codebook import Codebook
from bipbayes.data.read import checked
from bipbayes.data.study import Study
from bipbayes.errors import RunError, SettingsError, unknown
from bipbayes.progress import stage
from bipbayes.run.closing import of_simulation
from bipbayes.run.console import conclude
from bipbayes.run.default_study import (
    codebook_or_default,
    default_citizens,
    default_simulation,
    simulate_characteristics,
)
from bipbayes.run.folder import PRIVATE, hold, refuse_place
from bipbayes.synthetic.simulate import DEFAULT_SEED, Simulation, simulate, write_responses
from bipbayes.synthetic.truth import PAIRS, joined_truth

logger = logging.getLogger(__name__)

CALIBRATED: Final = "calibrated"
EFFECTS: Final = (CALIBRATED, "hierarchical")
FORMATS: Final = ("csv", "parquet")
MOST: Final = 100_000  # times BIP: ten times as many citizens as the European Union has
_CHARACTERISTICS: Final = "characteristics.csv"


@dataclass(frozen=True)
class SimulationRequest:
    """What to simulate; ``None`` takes the default data's seed and BIP's codebook."""

    effects: str = CALIBRATED
    scale: int = 1
    seed: int | None = None
    codebook: Path | None = None
    file_format: str = "csv"
    characteristics: bool = True

    @property
    def parted(self) -> bool:
        """Whether responses become a folder of files instead of one."""
        return self.scale > 1 and self.file_format == "parquet"

    @property
    def with_characteristics(self) -> bool:
        """Whether there are characteristics: BIP's register knows them."""
        return self.characteristics and self.codebook is None

    def files(self) -> list[str]:
        """Names of what is written, responses first, the record last."""
        names = [f"responses.{self.file_format}"]
        if self.parted:
            names = [f"responses/{_name(part, 'parquet')}" for part in range(self.scale)]
        register = [_CHARACTERISTICS] if self.with_characteristics else []
        return [*names, "truth.csv", *register, "simulation.json"]


def write_simulation(
    request: SimulationRequest, out: Path, *, overwrite: bool, workers: Workers | None = None
) -> list[Path]:
    """Simulate and write ``responses``, ``characteristics`` (BIP only), ``truth``, a record.

    Several times the size as Parquet is a folder of parts, as CSV one file.

    `request`: what to simulate; `out`: folder; `overwrite`: replace what an earlier simulation
    wrote there; `workers`: who simulates the parts; default: this process.

    Raises RunError: the folder holds such files already, and `overwrite` is false or no earlier
    simulation wrote them; SettingsError: A request that cannot be met.
    """
    if request.file_format not in FORMATS:
        raise SettingsError(unknown("--format", request.file_format, FORMATS))
    if request.effects not in EFFECTS:
        raise SettingsError(unknown("--effects", request.effects, EFFECTS))
    if not 1 <= request.scale <= MOST:
        raise SettingsError(f"--scale must lie between 1 and {MOST}, not {request.scale}")
    names, codebook = request.files(), codebook_or_default(request.codebook)
    if request.effects == CALIBRATED and not codebook.is_bip:
        raise SettingsError(
            f"only BIP is calibrated, not {codebook.name!r}; use --effects hierarchical"
        )
    refuse_place(out)
    hold(out)
    replaced = _refuse_taken(names, out, overwrite=overwrite)
    workers = workers or Workers()
    with scratch_folder(out) as scratch:
        make = partial(_make_part, request=request, codebook=codebook, folder=scratch)
        with stage("simulating parts", total=request.scale) as simulating:
            made = list(simulating.over(workers.map(make, range(request.scale))))
        for name in replaced:
            (out / name).unlink(missing_ok=True)
        _place(request, scratch, out)
    truth = joined_truth([truth for truth, _ in made])
    write_frame(out / "truth.csv", truth, treatments=codebook.treatment_codes)
    description = {**made[0][1], "scale": request.scale, "written": names}
    for size in ("citizens", "responses"):
        description[size] = sum(each[size] for _, each in made)
    write_json(out / names[-1], description)
    logger.info("synthetic data: %d responses in %s", description["responses"], out)
    paths = [out / name for name in names]
    conclude(lambda: of_simulation(paths, description, codebook))
    return paths


def _refuse_taken(names: Sequence[str], out: Path, *, overwrite: bool) -> list[str]:
    """Refuse to replace files, but with ``--overwrite`` those of an earlier simulation.

    Returns: what the earlier simulation wrote.
    """
    if (out / PRIVATE / "run.json").exists():
        raise RunError(f"{out} holds results of real data; choose another --out for synthetic ones")
    there = [name for name in names if (out / name).exists()]
    if there and not overwrite:
        listed = ", ".join([*there[:3], *(["..."] if len(there) > 3 else [])])
        raise RunError(f"{out} holds {listed}; choose another --out or --overwrite")
    record = out / names[-1]
    try:
        ours = [str(name) for name in json.loads(record.read_text(encoding="utf-8"))["written"]]
    except (OSError, ValueError, KeyError, TypeError):
        ours = []
    if strangers := sorted(set(there) - {record.name, *ours}):
        raise RunError(
            f"{out} holds {', '.join(strangers[:3])}, which no simulation wrote there; move "
            "what is yours, or choose another --out"
        )
    inside = out.resolve()
    return [name for name in ours if (out / name).resolve().is_relative_to(inside)]


def _make_part(
    number: int, *, request: SimulationRequest, codebook: Codebook, folder: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulate a part and write its files; its truth and its description."""
    simulation = _simulate(request, codebook, number)
    with atomic_path(folder / _name(number, request.file_format)) as path:
        write_responses(simulation.responses, path)
    if request.with_characteristics:
        write_frame(folder / f"{number:06d}-{_CHARACTERISTICS}", characteristics_of(simulation))
    pairs = -(-PAIRS // request.scale)
    truth = simulation.truth if request.scale == 1 else simulation.simulate_truth(pairs=pairs)
    return truth, dict(simulation.description)


def _simulate(request: SimulationRequest, codebook: Codebook, part: int) -> Simulation:
    if request.effects == CALIBRATED:
        return default_simulation(request.seed, part)
    seed = DEFAULT_SEED if request.seed is None else request.seed
    return simulate(codebook, citizens=default_citizens(), seed=seed, part=part)


def characteristics_of(simulation: Simulation) -> pd.DataFrame:
    """Simulate the register of a simulation's citizens, who have the report's treatments."""
    codebook = simulation.design.codebook
    responses, _ = checked(simulation.responses, codebook)
    study = Study(responses, codebook, "", synthetic=True)
    return simulate_characteristics(study, seed=simulation.seed + simulation.part)


def _place(request: SimulationRequest, scratch: Path, out: Path) -> None:
    """Put the parts where they belong: in a folder, or one after the other in a file."""
    parts = [scratch / _name(part, request.file_format) for part in range(request.scale)]
    if request.parted:
        (out / "responses").mkdir(parents=True, exist_ok=True)
        for part in parts:
            part.replace(out / "responses" / part.name)
        note_written([out / "responses" / part.name for part in parts])
    else:
        _join(parts, out / f"responses.{request.file_format}")
    if request.with_characteristics:
        _join(sorted(scratch.glob(f"*-{_CHARACTERISTICS}")), out / _CHARACTERISTICS)


def _join(parts: Sequence[Path], path: Path) -> None:
    """Put files one after the other; of text after the first without its header."""
    with atomic_path(path) as whole, whole.open("wb") as stream:
        for position, part in enumerate(parts):
            with part.open("rb") as content:
                if position:
                    content.readline()
                shutil.copyfileobj(content, stream)


def _name(part: int, suffix: str) -> str:
    return f"part-{part + 1:06d}.{suffix}"

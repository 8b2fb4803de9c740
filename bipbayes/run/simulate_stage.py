"""Writing synthetic responses, characteristics and the truth behind them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from bipbayes.atomic import atomic_path, write_frame, write_json
from bipbayes.data.load_codebook import load_codebook
from bipbayes.data.read import responses_from_frame
from bipbayes.errors import RunError, SettingsError
from bipbayes.synthetic.register import simulate_characteristics
from bipbayes.synthetic.simulate import DEFAULT_SEED, Simulation, simulate, write_responses

logger = logging.getLogger(__name__)

FORMATS: Final = ("csv", "parquet")


@dataclass(frozen=True)
class SimulationRequest:
    """What to simulate; ``None`` takes the default data's seed and BIP's codebook."""

    effects: str = "calibrated"
    scale: int = 1
    seed: int | None = None
    codebook: Path | None = None
    file_format: str = "csv"


def write_simulation(request: SimulationRequest, out: Path, *, overwrite: bool) -> list[Path]:
    """Simulate and write ``responses``, ``characteristics`` (BIP only), ``truth``, a record.

    Raises
    ------
    RunError
        The folder holds such files already, and `overwrite` is false or no earlier simulation
        wrote them.
    SettingsError
        A request that cannot be met.
    """
    if request.file_format not in FORMATS:
        raise SettingsError(f"--format must be one of {', '.join(FORMATS)}")
    responses = out / f"responses.{request.file_format}"
    paths = [responses, out / "truth.csv", out / "simulation.json"]
    if request.codebook is None:
        paths.append(out / "characteristics.csv")
    _refuse_taken(paths, out / "simulation.json", overwrite=overwrite)
    simulation = _simulate(request)
    with atomic_path(responses) as part:
        write_responses(simulation, part)
    treatments = simulation.design.codebook.treatment_codes
    write_frame(paths[1], simulation.truth, treatments=treatments)
    if request.codebook is None:
        _write_characteristics(simulation, paths[3])
    written = {"written": [path.name for path in paths]}
    write_json(paths[2], {**simulation.description, **written})
    logger.info("synthetic data: %s", ", ".join(str(path) for path in paths))
    return paths


def _refuse_taken(paths: Sequence[Path], record: Path, *, overwrite: bool) -> None:
    """Refuse to replace files, but with ``--overwrite`` those of an earlier simulation."""
    there = {path.name for path in paths if path.exists()}
    if there and not overwrite:
        listed = ", ".join(sorted(there))
        raise RunError(f"{record.parent} holds {listed}; choose another --out or --overwrite")
    try:
        ours = {record.name, *json.loads(record.read_text(encoding="utf-8"))["written"]}
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    if strangers := sorted(there - ours):
        raise RunError(
            f"{record.parent} holds {', '.join(strangers)}, which no simulation wrote there; move "
            "what is yours, or choose another --out"
        )


def _simulate(request: SimulationRequest) -> Simulation:
    return simulate(
        seed=DEFAULT_SEED if request.seed is None else request.seed,
        effects=cast(Literal["calibrated", "hierarchical"], request.effects),
        scale=request.scale,
        codebook=load_codebook(request.codebook),
    )


def _write_characteristics(simulation: Simulation, path: Path) -> None:
    study = responses_from_frame(simulation.responses, load_codebook(None), name="simulation")
    write_frame(path, simulate_characteristics(study, seed=simulation.seed))

"""Writing synthetic responses, characteristics and the truth behind them."""

import logging
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
        The folder holds such files already, and `overwrite` is false.
    SettingsError
        A request that cannot be met.
    """
    if request.file_format not in FORMATS:
        raise SettingsError(f"--format must be one of {', '.join(FORMATS)}")
    responses = out / f"responses.{request.file_format}"
    paths = [responses, out / "truth.csv", out / "simulation.json"]
    there = [path.name for path in paths if path.exists()]
    if there and not overwrite:
        raise RunError(f"{out} holds {', '.join(there)}; choose another --out or --overwrite")
    simulation = _simulate(request)
    with atomic_path(responses) as part:
        write_responses(simulation, part)
    write_frame(paths[1], simulation.truth)
    write_json(paths[2], dict(simulation.description))
    if request.codebook is None:
        paths.append(_write_characteristics(simulation, out))
    logger.info("synthetic data: %s", ", ".join(str(path) for path in paths))
    return paths


def _simulate(request: SimulationRequest) -> Simulation:
    return simulate(
        seed=DEFAULT_SEED if request.seed is None else request.seed,
        effects=cast(Literal["calibrated", "hierarchical"], request.effects),
        scale=request.scale,
        codebook=load_codebook(request.codebook),
    )


def _write_characteristics(simulation: Simulation, out: Path) -> Path:
    study = responses_from_frame(simulation.responses, load_codebook(None), name="simulation")
    path = out / "characteristics.csv"
    write_frame(path, simulate_characteristics(study, seed=simulation.seed))
    return path

"""The program behind the package data of the calibrated synthetic BIP.

``solve_all(folder)`` solves the jobcenter table and the target effects and computes the default
simulation's truth, in that order, each as a small CSV file in `folder`. It is run by hand when
the generator changes: ``python -c "from bipbayes.synthetic.solve import solve_all; ..."``.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.load_codebook import bip_codebook
from bipbayes.synthetic.calibrated_design import calibrated_design
from bipbayes.synthetic.jobcenters import solve_jobcenter_table
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.sums import divisors, sum_changes
from bipbayes.synthetic.targets import solve_targets

Floats = NDArray[np.float64]

PILOT_SEED: Final = 2013
PILOTS: Final = 8
DECIMALS: Final = 4


def pilot_sd() -> pd.Series:
    """Return standard deviations of change by outcome, averaged over simulations without effects.

    Scale points, rounded to three decimals; the jobcenter table must be stored already.
    """
    codebook = bip_codebook()
    nothing = np.zeros(
        (len(codebook.combinations), len(codebook.jobcenters), len(codebook.indicators))
    )
    units = divisors(codebook)
    found = []
    for pilot in range(PILOTS):
        design = calibrated_design(PILOT_SEED + pilot)
        stream = Stream(PILOT_SEED, pilot)
        sums = sum_changes(design, draw_answers(stream, design, drift=nothing, process=Process()))
        found.append([sums.sd(outcome) / unit for outcome, unit in enumerate(units.tolist())])
    return pd.Series(np.mean(found, axis=0).round(3), index=list(codebook.outcomes), name="sd")


def solve_targets_into(folder: Path) -> None:
    """Solve and write ``jobcenters.csv``, ``sd.csv`` and ``targets.csv``."""
    _write(solve_jobcenter_table(), folder / "jobcenters.csv", index="jobcenter")
    sd = pilot_sd()
    _write(sd.to_frame(), folder / "sd.csv", index="outcome")
    targets = solve_targets(sd.to_numpy()).T
    _write(targets, folder / "targets.csv", index="combination")


def truth_into(folder: Path) -> None:
    """Compute and write ``truth.csv`` of the default simulation from the stored targets."""
    from bipbayes.synthetic.simulate import simulate, simulate_truth

    truth = simulate_truth(simulate()).round(DECIMALS)
    truth.to_csv(folder / "truth.csv", index=False, lineterminator="\n")


def _write(frame: pd.DataFrame, path: Path, *, index: str) -> None:
    frame.rename_axis(index=index).to_csv(path, lineterminator="\n")

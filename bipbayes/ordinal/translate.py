"""From the latent scale back to expected standardised progression.

Given the combination's latent effect x, the expected answer averages over the sample's
distribution of previous answers b,

    expected(x) = sum_b share[b] sum_m category[m] P(m | b, x),

and expected standardised progression is ``(expected(x) - mean answer) / sd``: the mean answer is
the mean previous answer plus mean progression. It is increasing in x and bounded by the scale's
ends; ``latent_zero`` is the x where it is 0, average progression. An effect on the latent scale
is counted from there, so that zero means the same on both scales.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import ndtr

from bipbayes.data.sample import Floats
from bipbayes.ordinal.probit import Answers, ProbitFit

# Beyond this latent distance nearly all answers stand at an end of the scale.
FAR: Final = 12.0
_KNOTS: Final = 4801  # spacing 0.005: the spline is exact to 1e-11
VARIABLES: Final = (
    "threshold",
    "step",
    "level_effect",
    "level_share",
    "lowest_answer",
    "mean_answer",
    "latent_zero",
)


@dataclass(frozen=True)
class Translation:
    """What translates one indicator's latent effects.

    Attributes
    ----------
    thresholds, steps
        Thresholds, and the differences of the categories that they part.
    level_effect, level_share
        Effects and shares of the levels of the previous answer.
    lowest, mean_answer, sd
        Lowest category, mean answer of the analysis sample, sd of progression: scale points.
    """

    thresholds: Floats
    steps: Floats
    level_effect: Floats
    level_share: Floats
    lowest: float
    mean_answer: float
    sd: float

    def progress(self, effect: Floats) -> Floats:
        """Return expected standardised progression at latent effects from the reference."""
        above = ndtr(-self._distances(effect))
        expected = np.einsum("b,m,...bm->...", self.level_share, self.steps, above)
        return np.asarray((self.lowest + expected - self.mean_answer) / self.sd)

    def slopes(self, effect: Floats) -> tuple[Floats, Floats, Floats]:
        """Differentiate `progress` by the effect, by thresholds and by level effects.

        Returns
        -------
        tuple
            Shapes (effect,), (effect, threshold) and (effect, level).
        """
        distances = self._distances(effect)
        density = np.exp(-0.5 * distances**2) / np.sqrt(2 * np.pi) / self.sd
        parts = density * self.level_share[:, None] * self.steps
        return parts.sum(axis=(-1, -2)), -parts.sum(axis=-2), parts.sum(axis=-1)

    def zero(self) -> float:
        """Latent effect of average progression."""
        return float(brentq(lambda x: float(self.progress(np.array(x))), -FAR, FAR, xtol=1e-14))

    def _distances(self, effect: Floats) -> Floats:
        location = self.level_effect + np.asarray(effect)[..., None]
        return np.asarray(self.thresholds - location[..., None])


def translation(answers: Answers, fit: ProbitFit) -> Translation:
    """Put together what translates an indicator's latent effects."""
    return Translation(
        thresholds=fit.thresholds,
        steps=np.diff(answers.categories),
        level_effect=fit.level_effect,
        level_share=answers.level_share,
        lowest=float(answers.categories[0]),
        mean_answer=float(answers.categories[answers.category].mean()),
        sd=answers.sd,
    )


def translation_dataset(translations: dict[str, Translation]) -> xr.Dataset:
    """Store translations by indicator; shorter ones are filled up with steps and shares of zero.

    Parameters
    ----------
    translations
        By indicator; an indicator without one is left out and gets ``NaN`` on reindexing.
    """
    boundaries = max((len(entry.steps) for entry in translations.values()), default=0)
    levels = max((len(entry.level_share) for entry in translations.values()), default=0)
    columns: dict[str, list[Floats]] = {name: [] for name in VARIABLES}
    for entry in translations.values():
        columns["threshold"].append(_filled(entry.thresholds, boundaries))
        columns["step"].append(_filled(entry.steps, boundaries))
        columns["level_effect"].append(_filled(entry.level_effect, levels))
        columns["level_share"].append(_filled(entry.level_share, levels))
        columns["lowest_answer"].append(np.array(entry.lowest))
        columns["mean_answer"].append(np.array(entry.mean_answer))
        columns["latent_zero"].append(np.array(entry.zero()))
    second = {"threshold": "boundary", "step": "boundary"} | {
        "level_effect": "level",
        "level_share": "level",
    }
    return xr.Dataset(
        {
            name: (("indicator", second[name]) if name in second else "indicator", np.stack(values))
            for name, values in columns.items()
        },
        coords={"indicator": list(translations)},
    )


def translate(effect: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Translate latent effects to expected standardised progression.

    Parameters
    ----------
    effect
        Any dims, one of them ``indicator``; latent, zero is average progression.
    cells
        From `bipbayes.ordinal.cells.ordinal_cells` (or the estimates of `estimate_ordinal`):
        the variables `VARIABLES` and ``sd``. Where its attr ``scale`` is ``progression``, or
        where it is not ordinal, effects are returned as they are.

    Returns
    -------
    xarray.DataArray
        Same dims and coords; in standard deviations of progression.
    """
    if cells.attrs.get("scale") != "latent":
        return effect
    moved = effect.transpose("indicator", ...)
    result = np.full(moved.shape, np.nan)
    for position, code in enumerate(moved["indicator"].to_numpy()):
        stored = stored_translation(cells, str(code))
        if stored is None:
            continue
        zero = float(cells["latent_zero"].sel(indicator=code).item())
        result[position] = _spline(stored)(np.clip(moved.to_numpy()[position] + zero, -FAR, FAR))
    return moved.copy(data=result).transpose(*effect.dims)


def stored_translation(cells: xr.Dataset, indicator: str) -> Translation | None:
    """Read an indicator's translation back (None where the indicator has no answers)."""
    here = cells[list(VARIABLES)].sel(indicator=indicator)
    if bool(here["mean_answer"].isnull()):
        return None
    return Translation(
        thresholds=here["threshold"].to_numpy(),
        steps=here["step"].to_numpy(),
        level_effect=here["level_effect"].to_numpy(),
        level_share=here["level_share"].to_numpy(),
        lowest=float(here["lowest_answer"].item()),
        mean_answer=float(here["mean_answer"].item()),
        sd=float(cells["sd"].sel(outcome=indicator).item()),
    )


def _spline(entry: Translation) -> CubicSpline:
    """Interpolate `progress`: draws are millions, knots a few thousand."""
    knots = np.linspace(-FAR, FAR, _KNOTS)
    return CubicSpline(knots, entry.progress(knots))


def _filled(values: Floats, size: int) -> Floats:
    return np.concatenate([values, np.zeros(size - len(values))])

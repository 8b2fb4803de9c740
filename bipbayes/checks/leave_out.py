"""Prediction of what was left out: cells (combination x jobcenter) or whole jobcenters.

Given the standard deviations a model is normal, and what it predicts for a block of whitened
means b from all others follows from the full fit, without refitting. With H the block of the
hat matrix (effects' posterior covariance, whitened) and r the residual,

    y_b | y_-b  ~  Normal(y_b - (I - H)⁻¹ r, (I - H)⁻¹)

Over the standard deviations the leave-out density is the harmonic mean of these densities over
the full posterior (weights 1 / density take the block's information back out). Leaving out a
jobcenter predicts a jobcenter not seen. From draws of any model, cells are left out by PSIS,
where Pareto's k allows.
"""

import logging
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import linalg
from scipy.special import logsumexp

from bipbayes.cells import CELL
from bipbayes.checks.figure import BETWEEN, finish, label_rows
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result, thinned
from bipbayes.checks.table import TEXT, WORDS, Columns
from bipbayes.data.sample import Floats, Integers
from bipbayes.errors import ModelError, SettingsError
from bipbayes.estimands.draws import effect_draws
from bipbayes.plots.style import POSTERIOR_COLOUR, across, beside, figure_style
from bipbayes.run.stored import stored_fit
from bipbayes.sampling.batches import Batch, is_flat
from bipbayes.sampling.exact.density import spread_root
from bipbayes.sampling.exact.integrate import Mixture, integrate
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model, whitened_rows
from bipbayes.sampling.labels import pooled
from bipbayes.sampling.predict import block_log_likelihood
from bipbayes.sampling.registry import model_names
from bipbayes.wording import Context, capital, number, phrase

COLUMNS: Final[Columns] = {
    "unit": WORDS,
    "model": TEXT,
    "method": WORDS,
    "elpd": 1,
    "elpd_se": 1,
    "difference": 1,
    "difference_se": 1,
    "units": 0,
    "replaced": 0,
    "unreliable": 0,
}
CELLS: Final = "cell"
JOBCENTERS: Final = "jobcenter"
POINTS: Final = 64
GOOD_K: Final = 0.7
PSIS: Final = "psis"
CLOSED_FORM: Final = "closed form"
ONE_POINT: Final = 0.5
_LEAST: Final = 1e-10  # of an eigenvalue of I - H: a block that nothing else informs
_ROW = 0.3
logger = logging.getLogger(__name__)
LEFT_OUT_DRAWS = 4000


def leave_out(
    cells: xr.Dataset, batches: Sequence[Batch], *, unit: str = CELLS, points: int = POINTS
) -> pd.DataFrame:
    """Predict every cell, or every jobcenter, from all others, by closed forms.

    `cells`: from `bipbayes.cells.cell_means`; `batches`: the model's; `unit`: ``cell`` or
    ``jobcenter``; `points`: points over the standard deviations, a power of two.

    Returns: ``combination`` (empty for jobcenters), ``jobcenter``, ``means`` (observed indicators),
    ``elpd`` (log predictive density of the whitened means), ``diagnostic`` (the largest weight of a
    point), ``unreliable`` (above one half: a single point decides).
    """
    model = gaussian_model(cells, batches)
    mixture = integrate(model, points=points)
    rows, means, block = _whitened_rows(cells, model, unit=unit)
    densities = np.empty((len(mixture.weight), block.max() + 1))
    for point, sds in enumerate(mixture.sds):
        fitted, spread = spread_root(model, sds, rows)
        densities[point] = _block_densities(means - fitted, spread, block)
    return _frame(cells, block, densities, mixture, unit=unit)


def leave_out_draws(cells: xr.Dataset, effects: xr.DataArray) -> pd.DataFrame:
    """Predict every cell from all others by importance sampling of a model's draws.

    `cells`: those that were fitted; `effects`: from `bipbayes.estimands.draws.effect_draws`.
    Returns: as `leave_out`; ``diagnostic`` is Pareto's k, ``unreliable`` above 0.7.
    """
    density = block_log_likelihood(cells, pooled(effects, *CELL))
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy().any(axis=2).ravel()
    elpd, k = _smoothed(density[:, seen])
    labels = _labels(cells, CELLS)[seen].reset_index(drop=True)
    means = (cells["n"] > 0).transpose(*CELL).sum("indicator").to_numpy().ravel()[seen]
    return labels.assign(means=means, elpd=elpd, diagnostic=k, unreliable=k > GOOD_K)


def replaced(sampled: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Take the closed form's prediction wherever importance sampling cannot be relied on.

    `sampled`: from `leave_out_draws`; `exact`: from `leave_out` of the same cells and model.
    Returns: as `leave_out`, with ``method`` (``psis`` or ``closed form``); ``diagnostic`` and
    ``unreliable`` are those of the method.
    """
    labels = ["combination", "jobcenter", "means"]
    both = sampled.merge(exact, on=labels, how="left", suffixes=("", "_exact"))
    better = (both["unreliable"] & both["elpd_exact"].notna()).to_numpy()
    taken = {
        name: np.where(better, both[f"{name}_exact"], both[name])
        for name in ("elpd", "diagnostic", "unreliable")
    }
    method = np.where(better, CLOSED_FORM, PSIS)
    frame = both[labels].assign(**taken, method=method)
    return frame.astype({"unreliable": bool})


def compare_left_out(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare models by what they predicted of the same units.

    `predictions`: frames of `leave_out` by model, of one unit and the same cells.

    Returns: ``model``, ``elpd``, ``elpd_se``, ``difference`` to the best model (0 or less),
    ``difference_se`` (paired over units), ``units``, ``unreliable`` (number of units whose
    prediction is); the best first.
    """
    names = list(predictions)
    table = np.column_stack([predictions[name]["elpd"].to_numpy() for name in names])
    best = int(table.sum(axis=0).argmax())
    units = len(table)
    gap = table - table[:, [best]]
    frame = pd.DataFrame(
        {
            "model": names,
            "elpd": table.sum(axis=0),
            "elpd_se": np.sqrt(units) * table.std(axis=0, ddof=1),
            "difference": gap.sum(axis=0),
            "difference_se": np.sqrt(units) * gap.std(axis=0, ddof=1),
            "units": units,
            "unreliable": [int(predictions[name]["unreliable"].sum()) for name in names],
        }
    )
    return frame.sort_values("elpd", ascending=False, ignore_index=True)


def _whitened_rows(
    cells: xr.Dataset, model: GaussianModel, *, unit: str
) -> tuple[Floats, Floats, Integers]:
    """Whitened design and means of the observed entries, and the block of each."""
    observed = (cells["n"] > 0).transpose(*CELL).to_numpy()
    rows, means = whitened_rows(cells, model.design)
    combination, jobcenter, _ = np.nonzero(observed)
    code = jobcenter if unit == JOBCENTERS else combination * observed.shape[1] + jobcenter
    block = np.unique(code, return_inverse=True)[1].astype("int64")
    kept = observed.ravel()
    return rows[kept].toarray(), means[kept], block


def _block_densities(residual: Floats, spread: Floats, block: Integers) -> Floats:
    """Log density of each block given all others and the standard deviations."""
    found = np.empty(block.max() + 1)
    for unit in range(len(found)):
        rows = block == unit
        rest = np.eye(rows.sum()) - spread[rows] @ spread[rows].T
        values, vectors = linalg.eigh(rest, check_finite=False)
        values = np.maximum(values, _LEAST)
        turned = vectors.T @ residual[rows]
        found[unit] = 0.5 * (np.log(values).sum() - (turned**2 * values**-1).sum())
        found[unit] -= 0.5 * rows.sum() * np.log(2 * np.pi)
    return found


def _smoothed(density: Floats) -> tuple[Floats, Floats]:
    """Leave-out log density and Pareto's k from densities, shape (draw, unit)."""
    psislw: Any = import_module("arviz_stats.base").array_stats.psislw
    smoothed, k = psislw(density.T, axis=-1)  # takes log likelihoods
    normalised = smoothed - logsumexp(smoothed, axis=1, keepdims=True)
    return np.asarray(logsumexp(normalised + density.T, axis=1)), np.asarray(k)


def _frame(
    cells: xr.Dataset, block: Integers, densities: Floats, mixture: Mixture, *, unit: str
) -> pd.DataFrame:
    # Too few points for a Pareto tail: the plain harmonic mean, and its largest weight.
    log_weight = np.log(np.maximum(mixture.weight, 1e-300))[:, None] - densities
    elpd = -logsumexp(log_weight, axis=0)
    largest = np.exp(log_weight.max(axis=0) - logsumexp(log_weight, axis=0))
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy().any(axis=2)
    labels = _labels(cells, unit)
    kept = seen.any(axis=0) if unit == JOBCENTERS else seen.ravel()
    frame = labels[kept].reset_index(drop=True)
    # Known standard deviations are one point, and exact.
    alone = (largest > ONE_POINT) & (len(mixture.weight) > 1)
    return frame.assign(means=np.bincount(block), elpd=elpd, diagnostic=largest, unreliable=alone)


def _labels(cells: xr.Dataset, unit: str) -> pd.DataFrame:
    jobcenters = cells["jobcenter"].to_numpy()
    if unit == JOBCENTERS:
        return pd.DataFrame({"combination": "", "jobcenter": jobcenters})
    names = ["combination", "jobcenter"]
    index = pd.MultiIndex.from_product([cells[name].to_numpy() for name in names], names=names)
    return index.to_frame(index=False)


def leave_out_figure(
    comparison: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the differences to the best model, cells beside jobcenters."""
    units = list(dict.fromkeys(comparison["unit"]))
    most = int(comparison.groupby("unit").size().max())
    with figure_style():
        columns = beside(len(units), 2.4, besides=2.0)
        lines = -(-len(units) // columns)
        height = 1.9 + lines * _ROW * most + (lines - 1) * BETWEEN
        figure = Figure(figsize=(across(9.6), height))
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, unit in zip(grid, units, strict=True):
            _panel(axes, comparison[comparison["unit"] == unit], context.language)
            axes.set_title(capital(phrase(f"check_unit_{unit}", context.language)), loc="left")
        finish(
            figure, "leave_out_figure", context, values=values, left=1.75, right=0.35, top=0.65,
            gap=(0.62, BETWEEN),
        )  # fmt: skip
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    methods = [phrase(f"check_method_{m.replace(' ', '_')}", language) for m in rows["method"]]
    labels = [f"{model}\n{told}" for model, told in zip(rows["model"], methods, strict=True)]
    label_rows(axes, labels)
    places = np.arange(len(rows))
    reach = 2 * rows["difference_se"]
    axes.hlines(
        places, rows["difference"] - reach, rows["difference"] + reach, color=POSTERIOR_COLOUR,
        linewidth=1.3,
    )  # fmt: skip
    axes.plot(rows["difference"], places, "o", color=POSTERIOR_COLOUR, markersize=4)
    axes.axvline(0, color="black", linewidth=0.6)
    for place, value in zip(places, rows["difference"], strict=True):
        if value == 0:
            continue  # the best one
        axes.annotate(
            number(float(value), 1, language=language), (value, place), (0, 4),
            textcoords="offset points", ha="center", va="bottom", size=6.5,
        )  # fmt: skip
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(phrase("check_axis_elpd", language))


def check_leave_out(inputs: CheckInputs) -> CheckResult:
    """Compare models by leaving out cells and jobcenters."""
    frames = []
    for unit in (CELLS, JOBCENTERS):
        predictions = _closed_forms(inputs, unit)
        if unit == CELLS:
            predictions |= _sampled(inputs, predictions)
        if not predictions:
            raise ModelError("none of the models has closed forms or a stored fit to compare")
        compared = compare_left_out({f"{m}\n{how}": p for (m, how), p in predictions.items()})
        names = compared["model"].str.split("\n", expand=True)
        swapped = {
            f"{model}\n{how}": int((prediction["method"] == CLOSED_FORM).sum())
            if how == PSIS
            else 0
            for (model, how), prediction in predictions.items()
        }
        frames.append(
            compared.assign(
                unit=unit, model=names[0], method=names[1], replaced=compared["model"].map(swapped)
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    frame = frame[["unit", *frame.columns.drop("unit")]]
    best = frame.drop_duplicates("unit").set_index("unit")["model"].to_dict()
    drawn = {"comparison": frame}
    return result(inputs, "leave_out", COLUMNS, frame, drawn=drawn, facts={"best": best})


def _closed_forms(inputs: CheckInputs, unit: str) -> dict[tuple[str, str], pd.DataFrame]:
    found = {}
    for model_file in inputs.model_files(model_names()):
        try:
            batches = model_file.declared(inputs.cells, inputs.priors_of(model_file))
        except (ModelError, SettingsError) as fault:
            logger.warning("%s", fault)
            continue
        # A flat model predicts nothing of what is left out.
        if batches and not is_flat(batches):
            found[model_file.name, CLOSED_FORM] = leave_out(inputs.cells, batches, unit=unit)
    return found


def _sampled(
    inputs: CheckInputs, exact: dict[tuple[str, str], pd.DataFrame]
) -> dict[tuple[str, str], pd.DataFrame]:
    """PSIS of the stored fits, with the closed form where it fails and there is one."""
    found = {}
    for name in inputs.asked.models or inputs.fitted:
        if name not in inputs.fitted:
            continue
        if name == inputs.model:
            effects = inputs.effects
        else:
            fit = stored_fit(inputs.folder, name)
            effects = effect_draws(fit, inputs.cells)
        sampled = leave_out_draws(inputs.cells, thinned(effects, LEFT_OUT_DRAWS))
        closed = exact.get((name, CLOSED_FORM), sampled.assign(elpd=float("nan")))
        found[name, PSIS] = replaced(sampled, closed)
    return found


CHECK: Final = Check(check_leave_out, needs_fit=False)

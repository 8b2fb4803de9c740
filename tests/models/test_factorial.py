"""The factorial model: its terms against the formulas, prior variances, shapes, refusals."""

from dataclasses import asdict, replace
from math import comb

import numpy as np
import pymc as pm
import pytest
from cell_builders import CellShape, make_cells

from bipbayes.data.factorial import factorial_terms
from bipbayes.errors import ModelError, SettingsError
from bipbayes.sampling.graph import build_model
from bipbayes.sampling.registry import load_model

MODEL = load_model("factorial")
Priors, build = MODEL.Priors, MODEL.build
SPLIT = {
    "combination_effect": ("combination",),
    "combination_respondent_effect": ("combination", "respondent"),
    "combination_indicator_effect": ("combination", "indicator"),
    "combination_jobcenter_effect": ("combination", "jobcenter"),
}


def prior_draws(model: pm.Model, names: list[str], draws: int) -> dict[str, np.ndarray]:
    # Numba would compile half a minute where nothing was compiled before.
    prior = pm.sample_prior_predictive(
        draws=draws,
        model=model,
        var_names=names,
        random_seed=1,
        compile_kwargs={"mode": "FAST_COMPILE"},
    )["prior"].to_dataset()
    return {name: prior[name].to_numpy()[0] for name in names}


@pytest.mark.parametrize("treatments", range(2, 6))
def test_prior_variance_by_order_is_the_closed_form(treatments: int) -> None:
    """Catches an order with another's scale, and a sum that does not reach the total.

    E sd² is the square of the half-normal's scale, and a term's sign squares to one: over the
    orders above 0, C(T, o) scale[o]² adds up to the total, each order's scale being ``decay``
    times that of the order below.
    """
    cells = make_cells(CellShape(treatments=treatments, jobcenters=2, indicators=3))
    draws, priors = 3000, Priors()
    found = prior_draws(build(cells, priors), list(SPLIT), draws)
    terms = factorial_terms([str(label) for label in cells["combination"].to_numpy()])
    for name, levels in (
        ("combination_effect", None),
        ("combination_respondent_effect", None),
        ("combination_indicator_effect", priors.indicator),
        ("combination_jobcenter_effect", priors.jobcenter),
    ):
        total = asdict(priors)[name.removesuffix("_effect")]
        weights = [
            comb(treatments, o) * priors.decay ** (2 * o - 2) for o in range(1, treatments + 1)
        ]
        shares = np.array(
            [
                0.0 if levels is None else levels**2,
                *(total**2 * weight / sum(weights) for weight in weights),
            ]
        )
        # Coefficients back from effects; their mean square over an order is C(T, o) scale².
        values = found[name].reshape(draws, len(terms.masks), -1)
        coefficients = np.einsum("dcx,ct->dtx", values, terms.signs) / len(terms.masks)
        for order, expected in enumerate(shares):
            squares = (coefficients[:, terms.order == order] ** 2).sum(axis=1).mean(axis=1)
            error = squares.std() / np.sqrt(draws)
            assert abs(squares.mean() - expected) < 5 * error + 1e-20


def test_effects_are_signed_sums_of_coefficients() -> None:
    """Catches signs matched with the wrong combination, by hand for two treatments."""
    model = build_model(MODEL, make_cells(CellShape(treatments=2)), priors=Priors())
    names = ["combination_effect_raw", "combination_effect_sd", "combination_effect"]
    raw, sd, effect = pm.draw([model[name] for name in names], random_seed=0, mode="FAST_COMPILE")
    signs = np.array([[-1, -1, 1], [-1, 1, -1], [1, -1, -1], [1, 1, 1]])
    coefficients = np.linalg.lstsq(signs, effect)[0]
    np.testing.assert_allclose(signs @ coefficients, effect, atol=1e-14)
    # sd ** (1 - degree) raw, with a degree of centring between 0 and 1.
    degree = 1 - np.log(coefficients / raw) / np.log(sd[[0, 0, 1]])
    assert ((degree > -1e-9) & (degree < 1 + 1e-9)).all()


def test_prior_cell_means_are_as_documented() -> None:
    """Catches default scales that no longer say what the module's docstring says of them."""
    cells = make_cells(CellShape(treatments=4, jobcenters=2, indicators=2, responses=(5, 9)))
    found = prior_draws(build(cells), list(MODEL.terms(cells)), 6000)
    cell = sum(
        values.reshape(6000, -1)[:, 0] if values.ndim > 1 else values for values in found.values()
    )
    cell = np.asarray(cell)
    assert np.mean(np.abs(cell) < 0.6) == pytest.approx(0.98, abs=0.01)
    assert np.mean(np.abs(cell) < 1.0) == pytest.approx(0.999, abs=0.002)
    assert np.std(cell) == pytest.approx(0.25, abs=0.015)


@pytest.mark.parametrize("treatments", [1, 6])
def test_other_numbers_of_treatments_are_refused(treatments: int) -> None:
    """Catches a model of one treatment without interactions, or one of 64 combinations."""
    cells = make_cells(CellShape(treatments=treatments, jobcenters=2, indicators=2))
    with pytest.raises(ModelError, match=f"2 to 5 treatments; this study has {treatments}"):
        build(cells)


@pytest.mark.parametrize(
    "shape, left_out",
    [
        (CellShape(jobcenters=1), {"combination_jobcenter_effect", "jobcenter_indicator_effect"}),
        (
            CellShape(indicators=1),
            {
                "respondent_effect",
                "combination_respondent_effect",
                "combination_indicator_effect",
                "jobcenter_indicator_effect",
            },
        ),
    ],
)
def test_terms_over_a_dim_of_length_one_are_left_out(shape: CellShape, left_out: set[str]) -> None:
    """Catches two terms that say the same."""
    model = build_model(MODEL, make_cells(shape), priors=Priors())
    assert {name for name in MODEL.terms(make_cells()) if name not in model.named_vars} == left_out


def test_scales_and_decay_are_checked() -> None:
    """Catches a negative scale or decay that only shows as a failing sampler."""
    with pytest.raises(SettingsError, match=r"(?s)average = 0.*decay = -1"):
        replace(Priors(), average=0, decay=-1)

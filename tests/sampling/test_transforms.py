"""The sampler's way over standard deviations against numerical derivatives and inversion."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy.integrate import quad
from scipy.stats import halfnorm

from bipbayes.sampling.graph import LightTail

UNITS = np.array([0.04, 0.3])


def _compiled(expression: Any, *inputs: Any) -> Any:
    return pytensor.function(list(inputs), expression, mode="FAST_COMPILE")


@pytest.mark.parametrize("position", [-2.5, -1.0, 0.0, 0.7, 3.0])
def test_derivative_and_inverse(position: float) -> None:
    """Catches a wrong Jacobian, which would bend every posterior of a standard deviation."""
    u = pytensor.tensor.vector("u")
    transform = LightTail(UNITS)
    backward = _compiled(transform.backward(u), u)
    at = np.full(2, position)
    step = 1e-6
    slope = (backward(at + step) - backward(at - step)) / (2 * step)
    logarithm = _compiled(transform.log_jac_det(u), u)(at)
    np.testing.assert_allclose(logarithm, np.log(slope), rtol=1e-6)
    forward = _compiled(transform.forward(u), u)
    np.testing.assert_allclose(forward(backward(at)), at, atol=1e-8)


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1.0, 1e3])
def test_inverse_far_from_the_bend(size: float) -> None:
    """Catches a starting point from which Newton's method does not arrive."""
    x = pytensor.tensor.vector("x")
    transform = LightTail(UNITS)
    there = _compiled(transform.backward(transform.forward(x)), x)(size * UNITS)
    np.testing.assert_allclose(there, size * UNITS, rtol=1e-8)


def test_density_is_the_half_normal() -> None:
    """Catches a prior that is not the one documented: its mass below values of interest."""
    with pm.Model() as model:
        pm.HalfNormal("sd", 0.08, default_transform=LightTail(0.04))
    name = model.value_vars[0].name
    density = model.compile_logp(mode="FAST_COMPILE")
    backward = LightTail(0.04).backward
    for u in (-0.5, 0.5, 1.5):
        mass = quad(lambda v: np.exp(density({name: np.array(v)})), -4, u, epsabs=1e-10)[0]
        below = float(backward(np.array(u)).eval(mode="FAST_COMPILE"))
        assert mass == pytest.approx(halfnorm.cdf(below, scale=0.08), abs=1e-7)

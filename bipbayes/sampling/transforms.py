"""How the sampler moves over standard deviations that may well be zero."""

from typing import Any

import pytensor.tensor as pt
from pymc.distributions.transforms import Transform

from bipbayes.sampling.likelihood import Tensor

_STEPS = 30  # of Newton's method, from below, in a function that is increasing and concave


class LightTail(Transform):  # type: ignore[misc]
    """A positive number as ``unit * exp(u - exp(-u))`` of an unconstrained ``u``.

    Under the usual ``exp(u)`` a standard deviation whose posterior reaches down to zero has a
    long tail to the left: halving it for ever takes the sampler for ever. Here that tail falls
    doubly exponentially, and above `unit` both are the same.

    Parameters
    ----------
    unit
        Where the bend is, in the number's own unit; any value leaves the posterior as it is.
    """

    name = "light"

    def __init__(self, unit: Any) -> None:
        self.unit = unit

    def backward(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return the positive number."""
        return self.unit * pt.exp(value - pt.exp(-value))

    def forward(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return ``u``: the root of ``u - exp(-u) = log(value / unit)``."""
        wanted = pt.log(value / self.unit)
        root = pt.minimum(wanted, -pt.log(1.0 + pt.abs(wanted)))
        for _ in range(_STEPS):
            small = pt.exp(-root)
            root = root - (root - small - wanted) / (1.0 + small)
        return root

    def log_jac_det(self, value: Tensor, *inputs: Tensor) -> Tensor:
        """Return the logarithm of the derivative of `backward`."""
        return pt.log(self.unit) + value - pt.exp(-value) + pt.log1p(pt.exp(-value))

"""The exact engine: models of batches by closed forms, without a sampler and without PyMC.

Given the standard deviations everything is normal. With the whitened means ``y = A b + e``,
coefficients ``b = Λ z``, ``Λ`` the diagonal of standard deviations, ``z`` and ``e`` standard
normal:

    precision of z      Q = Λ A'A Λ + I,        mean of z   u = Q⁻¹ Λ A'y
    log marginal        -½ (log det Q + y'y - u'Λ A'y + N log 2π)
    its gradient        (Σu² + Σ diag(Q⁻¹) - count) / sd, sums over the effects of one sd

`reduce` makes A'A and A'y of cells and batches and finds an order of elimination, `density` holds
these closed forms, `integrate` integrates over the standard deviations with points from
`proposal`, `posterior` draws effects, `fit` makes the DataTree. The result is exact but for the
number of points, and shares no code with the sampler: each checks the other.
"""

"""Pictures of OLS and posterior intervals.

Beside every figure's function stands a data function (``..._data``) that returns the frame drawn.
Figures are not registered with pyplot, but for ArviZ's; `bipbayes.plots.save.save_figure` writes
them.

What all of them take: ``frame`` is the long frame of intervals, of one posterior model, ``data``
what the data function returns; ``context`` has the codebook, the language and what captions must
say; ``outcome``, ``estimand`` and ``vcov`` (the OLS errors) choose rows; ``page`` says which rows
to draw where they fill several pages, all on the scale of the whole.

Modules are imported where they are needed: matplotlib and ArviZ are slow to import, and
`bipbayes.plots.pool` draws in processes of its own so that the main one never waits for them.
"""

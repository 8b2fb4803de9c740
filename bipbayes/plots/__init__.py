"""Pictures of OLS and posterior intervals.

Beside every figure's function stands a data function (``..._data``) that returns the frame drawn.
Figures are not registered with pyplot, but for ArviZ's; `bipbayes.plots.save.save_figure` writes
them.
Modules are imported where they are needed: matplotlib and ArviZ are slow to import, and
`bipbayes.plots.pool` draws in processes of its own so that the main one never waits for them.
"""

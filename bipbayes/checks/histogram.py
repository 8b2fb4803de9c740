"""Densities of what a prior expects, on common bins."""

from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.sample import Floats

LIMIT: Final = 0.6  # nearly all prior cell means lie within this (docs/estimands.md)


def prior_histogram(values: dict[str, Floats], *, bins: int = 60) -> pd.DataFrame:
    """Return densities on common bins.

    Parameters
    ----------
    values
        ``effect`` and ``predicted`` from the prior, ``observed`` cell means; any shape, `NaN`
        left out.
    bins
        Number of bins, from minus to plus the widest prior effect.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``low``, ``high``, ``density``; what lies beyond the bins counts in the total.
    """
    reach = max(1.2 * LIMIT, float(np.nanquantile(np.abs(values["effect"]), 0.999)))
    edges = np.linspace(-reach, reach, bins + 1)
    frames = []
    for what, array in values.items():
        known = array[np.isfinite(array)]
        counts = np.histogram(known, edges)[0]
        frames.append(
            pd.DataFrame(
                {
                    "what": what,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "density": counts / max(len(known), 1) / np.diff(edges),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)

"""What to know of a study before its results: in sentences, a study without faults has none."""

import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.directions import directions
from bipbayes.describe.directions import directions_record


def unscaled(scale: xr.Dataset) -> str:
    """Name outcomes that never change and so have no scale to compare them on; ``""``: none.

    Parameters
    ----------
    scale
        ``sd`` with the dim ``outcome``: progression, or the scale of samples.
    """
    still = scale["outcome"].where(scale["sd"].isnull(), drop=True).to_numpy()
    if not len(still):
        return ""
    return (
        f"{', '.join(map(str, still))}: {len(still)} outcome(s) whose changes are all alike or "
        "missing have no standard deviation; their results are empty"
    )


def cautions(progression: xr.Dataset, cells: xr.Dataset, codebook: Codebook) -> tuple[str, ...]:
    """Return the sentences on a study in memory.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    cells
        Its cells by the default covariance: whether citizens have changes enough.
    codebook
        The study's.
    """
    against = directions_record(directions(progression, codebook), codebook)["sentence"]["en"]
    few = "" if cells.attrs["neighbouring_pairs"] else str(cells.attrs["repair"])
    return tuple(told for told in (unscaled(progression), against, few) if told)

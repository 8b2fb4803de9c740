"""Factorial effects of estimates of combinations, with variances from the full covariance."""

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.regression.inference import cancelled

_LISTED = 3  # combinations that a reason names


def factorial_of(source: xr.Dataset, codebook: Codebook) -> xr.Dataset:
    """Turn estimates of combinations into main effects and interactions.

    Each is the mean over the half of the combinations whose signs multiply to +1, less the mean
    over the other half (`bipbayes.data.factorial.factorial_contrasts`); all combinations count
    alike, so that every one of them must have an estimate.

    Parameters
    ----------
    source
        ``estimate[outcome, combination]``,
        ``covariance[vcov, outcome, combination, combination_]``, ``df[vcov, outcome]``, ``n``
        and ``n_citizens`` ``[outcome, combination]`` and
        ``note[vcov, outcome, combination]``.
    codebook
        The study's.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``variance``, ``df``, ``n``, ``n_citizens`` and ``note``; ``combination``
        holds the terms (``J``, ``J:O``). ``n`` and ``n_citizens`` are those of the smallest
        combination, on which every term rests; the note says which combinations are in the way.
    """
    labels, weights = factorial_contrasts(codebook)
    order = list(codebook.combinations)
    dims = ("combination", "member")
    contrast = xr.DataArray(
        weights, coords={"combination": list(labels), "member": order}, dims=dims
    )
    ordered = source.sel(combination=order, combination_=order)
    members = ordered.rename(combination="member", combination_="other")
    # A product with a missing estimate is missing: no term does without it.
    estimate = (contrast * members["estimate"]).sum("member", skipna=False)
    half = (contrast * members["covariance"]).sum("member", skipna=False)
    variance = (half * contrast.rename(member="other")).sum("other", skipna=False)
    own = members["covariance"].where(members["member"] == members["other"], 0.0)
    parts = (contrast**2 * own.sum("other", skipna=False)).sum("member", skipna=False)
    note = _reasons(members["note"]).expand_dims(combination=list(labels))
    smallest = members[["n", "n_citizens"]].min("member")
    data = xr.Dataset(
        {
            "estimate": estimate,
            "variance": variance,
            "df": source["df"],
            "note": cancelled(note, variance=variance, parts=parts),
        }
    ).assign({name: smallest[name].expand_dims(combination=list(labels)) for name in smallest})
    return data.transpose("vcov", "outcome", "combination", missing_dims="ignore")


def _reasons(note: xr.DataArray) -> xr.DataArray:
    """Say for each outcome which combinations are in the way, and why."""

    def joined(notes: np.ndarray) -> str:
        held = [(str(name), str(text)) for name, text in zip(names, notes, strict=True) if text]
        return _sentence(held, len(names))

    names = note["member"].to_numpy()
    reasons: xr.DataArray = xr.apply_ufunc(
        joined, note, input_core_dims=[["member"]], vectorize=True, output_dtypes=[object]
    )
    return reasons


def _sentence(held: list[tuple[str, str]], members: int) -> str:
    texts = list(dict.fromkeys(text for _, text in held))
    if not texts:
        return ""
    if len(texts) == 1 and len(held) == members:
        return texts[0]
    parts = []
    for text in texts:
        names = [name for name, own in held if own == text]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        parts.append(f"{', '.join(names[:_LISTED])}{more}: {text}")
    return "; ".join(parts)

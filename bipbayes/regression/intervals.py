"""From estimates with covariances to rows with limits and p values: OLS, and ordered probit.

P values are adjusted within families by Holm and by Benjamini and Hochberg: equal to
`statsmodels.stats.multitest.multipletests` (a test holds them equal), whose Holm
collects garbage at every call: seconds for the families of one study.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import false_discovery_control, t

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.data.sample import Floats
from bipbayes.errors import SettingsError
from bipbayes.intervals import PLAIN, interval_frame
from bipbayes.regression.covariance import CLASSICAL, CLUSTER_JOBCENTER
from bipbayes.regression.reasons import ALL_ALIKE, COMMON_VARIANCE


def adjust(p_values: pd.Series, families: Sequence[pd.Series], *, method: str) -> pd.Series:
    """Adjust p values within families.

    Parameters
    ----------
    p_values
        Raw p values; missing ones stay missing and do not count in the family's size.
    families
        Columns whose values together name a row's family.
    method
        ``holm`` or ``bh``.
    """
    known = p_values.dropna()
    keys = [family.loc[known.index] for family in families]
    adjusted = known.groupby(keys).transform(lambda family: METHODS[method](family.to_numpy()))
    return adjusted.reindex(p_values.index)


def holm(p_values: Floats) -> Floats:
    """Holm's step-down p values of one family."""
    order = np.argsort(p_values)
    steps = np.arange(len(p_values), 0, -1) * p_values[order]
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's p values of one family."""
    return np.asarray(false_discovery_control(p_values, method="bh"))


METHODS: Final[dict[str, Callable[[Floats], Floats]]] = {"holm": holm, "bh": benjamini_hochberg}


# Outcomes have standard deviation 1, so an error this small beside 1 / sqrt(n) is rounding noise;
# one change of 1 among a million equal ones leaves 1e-3 of it.
_NOISE: Final = 1e-10

_COLUMNS: Final = (
    "estimand",
    "vcov",
    "outcome",
    "combination",
    "jobcenter",
    "n",
    "n_citizens",
    "estimate",
    "se",
    "df",
    "note",
)


def checked_level(level: float) -> float:
    """Return a coverage unchanged.

    Raises
    ------
    SettingsError
        It does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingsError(f"level {level} is no coverage; give a number between 0 and 1")
    return level


def without_noise(source: xr.Dataset) -> xr.Dataset:
    """Note where a variance is rounding noise, so that no certainty is made of it.

    An estimate is an average with weights that sum to 1, so its variance is at least 1 / n where
    its responses vary as all do. It is noise under

    - ``classical`` errors, whose variance is pooled, where the changes are alike within every
      combination (or cell);
    - ``HC1`` and ``HC3`` where the changes of this combination are alike;
    - ``cluster_citizen`` where its residuals sum to zero within every citizen;
    - ``cluster_jobcenter`` where the mean stays the same whichever jobcenter is left out.

    In an average over jobcenters all of its cells must be so: a cell that is alike by chance
    takes nothing from the error's expectation.

    `source`: ``covariance`` (or ``variance``), ``n`` and ``note``.
    """
    variance = source["variance"] if "variance" in source else effects_of(source)["variance"]
    alike = variance <= _NOISE**2 / source["n"].where(source["n"] > 0)
    return source.assign(note=_noted(source["note"], alike))


def cancelled(note: xr.DataArray, *, variance: xr.DataArray, parts: xr.DataArray) -> xr.DataArray:
    """Add the reason where the variance of a difference is what rounding leaves of its parts'.

    `note`: what is known already; it is kept; `variance`, `parts`: variance of the difference, and
    what it would be if its parts did not covary.
    """
    return _noted(note, variance <= _NOISE * parts)


def _noted(note: xr.DataArray, alike: xr.DataArray) -> xr.DataArray:
    note, alike = xr.broadcast(note, alike)
    return note.where((note != "") | ~alike, ALL_ALIKE)


def effects_of(source: xr.Dataset) -> xr.Dataset:
    """Put ``variance``, the diagonal of ``covariance``, in its place.

    Parameters
    ----------
    source
        ``estimate[outcome, combination]``,
        ``covariance[vcov, outcome, combination, combination_]``, ``df``, ``n``, ``n_citizens``
        and ``note``.
    """
    covariance = source["covariance"]
    same = covariance["combination"] == covariance["combination_"]
    variance = covariance.where(same, 0.0).sum("combination_", skipna=False)
    return source.drop_vars(["covariance", "combination_"]).assign(variance=variance)


def contrasts_of(source: xr.Dataset, reference: str) -> xr.Dataset:
    """Subtract the combination without treatment; variances from the full covariance.

    Parameters
    ----------
    source
        As for `effects_of`.
    reference
        The combination without treatment, which the result leaves out.
    """
    effects = effects_of(source)
    base = effects.sel(combination=reference, drop=True)
    shared = source["covariance"].sel(combination_=reference, drop=True)
    variance = effects["variance"] + base["variance"] - 2 * shared
    named = (f"{reference}: " + base["note"]).where(base["note"] != "", "")
    contrasts = effects.assign(
        estimate=effects["estimate"] - base["estimate"],
        variance=variance,
        note=cancelled(
            first_note(effects["note"], named),
            variance=variance,
            parts=effects["variance"] + base["variance"],
        ),
    )
    return contrasts.drop_sel(combination=reference)


def first_note(note: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """Join two kinds of notes: the second where the first says nothing."""
    note, other = xr.broadcast(note, other)
    return note.where(note != "", other)


def estimate_rows(data: xr.Dataset, estimand: str) -> pd.DataFrame:
    """One row for each label of the dataset's dims, in the labels' order.

    Parameters
    ----------
    data
        From `effects_of` or `contrasts_of`, possibly by ``jobcenter``.
    estimand
        Its name in the long frame.
    """
    order = [d for d in ("vcov", "outcome", "combination", "jobcenter") if d in data.dims]
    frame = data.to_dataframe(dim_order=order).reset_index()
    # Rounding can leave a variance a hair below zero; what says "not to be used" is a note.
    variance = frame["variance"].clip(lower=0.0)
    blank = frame["note"] != ""
    frame["se"] = np.sqrt(variance).where(~blank)
    frame["estimand"] = estimand
    return frame.reindex(columns=list(_COLUMNS))


def confidence_frame(
    rows: Sequence[pd.DataFrame], codebook: Codebook, *, level: float, source: str, analysis: str
) -> pd.DataFrame:
    """Add limits and p values from t with the rows' degrees of freedom.

    Parameters
    ----------
    rows
        From `estimate_rows`, one frame an estimand.
    codebook
        Says which outcomes are averages: a family of their own for Holm and
        Benjamini-Hochberg, within one estimand and one kind of standard error.
    level
        Coverage.
    source, analysis
        Labels of the long frame.

    Returns
    -------
    pandas.DataFrame
        `bipbayes.intervals.COLUMNS`.
    """
    frame = pd.concat(rows, ignore_index=True)
    half = t.ppf(0.5 + level / 2, frame["df"]) * frame["se"]
    statistic = (frame["estimate"] / frame["se"].where(frame["se"] > 0)).abs()
    frame = frame.assign(
        lower=frame["estimate"] - half,
        upper=frame["estimate"] + half,
        p_value=2 * t.sf(statistic, frame["df"]),
        level=level,
        kind="confidence",
        source=source,
        model="",
        analysis=analysis,
    )
    families = [frame["estimand"], frame["vcov"], frame["outcome"].isin(codebook.average_codes)]
    frame["p_holm"] = adjust(frame["p_value"], families, method="holm")
    frame["p_bh"] = adjust(frame["p_value"], families, method="bh")
    return interval_frame(frame.drop(columns="df"))


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


SOURCE: Final = "ols"
_SATURATED: Final = ("standardised_effect", "standardised_contrast", "jobcenter")


def ols_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn OLS estimates into confidence intervals, p values and adjusted p values.

    ``effect`` is the difference from average progression, ``contrast`` the difference from no
    treatment (full covariance), ``standardised_effect`` and ``standardised_contrast`` the same
    with jobcenters weighted alike in all combinations, ``jobcenter`` the mean of a combination
    in a jobcenter, ``factorial`` the main effects and interactions of the treatments, from the
    effects (`bipbayes.regression.intervals`). Families for Holm and Benjamini-Hochberg, each for
    one kind of standard error and one estimand: all indicators together (BIP: 320 effects, 300
    contrasts, 300 factorial effects of all orders), all averages together (32, 30 and 30). What
    has no p value does not count. No error is given where all changes behind an estimate are
    alike (`bipbayes.regression.intervals.without_noise`); a contrast or factorial effect of which
    one part has no error has none.

    Parameters
    ----------
    estimates
        From `bipbayes.regression.estimates.estimate_ols`.
    codebook
        The study's.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns of `bipbayes.intervals.COLUMNS`; ``n`` and ``n_citizens`` are those of the
        combination (for a contrast, too; for a factorial effect the smallest one). Empty
        standard errors have their reason in ``note``, and classical ones from the regression on
        combinations x jobcenters say that their residual variance is common to all of it.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    reference = codebook.no_treatment
    plain, standardised = _plain(estimates), _standardised(estimates)
    rows = [
        estimate_rows(effects_of(plain), "effect"),
        estimate_rows(contrasts_of(plain, reference), "contrast"),
        estimate_rows(effects_of(standardised), "standardised_effect"),
        estimate_rows(contrasts_of(standardised, reference), "standardised_contrast"),
        estimate_rows(_jobcenters(estimates), "jobcenter"),
        estimate_rows(factorial_of(plain, codebook), "factorial"),
    ]
    frame = confidence_frame(
        rows,
        codebook,
        level=checked_level(level),
        source=SOURCE,
        analysis=str(estimates.attrs.get("adjust", PLAIN)),
    )
    pooled = frame["estimand"].isin(_SATURATED) & frame["vcov"].eq(CLASSICAL) & frame["se"].notna()
    frame.loc[pooled, "note"] = COMMON_VARIANCE
    return frame


def _plain(estimates: xr.Dataset) -> xr.Dataset:
    note = first_note(estimates["note"], estimates["reason"])
    names = ["estimate", "covariance", "df", "n", "n_citizens"]
    return without_noise(estimates[names].assign(note=note))


def _standardised(estimates: xr.Dataset) -> xr.Dataset:
    names = {"saturated_df": "df"}
    names |= {f"standardised_{name}": name for name in ("estimate", "covariance", "note")}
    return without_noise(estimates[[*names, "n", "n_citizens"]].rename(names))


def _jobcenters(estimates: xr.Dataset) -> xr.Dataset:
    own = ("estimate", "variance", "n", "n_citizens", "note")
    names = {"saturated_df": "df"} | {f"jobcenter_{name}": name for name in own}
    data = estimates[list(names)].rename(names)
    return without_noise(data.sel(vcov=data["vcov"] != CLUSTER_JOBCENTER))

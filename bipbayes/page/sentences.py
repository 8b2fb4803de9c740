"""What the page says on top, in sentences made from frames and record; no number is typed."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from bipbayes.audit.verdicts import abstract_sentences
from bipbayes.data.study_words import REMARKS, in_language
from bipbayes.intervals import PRIOR_DRIVEN, excludes_zero
from bipbayes.option_words import BASELINE
from bipbayes.page.contents import PageContents
from bipbayes.tables.comparison_table import interval_text
from bipbayes.tables.rounding import limit_factor, row_decimals
from bipbayes.wording import (
    capital,
    number,
    other_zero,
    percent,
    phrase,
    study_notes,
    whole_number,
)

_MORE: Final = 1.2  # times as large: less is not worth a sentence
FEW: Final = 100  # changes: an effect that rests on fewer is pointed out


def analysed(contents: PageContents) -> list[str]:
    """Say what was analysed, and what stands beside what."""
    language, codebook = contents.language, contents.context.codebook
    data = contents.record["data"]
    rows = contents.intervals
    indicators = contents.effects[contents.effects["outcome"].isin(codebook.indicator_codes)]
    changes = indicators.groupby("outcome")["n"].sum()
    names = ", ".join(
        _treatment(contents, code, with_label=True) for code in codebook.treatment_codes
    )
    told = [
        phrase(
            "page_analysed",
            language,
            responses=whole_number(data["responses"], language=language),
            people=whole_number(data["citizens"], language=language),
            places=rows.loc[rows["jobcenter"] != "", "jobcenter"].nunique() or 1,
            indicators=len(codebook.indicator_codes),
            treatments=len(codebook.treatment_codes),
            names=names,
        )
    ]
    if len(changes):
        least, most = (
            whole_number(float(value), language=language)
            for value in (changes.min(), changes.max())
        )
        sample = "page_sample_shown" if _blank(contents).any() else "page_sample"
        told.append(phrase(sample, language, least=least, most=most))
    if len(contents.effects):
        first = contents.effects.iloc[0]
        told.append(
            phrase(
                "page_sources",
                language,
                errors=phrase(str(first["vcov_ols"]), language),
                model=contents.model,
                vcov=phrase(str(first["vcov_posterior"]), language),
                level=percent(float(first["level"]), language),
            )
        )
    return told


def overall(contents: PageContents) -> list[str]:
    """Say which treatments and combinations are clear of zero over all indicators."""
    told = []
    factorial = contents.overall("factorial")
    factorial = factorial[factorial.index.isin(contents.context.codebook.treatment_codes)]
    known = len(factorial)
    factorial = factorial[factorial["lower"].notna()]
    if known and factorial.empty and contents.minimum_count:
        told.append(phrase("page_treatments_blank", contents.language))
    clear = excludes_zero(factorial)
    rest = "unclear" if clear.any() else "none"
    for key, chosen in (("clear", clear), (rest, ~clear)):
        if chosen.any():
            names = _estimates(contents, factorial[chosen])
            told.append(phrase(f"page_treatments_{key}", contents.language, names=names))
    contrast = contents.overall("contrast")
    contrast = contrast[contrast["lower"].notna()]
    if len(contrast) > 1:
        ends = contrast.loc[[contrast["estimate"].idxmax(), contrast["estimate"].idxmin()]]
        best, worst = (_estimates(contents, ends.iloc[[place]]) for place in (0, 1))
        count = int(excludes_zero(contrast).sum())
        told.append(
            phrase(
                "page_combinations",
                contents.language,
                count=count,
                of=len(contrast),
                best=best,
                worst=worst,
            )
        )
    return told + _withheld(contents)


def _blank(contents: PageContents) -> pd.Series:
    """Say which effects of outcomes are held back: they have no posterior, either."""
    rows = contents.comparison
    own = rows["outcome"].isin(contents.context.codebook.outcomes)
    return rows.loc[own & (rows["estimand"] == "effect"), "n"].isna()


def _withheld(contents: PageContents) -> list[str]:
    """Say of how many effects nothing is told."""
    blank, least = _blank(contents), contents.minimum_count
    if not (blank.any() and least):
        return []
    count, language = int(blank.sum()), contents.language
    return [phrase("page_held_back", language, count=count, of=len(blank), least=least)]


def against_ols(contents: PageContents) -> list[str]:
    """Say how many of OLS's verdicts stay, and how wrong its significant estimates are."""
    rows = contents.effects[contents.effects["ols_lower"].notna()]
    before = (rows["ols_lower"] > 0) | (rows["ols_upper"] < 0)
    after = (rows["posterior_lower"] > 0) | (rows["posterior_upper"] < 0)
    turned = np.sign(rows["ols_estimate"]) != np.sign(rows["posterior_mean"])
    told = [
        phrase(
            "page_against",
            contents.language,
            of=len(rows),
            significant=int(before.sum()),
            stay=int((before & after & ~turned).sum()),
            lost=int((before & ~after).sum()),
            turned=int((before & after & turned).sum()),
            gained=int((~before & after).sum()),
        )
    ]
    if before.any():
        wrong, ratio = type_errors(rows[before])
        told.append(
            phrase(
                "page_type_errors",
                contents.language,
                wrong=number(100 * wrong, 1, language=contents.language),
                ratio=number(ratio, 2, language=contents.language),
            )
        )
    return told


def type_errors(significant: pd.DataFrame) -> tuple[float, float]:
    """Return the share of wrong signs and the mean exaggeration expected of OLS estimates.

    Parameters
    ----------
    significant
        Rows of the comparison whose OLS interval excludes zero.

    Returns
    -------
    tuple of float
        Mean posterior probability of the other sign (type S), and the mean of ``|estimate|``
        over the posterior mean of ``|effect|``, of a normal posterior (type M); Gelman and
        Carlin (2014), with the posterior as what is known of the effect.
    """
    other = significant["p_positive"].where(
        significant["ols_estimate"] < 0, 1 - significant["p_positive"]
    )
    mean, sd = significant["posterior_mean"], significant["posterior_sd"]
    size = stats.foldnorm.mean(mean.abs() / sd, scale=sd)
    return float(other.mean()), float((significant["ols_estimate"].abs() / size).mean())


def trust(contents: PageContents) -> list[str]:
    """Say how the fit was judged, and what the other engine says."""
    language, done = contents.language, contents.fit
    told = []
    if "verdict" in done:
        verdict = done["verdict"]
        key = "page_fit_passed" if verdict["passed"] else "page_fit_failed"
        told_by = "; ".join([measures(verdict, language), *verdict["reasons"]])
        told.append(phrase(key, language, model=contents.model, measures=told_by))
    told += [phrase("page_preliminary", language)] * contents.context.preliminary
    remarks = [done.get(name) for name in REMARKS]  # by language; of an earlier version a text
    told += [f"{capital(text[language])}." for text in remarks if isinstance(text, dict) and text]
    told.append(phrase("page_trust_only", language))
    engines = contents.engines
    if engines is None or engines.empty:
        return [*told, phrase("page_engines_unasked", language)]
    worst = {name: float(engines[name].max()) for name in ("in_errors", "in_sds")}
    said = phrase(
        "page_engines_agree",
        language,
        count=len(engines),
        errors=number(worst["in_errors"], 1, language=language),
        sds=number(worst["in_sds"], 3, language=language),
    )
    return [*told, said]


def claims(contents: PageContents) -> list[str]:
    """Return the audit's own sentences, which count the verdicts, plain and adjusted."""
    if contents.audit is None:
        return []
    return abstract_sentences(contents.audit, contents.context, model=contents.model)


def careful(contents: PageContents) -> list[str]:
    """Say what a reader must keep in mind."""
    language, context = contents.language, contents.context
    record, data = contents.record, contents.record["data"]
    told = [phrase("page_synthetic", language)] * context.synthetic
    told += [phrase("page_preliminary", language)] * context.preliminary
    if record.get("stale"):
        told.append(phrase("page_stale", language, names=", ".join(record["stale"])))
    said = record.get("directions", {}).get("sentence", {})
    told += [said[language]] if said.get(language) else []
    told += record.get("cautions", {}).get(language, ())
    told += study_notes(context.codebook, language=language)
    told += [*_thin(contents), *_units(contents), *_other_zero(contents)]
    told.append(selection(contents))
    told.append(phrase("page_significant", language))
    if contents.minimum_count:
        told.append(phrase("blanked", language, count=contents.minimum_count))
    return [*told, *(_sentence(text) for text in data.get("findings", {}).get(language, ()))]


def _other_zero(contents: PageContents) -> list[str]:
    """Name averages whose zero, of complete responses, is not the average of all answers."""
    told = []
    for outcome in contents.context.codebook.average_codes:
        rows = contents.estimates("effect", outcome)
        told.append(other_zero(outcome, rows["n"], rows["posterior_mean"], contents.context))
    return [sentence for sentence in told if sentence]


def _units(contents: PageContents) -> list[str]:
    """Say how many times larger the numbers of averages are than those over their indicators."""
    ratios = []
    means = contents.effects.pivot(index="combination", columns="outcome", values="posterior_mean")
    for average in contents.context.codebook.averages:
        members = [code for code in average.members if code in means]
        if not members or average.code not in means:
            continue
        both = np.column_stack([means[members].mean(axis="columns"), means[average.code]])
        both = both[np.isfinite(both).all(axis=1)]
        moved = both - both.mean(axis=0)
        if (moved[:, 0] ** 2).sum() > 0:
            ratios.append(float(moved[:, 0] @ moved[:, 1] / (moved[:, 0] ** 2).sum()))
    if not ratios or not min(ratios) > _MORE:
        return []
    ratio = number(float(np.mean(ratios)), 1, language=contents.language)
    return [phrase("page_units", contents.language, ratio=ratio)]


def _thin(contents: PageContents) -> list[str]:
    """Say how many effects rest on no answers, and on few changes."""
    language, rows = contents.language, contents.effects
    told = []
    driven = int((rows["note"] == PRIOR_DRIVEN).sum())
    if driven:
        told.append(phrase("page_prior_driven", language, count=driven, of=len(rows)))
    close = int(close_to_zero(rows).sum())
    if close:
        told.append(phrase("page_close", language, count=close, of=len(rows)))
    few = rows[(rows["n"] > 0) & (rows["n"] < FEW)]
    if len(few):
        least = whole_number(float(few["n"].min()), language=language)
        told.append(
            phrase("page_few", language, count=len(few), of=len(rows), few=FEW, least=least)
        )
    return told


def close_to_zero(rows: pd.DataFrame) -> pd.Series:
    """Say which credible intervals have a limit within twice its Monte Carlo error of zero.

    Parameters
    ----------
    rows
        Of the comparison.
    """
    error = rows["mcse"] * rows["level"].map(limit_factor)
    nearest = rows[["posterior_lower", "posterior_upper"]].abs().min(axis=1)
    return nearest < 2 * error


def selection(contents: PageContents) -> str:
    """Say what becomes of the overall contrasts at the same previous answer."""
    plain = contents.overall("contrast")
    adjusted = contents.overall("contrast", analysis=BASELINE).reindex(plain.index)
    both = plain["lower"].notna() & adjusted["lower"].notna()
    if not both.any():
        return phrase("page_selection_unknown", contents.language)
    plain, adjusted = plain[both], adjusted[both]
    moved = adjusted["estimate"] - plain["estimate"]
    return phrase(
        "page_selection",
        contents.language,
        changed=int((excludes_zero(plain) != excludes_zero(adjusted)).sum()),
        of=len(plain),
        shift=number(float(moved.mean()), 3, language=contents.language, signed=True),
        largest=number(
            float(moved.iloc[int(moved.abs().argmax())]),
            3,
            language=contents.language,
            signed=True,
        ),
    )


def measures(verdict: Mapping[str, object], language: str) -> str:
    """Say by which numbers a fit was judged, beside their limits."""
    worst, limits = verdict["worst"], verdict["thresholds"]
    assert isinstance(worst, dict) and isinstance(limits, dict)
    if "k_hat" in worst:
        return phrase(
            "page_fit_exact",
            language,
            k_hat=number(worst["k_hat"], 2, language=language),
            most=number(limits["k_hat"], 1, language=language),
            points=whole_number(worst["effective_points"], language=language),
            least=whole_number(limits["ess"], language=language),
        )
    return phrase(
        "page_fit_sampled",
        language,
        r_hat=number(worst["r_hat"], 3, language=language),
        most=number(limits["r_hat"], 2, language=language),
        ess=whole_number(min(worst["ess_bulk"], worst["ess_tail"]), language=language),
        least=whole_number(limits["ess"], language=language),
        divergences=whole_number(worst["divergences"], language=language),
    )


def _estimates(contents: PageContents, rows: pd.DataFrame) -> str:
    """Write rows as ``J +0.08 [0.05, 0.12]``, no finer than the Monte Carlo error."""
    language, codebook = contents.language, contents.context.codebook
    parts = []
    for (code, row), digits in zip(rows.iterrows(), row_decimals(rows, sd="se"), strict=True):
        name = (
            codebook.combination_label(str(code), language)
            if code in codebook.combinations
            else _treatment(contents, str(code))
        )
        mean = number(row["estimate"], int(digits), language=language, signed=True)
        limits = interval_text(row["lower"], row["upper"], int(digits), language=language)
        parts.append(f"{name} {mean} {limits}")
    return _joined(parts)


def _treatment(contents: PageContents, code: str, *, with_label: bool = False) -> str:
    label = treatment_label(contents, code)
    return f"{code} ({label})" if with_label and label != code else code


def treatment_label(contents: PageContents, code: str) -> str:
    """Name a treatment in words, or by its code where the codebook has none."""
    entry = next(e for e in contents.context.codebook.treatments if e.code == code)
    return in_language(entry.label, contents.language) or code


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


LEAD: Final = (
    ("analysed", analysed),
    ("overall", overall),
    ("against", against_ols),
    ("trust", trust),
    ("claims", claims),
    ("careful", careful),
)
"""The sections on top of the page, in order, each with what it says."""
LISTED: Final = ("trust", "claims", "careful")
"""Those whose sentences stand one below the other: each is looked up by itself."""

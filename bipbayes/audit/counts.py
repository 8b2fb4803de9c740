"""Counts of the audit's words, and one paragraph of them that could stand in an abstract."""

from typing import Final

import pandas as pd

from bipbayes.audit.evidence import BASELINE, ESTIMANDS, POSTERIOR
from bipbayes.audit.rules import NOT_CHECKABLE, NOT_SUPPORTED, REVERSED, UPHELD, WEAKENED, WORDS
from bipbayes.audit.statements import KINDS
from bipbayes.wording import Context, capital, number, phrase, pick

VERDICT: Final = "_verdict_"
_READINGS: Final = {
    "holm": ("after Holm's adjustment", "efter Holms justering"),
    "bh": ("after Benjamini and Hochberg's", "efter Benjamini og Hochbergs"),
}
_WITH: Final = ("with {errors}", "med {errors}")
_OWN: Final = (" (the report's own)", " (rapportens egne)")
_AND: Final = (" and ", " og ")
_PARAGRAPH: Final = (
    "Of {claims} statements, {checkable} could be checked against average progress. Read by OLS, "
    "{ols} are upheld. The posterior{model} upholds {upheld}, weakens {weakened}, does not support "
    "{unsupported} and reverses {reversed}. Of {significant} statements of a significant effect "
    "it upholds {significant_upheld}; of {insignificant} statements that an effect is not "
    "significant it upholds {insignificant_upheld}, and in {inside} of these the whole {level} % "
    "credible interval lies within ±{beyond} standard deviations, which it takes to call an "
    "effect of that size absent. Against no intervention, of which the statements do not speak, "
    "{contrast_checkable} could be checked: {contrast_upheld} upheld, {contrast_weakened} "
    "weakened, {contrast_unsupported} not supported and {contrast_reversed} reversed.",
    "Af {claims} udsagn kunne {checkable} kontrolleres mod den gennemsnitlige progression. Læst "
    "med OLS holder {ols}. Posterioren{model} bekræfter {upheld}, svækker {weakened}, understøtter "
    "ikke {unsupported} og vender {reversed}. Af {significant} udsagn om en signifikant effekt "
    "bekræfter den {significant_upheld}; af {insignificant} udsagn om, at en effekt ikke er "
    "signifikant, bekræfter den {insignificant_upheld}, og i {inside} af disse ligger hele "
    "{level} %-kredibilitetsintervallet inden for ±{beyond} standardafvigelser, hvilket kræves "
    "for at kalde en effekt af den størrelse fraværende. Mod ingen indsats, som udsagnene ikke "
    "taler om, kunne {contrast_checkable} kontrolleres: {contrast_upheld} bekræftet, "
    "{contrast_weakened} svækket, {contrast_unsupported} ikke understøttet og "
    "{contrast_reversed} vendt.",
)
_ADJUSTED: Final = (
    "Compared at the same previous answer (--adjust baseline), of the {upheld} statements that "
    "the plain posterior upholds {both} stay upheld; {baseline} are upheld in all and {changed} "
    "verdicts change. Against no intervention {contrast_both} of {contrast_upheld} stay upheld.",
    "Sammenlignet ved samme foregående svar (--adjust baseline) forbliver {both} af de {upheld} "
    "udsagn, som den almindelige posterior bekræfter, bekræftet; i alt bekræftes {baseline}, og "
    "{changed} domme ændres. Mod ingen indsats forbliver {contrast_both} af {contrast_upheld} "
    "bekræftet.",
)
_UNADJUSTED: Final = (
    "Whether treatment followed low answers, which biases these comparisons, was not looked at "
    "(--adjust baseline).",
    "Om indsatser fulgte lave svar, hvilket skævvrider disse sammenligninger, er ikke undersøgt "
    "(--adjust baseline).",
)
_SYNTHETIC: Final = (
    "The data are synthetic: the counts audit the method, not the study.",
    "Dataene er syntetiske: tallene efterprøver metoden, ikke undersøgelsen.",
)
_DENMARK: Final = (
    "The data are synthetic: the counts audit the method, not Denmark.",
    "Dataene er syntetiske: tallene efterprøver metoden, ikke Danmark.",
)


def audit_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the words.

    Parameters
    ----------
    frame
        An audit (`bipbayes.audit.verdicts.audit_claims`).

    Returns
    -------
    pandas.DataFrame
        ``estimand``, ``reading`` (standard errors, adjustment or ``posterior``), ``kind`` (of
        claim; ``all``), ``word``, ``claims``. Every word has a row, also where it counts none;
        kinds that no claim has are left out.
    """
    readings = readings_of(frame)
    rows = []
    for estimand, reading in readings:
        verdicts = frame[f"{estimand}{VERDICT}{reading}"]
        for kind in ("all", *(kind for kind in KINDS if frame["kind"].eq(kind).any())):
            chosen = verdicts if kind == "all" else verdicts[frame["kind"].eq(kind)]
            count = chosen.value_counts()
            common = {"estimand": estimand, "reading": reading, "kind": kind}
            rows += [{**common, "word": name, "claims": int(count.get(name, 0))} for name in WORDS]
    return pd.DataFrame(rows, columns=["estimand", "reading", "kind", "word", "claims"])


def readings_of(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of estimand and reading that an audit holds, in its order."""
    return [
        (estimand, column.removeprefix(f"{estimand}{VERDICT}"))
        for estimand in ESTIMANDS
        for column in frame.columns
        if column.startswith(f"{estimand}{VERDICT}")
    ]


def abstract_paragraph(frame: pd.DataFrame, context: Context, *, model: str = "") -> str:
    """Write the counts as a paragraph; every number in it is counted from the audit.

    Parameters
    ----------
    frame
        An audit.
    context
        Language; whether the data are synthetic or the draws no result, which it then says.
    model
        Name of the model whose posterior answered.
    """
    language = context.language
    values = {
        "claims": len(frame),
        "model": f" (model {model})" if model else "",
        "ols": _ols_counts(frame, context),
        "level": f"{100 * _only(frame, 'level'):g}".replace(".", pick((".", ","), language)),
        "beyond": _size(_only(frame, "beyond"), language),
        **_word_counts(frame["effect_verdict_posterior"], ""),
        **_word_counts(frame["contrast_verdict_posterior"], "contrast_"),
        **_kind_counts(frame),
    }
    text = pick(_PARAGRAPH, language).format(**values)
    text = f"{text} {_baseline_sentence(frame, language)}"
    if context.synthetic:
        text = f"{text} {pick(_DENMARK if context.codebook.is_bip else _SYNTHETIC, language)}"
    return f"{text} {capital(phrase('preliminary', language))}." if context.preliminary else text


def _baseline_sentence(frame: pd.DataFrame, language: str) -> str:
    """Say how many verdicts stand at the same previous answer, where that was fitted."""
    if f"effect{VERDICT}{BASELINE}" not in frame:
        return pick(_UNADJUSTED, language)
    plain, adjusted = (frame[f"effect{VERDICT}{name}"] for name in (POSTERIOR, BASELINE))
    pair = (frame[f"contrast{VERDICT}{name}"].eq(UPHELD) for name in (POSTERIOR, BASELINE))
    against, against_adjusted = pair
    return pick(_ADJUSTED, language).format(
        upheld=int(plain.eq(UPHELD).sum()),
        both=int((plain.eq(UPHELD) & adjusted.eq(UPHELD)).sum()),
        baseline=int(adjusted.eq(UPHELD).sum()),
        changed=int(plain.ne(adjusted).sum()),
        contrast_both=int((against & against_adjusted).sum()),
        contrast_upheld=int(against.sum()),
    )


def _word_counts(verdicts: pd.Series, prefix: str) -> dict[str, int]:
    names = {
        "upheld": UPHELD,
        "weakened": WEAKENED,
        "unsupported": NOT_SUPPORTED,
        "reversed": REVERSED,
    }
    counts = {f"{prefix}{key}": int(verdicts.eq(name).sum()) for key, name in names.items()}
    return {**counts, f"{prefix}checkable": int(verdicts.ne(NOT_CHECKABLE).sum())}


def _kind_counts(frame: pd.DataFrame) -> dict[str, int]:
    upheld = frame[f"effect{VERDICT}{POSTERIOR}"].eq(UPHELD)
    significant = frame["kind"].eq("significant")
    insignificant = frame["kind"].isin(["insignificant", "hedged"])
    inside = frame["effect_region"].eq("inside")
    return {
        "significant": int(significant.sum()),
        "significant_upheld": int((significant & upheld).sum()),
        "insignificant": int(insignificant.sum()),
        "insignificant_upheld": int((insignificant & upheld).sum()),
        "inside": int((insignificant & upheld & inside).sum()),
    }


def _ols_counts(frame: pd.DataFrame, context: Context) -> str:
    language = context.language
    names = [
        name
        for estimand, name in readings_of(frame)
        if estimand == "effect" and name not in (POSTERIOR, BASELINE)
    ]
    parts = []
    for place, name in enumerate(names):
        upheld = int(frame[f"effect{VERDICT}{name}"].eq(UPHELD).sum())
        own = pick(_OWN, language) if place == 0 and context.codebook.is_bip else ""
        parts.append(f"{upheld} {reading_words(name, language)}{own}")
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + pick(_AND, language) + parts[-1]


def reading_words(name: str, language: str) -> str:
    """Name an OLS reading: ``with classical errors``, ``after Holm's adjustment``."""
    if name in _READINGS:
        return pick(_READINGS[name], language)
    return pick(_WITH, language).format(errors=phrase(name, language))


def _only(frame: pd.DataFrame, column: str) -> float:
    return float(frame[column].iloc[0])


def _size(value: float, language: str) -> str:
    return number(value, max(1, len(f"{value:g}".partition(".")[2])), language=language)

"""The page's own tables: overall effects, all estimates in one, claims in their own words."""

from collections.abc import Sequence

import pandas as pd

from bipbayes.intervals import COMPARED, PLAIN
from bipbayes.option_words import BASELINE
from bipbayes.page.contents import PageContents
from bipbayes.page.sentences import treatment_label
from bipbayes.tables.comparison_table import (
    comparison_body,
    comparison_columns,
    comparison_notes,
    interval_text,
    probability_text,
)
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.tables.rounding import row_decimals
from bipbayes.wording import (
    analysis_name,
    capital,
    number,
    outcome_label,
    phrase,
    whole_number,
)


def treatments_table(contents: PageContents) -> Table:
    """Build the table of adding each treatment, over all indicators; adjusted ones beside."""
    codes = contents.context.codebook.treatment_codes
    names = [
        f"{code} {label}" if (label := treatment_label(contents, code)) != code else code
        for code in codes
    ]
    header = phrase("page_treatment", contents.language)
    return _overall(contents, "factorial", codes, names, header=header, caption="treatments")


def combinations_table(contents: PageContents) -> Table:
    """Build the table of contrasts with no intervention, over all indicators."""
    codebook = contents.context.codebook
    codes = [code for code in codebook.combinations if code != codebook.no_treatment]
    names = [codebook.combination_label(code, contents.language) for code in codes]
    header = phrase("combination", contents.language)
    return _overall(contents, "contrast", codes, names, header=header, caption="combinations")


def _overall(
    contents: PageContents,
    estimand: str,
    codes: Sequence[str],
    names: Sequence[str],
    *,
    header: str,
    caption: str,
) -> Table:
    language = contents.language
    body = pd.DataFrame({"name": list(names)})
    columns = [Column("name", header, align="l")]
    plain = contents.overall(estimand).reindex(list(codes))
    if estimand != "factorial":  # which rests on all combinations: their smallest says little
        body["n"] = [whole_number(float(n), language=language) for n in plain["n"]]
        columns.append(Column("n", phrase("n", language)))
    for analysis in (PLAIN, BASELINE):
        rows = contents.overall(estimand, analysis=analysis).reindex(list(codes))
        if analysis == BASELINE and rows["lower"].isna().all():
            continue
        added, shown = _columns(rows, contents, analysis)
        columns += shown
        body = pd.concat([body, added], axis=1)
    title = phrase(f"page_caption_{caption}", language)
    return Table(
        name=f"overall_{caption}",
        caption=table_caption(contents.context, title, phrase("in_units", language)),
        notes=(rounding_note(contents.context), phrase("star", language)),
        columns=tuple(columns),
        body=body,
        raw=plain.reset_index(),
    )


def _columns(
    rows: pd.DataFrame, contents: PageContents, analysis: str
) -> tuple[pd.DataFrame, list[Column]]:
    language, prefix = contents.language, analysis or "plain"
    group = capital(analysis_name(analysis, language=language))
    texts = []
    for (_, row), places in zip(rows.iterrows(), row_decimals(rows, sd="se"), strict=True):
        digits = int(places)
        star = "*" if row["lower"] > 0 or row["upper"] < 0 else ""
        limits = interval_text(row["lower"], row["upper"], digits, language=language)
        texts.append(
            {
                f"{prefix}_mean": number(row["estimate"], digits, language=language, signed=True),
                f"{prefix}_interval": f"{limits}{star}",
                f"{prefix}_p": probability_text(row["p_positive"], language=language),
            }
        )
    level = rows["level"].dropna()
    shown = number(100 * float(level.iloc[0]), 0, language=language) if len(level) else ""
    headers = (
        phrase("mean", language),
        phrase("credible_short", language, level=shown),
        phrase("p_positive", language),
    )
    columns = [Column(key, text, group) for key, text in zip(texts[0], headers, strict=True)]
    return pd.DataFrame(texts), columns


def estimates_table(contents: PageContents) -> Table:
    """Join the comparisons of all outcomes and estimands in one table, which the page filters.

    Its raw frame holds ``outcome`` and ``estimand`` of every row.
    """
    context, language = contents.context, contents.language
    frame = contents.comparison
    orders = {
        "outcome": context.codebook.outcomes,
        "estimand": COMPARED,
        "combination": context.codebook.combinations,
    }
    raw = frame[frame["estimand"].isin(COMPARED)].sort_values(
        list(orders), key=lambda column: column.map(list(orders[str(column.name)]).index)
    )
    labels = {
        outcome: outcome_label(context.codebook, outcome, language=language)
        for outcome in raw["outcome"].unique()
    }
    named = {
        "outcome": raw["outcome"].map(labels).to_numpy(),
        "estimand": raw["estimand"].map(lambda name: phrase(name, language)).to_numpy(),
    }
    title = phrase("page_caption_estimates", language)
    columns = (
        Column("outcome", phrase("page_pick", language), align="l"),
        Column("estimand", phrase("page_estimand", language), align="l"),
        *comparison_columns(raw, context),
    )
    return Table(
        name="estimates",
        caption=table_caption(context, title, phrase("in_units", language)),
        notes=comparison_notes(raw, context, COMPARED[0]),
        columns=columns,
        body=comparison_body(raw, context).assign(**named),
        raw=raw.reset_index(drop=True),
    )


def claims_table(contents: PageContents) -> Table | None:
    """Build the table of claims in their own words with their verdicts; None without an audit."""
    audit = contents.audit
    if audit is None:
        return None
    language = contents.language
    readings = {"ols": contents.errors, "posterior": "posterior", "baseline": BASELINE}

    def verdicts(reading: str) -> list[str]:
        column = f"effect_verdict_{reading}"
        if column not in audit:
            return [phrase("page_unadjusted", language)] * len(audit)
        return [phrase(f"verdict_{word}", language) for word in audit[column]]

    about = [
        f"{_named_outcome(contents, outcome)} · {_named_combination(contents, combination)}"
        for outcome, combination in zip(
            audit["outcome"].astype("str"), audit["combination"].astype("str"), strict=True
        )
    ]
    body = pd.DataFrame(
        {
            "claim": audit["claim_id"].astype("str"),
            "about": about,
            "words": ["" if pd.isna(quote) else str(quote) for quote in audit["quote_da"]],
            **{name: verdicts(reading) for name, reading in readings.items()},
        }
    )
    columns = (
        *(
            Column(name, phrase(f"page_{name}", language), align="l")
            for name in ("claim", "about", "words")
        ),
        *(Column(name, phrase(f"page_verdict_{name}", language), align="l") for name in readings),
    )
    title = phrase("page_caption_claims", language)
    caption = table_caption(contents.context, title)
    return Table("claims_in_words", caption, (), columns, body, audit)


def _named_outcome(contents: PageContents, outcome: str) -> str:
    codebook = contents.context.codebook
    known = outcome in (*codebook.outcomes, "*")
    return outcome_label(codebook, outcome, language=contents.language) if known else outcome


def _named_combination(contents: PageContents, combination: str) -> str:
    """Name a combination; patterns of several stay as they are written."""
    codebook = contents.context.codebook
    known = combination in codebook.combinations
    return codebook.combination_label(combination, contents.language) if known else combination

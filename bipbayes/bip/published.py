"""Every number that the report prints, beside what the run gives.

A number is known by three texts: ``table`` (the report's table; ``text`` for single values of
the prose; ``claims`` for sizes printed in a statement), ``row`` and ``group``:

======== =================================== ==============================================
table    row                                 group
======== =================================== ==============================================
1        outcome's code                      ``mean_progression``, ``n_progression``
3        combination                         ``n``, ``percent``
4        ``Jobcenter A``                     treatment's code, or ``none``
4 to 11  ``section: row`` (or ``row``), the  treatment's code, or ``none``
         English names
text     the value's key                     ``""``
claims   the claim's id                      ``effect_size``, ``places_moved``
======== =================================== ==============================================

What a run gives comes as a frame of these three columns and ``value`` (in the report's units);
`bipbayes.bip.reproduced` makes it. Numbers that no data can give (dates, intentions,
definitions of register variables) keep their row with the reason.
"""

import math
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

import pandas as pd

from bipbayes.audit.claims import check_claims
from bipbayes.audit.sizes import decimals, within_rounding
from bipbayes.bip.facts import audit_table, printed
from bipbayes.data.codebook import Codebook
from bipbayes.errors import DataError
from bipbayes.tables.layout import Column, Table, table_caption
from bipbayes.wording import Context, phrase

KEYS: Final = ("table", "row", "group")
COLUMNS: Final = (*KEYS, "published", "unit", "decimals", "comparison", "status", "reason")
NOT_GIVEN: Final = "not given"
WITHIN: Final = "within rounding"
OUTSIDE: Final = "outside rounding"
NOT_COMPARABLE: Final = "not reproducible"
RESULTS: Final = (WITHIN, OUTSIDE, NOT_GIVEN, NOT_COMPARABLE)
REPRODUCIBLE: Final = ("computed", "codebook", "definition")


def printed_claims(codebook: Codebook) -> pd.DataFrame:
    """Return the report's 284 claims, checked against a codebook with its outcomes."""
    return check_claims(printed("claims"), codebook, name="claims.csv of the report")


def published_numbers() -> pd.DataFrame:
    """List all numbers of the report: the columns `COLUMNS`, one row a number.

    ``published`` is text as printed; ``comparison`` says when a value agrees with it
    (`agrees`); ``status`` is ``computed``, ``codebook``, ``definition``, ``not in the data`` or
    ``no number``.
    """
    parts = [_table_1(), _table_3(), _jobcenters(), _characteristics(), _prose(), _sizes()]
    frame = pd.concat(parts, ignore_index=True)
    frame["decimals"] = frame["published"].map(decimals)
    for column, usual in (("status", "computed"), ("comparison", "rounding"), ("reason", "")):
        frame[column] = frame[column].fillna(usual)
    return frame[list(COLUMNS)]


def _table_1() -> pd.DataFrame:
    rows = pd.concat([printed("indicators"), printed("aggregates")], ignore_index=True)
    units = {"mean_progression": "scale_points", "n_progression": "count"}
    long = rows.melt(["code"], list(units), var_name="group", value_name="published")
    long = long[long["published"] != ""]
    return long.rename(columns={"code": "row"}).assign(
        table="1", unit=lambda frame: frame["group"].map(units)
    )


def _table_3() -> pd.DataFrame:
    columns = {"n": "count", "percent": "percent"}
    rows = printed("combinations").rename(columns={"percent_published": "percent"})
    long = rows.melt(["combination"], list(columns), var_name="group", value_name="published")
    return long.rename(columns={"combination": "row"}).assign(
        table="3", unit=lambda frame: frame["group"].map(columns)
    )


def _jobcenters() -> pd.DataFrame:
    rows = printed("jobcenters").rename(columns={"percent": "published"})
    return rows[["group", "published"]].assign(
        table="4", unit="percent", row="Jobcenter " + rows["jobcenter"]
    )


def row_key(section: str, row: str) -> str:
    """Return the key of a row of Tables 4 to 11 from its English section and name."""
    return f"{section}: {row}" if section else row


def _characteristics() -> pd.DataFrame:
    rows = printed("characteristics").rename(columns={"value": "published"})
    rows["row"] = [
        row_key(section, row)
        for section, row in zip(rows["section_en"], rows["row_en"], strict=True)
    ]
    rows["comparison"] = rows["qualifier"].map({"<": "below one", "": "rounding"})
    return rows[["table", "row", "group", "published", "unit", "comparison"]]


def _prose() -> pd.DataFrame:
    rows = printed("figures").rename(columns={"value": "published"})
    rows = rows.merge(audit_table("prose"), on="key", how="left", validate="1:1")
    rows = rows.assign(table="text", group="", row=rows["key"])
    return rows[["table", "row", "group", "published", "unit", "comparison", "status", "reason"]]


def _sizes() -> pd.DataFrame:
    units = {"effect_size": "cohens_d", "places_moved": "places"}
    long = printed("claims").melt(
        ["claim_id"], list(units), var_name="group", value_name="published"
    )
    long = long[long["published"] != ""].rename(columns={"claim_id": "row"})
    comparison = long["group"].map({"effect_size": "rounding", "places_moved": "magnitude"})
    return long.assign(table="claims", unit=long["group"].map(units), comparison=comparison)


def published_against_reproduced(reproduced: pd.DataFrame) -> pd.DataFrame:
    """Set every published number beside the run's.

    Parameters
    ----------
    reproduced
        ``table``, ``row``, ``group``, ``value``; rows in any order. Rows that the report does
        not print are left out.

    Returns
    -------
    pandas.DataFrame
        The columns of `published_numbers`, then ``reproduced``, ``difference`` (reproduced
        minus published, in the published unit), ``result`` (one of `RESULTS`) and
        ``inconsistencies`` (ids of the report's own that bear on the number).

    Raises
    ------
    DataError
        A column missing, or a key given twice.
    """
    _check(reproduced)
    frame = published_numbers().merge(
        reproduced[[*KEYS, "value"]].rename(columns={"value": "reproduced"}),
        on=list(KEYS),
        how="left",
        validate="1:1",
    )
    frame["reproduced"] = frame["reproduced"].astype("float64")
    number = pd.to_numeric(frame["published"], errors="coerce")
    frame["difference"] = frame["reproduced"] - number
    unsigned = frame["comparison"] == "magnitude"
    frame.loc[unsigned, "difference"] = frame["reproduced"].abs() - number.abs()
    frame["result"] = [_result(row) for _, row in frame.iterrows()]
    frame["inconsistencies"] = [
        " ".join(inconsistencies(*key))
        for key in zip(*(frame[column] for column in KEYS), strict=True)
    ]
    return frame


def _check(reproduced: pd.DataFrame) -> None:
    missing = [column for column in (*KEYS, "value") if column not in reproduced.columns]
    if missing:
        raise DataError(f"reproduced values lack the columns {missing}")
    twice = int(reproduced.duplicated(list(KEYS)).sum())
    if twice:
        raise DataError(f"{twice} reproduced values have a key that stands already")


def _result(row: pd.Series) -> str:
    if row["status"] not in REPRODUCIBLE:
        return NOT_COMPARABLE
    value = float(row["reproduced"])
    if math.isnan(value):
        return NOT_GIVEN
    return WITHIN if agrees(value, row["published"], row["comparison"]) else OUTSIDE


def agrees(value: float, published: str, comparison: str) -> bool:
    """Say whether a value agrees with a printed number.

    Parameters
    ----------
    value
        What the run gives.
    published
        Text as printed; its decimals say how it was rounded.
    comparison
        ``rounding`` (half of the last printed digit either way), ``magnitude`` (the same
        without signs), ``at least``, ``at most``, ``just under`` (less, by at most one),
        ``below one`` (printed "<1%") or ``negative`` (printed as a word).
    """
    if comparison == "negative":
        return value < 0
    if comparison == "below one":
        return 0 <= value < 1
    number = float(published)
    if comparison == "at least":
        return value >= number
    if comparison == "at most":
        return value <= number
    if comparison == "just under":
        return number - 1 <= value < number
    if comparison == "magnitude":
        value, number = abs(value), abs(number)
    return within_rounding(value, number, decimals(published))


@cache
def _bearing() -> tuple[tuple[str, str, str, str], ...]:
    rows = audit_table("bearing")
    rows = rows[rows["table"] != ""]
    return tuple(zip(rows["id"], rows["table"], rows["row"], rows["group"], strict=True))


def inconsistencies(table: str, row: str, group: str) -> tuple[str, ...]:
    """Return the ids of the report's inconsistencies that bear on a number or a claim."""
    found = (
        identity
        for identity, of_table, of_row, of_group in _bearing()
        if of_table == table and fnmatchcase(row, of_row) and fnmatchcase(group, of_group)
    )
    return tuple(dict.fromkeys(found))


def claim_inconsistencies(claims: pd.DataFrame) -> list[str]:
    """Return for each claim the ids that bear on it; ``""`` for claims that are not the report's.

    A claim is the report's own where id, outcome, combination and quotation are.
    """
    columns = ["claim_id", "outcome", "combination", "quote_da"]
    own = set(printed("claims")[columns].itertuples(index=False, name=None))
    return [
        " ".join(inconsistencies("claims", row[0], "")) if row in own else ""
        for row in claims[columns].itertuples(index=False, name=None)
    ]


def inconsistency_table() -> pd.DataFrame:
    """List the report's 42 inconsistencies with how many of its numbers each bears on.

    Returns
    -------
    pandas.DataFrame
        The columns of ``inconsistencies.csv``, ``numbers`` (how many printed numbers),
        ``claims`` (how many claims) and ``remark`` (why it bears on neither, if so).
    """
    frame, numbers = printed("inconsistencies"), published_numbers()
    of_numbers = zip(*(numbers[column] for column in KEYS), strict=True)
    of_claims = (("claims", claim_id, "") for claim_id in printed("claims")["claim_id"])
    for column, keys in (("numbers", of_numbers), ("claims", of_claims)):
        ids = [identity for key in keys for identity in inconsistencies(*key)]
        frame[column] = frame["id"].map(ids.count).astype("int64")
    frame["remark"] = frame["id"].map(audit_table("bearing").groupby("id")["note"].first())
    return frame


def published_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the results by table.

    Parameters
    ----------
    frame
        What `published_against_reproduced` returns.

    Returns
    -------
    pandas.DataFrame
        ``table`` (in the report's order, then ``all``), ``numbers``, a column for each of
        `RESULTS`, and ``inconsistent`` (outside rounding, with an inconsistency bearing on it).
    """
    counts = pd.crosstab(frame["table"], frame["result"]).reindex(
        index=list(dict.fromkeys(frame["table"])), columns=list(RESULTS), fill_value=0
    )
    excused = frame[(frame["result"] == OUTSIDE) & frame["inconsistencies"].ne("")]
    counts["inconsistent"] = excused.groupby("table").size().reindex(counts.index, fill_value=0)
    counts.insert(0, "numbers", counts[list(RESULTS)].sum(axis=1))
    counts.loc["all"] = counts.sum()
    return counts.rename_axis(columns=None).reset_index()


def published_table(counts: pd.DataFrame, context: Context) -> Table:
    """Build the table of published against reproduced numbers.

    Parameters
    ----------
    counts
        Rows of `published_counts`.
    context
        Language, and what the caption must say.
    """
    language = context.language
    numbers = ("numbers", *RESULTS, "inconsistent")
    body = counts[["table", *numbers]].astype("str")
    columns = tuple(
        Column(
            name,
            phrase(f"audit_header_{name.replace(' ', '_')}", language),
            align="l" if name == "table" else "r",
        )
        for name in body.columns
    )
    caption = table_caption(context, phrase("audit_caption_published", language))
    return Table("published", caption, (), columns, body, counts)

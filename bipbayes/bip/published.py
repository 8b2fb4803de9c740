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
`reproduced` makes it. Numbers that no data can give (dates, intentions,
definitions of register variables) keep their row with the reason.

The frames behind it come from `bipbayes.describe` and from the audit; they are only relabelled, and
what the prose prints is added, so that no number of a table is computed twice.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.audit.claims import check_claims
from bipbayes.audit.rules import decimals, within_rounding
from bipbayes.bip.facts import audit_table, printed
from bipbayes.data.codebook import Codebook
from bipbayes.data.study import Study
from bipbayes.describe.description import Description
from bipbayes.intervals import places_moved
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


def _melted(rows: pd.DataFrame, key: str, units: Mapping[str, str], table: str) -> pd.DataFrame:
    """List the numbers of a table's columns, one under another, by the key of their rows."""
    long = rows.melt([key], list(units), var_name="group", value_name="published")
    long = long[long["published"] != ""].rename(columns={key: "row"})
    return long.assign(table=table, unit=long["group"].map(units))


def _table_1() -> pd.DataFrame:
    rows = pd.concat([printed("indicators"), printed("aggregates")], ignore_index=True)
    units = {"mean_progression": "scale_points", "n_progression": "count"}
    return _melted(rows, "code", units, "1")


def _table_3() -> pd.DataFrame:
    rows = printed("combinations").rename(columns={"percent_published": "percent"})
    return _melted(rows, "combination", {"n": "count", "percent": "percent"}, "3")


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
    long = _melted(printed("claims"), "claim_id", units, "claims")
    kinds = {"effect_size": "rounding", "places_moved": "magnitude"}
    return long.assign(comparison=long["group"].map(kinds))


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
    """
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


def _result(row: pd.Series) -> str:
    if row["status"] not in REPRODUCIBLE:
        return NOT_COMPARABLE
    value = float(row["reproduced"])
    if math.isnan(value):
        return NOT_GIVEN
    return WITHIN if agrees(value, row["published"], row["comparison"]) else OUTSIDE


def agrees(value: float, published: str, comparison: str) -> bool:
    """Say whether a value agrees with a printed number.

    `value`: what the run gives; `published`: text as printed; its decimals say how it was rounded;
    `comparison`: ``rounding`` (half of the last printed digit either way), ``magnitude`` (the same
    without signs), ``at least``, ``at most``, ``just under`` (less, by at most one), ``below one``
    (printed "<1%") or ``negative`` (printed as a word).
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


DAYS_A_YEAR: Final = 365.25
DAYS_A_WEEK: Final = 7.0
type Value = tuple[str, str, str, float]
"""Table, row, group and what the run gives."""


def reproduced(
    study: Study,
    progression: xr.Dataset,
    description: Description,
    *,
    audit: pd.DataFrame,
    level: float,
) -> pd.DataFrame:
    """Collect all that a run gives of what the report prints.

    Parameters
    ----------
    study, progression
        The responses and their progression.
    description
        Their description.
    audit
        Of the report's claims.
    level
        Level of the intervals.
    """
    prose = reproduced_prose(study, progression, description, level=level)
    values = [*reproduced_tables(description), *prose, *reproduced_sizes(audit)]
    return reproduced_frame(values)


def reproduced_frame(values: Iterable[Value]) -> pd.DataFrame:
    """Bring values into the frame that `published_against_reproduced` takes."""
    return pd.DataFrame(list(values), columns=[*KEYS, "value"])


def reproduced_tables(description: Description) -> Iterator[Value]:
    """Relabel the descriptive tables: Tables 1, 3 and 4, and 4 to 11 with characteristics."""
    for row in description.progress.itertuples():
        yield "1", str(row.outcome), "mean_progression", float(str(row.mean))
        yield "1", str(row.outcome), "n_progression", float(str(row.n))
    for row in description.combinations.itertuples():
        yield "3", str(row.combination), "n", float(str(row.n))
        yield "3", str(row.combination), "percent", float(str(row.percent))
    for row in description.jobcenters.itertuples():
        yield "4", f"Jobcenter {row.jobcenter}", str(row.group), float(str(row.percent))
    if description.characteristics is not None:
        for row in description.characteristics.itertuples():
            key = row_key(str(row.section_en), str(row.row_en))
            yield str(row.table), key, str(row.group), float(str(row.value))


def reproduced_prose(
    study: Study, progression: xr.Dataset, description: Description, *, level: float
) -> Iterator[Value]:
    """Compute the single values that the report's prose prints, where data can give them."""
    codebook, people = study.codebook, description.characteristics
    values = _responses(study) | _codebook(codebook) | _definitions()
    values |= _changes(codebook, progression, description.progress, slopes=description.slopes)
    values |= _shares(codebook, description.combinations)
    years = (study.responses["date"].max() - study.responses["date"].min()).days / DAYS_A_YEAR
    mean_weeks = float(description.weeks["weeks"].mean())
    values["weeks_between_responses_mean"] = mean_weeks
    values["observation_period_years"] = years
    values["total_progression_multiplier"] = years * DAYS_A_YEAR / DAYS_A_WEEK / mean_weeks
    values["confidence_level"] = 100 * level
    if people is not None:
        values["characteristics_tables"] = people["table"].nunique()
    return (("text", key, "", float(value)) for key, value in values.items())


def _responses(study: Study) -> dict[str, float]:
    frame, codebook = study.responses, study.codebook
    values: dict[str, float] = {
        "citizens": frame["citizen"].nunique(),
        "jobcenters": frame["jobcenter"].nunique(),
    }
    asked = (*codebook.indicators, *codebook.unanalysed)
    for respondent in codebook.respondents:
        own = [entry.code for entry in asked if entry.respondent == respondent]
        present = [code for code in own if code in frame.columns]
        values[f"{respondent}_responses"] = frame[present].notna().any(axis=1).sum()
    return values


def _codebook(codebook: Codebook) -> dict[str, float]:
    def count(respondent: str, *, analysed: bool) -> int:
        extra = () if analysed else codebook.unanalysed
        return sum(entry.respondent == respondent for entry in (*codebook.indicators, *extra))

    return {
        "citizen_questions": count("citizen", analysed=False),
        "caseworker_questions_box1": count("caseworker", analysed=False),
        "citizen_questions_progression": count("citizen", analysed=True),
        "caseworker_questions_progression": count("caseworker", analysed=True),
        "response_scale_min": codebook.scale[0],
        "response_scale_max": codebook.scale[1],
        "activity_options": len(codebook.activities),
        "intervention_groups": len(codebook.treatments),
        "combinations_possible": len(codebook.combinations),
        "regression_dummies": len(codebook.combinations),
    }


def _definitions() -> dict[str, float]:
    """Compute the report's worked examples from its own definitions."""
    places = float(places_moved(0.1))
    return {
        "example_change_3_to_4": 4 - 3,
        "example_change_3_to_1": 1 - 3,
        "effect_size_example_1_places": places,
        "effect_size_example_1_percentile": 50 + places,
        "place_before_0000_caseworker_mean": 50,
    }


def _changes(
    codebook: Codebook, progression: xr.Dataset, progress: pd.DataFrame, *, slopes: pd.DataFrame
) -> dict[str, float]:
    by_outcome = progress.set_index("outcome")
    indicators, averages = list(codebook.indicator_codes), list(codebook.average_codes)
    classical = slopes[slopes["vcov"] == "classical"].set_index("outcome")
    first = progression["standardised"].sel(outcome=indicators[0])
    values = {
        "analysis_responses_low": by_outcome.loc[indicators, "n"].min(),
        "analysis_responses_high": by_outcome.loc[indicators, "n"].max(),
        "b1_mean_progression_in_text": by_outcome.loc[indicators[0], "mean"],
        "standardised_mean": float(first.mean()),
        "standardised_sd": float(first.std(ddof=1)),
    }
    if averages:
        values["zero_change_share_low"] = by_outcome.loc[averages, "unchanged"].min()
        values["zero_change_share_high"] = by_outcome.loc[averages, "unchanged"].max()
        values["weeks_since_last_slope_sign"] = classical.loc[averages, "slope"].max()
    return values


def _shares(codebook: Codebook, combinations: pd.DataFrame) -> dict[str, float]:
    percent = combinations.set_index("combination")["percent"]
    several = [text for text in percent.index if text.count("1") > 1]
    job = codebook.treatment_codes[0]
    with_job = [text for text in percent.index if codebook.has_treatment(text, job)]
    return {
        "table3_total_n": combinations["n"].sum(),
        "table3_total_percent": percent.sum(),
        "share_no_intervention": percent[codebook.no_treatment],
        "share_job_oriented": percent[with_job].sum(),
        "share_more_than_one": percent[several].sum(),
    }


def reproduced_sizes(audit: pd.DataFrame) -> list[Value]:
    """Take the sizes that the report prints for single effects from an audit (its OLS)."""
    values: list[Value] = []
    for measure, prose in (("effect_size", "effect_size"), ("places_moved", "places")):
        printed = audit[audit[f"{measure}_printed"].notna()]
        for row in printed.to_dict("records"):
            value = float(row[f"{measure}_ols"])
            values.append(("claims", str(row["claim_id"]), measure, value))
            values.append(("text", f"{prose}_{row['combination']}_{row['outcome']}", "", value))
            if measure == "places_moved":
                after = f"place_after_{row['combination']}_{row['outcome']}"
                values.append(("text", after, "", 50 - value))
    # Two claims may print the same size; the prose prints it once.
    return list(dict.fromkeys(values))

"""What a run gives, under the keys of `bipbayes.bip.published`.

The frames come from `bipbayes.describe` and from the audit; this module only relabels them and
adds what the prose prints, so that no number of a table is computed twice.
"""

from collections.abc import Iterable
from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.bip.published import KEYS, row_key
from bipbayes.data.codebook import Codebook
from bipbayes.data.study import Study
from bipbayes.describe.description import Description
from bipbayes.intervals import places_moved

DAYS_A_YEAR: Final = 365.25
DAYS_A_WEEK: Final = 7.0
Values = Iterable[tuple[str, str, str, float]]


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
    people = description.characteristics
    tables = reproduced_tables(
        description.progress,
        description.combinations,
        jobcenters=description.jobcenters,
        characteristics=people,
    )
    prose = reproduced_prose(
        study,
        progression,
        progress=description.progress,
        combinations=description.combinations,
        weeks=description.weeks,
        slopes=description.slopes,
        characteristics_tables=None if people is None else people["table"].nunique(),
        level=level,
    )
    return join_reproduced([tables, prose, reproduced_sizes(audit)])


def reproduced_frame(values: Values) -> pd.DataFrame:
    """Bring values into the frame that `published_against_reproduced` takes."""
    return pd.DataFrame(list(values), columns=[*KEYS, "value"])


def reproduced_tables(
    progress: pd.DataFrame,
    combinations: pd.DataFrame,
    *,
    jobcenters: pd.DataFrame | None = None,
    characteristics: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Relabel the descriptive tables.

    Parameters
    ----------
    progress
        Table 1: ``outcome``, ``mean``, ``n``.
    combinations
        Table 3: ``combination``, ``n``, ``percent``.
    jobcenters
        Table 4: ``jobcenter``, ``group``, ``percent``.
    characteristics
        Tables 4 to 11: ``table``, ``section_en``, ``row_en``, ``group``, ``value``.
    """
    values: list[tuple[str, str, str, float]] = []
    for row in progress.itertuples():
        values.append(("1", str(row.outcome), "mean_progression", float(str(row.mean))))
        values.append(("1", str(row.outcome), "n_progression", float(str(row.n))))
    for row in combinations.itertuples():
        values.append(("3", str(row.combination), "n", float(str(row.n))))
        values.append(("3", str(row.combination), "percent", float(str(row.percent))))
    if jobcenters is not None:
        for row in jobcenters.itertuples():
            key = f"Jobcenter {row.jobcenter}"
            values.append(("4", key, str(row.group), float(str(row.percent))))
    if characteristics is not None:
        for row in characteristics.itertuples():
            key = row_key(str(row.section_en), str(row.row_en))
            values.append((str(row.table), key, str(row.group), float(str(row.value))))
    return reproduced_frame(values)


def reproduced_prose(
    study: Study,
    progression: xr.Dataset,
    *,
    progress: pd.DataFrame,
    combinations: pd.DataFrame,
    weeks: pd.DataFrame,
    slopes: pd.DataFrame,
    characteristics_tables: int | None = None,
    level: float,
) -> pd.DataFrame:
    """Compute the single values that the report's prose prints, where data can give them.

    Parameters
    ----------
    study, progression
        The responses and their progression.
    progress, combinations
        As for `reproduced_tables`; `progress` also ``unchanged`` (percent).
    weeks
        Weeks between responses: ``weeks``, one row a pair.
    slopes
        Regression of progression on weeks: ``outcome``, ``vcov``, ``slope``.
    characteristics_tables
        How many tables of characteristics the run makes, if any.
    level
        Level of the intervals.
    """
    codebook = study.codebook
    values = _responses(study) | _codebook(codebook) | _definitions()
    values |= _changes(codebook, progression, progress, slopes=slopes)
    values |= _shares(codebook, combinations)
    years = (study.responses["date"].max() - study.responses["date"].min()).days / DAYS_A_YEAR
    mean_weeks = float(weeks["weeks"].mean())
    values["weeks_between_responses_mean"] = mean_weeks
    values["observation_period_years"] = years
    values["total_progression_multiplier"] = years * DAYS_A_YEAR / DAYS_A_WEEK / mean_weeks
    values["confidence_level"] = 100 * level
    if characteristics_tables is not None:
        values["characteristics_tables"] = characteristics_tables
    return reproduced_frame(("text", key, "", float(value)) for key, value in values.items())


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


def reproduced_sizes(audit: pd.DataFrame) -> pd.DataFrame:
    """Take the sizes that the report prints for single effects from an audit (its OLS).

    Returns
    -------
    pandas.DataFrame
        Rows for table ``claims``, and those of the prose that repeat them.
    """
    values: list[tuple[str, str, str, float]] = []
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
    return reproduced_frame(dict.fromkeys(values))


def join_reproduced(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put reproduced values under one another."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else reproduced_frame([])

"""Reading responses: formats, refusals and counted warnings."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from builders import make_codebook, random_responses, with_boxes

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.checks import near_labels
from bipbayes.data.read import read_responses, responses_from_frame
from bipbayes.errors import DataError

CODEBOOK = bip_codebook()
BOXES = [activity.column for activity in CODEBOOK.activities]


def _frame(rows: int = 6) -> pd.DataFrame:
    """Rows of two citizens with every box answered "no" but job search (J) in odd rows."""
    frame = pd.DataFrame(
        {
            "citizen": [f"0{i % 2 + 1}" for i in range(rows)],
            "jobcenter": "A",
            "date": [f"2015-0{i + 1}-15" for i in range(rows)],
        }
    )
    for position, code in enumerate(CODEBOOK.indicator_codes):
        frame[code] = [(position + row) % 5 + 1 for row in range(rows)]
    boxes = pd.DataFrame(0, index=frame.index, columns=BOXES)
    boxes["S1_5"] = np.arange(rows) % 2
    boxes["S1_22"] = 1 - np.arange(rows) % 2
    return pd.concat([frame, boxes], axis=1)


def _findings(frame: pd.DataFrame) -> dict[str, tuple[int, str]]:
    study = responses_from_frame(frame, CODEBOOK)
    return {finding.rule: (finding.count, finding.column) for finding in study.findings}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".dta", ".sav"])
def test_every_format_gives_the_same_study(tmp_path: Path, suffix: str) -> None:
    """Catches a format that turns ids into numbers, dates into text or zeros into gaps."""
    frame = _frame()
    frame.loc[2, "B3"] = np.nan
    path = tmp_path / f"responses{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".dta":
        pyreadstat.write_dta(frame, str(path))
    else:
        pyreadstat.write_sav(frame, str(path))
    study = read_responses(path, CODEBOOK)
    expected = responses_from_frame(frame, CODEBOOK).responses
    pd.testing.assert_frame_equal(study.responses, expected)
    assert study.responses["citizen"].tolist()[0] == "01"
    assert study.responses["combination"].tolist()[:2] == ["0000", "1000"]


def test_semicolons_and_danish_letters(tmp_path: Path) -> None:
    """Catches Excel's Danish CSV: semicolons, the Windows code page, a byte order mark."""
    frame = _frame().assign(jobcenter="Ærø")
    frame.to_csv(tmp_path / "a.csv", sep=";", index=False, encoding="cp1252")
    frame.to_csv(tmp_path / "b.csv", sep=";", index=False, encoding="utf-8-sig")
    for name in ("a.csv", "b.csv"):
        assert set(read_responses(tmp_path / name, CODEBOOK).responses["jobcenter"]) == {"Ærø"}


def test_errors_are_named_all_at_once_without_values() -> None:
    """Catches a check that stops early, or one that prints a citizen's values."""
    frame = _frame().astype({"B1": "object", "S2": "float64"})
    frame.loc[0, "B1"] = "secret"
    frame.loc[1, "S2"] = 2.5
    frame.loc[2, "S3"] = 77
    frame.loc[3, "date"] = "15/04-2015"
    frame.loc[4, "S1_5"] = 2
    with pytest.raises(DataError) as caught:
        responses_from_frame(frame, CODEBOOK, name="file.csv")
    message = str(caught.value)
    for part in ("B1", "S2", "S3", "date", "S1_5", "(1, data row "):
        assert part in message
    for value in ("secret", "77", "2.5", "15/04"):
        assert value not in message
    assert "without a value" not in message


def test_missing_columns_are_listed() -> None:
    """Catches an error that names only the first missing column."""
    with pytest.raises(DataError, match=r"B2.*S7.*S1_4"):
        responses_from_frame(_frame().drop(columns=["B2", "S7", "S1_4"]), CODEBOOK)


def test_a_file_of_another_study_is_told_what_proposes_a_codebook() -> None:
    """Catches all columns of a codebook that was not asked for, and no word of what to do."""
    with pytest.raises(DataError, match=r"B3, \.\.\.: columns .* \(46\).*'bipbayes codebook FILE'"):
        responses_from_frame(pd.DataFrame({"pupil": [1], "school": [2]}), CODEBOOK)


def test_two_different_rows_of_a_day_are_refused_identical_ones_kept_once() -> None:
    """Catches silent loss of an answer, and double counting of a copied row."""
    frame = _frame()
    copied = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    assert _findings(copied)["identical rows of one {citizen} and date"][0] == 1
    assert len(responses_from_frame(copied, CODEBOOK).responses) == len(frame)
    copied.loc[len(frame), "B1"] = 5
    with pytest.raises(
        DataError, match=r"different rows of one citizen and date \(2, data rows 1, 7\)"
    ):
        responses_from_frame(copied, CODEBOOK)


def test_counted_warnings() -> None:
    """Catches a warning that is lost or counts the wrong rows."""
    frame = _frame()
    frame["comment"] = "x"
    frame.loc[1, "S1_22"] = 1  # beside an activity
    frame.loc[2, "jobcenter"] = "B"  # citizen 01 moves
    frame.loc[4, ["S1_22", "S1_23"]] = [0, 1]  # only "don't know"
    found = _findings(frame)
    assert found["columns not in the codebook"] == (1, "comment")
    assert found["ticked beside an activity"] == (1, "S1_22")
    assert found["{citizens} with responses in more than one {jobcenter}"][0] == 1
    assert found["responses whose activities are unknown"][0] == 1
    responses = responses_from_frame(frame, CODEBOOK).responses
    assert responses["combination"].tolist() == ["0000", "1000", "0000", "1000", "", "1000"]


def test_nothing_ticked_is_unknown_never_no_treatment() -> None:
    """Catches an empty S1 counted as 0000, which would swell the reference group."""
    frame = _frame()
    frame.loc[0, BOXES] = 0
    frame.loc[1, BOXES] = np.nan
    assert responses_from_frame(frame, CODEBOOK).responses["combination"].tolist()[:2] == ["", ""]


def test_one_column_a_treatment() -> None:
    """Catches explicit J, O, S, H zeros read as unknown, and a gap read as zero."""
    frame = _frame().drop(columns=BOXES)
    frame[["J", "O", "S", "H"]] = 0.0
    frame.loc[1, "S"] = 1.0
    frame.loc[2, "O"] = np.nan
    combination = responses_from_frame(frame, CODEBOOK).responses["combination"].tolist()
    assert combination[:3] == ["0000", "0010", ""]


def test_ids_that_lost_their_zeros_are_noticed() -> None:
    """Catches ids of a fixed width that went through a spreadsheet; text ids are left alone."""
    frame = _frame().assign(citizen=[7, 1234, 7, 1234, 7, 1234])
    found = _findings(frame)
    assert found["ids of digits that are shorter than the others"] == (1, "citizen")
    assert "ids of digits that are shorter than the others" not in _findings(_frame())


def test_whole_float_ids_are_text_without_decimals() -> None:
    """Catches '12.0' for citizen 12 where a format stores ids as floats."""
    study = responses_from_frame(_frame().assign(citizen=[12.0, 13.0] * 3), CODEBOOK)
    assert set(study.responses["citizen"]) == {"12", "13"}


def test_synthetic_mark_travels_and_never_mixes() -> None:
    """Catches synthetic data passing as real, and real rows under a synthetic mark."""
    assert responses_from_frame(_frame().assign(synthetic=1), CODEBOOK).synthetic
    assert not responses_from_frame(_frame(), CODEBOOK).synthetic
    with pytest.raises(DataError, match="never mix"):
        responses_from_frame(_frame().assign(synthetic=[1, 0] * 3), CODEBOOK)


def test_unreadable_files_are_one_sentence(tmp_path: Path) -> None:
    """Catches tracebacks for a missing file, an unknown format, an empty or a broken file."""
    (tmp_path / "a.xyz").write_text("x")
    (tmp_path / "a.sa").write_text("x")
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "a.parquet").write_text("no parquet")
    for name, words in [
        ("absent.csv", "no file .*absent.csv; give the path of one that is there"),
        ("a.cs", "no file .*a.cs; did you mean 'a.csv'"),
        ("a.xyz", "unknown format '.xyz'; what is read ends in .csv, "),
        ("a.sa", "unknown format '.sa'; .* did you mean '.sav'"),
        ("a.csv", "is empty"),
        ("a.parquet", "cannot be read as parquet"),
    ]:
        with pytest.raises(DataError, match=words):
            read_responses(tmp_path / name, CODEBOOK)


def test_rows_without_keys_are_refused() -> None:
    """Catches a response that would silently belong to a citizen called 'nan'."""
    frame = _frame()
    frame.loc[0, "citizen"] = None
    with pytest.raises(DataError, match=r"citizen: rows without a value \(1, data row 1\)"):
        responses_from_frame(frame, CODEBOOK)


@pytest.mark.parametrize("lacking", ["S12", "date", "citizen", "jobcenter"])
def test_a_missing_column_does_not_hide_other_faults(lacking: str) -> None:
    """Catches a second refusal after the first was mended."""
    frame = _frame().drop(columns=lacking)
    frame.loc[0, "B2"] = 7
    with pytest.raises(DataError, match="lacks") as caught:
        responses_from_frame(frame, bip_codebook())
    assert lacking in str(caught.value) and "B2" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "name", "hint"),
    [
        ("B1", "b1", "'b1' for 'B1'"),
        ("jobcenter", "job center", "'job center' for 'jobcenter'"),
        ("citizen", "citizens", "'citizens' for 'citizen'"),
        ("S1_22", "S1-22", "'S1-22' for 'S1_22'"),
        ("B1", "Q", ""),
    ],
)
def test_a_missing_column_is_looked_for_under_a_similar_name(
    column: str, name: str, hint: str
) -> None:
    """Catches a hint that is not given, that names a column in use (B10), or any name at all."""
    frame = _frame().rename(columns={column: name}).assign(B10=1)
    with pytest.raises(DataError, match=f"{column}.*lacks") as caught:
        responses_from_frame(frame, bip_codebook())
    said = str(caught.value)
    assert (f"did you mean {hint}?" in said) if hint else ("mean" not in said)


def test_only_files_with_a_header_are_told_to_have_one(tmp_path: Path) -> None:
    """Catches advice on a first line for SPSS, Parquet or a frame, which have none."""
    frame = pd.DataFrame({"pupil": [1.0], "school": [2.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"))
    for suffix in (".csv", ".xlsx", ".parquet", ".sav"):
        path = tmp_path / f"a{suffix}"
        with pytest.raises(DataError, match="lacks") as caught:
            read_responses(path, CODEBOOK)
        assert ("header" in str(caught.value)) == (suffix in (".csv", ".xlsx"))


def test_values_in_the_place_of_a_header_are_not_named() -> None:
    """Catches a citizen's id offered as a column, since it looks like the column's name."""
    frame = _frame()
    names = ["citizen7", "date of visit", *(f"value{i}" for i in range(frame.shape[1] - 2))]
    with pytest.raises(DataError, match="lacks") as caught:
        responses_from_frame(frame.set_axis(names, axis=1), CODEBOOK)
    assert "citizen7" not in str(caught.value)


@pytest.mark.parametrize("date", ["2017", "2017-05", "31-12-2017", "2017-02-30"])
def test_what_is_no_whole_date_is_unreadable(date: str) -> None:
    """Catches a year read as its first of January."""
    frame = _frame()
    frame["date"] = frame["date"].astype("object")
    frame.loc[0, "date"] = date
    with pytest.raises(DataError, match=r"date: dates that cannot be read \(1, data row 1\)"):
        responses_from_frame(frame, CODEBOOK)


def test_times_of_day_and_zones_are_dropped() -> None:
    """Catches a traceback where one date has a time zone."""
    plain, timed = _frame(), _frame()
    timed["date"] = timed["date"].astype("object")
    timed.loc[0, "date"] = f"{plain['date'].astype(str).iloc[0]}T00:00:00Z"
    dates = [
        responses_from_frame(frame, CODEBOOK).responses["date"].to_list()
        for frame in (plain, timed)
    ]
    assert dates[0] == dates[1]


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """Catches the second of two columns, renamed by pandas and ignored as an extra one."""
    frame = _frame()
    frame.insert(0, "B1 again", 1)
    text = frame.to_csv(index=False).replace("B1 again", "B1", 1)
    path = tmp_path / "twice.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="B1: column names that repeat"):
        read_responses(path, CODEBOOK)


def test_faults_say_in_which_rows(tmp_path: Path) -> None:
    """Catches counts without a place, row numbers that are off by one, and values in messages."""
    frame = _frame()
    frame.loc[[1, 4], "B2"] = 97
    frame["date"] = frame["date"].astype("object")
    frame.loc[[0, 2, 3, 5], "date"] = "soon"
    path = tmp_path / "responses.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(DataError) as told:
        read_responses(path, CODEBOOK)
    text = str(told.value)
    assert "B2: values outside the scale (2, data rows 2, 5)" in text
    assert "date: dates that cannot be read (4, first in data rows 1, 3, 4)" in text
    assert "97" not in text and "soon" not in text


def test_only_an_empty_label_is_missing(tmp_path: Path) -> None:
    """Catches sites called NA or None, and ids called nan, that are read as no value."""
    frame = _frame()
    frame["jobcenter"] = ["NA", "None", "nan", "NULL", "<NA>", "N/A"]
    frame["citizen"] = ["NA", "None"] * 3
    frame.loc[1, "B1"] = np.nan
    path = tmp_path / "responses.csv"
    frame.to_csv(path, index=False)
    for study in (read_responses(path, CODEBOOK), responses_from_frame(frame, CODEBOOK)):
        assert study.responses["jobcenter"].tolist() == frame["jobcenter"].tolist()
        assert study.responses["citizen"].tolist() == frame["citizen"].tolist()
        assert int(study.responses["B1"].isna().sum()) == 1
    frame.loc[0, "jobcenter"] = ""
    with pytest.raises(DataError, match=r"jobcenter: rows without a value \(1, data row 1\)"):
        responses_from_frame(frame, CODEBOOK)


def test_unicode_forms_of_a_site_are_one_site() -> None:
    """Catches two sites, or two citizens, of one name in two Unicode forms."""
    frame = _frame()
    frame["jobcenter"] = ["Åbenrå", unicodedata.normalize("NFD", "Åbenrå")] * 3
    study = responses_from_frame(frame, CODEBOOK)
    assert set(study.responses["jobcenter"]) == {"Åbenrå"}
    assert _findings(frame)["labels in another Unicode form"] == (3, "jobcenter")
    assert "labels in another Unicode form" not in _findings(_frame())


@pytest.mark.parametrize("twin", ["aarhus", "Aar\u200bhus", "Aarhus\u00ad", "Aar hus", "Ａarhus"])
def test_sites_that_look_the_same_are_refused(twin: str) -> None:
    """Catches two sites that differ by case or by what nobody sees; says how many rows."""
    frame = _frame()
    frame["jobcenter"] = ["Aarhus", "Aarhus", twin, "Viborg", "Viborg", "Viborg"]
    with pytest.raises(DataError, match=r"differ only by case.*\(3, data rows 1, 2, 3\)") as caught:
        responses_from_frame(frame, CODEBOOK)
    assert "Aarhus" not in str(caught.value)


def test_sites_of_the_list_that_never_occur_are_told() -> None:
    """Catches a misspelt name in a codebook's list, and the report's letters held against names."""
    codebook = with_boxes(make_codebook(jobcenters=["north", "east", "weast"]))
    rows = random_responses(codebook, seed=1).drop(columns="combination")
    study = responses_from_frame(rows[rows["jobcenter"] != "weast"], codebook)
    told = [finding.sentence(codebook) for finding in study.findings]
    assert told[-1] == "jobcenter: the codebook lists sites that no row holds (1); weast"
    assert not any("list" in rule for rule in _findings(_frame().assign(jobcenter="Aarhus")))


SLIPS = {
    "North school": ("Nort school", "North, school.", "Nroth school", "North schoool"),
    "Åbenrå": ("Aabenraa", "Åbennrå"),
    "St. Mary's": ("St Marys",),
    "Nordbjerg": ("Nordbjørg", "Nordberg"),
}
OWN_NAMES = (
    ("School 1", "School 2", "School 12", "School 1.2"),
    ("Site A", "Site B", "SiteC", "SiteD", "Site I", "Site II", "SiteIII", "SiteIV"),
    ("Nordøst", "Nordvest", "Sydøst", "Sydvest", "northeast", "northwest", "North", "South"),
    ("Vejen", "Vejle", "Frederiksberg", "Frederikshavn", "Fanø", "Samsø", "Morsø", "Herlev"),
    (
        "sitea",
        "siteb",
        "Ward Group +",
        "Ward Group -",
        "第一学校",
        "第二学校",
        "A",
        "AB",
        "C#",
        "Boys",
        "Toys",
    ),
    ("teamaeast", "teambeast", "teamceast", "teamdeast", "teameeast", "teamfeast", "teamgeast"),
)


@pytest.mark.parametrize(
    ("name", "slip"), [(n, slip) for n, all_ in SLIPS.items() for slip in all_]
)
def test_a_site_that_is_spelt_nearly_as_another_is_told(name: str, slip: str) -> None:
    """Catches a slip that makes a site of its own, and one that is told of the wrong rows."""
    frame = pd.concat([_frame(), _frame().assign(citizen="7")], ignore_index=True)
    frame["jobcenter"] = [slip, *[name] * 6, slip, *[name] * 4]
    study = responses_from_frame(frame, CODEBOOK)
    (told,) = (f.sentence(CODEBOOK) for f in study.findings if "nearly" in f.rule)
    assert "(2, data rows 1, 8); each is read as a jobcenter of its own" in told
    assert slip not in told


def test_answers_that_missing_codes_take_away_are_counted() -> None:
    """Catches answers that vanish unseen; counts by column leave only where they are not small."""
    own = {"q1": (8,), "q2": (8, "unsure"), "q3": ()}
    book = make_codebook(3, 1)
    items = tuple(replace(item, missing=own[item.code]) for item in book.indicators)
    book = with_boxes(replace(book, indicators=items, missing=(9,)))
    rows = random_responses(book, seed=1).drop(columns="combination").astype({"q2": "object"})
    rows.loc[:4, "q1"], rows.loc[2:3, "q2"], rows.loc[4, "q2"] = 8, "unsure", 8
    rows.loc[6, book.activities[0].column] = 9
    told = [f for f in responses_from_frame(rows, book).findings if f.column == "missing"]
    assert [f.by_column for f in told] == [{"q1": 5, "q2": 3}, {book.activities[0].column: 1}]
    sentence = "missing: answers that the codebook's 'missing' reads as none (8: q1 5, q2 3); left"
    assert told[0].sentence(book).startswith(sentence)
    assert "none (8); left" in told[0].sentence(book, fewest=5)


@pytest.mark.parametrize("names", OWN_NAMES)
def test_names_of_one_series_are_no_slips(names: tuple[str, ...]) -> None:
    """Catches false alarms: a remark that is often wrong is not read."""
    counts = {name: 100 if place % 2 else 1 for place, name in enumerate(names)}
    assert near_labels(counts) == near_labels(dict.fromkeys(names, 1)) == []

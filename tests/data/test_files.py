"""Formats: what a file of each kind holds is read right, or refused with what to do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from builders import make_codebook, random_responses

from bipbayes.data.codebook import Codebook
from bipbayes.data.files import csv_blocks, read_csv
from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.read import read_responses, responses_from_frame
from bipbayes.errors import DataError

TABLE = {
    "scale": [1, 5],
    "indicators": [{"code": f"q{i}", "respondent": "citizen"} for i in (1, 2)],
    "treatments": {"T": {"columns": ["T"]}},
}
CODEBOOK = parse_codebook(TABLE)


def codebook(**more: object) -> Codebook:
    """The small study with other lines in its codebook."""
    return parse_codebook({**TABLE, **more})


def plain(rows: int = 40) -> pd.DataFrame:
    """A small study as a file holds it: gaps, Danish letters, ids with leading zeros."""
    frame = random_responses(make_codebook(2, 1), seed=5).head(rows).reset_index(drop=True)
    frame = frame[["citizen", "jobcenter", "date", "q1", "q2", "T"]].copy()
    frame["citizen"] = "00" + frame["citizen"].astype("str")
    names = dict(zip(sorted(frame["jobcenter"].unique()), ("Ærø", "Bjørn, Nord"), strict=False))
    frame["jobcenter"] = frame["jobcenter"].map(names).fillna("Vest")
    frame["date"] = pd.to_datetime(frame["date"])
    return frame


def as_text(frame: pd.DataFrame, *, delimiter: str = ",", date_format: str = "%Y-%m-%d") -> str:
    """The frame as delimited text."""
    return frame.to_csv(index=False, sep=delimiter, date_format=date_format)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Path]] = {}


def writer(name: str) -> Callable[[Callable[[pd.DataFrame, Path], Path]], None]:
    """Register how a kind of file is written."""

    def register(function: Callable[[pd.DataFrame, Path], Path]) -> None:
        WRITERS[name] = function

    return register


def _text_writer(name: str, encoding: str, delimiter: str, first: str = "") -> None:
    @writer(name)
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = folder / "data.csv"
        path.write_bytes((first + as_text(frame, delimiter=delimiter)).encode(encoding))
        return path


for _name, _encoding, _delimiter, _first in (
    ("comma", "utf-8", ",", ""),
    ("semicolon", "utf-8-sig", ";", ""),
    ("Windows", "cp1252", ";", ""),
    ("tab", "utf-8", "\t", ""),
    ("Unicode text", "utf-16", "\t", ""),
    ("UTF-16 without a mark", "utf-16-le", ",", ""),
    ("big end first", "utf-16-be", ",", ""),
    ("UTF-32", "utf-32", ",", ""),
    ("sep=", "utf-8", ";", "sep=;\r\n"),
    ("sep= after a mark", "utf-8-sig", "|", "sep=|\n"),
):
    _text_writer(_name, _encoding, _delimiter, _first)


@writer("Excel")
def _excel(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_excel(folder / "data.xlsx", index=False)
    return folder / "data.xlsx"


@writer("Parquet folder")
def _folder(frame: pd.DataFrame, folder: Path) -> Path:
    place = folder / "parts"
    place.mkdir()
    for number, part in enumerate((frame.iloc[:17], frame.iloc[17:])):
        part.to_parquet(place / f"part-{number}.parquet", index=False)
    return place


@writer("Parquet dictionaries")
def _dictionaries(frame: pd.DataFrame, folder: Path) -> Path:
    frame = frame.astype(dict.fromkeys(("citizen", "jobcenter", "q1", "T"), "category"))
    frame.to_parquet(folder / "data.parquet")
    return folder / "data.parquet"


@writer("Parquet zone")
def _zone(frame: pd.DataFrame, folder: Path) -> Path:
    frame = frame.assign(date=frame["date"].dt.tz_localize("Europe/Copenhagen"))
    frame.to_parquet(folder / "data.parquet")
    return folder / "data.parquet"


@writer("Parquet days and decimals")
def _days(frame: pd.DataFrame, folder: Path) -> Path:
    table = pa.Table.from_pandas(frame)
    for name, kind in (("date", pa.date32()), ("q2", pa.decimal128(5, 1))):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    pq.write_table(table, folder / "data.parquet")
    return folder / "data.parquet"


def _stata(display: str, origin: str, unit: str) -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        since = (frame["date"] - pd.Timestamp(origin)) / pd.Timedelta(1, unit)
        path = folder / "data.dta"
        made = frame.assign(date=since.astype("float64"))
        pyreadstat.write_dta(made, str(path), variable_format={"date": display})
        return path

    return write


for _display in ("%td", "%tdDD/NN/CCYY", "%tdD_m_Y", "%-tdCCYY.NN.DD", "%d", "%dD_m_Y"):
    WRITERS[f"Stata {_display}"] = _stata(_display, "1960-01-01", "D")
for _display in ("%tc", "%tcDD/NN/CCYY_HH:MM", "%tC"):
    WRITERS[f"Stata {_display}"] = _stata(_display, "1960-01-01", "ms")


@writer("SPSS")
def _spss(frame: pd.DataFrame, folder: Path) -> Path:
    pyreadstat.write_sav(frame, str(folder / "data.sav"))
    return folder / "data.sav"


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_gives_the_same_study(tmp_path: Path, kind: str) -> None:
    """Catches a format that shifts days, loses zeros of ids or letters, or fills gaps."""
    frame = plain()
    expected = responses_from_frame(frame, CODEBOOK).responses
    read = read_responses(WRITERS[kind](frame, tmp_path), CODEBOOK)
    pd.testing.assert_frame_equal(read.responses, expected)
    assert frame[["q1", "q2"]].isna().any().any() and frame["citizen"].str.startswith("00").all()


def test_a_folder_s_digest_follows_every_part(tmp_path: Path) -> None:
    """Catches a folder whose parts change without the run noticing that the data are others."""
    place = WRITERS["Parquet folder"](plain(), tmp_path)
    before = read_responses(place, CODEBOOK).digest
    assert read_responses(place, CODEBOOK).digest == before
    plain().iloc[:16].to_parquet(place / "part-0.parquet", index=False)
    assert read_responses(place, CODEBOOK).digest != before


def refusal(path: Path, book: Codebook = CODEBOOK) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(DataError) as caught:
        read_responses(path, book)
    return str(caught.value)


@pytest.mark.parametrize(
    ("display", "what"),
    [("%tm", "months"), ("%tq", "quarters"), ("%tw", "weeks"), ("%th", "half-years"),
     ("%ty", "years"), ("%tmCCYY-NN", "months")],
)  # fmt: skip
def test_stata_s_periods_are_named(tmp_path: Path, display: str, what: str) -> None:
    """Catches months read as days since 1960, and a refusal that does not say why."""
    path = _stata(display, "1960-01-01", "D")(plain(), tmp_path)
    assert f"date: the column holds {what}, not days (40, " in refusal(path)


@pytest.mark.parametrize(("display", "what"), [("MOYR8", "months"), ("QYR8", "quarters")])
def test_spss_s_periods_are_named(tmp_path: Path, display: str, what: str) -> None:
    """Catches months of SPSS read as their first day."""
    path = tmp_path / "data.sav"
    frame = plain().assign(date=1.36e10)
    pyreadstat.write_sav(frame, str(path), variable_format={"date": display})
    assert f"the column holds {what}" in refusal(path)


@pytest.mark.parametrize("written", ["%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%d%b%Y"])
def test_dates_are_read_as_the_codebook_says_and_the_refusal_says_how(
    tmp_path: Path, written: str
) -> None:
    """Catches days and months exchanged, and a refusal that does not name the line that helps."""
    path = tmp_path / "data.csv"
    path.write_text(as_text(plain(), date_format=written), encoding="utf-8")
    assert f'dates = "{written}"' in refusal(path)
    read = read_responses(path, codebook(dates=written)).responses
    pd.testing.assert_frame_equal(read, responses_from_frame(plain(), CODEBOOK).responses)


def test_an_ambiguous_date_is_not_decided_for_the_user(tmp_path: Path) -> None:
    """Catches 01/02/2016 taken for the one or the other without a word."""
    path = tmp_path / "data.csv"
    frame = plain(3).assign(date=["01/02/2016", "03/04/2016", "05/06/2016"])
    frame.to_csv(path, index=False)
    said = refusal(path)
    assert 'dates = "%d/%m/%Y"' in said and 'or dates = "%m/%d/%Y"' in said


@pytest.mark.parametrize("numbers", [True, False])
def test_days_without_separators_need_their_zeros(*, numbers: bool) -> None:
    """Catches 1 February 2016, stored as the number 1022016, read as 10 February."""
    written = pd.Series([1022016, 11022016, 21022016])
    frame = plain(3).assign(date=written if numbers else written.astype("str"))
    with pytest.raises(DataError, match=r"dates that cannot be read \(1, data row 1\)"):
        responses_from_frame(frame, codebook(dates="%d%m%Y"))
    read = responses_from_frame(frame.iloc[1:], codebook(dates="%d%m%Y")).responses
    assert read["date"].dt.day.tolist() == [11, 21]


def test_every_end_of_line_is_one(tmp_path: Path) -> None:
    """Catches a file of an old Macintosh, or one of Windows, read as one line."""
    for end in ("\r", "\r\n"):
        path = tmp_path / "data.csv"
        path.write_bytes(as_text(plain()).replace("\n", end).encode())
        assert len(read_responses(path, CODEBOOK).responses) == 40


WORDS = ["Aldrig", "Sjældent", "Nu og da", "Ofte", "Altid"]


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("kind", ["comma", "Excel", "Parquet folder", "SPSS", "category"])
def test_answers_in_words_are_read_by_the_codebook(
    tmp_path: Path, kind: str, *, everywhere: bool
) -> None:
    """Catches words in the order of the alphabet, or a category's place taken for its answer."""
    frame = plain()
    words = frame.assign(q1=frame["q1"].map(dict(enumerate(WORDS, start=1))))
    if kind == "category":
        words["q1"] = words["q1"].astype("category")
        path = tmp_path / "data.parquet"
        words.to_parquet(path)
    else:
        path = WRITERS[kind](words, tmp_path)
    assert "answers = [" in refusal(path) and "Ofte" not in refusal(path)
    items = [{**TABLE["indicators"][0], "answers": WORDS}, TABLE["indicators"][1]]
    book = codebook(answers=WORDS) if everywhere else codebook(indicators=items)
    expected = responses_from_frame(frame, CODEBOOK).responses
    pd.testing.assert_frame_equal(read_responses(path, book).responses, expected)


def test_a_wrong_word_of_the_codebook_is_named_and_none_of_the_file() -> None:
    """Catches a refusal that leaves the reader to compare words, or that quotes an answer."""
    frame = plain(5).assign(q1=WORDS)
    said = []
    for word in ("Often", "Ofte "):
        wrong = [*WORDS[:3], word, WORDS[4]]
        items = [{**TABLE["indicators"][0], "answers": wrong}, TABLE["indicators"][1]]
        try:
            responses_from_frame(frame, codebook(indicators=items))
        except DataError as error:
            said.append(str(error))
    assert len(said) == 1 and "(1, data row 4)" in said[0]
    assert "no row holds 'Often' (1 of its 5 words)" in said[0]
    assert not any(word in said[0].replace("'Often'", "") for word in WORDS)


def test_turned_items_are_turned_after_their_words_are_read() -> None:
    """Catches words counted from the wrong end for an item with reverse."""
    items = [
        {**TABLE["indicators"][0], "answers": WORDS, "reverse": True},
        {**TABLE["indicators"][1]},
    ]
    frame = plain(5).assign(q1=WORDS)
    read = responses_from_frame(frame, codebook(indicators=items)).responses
    assert read["q1"].tolist() == [5, 4, 3, 2, 1]


def test_midnights_of_another_zone_are_refused_not_the_day_before(tmp_path: Path) -> None:
    """Catches local midnights stored in UTC: every response a day early."""
    frame = plain()
    utc = frame["date"].dt.tz_localize("Europe/Copenhagen").dt.tz_convert("UTC")
    path = tmp_path / "data.parquet"
    frame.assign(date=utc).to_parquet(path)
    assert "dates that cannot be read (40, " in refusal(path)
    text = tmp_path / "data.csv"
    frame.assign(date=utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(text, index=False)
    assert "dates that cannot be read (40, " in refusal(text)


IDS = 123_456_700 + np.arange(40)


@pytest.mark.parametrize(
    "stored",
    [
        pd.Series(2048 + np.arange(40), dtype="float16"),
        pd.Series(IDS, dtype="float32"),
        pd.Series(IDS, dtype="float32").astype("float64"),
        pd.Series(IDS, dtype="float32").astype("int64"),
        pd.Series(2**53 + np.arange(40), dtype="float64"),
        pd.Series([f"{number:.2E}" for number in IDS]),
        pd.Series([f"{number:.2E}".replace(".", ",") for number in IDS]),
        pd.Series([f"{number:.2e}".replace("+0", "") for number in IDS]),
    ],
)
def test_ids_that_lost_digits_are_refused(stored: pd.Series) -> None:
    """Catches people merged since a number could not hold their ids."""
    with pytest.raises(DataError, match=r"citizen: labels that have lost digits \(40, ") as caught:
        responses_from_frame(plain().assign(citizen=stored), CODEBOOK)
    assert "different rows" not in str(caught.value)  # what follows from it is not a fault


@pytest.mark.parametrize(
    "stored",
    [
        pd.Series(np.arange(40), dtype="float32"),
        pd.Series(np.arange(40), dtype="float16"),
        pd.Series(IDS, dtype="int64"),
        pd.Series(IDS, dtype="float64"),
        pd.Series(2**53 + np.arange(40), dtype="int64"),
        pd.Series(100_000_000 + 1000 * np.arange(40), dtype="int64"),
        pd.Series([f"{number}E5" for number in range(40)]),
    ],
)
def test_ids_that_kept_their_digits_are_read(stored: pd.Series) -> None:
    """Catches ids refused that are whole."""
    read = responses_from_frame(plain().assign(citizen=stored), CODEBOOK)
    assert read.responses["citizen"].nunique() == 40


@pytest.mark.parametrize("value", [np.inf, 1e300])
def test_ids_that_are_no_numbers_at_all_are_refused(value: float) -> None:
    """Catches a traceback where a number of an id is infinite or beyond all whole numbers."""
    with pytest.raises(DataError, match="citizen: labels that have lost digits"):
        responses_from_frame(plain().assign(citizen=value), CODEBOOK)


@pytest.mark.parametrize("values", [[None] * 40, [2**64 - 1] * 40, [1.5] * 40, [np.nan] * 40])
def test_columns_without_a_date_are_refused(values: list[object]) -> None:
    """Catches a traceback where a codebook tells how dates are written and there is none."""
    with pytest.raises(DataError, match="date: "):
        responses_from_frame(plain().assign(date=values), codebook(dates="%d-%m-%Y"))


def test_long_numbers_of_excel_are_refused(tmp_path: Path) -> None:
    """Catches ids of 16 digits whose last one Excel wrote as zero."""
    path = tmp_path / "data.xlsx"
    plain().assign(citizen=1_234_567_890_123_450.0).to_excel(path, index=False)
    assert "citizen: numbers of more than 15 digits" in refusal(path)


def test_workbooks_with_two_filled_sheets_are_refused(tmp_path: Path) -> None:
    """Catches the first sheet read where the responses lie in the second."""
    path = tmp_path / "data.xlsx"
    with pd.ExcelWriter(path) as book:
        plain().to_excel(book, sheet_name="a", index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
    assert len(read_responses(path, CODEBOOK).responses) == 40
    with pd.ExcelWriter(path) as book:
        plain().to_excel(book, sheet_name="a", index=False)
        plain().to_excel(book, sheet_name="b", index=False)
    assert "2 sheets that hold something" in refusal(path)


def test_treatment_columns_beside_boxes_must_say_the_same() -> None:
    """Catches a file that says J = 1 in one place and 0 in the other: boxes won silently."""
    book = codebook(treatments={"J": {"columns": ["box"]}})
    frame = plain().rename(columns={"T": "box"})
    agreed = frame.assign(J=frame["box"])
    assert len(responses_from_frame(agreed, book).responses) == 40
    rows = agreed.index[agreed["box"].notna()][[3, 5]]
    agreed.loc[rows, "J"] = 1 - agreed.loc[rows, "box"]
    with pytest.raises(DataError, match=r"J: says something else than the tick boxes \(2, data"):
        responses_from_frame(agreed, book)


def test_blank_rows_and_unnamed_empty_columns_are_nothing(tmp_path: Path) -> None:
    """Catches what Excel leaves below and beside a table refused, or read as responses."""
    lines = as_text(plain()).splitlines()
    text = "\n".join([*(line + "," for line in lines), ",,,,,,", "", ",,,,,,", ""])
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    read = read_responses(tmp_path / "data.csv", CODEBOOK)
    assert len(read.responses) == 40 and [found.column for found in read.findings] == ["activities"]


def test_the_report_of_a_file_counts_and_names_no_citizen(tmp_path: Path) -> None:
    """Catches a report without the numbers that tell whether a file was understood."""
    path = WRITERS["comma"](plain().assign(note="x"), tmp_path)
    study = read_responses(path, CODEBOOK)
    lines = study.report()
    assert lines[0].startswith(f"data.csv: 40 responses of {plain()['citizen'].nunique()} persons")
    assert f"q1 {int(plain()['q1'].notna().sum())}" in lines[2]
    assert "Bjørn, Nord" in lines[3] and "note: columns not in the codebook" in lines[5]
    assert not any(citizen in "\n".join(lines) for citizen in plain()["citizen"])


@pytest.mark.parametrize(
    ("labels", "sites", "told"),
    [
        ({1: "North", 2: "North", 3: "South"}, "123", 2),
        ({1: "3", 2: "South"}, "123", 2),
        ({1: "North", 2: "South", 3: "West", 4: "South"}, ["North", "South", "West"], 0),
        ({1: "", 2: "South", 3: "West"}, ["1", "South", "West"], 0),
    ],
)
def test_codes_that_share_a_label_stay_apart(
    tmp_path: Path, labels: dict[int, str], sites: Sequence[str], told: int
) -> None:
    """Catches two sites that become one, names lost to a label that no row has, and no word."""
    frame = plain()
    frame["jobcenter"] = pd.factorize(frame["jobcenter"])[0] % 3 + 1
    frame["date"] = frame["date"].astype(str)
    for suffix, write in ((".sav", pyreadstat.write_sav), (".dta", pyreadstat.write_dta)):
        path = tmp_path / f"labelled{suffix}"
        write(frame, str(path), variable_value_labels={"jobcenter": labels})
        study = read_responses(path, CODEBOOK)
        assert sorted(study.responses["jobcenter"].unique()) == sorted(sites)
        assert sum(f.count for f in study.findings if "share a label" in f.rule) == told


def test_value_labels_name_sites_and_point_to_undeclared_missing_codes(tmp_path: Path) -> None:
    """Catches sites called 1 and 2, and a refusal that hides which codes are no answers."""
    frame = plain()
    sites = {float(place): f"Site {name}" for place, name in enumerate("ABC", start=1)}
    frame["jobcenter"] = pd.factorize(frame["jobcenter"])[0] % 3 + 1.0
    frame.loc[[0, 4], "q1"] = 8.0
    path = tmp_path / "study.sav"
    labels = {"jobcenter": sites, "q1": {1.0: "Never", 8.0: "Secret text"}}
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels)
    with pytest.raises(DataError) as caught:
        read_responses(path, CODEBOOK)
    assert "(8): where they mean no answer, the codebook's line missing = [8]" in str(caught.value)
    assert "Secret" not in str(caught.value)
    responses = read_responses(path, codebook(missing=[8])).responses
    assert set(responses["jobcenter"]) == set(sites.values())
    assert responses["q1"].isna().sum() == (frame["q1"].isna() | frame["q1"].eq(8)).sum()
    listed = codebook(missing=[8], jobcenters=["1", "2", "3"])
    assert set(read_responses(path, listed).responses["jobcenter"]) == {"1", "2", "3"}


@pytest.mark.parametrize("rows", [1, 7, 39, 40, 41])
def test_text_in_blocks_is_the_text(tmp_path: Path, rows: int) -> None:
    """Catches a block that loses its last row, or takes the header again."""
    path = tmp_path / "study.csv"
    path.write_text("sep=;\n" + as_text(plain(), delimiter=";"), encoding="utf-16", newline="")
    blocks = list(csv_blocks(path, rows))
    assert [len(block) for block in blocks] == [
        *[rows] * (40 // rows),
        *([40 % rows] if 40 % rows else []),
    ]
    pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), read_csv(path))


def test_blocks_refuse_what_the_whole_refuses(tmp_path: Path) -> None:
    """Catches a cut-off last row that a block before it hides, and lines counted by block."""
    lines = as_text(plain()).splitlines()
    path = tmp_path / "study.csv"
    for damaged in ([*lines[:-1], lines[-1][:12]], [*lines[:30], lines[30] + ",1", *lines[31:]]):
        path.write_text("\n".join(damaged), encoding="utf-8")
        with pytest.raises(DataError) as whole:
            read_csv(path)
        with pytest.raises(DataError) as blocks:
            list(csv_blocks(path, 7))
        assert str(blocks.value) == str(whole.value)


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
def test_what_a_file_calls_its_columns_names_what_the_codebook_does_not(
    tmp_path: Path, suffix: str
) -> None:
    """Catches labels that are lost, that win over the codebook's, or stand for several boxes."""
    path = tmp_path / f"study{suffix}"
    frame = plain().assign(U=0.0, V=0.0)
    frame["date"] = frame["date"].dt.strftime("%Y-%m-%d")
    labels = {"q1": "Sleeps\nwell ", "q2": "Other words", "T": "Visits", "U": "Calls"}
    kept = {name: labels.get(name, name) for name in frame}
    write = pyreadstat.write_sav if suffix == ".sav" else pyreadstat.write_dta
    write(frame, str(path), column_labels=list(kept.values()))
    indicators = [{**entry, "label": {"en": "Ours"} if entry["code"] == "q2" else {}}
                  for entry in TABLE["indicators"]]  # fmt: skip
    both = {"T": {"columns": ["T"]}, "W": {"columns": ["U", "V"]}}
    study = read_responses(path, codebook(indicators=indicators, treatments=both))
    found = {one.code: dict(one.label) for one in study.codebook.indicators}
    assert found == {"q1": {"en": "Sleeps well"}, "q2": {"en": "Ours"}}
    assert [dict(one.label) for one in study.codebook.treatments] == [{"en": "Visits"}, {}]


def test_days_of_spss_are_days_whatever_the_codebook_says_of_text(tmp_path: Path) -> None:
    """Catches a refusal of every row of a file whose dates are dates."""
    path = tmp_path / "study.sav"
    frame = plain()
    pyreadstat.write_sav(frame.assign(date=frame["date"].dt.date), str(path))
    responses = read_responses(path, codebook(dates="%d-%m-%Y")).responses
    assert responses["date"].tolist() == frame["date"].tolist()


def test_an_order_of_words_that_is_not_the_codebooks_is_told() -> None:
    """Catches a scale that is upside down although the file says how its words are ordered."""
    words = ["Never", "Seldom", "Some", "Often", "Always"]
    frame = plain()
    for item in ("q1", "q2"):
        places = frame[item].fillna(0).astype(int) - 1
        frame[item] = pd.Categorical.from_codes(places, words, ordered=True)
    for order, told in ((words, []), (words[::-1], ["q1", "q2"])):
        found = responses_from_frame(frame, codebook(answers=order)).findings
        assert [f.column for f in found if "orders otherwise" in f.rule] == told


def test_a_mark_before_the_marked_first_line_is_no_letter(tmp_path: Path) -> None:
    """Catches a first column that is lacking, since two programs wrote that the file is UTF-8."""
    path = tmp_path / "marked.csv"
    path.write_bytes("\ufeff\ufeff".encode() + plain().to_csv(index=False).encode())
    assert len(read_responses(path, CODEBOOK).responses) == len(plain())

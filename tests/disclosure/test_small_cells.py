"""Small cells are blank, in every format, and cannot be worked out."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frame_builders import comparison_frame, long_frame, small_codebook

from bipbayes.disclosure.small_cells import TOO_FEW, blank_small_cells
from bipbayes.errors import DataError, SettingsError
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.tables.export import RunFrames, run_tables
from bipbayes.tables.write import DEFAULT_FORMATS, WRITERS, write_tables
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CELLS = {"00": 60, "01": 9, "10": 30, "11": 7}


def cells(citizens: dict[str, float], *, outcome: str = "q1") -> pd.DataFrame:
    frame = pd.DataFrame({"combination": list(citizens), "n_citizens": list(citizens.values())})
    return frame.assign(
        outcome=outcome, n=frame["n_citizens"] * 2, estimate=0.3, note="", level=0.9
    )


def blanks(frame: pd.DataFrame, *, minimum_count: int = 5) -> set[str]:
    result = blank_small_cells(frame, minimum_count=minimum_count, no_treatment="00")
    hidden = result.frame["estimate"].isna()
    assert (result.frame["n"].isna() == hidden).all()
    assert (result.frame["n_citizens"].isna() == hidden).all()
    assert result.rows == hidden.sum()
    return set(result.frame.loc[hidden, "combination"])


def test_nothing_is_blanked_without_small_cells() -> None:
    """Catches blanking at the limit itself."""
    assert blanks(cells({**CELLS, "11": 5})) == set()


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    """Catches one blank alone, which is the total less the others."""
    assert blanks(cells({**CELLS, "11": 4})) == {"11", "01"}


def test_blanks_together_hold_enough_citizens() -> None:
    """Catches two blanks whose sum, known from the total, is itself a small cell."""
    assert blanks(cells({**CELLS, "11": 1, "01": 2})) == {"11", "01", "10"}


def test_empty_cells_are_small() -> None:
    """Catches a printed zero, which tells as much as a printed one."""
    assert blanks(cells({**CELLS, "11": 0})) == {"11", "01"}


def test_unknown_counts_are_blank_and_all_indicators_follow_the_largest() -> None:
    """Catches numbers let out because nobody counted the citizens behind them."""
    assert blanks(cells({**CELLS, "10": np.nan})) == {"10", "11"}
    frame = pd.concat([cells(CELLS), cells(dict.fromkeys(CELLS, np.nan), outcome=ALL_INDICATORS)])
    result = blank_small_cells(frame.reset_index(drop=True), minimum_count=5, no_treatment="00")
    assert result.rows == 0


def test_all_indicators_rest_on_the_indicator_with_most_citizens() -> None:
    """Catches a mean over indicators that is blank with any one of them."""
    few = cells({**CELLS, "11": 4})
    mean = cells(dict.fromkeys(CELLS, np.nan), outcome=ALL_INDICATORS)
    frame = pd.concat([few, cells(CELLS, outcome="q2"), mean], ignore_index=True)
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    hidden = result.loc[result["estimate"].isna(), ["outcome", "combination"]]
    assert set(map(tuple, hidden.to_numpy())) == {("q1", "11"), ("q1", "01")}


def test_the_fewest_citizens_of_any_row_count() -> None:
    """Catches a row of few citizens printed, since another row of its cell rests on more."""
    frame = pd.concat([cells(CELLS), cells({**CELLS, "11": 4})], ignore_index=True)
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    hidden = result.groupby("combination")["estimate"].agg(lambda values: values.isna().sum())
    assert hidden.to_dict() == {"00": 0, "01": 2, "10": 0, "11": 2}


def test_factorial_terms_are_judged_one_by_one() -> None:
    """Catches terms printed of which nobody counted the citizens, or blank beside a small one."""
    frame = cells({"T": 5, "U": 4, "TU": np.nan}).assign(estimand="factorial")
    assert blanks(frame) == {"U", "TU"}


def test_outcomes_are_judged_by_their_own_citizens() -> None:
    """Catches one outcome's small cell blanking, or freeing, another's."""
    frame = pd.concat([cells({**CELLS, "11": 4}), cells(CELLS, outcome="q2")], ignore_index=True)
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    assert result.loc[result["outcome"] == "q2", "estimate"].notna().all()


def test_level_and_labels_stay_and_the_note_says_why() -> None:
    """Catches rows that lose what tells them apart."""
    result = blank_small_cells(cells({**CELLS, "11": 4}), minimum_count=5, no_treatment="00").frame
    assert result["level"].tolist() == [0.9] * 4
    assert result["combination"].tolist() == list(CELLS)
    assert result.loc[3, "note"] == TOO_FEW.format(count=5)


def _planted(frame: pd.DataFrame, combination: str) -> pd.DataFrame:
    """Give one combination of q1 four citizens."""
    small = (frame["outcome"] == "q1") & (frame["combination"] == combination)
    return frame.assign(n_citizens=frame["n_citizens"].mask(small, 4.0))


def test_every_source_errors_and_estimand_of_a_cell_is_blank() -> None:
    """Catches OLS hidden while the posterior, other errors or the contrast still tell."""
    frame = _planted(long_frame(CODEBOOK), "11")
    frame = frame[frame["estimand"].isin(["effect", "contrast"])]
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    hidden = result[result["estimate"].isna()]
    assert set(hidden["outcome"]) == {"q1"}
    counts = hidden.groupby("combination").size()
    assert len(counts) == 2
    assert counts["11"] == 2 * 2 + 2  # two errors and the posterior, as effect and contrast
    numbers = [c for c in result if c != "level" and result[c].dtype == float]
    assert hidden[numbers].isna().all(axis=None)


def test_contrasts_go_with_their_reference() -> None:
    """Catches the reference's effect worked out as effect less contrast."""
    frame = _planted(long_frame(CODEBOOK), "00")
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    contrasts = result[(result["estimand"] == "contrast") & (result["outcome"] == "q1")]
    assert contrasts["estimate"].isna().all()
    assert result.loc[result["outcome"] == "q2", "estimate"].notna().all()


def test_jobcenters_of_a_combination_are_protected() -> None:
    """Catches a jobcenter's cell worked out from the combination's own row."""
    frame = long_frame(CODEBOOK)
    own = (frame["outcome"] == ALL_INDICATORS) & (frame["combination"] == "01")
    frame.loc[own & (frame["jobcenter"] == "south"), "n_citizens"] = 3
    frame.loc[own & (frame["jobcenter"] == "west"), "n_citizens"] = 11
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    hidden = result[result["estimate"].isna()]
    assert set(hidden["jobcenter"]) == {"south", "west"}
    assert set(hidden["combination"]) == {"01"}


def test_a_blank_combination_takes_its_jobcenters_along() -> None:
    """Catches a combination worked out as the sum of its jobcenters."""
    frame = long_frame(CODEBOOK)
    whole = (frame["outcome"] == ALL_INDICATORS) & (frame["jobcenter"] == "")
    frame.loc[whole & (frame["combination"] == "01"), "n_citizens"] = 2
    result = blank_small_cells(frame, minimum_count=5, no_treatment="00").frame
    parts = result[(result["jobcenter"] != "") & (result["combination"] == "01")]
    assert parts["estimate"].isna().all()


def test_faulty_use_is_refused() -> None:
    """Catches limits below what any rule allows, and frames that do not say."""
    with pytest.raises(SettingsError, match="at least 3"):
        blanks(cells(CELLS), minimum_count=2)
    with pytest.raises(DataError, match="n_citizens"):
        blank_small_cells(
            cells(CELLS).drop(columns="n_citizens"), minimum_count=5, no_treatment="00"
        )


@pytest.fixture
def frames() -> RunFrames:
    """A run whose cell q1, 11 has planted numbers and four citizens."""
    comparison = _planted(comparison_frame(CODEBOOK), "11")
    own = (comparison["outcome"] == "q1") & (comparison["combination"] == "11")
    planted = {"ols_estimate": 0.777777, "posterior_mean": 0.888888, "n": 4321.0}
    comparison.loc[own, list(planted)] = list(planted.values())
    return RunFrames(comparison, _planted(long_frame(CODEBOOK), "11"), model="hierarchical")


def _written(
    frames: RunFrames,
    folder: Path,
    context: Context,
    *,
    formats: tuple[str, ...] = DEFAULT_FORMATS,
    **shown: Any,
) -> dict[str, str]:
    tables = run_tables(replace(frames, **shown), context)
    paths = write_tables(tables, folder, context=context, formats=formats)
    return {path.name: _text(path) for path in paths}


def _text(path: Path) -> str:
    if path.suffix != ".docx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as parts:
        return " ".join(
            parts.read(name).decode("utf-8") for name in parts.namelist() if name.endswith(".xml")
        )


def test_a_planted_cell_is_blank_in_every_format(frames: RunFrames, tmp_path: Path) -> None:
    """Catches a format that is written from the frame before it was protected."""
    context = Context(CODEBOOK, synthetic=False)
    texts = _written(frames, tmp_path, context, formats=tuple(WRITERS), outcomes=["q1", "q2"])
    for name, text in texts.items():
        for number in ("0.777", "0.888", "4321"):
            assert number not in text, name
    for ending in ("tex", "html", "docx", "md"):
        assert "fewer than 5 persons" in texts[f"comparison_effect.{ending}"]
    assert texts["comparison_effect.csv"].count("fewer than 5 persons") == 2


@pytest.mark.parametrize(
    "language, reasons",
    [("en", ("worked out", "all alike")), ("da", ("udregnes", "alle er ens"))],
)
def test_the_note_on_blanks_holds_for_every_blank(
    frames: RunFrames, tmp_path: Path, language: str, reasons: tuple[str, ...]
) -> None:
    """Catches an item that never changes, of many citizens, called one of few."""
    still = frames.comparison["outcome"] == "q2"
    numbers = [name for name in frames.comparison if name.startswith(("ols_", "posterior_"))]
    empty = {
        name: frames.comparison[name].mask(still)
        for name in numbers
        if pd.api.types.is_numeric_dtype(frames.comparison[name])
    }
    alike = replace(frames, comparison=frames.comparison.assign(**empty))
    context = Context(CODEBOOK, synthetic=False, language=language)
    texts = _written(alike, tmp_path, context, outcomes=["q2"])
    for ending in ("tex", "html"):
        flat = " ".join(texts[f"comparison_effect.{ending}"].split())
        assert all(reason in flat for reason in reasons)


def test_synthetic_data_are_exported_whole(frames: RunFrames, tmp_path: Path) -> None:
    """Catches blanks where nobody needs protection, and the missing word synthetic."""
    context = Context(CODEBOOK, synthetic=True)
    texts = _written(frames, tmp_path, context, outcomes=["q1"])
    for ending in ("csv", "tex", "html"):
        assert "4321" in texts[f"comparison_effect.{ending}"]
    for name, text in texts.items():
        if not name.endswith(".csv"):
            assert "Synthetic data." in text, name
            assert "fewer than" not in text, name


def test_the_count_can_be_set(frames: RunFrames, tmp_path: Path) -> None:
    """Catches an option that changes the note but not the numbers."""
    context = Context(CODEBOOK, synthetic=False, language="da")
    few = replace(frames, intervals=frames.intervals.head(0))
    texts = _written(few, tmp_path, context, minimum_count=4, outcomes=["q1"])
    assert "4321" in texts["comparison_effect.tex"]
    assert "færre end 4 personer" in texts["comparison_effect.html"]

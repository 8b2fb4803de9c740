"""Formatted tables, held by snapshots of hand-made frames."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from docx import Document
from docx.shared import Pt
from frame_builders import hyperparameters, long_frame, small_codebook

from bipbayes.errors import SettingsError
from bipbayes.tables.comparison_table import comparison_table, interval_text, probability_text
from bipbayes.tables.html import html
from bipbayes.tables.latex import escape, latex
from bipbayes.tables.layout import Column, Table
from bipbayes.tables.sampler_tables import (
    diagnostics_table,
    hyperparameter_frame,
    hyperparameter_table,
)
from bipbayes.tables.word import write_word
from bipbayes.tables.write import markdown, write_tables
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)

LATEX = r"""% needs \usepackage{booktabs}
\begin{table}[htbp]
\centering
\setlength{\belowcaptionskip}{4pt}
\scriptsize
\setlength{\tabcolsep}{5pt}
\caption{q2 Food \& drink: effect. In standard deviations of progression. Synthetic data.}
\label{tab:comparison-q2}
\begin{tabular}{@{}lrrrrrrr@{}}
\toprule
\multicolumn{2}{c}{} & \multicolumn{2}{c}{OLS} & \multicolumn{4}{c}{Posterior} \\
\cmidrule(lr){3-4} \cmidrule(lr){5-8}
Combination & n & Estimate & 90 \% CI & Mean & 90 \% CrI & P($>$0) & Pooling \\
\midrule
none & 40 & $-$0.123 & {}[$-$0.223, $-$0.023]* & $-$0.06 & {}[$-$0.12, 0.01] & 0.07 & 0.51 \\
K+T & 0 \dag{} &  &  & 0.0 & {}[$-$0.3, 0.3] & $>$0.99 &  \\
\bottomrule
\end{tabular}
\par\smallskip
\begin{minipage}{\linewidth}\scriptsize
CI: 90 \% confidence interval, classical errors.
CrI: 90 \% credible interval (equal-tailed), model hierarchical, answers of one person correlated.
* The interval excludes zero.
Significant means different from average progress.
Pooling: 1 $-$ (posterior SD / OLS standard error)\textsuperscript{2}; 0: none, near 1: nearly all.
Posterior numbers show no more decimals than their Monte Carlo error allows.
\dag{} No answers: driven by the prior.
\end{minipage}
\end{table}
"""


def hand_made() -> pd.DataFrame:
    """Two combinations: one with answers, one driven by the prior."""
    shared = {
        "estimand": "effect",
        "outcome": "q2",
        "vcov_ols": "classical",
        "model": "hierarchical",
        "vcov_posterior": "citizen",
        "level": 0.9,
        "kind": "eti",
        "verdict_change": "",
    }
    rows = [
        {
            **{"combination": "11", "n": 0.0, "n_citizens": 0.0, "note": "prior-driven"},
            **{"ols_estimate": np.nan, "ols_lower": np.nan, "ols_upper": np.nan},
            **{"posterior_mean": 0.0123, "posterior_sd": 0.2, "mcse": 0.03},
            **{"posterior_lower": -0.31, "posterior_upper": 0.33},
            **{"p_positive": 0.9999, "pooling_factor": np.nan},
        },
        {
            **{"combination": "00", "n": 40.0, "n_citizens": 31.0, "note": ""},
            **{"ols_estimate": -0.1234, "ols_lower": -0.2234, "ols_upper": -0.0234},
            **{"posterior_mean": -0.0567, "posterior_sd": 0.04, "mcse": 0.0026},
            **{"posterior_lower": -0.1244, "posterior_upper": 0.0111},
            **{"p_positive": 0.07, "pooling_factor": 0.512},
        },
    ]
    return pd.DataFrame([{**shared, **row} for row in rows])


class _Cells(HTMLParser):
    """Collects the texts of table cells and captions."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th", "caption", "figcaption"):
            self.texts.append(data)


def table(language: str = "en", *, synthetic: bool = True) -> Table:
    context = Context(CODEBOOK, synthetic=synthetic, language=language)
    return comparison_table(hand_made(), context, outcome="q2")


def test_long_and_wide_tables_fit_their_pages() -> None:
    """Catches rows below the end of the page and headers that push columns off it."""
    columns = tuple(
        Column(f"c{i}", f"A heading of many words, number {i}", align="l") for i in range(12)
    )
    body = pd.DataFrame({column.key: ["some words"] * 80 for column in columns})
    text = latex(Table("long", "Long.", ("A note.",), columns, body, body))
    assert text.startswith("% needs \\usepackage{booktabs,longtable,pdflscape}\n")
    for name in ("landscape", "longtable"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert text.count(r"some words \\") == 80
    assert text.count(r"\shortstack[l]{A heading") == 2 * 12  # on the first and on later pages
    assert r"\begin{table}" not in text


def test_latex_snapshot() -> None:
    """Catches changes of rows, order, rounding, escaping, minus signs, notes and caption."""
    assert latex(table()) == LATEX


def test_html_says_the_same_in_danish_and_stands_alone() -> None:
    """Catches a decimal point in Danish, unescaped labels, and files that the page needs."""
    page = html([table("da")], language="da")
    cells = _Cells()
    cells.feed(page)
    assert cells.open == []
    for text in ("−0,123", "[−0,12; 0,01]", "0 †", ">0,99", "Kombination", "90 %-KI"):
        assert text in cells.texts
    assert cells.texts[0] == (
        "q2 Food & drink: effekt. I standardafvigelser af progression. Syntetiske data."
    )
    assert "kredibilitetsinterval" in cells.texts[-1]
    assert '<html lang="da">' in page
    for outside in ("http", "src=", "<link", "<script"):
        assert outside not in page


def test_html_escapes_what_a_codebook_holds() -> None:
    """Catches labels of a user's codebook that run as code in the page."""
    shown = table()
    body = shown.body.assign(combination="<script>alert(1)</script>")
    page = html([Table(shown.name, "a < b", ("x & y",), shown.columns, body, shown.raw)])
    assert "<script" not in page
    assert "a &lt; b" in page


def test_csv_says_what_it_rests_on(tmp_path: Path) -> None:
    """Catches a CSV that leaves the folder without the marks of its table."""
    for synthetic, preliminary in ((True, False), (False, True)):
        context = replace(CONTEXT, synthetic=synthetic, preliminary=preliminary)
        path = write_tables([table()], tmp_path, context=context, formats=("csv",))[0]
        frame = pd.read_csv(path)
        assert frame["synthetic"].tolist() == [synthetic] * len(frame)
        assert ("preliminary" in frame) == preliminary


@pytest.mark.parametrize("language", ["en", "da"])
def test_csv_keeps_full_precision_and_points(tmp_path: Path, language: str) -> None:
    """Catches rounded numbers, decimal commas and lost zeros of codes in the data file."""
    context = replace(CONTEXT, language=language)
    path = write_tables([table(language)], tmp_path, context=context, formats=("csv",))[0]
    frame = pd.read_csv(path)
    assert frame["code"].tolist() == ["c00", "c11"]
    assert frame["combination"].tolist() == ["none", "K+T"]
    assert frame["ols_estimate"].tolist()[0] == -0.1234
    assert "40," in path.read_text(encoding="utf-8")


def test_real_data_are_not_called_synthetic() -> None:
    """Catches a fixed caption."""
    assert "ynthetic" not in latex(table(synthetic=False))


def test_escaping() -> None:
    """Catches letters that stop LaTeX, and escapes that are escaped again."""
    assert escape(r"a_b 5% {x} \y #1 ~^ $") == (
        r"a\_b 5\% \{x\} \textbackslash{}y \#1 \textasciitilde{}\textasciicircum{} \$"
    )
    assert escape("−1 < æøå–†") == r"$-$1 $<$ æøå--\dag{}"


def test_braces_and_environments_close() -> None:
    """Catches LaTeX that does not compile for want of an end."""
    text = latex(diagnostics_table(long_frame(CODEBOOK), CONTEXT))
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    for name in ("table", "tabular", "minipage"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in rows} == {7}


def test_probabilities_are_never_certain() -> None:
    """Catches 1.00 from draws that merely happen to lie on one side."""
    texts = [probability_text(p, language="en") for p in (1.0, 0.996, 0.98, 0.001, np.nan)]
    assert texts == [">0.99", ">0.99", "0.98", "<0.01", ""]
    assert interval_text(np.nan, 0.1, 2, language="en") == ""


def test_hyperparameters_are_summarised_by_label() -> None:
    """Catches labels mixed up, and limits of another level."""
    draws = hyperparameters()
    frame = hyperparameter_frame(draws, level=0.8).set_index("parameter")
    values = draws["order_sd"].sel(order="2").to_numpy().ravel()
    row = frame.loc["order_sd[2]"]
    assert row["mean"] == pytest.approx(values.mean())
    np.testing.assert_allclose(
        row[["lower", "upper"]].astype(float), np.quantile(values, [0.1, 0.9])
    )
    shown = hyperparameter_table(frame.reset_index(), CONTEXT, model="hierarchical")
    assert shown.columns[3].header == "80 % credible interval (equal-tailed)"
    assert "Synthetic data." in shown.caption


def test_diagnostics_show_the_worst_and_count_what_missed() -> None:
    """Catches a mean where the worst is asked for, and a bulk ESS that hides the tail's."""
    frame = long_frame(CODEBOOK)
    effects = frame.index[(frame["source"] == "posterior") & (frame["estimand"] == "effect")]
    frame.loc[effects[0], "r_hat"] = 1.0149
    frame.loc[effects[1], "ess_tail"] = 399.4
    shown = diagnostics_table(frame, CONTEXT)
    row = shown.body.iloc[0]
    assert row["estimand"] == "effect"
    assert (row["r_hat"], row["ess_tail"], row["missed"]) == ("1.015", "399", "2")
    assert len(shown.raw) == (frame["source"] == "posterior").sum()


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    """Catches a format that is silently left out."""
    with pytest.raises(SettingsError, match="docm"):
        write_tables([table()], tmp_path, context=CONTEXT, formats=("csv", "docm"))


@pytest.mark.parametrize("language", ["en", "da"])
def test_word_holds_every_text_of_every_table(tmp_path: Path, language: str) -> None:
    """Catches a lost row or column, a spanning header over the wrong ones, two tables in one."""
    tables = [table(language), replace(table(language), name="other")]
    paths = write_tables(tables, tmp_path, context=CONTEXT, formats=("docx,md",))
    assert [path.name for path in paths] == ["comparison_effect.docx", "comparison_effect.md"]
    pages = Document(str(paths[0]))
    assert len(pages.tables) == 2
    grid = [[cell.text for cell in row.cells] for row in pages.tables[0].rows]
    assert grid[2:] == tables[0].rows()
    assert grid[1] == [column.header for column in tables[0].columns]
    assert grid[0] == [column.group for column in tables[0].columns]  # merged cells repeat
    said = " ".join(paragraph.text for paragraph in pages.paragraphs)
    assert said.count(tables[0].caption) == 2 and tables[0].notes[0] in said
    marked = [row._tr.xml.count("w:tblHeader") for row in pages.tables[0].rows]
    assert marked[:3] == [1, 1, 0]


def test_a_long_text_leaves_short_ones_their_room(tmp_path: Path) -> None:
    """Catches a word in one letter a line beside a column of sentences, and a page overrun."""
    body = pd.DataFrame({"point": ["a point of some words"], "state": ["for the author"],
                         "answer": ["an answer " * 60]})  # fmt: skip
    columns = tuple(Column(name, name, align="l") for name in body)
    write_word([Table("list", "A list.", (), columns, body, body)], tmp_path / "x.docx",
               language="en")  # fmt: skip
    pages = Document(str(tmp_path / "x.docx"))
    section = pages.sections[0]
    point, state, answer = (column.width for column in pages.tables[0].columns)
    assert state > Pt(4.8) * len("for the author") and point > Pt(4.8) * 20
    assert answer > 3 * state
    room = section.page_width - section.left_margin - section.right_margin
    assert point + state + answer <= room


def test_word_says_nothing_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches documents whose bytes differ from run to run."""
    body = pd.DataFrame({"point": ["one"]})
    table = Table("list", "A list.", (), (Column("point", "point", align="l"),), body, body)
    write_word([table], tmp_path / "now.docx", language="en")
    monkeypatch.setattr("time.time", lambda: 1.0e9)
    write_word([table], tmp_path / "then.docx", language="en")
    assert (tmp_path / "now.docx").read_bytes() == (tmp_path / "then.docx").read_bytes()


def test_markdown_prints_texts_as_they_stand() -> None:
    """Catches a label with a bar or an asterisk that breaks the table or turns bold."""
    shown = table("en")
    body = shown.body.assign(combination="a|b*_<i>")
    lines = markdown(replace(shown, body=body)).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == len(shown.columns) + 1 for row in rows)
    assert r"a\|b\*\_\<i\>" in rows[2]


def test_word_breaks_no_words_of_many_columns(tmp_path: Path) -> None:
    """Catches words broken between letters: the audit's columns shared the page alike."""
    long = ["understøttet", "yes", "no", "standardfejl", "a", "b", "signifikant", "c", "d", "e"]
    columns = tuple(Column(name, name, align="l") for name in (*long, "benjamini", *"fghijk"))
    body = pd.DataFrame({each.key: [each.header, f"{each.header} words"] for each in columns})
    write_word([Table("list", "A list.", (), columns, body, body)], tmp_path / "x.docx",
               language="en")  # fmt: skip
    (grid,) = Document(str(tmp_path / "x.docx")).tables
    size = grid.rows[1].cells[0].paragraphs[0].runs[0].font.size
    for column, told in zip(grid.columns, columns, strict=True):
        assert column.width > 0.55 * size * max(len("words"), len(told.header)), told.header


def test_many_tables_of_latex_begin_new_pages(tmp_path: Path) -> None:
    """Catches a file of 62 tables without a break, at which LaTeX ends with dead cycles."""
    (path,) = write_tables([table()] * 62, tmp_path, context=CONTEXT, formats=("tex",))
    parts = path.read_text(encoding="utf-8").split("\\clearpage\n")
    assert [part.count("% needs") for part in parts] == [25, 25, 12]

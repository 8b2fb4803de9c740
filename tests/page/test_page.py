"""The one page: its sentences are counted from the frames, and a browser can use it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import frame_builders
import numpy as np
import pandas as pd
import pytest
from docx import Document
from docx.shared import Cm
from PIL import Image
from scipy import stats

from bipbayes.data.codebook import Codebook
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.page import sentences
from bipbayes.page.contents import PageContents, caption_beside
from bipbayes.page.forest import ForestRow, Mark, forest_html
from bipbayes.page.page import compose, page_html
from bipbayes.page.paper import TEXTS, results
from bipbayes.page.tables import combinations_table, estimates_table
from bipbayes.page.word import write_page_document
from bipbayes.run.report_stage import rerun_command
from bipbayes.sampling.registry import OF_ANALYSIS
from bipbayes.wording import Context, outcome_label, phrase

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CODEBOOK = frame_builders.small_codebook()
VERDICT = {
    "passed": True,
    "reasons": [],
    "worst": {"k_hat": 0.21, "effective_points": 812.0, "ess_bulk": 900.0, "ess_tail": 900.0},
    "thresholds": {"k_hat": 0.7, "r_hat": 1.01, "ess": 400.0},
}
RECORD = {
    "data": {
        "name": "<b>",
        "sha256": "0",
        "responses": 900,
        "citizens": 300,
        "findings": {"en": ["x"], "da": ["y"]},
    },
    "stages": {"fit_posterior/hierarchical": {"verdict": VERDICT}},
    "software": {"python": "3.13"},
    "command": "bipbayes reproduce",
}


def contents(codebook: Codebook = CODEBOOK, **changes: Any) -> PageContents:
    """A page's contents of made-up frames, with a fit at the same previous answer beside."""
    language = changes.pop("language", "en")
    plain = frame_builders.long_frame(codebook).assign(analysis="")
    adjusted = frame_builders.posterior_frame(codebook, seed=9).assign(analysis="baseline")
    given = {
        "context": Context(codebook, synthetic=True, language=language),
        "record": RECORD,
        "comparison": frame_builders.comparison_frame(codebook),
        "intervals": pd.concat([plain, adjusted], ignore_index=True),
        "model": "hierarchical",
        "stage": "fit_posterior/hierarchical",
    }
    return PageContents(**{**given, **changes})


class _Reader(HTMLParser):
    """Collects what a browser would fetch, ids, texts and unclosed elements."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.fetched += [values[key] or "" for key in ("src", "srcset") if key in values]
        self.fetched += [values.get("href") or ""] if tag == "link" else []
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "da"])
def test_the_page_is_whole_and_asks_for_nothing(language: str, tmp_path: Path) -> None:
    """Catches an outside address, a broken element, a text of the study that becomes markup."""
    picture = tmp_path / "heatmap_effect.png"
    Image.fromarray(np.zeros((40, 60, 3), dtype="uint8")).save(picture)
    page = page_html(contents(language=language, figures={picture.stem: picture}))
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.fetched) == 2 and all(a.startswith("data:") for a in reader.fetched)
    assert not re.search(r"https?://|url\(", page)
    assert len(reader.ids) == len(set(reader.ids)) > 5
    assert "Food &amp; drink" in page and "&lt;b&gt;" in page
    assert f'lang="{language}"' in page
    assert {"en": "<li>x.</li>", "da": "<li>y.</li>"}[language] in page


def test_sentences_count_what_the_frames_hold() -> None:
    """Catches counts of the wrong side, of contrasts, or of rows without an interval."""
    rows = contents().comparison
    sides = ["ols_estimate", "ols_lower", "ols_upper"]
    sides += ["posterior_mean", "posterior_lower", "posterior_upper"]
    effects = rows.index[rows["estimand"] == "effect"]
    rows.loc[effects[0], sides] = [0.1, np.nan, np.nan, 0.1, 0.05, 0.2]
    rows.loc[effects[1], sides] = [0.3, 0.1, 0.5, -0.2, -0.3, -0.1]
    rows.loc[effects[2:4], sides] = [0.3, 0.1, 0.5, 0.1, -0.1, 0.3]
    rows.loc[effects[4:7], sides] = [0.3, -0.1, 0.7, 0.1, 0.05, 0.2]
    rows.loc[effects[7:], sides] = [0.3, 0.1, 0.7, 0.1, 0.05, 0.2]
    given = contents(comparison=rows)
    own = rows[(rows["estimand"] == "effect") & rows["ols_lower"].notna()]
    ols = own["ols_lower"].mul(own["ols_upper"]) > 0
    posterior = own["posterior_lower"].mul(own["posterior_upper"]) > 0
    same = own["ols_estimate"].mul(own["posterior_mean"]) > 0
    counts = (
        len(own),
        int(ols.sum()),
        int((ols & posterior & same).sum()),
        int((ols & ~posterior).sum()),
        int((ols & posterior & ~same).sum()),
        int((posterior & ~ols).sum()),
    )
    told = sentences.against_ols(given)[0]
    assert tuple(map(int, re.findall(r"\d+", told))) == counts
    assert len(set(counts)) == 6


def test_type_errors_take_the_sign_and_size_of_ols() -> None:
    """Catches P(>0) taken for a negative estimate, and sizes over the mean instead of its size."""
    rows = pd.DataFrame(
        {
            "ols_estimate": [0.3, -0.2],
            "posterior_mean": [0.05, -0.1],
            "posterior_sd": [0.1, 0.05],
            "p_positive": [0.69, 0.02],
        }
    )
    wrong, ratio = sentences.type_errors(rows)
    assert wrong == pytest.approx((0.31 + 0.02) / 2)
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    sizes = [np.abs(m + s * draws).mean() for m, s in ((0.05, 0.1), (-0.1, 0.05))]
    assert ratio == pytest.approx((0.3 / sizes[0] + 0.2 / sizes[1]) / 2, rel=1e-4)


def test_limits_near_zero_are_counted() -> None:
    """Catches the error of a mean taken for that of a limit, and the farther limit looked at."""
    rows = pd.DataFrame(
        {
            "level": 0.95,
            "mcse": 0.001,
            "posterior_lower": [0.0052, 0.0055, -0.3, -0.3],
            "posterior_upper": [0.3, 0.3, -0.0052, 0.2],
        }
    )
    # A 95 % limit errs 2.67 times as much as the mean: twice that is 0.00534.
    assert sentences.close_to_zero(rows).tolist() == [True, False, True, False]


def test_selection_compares_the_overall_contrasts() -> None:
    """Catches a shift with the wrong sign, and silence where nothing was adjusted."""
    given = contents()
    plain = given.overall("contrast")
    moved = given.intervals.copy()
    adjusted = moved["analysis"] == "baseline"
    rows = moved[(moved["analysis"] == "") & (moved["source"] == "posterior")]
    shifted = rows.assign(analysis="baseline", estimate=rows["estimate"] + 0.25)
    shifted[["lower", "upper"]] = [1.0, 2.0]
    told = sentences.careful(contents(intervals=pd.concat([moved[~adjusted], shifted])))
    within = int(((plain["lower"] < 0) & (plain["upper"] > 0)).sum())
    said = next(text for text in told if "previous answer" in text)
    assert f"{within} of {len(plain)} overall" in said and "+0.250 on average" in said
    told = sentences.careful(contents(intervals=moved[~adjusted]))
    assert any("was not looked at" in text for text in told)


def test_a_failed_fit_and_warnings_are_said() -> None:
    """Catches a page that is silent on a failed fit, a turned item, or blanks."""
    failed = {**VERDICT, "passed": False, "reasons": ["k-hat 0.9"]}
    warned = {"directions": {"sentence": {"en": "q3 goes against the rest."}}, "stale": ["audit"]}
    record = {**RECORD, **warned, "stages": {"fit_posterior/hierarchical": {"verdict": failed}}}
    given = contents(
        record=record,
        context=Context(CODEBOOK, synthetic=False, preliminary=True),
        minimum_count=6,
    )
    page = page_html(given)
    for text in ("failed its checks", "k-hat 0.9", "q3 goes against the rest.", "fewer than 6"):
        assert text in page, text
    assert "synthetic" not in page.lower().replace("data-", "")


def test_what_was_repaired_is_said_in_the_page_s_language() -> None:
    """Catches a record that loses the repair of a covariance, and English on a Danish page."""
    done = {"verdict": VERDICT, "repair": {"en": "moved", "da": "flyttet"}, "adjust_remark": {}}
    given = contents(
        language="da", record={**RECORD, "stages": {"fit_posterior/hierarchical": done}}
    )
    assert "Flyttet." in sentences.trust(given)
    assert {"repair", "repair_da", "adjust_remark_da"} <= set(OF_ANALYSIS)  # a fit keeps them


def test_turned_items_are_said_on_the_page() -> None:
    """Catches a page on which a reversed item looks like any other."""
    last = replace(CODEBOOK.indicators[2], reverse=True)
    turned = replace(CODEBOOK, indicators=(*CODEBOOK.indicators[:2], last))
    page = page_html(contents(turned))
    assert page.count("q3 Weight (reversed)") > 8
    assert page_html(contents(turned, language="da")).count("(vendt)") > 8
    assert phrase("reversed_note", "en", codes="q3").split(":")[0] in page


def test_every_estimate_stands_in_the_table_once() -> None:
    """Catches an outcome or estimand that the page's table leaves out, or rows out of step."""
    table = estimates_table(contents())
    assert len(table.body) == len(table.raw) == len(contents().comparison)
    assert not table.raw.duplicated(["outcome", "estimand", "combination"]).any()
    labels = {"q1": "q1 Sleep", "q2": "q2 Food & drink", "q3": "q3 Weight"}
    named = table.raw["outcome"].map(labels).fillna("Citizen mean")
    assert table.body["outcome"].tolist() == named.tolist()


def test_adjusted_effects_stand_beside_the_plain_ones() -> None:
    """Catches columns of the two analyses that are swapped."""
    given = contents()
    table = combinations_table(given)
    groups = [column.group for column in table.columns if column.key.endswith("_mean")]
    assert groups == ["Plain", "Same previous answer"]
    for prefix, analysis in (("plain", ""), ("baseline", "baseline")):
        means = given.overall("contrast", analysis=analysis)["estimate"]
        shown = table.body[f"{prefix}_mean"].str.replace("−", "-").astype(float)
        # Two decimals at least, as their Monte Carlo errors allow.
        assert shown.to_numpy() == pytest.approx(means.reindex(table.raw["combination"]), abs=5e-3)


def test_a_wide_interval_does_not_squeeze_the_others() -> None:
    """Catches an axis that follows the widest OLS interval, and a cut that is not marked."""
    narrow = Mark("posterior", 0.1, 0.05, 0.15)
    wide = Mark("ols", 0.2, -9.0, 9.0)
    picture, cut = forest_html([ForestRow("a<b", "5", (wide, narrow))], alt="x", language="da")
    assert cut and "a&lt;b" in picture and "0,1" in picture
    length = [
        float(end) - float(start)
        for start, end in re.findall(r'class="posterior" x1="([\d.]+)%" x2="([\d.]+)%"', picture)
    ]
    assert length[0] > 15  # percent
    assert not forest_html([ForestRow("a", "5", (narrow,))], alt="x", language="en")[1]


def test_a_caption_of_an_earlier_picture_is_not_told(tmp_path: Path) -> None:
    """Catches words that do not belong to what is seen: the picture was drawn again without."""
    words, picture = tmp_path / "one.txt", tmp_path / "one.png"
    words.write_text("Old\n\nWords.\n", encoding="utf-8")
    picture.touch()
    os.utime(words, ns=(0, picture.stat().st_mtime_ns - 1))
    assert caption_beside(picture) == ""
    os.utime(words, ns=(0, picture.stat().st_mtime_ns))
    assert caption_beside(picture) == "Old. Words."


def test_what_is_held_back_is_not_summed_up_as_the_whole() -> None:
    """Catches a sum of the shown counts called the sample, and an axis without a mark on it."""
    given = contents(context=Context(CODEBOOK, synthetic=False))
    few = given.comparison.copy()
    few.loc[few["combination"] == "10", ["n", "posterior_lower"]] = np.nan
    gone = given.intervals.copy()
    gone.loc[gone["estimand"] == "contrast", ["estimate", "lower", "upper"]] = np.nan
    shown = replace(given, comparison=few, intervals=gone, minimum_count=5)
    held = few.loc[few["estimand"] == "effect", "n"].isna().sum()
    assert f"{held} of {4 * held} effects are held back" in " ".join(results(shown))
    assert "held back" not in " ".join(results(given))
    assert "Analysed are" in page_html(given) and "Analysed are" not in page_html(shown)
    assert "combinations that are shown rest on" in page_html(shown)
    chart = "over all indicators (posterior)"
    assert chart in page_html(given) and chart not in page_html(shown)
    told = "average effects of adding a treatment are held back"  # they were gone without a word
    overall = gone[(gone["estimand"] == "contrast") & (gone["outcome"] == ALL_INDICATORS)]
    terms = overall[overall["source"] == "posterior"].head(2)
    terms = terms.assign(estimand="factorial", combination=CODEBOOK.treatment_codes)
    gone = pd.concat([gone, terms], ignore_index=True)
    assert told in page_html(replace(shown, intervals=gone)) and told not in page_html(given)


def test_an_average_with_another_zero_is_named() -> None:
    """Catches effects of all answers read against the zero of complete responses, unsaid."""
    given = contents()
    rows = given.comparison.copy()
    mine = (rows["outcome"] == CODEBOOK.average_codes[0]) & (rows["estimand"] == "effect")
    weights = rows.loc[mine, "n"] / rows.loc[mine, "n"].sum()
    rows.loc[mine, "posterior_mean"] -= (weights * rows.loc[mine, "posterior_mean"]).sum()
    told = " ".join(sentences.careful(replace(given, comparison=rows)))
    label = outcome_label(CODEBOOK, CODEBOOK.average_codes[0], language="en")
    assert f"{label}: zero is" not in told
    rows.loc[mine, "posterior_mean"] -= 0.05
    told = " ".join(sentences.careful(replace(given, comparison=rows)))
    assert f"{label}: zero is" in told and "\u22120.05" in told
    rows.loc[rows.index[mine][0], "n"] = np.nan  # held back: a sum over the others says nothing
    assert f"{label}: zero is" not in " ".join(sentences.careful(replace(given, comparison=rows)))


def test_word_says_what_the_page_says(tmp_path: Path) -> None:
    """Catches a section or table that only one of the two has, and both analyses in one count.

    And a picture taller than the page, whose foot Word cuts off.
    """
    picture = tmp_path / "heatmap_effect.png"
    Image.fromarray(np.zeros((400, 60, 3), dtype="uint8")).save(picture)
    picture.with_suffix(".txt").write_text("A title\n\nA caption.\n", encoding="utf-8")
    given = contents(language="da", figures={picture.stem: picture})
    path = tmp_path / "report.docx"
    write_page_document(given, path)
    pages = Document(str(path))
    said = [paragraph.text for paragraph in pages.paragraphs]
    for name, say in sentences.LEAD:
        if told := say(given):
            assert phrase(f"page_{name}_title", "da") in said
            assert " ".join(told) in said or set(told) < set(said)
    for _, write in TEXTS:
        assert len(write(given)) > 2 and set(write(given)) <= set(said)
    assert "A title. A caption." in said and "A title. A caption." in compose(given)()
    # No effects of adding a treatment in the frames: a table without a number does not stand.
    assert len(pages.tables) == 5 and len(pages.inline_shapes) == 1
    assert pages.inline_shapes[0].height <= Cm(23.1) and pages.inline_shapes[0].width < Cm(4)
    quantities = [row.cells[2].text for row in pages.tables[2].rows[1:]]
    counted = given.plain[given.plain["source"] == "posterior"].groupby("estimand").size()
    assert sorted(quantities) == sorted(counted.astype("str"))


def test_the_command_repeats_the_run() -> None:
    """Catches an option that is spelt otherwise, a flag with a value, a name with a space."""
    changed = {"data": "my data.csv", "models": ["a", "b"], "language": "da", "quick": True}
    command = rerun_command(changed)
    assert command == (
        "bipbayes reproduce '--data=my data.csv' --model=a --model=b --lang=da --quick"
    )


def test_a_page_without_figures_says_what_draws_them() -> None:
    """Catches a heading over nothing, which is all that a run without `describe` had."""
    run, alone = page_html(contents()), page_html(contents(record={**RECORD, "command": ""}))
    assert "bipbayes describe, bipbayes compare draw" in run and 'href="#figures"' in run
    assert 'id="figures"' not in alone and 'href="#figures"' not in alone
    real = contents(context=Context(CODEBOOK, synthetic=False))
    assert "bipbayes describe draw" in page_html(real)


def test_units_of_averages_are_told() -> None:
    """Catches numbers more than twice as large without the word that their units are smaller."""
    given = contents()
    rows = given.comparison.set_index(["estimand", "outcome", "combination"])["posterior_mean"]
    rows = rows.copy()
    members = rows["effect"].loc[["q1", "q2"]].groupby("combination").mean()
    for combination, single in members.items():
        rows["effect", CODEBOOK.average_codes[0], combination] = 2.5 * single + 0.01
    frame = given.comparison.assign(posterior_mean=rows.to_numpy())
    said = "about {} times as large"
    told = " ".join(sentences.careful(replace(given, comparison=frame)))
    assert said.format(2.5) in told
    few = frame.assign(posterior_mean=np.nan, posterior_lower=np.nan)
    assert "Units differ" not in " ".join(sentences.careful(replace(given, comparison=few)))


_TRIAL = """
<script>
const told = [];
const visible = (where) => [...document.querySelectorAll(where)].filter(e => !e.hidden);
const rows = () => visible("#estimates-table tbody tr");
const shown = () => visible("figure.outcome");
told.push(["first", rows().length, shown().length, shown()[0].dataset.outcome]);
const outcome = document.getElementById("outcome");
outcome.value = "q2"; outcome.dispatchEvent(new Event("change"));
told.push(["picked", rows().length, shown().length, shown()[0].dataset.outcome,
  rows().every(r => r.dataset.outcome === "q2")]);
const head = [...document.querySelectorAll("#estimates-table thead tr:last-child th")];
const n = head.findIndex(th => th.textContent === "n");
const values = () => rows().map(r => Number(r.cells[n].textContent));
head[n].querySelector("button").click();
told.push(["up", values().every((v, i, a) => !i || a[i - 1] <= v)]);
head[n].querySelector("button").click();
told.push(["down", values().every((v, i, a) => !i || a[i - 1] >= v), head[n].ariaSort]);
const box = document.querySelector('[data-search="estimates-table"]');
box.value = "K+T"; box.dispatchEvent(new Event("input"));
told.push(["found", rows().length]);
for (const width of [1280, 390]) {
  document.documentElement.style.width = width + "px";
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const over = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll *")
    && !e.closest(".skip") && e.getBoundingClientRect().right > width + 1);
  told.push(["over", width, over.length]);
  const lines = [...document.querySelectorAll(".forest line.posterior")]
    .map(e => e.getBoundingClientRect());
  const panels = [...document.querySelectorAll(".forest > svg")]
    .map(e => e.getBoundingClientRect()).filter(r => r.height > 0);
  told.push(["lines", lines.some(r => r.width > 0), lines.every(r => r.right <= width),
    panels.length > 1 && panels.every(r => r.width > 150)]);
}
const zoom = document.querySelector(".picture button"), picture = zoom.querySelector("img");
const before = picture.getBoundingClientRect().width;
zoom.click();
told.push(["larger", picture.getBoundingClientRect().width > 2 * before]);
const out = document.createElement("pre");
out.id = "told"; out.textContent = JSON.stringify(told);
document.body.append(out);
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is no Python package")
def test_a_browser_can_pick_sort_and_search(tmp_path: Path) -> None:
    """Catches a script with an error, a picker without effect, and a page wider than a phone.

    A long question widened the picker, and with it the page; of forests a phone showed a part.
    """
    page, question = tmp_path / "page.html", "How often " + "during the last four weeks " * 6
    first = replace(CODEBOOK.indicators[0], label={"en": question})
    codebook = replace(CODEBOOK, indicators=(first, *CODEBOOK.indicators[1:]))
    picture = tmp_path / "heatmap_effect.png"
    Image.fromarray(np.zeros((800, 1200, 3), dtype="uint8")).save(picture)
    given = contents(codebook, figures={picture.stem: picture})
    text = page_html(given).replace(">K+T</b>", f">{question}</b>")  # as of a treatment
    page.write_text(text.replace("</body>", _TRIAL), encoding="utf-8")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *quiet,
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout)
    assert found, "the script stopped"
    told = found[1].replace("&gt;", ">")
    assert told == (
        '[["first",4,1,"q1"],["picked",4,1,"q2",true],["up",true],["down",true,"descending"],'
        '["found",1],["over",1280,0],["lines",true,true,true],'
        '["over",390,0],["lines",true,true,true],["larger",true]]'
    )

"""Every table of a study with long labels, as a real LaTeX sets it on the pages of an article."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from builders import Shape, make_codebook, random_responses

BIPBAYES = Path(sys.executable).with_name("bipbayes")
LATEX = shutil.which("pdflatex")
NAMES = (
    ("How often the person coped alone in the last four weeks at home", "Livskvalitetsvurdering"),
    ("Trust", "Hvor ofte borgeren har klaret hverdagen alene de seneste fire uger"),
    ("Self-efficacy_in_everyday_life_and_work_unbroken_code_name", "Arbejdsmarkedsparathed & håb"),
)
_QUESTION = """
[[indicators]]
code = "q{n}"
respondent = "{respondent}"
label = {{ en = "{en}", da = "{da}" }}
"""
_TREATMENT = """
[treatments.{code}]
columns = ["{code}"]
label = {{ en = "intervention number {code} of a long name", da = "indsatsen {code} med et navn" }}
"""
_AVERAGE = """
[averages.{respondent}_mean]
members = {members}
label = {{ en = "Average of all {respondent} answers to the questions of the questionnaire" }}
"""


def write_study(folder: Path, treatments: tuple[str, ...]) -> None:
    """Write responses and a codebook whose labels, sites and combinations are long."""
    sites = [f"Department of Rehabilitation, Municipality number {n}" for n in range(1, 4)]
    book = make_codebook(6, len(treatments), jobcenters=sites)
    text = 'name = "A study of long labels"\nscale = [1, 5]\n'
    text += f"jobcenters = {sites}\n"
    for n, item in enumerate(book.indicators, start=1):
        en, da = NAMES[n % 3]
        text += _QUESTION.format(n=n, respondent=item.respondent, en=f"{en} {n}", da=f"{da} {n}")
    for average in book.averages:
        respondent = average.code.removesuffix("_mean")
        text += _AVERAGE.format(respondent=respondent, members=list(average.members))
    names = dict(zip(book.treatment_codes, treatments, strict=True))
    text += "".join(_TREATMENT.format(code=code) for code in treatments)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    frame = random_responses(book, seed=5, shape=replace(Shape(), citizens=500))
    frame.drop(columns="combination").rename(columns=names).to_csv(
        folder / "responses.csv", index=False
    )


def compiled(tex: Path) -> str:
    """Return the log of a document that holds nothing but a file's tables."""
    text = tex.read_text(encoding="utf-8")
    needed = {name for line in re.findall(r"% needs .*\{(.*)\}", text) for name in line.split(",")}
    document = tex.with_name(f"0_{tex.name}")
    head = ["\\documentclass[11pt,a4paper]{article}"]
    head += [f"\\usepackage{{{name}}}" for name in sorted(needed)]
    lines = [*head, "\\begin{document}", f"\\input{{{tex.name}}}", "\\end{document}"]
    document.write_text("\n".join(lines), encoding="utf-8")
    for _ in range(3):  # a longtable finds its widths from run to run
        subprocess.run(
            [str(LATEX), "-interaction=nonstopmode", "-halt-on-error", document.name],
            cwd=tex.parent,
            capture_output=True,
            check=True,
            timeout=120,
        )
    return document.with_suffix(".log").read_text(encoding="utf-8", errors="replace")


@pytest.mark.slow
@pytest.mark.skipif(LATEX is None, reason="needs LaTeX, which is no Python package")
@pytest.mark.parametrize("treatments", [tuple("JOSHL"), ("counselling", "workplace_training")])
def test_no_table_leaves_the_page(tmp_path: Path, treatments: tuple[str, ...]) -> None:
    """Catches columns beside the page, rows below it, and letters that LaTeX does not know."""
    write_study(tmp_path, treatments)
    study = ("--data", "responses.csv", "--codebook", "study.toml")
    for verb in (
        ("reproduce", *study, "--quick", "--quiet"),
        ("check", *study, "--out", "results", "--quiet"),
        ("export", *study, "--lang", "da", "--out", "results", "--quiet"),
    ):
        subprocess.run([BIPBAYES, *verb], cwd=tmp_path, check=True, timeout=600)
        # Of real data they are in private/, and in export/ what may leave.
        files = sorted((tmp_path / "results").rglob("tables/[a-z]*.tex"))
        assert len(files) >= 5
        for file in files:
            log = compiled(file)
            assert "Overfull" not in log, (verb, file.name)
            assert "Float too large" not in log, (verb, file.name)

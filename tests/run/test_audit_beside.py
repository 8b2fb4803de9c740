"""The audit of a folder that holds a fit at the same previous answer beside the plain one."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_study

from bipbayes.audit.claims import read_claims
from bipbayes.audit.evidence import AuditSettings
from bipbayes.audit.verdicts import audit_claims
from bipbayes.intervals import PLAIN, join_frames, of_analysis
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.audit_stage import audit_run, baseline_posterior
from bipbayes.run.export_stage import _audit_tables
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import fit_posterior, stored_posterior
from bipbayes.run.settings import Settings

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b", "c"))
STUDY = random_study(CODEBOOK, seed=8, shape=Shape(citizens=150, waves=(2, 4)))
MODEL = "complete_pooling"
ALL = "q*"


def _run(folder: Path, **options: Any) -> Run:
    settings = Settings(out=folder, models=(MODEL,), draws=200, quiet=True, **options)
    run_folder = RunFolder(folder)
    run_folder.claim({"data": STUDY.digest, "codebook": "y", "previous": "item"}, overwrite=False)
    run_folder.note(data={"name": "random", "synthetic": True})
    return Run(settings, STUDY, CODEBOOK, run_folder)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both fits."""
    folder = tmp_path_factory.mktemp("fitted")
    for options in ({}, {"adjust": ("baseline",)}):
        one = _run(folder, **options)
        fit_ols(one)
        fit_posterior(one, MODEL)
    return folder


@pytest.fixture
def run(fitted: Path, tmp_path: Path) -> Run:
    """A copy of it, which a test may change."""
    return _run(Path(copytree(fitted, tmp_path / "run")))


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Single statements of every outcome and combination, and one on all outcomes together."""
    rows = [
        {"outcome": name, "combination": code, "direction": "positive", "significant": "true"}
        for name in CODEBOOK.indicator_codes
        for code in CODEBOOK.combinations
    ]
    whole = {"outcome": ALL, "combination": "1", "direction": "positive", "significant": "unstated"}
    frame = pd.DataFrame([*rows, {**whole, "quantifier": "all"}])
    frame.insert(0, "claim_id", [f"c{place}" for place in range(len(frame))])
    path = tmp_path / "claims.csv"
    frame.to_csv(path, index=False)
    return path


def _audit(run: Run, claims: Path) -> pd.DataFrame:
    rows = of_analysis(run.folder.read("data/intervals.csv"), PLAIN)
    run = replace(run, settings=replace(run.settings, claims=claims))
    with DrawingPool(run.folder.file("figures"), workers=0) as pool:
        return audit_run(
            run,
            rows,
            stored_posterior(run.folder, MODEL, CODEBOOK, run.settings),
            pool=pool,
            adjusted=baseline_posterior(run.folder, MODEL, CODEBOOK, run.settings),
        )


def _set_passed(folder: RunFolder, analysis: str, *, passed: bool) -> None:
    ending = f"-{analysis}" if analysis else ""
    name = f"fit_posterior/{MODEL}{ending}"
    done = folder.stage(name)
    verdict = {**done["verdict"], "passed": passed}
    folder.finish(name, done["settings"], verdict=verdict, preliminary=False)


def test_the_columns_beside_are_of_the_fit_beside(run: Run, claims: Path) -> None:
    """Catches plain intervals, or plain draws for joint statements, behind the second verdict."""
    for analysis in ("", "baseline"):
        _set_passed(run.folder, analysis, passed=True)
    audit = _audit(run, claims)
    everything = run.folder.read("data/intervals.csv")
    single = audit[audit["outcome"] != ALL]
    for name, analysis in (("posterior", ""), ("baseline", "baseline")):
        own = of_analysis(everything, analysis)
        own = own[(own["source"] == "posterior") & (own["jobcenter"] == "")]
        for estimand in ("effect", "contrast"):
            rows = own[own["estimand"] == estimand].set_index(["outcome", "combination"])
            kept = single if estimand == "effect" else single[single["combination"] != "0"]
            keys = pd.MultiIndex.from_frame(kept[["outcome", "combination"]])
            for number in ("estimate", "lower", "upper"):
                shown = kept[f"{estimand}_{name}_{number}"].to_numpy(dtype=float)
                np.testing.assert_allclose(shown, rows[number].reindex(keys).to_numpy())
    plain, adjusted = audit["effect_posterior_estimate"], audit["effect_baseline_estimate"]
    assert (plain - adjusted).abs().max() > 1e-3, "the two analyses must differ for this test"
    fit = baseline_posterior(run.folder, MODEL, CODEBOOK, run.settings)
    assert fit is not None and fit.analysis == "baseline"
    ols = of_analysis(everything, PLAIN).query("source == 'ols'")
    alone = audit_claims(
        read_claims(claims, CODEBOOK),
        join_frames([ols, fit.intervals]),
        {estimand: fit.draws[estimand] for estimand in ("effect", "contrast")},
        CODEBOOK,
        level=0.95,
        settings=AuditSettings(model=MODEL, vcov="citizen"),
    )
    for estimand in ("effect", "contrast"):
        assert list(audit[f"{estimand}_verdict_baseline"]) == list(
            alone[f"{estimand}_verdict_posterior"]
        )


@pytest.mark.parametrize(
    ("plain", "beside", "shown"),
    [(True, True, True), (True, False, False), (False, False, True), (False, True, True)],
)
def test_a_failed_fit_never_stands_unmarked_beside_a_sound_one(
    run: Run, claims: Path, plain: bool, beside: bool, shown: bool
) -> None:
    """Catches verdicts of a fit that failed its checks in tables that carry no mark."""
    _set_passed(run.folder, "", passed=plain)
    _set_passed(run.folder, "baseline", passed=beside)
    audit = _audit(run, claims)
    assert ("effect_verdict_baseline" in audit) == shown
    text = run.folder.file("tables/audit_paragraph.txt").read_text(encoding="utf-8")
    assert ("was not looked at" in text) == (not shown)
    assert ("Preliminary" in text) == (not plain)


def test_an_export_holds_the_audit_in_every_format(run: Run, claims: Path) -> None:
    """Catches a Word report without its claims, and one that keeps those of an earlier audit."""
    for analysis in ("", "baseline"):
        _set_passed(run.folder, analysis, passed=True)
    _audit(run, claims)
    place = run.folder.file("tables")
    before = (place / "audit.csv").read_bytes()
    paths = _audit_tables(run.folder, CODEBOOK, run.settings, [""], ("csv", "docx", "md"))
    names = {f"audit{what}.{ending}" for what in ("", "_counts") for ending in ("docx", "md")}
    assert {path.name for path in paths} == names and (place / "audit.csv").read_bytes() == before
    told = (place / "audit.md").read_text(encoding="utf-8")
    (place / "audit.md").write_text("of an earlier audit", encoding="utf-8")
    _audit(run, claims)
    assert (place / "audit.md").read_text(encoding="utf-8") == told

"""The closing lines of the verbs: what came out, what to be careful about, what to open first.

Three sentences at most, every number taken from frames or from ``run.json``.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.audit.evidence import POSTERIOR
from bipbayes.audit.rules import UPHELD
from bipbayes.audit.verdicts import VERDICT
from bipbayes.data.codebook import Codebook
from bipbayes.data.parts import PartedStudy
from bipbayes.data.study import Study
from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import ALL_INDICATORS, PLAIN, excludes_zero, of_analysis
from bipbayes.run.console import warnings_so_far
from bipbayes.run.folder import RunFolder, export_place
from bipbayes.run.stored import named, recorded_words, stage_name
from bipbayes.sampling.diagnose import measures
from bipbayes.wording import StudyLanguage, capital, percent, phrase

_FIRST: Final = ("report.html", "figures/heatmap/heatmap_effect.png", "data/comparison.csv")


def of_ols(folder: RunFolder, frame: pd.DataFrame) -> list[str]:
    """Close ``fit-ols``: intervals that exclude zero, and how many would by chance."""
    rows = frame[(frame["estimand"] == "effect") & frame["lower"].notna()]
    excluding = excludes_zero(rows).groupby(rows["vcov"], sort=False).sum()
    language = _language(folder)
    told = ", ".join(
        f"{count} with {phrase(str(name), language)}" for name, count in excluding.items()
    )
    count = int((rows["vcov"] == excluding.index[0]).sum()) if len(excluding) else 0
    level = float(rows["level"].iloc[0]) if count else 0.95
    chance = f"about {(1 - level) * count:.0f} would by chance if there were no effects"
    return [
        f"Of {count} {percent(level, 'en')} % intervals of effects, these exclude zero: {told}.",
        _caution(folder, [chance]),
        _open(folder, "data/intervals.csv"),
    ]


def of_posterior(folder: RunFolder, fits: Sequence[Posterior]) -> list[str]:
    """Close ``fit-posterior``: intervals that exclude zero, fit by fit."""
    told = []
    for fit in fits:
        rows = fit.intervals[fit.intervals["estimand"] == "effect"]
        rows = rows[rows["outcome"].ne(ALL_INDICATORS) & rows["lower"].notna()]
        level = percent(float(rows["level"].iloc[0]), "en")
        told.append(
            f"{int(excludes_zero(rows).sum())} of {len(rows)} {level} % credible intervals of "
            f"effects exclude zero under {named(fit.model, fit.analysis)}"
        )
    return [
        f"{capital('; '.join(told))}.",
        _caution(folder, _fits(folder, [stage_name(fit.model, fit.analysis) for fit in fits])),
        f"{_open(folder, 'data/intervals.csv')[:-1]}; 'bipbayes compare' puts it beside OLS.",
    ]


def of_comparison(
    folder: RunFolder, *, analysis: str = PLAIN, figures: Sequence[str] = ()
) -> list[str]:
    """Close ``compare`` and ``reproduce``: OLS and posterior side by side."""
    rows = of_analysis(folder.read("data/comparison.csv"), analysis)
    rows = rows[(rows["estimand"] == "effect") & rows["posterior_lower"].notna()]
    models = list(rows["model"].unique())
    own = rows[rows["model"] == models[0]]
    count = {side: int(own[f"{side}_excludes_zero"].sum()) for side in ("ols", "posterior")}
    verdicts = own["verdict_change"].dropna().astype("str")
    changed = verdicts.ne("") & ~verdicts.str.startswith("stays")
    errors = phrase(str(own["vcov_ols"].iloc[0]), _language(folder))
    level = percent(float(own["level"].iloc[0]), "en")
    return [
        f"Of {len(own)} effects, the {level} % interval excludes zero for {count['ols']} by OLS "
        f"({errors}) and for {count['posterior']} by the posterior of {models[0]}; "
        f"{int(changed.sum())} verdicts change.",
        _caution(folder, _fits(folder, [stage_name(model, analysis) for model in models])),
        _open(folder, *_FIRST[:-1], *figures, _FIRST[-1]),
    ]


def of_export(folder: RunFolder, paths: Sequence[Path], *, minimum_count: int) -> list[str]:
    """Close ``export``."""
    blank = []
    if not folder.record()["data"]["synthetic"]:
        people = recorded_words(folder)["citizens"]
        blank = [f"numbers that rest on fewer than {minimum_count} {people} are blank"]
    pages = [path.relative_to(folder.path).as_posix() for path in _for_readers(paths)]
    manifest = export_place(folder.path) / "manifest.txt"
    first = [manifest, *(folder.file(name) for name in pages)]
    return [
        f"{len(paths)} files of tables are in {folder.file('tables')}.",
        _caution(folder, blank),
        _open_path(first, folder.path) if blank else _open(folder, *pages),
    ]


def _for_readers(paths: Sequence[Path]) -> list[Path]:
    """Return the files that a reader opens first: pages, then Word, then the rest."""
    order = {".html": 0, ".docx": 1, ".md": 2}
    return sorted(paths, key=lambda path: order.get(path.suffix, len(order)))


def of_description(folder: RunFolder) -> list[str]:
    """Close ``describe``."""
    tables = folder.stage("describe")["tables"]
    return [
        f"Described in {len(tables)} tables: {_size(folder)}.",
        _caution(folder, []),
        _open(folder, "tables/progression.csv", *(f"tables/{name}.csv" for name in tables)),
    ]


def of_audit(folder: RunFolder, audit: pd.DataFrame) -> list[str]:
    """Close ``audit``: how many claims are upheld, of what the tables show."""
    columns = [name for name in audit if str(name).startswith(f"effect{VERDICT}")]
    posterior = audit[f"effect{VERDICT}{POSTERIOR}"]
    words = posterior.value_counts()
    rest = ", ".join(f"{n} {word}" for word, n in words.items() if word != UPHELD)
    model, claims = str(audit["model"].iloc[0]), f"claim{'s' * (len(audit) != 1)}"
    ols = int(audit[columns[0]].eq(UPHELD).sum())
    return [
        f"Of {len(audit)} {claims}, OLS upholds {ols} and the posterior of {model} "
        f"{int(posterior.eq(UPHELD).sum())} ({rest}).",
        _caution(folder, _fits(folder, [stage_name(model)])),
        _open(folder, "tables/audit.html", "data/audit.csv"),
    ]


def of_checks(folder: RunFolder, tables: Mapping[str, Sequence[str]], asked: int) -> list[str]:
    """Close ``check``: what was checked, by the names of each check's tables."""
    count, lost = len(tables), asked - len(tables)
    left = [f"{lost} check{'s' * (lost != 1)} could not be made"] * bool(lost)
    pages = [f"tables/{name}.html" for names in tables.values() for name in names]
    return [
        f"{'1 check was' if count == 1 else f'{count} checks were'} made: "
        f"{', '.join(tables) or 'none'}.",
        _caution(folder, left),
        _open(folder, *pages),
    ]


def of_validation(folder: Path, goals: pd.DataFrame, *, quick: bool) -> list[str]:
    """Close ``validate``: goals reached, over all designs."""
    reached = goals["reached"].value_counts()
    counts = {word: int(reached.get(word, 0)) for word in ("yes", "undecided", "no")}
    careful = ["few and small replicates prove nothing"] if quick else []
    return [
        f"Of {len(goals)} goals, {counts['yes']} are reached, {counts['no']} are missed and "
        f"{counts['undecided']} stay undecided for Monte Carlo error.",
        _sentence([*careful, *_warned()]),
        _open_path([folder / name for name in ("designs.md", "coverage.csv")], folder),
    ]


def of_simulation(
    paths: Sequence[Path], description: Mapping[str, Any], codebook: Codebook
) -> list[str]:
    """Close ``simulate``."""
    return [
        f"Simulated: {_of_people(codebook, description['responses'], description['citizens'])}.",
        _sentence(["they are synthetic: their truth is in truth.csv beside them", *_warned()]),
        f"Give --data {paths[0] if paths[0].parent == paths[-1].parent else paths[0].parent} to "
        f"other verbs; open {paths[-1]} first.",
    ]


def of_reading(study: Study | PartedStudy, data: Path, codebook: Path | None) -> list[str]:
    """Close ``check-data``."""
    found = len(study.findings)
    own = "" if codebook is None else f" --codebook {codebook}"
    return [
        f"{data.name} can be analysed: {_of_people(study.codebook, *study.size)}.",
        _sentence([f"{_counted(found, 'finding')} above" if found else "nothing was noticed"]),
        f"Run 'bipbayes reproduce --data {data}{own}' next.",
    ]


def _size(folder: RunFolder) -> str:
    data = folder.record()["data"]
    size = {"responses": data["responses"], "people": data["citizens"]}
    return phrase("size_of_study", _language(folder), **size)


def _of_people(codebook: Codebook, responses: int, people: int) -> str:
    return codebook.counted("size_of_study", responses=responses, people=people)


def _language(folder: RunFolder) -> StudyLanguage:
    return StudyLanguage("en", recorded_words(folder))


def _fits(folder: RunFolder, stages: Iterable[str]) -> list[str]:
    """Say how each fit was judged."""
    done = folder.record().get("stages", {})
    return [_verdict(name.split("/", 1)[1], done[name]) for name in stages if name in done]


def _verdict(name: str, done: Mapping[str, Any]) -> str:
    verdict = done["verdict"]
    told = f"{'passed' if verdict['passed'] else 'failed'} its checks"
    quick = ", a quick run: preliminary" if done.get("preliminary") else ""
    return f"the fit of {name} {told} ({measures(verdict['worst'])}{quick})"


def _caution(folder: RunFolder, facts: Sequence[str]) -> str:
    """Join facts, what is out of date, what is synthetic and the number of warnings."""
    record = folder.record()
    stale = sorted({name.split("/", 1)[0] for name in record.get("stale", ())})
    old = [f"{' and '.join(stale)} still rest on an earlier fit: run again"] if stale else []
    made_up = ["the data are synthetic"] if record["data"].get("synthetic") else []
    return _sentence([*facts, *old, *made_up, *_warned()])


def _warned() -> list[str]:
    count = warnings_so_far()
    return [f"{_counted(count, 'warning')} above"] * bool(count)


def _counted(count: int, what: str) -> str:
    return f"1 {what} stands" if count == 1 else f"{count} {what}s stand"


def _sentence(parts: Sequence[str]) -> str:
    return f"{capital('; '.join(parts))}." if parts else "There were no warnings."


def _open(folder: RunFolder, *names: str) -> str:
    old = "report.html" if "report" in folder.record().get("stale", ()) else ""
    return _open_path([folder.file(name) for name in names if name != old], folder.path)


def _open_path(paths: Sequence[Path], folder: Path) -> str:
    """Name the first of the files that is there."""
    there = [path for path in paths if path.is_file()]
    return f"Open {there[0] if there else folder} first."

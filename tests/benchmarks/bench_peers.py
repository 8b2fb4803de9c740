"""The same study by bipbayes, Bambi, brms and lme4: ``python tests/benchmarks/bench_peers.py``.

A simulated study whose truth is known (100 to 1,000 persons, 6 sites, 10 items, 3 treatments), the
same crossed effects in each program. Of each: lines that a user writes, seconds of the whole
process (fits, drawing and compiling included), coverage of the 95 % intervals of cells and of
effects (an item under a combination, over sites as they occur), error beside OLS's.

Peers that are not installed are told and left out: R with lme4 or brms on the path, a Python with
Bambi in the environment variable ``BAMBI_PYTHON``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import bipbayes as bb
from bipbayes.data.codebook import Activity, Average, Codebook, Indicator, Treatment
from bipbayes.synthetic.simulate import Simulation, simulate

PEERS = Path(__file__).with_name("peers")
KEYS = ["combination", "jobcenter", "indicator"]
Estimates = tuple[float, dict[str, pd.DataFrame]]  # seconds, then by kind
BAMBI = os.environ.get("BAMBI_PYTHON", "")


@dataclass(frozen=True)
class Peer:
    """A program: what runs it, where its lines are, whether it gives draws of every cell."""

    name: str
    command: tuple[str, ...]
    source: str
    part: str = ""
    missing: str = ""

    def lines(self) -> int:
        """Lines that a user writes: between ``begin`` and ``end``, no blanks or comments."""
        text = (PEERS / self.source).read_text(encoding="utf-8")
        part = f" {self.part}" if self.part else ""
        inside = text.split(f"# begin{part}\n")[1].split(f"# end{part}\n")[0]
        stripped = (line.strip() for line in inside.splitlines())
        return sum(bool(line) and not line.startswith("#") for line in stripped)


def _r_lacks(package: str) -> str:
    if shutil.which("Rscript") is None:
        return "Rscript is not installed"
    line = ["Rscript", "-e", f"library({package})"]
    found = subprocess.run(line, capture_output=True, check=False)
    return f"R's package {package} is not installed" if found.returncode else ""


def peers() -> list[Peer]:
    """Return the programs, bipbayes first."""
    bambi = (BAMBI, str(PEERS / "with_bambi.py"))
    brms = ("Rscript", str(PEERS / "with_brms.R"), "{}")
    return [
        Peer("Bambi, rows", bambi, "with_bambi.py", missing="" if BAMBI else "no BAMBI_PYTHON"),
        Peer("brms, rows", (*brms, "rows"), "with_brms.R", "rows", _r_lacks("brms")),
        Peer("brms, cell means", (*brms, "cells"), "with_brms.R", "cells", _r_lacks("brms")),
        Peer(
            "lme4, rows",
            ("Rscript", str(PEERS / "with_lme4.R"), "{}"),
            "with_lme4.R",
            missing=_r_lacks("lme4"),
        ),
    ]


def codebook() -> Codebook:
    """Return a study of 10 items (two respondents) and three treatments."""
    names = [f"q{number:02d}" for number in range(10)]
    items = tuple(
        Indicator(name, name, "citizen" if number < 5 else "caseworker", {"en": name})
        for number, name in enumerate(names)
    )
    return Codebook(
        name="peers",
        scale=(1, 5),
        indicators=items,
        treatments=tuple(Treatment(code, {"en": code}, (code,)) for code in "TUV"),
        averages=(Average("all", tuple(names), {}),),
        activities=tuple(Activity(code, i, {}, code) for i, code in enumerate("TUV")),
    )


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    """Give digits a letter in front, so that every program takes them for names."""
    named = frame.assign(combination="c" + frame["combination"].astype(str))
    if "jobcenter" not in frame:
        return named
    return named.assign(jobcenter="s" + frame["jobcenter"].astype(str))


def rows_of(study: bb.Study) -> pd.DataFrame:
    """Return standardised progression, a row a response and item."""
    changes = study.progression
    known = changes["standardised"].sel(outcome=list(study.codebook.indicator_codes))
    names = ["standardised", "combination", "jobcenter", "respondent"]
    rows = known.to_dataframe().reset_index().dropna(subset="standardised")
    rows = rows.rename(columns={"outcome": "indicator"})
    return _text(rows)[["response", "indicator", *names]]


def write_study(simulation: Simulation, folder: Path) -> bb.Study:
    """Write what the peers read: rows, means of cells with errors, the grid of cells."""
    study = bb.read(simulation.responses, simulation.design.codebook)
    rows = rows_of(study)
    rows.to_csv(folder / "rows.csv", index=False)
    cells = rows.groupby([*KEYS, "respondent"])["standardised"].agg(["mean", "size"]).reset_index()
    cells["se"] = rows["standardised"].std() / np.sqrt(cells["size"])
    cells.to_csv(folder / "cells.csv", index=False)
    cells[[*KEYS, "respondent", "size"]].to_csv(folder / "grid.csv", index=False)
    return study


def truth_of(simulation: Simulation) -> tuple[pd.Series, pd.Series]:
    """Return true values of cells and of effects, by `KEYS` and by combination and indicator."""
    truth = simulation.truth.rename(columns={"outcome": "indicator"})
    truth = _text(truth)
    cells = truth[truth["estimand"] == "jobcenter"].set_index(KEYS)["value"]
    effects = truth[truth["estimand"] == "effect"].set_index(["combination", "indicator"])["value"]
    return cells, effects


def from_draws(grid: pd.DataFrame, draws: np.ndarray) -> dict[str, pd.DataFrame]:
    """Summarise draws of cells, shape (cell, draw), and of effects over sites."""

    def summary(values: pd.DataFrame) -> pd.DataFrame:
        limits = values.quantile([0.025, 0.975], axis=1).T
        found = pd.DataFrame({"estimate": values.mean(axis=1)})
        return found.assign(lower=limits[0.025], upper=limits[0.975])

    cells = pd.DataFrame(draws, index=pd.MultiIndex.from_frame(grid[KEYS]))
    size = pd.Series(grid["size"].to_numpy(), index=cells.index)
    group = ["combination", "indicator"]
    weights = size / size.groupby(group).transform("sum")
    effects = cells.mul(weights, axis=0).groupby(group).sum()
    return {"cells": summary(cells), "effects": summary(effects)}


def by_peer(peer: Peer, folder: Path) -> Estimates:
    """Run a peer; return its seconds and estimates."""
    place = str(folder)
    words = [word.format(place) if word == "{}" else word for word in peer.command]
    words += [] if "{}" in peer.command else [place]
    started = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{peer.name} failed:\n{done.stderr[-2000:]}")
    grid = pd.read_csv(folder / "grid.csv")
    if (point := folder / "point.csv").is_file():
        found = from_draws(grid, pd.read_csv(point).to_numpy())
        point.unlink()
        return seconds, {kind: frame[["estimate"]] for kind, frame in found.items()}
    if (binary := folder / "draws.npy").is_file():
        draws = np.load(binary)
        binary.unlink()
    else:
        draws = pd.read_csv(folder / "draws.csv", header=None).to_numpy()
        (folder / "draws.csv").unlink()
    return seconds, from_draws(grid, draws)


def by_bipbayes(study: bb.Study) -> Estimates:
    """Fit by the package, in this process."""
    started = time.monotonic()
    fit = bb.fit(study, "hierarchical")
    items = list(study.codebook.indicator_codes)
    sites = sorted(set(map(str, study.responses["jobcenter"])))
    effects, cells = fit.effects(items), fit.effects(items, jobcenter=sites)
    return time.monotonic() - started, {"effects": _keyed(effects), "cells": _keyed(cells)}


def by_ols(study: bb.Study) -> Estimates:
    """Estimate by OLS of every item, errors by person."""
    started = time.monotonic()
    frame = bb.ols(study).frame
    rows = frame[(frame["estimand"] == "effect") & (frame["vcov"] == "cluster_citizen")]
    rows = rows[rows["outcome"].isin(study.codebook.indicator_codes)]
    return time.monotonic() - started, {"effects": _keyed(rows)}


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={"outcome": "indicator"})
    frame = _text(frame.assign(combination=frame["code"]))
    keys = [key for key in KEYS if key in frame and frame[key].ne("s").all()]
    return frame.dropna(subset="lower").set_index(keys)[["estimate", "lower", "upper"]]


def judged(found: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Return coverage (of intervals, where there are any) and root mean squared error."""
    both = found.join(truth, how="inner").dropna()
    error = float(np.sqrt(((both["estimate"] - both["value"]) ** 2).mean()))
    if "lower" not in both:
        return {"n": len(both), "rmse": error}
    inside = both["value"].between(both["lower"], both["upper"])
    return {"n": len(both), "coverage": float(inside.mean()), "rmse": error}


def runs_of(
    study: bb.Study, folder: Path, chosen: list[Peer]
) -> Iterator[tuple[str, int, Callable[[], Estimates]]]:
    """Yield each program's name, lines and what runs it."""
    yield "OLS (bipbayes)", 2, partial(by_ols, study)
    yield "bipbayes", 2, partial(by_bipbayes, study)
    for peer in chosen:
        if not peer.missing:
            yield peer.name, peer.lines(), partial(by_peer, peer, folder)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--citizens", type=int, default=300)
    asked.add_argument("--replicates", type=int, default=1)
    asked.add_argument("--only", default="", help="part of a peer's name")
    given = asked.parse_args()
    chosen = [peer for peer in peers() if given.only in peer.name]
    for peer in chosen:
        if peer.missing:
            print(f"{peer.name}: left out, {peer.missing}")
    rows = []
    for seed in range(given.replicates):
        simulation = simulate(codebook(), citizens=given.citizens, jobcenters=6, seed=seed)
        cells, effects = truth_of(simulation)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            study = write_study(simulation, folder)
            for name, lines, run in runs_of(study, folder, chosen):
                seconds, found = run()
                row = {"program": name, "lines": lines, "seconds": seconds}
                for kind, truth in (("cells", cells), ("effects", effects)):
                    if kind in found:
                        measured = judged(found[kind], truth)
                        row |= {f"{kind}_{key}": value for key, value in measured.items()}
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows)
    print(frame.groupby("program", sort=False).mean(numeric_only=True).round(3).to_string())


if __name__ == "__main__":
    main()

"""A study that is read, checked and summed up part by part, in as little memory as one part needs.

Every part goes through the checks of `bipbayes.data.read` and becomes arrays on disk; what the
checks found is put together, and refused or told as for a file in memory. What follows
(`bipbayes.data.totals`) adds up functions of the parts, here or on a cluster.
"""

import logging
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.atomic import ScratchFolder, scratch_folder
from bipbayes.cluster import Workers
from bipbayes.data import checks
from bipbayes.data.codebook import Codebook
from bipbayes.data.files import file_digest
from bipbayes.data.parts import PART_ROWS, Part, column_names, cut
from bipbayes.data.progression import PreviousRule, Spread, progression, spread_of
from bipbayes.data.read import checked, is_synthetic, refuse
from bipbayes.data.sample import NO_CHANGE, Floats, Sample, analysis_sample, jobcenter_order
from bipbayes.data.study import SHOWN, Finding, Study
from bipbayes.data.totals import Samples
from bipbayes.errors import DataError
from bipbayes.progress import stage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartedStudy:
    """A checked study whose responses stay on disk.

    Attributes
    ----------
    codebook, digest, synthetic, findings, name
        As of `bipbayes.data.study.Study`.
    size
        Number of responses and of citizens.
    samples
        Its analysis sample.
    first
        The first part, whole: enough citizens to look at directions.
    """

    codebook: Codebook
    digest: str
    synthetic: bool
    findings: tuple[Finding, ...]
    name: str
    size: tuple[int, int]
    samples: Samples
    first: Study
    _workers: Workers = field(repr=False)
    _folder: ScratchFolder = field(repr=False)

    def report(self) -> list[str]:
        """Return what was read, a line each: counts and column names, never a citizen's values."""
        n = self.samples.totals.n.sum(axis=0)
        changes = zip(self.samples.outcomes, n, strict=True)
        sites, many = self.samples.jobcenters, self.codebook.say("{jobcenters}")
        return [
            f"{self.name}: {self.size[0]} responses of {self.size[1]} "
            + self.codebook.say("{citizens} in ")
            + f"{len(sites)} {many} with changes, read in parts"
            + (", synthetic" if self.synthetic else ""),
            "changes with known activities: " + ", ".join(f"{k} {count}" for k, count in changes),
            f"{many}: " + ", ".join(sorted(sites)),
            f"findings: {len(self.findings)}",
            *(f"  {finding.sentence(self.codebook)}" for finding in self.findings),
        ]

    def close(self) -> None:
        """Remove the parts from the disk and let the workers go."""
        self._workers.close()
        self._folder.cleanup()


@dataclass(frozen=True)
class _Report:
    """What reading a part told."""

    findings: tuple[Finding, ...]
    synthetic: bool
    size: tuple[int, int]
    labels: dict[str, int]
    spread: Spread | None
    sites: tuple[str, ...]
    path: Path


def read_parts(
    path: Path,
    codebook: Codebook,
    *,
    folder: Path,
    workers: Workers,
    previous: PreviousRule = "item",
    part_rows: int = PART_ROWS,
) -> PartedStudy:
    """Read and check responses part by part.

    Parameters
    ----------
    path
        A Parquet or text file, or a folder of such files.
    codebook
        Names the columns.
    folder
        Where parts are kept while the study is open, in a folder of their own; workers of a
        cluster need the same path.
    workers
        Who computes.
    previous
        Rule for the previous answer.
    part_rows
        Responses of a part, more or less.

    Raises
    ------
    DataError
        The data cannot be used; every fault of every part is named.
    """
    _refuse_without_citizens(path, codebook)
    kept = scratch_folder(folder)
    try:
        with stage("cutting into parts"):
            keys = (codebook.citizen, codebook.jobcenter)
            parts = cut(path, keys, kept.path, part_rows=part_rows)
        read = partial(_read_part, codebook=codebook, previous=previous, folder=kept.path)
        with stage("reading parts", total=len(parts)) as running:
            reports = list(running.over(workers.map(read, list(enumerate(parts)))))
        findings = _merged(reports)
        if not any(one.rule == checks.TWINS for one in findings):
            findings += _twins(reports, codebook)
        refuse(findings, path.name, codebook)
        for finding in findings:
            logger.warning("%s", finding.sentence(codebook))
        samples = _samples(reports, codebook, workers, previous)
        first, _ = parts[0].read()
    except BaseException:
        workers.close()
        kept.cleanup()
        raise
    responses, _ = checked(first, codebook)
    synthetic = all(report.synthetic for report in reports)
    sizes = np.sum([report.size for report in reports], axis=0)
    return PartedStudy(
        codebook=codebook,
        digest=file_digest(path),
        synthetic=synthetic,
        findings=tuple(findings),
        name=path.name,
        size=(int(sizes[0]), int(sizes[1])),
        samples=samples,
        first=Study(responses, codebook, "", synthetic, name=path.name),
        _workers=workers,
        _folder=kept,
    )


def _refuse_without_citizens(path: Path, codebook: Codebook) -> None:
    """Refuse data that cannot be cut, naming all columns that they lack."""
    names = column_names(path)
    if names and not {codebook.citizen, codebook.jobcenter} <= set(names):
        frame = pd.DataFrame(columns=names)
        refuse(
            checks.missing_columns(frame, checks.needed_columns(frame, codebook)),
            path.name,
            codebook,
        )


@dataclass(frozen=True)
class _Spooled:
    """Samples on disk, standardised when they are read."""

    paths: tuple[Path, ...]
    workers: Workers
    mean: Floats
    sd: Floats
    jobcenters: tuple[str, ...]

    def map[Result](self, function: Callable[[Sample], Result]) -> Iterator[Result]:
        """Yield the function of each part."""
        scale = (self.mean, self.sd, self.jobcenters)
        with stage("adding up parts", total=len(self.paths)) as running:
            yield from running.over(
                self.workers.map(partial(_of_part, function, scale), self.paths)
            )


def _read_part(
    numbered: tuple[int, Part], *, codebook: Codebook, previous: PreviousRule, folder: Path
) -> _Report:
    """Check a part and store the changes of its analysis sample."""
    number, part = numbered
    frame, rows = part.read()
    responses, found = checked(frame, codebook)
    placed = [replace(one, rows=tuple(int(rows[row - 1]) for row in one.rows)) for one in found]
    synthetic, path = is_synthetic(frame), folder / f"sample-{number:05d}"
    if not len(responses) or any(one.refused for one in found):
        return _Report(tuple(placed), synthetic, (len(frame), 0), {}, None, (), path)
    study = Study(responses, codebook, "", synthetic)
    raw = _raw_sample(progression(study, previous=previous), codebook)
    spread = spread_of(np.where(raw.observed, raw.values, np.nan))
    # Written beside its place first: work that a lost worker left may be done twice.
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as stream:
        pickle.dump(replace(raw, previous=raw.previous.astype("int32")), stream, protocol=5)
    Path(stream.name).replace(path)
    counts = responses["jobcenter"].value_counts()
    labels = {str(label): int(count) for label, count in counts.items()}
    sites = tuple(raw.jobcenters[place] for place in np.unique(raw.jobcenter))
    return _Report(tuple(placed), synthetic, study.size, labels, spread, sites, path)


def _raw_sample(data: xr.Dataset, codebook: Codebook) -> Sample:
    """Take the analysis sample with changes as they are, in scale points."""
    one = xr.ones_like(data["sd"])
    sites = jobcenter_order(data["jobcenter"].to_numpy().astype(str), codebook)
    raw = data.assign(standardised=data["change"], sd=one)
    return analysis_sample(raw, codebook, jobcenters=sites)


def _samples(
    reports: Sequence[_Report], codebook: Codebook, workers: Workers, previous: PreviousRule
) -> Samples:
    """Put the parts' samples together."""
    spreads = [report.spread for report in reports if report.spread is not None]
    spread = spreads[0]
    for other in spreads[1:]:
        spread = spread + other
    if np.isnan(spread.sd).all():
        raise DataError(codebook.say(NO_CHANGE))
    present = np.array(sorted({site for report in reports for site in report.sites}))
    jobcenters = jobcenter_order(present, codebook)
    mean = np.where(spread.n > 0, spread.mean, np.nan)
    synthetic = int(all(report.synthetic for report in reports))
    scale = xr.Dataset(
        {"mean": ("outcome", mean), "sd": ("outcome", spread.sd)},
        coords={"outcome": list(codebook.outcomes)},
        attrs={"previous": previous, "synthetic": synthetic, "study": codebook.name},
    )
    paths = tuple(report.path for report in reports)
    return Samples(
        parts=_Spooled(paths, workers, mean, spread.sd, jobcenters),
        combinations=codebook.combinations,
        jobcenters=jobcenters,
        outcomes=codebook.outcomes,
        scale=scale,
    )


def _of_part[Result](
    function: Callable[[Sample], Result],
    scale: tuple[Floats, Floats, tuple[str, ...]],
    path: Path,
) -> Result:
    """Apply a function to a part's sample, standardised as the whole study is."""
    mean, sd, jobcenters = scale
    with path.open("rb") as stream:
        raw: Sample = pickle.load(stream)  # written by this run
    observed = raw.observed & ~np.isnan(sd)
    places = pd.Index(jobcenters).get_indexer(pd.Index(raw.jobcenters))
    return function(
        replace(
            raw,
            values=np.where(observed, (raw.values - mean) / sd, 0.0),
            observed=observed,
            jobcenter=places[raw.jobcenter],
            jobcenters=jobcenters,
        )
    )


def _merged(reports: Sequence[_Report]) -> list[Finding]:
    """Put together what was found in the parts: counts add up, the first rows are named."""
    found: dict[tuple[object, ...], Finding] = {}
    for report in reports:
        for one in report.findings:
            key = (one.column, one.rule, one.consequence, one.refused)
            other = found.get(key)
            if other is None:
                found[key] = one
            elif not one.of_columns:
                rows = tuple(sorted((*other.rows, *one.rows))[:SHOWN])
                found[key] = replace(other, count=other.count + one.count, rows=rows)
    marks = {report.synthetic for report in reports}
    if len(marks) > 1:
        count = sum(report.size[0] for report in reports if report.synthetic)
        rule = "synthetic rows among others"
        advice = "never mix synthetic and real responses"
        found[rule,] = Finding(checks.SYNTHETIC_COLUMN, rule, count, advice, refused=True)
    return list(found.values())


def _twins(reports: Sequence[_Report], codebook: Codebook) -> list[Finding]:
    """Find labels of sites that a reader cannot tell apart and that no part holds both of."""
    labels = pd.Series([count for report in reports for count in report.labels.values()],
                       index=[name for report in reports for name in report.labels],
                       dtype="int64").groupby(level=0).sum()  # fmt: skip
    twins = checks.twin_labels(map(str, labels.index))
    if not twins:
        return []
    return [checks.twin_finding(codebook.jobcenter, int(labels[twins].sum()))]

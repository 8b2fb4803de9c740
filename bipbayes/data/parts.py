"""Cutting responses of any size into parts of whole citizens, out of core.

A folder of Parquet files none of which shares a citizen with another is in parts already.
Anything else is streamed once and dealt out by a number drawn from the citizen's id, so that a
part holds all responses of its citizens, whatever their order in the files.

Every part goes through the checks of `bipbayes.data.read` and becomes arrays on disk; what the
checks found is put together, and refused or told as for a file in memory. What follows
(`bipbayes.data.sample`) adds up functions of the parts, here or on a cluster.
"""

import logging
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xarray as xr

from bipbayes.atomic import ScratchFolder, scratch_folder
from bipbayes.cluster import Workers
from bipbayes.data import checks
from bipbayes.data.codebook import Codebook
from bipbayes.data.columns import to_text
from bipbayes.data.files import (
    HEADER,
    PARQUET,
    by_folder,
    csv_blocks,
    data_files,
    file_digest,
    read_parquet,
    same_columns,
)
from bipbayes.data.progression import PreviousRule, Spread, progression, spread_of
from bipbayes.data.read import checked, is_synthetic, refuse, site_counts
from bipbayes.data.sample import (
    ALIKE,
    NO_CHANGE,
    Floats,
    Sample,
    Samples,
    analysis_sample,
    jobcenter_order,
)
from bipbayes.data.study import SHOWN, Finding, Study
from bipbayes.errors import DataError
from bipbayes.progress import stage

PART_ROWS: Final = 100_000  # responses of a part, more or less
BATCH_ROWS: Final = 250_000  # responses that are in memory while they are dealt out
LARGE: Final = 1_000_000  # responses from which a file is read in parts unasked
_ROW: Final = "row of the file"
_CSV_BYTES: Final = 100  # of a response in a CSV file, at least
_MOST: Final = 500  # parts, each an open file while rows are dealt out


@dataclass(frozen=True)
class Part:
    """A Parquet file of whole citizens; `first` rows of the data come before it.

    ``None``: they come from everywhere, and a column says from which rows.
    """

    path: Path
    first: int | None

    def read(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return its responses and the data row, counted from 1, of each."""
        frame = read_parquet(self.path)
        if self.first is not None:
            return frame, np.arange(len(frame)) + self.first + 1
        return frame.drop(columns=_ROW), frame[_ROW].to_numpy()


def is_large(path: Path) -> bool:
    """Say whether data are too many to be read at once, from their files' sizes alone."""
    files = data_files(path)
    if not files or by_folder(path, files):
        return False
    if _is_parquet(files):
        try:
            return bool(sum(pq.read_metadata(file).num_rows for file in files) >= LARGE)
        except (pa.ArrowException, OSError):
            return False  # reading says what is wrong
    return sum(file.stat().st_size for file in files) >= LARGE * _CSV_BYTES


def cut(
    path: Path, keys: tuple[str, str], folder: Path, *, part_rows: int = PART_ROWS
) -> list[Part]:
    """Cut data into parts of whole citizens.

    Parameters
    ----------
    path
        A Parquet or text file, or a folder of such files.
    keys
        Columns of the citizens and of the sites, which are read as text.
    folder
        Where parts are written, if they must be.
    part_rows
        Responses of a part, more or less.

    Raises
    ------
    DataError
        There is nothing to cut, a file cannot be read, or columns differ between files.
    """
    files = data_files(path)
    if not files:
        raise DataError(f"{path.name}: only Parquet and text files are read in parts")
    if by_folder(path, files):
        raise DataError(
            f"{path.name}: names of folders hold a column (name=value), which is not read in "
            "parts; write the column into the files"
        )
    try:
        return _cut(files, keys, folder, part_rows=part_rows)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # of the system, such as a full disk
        # The library's message may quote values of a citizen; only its kind is repeated.
        raise DataError(
            f"{path.name} cannot be read in parts ({type(error).__name__}); check that every file "
            "is complete, has the format its name says and holds the same kinds of columns"
        ) from None


def column_names(path: Path) -> list[str]:
    """Return the columns of data, or none where they cannot be told."""
    files = data_files(path)
    if by_folder(path, files):
        return []
    try:
        if files and _is_parquet(files):
            return list(pq.read_schema(files[0]).names)
        return list(next(csv_blocks(files[0], 1)).columns) if files else []
    except (pa.ArrowException, OSError):
        return []


def _is_parquet(files: Sequence[Path]) -> bool:
    return files[0].suffix.lower() == PARQUET


def _cut(
    files: Sequence[Path], keys: tuple[str, str], folder: Path, *, part_rows: int
) -> list[Part]:
    """Take files as the parts that they are, or deal their rows out."""
    if _is_parquet(files):
        same_columns([pq.read_schema(file).names for file in files])
        _check_keys(files, keys)
        sizes = [pq.read_metadata(file).num_rows for file in files]
        if max(sizes) <= 3 * part_rows and _disjoint(files, keys[0]):
            starts = np.cumsum([0, *sizes[:-1]]).tolist()
            parts = [Part(file, start) for file, start in zip(files, starts, strict=True)]
            filled = [part for part, size in zip(parts, sizes, strict=True) if size]
            return filled or parts[:1]
        count = -(-sum(sizes) // part_rows)
    else:
        count = -(-sum(file.stat().st_size for file in files) // (part_rows * _CSV_BYTES))
    return _dealt(files, keys[0], folder, count=min(max(count, 1), _MOST))


def _check_keys(files: Sequence[Path], keys: Sequence[str]) -> None:
    """Refuse ids and labels that read as other text in another part.

    Numbers with decimals turn the whole ones of a column into text with decimals, too.
    """
    for key in keys:
        kinds = {_kind(pq.read_schema(file).field(key).type) for file in files}
        if len(kinds) > 1:
            told = ", ".join(sorted(map(str, kinds)))
            raise DataError(
                f"{key}: the files hold it as different types ({told}); store it as text in all"
            )
        if pa.types.is_floating(kinds.pop()):
            columns = (pq.read_table(file, columns=[key])[key] for file in files)
            odd = sum(pc.sum(pc.not_equal(pc.floor(each), each)).as_py() or 0 for each in columns)
            if odd:
                raise DataError(
                    f"{key}: labels that are numbers with decimals ({odd}); in parts they must be "
                    "whole numbers or text: store them as text"
                )


def _kind(kind: pa.DataType) -> pa.DataType:
    """Return what a column holds, whether or not it is stored by a dictionary."""
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(held) else held


def _disjoint(files: Sequence[Path], citizen: str) -> bool:
    """Say whether no citizen stands in two files."""
    lots = [np.unique(_lots(pq.read_table(file, columns=[citizen])[citizen])) for file in files]
    return len(np.unique(np.concatenate(lots))) == sum(map(len, lots))


def _lots(column: pa.ChunkedArray) -> np.ndarray:
    """Draw a number for each row from the citizen's id, as it is read.

    Ids that a reader cannot tell apart have the same: a part finds them, whatever holds them.
    """
    encoded = column.combine_chunks().dictionary_encode()
    ids = checks.seen_ids(to_text(encoded.dictionary.to_pandas()))
    lots = pd.util.hash_array(ids.to_numpy(dtype=object))
    # Rows without a citizen go anywhere: reading refuses them.
    lots = np.append(lots, np.uint64(0))
    return np.asarray(lots[encoded.indices.fill_null(len(lots) - 1).to_numpy()])


def _dealt(files: Sequence[Path], citizen: str, folder: Path, *, count: int) -> list[Part]:
    """Stream files into `count` parts by the citizens' lots."""
    parts = [Part(folder / f"part-{number:05d}.parquet", None) for number in range(count)]
    start, schema = 0, None
    with ExitStack() as stack:
        writers: dict[int, pq.ParquetWriter] = {}
        for batch in _tables(files):
            schema = batch.schema if schema is None else schema
            same_columns([schema.names, batch.column_names])
            rows = np.arange(start, start + len(batch)) + 1
            start += len(batch)
            table = batch.cast(schema)
            part = (_lots(table[citizen]) % np.uint64(count)).astype("int64")
            order = np.argsort(part, kind="stable")
            bounds = np.searchsorted(part[order], np.arange(count + 1))
            table = table.append_column(_ROW, pa.array(rows)).take(order)
            for number in np.flatnonzero(np.diff(bounds)).tolist():
                if number not in writers:
                    writers[number] = stack.enter_context(
                        pq.ParquetWriter(parts[number].path, table.schema)
                    )
                writers[number].write_table(
                    table.slice(bounds[number], bounds[number + 1] - bounds[number])
                )
    if not start:
        raise DataError("the files hold no response")
    return [part for number, part in enumerate(parts) if number in writers]


def _tables(files: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the files' rows in batches."""
    for file in files:
        if file.suffix.lower() == PARQUET:
            with pq.ParquetFile(file) as content:
                for batch in content.iter_batches(batch_size=BATCH_ROWS):
                    yield pa.Table.from_batches([batch])
        else:
            for frame in csv_blocks(file, BATCH_ROWS // 5):
                names = list(frame.columns)
                if repeated := sorted(name for name, times in Counter(names).items() if times > 1):
                    raise DataError(
                        f"{file.name}: column names that repeat ({', '.join(repeated)}); rename"
                    )
                yield pa.Table.from_pandas(frame, preserve_index=False, schema=_text(names))


def _text(names: Sequence[str]) -> pa.Schema:
    kinds: Mapping[str, pa.DataType] = dict.fromkeys(names, pa.string())
    return pa.schema(kinds)


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
        size = self.codebook.counted(
            "study_at_sites", responses=self.size[0], people=self.size[1], places=len(sites)
        )
        return [
            f"{self.name}: {size} with changes, read in parts"
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
        labels = _labels(reports)
        if not any(one.rule == checks.TWINS for one in findings):
            findings += _twins(labels, codebook)
        findings += checks.site_findings(labels, codebook, findings)
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
        frame.attrs[HEADER] = not _is_parquet(data_files(path))
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
    labels = site_counts(responses)
    if not len(responses) or any(one.refused for one in found):
        return _Report(tuple(placed), synthetic, (len(frame), 0), labels, None, (), path)
    study = Study(responses, codebook, "", synthetic)
    raw = _raw_sample(progression(study, previous=previous), codebook)
    spread = spread_of(np.where(raw.observed, raw.values, np.nan))
    # Written beside its place first: work that a lost worker left may be done twice.
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as stream:
        pickle.dump(replace(raw, previous=raw.previous.astype("int32")), stream, protocol=5)
    Path(stream.name).replace(path)
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
        raise DataError(codebook.say(ALIKE if (spread.n > 1).any() else NO_CHANGE))
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
                columns = Counter(other.by_column) + Counter(one.by_column)
                count = other.count + one.count
                found[key] = replace(other, count=count, rows=rows, by_column=columns)
    marks = {report.synthetic for report in reports}
    if len(marks) > 1:
        count = sum(report.size[0] for report in reports if report.synthetic)
        rule = "synthetic rows among others"
        advice = "never mix synthetic and real responses"
        found[rule,] = Finding(checks.SYNTHETIC_COLUMN, rule, count, advice, refused=True)
    return list(found.values())


def _labels(reports: Sequence[_Report]) -> Counter[str]:
    """Count responses by site over all parts."""
    return sum((Counter(report.labels) for report in reports), Counter())


def _twins(labels: Mapping[str, int], codebook: Codebook) -> list[Finding]:
    """Find labels of sites that a reader cannot tell apart and that no part holds both of."""
    if twins := checks.twin_labels(labels):
        return [checks.twin_finding(codebook.jobcenter, sum(labels[name] for name in twins))]
    return []

"""A study read in parts gives what it gives in memory, whatever the files' order and cuts."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_responses, with_boxes

from bipbayes.cells import cell_means
from bipbayes.cluster import Workers, dask_client
from bipbayes.data.codebook import Codebook
from bipbayes.data.parts import cut, is_large, read_parts
from bipbayes.data.progression import PreviousRule, progression
from bipbayes.data.read import checked, read_responses
from bipbayes.data.sample import analysis_sample
from bipbayes.errors import DataError, RunError
from bipbayes.regression import estimate_ols, ols_intervals

CODEBOOK = with_boxes(make_codebook(5, 2))
TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
Writer = Callable[[pd.DataFrame, Path], Path]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Responses of 300 citizens, some of whom move, in no order."""
    shape = Shape(citizens=300, waves=(1, 7), gaps=0.2, moves=0.1)
    return random_responses(CODEBOOK, seed=11, shape=shape).drop(columns="combination")


def one_file(frame: pd.DataFrame, folder: Path) -> Path:
    """Write one Parquet file."""
    frame.to_parquet(folder / "all.parquet", index=False)
    return folder / "all.parquet"


def text_file(frame: pd.DataFrame, folder: Path) -> Path:
    """Write one CSV file."""
    frame.to_csv(folder / "all.csv", index=False, sep=";")
    return folder / "all.csv"


def mixed_files(frame: pd.DataFrame, folder: Path) -> Path:
    """Write a folder of files that share citizens."""
    place = folder / "mixed"
    place.mkdir()
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(place / f"{number}.parquet", index=False)
    return place


def whole_files(frame: pd.DataFrame, folder: Path) -> Path:
    """Write a folder of files each of which holds whole citizens."""
    place = folder / "whole"
    place.mkdir()
    kind = frame["citizen"].str[-1].map(ord) % 4
    for number, rows in frame.groupby(kind):
        rows.to_parquet(place / f"{number}.parquet", index=False)
    return place


@pytest.mark.parametrize("previous", ["item", "response"])
@pytest.mark.parametrize("write", [one_file, text_file, mixed_files, whole_files])
def test_parts_are_memory(
    frame: pd.DataFrame, tmp_path: Path, write: Writer, previous: PreviousRule
) -> None:
    """Catches a citizen cut in two, a part standardised by itself, sites or rows that shift."""
    path = write(frame, tmp_path)
    memory = progression(read_responses(one_file(frame, tmp_path), CODEBOOK), previous=previous)
    study = read_parts(
        path, CODEBOOK, folder=tmp_path, workers=Workers(), previous=previous, part_rows=150
    )
    assert study.size == (len(frame), frame["citizen"].nunique())
    assert len(list(tmp_path.glob(".parts-*/sample-*"))) > 2
    same(study.samples, memory, CODEBOOK)
    study.close()
    assert not list(tmp_path.glob(".parts-*"))


def same(parts: object, memory: xr.Dataset, codebook: Codebook) -> None:
    """Hold OLS with all errors and cells with their covariance against those in memory."""
    frames = [ols_intervals(estimate_ols(each, codebook), codebook) for each in (parts, memory)]
    pd.testing.assert_frame_equal(frames[0], frames[1], rtol=1e-10, atol=1e-10)
    ours, theirs = cell_means(parts, codebook), cell_means(memory, codebook)
    xr.testing.assert_allclose(ours, theirs, **TOLERANCE)
    assert ours.attrs["repair"] == theirs.attrs["repair"]


def test_a_lost_workers_work_changes_no_number(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches parts that count twice, or never, where a worker is killed half-way."""
    path = one_file(frame, tmp_path)
    memory = progression(read_responses(path, CODEBOOK))
    with dask_client(None, 2) as cluster:  # there already, as a ministry's would be
        workers = Workers(scheduler=cluster.scheduler.address)
        study = read_parts(path, CODEBOOK, folder=tmp_path, workers=workers, part_rows=100)
        killed = study.samples.total(_sum_and_die_once, tmp_path / "died")
        assert (tmp_path / "died").exists()
        np.testing.assert_array_equal(killed, study.samples.totals.n)
        same(study.samples, memory, CODEBOOK)
        study.close()


def _sum_and_die_once(sample: object, mark: Path) -> np.ndarray:
    import os
    import signal

    from bipbayes.data.sample import totals_of

    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return totals_of(sample).n  # type: ignore[arg-type]
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def faults(*damages: tuple[str, int, object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Make a function that damages entries of a frame: column, row, value."""

    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.reset_index(drop=True).astype({column: "object" for column, _, _ in damages})
        for column, row, value in damages:
            frame.loc[row, column] = value
        return frame.astype({column: "str" for column, _, _ in damages})

    return damage


@pytest.mark.slow
def test_work_that_kills_every_worker_ends_in_a_sentence() -> None:
    """Catches a run that waits for ever, or ends in Dask's words, where memory never suffices."""
    with closing(Workers(count=1)) as workers, pytest.raises(RunError, match="fewer --workers"):
        list(workers.map(os._exit, [1]))


@pytest.mark.parametrize(("scheduler", "busy"), [(None, (0, 4)), ("tcp://there", (20, 24))])
def test_work_that_nobody_is_left_to_do_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, scheduler: str | None, busy: tuple[int, int]
) -> None:
    """Catches a run that waits for ever where no process could be started again.

    And one that gives up while the processes of a scheduler elsewhere stand in a queue.
    """
    monkeypatch.setattr("bipbayes.cluster._ROUND", 0.0)

    class Nobody:
        """A client without processes, and the future of what none of them does."""

        def __init__(self) -> None:
            self.waited = 0

        def submit(self, *_: object, **__: object) -> "Nobody":
            return self

        def result(self, timeout: float) -> None:
            self.waited += 1
            raise TimeoutError

        def done(self) -> bool:
            return False

        def nthreads(self) -> dict[str, int]:
            return {"a": 1} if busy[0] < self.waited <= busy[1] else {}

    workers, nobody = Workers(scheduler=scheduler, count=1), Nobody()
    workers._client = nobody
    with pytest.raises(RunError, match="fewer --workers"):
        list(workers.map(abs, [1]))
    assert nobody.waited == busy[1] + 3  # busy processes are waited for


def test_a_result_that_comes_as_the_wait_ends_is_taken() -> None:
    """Catches a run that fails for a result which is there."""

    class Late:
        waited = False

        def result(self, timeout: float = 0.0) -> int:
            if not self.waited:
                self.waited = True
                raise TimeoutError
            return 7

        def done(self) -> bool:
            return True

    assert Workers()._result(Late()) == 7


def test_all_faults_of_all_parts_are_named_at_once(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches a part whose fault hides another's, and rows counted within parts."""
    damaged = faults(("q1", 700, "9"), ("q1", 3, "8"), ("q2", 400, "x"), ("date", 500, "soon"))
    path = text_file(damaged(frame), tmp_path)
    with pytest.raises(DataError) as memory:
        read_responses(path, CODEBOOK)
    with pytest.raises(DataError) as error:
        read_parts(path, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=150)
    assert sorted(str(error.value).splitlines()) == sorted(str(memory.value).splitlines())
    assert "data rows 4, 701" in str(error.value)
    assert not list(tmp_path.glob(".parts-*"))


def site_files(folder: Path, sites: tuple[str, ...]) -> Path:
    """Write a folder of one file a site."""
    shape = Shape(citizens=60, waves=(3, 4), moves=0)
    codebook = make_codebook(5, 2, jobcenters=sites)
    rows = random_responses(codebook, seed=2, shape=shape).drop(columns="combination")
    place = folder / "sites"
    place.mkdir()
    for number, site in enumerate(sites):
        part = rows[rows["jobcenter"] == site]
        part.to_parquet(place / f"{number}.parquet", index=False)
    return place


def test_sites_of_some_parts_only(tmp_path: Path) -> None:
    """Catches codes of sites that are those of a part."""
    place = site_files(tmp_path, ("west", "east", "south"))
    memory = progression(read_responses(place, CODEBOOK))
    study = read_parts(place, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=10**6)
    same(study.samples, memory, CODEBOOK)
    study.close()


def test_sites_that_look_alike_in_different_parts_are_refused(tmp_path: Path) -> None:
    """Catches labels that are compared within parts only."""
    place = site_files(tmp_path, ("north", "North"))
    with pytest.raises(DataError, match="differ only by case"):
        read_parts(place, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=10**6)


def test_sites_are_held_against_the_list_and_one_another_over_all_parts(tmp_path: Path) -> None:
    """Catches a listed site that is absent from a part only, and slips that no part shows."""
    place = site_files(tmp_path, ("Nordby skole", "Norby skole"))
    listed = replace(CODEBOOK, jobcenters=("Nordby skole", "Norby skole", "Sydby"))
    read = partial(read_parts, place, folder=tmp_path, workers=Workers(), part_rows=10**6)
    with closing(read(codebook=listed)) as study:
        memory = read_responses(place, listed).findings
        assert [f.count for f in study.findings] == [f.count for f in memory]
        assert [f.consequence for f in study.findings][-2] == "Sydby"
        assert "nearly" in study.findings[-1].rule
    with pytest.raises(
        DataError, match=r"list of .* lacks \(\d+, first in [^•]*no row holds .*Sydby"
    ):
        read(codebook=replace(listed, jobcenters=("Nordby skole", "Sydby")))


@pytest.mark.parametrize("write", [whole_files, text_file])
def test_ids_that_look_alike_are_counted_over_all_parts(
    write: Writer, frame: pd.DataFrame, tmp_path: Path
) -> None:
    """Catches ids that are compared within the part that holds them only."""
    names = frame["citizen"].unique()
    first = {name: f"a{place}" for place, name in enumerate(names[:10])}
    for sign in (str.upper, "{}\u200b".format):
        again = dict(zip(names[-10:], map(sign, first.values()), strict=True))
        rows = frame.assign(citizen=frame["citizen"].replace(first | again))
        place = tmp_path / sign("x")
        place.mkdir()
        _, found = checked(rows, CODEBOOK)
        path = write(rows, place)
        parted = read_parts(path, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=150)
        with closing(parted):
            told = [each.count for each in parted.findings if "ids that" in each.rule]
        assert told == [each.count for each in found if "ids that" in each.rule] and told[0] > 10


def test_files_of_one_folder_have_the_same_columns(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches a column that is silently empty for some of the files."""
    place = mixed_files(frame, tmp_path)
    frame.drop(columns="q3").to_parquet(place / "3.parquet", index=False)
    with pytest.raises(DataError, match=r"different columns \(q3\)"):
        cut(place, ("citizen", "jobcenter"), tmp_path)


@pytest.mark.parametrize("names", [("all.xlsx",), ()])
def test_what_cannot_be_cut_is_said(tmp_path: Path, names: Sequence[str]) -> None:
    """Catches a traceback for a workbook or an empty folder."""
    place = tmp_path / (names[0] if names else "empty")
    place.touch() if names else place.mkdir()
    with pytest.raises(DataError, match="only Parquet and text files"):
        cut(place, ("citizen", "jobcenter"), tmp_path)


def refused(path: Path, folder: Path, part_rows: int = 150) -> str:
    """Return why data are refused in parts."""
    with pytest.raises(DataError) as error:
        read_parts(path, CODEBOOK, folder=folder, workers=Workers(), part_rows=part_rows)
    return str(error.value)


def test_numbers_that_read_otherwise_in_another_part_are_refused(tmp_path: Path) -> None:
    """Catches a citizen called 1 in one part and 1.0 in another, who becomes two."""
    frame = random_responses(CODEBOOK, seed=1, shape=Shape(citizens=80)).drop(columns="combination")
    number = frame["citizen"].str[1:].astype(float)
    for column, values in (("citizen", number), ("jobcenter", number % 3)):
        odd = values.where(np.arange(len(frame)) > 0, 7.5)
        path = one_file(frame.assign(**{column: odd}), tmp_path)
        assert f"{column}: labels that are numbers with decimals (1)" in refused(path, tmp_path)
    place = tmp_path / "kinds"
    place.mkdir()
    frame.head(50).to_parquet(place / "a.parquet", index=False)
    frame.tail(50).assign(citizen=number.astype(int)).to_parquet(place / "b.parquet", index=False)
    assert "citizen: the files hold it as different types (int64, string)" in refused(
        place, tmp_path
    )


def test_folders_of_text_are_data_as_well(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches two folders with one digest, files of programs that count, columns that shift."""
    digests = set()
    for name, rows in (("a", frame), ("b", frame.iloc[:-5])):
        place = tmp_path / name
        (place / "_temporary").mkdir(parents=True)
        (place / ".checkpoints").mkdir()
        for number, part in enumerate((rows.iloc[:200], rows.iloc[200:])):
            part.to_csv(place / f"{number}.csv", index=False)
        rows.to_csv(place / "_temporary/0.csv", index=False)
        rows.to_csv(place / ".checkpoints/0.csv", index=False)
        memory = read_responses(place, CODEBOOK)
        study = read_parts(place, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=150)
        assert study.size == memory.size == (len(rows), rows["citizen"].nunique())
        same(study.samples, progression(memory), CODEBOOK)
        digests |= {study.digest, memory.digest}
        study.close()
    assert len(digests) == 2
    frame.rename(columns={"q1": "q9"}).to_csv(place / "2.csv", index=False)
    assert "different columns (q1, q9)" in refused(place, tmp_path)
    text = (place / "0.csv").read_text(encoding="utf-8")
    (tmp_path / "twice.csv").write_text(text.replace("q2", "q1", 1), encoding="utf-8")
    assert "column names that repeat (q1)" in refused(tmp_path / "twice.csv", tmp_path)


def test_parts_without_rows_and_sites_without_changes(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches an empty file that refuses a study, and a site that is one in parts only."""
    alone = frame.head(1).assign(citizen="once", jobcenter="elsewhere")
    place = whole_files(pd.concat([frame, alone]), tmp_path)
    frame.head(0).to_parquet(place / "9.parquet", index=False)
    memory = read_responses(place, CODEBOOK)
    study = read_parts(place, CODEBOOK, folder=tmp_path, workers=Workers(), part_rows=10**6)
    assert "elsewhere" not in study.samples.jobcenters
    same(study.samples, progression(memory), CODEBOOK)
    study.close()


def test_changes_that_are_all_alike_are_refused_as_in_memory(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    """Catches a traceback where no outcome has a standard deviation, and a wrong reason."""
    still = frame.assign(**dict.fromkeys(CODEBOOK.indicator_codes, 3.0))
    path = one_file(still, tmp_path)
    assert "changes are all alike" in refused(path, tmp_path)
    with pytest.raises(DataError, match="changes are all alike"):
        analysis_sample(progression(read_responses(path, CODEBOOK)), CODEBOOK)


def test_columns_in_folders_names_are_said_to_be(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Catches a column that a file lacks although the folder's name holds it."""
    frame.to_parquet(tmp_path / "hive", index=False, partition_cols=["jobcenter"])
    assert "names of folders hold a column" in refused(tmp_path / "hive", tmp_path)
    assert not is_large(tmp_path / "hive")
    assert read_responses(tmp_path / "hive", CODEBOOK).size[0] == len(frame)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a traceback of the network."""
    monkeypatch.setattr("bipbayes.cluster._PATIENCE", "1s")
    with pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(Workers("tcp://127.0.0.1:9").map(abs, [1]))

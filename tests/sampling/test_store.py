"""Fits as files."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import xarray as xr
from fits import hierarchical_fit

from bipbayes.errors import FitError
from bipbayes.run.console import run_verb
from bipbayes.sampling.tree import load_fit, save_fit


def test_a_fit_comes_back_as_it_was(tmp_path: Path) -> None:
    """Catches draws, labels or attributes that change on the way through the file."""
    path = tmp_path / "posterior" / "hierarchical.nc"
    fit = hierarchical_fit()
    save_fit(path, fit)
    back = load_fit(path)
    for name in fit.children:
        xr.testing.assert_equal(fit[name].to_dataset(), back[name].to_dataset())
    assert {key: str(value) for key, value in back.attrs.items()} == {
        key: str(value) for key, value in fit.attrs.items()
    }
    assert [file.name for file in path.parent.iterdir()] == ["hierarchical.nc"]


def test_a_fit_can_be_written_over_after_it_was_read(tmp_path: Path) -> None:
    """Catches a reader that keeps the file open."""
    path = tmp_path / "hierarchical.nc"
    save_fit(path, hierarchical_fit())
    save_fit(path, load_fit(path))
    assert load_fit(path)["posterior"].sizes["draw"] == 300


def test_a_disk_without_room_is_told_before_it_fills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches HDF5 on a full disk, which takes the whole process with it."""
    path, fit = tmp_path / "hierarchical.nc", hierarchical_fit()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=fit.nbytes))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as left:
        run_verb(lambda: save_fit(path, fit) or 0)
    said = capsys.readouterr().err
    assert left.value.code == 2 and str(path) in said and "make room there" in said
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a result that is destroyed by the run that should have replaced it."""
    path = tmp_path / "hierarchical.nc"
    save_fit(path, hierarchical_fit())
    before = path.read_bytes()

    def full_disk(self: xr.DataTree, target: Path, **_: object) -> None:
        Path(target).write_bytes(b"half a file")
        raise OSError("no space left")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_fit(path, hierarchical_fit())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["hierarchical.nc"]


def test_what_is_no_fit_is_refused(tmp_path: Path) -> None:
    """Catches tracebacks of the storage library in place of a sentence."""
    with pytest.raises(FitError, match="there is no fit"):
        load_fit(tmp_path / "none.nc")
    damaged = tmp_path / "damaged.nc"
    damaged.write_bytes(b"not a file of this kind")
    with pytest.raises(FitError, match="cannot be read"):
        load_fit(damaged)
    other = tmp_path / "other.nc"
    xr.DataTree.from_dict({"posterior": xr.Dataset({"x": 1.0})}).to_netcdf(other, engine="h5netcdf")
    with pytest.raises(FitError, match="lacks sample_stats"):
        load_fit(other)

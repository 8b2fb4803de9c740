"""Run folders: whose results they hold and what may be written over."""

from pathlib import Path

import pandas as pd
import pytest

from bipbayes.errors import RunError
from bipbayes.run.folder import RunFolder

MINE = {"data": "aaa", "codebook": "b", "previous": "item"}
OTHER = {**MINE, "data": "zzz"}


def test_another_runs_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Catches results of two data sets mixed in one folder, or the first ones lost."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.write("ols.csv", pd.DataFrame({"estimate": [1.0]}))
    with pytest.raises(RunError, match=r"other data.*--overwrite"):
        folder.claim(OTHER, overwrite=False)
    assert folder.file("ols.csv").is_file()
    folder.claim(MINE, overwrite=False)
    assert folder.file("ols.csv").is_file()


def test_overwrite_removes_the_other_runs_outputs_and_nothing_else(tmp_path: Path) -> None:
    """Catches stale figures beside new ones, and a user's own files deleted."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "forest_B1.png").write_bytes(b"x")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("keep")
    (tmp_path / "notes.txt").write_text("keep")
    (tmp_path / "audit_mine.csv").write_text("keep")
    folder.finish("fit_posterior/no_pooling", {})
    (tmp_path / "audit_no_pooling.csv").write_text("of the other run")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "audit_paragraph.txt").write_text("of the other run")
    folder.claim(OTHER, overwrite=True)
    assert not (tmp_path / "figures" / "forest_B1.png").exists()
    assert not (tmp_path / "tables" / "audit_paragraph.txt").exists()
    assert not (tmp_path / "audit_no_pooling.csv").exists()
    assert (tmp_path / "audit_mine.csv").exists()
    assert (tmp_path / "data" / "mine.csv").exists() and (tmp_path / "notes.txt").exists()
    assert folder.record()["identity"] == OTHER


def test_files_of_an_unknown_run_are_not_taken_over(tmp_path: Path) -> None:
    """Catches writing into a folder whose run.json was lost."""
    (tmp_path / "effects.csv").write_text("x")
    with pytest.raises(RunError, match="unknown run"):
        RunFolder(tmp_path).claim(MINE, overwrite=False)


def test_a_stage_with_other_settings_is_refused(tmp_path: Path) -> None:
    """Catches a fit with other priors silently replacing the stored one."""
    folder = RunFolder(tmp_path)
    folder.claim(MINE, overwrite=False)
    folder.finish("fit_ols", {"level": 0.95}, rows=3)
    folder.begin("fit_ols", {"level": 0.95}, overwrite=False)
    with pytest.raises(RunError, match="level"):
        folder.begin("fit_ols", {"level": 0.9}, overwrite=False)
    folder.begin("fit_ols", {"level": 0.9}, overwrite=True)
    assert folder.stage("fit_ols")["rows"] == 3
    with pytest.raises(RunError, match="fit-posterior"):
        folder.stage("fit_posterior/hierarchical")


def test_frames_keep_codes_as_text(tmp_path: Path) -> None:
    """Catches combination 0101 read back as 101 and an empty label as missing."""
    folder = RunFolder(tmp_path)
    frame = pd.DataFrame({"combination": ["0101"], "jobcenter": [""], "estimate": [0.1 + 0.2]})
    folder.write("effects.csv", frame)
    back = folder.read("effects.csv")
    assert back["combination"].tolist() == ["0101"] and back["jobcenter"].tolist() == [""]
    assert back["estimate"].tolist() == [0.1 + 0.2]
    with pytest.raises(RunError, match="missing"):
        folder.read("comparison.csv")


def test_frames_say_what_they_rest_on_and_stages_what_was_asked(tmp_path: Path) -> None:
    """Catches quick numbers in a CSV without a mark, and options that run.json forgot."""
    frame = pd.DataFrame({"estimate": [1.0]})
    quick = RunFolder(tmp_path, {"quick": True, "seed": 3})
    quick.claim(MINE, overwrite=False)
    quick.note(data={"synthetic": False})
    quick.write("ols.csv", frame)
    stored = pd.read_csv(tmp_path / "ols.csv")
    assert stored["synthetic"].tolist() == [False] and stored["preliminary"].tolist() == [True]
    pd.testing.assert_frame_equal(quick.read("ols.csv"), frame)
    quick.finish("fit_ols", {})
    assert quick.stage("fit_ols")["asked"] == {"quick": True, "seed": 3}
    later = RunFolder(tmp_path, {"quick": False})
    later.write("ols.csv", frame)
    assert "preliminary" not in pd.read_csv(tmp_path / "ols.csv")
    later.finish("fit_posterior/hierarchical", {}, preliminary=True)
    later.write("effects.csv", frame)
    assert pd.read_csv(tmp_path / "effects.csv")["preliminary"].tolist() == [True]
    later.write("ols.csv", frame, drawn=False)
    assert "preliminary" not in pd.read_csv(tmp_path / "ols.csv")
    later.write("effects.csv", frame, fits={"fit_posterior/hierarchical": True})
    assert "preliminary" not in pd.read_csv(tmp_path / "effects.csv")
    later.finish("fit_posterior/hierarchical", {}, preliminary=False, verdict={"passed": False})
    later.write("comparison.csv", frame)
    assert pd.read_csv(tmp_path / "comparison.csv")["preliminary"].tolist() == [True]

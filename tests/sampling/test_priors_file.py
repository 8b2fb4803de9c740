"""Priors from files and dictionaries."""

from pathlib import Path

import pytest

from bipbayes.errors import SettingsError
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import load_model

Priors = load_model("hierarchical").Priors


def test_values_override_defaults(tmp_path: Path) -> None:
    """Catches a file whose values are read and forgotten; whole numbers are numbers, too."""
    path = tmp_path / "priors.toml"
    path.write_text("[hierarchical]\ncombination = 0.3\njobcenter = 1\n", encoding="utf-8")
    priors = make_priors(Priors, read_priors(path, ["hierarchical"])["hierarchical"])
    assert (priors.combination, priors.jobcenter) == (0.3, 1.0)
    assert priors.jobcenter_indicator == Priors().jobcenter_indicator


def test_a_file_without_the_model_leaves_defaults(tmp_path: Path) -> None:
    """Catches one model's priors that are used for another."""
    path = tmp_path / "priors.toml"
    path.write_text("[factorial]\nmain = 0.3\n", encoding="utf-8")
    assert read_priors(path, ["hierarchical", "factorial"])["hierarchical"] == {}
    assert read_priors(None, ["hierarchical"]) == {"hierarchical": {}}


def test_all_faults_are_named() -> None:
    """Catches a check that stops at the first fault."""
    with pytest.raises(SettingsError) as caught:
        make_priors(Priors, {"combinaton": 0.1, "jobcenter": "wide", "combination": True})
    assert all(word in str(caught.value) for word in ("combinaton", "wide", "True"))
    with pytest.raises(SettingsError, match="positive"):
        make_priors(Priors, {"combination": -0.1})


@pytest.mark.parametrize("text, word", [("combination = 1", "outside"), ("[hier", "no TOML")])
def test_faulty_files_are_refused(tmp_path: Path, text: str, word: str) -> None:
    """Catches priors that a user believes to have set."""
    path = tmp_path / "priors.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=word):
        read_priors(path, ["hierarchical"])
    with pytest.raises(SettingsError, match="cannot be read"):
        read_priors(tmp_path / "none.toml", ["hierarchical"])

"""Settings: checked at once, recorded without paths of the machine."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bipbayes.errors import SettingsError
from bipbayes.run import options
from bipbayes.run.options import settings_from
from bipbayes.run.settings import QUICK_DRAWS, Settings


def test_all_faults_are_named_at_once() -> None:
    """Catches a check that stops at the first wrong option."""
    with pytest.raises(SettingsError) as caught:
        Settings(vcov="robust", level=95, chains=0, language="de")
    for part in ("--vcov", "--level", "--chains", "--lang"):
        assert part in str(caught.value)


def test_quick_cuts_draws_unless_they_are_asked_for() -> None:
    """Catches --quick overriding an explicit --draws, or doing nothing."""
    assert settings_from({"quick": True}).draws == QUICK_DRAWS
    assert settings_from({"quick": True, "draws": 77}).draws == 77
    assert settings_from({"quick": False}).draws == Settings.draws


def test_lists_may_be_repeated_or_joined_by_commas() -> None:
    """Catches --outcome B1,B2 read as one outcome."""
    assert settings_from({"outcomes": ["B1,B2", "S3"]}).outcomes == ("B1", "B2", "S3")


def test_record_is_json_without_folders() -> None:
    """Catches a path of the server in a file that leaves it."""
    record = Settings(data=Path("/secret/place/responses.csv")).record()
    assert "secret" not in json.dumps(record)
    assert record["data"] == "responses.csv"


def test_the_main_job_looks_beside_unless_told_not_to() -> None:
    """Catches a fit at the same previous answer that is left out, made twice, or of all models."""
    assert Settings().looks_beside and Settings(ordinal=True).looks_beside
    assert Settings(adjust=("covariates",)).looks_beside
    assert not Settings(adjust=("baseline",)).looks_beside, "asked for: it is fitted anyhow"
    left_out = settings_from({"adjust": ["none"]})
    assert not left_out.looks_beside and left_out.analysis == ""
    assert not Settings(adjust=("none",), ordinal=True).looks_beside
    assert not Settings(quick=True).looks_beside, "a quick run has one fit"
    models = Settings(models=("hierarchical", "no_pooling"), ordinal=True)
    beside = models.at_baseline()
    assert (beside.analysis, beside.models) == ("baseline", ("hierarchical",))
    with pytest.raises(SettingsError, match="none and another"):
        Settings(adjust=("none", "baseline"))


def test_a_verb_has_defaults_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an option that is not given taking the place of the verb's own default."""
    seen: list[Settings] = []
    monkeypatch.setattr(options, "run_verb", lambda work: work())
    monkeypatch.setattr(options, "start_logging", lambda *, quiet: None)
    verb = options.verb("models out", models=(), out=Path("elsewhere"))(seen.append)
    for given in ([], ["--model", "no_pooling,own.py", "--out", "here"]):
        line = typer.Typer()
        line.command()(verb)
        assert CliRunner().invoke(line, given).exit_code == 0
    assert [one.models for one in seen] == [(), ("no_pooling", "own.py")]
    assert [str(one.out) for one in seen] == ["elsewhere", "here"]

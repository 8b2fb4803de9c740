"""Model files: found by name or path, refused with all faults named."""

from pathlib import Path

import pytest
from cell_builders import CellShape, make_cells

from bipbayes.errors import ModelError
from bipbayes.sampling.graph import build_model
from bipbayes.sampling.registry import load_model, model_names

GOOD = """
from dataclasses import dataclass

import pymc as pm
import pytensor.tensor as pt

from bipbayes.sampling.likelihood import coordinates, observe

TERMS = ("level",)


@dataclass(frozen=True)
class Priors:
    scale: float = 0.2


def build(cells, priors=Priors()):
    with pm.Model(coords=coordinates(cells)) as model:
        level = pm.Normal("level", 0, priors.scale, dims="combination")
        shape = tuple(cells.sizes[dim] for dim in ("combination", "jobcenter", "indicator"))
        observe(pt.broadcast_to(level[:, None, None], shape), cells)
    return model
"""


def write(folder: Path, text: str, *, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(path)
    return str(caught.value)


def test_the_package_has_its_models() -> None:
    """Catches a model file that is not found, or a private file that is taken for a model."""
    assert {"complete_pooling", "hierarchical", "no_pooling"} <= set(model_names())
    assert not any(name.startswith("_") for name in model_names())
    assert load_model("hierarchical").name == "hierarchical"


def test_an_own_file_works(tmp_path: Path) -> None:
    """Catches a contract that the package's files alone can keep."""
    model_file = load_model(write(tmp_path, GOOD))
    model = build_model(model_file, make_cells(), priors=model_file.Priors())
    assert model_file.name == "mine"
    assert model_file.TERMS == ("level",)
    assert [variable.name for variable in model.free_RVs] == ["level"]


def test_the_digest_follows_the_text(tmp_path: Path) -> None:
    """Catches fits of two versions of a file that pass for the same model."""
    first = load_model(write(tmp_path, GOOD)).digest
    assert load_model(write(tmp_path, GOOD)).digest == first
    assert load_model(write(tmp_path, GOOD.replace("0.2", "0.3"))).digest != first


def test_an_empty_file_is_refused_with_all_faults(tmp_path: Path) -> None:
    """Catches a check that stops at the first fault."""
    text = refusal(write(tmp_path, "x = 1\n"))
    assert "build(cells, priors)" in text
    assert "frozen dataclass Priors" in text
    assert "TERMS" in text


@pytest.mark.parametrize(
    "old, new, word",
    [
        ("def build(cells, priors=Priors()):", "def build(cells):", "two arguments"),
        ("@dataclass(frozen=True)", "@dataclass", "frozen"),
        ("@dataclass(frozen=True)", "", "no dataclass"),
        (
            "scale: float = 0.2\n\n\ndef build(cells, priors=Priors())",
            "scale: float\n\n\ndef build(cells, priors)",
            "no default for scale",
        ),
        ('TERMS = ("level",)', "TERMS = ()", "empty"),
        ('TERMS = ("level",)', 'TERMS = ("level", "level")', "twice"),
        ('TERMS = ("level",)', 'TERMS = "level"', "tuple of names"),
        ("import pymc as pm", "import pymc as pm, nowhere_at_all", "ModuleNotFoundError"),
        ("TERMS = (", "TERMS = ((", "SyntaxError"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    """Catches each fault that would otherwise show as a traceback in the sampler."""
    assert old in GOOD
    assert word in refusal(write(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    "name, said", [("hierachical", "did you mean 'hierarchical'"), ("nowhere.py", "no model file")]
)
def test_unknown_models_are_refused(name: str, said: str) -> None:
    """Catches a misspelt name that goes through to an import error."""
    with pytest.raises(ModelError, match=said):
        load_model(name)


@pytest.mark.parametrize(
    "old, new, word",
    [
        ('TERMS = ("level",)', 'TERMS = ("level", "slope")', "slope"),
        ('0, priors.scale, dims="combination"', "0, priors.scale, shape=4", "no dims"),
        ("observe(pt.", "pm.Normal('other', 0, 1, observed=0.5); (pt.", "whitened_mean"),
        ("    return model", "    return None", "no PyMC model"),
        ('pm.Normal("level", 0, priors.scale', 'pm.Poisson("level", 1', "discrete"),
        ('dims="combination"', 'dims="indicator_"', "indicator_"),
    ],
)
def test_faults_of_a_built_model_are_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    """Catches models whose draws estimands and checks could not use."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if "indicator_" in new:
        text = text.replace("coordinates(cells)", "{**coordinates(cells), 'indicator_': range(4)}")
    model_file = load_model(write(tmp_path, text))
    with pytest.raises(ModelError, match=word):
        build_model(model_file, make_cells(CellShape()), priors=model_file.Priors())


@pytest.mark.parametrize("does", ["raise KeyError('oops')", "raise SystemExit(0)"])
def test_a_file_that_stops_or_leaves_is_a_sentence(tmp_path: Path, does: str) -> None:
    """Catches exit code 0 where a file calls sys.exit, and a traceback where build raises."""
    kind = "KeyError: 'oops'" if "oops" in does else "SystemExit: 0"
    assert refusal(write(tmp_path, does)) == f"the model file mine.py stops with {kind}"
    text = GOOD.split("    with pm.Model")[0] + f"    {does}\n"
    model_file = load_model(write(tmp_path, text))
    with pytest.raises(ModelError, match=f"mine.py stops in build with {kind}"):
        model_file.build(None)
    batches = text.replace("def build(", "def batches(").replace('TERMS = ("level",)', "")
    with pytest.raises(ModelError, match=f"mine.py stops in batches with {kind}"):
        load_model(write(tmp_path, batches)).declared(None)

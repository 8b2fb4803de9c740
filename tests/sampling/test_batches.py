"""Terms summed over cells, whatever their dims and the order of these."""

import numpy as np
import pytensor.tensor as pt
import pytest
from cell_builders import CellShape, make_cells

from bipbayes.cells import CELL
from bipbayes.errors import ModelError
from bipbayes.sampling.batches import Batch, idle_priors
from bipbayes.sampling.graph import total
from bipbayes.sampling.labels import labels, respondent_position
from bipbayes.sampling.registry import load_model

CELLS = make_cells(CellShape(indicators=5), seed=1)
SIZES = {dim: len(names) for dim, names in labels(CELLS).items()}


@pytest.mark.parametrize(
    "terms",
    [
        [("jobcenter", "combination")],  # not in the cells' order
        [("indicator", "combination", "jobcenter"), ()],
        [("respondent", "jobcenter"), ("combination",), ("indicator", "respondent")],
    ],
)
def test_terms_count_where_their_labels_stand(terms: list[tuple[str, ...]]) -> None:
    """Catches a term read in another order of dims, or from its neighbour's part of the row."""
    rng = np.random.default_rng(0)
    values = [rng.normal(size=[SIZES[dim] for dim in dims]) for dims in terms]
    found = total([pt.as_tensor(value) for value in values], terms, cells=CELLS).eval(
        mode="FAST_COMPILE"
    )
    respondent = respondent_position(CELLS)
    for cell in np.ndindex(*(SIZES[dim] for dim in CELL)):
        place = dict(zip(CELL, cell, strict=True))
        place["respondent"] = int(respondent[place["indicator"]])
        pairs = zip(terms, values, strict=True)
        expected = sum(value[tuple(place[dim] for dim in dims)] for dims, value in pairs)
        assert found[cell] == pytest.approx(expected, abs=1e-12)


def test_no_terms_are_no_effect() -> None:
    """Catches a crash where a study is so small that no batch is left."""
    assert not total([], [], cells=CELLS).eval(mode="FAST_COMPILE").any()


@pytest.mark.parametrize(
    ("dims", "scale", "said"),
    [
        (("combination", "indicatr"), 0.1, "dim 'indicatr'.*indicator"),
        ("combination", 0.1, r"write \('combination',\)"),
        (("combination",), (0.1, 0.0), "positive"),
        (("combination",), float("nan"), "positive"),
    ],
)
def test_a_batch_of_unknown_dims_or_scale_is_refused(dims, scale, said) -> None:
    """Catches a typing error of an own model that ends in a traceback after the data are read."""
    with pytest.raises(ModelError, match=said):
        Batch("own_effect", dims, scale)


def test_a_prior_without_a_batch_is_idle() -> None:
    """Catches methods that tell a prior of respondents where there is one, or leave one out."""
    alone = CELLS.isel(indicator=respondent_position(CELLS) == 0)
    one, every = ["combination_respondent"], ["hierarchical", "complete_pooling", "factorial"]
    for name, left_out in zip(every, (one, [], [*one, "respondent"]), strict=True):
        model = load_model(name)
        assert model.batches is not None
        found = [idle_priors(model.batches, cells, model.Priors()) for cells in (CELLS, alone)]
        assert found == [[], left_out], name

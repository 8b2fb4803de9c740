"""How often the look at directions errs: ``python tests/benchmarks/bench_directions.py``.

Prints the tables of ``bipbayes/docs/statistics/direction.md``: false alarms on the synthetic BIP
with its citizens drawn anew, on other draws of its generator, and on items shuffled over citizens;
and how often items that were turned on purpose are named, exactly these and no other.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.simulate import simulate_bip
from bipbayes.data.codebook import Codebook
from bipbayes.data.directions import Directions, directions
from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.validation.generator import Generator, draw_design, draw_drift, simulate_study

SIZES = (3707, 1000, 500, 300, 200, 100)
RUNS = 400


def draw_citizens(data: xr.Dataset, *, citizens: int, rng: np.random.Generator) -> xr.Dataset:
    """Draw citizens with replacement, each draw a citizen of its own."""
    codes, labels = pd.factorize(data["citizen"].to_numpy())
    order = np.argsort(codes, kind="stable")
    first = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    drawn = rng.integers(len(labels), size=citizens)
    rows = [order[first[c] : first[c + 1]] for c in drawn]
    names = np.repeat(np.arange(citizens).astype(str), [len(own) for own in rows])
    taken = data.isel(response=np.concatenate(rows))
    return taken.assign_coords(citizen=("response", names))


def shuffle(
    data: xr.Dataset, groups: Sequence[Sequence[str]], *, rng: np.random.Generator
) -> xr.Dataset:
    """Give each group of items the changes of other citizens who answered as often."""
    citizen = pd.factorize(data["citizen"].to_numpy())[0]
    order = np.argsort(citizen, kind="stable")
    size = np.bincount(citizen)
    start = np.cumsum(size) - size
    place = np.arange(len(order)) - np.repeat(start, size)
    outcomes = data.get_index("outcome")
    values = data["standardised"].transpose("response", "outcome").to_numpy().copy()
    for group in groups:
        source = np.arange(len(size))
        for number in np.unique(size):
            alike = np.flatnonzero(size == number)
            source[alike] = rng.permutation(alike)
        rows = order[np.repeat(start[source], size) + place]
        column = outcomes.get_indexer(list(group))
        values[np.ix_(order, column)] = values[np.ix_(rows, column)]
    return data.assign(standardised=(("response", "outcome"), values))


def turn(data: xr.Dataset, codes: Sequence[str]) -> xr.Dataset:
    """Turn items: their changes are the others' with the other sign."""
    sign = xr.where(data["outcome"].isin(list(codes)), -1.0, 1.0)
    return data.assign(standardised=data["standardised"] * sign)


def is_exact(found: Directions, turned: Sequence[str], codebook: Codebook) -> bool:
    """Say whether the turned items and no others were told from the rest."""
    named = {one.code for one in found.against}
    if 2 * len(turned) == len(codebook.indicators):
        both = {frozenset(named), frozenset(one.code for one in found.others)}
        return both == {frozenset(turned), frozenset(codebook.indicator_codes) - set(turned)}
    return named == set(turned)


def false_alarms(data: xr.Dataset, codebook: Codebook, rng: np.random.Generator) -> None:
    """Print how often anything is named where nothing was turned."""
    print("| citizens | drawn anew | items shuffled | respondents shuffled | one item shuffled |")
    codes = codebook.indicator_codes
    blocks = [[c for c in codes if codebook.respondent_of(c) == r] for r in codebook.respondents]
    for citizens in SIZES:
        count = np.zeros(4, dtype=int)
        for _ in range(RUNS):
            drawn = draw_citizens(data, citizens=citizens, rng=rng)
            items = shuffle(drawn, [[code] for code in codes], rng=rng)
            sides = shuffle(drawn, blocks, rng=rng)
            one = shuffle(drawn, [[str(rng.choice(codes))]], rng=rng)
            for place, study in enumerate((drawn, items, sides, one)):
                count[place] += bool(directions(study, codebook).against)
        print(f"| {citizens} | {' | '.join(f'{k} of {RUNS}' for k in count)} |", flush=True)


def few_items(data: xr.Dataset, codebook: Codebook, rng: np.random.Generator) -> None:
    """Print false alarms on shuffled items of studies with fewer of them, 500 citizens."""
    for number in (2, 3, 5, 7, 10):
        few = replace(codebook, indicators=codebook.indicators[:number], averages=())
        alarms = 0
        for _ in range(RUNS):
            drawn = draw_citizens(data, citizens=500, rng=rng)
            shuffled = shuffle(drawn, [[code] for code in few.indicator_codes], rng=rng)
            alarms += bool(directions(shuffled, few).against)
        print(f"{number} items shuffled: {alarms} of {RUNS}", flush=True)


def power(data: xr.Dataset, codebook: Codebook, rng: np.random.Generator) -> None:
    """Print how often exactly the turned items are told from the others, and a wrong one named."""
    print("| citizens | turned | exactly these | named, mean | a wrong one named |")
    for citizens in SIZES:
        for number in (1, 4, 10):
            exact, named, wrong = 0, 0, 0
            for _ in range(RUNS // 2):
                drawn = draw_citizens(data, citizens=citizens, rng=rng)
                turned = rng.choice(codebook.indicator_codes, size=number, replace=False).tolist()
                found = directions(turn(drawn, turned), codebook)
                sides = {one.code for one in found.against}
                off = sides - set(turned)
                if 2 * number == len(codebook.indicators):
                    off = min(off, sides & set(turned), key=len)
                exact += is_exact(found, turned, codebook)
                named += len(sides)
                wrong += bool(off)
            runs = RUNS // 2
            print(
                f"| {citizens} | {number} | {exact / runs:.3f} | {named / runs:.2f} | "
                f"{wrong / runs:.3f} |",
                flush=True,
            )


def other_draws(codebook: Codebook) -> None:
    """Print false alarms on studies of another generator."""
    alarms, runs = 0, 100
    for seed in range(runs):
        design = draw_design(codebook, citizens=3707, jobcenters=None, seed=seed)
        generator = Generator()
        drift = draw_drift(codebook, len(design.jobcenters), generator=generator, seed=seed)
        study = simulate_study(design, drift=drift, generator=generator, seed=seed)
        alarms += bool(directions(progression(study), codebook).against)
    print(f"other draws of BIP's size: {alarms} of {runs} false alarms")


def main() -> None:
    """Print the tables."""
    codebook = bip_codebook()
    rng = np.random.default_rng(20170101)
    data = progression(responses_from_frame(simulate_bip().responses, codebook))
    other_draws(codebook)
    power(data, codebook, rng)
    false_alarms(data, codebook, rng)
    few_items(data, codebook, rng)


if __name__ == "__main__":
    main()

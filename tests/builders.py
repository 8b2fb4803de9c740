"""Random ragged studies of any shape for tests; nothing here is a result."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Activity, Average, Codebook, Indicator, Treatment
from bipbayes.data.progression import PreviousRule, progression
from bipbayes.data.study import Study

# What nothing printed of another study than BIP says.
FOREIGN = re.compile(
    r"\b(BIP\w*|jobcent(er|ers|re)|citizens?|caseworkers?|borgere?s?|sagsbehandlere?|report|"
    r"rapport|rapporten|rapportens|(table|figure|tabel|figur|box|boks) \d+|Denmark|Danmark)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Shape:
    """What a random study looks like.

    Attributes
    ----------
    citizens, waves
        Number of citizens; lowest and highest number of responses of each.
    gaps
        Probability that an answer is missing.
    unknown
        Probability that a response's activities are unknown.
    moves
        Probability that a response was given in another jobcenter than the citizen's.
    persistence
        Probability that a response keeps the citizen's last combination.
    combinations
        Those that occur (default all).
    lacking
        Pairs (combination, jobcenter) without responses.
    unanswered
        Triples (indicator, combination, jobcenter) without answers.
    """

    citizens: int = 80
    waves: tuple[int, int] = (1, 6)
    gaps: float = 0.15
    unknown: float = 0.1
    moves: float = 0.05
    persistence: float = 0.5
    combinations: Sequence[str] = ()
    lacking: Collection[tuple[str, str]] = field(default_factory=tuple)
    unanswered: Collection[tuple[str, str, str]] = field(default_factory=tuple)


def make_codebook(
    indicators: int = 7,
    treatments: int = 2,
    *,
    jobcenters: Sequence[str] = (),
    scale: tuple[int, int] = (1, 5),
) -> Codebook:
    """Make a codebook with two respondents (citizen first) and an average for each."""
    first = (indicators + 1) // 2
    codes = [f"q{number}" for number in range(1, indicators + 1)]
    respondents = ["citizen" if number < first else "caseworker" for number in range(indicators)]
    members = {name: tuple(codes[i] for i in range(indicators) if respondents[i] == name)
               for name in dict.fromkeys(respondents)}  # fmt: skip
    letters = "TUVWXYZ"[:treatments]
    return Codebook(
        name="random study",
        scale=scale,
        indicators=tuple(
            Indicator(code, code, respondent, {"en": f"Question {code}"})
            for code, respondent in zip(codes, respondents, strict=True)
        ),
        treatments=tuple(Treatment(code, {"en": code}, (code,)) for code in letters),
        averages=tuple(Average(f"{name}_mean", codes, {}) for name, codes in members.items()),
        jobcenters=tuple(jobcenters),
    )


def with_boxes(codebook: Codebook) -> Codebook:
    """Give a codebook's files one tick box a treatment, so that they can be read."""
    boxes = [Activity(code, i, {}, code) for i, code in enumerate(codebook.treatment_codes)]
    return replace(codebook, activities=tuple(boxes))


def random_responses(codebook: Codebook, *, seed: int, shape: Shape | None = None) -> pd.DataFrame:
    """Draw the frame of a study: answers with gaps, treatment columns, ``combination``.

    Shuffled rows; answers are the citizen's level plus noise, rounded to the scale, correlated
    over indicators. Jobcenters are the codebook's, or four sites.
    """
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    sites = codebook.jobcenters or tuple(f"site {number}" for number in range(1, 5))
    people = [_citizen(codebook, f"c{c:04d}", sites, shape, rng) for c in range(shape.citizens)]
    # One frame of all, since one a citizen takes most of a small test's time.
    frame = pd.DataFrame({name: np.concatenate([c[name] for c in people]) for name in people[0]})
    frame["date"] = pd.Timestamp("2013-01-01") + pd.to_timedelta(frame["date"], unit="D")
    texts = ["citizen", "jobcenter", "combination"]
    frame[texts] = frame[texts].astype("str")
    for combination, site in shape.lacking:
        frame = frame[(frame["combination"] != combination) | (frame["jobcenter"] != site)]
    for code, combination, site in shape.unanswered:
        where = (frame["combination"] == combination) & (frame["jobcenter"] == site)
        frame.loc[where, code] = np.nan
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def random_study(codebook: Codebook, *, seed: int, shape: Shape | None = None) -> Study:
    """Wrap `random_responses` as a checked study (synthetic)."""
    frame = random_responses(codebook, seed=seed, shape=shape)
    return Study(frame, codebook, digest=f"seed {seed}", synthetic=True, name="random")


def random_progression(
    codebook: Codebook, *, seed: int, shape: Shape | None = None, previous: PreviousRule = "item"
) -> xr.Dataset:
    """Progression of a random study."""
    return progression(random_study(codebook, seed=seed, shape=shape), codebook, previous=previous)


def replace_responses(study: Study, frame: pd.DataFrame) -> Study:
    """Return a study with another frame (fresh index), everything else equal."""
    responses = frame.reset_index(drop=True)
    return Study(responses, study.codebook, study.digest, study.synthetic, name=study.name)


def _citizen(
    codebook: Codebook, name: str, sites: Sequence[str], shape: Shape, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the columns of a citizen; dates as days."""
    waves = int(rng.integers(shape.waves[0], shape.waves[1] + 1))
    indicators = len(codebook.indicators)
    low, high = codebook.scale
    home = int(rng.integers(len(sites)))
    moved = rng.random(waves) < shape.moves
    place = np.where(moved, rng.integers(len(sites), size=waves), home)
    level = (low + high) / 2 + rng.normal(0, 0.7) + 0.1 * np.arange(waves)[:, None]
    noise = rng.normal(0, 0.5, (waves, 1)) + rng.normal(0, 0.8, (waves, indicators))
    answers = np.clip(np.round(level + noise), low, high)
    answers[rng.random(answers.shape) < shape.gaps] = np.nan
    combination = _combinations(codebook, waves, shape, rng)
    days = np.cumsum(rng.integers(60, 250, size=waves))
    digits = {
        code: [float(text[i]) if text else np.nan for text in combination]
        for i, code in enumerate(codebook.treatment_codes)
    }
    return {
        "citizen": np.full(waves, name),
        "jobcenter": np.array([sites[i] for i in place]),
        "date": days,
        **dict(zip(codebook.indicator_codes, answers.T, strict=True)),
        **{code: np.array(column) for code, column in digits.items()},
        "combination": np.array(combination),
    }


def _combinations(
    codebook: Codebook, waves: int, shape: Shape, rng: np.random.Generator
) -> list[str]:
    allowed = list(shape.combinations or codebook.combinations)
    current, result = str(rng.choice(allowed)), []
    for _ in range(waves):
        if rng.random() > shape.persistence:
            current = str(rng.choice(allowed))
        result.append("" if rng.random() < shape.unknown else current)
    return result

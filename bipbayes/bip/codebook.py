"""The codebooks of the 2017 BIP report: its responses, and its citizens' characteristics."""

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from bipbayes.bip.facts import jobcenter_table
from bipbayes.data.characteristics_codebook import CharacteristicsCodebook, parse_characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import parse_codebook


def _table(name: str) -> dict[str, Any]:
    path = files("bipbayes.bip") / "resources" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def bip_codebook() -> Codebook:
    """Return the codebook of the 2017 BIP report (Boxes 1 and 2, Table 2)."""
    codebook = parse_codebook(_table("codebook"))
    counts = jobcenter_table().loc[list(codebook.jobcenters), list(codebook.combinations)]
    shares = tuple(tuple(row) for row in counts.to_numpy().tolist())
    return replace(codebook, is_bip=True, shares=shares)


@cache
def bip_characteristics() -> CharacteristicsCodebook:
    """Return the 63 characteristics of the 2017 report's Tables 4 to 11."""
    return parse_characteristics(_table("characteristics"))

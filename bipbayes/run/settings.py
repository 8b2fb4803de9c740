"""The one record of what a run was asked to do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from bipbayes.errors import SettingsError, raise_all, unknown
from bipbayes.option_words import (
    ADJUSTMENTS,
    BASELINE,
    COVARIATES,
    CREDIBLE,
    ENGINES,
    EXACT,
    NUTS,
    ORDINAL,
    PREVIOUS,
    VCOVS,
)
from bipbayes.phrases import LANGUAGES
from bipbayes.plots.task import SIZES, Printing

NOTHING: Final = "none"
DEFAULT_SEED: Final = 20170507  # the day the report's data were extracted
DEFAULT_DRAWS: Final[Mapping[str, int]] = {EXACT: 1000, NUTS: 1500}
DEFAULT_TUNE: Final = 800
AUTO: Final = "auto"
ALWAYS: Final = "always"
NEVER: Final = "never"
PNG: Final = "png"
FIGURE_FORMATS: Final = (PNG, "pdf", "svg")
PARTS: Final = (AUTO, ALWAYS, NEVER)  # whether responses are read in parts
STRICT: Final = "strict"
TABLES_ONLY: Final = "tables"
OFF: Final = "off"
DISCLOSURES: Final = (STRICT, TABLES_ONLY, OFF)
QUICK_DRAWS: Final = 300
QUICK_TUNE: Final = 300
QUICK_POINTS: Final = 640
_POSITIVE: Final = (0.0, math.inf)


def _option(
    default: Any, text: str, flag: str = "", *, allowed: Any = None, kept: bool = True
) -> Any:
    """Declare a field and its option: what ``--help`` says, and how it is spelt there.

    ``allowed`` is a tuple of words, a range of whole numbers, or two bounds that a number lies
    between. What changes no result is not ``kept`` in the record of the run.
    """
    told = {"help": text, "flag": flag, "allowed": allowed, "kept": kept}
    return field(default=default, metadata=told)


@dataclass(frozen=True)
class Settings:
    """Everything a user can choose, checked before the slow part begins.

    A field is an option of the command line, and its help says what it is. ``None`` is the
    synthetic BIP, BIP's codebook, the models' own priors, the report's claims, the engine that a
    model allows, its number of draws. Empty outcomes are all, empty covariates all columns that
    hold numbers, empty models all that a folder holds.
    """

    data: Path | None = _option(
        None, "Responses (CSV, Excel, Parquet, Stata, SPSS, SAS). Default: synthetic."
    )
    codebook: Path | None = _option(None, "Codebook in TOML. Default: BIP's own.")
    models: tuple[str, ...] = _option(
        ("hierarchical",), "Model name or path of a model file; repeatable.", "model"
    )
    priors: Path | None = _option(None, "TOML file with prior scales, by model.")
    characteristics: Path | None = _option(
        None, "One row a citizen: age, diagnoses, ... (Tables 4-11)."
    )
    claims: Path | None = _option(None, "Claims to audit (CSV). Default: the report's.")
    beyond: float = _option(0.1, "Stated size for claims of no effect, in sd.", allowed=_POSITIVE)
    vcov: str = _option(
        "citizen", "Working covariance of cell means: iid, response, citizen.", allowed=VCOVS
    )
    previous: str = _option(
        "item", "Rule for the previous answer: item or response.", allowed=PREVIOUS
    )
    adjust: tuple[str, ...] = _option(
        (),
        "Adjust for baseline or covariates, or none; repeatable.",
        allowed=(*ADJUSTMENTS, NOTHING),
    )
    covariates: tuple[str, ...] = _option(
        (), "Column of --characteristics to adjust for; repeatable.", "covariate"
    )
    ordinal: bool = _option(False, "Answers as categories: ordered probit, no metric.")
    engine: str | None = _option(
        None, "exact (default for models of batches) or nuts (any model).", allowed=ENGINES
    )
    draws: int | None = _option(
        None,
        f"Draws kept per chain (exact 1000, nuts 1500, quick {QUICK_DRAWS}).",
        allowed=range(4, 100_001),
    )
    tune: int = _option(
        None,
        f"Warm-up draws per chain of nuts ({DEFAULT_TUNE}, quick {QUICK_TUNE}).",
        allowed=range(50, 100_001),
    )
    chains: int = _option(4, "Number of chains.", allowed=range(1, 101))
    target_accept: float = _option(0.98, "Target acceptance of the sampler.", allowed=(0.0, 1.0))
    seed: int = _option(
        DEFAULT_SEED, "The one seed; all others derive from it.", allowed=range(2**32)
    )
    level: float = _option(0.95, "Probability of the intervals.", allowed=(0.0, 1.0))
    kind: str = _option("eti", "Credible intervals: eti (equal-tailed) or hdi.", allowed=CREDIBLE)
    rope: float | None = _option(
        None, "Half-width of the region of practical equivalence, in sd.", allowed=_POSITIVE
    )
    outcomes: tuple[str, ...] = _option(
        (), "Outcomes to draw and tabulate; repeatable or B1,B2.", "outcome"
    )
    parts: str = _option(
        AUTO,
        "Read responses in parts: auto (from a million), always, never.",
        allowed=PARTS,
        kept=False,
    )
    scheduler: str | None = _option(
        None, "Address of a Dask scheduler that does the parts.", kept=False
    )
    workers: int | None = _option(
        None,
        "Processes that do the parts (default: one a core; 0: this one alone).",
        allowed=range(1025),
        kept=False,
    )
    out: Path = _option(Path("results"), "Folder of the results.")
    overwrite: bool = _option(False, "Replace another run's results in that folder.")
    language: str = _option(
        "en",
        f"Language of figures and tables: {', '.join(LANGUAGES)}.",
        "lang",
        allowed=LANGUAGES,
    )
    minimum_count: int = _option(
        5, "Blank numbers that rest on fewer citizens (real data).", allowed=range(1, 1_000_001)
    )
    disclosure: str | None = _option(
        None,
        "What leaves, to export/: strict (default for real data), tables, off (synthetic).",
        allowed=DISCLOSURES,
        kept=False,
    )
    ledger: Path | None = _option(
        None,
        "Folder of earlier exports to compare with. Default: in private/ of --out.",
        kept=False,
    )
    everything: bool = _option(
        False, "Draw the figures, too, that the main job leaves out.", "all", kept=False
    )
    figure_formats: tuple[str, ...] = _option(
        (),
        "Figures as pdf or svg, too, beside PNG; repeatable.",
        "figure-format",
        allowed=FIGURE_FORMATS,
    )
    figure_size: str | None = _option(
        None,
        "Figures as large as a journal's column, a page or a slide.",
        allowed=tuple(SIZES),
        kept=False,
    )
    figure_font: str | None = _option(
        None, "Installed font that figures take letters from.", kept=False
    )
    captions_apart: bool = _option(
        False, "Titles and captions as text files beside the figures, not in them.", kept=False
    )
    no_title: bool = _option(
        False, "Figures without title and caption, which stand nowhere.", kept=False
    )
    dodged: bool = _option(
        False, "Forests in one panel, OLS and posterior on the same rows.", kept=False
    )
    by_size: bool = _option(
        False, "Rows of forests by size, the largest effect on top.", kept=False
    )
    quick: bool = _option(False, "Few draws and pictures, one fit; all is preliminary.")
    quiet: bool = _option(False, "No progress and no messages.")

    def __post_init__(self) -> None:
        for name, quick, usual in (
            ("draws", QUICK_DRAWS, None),
            ("tune", QUICK_TUNE, DEFAULT_TUNE),
        ):
            if getattr(self, name) is None:
                object.__setattr__(self, name, quick if self.quick else usual)
        raise_all(SettingsError, "These options were refused:", list(_faults(self)))

    @property
    def analysis(self) -> str:
        """Name of the analysis in frames and files, ``""`` for the plain one."""
        return ORDINAL if self.ordinal else "+".join(n for n in ADJUSTMENTS if n in self.adjust)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that the run reads."""
        files = (self.data, self.codebook, self.priors, self.characteristics, self.claims)
        models = [Path(name) for name in self.models if name.endswith(".py")]
        return (*(path for path in files if path is not None), *models)

    def plain(self) -> "Settings":
        """Return the same settings for the plain analysis."""
        return replace(self, adjust=(), covariates=(), ordinal=False)

    @property
    def looks_beside(self) -> bool:
        """Whether the main job also fits at the same previous answer, unasked."""
        return not self.quick and self.analysis != BASELINE and NOTHING not in self.adjust

    def at_baseline(self) -> "Settings":
        """Return the same settings for the first model at the same previous answer."""
        return replace(self.plain(), adjust=(BASELINE,), models=self.models[:1])

    @property
    def printing(self) -> Printing:
        """How figures are written, as PNG always."""
        further = (name for name in FIGURE_FORMATS[1:] if name in self.figure_formats)
        formats = (PNG, *further, *["txt"] * self.captions_apart)
        return Printing(
            formats,
            self.figure_size or "",
            self.figure_font or "",
            bare=self.no_title or self.captions_apart,
        )

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values for ``run.json`` (no folders of this machine)."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.metadata["kept"]}
        return {key: _plain(value) for key, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.name
    return list(value) if isinstance(value, tuple) else value


def option_name(name: str) -> str:
    """Return how the command line spells a field, such as ``--covariate``."""
    flag = Settings.__dataclass_fields__[name].metadata["flag"] or name
    return f"--{flag.replace('_', '-')}"


def _faults(settings: Settings) -> list[str]:
    faults = []
    for each in fields(settings):
        allowed, value = each.metadata["allowed"], getattr(settings, each.name)
        if allowed is None or value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        if refused := [one for one in values if not _is_allowed(one, allowed)]:
            name = option_name(each.name)
            if isinstance(allowed[0], str):
                faults += [unknown(name, one, allowed) for one in refused]
            else:
                told = ", ".join(map(repr, refused))
                faults.append(f"{name} must {_in_words(allowed)}, not {told}")
    return faults + _analysis_faults(settings)


def _is_allowed(value: Any, allowed: Any) -> bool:
    if isinstance(allowed[0], float):
        return bool(allowed[0] < value < allowed[1])
    return value in allowed


def _in_words(allowed: Any) -> str:
    if isinstance(allowed, range):
        return f"be a whole number from {allowed[0]} to {allowed[-1]}"
    if allowed == _POSITIVE:
        return "be positive and finite"
    return f"lie between {allowed[0]:g} and {allowed[1]:g}"


def _analysis_faults(settings: Settings) -> list[str]:
    faults = []
    if NOTHING in settings.adjust and len(settings.adjust) > 1:
        faults.append("--adjust none and another --adjust exclude each other")
    if settings.ordinal and set(settings.adjust) & set(ADJUSTMENTS):
        faults.append(
            "--ordinal and --adjust exclude each other: the ordinal analysis compares at the same "
            "previous answer already; run them one after the other, a folder holds both"
        )
    if settings.analysis and (settings.parts == ALWAYS or settings.scheduler is not None):
        faults.append(
            "--adjust and --ordinal need all responses at once: leave out --parts always and "
            "--scheduler"
        )
    if settings.covariates and COVARIATES not in settings.adjust:
        faults.append("--covariate names columns to adjust for; it needs --adjust covariates")
    return faults

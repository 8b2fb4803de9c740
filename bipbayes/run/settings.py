"""The one record of what a run was asked to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bipbayes.errors import SettingsError, raise_all

# Words of other modules stand here again: scripts read settings before NumPy is imported.
VCOVS: Final = ("iid", "response", "citizen")
LANGUAGES: Final = ("en", "da")
KINDS: Final = ("eti", "hdi")
PREVIOUS: Final = ("item", "response")
COVARIATES: Final = "covariates"
BASELINE: Final = "baseline"
ADJUSTMENTS: Final = (BASELINE, COVARIATES)
NOTHING: Final = "none"
ORDINAL: Final = "ordinal"
DEFAULT_SEED: Final = 20170507  # the day the report's data were extracted
EXACT: Final = "exact"
NUTS: Final = "nuts"
ENGINES: Final = (EXACT, NUTS)
DEFAULT_DRAWS: Final[Mapping[str, int]] = {EXACT: 1000, NUTS: 1500}
DEFAULT_TUNE: Final = 800
AUTO: Final = "auto"
ALWAYS: Final = "always"
NEVER: Final = "never"
PNG: Final = "png"
FIGURE_FORMATS: Final = (PNG, "pdf", "svg")
PARTS: Final = (AUTO, ALWAYS, NEVER)  # whether responses are read in parts
QUICK_DRAWS: Final = 300
QUICK_TUNE: Final = 300
QUICK_POINTS: Final = 640


@dataclass(frozen=True)
class Settings:
    """Everything a user can choose, checked before the slow part begins.

    Attributes
    ----------
    data, codebook, priors
        Files; ``None`` is the synthetic BIP, BIP's codebook, the models' own priors.
    characteristics, claims
        Files: one row a citizen; claims to audit (``None``: the report's, for BIP).
    beyond
        Stated size, in standard deviations, for claims that something has no effect.
    models
        Names of models, or paths of a user's own model files.
    vcov
        Working covariance of stage 1: ``iid``, ``response`` or ``citizen``.
    previous
        Rule for the previous answer: ``item`` or ``response``.
    adjust
        What progression is adjusted for: ``baseline``, ``covariates``, both or nothing;
        ``none`` also keeps the main job from fitting at the same previous answer.
    covariates
        Columns of the characteristics to adjust for; empty is all that hold numbers.
    ordinal
        Whether answers are analysed as categories (ordered probit).
    engine
        ``exact`` or ``nuts``; ``None`` is exact wherever a model declares batches.
    draws, tune, chains, target_accept, seed
        Draws and, for ``nuts``, sampling; ``draws`` and ``tune`` count per chain. ``None`` draws
        are the engine's default number.
    level, kind
        Probability of the intervals, and ``eti`` or ``hdi`` for the credible ones.
    outcomes
        Outcomes to draw and tabulate; empty is all.
    parts
        Whether responses are read in parts: ``auto`` (a million and more), ``always``, ``never``.
    scheduler, workers
        Who reads parts: the address of a Dask scheduler, or processes of this machine (0: the
        run's own; ``None``: one for each core).
    rope
        Half-width of the region of practical equivalence in standard deviations, if wanted.
    everything
        Draw the figures, too, that the main job leaves out.
    figure_formats
        Formats of figures beside PNG, which the page shows: ``pdf``, ``svg``.
    quick
        Fewer draws, points and pictures, no fit unasked; all results are marked preliminary.
    """

    data: Path | None = None
    codebook: Path | None = None
    models: tuple[str, ...] = ("hierarchical",)
    priors: Path | None = None
    characteristics: Path | None = None
    claims: Path | None = None
    beyond: float = 0.1
    vcov: str = "citizen"
    previous: str = "item"
    adjust: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    ordinal: bool = False
    engine: str | None = None
    draws: int | None = None
    tune: int = DEFAULT_TUNE
    chains: int = 4
    target_accept: float = 0.98
    seed: int = DEFAULT_SEED
    level: float = 0.95
    kind: str = "eti"
    rope: float | None = None
    outcomes: tuple[str, ...] = ()
    parts: str = AUTO
    scheduler: str | None = None
    workers: int | None = None
    out: Path = field(default=Path("results"))
    overwrite: bool = False
    language: str = "en"
    minimum_count: int = 5
    everything: bool = False
    figure_formats: tuple[str, ...] = ()
    quick: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
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
    def drawn_as(self) -> tuple[str, ...]:
        """Endings of the files that each figure is written to, PNG always."""
        return (PNG, *(name for name in FIGURE_FORMATS[1:] if name in self.figure_formats))

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values for ``run.json`` (no folders of this machine)."""
        values = asdict(self)
        for key in ("data", "codebook", "priors", "characteristics", "claims", "out"):
            values[key] = Path(values[key]).name if values[key] is not None else None
        for key in ("parts", "scheduler", "workers", "everything"):
            values.pop(key)  # they change no result
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}


def quick_values(quick: bool, values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the numbers of draws that were not asked for."""
    draws, tune = (QUICK_DRAWS, QUICK_TUNE) if quick else (None, DEFAULT_TUNE)
    filled = dict(values)
    for key, default in (("draws", draws), ("tune", tune)):
        if filled.get(key) is None:
            filled[key] = default
    return {**filled, "quick": quick}


def _faults(settings: Settings) -> list[str]:
    faults = [
        f"--{name} must be one of {', '.join(filter(None, allowed))}, not {value!r}"
        for name, value, allowed in (
            ("vcov", settings.vcov, VCOVS),
            ("previous", settings.previous, PREVIOUS),
            ("lang", settings.language, LANGUAGES),
            ("kind", settings.kind, KINDS),
            ("engine", settings.engine, (None, *ENGINES)),
            ("parts", settings.parts, PARTS),
        )
        if value not in allowed
    ]
    for name, value, least in (
        ("draws", settings.draws, 4),
        ("tune", settings.tune, 50),
        ("chains", settings.chains, 1),
        ("minimum-count", settings.minimum_count, 1),
        ("seed", settings.seed, 0),
        ("workers", settings.workers, 0),
    ):
        if value is not None and value < least:
            faults.append(f"--{name} must be at least {least}, not {value}")
    for name, share in (("level", settings.level), ("target-accept", settings.target_accept)):
        if not 0 < share < 1:
            faults.append(f"--{name} must lie between 0 and 1, not {share}")
    if settings.beyond <= 0:
        faults.append(f"--beyond must be positive, not {settings.beyond}")
    if settings.rope is not None and settings.rope <= 0:
        faults.append(f"--rope must be positive, not {settings.rope}")
    if unknown := [name for name in settings.figure_formats if name not in FIGURE_FORMATS]:
        told, known = ", ".join(map(repr, unknown)), ", ".join(FIGURE_FORMATS)
        faults.append(f"--figure-format must be one of {known}, not {told}")
    if not settings.models:
        faults.append("--model: at least one model is needed")
    return faults + _analysis_faults(settings)


def _analysis_faults(settings: Settings) -> list[str]:
    faults = []
    allowed = (*ADJUSTMENTS, NOTHING)
    if unknown := [name for name in settings.adjust if name not in allowed]:
        known = ", ".join(allowed)
        faults.append(f"--adjust must be one of {known}, not {', '.join(map(repr, unknown))}")
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

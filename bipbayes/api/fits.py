"""A model fitted to a study, and what its draws say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd
import xarray as xr

from bipbayes.analyses import analysis_cells
from bipbayes.api import pictures
from bipbayes.api.choices import (
    Names,
    analysis_name,
    blanked,
    chosen,
    file_of,
    names_of,
    noted,
    number_of,
    of_kind,
    one_of,
    outcomes,
    weights_of,
    whole_number_of,
    worded,
)
from bipbayes.api.estimates import Covariates, people
from bipbayes.api.pictures import FigureOptions
from bipbayes.api.show import Card
from bipbayes.api.study import Study
from bipbayes.cells import VCOV
from bipbayes.comparison import shown_errors
from bipbayes.errors import SettingsError
from bipbayes.estimands.draws import effect_draws
from bipbayes.estimands.intervals import IntervalSettings
from bipbayes.estimands.posterior import Posterior, add_predictions, summarise
from bipbayes.estimands.query import (
    OBSERVED,
    Effect,
    Weights,
    cell_effects,
    effect_frame,
    probability,
    read_statements,
)
from bipbayes.intervals import ALL_INDICATORS, COMPARED, PLAIN, interval_frame, join_frames
from bipbayes.option_words import CREDIBLE, ENGINES
from bipbayes.plots.catalogue import (
    FigureInputs,
    dodged_tasks,
    forest_tasks,
    heatmap_tasks,
    jobcenter_tasks,
)
from bipbayes.regression.intervals import checked_level
from bipbayes.run.settings import DEFAULT_DRAWS, DEFAULT_SEED, DEFAULT_TUNE
from bipbayes.sampling.diagnose import Verdict
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, engine_of, fit_cells, load_model
from bipbayes.sampling.settings import SamplerSettings, derived_seed
from bipbayes.tables.interval_table import interval_table
from bipbayes.tables.layout import Table
from bipbayes.wording import Context, interval_words, phrase

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False, eq=False)
class Fit:
    """A model's posterior, judged; made by `bipbayes.fit` or `bipbayes.load`.

    Attributes
    ----------
    study
        What was fitted.
    posterior
        The package's record: draws, cells, intervals, diagnostics, verdict.
    settings
        Level and kind of the credible intervals.

    Examples
    --------
    >>> fit.verdict.passed
    True
    >>> list(fit.effects("all_indicators", "T+U").columns[:4])
    ['combination', 'code', 'outcome', 'n']
    >>> 0 <= fit.probability("T > none in at least 2 indicators") <= 1
    True
    """

    study: Study
    posterior: Posterior
    settings: IntervalSettings

    @property
    def tree(self) -> xr.DataTree:
        """All draws and what ArviZ needs: ``az.summary(fit.tree)``, ``az.loo(fit.tree)``."""
        return self.posterior.fit

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.posterior.model

    @property
    def verdict(self) -> Verdict:
        """Whether the fit may be reported, with reasons."""
        return self.posterior.verdict

    @property
    def cells(self) -> xr.Dataset:
        """The cell means that were fitted, with their covariance."""
        return self.posterior.cells

    @property
    def diagnostics(self) -> pd.DataFrame:
        """Diagnostics of hyperparameters and of every reported quantity, one a row."""
        return self.posterior.diagnostics

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All estimands, one a row: ``combination`` in words, its digits in ``code``."""
        return worded(self.posterior.intervals, self.study.codebook)

    def context(self) -> Context:
        """Return what figures and tables share; a fit that failed its checks is preliminary."""
        return self.study.context(
            analysis=self.posterior.analysis, preliminary=not self.verdict.passed
        )

    def effects(
        self,
        outcome: Names = None,
        combination: Names = None,
        *,
        jobcenter: Names = None,
        weights: Weights = OBSERVED,
        level: float | None = None,
    ) -> pd.DataFrame:
        """Return effects: differences from average progress, in its standard deviations.

        Parameters
        ----------
        outcome
            Codes of indicators or averages, or ``all_indicators``; default: all.
        combination
            Such as ``"J+S"`` or ``"none"``; default: all.
        jobcenter
            One or several sites by name (whatever the study calls them: jobcenters, schools),
            each by itself; default: over all.
        weights
            How jobcenters count: ``"observed"`` (as they occur in each combination, as in OLS),
            ``"standardised"`` (alike in all combinations), ``"new"`` (a jobcenter not seen), or
            ``{"Aarhus": 1, "Odense": 3}``, which are scaled to sum to one.
        level
            Probability of the intervals; default: the fit's.

        Returns
        -------
        pandas.DataFrame
            ``combination, code, outcome, jobcenter`` or ``weights`` (``own`` where given by
            name), ``n, n_citizens, estimate, se, lower, upper, level, kind, p_positive,
            p_wrong_sign``, diagnostics, ``places_moved`` (how far the effect moves the middle
            person in a queue of 100, ``100 (Phi(d) - 0.5)``, as in the report of 2017), ``note``.

        Examples
        --------
        >>> fit.effects("q1", "T", jobcenter=["north", "west"])["jobcenter"].tolist()
        ['north', 'west']
        """
        book = self.study.codebook
        names = names_of("combination", combination)
        asked = [Effect.of(name, book) for name in names or book.combinations]
        frame = self._summed(asked, outcome, jobcenter, weights, level)
        codes = {each.label(book): each.first for each in asked}
        frame = frame.rename(columns={"effect": "combination"})
        frame.insert(1, "code", frame["combination"].map(codes))
        return frame

    def contrast(
        self,
        difference: str,
        outcome: Names = None,
        *,
        jobcenter: Names = None,
        weights: Weights = OBSERVED,
        level: float | None = None,
    ) -> pd.DataFrame:
        """Return the difference of two combinations.

        Parameters
        ----------
        difference
            Such as ``"J+S - J"``; ``"J"`` alone is ``"J - none"``.
        outcome, jobcenter, weights, level
            As for `effects`. Observed weights hold each combination's own jobcenters against the
            other's; ``weights="standardised"`` gives both the same.

        Returns
        -------
        pandas.DataFrame
            As of `effects`, the difference in the column ``contrast``; ``n`` is of the first
            combination, ``n_reference`` of the second.

        Examples
        --------
        >>> fit.contrast("U+T - T", "q1")["contrast"].item()
        'T+U - T'
        """
        if not isinstance(difference, str):
            raise SettingsError("difference must be a text such as 'J+S - J'")
        asked = [Effect.of(difference, self.study.codebook, contrast=True)]
        frame = self._summed(asked, outcome, jobcenter, weights, level)
        return frame.rename(columns={"effect": "contrast"})

    def probability(self, statement: str, *, weights: Weights = OBSERVED) -> float:
        """Return the posterior probability of a statement, the share of draws where it holds.

        Parameters
        ----------
        statement
            ``EFFECT > EFFECT or number [in PLACE]``: ``"J > 0"`` (over all indicators, from
            average progress), ``"J > none in B1"``, ``"J+S - J > 0.1 in at least 15
            indicators"``, ``"J > none in all jobcenters"`` (or the study's own word for them).
            Several joined by ``and`` hold together, each with its own place: ``"J > none in B1
            and S > none in B1"``.
        weights
            As for `effects`.

        Examples
        --------
        >>> fit.probability("T > none in any indicator") >= fit.probability("T > none in q1")
        True
        """
        book = self.study.codebook
        if not isinstance(statement, str):
            raise SettingsError("statement must be a text such as 'J > none in B1'")
        asked, weights = read_statements(statement, book), weights_of(weights)
        return probability(asked, self.posterior, book, weights=weights)

    def summary(self) -> pd.DataFrame:
        """Return effects and contrasts over all indicators, unrounded, a combination a row.

        Examples
        --------
        >>> fit.summary()["contrast"].columns.tolist()
        ['estimate', 'se', 'lower', 'upper', 'p_positive']
        """
        rows = self.frame[self.frame["outcome"] == ALL_INDICATORS].set_index("combination")
        kept = ["estimate", "se", "lower", "upper", "p_positive"]
        parts = {name: rows.loc[rows["estimand"] == name, kept] for name in COMPARED}
        effects = rows[rows["estimand"] == "effect"]
        both = pd.concat({"": effects[["n"]].astype("Int64"), **parts}, axis=1)
        return both.reindex(effects.index)

    def forest(
        self,
        outcome: str = ALL_INDICATORS,
        *,
        estimand: str = "effect",
        combination: str | None = None,
        beside: "Mapping[str, Fit] | None" = None,
        by_size: bool = False,
        **options: Unpack[FigureOptions],
    ) -> "Figure":
        """Draw the posterior of an outcome with ArviZ's forest.

        Parameters
        ----------
        outcome
            Code of an indicator or average, or ``all_indicators``.
        estimand
            ``effect`` (from average progress) or ``contrast`` (from no treatment).
        combination
            Where given, its effect in every jobcenter, in all and in one not seen.
        beside
            Other fits by what the legend calls them: their effects stand in the same rows.
        by_size
            True puts the largest posterior mean on top; default: the codebook's order.
        **options
            ``size``, ``font``, ``title``, ``page`` of any figure: `bipbayes.FigureOptions`.

        Raises
        ------
        BipbayesError
            An unknown name, or more than five fits in one figure.

        Examples
        --------
        >>> fit.forest("pupils", combination="T", by_size=True).axes[0].texts[0].get_text()
        'east'
        """
        outcome = outcomes(self.study.codebook, outcome)[0]
        one_of("estimand", estimand, COMPARED)
        if beside is not None or combination is not None:
            _check_alone(beside, combination, estimand=estimand, by_size=by_size)
        if beside is not None:
            named = {self.model: self, **beside}
            parts = [fit.posterior.intervals.assign(model=name) for name, fit in named.items()]
            asked = {"by": "model", "outcome": outcome}
            tasks = dodged_tasks(join_frames(parts), self.context(), **asked)
        elif combination is not None:
            code = self.study.codebook.combination_of(combination)
            drawn = self._drawn_from(options, self._by_jobcenter(outcome, code), by_size=by_size)
            tasks = jobcenter_tasks(drawn, combination=code, outcome=outcome)
        else:
            pictures.refuse_empty(self.posterior.intervals, outcome, estimand)
            drawn = self._drawn_from(options, self.posterior.intervals, by_size=by_size)
            tasks = forest_tasks(drawn, outcome, estimand)
        return pictures.drawn(self.forest, options, tasks)

    def _drawn_from(
        self, options: FigureOptions, rows: pd.DataFrame, *, by_size: bool = False
    ) -> FigureInputs:
        vcov, draws = shown_errors(self.posterior.analysis), self.posterior.draws
        return pictures.inputs(
            self.context(), rows, options, vcov=vcov, draws=draws, by_size=by_size
        )

    def _by_jobcenter(self, outcome: str, code: str) -> pd.DataFrame:
        """Return the rows of a forest of jobcenters; the long frame holds none of averages."""
        rows = self.posterior.intervals
        rows = rows[(rows["outcome"] == outcome) & (rows["combination"] == code)]
        if (rows["estimand"] == "jobcenter").any():
            return rows
        sites = [str(name) for name in self.cells["jobcenter"].to_numpy()]
        name = self.study.codebook.combination_label(code)
        own = self.effects(outcome, name, jobcenter=sites)
        alike = {key: rows[key].iloc[0] for key in ("source", "model", "vcov", "analysis")}
        own = own.assign(combination=code, estimand="jobcenter", **alike)
        return join_frames([rows, interval_frame(own.drop(columns="code"))])

    def table(
        self,
        outcome: str = ALL_INDICATORS,
        *,
        estimand: str = "effect",
        minimum_count: int | None = None,
    ) -> Table:
        """Return a formatted table: ``.frame``, ``.to_html()``, ``.to_latex()``.

        Parameters
        ----------
        outcome, estimand
            As for `forest`.
        minimum_count
            Blank what rests on fewer citizens; default: nothing is blanked.
        """
        outcome = outcomes(self.study.codebook, outcome)[0]
        one_of("estimand", estimand, COMPARED)
        rows = blanked(self.posterior.intervals, self.study.codebook, minimum_count)
        table = interval_table(rows, self.context(), outcome=outcome, estimand=estimand)
        return noted(table, self.context(), minimum_count)

    def heatmap(self, *, estimand: str = "effect", **options: Unpack[FigureOptions]) -> "Figure":
        """Draw all outcomes and combinations on one colour scale.

        Parameters
        ----------
        estimand, **options
            As for `forest`.
        """
        one_of("estimand", estimand, COMPARED)
        drawn = self._drawn_from(options, self.posterior.intervals)
        return pictures.drawn(self.heatmap, options, heatmap_tasks(drawn, estimand))

    def _summed(
        self,
        asked: Sequence[Effect],
        outcome: Names,
        jobcenter: Names,
        weights: Weights,
        level: float | None,
    ) -> pd.DataFrame:
        """Summarise effects over jobcenters, or in each of those named."""
        wanted = outcomes(self.study.codebook, outcome)
        own = self.settings
        level = own.level if level is None else number_of("level", level)
        settings = IntervalSettings(checked_level(level), own.kind, own.rope)
        weights = weights_of(weights)
        places: list[tuple[str, Weights]] = [("", weights)]
        if jobcenter is not None:
            if weights != OBSERVED:
                raise SettingsError(
                    "give either jobcenter (each by itself) or weights (over all), not both"
                )
            sites = [str(name) for name in self.cells["jobcenter"].to_numpy()]
            word = self.study.codebook.say("{jobcenter}")
            places = [(name, {name: 1.0}) for name in chosen(word, jobcenter, sites)]
        effects = cell_effects(self.posterior) if len(places) > 1 else None
        parts = []
        for name, share in places:
            frame = effect_frame(
                self.posterior,
                self.study.codebook,
                asked,
                outcomes=wanted,
                settings=settings,
                weights=share,
                effects=effects,
            )
            if name:
                frame = frame.drop(columns="weights")
                frame.insert(2, "jobcenter", name)
            parts.append(frame)
        return pd.concat(parts, ignore_index=True)

    def _card(self) -> Card:
        language, attrs = self.context().language, self.tree.attrs
        interval = interval_words(self.settings.level, self.settings.kind, language="en")
        lines = (
            ("study", self.study.title()),
            ("engine", f"{attrs.get('engine', 'nuts')}, {self._size()}, seed {attrs['seed']}"),
            ("errors", phrase(str(attrs["vcov"]), language)),
            ("analysis", self.posterior.analysis or "plain"),
            ("intervals", interval),
        )
        table = interval_table(
            self.posterior.intervals, self.context(), outcome=ALL_INDICATORS
        ).frame
        notes = ("effects over all indicators, from average progress; * the interval excludes 0",)
        return Card(f"Fit of {self.model}: {self.verdict}", lines, table, notes)

    def _size(self) -> str:
        sizes = self.tree["posterior"].sizes
        return f"{sizes['chain']} x {sizes['draw']} draws"

    def __repr__(self) -> str:
        return self._card().text()

    def _repr_html_(self) -> str:
        return self._card().html()


def fit(
    study: Study,
    model: str | Path = "hierarchical",
    *,
    engine: str | None = None,
    vcov: str = "citizen",
    adjust: str | Sequence[str] = (),
    covariates: Covariates = None,
    ordinal: bool = False,
    priors: str | Path | Mapping[str, float] | None = None,
    draws: int | None = None,
    tune: int = DEFAULT_TUNE,
    chains: int = 4,
    seed: int = DEFAULT_SEED,
    level: float = 0.95,
    kind: str = "eti",
    rope: float | None = None,
) -> Fit:
    """Fit a model to the cells of a study; nothing is written.

    Parameters
    ----------
    study
        From `bipbayes.read` or `bipbayes.synthetic_bip`.
    model
        ``complete_pooling``, ``no_pooling``, ``hierarchical``, ``factorial``, or the path of
        your own model file.
    engine
        ``exact`` (default wherever a model declares batches) or ``nuts`` (any model).
    vcov
        Working covariance of the cells: ``citizen``, ``response`` or ``iid``.
    adjust, covariates, ordinal
        As for `bipbayes.ols`.
    priors
        Scales by name, or a TOML file with a table for the model; default: the model's own.
    draws, tune, chains
        Draws kept (exact 1000, nuts 1500) and, by nuts, discarded, of each chain.
    seed
        From which all others derive: the same seed gives the same draws.
    level, kind
        Of the credible intervals; ``eti`` (equal-tailed) or ``hdi`` (highest density).
    rope
        Half-width of the region of practical equivalence, if wanted.

    Returns
    -------
    Fit
        Judged: see its ``verdict``. One that fails its checks is not refused but says so.

    Examples
    --------
    >>> bb.fit(study, "complete_pooling", draws=300, seed=3).model
    'complete_pooling'
    """
    of_kind("study", study, Study, "read")
    model_file = load_model(file_of("model", model, "or a name such as 'hierarchical'"))
    one_of("vcov", vcov, VCOV)
    if engine is not None:
        one_of("engine", engine, ENGINES)
    level = checked_level(number_of("level", level))
    rope = None if rope is None else number_of("rope", rope)
    settings = IntervalSettings(level, one_of("kind", kind, CREDIBLE), rope)
    engine = engine_of(model_file, engine)
    asked = SamplerSettings(
        draws=DEFAULT_DRAWS[engine] if draws is None else whole_number_of("draws", draws, least=4),
        tune=whole_number_of("tune", tune, least=10),
        chains=whole_number_of("chains", chains, least=1),
        seed=whole_number_of("seed", seed, least=0),
    )
    scales = _priors(model_file, priors)
    analysis = analysis_name(adjust, ordinal=ordinal)
    registered = people(study, analysis, covariates)
    if analysis == PLAIN and vcov == "citizen":
        cells = study.cells
    else:
        cells = analysis_cells(
            study.progression,
            study.codebook,
            analysis=analysis,
            vcov=vcov,
            covariates=registered,
        )
    facts: dict[str, str | int | float] = {"data_sha256": study.digest, "preliminary": 0}
    tree = fit_cells(model_file, cells, engine=engine, priors=scales, settings=asked, facts=facts)
    effects = effect_draws(tree, cells)
    add_predictions(tree, effects, cells, seed=derived_seed(seed, f"predictive/{model_file.name}"))
    return Fit(study, summarise(tree, study.codebook, settings, effects=effects), settings)


def _check_alone(beside: object, combination: str | None, *, estimand: str, by_size: bool) -> None:
    """Refuse what a forest of sites, or of several fits, does not show."""
    if beside is not None and combination is not None:
        raise SettingsError("a forest of sites shows one fit: leave out combination or beside")
    kind = "several fits" if combination is None else "sites"
    if estimand != "effect":
        raise SettingsError(f"a forest of {kind} shows effects: leave out estimand={estimand!r}")
    if combination is not None:
        return
    if by_size:
        raise SettingsError("several fits in a forest stand in codebook order: leave out by_size")
    if not isinstance(beside, Mapping) or not all(isinstance(x, Fit) for x in beside.values()):
        raise SettingsError('beside takes fits by their names in the legend: {"flat priors": fit}')


def _priors(model_file: ModelFile, given: str | Path | Mapping[str, float] | None) -> Any:
    if given is None or isinstance(given, Mapping):
        return make_priors(model_file.Priors, given or {})
    path = file_of("priors", given, "or numbers by the name of a scale")
    read = read_priors(path, [model_file.name])
    return make_priors(model_file.Priors, read[model_file.name])

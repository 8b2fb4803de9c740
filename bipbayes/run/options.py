"""The options of the command line, one definition each for all scripts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bipbayes.run.settings import Settings, quick_values

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Responses (CSV, Excel, Parquet, Stata, SPSS, SAS). Default: synthetic."
    ),
]
CodebookFile = Annotated[
    Path | None, typer.Option("--codebook", help="Codebook in TOML. Default: BIP's own.")
]
CharacteristicsFile = Annotated[
    Path | None,
    typer.Option("--characteristics", help="One row a citizen: age, diagnoses, ... (Tables 4-11)."),
]
ClaimsFile = Annotated[
    Path | None, typer.Option("--claims", help="Claims to audit (CSV). Default: the report's.")
]
Beyond = Annotated[
    float, typer.Option("--beyond", help="Stated size for claims of no effect, in sd.")
]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="Model name or path of a model file; repeatable."),
]
Priors = Annotated[
    Path | None, typer.Option("--priors", help="TOML file with prior scales, by model.")
]
Vcov = Annotated[
    str, typer.Option("--vcov", help="Working covariance of cell means: iid, response, citizen.")
]
Previous = Annotated[
    str, typer.Option("--previous", help="Rule for the previous answer: item or response.")
]
Adjust = Annotated[
    list[str] | None,
    typer.Option("--adjust", help="Adjust for baseline or covariates, or none; repeatable."),
]
Covariates = Annotated[
    list[str] | None,
    typer.Option("--covariate", help="Column of --characteristics to adjust for; repeatable."),
]
Ordinal = Annotated[
    bool, typer.Option("--ordinal", help="Answers as categories: ordered probit, no metric.")
]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="exact (default for models of batches) or nuts (any model)."),
]
Draws = Annotated[
    int | None,
    typer.Option("--draws", help="Draws kept per chain (exact 1000, nuts 1500, quick 300)."),
]
Tune = Annotated[
    int | None,
    typer.Option("--tune", help="Warm-up draws per chain of nuts (800, quick 300)."),
]
Chains = Annotated[int, typer.Option("--chains", help="Number of chains.")]
TargetAccept = Annotated[
    float, typer.Option("--target-accept", help="Target acceptance of the sampler.")
]
Seed = Annotated[int, typer.Option("--seed", help="The one seed; all others derive from it.")]
Level = Annotated[float, typer.Option("--level", help="Probability of the intervals.")]
Kind = Annotated[str, typer.Option("--kind", help="Credible intervals: eti (equal-tailed) or hdi.")]
Rope = Annotated[
    float | None,
    typer.Option("--rope", help="Half-width of the region of practical equivalence, in sd."),
]
Parts = Annotated[
    str,
    typer.Option("--parts", help="Read responses in parts: auto (from a million), always, never."),
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="Address of a Dask scheduler that does the parts.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes that do the parts (default: one a core).")
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option("--outcomes", help="Outcomes to draw and tabulate; repeatable or B1,B2."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace another run's results in that folder.")
]
Language = Annotated[str, typer.Option("--lang", help="Language of figures and tables: en, da.")]
MinimumCount = Annotated[
    int,
    typer.Option("--minimum-count", help="Blank numbers that rest on fewer citizens (real data)."),
]
Everything = Annotated[
    bool, typer.Option("--all", help="Draw the figures, too, that the main job leaves out.")
]
FigureFormats = Annotated[
    list[str] | None,
    typer.Option("--figure-format", help="Figures as pdf or svg, too, beside PNG; repeatable."),
]
Formats = Annotated[
    list[str] | None,
    typer.Option("--format", help="csv, tex, html, docx, md; repeatable or docx,md."),
]
Quick = Annotated[
    bool,
    typer.Option("--quick", help="Few draws and pictures, one fit; all is preliminary."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no messages.")]


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Turn a script's options into the settings record; options left out take its defaults."""
    values = {key: value for key, value in options.items() if value is not None}
    for key in ("models", "outcomes", "adjust", "covariates", "figure_formats"):
        if key in values:
            values[key] = tuple(part for text in values[key] for part in text.split(",") if part)
    return Settings(**quick_values(bool(values.pop("quick", False)), values))

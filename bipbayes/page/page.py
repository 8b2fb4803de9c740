"""Build the page: one file with its pictures, style and script inside, nothing from outside."""

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image

from bipbayes.intervals import COMPARED
from bipbayes.option_words import BASELINE
from bipbayes.page import paper, sentences
from bipbayes.page.contents import PageContents, caption_beside
from bipbayes.page.forest import ForestRow, Mark, forest_html
from bipbayes.page.tables import (
    claims_table,
    combinations_table,
    estimates_table,
    treatments_table,
)
from bipbayes.tables.audit_tables import audit_counts_table
from bipbayes.tables.factorial_table import factorial_rows, factorial_table
from bipbayes.tables.latex import column_groups
from bipbayes.tables.layout import Table
from bipbayes.tables.sampler_tables import diagnostics_table, hyperparameter_table
from bipbayes.wording import outcome_label, phrase, whole_number

MOST_PICTURES: Final = 2_500_000  # bytes: further figures are named, not embedded
# Of the comparison: point and interval of either side.
_OLS: Final = ("ols_estimate", "ols_lower", "ols_upper")
_POSTERIOR: Final = ("posterior_mean", "posterior_lower", "posterior_upper")
_COLOURS: Final = 128  # of an embedded picture; the files in the folder keep all


def page_html(contents: PageContents) -> str:
    """Return the page.

    Parameters
    ----------
    contents
        Frames as they may be shown (blanked where data are real), record and pictures.

    Returns
    -------
    str
        A whole HTML document of its own: no request leaves it.
    """
    return compose(contents)()


def compose(contents: PageContents) -> Callable[[], str]:
    """Make all of the page but its pictures, which may still be drawn meanwhile.

    Returns
    -------
    callable
        Puts in the pictures, once they are drawn, and returns the page.
    """
    language = contents.language
    estimates = estimates_table(contents)
    known = [o for o in contents.context.codebook.outcomes if o in set(estimates.raw["outcome"])]
    render = partial(
        _template().render,
        language=str(language),
        say=lambda key, **values: phrase(key, language, **values),
        study=contents.context.codebook.name,
        synthetic=contents.context.synthetic,
        preliminary=contents.context.preliminary,
        lead=[
            {
                "id": name,
                "title": phrase(f"page_{name}_title", language),
                "sentences": told,
                "listed": name in sentences.LISTED,
            }
            for name, say in sentences.LEAD
            if (told := say(contents))
        ],
        overall=[
            (_overall_forest(contents, estimand, table), _parts(table))
            for estimand, table in (
                ("factorial", treatments_table(contents)),
                ("contrast", combinations_table(contents)),
            )
            if contents.overall(estimand)["lower"].notna().any()  # not all held back
        ],
        outcomes=[
            (o, outcome_label(contents.context.codebook, o, language=language)) for o in known
        ],
        estimands=[(name, phrase(name, language)) for name in COMPARED],
        forests=[_forest(contents, o, name) for o in known for name in COMPARED],
        estimates=_parts(estimates, _marks(estimates)),
        claims=None if (table := claims_table(contents)) is None else _parts(table),
        counts=None
        if contents.audit is None
        else _parts(audit_counts_table(contents.audit, contents.context)),
        diagnostics=_diagnostics(contents),
        paper=[(phrase(f"paper_{name}", language), say(contents)) for name, say in paper.TEXTS],
        checklists=[_parts(table) for table in paper.checklists(contents)],
        provenance=_provenance(contents),
        draws=_draws(contents),
        style=_resource("page.css"),
        script=_resource("page.js"),
    )

    def finish() -> str:
        embedded, left = _pictures(contents.figures)
        shown = [
            {
                "name": name,
                "source": source,
                "caption": caption_beside(contents.figures[name]),
                "tables": _behind(name, contents),
            }
            for name, source in embedded.items()
        ]
        return render(figures=shown, left=left)

    return finish


def _forest(contents: PageContents, outcome: str, estimand: str) -> dict[str, Any]:
    """Draw one outcome: OLS and posterior of every combination."""
    codebook, language = contents.context.codebook, contents.language
    estimates = contents.estimates(estimand, outcome)
    numbers = estimates[["n", *_OLS, *_POSTERIOR]].astype("float64").to_numpy()
    rows = [
        ForestRow(
            codebook.combination_label(str(code), language),
            whole_number(float(n), language=language),
            (Mark("ols", *ends[: len(_OLS)]), Mark("posterior", *ends[len(_OLS) :])),
        )
        for code, (n, *ends) in zip(estimates.index, numbers, strict=True)
    ]
    label = outcome_label(codebook, outcome, language=language)
    alt = phrase("page_forest_alt", language, outcome=label, estimand=phrase(estimand, language))
    picture, cut = forest_html(rows, alt=alt, language=language)
    return {
        "outcome": outcome,
        "estimand": estimand,
        "picture": picture,
        "cut": cut,
        "title": f"{label}: {phrase(estimand, language)}",
    }


def _overall_forest(contents: PageContents, estimand: str, table: Table) -> dict[str, Any]:
    """Draw the posterior over all indicators, beside it that at the same previous answer."""
    language = contents.language
    codes = table.raw["combination"].tolist()
    sides = [contents.overall(estimand).reindex(codes)]
    adjusted = contents.overall(estimand, analysis=BASELINE).reindex(codes)
    if adjusted["lower"].notna().any():
        sides.append(adjusted)
    sources = ("posterior", "adjusted")
    rows = [
        ForestRow(
            str(table.body["name"].iloc[place]),
            str(table.body["n"].iloc[place]) if "n" in table.body else "",
            tuple(
                Mark(source, *side.iloc[place][["estimate", "lower", "upper"]])
                for source, side in zip(sources, sides, strict=False)
            ),
        )
        for place in range(len(codes))
    ]
    alt = phrase("page_overall_alt", language, estimand=phrase(estimand, language))
    picture, cut = forest_html(rows, alt=alt, language=language)
    counts = "n" in table.body
    return {"picture": picture, "cut": cut, "adjusted": len(sides) > 1, "counts": counts}


def _draws(contents: PageContents) -> str:
    """Name the verbs that draw the page's figures; ``""`` where no run stands behind it."""
    if not contents.record.get("command"):
        return ""
    # Of data that are not synthetic the page shows what describe draws, with small counts blank.
    verbs = ["describe", *["compare"] * contents.context.synthetic]
    return ", ".join(f"bipbayes {verb}" for verb in verbs)


def _behind(name: str, contents: PageContents) -> list[dict[str, Any]]:
    """Return the tables behind a figure that stand nowhere else on the page."""
    if not name.startswith("factorial_"):
        return []
    rows = factorial_rows(contents.plain, contents.context)
    outcome = name.removeprefix("factorial_")
    own = rows[rows["outcome"] == outcome]
    return [_parts(factorial_table(own, contents.context, outcomes=[outcome]))] if len(own) else []


def _diagnostics(contents: PageContents) -> list[dict[str, Any]]:
    tables = [diagnostics_table(contents.plain, contents.context)]
    if contents.hyperparameters is not None:
        frame = contents.hyperparameters
        tables.append(hyperparameter_table(frame, contents.context, model=contents.model))
    return [_parts(table) for table in tables]


def _parts(table: Table, marks: Sequence[Mapping[str, str]] | None = None) -> dict[str, Any]:
    """Return what the template needs of a table; `marks` are facts of each row to filter by."""
    groups = column_groups(table.columns)
    return {
        "table": table,
        "groups": groups if any(name for name, _ in groups) else [],
        "rows": _rows_html(table, marks),
    }


def _rows_html(table: Table, marks: Sequence[Mapping[str, str]] | None) -> Markup:
    """Write the rows, of which there are thousands: the template would take seconds for them."""
    starts = [f'<td class="{column.align}">' for column in table.columns]
    rows = table.rows()
    lines = []
    for cells, facts in zip(rows, marks or [{}] * len(rows), strict=True):
        told = "".join(f' data-{key}="{escape(value)}"' for key, value in facts.items())
        written = zip(starts, map(escape, cells), strict=True)
        lines.append(f"<tr{told}>{''.join(f'{start}{cell}</td>' for start, cell in written)}</tr>")
    return Markup("\n".join(lines))


def _marks(estimates: Table) -> list[dict[str, str]]:
    """Return what the pickers choose rows by."""
    names = zip(estimates.raw["outcome"], estimates.raw["estimand"], strict=True)
    return [{"outcome": str(outcome), "estimand": str(estimand)} for outcome, estimand in names]


def _pictures(figures: Mapping[str, Path]) -> tuple[dict[str, str], int]:
    """Embed pictures that are there until they grow too many; the number left out."""
    there = {name: path for name, path in figures.items() if path.is_file()}
    embedded: dict[str, str] = {}
    size = 0
    with ThreadPoolExecutor() as threads:  # Pillow reads and packs beside Python
        for name, data in zip(there, threads.map(_packed, there.values()), strict=True):
            if size > MOST_PICTURES:
                break
            embedded[name] = f"data:image/png;base64,{data}"
            size += len(data)
    return embedded, len(there) - len(embedded)


def _packed(path: Path) -> str:
    """Return a picture with fewer colours as text."""
    with Image.open(path) as picture:
        # The pictures are for print: for a screen half as many points are enough.
        smaller = picture.convert("RGB").reduce(2 if picture.width > 2400 else 1)
    packed = io.BytesIO()
    smaller.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(packed, "PNG", compress_level=6)
    return base64.b64encode(packed.getvalue()).decode()


def _provenance(contents: PageContents) -> list[tuple[str, list[str]]]:
    """Say when, on what and with what the run was made, and the command that repeats it."""
    language, record = contents.language, contents.record
    data = record["data"]
    facts = [
        ("page_started", [record.get("started", "")]),
        ("page_data", [str(data.get("name", "")), f"SHA-256 {data.get('sha256', '')}"]),
        ("page_settings", _settings(record.get("changed", {}))),
        ("page_software", [f"{name} {version}" for name, version in _items(record, "software")]),
        ("page_rerun", [str(record["command"])] if record.get("command") else []),
    ]
    return [
        (phrase(key, language), lines) for key, told in facts if (lines := list(filter(None, told)))
    ]


def _items(record: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    return dict(record.get(key, {})).items()


def _settings(changed: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {value}" for name, value in changed.items()]


def _resource(name: str) -> str:
    return (files("bipbayes") / "resources" / "page" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    # Labels come from users' codebooks: everything is escaped.
    environment = Environment(
        loader=PackageLoader("bipbayes", "resources/page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")

"""Tables as self-contained HTML pages, or as a fragment for the report."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, Template

from bipbayes.tables.latex import column_groups

if TYPE_CHECKING:
    from bipbayes.tables.layout import Table

_FRAGMENT: Final = """\
<figure class="table{% if table.wrapped %} wrapped{% endif %}">
<table>
<caption>{{ table.caption }}</caption>
<thead>
{%- if grouped %}
<tr>{% for name, width in groups %}<th colspan="{{ width }}"\
{% if name %} class="group"{% endif %}>{{ name }}</th>{% endfor %}</tr>
{%- endif %}
<tr>{% for column in table.columns %}<th class="{{ column.align }}">{{ column.header }}</th>\
{% endfor %}</tr>
</thead>
<tbody>
{%- for row in rows %}
<tr>{% for column, cell in row %}<td class="{{ column.align }}">{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody>
</table>
<figcaption>{% for note in table.notes %}{{ note }} {% endfor %}</figcaption>
</figure>
"""

STYLE: Final = """\
figure.table { margin: 1.5em 0; font: 0.85em/1.4 system-ui, sans-serif; overflow-x: auto; }
figure.table table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid;
  font-variant-numeric: tabular-nums; }
figure.table caption { text-align: left; font-weight: 600; padding-bottom: 0.4em; }
figure.table th, figure.table td { padding: 0.15em 0.7em; white-space: nowrap; }
figure.table.wrapped td { white-space: normal; vertical-align: top; }
figure.table th.group { border-bottom: 1px solid; text-align: center; }
figure.table thead tr:last-child { border-bottom: 1px solid; }
figure.table .l { text-align: left; }
figure.table .r { text-align: right; }
figure.table figcaption { font-size: 0.9em; max-width: 60em; padding-top: 0.4em; }
"""

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<title>{{ title }}</title>
<style>
{{ style | safe }}</style>
</head>
<body>
{% for fragment in fragments %}{{ fragment | safe }}{% endfor %}</body>
</html>
"""


@cache
def _template(source: str) -> Template:
    # Labels come from users' codebooks: everything is escaped.
    return Environment(autoescape=True, keep_trailing_newline=True).from_string(source)


def html_fragment(table: "Table") -> str:
    """Return the table with caption and notes, without a page around it (style: `STYLE`)."""
    groups = column_groups(table.columns)
    rows = [list(zip(table.columns, row, strict=True)) for row in table.rows()]
    return _template(_FRAGMENT).render(
        table=table, groups=groups, grouped=any(name for name, _ in groups), rows=rows
    )


def html(tables: "Sequence[Table]", *, language: str = "en") -> str:
    """Return tables as a page that needs no other file.

    Parameters
    ----------
    tables
        Finished tables, at least one.
    language
        Of their words, for the page's language mark.
    """
    return _template(_PAGE).render(
        title=tables[0].caption,
        fragments=[html_fragment(table) for table in tables],
        style=STYLE,
        language=language,
    )

"""Tables for readers: the comparison, hyperparameters and diagnostics as CSV, LaTeX and HTML.

A table is built once (`bipbayes.tables.layout.Table`): its raw frame goes into the CSV at full
precision, its formatted body into LaTeX and HTML. `bipbayes.tables.export` writes those of a
stored run and leaves blank what rests on too few citizens.

A table's function takes its rows and ``context``: codebook, language, and what the caption must
say. One table for several ``outcomes`` prints them beside ``all_indicators``; None: the averages.
"""

from typing import Final

FORMATS: Final = ("csv", "tex", "html", "docx", "md")
"""Formats of tables; each has its writer in `bipbayes.tables.write`."""

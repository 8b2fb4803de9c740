"""Model checks, one a file: engine, table and picture.

A check's file ends with its `CHECK` (`bipbayes.checks.inputs.Check`); `NAMES` says which there are
and in which order they are made.
"""

from typing import Final

NAMES: Final = (
    "prior", "cells", "residuals", "lag", "calendar", "changes", "sensitivity", "leave_out",
    "specification", "engines", "improved", "ranks", "pooling", "signs",
)  # fmt: skip

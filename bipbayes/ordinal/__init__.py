"""Ordered probit of the answer given the previous answer: answers are categories, no metric."""

from bipbayes.ordinal.cells import ordinal_cells
from bipbayes.ordinal.estimates import estimate_ordinal, ordinal_intervals
from bipbayes.ordinal.probit import translate

__all__ = ["estimate_ordinal", "ordinal_cells", "ordinal_intervals", "translate"]

"""Stage 1: cell means and their joint sampling covariance."""

from bipbayes.cells.covariance import VCOV
from bipbayes.cells.means import cell_means
from bipbayes.cells.whiten import CELL, error_roots, whiten

__all__ = ["CELL", "VCOV", "cell_means", "error_roots", "whiten"]

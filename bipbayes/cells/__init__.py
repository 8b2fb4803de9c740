"""Stage 1: cell means and their joint sampling covariance."""

from bipbayes.cells.covariance import VCOV
from bipbayes.cells.means import cell_means
from bipbayes.cells.whiten import whiten

__all__ = ["VCOV", "cell_means", "whiten"]

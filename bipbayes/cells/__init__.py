"""Stage 1: cell means and their joint sampling covariance."""

from bipbayes.cells.means import cell_means
from bipbayes.cells.whiten import whiten
from bipbayes.cells.working import VCOV

__all__ = ["VCOV", "cell_means", "whiten"]

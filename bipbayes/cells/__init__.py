"""Stage 1: cell means and their joint sampling covariance."""

"""Model files, priors, sampling, storing and judging fits."""

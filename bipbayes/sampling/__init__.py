"""Model files, priors, sampling, storing and judging fits.

The modules are imported one by one (``bipbayes.sampling.fit`` and so on): PyMC and nutpie take
seconds to import, and reading a stored fit needs neither.
"""

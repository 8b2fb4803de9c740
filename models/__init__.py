"""PyMC models, one a file; each has ``Priors``, ``TERMS`` and ``build``."""

"""Models, one a file: ``Priors`` and ``batches`` (or ``build`` and ``TERMS``)."""

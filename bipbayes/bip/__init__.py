"""The case: the 2017 BIP report, its codebook and facts, and synthetic data that agree with it."""

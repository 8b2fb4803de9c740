"""The calibrated synthetic BIP."""

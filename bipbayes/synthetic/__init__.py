"""Simulated studies of any shape, with known truth."""

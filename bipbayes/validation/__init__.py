"""Simulation evidence: coverage and calibration."""

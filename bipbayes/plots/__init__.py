"""Figures; every figure has a function that returns what it draws."""

"""Formatted tables and exports."""

"""Descriptive tables and figures of the report."""

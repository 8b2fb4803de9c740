"""Run folders, settings and the steps that scripts call."""

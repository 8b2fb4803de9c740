"""Codebooks, reading and checking responses, progression."""

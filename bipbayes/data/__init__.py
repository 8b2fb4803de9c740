"""Codebooks, published facts, reading and checking responses, progression."""

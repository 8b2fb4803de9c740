"""Claim-by-claim verdicts on a report's statements."""

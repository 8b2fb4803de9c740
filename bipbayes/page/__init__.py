"""The one page to open: what came out, whether to trust it, and everything behind it."""

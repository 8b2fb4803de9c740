"""Effects, contrasts and averages computed from posterior draws."""

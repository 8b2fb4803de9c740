"""A study described: activities, progression, weeks, characteristics."""

"""What methodologists run: one verb a file."""

"""What makers run once to solve the package's synthetic data; not in the wheel."""

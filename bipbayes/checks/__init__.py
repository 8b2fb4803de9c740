"""Model checks: prior and posterior prediction, sensitivity, comparison."""

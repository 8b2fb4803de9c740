"""What may leave the server: small cells, what gives them away, the last gate and the ledger."""

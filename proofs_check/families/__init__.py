"""The claims of the ledger that are ours or classical, by family."""

"""The ledger: what is judged, run, kept and on record."""

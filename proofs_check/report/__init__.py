"""The report: one self-contained HTML page, and LaTeX, from a directory's ``ledger.json`` and ``figures.json``."""

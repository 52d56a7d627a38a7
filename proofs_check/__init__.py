"""Judgement: claims, evidence, verdicts, the ledger, its report and the command line."""

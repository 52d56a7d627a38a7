"""Proof objects as they are written."""

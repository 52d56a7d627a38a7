"""Errors, exact numbers, expressions, enclosures, decisions: what every formula is written with."""

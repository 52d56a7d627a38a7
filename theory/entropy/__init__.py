"""Truncated spectral entropies: conventions, values, bounds and orders."""

"""Entropies enclosed, compared and certified; the gap, its expansion and its limit."""

"""Exact mathematics of automatic versus finite differentiation: no floating-point numbers in this room."""

"""Kernels by quadrature alone, which verifies closed forms; nothing here imports a route."""

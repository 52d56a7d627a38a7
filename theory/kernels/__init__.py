"""Kernels of random features: derived by route, verified by independent quadrature, evaluated, and written as code."""

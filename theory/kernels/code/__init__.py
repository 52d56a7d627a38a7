"""Kernels as generated code: numpy, torch, mpmath."""

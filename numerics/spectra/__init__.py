"""Singular values and eigenvalues: LAPACK, proven enclosures, kernels."""

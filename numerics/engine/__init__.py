"""Certified singular values: a graded factorisation, float64 Jacobi, a proof in balls, refinement to any digits."""

from __future__ import annotations

from numerics.engine.driver import BallEntries, CertifiedSpectrum, certified_singular_values
from numerics.engine.symmetric import certified_eigenvalues_psd

__all__ = ["BallEntries", "CertifiedSpectrum", "certified_eigenvalues_psd", "certified_singular_values"]

"""Certified singular values: a graded factorisation, float64 Jacobi, a proof in balls, refinement to any digits."""

from __future__ import annotations

from numerics.spectra.engine.driver import (
    BallEntries,
    CertifiedSpectrum,
    certified_eigenvalues_psd,
    certified_singular_values,
)

__all__ = ["BallEntries", "CertifiedSpectrum", "certified_eigenvalues_psd", "certified_singular_values"]

"""Numbers: problems become matrices, spectra, entropies and training runs, in a named arithmetic."""

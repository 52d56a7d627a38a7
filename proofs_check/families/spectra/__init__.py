"""Claims about spectra and entropies."""

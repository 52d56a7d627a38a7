"""Claims about stencils, symbols, round-off, laws and kernels."""

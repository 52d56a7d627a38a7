"""The claims, one module per family; each module has a tuple ``CLAIMS``."""

ORDER = (
    "stencils",
    "averages",
    "symbols",
    "spectra",
    "entropy",
    "entropy_bounds",
    "solvable",
    "kernels",
    "kernel_rates",
    "floor",
    "steps",
    "training",
    "source",
    "source_training",
    "source_advantage",
)
"""The modules, in the order of the ledger: from the discretisation to what the source paper states."""
SHARED = ("common", "decisions", "runs", "study")
"""Modules without claims of their own."""

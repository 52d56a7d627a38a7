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
    "regimes",
)
"""The modules, in the order of the ledger: from the discretisation to what the source paper states."""
SHARED = ("common", "links")
"""Modules without claims of their own."""
DRAFTS = (
    "decisions",
    "runs",
    "study",
    "source_training",
    "source_advantage",
    "loss_orders",
    "networks",
    "network_residuals",
)
"""Claims on S4 to S7 in preparation: written, not yet judged in the ledger nor on record."""

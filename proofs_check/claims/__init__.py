"""The claims, one module per family; each module has a tuple ``CLAIMS``."""

ORDER = (
    "stencils",
    "remainders",
    "averages",
    "symbols",
    "spectra",
    "perturbations",
    "entropy",
    "gap_pencils",
    "entropy_bounds",
    "solvable",
    "uniform_circle",
    "solvable_spectra",
    "laws",
    "kernels",
    "kernel_rates",
    "floor",
    "steps",
    "rounding_sizes",
    "training",
    "loss_orders",
    "networks",
    "drawn_networks",
    "network_residuals",
    "source",
    "source_training",
    "source_paired",
    "source_advantage",
    "noise_ridge",
    "regimes",
    "predictions",
    "source_predictions",
    "limits",
)
"""The modules, in the order of the ledger: from the discretisation to what the source paper states."""
SHARED = ("common", "least_squares", "links", "decisions", "measures", "runs", "samples", "study")
"""Modules without claims of their own."""

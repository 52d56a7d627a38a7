"""Exact mathematics of automatic and finite differences: stencils, operators, kernels, entropies, solvable spectra.

The names that a user needs, loaded when they are first asked for: importing this room loads neither SymPy nor mpmath.
Within the rooms every name is imported from the module that defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.base import old_names
from theory.base.faces import face

if TYPE_CHECKING:  # the same names, for type checkers
    from theory.base.derivation import Derivation, Step, Verification
    from theory.base.enclosure import Decision, Enclosure, every, some
    from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
    from theory.base.exact import rational, spell
    from theory.entropy.bounds import entropy_gap_bound, fannes_audenaert, majorisation_order, ratio_order
    from theory.entropy.conventions import Convention, cutoff, standard_conventions
    from theory.entropy.entropy import (
        EntropyValue,
        effective_rank,
        entropy_gap_coefficient,
        shannon_entropy,
        truncated_entropy,
    )
    from theory.features.activations import Activation, activation
    from theory.features.laws import Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform, law
    from theory.kernels.code.modules import generate
    from theory.kernels.derive import derive_kernel
    from theory.kernels.kernel import Expansion, KernelDerivation, expand
    from theory.operators.operator import DifferenceOperator, LinearOperator, StencilChoice, discretise, operator
    from theory.operators.roundoff import (
        UNIT_ROUNDOFF,
        knee,
        marchenko_pastur_quantile,
        optimal_step,
        spectral_floor,
        typical,
        worst_case,
    )
    from theory.solvable.circle import Circle, frequencies, geometric_frequencies, uniform_frequencies
    from theory.solvable.hermite import HermiteDiagonal, Mehler
    from theory.solvable.model import SolvableSpectrum
    from theory.solvable.prolate import Prolate
    from theory.stencils.families import add, backward, central, compose, forward, multiply, named, rescale, tensor
    from theory.stencils.remainder import average_norm, error_constant, peano_kernel
    from theory.stencils.stencil import Stencil, stencil, stencil_nd
    from theory.stencils.symbol import Symbol, symbol

HOMES = {
    "theory.base.derivation": "Derivation Step Verification",
    "theory.base.enclosure": "Decision Enclosure every some",
    "theory.base.errors": "InputError NonexistenceError PrecisionCapError",
    "theory.base.exact": "rational spell",
    "theory.entropy.bounds": "entropy_gap_bound fannes_audenaert majorisation_order ratio_order",
    "theory.entropy.conventions": "Convention cutoff standard_conventions",
    "theory.entropy.entropy": "EntropyValue effective_rank entropy_gap_coefficient shannon_entropy truncated_entropy",
    "theory.features.activations": "Activation activation",
    "theory.features.laws": "Cauchy Constant Discrete Laplace Law Normal Student Uniform law",
    "theory.kernels.code.modules": "generate",
    "theory.kernels.derive": "derive_kernel",
    "theory.kernels.kernel": "Expansion KernelDerivation expand",
    "theory.operators.operator": "DifferenceOperator LinearOperator StencilChoice discretise operator",
    "theory.operators.roundoff": "UNIT_ROUNDOFF knee marchenko_pastur_quantile optimal_step spectral_floor typical worst_case",
    "theory.solvable.circle": "Circle frequencies geometric_frequencies uniform_frequencies",
    "theory.solvable.hermite": "HermiteDiagonal Mehler",
    "theory.solvable.model": "SolvableSpectrum",
    "theory.solvable.prolate": "Prolate",
    "theory.stencils.families": "add backward central compose forward multiply named rescale tensor",
    "theory.stencils.remainder": "average_norm error_constant peano_kernel",
    "theory.stencils.stencil": "Stencil stencil stencil_nd",
    "theory.stencils.symbol": "Symbol symbol",
}
"""The names of this face, by the module that defines them."""
__all__, __getattr__, __dir__ = face(__name__, HOMES)
old_names.install()

"""Numbers: problems become matrices, spectra, entropies and training runs, in a named arithmetic.

The names that a user needs, loaded when they are first asked for: importing this room loads neither numpy, torch nor
FLINT.  Within the rooms every name is imported from the module that defines it.

>>> import numerics
>>> problem = numerics.Problem(count=4, interior=(4,))
>>> numerics.spectrum(problem, "ad", "exact").values[-1].decimals(3)
{'lower': '1.9e-6', 'upper': '1.91e-6'}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.base import old_names
from theory.base.faces import face

if TYPE_CHECKING:  # the same names, for type checkers
    from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
    from numerics.differences.floor import Floor, predicted_floor, small_values
    from numerics.differences.search import Advice
    from numerics.entropy.compare import (
        EntropyComparison,
        EntropyEnclosure,
        compare_entropies,
        entropy_enclosure,
        entropy_of,
        truncated_entropies,
    )
    from numerics.entropy.gap import GapExpansion, predicted_gap, predicted_spectra
    from numerics.entropy.interval import entropy_sign_on_interval
    from numerics.entropy.limit import limit_entropies, limit_spectrum
    from numerics.entropy.proof_objects import entropy_certificate
    from numerics.matrices.assemble import float_matrix, float_rhs, multiprecision_entries, truncation_terms
    from numerics.matrices.balls import ball_entries
    from numerics.networks.activations import TorchActivation
    from numerics.networks.networks import Difference, Perceptron, Rows, System, Term, TwoLayer, initialise
    from numerics.networks.ntk import frozen_law, limit_kernel
    from numerics.networks.perceptrons import ModuleResidual, PerceptronResidual, flatten
    from numerics.networks.two_layer import TwoLayerResidual
    from numerics.predictions.drawn import TrainingProblem
    from numerics.predictions.frozen import follow
    from numerics.problem.drawn import Features, features, interior_points
    from numerics.problem.file import load_problem, problem_from_dict
    from numerics.problem.problem import Boundary, Problem, Training
    from numerics.runs.grid import Sweep, load_sweep, sweep_from_table
    from numerics.runs.rows import read_rows
    from numerics.runs.store import Store, content_key
    from numerics.runs.sweep import Summary, run_sweep, sweep_rows
    from numerics.spectra.certificate import certificate
    from numerics.spectra.engine.driver import CertifiedSpectrum, certified_eigenvalues_psd, certified_singular_values
    from numerics.spectra.kernels import InfiniteHermite, kernel_spectrum
    from numerics.spectra.spectrum import Spectrum, certified_float_spectrum, reference_singular_values, spectrum
    from numerics.training.ensembles import EnsembleRun, train_ensemble
    from numerics.training.from_problem import model, system, train_methods, train_two_layer
    from numerics.training.loop import LBFGS, Adam, GradientDescent, LossCurve
    from numerics.training.rfm import gradient_descent, train_features, truncated_svd
    from numerics.training.statistics import loglog_slope

HOMES = {
    "numerics.arithmetic.balls": "Enclosure from_ball to_ball",
    "numerics.differences.floor": "Floor predicted_floor small_values",
    "numerics.differences.search": "Advice",
    "numerics.entropy.compare": "EntropyComparison EntropyEnclosure compare_entropies entropy_enclosure entropy_of truncated_entropies",
    "numerics.entropy.gap": "GapExpansion predicted_gap predicted_spectra",
    "numerics.entropy.interval": "entropy_sign_on_interval",
    "numerics.entropy.proof_objects": "entropy_certificate",
    "numerics.entropy.limit": "limit_entropies limit_spectrum",
    "numerics.matrices.assemble": "float_matrix float_rhs multiprecision_entries truncation_terms",
    "numerics.matrices.balls": "ball_entries",
    "numerics.networks.activations": "TorchActivation",
    "numerics.networks.networks": "Difference Perceptron Rows System Term TwoLayer initialise",
    "numerics.networks.ntk": "frozen_law limit_kernel",
    "numerics.networks.perceptrons": "ModuleResidual PerceptronResidual flatten",
    "numerics.networks.two_layer": "TwoLayerResidual",
    "numerics.predictions.drawn": "TrainingProblem",
    "numerics.predictions.frozen": "follow",
    "numerics.problem.drawn": "Features features interior_points",
    "numerics.problem.file": "load_problem problem_from_dict",
    "numerics.problem.problem": "Boundary Problem Training",
    "numerics.runs.grid": "Sweep load_sweep sweep_from_table",
    "numerics.runs.rows": "read_rows",
    "numerics.runs.store": "Store content_key",
    "numerics.runs.sweep": "Summary run_sweep sweep_rows",
    "numerics.spectra.certificate": "certificate",
    "numerics.spectra.engine.driver": "CertifiedSpectrum certified_eigenvalues_psd certified_singular_values",
    "numerics.spectra.kernels": "InfiniteHermite kernel_spectrum",
    "numerics.spectra.spectrum": "Spectrum certified_float_spectrum reference_singular_values spectrum",
    "numerics.training.ensembles": "EnsembleRun train_ensemble",
    "numerics.training.from_problem": "model system train_methods train_two_layer",
    "numerics.training.loop": "Adam GradientDescent LBFGS LossCurve",
    "numerics.training.rfm": "gradient_descent train_features truncated_svd",
    "numerics.training.statistics": "loglog_slope",
}
"""The names of this face, by the module that defines them."""
__all__, __getattr__, __dir__ = face(__name__, HOMES)
old_names.install()

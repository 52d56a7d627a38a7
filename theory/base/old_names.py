"""Modules under the names that they had before they were put into folders: files of claims, witnesses and programs that use
these go on working.

A name of old is another name of the same module, which is imported only when it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:  # every command starts with this module
    from collections.abc import Sequence
    from types import CodeType
    from typing import Any

MODULES = {
    "theory.base.derivation": "theory.derivation",
    "theory.base.enclosure": "theory.enclosures theory.decision",
    "theory.base.errors": "theory.errors",
    "theory.base.exact": "theory.exact",
    "theory.base.expressions": "theory.expressions",
    "theory.base.files": "theory.files",
    "theory.base.polynomials": "theory.realroots theory.piecewise",
    "theory.base.quadrature": "theory.quadrature",
    "theory.entropy.bounds": "theory.entropy_bounds theory.majorisation",
    "theory.entropy.conventions": "theory.conventions theory.cutoffs",
    "theory.features.activations": "theory.activations",
    "theory.features.laws": "theory.laws",
    "theory.operators.operator": "theory.discretisation",
    "theory.operators.roundoff": "theory.roundoff",
    "theory.solvable.galerkin": "theory.solvable.eigenvalues theory.solvable.geometric",
    "theory.solvable.hermite": "theory.solvable.mehler",
    "theory.solvable.least_squares": "theory.dynamics",
    "theory.solvable.model": "theory.solvable.common",
    "theory.solvable.prolate": "theory.solvable.truncation",
    "theory.stencils.families": "theory.stencil_algebra theory.named_stencils",
    "theory.stencils.moments": "theory.moments",
    "theory.stencils.remainder": "theory.peano theory.remainder",
    "theory.stencils.squared_modulus": "theory.squared_modulus",
    "theory.stencils.stencil": "theory.stencil_core",
    "theory.stencils.symbol": "theory.symbols",
    "theory.stencils.symbol_proofs": "theory.symbol_bounds theory.trigonometric_sign",
    "numerics.arithmetic.backends": "numerics.backends",
    "numerics.arithmetic.balls": "numerics.enclosure numerics.expression_balls numerics.comparisons",
    "numerics.differences.floor": "numerics.floor numerics.small_values",
    "numerics.differences.network": "proofs_check.advice_module",
    "numerics.differences.model": "proofs_check.advice_model proofs_check.advice_floor",
    "numerics.differences.search": "proofs_check.advice_search proofs_check.advice_cost",
    "numerics.entropy.compare": "numerics.float_entropies numerics.entropies numerics.certified_entropy",
    "numerics.entropy.gap": "numerics.gap_expansion numerics.gap_sign",
    "numerics.entropy.interval": "numerics.step_interval",
    "numerics.entropy.proof_objects": "numerics.entropy_certificates",
    "numerics.entropy.limit": "numerics.limit_gap",
    "numerics.matrices.assemble": "numerics.truncation numerics.step_expansion",
    "numerics.matrices.batches": "numerics.draws",
    "numerics.problem.drawn": "numerics.features",
    "numerics.problem.file": "numerics.problem_file",
    "numerics.runs.store": "numerics.store",
    "numerics.runs.sweep": "numerics.sweep",
    "numerics.spectra.certificate": "numerics.certificates",
    "numerics.spectra.kernels": "numerics.kernel_spectra numerics.hermite_spectrum",
    "numerics.spectra.spectrum": "numerics.reference_spectra",
    "proofs_check.advice.words": "proofs_check.advice_words",
    "proofs_check.claims.claim": "proofs_check.claim",
    "proofs_check.claims.comparisons": "proofs_check.claims.common",
    "proofs_check.claims.formal": "proofs_check.formal",
    "proofs_check.claims.instances": "proofs_check.instances",
    "proofs_check.claims.links": "proofs_check.dependencies",
    "proofs_check.claims.provers": "proofs_check.provers",
    "proofs_check.claims.steps": "proofs_check.proof_steps",
    "proofs_check.claims.verdicts": "proofs_check.verdicts proofs_check.findings",
    "proofs_check.families.differences.averages": "proofs_check.claims.averages",
    "proofs_check.families.differences.floor": "proofs_check.claims.floor proofs_check.claims.rounding_sizes",
    "proofs_check.families.differences.kernel_rates": "proofs_check.claims.kernel_rates",
    "proofs_check.families.differences.kernels": "proofs_check.claims.kernels proofs_check.claims.laws",
    "proofs_check.families.differences.remainders": "proofs_check.claims.remainders",
    "proofs_check.families.differences.stencils": "proofs_check.claims.stencils",
    "proofs_check.families.differences.symbols": "proofs_check.claims.symbols",
    "proofs_check.families.networks.drawn_networks": "proofs_check.claims.drawn_networks",
    "proofs_check.families.networks.loss_orders": "proofs_check.claims.loss_orders",
    "proofs_check.families.networks.networks": "proofs_check.claims.networks proofs_check.claims.network_residuals",
    "proofs_check.families.networks.training": "proofs_check.claims.training",
    "proofs_check.families.spectra.entropy": "proofs_check.claims.entropy",
    "proofs_check.families.spectra.entropy_bounds": "proofs_check.claims.entropy_bounds proofs_check.claims.gap_pencils",
    "proofs_check.families.spectra.limits": "proofs_check.claims.limits",
    "proofs_check.families.spectra.perturbations": "proofs_check.claims.perturbations",
    "proofs_check.families.spectra.predictions": "proofs_check.claims.predictions",
    "proofs_check.families.spectra.regimes": "proofs_check.claims.regimes",
    "proofs_check.families.spectra.solvable": "proofs_check.claims.solvable proofs_check.claims.solvable_spectra",
    "proofs_check.families.spectra.spectra": "proofs_check.claims.spectra",
    "proofs_check.families.spectra.uniform_circle": "proofs_check.claims.uniform_circle",
    "proofs_check.ledger.coverage": "proofs_check.coverage",
    "proofs_check.ledger.judging": "proofs_check.judging",
    "proofs_check.ledger.runner": "proofs_check.runner",
    "proofs_check.ledger.witness": "proofs_check.witness",
    "proofs_check.own.claims": "proofs_check.user_claims",
    "proofs_check.own.float_guard": "proofs_check.float_guard",
    "proofs_check.own.statements": "proofs_check.statements",
    "proofs_check.search.refute": "proofs_check.refute",
    "proofs_check.search.spaces": "proofs_check.search_spaces",
    "proofs_check.search.strategies": "proofs_check.strategies",
    "proofs_check.sources.advantage": "proofs_check.claims.source_advantage",
    "proofs_check.sources.decisions": "proofs_check.claims.measures proofs_check.claims.decisions",
    "proofs_check.sources.explanations": "proofs_check.claims.noise_ridge proofs_check.claims.source_predictions",
    "proofs_check.sources.least_squares": "proofs_check.claims.least_squares",
    "proofs_check.sources.paired": "proofs_check.claims.source_paired",
    "proofs_check.sources.tables": "proofs_check.claims.runs",
    "proofs_check.sources.samples": "proofs_check.claims.samples",
    "proofs_check.sources.source": "proofs_check.claims.source",
    "proofs_check.sources.training_samples": "proofs_check.claims.study",
    "proofs_check.sources.training": "proofs_check.claims.source_training",
}
"""Each module, and what it, or a part of it, was called."""
OLD = {old: new for new, names in MODULES.items() for old in names.split()}
RENAMED = {
    "numerics.floor": "predict=predicted_floor",
    "numerics.problem_file": "load=load_problem from_dict=problem_from_dict",
    "numerics.sweep": "load=load_sweep run=run_sweep rows=sweep_rows",
}
"""Functions that a module of old had under other names."""
PACKAGES = {
    "theory.entropy": "theory.entropy.entropy",
    "theory.operators": "theory.operators.operator",
    "numerics.matrices": "numerics.matrices.assemble",
    "numerics.problem": "numerics.problem.problem",
    "numerics.spectra": "numerics.spectra.spectrum",
    "proofs_check.advice": "proofs_check.advice.advice",
    "proofs_check.cli": "proofs_check.cli.main",
    "proofs_check.ledger": "proofs_check.ledger.ledger",
}
"""Modules of old whose names are those of folders now, and where their content is."""


FUNCTIONS = ("theory.operators.operator", "numerics.matrices.assemble", "numerics.spectra.spectrum")
"""Modules in such folders that are called as a function in the module of old was, which they hold: they can be called."""


class _Folder(SourceFileLoader):
    """Loads a folder that has the name of a module of old: what that held is found in it (PEP 562)."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)

        def content(name: str) -> Any:
            own = PathFinder.find_spec(
                f"{module.__name__}.{name}", module.__path__
            )  # a module in the folder comes first
            if own is None and not name.startswith("__"):
                home = import_module(PACKAGES[module.__name__])
                if hasattr(home, name):
                    return getattr(home, name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__.setdefault("__getattr__", content)


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*arguments, **options)


class _Function(SourceFileLoader):
    """Loads a module that has the name of a function of old: it can be called as that was."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.__class__ = _Callable


class _Finder:
    """Finds a module under its old name: it is the module itself, not a copy."""

    def __init__(self) -> None:
        self.specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in PACKAGES or fullname in FUNCTIONS:
            spec = PathFinder.find_spec(fullname, path, target)
            if spec is not None and spec.origin is not None:
                spec.loader = (_Folder if fullname in PACKAGES else _Function)(fullname, spec.origin)
            return spec
        loader: Any = self
        return None if fullname not in OLD else ModuleSpec(fullname, loader, origin=_origin(OLD[fullname]).origin)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(OLD[spec.name])
        self.specs[module.__name__] = module.__spec__
        for pair in RENAMED.get(spec.name, "").split():
            old, _, new = pair.partition("=")
            vars(module).setdefault(old, getattr(module, new))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been run; what it is found by stays its own."""
        module.__spec__ = self.specs[module.__name__]

    def get_code(self, fullname: str) -> CodeType | None:
        """For ``python -m``."""
        loader: Any = _origin(OLD[fullname]).loader
        code: CodeType | None = loader.get_code(OLD[fullname])
        return code


def _origin(module: str) -> ModuleSpec:
    from importlib.util import find_spec

    found = find_spec(module)
    assert found is not None
    return found


def install() -> _Finder:
    """Lets modules be imported under their old names too; called by each room when it is imported."""
    found = next((finder for finder in sys.meta_path if isinstance(finder, _Finder)), None)
    if found is None:
        found = _Finder()
        sys.meta_path.insert(0, found)  # before a folder is found by itself
    return found

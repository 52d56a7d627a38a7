"""Derives the kernel of random features: the route, the record of its steps, and its verification."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sympy as sp

from theory.base.derivation import Derivation, Step
from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import rational
from theory.features.activations import Activation
from theory.features.activations import activation as read_activation
from theory.features.laws import Law, law
from theory.kernels import existence
from theory.kernels.existence import difference_operator
from theory.kernels.forms.activation_forms import shape
from theory.kernels.forms.coordinates import Coordinates, RouteKernel
from theory.kernels.kernel import KernelDerivation, inherit
from theory.kernels.numerical import NumericalKernel
from theory.kernels.oracle.cache import DerivationCache
from theory.kernels.oracle.verify import verified
from theory.kernels.routes.pieces import over_uniform_bias
from theory.kernels.routes.table import closed_form
from theory.operators import operator as operators
from theory.operators.operator import DifferenceOperator, LinearOperator, StencilChoice


def derive_kernel(
    activation: str | Activation,
    weights: str | Law,
    biases: str | Law,
    operator: str | LinearOperator | None = None,
    stencil: StencilChoice | DifferenceOperator | Sequence[object] | None = None,
    step: object = None,
    *,
    dimension: int | None = None,
    verify: bool = True,
    cache: DerivationCache | None = None,
) -> KernelDerivation:
    """Derives the kernel of random features σ(w·x + b) and what a linear operator makes of it.

    Args:
        activation: a name or an expression in ``z``.
        weights, biases: laws, or their spellings; coordinates of w are independent with the same law.
        operator: a linear operator; None for K alone.
        stencil: which stencils stand for its derivatives (central of order 2 by default), or offsets in one
            dimension, or a whole discretisation.
        step: h, exact, one for every axis or one per axis; None for no finite-difference kernel.
        dimension: of the points; by default that of the operator, or 1.
        verify: whether to confirm the result by an independent quadrature.
        cache: keeps the reference values of that quadrature between runs.

    Raises:
        InputError: a bad spelling; one line.
        NonexistenceError: K itself is infinite. (K_AD raises it when asked for.)
        ArithmeticError: quadrature settles on other values: a defect of this program.

    >>> derive_kernel("erf", "normal(0, 1)", "constant(0)", verify=False).K
    2*atan(2*x*y/sqrt(2*x**2 + 2*y**2 + 1))/pi
    """
    sigma = read_activation(activation) if isinstance(activation, str) else activation
    w, b = law(weights, "weights"), law(biases, "biases")
    L = operators.operator(operator, dimension) if isinstance(operator, str) else operator
    coordinates = Coordinates(L.dimension if L is not None else dimension or 1)
    if dimension is not None and dimension != coordinates.dimension:
        raise InputError(f"dimension: {dimension}, but the operator has {coordinates.dimension}")
    difference = None
    if step is not None or isinstance(stencil, DifferenceOperator):
        if L is None:
            raise InputError("operator: needed for a finite-difference kernel")
        choice = stencil
        if choice is not None and not isinstance(choice, StencilChoice | DifferenceOperator):
            choice = StencilChoice(offsets=tuple(rational(s, "offsets") for s in choice))
        difference = difference_operator(L, choice, step)
    found = shape(sigma.derivative(0))
    start = time.perf_counter()
    zero = (0,) * coordinates.dimension
    laws = (w,) * coordinates.dimension
    existence.require(found, sigma.name, laws, b, zero, zero)
    source: RouteKernel | NumericalKernel | None = closed_form(found, laws, b, coordinates)
    if source is None:
        source = NumericalKernel(sigma, laws, b, coordinates, over_uniform_bias(found, b))
    empty = Derivation("K", None, source.route)
    draft = KernelDerivation(sigma, w, b, L, difference, coordinates, found, source, empty)
    record = _record(draft)
    seconds = time.perf_counter() - start
    derivation = KernelDerivation(sigma, w, b, L, difference, coordinates, found, source, record, seconds)
    inherit(draft, derivation)
    if not verify:
        return derivation
    return verified(derivation, cache)


def is_short(expr: sp.Expr, limit: int = 2000) -> bool:
    """Whether an expression tree has at most ``limit`` nodes; costs no more than that."""
    return all(count < limit for count, _ in enumerate(sp.preorder_traversal(expr)))


def _record(kernel: KernelDerivation) -> Derivation:
    """The derivation's steps, with K and K_AD written out."""
    start = time.perf_counter()
    names = ", ".join(sp.latex(s) for s in kernel.symbols)
    steps = [
        Step(
            f"Features σ(w·x + b) with σ(z) = {kernel.activation.name}, w ~ {kernel.weights}, b ~ {kernel.biases}",
            f"\\sigma(z) = {sp.latex(kernel.activation.derivative(0))}",
        ),
        *kernel.source.steps,
    ]
    assumptions = ["w and b are independent", *kernel.source.assumptions]
    steps.append(Step("The kernel", f"K({names}) = {sp.latex(kernel.K)}"))
    if kernel.operator is not None:
        try:
            exact = kernel.raw_K_AD
            text = f"K_{{AD}}({names}) = {sp.latex(exact)}" if is_short(exact) else ""
            steps.append(Step(f"L u = {kernel.operator.text} at both points", text))
        except NonexistenceError as error:
            steps.append(Step(f"K_AD does not exist: {error}"))
            assumptions.append(f"K_AD does not exist ({error})")
    if kernel.difference is not None:
        steps.append(Step("L_h acts on K at both points: K_FD is a finite combination of shifts of K."))
    return Derivation(
        f"K({names})", kernel.K, kernel.route, tuple(steps), tuple(dict.fromkeys(assumptions)),
        time.perf_counter() - start,
    )  # fmt: skip

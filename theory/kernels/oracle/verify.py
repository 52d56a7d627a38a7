"""Confirms a derived kernel by independent quadrature at several points, before it is used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mpmath import mp

from theory.base.derivation import Verification
from theory.base.errors import NonexistenceError, PrecisionCapError
from theory.features.laws import Constant, Discrete, Law, Uniform
from theory.kernels.evaluation import decimal
from theory.kernels.kernel import KernelDerivation, Kind, inherit
from theory.kernels.oracle import mehler, multivariate
from theory.kernels.oracle.cache import DerivationCache, key_of
from theory.kernels.oracle.multivariate import derivative_checks, kernel_checks, spell
from theory.kernels.oracle.quadratures import Waves, derivative_table, evaluation_cost, form_of

Number = Any
Point = tuple[Fraction, ...]
TARGET = 25
"""Digits that every closed form is verified to."""
WORKING = 36
"""Working digits of the reference quadrature."""
WITHOUT_DIFFERENCES = ", for K and K_AD; K_FD is a combination of values of K"
"""End of the route where the reference of K_FD is out of reach."""
BUDGET = 8.0
"""Predicted seconds beyond which no finer rule is tried."""


def verified(kernel: KernelDerivation, cache: DerivationCache | None = None) -> KernelDerivation:
    """The kernel with a verification in its record.

    Raises:
        ArithmeticError: the independent value disagrees with the closed form: a defect of this program.
    """
    key = key_of(kernel)
    if cache is not None and (stored := cache.read(key)) is not None and _is_complete(kernel, stored):
        verification = _against(kernel, stored.route, stored.checks, cached=True)
        if verification.digits >= TARGET:
            return _attach(kernel, verification)
    start = time.perf_counter()
    verification = _verify_multivariate(kernel) if kernel.coordinates.dimension > 1 else _verify(kernel)
    verification = replace(verification, seconds=time.perf_counter() - start)
    if cache is not None and verification.digits >= TARGET:
        cache.write(key, verification)
    return _attach(kernel, verification)


def _is_complete(kernel: KernelDerivation, stored: Verification) -> bool:
    """Whether stored reference values are all that a verification of this kernel would compute."""
    given = {(kind, where) for kind, where, _ in stored.checks}
    absent = {(kind, spell(p, q)) for kind, p, q in _wanted(kernel)} - given
    by_definition = kernel.coordinates.dimension > 1 or stored.route.endswith(WITHOUT_DIFFERENCES)
    return all(kind == "K_FD" and by_definition for kind, _ in absent)


def _attach(kernel: KernelDerivation, verification: Verification) -> KernelDerivation:
    record = kernel.record.verified(verification)
    if verification.digits < TARGET:
        record = replace(
            record,
            assumptions=(
                *record.assumptions,
                f"verified to {verification.digits} digits only, by {verification.route}",
            ),
        )
    out = replace(kernel, record=record)
    inherit(kernel, out)
    return out


def sample_points(kernel: KernelDerivation) -> tuple[tuple[Point, Point], ...]:
    """Off the diagonal twice and once on it, scaled to the laws so that w·x is of order one."""
    spread = Fraction(1)
    for law in (kernel.weights,):
        spread = max(spread, abs(law.centre), *(abs(p) for p in _scales(law)))
    form = form_of(kernel.activation)
    if isinstance(form, Waves) and kernel.weights.exponential_radius and form.is_real:
        spread *= 4 * Fraction(max(int(abs(rate)) + 1 for _, rate in form.terms))
    factor = Fraction(1, -(-spread.numerator // spread.denominator))
    d = kernel.coordinates.dimension
    first = (Fraction(1, 2), Fraction(-1, 4) if kernel.closed else Fraction(-1))
    base = (first, (Fraction(3, 4), Fraction(1, 2)), (Fraction(1, 2), Fraction(1, 2)))
    # further coordinates are scaled, those of y in another order, so that x and y are not parallel
    turn = (Fraction(1), Fraction(-1, 2), Fraction(3, 4), Fraction(1, 4))

    def spread_out(value: Fraction, shift: int) -> Point:
        return tuple(factor * value * (turn[(i + shift) % 4] if d > 1 else 1) for i in range(d))

    return tuple((spread_out(p, 0), spread_out(q, 0 if p == q else 1)) for p, q in base)


def _scales(law: Law) -> tuple[Fraction, ...]:
    if isinstance(law, Discrete | Constant | Uniform):
        return law.parameters
    return (law.parameters[1],)


def _wanted(kernel: KernelDerivation) -> list[tuple[Kind, Point, Point]]:
    """What is checked where: K everywhere, K_AD off and on the diagonal, K_FD off it.

    Where the reference is an expensive product rule, K_FD is left out: it is a combination of values of K by definition.
    """
    points = sample_points(kernel)
    expensive = kernel.coordinates.dimension == 1 and multivariate.is_expensive(
        form_of(kernel.activation), kernel.weights, kernel.biases
    )
    if expensive or not kernel.closed:
        points = (points[0], points[2], points[2])
    out: list[tuple[Kind, Point, Point]] = [("K", p, q) for p, q in dict.fromkeys(points)]
    if kernel.operator is not None:
        for p, q in (points[0], points[2]):
            try:
                kernel.require_existence()
                kernel.require_existence(p, q)
            except NonexistenceError:
                continue
            out.append(("K_AD", p, q))
        if kernel.difference is not None and not expensive:
            out.append(("K_FD", *points[0]))
    return out


def _verify(kernel: KernelDerivation) -> Verification:
    """K_FD comes by itself, since what cancels in it costs digits; out of reach, it is left to its definition."""
    compared = _compared if kernel.closed else mehler.compared
    wanted = _wanted(kernel)
    found = compared(kernel, [item for item in wanted if item[0] != "K_FD"], 0)
    if found is None:
        return Verification("a product rule of another kind", 0, (), 0.0)
    differences = [item for item in wanted if item[0] == "K_FD"]
    if not differences:
        return found
    other = compared(kernel, differences, kernel._loss("K_FD"))
    if other is None:
        return replace(found, route=f"{found.route}{WITHOUT_DIFFERENCES}")
    return replace(found, digits=min(found.digits, other.digits), checks=found.checks + other.checks)


def _compared(kernel: KernelDerivation, wanted: Sequence[tuple[Kind, Point, Point]], loss: int) -> Verification:
    """The agreement of the closed form with reference values, by finer and finer rules until it is reached."""
    form, w, b = form_of(kernel.activation), kernel.weights, kernel.biases
    route = multivariate.method(form, w, b)
    symmetric = kernel.activation.parity is not None
    order = kernel.operator.order if kernel.operator is not None else 0
    evaluation = evaluation_cost(kernel.activation, order)
    best: Verification | None = None
    previous: list[Number] = []
    with mp.workdps(WORKING + loss):
        products = [kernel.features(*item) for item in wanted]
        needed = {k for pair in products for feature in pair for k, _, _ in feature.terms}
        table = derivative_table(kernel.activation, needed)
        for level in multivariate.levels(form, w, b, order):
            cost = multivariate.cost(form, w, b, products, level, evaluation, symmetric=symmetric, loss=loss)
            if best is not None and cost > BUDGET:
                break
            values = multivariate.reference(form, table, w, b, products, level, symmetric=symmetric, loss=loss)
            checks = tuple(
                (kind, spell(p, q), decimal(v, WORKING - 2)) for (kind, p, q), v in zip(wanted, values, strict=True)
            )
            result = _against(kernel, route, checks)
            if best is None or result.digits > best.digits:
                best = result
            if result.digits >= TARGET:
                break
            if previous and all(_settled(v, u) for v, u in zip(values, previous, strict=True)):
                raise ArithmeticError(
                    f"kernel: quadrature settles on values that leave the closed form of {kernel.activation.name} with"
                    f" {w} and {b} after {result.digits} digits: a defect of this program"
                )
            previous = values
    assert best is not None
    return best


def _settled(value: Number, previous: Number) -> bool:
    """Whether two rules agree to more digits than are asked of the closed form."""
    return bool(abs(value - previous) <= mp.mpf(10) ** -(TARGET + 3) * abs(value))


def _against(
    kernel: KernelDerivation, route: str, checks: tuple[tuple[str, str, str], ...], cached: bool = False
) -> Verification:
    """Digits to which the closed form agrees with reference values."""
    worst = WORKING - 2
    for kind, where, text in checks:
        p, q = ([Fraction(t) for t in side.split(",")] for side in where.split(";"))
        worst = min(worst, _digits(kernel, kind, p, q, text))  # type: ignore[arg-type]
    return Verification(route, max(worst, 0), checks, 0.0, cached)


def _digits(kernel: KernelDerivation, kind: Kind, p: list[Fraction], q: list[Fraction], text: str) -> int:
    value = kernel.value(kind, p, q, WORKING - 2) or mp.mpf(0)
    with mp.workdps(WORKING + 5):
        reference = mp.mpf(text)
        gap = abs(value - reference)
        if gap == 0:
            return WORKING - 2
        size = abs(value)
        # Cauchy–Schwarz: |K(x, y)|² ≤ K(x, x) K(y, y), the natural size where the value happens to be small
        if size < 1:
            try:
                first, second = [kernel.value(kind, s, s, 10) or mp.mpf(0) for s in (p, q)]
                size = max(size, mp.sqrt(abs(first * second)))
            except (NonexistenceError, PrecisionCapError):
                pass
        if size == 0:  # L_h annihilates every feature, as the fourth difference does a cubic: beside K itself
            first, second = [kernel.value("K", s, s, 10) or mp.mpf(0) for s in (p, q)]
            size = mp.sqrt(abs(first * second))
        if size == 0:
            return 0
        return int(mp.floor(-mp.log10(gap / size))) if gap < size else 0


def _verify_multivariate(kernel: KernelDerivation) -> Verification:
    """In several dimensions: K by quadrature, K_AD by differences of K at a few hundred digits.

    K_FD is a combination of values of K by definition.
    """
    wanted = _wanted(kernel)
    for level in (0, 2, 4):
        result = _against(kernel, *kernel_checks(kernel, [item for item in wanted if item[0] == "K"], level))
        if result.digits >= TARGET:
            break
    exact = [item for item in wanted if item[0] == "K_AD"]
    if not exact:
        return result
    route, checks = derivative_checks(kernel, exact)
    digits = min(result.digits, _against(kernel, route, checks).digits)
    return replace(result, route=f"{result.route}; {route}", digits=digits, checks=result.checks + checks)

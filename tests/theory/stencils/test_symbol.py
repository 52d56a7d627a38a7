from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import factorial, isqrt, pi

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs_check.search.strategies import rationals, stencils
from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import spell
from theory.solvable.model import squared_symbol
from theory.stencils import (
    Stencil,
    backward,
    central,
    compose,
    five_point,
    forward,
    identity,
    multiply,
    nine_point,
    stencil,
    tensor,
    thirteen_point,
)
from theory.stencils.squared_modulus import Boxes, cos_sin, square_root, squared_modulus, value_at
from theory.stencils.symbol import Symbol, expansion, symbol
from theory.stencils.symbol_proofs import (
    _below_near_zero,
    _rising_witness,
    chebyshev,
    decide,
    is_nonnegative,
    numerator_polynomial,
    supremum,
)

symmetric_offsets = st.lists(rationals(Fraction(1, 6), 3, 6), min_size=1, max_size=3, unique=True)


def real(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def by_definition(s: Stencil, theta: list[mpmath.mpf]) -> mpmath.mpc:
    """The symbol with 60 more digits than asked."""
    with mpmath.workdps(mpmath.mp.dps + 60):
        waves = [
            real(c) * mpmath.expj(sum((real(x) * t for x, t in zip(node, theta, strict=True)), mpmath.mpf(0)))
            for node, c in zip(s.nodes, s.weights, strict=True)
        ]
        target = [real(t) * mpmath.fprod((1j * v) ** n for v, n in zip(theta, b, strict=True)) for b, t in s.target]
        return mpmath.fsum(waves) / mpmath.fsum(target)


def modulus_on_grid(s: Stencil, theta: np.ndarray) -> np.ndarray:
    waves = sum(float(c) * np.exp(1j * float(x) * theta) for x, c in zip(s.offsets, s.weights, strict=True))
    return np.asarray(np.abs(waves)) / np.abs(float(s.target[0][1]) * theta**s.degree)


# values, expressions, series


@given(stencils(), st.floats(1e-12, 40) | st.floats(-40, -1e-12))
def test_values_at_floats(s: Stencil, theta: float) -> None:
    value = symbol(s).value(theta)
    exact = by_definition(s, [mpmath.mpf(theta)])
    assert abs(value - complex(exact)) <= 4e-16 * max(1.0, abs(complex(exact)))
    assert isinstance(value, float if s.is_symmetric else complex)


@settings(max_examples=20)
@given(stencils(), rationals(-9, 9))
def test_values_at_forty_digits(s: Stencil, theta: Fraction) -> None:
    with mpmath.workdps(40):
        value = symbol(s).value(real(theta))
        if theta == 0:
            assert value == 1
            return
        assert abs(value - by_definition(s, [real(theta)])) < mpmath.mpf(10) ** -38 * (1 + abs(value))
    assert abs(symbol(s).value(theta) - complex(value)) < 1e-15 * (1 + abs(value))


@settings(max_examples=20)
@given(stencils(extra=2), rationals(Fraction(1, 12), 9))
def test_expressions_have_the_values(s: Stencil, theta: Fraction) -> None:
    found = symbol(s)
    (variable,) = found.variables
    number = sp.N(found.expression.subs(variable, sp.Rational(spell(theta))), 40, maxn=400)
    with mpmath.workdps(40):
        exact = by_definition(s, [real(theta)])
        assert abs(mpmath.mpmathify(number) - exact) < mpmath.mpf(10) ** -35 * (1 + abs(exact))


def test_expressions_of_the_classical_stencils() -> None:
    theta = sp.Symbol("theta", real=True)
    half = sp.sin(theta / 2)
    assert symbol(central(2)).expression == 4 * half**2 / theta**2
    assert sp.expand(symbol(central(2, 4)).expression - (4 * half**2 + sp.Rational(4, 3) * half**4) / theta**2) == 0
    assert symbol(central(1)).expression == 2 * half * sp.cos(theta / 2) / theta
    assert sp.limit(symbol(central(2, 4)).expression, theta, 0) == 1
    assert symbol(identity()).expression == 1
    assert symbol(stencil(2, ["-1/2", 0, "1/2"])).expression.equals(16 * sp.sin(theta / 4) ** 2 / theta**2)
    assert str(symbol(central(2))) == "4*sin(theta/2)**2/theta**2"
    assert symbol(central(2))._repr_latex_().startswith(r"$\displaystyle m(\theta) = \frac{4 \sin")
    assert sp.latex(symbol(central(2))) == sp.latex(4 * half**2 / theta**2)


@settings(max_examples=20)
@given(stencils(), st.floats(1e-4, 1e-2))
def test_the_series_is_the_truncation_expansion(s: Stencil, theta: float) -> None:
    """Against the values: what three terms leave is of the size of the next."""
    terms = symbol(s).series(4)
    partial = 1 + sum(complex(float(e) * (1j * theta) ** q) for q, e in terms[:3])
    q, e = terms[3]
    spread = float(max(abs(x) for x in s.offsets)) + 1
    rest = abs(float(e)) * theta**q + float(s.norm1) * (spread * theta) ** (q + 1)
    assert abs(symbol(s).value(theta) - partial) <= 2 * rest + 1e-15
    assert expansion(s, 3) == tuple((n, sp.Rational(spell(v)) * sp.I**n) for n, v in terms[:3])


@given(stencils())
def test_squared_symbols(s: Stencil) -> None:
    cosines = tuple(squared_symbol(s).items())
    assert [d for d, _ in cosines] == sorted({d for d, _ in cosines})
    for theta in (0.3, 2.0, 7.7):
        direct = abs(sum(float(c) * np.exp(1j * float(x) * theta) for x, c in zip(s.offsets, s.weights, strict=True)))
        total = sum(float(a) * np.cos(float(d) * theta) for d, a in cosines)
        assert total == pytest.approx(direct**2, abs=1e-13 * float(s.norm1) ** 2)
    # |m|² → 1 at 0: the moments of the distances vanish below 2m
    for j in range(s.degree):
        assert sum((a * d ** (2 * j) for d, a in cosines), Fraction(0)) == 0


@settings(max_examples=25)
@given(
    st.sampled_from([five_point(), nine_point(), thirteen_point(), tensor(central(1), forward(2, 2))]),
    st.tuples(st.floats(0.01, 9), st.floats(-9, -0.01)),
)
def test_values_in_the_plane(s: Stencil, theta: tuple[float, float]) -> None:
    exact = complex(by_definition(s, [mpmath.mpf(t) for t in theta]))
    assert abs(symbol(s).value(theta) - complex(exact)) < 1e-14 * max(1, abs(exact))
    expression, variables = symbol(s).expression, symbol(s).variables
    number = complex(expression.subs(dict(zip(variables, theta, strict=True))).evalf(30))
    assert abs(number - exact) < 1e-8 * max(1, abs(exact))


def test_the_symbol_multiplies_under_composition() -> None:
    theta = (0.7, -2.1)
    assert symbol(thirteen_point()).value(theta) == pytest.approx(symbol(five_point()).value(theta) ** 2, rel=1e-14)
    a, b = forward(1, 2), central(2)
    value = symbol(compose(a, b)).value(1.3)
    assert value == pytest.approx(symbol(a).value(1.3) * symbol(b).value(1.3), rel=1e-14)


# the supremum


def test_facts_about_one_sided_stencils() -> None:
    for s, published in ((forward(1, 2), "1.491"), (forward(2, 2), "1.842"), (forward(2, 4), "6.536")):
        found = symbol(s).supremum()
        assert round(float(found.lower), 3) == round(float(found.upper), 3) == float(published)
        assert symbol(backward(s.derivative, s.order)).supremum(9).decimals(8) == symbol(s).supremum(9).decimals(8)
        grid = modulus_on_grid(s, np.linspace(0.05, 40, 400_001))
        assert float(found.lower) == pytest.approx(grid.max(), rel=1e-7)


@settings(max_examples=25)
@given(stencils(), st.integers(3, 25))
def test_suprema_are_enclosed_tightly_and_contain_the_sampled_maximum(s: Stencil, digits: int) -> None:
    found = symbol(s).supremum(digits)
    assert found.lower >= 1
    assert found.width <= found.upper / 10**digits
    spread = float(max(s.offsets) - min(s.offsets))
    far = min(float(s.norm1) ** (1 / s.degree) + 1, 2000 / spread)
    grid = modulus_on_grid(s, np.linspace(0.3 / spread, far, 100_001))
    # float64 loses norm1 / θ^m ulps near 0
    noise = 1e-15 * float(s.norm1) * (spread / 0.3) ** s.degree
    assert grid.max() <= float(found.upper) * (1 + 1e-12) + noise
    if not found.is_exact:
        peak = symbol(s).supremum(6)
        assert peak.lower <= found.upper
        assert found.lower <= peak.upper
        assert grid.max() >= float(found.lower) * (1 - 1e-3)


@settings(max_examples=20)
@given(stencils())
def test_bounded_by_one_is_decided_with_a_witness(s: Stencil) -> None:
    witness = symbol(s).witness_above_one()
    assert symbol(s).at_most_one() == (witness is None)
    if witness is None:
        assert symbol(s).supremum() == Enclosure.exact(1)
        spread = float(max(s.offsets) - min(s.offsets))
        theta = np.linspace(1 / spread, 1 / spread + 40, 20_001)
        assert modulus_on_grid(s, theta).max() <= 1 + 1e-13 * float(s.norm1) * spread**s.degree
    else:
        with mpmath.workdps(60):
            assert abs(by_definition(s, [real(witness)])) > 1
        assert symbol(s).supremum(5).lower > 1


@pytest.mark.parametrize("derivative", range(1, 7))
@pytest.mark.parametrize("order", [2, 4, 6, 8, 12])
def test_central_symbols_lie_between_zero_and_one(derivative: int, order: int) -> None:
    m = symbol(central(derivative, order))
    assert m.is_real
    assert m.at_most_one()
    assert m.supremum() == Enclosure.exact(1)
    assert m.is_nonnegative()
    assert m.is_nonnegative(everywhere=True) == (derivative % 2 == 0)
    inside, beyond = m.value(3.0), m.value(4.0)
    assert 0 < inside < 1
    assert (beyond < 0) == (derivative % 2 == 1)  # on (π, 2π) odd ones are negative


@settings(max_examples=10)
@given(stencils(), st.sampled_from([Fraction(1, 7), Fraction(5), Fraction(-3)]))
def test_the_supremum_is_invariant_under_scaling_and_reflection(s: Stencil, ratio: Fraction) -> None:
    other = stencil(s.derivative, [ratio * x for x in s.offsets])
    a, b = symbol(s).supremum(10), symbol(other).supremum(10)
    assert a.lower <= b.upper
    assert b.lower <= a.upper
    c = symbol(multiply(Fraction(-2, 3), s)).supremum(10)
    assert a.lower <= c.upper
    assert c.lower <= a.upper


def test_a_bound_below_the_supremum_is_refuted_and_one_above_proved() -> None:
    f = squared_modulus(forward(1, 2))
    sup = symbol(forward(1, 2)).supremum(20)
    assert decide(f, sup.upper**2).holds
    just_below = (sup.lower * (1 - Fraction(1, 10**6))) ** 2
    refuted = decide(f, just_below, Fraction(1, 10**12))
    assert refuted.witness is not None
    with mpmath.workdps(40):
        assert abs(by_definition(forward(1, 2), [real(refuted.witness)])) ** 2 > real(just_below)
    with pytest.raises(InputError, match="no bound below 1"):
        decide(f, Fraction(99, 100))


def test_high_orders_are_decided() -> None:
    """|m| - 1 is below 1e-30 over much of the line here, so neither sampling nor float64 could tell."""
    assert symbol(central(2, 30)).at_most_one()
    assert symbol(forward(3, 12)).supremum(10).lower > 100


def test_a_stencil_too_uneven_is_refused_clearly() -> None:
    s = stencil(1, [0, "1/100000000", 1])
    with pytest.raises(PrecisionCapError, match=r"symbol: .*boxes"):
        symbol(s).supremum()


# enclosures of values


@settings(max_examples=40)
@given(stencils(), rationals(Fraction(1, 12), 9), st.integers(20, 200))
def test_enclosures_of_the_squared_modulus(s: Stencil, psi: Fraction, bits: int) -> None:
    f = squared_modulus(s)
    found = value_at(f, psi, bits)
    with mpmath.workdps(120):
        exact = abs(by_definition(s, [real(psi * f.unit)])) ** 2
        assert real(found.lower) <= exact <= real(found.upper)
        assert real(found.width) <= mpmath.mpf(2) ** (8 - bits)
    assert f.approximate(float(psi)) == pytest.approx(float(exact), rel=1e-4, abs=1e-9)


@given(stencils(), st.integers(2, 30), st.integers(60, 400))
def test_rounded_taylor_coefficients_are_within_their_errors(s: Stencil, last: int, bits: int) -> None:
    f = squared_modulus(s)
    values, errors = f.rounded_taylor(last, bits)
    exact = [f.taylor(j) for j in range(last + 1)]
    assert exact[0] == 1
    assert all(abs(v - e) <= error for v, e, error in zip(values, exact, errors, strict=True))
    order, leading = f.leading
    assert leading == f.taylor(order) != 0
    assert not any(f.taylor(j) for j in range(1, order))
    for j, error in enumerate(errors):  # and the errors are small
        n = 2 * (f.degree + j)
        assert error * f.scale * factorial(n) <= f.norm1**2 * Fraction(4 * n * 2**n, 2**bits)


@given(stencils(), st.integers(1, 12), rationals(Fraction(1, 3), 6))
def test_the_tail_of_the_taylor_series_is_bounded(s: Stencil, last: int, psi: Fraction) -> None:
    f = squared_modulus(s)
    tail = f.tail(last, psi**2)
    assume(tail is not None)
    assert tail is not None
    further = sum((abs(f.taylor(j)) * psi ** (2 * j) for j in range(last + 1, last + 12)), Fraction(0))
    assert further <= tail


@given(st.integers(1, 99), st.integers(1, 40), st.integers(-6, 6), st.sampled_from([(1, 2), (2, 2), (1, 3), (2, 3)]))
def test_no_crossing_is_missed_near_zero(part: int, quarters: int, slack: int, case: tuple[int, int]) -> None:
    """A bound between 1 and the maximum is crossed; what is proved near 0 ends before that, however long the tail."""
    f = squared_modulus(forward(*case))
    top = symbol(forward(*case)).supremum(6).lower ** 2
    bound, psi = 1 + (top - 1) * Fraction(part, 100), Fraction(quarters, 4)
    grid = np.linspace(0, float(psi), 2001)[1:]
    greatest = max(f.approximate(float(x)) for x in grid)
    if _below_near_zero(f, bound, Fraction(4) ** slack, psi):
        assert greatest <= float(bound) * (1 + 1e-9)
    elif slack < -3:
        assert greatest >= float(bound) * (1 - 0.1) or greatest >= 1 + (float(bound) - 1) * 0.9


@pytest.mark.parametrize("case", [(1, 4), (1, 8), (2, 4), (3, 5), (3, 8), (4, 5)])
def test_no_crossing_of_one_is_missed_near_zero(case: tuple[int, int]) -> None:
    """|m| falls at first and exceeds 1 later; with long tails the polynomial alone would not tell where."""
    f = squared_modulus(forward(*case))
    assert f.leading[1] < 0
    grid = np.linspace(0, 12, 1201)[1:]
    crossing = next(x for x in grid if f.approximate(float(x)) > 1 + 1e-9)
    proved = []
    for quarters, slack in product(range(1, 49), (-6, -1, 0, 1, 3, 6, 9)):
        if _below_near_zero(f, Fraction(1), Fraction(4) ** slack, Fraction(quarters, 4)):
            proved.append(quarters / 4)
    assert max(proved) <= crossing
    assert max(proved) >= crossing - 0.5


@settings(max_examples=40)
@given(
    stencils(),
    rationals(Fraction(1, 3), 6),
    rationals(Fraction(1, 1000), Fraction(1, 3), 1000),
    st.sampled_from([0, 3, 80]),
)
def test_the_quadratic_on_a_box_is_a_lower_bound(s: Stencil, middle: Fraction, radius: Fraction, bits: int) -> None:
    """Also with so few bits that the errors of the cosines count."""
    f = squared_modulus(s)
    assume(radius < middle)
    boxes = Boxes(f, Fraction(1), middle - radius, bits)
    assert boxes.bits >= bits
    least, here = boxes.minimum(middle, radius)
    with mpmath.workdps(50):
        for i in range(-8, 9):
            psi = middle + radius * i / 8
            scale = real(f.scale) * real(psi) ** (2 * f.degree)
            value = scale * (1 - abs(by_definition(s, [real(psi * f.unit)])) ** 2)
            assert real(least) <= value
            if i == 0:
                assert value <= real(here)
                assert real(here) - value <= mpmath.mpf(2) ** (8 - boxes.bits) * f.norm1**2


@given(rationals(-9, 9, 999), st.integers(10, 300))
def test_cosines_and_sines_in_units(x: Fraction, bits: int) -> None:
    c, s = cos_sin(x, bits)
    with mpmath.workprec(bits + 60):
        assert abs(mpmath.cos(real(x)) * 2**bits - c) <= 1
        assert abs(mpmath.sin(real(x)) * 2**bits - s) <= 1


@given(st.fractions(0, 10**6), st.integers(8, 200))
def test_square_roots(x: Fraction, bits: int) -> None:
    root = square_root(x, bits)
    assert root.lower**2 <= x < root.upper**2
    assert root.width == Fraction(1, 2**bits)
    assert isqrt(49) in square_root(Fraction(49), bits)


# signs


@settings(max_examples=30)
@given(symmetric_offsets, st.integers(1, 4))
def test_signs_against_sampling(half: list[Fraction], derivative: int) -> None:
    nodes = sorted({*half, *(-x for x in half), Fraction(0)})
    assume(derivative < len(nodes))
    s = stencil(derivative, nodes)
    assume(s.is_symmetric)
    theta = np.linspace(0, pi, 4001)[1:-1]
    waves = sum(float(c) * np.exp(1j * float(x) * theta) for x, c in zip(s.offsets, s.weights, strict=True))
    values = (waves / (1j) ** derivative).real
    noise = 1e-12 * float(s.norm1)
    if is_nonnegative(s):
        assert values.min() >= -noise
    else:
        # a negative stretch narrower than the grid would be missed, so look at its depth too
        assert values.min() < 0 or _dips_between_samples(s)


def _dips_between_samples(s: Stencil) -> bool:
    theta = np.linspace(0, pi, 2_000_001)[1:-1]
    waves = sum(float(c) * np.exp(1j * float(x) * theta) for x, c in zip(s.offsets, s.weights, strict=True))
    return bool((waves / (1j) ** s.degree).real.min() < 0)


def test_signs_with_zeros_on_and_inside_the_interval() -> None:
    assert is_nonnegative(stencil(2, [-2, 0, 2]))  # 1 - cos 2θ: a double zero at π
    assert is_nonnegative(stencil(2, [-4, 0, 4]), everywhere=True)  # a double zero inside, at π/2
    assert is_nonnegative(stencil(1, [-1, 1]))  # sin θ: a zero at π
    assert not is_nonnegative(stencil(1, [-2, 2]))  # sin 2θ
    assert is_nonnegative(stencil(1, ["-1/2", "1/2"]))
    assert not is_nonnegative(stencil(1, ["-3/2", "3/2"]))
    assert is_nonnegative(stencil(1, ["-1/3", "1/3"]))
    assert not is_nonnegative(stencil(1, ["-4/3", "4/3"]))  # the zero 3π/4 is inside (0, π)
    mean = stencil(0, ["-1/2", "1/2"])  # symbol cos(θ/2): a simple zero at π, irrational in cos(θ/4) and cos(θ/6)
    for width in ("1/2", "1/4", "1/6"):
        assert is_nonnegative(compose(mean, stencil(2, [f"-{width}", 0, width])))
    assert not is_nonnegative(compose(stencil(0, ["-2/3", "2/3"]), stencil(2, ["-1/4", 0, "1/4"])))
    assert is_nonnegative(compose(stencil(0, ["-2/5", "2/5"]), stencil(2, ["-1/4", 0, "1/4"])))
    assert is_nonnegative(multiply(-1, central(2)))  # the symbol is relative to its own target


@given(st.integers(0, 12), st.floats(0.1, 3.0))
def test_chebyshev_polynomials(n: int, phi: float) -> None:
    x = np.cos(phi)
    assert np.polyval(chebyshev(n)[::-1], x) == pytest.approx(np.cos(n * phi), abs=1e-10)
    u = np.polyval(chebyshev(n, second_kind=True)[::-1], x)
    assert u * np.sin(phi) == pytest.approx(np.sin((n + 1) * phi), abs=1e-9)


@pytest.mark.parametrize("s", [central(2, 4), central(3, 4), stencil(2, ["-3/2", "-1/2", "1/2", "3/2"])])
def test_numerators_as_polynomials_in_the_cosine(s: Stencil) -> None:
    p, q = numerator_polynomial(s)
    ratios = []
    for theta in (0.4, 1.1, 2.9):
        phi = theta / q
        value = np.polyval([float(c) for c in reversed(p)], np.cos(phi)) * (np.sin(phi) if s.degree % 2 else 1)
        ratios.append(symbol(s).value(theta) * theta**s.degree / value)
    assert ratios[0] > 0
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-9)


# failures


def test_bad_input() -> None:
    with pytest.raises(InputError, match="not symmetric"):
        symbol(forward(1)).is_nonnegative()
    with pytest.raises(InputError, match="for one variable"):
        symbol(five_point()).supremum()
    with pytest.raises(InputError, match="for one variable"):
        symbol(five_point()).series()
    with pytest.raises(InputError, match="for one variable"):
        symbol(five_point()).at_most_one()
    with pytest.raises(InputError, match="theta: 1 numbers"):
        symbol(five_point()).value(1.0)
    with pytest.raises(InputError, match="vanishes there"):
        symbol(tensor(central(1), central(1))).value((0.0, 1.0))
    with pytest.raises(InputError, match="digits: 0"):
        supremum(central(2), 0)
    with pytest.raises(InputError, match="digits: 100"):
        supremum(central(2), 100)
    with pytest.raises(InputError, match="order at least 1"):
        symbol(stencil(0, [-1, 1])).supremum()
    with pytest.raises(PrecisionCapError, match="degree 500 in cos"):
        is_nonnegative(stencil(2, [-500, 0, 500]))


def test_the_identity() -> None:
    m = symbol(identity())
    assert m == Symbol(identity())
    assert (m.value(0.3), m.at_most_one(), m.supremum()) == (1.0, True, Enclosure.exact(1))


@given(stencils(), rationals().filter(bool))
def test_the_series_does_not_see_a_factor(s: Stencil, factor: Fraction) -> None:
    assume(not s.is_exact)
    assert symbol(multiply(factor, s)).series(2) == symbol(s).series(2)


@given(stencils())
def test_the_fourth_derivative_of_the_numerator_is_bounded(s: Stencil) -> None:
    """Sampled with its exact series of cosines; attained by two nodes, whose ``|f|²`` is one wave."""
    assume(s.degree > 0 and sum(map(bool, s.weights)) > 1)
    f = squared_modulus(s)
    scale = Fraction(1, 2**f.exponent)
    psi = np.linspace(0, 20, 401)
    total = np.zeros_like(psi)
    for a, b in zip(f.nodes, f.weights, strict=True):
        for c, e in zip(f.nodes, f.weights, strict=True):
            d = float((a - c) * scale)
            total += float(b * e / Fraction(f.norm1) ** 2) * d**4 * np.cos(d * psi) / 24
    bound = float(f.fourth / Fraction(f.norm1) ** 2)
    assert np.abs(total).max() <= bound * (1 + 1e-12)
    if len(f.nodes) == 2:  # opposite weights: the waves of both orders add at π / d
        top = float((f.nodes[1] - f.nodes[0]) * scale)
        assert bound == pytest.approx(2 * abs(float(f.weights[0] * f.weights[1])) / f.norm1**2 * top**4 / 24)


def test_a_witness_near_zero_outweighs_the_tail() -> None:
    class Rising:
        """``|m|² = 1 + ψ² + …`` with a tail that is only small for ``ψ < 2``."""

        leading = (1, Fraction(1))

        def taylor(self, j: int) -> Fraction:
            return Fraction(j == 1)

        def tail(self, last: int, x: Fraction) -> Fraction | None:
            return 2 * x if x > 1 else x / 2

    assert _rising_witness(Rising()) == 1  # type: ignore[arg-type]

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import product
from math import factorial, prod

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs_check.search.strategies import offsets, rationals, stencils
from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import spell
from theory.stencils import (
    NAMES,
    MultiIndex,
    Stencil,
    add,
    backward,
    central,
    compose,
    embed,
    five_point,
    forward,
    identity,
    inside,
    laplacian,
    multi_indices,
    multiply,
    named,
    nine_point,
    rescale,
    skewed_five_point,
    stencil,
    stencil_nd,
    tensor,
    thirteen_point,
)

LAPLACE = {(2, 0): 1, (0, 2): 1}


def fr(value: sp.Expr) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def on_monomial(s: Stencil, power: MultiIndex, x: tuple[Fraction, ...], h: Fraction) -> Fraction:
    """``D_h`` of ``x^power`` straight from the definition."""
    total = Fraction(0)
    for node, c in zip(s.nodes, s.weights, strict=True):
        total += c * prod((a + h * b) ** n for a, b, n in zip(x, node, power, strict=True))
    return total / h**s.degree


def derivative_of_monomial(index: MultiIndex, power: MultiIndex, x: tuple[Fraction, ...]) -> Fraction:
    if any(b > n for b, n in zip(index, power, strict=True)):
        return Fraction(0)
    return prod(
        (Fraction(factorial(n), factorial(n - b)) * a ** (n - b) for a, b, n in zip(x, index, power, strict=True)),
        start=Fraction(1),
    )


def expansion_on_monomial(s: Stencil, power: MultiIndex, x: tuple[Fraction, ...], h: Fraction) -> Fraction:
    """Target and truncation expansion applied to a monomial, where the expansion is a finite sum."""
    total = sum((t * derivative_of_monomial(b, power, x) for b, t in s.target), Fraction(0))
    top = sum(power) - s.degree
    for term in s.truncation(max(top, 1)):
        if term.power <= top:
            for b, e in term.coefficients:
                total += h**term.power * e * derivative_of_monomial(b, power, x)
    return total


# one variable


@given(st.integers(0, 5).flatmap(lambda m: st.tuples(st.just(m), offsets(m))))
def test_weights_agree_with_sympy(case: tuple[int, tuple[Fraction, ...]]) -> None:
    m, s = case
    nodes = [sp.Rational(x.numerator, x.denominator) for x in s]
    oracle = sp.finite_diff_weights(m, nodes, 0)[m][-1]
    assert stencil(m, s).weights == tuple(fr(sp.Rational(w)) for w in oracle)


@settings(max_examples=6)
@given(stencils(extra=2))
def test_truncation_agrees_with_sympy_series(s: Stencil) -> None:
    """The symbol of D_h on exp(t), expanded by sympy.series, which knows nothing of moments."""
    h = sp.Symbol("h")
    m, terms = s.derivative, s.truncation(1)
    top = m + terms[-1].power + 1
    total = sum(
        (sp.Rational(spell(c)) * sp.exp(sp.Rational(spell(x)) * h) for x, c in zip(s.offsets, s.weights, strict=True)),
        sp.Integer(0),
    )
    series = sp.expand(sp.series(total, h, 0, top).removeO())
    assert [fr(series.coeff(h, n)) for n in range(m)] == [0] * m
    assert fr(series.coeff(h, m)) == 1
    expected = {t.power: t.value for t in terms}
    assert [fr(series.coeff(h, m + q)) for q in range(1, top - m)] == [expected.get(q, 0) for q in range(1, top - m)]
    assert s.order == terms[0].power


@given(stencils(), st.integers(0, 9), rationals(), rationals(Fraction(1, 12), 2))
def test_truncation_is_exact_on_powers(s: Stencil, extra: int, x: Fraction, h: Fraction) -> None:
    power = (s.degree + extra,)
    assert on_monomial(s, power, (x,), h) == expansion_on_monomial(s, power, (x,), h)


@given(stencils())
def test_the_order_is_the_degree_of_exactness(s: Stencil) -> None:
    zero, one = (Fraction(0),), Fraction(1)
    top = s.degree + s.order
    wrong = [n for n in range(top + 1) if on_monomial(s, (n,), zero, one) != (factorial(n) if n == s.degree else 0)]
    assert wrong == [top]
    assert s.order >= len(s.weights) - s.degree


@given(stencils(), rationals(Fraction(1, 12), 3))
def test_rescaling_the_step(s: Stencil, ratio: Fraction) -> None:
    wide = rescale(s, [ratio])
    assert wide == stencil(s.derivative, [ratio * x for x in s.offsets])
    assert [t.value for t in wide.truncation(2)] == [t.value * ratio**t.power for t in s.truncation(2)]


@given(stencils())
def test_reflection_flips_the_odd_terms(s: Stencil) -> None:
    mirrored = stencil(s.derivative, [-x for x in s.offsets])
    assert mirrored.weights == tuple((-1) ** s.degree * c for c in s.weights)
    assert [t.value for t in mirrored.truncation(3)] == [(-1) ** t.power * t.value for t in s.truncation(3)]
    weights = dict(zip(s.offsets, s.weights, strict=True))
    images = {-x: (-1) ** s.degree * c for x, c in weights.items()}
    nonzero = {x: c for x, c in weights.items() if c}
    assert s.is_symmetric == (nonzero == {x: c for x, c in images.items() if c})


@pytest.mark.parametrize("derivative", range(1, 7))
@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_central_differences(derivative: int, order: int) -> None:
    s = central(derivative, order)
    assert (s.order, s.is_symmetric, all(s.weights)) == (order, True, True)
    assert len(s.truncation(4)) == 4
    assert all(t.power % 2 == 0 for t in s.truncation(4))
    half = max(s.offsets)
    assert half == (derivative + 1) // 2 + order // 2 - 1
    narrower = stencil(derivative, range(-int(half) + 1, int(half))) if 2 * half - 1 > derivative else None
    assert narrower is None or narrower.order < order


@pytest.mark.parametrize("derivative", range(1, 6))
@pytest.mark.parametrize("order", range(1, 6))
def test_one_sided_differences(derivative: int, order: int) -> None:
    ahead, behind = forward(derivative, order), backward(derivative, order)
    assert (ahead.order, behind.order) == (order, order)
    assert ahead.offsets == tuple(range(derivative + order))
    assert behind.offsets == tuple(range(1 - derivative - order, 1))
    assert behind.weights == tuple((-1) ** derivative * c for c in reversed(ahead.weights))
    assert ahead.truncation(1)[0].value == (-1) ** order * behind.truncation(1)[0].value


def test_known_weights() -> None:
    assert central(2).weights == (1, -2, 1)
    assert central(2, 4).weights == tuple(Fraction(n, 12) for n in (-1, 16, -30, 16, -1))
    assert forward(1, 2).weights == (Fraction(-3, 2), 2, Fraction(-1, 2))
    assert stencil(1, ["-1", "0", "1/2"]).weights == (Fraction(-1, 3), -1, Fraction(4, 3))
    assert [(t.power, t.derivative, t.value) for t in central(2).truncation()] == [
        (q, q + 2, Fraction(2, factorial(q + 2))) for q in (2, 4, 6)
    ]


def test_zero_weights_are_kept_where_offsets_were_given() -> None:
    s = stencil(1, [1, -1, 0])
    assert s.offsets == (1, -1, 0)
    assert s.weights == (Fraction(1, 2), Fraction(-1, 2), 0)
    assert central(1).offsets == (-1, 1)


def test_the_identity_is_exact() -> None:
    for s in (identity(), central(0), forward(0, 3), backward(0), stencil(0, [0, 1, 2])):
        assert s.is_exact
        assert s.truncation() == ()
        with pytest.raises(NonexistenceError, match="exact"):
            _ = s.order
    mean = stencil(0, [-1, 1])
    assert (mean.weights, mean.order, mean.is_exact) == ((Fraction(1, 2), Fraction(1, 2)), 2, False)


# several variables


def test_laplacians_of_the_plane() -> None:
    twelfth = Fraction(1, 12)
    assert five_point().truncation(1)[0].coefficients == (((4, 0), twelfth), ((0, 4), twelfth))
    nine = {(4, 0): twelfth, (2, 2): 2 * twelfth, (0, 4): twelfth}  # (d1² + d2²)² / 12
    assert dict(nine_point().truncation(1)[0].coefficients) == nine
    sixth = Fraction(1, 6)  # (d1² + d2²)(d1⁴ + d2⁴) / 6
    assert dict(thirteen_point().truncation(1)[0].coefficients) == dict.fromkeys(
        [(6, 0), (4, 2), (2, 4), (0, 6)], sixth
    )
    assert (five_point().norm1, nine_point().norm1, thirteen_point().norm1) == (8, Fraction(20, 3), 64)
    assert five_point().norm2_squared == 20
    assert [len(s.nodes) for s in (five_point(), nine_point(), thirteen_point())] == [5, 9, 13]
    assert all(s.order == 2 and s.is_symmetric for s in (five_point(), nine_point(), thirteen_point()))
    assert dict(thirteen_point().target) == {(4, 0): 1, (2, 2): 2, (0, 4): 1}
    weights = dict(zip(thirteen_point().nodes, thirteen_point().weights, strict=True))
    assert (weights[(0, 0)], weights[(1, 0)], weights[(1, 1)], weights[(0, 2)]) == (20, -8, 2, 1)


@pytest.mark.parametrize("name", NAMES)
def test_named_stencils_are_exact_on_monomials(name: str) -> None:
    s = named(name)
    x, h = (Fraction(1, 3), Fraction(-2), Fraction(1, 2))[: s.dimension], Fraction(2, 5)
    for total in range(s.degree + 6):
        for power in multi_indices(s.dimension, total):
            assert on_monomial(s, power, x, h) == expansion_on_monomial(s, power, x, h)


@settings(max_examples=25)
@given(
    st.lists(stencils(derivatives=st.integers(1, 3), extra=2), min_size=2, max_size=3),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
    rationals(Fraction(1, 12), 2),
)
def test_tensor_products(factors: list[Stencil], powers: list[int], h: Fraction) -> None:
    s = tensor(*factors)
    d = len(factors)
    assert s.target == ((tuple(f.degree for f in factors), Fraction(1)),)
    assert s.norm1 == prod(f.norm1 for f in factors)
    assert s.norm2_squared == prod(f.norm2_squared for f in factors)
    assert s.order == min(f.order for f in factors)
    power = tuple(f.degree + n for f, n in zip(factors, powers, strict=False))
    x = (Fraction(1, 2), Fraction(-1), Fraction(1, 3))[:d]
    separate = [on_monomial(f, (n,), (a,), h) for f, n, a in zip(factors, power, x, strict=True)]
    assert on_monomial(s, power, x, h) == prod(separate)
    if d == 2:
        assert on_monomial(s, power, x, h) == expansion_on_monomial(s, power, x, h)


@settings(max_examples=25)
@given(stencils(extra=1), stencils(extra=1), st.integers(0, 4), rationals(Fraction(1, 12), 2))
def test_composition_applies_one_to_the_other(a: Stencil, b: Stencil, extra: int, h: Fraction) -> None:
    s = compose(a, b)
    assert s.degree == a.degree + b.degree
    n, x = s.degree + extra, Fraction(1, 3)
    total = Fraction(0)
    for node, c in zip(a.offsets, a.weights, strict=True):
        total += c * on_monomial(b, (n,), (x + h * node,), h)
    assert on_monomial(s, (n,), (x,), h) == total / h**a.degree


@given(stencils(), rationals(), rationals())
def test_sums_and_multiples(s: Stencil, a: Fraction, b: Fraction) -> None:
    assume(a and b and a + b)
    total = add(multiply(a, s), multiply(b, s))
    assert total == multiply(a + b, s)
    assert total.target == (((s.degree,), a + b),)
    assert total.truncation(1)[0].value == (a + b) * s.truncation(1)[0].value


def test_axes_with_their_own_steps() -> None:
    ratios = (Fraction(1), Fraction(1, 3))
    mixed = rescale(tensor(central(1), central(2)), ratios)
    assert mixed == tensor(central(1), rescale(central(2), [Fraction(1, 3)]))
    with pytest.raises(InputError, match="scale differently"):
        rescale(five_point(), ratios)
    axes = add(embed(central(2), 0, 2), embed(rescale(central(2), ["1/3"]), 1, 2))
    assert dict(axes.truncation(1)[0].coefficients) == {(4, 0): Fraction(1, 12), (0, 4): Fraction(1, 108)}


def test_least_norm_stencils_recover_the_classical_ones() -> None:
    assert stencil_nd(LAPLACE, five_point().nodes) == five_point()
    square = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    best = stencil_nd(LAPLACE, square)
    assert best.order == 2
    for rival in (nine_point(), skewed_five_point()):
        assert rival.order == 2
        assert best.norm2_squared < rival.norm2_squared
    for m, s in ((1, (0, 1, 2)), (2, (-1, 0, Fraction(1, 2), 3)), (3, (-2, -1, 1, 2))):
        assert stencil_nd({(m,): 1}, [(x,) for x in s]) == stencil(m, s)


@settings(max_examples=10)
@given(
    st.lists(st.tuples(rationals(-2, 2, 3), rationals(-2, 2, 3)), min_size=6, max_size=12, unique=True),
    st.sampled_from([{(1, 0): 1}, {(1, 1): 1}, LAPLACE, {(2, 0): 1, (1, 1): -2}]),
)
def test_least_norm_stencils_solve_the_moment_equations(
    nodes: list[tuple[Fraction, Fraction]], target: dict[MultiIndex, int]
) -> None:
    """Existence, order and norm against sympy's rank and Gauss–Jordan on the Vandermonde matrix."""
    m = sum(next(iter(target)))

    def system(top: int) -> tuple[sp.Matrix, sp.Matrix]:
        indices = [b for n in range(top + 1) for b in multi_indices(2, n)]
        rows = [[sp.Rational(spell(x)) ** b[0] * sp.Rational(spell(y)) ** b[1] for x, y in nodes] for b in indices]
        right = [target.get(b, 0) * factorial(b[0]) * factorial(b[1]) for b in indices]
        return sp.Matrix(rows), sp.Matrix(right)

    def solvable(top: int) -> bool:
        a, b = system(top)
        return bool(a.rank() == a.row_join(b).rank())

    if not solvable(m):
        with pytest.raises(InputError, match="no solution"):
            stencil_nd(target, nodes)
        return
    s = stencil_nd(target, nodes)
    assert solvable(m + s.order - 1)
    assert not solvable(m + s.order)
    a, b = system(m + s.order - 1)
    weights = sp.Matrix([sp.Rational(spell(c)) for c in s.weights])
    assert a * weights == b
    assert (a.T.row_join(weights)).rank() == a.rank()  # in the row space, so of least norm
    if s.order > 1:
        lower = stencil_nd(target, nodes, order=1)
        assert lower.norm2_squared <= s.norm2_squared


@given(st.integers(1, 3), st.sampled_from([2, 4]))
def test_laplacians_act_along_the_axes(dimension: int, order: int) -> None:
    s = laplacian(dimension, order)
    leading = central(2, order).truncation(1)[0].value
    assert dict(s.truncation(1)[0].coefficients) == {
        tuple(order + 2 if i == axis else 0 for i in range(dimension)): leading for axis in range(dimension)
    }


# bad input, printing, cost


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stencil(2, [0, 0, 1]), "offsets: 0 is repeated"),
        (lambda: stencil(1, ["1/2", "0.5"]), "offsets: 1/2 is repeated"),
        (lambda: stencil(40, [-1, 0, 1]), "derivative: 40 needs at least 41 offsets, 3 given"),
        (lambda: stencil(10**9, [-1, 0, 1]), "derivative: 1000000000 is above the limit"),
        (lambda: stencil(-1, [0, 1]), "derivative: -1"),
        (lambda: stencil(True, [0, 1]), "derivative: True"),
        (lambda: stencil(1, []), "offsets: 0 of them"),
        (lambda: stencil(1, range(1000)), "offsets: 1000 of them"),
        (lambda: stencil(1, [0, "x"]), r"offsets\[1\]: 'x' is not a number"),
        (lambda: stencil(1, [0, 0.5]), r"offsets\[1\]: 0.5 is not exact"),
        (lambda: stencil(1, [0, "1e300"]), r"offsets\[1\]: numerator and denominator"),
        (lambda: stencil(1, [Fraction(1, 10**9 + i) for i in range(20)]), "offsets: their common denominator"),
        (lambda: central(2, 3), "order: 3"),
        (lambda: central(2, 10**6), "order: 1000000"),
        (lambda: central(60, 60), "offsets: 119 of them"),
        (lambda: forward(2, 0), "order: 0"),
        (lambda: central(2).truncation(0), "terms: 0"),
        (lambda: central(2).truncation(10**6), "terms: 1000000"),
        (lambda: named("five-pint"), "did you mean 'five-point'"),
        (lambda: stencil_nd(LAPLACE, [(0, 0), (1, 0), (0, 1)]), "no weights on these 3 nodes"),
        (lambda: stencil_nd(LAPLACE, five_point().nodes, order=3), "reach order 3"),
        (lambda: stencil_nd({(2, 0): 1, (1, 0): 1}, [(0, 0)]), "target: derivatives of several orders"),
        (lambda: stencil_nd({(2, 0): 0}, [(0, 0)]), "target: the operator is zero"),
        (lambda: stencil_nd({(-1, 0): 1}, [(0, 0)]), "target: "),
        (lambda: stencil_nd(LAPLACE, [(0, 0), (0, 0)]), r"nodes\[1\]: \(0, 0\) is repeated"),
        (lambda: stencil_nd(LAPLACE, [(0, 0), (0, 0, 0)]), r"nodes\[1\]: 3 coordinates"),
        (lambda: stencil_nd(LAPLACE, [(i, 10**15 + i * i) for i in range(60)]), "nodes: 60 nodes with coordinates"),
        (lambda: tensor(), "tensor: at least one"),
        (lambda: tensor(*[central(2, 8)] * 5), "tensor: 59049 nodes"),
        (lambda: add(central(1), central(2)), "add: "),
        (lambda: add(central(2), multiply(-1, central(2))), "operator made is zero"),
        (lambda: multiply(0, central(2)), "operator made is zero"),
        (lambda: compose(central(2), five_point()), "compose: dimensions 1 and 2 differ"),
        (lambda: embed(five_point(), 0, 3), "`embed` is for one variable"),
        (lambda: five_point().offsets, "`offsets` is for one variable"),
        (lambda: five_point().truncation()[0].value, "`value` is for one variable"),
        (lambda: rescale(central(2), [-1]), "ratios: 1 positive numbers"),
        (lambda: laplacian(99), "dimension: 99"),
    ],
)
def test_bad_input_gets_one_clear_line(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call()  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_inconsistent_weights_are_refused() -> None:
    good = central(2)
    half = tuple(c / 2 for c in good.weights)
    with pytest.raises(InputError, match="not consistent"):
        Stencil(good.target, good.nodes, half)
    with pytest.raises(InputError, match="not consistent"):
        Stencil(good.target, good.nodes, (Fraction(1), Fraction(-2), Fraction(2)))
    with pytest.raises(InputError, match="distinct"):
        Stencil(good.target, (good.nodes[0],) * 3, good.weights)
    with pytest.raises(InputError, match="as many weights"):
        Stencil(good.target, good.nodes, good.weights[:2])
    with pytest.raises(InputError, match="one order"):
        Stencil((((2,), Fraction(1)), ((1,), Fraction(1))), good.nodes, good.weights)


def test_latex() -> None:
    assert central(2)._repr_latex_() == (
        r"$\displaystyle D_h u = \frac{u(x-h)-2\,u(x)+u(x+h)}{h^{2}} = u''"
        r"+\frac{1}{12}\,h^{2}u^{(4)}+\frac{1}{360}\,h^{4}u^{(6)}+O(h^{6})$"
    )
    assert r"\partial_{1}^{2}\partial_{2}^{2}u" in nine_point()._repr_latex_()
    assert r"-h^{3}u^{(5)}+O(h^{4})" in forward(2, 2)._repr_latex_()
    assert identity()._repr_latex_() == r"$\displaystyle D_h u = u(x) = u$"
    for s in (thirteen_point(), forward(3, 12), stencil(1, ["-1/2", 0, "7/3"])):
        text = s._repr_latex_()
        assert text.count("{") == text.count("}")
        assert "+-" not in text
        assert "--" not in text


def test_importing_the_stencils_does_not_import_sympy() -> None:
    code = "import sys, theory.stencils; print([m for m in ('sympy', 'mpmath', 'numpy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_enumeration_of_multi_indices() -> None:
    for d, n in product((1, 2, 3), range(5)):
        brute = sorted((b for b in product(range(n + 1), repeat=d) if sum(b) == n), reverse=True)
        assert list(multi_indices(d, n)) == brute


@given(st.integers(1, 4), st.sampled_from([2, 4]), st.integers(-9, 0), st.integers(0, 9))
def test_stencils_inside_an_interval(derivative: int, order: int, low: int, high: int) -> None:
    """On the whole interval the stencil itself; else consecutive nodes in it that keep degree and order."""
    whole = central(derivative, order)
    if high - low + 1 < derivative + order and not all(low <= node <= high for node in whole.offsets):
        with pytest.raises(InputError, match="smaller step"):
            inside(whole, low, high)
        return
    found = inside(whole, low, high)
    assert all(low <= node <= high for node in found.offsets)
    assert found.derivative == derivative
    assert found.order >= order
    reach = max(whole.offsets)
    assert (found == whole) or not (low <= -reach and reach <= high)
    assert inside(whole, -int(reach), int(reach)) == whole

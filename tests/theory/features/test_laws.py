"""Laws: spelling, moments and characteristic functions, each against an independent quadrature."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.base.errors import InputError, NonexistenceError
from theory.features.laws import LAWS, Cauchy, Constant, Discrete, Laplace, Law, Normal, Student, Uniform, law

X = sympy.Symbol("x", real=True)
T = sympy.Symbol("t", real=True)

rationals = st.fractions(min_value=-20, max_value=20, max_denominator=60)
positives = st.fractions(min_value=Fraction(1, 50), max_value=20, max_denominator=60)
laws = st.one_of(
    st.builds(Normal, rationals, positives),
    st.builds(lambda a, b: Uniform(a, a + b), rationals, positives),
    st.builds(Laplace, rationals, positives),
    st.builds(Cauchy, rationals, positives),
    st.builds(Student, positives, positives),
    st.builds(Discrete, st.lists(rationals, min_size=1, max_size=6).map(tuple)),
    st.builds(Constant, rationals),
)
CONTINUOUS: list[Law] = [
    Normal(Fraction(1, 3), Fraction(2, 3)),
    Uniform(Fraction(-1, 2), Fraction(3, 2)),
    Laplace(Fraction(-1, 4), Fraction(3, 4)),
    Cauchy(Fraction(1, 2), Fraction(3, 2)),
    Student(Fraction(3), Fraction(1)),
    Student(Fraction(5), Fraction(1, 2)),
    Student(Fraction(7, 2), Fraction(1)),
    Student(Fraction(4), Fraction(2)),
]


@given(laws)
def test_spelling_reads_back(w: Law) -> None:
    assert law(str(w)) == w
    assert hash(law(str(w))) == hash(w)
    assert law(f"  {w.name.upper()} ( {' , '.join(map(str, w.parameters))} ) ") == w


def _real(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def _integral(w: Law, function: object, oscillation: float = 0.0) -> mpmath.mpf:
    """∫ f(x) density(x) dx through x = sinh-type maps or panels; independent of the laws' own formulas."""
    f = sympy.lambdify(X, w.density(X), "mpmath")
    c = _real(w.centre)
    if isinstance(w, Uniform):
        return mpmath.quad(lambda u: function(u) * f(u), [_real(w.low), _real(w.high)])
    if oscillation:
        g = lambda u: function(c + u) * f(c + u) + function(c - u) * f(c - u)  # type: ignore[operator] # noqa: E731
        return mpmath.quadosc(g, [0, mpmath.inf], omega=oscillation)
    return mpmath.quad(lambda u: function(u) * f(u), [-mpmath.inf, c, mpmath.inf])  # type: ignore[operator]


@pytest.mark.parametrize("w", CONTINUOUS, ids=str)
def test_density_integrates_to_one_and_gives_the_moments(w: Law) -> None:
    with mpmath.workdps(20):
        assert abs(_integral(w, lambda u: 1) - 1) < 1e-12
        for n in range(1, 5):
            value = w.moment(n)
            assert (value is None) == (not w.moment_exists(n))
            # the integrand must decay for the quadrature to be an oracle: leave a margin of two orders
            if value is not None and (w.moment_bound is None or n + 2 <= w.moment_bound):
                assert abs(_integral(w, lambda u, n=n: u**n) - _real(value)) < 1e-10


@pytest.mark.parametrize("w", CONTINUOUS, ids=str)
def test_characteristic_function_is_the_fourier_integral(w: Law) -> None:
    """phi(t) e^{-itc} = E cos(t (w − c)) for a law symmetric about c."""
    t = Fraction(-3, 2)
    with mpmath.workdps(20):
        exact = w.characteristic_function(sympy.Rational(t.numerator, t.denominator)).evalf(18)
        tt = _real(t)
        c = _real(w.centre)
        cosine = _integral(w, lambda u: mpmath.cos(tt * (u - c)), abs(float(t)))
        expected = mpmath.expjpi(tt * c / mpmath.pi) * cosine
        assert abs(mpmath.mpmathify(complex(exact)) - expected) < 1e-10
        symbolic = w.characteristic_function(T).subs(T, sympy.Rational(t.numerator, t.denominator))
        assert abs(complex(symbolic.evalf(18)) - complex(exact)) < 1e-14


@settings(max_examples=40, deadline=None)
@given(laws, st.integers(0, 6))
def test_characteristic_function_at_zero_and_moments_from_its_derivatives(w: Law, n: int) -> None:
    assert sympy.simplify(w.characteristic_function(sympy.S.Zero)) == 1
    if isinstance(w, Normal | Laplace | Discrete | Constant):
        s = sympy.Symbol("s")
        if isinstance(w, Discrete) and len(w.values) > 4:
            return
        derivative = sympy.diff(w.moment_generating_function(s), s, n).subs(s, 0)
        assert derivative == w.moment(n)


@given(laws, st.fractions(min_value=0, max_value=12, max_denominator=9))
def test_moments_exist_in_an_initial_interval(w: Law, r: Fraction) -> None:
    if w.moment_exists(r):
        assert w.moment_exists(r / 2)
    else:
        assert isinstance(w, Cauchy | Student)
        assert w.moment_bound is not None
        assert not w.moment_exists(w.moment_bound)
        assert w.moment_exists(w.moment_bound * Fraction(999, 1000))
        if r.denominator == 1:
            assert w.moment(int(r)) is None


@given(laws)
def test_variance_is_not_negative_and_symmetric_laws_have_no_odd_moments(w: Law) -> None:
    if w.variance is not None:
        assert w.variance >= 0
        assert (w.variance == 0) == (isinstance(w, Constant) or (isinstance(w, Discrete) and len(set(w.values)) == 1))
    if w.symmetric:
        for n in (1, 3):
            assert w.moment(n) in (0, None)


@settings(max_examples=40, deadline=None)
@given(st.fractions(min_value=-5, max_value=5, max_denominator=20), positives, st.integers(0, 8))
def test_uniform_moments_by_integration(low: Fraction, width: Fraction, n: int) -> None:
    w = Uniform(low, low + width)
    lo, hi = (sympy.Rational(v.numerator, v.denominator) for v in (w.low, w.high))
    assert sympy.integrate(X**n * w.density(X), (X, lo, hi)) == w.moment(n)


BAD = """
normal(0)|normal(0, 0)|normal(0, -1)|normal(0, 1, 2)|normal()|normal|normal(0, x)|normal(0, nan)|uniform(1, 1)
uniform(2, 1)|uniform(1)|laplace(0, 0)|cauchy(0, -1)|student(0, 1)|student(2000, 1)|student(3, 0)|discrete()
discrete(1,,2)|constant()|constant(1, 2)|constant(1e300)|gauss(0, 1)||normal(0, 1/0)|normal(0, 1))|constant(inf)
normal((0), 1)|__import__('os')|normal(0, 1e-30)
""".strip().replace("\n", "|")


@pytest.mark.parametrize(
    "text", [*BAD.split("|"), f"constant(1/{'7' * 300})", "discrete(" + "1, " * 5000 + "1)", "x" * 200_000]
)
def test_bad_spellings_get_one_line(text: str) -> None:
    with pytest.raises(InputError) as error:
        law(text, "weights")
    assert "\n" not in str(error.value)
    assert "weights" in str(error.value) or ":" in str(error.value)
    assert len(str(error.value)) < 400


def test_discrete_laws_have_no_density_and_floats_are_refused() -> None:
    for w in (Constant(Fraction(1)), Discrete((Fraction(1), Fraction(2)))):
        assert not w.has_density
        with pytest.raises(NonexistenceError):
            w.density(X)
    with pytest.raises(InputError):
        Normal(0.1, Fraction(1))  # type: ignore[arg-type]
    for w in (Cauchy(Fraction(0), Fraction(1)), Student(Fraction(3), Fraction(1))):
        with pytest.raises(NonexistenceError):
            w.moment_generating_function(X)
    with pytest.raises(InputError):
        Constant(Fraction(1)).moment_exists(-1)


@settings(max_examples=20)
@given(st.permutations([Fraction(1), Fraction(-1, 2), Fraction(3)]))
def test_discrete_values_keep_their_order_but_not_in_the_moments(values: list[Fraction]) -> None:
    w = Discrete(tuple(values))
    assert w.values == tuple(values)
    assert w.moment(3) == Discrete((Fraction(1), Fraction(-1, 2), Fraction(3))).moment(3)


def test_importing_laws_does_not_import_sympy() -> None:
    code = (
        "import sys, theory.features.laws; theory.features.laws.law('normal(0, 1)'); sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_law_is_listed() -> None:
    assert set(LAWS) == {"normal", "uniform", "laplace", "cauchy", "student", "discrete", "constant"}


@pytest.mark.parametrize("scale", ["1/3", "1", "7/2"])
def test_exponential_moments_of_laplace_end_at_the_pole(scale: str) -> None:
    """``E exp(s w) = 1 / (1 - scale² s²)`` is finite up to its first pole."""
    w = law(f"laplace(0, {scale})")
    s = sympy.Symbol("s", positive=True)
    poles = sympy.solve(sympy.denom(sympy.together(w.moment_generating_function(s))), s)
    assert [w.exponential_radius] == [Fraction(int(p.p), int(p.q)) for p in poles]

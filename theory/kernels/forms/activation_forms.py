"""Recognises the shape of an activation, and so the route by which its kernel can be derived.

Shapes are exact: an activation that is not literally of a shape gets None, never an approximation of one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import sympy as sp

from theory.features.activations import step, z

MAX_DEGREE = 24
"""Highest polynomial degree recognised."""
MAX_GROUPS = 12
"""Most exponential factors in one activation."""


@dataclass(frozen=True)
class Group:
    """p(z) exp(−q z²/2 + l z): coefficients of p from degree 0 up, q ≥ 0 real, l complex."""

    coefficients: tuple[sp.Expr, ...]
    q: sp.Expr
    tilt: sp.Expr

    @property
    def degree(self) -> int:
        """Degree of p."""
        return len(self.coefficients) - 1


@dataclass(frozen=True)
class GaussianSum:
    """Σ p(z) exp(−q z²/2 + l z): polynomials, sinusoids, exponentials, Gaussians, Hermite and Gabor functions."""

    groups: tuple[Group, ...]

    @property
    def is_polynomial(self) -> bool:
        """Only one group, without exponential."""
        return all(g.q == 0 and g.tilt == 0 for g in self.groups)

    @property
    def is_exponential_sum(self) -> bool:
        """Σ c exp(l z), a sinusoidal or hyperbolic sum."""
        return all(g.q == 0 and g.degree == 0 for g in self.groups)

    @property
    def is_sinusoidal(self) -> bool:
        """An exponential sum with imaginary exponents only."""
        return self.is_exponential_sum and all(sp.re(g.tilt) == 0 for g in self.groups)

    @property
    def is_hyperbolic(self) -> bool:
        """An exponential sum with real exponents only."""
        return self.is_exponential_sum and all(sp.im(g.tilt) == 0 for g in self.groups)

    @property
    def decays(self) -> bool:
        """Every group carries a Gaussian."""
        return all(g.q.is_positive for g in self.groups)


@dataclass(frozen=True)
class ErfSum:
    """p(z) + q(z) erf(c z), c > 0: erf, the normal distribution function, GELU."""

    p: tuple[sp.Expr, ...]
    q: tuple[sp.Expr, ...]
    c: sp.Expr


@dataclass(frozen=True)
class ReluPower:
    """a · z₊ⁿ, with z₊⁰ the step."""

    scale: sp.Expr
    n: int


@dataclass(frozen=True)
class TanhAffine:
    """a + b tanh(c z), c > 0: tanh and the sigmoid."""

    a: sp.Expr
    b: sp.Expr
    c: sp.Expr


Shape = GaussianSum | ErfSum | ReluPower | TanhAffine


def shape(expr: sp.Expr) -> Shape | None:
    """The shape of an activation given as an expression in ``z``, or None.

    >>> shape(sp.erf(z)).c, shape(z**2*step(z)).n, shape(sp.sech(z))
    (1, 2, None)
    """
    expanded = sp.expand(expr, power_exp=False)
    kinds: set[str] = set()
    terms = []
    for term in sp.Add.make_args(expanded):
        parsed = _parse(term)
        if parsed is None:
            return None
        terms.append(parsed)
        kinds.add(parsed[0])
    special = kinds - {"gauss"}
    if not special:
        return _gaussian_sum([t for _, t in terms])
    if len(special) > 1:
        return None
    return {"erf": _erf_sum, "step": _relu, "tanh": _tanh}[special.pop()](terms)


_Raw = tuple[sp.Expr, int, sp.Expr, sp.Expr]
"""(coefficient, power of z, q, tilt) of one exponential term."""


def _parse(term: sp.Expr) -> tuple[str, list[tuple[_Raw, sp.Expr]]] | None:
    """One term as (kind, [(exponential term, argument of the special function)])."""
    raw: list[_Raw] = [(sp.Integer(1), 0, sp.Integer(0), sp.Integer(0))]
    kind, argument = "gauss", sp.Integer(0)
    for factor in sp.Mul.make_args(term):
        base, exponent = (factor, sp.Integer(1)) if isinstance(factor, sp.exp) else factor.as_base_exp()
        if not factor.has(z):
            raw = [(c * factor, n, q, tilt) for c, n, q, tilt in raw]
        elif base == z and exponent.is_Integer and 0 < exponent <= MAX_DEGREE:
            raw = [(c, n + int(exponent), q, tilt) for c, n, q, tilt in raw]
        elif isinstance(base, sp.exp) or (base == sp.E and exponent.has(z)):
            power = base.exp * exponent if isinstance(base, sp.exp) else exponent
            if not power.is_polynomial(z):
                return None
            polynomial = sp.Poly(power, z)
            if polynomial.degree() > 2:
                return None
            e2, e1, e0 = (polynomial.coeff_monomial(z**i) for i in (2, 1, 0))
            raw = [(c * sp.exp(e0), n, q - 2 * e2, tilt + e1) for c, n, q, tilt in raw]
        elif isinstance(base, sp.sin | sp.cos | sp.sinh | sp.cosh) and exponent.is_Integer and 0 < exponent <= 8:
            slope, offset = _linear(base.args[0])
            if slope is None or offset is None:
                return None
            for _ in range(int(exponent)):
                raw = [r for c, n, q, tilt in raw for r in _euler(type(base), c, n, q, tilt, slope, offset)]
            if len(raw) > 64:
                return None
        elif base.func in (sp.erf, step, sp.tanh) and exponent == 1 and kind == "gauss":
            kind, argument = base.func.__name__, base.args[0]
        elif base.func == step and kind == "step" and argument == base.args[0]:
            continue  # step² = step
        else:
            return None
    return kind, [(r, argument) for r in raw]


def _linear(argument: sp.Expr) -> tuple[sp.Expr | None, sp.Expr | None]:
    if not argument.is_polynomial(z):
        return None, None
    polynomial = sp.Poly(argument, z)
    if polynomial.degree() > 1:
        return None, None
    return polynomial.coeff_monomial(z), polynomial.coeff_monomial(1)


def _euler(
    function: type,
    c: sp.Expr,
    n: int,
    q: sp.Expr,
    tilt: sp.Expr,
    slope: sp.Expr,
    offset: sp.Expr,
) -> list[_Raw]:
    """sin, cos, sinh, cosh of slope·z + offset as two exponentials."""
    unit = sp.I if function in (sp.sin, sp.cos) else sp.Integer(1)
    odd = function in (sp.sin, sp.sinh)
    half = c / (2 * unit) if odd else c / 2
    up, down = sp.exp(unit * offset), sp.exp(-unit * offset)
    return [(half * up, n, q, tilt + unit * slope), (-half * down if odd else half * down, n, q, tilt - unit * slope)]


def _coefficients(entries: dict[int, sp.Expr]) -> tuple[sp.Expr, ...]:
    values = {n: c for n, v in entries.items() if (c := sp.expand(v, complex=False)) != 0}
    if not values:
        return ()
    return tuple(values.get(n, sp.Integer(0)) for n in range(max(values) + 1))


def _gaussian_sum(terms: list[list[tuple[_Raw, sp.Expr]]]) -> GaussianSum | None:
    gathered: defaultdict[tuple[sp.Expr, sp.Expr], defaultdict[int, sp.Expr]] = defaultdict(
        lambda: defaultdict(lambda: sp.Integer(0))
    )
    for raws in terms:
        for (c, n, q, tilt), _ in raws:
            if not (q.is_number and q.is_real and q.is_nonnegative) or not tilt.is_number:
                return None
            gathered[q, sp.expand(tilt)][n] += c
    groups = [Group(co, q, tilt) for (q, tilt), entries in gathered.items() if (co := _coefficients(entries))]
    if not groups or len(groups) > MAX_GROUPS:
        return None
    return GaussianSum(tuple(sorted(groups, key=lambda g: (sp.default_sort_key(g.q), sp.default_sort_key(g.tilt)))))


def _plain(raws: list[tuple[_Raw, sp.Expr]]) -> _Raw | None:
    """The only exponential term, if it is a monomial."""
    if len(raws) != 1:
        return None
    (c, n, q, tilt), _ = raws[0]
    return (c, n, q, tilt) if q == 0 and tilt == 0 else None


def _split(
    terms: list[tuple[str, list[tuple[_Raw, sp.Expr]]]],
) -> tuple[tuple[sp.Expr, ...], tuple[sp.Expr, ...], sp.Expr] | None:
    """p and q of p(z) + q(z) f(c z), with one f and one c > 0 (f odd) throughout."""
    p: defaultdict[int, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    q: defaultdict[int, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    slopes = set()
    for kind, raws in terms:
        plain = _plain(raws)
        if plain is None:
            return None
        c, n, _, _ = plain
        if kind == "gauss":
            p[n] += c
            continue
        slope, offset = _linear(raws[0][1])
        if slope is None or offset != 0 or not (slope.is_positive or slope.is_negative):
            return None
        slopes.add(abs(slope))
        q[n] += c if slope.is_positive else -c
    if len(slopes) != 1:
        return None
    return _coefficients(p), _coefficients(q), slopes.pop()


def _erf_sum(terms: list[tuple[str, list[tuple[_Raw, sp.Expr]]]]) -> ErfSum | None:
    parts = _split(terms)
    return ErfSum(*parts) if parts and max(len(parts[0]), len(parts[1])) <= 5 else None


def _tanh(terms: list[tuple[str, list[tuple[_Raw, sp.Expr]]]]) -> TanhAffine | None:
    parts = _split(terms)
    if not parts or len(parts[0]) > 1 or len(parts[1]) > 1:
        return None
    p, q, c = parts
    return TanhAffine(p[0] if p else sp.Integer(0), q[0], c)


def _relu(terms: list[tuple[str, list[tuple[_Raw, sp.Expr]]]]) -> ReluPower | None:
    if len(terms) != 1 or terms[0][0] != "step":
        return None
    plain = _plain(terms[0][1])
    if plain is None or terms[0][1][0][1] != z or plain[1] > 8:
        return None
    return ReluPower(plain[0], plain[1])

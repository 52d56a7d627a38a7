"""Probability laws of weights and biases, with exact rational parameters.

A law knows its density, its absolute moments (with the exact range in which they are finite), its
characteristic function and its moment generating function; the last three are what the kernels of random
features need. Nothing here imports sympy until an expression is asked for, and nothing samples: samplers
belong to the numerical side.

In dimension d the coordinates of a weight are independent with the same law, and independent of the bias.

>>> law("normal(0, 1/2)")
Normal(mean=Fraction(0, 1), std=Fraction(1, 2))
>>> str(law("discrete(1, -0.5)"))
'discrete(1, -1/2)'
>>> law("student(3, 1)").moment(2), law("student(3, 1)").moment(4)
(Fraction(3, 1), None)
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from theory.base.errors import InputError, NonexistenceError
from theory.base.exact import rational, rationals, spell

if TYPE_CHECKING:
    import sympy

MAX_MAGNITUDE = 10**9
"""Largest parameter of a law, in absolute value."""
MIN_SCALE = Fraction(1, 10**9)
"""Smallest standard deviation, scale or width."""
MAX_PARAMETER_BITS = 512
"""Longest numerator or denominator of a parameter, in bits."""
SCALES = ("std", "scale", "dof")
"""Parameters that are positive."""
MAX_VALUES = 4096
"""Most values in a discrete law."""
MAX_TEXT = 100_000
"""Longest spelling of a law, in characters."""


class Law(ABC):
    """A law on the real line; see the subclasses. Values are immutable, comparable and hashable."""

    name: ClassVar[str]
    """The name under which :func:`law` reads it."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            read = _scale if field.name in SCALES else _parameter
            object.__setattr__(self, field.name, read(getattr(self, field.name), f"{self.name}: {field.name}"))

    @property
    def parameters(self) -> tuple[Fraction, ...]:
        """The parameters in the order in which they are spelled."""
        return tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(spell(p) for p in self.parameters)})"

    @property
    def centre(self) -> Fraction:
        """The point about which the law is symmetric, or the mean of a discrete law; the first parameter by default."""
        return self.parameters[0]

    @property
    def support(self) -> tuple[Fraction | None, Fraction | None]:
        """Smallest closed interval that carries the law; ``None`` for an unbounded end."""
        return None, None

    @property
    def symmetric(self) -> bool:
        """Whether w and −w have the same law."""
        return self.centre == 0

    @property
    def has_density(self) -> bool:
        """Whether the law has a density (is neither discrete nor constant)."""
        return True

    @property
    def moment_bound(self) -> Fraction | None:
        """The supremum of the r with E|w|^r finite, itself excluded; ``None`` when every moment is finite."""
        return None

    def moment_exists(self, r: Fraction | int) -> bool:
        """Whether the absolute moment E|w|^r is finite, for a real r ≥ 0."""
        if r < 0:
            raise InputError(f"moment: order {r} is negative; allowed: r >= 0")
        return self.moment_bound is None or r < self.moment_bound

    def moment(self, n: int) -> Fraction | None:
        """The raw moment E w^n, exactly; ``None`` when E|w|^n is infinite."""
        if n < 0:
            raise InputError(f"moment: order {n} is negative; allowed: n >= 0")
        return self._moment(n) if self.moment_exists(n) else None

    def require_moment(self, n: int) -> Fraction:
        """E wⁿ, exactly.

        Raises:
            NonexistenceError: E|w|ⁿ is infinite.
        """
        moment = self.moment(n)
        if moment is None:
            raise NonexistenceError(f"kernel: needs E|w|^{n}, which is infinite for {self}")
        return moment

    @property
    def variance(self) -> Fraction | None:
        """E w² − (E w)², or ``None`` when infinite."""
        first, second = self.moment(1), self.moment(2)
        return None if first is None or second is None else second - first * first

    @abstractmethod
    def _moment(self, n: int) -> Fraction:
        """E w^n, known to be finite."""

    def density(self, x: sympy.Expr) -> sympy.Expr:
        """The density at ``x`` (inside the support).

        Raises:
            NonexistenceError: the law is discrete or constant.
        """
        raise NonexistenceError(f"{self.name}: this law has no density")

    def characteristic_function(self, t: sympy.Expr) -> sympy.Expr:
        """E exp(i t w) for a real ``t``."""
        from sympy import I, exp, powsimp

        value = self._centred(0, t)
        return powsimp(exp(I * _sympy(self.centre) * t) * value, combine="exp") if self.centre else value

    def fourier_moment(self, n: int, t: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """E wⁿ e^{itw} for a real ``t``, as (real, imaginary).

        Raises:
            NonexistenceError: E|w|ⁿ is infinite.
        """
        from sympy import Integer, cos, sin

        self.require_moment(n)
        centre = _sympy(self.centre)
        parts = [Integer(0), Integer(0)]  # of E wⁿ e^{itu}, u = w − centre
        for k in range(n if centre == 0 else 0, n + 1):
            parts[k % 2] += math.comb(n, k) * centre ** (n - k) * self._centred(k, t)
        real, imaginary = parts
        if centre == 0:
            return real, imaginary
        c, s = cos(centre * t), sin(centre * t)
        return c * real - s * imaginary, c * imaginary + s * real

    def _centred(self, k: int, t: sympy.Expr) -> sympy.Expr:
        """E uᵏ cos(tu) (k even) or E uᵏ sin(tu) (k odd), u = w − centre: ± the k-th derivative of E e^{itu}."""
        from sympy import Integer

        if t != 0:
            return self._cosine_moment(k, t)
        if k % 2:
            return Integer(0)
        terms = (math.comb(k, j) * (-self.centre) ** (k - j) * self.require_moment(j) for j in range(k + 1))
        return _sympy(sum(terms, Fraction(0)))

    @abstractmethod
    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        """:meth:`_centred` at t ≠ 0, where E|w|ᵏ is finite."""

    def exponential_moment(self, n: int, s: sympy.Expr) -> sympy.Expr:
        """E wⁿ e^{sw} for a real ``s``.

        Raises:
            NonexistenceError: infinite for every s ≠ 0.
        """
        if s == 0:
            return _sympy(self.require_moment(n))
        radius = self.exponential_radius
        if radius is not None and (radius == 0 or (s.is_number and abs(s) >= _sympy(radius))):
            raise NonexistenceError(f"law: E exp({s} w) is infinite for {self}")
        return self._exponential_moment(n, s)

    def _exponential_moment(self, n: int, s: sympy.Expr) -> sympy.Expr:
        """:meth:`exponential_moment` where it is finite and s ≠ 0."""
        from sympy import Symbol, diff

        t = Symbol("t", real=True)
        return diff(self.moment_generating_function(t), t, n).subs(t, s)

    def moment_generating_function(self, s: sympy.Expr) -> sympy.Expr:
        """E exp(s w) for a real ``s`` inside :attr:`exponential_radius`.

        Raises:
            NonexistenceError: E exp(s w) is infinite for every s ≠ 0.
        """
        from sympy import I

        if self.exponential_radius == 0:
            raise NonexistenceError(f"{self}: E exp(s w) is infinite for every s other than 0")
        return self.characteristic_function(-I * s)

    @property
    def exponential_radius(self) -> Fraction | None:
        """E exp(s w) is finite for |s| below this; 0 for heavy tails, ``None`` when for every s."""
        return None


def _power_moment(centre: Fraction, central: list[Fraction]) -> Fraction:
    """E (c + u)^n from the central moments E u^k, k = 0..n."""
    n = len(central) - 1
    return sum((math.comb(n, k) * centre ** (n - k) * m for k, m in enumerate(central)), Fraction(0))


def _parameter(value: object, what: str) -> Fraction:
    number = rational(value, what)
    if abs(number) > MAX_MAGNITUDE:
        raise InputError(f"{what}: {_short(number)} is too large; allowed: at most {MAX_MAGNITUDE} in absolute value")
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_PARAMETER_BITS:
        raise InputError(f"{what}: more than {MAX_PARAMETER_BITS} bits; allowed: shorter rationals")
    return number


def _scale(value: object, what: str) -> Fraction:
    number = _parameter(value, what)
    if number < MIN_SCALE:
        raise InputError(f"{what}: {_short(number)} is not allowed; allowed: at least 1e-9 (positive)")
    return number


def _short(number: Fraction) -> str:
    text = spell(number)
    return text if len(text) <= 40 else text[:37] + "..."


def _sign(k: int) -> int:
    """φ^{(k)} = _sign(k) · E uᵏ {cos, sin}(tu), with sin for odd k."""
    return -1 if (k + 1) // 2 % 2 else 1


def _sympy(number: Fraction) -> sympy.Expr:
    from sympy import Rational

    return Rational(number.numerator, number.denominator)


@dataclass(frozen=True)
class Normal(Law):
    """The normal law; density exp(−(x−mean)²/(2 std²)) / (std √(2π))."""

    mean: Fraction
    std: Fraction
    name: ClassVar[str] = "normal"

    def _moment(self, n: int) -> Fraction:
        central = [Fraction(0)] * (n + 1)
        for k in range(0, n + 1, 2):
            central[k] = central[k - 2] * (k - 1) * self.std**2 if k else Fraction(1)
        return _power_moment(self.mean, central)

    def density(self, x: sympy.Expr) -> sympy.Expr:
        from sympy import exp, pi, sqrt

        m, s = _sympy(self.mean), _sympy(self.std)
        return exp(-((x - m) ** 2) / (2 * s**2)) / (s * sqrt(2 * pi))

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        from sympy import exp, hermite_prob

        s = _sympy(self.std)  # d^k/dt^k e^{−s²t²/2} = (−s)^k He_k(st) e^{−s²t²/2}
        return _sign(k) * (-s) ** k * hermite_prob(k, s * t) * exp(-((s * t) ** 2) / 2)


@dataclass(frozen=True)
class Uniform(Law):
    """The uniform law on [low, high]."""

    low: Fraction
    high: Fraction
    name: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.high - self.low < MIN_SCALE:
            raise InputError(f"uniform: low = {_short(self.low)}, high = {_short(self.high)}; allowed: low < high")

    @property
    def centre(self) -> Fraction:
        return (self.low + self.high) / 2

    @property
    def half_width(self) -> Fraction:
        """(high − low)/2."""
        return (self.high - self.low) / 2

    @property
    def support(self) -> tuple[Fraction | None, Fraction | None]:
        return self.low, self.high

    def _moment(self, n: int) -> Fraction:
        return (self.high ** (n + 1) - self.low ** (n + 1)) / ((n + 1) * (self.high - self.low))

    def density(self, x: sympy.Expr) -> sympy.Expr:
        return 1 / _sympy(self.high - self.low)

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        from sympy import Integer, sinc

        from theory.kernels.forms.integrals import SincMoment

        a = _sympy(self.half_width)
        return sinc(a * t) if k == 0 else a**k * SincMoment(Integer(k), a * t)

    def _exponential_moment(self, n: int, s: sympy.Expr) -> sympy.Expr:
        from sympy import Add, exp

        from theory.kernels.forms.integrals import SinhMoment

        centre, half = _sympy(self.centre), _sympy(self.half_width)
        terms = (math.comb(n, k) * centre ** (n - k) * half**k * SinhMoment(k, half * s) for k in range(n + 1))
        return exp(centre * s) * Add(*terms)


@dataclass(frozen=True)
class Laplace(Law):
    """The Laplace law; density exp(−|x−location|/scale) / (2 scale)."""

    location: Fraction
    scale: Fraction
    name: ClassVar[str] = "laplace"

    def _moment(self, n: int) -> Fraction:
        central = [Fraction(0) if k % 2 else math.factorial(k) * self.scale**k for k in range(n + 1)]
        return _power_moment(self.location, central)

    def density(self, x: sympy.Expr) -> sympy.Expr:
        from sympy import Abs, exp

        m, s = _sympy(self.location), _sympy(self.scale)
        return exp(-Abs(x - m) / s) / (2 * s)

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        """d^k/dt^k (1 + t²)⁻¹ = q_k(t) (1 + t²)^{−k−1}: q_{k+1} = (1 + t²) q_k′ − 2(k+1) t q_k."""
        from sympy import Poly, Symbol, horner

        s, x = _sympy(self.scale), Symbol("s")
        q = Poly(1, x)
        for j in range(k):
            q = Poly(1 + x**2, x) * q.diff(x) - Poly(2 * (j + 1) * x, x) * q
        return _sign(k) * s**k * horner(q.as_expr(), wrt=x).subs(x, s * t) / (1 + (s * t) ** 2) ** (k + 1)

    @property
    def exponential_radius(self) -> Fraction | None:
        return 1 / self.scale


@dataclass(frozen=True)
class Cauchy(Law):
    """The Cauchy law; density scale / (π (scale² + (x−location)²)). E|w|^r is finite only for r < 1."""

    location: Fraction
    scale: Fraction
    name: ClassVar[str] = "cauchy"

    @property
    def moment_bound(self) -> Fraction | None:
        return Fraction(1)

    def _moment(self, n: int) -> Fraction:
        return Fraction(1)

    def density(self, x: sympy.Expr) -> sympy.Expr:
        from sympy import pi

        m, s = _sympy(self.location), _sympy(self.scale)
        return s / (pi * (s**2 + (x - m) ** 2))

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        from sympy import Abs, exp

        return exp(-_sympy(self.scale) * Abs(t))

    @property
    def exponential_radius(self) -> Fraction | None:
        return Fraction(0)


@dataclass(frozen=True)
class Student(Law):
    """Student's law: ``scale`` · t with ``dof`` degrees of freedom. E|w|^r is finite for r < dof."""

    dof: Fraction
    scale: Fraction
    name: ClassVar[str] = "student"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dof > 1000:
            raise InputError(f"student: dof = {_short(self.dof)} is too large; allowed: at most 1000")

    @property
    def centre(self) -> Fraction:
        return Fraction(0)

    @property
    def moment_bound(self) -> Fraction | None:
        return self.dof

    def _moment(self, n: int) -> Fraction:
        # E t^{2k} = ν^k ∏_{i=1..k} (2i−1)/(ν−2i)
        if n % 2:
            return Fraction(0)
        value = Fraction(1)
        for i in range(1, n // 2 + 1):
            value *= self.scale**2 * self.dof * (2 * i - 1) / (self.dof - 2 * i)
        return value

    def density(self, x: sympy.Expr) -> sympy.Expr:
        from sympy import Rational, gamma, pi, sqrt

        nu, s = _sympy(self.dof), _sympy(self.scale)
        constant = gamma((nu + 1) / 2) / (gamma(nu / 2) * sqrt(nu * pi) * s)
        return constant * (1 + x**2 / (nu * s**2)) ** (-(nu + 1) * Rational(1, 2))

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        """From φ(t) = r^μ K_μ(r) / (2^(μ−1) Γ(μ)), μ = ν/2, r = √ν · scale · |t| (Hurst, 1995), 1 at t = 0.

        For an odd ``dof`` 2m+1 that is exp(−r) times a polynomial of degree m in r.
        """
        from sympy import Abs, Add, Eq, Integer, Piecewise, Poly, Rational, Symbol, besselk, exp, gamma, horner, sqrt
        from sympy import sign as sgn

        rate = sqrt(_sympy(self.dof)) * _sympy(self.scale)
        if self.dof.denominator == 1 and self.dof.numerator % 2:
            r = Symbol("r", positive=True)
            m = (self.dof.numerator - 1) // 2
            # r^{m+1/2} K_{m+1/2}(r) = √(π/2) e^{−r} Σ_j (m+j)!/(j!(m−j)!) r^{m−j}/2^j, normalised to 1 at 0
            raw = [
                Rational(math.factorial(m + j), math.factorial(j) * math.factorial(m - j) * 2**j) for j in range(m + 1)
            ]
            p = Poly(sum(c / raw[m] * r ** (m - j) for j, c in enumerate(raw)), r)
            for _ in range(k):
                p = p.diff(r) - p
            value = (rate**k * exp(-r) * horner(p.as_expr())).subs(r, rate * Abs(t))
            return _sign(k) * (value * sgn(t) if k % 2 else value)
        s, mu = Symbol("s", positive=True), _sympy(self.dof) / 2
        # terms c s^i · s^μ K_μ(s) with d/ds (s^μ K_μ) = −s^μ K_{μ−1} = −s · s^{μ−1} K_{μ−1}
        terms: dict[tuple[int, int], int] = {(0, 0): 1}
        for _ in range(k):
            new: dict[tuple[int, int], int] = {}
            for (i, drop), c in terms.items():
                if i:
                    new[i - 1, drop] = new.get((i - 1, drop), 0) + c * i
                new[i + 1, drop + 1] = new.get((i + 1, drop + 1), 0) - c
            terms = new
        bessel = Add(*(c * s ** (i + mu - drop) * besselk(mu - drop, s) for (i, drop), c in terms.items()))
        value = (rate**k * bessel / (2 ** (mu - 1) * gamma(mu))).subs(s, rate * Abs(t))
        at_zero = Integer(0) if k % 2 else (-1) ** (k // 2) * _sympy(self.require_moment(k))
        return _sign(k) * Piecewise((at_zero, Eq(t, 0)), (value * sgn(t) if k % 2 else value, True))

    @property
    def exponential_radius(self) -> Fraction | None:
        return Fraction(0)


@dataclass(frozen=True)
class Discrete(Law):
    """The uniform law on a list of values; a repeated value has that many times the probability."""

    values: tuple[Fraction, ...]
    name: ClassVar[str] = "discrete"

    def __post_init__(self) -> None:
        values = rationals(self.values, "discrete: values")
        if not 1 <= len(values) <= MAX_VALUES:
            raise InputError(f"discrete: {len(values)} values; allowed: 1 to {MAX_VALUES}")
        values = tuple(_parameter(v, f"discrete: values[{i}]") for i, v in enumerate(values))
        object.__setattr__(self, "values", values)

    @property
    def parameters(self) -> tuple[Fraction, ...]:
        return self.values

    @property
    def centre(self) -> Fraction:
        return sum(self.values, Fraction(0)) / len(self.values)

    @property
    def symmetric(self) -> bool:
        return sorted(self.values) == sorted(-v for v in self.values)

    @property
    def support(self) -> tuple[Fraction | None, Fraction | None]:
        return min(self.values), max(self.values)

    @property
    def has_density(self) -> bool:
        return False

    def _moment(self, n: int) -> Fraction:
        return sum((v**n for v in self.values), Fraction(0)) / len(self.values)

    def characteristic_function(self, t: sympy.Expr) -> sympy.Expr:
        from sympy import Add, I, exp

        return Add(*(exp(I * _sympy(v) * t) for v in self.values)) / len(self.values)

    def fourier_moment(self, n: int, t: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        from sympy import Add, cos, sin

        values = [_sympy(v) for v in self.values]
        return tuple(Add(*(v**n * f(v * t) for v in values)) / len(values) for f in (cos, sin))

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        raise NotImplementedError("a discrete law need not be symmetric about its mean")


@dataclass(frozen=True)
class Constant(Law):
    """The law of a constant."""

    value: Fraction
    name: ClassVar[str] = "constant"

    @property
    def support(self) -> tuple[Fraction | None, Fraction | None]:
        return self.value, self.value

    @property
    def has_density(self) -> bool:
        return False

    def _moment(self, n: int) -> Fraction:
        return self.value**n

    def _cosine_moment(self, k: int, t: sympy.Expr) -> sympy.Expr:
        from sympy import Integer

        return Integer(k == 0)

    def moment_generating_function(self, s: sympy.Expr) -> sympy.Expr:
        from sympy import exp

        return exp(_sympy(self.value) * s)


LAWS: dict[str, type[Law]] = {c.name: c for c in (Normal, Uniform, Laplace, Cauchy, Student, Discrete, Constant)}
"""Every law by the name that spells it."""

USAGE: dict[str, str] = {
    **{name: f"{name}({', '.join(field.name for field in fields(c))})" for name, c in LAWS.items()},  # type: ignore[arg-type]
    "discrete": "discrete(v1, v2, ...)",
    "constant": "constant(c)",
}
"""How each law is spelled."""

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")


def law(text: str | Law, what: str = "law") -> Law:
    """The law that ``text`` spells, such as ``"normal(0, 1/2)"``; ``str`` of the result reads back.

    Args:
        text: one of the forms of :data:`USAGE` with exact numbers, or a law already.
        what: the name of the quantity, for the error message.

    Raises:
        InputError: not such a form, a wrong number of parameters, or a parameter out of range.
    """
    if isinstance(text, Law):
        return text
    if not isinstance(text, str):
        raise InputError(f"{what}: {text!r} is not a law; allowed: {', '.join(USAGE.values())}")
    if len(text) > MAX_TEXT:
        raise InputError(f"{what}: {len(text)} characters; at most {MAX_TEXT} are allowed")
    match = _CALL.fullmatch(text)
    if not match or match[1].lower() not in LAWS:
        raise InputError(f"{what}: {text.strip()[:60]!r} is not a law; allowed: {', '.join(USAGE.values())}")
    name = match[1].lower()
    parts = match[2].split(",")
    if name == "discrete":
        return Discrete(rationals(parts, f"{what}: discrete"))
    names = [field.name for field in fields(LAWS[name])]  # type: ignore[arg-type]
    if len(parts) != len(names):
        given = 0 if parts == [""] else len(parts)
        raise InputError(f"{what}: {name} takes {len(names)} parameters, {given} given; allowed: {USAGE[name]}")
    return LAWS[name](*(rational(p, f"{what}: {name} {n}") for p, n in zip(parts, names, strict=True)))

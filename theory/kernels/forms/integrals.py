"""Elementary special functions that appear in kernels, as SymPy functions.

Each is real and smooth, and knows three forms: ``doit`` (elementary functions, perhaps singular in form),
``mp_value`` (multiprecision, defined everywhere), and a vectorised form in :mod:`theory.kernels.code.helpers`.

One-variable integrals that remain after an expectation has been reduced, as SymPy functions with closed forms.

Each closed form is one recurrence, written once over an arithmetic (SymPy for the formula, mpmath for the value).
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import sympy as sp
from sympy.core.function import ArgumentIndexError


class SincMoment(sp.Function):
    """S_k(t) = ∫₀¹ sᵏ cos(ts) ds for even k, ∫₀¹ sᵏ sin(ts) ds for odd k; S_0(t) = sin t / t."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, k: sp.Expr, t: sp.Expr) -> sp.Expr | None:
        """Values at t = 0."""
        if t.is_zero:
            return 1 / (k + 1) if k.is_even else sp.Integer(0)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiation under the integral sign."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        k, t = self.args
        return -SincMoment(k + 1, t) if k.is_even else SincMoment(k + 1, t)

    def doit(self, **hints: Any) -> sp.Expr:
        """By parts: a combination of sin t/tʲ and cos t/tʲ (singular in form at t = 0)."""
        k, t = self.args
        value, other = sp.sin(t) / t, (1 - sp.cos(t)) / t
        for j in range(1, int(k) + 1):
            value, other = (sp.sin(t) - j * other) / t, (-sp.cos(t) + j * value) / t
        return value if k.is_even else other

    @staticmethod
    def mp_value(mp: Any, k: Any, t: Any) -> Any:
        """The power series, which cancels by at most e^|t|; bits are added for that."""
        return _moment_series(mp, int(k), t, -1)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        k, t = self.args
        return _named(rf"\operatorname{{S}}_{{{printer._print(k)}}}", printer._print(t), exp)


class SinhMoment(sp.Function):
    """½∫₋₁¹ sᵏ e^{ts} ds: ∫₀¹ sᵏ cosh(ts) ds for even k, ∫₀¹ sᵏ sinh(ts) ds for odd k."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, k: sp.Expr, t: sp.Expr) -> sp.Expr | None:
        """Values at t = 0."""
        if t.is_zero:
            return 1 / (k + 1) if k.is_even else sp.Integer(0)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiation under the integral sign."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        k, t = self.args
        return SinhMoment(k + 1, t)

    def doit(self, **hints: Any) -> sp.Expr:
        """By parts (singular in form at t = 0)."""
        k, t = self.args
        value, other = sp.sinh(t) / t, (sp.cosh(t) - 1) / t
        for j in range(1, int(k) + 1):
            value, other = (sp.sinh(t) - j * other) / t, (sp.cosh(t) - j * value) / t
        return value if k.is_even else other

    @staticmethod
    def mp_value(mp: Any, k: Any, t: Any) -> Any:
        """The power series; its terms have one sign."""
        return _moment_series(mp, int(k), t, 1)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        k, t = self.args
        return _named(rf"\operatorname{{Sh}}_{{{printer._print(k)}}}", printer._print(t), exp)


def _moment_series(mp: Any, k: int, t: Any, sign: int) -> Any:
    """Σ_j signʲ t^{2j+r} / ((2j+r)! (k+2j+r+1)) with r = k mod 2."""
    r = k % 2
    with mp.extraprec(int(1.5 * abs(t)) + 20):
        term = t if r else mp.mpf(1)
        total, j = term / (k + r + 1), 0
        square = sign * t * t
        while True:
            j += 1
            term = term * square / ((2 * j + r) * (2 * j + r - 1))
            part = term / (k + 2 * j + r + 1)
            total += part
            if 2 * j > abs(t) and abs(part) <= mp.eps * (abs(total) + mp.eps):
                break
    return +total


class LogCosh(sp.Function):
    """ln cosh t, without overflow."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, t: sp.Expr) -> sp.Expr | None:
        """Evenness, and the value at 0."""
        if t.is_zero:
            return sp.Integer(0)
        if t.could_extract_minus_sign():
            return cls(-t)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """tanh."""
        return sp.tanh(self.args[0])

    def doit(self, **hints: Any) -> sp.Expr:
        """log(cosh(t))."""
        return sp.log(sp.cosh(self.args[0]))

    @staticmethod
    def mp_value(mp: Any, t: Any) -> Any:
        """|t| + ln(1 + e^{−2|t|}) − ln 2."""
        size = abs(t)
        return size + mp.log1p(mp.exp(-2 * size)) - mp.ln2

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _named(r"\ln\cosh", printer._print(self.args[0]), exp)


class ErfcX(sp.Function):
    """The scaled complementary error function exp(t²) erfc(t)."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, t: sp.Expr) -> sp.Expr | None:
        """The value at 0."""
        return sp.Integer(1) if t.is_zero else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """2t erfcx(t) − 2/√π."""
        t = self.args[0]
        return 2 * t * ErfcX(t) - 2 / sp.sqrt(sp.pi)

    def doit(self, **hints: Any) -> sp.Expr:
        """exp(t²) erfc(t)."""
        t = self.args[0]
        return sp.exp(t**2) * sp.erfc(t)

    @staticmethod
    def mp_value(mp: Any, t: Any) -> Any:
        """As written: mpmath has no bound on exponents."""
        with mp.extraprec(20):
            value = mp.exp(t * t) * mp.erfc(t)
        return +value

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _named(r"\operatorname{erfcx}", printer._print(self.args[0]), exp)


def _named(name: str, argument: str, exp: Any) -> str:
    text = rf"{name}\left({argument}\right)"
    return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class _Symbolic:
    """The functions that a closed form needs, in SymPy."""

    exp, sqrt, erf, tanh, logcosh, erfcx = sp.exp, sp.sqrt, sp.erf, sp.tanh, LogCosh, ErfcX
    pi = sp.pi

    @staticmethod
    def number(value: sp.Rational) -> sp.Expr:
        return value


class _Multiprecision:
    """The same in mpmath."""

    def __init__(self, mp: Any) -> None:
        self.exp, self.sqrt, self.erf, self.tanh, self.pi = mp.exp, mp.sqrt, mp.erf, mp.tanh, +mp.pi
        self.logcosh = lambda t: LogCosh.mp_value(mp, t)
        self.erfcx = lambda t: ErfcX.mp_value(mp, t)
        self.number = lambda value: mp.mpf(int(value.p)) / int(value.q)


class Integral1(sp.Function):
    """An integral in one variable that has a closed form."""

    is_real = True
    integer_arguments: ClassVar[int] = 1
    """How many leading arguments are integers."""

    @classmethod
    def closed(cls, ops: Any, *args: Any) -> Any:
        """The closed form over an arithmetic."""
        raise NotImplementedError

    def doit(self, **hints: Any) -> sp.Expr:
        """The closed form as an expression."""
        n = self.integer_arguments
        return self.closed(_Symbolic, *(int(a) for a in self.args[:n]), *self.args[n:])

    @classmethod
    def mp_value(cls, mp: Any, *args: Any) -> Any:
        """The closed form in multiprecision."""
        n = cls.integer_arguments
        return cls.closed(_Multiprecision(mp), *(int(a) for a in args[:n]), *args[n:])


class GaussianMoment(Integral1):
    """M_n = ∫ sⁿ exp(−A s²/2 + B s + C) f(s) ds for a law with density f; A > 0, or A = B = 0."""

    kind: ClassVar[str] = ""

    def _latex(self, printer: Any, exp: Any = None) -> str:
        n, A, B, C, *rest = (printer._print(a) for a in self.args)
        text = rf"M^{{\mathrm{{{self.kind}}}({', '.join(rest)})}}_{{{n}}}\left({A}, {B}, {C}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class UniformMoment(GaussianMoment):
    """The uniform law on [low, high]: arguments n, A, B, C, low, high."""

    nargs = 6
    kind = "uniform"

    @classmethod
    def closed(cls, ops: Any, n: int, A: Any, B: Any, C: Any, low: Any, high: Any) -> Any:
        """Completing the square and parts: A M_{k+1} = B M_k + k M_{k−1} − [sᵏ e^{…}]."""
        if A == 0:
            return ops.exp(C) * (high ** (n + 1) - low ** (n + 1)) / ((n + 1) * (high - low))
        root, shift = ops.sqrt(A / 2), B / A
        peak = ops.exp(C + B**2 / (2 * A)) * ops.sqrt(ops.pi / (2 * A))
        moments = [peak * (ops.erf(root * (high - shift)) - ops.erf(root * (low - shift)))]
        at_high = ops.exp(C + B * high - A * high**2 / 2)
        at_low = ops.exp(C + B * low - A * low**2 / 2)
        for k in range(n):
            edge = high**k * at_high - low**k * at_low
            moments.append((B * moments[k] + (k * moments[k - 1] if k else 0) - edge) / A)
        return moments[n] / (high - low)


class LaplaceMoment(GaussianMoment):
    """The Laplace law centred at 0: arguments n, A, B, C, scale."""

    nargs = 5
    kind = "Laplace"

    @classmethod
    def closed(cls, ops: Any, n: int, A: Any, B: Any, C: Any, scale: Any) -> Any:
        """Scaled complementary error functions on the two half-lines, and parts."""
        if A == 0:
            return 0 * A if n % 2 else ops.exp(C) * int(sp.factorial(n)) * scale**n
        total = 0
        for sign in (1, -1):
            b = sign * B - 1 / scale
            moments = [ops.sqrt(ops.pi / (2 * A)) * ops.erfcx(-b / ops.sqrt(2 * A))]
            for k in range(n):
                moments.append((b * moments[k] + (k * moments[k - 1] if k else 1)) / A)
            total = total + sign**n * moments[n]
        return ops.exp(C) * total / (2 * scale)


class CauchyMoment(GaussianMoment):
    """The Cauchy law centred at 0, with B = 0: arguments n, A, C, scale; infinite for A = 0 < n."""

    nargs = 4
    kind = "Cauchy"

    @classmethod
    def closed(cls, ops: Any, n: int, A: Any, C: Any, scale: Any) -> Any:
        """M_0 = erfcx(scale √(A/2)); M_{k+2} = (scale/π) G_k − scale² M_k with G_k = ∫ sᵏ e^{−As²/2} ds."""
        if n % 2:
            return 0 * A
        moment = ops.erfcx(scale * ops.sqrt(A / 2))
        for k in range(0, n, 2):
            gauss = ops.sqrt(2 * ops.pi / A) * int(sp.factorial2(k - 1)) / A ** (k // 2)
            moment = scale / ops.pi * gauss - scale**2 * moment
        return ops.exp(C) * moment

    def _latex(self, printer: Any, exp: Any = None) -> str:
        n, A, C, scale = (printer._print(a) for a in self.args)
        text = rf"M^{{\mathrm{{Cauchy}}({scale})}}_{{{n}}}\left({A}, {C}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class TanhMean(Integral1):
    """The mean of tanh⁽ⁱ⁾(u + s) tanh⁽ʲ⁾(v + s) over s in [low, high]: arguments i, j, u, v, low, high.

    With T = tanh(u + s), S = tanh(v + s): TS = 1 − coth(u − v)(T − S), the addition theorem, reduces every
    polynomial in T and S to powers of one of them, whose primitives are ln cosh and powers of tanh.
    """

    nargs = 6
    integer_arguments = 2

    @classmethod
    def closed(cls, ops: Any, i: int, j: int, u: Any, v: Any, low: Any, high: Any) -> Any:
        """Off the diagonal; u ≠ v."""
        if u == v:
            return cls.diagonal(ops, i, j, u, low, high)
        t = ops.tanh(u - v)
        coth = 1 / t
        left, right = addition_table(i, j)
        total = 0
        for table, point in ((left, u), (right, v)):
            for power, coefficients in table.items():
                factor = sum((ops.number(c) * coth**k for k, c in coefficients.items()), 0)
                total = total + factor * _tanh_power_mean(ops, power, point, low, high)
        return total

    @classmethod
    def diagonal(cls, ops: Any, i: int, j: int, u: Any, low: Any, high: Any) -> Any:
        """u = v: a polynomial in one tanh."""
        t = sp.Symbol("t")
        product = sp.Poly(tanh_derivative(i).as_expr() * tanh_derivative(j).as_expr(), t)
        total = 0
        for (power,), c in product.terms():
            total = total + ops.number(c) * _tanh_power_mean(ops, power, u, low, high)
        return total

    def doit(self, **hints: Any) -> sp.Expr:
        """Both branches, when u and v are symbols."""
        i, j, u, v, low, high = self.args
        if sp.expand(u - v) == 0:
            return self.diagonal(_Symbolic, int(i), int(j), u, low, high)
        off = self.closed(_Symbolic, int(i), int(j), u, v, low, high)
        if not (u - v).free_symbols:
            return off
        on = self.diagonal(_Symbolic, int(i), int(j), u, low, high)
        return sp.Piecewise((off, sp.Ne(u - v, 0)), (on, True))

    def _latex(self, printer: Any, exp: Any = None) -> str:
        i, j, u, v, low, high = (printer._print(a) for a in self.args)
        text = rf"\operatorname{{T}}_{{{i},{j}}}^{{[{low}, {high}]}}\left({u}, {v}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


@cache
def tanh_derivative(n: int) -> sp.Poly:
    """P with tanh⁽ⁿ⁾ = P(tanh)."""
    t = sp.Symbol("t")
    P = sp.Poly(t, t)
    for _ in range(n):
        P = sp.Poly(1 - t**2, t) * P.diff(t)
    return P


_Table = dict[int, dict[int, sp.Rational]]
"""{power of tanh: {power of coth: coefficient}}"""


@cache
def addition_table(i: int, j: int) -> tuple[_Table, _Table]:
    """tanh⁽ⁱ⁾ tanh⁽ʲ⁾ as powers of T (left table, with the constant) and of S (right table), over powers of coth."""
    left: _Table = {}
    right: _Table = {}

    @cache
    def reduce(a: int, b: int) -> dict[tuple[int, int, int], int]:
        """TᵃSᵇ as {(power of T, power of S, power of coth): coefficient} with one of the first two zero."""
        if a == 0 or b == 0:
            return {(a, b, 0): 1}
        out: dict[tuple[int, int, int], int] = {}
        for p, q, sign, lift in ((a - 1, b - 1, 1, 0), (a, b - 1, -1, 1), (a - 1, b, 1, 1)):
            for (m, n, k), c in reduce(p, q).items():
                out[m, n, k + lift] = out.get((m, n, k + lift), 0) + sign * c
        return out

    for (a,), ca in tanh_derivative(i).terms():
        for (b,), cb in tanh_derivative(j).terms():
            for (m, n, k), c in reduce(a, b).items():
                table, power = (right, n) if n else (left, m)
                entry = table.setdefault(power, {})
                entry[k] = entry.get(k, sp.Integer(0)) + ca * cb * c
    for table in (left, right):
        for power in list(table):
            table[power] = {k: c for k, c in sorted(table[power].items()) if c}
            if not table[power]:
                del table[power]
    return left, right


def _tanh_power_mean(ops: Any, k: int, u: Any, low: Any, high: Any) -> Any:
    """The mean of tanhᵏ(u + s): I_k = I_{k−2} − [tanh^{k−1}]/((k−1)(high − low))."""
    if k == 0:
        return 1
    if k == 1:
        return (ops.logcosh(u + high) - ops.logcosh(u + low)) / (high - low)
    edge = ops.tanh(u + high) ** (k - 1) - ops.tanh(u + low) ** (k - 1)
    return _tanh_power_mean(ops, k - 2, u, low, high) - edge / ((k - 1) * (high - low))

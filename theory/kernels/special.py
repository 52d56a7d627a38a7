"""Elementary special functions that appear in kernels, as SymPy functions.

Each is real and smooth, and knows three forms: ``doit`` (elementary functions, perhaps singular in form),
``mp_value`` (multiprecision, defined everywhere), and a vectorised form in :mod:`theory.kernels.preamble`.
"""

from __future__ import annotations

from typing import Any

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

"""The Fourier symbol of a stencil: ``D_h e^{i ξ·x} = m(h ξ) · (target) e^{i ξ·x}``.

``m(θ) = Σ_k c_k e^{i s_k·θ} / Σ_b t_b (iθ)^b``: what the difference multiplies the exact derivative of a plane wave by.
Its Taylor series at 0 is the truncation expansion. In one variable ``sup|m|``, ``|m| <= 1`` on the whole line and
``m >= 0`` on ``(0, π]`` are decided by proof, not by sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Any

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError
from theory.stencils.stencil import Stencil

if TYPE_CHECKING:
    import sympy

SYMBOL_NAME = "theta"


@dataclass(frozen=True)
class Symbol:
    """The Fourier symbol ``m`` of a stencil."""

    stencil: Stencil

    @property
    def is_real(self) -> bool:
        """Whether ``m`` is real on the real line: exactly for symmetric stencils."""
        return self.stencil.is_symmetric

    @property
    def variables(self) -> tuple[sympy.Symbol, ...]:
        """The real sympy symbols of :attr:`expression`: ``theta``, or ``theta_1, ...``."""
        import sympy

        d = self.stencil.dimension
        names = [SYMBOL_NAME] if d == 1 else [f"{SYMBOL_NAME}_{i + 1}" for i in range(d)]
        return tuple(sympy.Symbol(name, real=True) for name in names)

    @cached_property
    def expression(self) -> sympy.Expr:
        """``m(θ)`` exactly, with a removable singularity at 0.

        Symmetric stencils in one variable on integer nodes are written without cancellation, as a power of
        ``sin(θ/2) / (θ/2)`` times a polynomial in ``sin(θ/2)²`` (times ``cos(θ/2)`` for odd derivatives).

        >>> from theory.stencils.stencil import stencil
        >>> Symbol(stencil(2, [-1, 0, 1])).expression
        4*sin(theta/2)**2/theta**2
        """
        import sympy

        s, variables = self.stencil, self.variables
        if s.is_exact:
            return sympy.Integer(1)
        if s.dimension == 1 and self.is_real and all(x.denominator == 1 for x in s.offsets):
            return self._half_angle(variables[0])
        numerator = sympy.Add(
            *(_rational(c) * self._wave(node, variables) for node, c in zip(s.nodes, s.weights, strict=True))
        )
        denominator = sympy.Add(
            *(_rational(t) * sympy.Mul(*(v**n for v, n in zip(variables, b, strict=True))) for b, t in s.target)
        )
        unit = sympy.I**s.degree
        if self.is_real and s.degree % 2:
            unit = sympy.I ** (s.degree - 1)
        return numerator / (unit * denominator)

    def _wave(self, node: Sequence[Fraction], variables: Sequence[sympy.Symbol]) -> sympy.Expr:
        import sympy

        phase = sympy.Add(*(_rational(x) * v for x, v in zip(node, variables, strict=True)))
        if not self.is_real:
            return sympy.exp(sympy.I * phase)
        return sympy.sin(phase) if self.stencil.degree % 2 else sympy.cos(phase)

    def _half_angle(self, theta: sympy.Symbol) -> sympy.Expr:
        """With ``y = sin²(θ/2)``: ``cos kθ = T_k(1 - 2y)``, ``sin kθ = 2 sin(θ/2) cos(θ/2) U_{k-1}(1 - 2y)``."""
        import sympy

        from theory.stencils.symbol_proofs import chebyshev

        s, m = self.stencil, self.stencil.degree
        size = int(max(abs(x) for x in s.offsets)) + 1
        total = [Fraction(0)] * size  # in powers of y
        for x, c in zip(s.offsets, s.weights, strict=True):
            k = abs(int(x))
            terms = chebyshev(k - 1, second_kind=True) if m % 2 else chebyshev(k)
            factor = c * (-1) ** (m // 2) / s.target[0][1] * (1 if x > 0 or m % 2 == 0 else -1)
            for i, t in enumerate(terms):  # X^i = (1 - 2y)^i
                for j in range(i + 1):
                    total[j] += factor * t * comb(i, j) * (-2) ** j
        first = next(j for j, c in enumerate(total) if c)
        half = sympy.sin(theta / 2)
        series = sympy.Add(*(_rational(c) * half ** (2 * (j - first)) for j, c in enumerate(total) if c))
        if m % 2:
            return 2 * sympy.cos(theta / 2) * half ** (2 * first + 1) * series / theta**m
        return half ** (2 * first) * series / theta**m

    def __str__(self) -> str:
        return str(self.expression)

    def _latex(self, printer: Any) -> str:
        """What ``sympy.latex`` calls."""
        return str(printer.doprint(self.expression))

    def value(self, theta: Any) -> Any:
        """``m(θ)`` at a number, or at a point in several variables.

        Args:
            theta: float, int, Fraction, or mpmath number; a sequence of them in several variables.

        Returns:
            For mpmath input an ``mpf`` (real symbol) or ``mpc`` at the working precision, else a ``float`` or
            ``complex``, correctly computed for small ``θ`` too: the cancellation is met by more digits.

        Raises:
            InputError: the target's own symbol vanishes at ``θ ≠ 0``, or the dimension is wrong.
        """
        import mpmath

        point = list(theta) if isinstance(theta, Sequence) else [theta]
        s = self.stencil
        if len(point) != s.dimension:
            raise InputError(f"theta: {len(point)} numbers, but the stencil has {s.dimension} variables")
        wide = any(isinstance(x, mpmath.mpf) for x in point)
        if s.is_exact or not any(point):
            return mpmath.mpf(1) if wide else 1.0
        with mpmath.workprec(mpmath.mp.prec if wide else 53):
            target = mpmath.mp.prec + 10
            precision = target
            while True:
                with mpmath.workprec(precision):
                    ratio, lost = self._quotient([_mpf(v) for v in point])
                if precision >= target + lost:
                    break
                precision = target + lost
            result = +(ratio.real if self.is_real else ratio)
        if wide:
            return result
        return float(result) if self.is_real else complex(result)

    def _quotient(self, x: list[Any]) -> tuple[Any, int]:
        """``m(x)`` at the working precision, and the bits lost to cancellation, relative to ``max(|m|, 1)``."""
        import mpmath

        s = self.stencil
        waves = [
            _mpf(c) * mpmath.expj(mpmath.fsum(_mpf(n) * v for n, v in zip(node, x, strict=True)))
            for node, c in zip(s.nodes, s.weights, strict=True)
        ]
        monomials = [_mpf(t) * mpmath.fprod(v**n for v, n in zip(x, b, strict=True)) for b, t in s.target]
        denominator = mpmath.fsum(monomials) * mpmath.mpc(0, 1) ** s.degree
        if not denominator:
            raise InputError("theta: the symbol of the operator itself vanishes there, so the ratio is undefined")
        size = mpmath.fsum(abs(w) for w in waves)
        return mpmath.fsum(waves) / denominator, max(0, int(mpmath.log(size / abs(denominator), 2))) + 8

    def series(self, terms: int = 3) -> tuple[tuple[int, Fraction], ...]:
        """Pairs ``(q, e_q)`` of ``m(θ) = 1 + Σ e_q (iθ)^q / t``, one variable; exact."""
        self.stencil.require_one_variable("series")
        t = self.stencil.target[0][1]
        return tuple((term.power, term.value / t) for term in self.stencil.truncation(terms))

    def at_most_one(self) -> bool:
        """Whether ``|m(θ)| <= 1`` on the whole real line (one variable); decided by proof.

        Raises:
            InputError: several variables.
            PrecisionCapError: not decided within the bound of work.
        """
        return self.witness_above_one() is None

    def witness_above_one(self) -> Fraction | None:
        """A ``θ`` with ``|m(θ)| > 1``, or None if there is none (one variable); both by proof."""
        from theory.stencils.squared_modulus import squared_modulus
        from theory.stencils.symbol_proofs import decide

        if self.stencil.is_exact:
            return None
        return decide(squared_modulus(self.stencil)).witness

    def supremum(self, digits: int = 15) -> Enclosure:
        """``sup |m|`` over the real line (one variable), of relative width ``10^-digits``; exactly 1 where it is 1.

        Raises:
            InputError: several variables, or an interpolation (derivative 0).
            PrecisionCapError: not decided within the bound of work.
        """
        from theory.stencils.symbol_proofs import supremum

        self.stencil.require_one_variable("supremum")
        return Enclosure.exact(1) if self.stencil.is_exact else supremum(self.stencil, digits)

    def is_nonnegative(self, everywhere: bool = False) -> bool:
        """Whether the real ``m`` is non-negative on ``(0, π]`` (or everywhere), decided exactly.

        Raises:
            InputError: the symbol is not real, or several variables.
            PrecisionCapError: the nodes are too many units of their common denominator apart.
        """
        from theory.stencils.symbol_proofs import is_nonnegative

        return is_nonnegative(self.stencil, everywhere)

    def _repr_latex_(self) -> str:
        import sympy

        names = ",".join(sympy.latex(v) for v in self.variables)
        return f"$\\displaystyle m({names}) = {sympy.latex(self.expression)}$"


def symbol(s: Stencil) -> Symbol:
    """The Fourier symbol of a stencil.

    >>> from theory.stencils.stencil import stencil
    >>> forward = symbol(stencil(1, [0, 1, 2]))
    >>> forward.at_most_one(), forward.supremum(9).decimals(4)
    (False, {'lower': '1.491', 'upper': '1.492'})
    """
    return Symbol(s)


def supremum(s: Stencil, digits: int = 15) -> Enclosure:
    """``sup |m|`` over the real line, see :meth:`Symbol.supremum`."""
    return Symbol(s).supremum(digits)


def expansion(s: Stencil, terms: int = 3) -> tuple[tuple[int, sympy.Expr], ...]:
    """Pairs ``(q, a_q)`` of ``m(θ) = 1 + Σ a_q θ^q``, non-zero terms, one variable; exact (imaginary for odd ``q``).

    >>> from theory.stencils.stencil import stencil
    >>> expansion(stencil(1, [0, 1]), 2)
    ((1, I/2), (2, -1/6))
    """
    import sympy

    return tuple((q, _rational(e) * sympy.I**q) for q, e in Symbol(s).series(terms))


def _rational(value: Fraction) -> sympy.Rational:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)


def _mpf(value: Any) -> Any:
    import mpmath

    return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else mpmath.mpf(value)

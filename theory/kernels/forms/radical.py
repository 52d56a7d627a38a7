"""Closed forms P · φ^f · A^(−a/2) B^(−b/2) D^(−k/2) · e^(N/D) with polynomials P, A, B, D, N, and their derivatives.

Every kernel of Gaussian features is a sum of such terms (φ = asin(C/√(AB)) with D = AB − C² in Price's theorem;
f = 0 and an exponential for Gaussian-type activations), and so are all its derivatives.  In a polynomial ring a
derivative costs a few products and one exact division, where differentiating the expression tree doubles it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.polys.domains import QQ, QQ_I
from sympy.polys.rings import PolyElement, PolyRing

Key = tuple[int, int, int, int]
"""(f, a, b, k): the power of φ (0 or 1) and the half-powers of 1/A, 1/B, 1/D."""


Angle = Callable[[sp.Expr, sp.Expr, sp.Expr, sp.Expr], sp.Expr]
"""Writes φ from (A, B, C, D)."""


def ring(names: Sequence[sp.Symbol], complex_: bool = False) -> PolyRing:
    """Polynomials in ``names`` over the rationals, or over the Gaussian rationals."""
    return PolyRing(tuple(names), QQ_I if complex_ else QQ)


@dataclass(frozen=True, eq=False)
class Frame:
    """What the terms of a :class:`RadicalForm` share.

    Attributes:
        ring: the polynomial ring; its generators are the variables of differentiation and perhaps constants.
        D: polynomial under the root.
        A, B, C: φ = asin(C/√(AB)), D = AB − C²; 1 where there is no angle.
        N: numerator of the exponent N/D, or None.
        constants: generators that stand for irrational numbers, with their values.
        display: how to write A, B, C, D (numerically stable forms); expanded polynomials by default.
    """

    ring: PolyRing
    D: PolyElement
    A: PolyElement
    B: PolyElement
    C: PolyElement
    N: PolyElement | None = None
    constants: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    display: Mapping[str, sp.Expr] = field(default_factory=dict)

    def expression(self, polynomial: PolyElement, name: str = "") -> sp.Expr:
        """A polynomial of the ring as an expression, constants put in."""
        if name in self.display:
            return self.display[name]
        expr = polynomial.as_expr()
        return expr.xreplace(dict(self.constants)) if self.constants else expr


class RadicalForm:
    """A sum of terms keyed by :data:`Key`; normalised on construction."""

    __slots__ = ("frame", "terms")

    def __init__(self, frame: Frame, terms: Mapping[Key, PolyElement]) -> None:
        self.frame = frame
        self.terms = _normalised(frame, terms)

    def diff(self, generator: int) -> RadicalForm:
        """The derivative with respect to a generator of the ring, exactly."""
        fr = self.frame
        x = fr.ring.gens[generator]
        dA, dB, dC, dD = (p.diff(x) for p in (fr.A, fr.B, fr.C, fr.D))
        out: defaultdict[Key, PolyElement] = defaultdict(lambda: fr.ring.zero)
        half = fr.ring.domain.convert(sp.Rational(1, 2))
        exponent = None if fr.N is None else fr.N.diff(x) * fr.D - fr.N * dD
        for (f, a, b, k), P in self.terms.items():
            out[f, a, b, k] += P.diff(x)
            if a and dA:
                out[f, a + 2, b, k] -= P * dA * (half * a)
            if b and dB:
                out[f, a, b + 2, k] -= P * dB * (half * b)
            if k and dD:
                out[f, a, b, k + 2] -= P * dD * (half * k)
            if exponent:
                out[f, a, b, k + 4] += P * exponent
            if f:
                # φ' = (C' − C A'/(2A) − C B'/(2B)) / √D
                out[0, a, b, k + 1] += P * dC
                if dA:
                    out[0, a + 2, b, k + 1] -= P * fr.C * dA * half
                if dB:
                    out[0, a, b + 2, k + 1] -= P * fr.C * dB * half
        return RadicalForm(fr, out)

    def __add__(self, other: RadicalForm) -> RadicalForm:
        """The sum; both must have one frame."""
        out: defaultdict[Key, PolyElement] = defaultdict(lambda: self.frame.ring.zero)
        for form in (self, other):
            for key, P in form.terms.items():
                out[key] += P
        return RadicalForm(self.frame, out)

    def scaled(self, factor: PolyElement) -> RadicalForm:
        """The product with a polynomial."""
        return RadicalForm(self.frame, {key: P * factor for key, P in self.terms.items()})

    @property
    def is_zero(self) -> bool:
        """Whether the form vanishes identically."""
        return not self.terms

    def compose(self, frame: Frame, images: Sequence[PolyElement]) -> RadicalForm:
        """The form with the generators replaced by polynomials of another frame (A, B, C, D must correspond)."""
        pairs = list(zip(self.frame.ring.gens, images, strict=True))
        out = {}
        for key, P in self.terms.items():
            out[key] = _compose(P, [image for _, image in pairs], frame.ring)
        return RadicalForm(frame, out)

    def expression(self, angle: Angle | None = None) -> sp.Expr:
        """The form as a real expression.

        Args:
            angle: writes φ from (A, B, C, D); by default ``asin(C/√(AB))``.
        """
        fr = self.frame
        A, B, C, D = (fr.expression(p, n) for p, n in ((fr.A, "A"), (fr.B, "B"), (fr.C, "C"), (fr.D, "D")))
        total: list[sp.Expr] = []
        for (f, a, b, k), P in self.terms.items():
            radical = A ** sp.Rational(-a, 2) * B ** sp.Rational(-b, 2) * D ** sp.Rational(-k, 2)
            if f:
                radical *= angle(A, B, C, D) if angle else sp.asin(C / sp.sqrt(A * B))
            total.append(self._real_part(P, D) * radical)
        return sp.Add(*total)

    def _real_part(self, P: PolyElement, D: sp.Expr) -> sp.Expr:
        fr = self.frame
        if fr.ring.domain != QQ_I:
            factor = sp.exp(fr.expression(fr.N) / D) if fr.N else sp.Integer(1)
            return _factored(P, fr) * factor
        (p, q) = (_factored(part, fr) for part in _split(P))
        if not fr.N:
            return p
        n, m = (fr.expression(part) for part in _split(fr.N))
        decay = sp.exp(n / D)
        return decay * (p * sp.cos(m / D) - q * sp.sin(m / D)) if m != 0 else decay * p


class Jet:
    """The derivatives of a form, each computed once from a lower one."""

    def __init__(self, form: RadicalForm, generators: int) -> None:
        self.forms: dict[tuple[int, ...], RadicalForm] = {(0,) * generators: form}

    def at(self, orders: Sequence[int]) -> RadicalForm:
        """The mixed derivative in the leading generators."""
        index = tuple(orders)
        if index not in self.forms:
            i = max(k for k, n in enumerate(index) if n)
            self.forms[index] = self.at((*index[:i], index[i] - 1, *index[i + 1 :])).diff(i)
        return self.forms[index]


def _factored(P: PolyElement, frame: Frame) -> sp.Expr:
    """The polynomial with its content taken out: shorter to read, the same to evaluate."""
    if not P:
        return sp.Integer(0)
    content, primitive = P.primitive()
    return sp.Mul(frame.ring.domain.to_sympy(content) if P.ring == frame.ring else QQ.to_sympy(content),
                  frame.expression(primitive))  # fmt: skip


def _split(P: PolyElement) -> tuple[PolyElement, PolyElement]:
    """Real and imaginary part of a polynomial over the Gaussian rationals, over the rationals."""
    target = PolyRing(P.ring.symbols, QQ)
    real, imaginary = target.zero, target.zero
    for monomial, c in P.terms():
        if c.x:
            real[monomial] = c.x
        if c.y:
            imaginary[monomial] = c.y
    return real, imaginary


def _compose(P: PolyElement, images: Sequence[PolyElement], target: PolyRing) -> PolyElement:
    """P with its generators replaced; powers of the images are shared."""
    powers: list[list[PolyElement]] = [[target.one] for _ in images]
    out = target.zero
    for monomial, c in P.terms():
        term = target.ground_new(target.domain.convert_from(c, P.ring.domain))
        for i, e in enumerate(monomial):
            while len(powers[i]) <= e:
                powers[i].append(powers[i][-1] * images[i])
            if e:
                term *= powers[i][e]
        out += term
    return out


def _normalised(frame: Frame, terms: Mapping[Key, PolyElement]) -> dict[Key, PolyElement]:
    """One term per (f, parities), over the least common denominators that exact division leaves."""
    groups: defaultdict[tuple[int, int, int, int], list[tuple[Key, PolyElement]]] = defaultdict(list)
    for key, P in terms.items():
        if P:
            f, a, b, k = key
            groups[f, a % 2, b % 2, k % 2].append((key, P))
    out: dict[Key, PolyElement] = {}
    for (f, *_), members in groups.items():
        top = [max(key[i] for key, _ in members) for i in (1, 2, 3)]
        total = frame.ring.zero
        for key, P in members:
            lifted = P
            for base, high, low in zip((frame.A, frame.B, frame.D), top, key[1:], strict=True):
                if high > low:
                    lifted = lifted * base ** ((high - low) // 2)
            total += lifted
        if not total:
            continue
        for i, base in enumerate((frame.A, frame.B, frame.D)):
            if base.is_ground:
                continue
            while top[i] >= 1:
                quotient, remainder = total.div(base)
                if remainder:
                    break
                total, top[i] = quotient, top[i] - 2
        out[f, top[0], top[1], top[2]] = total
    return out


def number(frame_ring: PolyRing, value: Any) -> PolyElement:
    """A rational or Gaussian rational number as a constant of the ring."""
    return frame_ring.ground_new(frame_ring.domain.from_sympy(sp.sympify(value)))

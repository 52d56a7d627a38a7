"""Equations as people write them: ``u_t + u*u_x = nu*u_xx``, several unknowns, products of them, named parameters.

An equation is an expression in the coordinates and in symbols that stand for the unknowns and their derivatives
(``u``, ``u_x``, ``psi_xxy``; a jet space, Olver 1993, section 2.3).  Text is read by :mod:`theory.base.expressions`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy as sp

from theory.base import expressions
from theory.base.errors import InputError
from theory.operators.operator import COORDINATES, MAX_DIMENSION, MAX_ORDER, MultiIndex, coordinate, differentiate

MAX_EQUATIONS = 16
"""Most equations, unknowns or parameters."""
_NAME = re.compile(r"[^\W\d]\w*")
_SPELLED = str.maketrans({"−": "-", "·": "*", "²": "**2", "³": "**3"})
RESERVED = {*COORDINATES, *expressions.FUNCTIONS, *expressions.CONSTANTS}
"""Names that mean something already."""


@dataclass(frozen=True, order=True)
class Derivative:
    """``∂^α`` of an unknown.

    Attributes:
        unknown: its name.
        alpha: one order of differentiation per coordinate.
    """

    unknown: str
    alpha: MultiIndex

    def name(self, variables: Sequence[str]) -> str:
        """As it is written.

        >>> Derivative("psi", (2, 1)).name(("x", "y"))
        'psi_xxy'
        """
        suffix = "".join(v * k for v, k in zip(variables, self.alpha, strict=True))
        return f"{self.unknown}_{suffix}" if suffix else self.unknown


@dataclass(frozen=True)
class Expression:
    """An expression in the coordinates and in derivatives of the unknowns.

    Attributes:
        text: as written.
        variables: coordinate names, one per dimension.
        expr: in the coordinates and in the symbols of ``derivatives``; an equation's left side minus its right side.
        derivatives: what each symbol of the unknowns stands for, in order of appearance.
    """

    text: str
    variables: tuple[str, ...]
    expr: sp.Expr
    derivatives: tuple[tuple[sp.Symbol, Derivative], ...]

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The coordinates as SymPy symbols."""
        return tuple(coordinate[name] for name in self.variables)

    @cached_property
    def is_linear(self) -> bool:
        """Whether it is affine in the unknowns and their derivatives."""
        jets = [symbol for symbol, _ in self.derivatives]
        return not any(sp.diff(self.expr, s).free_symbols & set(jets) for s in jets)

    @cached_property
    def order(self) -> int:
        """Highest order of differentiation."""
        return max((sum(d.alpha) for _, d in self.derivatives), default=0)

    def apply(self, fields: Mapping[str, sp.Expr]) -> sp.Expr:
        """The expression at given unknowns: of an equation its residual, which is the source of a manufactured solution.

        Raises:
            InputError: an unknown that is not given, or derivatives that grow too large.

        >>> x, t = coordinate["x"], coordinate["t"]
        >>> burgers = equations(["u_t + u*u_x = u_xx/100"])[0]
        >>> sp.expand(burgers.apply({"u": x * t}))
        t**2*x + x
        """
        values = {}
        for symbol, derivative in self.derivatives:
            if derivative.unknown not in fields:
                raise InputError(f"problem.solution: none is given for {derivative.unknown}")
            values[symbol] = differentiate(fields[derivative.unknown], derivative.alpha, self.symbols)
        return self.expr.xreplace(values)


def normal(name: str) -> str:
    """A name as the parser sees it: compatibility forms of letters are one."""
    return unicodedata.normalize("NFKC", name)


def equations(
    texts: Sequence[str],
    dimension: int | None = None,
    *,
    unknowns: Sequence[str] | None = None,
    parameters: Mapping[str, Fraction] | None = None,
    variables: tuple[str, ...] | None = None,
    what: str = "problem.equations",
) -> tuple[Expression, ...]:
    """The equations that texts spell, ``left = right`` each.

    Args:
        texts: such as ``"u_t + u*u_x = nu*u_xx"``; without ``=`` the right side is 0.
        dimension: number of coordinates; by default as many as the texts name (time counts last).
        unknowns: their names; by default every name with a derivative, in order of appearance.
        parameters: names of exact numbers.
        variables: the coordinates where they are known; overrides ``dimension``.
        what: the name of the quantity, for error messages.

    Raises:
        InputError: one line that says which equation and why.

    >>> [str(e.expr) for e in equations(["u_t = v_xx", "v_t = -u_xx + k*u"], parameters={"k": Fraction(1, 2)})]
    ['u_t - v_xx', '-u/2 + u_xx + v_t']
    """
    if isinstance(texts, str) or not 1 <= len(texts) <= MAX_EQUATIONS:
        raise InputError(f"{what}: give a list of 1 to {MAX_EQUATIONS} equations")
    known = {normal(name): value for name, value in (parameters or {}).items()}
    sides = [_sides(text, f"{what}[{i}]") for i, text in enumerate(texts)]
    found = [normal(name) for pair in sides for side in pair for name in _NAME.findall(side)]
    names = _unknowns(unknowns, found, known, what)
    _check_names(known, "problem.parameters", names)
    jets = [jet for name in found if (jet := _jet(name, names)) is not None]
    for unknown, suffix in jets:
        if set(suffix) - set(COORDINATES) or len(suffix) > MAX_ORDER:
            raise InputError(
                f"{what}: {unknown}_{suffix[:20]}: derivatives up to order {MAX_ORDER} in {', '.join(COORDINATES)} are allowed"
            )
    used = {*"".join(suffix for _, suffix in jets)} | {name for name in found if name in COORDINATES}
    chosen = _coordinates(used, dimension, variables, what)
    if missing := [name for name in names if name not in {unknown for unknown, _ in jets}]:
        raise InputError(f"problem.unknowns: {missing[0]} is in no equation")
    return tuple(
        _expression(text, pair, names, known, chosen, f"{what}[{i}]")
        for i, (text, pair) in enumerate(zip(texts, sides, strict=True))
    )


def expression(
    text: str,
    variables: tuple[str, ...],
    unknowns: Sequence[str],
    parameters: Mapping[str, Fraction] | None = None,
    what: str = "boundary.operator",
) -> Expression:
    """One expression in known unknowns and coordinates, such as that of a boundary condition.

    Raises:
        InputError: as :func:`equations`.
    """
    known = {normal(name): value for name, value in (parameters or {}).items()}
    return _expression(text, _sides(text, what), tuple(unknowns), known, variables, what)


def _sides(text: str, what: str) -> tuple[str, str]:
    if not isinstance(text, str):
        raise InputError(f"{what}: {text!r} must be a string")
    left, equals, right = text.translate(_SPELLED).partition("=")
    if "=" in right or (equals and not (left.strip() and right.strip())):
        raise InputError(f"{what}: {text[:60]!r}: an equation is 'left = right', or an expression that is zero")
    return left, right if equals else "0"


def _jet(name: str, unknowns: Sequence[str]) -> tuple[str, str] | None:
    """An unknown and the coordinates in which it is differentiated."""
    unknown, _, suffix = name.partition("_")
    return (unknown, suffix) if unknown in unknowns and name != f"{unknown}_" else None


def _unknowns(
    given: Sequence[str] | None, found: Sequence[str], parameters: Mapping[str, Fraction], what: str
) -> tuple[str, ...]:
    if given:
        names = tuple(normal(name) for name in given)
        _check_names(names, "problem.unknowns", ())
        if len(set(names)) < len(names):
            raise InputError("problem.unknowns: a name is given twice")
        return names
    pairs = [name.partition("_") for name in found]
    names = tuple(dict.fromkeys(
        base for base, _, suffix in pairs if suffix and not set(suffix) - set(COORDINATES) and base not in parameters
    ))  # fmt: skip
    if not names:
        raise InputError(f"{what}: there is no derivative in them; write for instance 'u_t + u*u_x = 0.01*u_xx'")
    _check_names(names, what, ())
    return names


def _check_names(names: Sequence[str] | Mapping[str, Fraction], what: str, taken: Sequence[str]) -> None:
    if len(names) > MAX_EQUATIONS:
        raise InputError(f"{what}: {len(names)} names; at most {MAX_EQUATIONS} are allowed")
    for name in names:
        if not _NAME.fullmatch(name) or "_" in name or len(name) > 20:
            raise InputError(f"{what}: {name[:30]!r} is not a name (letters and digits, such as u, p or psi)")
        if name in RESERVED or name in taken:
            raise InputError(f"{what}: {name!r} is taken: it is a coordinate, a function, a constant or an unknown")


def _coordinates(
    used: set[str], dimension: int | None, variables: tuple[str, ...] | None, what: str
) -> tuple[str, ...]:
    """Those that are named, filled up in order to the dimension."""
    names = list(variables or (name for name in COORDINATES if name in used))
    wanted = len(variables) if variables else dimension or max(len(names), 1)
    if not 1 <= wanted <= MAX_DIMENSION:
        raise InputError(f"problem.domain: {wanted} dimensions; allowed are 1 to {MAX_DIMENSION}")
    names += [name for name in COORDINATES if name not in names][: max(0, wanted - len(names))]
    if used - set(names) or len(names) > wanted:
        raise InputError(
            f"{what}: use the coordinates {', '.join(sorted(used, key=COORDINATES.index))}, but problem.domain has"
            f" {wanted} dimension(s)"
        )
    return tuple(sorted(names, key=COORDINATES.index))


def _expression(
    text: str,
    sides: tuple[str, str],
    unknowns: tuple[str, ...],
    parameters: Mapping[str, Fraction],
    variables: tuple[str, ...],
    what: str,
) -> Expression:
    symbols: dict[str, sp.Expr] = {name: coordinate[name] for name in variables}
    symbols |= {name: sp.Rational(value.numerator, value.denominator) for name, value in parameters.items()}
    meant: dict[sp.Symbol, Derivative] = {}
    for side in sides:
        for name in map(normal, _NAME.findall(side)):
            if (jet := _jet(name, unknowns)) is None:
                continue
            if set(jet[1]) - set(variables) or len(jet[1]) > MAX_ORDER:
                raise InputError(
                    f"{what}: {name[:30]}: derivatives up to order {MAX_ORDER} in {', '.join(variables)} are allowed"
                )
            derivative = Derivative(jet[0], tuple(jet[1].count(v) for v in variables))
            symbol = sp.Symbol(derivative.name(variables), real=True)
            symbols[name], meant[symbol] = symbol, derivative
    for name in unknowns:  # so that a misspelt derivative is told from what is known
        symbols.setdefault(name, sp.Symbol(name, real=True))
    left, right = (expressions.parse(side, symbols, what) for side in sides)
    expr = left - right
    if expr.is_zero or not (kept := [(s, d) for s, d in meant.items() if expr.has(s)]):
        raise InputError(f"{what}: {text[:60]!r} {'is zero' if expr.is_zero else 'has no unknown in it'}")
    return Expression(text, variables, expr, tuple(kept))

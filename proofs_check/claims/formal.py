"""Formal statements: declared variables with their domains, hypotheses, a conclusion; and their proof.

``PROVED`` means that such a statement was proved here: nothing that a file says of itself counts, a theorem that is
cited without being run does not, and what is printed is what was proved.

>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> square = Formal({x: reals(0, 1)}, sympy.Le(x * (1 - x), sympy.Rational(1, 4)))
>>> str(square)
'for all real x in [0, 1]: x*(1 - x) <= 1/4'
>>> from proofs_check.claims.provers import prove
>>> prove(square).holds
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.base.errors import InputError

if TYPE_CHECKING:  # heavy at start-up
    import sympy

FUNCTIONS = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "erf", "atan", "asin")
"""Functions that a statement may have, besides powers."""
MOST_VARIABLES = 8
LONGEST_NAME = 32
MOST_OPERATIONS = 4000
"""Operations of a conclusion or a hypothesis."""


@dataclass(frozen=True)
class Domain:
    """An interval of reals, or the integers in it.

    Attributes:
        low: lower end; None for none.
        high: upper end; None for none.
        open_low: whether the lower end is left out.
        open_high: whether the upper end is.
        integer: whether integers alone are meant.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    open_low: bool = False
    open_high: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if end is not None and type(end) is not Fraction:
                raise InputError(f"domain: {end!r:.40} is not exact; write an int or a Fraction")
        if self.low is not None and self.high is not None:
            single = self.low == self.high and not (self.open_low or self.open_high)
            if not (self.low < self.high or single):
                raise InputError(f"domain: no number lies between {self.low} and {self.high}")

    def __str__(self) -> str:
        left = "(" if self.low is None or self.open_low else "["
        right = ")" if self.high is None or self.open_high else "]"
        return f"{left}{'-oo' if self.low is None else self.low}, {'oo' if self.high is None else self.high}{right}"

    @property
    def bounded(self) -> bool:
        """Whether it has two ends."""
        return self.low is not None and self.high is not None

    @property
    def sign(self) -> tuple[bool, bool, bool]:
        """Whether all of it is ≥ 0, > 0, ≠ 0."""
        below = self.low is not None and (self.low > 0 or (self.low == 0))
        positive = self.low is not None and (self.low > 0 or (self.low == 0 and self.open_low))
        negative = self.high is not None and (self.high < 0 or (self.high == 0 and self.open_high))
        return below, positive, positive or negative

    def has(self, value: Fraction) -> bool:
        """Whether a rational lies in it."""
        low = self.low is None or value > self.low or (value == self.low and not self.open_low)
        high = self.high is None or value < self.high or (value == self.high and not self.open_high)
        return low and high and (not self.integer or value.denominator == 1)


def reals(low: Fraction | int | None = None, high: Fraction | int | None = None) -> Domain:
    """The closed interval between two numbers; without one, all reals on that side."""
    return Domain(_end(low), _end(high))


def positive() -> Domain:
    """The reals above 0."""
    return Domain(Fraction(0), None, open_low=True)


def between(low: Fraction | int, high: Fraction | int) -> Domain:
    """The open interval between two numbers."""
    return Domain(_end(low), _end(high), open_low=True, open_high=True)


def integers(low: int | None = None, high: int | None = None) -> Domain:
    """The integers from one to another; without one, all on that side."""
    return Domain(_end(low), _end(high), integer=True)


def _end(value: Any) -> Fraction | None:
    if value is None:
        return None
    if type(value) not in (int, Fraction):
        raise InputError(f"domain: {value!r:.40} is not exact; write an int or a Fraction")
    return Fraction(value)


@dataclass(frozen=True)
class Formal:
    """For all values of the variables in their domains that meet the hypotheses: the conclusion.

    Attributes:
        variables: each symbol with its domain, from which its assumptions must follow.
        conclusion: a relation (``sympy.Eq``, ``Le``, ``Lt``, ``Ge``, ``Gt``) between expressions in the variables.
        given: hypotheses, relations likewise.
        by: what lies between the two sides of the conclusion: each step of the chain is proved, and so is the whole.

    Raises:
        InputError: an undeclared or badly declared variable, a relation that is none any more (SymPy evaluates
            ``x <= x`` to true), a float, or a function that cannot be enclosed.
    """

    variables: Mapping[sympy.Symbol, Domain]
    conclusion: sympy.Basic
    given: tuple[sympy.Basic, ...] = ()
    by: tuple[sympy.Expr, ...] = field(default=())

    def __post_init__(self) -> None:
        import sympy

        object.__setattr__(self, "variables", dict(self.variables))  # what is proved must be what is printed
        object.__setattr__(self, "given", tuple(self.given))
        object.__setattr__(self, "by", tuple(self.by))
        if not 0 < len(self.variables) <= MOST_VARIABLES:
            raise InputError(f"statement: {len(self.variables)} variables; between 1 and {MOST_VARIABLES} are declared")
        for symbol, domain in self.variables.items():
            if type(symbol) is not sympy.Symbol or type(domain) is not Domain:
                raise InputError(
                    f"statement: {symbol!r:.40}: a variable is a Symbol with a domain: reals(0, 1), positive(), …"
                )
            if not (symbol.name.isidentifier() and len(symbol.name) <= LONGEST_NAME):
                raise InputError(f"statement: {symbol.name!r:.40} is no name of a variable")
            _check_assumptions(symbol, domain)
        if len({symbol.name for symbol in self.variables}) < len(self.variables):
            raise InputError("statement: two variables have one name")
        for relation in (self.conclusion, *self.given):
            if type(relation) not in {sympy.Eq, sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt}:
                raise InputError(
                    f"statement: {str(relation)[:60]!r} is no relation; allowed: Eq, Le, Lt, Ge, Gt of two expressions "
                    "(SymPy may have evaluated it: what is true of itself is no statement)"
                )
            for side in relation.args:
                self._check(side)
        for expression in self.by:
            self._check(expression)

    def _check(self, expression: Any) -> None:
        import sympy

        if not isinstance(expression, sympy.Expr):
            raise InputError(f"statement: {str(expression)[:60]!r} is no expression")
        if sympy.count_ops(expression) > MOST_OPERATIONS:
            raise InputError(f"statement: more than {MOST_OPERATIONS} operations")
        strangers = expression.free_symbols - set(self.variables)
        if strangers:
            raise InputError(f"statement: {', '.join(sorted(map(str, strangers)))}: not declared; give each a domain")
        allowed = {sympy.Symbol, sympy.Add, sympy.Mul, sympy.Pow, type(sympy.pi), type(sympy.E)}
        allowed |= {getattr(sympy, name) for name in FUNCTIONS}
        for node in sympy.preorder_traversal(expression):
            if type(node) not in allowed and not (isinstance(node, sympy.Rational) and type(node) in _rationals()):
                raise InputError(f"statement: {str(node)[:40]!r} ({type(node).__name__}) is not allowed in a statement")

    def __str__(self) -> str:
        kinds: list[str] = []
        for symbol, domain in self.variables.items():
            kinds.append(f"{'integer' if domain.integer else 'real'} {symbol} in {domain}")
        given = f" with {', '.join(map(str, map(_written, self.given)))}" if self.given else ""
        return f"for all {', '.join(kinds)}{given}: {_written(self.conclusion)}"

    def to_dict(self) -> dict[str, Any]:
        """The parts in JSON types."""
        return {
            "variables": [
                {"name": str(s), "domain": f"{'integers' if d.integer else 'reals'} in {d}"}
                for s, d in self.variables.items()
            ],
            "hypotheses": [_written(one) for one in self.given],
            "conclusion": _written(self.conclusion),
            "by": [str(one) for one in self.by],
        }


def _rationals() -> set[type]:
    from sympy.core import numbers

    return {numbers.Rational, numbers.Integer, numbers.Half, numbers.Zero, numbers.One, numbers.NegativeOne}


def _written(relation: Any) -> str:
    return f"{relation.lhs} {'=' if relation.rel_op == '==' else relation.rel_op} {relation.rhs}"


def _check_assumptions(symbol: Any, domain: Domain) -> None:
    """SymPy simplifies by a symbol's assumptions while an expression is made: they must be true in the domain."""
    known = stronger(symbol, domain).assumptions0
    wrong = [f"{k}={v}" for k, v in symbol.assumptions0.items() if known.get(k) != v]
    if wrong:
        raise InputError(f"statement: {symbol} is assumed {', '.join(wrong[:3])}, which does not follow from {domain}")


def stronger(symbol: Any, domain: Domain) -> Any:
    """A symbol of the same name with all that the domain says of its sign."""
    import sympy

    nonnegative, above, nonzero = domain.sign
    negative = nonzero and not above
    below = domain.high is not None and domain.high <= 0
    return sympy.Dummy(
        symbol.name, real=True, integer=True if domain.integer else None,
        nonnegative=True if nonnegative else None, positive=True if above else None,
        nonpositive=True if below else None, negative=True if negative else None,
    )  # fmt: skip

"""Checks for the steps of a proof: identities, exact inequalities, and theorems whose hypotheses are looked at.

Each helper returns an :class:`~proofs_check.claims.verdicts.Outcome`, so that a wrong step fails like any other check.  What a
computer algebra system says of an identity is not taken on trust: both sides are also enclosed in ball arithmetic at
rational points drawn from a box, and must agree there; enclosures that are disjoint refute the step with certainty.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint

from numerics.arithmetic.balls import ball, enclose, same
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import every as all_of
from theory.base.polynomials import sign_on

if TYPE_CHECKING:  # heavy at start-up
    import sympy

Box = Mapping[Any, tuple[Fraction | int, Fraction | int]]
"""An interval for each symbol."""
POINTS = 5
"""Points of the box at which an identity is evaluated."""
BITS = 256
AGREE = 2 ** (-BITS // 2)
"""Width below which two overlapping enclosures count as agreement, relative to their size."""
BOXES = 4096
"""Intervals into which a range is cut before an inequality is left undecided."""


def _size(ball: flint.acb) -> float:
    return float(ball.abs_upper())


def agreement(left: sympy.Expr, right: sympy.Expr, box: Box, points: int = POINTS) -> tuple[bool | None, str]:
    """Whether two expressions agree at rational points drawn from a box, by enclosures of both.

    Returns:
        True when all enclosures overlap and are narrow, False when two are disjoint, None otherwise; and where.
    """
    generator = random.Random(0)
    with flint.ctx.workprec(BITS):
        for _ in range(points):
            chosen = {s: Fraction(a) + (Fraction(b) - a) * Fraction(generator.randint(1, 255), 256)
                      for s, (a, b) in box.items()}  # fmt: skip
            values = {s: flint.acb(ball(v)) for s, v in chosen.items()}
            one, other = enclose(left, values), enclose(right, values)
            where = ", ".join(f"{s} = {v}" for s, v in chosen.items())
            if not one.overlaps(other):
                return False, f"the sides differ at {where}"
            scale = max(_size(one), _size(other), 2.0**-64)
            width = max(float(part.rad()) for ball in (one, other) for part in (ball.real, ball.imag))
            if not width <= AGREE * scale:
                return None, f"the enclosures are too wide at {where}"
    return True, f"both sides enclosed at {points} points, equal to {BITS // 2} bits"


def identity(left: sympy.Expr, right: sympy.Expr, box: Box) -> Outcome:
    """A symbolic identity: SymPy reduces the difference to 0, and enclosures agree on the box.

    Undecided where SymPy cannot, however well the enclosures agree; refuted where they do not.
    """
    import sympy

    agrees, detail = agreement(left, right, box)
    if agrees is False:
        return Outcome(False, detail, certified=True)
    difference = sympy.expand(left - right)
    route = "expansion"
    if difference != 0:
        difference = sympy.expand(difference.rewrite(sympy.exp))
    if difference != 0 and sympy.count_ops(difference) <= 1000:
        difference, route = sympy.simplify(difference), "simplification"
    if difference != 0:
        return Outcome(None, f"the difference does not reduce to 0: {str(difference)[:60]}")
    return Outcome(agrees, f"identity by {route}; {detail}")


def equal(pairs: Iterable[tuple[Any, Any]], what: str) -> Outcome:
    """Equality of exact values (rationals, integers), pair by pair.

    Raises:
        InputError: a float among them, or another thing that is not exact.
    """
    found = []
    for count, (one, other) in enumerate(pairs, 1):
        found.append(same(one, other))
        if found[-1].holds is not True:
            detail = f"{what}: {one} {'≠' if found[-1].holds is False else 'against'} {other} in case {count}"
            return Outcome(found[-1], detail, certified=found[-1].holds is False)
    return Outcome(all_of(found) if found else None, f"{what}: {len(found)} equalities of exact rationals")


def one_sign(polynomial: Sequence[int], low: Fraction | int, high: Fraction | int, sign: int = 1) -> Outcome:
    """A polynomial (integer coefficients, constant first) keeps a sign on an open interval, by root isolation."""
    found = sign_on(polynomial, Fraction(low), Fraction(high))
    words = {1: "≥ 0", -1: "≤ 0", 0: "= 0", None: "changes sign"}[found]
    text = f"degree {len(polynomial) - 1}: {words} on ({low}, {high}), roots isolated exactly"
    return Outcome(found == sign, text, certified=True)


def positive(expression: sympy.Expr, symbol: Any, low: Fraction | int, high: Fraction | int) -> Outcome:
    """An expression in one real symbol is positive on a closed interval, by cutting it into balls."""
    queue, count = [(Fraction(low), Fraction(high))], 0
    with flint.ctx.workprec(BITS):
        while queue:
            a, b = queue.pop()
            count += 1
            if enclose(expression, {symbol: flint.acb(ball(a).union(ball(b)))}).real > 0:
                continue
            middle = (a + b) / 2
            at = enclose(expression, {symbol: flint.acb(ball(middle))}).real
            if at <= 0:
                return Outcome(False, f"not positive at {symbol} = {middle}", certified=True)
            if count >= BOXES:
                return Outcome(None, f"not decided near {symbol} = {middle} after {count} intervals")
            queue += [(a, middle), (middle, b)]
    return Outcome(True, f"positive on [{low}, {high}] in {count} balls", certified=True)


def theorem(name: str, hypotheses: Iterable[tuple[str, bool | None]]) -> Outcome:
    """A cited theorem, with each of its hypotheses looked at; at least one."""
    listed = list(hypotheses)
    for text, met in listed:
        if met is not True:
            return Outcome(
                met, f"{name}: hypothesis {'fails' if met is False else 'undecided'}: {text}", certified=True
            )
    return Outcome(True if listed else None, f"{name}; checked: {'; '.join(text for text, _ in listed) or 'nothing'}")


def every(cases: Iterable[tuple[str, Outcome]]) -> Outcome:
    """All of several cases; the first that fails, else the first that is undecided."""
    listed = list(cases)
    for wanted in (False, None):
        for text, outcome in listed:
            if outcome.holds is wanted:
                return Outcome(wanted, f"{text}: {outcome.detail}", certified=outcome.certified)
    if not listed:
        return Outcome(None, "no case")
    return Outcome(True, f"{len(listed)} cases; {listed[-1][0]}: {listed[-1][1].detail}")


Check = Callable[[Mapping[str, str]], Outcome]
"""What a step's ``check`` is: a function of the cell."""

"""Proofs of formal statements: identities, signs of polynomials, inequalities by cutting a box into balls.

Before anything is proved, the statement is tried at rational points: it is refuted by one where its negation is
decided, and left open where no point meets the hypotheses.  An expression that is not shown to be defined on the whole
domain (a denominator that may vanish, a root of what may be negative) is not proved anything of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import flint

from numerics.arithmetic.balls import ball, below, enclose, less, same
from proofs_check.claims.formal import Domain, Formal, stronger
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Decision, every, from_comparison
from theory.base.polynomials import integer_polynomial, isolate, sign_at, sign_on, square_free

if TYPE_CHECKING:  # heavy at start-up
    import sympy

POINTS = 40
"""Rational points at which a statement is tried first."""
BITS = 192
BOXES = 4000
"""Boxes into which a domain is cut before an inequality is left undecided."""
Point = Mapping[Any, Fraction]


def points(formal: Formal, count: int = POINTS) -> list[Point]:
    """Rational points of the domains: ends and middle first, then drawn from a fixed seed."""
    generator = random.Random(0)
    found: list[Point] = []
    for k in range(count):
        found.append({symbol: _value(domain, k, generator) for symbol, domain in formal.variables.items()})
    return found


def _value(domain: Domain, k: int, generator: random.Random) -> Fraction:
    low, high = domain.low, domain.high
    size = Fraction(2) ** (k % 9)
    if low is None:
        low = (high if high is not None else Fraction(0)) - size
    if high is None:
        high = low + 2 * size
    chosen = (
        [low, high, (low + high) / 2][k] if k < 3 else low + (high - low) * Fraction(generator.randint(0, 512), 512)
    )
    if domain.integer:
        chosen = Fraction(round(chosen))
    return chosen if domain.has(chosen) else (low + high) / 2 if not domain.integer else Fraction(-((-low) // 1))


def decide(relation: Any, point: Point) -> Decision:
    """A relation at a rational point, in balls; by exact rationals where both sides are."""
    sides = [_exact(side, point) for side in relation.args]
    if sides[0] is not None and sides[1] is not None:
        return _related(relation, *sides)
    with flint.ctx.workprec(BITS):
        values = {s: flint.acb(ball(v)) for s, v in point.items()}
        left, right = (enclose(side, values) for side in relation.args)
        if not (left.imag.contains(0) and right.imag.contains(0)):
            return Decision.UNDECIDED
        return _related(relation, left.real, right.real)


def _exact(expression: Any, point: Point) -> Fraction | None:
    """The value at a rational point, where it is got by sums, products and integer powers."""
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    if expression.is_Symbol:
        return point[expression]
    if expression.is_Pow and expression.exp.is_Integer:
        base = _exact(expression.base, point)
        return None if base is None or (base == 0 and expression.exp < 0) else base ** int(expression.exp)
    if not (expression.is_Add or expression.is_Mul):
        return None
    total = Fraction(int(expression.is_Mul))
    for argument in expression.args:
        value = _exact(argument, point)
        if value is None:
            return None
        total = total + value if expression.is_Add else total * value
    return total


def _related(relation: Any, left: Any, right: Any) -> Decision:
    match relation.rel_op:
        case "==":
            return same(left, right)
        case "<=":
            return below(left, right)
        case "<":
            return less(left, right)
        case ">=":
            return below(right, left)
        case _:
            return less(right, left)


def try_point(formal: Formal, point: Point) -> Decision | None:
    """The conclusion at a point; None where the hypotheses are not known to be met there."""
    if not all(domain.has(point[symbol]) for symbol, domain in formal.variables.items()):
        return None
    if every([from_comparison(True), *(decide(one, point) for one in formal.given)]).holds is not True:
        return None
    return decide(formal.conclusion, point)


def prove(formal: Formal) -> Outcome:
    """Proves a formal statement, refutes it at a point, or leaves it open."""
    met = agree = 0
    for point in points(formal):
        found = try_point(formal, point)
        if found is None:
            continue
        met += 1
        if found.holds is False:
            where = ", ".join(f"{s} = {v}" for s, v in point.items())
            return Outcome(found, f"fails at {where}", certified=True)
        agree += _is_narrow(formal.conclusion, point)
    if not met:
        return Outcome(None, "no point was found that meets the hypotheses")
    if not agree:
        return Outcome(None, "at no point are the two sides enclosed narrowly")
    links = [formal.conclusion.lhs, *formal.by, formal.conclusion.rhs]
    relation = type(formal.conclusion)
    strict, details = 0, []
    for left, right in pairwise(links):
        outcome = _link(formal, relation(left, right, evaluate=False))
        if outcome.holds is not True and relation.rel_op in ("<", ">") and len(links) > 2:
            weak = {"<": "<=", ">": ">="}[relation.rel_op]
            outcome, strict = _link(formal, _relation(weak)(left, right, evaluate=False)), strict - 1
        strict += 1
        detail = outcome.detail
        for symbol in formal.variables:  # as they were declared
            detail = detail.replace(f"_{symbol.name}", symbol.name)
        if outcome.holds is not True:
            return Outcome(None, f"not proved: {detail}")
        details.append(detail)
    if strict <= 0:
        return Outcome(None, "not proved: no step of the chain is strict")
    return Outcome(from_comparison(True), "; ".join(details), certified=True)


def _is_narrow(relation: Any, point: Point) -> bool:
    """Whether balls enclose both sides to half the digits, so that their overlap says something."""
    with flint.ctx.workprec(BITS):
        values = {s: flint.acb(ball(v)) for s, v in point.items()}
        sides = [enclose(side, values) for side in relation.args]
        size = max(float(abs(side).upper()) for side in sides)
        width = max(float(part.rad()) for side in sides for part in (side.real, side.imag))
    return width <= 2.0 ** (-BITS // 2) * max(size, 2.0**-64)


def _relation(operator: str) -> Any:
    import sympy

    return {"<=": sympy.Le, ">=": sympy.Ge}[operator]


def _link(formal: Formal, relation: Any) -> Outcome:
    """One relation over the domains, under the hypotheses."""
    import sympy

    renamed = {s: stronger(s, d) for s, d in formal.variables.items()}
    left, right = (side.xreplace(renamed) for side in relation.args)
    given = [(type(g), g.lhs.xreplace(renamed), g.rhs.xreplace(renamed)) for g in formal.given]
    domains = {renamed[s]: d for s, d in formal.variables.items()}
    for side in (left, right):
        missing = undefined(side, domains)
        if missing is not None:
            return Outcome(None, f"{missing} is not shown on the whole domain, so that a side may be undefined")
    if relation.rel_op == "==":
        return _identity(left, right)
    strict = relation.rel_op in ("<", ">")
    difference = right - left if relation.rel_op in ("<", "<=") else left - right
    return _inequality(sympy.expand(difference), difference, strict, domains, given)


def undefined(expression: Any, domains: Mapping[Any, Domain]) -> str | None:
    """What would have to be shown for an expression to be defined and real on the domains; None where it is."""
    import sympy

    for node in sympy.preorder_traversal(expression):
        if node.is_Pow and not node.exp.is_Integer and node.base is not sympy.E:
            exponent = node.exp
            if not exponent.is_Rational:
                if not _holds(node.base, True, domains):
                    return f"{node.base} > 0"
            elif not _holds(node.base, exponent < 0, domains):
                return f"{node.base} {'>' if exponent < 0 else '>='} 0"
        elif node.is_Pow and node.exp.is_Integer and node.exp < 0:
            if not (_holds(node.base, True, domains) or _holds(-node.base, True, domains)):
                return f"{node.base} != 0"
        elif type(node).__name__ == "log" and not _holds(node.args[0], True, domains):
            return f"{node.args[0]} > 0"
        elif type(node).__name__ == "tan" and not _holds(sympy.cos(node.args[0]) ** 2, True, domains):
            return f"cos({node.args[0]}) != 0"
        elif type(node).__name__ == "asin" and not _holds(1 - node.args[0] ** 2, False, domains):
            return f"{node.args[0]}**2 <= 1"
    return None


def _holds(expression: Any, strict: bool, domains: Mapping[Any, Domain]) -> bool:
    import sympy

    return _inequality(sympy.expand(expression), expression, strict, domains, []).holds is True


def _identity(left: Any, right: Any) -> Outcome:
    """SymPy reduces the difference to 0; that the sides agree at points was seen before."""
    import sympy

    difference = left - right
    try:
        if sympy.Poly(difference, *sorted(difference.free_symbols, key=str), domain="QQ").is_zero:
            return Outcome(True, "identity of polynomials")
    except (sympy.PolynomialError, sympy.CoercionFailed):
        pass
    numerator = sympy.expand(difference)
    for route, reduce in (
        ("expansion", lambda e: e),
        ("exponentials", lambda e: sympy.expand(e.rewrite(sympy.exp))),
        ("common denominator", lambda e: sympy.expand(sympy.fraction(sympy.together(e))[0])),
    ):
        numerator = reduce(numerator)
        if numerator == 0:
            return Outcome(True, f"identity by {route}")
    return Outcome(None, f"the difference of the sides does not reduce to 0: {str(numerator)[:60]}")


def _inequality(
    expanded: Any, expression: Any, strict: bool, domains: Mapping[Any, Domain], given: list[tuple[Any, Any, Any]]
) -> Outcome:
    """Whether an expression is ≥ 0, or > 0, on the domains."""
    import sympy

    words = "positive" if strict else "non-negative"
    if expanded.is_Rational:
        return Outcome(True if (expanded > 0 if strict else expanded >= 0) else None, f"{expanded} is {words}")
    variables = sorted(expanded.free_symbols, key=str)
    if len(variables) == 1 and expanded.is_polynomial(variables[0]):
        poly = sympy.Poly(expanded, variables[0])
        if all(c.is_Rational for c in poly.all_coeffs()):
            found = polynomial_sign(poly, domains[variables[0]], strict)
            words = words if found else f"not {words}, or not everywhere,"
            return Outcome(
                found, f"polynomial of degree {poly.degree()} in {variables[0]}: {words} by isolating its roots"
            )
    for form in (expression, expanded, sympy.factor(expanded) if expanded.is_polynomial(*variables) else expanded):
        if (form.is_positive if strict else form.is_nonnegative) is True:
            return Outcome(True, f"{str(form)[:60]} is {words}, by the signs of its parts")
    if not all(domains[v].bounded for v in variables):
        return Outcome(None, f"{str(expanded)[:60]} is not shown to be {words} on an unbounded domain")
    return _by_boxes(expression, strict, {v: domains[v] for v in variables}, given)


def polynomial_sign(poly: sympy.Poly, domain: Domain, strict: bool) -> bool | None:
    """Whether a polynomial with rational coefficients is ≥ 0 (> 0) on a domain; None where it is not.

    Its roots are isolated exactly; beyond Cauchy's bound there are none.
    """
    coefficients = [Fraction(int(c.p), int(c.q)) for c in reversed(poly.all_coeffs())]
    p = integer_polynomial(coefficients)
    if not p:
        return None if strict else True
    bound = 2 + max(abs(Fraction(c, p[-1])) for c in p)
    low = domain.low if domain.low is not None else Fraction(-max(bound, 1 - (domain.high or 0)))
    high = domain.high if domain.high is not None else Fraction(max(bound, low + 1))
    for end, is_open in ((domain.low, domain.open_low), (domain.high, domain.open_high)):
        if end is not None and (sign_at(p, end) < 0 or (strict and sign_at(p, end) == 0 and not is_open)):
            return None
    if low == high:
        return True
    if strict and any(isolate(factor, low, high) for factor, _ in square_free(p)):
        return None
    return True if sign_on(p, low, high) == 1 else None


def _by_boxes(
    expression: Any, strict: bool, domains: Mapping[Any, Domain], given: list[tuple[Any, Any, Any]]
) -> Outcome:
    """By cutting the closed box into balls; boxes in which a hypothesis fails are left out."""
    names = list(domains)
    whole = tuple((domains[v].low, domains[v].high) for v in names)
    queue: list[Any] = [whole]
    count = 0
    with flint.ctx.workprec(BITS):
        while queue:
            box = queue.pop()
            count += 1
            values = {v: flint.acb(_hull(a, b)) for v, (a, b) in zip(names, box, strict=True)}
            if any(_fails(kind, left, right, values) for kind, left, right in given):
                continue
            found = enclose(expression, values)
            if found.imag.contains(0) and (found.real > 0 if strict else found.real >= 0):
                continue
            if count >= BOXES:
                where = ", ".join(f"{v} = {float((a + b) / 2):.6g}" for v, (a, b) in zip(names, box, strict=True))
                return Outcome(None, f"not decided near {where} after {count} boxes")
            queue += _halves(box)
    return Outcome(True, f"{'positive' if strict else 'non-negative'} in each of {count} boxes of balls")


def _fails(kind: Any, left: Any, right: Any, values: Mapping[Any, flint.acb]) -> bool:
    """Whether a hypothesis certainly fails in a box."""
    if not (left.free_symbols | right.free_symbols) <= set(values):
        return False
    return _related(kind, enclose(left, values).real, enclose(right, values).real).holds is False


def _halves(box: Any) -> Iterator[Any]:
    widest = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
    a, b = box[widest]
    middle = (a + b) / 2
    for part in ((a, middle), (middle, b)):
        yield (*box[:widest], part, *box[widest + 1 :])


def _hull(a: Fraction, b: Fraction) -> flint.arb:
    return ball(a).union(ball(b))

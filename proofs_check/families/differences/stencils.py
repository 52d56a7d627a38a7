"""Finite-difference stencils: truncation expansion, Peano remainder, error constants, Fourier symbol; all exact."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import perm
from typing import TYPE_CHECKING

from proofs_check.claims.claim import Assumption, Profile, Scope, Step, instead, stated, weaker, wrong
from proofs_check.claims.comparisons import every, once, same
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.stencils import Stencil, central, forward, remainder, stencil, symbol

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

NAMED: dict[str, Callable[[], Stencil]] = {
    "central m=1 p=2": lambda: central(1, 2),
    "central m=2 p=2": lambda: central(2, 2),
    "central m=2 p=4": lambda: central(2, 4),
    "central m=4 p=2": lambda: central(4, 2),
    "forward m=1 p=2": lambda: forward(1, 2),
    "forward m=2 p=2": lambda: forward(2, 2),
}
"""Stencils that have a cell of their own."""
RANDOM = "random rational offsets"


def random_stencil(generator: random.Random, derivative: int, nodes: int, reach: int, denominators: int) -> Stencil:
    """A stencil on so many different nodes p/q, |p| ≤ reach, 1 ≤ q ≤ denominators; 0 may lie anywhere."""
    offsets: set[Fraction] = set()
    while len(offsets) < nodes:
        offsets.add(Fraction(generator.randint(-reach, reach), generator.randint(1, denominators)))
    return stencil(derivative, sorted(offsets))


def instances(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    if scope["stencil"] != RANDOM:
        yield NAMED[scope["stencil"]]()
        return
    yield stencil(1, [3, 4])  # x lies outside the hull of the nodes
    generator = random.Random(7)
    for _ in range(16 if profile == "quick" else 400):
        derivative = generator.randint(1, 4)
        yield random_stencil(generator, derivative, derivative + generator.randint(1, 3), 12, 4)


def space(scope: Scope) -> SearchStrategy[Stencil]:
    """Stencils of any derivative on any offsets; the cell of a named stencil holds that one alone."""
    from hypothesis import strategies as st

    from proofs_check.search.strategies import stencils

    return st.just(NAMED[scope["stencil"]]()) if scope["stencil"] in NAMED else stencils()


def describe(instance: Stencil) -> dict[str, object]:
    """A stencil in JSON types."""
    return {"derivative": instance.derivative, "offsets": [spell(s) for s in instance.offsets]}


def difference_of_power(s: Stencil, power: int, x: Fraction, h: Fraction) -> Fraction:
    """D_h t^power at x, exactly, from the weights alone."""
    total = sum((c * (x + k * h) ** power for c, k in zip(s.weights, s.offsets, strict=True)), Fraction(0))
    return total / h**s.derivative


def _power_derivative(power: int, order: int, x: Fraction) -> Fraction:
    """The derivative of that order of t^power at x."""
    return perm(power, order) * x ** (power - order) if order <= power else Fraction(0)


def _points(power: int) -> Iterator[tuple[Fraction, Fraction]]:
    """Points (x, h) that decide an identity between D_h t^power and derivatives of t^power for every x and h > 0.

    Both sides are homogeneous in (x, h), so h = 1 is enough, and of degree at most ``power`` in x; one more h tests just that.
    """
    yield from ((Fraction(k), Fraction(1)) for k in range(power + 1))
    yield Fraction(-5, 3), Fraction(3, 11)


each = once(*({"stencil": name} for name in (*NAMED, RANDOM)))


def _central_and_others(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    derivative = int(scope["derivative"])
    for order in (2, 4, 6, 8):
        yield central(derivative, order)
    for order in (2, 3, 4):
        yield forward(derivative, order)


def _of_any_order(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    if scope["stencil"] == RANDOM:  # m + 3 nodes at least: order 3 at least
        generator = random.Random(11)
        for _ in range(24 if profile == "quick" else 240):
            derivative = generator.randint(1, 4)
            yield random_stencil(generator, derivative, derivative + generator.randint(3, 5), 12, 4)
        return
    for m in (1, 2, 3, 4):
        for p in (2, 4, 6):
            yield central(m, p)
            yield forward(m, p)


@stated(
    "stencils.truncation",
    title="Truncation expansion of a finite difference",
    source="classical (Taylor)",
    predicate="equality of exact rationals for every power $t^n$, $n \\le m + p + 5$, at $n + 1$ points $x$ with $h = 1$: both "
    "sides are homogeneous in $(x, h)$ and of degree at most $n$ in $x$, so for all $x$ and $h$; six named stencils, and random "
    "rational offsets ($m \\le 4$, $m + 1$ to $m + 3$ nodes)",
    kind="exact",
    scopes=each,
    instances=instances,
    derivation=(
        Step(r"$u(x + s h) = \sum_n s^n h^n u^{(n)}(x)/n!$", "Taylor"),
        Step(r"$\sum_k c_k s_k^n/n! = \delta_{nm}$ for $n < m + p$", "moment equations, solved exactly"),
    ),
    describe=describe,
    search=space,
    judges=(Stencil.truncation,),
    mutants=(
        wrong("doubled", "the coefficients are twice as large", "constant", factor=2),
        wrong("sign", "the coefficients have the other sign", "sign", factor=-1),
    ),
)
def truncation(s: Stencil, scope: Scope, factor: int = 1) -> Outcome:
    r"""For every polynomial $u$ of degree at most $m + p + 5$, all $x$ and $h > 0$: $D_h u = u^{(m)} +
    \sum_{q=p}^{p+5} e_q h^q u^{(m+q)}$ with $e_q = \sum_k c_k s_k^{m+q}/(m+q)!$, without a remainder; for stencils of
    $\partial^m$, $m \le 4$, of order $p$ (those of the cells).
    """
    m, p = s.derivative, s.order
    top = m + p + 5
    terms = [(t.power, t.value) for t in s.truncation(top) if t.power <= top - m]
    equal = []
    for n in range(top + 1):
        for x, h in _points(n):
            expanded = _power_derivative(n, m, x) + sum(
                (factor * e * h**q * _power_derivative(n, m + q, x) for q, e in terms), Fraction(0)
            )
            equal.append(same(expanded, difference_of_power(s, n, x, h)))
            if equal[-1].holds is not True:
                return Outcome(equal[-1], f"differs for t^{n} at x = {x}, h = {h}", data={"power": n})
    return Outcome(every(equal), f"order {p}, leading constant {spell(terms[0][1])}, exact for t^0 … t^{top}")


def _is_average(s: Stencil, scope: Scope) -> Outcome:
    """The opposite of what is claimed."""
    average = remainder.is_average(s)
    return Outcome(from_comparison(average), f"order {s.order}: K {'≥ 0' if average else 'changes sign'}")


@stated(
    "stencils.no-average-of-high-order",
    title="No difference of order three or more is an average",
    source="ours",
    predicate=r"$\int t^2K = 0$ in exact rationals, and the sign of every piece of $K$, decided exactly by isolating the real "
    "roots of its polynomials",
    kind="exact",
    scopes=once({"stencil": "central and forward, m ≤ 4"}, {"stencil": RANDOM}),
    instances=_of_any_order,
    assumptions=(Assumption("order $p \\ge 3$", lambda s: s.order >= 3),),
    derivation=(Step(r"$D_h t^{m+2} = \frac{(m+2)!}{2}\int t^2K$ at $x=0$ vanishes for $p \ge 3$",
                     "claim stencils.peano", "claim"),),
    describe=describe,
    search=space,
    judges=(remainder.is_average, remainder.peano_kernel, remainder.average_norm),
    mutants=(
        weaker("any-order", "the order may be 2", "order"),
        instead("averages", "they are averages all the same", "predicate", test=_is_average),
    ),
)  # fmt: skip
def no_average_of_high_order(s: Stencil, scope: Scope) -> Outcome:
    r"""For stencils of $\partial^m$, $m \le 4$, of order $p \ge 3$ (central and forward to $p = 6$, and random rational
    offsets, $m + 3$ to $m + 5$ nodes): $\int t^2K = 0$, so that the Peano kernel changes sign.
    """
    average, second = remainder.is_average(s), remainder.peano_kernel(s).moment(2)
    norm = remainder.average_norm(s)
    detail = f"order {s.order}: ∫|K| = {float(norm.lower):.6f}, K {'≥ 0' if average else 'changes sign'}"
    holds = same(second, 0) & ~from_comparison(average)
    return Outcome(holds, f"{detail}, ∫t²K = {spell(second)}", margin=None if second else float(norm.lower - 1))


def _amplifies(s: Stencil, scope: Scope) -> Outcome:
    """The opposite of what is claimed."""
    amplifies = from_comparison(not symbol.symbol(s).at_most_one())
    return Outcome(amplifies, f"order {s.order}: |m| ≤ 1 on the whole line")


@stated(
    "symbols.central-bounded",
    title="Central stencils never amplify a wave",
    source="ours",
    predicate=r"$|m(\theta)|^2 \le 1$ for all real $\theta$, decided by rational boxes, a Taylor bound at 0 "
    "and decay",
    kind="exact",
    scopes=once(*({"derivative": str(m), "orders": "2, 4, 6, 8"} for m in (1, 2, 3, 4))),
    instances=_central_and_others,
    assumptions=(Assumption("the stencil is central", lambda s: s.is_symmetric),),
    describe=describe,
    judges=(symbol.symbol,),
    mutants=(
        weaker("one-sided", "one-sided stencils are allowed", "central"),
        instead("amplifies", "|m| exceeds 1 somewhere", "sign", test=_amplifies),
    ),
)
def central_bounded(s: Stencil, scope: Scope) -> Outcome:
    r"""The Fourier symbol $m(\theta) = \sum_k c_k e^{is_k\theta}/(i\theta)^m$ of a standard central
    stencil of $\partial^m$, $m \le 4$, of order 2, 4, 6 or 8 has $|m| \le 1$ on the whole line.
    """
    theta = symbol.symbol(s).witness_above_one()
    if theta is None:
        return Outcome(from_comparison(True), f"order {s.order}: |m| ≤ 1 on the whole line")
    detail = f"order {s.order}: |m(θ)| > 1 at θ = {float(theta):.6g}"
    return Outcome(from_comparison(False), detail, data={"theta": spell(theta)})


CLAIMS = (truncation, no_average_of_high_order, central_bounded)

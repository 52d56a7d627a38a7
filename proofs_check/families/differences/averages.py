"""Named and random stencils: leading terms, sizes of the weights, and when a difference is an average; all exact."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from math import comb, perm

from proofs_check.claims import steps
from proofs_check.claims.claim import Profile, Scope, Step, instead, stated, wrong
from proofs_check.claims.comparisons import below, every, once, same
from proofs_check.claims.formal import Formal, positive, reals
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.differences.stencils import describe, random_stencil
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.base.polynomials import integer_polynomial, sign_on
from theory.stencils import Stencil, central, five_point, forward, nine_point, remainder, thirteen_point
from theory.stencils.remainder import remainder_constants

Leading = dict[tuple[int, int], Fraction]
"""A constant-coefficient operator in the plane: multi-index to coefficient."""
PLANE: dict[str, Callable[[], Stencil]] = {
    "five-point": five_point,
    "nine-point": nine_point,
    "thirteen-point": thirteen_point,
}
LEADING: dict[str, Leading] = {
    "five-point": {(4, 0): Fraction(1, 12), (0, 4): Fraction(1, 12)},
    "nine-point": {(4, 0): Fraction(1, 12), (2, 2): Fraction(1, 6), (0, 4): Fraction(1, 12)},
    "thirteen-point": {index: Fraction(1, 6) for index in ((6, 0), (4, 2), (2, 4), (0, 6))},
}
"""h²(∂₁⁴+∂₂⁴)/12, h²(∂₁²+∂₂²)²/12 and h²(∂₁²+∂₂²)(∂₁⁴+∂₂⁴)/6, multiplied out."""
SIZES = {"five-point": Fraction(8), "nine-point": Fraction(20, 3), "thirteen-point": Fraction(64)}
"""Stated sums of the absolute weights."""
AVERAGES: dict[str, tuple[Callable[[], Stencil], Fraction]] = {
    "central m=2 p=4": (lambda: central(2, 4), Fraction(53, 45)),
    "forward m=1 p=2": (lambda: forward(1, 2), Fraction(2)),
    "forward m=2 p=2": (lambda: forward(2, 2), Fraction(7, 3)),
}
"""Stated ∫|K|."""

_plane = once(*({"stencil": name} for name in PLANE))


def _named(scope: Scope, profile: Profile) -> Iterator[Stencil]:
    yield PLANE[scope["stencil"]]()


def _describe_plane(s: Stencil) -> dict[str, object]:
    return {"nodes": [[spell(x) for x in node] for node in s.nodes], "weights": [spell(c) for c in s.weights]}


def ray_formula(s: Stencil) -> Leading | None:
    """``C_b = N!/b! Σ_v |v^b| ∫|K_v|`` from the weights alone; None where a kernel changes its sign.

    ``K_v(t) = Σ_{r > t} c (r − t)^{N−1}/(N−1)!`` over the nodes ``r v``, each half-line by itself; of one sign its integral is
    ``Σ c r^N/N!``.
    """
    n = s.degree + s.order
    rays: dict[tuple[Fraction, Fraction], list[tuple[Fraction, Fraction]]] = {}
    for (x, y), c in zip(s.nodes, s.weights, strict=True):
        if x or y:
            r = max(abs(x), abs(y))
            rays.setdefault((x / r, y / r), []).append((r, c))
    found: Leading = {}
    for (x, y), nodes in rays.items():
        signs = set()
        for low, high in pairwise([Fraction(0), *sorted(r for r, _ in nodes)]):
            beyond = [(r, c) for r, c in nodes if r > low]
            powers = [sum((c * comb(n - 1, i) * r ** (n - 1 - i) for r, c in beyond), Fraction(0)) for i in range(n)]
            signs.add(sign_on(integer_polynomial([(-1) ** i * a for i, a in enumerate(powers)]), low, high))
        if len(signs - {0}) > 1 or None in signs:
            return None
        size = abs(sum((c * r**n for r, c in nodes), Fraction(0))) / perm(n)
        for i in range(n + 1):
            if (x or not i) and (y or i == n):
                found[i, n - i] = found.get((i, n - i), Fraction(0)) + comb(n, i) * abs(x**i * y ** (n - i)) * size
    return found


def _of(b: tuple[int, int], u: Leading, x: Fraction, y: Fraction) -> Fraction:
    """∂^b of the polynomial Σ u_ij x^i y^j at (x, y)."""
    return sum((a * _at({b: Fraction(1)}, i, j, x, y) for (i, j), a in u.items() if a), Fraction(0))


def _at(operator: Leading, a: int, b: int, x: Fraction, y: Fraction) -> Fraction:
    """The operator applied to x^a y^b, at (x, y)."""
    return sum(
        (
            c * perm(a, i) * x ** (a - i) * perm(b, j) * y ** (b - j)
            for (i, j), c in operator.items()
            if i <= a and j <= b
        ),
        Fraction(0),
    )


def _of_ridges(scope: Scope) -> tuple[Formal, ...]:
    """The expansion on (αx + βy)^n, n ≤ m + 3, of which all polynomials of that degree are sums; w = αx + βy."""
    import sympy as sp

    ((s),) = _named(scope, "quick")
    m = s.degree
    w, alpha, beta = sp.symbols("w alpha beta", real=True)
    h = sp.Symbol("h", positive=True)

    def applied(operator: Leading, n: int) -> sp.Expr:
        return sp.Add(*(
            sp.Rational(c) * alpha**i * beta**j * perm(n, i + j) * w ** (n - i - j)
            for (i, j), c in operator.items() if i + j <= n
        ))  # fmt: skip

    found = []
    for n in range(m, m + 4):
        total = sp.Add(*(
            sp.Rational(c) * (w + h * (sp.Rational(p) * alpha + sp.Rational(q) * beta)) ** n
            for c, (p, q) in zip(s.weights, s.nodes, strict=True)
        ))  # fmt: skip
        extra = applied(LEADING[scope["stencil"]], n)
        expansion = h**m * (applied({(i, j): t for (i, j), t in s.target}, n) + h**2 * extra)
        found.append(Formal({w: reals(), alpha: reals(), beta: reals(), h: positive()}, sp.Eq(total, expansion)))
    return tuple(found)


def _separate(scope: Scope) -> Outcome:
    """∂^(i,j) of x^a y^b at 0 is a! b! where (i, j) = (a, b), else 0: a triangular, invertible system."""
    indices = [(a, b) for a in range(8) for b in range(8 - a)]
    zero = Fraction(0)
    return steps.equal(
        (
            (_at({i: Fraction(1)}, *a, zero, zero), perm(a[0]) * perm(a[1]) if i == a else 0)
            for i in indices
            for a in indices
        ),
        "derivatives of monomials at 0",
    )


def extremal_difference(s: Stencil) -> Fraction:
    """D_1 u(0) for the u with u^(m) = sign K, computed from the weights: then D_1 u = ∫|K| (zeros of K rational)."""
    kernel, m = remainder.peano_kernel(s), s.derivative
    cuts = sorted({*kernel.breakpoints, *(low for low, high in kernel.sign_changes() if low == high)})
    signs = [(k > 0) - (k < 0) for k in (kernel((a + b) / 2) for a, b in pairwise(cuts))]
    jumps = [new - old for old, new in zip([0, *signs], [*signs, 0], strict=True)]
    total = Fraction(0)
    for node, c in zip(s.offsets, s.weights, strict=True):
        # u = Σ jump (t − cut)_+^m / m!; polynomials of degree below m do not matter
        total += c * sum((j * (node - t) ** m for t, j in zip(cuts, jumps, strict=True) if node > t), Fraction(0))
    return total / perm(m)


def _random_nodes(scope: Scope, profile: Profile, extra: int) -> Iterator[Stencil]:
    """Stencils on m + ``extra`` random rational nodes; 0 may lie anywhere."""
    m = int(scope["derivative"])
    generator = random.Random(11 * m)
    for _ in range(40 if profile == "quick" else 400):
        yield random_stencil(generator, m, m + extra, 9, 3)


def _mean(values: tuple[Fraction, ...]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _means_around_zero(s: Stencil) -> bool:
    """0 between the means of the first and of the last m + 1 nodes."""
    return _mean(s.offsets[:-1]) <= 0 <= _mean(s.offsets[1:])


def _within_nodes(s: Stencil) -> bool:
    return s.offsets[0] <= 0 <= s.offsets[-1]


def b_spline(knots: tuple[Fraction, ...], t: Fraction) -> Fraction:
    """The B-spline of integral 1 on these knots by the recurrence of Cox and de Boor; t is not a knot."""
    n = len(knots) - 1
    width = knots[-1] - knots[0]
    if n == 1:
        return 1 / width if knots[0] < t < knots[1] else Fraction(0)
    inner = (t - knots[0]) * b_spline(knots[:-1], t) + (knots[-1] - t) * b_spline(knots[1:], t)
    return Fraction(n, n - 1) * inner / width


_by_derivative = once(*({"derivative": str(m)} for m in (1, 2, 3, 4)))


@stated(
    "stencils.leading-terms",
    title="Leading terms of the five-, nine- and thirteen-point differences",
    source="classical (L. Collatz, 1966, for the nine points)",
    predicate="equality of exact rationals for every monomial of degree up to $m + 3$, which determines the "
    "coefficients up to $h^3$",
    kind="symbolic",
    scopes=_plane,
    instances=_named,
    formal=_of_ridges,
    derivation=(Step(r"two constant-coefficient expansions agree up to $h^q$ iff they agree on polynomials of "
                     r"degree $\le m + q$", "linear algebra: monomials separate the derivatives at a point", "identity", _separate),),
    describe=_describe_plane,
    judges=(five_point, nine_point, thirteen_point),
    mutants=(
        wrong("no-cross-term", "the nine-point difference has the leading term of the five-point one", "predicate",
            {"stencil": "nine-point"}, stated=LEADING | {"nine-point": LEADING["five-point"]}),
        wrong("sixth", "1/6 in place of 1/12", "constant",
            stated={"five-point": LEADING["five-point"] | {(4, 0): Fraction(1, 6)}}),
        wrong("sign", "the biharmonic's mixed term has the other sign", "sign", {"stencil": "thirteen-point"},
            stated={"thirteen-point": LEADING["thirteen-point"] | {(4, 2): Fraction(-1, 6)}}),
    ),
)  # fmt: skip
def leading_terms(s: Stencil, scope: Scope, stated: dict[str, Leading] = LEADING) -> Outcome:
    r"""The errors of the five-, nine- and thirteen-point differences start with $h^2(\partial_1^4+\partial_2^4)/12$,
    $h^2(\partial_1^2+\partial_2^2)^2/12$ and $h^2(\partial_1^2+\partial_2^2)(\partial_1^4+\partial_2^4)/6$, and have no
    term in $h^3$.
    """
    # D_h u − L u = h² T u for every polynomial of degree ≤ m + 3, which determines all coefficients up to h³.
    m, extra = s.degree, stated[scope["stencil"]]
    target = {(i, j): t for (i, j), t in s.target}
    x, y, h = Fraction(2, 7), Fraction(-3, 5), Fraction(1, 3)
    equal = []
    for a, b in product(range(m + 4), repeat=2):
        if a + b > m + 3:
            continue
        direct = sum(
            (c * (x + p * h) ** a * (y + q * h) ** b for c, (p, q) in zip(s.weights, s.nodes, strict=True)),
            Fraction(0),
        )
        equal.append(same(direct / h**m, _at(target, a, b, x, y) + h * h * _at(extra, a, b, x, y)))
        if equal[-1].holds is not True:
            return Outcome(equal[-1], f"differs for x^{a} y^{b}", data={"powers": [a, b]})
    return Outcome(every(equal), f"{len(s.nodes)} nodes, exact for every monomial of degree ≤ {m + 3}")


@stated(
    "stencils.remainder-several",
    title="Rigorous error constants in the plane",
    source="ours",
    predicate="the inequality in exact rationals for every monomial of degree $N$ and 30 random polynomials of degree "
    "$N$ and $N + 1$; every $C_b$ equals its formula, from the weights alone",
    kind="exact",
    scopes=_plane,
    instances=_named,
    describe=_describe_plane,
    derivation=(
        Step(r"$u(rv) = \sum_{n<N}\frac{r^n(v\cdot\partial)^nu(0)}{n!} + \int_0^r\frac{(r-t)^{N-1}}{(N-1)!}"
             r"(v\cdot\partial)^Nu(tv)\,dt$", "Taylor's formula along the segment to a node"),
    ),
    judges=(remainder_constants,),
    mutants=(
        wrong("a-tenth-less", "nine tenths of the constants are enough", "constant", factor=Fraction(9, 10)),
        wrong("even", "without the derivatives of odd orders in x and y", "assumption", {"stencil": "nine-point"},
            odd=False),
        wrong("pure", "pure derivatives alone", "predicate", {"stencil": "nine-point"}, mixed=False),
    ),
)  # fmt: skip
def remainder_several(
    s: Stencil, scope: Scope, factor: Fraction = Fraction(1), mixed: bool = True, odd: bool = True
) -> Outcome:
    r"""$|L_hu - Lu| \le h^p\sum_{|b|=m+p} C_b\max|\partial^bu|$ with $C_b = \frac{N!}{b!}\sum_v|v^b|\int|K_v|$, $N = m
    + p$, $v$ the directions of the nodes and $K_v$ the kernels of Taylor's remainder along them, the maxima over the
    hull of the nodes, for polynomials $u$ of degree $N$ and $N + 1$ (random ones) and the five-, nine- and
    thirteen-point differences.
    """
    # |L_h u − L u| ≤ factor · Σ_b C_b max|∂^b u| at 0, h = 1, for random u of degree N and N + 1, N = m + p; C_b by
    # the formula. For mutants without the constants of mixed derivatives, or of those of odd orders.
    generator = random.Random(11)
    top = s.degree + s.order
    found = {(b[0], b[1]): c.upper for b, c in remainder_constants(s)}
    constants = {b: c for b, c in found.items() if (mixed or 0 in b) and (odd or b[0] % 2 == 0)}
    worst = Fraction(0)
    trials: list[Leading] = [{(i, top - i): Fraction(1)} for i in range(top + 1)]
    for extra in (False, True) * 15:
        indices = [(i, n - i) for n in range(top, top + 1 + extra) for i in range(n + 1)]
        trials.append({index: Fraction(generator.randint(-3, 3)) for index in indices})
    for u in trials:
        value = sum(
            (w * a * x**i * y**j for (x, y), w in zip(s.nodes, s.weights, strict=True) for (i, j), a in u.items()),
            Fraction(0),
        )
        # L u vanishes at 0; ∂^b u is affine, so its modulus is largest at a node
        bound = sum(
            (c * max(abs(_of(b, u, x, y)) for x, y in s.nodes) for b, c in constants.items()),
            Fraction(0),
        )
        if bound or value:
            worst = max(worst, abs(value) / (factor * bound)) if bound else max(worst, Fraction(10))
    formula = ray_formula(s)
    if formula is None:
        return Outcome(None, "a kernel changes its sign along a direction")
    agree = every((same(len(formula), len(constants)), *(same(constants.get(b, 0), c) for b, c in formula.items())))
    detail = f"largest error {float(worst):.6g} of the bound; {len(formula)} constants by the formula: {agree}"
    return Outcome(below(worst, 1) & agree, detail, margin=float(1 - worst))


@stated(
    "stencils.weight-norms",
    title="Sums of the absolute weights",
    source="ours",
    predicate="equality of exact rationals",
    kind="exact",
    scopes=_plane,
    instances=_named,
    describe=_describe_plane,
    judges=(five_point, nine_point, thirteen_point),
    mutants=(
        wrong("square", "the thirteen-point weights sum to 8² − 2", "constant", {"stencil": "thirteen-point"},
            stated=lambda name: Fraction(62)),
        wrong("same", "nine points have the five-point norm", "predicate", {"stencil": "nine-point"},
            stated=lambda name: SIZES["five-point"]),
    ),
)  # fmt: skip
def weight_norms(s: Stencil, scope: Scope, stated: Callable[[str], Fraction] = SIZES.__getitem__) -> Outcome:
    r"""$\|c\|_1 = 8,\ 20/3,\ 64$ for the five-, nine- and thirteen-point differences."""
    size, claimed = sum(map(abs, s.weights), Fraction(0)), stated(scope["stencil"])
    return Outcome(same(size, claimed), f"‖c‖₁ = {spell(size)}, stated {spell(claimed)}")


@stated(
    "stencils.average-norms",
    title="How far higher order is from an average",
    source="ours",
    predicate=r"$\int|K|$ by exact integration of $|K|$ equals $D_1u(0)$ for the extremal $u^{(m)} = "
    r"\mathrm{sign}\,K$ from the weights alone, and the stated number",
    kind="exact",
    scopes=once(*({"stencil": name} for name in AVERAGES)),
    instances=lambda scope, profile: (scope["stencil"],),
    judges=(remainder.average_norm, remainder.peano_kernel),
    mutants=(
        wrong("larger", "one per cent more", "constant", factor=Fraction(101, 100)),
        wrong("signed", "the integral of K without the modulus", "predicate", absolute=False),
    ),
)  # fmt: skip
def average_norms(name: str, scope: Scope, factor: Fraction = Fraction(1), absolute: bool = True) -> Outcome:
    r"""$\int|K| = 53/45$ for the fourth-order central $\partial^2$, $2$ and $7/3$ for the one-sided second-order
    $\partial$ and $\partial^2$.
    """
    make, claimed = AVERAGES[name]
    s = make()
    bound = remainder.average_norm(s)
    attained = extremal_difference(s) if absolute else remainder.peano_kernel(s).integral
    holds = same(bound.lower, attained) & same(bound.upper, attained) & same(attained, factor * claimed)
    detail = f"∫|K| = {spell(bound.lower)}, attained {spell(attained)}, stated {spell(factor * claimed)}"
    return Outcome(holds, detail)


@stated(
    "stencils.minimal-is-average",
    title="Minimal stencils are averages",
    source="H. B. Curry and I. J. Schoenberg, J. Analyse Math. 17 (1966) 71",
    predicate="sign of $K$ decided exactly; equality with the recurrence of Cox and de Boor at as many rationals "
    "as each polynomial piece has coefficients",
    kind="exact",
    scopes=_by_derivative,
    instances=partial(_random_nodes, extra=1),
    describe=describe,
    judges=(remainder.peano_kernel,),
    mutants=(
        instead("one-more-node", "m + 2 nodes", "assumption", {"derivative": "2"}, instances=partial(_random_nodes, extra=2)),
        wrong("normalisation", "the B-spline of the partition of unity, twice as large", "constant",
            factor=Fraction(2)),
    ),
)  # fmt: skip
def minimal_is_average(s: Stencil, scope: Scope, factor: Fraction = Fraction(1)) -> Outcome:
    r"""On $m + 1$ rational nodes (random ones), $m \le 4$, the Peano kernel is the B-spline of those knots: $K \ge 0$."""
    kernel = remainder.peano_kernel(s)
    if kernel.sign != 1:
        return Outcome(from_comparison(False), "K changes sign")
    knots, equal = s.offsets, []
    for left, right in pairwise(knots):
        for i in range(1, s.derivative + 1):  # as many points as a polynomial piece has coefficients
            t = left + (right - left) * Fraction(i, s.derivative + 1)
            equal.append(same(kernel(t), factor * b_spline(knots, t)))
            if equal[-1].holds is not True:
                return Outcome(equal[-1], f"K({t}) = {kernel(t)}")
    return Outcome(every(equal), f"K is the B-spline on {len(knots)} knots, K ≥ 0")


@stated(
    "stencils.positivity-criterion",
    title="When one node too many still averages",
    source="ours",
    predicate="both sides decided exactly on random rational nodes, 0 anywhere",
    kind="exact",
    scopes=_by_derivative,
    instances=partial(_random_nodes, extra=2),
    derivation=(Step(r"$K = \lambda M_1 + (1-\lambda) M_2$, the B-splines of the first and last $m+1$ nodes, with "
                     r"$\lambda\mu_1 + (1-\lambda)\mu_2 = 0$", "exactness for $t^{m+1}$: the first moment of a "
                     "B-spline is the mean of its knots"),),
    describe=describe,
    judges=(remainder.is_average,),
    mutants=(
        wrong("within-the-nodes", "it suffices that 0 lies within the nodes", "assumption", {"derivative": "2"},
            says=_within_nodes),
        wrong("reversed", "K ≥ 0 iff 0 lies outside", "sign", says=lambda s: not _means_around_zero(s)),
    ),
)  # fmt: skip
def positivity_criterion(s: Stencil, scope: Scope, says: Callable[[Stencil], bool] = _means_around_zero) -> Outcome:
    r"""With $m + 2$ rational nodes (random ones), $m \le 4$, $K \ge 0$ iff $0$ lies between the means of the first and
    of the last $m + 1$.
    """
    positive, expected = remainder.is_average(s), says(s)
    detail = f"K {'≥ 0' if positive else 'changes sign'}, criterion says {expected}"
    return Outcome(from_comparison(positive == expected), detail, data={"positive": positive})


CLAIMS = (leading_terms, remainder_several, weight_norms, average_norms, minimal_is_average, positivity_criterion)

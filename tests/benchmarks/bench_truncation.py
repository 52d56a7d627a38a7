"""Truncation expansions from exact moments against ``sympy.series`` on the same stencils: prints the ratio.

Both start from the offsets and give the first three non-zero terms, and the terms are compared. Run as a script::

    python tests/benchmarks/bench_truncation.py
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from fractions import Fraction
from time import perf_counter

import sympy as sp

from theory.stencils import stencil

CASES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("-1", "1")),
    (2, ("-1", "0", "1")),
    (1, ("0", "1", "2")),
    (2, ("0", "1", "2", "3")),
    (2, ("-2", "-1", "0", "1", "2")),
    (4, ("-2", "-1", "0", "1", "2")),
    (1, ("-1", "0", "1/2")),
    (3, ("-3/2", "-1/2", "1/3", "2", "5/2")),
    (2, ("-3", "-2", "-1", "0", "1", "2", "3")),
)
TERMS = 3
REPEATS = 5
BAR = 200.0

Terms = list[tuple[int, Fraction]]


def ours(derivative: int, offsets: tuple[str, ...]) -> Terms:
    """The expansion by exact moments, weights included."""
    return [(t.power, t.value) for t in stencil(derivative, offsets).truncation(TERMS)]


def peer(derivative: int, offsets: tuple[str, ...], top: int) -> Terms:
    """The expansion by ``sympy.series`` of the difference of ``exp``, up to ``h^top``; weights from sympy too."""
    h = sp.Symbol("h", positive=True)
    nodes = [sp.Rational(x) for x in offsets]
    weights = sp.finite_diff_weights(derivative, nodes, 0)[derivative][-1]
    total = sp.Add(*(c * sp.exp(x * h) for x, c in zip(nodes, weights, strict=True)))
    series = sp.expand(sp.series(total, h, 0, derivative + top + 1).removeO())
    found = [(q, series.coeff(h, derivative + q)) for q in range(1, top + 1)]
    return [(q, Fraction(int(e.p), int(e.q))) for q, e in found if e]


def timed(call: Callable[[], Terms]) -> tuple[float, Terms]:
    """Seconds and result of one call."""
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def main() -> int:
    """Print one line a stencil and the ratios; 1 if the least is below the bar or an expansion differs.

    sympy is warmed up on another stencil, and each expansion is asked of it once, since the second time would only
    read its cache; the moments are timed before and after, the slower median counting.
    """
    peer(1, ("-1/7", "3/7"), 1)
    ratios = []
    for derivative, offsets in CASES:
        mine = ours(derivative, offsets)

        def exact(d: int = derivative, s: tuple[str, ...] = offsets) -> Terms:
            return ours(d, s)

        before = statistics.median(timed(exact)[0] for _ in range(REPEATS))
        slow, theirs = timed(lambda d=derivative, s=offsets, t=mine[-1][0]: peer(d, s, t))  # type: ignore[misc]
        fast = max(before, statistics.median(timed(exact)[0] for _ in range(REPEATS)))
        if mine != theirs:
            print(f"d^{derivative} on {offsets}: {mine} against {theirs}")
            return 1
        ratios.append(slow / fast)
        print(
            f"d^{derivative} on {','.join(offsets):24s} moments {fast * 1e3:6.3f} ms, "
            f"sympy.series {slow * 1e3:7.1f} ms, {ratios[-1]:6.0f} x"
        )
    print(f"least {min(ratios):.0f} x, median {statistics.median(ratios):.0f} x, bar {BAR:.0f} x")
    return 0 if min(ratios) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())

"""Claims about remainders and rounding errors: what they accept is right, and wrong constants and kernels fail."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.families.differences import averages, floor, remainders, stencils
from proofs_check.search.strategies import stencils as any_stencil
from theory.base.enclosure import Enclosure
from theory.base.polynomials import PiecewisePolynomial
from theory.operators import roundoff
from theory.stencils import Stencil, central, five_point, forward, nine_point, stencil, thirteen_point
from theory.stencils import remainder as peano

CELL = {"stencil": stencils.RANDOM}
COMPARE = remainders.error_constant.test


@settings(max_examples=25)
@given(any_stencil(), st.data())
def test_the_jumps_identify_the_kernel(s: Stencil, data: st.DataObject) -> None:
    """The kernels of theory pass; one coefficient or one breakpoint changed, they do not."""
    q = data.draw(st.integers(0, s.order))
    kernel = peano.peano_kernel(s, q)
    assert remainders.wrong_jump(s, q, kernel) is None
    piece = data.draw(st.integers(0, len(kernel.pieces) - 1))
    power = data.draw(st.integers(0, s.derivative + q + 3))
    changed = list(kernel.pieces)
    longer = [*changed[piece], *[Fraction(0)] * (power + 1)]
    longer[power] += Fraction(1, 10**6)
    changed[piece] = tuple(longer)
    assert remainders.wrong_jump(s, q, PiecewisePolynomial(kernel.breakpoints, tuple(changed))) is not None
    wider = (kernel.breakpoints[0] - 1, *kernel.breakpoints[1:])
    assert remainders.wrong_jump(s, q, PiecewisePolynomial(wider, kernel.pieces)) is not None


@pytest.mark.parametrize("degree", [7, 12])
def test_a_kernel_with_the_right_moments_is_not_enough(degree: int) -> None:
    """Hat + P_n: D_h t^k = ∫ K (t^k)'' for every k < n + 2, and another K."""
    hat = peano.peano_kernel(central(2))
    wrong = remainders._with_legendre(hat, degree)
    assert all(wrong.moment(k) == hat.moment(k) for k in range(degree))
    assert wrong.moment(degree) != hat.moment(degree)
    assert remainders.wrong_jump(central(2), 0, wrong) is not None


@settings(max_examples=15, deadline=None)
@given(any_stencil(extra=2), st.sampled_from([Fraction(999, 1000), Fraction(1001, 1000)]))
def test_the_error_constant_is_the_least(s: Stencil, factor: Fraction) -> None:
    assert COMPARE(s, CELL).holds is True
    assert remainders.error_constant.given(factor=factor).test(s, CELL).holds is False


def test_the_maximum_is_over_the_hull_of_the_nodes_and_of_x() -> None:
    """Offsets 3 and 4, m = 1: the error of u = t²/2 is 7/2, and u'' may be larger between x and the nodes."""
    s = stencil(1, [3, 4])
    assert peano.error_constant(s) == Enclosure.exact(Fraction(7, 2))
    assert COMPARE(s, CELL).holds is True
    assert remainders.error_constant.given(beyond=Fraction(10)).test(s, CELL).holds is False


@pytest.mark.parametrize("s", [central(2), central(3, 4), forward(2, 4)], ids=str)
def test_wrong_constants_of_the_source_are_refuted(s: Stencil, monkeypatch: pytest.MonkeyPatch) -> None:
    """error_constant two per cent too small, or the leading coefficient |e_p|, and K_q with a wrong jump."""
    right = peano.error_constant(s)
    monkeypatch.setattr(peano, "error_constant", lambda s: right.scaled(Fraction(98, 100)))
    assert COMPARE(s, CELL).holds is False
    leading = abs(s.truncation(1)[0].value)
    monkeypatch.setattr(peano, "error_constant", lambda s: Enclosure.exact(leading))
    assert COMPARE(s, CELL).holds is (leading == right.upper)
    monkeypatch.setattr(peano, "error_constant", lambda s: right)
    kernel = peano.peano_kernel
    monkeypatch.setattr(peano, "peano_kernel", lambda s, q=0: remainders._scaled(Fraction(101, 100))(kernel(s, q)))
    assert COMPARE(s, CELL).holds is False
    assert remainders.stencils_peano.test(s, CELL).holds is False


def test_a_mean_is_decided_by_its_whole_interval() -> None:
    """99 % intervals of 32 values: inside, outside, across the bound; too few values to know."""
    spread = [1.02, 0.98] * 16
    assert floor.mean_log(spread, 1.0, "").holds is True
    assert floor.mean_log(spread, 2**0.5, "").holds is False
    assert floor.mean_log(spread, 0.5**0.5, "").holds is False
    assert floor.mean_log(spread, 2**0.25, "").holds is None
    assert floor.mean_log([1.1, 0.7, 1.3], 1.0, "").holds is None


def test_a_typical_constant_wrong_by_the_root_of_two_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """κ = 1/√3 in place of 1/√6 in the source."""
    scope = {"activation": "sin", "operator": "u_xx", "step": "1/100", "sigma": floor.ROUNDED}
    (population,) = floor._populations(scope, "quick")
    floor.entry_quotients.cache_clear()
    assert floor.entries.test(population, scope).holds is True
    floor.entry_quotients.cache_clear()
    monkeypatch.setattr(roundoff, "TYPICAL_FACTOR", 3**-0.5)
    assert floor.entries.test(population, scope).holds is False
    floor.entry_quotients.cache_clear()


@pytest.mark.parametrize("make", [five_point, nine_point, thirteen_point])
def test_the_formula_of_the_remainder_in_the_plane(make: Callable[[], Stencil]) -> None:
    """C_b = N!/b! Σ_v |v^b| ∫|K_v|, the integrals by the trapezoidal rule, against what the claim takes from the weights."""
    s = make()
    n = s.degree + s.order
    found = averages.ray_formula(s)
    assert found is not None
    rays: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for (x, y), c in zip(s.nodes, s.weights, strict=True):
        r = math.gcd(int(x), int(y))
        if r:
            rays.setdefault((int(x) // r, int(y) // r), []).append((r, float(c)))
    for i in range(n + 1):
        total = 0.0
        for v, nodes in rays.items():
            t = np.linspace(0, max(r for r, _ in nodes), 200_001)
            kernel = sum(c * np.maximum(r - t, 0) ** (n - 1) for r, c in nodes) / math.factorial(n - 1)
            total += math.comb(n, i) * abs(v[0]) ** i * abs(v[1]) ** (n - i) * float(np.trapezoid(np.abs(kernel), t))
        assert float(found.get((i, n - i), 0)) == pytest.approx(total, rel=1e-6, abs=1e-12)


def test_a_kernel_that_changes_its_sign_along_a_ray_has_no_formula() -> None:
    """Nodes at 1 and 2 with weights 4 and −1/10: (2 − t)³ and 40 (1 − t)³ cross."""
    nodes, weights = ((Fraction(1), Fraction(0)), (Fraction(2), Fraction(0))), (Fraction(4), Fraction(-1, 10))
    crossing: Any = SimpleNamespace(degree=2, order=2, nodes=nodes, weights=weights)
    assert averages.ray_formula(crossing) is None

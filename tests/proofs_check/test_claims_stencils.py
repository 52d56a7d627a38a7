"""Claims about remainders and rounding errors: what they accept is right, and wrong constants and kernels fail."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.claims import floor, remainders, stencils
from proofs_check.strategies import stencils as any_stencil
from theory import peano, roundoff
from theory.enclosures import Enclosure
from theory.piecewise import PiecewisePolynomial
from theory.stencils import Stencil, central, forward, stencil

CELL = {"stencil": stencils.RANDOM}
COMPARE = remainders._constant(Fraction(1))


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
    wrong = remainders._with_legendre(degree)(hat)
    assert all(wrong.moment(k) == hat.moment(k) for k in range(degree))
    assert wrong.moment(degree) != hat.moment(degree)
    assert remainders.wrong_jump(central(2), 0, wrong) is not None


@settings(max_examples=15, deadline=None)
@given(any_stencil(extra=2), st.sampled_from([Fraction(999, 1000), Fraction(1001, 1000)]))
def test_the_error_constant_is_the_least(s: Stencil, factor: Fraction) -> None:
    assert COMPARE(s, CELL).holds is True
    assert remainders._constant(factor)(s, CELL).holds is False


def test_the_maximum_is_over_the_hull_of_the_nodes_and_of_x() -> None:
    """Offsets 3 and 4, m = 1: the error of u = t²/2 is 7/2, and u'' may be larger between x and the nodes."""
    s = stencil(1, [3, 4])
    assert peano.error_constant(s) == Enclosure.exactly(Fraction(7, 2))
    assert COMPARE(s, CELL).holds is True
    assert remainders._constant(Fraction(1), beyond=Fraction(10))(s, CELL).holds is False


@pytest.mark.parametrize("s", [central(2), central(3, 4), forward(2, 4)], ids=str)
def test_wrong_constants_of_the_source_are_refuted(s: Stencil, monkeypatch: pytest.MonkeyPatch) -> None:
    """error_constant two per cent too small, or the leading coefficient |e_p|, and K_q with a wrong jump."""
    right = peano.error_constant(s)
    monkeypatch.setattr(peano, "error_constant", lambda s: right.scaled(Fraction(98, 100)))
    assert COMPARE(s, CELL).holds is False
    leading = abs(s.truncation(1)[0].value)
    monkeypatch.setattr(peano, "error_constant", lambda s: Enclosure.exactly(leading))
    assert COMPARE(s, CELL).holds is (leading == right.upper)
    monkeypatch.setattr(peano, "error_constant", lambda s: right)
    kernel = peano.peano_kernel
    monkeypatch.setattr(peano, "peano_kernel", lambda s, q=0: remainders._scaled(Fraction(101, 100))(kernel(s, q)))
    assert COMPARE(s, CELL).holds is False
    assert remainders._peano()(s, CELL).holds is False


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
    assert floor._entries(1.0)(population, scope).holds is True
    floor.entry_quotients.cache_clear()
    monkeypatch.setattr(roundoff, "TYPICAL_FACTOR", 3**-0.5)
    assert floor._entries(1.0)(population, scope).holds is False
    floor.entry_quotients.cache_clear()

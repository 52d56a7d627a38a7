"""The Hermite model with all its features: balls against exact rationals, tails, and the sign that a truncation changes."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
from mpmath import mp

from numerics.arithmetic.balls import from_ball
from numerics.spectra.kernels import InfiniteHermite, matrix
from theory.base.enclosure import Enclosure as Rationals
from theory.base.errors import PrecisionCapError
from theory.solvable import HermiteDiagonal
from theory.stencils import forward

TENTH = Fraction(1, 10)


def test_entries_are_those_of_the_model() -> None:
    model = InfiniteHermite(Fraction(3, 5), stencil=forward(1, 2))
    with flint.ctx.workprec(128), mp.workdps(40):
        found = matrix(model, TENTH, 9)
        for i in range(9):
            for j in range(9):
                a, b = model.fd_entry(i, j, TENTH)
                value = mp.mpf(a.numerator) / a.denominator * mp.sqrt(mp.mpf(b.numerator) / b.denominator)
                ball = from_ball(found[i, j])
                assert abs(mp.mpf(ball.middle.numerator) / ball.middle.denominator - value) < 1e-30
                assert ball.width < Fraction(1, 10**30)


@pytest.mark.parametrize("rho", [Fraction(1, 10), Fraction(2, 5)])
def test_spectra_agree_with_exact_arithmetic(rho: Fraction) -> None:
    """Every enclosure meets that of the first 20 features in integers, widened by their tail, and is narrow."""
    found = InfiniteHermite(rho).fd_eigenvalues(6, TENTH, 14)
    few = HermiteDiagonal(rho, 20)
    tail = few.tail(TENTH, 20)
    assert tail is not None
    for a, b in zip(found, few.fd_eigenvalues(6, TENTH, 14), strict=True):
        assert a.lower <= b.upper + tail.first
        assert b.lower <= a.upper  # more features raise every eigenvalue
        assert a.width < found[0].upper / 10**9


def test_a_truncation_changes_the_sign() -> None:
    """ρ = 9/10, h = 1/10: -1.8e-5 with 16 features and power 1, +5.7125e-5 with all; power 2 is negative for both."""
    short, whole = HermiteDiagonal(Fraction(9, 10), 16), InfiniteHermite(Fraction(9, 10))
    assert [short.gap_sign(TENTH, power=q).sign for q in (1, 2)] == [-1, -1]
    gap = whole.gap(TENTH, digits=5)
    assert gap.lower > 0
    assert gap.lower < Fraction("5.7125e-5") < gap.upper
    second = whole.gap(TENTH, power=2, digits=6)
    assert second.upper < 0
    assert second.lower < Fraction("-1.1119e-4") < second.upper


def test_columns_left_out_raise_the_eigenvalues_listed() -> None:
    short, long = (InfiniteHermite(Fraction(1, 2)).listed("fd", Fraction(1, 2), n, d) for n, d in ((1, 1), (30, 12)))
    assert short.tail is not None
    assert len(short.values) < len(long.values)
    for few, many in zip(short.values, long.values, strict=False):
        assert few.lower <= many.upper
        assert many.lower <= few.upper
    assert any(many.lower > few.upper - short.tail.first for few, many in zip(short.values, long.values, strict=False))


def test_the_tail_is_counted() -> None:
    """Without it the entropy of too few features would be taken for that of all."""
    listed = InfiniteHermite(Fraction(3, 5)).listed("fd", TENTH, 1, 4)
    assert listed.tail is not None
    assert 0 < listed.tail.first
    more = InfiniteHermite(Fraction(3, 5)).listed("fd", TENTH, len(listed.values) + 12, 4)
    beyond = more.largest(len(listed.values) + 12)[len(listed.values) :]
    for k, value in enumerate(beyond):
        assert isinstance(value, Rationals)
        assert value.lower <= listed.tail.first * listed.tail.ratio**k
    with pytest.raises(PrecisionCapError, match="features are needed"):
        InfiniteHermite(Fraction(99, 100)).listed("fd", TENTH, 1, 12)

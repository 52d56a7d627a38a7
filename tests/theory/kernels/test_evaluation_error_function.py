"""The error function of the quadrature rules against mpmath's at a higher precision."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from theory.kernels.evaluation import erf


@given(u=st.fractions(-25, 25, max_denominator=10**6), digits=st.integers(10, 80))
def test_values_are_right_to_the_last_bit(u: object, digits: int) -> None:
    with mp.workdps(digits):
        point = mp.mpf(u.numerator) / u.denominator  # type: ignore[attr-defined]
        value = erf(point)
        unit = mp.ldexp(1, -mp.prec)
        with mp.workdps(digits + 15):
            exact = mp.erf(point)
            assert abs(value - exact) <= unit * abs(exact)


def test_what_is_not_a_real_number_is_left_to_mpmath() -> None:
    assert erf(mp.mpc(1, 1)) == mp.erf(mp.mpc(1, 1))
    assert erf(mp.inf) == 1
    assert erf(-mp.inf) == -1
    assert mp.isnan(erf(mp.nan))
    assert erf(mp.mpf(0)) == 0

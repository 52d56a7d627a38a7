from __future__ import annotations

from fractions import Fraction
from math import prod

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.search.strategies import stencils
from theory.base.enclosure import Enclosure
from theory.base.errors import NonexistenceError
from theory.stencils import (
    Stencil,
    add,
    central,
    embed,
    five_point,
    forward,
    identity,
    laplacian,
    nine_point,
    stencil,
    tensor,
    thirteen_point,
)
from theory.stencils.remainder import error_constant, ray_constants, rays, remainder_constants


@given(stencils())
def test_one_variable_gives_the_sharp_constant(s: Stencil) -> None:
    ((index, constant),) = remainder_constants(s)
    sharp = error_constant(s)
    assert index == (s.degree + s.order,)
    # both enclose the same number
    assert constant.lower <= sharp.upper
    assert sharp.lower <= constant.upper
    assert constant.width <= constant.upper / 10**40


def test_laplacians() -> None:
    twelfth = Enclosure.exact(Fraction(1, 12))
    assert remainder_constants(five_point()) == (((4, 0), twelfth), ((0, 4), twelfth))
    nine = dict(remainder_constants(nine_point()))
    assert (nine[(4, 0)], nine[(2, 2)]) == (twelfth, Enclosure.exact(Fraction(1, 6)))
    assert nine[(3, 1)].upper > 0  # the leading coefficient is 0 there, the bound is not
    assert dict(ray_constants(five_point())) == {(1, 0): twelfth, (0, 1): twelfth}


@pytest.mark.parametrize("s", [five_point(), nine_point(), thirteen_point(), laplacian(3), laplacian(2, 4)])
def test_constants_are_at_least_the_leading_coefficients(s: Stencil) -> None:
    constants = dict(remainder_constants(s))
    for index, e in s.truncation(1)[0].coefficients:
        assert constants[index].upper >= abs(e)


@given(stencils(extra=2), stencils(extra=2))
def test_sums_over_axes_are_sharp(a: Stencil, b: Stencil) -> None:
    """The constants of a sum along the axes are those of its parts."""
    s = embed(a, 0, 2) if a.degree != b.degree else add(embed(a, 0, 2), embed(b, 1, 2))
    found = dict(remainder_constants(s))
    n = s.degree + s.order
    sharp = error_constant(a, s.order)
    assert found.get((n, 0), Enclosure.exact(0)).upper >= sharp.lower
    assert found[(n, 0)].width + sharp.width <= Fraction(1, 10**30)
    assert abs(found[(n, 0)].middle - sharp.middle) <= Fraction(1, 10**30)
    assert all(index in ((n, 0), (0, n)) for index in found)


@settings(max_examples=20)
@given(
    st.sampled_from(
        [
            five_point(),
            nine_point(),
            thirteen_point(),
            tensor(central(1), central(1)),
            tensor(forward(1, 2), central(2)),
            tensor(stencil(1, [0, 1, "5/2"]), forward(1)),
        ]
    ),
    st.tuples(st.integers(-3, 3), st.integers(-3, 3)).filter(any),
    st.floats(0.01, 1.5),
    st.floats(-3, 3),
)
def test_the_bound_holds_for_plane_waves(s: Stencil, a: tuple[int, int], h: float, phase: float) -> None:
    """u = sin(a·x + phase): every derivative of order N is at most |a^b|; error and bound in 30 digits."""
    with mpmath.workdps(30):
        step, shift = mpmath.mpf(h), mpmath.mpf(phase)
        values = [
            mpmath.mpf(c.numerator)
            / c.denominator
            * mpmath.sin(
                step * sum(mpmath.mpf(x.numerator) / x.denominator * k for x, k in zip(node, a, strict=True)) + shift
            )
            for node, c in zip(s.nodes, s.weights, strict=True)
        ]
        symbol = sum(int(t) * prod(k**n for k, n in zip(a, b, strict=True)) for b, t in s.target)
        exact = symbol * mpmath.sin(shift + s.degree * mpmath.pi / 2)
        error = abs(mpmath.fsum(values) / step**s.degree - exact)
        bound = sum(
            float(c.upper) * prod(abs(k) ** n for k, n in zip(a, b, strict=True)) for b, c in remainder_constants(s)
        )
        assert error <= bound * step**s.order * (1 + mpmath.mpf(10) ** -12) + mpmath.mpf(10) ** -20


def test_rays_group_opposite_nodes() -> None:
    found = rays(stencil(2, ["-1/2", 0, 1]))
    assert found == {(1,): [(Fraction(-1, 2), Fraction(8, 3)), (Fraction(1), Fraction(4, 3))]}
    assert set(rays(nine_point())) == {(1, 0), (0, 1), (1, 1), (1, -1)}
    assert sum(len(pairs) for pairs in rays(nine_point()).values()) == 8
    assert rays(identity()) == {}


def test_failures() -> None:
    with pytest.raises(NonexistenceError):
        remainder_constants(identity())

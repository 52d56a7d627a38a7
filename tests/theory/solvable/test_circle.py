from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.entropy.bounds import Order, majorisation_order
from theory.entropy.conventions import Power
from theory.solvable import Circle, Frequencies, frequencies, geometric_frequencies, uniform_frequencies
from theory.solvable.circle import polylogarithm
from theory.stencils import Stencil, central, forward, stencil

TENTH = Fraction(1, 10)
STENCILS = [central(2), central(1), central(4), central(2, 4), forward(2, 2), stencil(1, [-1, 0, "1/2"])]


def real(x: Fraction) -> mpmath.mpf:
    return mp.mpf(x.numerator) / x.denominator


def inside(value: mpmath.mpf, enclosure: Enclosure, slack: float = 0.0) -> bool:
    return real(enclosure.lower) - slack <= value <= real(enclosure.upper) + slack


def entropy(weights: list[mpmath.mpf], power: Power) -> mpmath.mpf:
    roots = [x if power == 2 else mp.sqrt(x) for x in weights if x > 0]
    total = mp.fsum(roots)
    return mp.log(total) - mp.fsum(x * mp.log(x) for x in roots) / total


def modes(model: Circle, numbers: list[int], h: Fraction | None) -> list[mpmath.mpf]:
    """Each mode twice, straight from the symbol in complex arithmetic."""
    values = []
    for n in numbers:
        p = real(model.law.ratio) ** n if model.law.ratio is not None else real(dict(model.law.finite)[n])
        m = model.derivative
        if h is None:
            value = p * mp.mpf(n) ** (2 * m) / 4
        else:
            symbol = mp.fsum(
                real(c) * mp.expj(real(s * n * h))
                for s, c in zip(model.stencil.offsets, model.stencil.weights, strict=True)
            )
            value = p * abs(symbol) ** 2 / real(h) ** (2 * m) / 4
        values += [value, value]
    return values


@pytest.mark.parametrize("chosen", STENCILS, ids=lambda s: f"d{s.derivative}-{len(s.nodes)}")
def test_eigenvalues_are_those_of_the_integral_operator(chosen: Stencil) -> None:
    """The kernel is band-limited, so 64 equispaced points turn the operator into a circulant matrix exactly."""
    weights = {1: Fraction(1, 2), 3: Fraction(1, 3), 7: Fraction(1, 6)}
    model = Circle(frequencies(weights), chosen)
    h, points = Fraction(3, 10), 64
    x = 2 * np.pi * np.arange(points) / points
    steps = [float(s) * float(h) for s in chosen.offsets]
    kernel = np.zeros(points)
    for c, s in zip(chosen.weights, steps, strict=True):
        for d, t in zip(chosen.weights, steps, strict=True):
            shift = x + s - t
            kernel += float(c) * float(d) * 0.5 * sum(float(p) * np.cos(n * shift) for n, p in weights.items())
    kernel /= float(h) ** (2 * chosen.derivative)
    numerical = np.sort(np.fft.fft(kernel).real / points)[::-1][:6]
    listed = np.array([float(v) for v in model.fd_eigenvalues(6, h)])
    assert np.max(np.abs(numerical - listed)) < 1e-11 * listed[0]
    assert [float(v) for v in model.ad_eigenvalues(6)] == sorted(
        [float(p * n ** (2 * chosen.derivative) / 4) for n, p in weights.items()] * 2, reverse=True
    )


@given(st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=30), st.integers(0, 6))
@settings(max_examples=25)
def test_polylogarithm(q: Fraction, order: int) -> None:
    with mp.workdps(30):
        assert mp.almosteq(mp.polylog(-order, real(q)), real(polylogarithm(order, q)), rel_eps=mp.mpf(10) ** -25)


@pytest.mark.parametrize("q", [Fraction(1, 2), Fraction(19, 20)])
def test_traces_by_closed_form_and_by_summation(q: Fraction) -> None:
    model = Circle(geometric_frequencies(q))
    with mp.workdps(45):
        assert model.ad_trace() == polylogarithm(4, q) / 2
        for h in (TENTH, Fraction(1, 1000), Fraction(5, 2)):
            trace = model.fd_trace(h)
            t = real(h)

            def g(angle: mpmath.mpf) -> mpmath.mpf:
                return (1 - real(q) * mp.cos(angle)) / (1 - 2 * real(q) * mp.cos(angle) + real(q) ** 2)

            closed = (6 / (1 - real(q)) - 8 * g(t) + 2 * g(2 * t)) / t**4 / 2
            summed = mp.fsum(real(q) ** n * (2 * mp.sin(n * t / 2) / t) ** 4 for n in range(1, 2500)) / 2
            assert abs(closed - summed) < mp.mpf(10) ** -30 * closed
            assert inside(summed, trace, slack=float(summed) * 1e-32)
            assert trace.width < trace.lower / 10**28


@pytest.mark.parametrize("chosen", STENCILS, ids=lambda s: f"d{s.derivative}-{len(s.nodes)}")
def test_traces_of_finite_laws_are_the_sums_of_their_eigenvalues(chosen: Stencil) -> None:
    weights = {1: Fraction(1, 2), 3: Fraction(1, 3), 7: Fraction(1, 6)}
    model, h = Circle(frequencies(weights), chosen), Fraction(3, 10)
    with mp.workdps(40):
        assert model.ad_trace() == sum(p * n ** (2 * chosen.derivative) for n, p in weights.items()) / 2
        assert inside(mp.fsum(modes(model, list(weights), h)), model.fd_trace(h), slack=1e-25)


@pytest.mark.parametrize("power", [1, 2])
def test_entropy_of_the_geometric_law_by_zeta_functions(power: Power) -> None:
    """AD in closed form: Σ n^a Q^n log n = -∂_s Li_s(Q) at s = -a, by its expansion in log Q with ζ'."""
    q = Fraction(19, 20)
    with mp.workdps(45):
        a, mu = 2 * power, -mp.log(real(q)) * power / 2

        def li(s: int) -> mpmath.mpf:
            return mp.polylog(s, mp.exp(-mu))

        series = mp.nsum(lambda k: mp.zeta(-a - int(k), derivative=1) * (-mu) ** int(k) / mp.factorial(int(k)), [0, 60])
        pole = mp.gamma(1 + a) * mu ** (-a - 1) * (-mp.digamma(1 + a) + mp.log(mu))
        derivative = -(pole + series)
        total = li(-a)
        exact = mp.log(2) + mp.log(total) - (a * derivative - mu * li(-a - 1)) / total
        enclosure = Circle(geometric_frequencies(q)).entropy("ad", power=power, digits=28)
        assert inside(exact, enclosure)
        assert enclosure.width < Fraction(1, 10**25)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("chosen", [central(2), forward(1, 2)], ids=["central", "forward"])
def test_entropy_of_the_geometric_law_by_summation(power: Power, chosen: Stencil) -> None:
    model = Circle(geometric_frequencies(Fraction(3, 5)), chosen)
    with mp.workdps(40):
        for h in (None, Fraction(1, 4), Fraction(3, 1)):
            enclosure = model.entropy("ad" if h is None else "fd", h, power=power, digits=25)
            assert inside(entropy(modes(model, list(range(1, 500)), h), power), enclosure, 1e-33)
            assert enclosure.width < Fraction(1, 10**22)


@pytest.mark.parametrize(
    ("law", "power", "ad", "fd"),
    [
        (geometric_frequencies(Fraction(19, 20)), 2, "5.82", "4.44"),
        (geometric_frequencies(Fraction(19, 20)), 1, "6.20", "5.14"),
        (uniform_frequencies(32), 2, "3.37", "3.65"),
        (uniform_frequencies(32), 1, "3.74", "3.88"),
    ],
)
def test_the_sign_depends_on_the_law(law: Frequencies, power: Power, ad: str, fd: str) -> None:
    model = Circle(law)
    computed = [model.entropy("ad", power=power, digits=8), model.entropy("fd", TENTH, power=power, digits=8)]
    assert [f"{float(x):.2f}" for x in computed] == [ad, fd]
    assert all(x.width < Fraction(1, 10**6) for x in computed)
    assert model.gap_sign(TENTH, power=power).sign == (1 if float(fd) > float(ad) else -1)


def test_ranks_cut_the_spectrum_with_its_multiplicities() -> None:
    model = Circle(geometric_frequencies(Fraction(4, 5)))
    with mp.workdps(40):
        everything = sorted(modes(model, list(range(1, 300)), TENTH), reverse=True)
        for rank in (1, 2, 3, 10, 21):
            enclosure = model.entropy("fd", TENTH, power=1, rank=rank)
            assert inside(entropy(everything[:rank], 1), enclosure, 1e-30)
            assert enclosure.width < Fraction(1, 10**18)
        listed = model.fd_eigenvalues(30, TENTH)
        assert all(inside(x, b, 1e-30) for x, b in zip(everything, listed, strict=False))
        assert all(b.width < Fraction(1, 10**25) for b in listed)
        assert inside(mp.ln2, model.entropy("ad", rank=2))
    finite = Circle(uniform_frequencies(3))
    with pytest.raises(InputError, match="at most 6"):
        finite.entropy("ad", rank=7)
    with pytest.raises(InputError, match="at least 1"):
        finite.entropy("ad", rank=0)


supports = st.lists(st.integers(1, 12), min_size=2, max_size=6, unique=True).map(sorted)


@given(supports, st.data(), st.booleans(), st.fractions(Fraction(1, 50), 1, max_denominator=50))
@settings(max_examples=12, deadline=None)
def test_step_ranges_hold_inside_and_are_sharp_for_the_criterion(
    support: list[int], data: st.DataObject, rising: bool, part: Fraction
) -> None:
    values = st.lists(st.fractions(Fraction(1, 20), 5), min_size=len(support), max_size=len(support))
    weights = sorted(data.draw(values), reverse=not rising)
    model = Circle(frequencies({n: x / n**4 for n, x in zip(support, weights, strict=True)}))
    found = model.step_range()
    equal = weights[0] == weights[-1]
    assert found.sign == (1 if rising and not equal else -1)
    h = found.largest * part
    if h == 0:
        return
    with mp.workdps(40):
        rank = data.draw(st.integers(1, 2 * len(support)))
        for power in (1, 2):
            ad, fd = (sorted(modes(model, support, step), reverse=True) for step in (None, h))
            for r in (rank, 2 * len(support)):
                gap = entropy(fd[:r], power) - entropy(ad[:r], power)
                assert gap * found.sign >= -(mp.mpf(10) ** -35)
                proven = model.gap_sign(h, power=power, rank=r)
                assert proven.sign == (found.sign if r > 2 else 0)
                assert proven.route == ("ratio majorisation" if r > 2 else "equal spectra")


def test_rising_weights_alone_do_not_decide() -> None:
    """Dropping the condition on the product with the symbol: the sign is then the other one."""
    model = Circle(frequencies({n: Fraction(1000 + n, 1000 * n**4) for n in range(1, 9)}))
    found = model.step_range()
    assert found.sign == 1
    h = Fraction(1, 2)
    assert found.largest < h < 2 * Fraction(314, 100) / 8
    assert model.gap_sign(h).sign == -1
    assert model.gap(h).upper < 0


def test_the_step_range_of_the_uniform_law_is_closed() -> None:
    """n^4/R rises; sin(Rh/2) >= sin((R-1)h/2) up to h = 2π/(2R-1)."""
    for largest in (2, 5, 32):
        found = Circle(uniform_frequencies(largest)).step_range()
        with mp.workdps(30):
            exact = 2 * mp.pi / (2 * largest - 1)
            assert found.sign == 1
            assert -(mp.mpf(10) ** -18) < real(found.largest) - exact <= 0
    falling = Circle(frequencies({n: Fraction(1, n**5) for n in range(1, 6)})).step_range()
    assert falling.sign == -1
    with mp.workdps(40):
        assert -(mp.mpf(10) ** -18) < real(falling.largest) - 2 * mp.pi / 5 < 0


def test_step_ranges_that_do_not_exist() -> None:
    mixed = frequencies({1: Fraction(1), 2: Fraction(1, 1000), 3: Fraction(1)})
    for model in (
        Circle(geometric_frequencies(Fraction(1, 2))),
        Circle(mixed),
        Circle(uniform_frequencies(4), forward(2, 1)),
        Circle(uniform_frequencies(4), central(2, 4)),
        Circle(uniform_frequencies(4), central(1)),
    ):
        with pytest.raises(NonexistenceError, match="step range"):
            model.step_range()
        assert model.gap_sign(TENTH, digits=30).sign in (-1, 1)
    assert Circle(mixed).gap_sign(TENTH).sign == Circle(mixed).gap(TENTH).sign()


@given(supports, st.data(), st.fractions(Fraction(1, 20), 3, max_denominator=40), st.sampled_from(STENCILS))
@settings(max_examples=12, deadline=None)
def test_every_proven_sign_is_the_sign(support: list[int], data: st.DataObject, h: Fraction, chosen: Stencil) -> None:
    weights = data.draw(st.lists(st.fractions(Fraction(1, 20), 5), min_size=len(support), max_size=len(support)))
    model = Circle(frequencies(dict(zip(support, weights, strict=True))), chosen)
    with mp.workdps(60):
        for power in (1, 2):
            proven = model.gap_sign(h, power=power, digits=30)
            gap = entropy(modes(model, support, h), power) - entropy(modes(model, support, None), power)
            assert proven.sign is not None or abs(gap) < mp.mpf(10) ** -25
            assert proven.sign is None or abs(gap) < mp.mpf(10) ** -50 or proven.sign == mp.sign(gap)


def test_one_frequency_has_no_gap() -> None:
    model = Circle(frequencies({3: Fraction(1, 7)}))
    assert model.step_range().sign == 0
    assert model.gap_sign(Fraction(1, 2)).sign == 0
    assert model.gap(Fraction(1, 2)).width < Fraction(1, 10**15)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Frequencies(),
        lambda: Frequencies(((1, Fraction(1)),), Fraction(1, 2)),
        lambda: geometric_frequencies(Fraction(1)),
        lambda: frequencies({0: Fraction(1)}),
        lambda: frequencies({1: Fraction(0)}),
        lambda: Frequencies(((2, Fraction(1)), (1, Fraction(1)))),
        lambda: uniform_frequencies(0),
        lambda: Circle(uniform_frequencies(2)).entropy("fd"),
        lambda: Circle(uniform_frequencies(2)).entropy("fd", Fraction(0)),
        lambda: Circle(uniform_frequencies(2)).entropy("symbolic"),  # type: ignore[arg-type]
        lambda: Circle(uniform_frequencies(2)).entropy("ad", power=3),  # type: ignore[arg-type]
        lambda: Circle(uniform_frequencies(2)).ad_eigenvalues(0),
        lambda: polylogarithm(-1, Fraction(1, 2)),
        lambda: polylogarithm(1, Fraction(1)),
    ],
)
def test_bad_input_gives_one_line(call: object) -> None:
    assert callable(call)
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_too_many_modes_are_refused() -> None:
    with pytest.raises(PrecisionCapError, match="fewer digits"):
        Circle(geometric_frequencies(Fraction(9999, 10000))).entropy("ad")


def test_the_modes_descend_to_zero_of_the_symbol() -> None:
    """At nh near 2π the FD eigenvalue nearly vanishes; its enclosure stays non-negative and contains it."""
    h = Fraction(355, 113) * 2 / 7  # 7h is 2π to seven digits
    model = Circle(uniform_frequencies(7))
    value = model.fd_mode(7, h)
    with mp.workdps(50):
        exact = modes(model, [7], h)[0]
        assert 0 < exact < 1e-25
        assert inside(exact, value)
    assert value.lower >= 0
    assert [a.lower >= b.lower for a, b in pairwise(model.fd_eigenvalues(14, h))] == [True] * 13


def test_majorisation_of_eigenvalues_is_not_that_of_singular_values() -> None:
    """The normalised eigenvalues of FD majorise those of AD; their square roots do not: no sign from that route."""
    weights = {6: Fraction(8, 189), 7: Fraction(17, 55223), 9: Fraction(13, 52488), 12: Fraction(17, 165888)}
    model, h = Circle(frequencies(weights)), Fraction(1, 20)
    orders = []
    for power in (2, 1):
        with mp.workdps(30):
            ad, fd = (sorted(modes(model, sorted(weights), step), reverse=True) for step in (None, h))
            orders.append(majorisation_order(*([x ** (mp.mpf(power) / 2) for x in v] for v in (ad, fd))))
    assert orders == [Order.SECOND_MAJORISES, Order.INCOMPARABLE]
    for power in (1, 2):
        found = model.gap_sign(h, power=power)
        assert (found.sign, found.route) == (-1, "enclosures")

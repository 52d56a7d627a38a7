"""Entropies of enclosed spectra: whatever lies inside the enclosures has its entropy inside the hull."""

from __future__ import annotations

import itertools
from fractions import Fraction

import flint
import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from numerics.entropy.compare import (
    EntropyEnclosure,
    difference,
    entropies,
    entropy_enclosure,
    entropy_enclosures,
    entropy_of,
)
from numerics.problem.problem import Problem
from numerics.spectra.spectrum import spectrum
from proofs_check.search.strategies import conventions, rationals, spectra
from theory.entropy.conventions import Convention, standard_conventions

DIGITS = 60
Parts = tuple[Enclosure, ...]


def cutoff(values: tuple[Fraction, ...], convention: Convention) -> int:
    """The effective cut-off number by its definition, in rationals."""
    tau, q = convention.tau, convention.power
    positive = [v for v in values if v > 0]
    match convention.rule:
        case "relative":
            return sum(v >= tau * values[0] for v in positive)
        case "absolute":
            return sum(v >= tau for v in values)
        case "fixed":
            assert convention.rank is not None
            return min(convention.rank, len(positive))
        case _:
            total = sum(v**q for v in values)
            return next(r for r in range(len(values) + 1) if sum(v**q for v in values[:r]) >= (1 - tau) * total)


def entropy(values: tuple[Fraction, ...], convention: Convention) -> mpmath.mpf | None:
    """The truncated entropy by its definition, to 60 digits; None where it is undefined."""
    r = cutoff(values, convention)
    if r == 0 or (convention.normalised and r == 1):
        return None
    with mpmath.workdps(DIGITS):
        kept = [mpmath.mpf(v.numerator) / v.denominator for v in values[:r]]
        weights = [v**convention.power for v in kept]
        total = mpmath.fsum(weights)
        H = -mpmath.fsum(w / total * mpmath.log(w / total) for w in weights if w)
        return H / mpmath.log(r) if convention.normalised else H


def fraction(value: mpmath.mpf) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(int(-mantissa if sign else mantissa)) * Fraction(2) ** int(exponent)


def check(found: EntropyEnclosure, values: tuple[Fraction, ...], convention: Convention) -> None:
    """One spectrum inside the enclosures: its cut-off and its entropy are inside the hulls."""
    r, H = cutoff(values, convention), entropy(values, convention)
    assert found.cutoff[0] <= r <= found.cutoff[1]
    if found.value is None:
        assert found.reason
        return
    assert H is not None
    slack = Fraction(1, 10**50)
    assert found.value.lower - slack <= fraction(H) <= found.value.upper + slack


@given(spectra(), conventions())
def test_exact_spectra(values: tuple[Fraction, ...], convention: Convention) -> None:
    """Enclosures of width 0: the cut-off is decided, the hull is a point up to the arithmetic's 200 bits."""
    found = entropy_enclosure([Enclosure.exact(v) for v in values], convention)
    r, H = cutoff(values, convention), entropy(values, convention)
    if found.cutoff[0] == found.cutoff[1]:
        assert found.cutoff == (r, r)
        assert (found.value is None) == (H is None)
    check(found, values, convention)
    if found.value is not None and found.cutoff[0] == found.cutoff[1]:
        assert found.value.width < Fraction(1, 2**170)


@st.composite
def enclosed(draw: st.DrawFn) -> tuple[Parts, list[tuple[Fraction, ...]]]:
    """Enclosures whose tail may reach 0, as the engine gives them, and descending spectra inside them."""
    middle = draw(spectra(max_size=6, zeros=False, wide=draw(st.booleans())))
    spread = draw(st.integers(0, 12).map(lambda n: Fraction(1, 10**n)) | rationals(0, 1))
    parts = [Enclosure(v * (1 - spread / 2), v * (1 + spread)) for v in middle]
    unproven = draw(st.integers(0, 3))
    if unproven:
        top = min(p.upper for p in parts) * draw(st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(1, 10**9)]))
        parts += [Enclosure(Fraction(0), top)] * unproven
    inside = []
    for _ in range(4):
        t = [draw(rationals(0, 1)) for _ in parts]
        values = sorted((p.lower + s * p.width for p, s in zip(parts, t, strict=True)), reverse=True)
        inside.append(tuple(values))
    inside += [tuple(p.lower for p in parts), tuple(p.upper for p in parts)]
    return tuple(parts), [values for values in inside if all(v in p for v, p in zip(values, parts, strict=True))]


@given(enclosed(), conventions())
def test_the_hull_contains_the_entropy_of_every_spectrum_inside(
    drawn: tuple[Parts, list[tuple[Fraction, ...]]], convention: Convention
) -> None:
    parts, inside = drawn
    assume(all(a >= b for values in inside for a, b in itertools.pairwise(values)))
    found = entropy_enclosure(parts, convention)
    for values in inside:
        if values[0] > 0:
            check(found, values, convention)
    if found.value is not None:
        ceiling = 1 if convention.normalised else fraction(mpmath.log(max(found.cutoff[1], 1))) + Fraction(1, 10**14)
        assert 0 <= found.value.lower <= found.value.upper <= ceiling


@given(spectra(min_size=2, max_size=6, zeros=False, wide=False), st.integers(4, 20), conventions())
def test_narrow_enclosures_give_narrow_hulls(values: tuple[Fraction, ...], n: int, convention: Convention) -> None:
    """With a decided cut-off the width is at most r times the sensitivities' sum: |dH| ≤ 2 q log(r/p_min) δ."""
    width = Fraction(1, 10**n)
    found = entropy_enclosure([Enclosure(v * (1 - width), v * (1 + width)) for v in values], convention)
    assume(found.value is not None and found.cutoff[0] == found.cutoff[1] > 1)
    assert found.value is not None
    assert found.value.width < 10_000 * width  # p_min ≥ (1/144)²/6 here, and interval arithmetic doubles a few times


def test_a_tail_known_to_be_small_narrows_the_hull() -> None:
    """Two proven values and six in [0, c]: between the entropy of two values and that of all with c, not [0, log 8]."""
    c = Fraction(1, 10**12)
    parts = [Enclosure.exact(2), Enclosure.exact(1), *[Enclosure(Fraction(0), c)] * 6]
    for power in (1, 2):
        found = entropy_enclosure(parts, Convention("absolute", Fraction(1, 10**13), power))  # type: ignore[arg-type]
        assert found.cutoff == (2, 8)
        assert found.value is not None
        two = entropy((Fraction(2), Fraction(1)), Convention("fixed", power=power, rank=2))  # type: ignore[arg-type]
        assert two is not None
        assert fraction(two) in Enclosure(found.value.lower - Fraction(1, 10**50), found.value.upper)
        assert found.value.width < Fraction(1, 10**9)


def test_a_tail_that_is_not_small_claims_nothing() -> None:
    parts = [Enclosure.exact(1), Enclosure(Fraction(0), Fraction(1))]
    found = entropy_enclosure(parts, Convention("absolute", Fraction(1, 10**9)))
    assert found.value is not None
    assert found.value.lower == 0
    assert abs(float(found.value.upper) - float(mpmath.log(2))) < 1e-12


@pytest.mark.parametrize("convention", standard_conventions(3), ids=lambda c: c.label)
def test_degenerate_spectra(convention: Convention) -> None:
    zero = entropy_enclosure([Enclosure.exact(0)] * 3, convention)
    assert zero.value is None
    assert zero.reason
    one = entropy_enclosure([Enclosure.exact(5), Enclosure.exact(0)], convention)
    assert one.cutoff == (1, 1)
    if convention.normalised:
        assert one.value is None
        assert one.reason
        assert one.middle() is None
    else:
        assert one.value == Enclosure.exact(0)
        assert one.middle() == 0
    unknown = entropy_enclosure([Enclosure(Fraction(0), Fraction(1))] * 2, convention)
    assert unknown.value is None
    assert unknown.reason


def test_an_undecided_cutoff_takes_the_hull() -> None:
    tau = Fraction(1, 10)
    near = Enclosure(tau * (1 - Fraction(1, 10**6)), tau * (1 + Fraction(1, 10**6)))
    found = entropy_enclosure([Enclosure.exact(1), near], Convention("relative", tau))
    assert found.cutoff == (1, 2)
    assert found.value is not None
    assert found.value.lower == 0
    both = entropy((Fraction(1), tau), Convention("fixed", rank=2))
    assert both is not None
    assert abs(float(found.value.upper) - float(both)) < 1e-5


def test_the_precision_in_force_does_not_matter() -> None:
    parts = [Enclosure(Fraction(k), Fraction(k) + Fraction(1, 10**30)) for k in (5, 3, 1)]
    expected = entropy_enclosure(parts, Convention())
    with flint.ctx.workprec(20):
        assert entropy_enclosure(parts, Convention()) == expected
        assert flint.ctx.prec == 20


@given(spectra(), st.lists(conventions(), min_size=1, max_size=4))
def test_several_conventions_at_once(values: tuple[Fraction, ...], chosen: list[Convention]) -> None:
    parts = [Enclosure.exact(v) for v in values]
    assert entropy_enclosures(parts, chosen) == [entropy_enclosure(parts, c) for c in chosen]


def test_difference() -> None:
    def known(low: int, high: int) -> EntropyEnclosure:
        return EntropyEnclosure(Enclosure(Fraction(low), Fraction(high)), (2, 2))

    undefined = EntropyEnclosure(None, (0, 0), "why")
    assert difference(known(1, 2), known(5, 7)) == Enclosure(Fraction(3), Fraction(6))
    assert difference(known(5, 7), known(1, 2)) == Enclosure(Fraction(-6), Fraction(-3))
    assert difference(undefined, known(1, 2)) is None
    assert difference(known(1, 2), undefined) is None


@pytest.mark.parametrize("convention", standard_conventions(4), ids=lambda c: c.label)
def test_of_a_problem_in_every_arithmetic(convention: Convention) -> None:
    """Certified entropies against the definition at mpmath's reference; floats within the slack of their arithmetic."""
    problem = Problem(count=6, interior=(6,), convention=convention)
    exact = entropies(problem, "exact")
    assert exact == entropies(problem, "exact", convention)
    for method, found in zip(("ad", "fd"), exact, strict=True):
        values = spectrum(problem, method, "exact", 30).values  # type: ignore[arg-type]
        check(found, tuple(v.middle for v in values), convention)
        assert found == entropy_of(spectrum(problem, method, "exact"), convention)  # type: ignore[arg-type]
        assert found.value is not None
        assert found.value.width < Fraction(1, 10**8)
    for found, certified in zip(entropies(problem, "float64"), exact, strict=True):
        assert found.value is not None
        assert certified.value is not None
        assert abs(found.value.middle - certified.value.middle) < Fraction(1, 10**6)


@given(st.lists(rationals(Fraction(1), Fraction(2)), min_size=2, max_size=8), conventions())
def test_values_known_within_a_factor_claim_something_true(factors: list[Fraction], convention: Convention) -> None:
    """Wide balls have no logarithm; the hull is then [0, log r], never a crash (float spectra near their floor)."""
    assume(convention.rule != "energy")
    parts = [Enclosure(Fraction(1), q) for q in sorted(factors, reverse=True)]
    found = entropy_enclosure(parts, convention)
    for values in (tuple(p.lower for p in parts), tuple(p.upper for p in parts), tuple(p.middle for p in parts)):
        check(found, values, convention)


@pytest.mark.parametrize("convention", standard_conventions(12), ids=lambda c: c.label)
def test_float_spectra_that_end_in_noise(convention: Convention) -> None:
    """Some of these values are within a factor of LAPACK's error: every convention still has an answer."""
    problem = Problem(count=12, interior=(12,))
    for arithmetic in ("float32", "float64"):
        for found in entropies(problem, arithmetic, convention):  # type: ignore[arg-type]
            assert found.value is not None


PAIR = (Enclosure(Fraction(1), Fraction(2)), Enclosure(Fraction(1), Fraction(3, 2)))
OPEN: list[tuple[Parts, Convention, tuple[Fraction, ...]]] = [
    # a wide pair, normalised: 1 and not log 2 is the ceiling
    (PAIR, Convention("fixed", rank=2, normalised=True), (Fraction(1), Fraction(1))),
    # a small tail at its upper end, and at 0
    (
        (Enclosure.exact(2), Enclosure.exact(1), Enclosure(Fraction(0), Fraction(1, 10))),
        Convention("fixed", rank=3),
        (Fraction(2), Fraction(1), Fraction(1, 10)),
    ),
    (
        (Enclosure.exact(2), Enclosure.exact(1), Enclosure(Fraction(0), Fraction(1, 10))),
        Convention("fixed", rank=3),
        (Fraction(2), Fraction(1), Fraction(0)),
    ),
    # a tail that may be the largest: raising it further would lower the entropy again
    (
        (*[Enclosure.exact(1)] * 4, Enclosure(Fraction(0), Fraction(3))),
        Convention("fixed", rank=5),
        (Fraction(1),) * 5,
    ),
]


@pytest.mark.parametrize(("parts", "convention", "inside"), OPEN)
def test_open_tails(parts: Parts, convention: Convention, inside: tuple[Fraction, ...]) -> None:
    assert all(v in p for v, p in zip(inside, parts, strict=True))
    found = entropy_enclosure(parts, convention)
    assert found.value is not None
    check(found, inside, convention)


@pytest.mark.parametrize("ratio", [Fraction(11, 10), Fraction(2), Fraction(99), Fraction(10**6)])
@pytest.mark.parametrize("power", [1, 2])
def test_wide_enclosures_have_bounds_too(ratio: Fraction, power: int) -> None:
    """(1, x) with x between c/ratio and c: quotients of such balls may reach 0, where the logarithm ends."""
    for c in (Fraction(99, 100), Fraction(1, 2), Fraction(1, 1000)):
        convention = Convention("fixed", rank=2, power=power)  # type: ignore[arg-type]
        found = entropy_enclosure([Enclosure(Fraction(1), Fraction(1)), Enclosure(c / ratio, c)], convention)
        assert found.value is not None
        for x in (c / ratio, (c / ratio + c) / 2, c):
            weight = (mpmath.mpf(x.numerator) / x.denominator) ** power
            exact = float(mpmath.log1p(weight) - weight * mpmath.log(weight) / (1 + weight))
            assert float(found.value.lower) - 1e-12 <= exact <= float(found.value.upper) + 1e-12
        assert found.value.upper <= Fraction(7, 10)

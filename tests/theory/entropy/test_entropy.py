from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import iv, mp

from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention, Power, standard_conventions
from theory.entropy.entropy import (
    covariance,
    covariance_gap,
    cutoff,
    cutoff_range,
    effective_rank,
    entropy_gap_coefficient,
    natural_log,
    probabilities,
    shannon_entropy,
    truncated_entropy,
)

positive = st.fractions(min_value=Fraction(1, 10**6), max_value=10**3, max_denominator=10**6)
spectra = st.lists(positive, min_size=1, max_size=12).map(lambda x: sorted(x, reverse=True))
spectra_with_zeros = st.tuples(spectra, st.integers(0, 3)).map(lambda t: t[0] + [Fraction(0)] * t[1])
powers = st.sampled_from([1, 2])
conventions = st.one_of(
    st.builds(
        Convention,
        rule=st.just("relative"),
        tau=st.fractions(min_value=Fraction(1, 10**7), max_value=1),
        power=powers,
    ),
    st.builds(
        Convention,
        rule=st.just("absolute"),
        tau=st.fractions(min_value=Fraction(1, 10**7), max_value=10**3),
        power=powers,
    ),
    st.builds(
        Convention,
        rule=st.just("energy"),
        tau=st.fractions(min_value=0, max_value=Fraction(99, 100)),
        power=powers,
    ),
    st.builds(Convention, rule=st.just("fixed"), tau=st.just(Fraction(0)), rank=st.integers(1, 15), power=powers),
)


def definition(values: list[Fraction], convention: Convention) -> int:
    """The cut-off number by its definition, word for word."""
    q, tau = convention.power, convention.tau
    if convention.rule == "relative":
        return sum(1 for x in values if x > 0 and x >= tau * values[0])
    if convention.rule == "absolute":
        return sum(1 for x in values if x >= tau)
    if convention.rule == "fixed":
        assert convention.rank is not None
        return min(convention.rank, sum(1 for x in values if x > 0))
    total = sum(x**q for x in values)
    return next(r for r in range(len(values) + 1) if sum(x**q for x in values[:r]) >= (1 - tau) * total)


def arbs(values: list[Fraction], radius: float = 0.0) -> list[flint.arb]:
    return [flint.arb(flint.fmpq(x.numerator, x.denominator)) + flint.arb(0, radius * float(x)) for x in values]


@given(spectra_with_zeros, conventions)
@settings(max_examples=25)
def test_cutoff_is_the_definition_in_every_number_type(values: list[Fraction], convention: Convention) -> None:
    expected = definition(values, convention)
    assert cutoff(values, convention) == expected
    floats = [float(x) for x in values]
    from_floats = definition([Fraction(x) for x in floats], convention)
    if convention.rule != "energy" or convention.tau > 0:  # sums of floats round; the threshold must not
        shares = [sum(Fraction(x) ** convention.power for x in floats[r:]) for r in range(len(floats) + 1)]
        near = any(abs(s - convention.tau * shares[0]) <= shares[0] * Fraction(1, 10**13) for s in shares)
        if convention.rule != "energy" or not near:
            assert cutoff(floats, convention) == from_floats
            assert cutoff(np.array(floats), convention) == from_floats
    lower, upper = cutoff_range(arbs(values, 1e-9), convention)
    assert lower <= expected <= upper


@given(spectra, conventions)
@settings(max_examples=25)
def test_entropy_agrees_between_number_types_and_lies_in_its_range(
    values: list[Fraction], convention: Convention
) -> None:
    r = cutoff(values, convention)
    if r == 0:
        assert truncated_entropy(values, convention).value is None
        return
    exact = truncated_entropy(values, convention, lambda x: mpmath.log(mpmath.mpf(x.numerator) / x.denominator))
    with mp.workdps(40):
        reference = truncated_entropy([mp.mpf(x.numerator) / x.denominator for x in values], convention, r=r).value
        total = mp.fsum((mp.mpf(x.numerator) / x.denominator) ** convention.power for x in values[:r])
        weights = [(mp.mpf(x.numerator) / x.denominator) ** convention.power for x in values[:r]]
        # The other form of the entropy, log S - Σ w log w / S.
        other = mp.log(total) - mp.fsum(w * mp.log(w) for w in weights) / total
        assert abs(reference - other) < mp.mpf(10) ** -35
        assert -(mp.mpf(10) ** -35) <= reference <= mp.log(r) + mp.mpf(10) ** -35
    assert abs(exact.value - reference) < 1e-13
    assert abs(truncated_entropy([float(x) for x in values], convention, r=r).value - reference) < 1e-13
    ball = truncated_entropy(arbs(values), convention, r=r).value
    assert ball.rad() < 1e-13
    assert abs(float(ball.mid()) - reference) < 1e-13 + float(ball.rad())
    interval = truncated_entropy([iv.mpf(x.numerator) / x.denominator for x in values], convention, r=r).value
    assert mp.mpf(interval.delta) < 1e-12
    assert reference in interval or min(abs(reference - interval.a), abs(reference - interval.b)) < 1e-30


@given(spectra, powers, st.fractions(min_value=Fraction(1, 100), max_value=100))
@settings(max_examples=25)
def test_scale_invariance_and_grouping(values: list[Fraction], power: Power, scale: Fraction) -> None:
    convention = Convention("fixed", rank=len(values), power=power)

    def log(x: Fraction) -> mpmath.mpf:
        return mp.log(mp.mpf(x.numerator) / x.denominator)

    with mp.workdps(40):
        whole = truncated_entropy(values, convention, log).value
        assert abs(truncated_entropy([scale * x for x in values], convention, log).value - whole) < 1e-38
        # Grouping: H(p) = h(λ) + λ H(left) + (1 - λ) H(right).
        if len(values) >= 2:
            p = probabilities(values, len(values), power)
            split = len(values) // 2
            share = sum(p[:split])
            parts = shannon_entropy([share, 1 - share], log)
            for group in (p[:split], p[split:]):
                mass = sum(group)
                inner = shannon_entropy([x / mass for x in group], log)
                parts += mass.numerator * inner / mass.denominator
            assert abs(parts - whole) < 1e-37


def test_uniform_spectra_have_the_greatest_entropy() -> None:
    for n in (2, 3, 16):
        for power in (1, 2):
            plain = truncated_entropy([3.0] * n, Convention(power=power))
            assert plain.value == pytest.approx(math.log(n), abs=1e-15)
            normalised = truncated_entropy([3.0] * n, Convention(power=power, normalised=True))
            assert normalised.value == pytest.approx(1, abs=1e-15)
            assert effective_rank([3.0] * n, Convention(power=power)).value == pytest.approx(n)


def test_degenerate_spectra() -> None:
    for convention in standard_conventions():
        empty = truncated_entropy([], convention)
        zero = truncated_entropy([0.0, 0.0], convention)
        assert empty.value is None
        assert zero.value is None
        assert zero.cutoff == 0
        assert zero.reason is not None
        assert convention.label in zero.reason
        one = truncated_entropy([2.0, 0.0], convention)
        assert one.cutoff == 1
        if convention.normalised:
            assert one.value is None
            assert one.reason is not None
            assert "log r" in one.reason
        else:
            assert one.value == 0
            assert one.reason is None
    ball = truncated_entropy(arbs([Fraction(2)]), Convention()).value
    assert ball == 0
    assert ball.is_exact()


def test_extreme_floats_neither_overflow_nor_vanish() -> None:
    for exponent in (-1000, -530, 530, 1000):
        for power in (1, 2):
            scaled = [math.ldexp(x, exponent) for x in (3.0, 1.0, 0.3)]
            assert truncated_entropy(scaled, Convention(power=power)) == truncated_entropy(
                [3.0, 1.0, 0.3], Convention(power=power)
            )
    deep = truncated_entropy([Fraction(1), Fraction(1, 2**2000)], Convention(tau=Fraction(1, 2**2001))).value
    assert deep == 0.0 or deep < 1e-300  # p log p of 2^-2000 is below the range of a float


def test_single_precision_values_are_taken_exactly() -> None:
    values = np.array([1.0, 0.1, 1e-13], dtype=np.float32)
    convention = Convention(tau=Fraction(float(values[1])))  # on the boundary: >= keeps it
    assert cutoff(values, convention) == 2
    assert cutoff(list(values), convention) == 2
    assert truncated_entropy(values, convention) == truncated_entropy([float(x) for x in values], convention)


def test_the_threshold_is_the_rational_not_its_double() -> None:
    double = 1e-12
    kept = Fraction(double) >= Fraction(1, 10**12)
    assert cutoff([1.0, double], Convention()) == 1 + kept
    neighbours = [math.nextafter(double, 0), math.nextafter(double, 1)]
    assert [cutoff([1.0, x], Convention()) for x in neighbours] == [1, 2]


def test_undecided_cutoffs_are_refused_and_bounded() -> None:
    wide = [flint.arb(1), flint.arb("0.5 +/- 0.1"), flint.arb("0 +/- 1e-20")]
    for convention in (
        Convention(tau=Fraction(1, 2)),
        Convention("absolute", tau=Fraction(1, 2)),
        Convention("energy", tau=Fraction(1, 3)),
        Convention("fixed", tau=Fraction(0), rank=3),
    ):
        lower, upper = cutoff_range(wide, convention)
        assert lower < upper
        with pytest.raises(PrecisionCapError, match=f"between {lower} and {upper}"):
            cutoff(wide, convention)
        assert truncated_entropy(wide, convention, r=2).cutoff == 2


@given(spectra, conventions, st.floats(1e-6, 0.2))
@settings(max_examples=25)
def test_cutoff_ranges_hold_for_every_point_of_the_balls(
    values: list[Fraction], convention: Convention, radius: float
) -> None:
    lower, upper = cutoff_range(arbs(values, radius), convention)
    spread = Fraction(radius)
    for factors in ((1 - spread, 1 - spread), (1 + spread, 1 + spread), (1 + spread, 1 - spread), (1, 1)):
        point = [x * factors[k > 0] for k, x in enumerate(values)]
        if all(a >= b for a, b in pairwise(point)):
            assert lower <= definition(point, convention) <= upper


def test_standard_conventions_are_distinct_and_survive_json() -> None:
    listed = standard_conventions()
    assert len(set(listed)) == 16
    assert len({c.label for c in listed}) == 16
    assert listed[0] == Convention()
    assert [Convention.from_dict(c.to_dict()) for c in listed] == list(listed)
    assert {(c.rule, c.power, c.normalised) for c in listed} == {
        (rule, power, normalised)
        for rule in ("relative", "absolute", "energy", "fixed")
        for power in (1, 2)
        for normalised in (False, True)
    }


@given(conventions)
@settings(max_examples=25)
def test_any_convention_survives_json(convention: Convention) -> None:
    assert Convention.from_dict(convention.to_dict()) == convention


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rule": "median"}, "rule: 'median'.*relative, absolute, energy, fixed"),
        ({"rule": []}, r"rule: \[\]"),
        ({"tau": "0"}, "tau: 0 with rule 'relative'.*0 < τ <= 1"),
        ({"tau": "2"}, "tau: 2 "),
        ({"tau": 1e-12}, "tau: 1e-12 is not exact"),
        ({"tau": "1/0"}, "divides by zero"),
        ({"rule": "absolute", "tau": "-1"}, "τ > 0"),
        ({"rule": "energy", "tau": "1"}, "0 <= τ < 1"),
        ({"power": 3}, "power: 3 .*allowed: 1, 2"),
        ({"power": True}, "power: True"),
        ({"power": "1"}, "power: '1'"),
        ({"normalised": 1}, "normalised: 1 .*true, false"),
        ({"rank": 4}, "rank: 4 with rule 'relative'"),
        ({"rule": "fixed"}, "rank: None with rule 'fixed'"),
        ({"rule": "fixed", "rank": 0}, "rank: 0"),
        ({"rule": "fixed", "rank": 2.0}, "rank: 2.0"),
        ({"rule": "fixed", "rank": 2, "tau": "1/2"}, "has no τ"),
        ({"threshold": "1"}, "threshold: unknown key.*rule, tau, power, normalised, rank"),
    ],
)
def test_bad_conventions_give_one_clear_line(data: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Convention.from_dict(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], r"values\[1\]: 2.0 exceeds"),
        ([1.0, -0.5], r"values\[1\]: -0.5 is negative"),
        ([math.inf, 1.0], r"values\[0\]: inf"),
        ([1.0, math.nan], r"values\[1\]: nan"),
        (np.array([1.0, np.nan], dtype=np.float32), r"values\[1\]: nan"),
        ([Fraction(1), Fraction(2)], "descending"),
        ([flint.arb(1), flint.arb(2)], "descending"),
    ],
)
def test_bad_spectra_are_refused(values: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        truncated_entropy(values, Convention())


def test_probabilities_refuse_what_has_none() -> None:
    for arguments in (([1.0], 0, 1), ([1.0], 2, 1), ([1.0], 1, 3), ([0.0], 1, 1), ([flint.arb("0 +/- 1")], 1, 1)):
        with pytest.raises(InputError):
            probabilities(*arguments)
    with pytest.raises(InputError, match="normalised: true"):
        effective_rank([1.0], Convention(normalised=True))


def test_a_ball_around_zero_does_not_silently_vanish() -> None:
    # x != 0 is undecided for such a ball: its term must stay, and make the entropy useless rather than wrong.
    assert not shannon_entropy([flint.arb(1), flint.arb("0 +/- 1e-5")]).is_finite()
    assert shannon_entropy([flint.arb(1), flint.arb(0)]) == 0


def test_natural_log_in_every_type() -> None:
    assert natural_log(2.0) == math.log(2)
    assert natural_log(Fraction(2)) == math.log(2)
    assert natural_log(np.float32(2)) == math.log(2)
    assert natural_log(Fraction(10) ** 400) == pytest.approx(400 * math.log(10), rel=1e-15)
    with mp.workdps(50):
        assert mp.almosteq(natural_log(mp.mpf(2)), mp.ln2)
    assert natural_log(flint.arb(2)).overlaps(flint.arb.const_log2())
    assert mp.ln2 in natural_log(iv.mpf(2))


def orthogonal(n: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(
    ("sigma", "r"), [([5, 3, 1.5, 0.4], 4), ([5, 3, 1.5, 0.4], 2), ([4, 3, 3, 0.4], 3), ([3, 1, 1, 0.2, 0.1], 3)]
)
def test_gap_coefficient_is_the_first_order(sigma: list[float], r: int, power: Power) -> None:
    """Against the SVD itself, with clusters inside the top r: the error of the prediction is of second order."""
    n = len(sigma)
    with mp.workdps(40):
        u, v = mp.matrix(orthogonal(n, 1).tolist()), mp.matrix(orthogonal(n, 2).tolist())
        u, v = mp.qr(u)[0], mp.qr(v)[0]
        b = mp.matrix(np.random.default_rng(3).standard_normal((n, n)).tolist())
        a = u * mp.diag([mp.mpf(x) for x in sigma]) * v.T
        rates = [(u.T * b * v)[k, k] for k in range(n)]
        coefficient = entropy_gap_coefficient([mp.mpf(x) for x in sigma], rates, r, power)
        convention = Convention("fixed", tau=Fraction(0), rank=r, power=power)

        def entropy(matrix: mpmath.matrix) -> mpmath.mpf:
            return truncated_entropy(sorted(mp.svd_r(matrix, compute_uv=False), reverse=True), convention).value

        start = entropy(a)
        steps = [mp.mpf(10) ** -k for k in (3, 4, 5)]
        errors = [abs(entropy(a + t * b) - start - t * coefficient) for t in steps]
        assert abs(coefficient) > 1e-3
        slopes = [float(mp.log10(errors[i] / errors[i + 1])) for i in range(2)]
        assert slopes == pytest.approx([2, 2], abs=0.05)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(
    ("offsets", "weights", "order", "coefficient"),
    [
        ([-1, 0, 1], [1, -2, 1], 2, Fraction(1, 12)),
        ([-2, -1, 0, 1, 2], [Fraction(-1, 12), Fraction(4, 3), Fraction(-5, 2), Fraction(4, 3), Fraction(-1, 12)], 4,
         Fraction(-1, 90)),
    ],
)  # fmt: skip
def test_covariance_gap_for_sine_features(
    offsets: list[int], weights: list[Fraction], order: int, coefficient: Fraction, power: Power
) -> None:
    with mp.workdps(40):
        rng = np.random.default_rng(4)
        n = 5
        w = [mp.mpf(x) for x in rng.uniform(-3, 3, n)]
        b = [mp.mpf(x) for x in rng.uniform(-3, 3, n)]
        x = [mp.mpf(2 * i - n + 1) / n for i in range(n)]

        def feature(i: int, j: int, shift: mpmath.mpf) -> mpmath.mpf:
            return mp.sin(w[j] * (x[i] + shift) + b[j])

        exact = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                exact[i, j] = -(w[j] ** 2) * feature(i, j, mp.mpf(0))
        convention = Convention("fixed", tau=Fraction(0), rank=n, power=power)
        _, s, vt = mp.svd_r(exact)
        p = probabilities(list(s), n, power)
        f = [mp.fsum(vt[k, j] ** 2 * w[j] ** order for j in range(n)) for k in range(n)]
        predicted = covariance_gap(p, f, power, coefficient if order % 4 == 0 else -coefficient)
        start = truncated_entropy(list(s), convention).value
        errors, steps = [], [mp.mpf(1) / 10, mp.mpf(1) / 20, mp.mpf(1) / 40]
        for h in steps:
            shifted = mp.matrix(n, n)
            for i in range(n):
                for j in range(n):
                    shifted[i, j] = (
                        mp.fsum(
                            mp.mpf(c.numerator) / c.denominator * feature(i, j, k * h)
                            for k, c in zip(offsets, map(Fraction, weights), strict=True)
                        )
                        / h**2
                    )
            gap = truncated_entropy(list(mp.svd_r(shifted, compute_uv=False)), convention).value - start
            errors.append(abs(gap / h**order - predicted))
        slopes = [float(mp.log(errors[i] / errors[i + 1], 2)) for i in range(2)]
        assert slopes == pytest.approx([2, 2], abs=0.1)
        assert errors[-1] < abs(predicted) / 50


def test_gap_coefficient_refuses_what_it_cannot_know() -> None:
    with pytest.raises(InputError, match="σ_r > 0"):
        entropy_gap_coefficient([1.0, 0.0], [1.0, 1.0], 2)
    with pytest.raises(InputError, match="at least r"):
        entropy_gap_coefficient([1.0, 0.5], [1.0], 2)
    with pytest.raises(InputError, match="lengths"):
        covariance([Fraction(1)], [], [Fraction(1)])


@given(spectra, st.data())
@settings(max_examples=25)
def test_covariance_is_mean_of_product_minus_product_of_means(values: list[Fraction], data: st.DataObject) -> None:
    n = len(values)
    p = probabilities(values, n)
    f, g = (data.draw(st.lists(positive, min_size=n, max_size=n)) for _ in range(2))
    mean = [sum(a * b for a, b in zip(p, x, strict=True)) for x in (f, g)]
    product = sum(a * b * c for a, b, c in zip(p, f, g, strict=True))
    assert covariance(p, f, g) == product - mean[0] * mean[1]


def test_normalised_by_the_logarithm_of_the_cutoff_number() -> None:
    """Two equal values and a negligible third: log 2 / log 2, whatever the number of values is."""
    normalised = Convention("relative", Fraction(1, 10**12), 1, True)
    assert truncated_entropy([1.0, 1.0, 1e-20], normalised).value == 1.0


@pytest.mark.parametrize("number", [Fraction, float])
def test_a_value_at_the_threshold_is_kept_for_certain(number: type) -> None:
    half = Convention("relative", Fraction(1, 2))
    assert cutoff_range([number(1), number(Fraction(1, 2)), number(Fraction(1, 4))], half) == (2, 2)

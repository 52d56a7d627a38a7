"""The second checker: its arithmetic against mpmath, and its verdicts against the first one and against the truth."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.problem import Problem
from numerics.spectra.certificate import certificate
from proofs_check import checker, second_checker
from proofs_check.second_checker import intervals, series
from proofs_check.second_checker.intervals import Interval, UndecidedError, working
from proofs_check.second_checker.judge import findings
from tests.proofs_check.certificate_cases import FACTORS, MPMATH, holds, mutated, of_matrix, valid

FOLDER = Path(second_checker.__file__).parent


@pytest.fixture(autouse=True)
def _plenty() -> None:
    intervals.allow(1e12)


def real(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def contains(x: Interval, value: mpmath.mpf) -> bool:
    low, high = map(real, x.fractions())
    return bool(low <= value <= high)


RATIONALS = st.fractions(-40, 40, max_denominator=10**9) | st.fractions(-2, 2) | st.integers(-(10**5), 10**5)


@given(RATIONALS, RATIONALS, st.sampled_from([32, 53, 64, 200]), st.integers(0, 60))
def test_arithmetic_contains_and_is_narrow(p: Fraction, q: Fraction, bits: int, wide: int) -> None:
    p, q = Fraction(p), Fraction(q)
    with working(bits):
        a, b = Interval.of(p), Interval.of(q)
        found = {p + q: a + b, p - q: a - b, p * q: a * b, -p: -a}
        if q:
            found[1 / q] = b.inverse()
        for exact, x in found.items():
            low, high = x.fractions()
            assert low <= exact <= high
            assert high - low <= (abs(p) + abs(q) + abs(exact)) * Fraction(16, 2**bits)
        # every pair of numbers of two wide intervals
        end = p + Fraction(wide, 7)
        w = a.hull(Interval.of(end))
        for inner in (p, end, (p + end) / 2):
            for exact, x in {inner * q: w * b, inner * inner: w * w, inner + q: w + b, -inner: -w}.items():
                low, high = x.fractions()
                assert low <= exact <= high
        assert a.below(b) or p > q or a.fractions() != (p, p) or b.fractions() != (q, q)
        assert not (p > q and a.below(b))


@pytest.mark.parametrize("name", [*sorted(MPMATH), "sqrt"])
def test_functions_contain_and_are_narrow(name: str) -> None:
    dice = random.Random(name)
    with mpmath.workprec(1500):
        for _ in range(60):
            bits = dice.choice([32, 64, 100, 300])
            x = Fraction(dice.randint(-(10**6), 10**6), dice.choice([10**4, 3 * 10**5, 10**6, 7 * 10**8]))
            x = abs(x) + Fraction(1, 10**9) if name in ("log", "sqrt") else x
            width = Fraction(dice.choice([0, 0, 1]), 10 ** dice.randint(3, 12))
            with working(bits):
                box = Interval.of(x).hull(Interval.of(x + width))
                try:
                    found = box.root() if name == "sqrt" else series.FUNCTIONS[name]([box])[0]
                except UndecidedError:
                    assert name == "tan"
                    continue
            function = mpmath.sqrt if name == "sqrt" else MPMATH[name]
            ends = [function(real(x + width * k / 4)) for k in range(5)]
            assert all(contains(found, value) for value in ends)
            low, high = map(real, found.fractions())
            size = 1 + abs(ends[0]) * (1 + abs(ends[0]) if name == "tan" else 1)
            steep = size * (1 + abs(real(x))) + (1 / real(x) if name in ("log", "sqrt") else 0)
            assert high - low <= steep * (2 * real(width) + mpmath.mpf(2) ** (10 - bits)), (x, bits)


@pytest.mark.parametrize("bits", [24, 64, 200])
def test_ends_are_rounded_where_the_digits_in_force_show_nothing(bits: int) -> None:
    """√(4^n + 1) is hardly above 2^n, e^x and cos x hardly beside 1, sin x hardly beside 0: not these numbers themselves."""
    tiny = Fraction(1, 2**600)
    with intervals.working(bits):
        n = 2 * bits + 40
        low, high = Interval.point(4**n + 1, 0).root().fractions()
        assert low**2 < 4**n + 1 < high**2
        for sign in (1, -1):
            x = Interval.point(sign, -600)
            low, high = intervals.exp(x).fractions()
            assert low <= 1 + min(sign, 0) * tiny * 2
            assert high >= 1 + sign * tiny
            sine, cosine = (one.fractions() for one in intervals.sine_cosine(x))
            assert sine[0] <= sign * tiny * Fraction(9, 10)
            assert sign * tiny <= sine[1] or sign < 0 <= sine[1]
            assert cosine[0] < 1 <= cosine[1]
            assert sine[1] - sine[0] < Fraction(1, 2 ** (bits - 2))


def test_constants() -> None:
    with mpmath.workprec(3000):
        for bits in (32, 100, 1000, 2000):
            with working(bits):
                assert contains(intervals.pi(), +mpmath.mp.pi)
                assert contains(intervals.log(Interval.of(2)), mpmath.log(2))


@pytest.mark.parametrize("name", sorted(MPMATH))
def test_series_are_taylor_series(name: str) -> None:
    with working(160), mpmath.workdps(60):
        for x in (Fraction(2, 7), Fraction(5, 3)):
            # of f(u + u^2 / 3) at u = x
            u = [Interval.of(v) for v in (x + x * x / 3, 1 + 2 * x / 3, Fraction(1, 3), 0, 0, 0)]
            wanted = mpmath.taylor(lambda t: MPMATH[name](t + t * t / 3), real(x), 5)
            for c, value in zip(series.FUNCTIONS[name](u), wanted, strict=True):
                low, high = map(real, c.fractions())
                assert low - mpmath.mpf(10) ** -35 <= value <= high + mpmath.mpf(10) ** -35
                assert high - low < mpmath.mpf(10) ** -40


@pytest.mark.parametrize("exponent", ["2", "7", "-1", "-3", "1/2", "-3/2", "1/3", "-7/16"])
def test_powers_are_taylor_series(exponent: str) -> None:
    e = Fraction(exponent)
    with working(160), mpmath.workdps(60):
        u = [Interval.of(v) for v in (Fraction(5, 7), 1, 0, 0, 0)]
        found = series.power(u, e.numerator) if e.denominator == 1 else series.root(u, e)
        for c, value in zip(found, mpmath.taylor(lambda t: t ** real(e), real(Fraction(5, 7)), 4), strict=True):
            low, high = map(real, c.fractions())
            assert low - mpmath.mpf(10) ** -35 <= value <= high + mpmath.mpf(10) ** -35
            assert high - low < mpmath.mpf(10) ** -40


def test_far_arguments_and_exponents_cost_nothing() -> None:
    with working(64):
        far = Interval.point(1, 10**9)
        assert (far + Interval.of(1)).top() in (10**9 + 1, 10**9 + 2)
        assert (Interval.point(1, -(10**9)) + Interval.of(1)).fractions()[1] < 1 + Fraction(1, 2**50)
        assert not far.below(Interval.of(10**30))
        assert Interval.of(10**30).below(far)
        for name in ("exp", "sin", "erf", "tanh", "sinh"):
            with pytest.raises(UndecidedError, match="beyond"):
                series.FUNCTIONS[name]([far, far])
        none = series.FUNCTIONS["exp"]([-far])[0]
        assert none.low == 0
        assert none.below(Interval.point(1, -(10**9)))


# ---- the verdicts of two checkers


def agreed(data: dict[str, Any]) -> bool:
    """Whether both accept; they agree, or differ by rounding alone: then more precision reconciles them."""
    data = json.loads(json.dumps(data))
    first, second = checker.check(data), findings(data)
    assert len(second) <= 1
    assert all("\n" not in line and len(line) < 300 for line in second)
    if bool(first) != bool(second):
        finer = copy.deepcopy(data)
        finer["spectrum"]["precision"] = 2 * data["spectrum"]["precision"] + 64
        first, second = checker.check(finer), findings(finer)
        assert bool(first) == bool(second), (first, second, data)
    return not second


def trial(seed: int, sources: int) -> bool:
    """One mutated certificate: agreement, and truth where it is accepted."""
    dice = random.Random(seed)
    data = mutated(valid(dice.randrange(sources)), dice)
    accepted = agreed(data)
    if accepted:
        assert holds(data["problem"], data["spectrum"]), seed
    return accepted


@pytest.mark.parametrize("case", FACTORS)
def test_every_factor_of_the_proof_decides(case: str) -> None:
    data, reason = FACTORS[case]
    assert (findings(data) == []) == (reason is None)


def test_valid_certificates_are_accepted_by_both() -> None:
    assert all(agreed(valid(seed)) for seed in range(0, 60, 2))


def test_mutated_certificates_are_judged_alike() -> None:
    accepted = sum(trial(seed, 40) for seed in range(250))
    assert 10 < accepted < 100


@pytest.mark.parametrize(("derivative", "accepted"), [(0, True), (1, False), (2, False)])
@pytest.mark.parametrize("base", [["variable", "z"], ["step", ["variable", "z"]]])
def test_a_root_of_zero_has_a_value_and_no_derivative(base: list[Any], derivative: int, accepted: bool) -> None:
    data = of_matrix([["0"]], [], 0, [[["0", 0], ["1", -3]]])  # one feature at z = 0, where the value is 0
    data["problem"]["operator"][0]["derivatives"][0]["orders"] = [derivative]
    data["problem"]["activation"] = ["power", base, "1/4"]
    assert agreed(data) == accepted


@pytest.mark.parametrize("name", sorted(series.FUNCTIONS))
def test_functions_are_exact_where_they_are_rational(name: str) -> None:
    """Both checkers: a matrix that vanishes has the proven values 0, by whatever expression it is given."""
    at = 1 if name == "log" else 0
    exact = 1 if name in ("cos", "exp", "cosh") else 0
    with working(96):
        assert series.FUNCTIONS[name]([Interval.of(at)])[0].fractions() == (exact, exact)
    data = of_matrix([[str(at)]], [], 0, [[["0", 0], ["0", 0]]])
    data["problem"]["activation"] = ["sum", [name, ["variable", "z"]], ["number", str(-exact)]]
    assert agreed(data)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_five_thousand_mutated_certificates_are_judged_alike() -> None:
    slowest, accepted = 0.0, 0
    for seed in range(5000):
        begun = time.process_time()
        accepted += trial(10**7 + seed, 400)
        slowest = max(slowest, time.process_time() - begun)
    assert 300 < accepted < 2000
    assert slowest < 20  # both checkers, and the oracle


def test_sixteen_features_take_less_than_a_minute() -> None:
    problem = Problem(count=16, interior=(16,), activation_name="gelu")
    for method in ("ad", "fd"):
        data = json.loads(json.dumps(certificate(problem, method, 12)))
        begun = time.process_time()
        assert findings(data) == []
        assert time.process_time() - begun < 60


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "x"), ("statement", ["entropies"]), ("problem", []), ("spectrum", {}), ("statement", "entropies")],
)
def test_what_is_no_certificate(key: str, value: Any) -> None:
    data = valid(3)
    data[key] = value
    assert len(findings(data)) == 1
    for other in (None, 1, [], {}, "text"):
        assert len(findings(other)) == 1


def test_it_runs_as_a_file_without_any_library(tmp_path: Path) -> None:
    good, bad, twice = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "twice.json"
    good.write_text(json.dumps(valid(3)))
    bad.write_text(json.dumps(valid(3)).replace('"tanh"', '"cos"'))
    twice.write_text(json.dumps(valid(3)).replace('"format": ', '"format": 0, "format": '))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(FOLDER), str(good), str(bad), str(twice), str(tmp_path / "missing")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["accepted", "refused", "refused", "refused"]
    assert subprocess.run([sys.executable, str(FOLDER)], capture_output=True, timeout=60).returncode == 2


def test_it_shares_nothing_with_the_first_checker() -> None:
    allowed = set(sys.stdlib_module_names) | {"proofs_check.second_checker", *(
        f"proofs_check.second_checker.{name}" for name in ("entropies", "intervals", "judge", "reading", "series", "steps", "values"))}  # fmt: skip
    for path in FOLDER.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith(("import ", "from ")) and not line.startswith('"""'):
                assert line.split()[1] in allowed or line.split()[1].split(".")[0] in allowed, (path.name, line)

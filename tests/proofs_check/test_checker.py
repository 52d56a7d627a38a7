"""The checker accepts what the engine proves, and never a false certificate: tampered, perturbed, hostile."""

from __future__ import annotations

import copy
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
from certificate_cases import FACTORS, holds, made, mutated, of_matrix, valid
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.problem.problem import Boundary, Method, Problem
from numerics.spectra.certificate import certificate
from numerics.spectra.spectrum import spectrum
from proofs_check import checker
from proofs_check.certificates.objects import upgraded
from proofs_check.second_checker.judge import findings as second_findings
from theory.features.laws import law

Json = dict[str, Any]


def small(activation: str, **changes: Any) -> Problem:
    base = Problem(
        count=4, interior=(3,), boundary=(Boundary(),), activation_name=activation, weights=law("uniform(-3, 3)")
    )
    return base.with_(**changes)


@cache
def stored(activation: str, method: Method, features: int, digits: int) -> str:
    return json.dumps(certificate(small(activation, count=features), method, digits))


def fresh(activation: str, method: Method = "ad", features: int = 4, digits: int = 12) -> Json:
    found: Json = json.loads(stored(activation, method, features, digits))
    return found


def exact(pair: list[Any]) -> Fraction:
    return Fraction(int(pair[0])) * Fraction(10) ** pair[1]


# ---- what the engine proves is accepted

PROBLEMS = {
    "tanh": small("tanh"),
    "wide": small("sin", count=9),
    "tall": small("gelu", count=3, interior=(8,)),
    "kink": small("relu", count=6, boundary=(Boundary(weight=Fraction(2)),)),
    "duplicates": small("cos", weights=((Fraction(1),),) * 4, biases=(Fraction(1, 3),) * 4),
    "variable": Problem(operator_text="u_xx + x*u_x - 3*u/7", count=5, interior=(5,), activation_name="z*exp(-z**2)"),
    "plane": Problem(
        operator_text="u_xx + u_yy", domain=((Fraction(-1), Fraction(1)),) * 2, solution="x*y", count=7,
        interior=(3, 3), boundary=(Boundary(count=4),), activation_name="softplus",
    ),
    "biharmonic": Problem(operator_text="u_xxxx", count=4, interior=(4,), activation_name="sech"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["ad", "fd"])
def test_proofs_are_accepted_and_agree_with_the_engine(name: str, method: Method) -> None:
    problem = PROBLEMS[name]
    found = json.loads(json.dumps(certificate(problem, method, 10)))
    before = flint.ctx.prec, flint.ctx.cap
    assert checker.check(found) == []
    assert (flint.ctx.prec, flint.ctx.cap) == before
    proven = spectrum(problem, method, "exact")
    claims = found["spectrum"]["values"]
    assert len(claims) == len(proven.values)
    for k, (claim, value) in enumerate(zip(claims, proven.values, strict=True)):
        lower, upper = exact(claim["lower"]), exact(claim["upper"])
        assert lower <= value.upper
        assert value.lower <= upper
        if k < proven.rank:
            assert upper - lower <= lower / 10**9


@pytest.mark.parametrize(("count", "steep"), [(40, 3), pytest.param(70, 20, marks=pytest.mark.slow)])
def test_proofs_over_sixty_decades(count: int, steep: int) -> None:
    problem = Problem(count=count, interior=(count,), activation_name="sin", weights=law(f"uniform(-{steep}, {steep})"))
    found = json.loads(json.dumps(certificate(problem, "ad", 12)))
    assert checker.check(found) == []
    values = found["spectrum"]["values"]
    assert 0 < exact(values[-1]["lower"]) < exact(values[0]["lower"]) / 10**60
    found["spectrum"]["precision"] = 200
    assert checker.check(found) != []


@pytest.mark.parametrize("seed", range(0, 60, 2))
def test_the_oracle_agrees_with_what_is_accepted(seed: int) -> None:
    data = valid(seed)
    assert checker.check(data) == []
    assert holds(data["problem"], data["spectrum"])


def test_claims_can_be_widened_but_not_narrowed() -> None:
    data = fresh("tanh", "fd")
    wide = copy.deepcopy(data)
    wide["spectrum"]["values"][0]["upper"] = ["1", 6]
    wide["spectrum"]["values"][3]["lower"] = ["0", 0]
    assert checker.check(wide) == []
    for k in range(4):
        for end, change in (("lower", 10**6), ("upper", -(10**6))):
            narrow = copy.deepcopy(data)
            mantissa, exponent = data["spectrum"]["values"][k][end]
            narrow["spectrum"]["values"][k][end] = [f"{int(mantissa) * 1000 + change + 1}", exponent - 3]
            assert any(f"values[{k}].{end}" in line for line in checker.check(narrow))


def test_it_runs_as_a_file_with_flint_alone(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(stored("tanh", "ad", 4, 12))
    bad.write_text(stored("tanh", "ad", 4, 12).replace('"tanh"', '"sin"'))
    script = Path(checker.__file__)
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(good), str(bad)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    first, *proven, last = done.stdout.strip().splitlines()
    assert first.startswith("accepted:")
    assert last.startswith("refused:")
    data = fresh("tanh")
    lines = [line.strip() for line in proven]
    assert {"method: ad", "rows: 5", "columns: 4"} < set(lines)
    assert f"problem sha256: {checker.digest(data['problem'])}" in lines
    assert sum(line.startswith("s_") for line in lines) == 4
    assert subprocess.run([sys.executable, "-I", str(script)], capture_output=True, timeout=60).returncode == 2
    modules = {
        line.split()[1].split(".")[0]
        for line in script.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert modules - set(sys.stdlib_module_names) == {"flint"}


# ---- false certificates


def trial(seed: int, sources: int = 60) -> bool:
    """One mutated certificate; False if it was accepted, and then it must be true."""
    dice = random.Random(seed)
    data = mutated(valid(dice.randrange(sources)), dice)
    findings = checker.check(json.loads(json.dumps(data)))
    if not findings:
        assert holds(data["problem"], data["spectrum"]), f"a false certificate was accepted (seed {seed})"
        return False
    assert len(findings) == 1
    assert "\n" not in findings[0]
    assert len(findings[0]) < 300
    return True


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**63))
def test_no_false_certificate_is_accepted(seed: int) -> None:
    trial(seed)


def test_most_mutants_are_refused() -> None:
    # harmless changes (a wider claim, one bit of a vector) may pass; they are the minority
    assert sum(trial(seed) for seed in range(200)) > 140


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_false_certificate_in_a_hundred_thousand() -> None:
    slowest, refused = 0.0, 0
    for seed in range(100_000):
        begun = time.process_time()
        refused += trial(10**6 + seed, 600)
        slowest = max(slowest, time.process_time() - begun)
    assert 70_000 < refused < 100_000
    assert slowest < 10


def own(seeds: Iterable[int]) -> int:
    """Certificates of small problems: how many were made and accepted; a refused one is an error."""
    count = 0
    for text in map(made, seeds):
        if text is not None:
            assert checker.check(json.loads(text)) == [], text
            count += 1
    return count


def test_own_certificates_are_accepted() -> None:
    assert own(range(120)) > 115


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_own_certificates_are_accepted_five_thousand() -> None:
    assert own(range(5100)) >= 5000


# ---- every factor of the proof decides somewhere


@pytest.mark.parametrize("case", FACTORS)
def test_every_factor_of_the_proof_decides(case: str) -> None:
    data, reason = FACTORS[case]
    found = checker.check(data)
    assert found == [] if reason is None else reason in found[0]


# ---- hostile files

NESTED: Any = []
for _ in range(3000):
    NESTED = [NESTED]
Z = ["variable", "z"]


def tower(depth: int, wrap: Any) -> Any:
    tree: Any = Z
    for _ in range(depth):
        tree = wrap(tree)
    return tree


VALUES = "spectrum.values"
HOSTILE: list[tuple[str, Any, str]] = [
    ("format", "adfd certificate, version 3", "format"),
    ("statement", "truths", "statement"),
    ("statement", None, "statement"),
    ("spectrum.difference", [], "one for each term"),
    ("spectrum.difference", "fd", "a list"),
    ("spectrum.precision", 10**9, "precision"),
    ("spectrum.precision", 1, "precision"),
    ("spectrum.precision", True, "precision"),
    ("spectrum.precision", 200.0, "precision"),
    (VALUES, {}, "values"),
    (VALUES, NESTED, "malformed"),
    (VALUES, [{"lower": "nan", "upper": "inf"}] * 4, "pairs"),
    (VALUES, [{"lower": ["nan", 0], "upper": ["inf", 0]}] * 4, "no integer"),
    (VALUES, [{"lower": [0, 0], "upper": ["1", 9]}] * 4, "a text"),
    (VALUES, [{"lower": ["0", 0], "upper": ["1", 999_999]}] * 4, "integer from"),
    (VALUES, [{"lower": ["0", 0], "upper": ["1", True]}] * 4, "integer from"),
    (VALUES, [{"lower": ["0", 0], "upper": ["10", 1]}] * 4, "ends in 0"),
    (VALUES, [{"lower": ["0", 1], "upper": ["1", 1]}] * 4, "ends in 0"),
    (VALUES, [{"lower": ["-0", 0], "upper": ["1", 1]}] * 4, "no integer"),
    (VALUES, [{"lower": ["0", 0], "upper": ["٣", 1]}] * 4, "no integer"),
    (VALUES, [{"lower": ["0", 0], "upper": ["1_0", 1]}] * 4, "no integer"),
    (VALUES, [{"lower": ["0", 0], "upper": ["9" * 10**5, 0]}] * 4, "no integer"),
    (VALUES, [{"lower": ["0", 0], "upper": ["1", 0], "note": ""}] * 4, "exactly the keys"),
    ("spectrum.vectors", [{"exponent": 10**30, "mantissas": ["1"] * 4}], "exponent"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["1"] * 4}] * 9, "columns for"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["0"] * 4}], "no image"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["1"] * 4}] * 2, "independent"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["1_0", "0x1", "1", "1"]}], "hexadecimal"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["01", "1", "1", "1"]}], "hexadecimal"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": ["-0", "1", "1", "1"]}], "hexadecimal"),
    ("spectrum.vectors", [{"exponent": 0, "mantissas": [1, 2, 3, 4]}], "a text"),
    ("spectrum.vectors", None, "a list"),
    ("problem.variables", ["x", "x"], "variables"),
    ("problem.variables", ["q"], "variables"),
    ("problem.variables", [], "variables"),
    ("problem.weights", [], "biases"),
    ("problem.weights", [["1", "2"]] * 4, "one number a variable"),
    ("problem.biases", ["1"] * 3, "biases"),
    *[
        ("problem.biases", [digits] * 4, "not a number")
        for digits in (
            "٣",
            "1_0",
            " 1",
            "1 ",
            "1\n",
            "+1",
            "1e3",
            "1.0",
            "0x1",
            "",
            "nan",
            "inf",
            "-inf",
            "NaN",
            "½",
            "１",
        )
    ],
    *[("problem.biases", [digits] * 4, "lowest terms") for digits in ("01", "-0", "2/4", "1/1", "0/1", "1/02", "-0/3")],
    ("problem.biases", ["1/0"] * 4, "divides by zero"),
    ("problem.biases", [1] * 4, "numbers are texts"),
    ("problem.biases", ["1" * 4001] * 4, "numbers are texts"),
    ("problem.activation", "tanh(z)", "a list"),
    ("problem.activation", [], "a list"),
    ("problem.activation", ["eval", "1"], "not allowed"),
    ("problem.activation", ["tanh", Z, Z], "not allowed"),
    ("problem.activation", ["tanh"], "not allowed"),
    ("problem.activation", [["tanh"], Z], "not allowed"),
    ("problem.activation", [None, Z], "not allowed"),
    ("problem.activation", ["power", Z, Z], "numbers are texts"),
    ("problem.activation", ["power", Z, 2], "numbers are texts"),
    ("problem.activation", ["power", Z, "1/2/2"], "not a number"),
    ("problem.activation", ["power", Z, "0"], "exponent"),
    ("problem.activation", ["power", Z, "99999999"], "exponent"),
    ("problem.activation", ["power", Z, "1/17"], "exponent"),
    ("problem.activation", ["sum", Z], "not allowed"),
    ("problem.activation", ["number", 1], "numbers are texts"),
    ("problem.activation", ["pi", "3"], "not allowed"),
    ("problem.activation", ["variable", "x"], "variables"),
    ("problem.activation", ["variable", ["z"]], "variables"),
    ("problem.activation", NESTED, "malformed"),
    ("problem.activation", tower(900, lambda tree: ["tanh", tree]), "nested deeper"),
    ("problem.activation", tower(90, lambda tree: ["erf", ["power", tree, "1000"]]), "nested deeper"),
    ("problem.activation", tower(40, lambda tree: ["power", tree, "1000"]), ""),
    ("problem.activation", ["sum", *[Z] * 10**4], "more than"),
    ("problem.activation", ["log", ["product", ["number", "-1"], ["exp", Z]]], "not proven positive"),
    ("problem.activation", ["power", ["sum", Z, ["product", ["number", "-1"], Z]], "-1"], "division by zero"),
    ("problem.activation", tower(5, lambda tree: ["exp", ["sum", tree, ["number", "9"]]]), "beyond 2^31"),
    ("problem.operator", [], "no terms"),
    ("problem.operator", [{"coefficient": ["number", "1"], "derivatives": []}], "none"),
    (
        "problem.operator",
        [{"coefficient": ["number", "1"], "derivatives": [{"orders": [99], "factor": "1"}]}],
        "orders",
    ),
    (
        "problem.operator",
        [{"coefficient": ["number", "1"], "derivatives": [{"orders": [-1], "factor": "1"}]}],
        "orders",
    ),
    ("problem.operator", [{"coefficient": ["number", "1"], "derivatives": [{"orders": [2], "factor": "0"}]}], "factor"),
    (
        "problem.operator",
        [{"coefficient": ["number", "1"], "derivatives": [{"orders": [2], "factor": "1"}] * 2}],
        "given twice",
    ),
    (
        "problem.operator",
        [{"coefficient": ["variable", "y"], "derivatives": [{"orders": [2], "factor": "1"}]}],
        "variables",
    ),
    ("problem.points", [], "values"),
    ("problem.points", [["0", "0"]], "one number a variable"),
    ("problem.boundary", [{"points": [["0"]], "weight": "-1", "operator": []}], "negative"),
    ("problem.boundary", [{"points": [], "weight": "1", "operator": []}], "empty"),
    ("problem.boundary", "none", "a list"),
]


def placed(data: Json, address: str, value: Any) -> Json:
    *path, last = address.split(".")
    holder = data
    for key in path:
        holder = holder[key]
    holder[last] = value
    return data


@pytest.mark.parametrize(("key", "value", "reason"), HOSTILE, ids=[f"{k}-{i}" for i, (k, _, _) in enumerate(HOSTILE)])
def test_hostile_files_get_one_clear_line(key: str, value: Any, reason: str) -> None:
    data = placed(fresh("tanh"), key, value)
    before = flint.ctx.prec, flint.ctx.cap
    begun = time.process_time()
    findings = checker.check(data)
    assert time.process_time() - begun < 10
    assert (flint.ctx.prec, flint.ctx.cap) == before
    assert len(findings) == 1
    assert reason in findings[0]
    assert "\n" not in findings[0]
    begun = time.process_time()
    assert len(second_findings(data)) == 1
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("data", [None, 3, "text", [], {}, {"format": 1}, True, {"format": checker.FORMAT}])
def test_what_is_no_certificate(data: object) -> None:
    assert len(checker.check(data)) == 1


def test_difference_weights_must_be_consistent() -> None:
    data = fresh("sin", "fd")
    one = data["spectrum"]["difference"][0]
    one["weights"] = [str(2 * Fraction(w)) for w in one["weights"]]
    assert "not a consistent difference" in checker.check(data)[0]
    one["shifts"], one["weights"] = one["shifts"] * 2, one["weights"] * 2
    assert "given twice" in checker.check(data)[0]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": ' * 5000, b"\xef\xbb\xbf{}"])
def test_unreadable_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert "not readable" in checker.check_file(path)[0]
    assert checker.check_file(tmp_path / "missing.json")[0].endswith("(FileNotFoundError)")


@pytest.mark.parametrize("written", ["-0", "1.0", "1e2", "0.0", "NaN", "Infinity", "-Infinity", "1" * 30, "1E2"])
def test_integers_have_one_spelling(tmp_path: Path, written: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(stored("tanh", "ad", 4, 12).replace('"precision": ', f'"precision": {written}, "was": ', 1))
    assert len(checker.check_file(path)) == 1
    assert "keys" not in checker.check_file(path)[0]


def test_a_key_given_twice_is_refused_at_every_level(tmp_path: Path) -> None:
    text, path = stored("tanh", "fd", 4, 12), tmp_path / "twice.json"
    for key in ("format", "values", "points", "lower", "exponent", "orders", "difference", "shifts", "spectrum"):
        path.write_text(text.replace(f'"{key}": ', f'"{key}": 0, "{key}": ', 1))
        assert checker.check_file(path) == ["a key is given twice in one object"]


QUOTIENTS = {
    "sin(z)/z": ["product", ["sin", Z], ["power", Z, "-1"]],
    "z**3/z**2": ["product", ["power", Z, "3"], ["power", Z, "-2"]],
    "sqrt(z**3)": ["power", ["power", Z, "3"], "1/2"],
    "(z**5)**(1/3)": ["power", ["power", Z, "5"], "1/3"],
}


@pytest.mark.parametrize("quotient", QUOTIENTS)
def test_removable_singularities_do_not_lose_derivatives(quotient: str) -> None:
    # at z = 0 a quotient of power series knows fewer terms than were asked for; the missing ones are not 0
    data = of_matrix([["0"]], [], 0, [[["0", 0], ["1", -3]]])
    data["problem"]["operator"][0]["derivatives"][0]["orders"] = [2]
    data["problem"]["activation"] = QUOTIENTS[quotient]
    assert checker.check(data)[0].split(":")[1] in (" a division by zero", " a root of what is not proven positive")


def test_a_kink_met_exactly_is_decided_and_a_blurred_one_refused() -> None:
    problem = small("relu", weights=((Fraction(1),),) * 4, biases=tuple(Fraction(k, 2) for k in range(-1, 3)))
    data = json.loads(json.dumps(certificate(problem, "fd", 8)))
    assert checker.check(data) == []
    blurred = ["sum", Z, ["product", ["number", "-1"], ["pi"]], ["pi"]]
    data["problem"]["activation"] = ["product", Z, ["step", blurred]]
    assert "kink" in checker.check(data)[0]


# ---- the budget


def costly(depth: int, function: str, precision: int, points: int, features: int, order: int) -> Json:
    """A small file that asks for much work."""
    data = of_matrix([["1"]], [], 0, [])
    tree = tower(depth, lambda inner: [function, ["product", ["number", "1/2"], inner]])
    data["problem"] |= {
        "activation": tree, "points": [[f"{k}/7"] for k in range(1, points + 1) if k % 7],
        "weights": [["1"]] * features, "biases": ["1/3"] * features,
    }  # fmt: skip
    data["problem"]["operator"][0]["derivatives"][0]["orders"] = [order]
    data["spectrum"]["precision"] = precision
    return data


@pytest.mark.parametrize("function", ["sin", "tan", "erf", "atan", "asinh", "log", "tanh", "cosh"])
def test_no_small_file_asks_for_much(function: str) -> None:
    slowest = 0.0
    for precision, depth, points, order in [
        (32, 40, 60, 16), (500, 45, 30, 8), (3000, 10, 12, 16), (20_000, 2, 4, 4), (65_536, 1, 1, 0), (65_536, 40, 90, 16)
    ]:  # fmt: skip
        begun = time.process_time()
        assert len(checker.check(costly(depth, function, precision, points, points, order))) == 1
        slowest = max(slowest, time.process_time() - begun)
    assert slowest < 10


def test_long_numbers_and_high_moments_are_work_too() -> None:
    long = str(10**3990 + 1)
    data = fresh("sin", "fd")
    data["problem"]["variables"] = list("xyzt")
    data["problem"]["operator"][0]["derivatives"] = [{"orders": [4, 4, 4, 4], "factor": "1"}]
    data["problem"]["points"], data["problem"]["boundary"] = [[long] * 4], []
    data["problem"]["weights"] = [[long] * 4] * 4
    data["spectrum"]["difference"] = [{"shifts": [[f"{k}/{long}"] * 4 for k in range(1, 40)], "weights": ["1"] * 39}]
    begun = time.process_time()
    assert len(checker.check(data)) == 1
    assert time.process_time() - begun < 10


# ---- version 1

OLD = Path(__file__).parent / "certificates"


@pytest.mark.parametrize("name", ["ad_gelu", "ad_sqrt1z2", "fd_tanh", "fd_z2z2"])
def test_files_of_version_1_are_read_where_they_are_unambiguous(name: str) -> None:
    old = checker.read(OLD / f"v1_{name}.json")
    assert "format" in checker.check(old)[0]
    data = upgraded(old)
    assert checker.check(data) == []
    assert holds(data["problem"], data["spectrum"])
    for claim, was in zip(data["spectrum"]["values"], old["values"], strict=True):
        assert {end: exact(claim[end]) for end in claim} == {end: Fraction(was[end]) for end in was}


@pytest.mark.parametrize(
    "text",
    ["z**(1/2/2)", "z**(3/2/2)", "z**2**2", "z**(1/(2/2))", "z**-2**2", "z**(1+1)", "z # + 1", "z;", "z\\\n", "z + 1_0",
     "٣*z", "z + 0x1", "z\t", "z\f+1", "1.5*z", "True*z", "z.real", "sin(z, z)", "lambda: z", "z if z else z", "z//2", "z**0",
     "z**(2/3)", "+z", "sin(*z)", "f(z)", "", "(" * 900 + "z" + ")" * 900, "-" * 3000 + "z"],
)  # fmt: skip
def test_texts_of_version_1_with_two_readings_are_refused(text: str) -> None:
    old = checker.read(OLD / "v1_fd_tanh.json")
    old["activation"] = text
    with pytest.raises(checker.RefusedError):
        upgraded(old)


def test_forged_files_of_version_1_are_refused() -> None:
    with pytest.raises(checker.RefusedError, match="exponent"):
        upgraded(checker.read(OLD / "forged.json"))
    with pytest.raises(checker.RefusedError, match="given twice"):
        checker.read(OLD / "dup.json")


def test_differences_of_kinked_features_have_proofs() -> None:
    problem = small("relu", count=3, boundary=())
    assert checker.check(json.loads(json.dumps(certificate(problem, "fd", 12)))) == []


@pytest.mark.parametrize("columns", [0, 1, 2])
def test_bounds_hold_for_every_matrix_in_the_balls(columns: int) -> None:
    """diag(3, 2) ± 1/4 in every entry, corners and middle; the vectors are those of the middle, all or some."""
    radius, corners = 0.25, (-1, 0, 1)
    A = arb_mat(2, 2, [arb(v, radius) for v in (3, 0, 0, 2)])
    X = arb_mat(2, columns, [int(i == j) for i in range(2) for j in range(columns)])
    lower, upper, rest = checker.proven(A, X)
    assert len(lower) == len(upper) == columns
    for signs in itertools.product(corners, repeat=4):
        moved = np.array([3, 0, 0, 2]).reshape(2, 2) + radius * np.array(signs).reshape(2, 2)
        for k, value in enumerate(np.linalg.svd(moved, compute_uv=False)):
            low, high = (lower[k], upper[k]) if k < columns else (arb(0), rest)
            assert float(low.upper()) <= value + 1e-12
            assert value - 1e-12 <= float(high.lower())
    assert float(checker.norm([arb(0, 1), arb(3, 1)])) >= 17**0.5


def test_bounds_are_sorted_however_the_vectors_are_given() -> None:
    A = arb_mat(3, 3, [1, 0, 0, 0, 5, 0, 0, 0, 3])
    lower, upper, rest = checker.proven(A, arb_mat(3, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1]))
    for low, high, value in zip(lower, upper, (5, 3, 1), strict=True):
        assert low <= value <= high
        assert high - low < 1e-9
    assert rest == 0

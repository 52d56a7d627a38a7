"""Problem files: what they mean, what they leave out, and one line for everything that is wrong in them."""

from __future__ import annotations

import copy
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.file import MAX_BYTES, load_problem, load_table, problem_from_dict
from numerics.problem.problem import Problem
from proofs_check.search.strategies import problems
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.features.laws import law
from theory.operators.operator import StencilChoice

EXAMPLE = """
[problem]
operator = "u_xx"
domain   = [[-1, 1.25]]
solution = "sin(pi*x)"
weight   = 0.5
[features]
activation = "tanh"
weights = "uniform(-4, 4)"
biases  = {values = ["1/3", 0.1, -2]}
count = 3
seed = 7
[points]
interior = 5
boundary = 2
[difference]
offsets = [-1, 0, 0.5]
step = "1/100"
[arithmetic]
dtype = "float32"
digits = 60
[entropy]
rule = "energy"
tau = 1e-6
power = 2
normalised = true
[training]
iterations = 10
step = 1e-2
[[boundary]]
face = "x+"
operator = "u_x"
value = "x"
count = 1
weight = "1/4"
"""
LEAST: dict[str, Any] = {
    "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
    "features": {"activation": "tanh"},
}


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(where: str, value: Any) -> dict[str, Any]:
    """A small problem with one entry set."""
    table = copy.deepcopy(LEAST)
    table["features"]["count"] = 4
    *path, last = where.split(".")
    inner = table
    for key in path:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return table


def refusal(table: dict[str, Any]) -> str:
    """The message with which a table is refused: one printable line, quickly."""
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        problem_from_dict(table)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    assert time.process_time() - start < 5
    return message


def test_every_key_arrives(tmp_path: Path) -> None:
    problem = load_problem(write(tmp_path / "p.toml", EXAMPLE))
    assert problem.domain == ((Fraction(-1), Fraction(5, 4)),)
    assert problem.weights == law("uniform(-4, 4)")
    assert problem.biases == (Fraction(1, 3), Fraction(1, 10), Fraction(-2))
    assert (problem.count, problem.seed, problem.interior) == (3, 7, (5,))
    assert problem.stencil == StencilChoice(offsets=(Fraction(-1), Fraction(0), Fraction(1, 2)))
    assert problem.step == (Fraction(1, 100),)
    assert (problem.dtype, problem.digits) == ("float32", 60)
    assert problem.convention == Convention("energy", Fraction(1, 10**6), 2, True)
    assert (problem.training.iterations, problem.training.step) == (10, Fraction(1, 100))
    dirichlet, flux = problem.boundary
    assert (dirichlet.face, dirichlet.count, dirichlet.operator, dirichlet.weight) == ("all", 2, "u", Fraction(1, 2))
    assert (flux.face, flux.count, flux.operator, flux.value, flux.weight) == ("x+", 1, "u_x", "x", Fraction(1, 4))
    assert problem_from_dict(problem.to_dict()) == problem


def test_defaults_are_those_of_the_problem() -> None:
    problem = problem_from_dict(LEAST)
    default = Problem()
    assert problem.with_(boundary=()) == default
    assert [(b.face, b.count) for b in problem.boundary] == [("all", 2)]
    assert default.domain == ((-1, 1),)
    assert default.step == (Fraction(1, 100),)
    plane = copy.deepcopy(LEAST)
    plane["problem"]["operator"] = "u_xx + u_yy"
    assert problem_from_dict(plane).domain == ((-1, 1), (-1, 1))
    assert problem_from_dict(plane).interior == (64, 64)
    assert problem_from_dict(plane).boundary[0].count == 4


@given(problems())
def test_a_problem_reads_back(problem: Problem) -> None:
    again = problem_from_dict(problem.to_dict())
    assert again == problem
    assert again.key == problem.key
    assert hash(again) == hash(problem)


@given(st.decimals(-(10**6), 10**6, places=7))
def test_an_unquoted_decimal_is_the_decimal_as_spelled(value: Any) -> None:
    text = EXAMPLE.replace("-2]", f"{value:f}]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "stat", lambda self: type("S", (), {"st_size": 0}))
        patch.setattr(Path, "read_text", lambda self, encoding: text)
        biases = load_problem("p.toml").biases
    assert isinstance(biases, tuple)
    assert biases[-1] == Fraction(value)


KEYS = [
    ("problm", "problem", {}),
    ("problem.operater", "operator", "u_xx"),
    ("problem.domian", "domain", [[0, 1]]),
    ("features.activaton", "activation", "tanh"),
    ("features.wieghts", "weights", "normal(0, 1)"),
    ("features.weights.value", "values", [1, 2, 3, 4]),
    ("points.interor", "interior", 3),
    ("points.interior.valeus", "values", [1]),
    ("difference.ofsets", "offsets", [0, 1]),
    ("difference.h", "", 1),
    ("arithmetic.dtyp", "dtype", "float64"),
    ("entropy.tua", "tau", "1e-3"),
    ("entropy.normalized", "normalised", True),
    ("training.optimiser", "optimizer", "gd"),
]


@pytest.mark.parametrize(("where", "near", "value"), KEYS)
def test_unknown_keys_name_the_nearest_known_key(where: str, near: str, value: Any) -> None:
    message = refusal(changed(where, value))
    assert message.startswith(f"{where}: unknown")
    assert "allowed: " in message
    if near:
        assert f"did you mean {near!r}?" in message


def test_unknown_key_in_a_boundary_table() -> None:
    assert "did you mean 'count'?" in refusal(changed("boundary", [{"cuont": 1}]))


huge = int("9" * 4000)
VALUES: list[tuple[str, Any, str]] = [
    ("problem.operator", 5, "str"),
    ("problem.operator", "u_xx*u", "not linear"),
    ("problem.operator", "poison", "did you mean 'poisson'"),
    ("problem.domain", [], "1 to 4"),
    ("problem.domain", [[0]], "[low, high]"),
    ("problem.domain", [[0, 1, 2]], "[low, high]"),
    ("problem.domain", [[1, 1]], "low < high"),
    ("problem.domain", [["1\n", "0\n"]], "low < high"),
    ("problem.domain", [[0, 1]] * 5, "1 to 4"),
    ("problem.domain", [["nan", 1]], "not a number"),
    ("problem.domain", [["1/0", 1]], "zero"),
    ("problem.domain", [[True, 2]], "int"),
    ("problem.domain", [[0, "1e400"]], "characters"),
    ("problem.domain", [[0, huge]], "digits"),
    ("problem.solution", "9**9**9", "exponent"),
    ("problem.solution", "y", "unknown name 'y'"),
    ("problem.solution", "__import__('os')", "unknown function"),
    ("problem.solution", 3, "str"),
    ("problem.rhs", "exp(exp(exp(99)))", "beyond"),
    ("problem.weight", "-1\n", "must not be negative"),
    ("problem.weight", "nan", "not a number"),
    ("problem.boundary", "neumann", "dirichlet, none"),
    ("problem.boundary", "x" * 10**5, "dirichlet, none"),
    ("features.activation", "thanh", "did you mean 'tanh'"),
    ("features.activation", "9**9**9", "exponent"),
    ("features.activation", "sqrt(z**2)", "not smooth"),
    ("features.weights", "normal(0, 0)", "positive"),
    ("features.weights", "normal(0)", "2 parameters"),
    ("features.weights", "guassian(0, 1)", "normal(mean, std)"),
    ("features.weights", {"values": []}, "1 to 20000"),
    ("features.weights", {"values": [1, 2, 3]}, "features.count: 4"),
    ("features.weights", {"values": [[1, 2]] * 4}, "2 coordinate(s)"),
    ("features.weights", {"values": ["1e400"] * 4}, "characters"),
    ("features.weights", [1, 2, 3, 4], "array"),
    ("features.biases", {"values": [1, 2]}, "features.count: 4"),
    ("features.count", 0, "1 to 20000"),
    ("features.count", 10**30, "1 to 20000"),
    ("features.count", huge, "digits"),
    ("features.count", True, "int"),
    ("features.seed", -1, "2**63 - 1"),
    ("features.seed", 2**63, "2**63 - 1"),
    ("points.interior", 0, "1 to 20000"),
    ("points.interior", 10**9, "1 to 20000"),
    ("points.interior", [3, 3], "1 dimension(s)"),
    ("points.interior", [], "1 dimension(s)"),
    ("points.interior", {"values": []}, "1 to 20000"),
    ("points.interior", {"values": [[1, 2]]}, "2 coordinate(s)"),
    ("points.layout", "gird", "did you mean 'grid'"),
    ("points.boundary", -1, "0 to 20000"),
    ("points.seed", -1, "2**63 - 1"),
    ("difference.step", 0, "must be positive"),
    ("difference.step", "-1/10", "must be positive"),
    ("difference.step", [], "0 values"),
    ("difference.step", ["1/2", "1/2"], "2 values for 1 dimension(s)"),
    ("difference.step", "1e999999", "exponent"),
    ("difference.step", huge, "digits"),
    ("difference.offsets", [], "1 to 41"),
    ("difference.offsets", [0, 1], "at least 3"),
    ("difference.offsets", list(range(42)), "1 to 41"),
    ("difference.offsets", [0, 0, 1], "distinct"),
    ("difference.offsets", [10**30, 0, 1], "bits"),
    ("difference.stencil", "centrl", "central, forward, backward"),
    ("difference.stencil", "five-point", "two dimensions"),
    ("difference.order", 3, "even orders"),
    ("difference.order", 0, "1 to 16"),
    ("arithmetic.dtype", "float16", "float32, float64"),
    ("arithmetic.digits", 1001, "1 to 1000"),
    ("entropy.rule", "relativ", "relative, absolute, energy, fixed"),
    ("entropy.tau", 2, "0 < τ <= 1"),
    ("entropy.tau", "0", "0 < τ <= 1"),
    ("entropy.power", 3, "1, 2"),
    ("entropy.normalised", "yes", "true, false"),
    ("entropy.rank", 3, "'fixed'"),
    ("training.model", "mlp", "rfm, two-layer"),
    ("training.optimizer", "sgd", "gd, adam, lbfgs"),
    ("training.step", 0, "positive"),
    ("training.iterations", 0, "1 to 10000000"),
    ("training.depth", 99, "1 to 10"),
    ("training.scaling", "mup", "ntk, standard"),
    ("problem", 3, "object"),
    ("features", None, "object"),
    ("entropy", [], "object"),
    ("points", "x", "object"),
]


@pytest.mark.parametrize(("where", "value", "fragment"), VALUES, ids=lambda v: ascii(v)[:30] if v != huge else "huge")
def test_bad_values_name_the_key_and_what_is_allowed(where: str, value: Any, fragment: str) -> None:
    message = refusal(changed(where, value))
    table = where.partition(".")[0]
    assert message.startswith((where, table, "features.count" if table == "features" else where))
    assert fragment in message


BOUNDARIES: list[tuple[Any, str]] = [
    ([{"face": "y-"}], "all, x-, x+"),
    ([{"face": "q" * 10**5}], "all, x-, x+"),
    ([{"operator": "u_yy"}], "coordinates x"),
    ([{"operator": "y*u"}], "coordinates x"),
    ([{"operator": "u*u"}], "boundary.operator"),
    ([{"value": "9**9**9"}], "boundary.value"),
    ([{"value": "y"}], "boundary.value"),
    ([{"weight": -1}], "boundary[0].weight"),
    ([{}, {"count": -1}], "boundary[1].count"),
    ([{}] * 65, "at most 64"),
    ([3], "boundary[0]"),
    ({}, "array"),
]


@pytest.mark.parametrize(("rows", "fragment"), BOUNDARIES, ids=lambda v: ascii(v)[:30])
def test_bad_boundary_tables(rows: Any, fragment: str) -> None:
    message = refusal(changed("boundary", rows))
    assert message.startswith("boundary")
    assert fragment in message


@pytest.mark.parametrize(
    "missing", ["problem", "features", "problem.operator", "features.activation", "problem.solution"]
)
def test_what_is_required(missing: str) -> None:
    table = copy.deepcopy(LEAST)
    *path, last = missing.split(".")
    inner = table[path[0]] if path else table
    del inner[last]
    message = refusal(table)
    assert last in message


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([huge, "9**9**9", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = sorted(
    {where for where, *_ in VALUES} | {where for where, *_ in KEYS} | {"boundary", "features.biases.values"}
)


@given(st.sampled_from(PLACES), json_values)
def test_any_value_anywhere_is_a_problem_or_one_line(where: str, value: Any) -> None:
    table = changed(where, value)
    try:
        problem = problem_from_dict(table)
    except InputError as error:
        message = str(error)
    else:
        assert problem_from_dict(problem.to_dict()) == problem
        return
    assert message.isprintable()
    assert len(message) < 1000


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=3))
def test_any_table_is_one_line(table: dict[str, Any]) -> None:
    refusal(table)


FILES: list[tuple[str, str | bytes, str]] = [
    ("not TOML", "operator u_xx", "is not TOML"),
    ("half", EXAMPLE[: EXAMPLE.index("biases") + 20], "is not TOML"),
    ("empty", "", "missing"),
    ("twice", EXAMPLE + "[problem]\n", "is not TOML"),
    ("binary", bytes(range(256)), "is not UTF-8"),
    ("latin-1", "[problem]\noperator = 'é'\n".encode("latin-1"), "is not UTF-8"),
    ("BOM", b"\xef\xbb\xbf" + EXAMPLE.encode(), "is not TOML"),
    ("UTF-16", EXAMPLE.encode("utf-16"), "is not UTF-8"),
    ("digits", EXAMPLE.replace("seed = 7", "seed = " + "7" * 5000), "is not TOML"),
    ("hexadecimal", EXAMPLE.replace("seed = 7", "seed = 0x" + "f" * 5000), "digits"),
    ("date", EXAMPLE.replace("seed = 7", "seed = 2024-01-01"), "features.seed"),
    ("nan", EXAMPLE.replace("weight   = 0.5", "weight   = nan"), "not a number"),
    ("inf", EXAMPLE.replace("step = 1e-2", "step = inf"), "not a number"),
    ("nested", "a = " + "[" * 2000 + "]" * 2000, "is not TOML"),
    ("nested keys", "[" + ".".join("a" * 300) + "]", "unknown table"),
    ("nested values", EXAMPLE.replace("interior = 5", "interior = " + "[" * 100 + "1" + "]" * 100), "points.interior"),
    ("key of two lines", '"a\\nb" = 1', "unknown table"),
    ("long key", '"' + "a" * 10**5 + '" = 1', "unknown table"),
]


@pytest.mark.parametrize(("content", "fragment"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_bad_files_name_the_file(tmp_path: Path, content: str | bytes, fragment: str) -> None:
    path = write(tmp_path / "p.toml", content)
    with pytest.raises(InputError) as caught:
        load_problem(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert fragment in message
    assert message.isprintable()
    assert len(message) < 500 + len(str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_table(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="is a directory"):
        load_table(tmp_path)
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        load_table(write(tmp_path / "file", "") / "below.toml")
    with pytest.raises(InputError, match="larger than"):
        load_table(write(tmp_path / "large.toml", b"#" * (MAX_BYTES + 1)))
    with pytest.raises(InputError, match="cannot be read"):
        load_table("a" * 5000)
    with pytest.raises(InputError):
        load_table("null\0byte")


def test_numbers_in_the_file_are_never_doubles(tmp_path: Path) -> None:
    table = load_table(write(tmp_path / "p.toml", EXAMPLE))
    assert table["problem"]["weight"] == "0.5"
    assert table["entropy"]["tau"] == "1e-6"

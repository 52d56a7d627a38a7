"""Problems as values: equality, keys, spelling, what a problem derives from its data, what it refuses."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pickle
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.problem.file import problem_from_dict
from numerics.problem.problem import MAX_COUNT, Boundary, Problem, Training
from proofs_check.search.strategies import laws, problems
from theory.base.errors import InputError
from theory.entropy.conventions import Convention
from theory.features.laws import Law, law
from theory.operators.operator import StencilChoice, coordinate

x, y = coordinate["x"], coordinate["y"]


def content(problem: Problem) -> dict[str, Any]:
    """Every attribute, compared one by one: equality of problems is equality of keys."""
    return {f.name: getattr(problem, f.name) for f in dataclasses.fields(problem)}


@given(problems())
def test_round_trip_of_every_attribute(problem: Problem) -> None:
    spelled = problem.to_dict()
    again = problem_from_dict(json.loads(json.dumps(spelled)))
    kept, found = content(problem), content(again)
    if problem.stencil.offsets is not None:  # then name and order play no part
        assert found.pop("stencil").offsets == kept.pop("stencil").offsets
    assert found == kept
    assert again.to_dict() == spelled


@given(laws(), laws(), st.integers(0, 2**63 - 1), st.integers(1, 50), st.sampled_from(["grid", "uniform", "sobol"]))
def test_round_trip_of_laws_and_layouts(w: Law, b: Law, seed: int, count: int, layout: Any) -> None:
    problem = Problem(weights=w, biases=b, seed=seed, count=count, layout=layout, points_seed=seed // 2)
    assert content(problem_from_dict(problem.to_dict())) == content(problem)


CHANGES: list[dict[str, Any]] = [
    {"operator_text": "u_xxx"},
    {"operator_text": "2*u_xx"},
    {"domain": ((Fraction(0), Fraction(1)),)},
    {"solution": "cos(pi*x)"},
    {"solution": None, "rhs": "x"},
    {"rhs": "x"},
    {"activation_name": "sin"},
    {"weights": law("normal(0, 2)")},
    {"weights": law("uniform(0, 1)")},
    {"weights": tuple((Fraction(k, 7),) for k in range(64))},
    {"biases": law("constant(0)")},
    {"biases": (Fraction(0),) * 64},
    {"count": 63},
    {"seed": 1},
    {"interior": (63,)},
    {"interior": ((Fraction(0),),)},
    {"layout": "uniform"},
    {"layout": "sobol"},
    {"points_seed": 1},
    {"boundary": (Boundary(),)},
    {"boundary": (Boundary("x-"),)},
    {"boundary": (Boundary(count=1),)},
    {"boundary": (Boundary(operator="u_x"),)},
    {"boundary": (Boundary(value="x"),)},
    {"boundary": (Boundary(weight=Fraction(2)),)},
    {"boundary": (Boundary(), Boundary())},
    {"stencil": StencilChoice("forward", 2)},
    {"stencil": StencilChoice("central", 4)},
    {"stencil": StencilChoice(offsets=(Fraction(-1), Fraction(0), Fraction(1)))},
    {"step": (Fraction(1, 99),)},
    {"dtype": "float32"},
    {"digits": 13},
    {"convention": Convention(power=2)},
    {"convention": Convention("fixed", rank=3)},
    {"convention": Convention(tau=Fraction(1, 10**11))},
    {"convention": Convention(normalised=True)},
    {"training": Training(model="two-layer")},
    {"training": Training(step=Fraction(1, 3))},
    {"training": Training(depth=3)},
    {"equations": ("u_xx = u",), "boundary": (Boundary(),)},
    {"equations": ("u_xx = u",), "boundary": (Boundary(),), "rhs": ("x",)},
    {"equations": ("u_xx = v",), "unknowns": ("u", "v"), "boundary": (Boundary(),), "solution": (("u", "x"),)},
    {"equations": ("u_xx = k*u",), "parameters": (("k", Fraction(2)),), "boundary": (Boundary(),)},
    {"equations": ("u_xx = k*u",), "parameters": (("k", Fraction(3)),), "boundary": (Boundary(),)},
    {"equations": ("u_xx = u",), "mask": "1 - x**2"},
    {"equations": ("u_xx = u",), "mask": "1 - x**2", "lift": "x"},
    {"equations": ("u_xx = u",), "boundary": (Boundary(),), "periodic": ("x",)},
    {"equations": ("u_xx = u",), "boundary": (Boundary(),), "along": ("x",)},
    {"equations": ("u_xx = u",), "boundary": (Boundary(),), "outside": True},
]  # fmt: skip


def test_every_attribute_is_in_the_key() -> None:
    """No two of these problems may share a key: a stored result would be read for the wrong problem."""
    base = Problem()
    variants = [base, *(base.with_(**change) for change in CHANGES)]
    assert {name for change in CHANGES for name in change} == set(content(base))
    for one, two in itertools.combinations(variants, 2):
        assert one.key != two.key
        assert one != two
        assert one.to_dict() != two.to_dict()


@given(problems(), problems())
def test_keys_differ_exactly_when_contents_do(one: Problem, two: Problem) -> None:
    assume(one.stencil.offsets is None or two.stencil.offsets is None or one.stencil == two.stencil)
    assert (one.key == two.key) == (content(one) == content(two))


@given(problems())
def test_a_problem_is_a_value(problem: Problem) -> None:
    copy = pickle.loads(pickle.dumps(problem))
    assert copy == problem
    assert content(copy) == content(problem)
    assert hash(copy) == hash(problem)
    assert {problem: 1}[copy] == 1
    assert problem != problem.with_(seed=problem.seed + 1)
    assert problem != "problem"
    assert problem.with_() == problem
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.seed = 3  # type: ignore[misc]


SCRIPT = """
from numerics.problem.problem import Problem
from theory.features.laws import law
print(Problem().key, Problem(weights=law("uniform(-1, 1/3)"), operator_text="u_xx + x*u").key)
"""


def test_keys_are_the_same_in_every_process() -> None:
    mine = f"{Problem().key} {Problem(weights=law('uniform(-1, 1/3)'), operator_text='u_xx + x*u').key}"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}  # this process has another
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == mine


def test_the_right_hand_side_is_the_operator_of_the_solution() -> None:
    problem = Problem(operator_text="u_xx + x*u_x - u", solution="exp(2*x)")
    assert sp.expand(problem.rhs_expression - (4 + 2 * x - 1) * sp.exp(2 * x)) == 0
    assert Problem(rhs="x**2").rhs_expression == x**2
    plane = Problem(
        operator_text="u_xx + u_yy", domain=((Fraction(0), Fraction(1)),) * 2, interior=(2, 2), solution="x**2*y"
    )
    assert plane.rhs_expression == 2 * y
    assert plane.solution_expression == x**2 * y


def test_boundary_values() -> None:
    rows = (Boundary("x-"), Boundary("x+", operator="u_x"), Boundary("x+", value="3*x"))
    problem = Problem(solution="x**3", boundary=rows)
    assert [problem.boundary_value(b) for b in rows] == [x**3, 3 * x**2, 3 * x]
    blank = Problem(solution=None, rhs="1", boundary=rows)
    assert [blank.boundary_value(b) for b in rows] == [0, 0, 3 * x]
    assert dict(problem.boundary_operator(rows[1]).terms) == {(1,): 1}


def test_boundary_operators_are_in_the_coordinates_of_the_problem() -> None:
    problem = Problem(
        operator_text="u_yy + u_zz", domain=((Fraction(0), Fraction(1)),) * 2, solution="y*z", interior=(1, 1),
        boundary=(Boundary("y-", operator="u_y"), Boundary("z+", operator="u_z")),
    )  # fmt: skip
    assert problem.operator.variables == ("y", "z")
    assert [dict(problem.boundary_operator(b).terms) for b in problem.boundary] == [{(1, 0): 1}, {(0, 1): 1}]
    with pytest.raises(InputError, match=r"^boundary.operator"):
        Problem(boundary=(Boundary(operator="u_yy"),))


def test_steps_per_axis() -> None:
    plane: dict[str, Any] = {
        "operator_text": "u_xx + u_yy",
        "domain": ((Fraction(0), Fraction(1)),) * 2,
        "interior": (2, 2),
        "solution": "x*y",
    }
    one = Problem(**plane, step=(Fraction(1, 10),))
    two = Problem(**plane, step=(Fraction(1, 10), Fraction(1, 20)))
    assert one.steps == (Fraction(1, 10),) * 2
    assert two.steps == two.step
    assert (one.h, two.h) == (Fraction(1, 10), Fraction(1, 10))
    assert {term.scale for term in two.difference.terms} == {Fraction(1, 100), Fraction(1, 400)}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"step": (Fraction(0),)}, "difference.step"),
    ({"step": (Fraction(-1),)}, "difference.step"),
    ({"step": ()}, "difference.step"),
    ({"step": (Fraction(1), Fraction(1))}, "difference.step"),
    ({"domain": ((Fraction(1), Fraction(1)),)}, "problem.domain"),
    ({"domain": ((Fraction(1), Fraction(0)),)}, "problem.domain"),
    ({"weights": ((Fraction(1), Fraction(1)),) * 64}, "features.weights"),
    ({"weights": ((Fraction(1),),) * 3}, "features.count"),
    ({"biases": (Fraction(1),) * 3}, "features.count"),
    ({"count": 0}, "features.count"),
    ({"count": MAX_COUNT + 1}, "features.count"),
    ({"interior": ()}, "points.interior"),
    ({"interior": (2, 2)}, "points.interior"),
    ({"interior": ((Fraction(0), Fraction(0)),)}, "points.interior"),
    ({"layout": "uniform", "interior": (2, 2)}, "points.interior"),
    ({"operator_text": "u_xy"}, "problem.operator"),
    ({"operator_text": "u_xx*u"}, "problem.operator"),
    ({"activation_name": "thanh"}, "features.activation"),
    ({"solution": "y"}, "problem.solution"),
    ({"solution": None}, "problem.rhs"),
    ({"rhs": "9**9**9"}, "problem.rhs"),
    ({"boundary": (Boundary("y+"),)}, "boundary.face"),
    ({"boundary": (Boundary(count=-1),)}, "boundary"),
    ({"boundary": (Boundary(weight=Fraction(-1)),)}, "boundary"),
    ({"boundary": (Boundary(value="1/0"),)}, "boundary.value"),
    ({"boundary": (Boundary(operator="u**2"),)}, "boundary.operator"),
    ({"stencil": StencilChoice(offsets=(Fraction(0), Fraction(1)))}, "difference.offsets"),
    ({"stencil": StencilChoice("central", 3)}, "difference.order"),
    ({"stencil": StencilChoice("nine-point")}, "difference.stencil"),
]


@pytest.mark.parametrize(("changes", "key"), REFUSED, ids=lambda v: str(v)[:40])
def test_refusals_name_the_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError) as caught:
        Problem(**changes)
    assert str(caught.value).startswith(key)
    assert str(caught.value).isprintable()

"""Problems posed in Python are those of a file with the same keys, and mistakes are told in the same words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.file import problem_from_dict, problem_text
from numerics.problem.given import pose
from numerics.problem.problem import Problem
from theory.base.errors import InputError

POSED: dict[str, Any] = {"operator": "u_xx - u", "activation": "tanh", "solution": "sin(5*x)"}


@given(st.floats(1e-6, 1, allow_nan=False), st.integers(1, 40), st.sampled_from([np.float64, float]))
def test_a_float_means_the_decimal_that_it_prints_as(step: float, count: int, kind: Any) -> None:
    table = {
        "problem": {k: POSED[k] for k in ("operator", "solution")},
        "features": {"activation": "tanh", "count": count},
    }
    table["difference"] = {"step": repr(step)}
    assert pose(**POSED, step=kind(step), count=count) == problem_from_dict(table)


@given(st.lists(st.floats(-8, 8).filter(lambda x: x == 0 or abs(x) > 1e-9), min_size=1, max_size=5))
def test_an_array_means_what_it_stores(values: list[float]) -> None:
    array = np.array(values)
    made = [pose(**POSED, weights=w, biases=w) for w in (array, torch.from_numpy(array))]
    assert made[0] == made[1]
    assert made[0].biases == tuple(map(Fraction, values))
    assert made[0].weights == tuple((Fraction(w),) for w in values)


def test_what_people_write() -> None:
    assert pose(**POSED, domain=(0, 1)).domain == ((Fraction(0), Fraction(1)),)
    assert pose(**POSED, points=np.array([[0.5], [0.25]])).interior == ((Fraction(1, 2),), (Fraction(1, 4),))
    assert pose(**POSED, interior=[9]).interior == (9,)
    assert [pose(**POSED, dtype=d).dtype for d in ("double", torch.float32, np.float64, "single")] == [
        "float64", "float32", "float64", "float32",
    ]  # fmt: skip
    assert pose(**POSED, rule="energy", tau=1e-6, boundary=4).convention.tau == Fraction(1, 10**6)
    assert pose(**POSED, boundary=4).boundary[0].count == 4
    assert pose(**POSED, boundary=[{"face": "x-", "operator": "u_x"}]).boundary[0].operator == "u_x"
    assert pose(**POSED, boundary="none").boundary == ()
    assert pose(**POSED, training={"seeds": 3}, weights=pose(**POSED).weights).training.seeds == 3
    assert pose(**POSED, points_seed=7, layout="uniform", points=5, seed=2).points_seed == 7
    assert pose(**POSED, convention=pose(**POSED, rule="fixed", rank=3).convention).convention.rank == 3
    assert pose(equations="u_t + u*u_x = nu*u_xx", parameters={"nu": 0.01}, activation="sin", domain=[[-1, 1], [0, 1]],
                lift="-sin(pi*x)", mask="t*(1-x**2)").parameters == (("nu", Fraction(1, 100)),)  # fmt: skip


def test_it_is_written_and_read_back() -> None:
    import tomllib

    posed = pose(**POSED, step=0.05, weights=np.linspace(-1, 1, 3), biases="uniform(-1, 1)", domain=[0, 2])
    assert problem_from_dict(tomllib.loads(problem_text(posed.to_dict()), parse_float=str)) == posed


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"activaton": "sin"}, "did you mean 'activation'"),
        ({"dtype": "float16"}, "arithmetic.dtype: 'float16'.*allowed: float32, float64"),
        ({"step": -0.1}, "difference.step: -1/10 must be positive"),
        ({"step": float("nan")}, "difference.step: nan; numbers must be finite"),
        ({"weights": np.array([np.inf])}, "features.weights: inf"),
        ({"training": 3}, "a table of keys"),
        ({"difference": {"stp": 1}}, "difference.stp: unknown key; did you mean 'step'"),
        ({"count": "7"}, "features.count: expected"),
        ({"weights": object()}, "features.weights: <object"),
        ({"weights": np.ones((2, 3))}, "3 coordinate"),
        ({"domain": [1, 0]}, "needs low < high"),
        ({"operator": None}, "missing 'operator'"),
    ],
)
def test_mistakes_are_told_as_of_a_file(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        pose(**POSED | wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"step": 0.01}, {"dtype": "double"}, {"interior": 32}, {"weights": [1]}, {"layout": "gird"}]
)
def test_a_problem_itself_is_exact_and_says_what_takes_the_rest(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Problem(**wrong)

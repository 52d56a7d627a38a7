"""Grids of sweeps: cells, keys, order of computing, and the problems put together from parts."""

from __future__ import annotations

import copy
import itertools
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.differences.floor import predicted_floor
from numerics.entropy.compare import entropy_enclosure, truncated_entropies
from numerics.matrices.batches import Workbench
from numerics.problem import file as problem_file
from numerics.runs import grid as sweep_grid
from numerics.runs.grid import Plan, Sweep, sweep_from_table
from numerics.spectra.spectrum import spectrum
from theory.base.errors import InputError, NonexistenceError
from theory.entropy.conventions import Convention
from theory.entropy.entropy import truncated_entropy


def base(**sweep: Any) -> dict[str, Any]:
    """A small problem with these axes."""
    return {
        "problem": {"operator": "u_xx", "solution": "sin(pi*x)"},
        "features": {"activation": "tanh", "count": 6},
        "points": {"interior": 5, "boundary": 2},
        "sweep": sweep,
    }


AXES: dict[str, list[Any]] = {
    "features.seed": [0, 1, 7],
    "features.activation": ["tanh", "sin", "gaussian", "z*exp(-z**2)", "relu2", "nonsense"],
    "features.weights": ["normal(0, 1)", "uniform(-4, 4)", "discrete(1/3, -2)", {"values": ["1", "1/3"]}],
    "features.biases": ["normal(0, 2)", "cauchy(0, 1)", "constant(1/7)"],
    "features.count": [2, 5],
    "difference.step": ["1/10", "1/100", ["1/10", "1/20"], 0],
    "difference.order": [2, 4, 3],
    "difference.stencil": ["central", "forward", "five-point"],
    "difference.offsets": [[-1, 0, 1], [0, 1], [-2, -1, 0, "1/2", 3]],
    "problem.operator": ["u_xx", "x*u_xx - u_x + 3*u", "u_xx + u_yy", "u_xxxx", "helmholtz(3)"],
    "problem.domain": [[[-1, 1]], [[0, 1], [0, 2]]],
    "problem.solution": ["sin(pi*x)", "exp(x)*x"],
    "points.interior": [4, 9, {"values": ["1/3", "-1/2"]}],
    "points.layout": ["grid", "uniform", "sobol"],
    "points.boundary": [0, 2],
    "arithmetic.dtype": ["float32", "float64", "float8"],
    "arithmetic": ["float64", "float32"],
    "entropy.power": [1, 2],
    "entropy.tau": ["1e-12", "1e-3"],
    "entropy.normalised": [True, False],
}


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    """Up to four axes with up to three values each; many of the combinations pose no problem."""
    keys = draw(st.lists(st.sampled_from(sorted(AXES)), min_size=1, max_size=4, unique=True))
    table = {k: draw(st.lists(st.sampled_from(range(len(AXES[k]))), min_size=1, max_size=3, unique=True)) for k in keys}
    return sweep_from_table(base(**{k: [AXES[k][i] for i in chosen] for k, chosen in table.items()}))


@given(sweeps())
def test_cells_are_all_combinations_the_last_axis_fastest(grid: Sweep) -> None:
    every = [grid.assignment(p) for p in range(grid.total)]
    values = itertools.product(*(axis.values for axis in grid.axes))
    assert every == [dict(zip([a.key for a in grid.axes], combination, strict=True)) for combination in values]
    assert sorted(grid.computing_order()) == list(range(grid.total))
    keys = list(grid.keys())
    assert len(set(keys)) == grid.total == len(keys)


@given(sweeps(), st.randoms(use_true_random=False))
def test_a_cell_keeps_its_key_in_other_sweeps_of_the_same_base(grid: Sweep, random: Any) -> None:
    axes = list(grid.axes)
    random.shuffle(axes)
    shorter = [sweep_grid.Axis(a.key, a.values[: random.randint(1, len(a.values))]) for a in axes]
    other = Sweep(copy.deepcopy(grid.table), tuple(shorter), grid.compute)
    known = dict(zip(grid.keys(), (grid.assignment(p) for p in range(grid.total)), strict=True))
    for position, key in enumerate(other.keys()):
        assert known[key] == other.assignment(position)


def test_keys_change_with_everything_that_matters_and_nothing_else() -> None:
    grid = sweep_from_table(base(**{"features.seed": [0, 1]}))
    table = base(**{"features.seed": [0, 1]})
    table["features"]["seed"] = 5  # swept: the base's value plays no part
    assert list(sweep_from_table(table).keys()) == list(grid.keys())
    table["features"]["count"] = 7
    assert not set(sweep_from_table(table).keys()) & set(grid.keys())
    for change in ({"compute": "spectrum"}, {"arithmetic": "float64"}):
        assert not set(sweep_from_table(base(**{"features.seed": [0, 1]}, **change)).keys()) & set(grid.keys())


def outcome(make: Any) -> Any:
    try:
        return make()
    except (InputError, NonexistenceError) as error:
        return str(error)


@given(sweeps())
def test_problems_from_parts_are_those_read_in_full(grid: Sweep) -> None:
    plan = Plan(grid)
    for position in grid.computing_order()[:24]:
        table = grid.table_with(grid.assignment(position))
        whole = outcome(lambda table=table: problem_file.problem_from_dict(table))
        parts = outcome(lambda position=position: plan.cell(position).problem)
        assert parts == whole
        if not isinstance(whole, str):
            assert parts.key == whole.key
            assert parts.difference == whole.difference
            assert parts.activation.name == whole.activation.name


@given(sweeps())
def test_spectra_are_bit_for_bit_those_of_the_stored_matrices(grid: Sweep) -> None:
    plan = Plan(grid)
    bench = Workbench(plan)
    for position in grid.computing_order()[:12]:
        cell = outcome(lambda position=position: plan.cell(position))
        found = outcome(lambda position=position: bench.float_spectra(position))
        if isinstance(cell, str):
            assert found == cell
            continue
        whole = problem_file.problem_from_dict(grid.table_with(cell.assignment))
        expected = outcome(lambda w=whole, c=cell: [spectrum(w, m, c.arithmetic).computed for m in ("ad", "fd")])
        if isinstance(expected, str):
            assert found == expected
            continue
        assert tuple(found.ad.tolist()) == expected[0]
        assert tuple(found.fd.tolist()) == expected[1]
        prediction = predicted_floor(whole, cell.arithmetic, expected[0])
        tolerance = 1e-12 if cell.arithmetic == "float64" else 1e-5  # of features rounded to float32
        assert found.entry_error == pytest.approx(prediction.entry_error, rel=tolerance)
        assert found.entry_error * found.spread == pytest.approx(prediction.floor, rel=tolerance)


CONVENTIONS = st.builds(
    lambda rule, power, normalised, rank: Convention(
        rule, power=power, normalised=normalised, rank=rank if rule == "fixed" else None
    ),
    st.sampled_from(["relative", "absolute", "energy", "fixed"]),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.integers(1, 9),
)


@given(st.lists(st.lists(st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 1e-12]), min_size=5, max_size=5), min_size=1,
                max_size=4), CONVENTIONS)  # fmt: skip
def test_entropies_of_many_spectra_are_those_of_each(rows: list[list[float]], convention: Convention) -> None:
    values = -np.sort(-np.array(rows), axis=1)
    entropies, cutoffs = truncated_entropies(values, convention)
    for spectrum_, H, r in zip(values, entropies, cutoffs, strict=True):
        one = truncated_entropy(spectrum_, convention)
        assert r == one.cutoff
        assert math.isnan(H) if one.value is None else H == pytest.approx(one.value, rel=1e-13, abs=1e-14)


def test_a_value_exactly_at_the_threshold_is_kept() -> None:
    tau = Convention("relative", tau=Fraction(1, 10))
    at, under = 0.1, float(np.nextafter(0.1, 0))  # the double 0.1 exceeds 1/10, the one before it does not reach it
    _, cutoffs = truncated_entropies(np.array([[1.0, at], [1.0, under]]), tau)
    assert cutoffs.tolist() == [2, 1]


def test_entropies_lie_in_the_enclosures_of_the_same_matrix() -> None:
    grid = sweep_from_table(base(**{"difference.step": ["1/10", "1/1000"], "entropy.power": [1, 2]}))
    plan = Plan(grid)
    bench = Workbench(plan)
    for position in range(grid.total):
        problem = plan.cell(position).problem
        found = bench.float_spectra(position)
        for method, values in (("ad", found.ad), ("fd", found.fd)):
            hull = entropy_enclosure(spectrum(problem, method, "float64").values, problem.convention).value
            (H,), _ = truncated_entropies(values[None, :], problem.convention)
            assert hull is not None
            assert float(hull.lower) - 1e-14 <= H <= float(hull.upper) + 1e-14


def test_overflow_is_a_reason_not_a_number() -> None:
    grid = sweep_from_table(base(**{"features.weights": [{"values": ["1e200"] * 6}, "normal(0, 1)"]}))
    bench = Workbench(Plan(grid))
    with pytest.raises(InputError, match="not finite in float64"):
        bench.float_spectra(0)
    assert np.isfinite(bench.float_spectra(1).fd).all()


def test_quoted_and_unquoted_keys_are_the_same(tmp_path: Path) -> None:
    head = '[problem]\noperator = "u_xx"\nsolution = "x"\n[features]\nactivation = "sin"\n[sweep]\n'
    quoted, plain = tmp_path / "quoted.toml", tmp_path / "plain.toml"
    quoted.write_text(head + '"features.seed" = {range = [2, 5]}\n"difference.step" = [0.1, "1/100"]\n')
    plain.write_text(head + "features.seed = {range = [2, 5]}\ndifference.step = [0.1, '1/100']\n")
    assert list(sweep_grid.load_sweep(quoted).keys()) == list(sweep_grid.load_sweep(plain).keys())
    assert sweep_grid.load_sweep(plain).assignment(5) == {"features.seed": 4, "difference.step": "1/100"}


REFUSED: list[tuple[Any, str]] = [
    (None, "missing"),
    ({}, "no axis"),
    ({"compute": "entropy"}, "no axis"),
    ({"compute": "entropie", "features.seed": [1]}, "did you mean 'entropy'"),
    ({"features.sede": [1]}, "did you mean 'seed'"),
    ({"feature.seed": [1]}, "did you mean 'features.seed'"),
    ({"seed": [1]}, "sweep.seed: unknown"),
    ({"features.seed": []}, "empty list"),
    ({"features.seed": 3}, "give a list"),
    ({"features.seed": [1, 2, 1]}, "1 is listed twice"),
    ({"features.seed": {"range": [3, 3]}}, "first < stop"),
    ({"features.seed": {"range": [0, 10**7]}}, "at most"),
    ({"features.seed": {"range": [0, 1, 2]}}, "two integers"),
    ({"features.seed": {"range": ["0", "1"]}}, "two integers"),
    ({"features.seed": {"range": [0, 10**6]}, "entropy.power": [1, 2]}, "2000000 cells"),
    ({"features.seed": [1], "features": {"seed": [2]}}, "given twice"),
    ({"boundary.weight": [1]}, "cannot be swept"),
    ({"arithmetic": ["float16"]}, "allowed: exact, float64, float32"),
    ({"arithmetic": []}, "empty list"),
    (5, "missing"),
]


@pytest.mark.parametrize(("table", "words"), REFUSED)
def test_refusals(table: Any, words: str) -> None:
    content = base() | {"sweep": table}
    if table is None:
        del content["sweep"]
    with pytest.raises(InputError) as caught:
        sweep_from_table(content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_problem_file_with_a_sweep_is_named_as_one() -> None:
    with pytest.raises(InputError, match="adfd sweep"):
        problem_file.problem_from_dict(base(**{"features.seed": [1]}))


def test_a_sweep_without_any_problem_is_refused() -> None:
    with pytest.raises(InputError, match=r"features\.activation"):
        Plan(
            sweep_from_table(base(**{"features.activation": ["nonsense", "rubbish"], "features.seed": [0, 1]}))
        ).check()
    Plan(sweep_from_table(base(**{"features.activation": ["nonsense", "sin"], "features.seed": [0, 1]}))).check()

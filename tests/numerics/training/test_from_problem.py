"""Problems become residuals of networks that agree with the matrices made from the same problem."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.networks import symbolic
from numerics.networks.networks import Perceptron
from numerics.networks.perceptrons import ModuleResidual, flatten
from numerics.problem.problem import Boundary, Method, Problem, Training
from numerics.training import from_problem
from tests.numerics.training.nested_autograd import by_autograd
from theory.base.errors import InputError
from theory.features.activations import activation
from theory.features.laws import law
from theory.operators.operator import StencilChoice

F64 = torch.float64
UNIT = (Fraction(-1), Fraction(1))

PROBLEMS = {
    "poisson": Problem(count=9, interior=(11,), boundary=(Boundary(weight=Fraction(9)),)),
    "helmholtz": Problem(
        operator_text="helmholtz(3)", count=9, interior=(7,), activation_name="sin", weights=law("normal(0, 3)")
    ),
    "variable": Problem(
        operator_text="(1 + x**2)*u_xx + x*u_x - u", count=8, interior=(7,), solution="exp(x)",
        boundary=(Boundary(face="x-", operator="u_x", count=1),),
    ),
    "biharmonic": Problem(operator_text="biharmonic", count=8, interior=(6,), step=(Fraction(1, 10),)),
    "plane": Problem(
        operator_text="poisson", domain=(UNIT, UNIT), solution="sin(pi*x)*cos(y)", count=8, interior=(3, 4),
        stencil=StencilChoice("nine-point"), boundary=(Boundary(count=8),),
    ),
    "heat": Problem(
        operator_text="heat", domain=(UNIT, (Fraction(0), Fraction(1))), solution="exp(-t)*sin(x)", count=8,
        interior=(3, 3), stencil=StencilChoice("forward", 2),
    ),
    "custom": Problem(activation_name="z*exp(-z**2)", count=8, interior=(7,)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["ad", "fd"])
def test_the_residual_is_that_of_the_matrix(name: str, method: Method) -> None:
    """For fixed features the two-layer residual is ``A a/√M − f``."""
    problem = PROBLEMS[name]
    flat = from_problem.start(problem, [problem.seed])
    A = torch.from_numpy(float_matrix(problem, method, "float64"))
    f = torch.from_numpy(float_rhs(problem, "float64"))
    expected = A @ flat[0, : problem.count] / problem.count**0.5 - f
    got = from_problem.model(problem, method).residual(flat)[0]
    # The two sum in different orders: rounding of size ‖c‖₁ u / h^m on the difference path.
    loss = 1e-12 if method == "ad" else 64 * 2.0**-52 / float(problem.h) ** problem.operator.order * 10
    assert float((got - expected).abs().max()) <= loss * (1 + float(expected.abs().max()))


@pytest.mark.parametrize("text", ["z*exp(-z**2)", "1/(1 + z**2)", "atan(z)", "z**3", "asinh(z) + 1"])
def test_expressions_become_towers(text: str) -> None:
    jet = symbolic.torch_activation(activation(text))
    z = torch.linspace(-2, 2, 9, dtype=F64)
    fast, slow = jet.derivatives(z, 4), by_autograd(jet.value).derivatives(z, 4)
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)
    assert symbolic.torch_activation(activation("tanh")).name == "tanh"


def test_the_start_is_that_of_the_seed() -> None:
    problem = PROBLEMS["poisson"]
    whole = from_problem.start(problem, [3, 4, 5])
    assert torch.equal(from_problem.start(problem, [5])[0], whole[2])
    assert not torch.equal(whole[0], whole[1])
    standard = from_problem.with_training(problem, scaling="standard")
    torch.testing.assert_close(from_problem.start(standard, [3])[0, :9], whole[0, :9] / 3)
    wider = from_problem.start(problem.with_(count=20), [3])
    assert torch.equal(wider[0, :9], whole[0, :9])  # a, b, w extend those of fewer features
    assert torch.equal(wider[0, 20:29], whole[0, 9:18])
    explicit = problem.with_(
        weights=tuple((Fraction(k, 3),) for k in range(9)), biases=tuple(Fraction(k) for k in range(9))
    )
    members = from_problem.start(explicit, [0, 1])
    assert torch.equal(members[0, 9:], members[1, 9:])
    assert not torch.equal(members[0, :9], members[1, :9])


def test_two_layer_training_reports_its_runs() -> None:
    training = Training(model="two-layer", iterations=30, seeds=3)
    problem = PROBLEMS["poisson"].with_(count=256, training=training)
    seen: list[tuple[str, int, int]] = []
    report = from_problem.train_two_layer(problem, ["ad", "fd"], device="cpu", progress=lambda *at: seen.append(at))
    runs = report["runs"]
    assert len(runs) == 12
    assert {(r["method"], r["step_rule"]) for r in runs} == {
        ("ad", "own"), ("fd", "own"), ("ad", "common"), ("fd", "common"),
    }  # fmt: skip
    for run in runs:
        assert run["iterations"][0] == 0
        assert run["iterations"][-1] == 30
        assert len(run["loss"]) == len(run["predicted"]) == len(run["iterations"])
        assert run["loss"][0] == pytest.approx(run["predicted"][0], rel=1e-9)
        assert run["device"] == "cpu"
    assert seen[-1][1] == seen[-1][2]
    assert set(report["comparison"]) == {"own", "common", "largest_distance_from_frozen_law"}
    common = [r for r in runs if r["step_rule"] == "common"]
    assert common[0]["step"] == common[3]["step"]
    assert report["comparison"]["own"]["seeds"] == 3


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("depth", [2, 3])
def test_other_optimisers_and_depths(optimizer: str, depth: int) -> None:
    training = Training("two-layer", optimizer, 15, None, 2, "standard", depth)  # type: ignore[arg-type]
    report = from_problem.train_two_layer(PROBLEMS["poisson"].with_(training=training), ["ad", "fd"], device="cpu")
    assert len(report["runs"]) == 4
    for run in report["runs"]:
        assert run["predicted"] is None
        assert run["step_rule"] is None
        assert run["loss"][-1] < run["loss"][0]
    assert report["comparison"]["all"]["seeds"] == 2


def test_deep_networks_start_as_their_module_does() -> None:
    training = Training("two-layer", "adam", 1, None, 2, "ntk", 3)
    problem = PROBLEMS["poisson"].with_(training=training)
    flat = from_problem.start(problem, [7])
    module = Perceptron(3, problem.count, 1, "tanh", "ntk", seed=7)
    assert torch.equal(flat[0], flatten(module))
    expected = ModuleResidual(module, from_problem.system(problem, "ad"), "reverse").residual(flat)
    torch.testing.assert_close(from_problem.model(problem, "ad").residual(flat), expected, rtol=1e-10, atol=1e-10)


def test_gradient_descent_with_a_given_step_and_divergence() -> None:
    training = Training("two-layer", "gd", 400, Fraction(5), 2)
    report = from_problem.train_two_layer(PROBLEMS["poisson"].with_(training=training), ["ad"], device="cpu")
    run = report["runs"][0]
    assert run["step_rule"] == "given"
    assert run["status"] == "diverged"
    assert run["loss"][-1] is None
    assert "given" not in report["comparison"]


def test_float32_and_the_cast() -> None:
    problem = PROBLEMS["poisson"].with_(
        dtype="float32", training=Training("two-layer", "adam", 5, None, 2), step=(Fraction(1, 1024),)
    )
    plain = from_problem.train_methods(problem, ["fd"], device="cpu")[0].run
    cast = from_problem.train_methods(problem, ["fd"], device="cpu", cast_after_forward=True)[0].run
    assert plain.dtype == cast.dtype == "float32"
    assert not torch.equal(plain.loss, cast.loss)


def test_bad_problems_are_refused() -> None:
    with pytest.raises(InputError, match="points"):
        from_problem.system(Problem(interior=(), boundary=()), "ad")
    with pytest.raises(InputError, match="finite"):
        from_problem.system(Problem(interior=((Fraction(0),),), rhs="1/x", solution=None, count=2), "ad")


def test_solution_errors() -> None:
    problem = Problem(count=20, interior=(18,))
    points = from_problem.error_grid(problem, 64)
    assert points.shape == (64, 1)
    assert float(points.abs().max()) < 1
    exact = torch.sin(torch.pi * points[:, 0])
    found = from_problem.solution_error(
        problem, torch.stack([exact, 1.1 * exact, torch.full_like(exact, torch.nan)]), points
    )
    assert found[0] == pytest.approx(0, abs=1e-14)
    assert found[1] == pytest.approx(0.1)
    assert found[2] is None
    unknown = problem.with_(solution=None, rhs="1")
    assert from_problem.solution_error(unknown, exact[None], points) == [None]
    with pytest.raises(InputError, match="zero"):
        from_problem.solution_error(problem.with_(solution="0*x"), exact[None], points)

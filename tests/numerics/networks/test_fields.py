"""Networks with several outputs on equations: against nested autograd, manufactured solutions and the order of stencils."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from numerics.networks.networks import derivative_by_autograd
from numerics.problem.problem import Boundary, Problem, Training
from numerics.training import equations, from_problem
from theory.base.errors import InputError
from theory.features.laws import law
from theory.operators.operator import StencilChoice

BOX = ((Fraction(-1), Fraction(1)), (Fraction(0), Fraction(1)))
BURGERS: dict[str, Any] = {
    "equations": ["u_t + u*u_x = nu*u_xx"], "parameters": {"nu": Fraction(1, 100)}, "domain": BOX, "interior": (5, 4),
    "solution": "exp(-t)*sin(pi*x)", "boundary": (Boundary("all", 6),), "count": 7, "weights": law("normal(0, 2)"),
}  # fmt: skip


def by_autograd(problem: Problem, flat: torch.Tensor, points: torch.Tensor, unknown: str, alpha: Any) -> torch.Tensor:
    """Derivatives by nested autograd of a network that is written out here: σ of an affine map, one hidden layer."""
    k, m = problem.unknown_names.index(unknown), problem.count
    inputs = problem.dimension + len(problem.periodic)
    w, a, b = torch.split(flat, [inputs * m, m * len(problem.unknown_names), m])
    w, a = w.reshape(inputs, m), a.reshape(m, -1)

    def field(x: torch.Tensor) -> torch.Tensor:
        columns = []
        for axis, (name, (low, high)) in enumerate(zip(problem.variables, problem.domain, strict=True)):
            phase = 2 * math.pi * (x[:, axis] - float(low)) / float(high - low)
            columns += [torch.sin(phase), torch.cos(phase)] if name in problem.periodic else [x[:, axis]]
        value = torch.tanh(torch.stack(columns, 1) @ w + b) @ a[:, k] / math.sqrt(m)
        if unknown in problem.hard:
            mask, lift = (sp.lambdify(problem.symbols, e, _TORCH) for e in problem.hard[unknown])
            value = mask(*x.T) * value + lift(*x.T)
        return value

    return derivative_by_autograd(field, points, alpha)


_TORCH = {"sin": torch.sin, "cos": torch.cos, "exp": torch.exp, "pi": math.pi}
MORE: dict[str, dict[str, Any]] = {
    "plain": {},
    "periodic": {"periodic": ["x"]},
    "hard": {"mask": "t*(1 - x**2)", "lift": "-sin(pi*x)*exp(t)", "boundary": ()},
    "both": {"periodic": ["x"], "mask": "t", "lift": "sin(pi*x)", "boundary": ()},
}


@pytest.mark.parametrize("more", MORE)
def test_autodiff_is_nested_autograd(more: str) -> None:
    problem = Problem(**BURGERS | MORE[more])
    flat = equations.start(problem, [3, 4])
    model = from_problem.model(problem, "ad")
    points = model.system.rows[0].points
    found = model.residual(flat)[:, : len(points)]
    for one, row in zip(flat, found, strict=True):
        u, u_x, u_t, u_xx = (by_autograd(problem, one, points, "u", a) for a in ((0, 0), (1, 0), (0, 1), (2, 0)))
        x, t = points.T
        e, s, c = torch.exp(-t), torch.sin(math.pi * x), torch.cos(math.pi * x)
        source = -e * s + e * s * math.pi * e * c + 0.01 * math.pi**2 * e * s
        assert torch.allclose(row, u_t + u * u_x - 0.01 * u_xx - source, atol=1e-11)


def test_gradients_are_those_of_the_loss() -> None:
    problem = Problem(**BURGERS | MORE["both"])
    for method in ("ad", "fd"):
        model = from_problem.model(problem, method)  # type: ignore[arg-type]
        flat = equations.start(problem, [0, 1])
        loss, gradient = model(flat)
        direction = torch.randn(flat.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        ahead, behind = (model(flat + s * 1e-6 * direction)[0] for s in (1, -1))
        assert torch.allclose((ahead - behind) / 2e-6, (gradient * direction).sum(1), rtol=1e-6)
        assert torch.allclose(
            model.jacobian(flat).transpose(1, 2) @ model.residual(flat)[..., None], gradient[..., None]
        )
        assert torch.allclose(loss, 0.5 * model.residual(flat).square().sum(1))


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("order", [2, 4])
def test_differences_tend_to_autodiff_at_their_order(order: int, outside: bool) -> None:
    """Also where they are one-sided: at the points next to the border, and for products of unknowns."""
    system = {
        "equations": ["u_t = -v_xx - (u**2 + v**2)*v", "v_t = u_xx + u_x*v_tx"], "domain": BOX, "interior": (4, 3),
        "solution": {"u": "x*t", "v": "x + t"}, "boundary": (Boundary("all", 4),), "count": 6, "outside": outside,
        "stencil": StencilChoice("central", order),
    }  # fmt: skip
    errors, steps = [], [Fraction(1, 40), Fraction(1, 80)]
    for h in steps:
        problem = Problem(**system, step=(h,))  # type: ignore[arg-type]
        flat = equations.start(problem, [1])
        ad, fd = (from_problem.model(problem, m).residual(flat) for m in ("ad", "fd"))
        errors.append(float((ad - fd).norm()))
        assert torch.equal(ad[:, 24:], fd[:, 24:])  # conditions are exact in both
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize(("along", "exact"), [(["x"], "t"), (["t"], "x")])
def test_mixed_schemes(along: list[str], exact: str) -> None:
    """AD in one coordinate, FD in the other: a term without the other's derivative is exact."""
    for other in ("x", "t"):
        problem = Problem(
            equations=[f"u_{other}{other} = x*t*u"], domain=BOX, interior=(3, 3), along=along, unknowns=["u"],
            boundary=(Boundary("t-", 2, value="x"),), count=5,
        )  # fmt: skip
        flat = equations.start(problem, [0])
        gap = from_problem.model(problem, "ad").residual(flat) - from_problem.model(problem, "fd").residual(flat)
        assert (float(gap.abs().max()) < 1e-12) == (other == exact)


@pytest.mark.parametrize("name", ["x", "y"])
def test_no_point_outside_the_domain_unless_it_is_allowed(name: str) -> None:
    base: dict[str, Any] = {
        "equations": ["psi_xx + psi_yyyy + psi_xy = psi_y"], "domain": ((Fraction(0), Fraction(1)),) * 2,
        "interior": (9, 9), "solution": "x*y", "step": (Fraction(1, 8),), "boundary": (Boundary("all", 4, "psi"),),
        "count": 3,
    }  # fmt: skip
    nodes = from_problem.model(Problem(**base), "fd").system.rows[0].nodes  # type: ignore[union-attr]
    assert float(nodes.min()) >= 0
    assert float(nodes.max()) <= 1
    axis = "xy".index(name)
    for more in ({"outside": True}, {"periodic": [name]}):
        nodes = from_problem.model(Problem(**base, **more), "fd").system.rows[0].nodes  # type: ignore[union-attr]
        assert float(nodes[:, axis].min()) < 0
        assert (float(nodes[:, 1 - axis].min()) < 0) == ("outside" in more)
    with pytest.raises(InputError, match="smaller step"):
        from_problem.model(Problem(**base | {"step": (Fraction(1, 4),)}), "fd")


def test_a_solution_has_no_residual_and_conditions_hold() -> None:
    """With mask 0 the network is the lift, whatever its parameters: the equations, conditions and errors vanish at it."""
    problem = Problem(
        equations=["u*u_x + v*u_y + p_x = nu*(u_xx + u_yy)", "u*v_x + v*v_y + p_y = nu*(v_xx + v_yy)", "u_x + v_y = 0"],
        parameters={"nu": "1/20"}, domain=((Fraction(-1, 2), Fraction(1)), (Fraction(-1, 2), Fraction(3, 2))),
        mask=dict.fromkeys("uvp", "0"), interior=(4, 5),
        lift={"u": "1 - exp(-x)*cos(2*pi*y)", "v": "-exp(-x)*sin(2*pi*y)/(2*pi)", "p": "(1 - exp(-2*x))/2"},
        solution={"u": "1 - exp(-x)*cos(2*pi*y)", "v": "-exp(-x)*sin(2*pi*y)/(2*pi)", "p": "(1 - exp(-2*x))/2"},
        boundary=tuple(Boundary("all", 8, name) for name in ("u", "v", "p", "u_y - v_x", "u*p")),
    )  # fmt: skip
    flat = equations.start(problem, [5])
    model = from_problem.model(problem, "ad")
    assert float(model.residual(flat).abs().max()) < 1e-13
    judged = from_problem.judge(problem, model, flat)
    assert judged["solution_error"][0] < 1e-13
    assert set(judged["solution_errors"][0]) == {"u", "v", "p"}
    assert float(from_problem.model(problem, "fd").residual(flat)[:, :60].abs().max()) > 1e-6


def test_periodic_conditions() -> None:
    """Built into the network they hold to rounding; as rows they compare the two faces."""
    rows = (Boundary("x", 5), Boundary("x", 5, "u_x"), Boundary("x", 5, "u*u_xx"))
    base = BURGERS | {"boundary": rows}
    flat = equations.start(Problem(**base), [2])
    open_ = from_problem.model(Problem(**base), "ad").residual(flat)[0, 20:]
    low, high = (torch.tensor([[s, (2 * k + 1) / 10] for k in range(5)], dtype=torch.float64) for s in (-1.0, 1.0))
    problem = Problem(**base)
    values = [by_autograd(problem, flat[0], face, "u", (k, 0)) for face in (high, low) for k in range(3)]
    expected = torch.cat([values[0] - values[3], values[1] - values[4], values[0] * values[2] - values[3] * values[5]])
    assert torch.allclose(open_, expected, atol=1e-12)
    assert float(open_.abs().min()) > 1e-6
    periodic = Problem(**base | {"periodic": ["x"]})
    flat = equations.start(periodic, [2])
    assert float(from_problem.model(periodic, "ad").residual(flat)[0, 20:].abs().max()) < 1e-12


def test_a_deeper_network_is_differentiated_too() -> None:
    problem = Problem(**BURGERS | {"training": Training(depth=3)})
    flat = equations.start(problem, [0, 1])
    errors = []
    for h in (Fraction(1, 50), Fraction(1, 100)):
        ad, fd = (from_problem.model(problem.with_(step=(h,)), m).residual(flat) for m in ("ad", "fd"))
        errors.append(float((ad - fd).norm()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)
    assert flat.shape[1] == equations.layers(problem).size


@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs"])
def test_both_methods_train_and_say_that_no_law_is_claimed(optimizer: Any) -> None:
    problem = Problem(**BURGERS | {"training": Training(optimizer=optimizer, iterations=8, seeds=2)})
    content = from_problem.train_two_layer(problem, ["ad", "fd"])
    assert "no law" in content["note"]
    assert {run["method"] for run in content["runs"]} == {"ad", "fd"}
    for run in content["runs"]:
        assert run["predicted"] is None
        assert run["bound"] is None
        assert run["loss"][-1] < run["loss"][0]
        assert set(run["solution_errors"]) == {"u"}
    single = problem.with_(dtype="float32")
    assert np.isfinite(from_problem.train_two_layer(single, ["fd"])["runs"][0]["loss"][-1])

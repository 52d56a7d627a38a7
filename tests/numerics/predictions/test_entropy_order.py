"""What the AD side says of the Jacobian by differences: the remainder holds and is met, hulls move with the matrix."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from numerics.entropy.compare import EntropyEnclosure, entropy_enclosures
from numerics.networks import ntk
from numerics.networks.networks import Rows, System, Term
from numerics.predictions.drawn import TrainingProblem
from numerics.predictions.entropy_order import Predicted, _expanded, predict, proven_entropies
from numerics.predictions.persistence import enclosed, order
from numerics.problem.problem import Problem, Training
from proofs_check.search.strategies import exact_kernel_problems
from theory.base.errors import InputError
from theory.entropy.conventions import standard_conventions
from theory.features.laws import law
from theory.operators.operator import StencilChoice

F64 = torch.float64
CONVENTIONS = standard_conventions(2)


def drawn(
    step: Fraction, stencil: StencilChoice | None = None, operator: str = "u_xx", **changes: Any
) -> TrainingProblem:
    problem = Problem(
        operator_text=operator, interior=(3,), count=8, step=(step,), activation_name="sin",
        weights=law("uniform(-4, 4)"), biases=law("uniform(-3, 3)"), training=Training("two-layer", "gd", 1, None, 2),
    )  # fmt: skip
    return TrainingProblem(problem.with_(**({"stencil": stencil} if stencil else {}), **changes))


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**4),
    step=st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**5)]),
    case=st.sampled_from([
        ("u_xx", StencilChoice("central", 2)), ("u_xx", StencilChoice("central", 4)), ("u_x", StencilChoice("forward", 1)),
        ("u_x", StencilChoice("forward", 2)), ("u_x", StencilChoice("forward", 3)), ("u_x", StencilChoice("central", 2)),
        ("x*u_xx + u", StencilChoice("forward", 2)),
    ]),
    name=st.sampled_from(["sin", "tanh", "gaussian"]),
)  # fmt: skip
def test_the_remainder_holds(seed: int, step: Fraction, case: tuple[str, StencilChoice], name: str) -> None:
    problem = drawn(step, case[1], case[0], seed=seed, activation_name=name)
    flat = problem.start
    for found, J in zip(predict(problem, flat), ntk.jacobian(problem.model("fd", "float64"), flat), strict=True):
        assert float(torch.linalg.matrix_norm(J - found.fd)) <= found.remainder


def test_the_remainder_is_met_where_the_derivative_has_its_largest_value() -> None:
    """One neuron, one point with ``|sin z| = 1``: the a-column of ``J_FD - J_AD`` is ``w² (wh)²/12`` and no less."""
    for step, least in ((Fraction(1, 50), 0.9), (Fraction(1, 400), 0.99)):
        problem = drawn(step, interior=(1,), count=1)
        x = float(problem.model("ad", "float64").system.rows[0].points[0, 0])
        w = 1.5
        # a = 0: the columns of b and w vanish, and so do their bounds
        flat = torch.tensor([[0.0, torch.pi / 2 - w * x, w]], dtype=F64)
        (found,) = predict(problem, flat)
        plain = ntk.jacobian(problem.model("ad", "float64"), flat)[0]
        gap = float(torch.linalg.matrix_norm(ntk.jacobian(problem.model("fd", "float64"), flat)[0] - plain))
        assert gap == pytest.approx(w**4 * float(step) ** 2 / 12, rel=1e-2)
        assert float(torch.linalg.matrix_norm(plain - found.fd)) == pytest.approx(gap, rel=1e-2)
        assert found.remainder < (1 - least) * gap


@pytest.mark.parametrize("terms", [0, 2])
@pytest.mark.parametrize("order", [1, 2])
def test_the_remainder_bounds_its_derivative_on_the_whole_hull(order: int, terms: int) -> None:
    """Taylor's remainder has a point of its own for each node: entry by entry, for every shift up to the farthest node."""
    problem = drawn(Fraction(1, 2), StencilChoice("forward", order), "u_x", count=40, weights=law("uniform(-12, 12)"))
    ad, flat = problem.model("ad", "float64"), problem.start
    _, rest = _expanded(problem, ad, terms)
    if not terms:  # Σ |c_k| |s_k|^N / N! h^q: of (-1, 1) at 0, 1 and of (-3/2, 2, -1/2) at 0, 1, 2
        (part,) = rest.system.rows[0].parts
        assert isinstance(part, Term)
        assert part.coefficient == {1: 1 / 4, 2: 6 / 6 / 4}[order]
        assert part.alpha == (order + 1,)
    bound = ntk.jacobian(rest, flat.abs())
    interior, parts = ad.system.rows[0], rest.system.rows[0].parts
    largest = torch.zeros_like(bound)
    for shift in torch.linspace(0, order / 2, 41, dtype=F64):
        moved = replace(ad, system=System((Rows(interior.points + shift, interior.target, parts, interior.root),)))
        largest = torch.maximum(largest, ntk.jacobian(moved, flat).abs())
    assert (largest <= bound * (1 + 1e-12)).all()
    assert (largest >= 0.9 * bound).any()


@given(st.integers(0, 10**6), st.integers(2, 5), st.floats(-6, 0))
def test_values_within_a_radius(seed: int, n: int, size: float) -> None:
    """Against mpmath; a matrix moved along its own singular vectors meets both ends."""
    matrix = torch.randn(n, n + 1, dtype=F64, generator=torch.Generator().manual_seed(seed))
    with mpmath.workdps(40):
        true = sorted(mpmath.svd_r(mpmath.matrix(matrix.tolist()), compute_uv=False), reverse=True)
        radius = 10.0**size
        for value, alone, wide in zip(true, enclosed(matrix, 0.0), enclosed(matrix, radius), strict=True):
            exact = Fraction(*map(int, mpmath.libmp.to_rational(value._mpf_)))
            assert alone.lower <= exact <= alone.upper
            assert alone.width <= Fraction(1, 10**12)
            assert wide.lower <= max(Fraction(0), exact - Fraction(radius))
            assert exact + Fraction(radius) <= wide.upper


def test_hulls_move_with_what_is_not_known() -> None:
    """The largest singular value moved by all that is allowed, on either side, in either direction."""
    matrix = torch.diag(torch.tensor([1.0, 0.5, 0.1], dtype=F64))
    top = torch.zeros(3, 3, dtype=F64)
    top[0, 0] = 1.0
    for remainder in (0.05, 0.02, 0.0):
        predicted = Predicted(matrix, matrix, remainder)
        found = predicted.entropies(CONVENTIONS)
        for k, radius in enumerate((0.0, remainder)):
            for sign in (1.0, -1.0):
                moved = entropy_enclosures(enclosed(matrix + sign * radius * top, 0.0), CONVENTIONS)
                for pair, one in zip(found, moved, strict=True):
                    if pair[k].value is not None and one.value is not None:
                        assert pair[k].value.lower <= one.value.upper
                        assert one.value.lower <= pair[k].value.upper
                        assert (
                            pair[k].value.width
                            >= (radius > 0) * 2 * abs(one.value.middle - pair[k].value.middle) * 0.99
                        )
        assert any(pair[0].value is not None for pair in found)
        wide = [[p.value.width for p in pair if p.value] for pair in found]
        thin = [
            [p.value.width for p in pair if p.value] for pair in Predicted(matrix, matrix, 0.0).entropies(CONVENTIONS)
        ]
        for k, radius in enumerate((0.0, remainder)):
            assert all(
                a[k] > b[k] + Fraction(1, 1000) for a, b in zip(wide, thin, strict=True) if len(a) == 2 == len(b)
            ) == (radius > 0)


@pytest.mark.parametrize(
    ("ad", "fd", "expected"),
    [
        ((1, 2), (3, 4), "fd>ad"), ((3, 4), (1, 2), "fd<ad"), ((1, 3), (2, 4), None), ((2, 4), (1, 3), None),
        ((1, 4), (2, 3), None), ((2, 3), (1, 4), None), ((1, 2), (2, 3), None),
    ],
)  # fmt: skip
def test_an_order_needs_disjoint_enclosures(ad: tuple[int, int], fd: tuple[int, int], expected: str | None) -> None:
    sides = [EntropyEnclosure(Enclosure(Fraction(a), Fraction(b)), (1, 1)) for a, b in (ad, fd)]
    assert order(*sides) == expected
    assert order(EntropyEnclosure(None, (1, 1)), sides[1]) is None


def test_predicted_orders_are_those_in_exact_arithmetic() -> None:
    """Against certified singular values of other code; half of the networks have a prediction, and every one is decided."""
    said: list[bool] = []

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(exact_kernel_problems(members=2))
    def check(drawn: TrainingProblem) -> None:
        for k, one in enumerate(predict(drawn, drawn.start)):
            predicted = one.orders(CONVENTIONS)
            said.append(any(predicted))
            for says, pair in zip(predicted, zip(*proven_entropies(drawn, k, CONVENTIONS), strict=True), strict=True):
                assert says in (None, order(*pair))

    check()
    assert sum(said) >= len(said) / 2


def test_exact_kernels_need_signs_and_one_scale() -> None:
    drawn = TrainingProblem(Problem(training=Training("two-layer", "gd", 1, None, 1)), "normal")
    with pytest.raises(InputError, match="signs"):
        proven_entropies(drawn, 0, CONVENTIONS)


def test_a_run_in_float32_is_predicted_in_float64() -> None:
    """Shifts rounded to float32 are those of another stencil, beyond the remainder; found among drawn networks."""
    narrow = law("uniform(-1, 1)")
    double = drawn(Fraction(1, 10), StencilChoice("forward", 2), "u_xxxx", weights=narrow, biases=narrow)
    single = TrainingProblem(double.problem.with_(dtype="float32"))
    rounded = ntk.jacobian(single.model("fd", "float64"), single.start)
    for one, other, J, K in zip(
        predict(single, single.start), predict(double, double.start),
        ntk.jacobian(double.model("fd"), double.start), rounded, strict=True,
    ):  # fmt: skip
        assert torch.equal(one.fd, other.fd)
        assert one.remainder == other.remainder
        assert (
            float(torch.linalg.matrix_norm(J - one.fd)) <= one.remainder < float(torch.linalg.matrix_norm(K - one.fd))
        )

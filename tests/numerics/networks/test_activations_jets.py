"""Derivative jets against the symbolic derivatives in multiprecision, and against nested autodiff."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import activations as cofactors
from numerics.networks import activations as jets
from tests.numerics.training.nested_autograd import by_autograd
from theory.base.errors import InputError
from theory.features import activations

SMOOTH = [name for name in jets.names() if not name.startswith(("relu", "step"))]
ORDER = 6


def exact(name: str, points: list[float], order: int) -> np.ndarray:
    """σ⁽⁰⁾ … σ⁽ᵒʳᵈᵉʳ⁾ at double-precision points, by the symbolic derivatives at 60 digits."""
    with mp.workdps(60):
        rows = []
        for n in range(order + 1):
            function = sp.lambdify(activations.z, activations.activation(name).derivative(n), "mpmath")
            rows.append([mp.mpf(function(mp.mpf(p))) for p in points])
        return np.array(rows, dtype=object)


def test_the_same_activations_as_the_theory() -> None:
    assert set(jets.names()) == set(activations.names())


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_towers_against_symbolic_derivatives(name: str, dtype: torch.dtype) -> None:
    """A few ulp of |σ⁽ⁿ⁾| + (1 + |z|)|σ⁽ⁿ⁺¹⁾|: relative accuracy in the tails, absolute at the roots."""
    generator = torch.Generator().manual_seed(5)
    z = torch.cat(
        [8 * torch.rand(40, generator=generator, dtype=dtype) - 4, torch.tensor([0.0, 1e-9, -9.0, 12.0], dtype=dtype)]
    )
    reference = exact(name, z.double().tolist(), ORDER + 1)
    got = jets.activation(name).derivatives(z, ORDER)
    assert len(got) == ORDER + 1
    unit, tiny = torch.finfo(dtype).eps / 2, torch.finfo(dtype).tiny
    for n in range(ORDER + 1):
        assert got[n].dtype == dtype
        for j, point in enumerate(z.double().tolist()):
            scale = abs(reference[n, j]) + (1 + abs(point)) * abs(reference[n + 1, j])
            assert abs(mp.mpf(float(got[n][j])) - reference[n, j]) <= 12 * (n + 1) * unit * scale + tiny


@pytest.mark.parametrize("name", SMOOTH)
def test_towers_agree_with_nested_autodiff(name: str) -> None:
    z = torch.linspace(-4, 4, 81, dtype=torch.float64)
    fast = jets.activation(name).derivatives(z, 5)
    slow = by_autograd(jets.activation(name).value).derivatives(z, 5)
    for n, (a, b) in enumerate(zip(fast, slow, strict=True)):
        assert float((a - b).abs().max()) <= 1e-12 * (1 + float(b.abs().max())), n


@settings(max_examples=25)
@given(st.floats(-40, 40), st.sampled_from(["tanh", "sigmoid", "sech", "softplus", "silu"]), st.integers(1, 5))
def test_the_tails_keep_relative_accuracy(point: float, name: str, order: int) -> None:
    """Far out every derivative is an exponential, and is given as one."""
    if abs(point) < 6:
        point += 6 if point >= 0 else -6
    reference = exact(name, [point], order)[order, 0]
    got = float(jets.activation(name).derivatives(torch.tensor([point], dtype=torch.float64), order)[order][0])
    assert abs(got - reference) <= 1e-13 * (1 + abs(point)) * abs(reference)


@pytest.mark.parametrize("power", [0, 1, 2, 3, 4])
def test_relu_powers_pointwise(power: int) -> None:
    name = {0: "step", 1: "relu"}.get(power, f"relu{power}")
    z = torch.tensor([-1.5, 0.0, 0.5, 2.0], dtype=torch.float64)
    jet = jets.activation(name).derivatives(z, 6)
    for n in range(7):
        factor = float(sp.ff(power, n)) if n <= power else 0.0
        expected = [0.0, 0.0, factor * 0.5 ** (power - n), factor * 2.0 ** (power - n)]
        assert jet[n].tolist() == (expected if n <= power else [0.0] * 4)


@settings(max_examples=30)
@given(st.integers(1, 12), st.floats(-1, 1, exclude_min=True, exclude_max=True))
def test_cofactors_against_the_polynomials_of_the_theory(order: int, t: float) -> None:
    """s t^e q(s) and the polynomial in t of ``theory`` are one function, coefficient by coefficient."""
    symbol = sp.Symbol("t")
    for cofactor, polynomial, factor in (
        (cofactors.tanh_cofactor, lambda k: activations.tanh_polynomial(k).as_expr(), 1 - symbol**2),
        (cofactors.sech_cofactor, activations.sech_polynomial, sp.Integer(1)),
    ):
        q, e = cofactor(order)
        spelled = factor * symbol**e * sum(c * (1 - symbol**2) ** k for k, c in enumerate(q))
        assert sp.expand(spelled - polynomial(order)) == 0


def test_autograd_handles_what_has_no_slope() -> None:
    z = torch.linspace(-1, 1, 5, dtype=torch.float64)
    jet = by_autograd(lambda u: 3 * u + 1).derivatives(z, 3)
    assert jet[1].tolist() == [3.0] * 5
    assert jet[2].tolist() == [0.0] * 5
    assert jet[3].tolist() == [0.0] * 5


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="activation"):
        jets.activation("tanj")
    with pytest.raises(InputError, match="at least 0"):
        jets.activation("tanh").derivatives(torch.zeros(1), -1)

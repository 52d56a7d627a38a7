"""Kernel eigenvalues with proof against float64, multiprecision and autodiff."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from numerics.matrices.assemble import float_matrix, multiprecision_entries
from numerics.problem.problem import METHODS, Boundary, Method, Problem
from numerics.spectra.kernels import kernel_spectrum, limit_entries
from theory.base.errors import InputError
from theory.features.laws import law
from theory.kernels.derive import derive_kernel

NORMAL = law("normal(0, 2)")


def problem(activation: str, **changes: object) -> Problem:
    base = Problem(count=7, interior=(5,), activation_name=activation, weights=NORMAL, biases=law("normal(0, 1)"))
    return base.with_(step=(Fraction(1, 10),), **changes)


def tangent_by_torch(case: Problem, method: Method) -> np.ndarray:
    """``J J^T`` in float64, J by reverse mode through the activation itself (and twice more for u_xx)."""
    import torch

    from numerics.problem.drawn import boundary_rows, features, interior_points

    drawn = features(case)
    w = torch.tensor([[float(v) for v in row] for row in drawn.weights], dtype=torch.float64)
    parameters = [
        torch.ones(case.count, dtype=torch.float64),
        torch.tensor([float(v) for v in drawn.biases], dtype=torch.float64),
        w,
    ]

    def network(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return a @ torch.tanh(w @ x + b) / case.count**0.5

    def interior(x: torch.Tensor, *p: torch.Tensor) -> torch.Tensor:
        if method == "ad":
            (first,) = torch.autograd.grad(network(x, *p), x, create_graph=True)
            return torch.autograd.grad(first[0], x, create_graph=True)[0][0]
        h = float(case.h)
        return (network(x + h, *p) - 2 * network(x, *p) + network(x - h, *p)) / h**2

    for parameter in parameters:
        parameter.requires_grad_()
    rows = []
    for points, row, root in (
        (interior_points(case), interior, 1.0),
        *((b.points, network, float(b.rows.weight) ** 0.5) for b in boundary_rows(case)),
    ):
        for point in points:
            x = torch.tensor([float(v) for v in point], dtype=torch.float64, requires_grad=True)
            gradient = torch.autograd.grad(row(x, *parameters), parameters)
            rows.append(root * torch.cat([g.reshape(-1) for g in gradient]))
    jacobian = torch.stack(rows).numpy()
    return np.asarray(jacobian @ jacobian.T)


@pytest.mark.parametrize("method", METHODS)
def test_tangent_kernel_against_autodiff(method: Method) -> None:
    case = problem("tanh", boundary=(Boundary("all", 2, weight=Fraction(9)),))
    found = kernel_spectrum(case, method, "ntk")
    known = np.linalg.eigvalsh(tangent_by_torch(case, method))[::-1]
    assert found.rank == len(known) == 7
    for value, enclosure in zip(known, found.values, strict=True):
        assert abs(value - float(enclosure.middle)) < 1e-10 * known[0]
        assert enclosure.relative_width is not None
        assert enclosure.relative_width < Fraction(1, 10**11)


@pytest.mark.parametrize("method", METHODS)
def test_empirical_kernel_is_the_gram_matrix(method: Method) -> None:
    case = problem("erf", interior=(9,))  # more points than features: two eigenvalues are zero
    stored = float_matrix(case, method, "float64")
    known = np.linalg.eigvalsh(stored @ stored.T / case.count)[::-1]
    found = kernel_spectrum(case, method, "empirical")
    assert found.rank == 7
    for value, enclosure in zip(known, found.values, strict=True):
        assert abs(value - float(enclosure.middle)) < 1e-10 * known[0]
    with mpmath.workdps(60):
        entries = multiprecision_entries(case, method)(60)
        sigma = sorted(mpmath.svd_r(entries, compute_uv=False), reverse=True)
        for value, enclosure in zip(sigma, found.values, strict=False):
            exact = Fraction(*map(int, mpmath.libmp.to_rational((value**2 / case.count)._mpf_)))
            assert enclosure.lower <= exact <= enclosure.upper
    assert found.values[-1].upper <= found.rest_upper
    assert found.values[-1].lower == 0


@pytest.mark.parametrize("activation", ["sin", "erf", "gaussian"])
@pytest.mark.parametrize("method", METHODS)
def test_limit_kernel_against_quadrature_free_multiprecision(activation: str, method: Method) -> None:
    case = problem(activation, interior=(4,))
    found = kernel_spectrum(case, method, "limit", 15)
    derived = derive_kernel(activation, NORMAL, "normal(0, 1)", "u_xx", None, Fraction(1, 10), verify=False)
    points = [Fraction(2 * i, 5) - 1 for i in range(1, 5)]
    kind = "K_AD" if method == "ad" else "K_FD"
    with mpmath.workdps(40):
        table = [[mpmath.mpf(derived.evaluate([x], [y], 35)[kind]) for y in points] for x in points]
        known = sorted(mpmath.eigsy(mpmath.matrix(table), eigvals_only=True), reverse=True)
        for value, enclosure in zip(known, found.values, strict=True):
            assert abs(value - mpmath.mpf(enclosure.middle.numerator) / enclosure.middle.denominator) < 1e-13 * value


def test_the_limit_is_asked_for_where_there_is_none() -> None:
    with pytest.raises(InputError, match="no closed form"):
        kernel_spectrum(problem("tanh"), "ad", "limit")
    explicit = Problem(count=1, interior=(1,), weights=((Fraction(1),),), biases=(Fraction(0),))
    with pytest.raises(InputError, match="given as values"):
        limit_entries(explicit, "ad")
    cauchy = problem("sin", weights=law("cauchy(0, 1)"))
    with pytest.raises(InputError):
        kernel_spectrum(cauchy, "ad", "limit")

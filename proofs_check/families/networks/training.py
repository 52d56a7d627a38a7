"""Training the random feature model: the exact law of gradient descent, and what the spectra imply for the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.matrices.assemble import float_matrix, float_rhs, multiprecision_entries, multiprecision_rhs
from numerics.problem.drawn import features
from numerics.problem.problem import METHODS, Problem
from proofs_check.claims.claim import Assumption, Profile, Scope, Step, stated, weaker, wrong
from proofs_check.claims.comparisons import once, problem, same, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.networks import loss_orders
from proofs_check.families.networks.networks import flow
from theory.base.enclosure import from_comparison
from theory.solvable import least_squares as dynamics

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ITERATIONS = 1000


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    return (_drawn(scope, seed) for seed in seeds(profile, 4, 16))


def _drawn(scope: Scope, seed: int) -> Problem:
    return problem(scope["activation"], seed=seed, size=24, scale=2, step=Fraction(1, 20))


def _search(scope: Scope) -> SearchStrategy[Problem]:
    """Draws of the same kind by their seed: small explicit problems have singular matrices and vanishing data."""
    from proofs_check.search import spaces as search_spaces

    return search_spaces.seeded(lambda seed: _drawn(scope, seed))


def _system(instance: Problem, method: Any, dtype: str = "float64") -> tuple[Any, Any]:
    """A and f as torch tensors of the arithmetic."""
    import torch

    return torch.from_numpy(float_matrix(instance, method, dtype)), torch.from_numpy(float_rhs(instance, dtype))


def _flow(A: Any, f: Any, step: float, iterations: int, every: int) -> Any:
    """``exp(−ηtAAᵀ) r(0)``: residuals ``[t, n]``, one in ``every`` iterations."""
    return flow(A @ A.T, -f, step, tuple(range(0, iterations + 1, every)))


_both = once(*({"activation": a, "method": m} for a in ("sin", "tanh") for m in ("ad", "fd")))


@stated(
    "training.gradient-descent",
    title="The exact law of gradient descent on the random feature model",
    source="classical",
    predicate=r"torch in float64 stays within $10^{-11}\|r(0)\|$ of the law over 1000 steps",
    kind="sampled",
    scopes=_both,
    instances=_instances,
    derivation=(
        Step(r"$r(t+1) = (I - \eta AA^T)\,r(t)$", "one step of gradient descent"),
        Step(r"$AA^T = U\,\mathrm{diag}(\sigma_k^2)\,U^T$", "singular value decomposition"),
    ),
    search=_search,
    judges=("numerics.training.rfm.predict", "numerics.training.rfm.gradient_descent"),
    mutants=(
        wrong("rate-too-large", "the law's step is larger by one per cent", "constant", stretch=1.01),
        wrong("flow", "the factor of a mode is that of the gradient flow, exp(−ησ²t)", "predicate", law=_flow),
    ),
)
def gradient_descent(
    instance: Problem, scope: Scope, stretch: float = 1.0, law: Callable[..., Any] | None = None
) -> Outcome:
    r"""Gradient descent with step $\eta = 1/\sigma_1^2$ on $\tfrac12\|Aa - f\|^2$, in float64 over 1000 steps, has the
    residual $r(t) = \sum_k (1 - \eta\sigma_k^2)^t\langle u_k, r(0)\rangle u_k + r_\perp$ ($24 \times 24$ sine and tanh systems)."""
    from numerics.training import rfm

    tolerance = 1e-11
    A, f = _system(instance, scope["method"])
    step = rfm.stable_step(A)
    run = rfm.gradient_descent(A, f, step, ITERATIONS, 100, keep_residuals=True)
    assert run.residuals is not None
    predicted: Any
    if law is None:
        predicted = rfm.predict(A, f, stretch * step, ITERATIONS, 100, keep_residuals=True).residuals
    else:
        predicted = law(A, f, stretch * step, ITERATIONS, 100)
    start = float((f.double() ** 2).sum().sqrt())
    gap = float((run.residuals - predicted).norm(dim=-1).max()) / start
    return Outcome(
        gap <= tolerance,
        f"largest distance of the residual from the law {gap:.2e} of ‖r(0)‖ over {ITERATIONS} steps",
        margin=tolerance - gap,
        data={"gap": gap},
    )


@stated(
    "training.truncated-svd",
    title="Residual of the truncated pseudo-inverse",
    source="classical",
    predicate=r"both agree within $10^{-7}\|f\|$ for every $r$ with $\sigma_r \ge 10^{-8}\sigma_1$, in float64",
    kind="sampled",
    scopes=_both,
    instances=_instances,
    search=_search,
    judges=("numerics.training.rfm.truncated_svd",),
    mutants=(
        wrong("off-by-one", "one more singular value is counted", "constant", shift=1),
        wrong("float32", "they agree as well for the matrix stored in float32", "assumption", dtype="float32"),
    ),
)
def truncated_svd(instance: Problem, scope: Scope, shift: int = 0, dtype: str = "float64") -> Outcome:
    r"""In float64 and for $\sigma_r \ge 10^{-8}\sigma_1$ the truncated-SVD solution with cut-off $r$ leaves the residual
    $\|(I - U_rU_r^T)f\|$, to $10^{-7}\|f\|$: for $A_{FD}$, that of the discretised equation ($24 \times 24$ sine and tanh systems)."""
    from numerics.training import rfm

    A, f = _system(instance, scope["method"], dtype)
    found = rfm.truncated_svd(A, f)
    values = found.values.numpy()
    kept = int((values >= 1e-8 * values[0]).sum())  # beyond, the solution itself is round-off
    # for every cut-off, from the solution and from the projections
    measured = found.computed_residuals(A, f).numpy()[: kept + 1 - shift]
    predicted = found.residuals.numpy()[shift : kept + 1]
    gap = float(np.max(np.abs(measured - predicted)) / np.linalg.norm(f.numpy()))
    return Outcome(gap <= 1e-7, f"largest difference {gap:.2e} of ‖f‖ for r ≤ {kept}", margin=1e-7 - gap)


def _rational_kernels(instance: Problem, stretch: Fraction) -> tuple[Any, Any, Any]:
    """Gram matrices K and D K D' that are Loewner-ordered exactly: AD features times rational factors in (0, 1].

    The features and factors of the instance are rounded to rationals of a few digits; the order
    ``A_FD A_FDᵀ ≤ A_AD A_ADᵀ`` then holds exactly, by construction, as the sine factorisation gives it. ``stretch``
    multiplies the factors: above 1 the order is lost.
    """
    size, h = 5, float(instance.h)
    A = float_matrix(instance, "ad", "float64")[:size, :]
    factors = [
        stretch * loss_orders.rounded(float(np.sinc(float(w) * h / 2 / np.pi) ** 2))
        for (w,) in features(instance).weights
    ]
    rational = tuple(tuple(loss_orders.rounded(float(v)) for v in row) for row in A)
    scaled = tuple(tuple(v * d for v, d in zip(row, factors, strict=True)) for row in rational)
    f = tuple(loss_orders.rounded(float(v)) for v in float_rhs(instance, "float64")[:size])
    return dynamics.gram(rational), dynamics.gram(scaled), tuple(-v for v in f)


@stated(
    "training.loewner-integral",
    title="The time-integrated loss favours AD under the Loewner order",
    source="ours",
    predicate="for each pair of rational kernels (those of the sine factorisation, rounded, five rows), "
    r"$K_{FD}^{-1} - K_{AD}^{-1} \ge 0$ by elimination in exact rationals: every $f$ at once; the integral of the instance's own $f$ is "
    r"$\tfrac14r_0^TK^{-1}r_0$ exactly",
    kind="exact",
    scopes=once({"activation": "sin"}),
    instances=_instances,
    derivation=(
        Step(r"$0 < K' \le K$ implies $K^{-1} \le K'^{-1}$", "inversion is antitone (Löwner, 1934)", "cited"),
        Step(r"$\int_0^\infty \tfrac12\|e^{-Kt}r_0\|^2dt = \tfrac14r_0^TK^{-1}r_0$", "integrate each mode"),
    ),
    search=_search,
    judges=(dynamics.kernel_loss_integral,),
    mutants=(
        wrong("reversed", "FD has the smaller integral", "sign", reverse=True),
        wrong("unordered", "the factors of the difference may exceed 1", "assumption", stretch=Fraction(3, 2)),
    ),
)
def loewner_integral(
    instance: Problem, scope: Scope, reverse: bool = False, stretch: Fraction = Fraction(1)
) -> Outcome:
    r"""If $0 < A_{FD}A_{FD}^T \le A_{AD}A_{AD}^T$ (Loewner) then $\int_0^\infty \mathrm{loss}\,dt =
    \tfrac14 r_0^TK^{-1}r_0$ is at most as large for AD as for FD, for every $f$ (pairs of rational kernels of
    five rows, as the sine factorisation orders them)."""
    *kernels, start = _rational_kernels(instance, stretch)
    ad, fd = (dynamics.kernel_loss_integral(kernel, start) for kernel in kernels)
    one, other = (tuple(dynamics.solve(K, unit) for unit in loss_orders.identity(len(K))) for K in kernels)
    if reverse:
        one, other = other, one
    difference = loss_orders.combined(other, one, -1)
    # The integrals for the instance's own f, by another function, must agree with the matrices.
    consistent = same(loss_orders.form_value(difference, start) / 4, ad - fd if reverse else fd - ad)
    if consistent.holds is not True:
        return Outcome(consistent, "the integral is not ¼ r₀ᵀK⁻¹r₀")
    semidefinite = loss_orders.is_semidefinite(difference)
    detail = f"K_FD⁻¹ − K_AD⁻¹ {'≥' if semidefinite else 'not ≥'} 0; own f: AD {float(ad):.6g}, FD {float(fd):.6g}"
    return Outcome(consistent & from_comparison(semidefinite), detail)


def _with_tanh(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for instance in _instances({"activation": "sin"}, profile):
        yield instance
        yield instance.with_(activation_name="tanh")


@stated(
    "training.invariance",
    title="AD and FD have the same pseudo-inverse residual for sine features and interior rows",
    source="ours",
    predicate=r"residuals of an $8\times5$ system agree within $10^{-30}\|f\|$ in 60-digit arithmetic",
    kind="sampled",
    scopes=once({"activation": "sin"}),
    instances=_with_tanh,
    assumptions=(
        Assumption(r"$\sigma = \sin$, interior rows only", lambda p: p.activation.name == "sin" and not p.boundary),
        Assumption(
            r"$L = \partial^m$ and a symmetric stencil",
            lambda p: p.operator.is_homogeneous and p.difference.is_symmetric,
        ),
    ),
    search=lambda scope: _search(scope) | _search({"activation": "tanh"}),
    judges=(multiprecision_entries,),
    mutants=(
        weaker("any-activation", "the activation need not be sin", "sin"),
        wrong("truncated", "the residuals of a truncated pseudo-inverse are equal too", "predicate", truncated=True),
    ),
)
def invariance(instance: Problem, scope: Scope, truncated: bool = False) -> Outcome:
    r"""For sine features with $m(hw_j) \ne 0$, interior rows, $L = \partial^m$ and a symmetric stencil ($8 \times 5$
    systems) $A_{FD} = A_{AD}D$ with $D = \mathrm{diag}(m(hw_j))$ invertible has the range of $A_{AD}$: in exact
    arithmetic the least-squares residuals are equal, so nothing is lost by FD."""
    import mpmath

    with mpmath.workdps(60):
        rows, columns = 8, 5
        f = multiprecision_rhs(instance, 60)[:rows, :]
        residuals = []
        for method in METHODS:
            left, _, _ = mpmath.svd_r(multiprecision_entries(instance, method)(60)[:rows, :columns])
            residual = f
            for k in range(columns - 2 if truncated else columns):
                u = left[:, k]
                residual = residual - u * (u.T * f)[0]
            residuals.append(residual)
        gap = float(mpmath.norm(residuals[0] - residuals[1]) / mpmath.norm(f))
    return Outcome(gap <= 1e-30, f"residuals differ by {gap:.1e} of ‖f‖", margin=1e-30 - gap)


CLAIMS = (gradient_descent, truncated_svd, loewner_integral, invariance)
"""Claims about the random feature model."""

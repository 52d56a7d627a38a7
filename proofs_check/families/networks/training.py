"""Training the random feature model: the exact law of gradient descent, and what the spectra imply for the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.problem.drawn import features
from numerics.problem.problem import Problem
from proofs_check.claims.claim import Assumption, Claim, Mutant, Profile, Scope, Step
from proofs_check.claims.comparisons import once, problem, same, seeds, witness
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.networks import loss_orders
from proofs_check.families.networks.networks import flow
from theory.base.enclosure import from_comparison
from theory.solvable import least_squares as dynamics

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ITERATIONS = 1000


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 4, 16):
        yield problem(scope["activation"], seed=seed, size=24, scale=2, step=Fraction(1, 20))


def _search(scope: Scope) -> SearchStrategy[Problem]:
    """Draws of the same kind by their seed: small explicit problems have singular matrices and vanishing data."""
    from proofs_check.search import spaces as search_spaces

    return search_spaces.seeded(
        lambda seed: problem(scope["activation"], seed=seed, size=24, scale=2, step=Fraction(1, 20))
    )


def _system(instance: Problem, method: Any, dtype: str = "float64") -> tuple[Any, Any]:
    """A and f as torch tensors of the arithmetic."""
    import torch

    return torch.from_numpy(float_matrix(instance, method, dtype)), torch.from_numpy(float_rhs(instance, dtype))


Law = Callable[[Any, Any, float, int, int], Any]
"""Residuals ``[t, n]`` from A, f, the step, the iterations and how often one is recorded."""


def _law(A: Any, f: Any, step: float, iterations: int, every: int) -> Any:
    from numerics.training import rfm

    return rfm.predict(A, f, step, iterations, every, keep_residuals=True).residuals


def _flow(A: Any, f: Any, step: float, iterations: int, every: int) -> Any:
    """``exp(−ηtAAᵀ) r(0)``."""
    return flow(A @ A.T, -f, step, tuple(range(0, iterations + 1, every)))


def _descent_law(
    rate: Callable[[float], float], tolerance: float, law: Law = _law
) -> Callable[[Problem, Scope], Outcome]:
    """Residuals of torch against the law with another step."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        from numerics.training import rfm

        A, f = _system(instance, scope["method"])
        step = rfm.stable_step(A)
        run = rfm.gradient_descent(A, f, step, ITERATIONS, 100, keep_residuals=True)
        predicted = law(A, f, rate(step), ITERATIONS, 100)
        start = float((f.double() ** 2).sum().sqrt())
        assert run.residuals is not None
        gap = float((run.residuals - predicted).norm(dim=-1).max()) / start
        return Outcome(
            gap <= tolerance,
            f"largest distance of the residual from the law {gap:.2e} of ‖r(0)‖ over {ITERATIONS} steps",
            margin=tolerance - gap,
            data={"gap": gap},
        )

    return test


def _projection(tolerance: float, shift: int, dtype: str = "float64") -> Callable[[Problem, Scope], Outcome]:
    """The truncated-SVD residual for every cut-off, from the solution and from the projections."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        from numerics.training import rfm

        A, f = _system(instance, scope["method"], dtype)
        found = rfm.truncated_svd(A, f)
        values = found.values.numpy()
        kept = int((values >= 1e-8 * values[0]).sum())  # beyond, the solution itself is round-off
        measured = found.computed_residuals(A, f).numpy()[: kept + 1 - shift]
        predicted = found.residuals.numpy()[shift : kept + 1]
        gap = float(np.max(np.abs(measured - predicted)) / np.linalg.norm(f.numpy()))
        return Outcome(gap <= tolerance, f"largest difference {gap:.2e} of ‖f‖ for r ≤ {kept}", margin=tolerance - gap)

    return test


def _integral(reverse: bool, stretch: Fraction = Fraction(1)) -> Callable[[Problem, Scope], Outcome]:
    """∫ loss dt of gradient flow, ¼ r₀ᵀK⁻¹r₀: K_FD⁻¹ − K_AD⁻¹ is positive semidefinite, so AD's is at most FD's for every r₀.

    The integrals for the instance's own f, by another function, must agree with the matrices.
    """

    def test(instance: Problem, scope: Scope) -> Outcome:
        *kernels, start = _rational_kernels(instance, stretch)
        ad, fd = (dynamics.kernel_loss_integral(kernel, start) for kernel in kernels)
        one, other = (tuple(dynamics.solve(K, unit) for unit in loss_orders.identity(len(K))) for K in kernels)
        if reverse:
            one, other = other, one
        difference = loss_orders.combined(other, one, -1)
        consistent = same(loss_orders.form_value(difference, start) / 4, ad - fd if reverse else fd - ad)
        if consistent.holds is not True:
            return Outcome(consistent, "the integral is not ¼ r₀ᵀK⁻¹r₀")
        semidefinite = loss_orders.is_semidefinite(difference)
        detail = f"K_FD⁻¹ − K_AD⁻¹ {'≥' if semidefinite else 'not ≥'} 0; own f: AD {float(ad):.6g}, FD {float(fd):.6g}"
        return Outcome(consistent & from_comparison(semidefinite), detail)

    return test


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


def _invariance(tolerance: float, truncated: bool) -> Callable[[Problem, Scope], Outcome]:
    """Least-squares residuals of A_AD and of A_AD · D, in 60-digit arithmetic."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        import mpmath

        from numerics.matrices.assemble import multiprecision_entries, multiprecision_rhs

        with mpmath.workdps(60):
            rows, columns = 8, 5
            parts = [multiprecision_entries(instance, m)(60)[:rows, :columns] for m in ("ad", "fd")]
            f = multiprecision_rhs(instance, 60)[:rows, :]
            residuals = []
            for A in parts:
                left, _, _ = mpmath.svd_r(A)
                kept = columns - 2 if truncated else columns
                residual = f
                for k in range(kept):
                    u = left[:, k]
                    residual = residual - u * (u.T * f)[0]
                residuals.append(residual)
            gap = float(mpmath.norm(residuals[0] - residuals[1]) / mpmath.norm(f))
        return Outcome(gap <= tolerance, f"residuals differ by {gap:.1e} of ‖f‖", margin=tolerance - gap)

    return test


_both = once(*({"activation": a, "method": m} for a in ("sin", "tanh") for m in ("ad", "fd")))
_sine = Assumption(r"$\sigma = \sin$, interior rows only", lambda p: p.activation.name == "sin" and not p.boundary)


def _with_tanh(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for instance in _instances({"activation": "sin"}, profile):
        yield instance
        yield instance.with_(activation_name="tanh")


CLAIMS = (
    Claim(
        id="training.gradient-descent",
        title="The exact law of gradient descent on the random feature model",
        statement=r"Gradient descent with step $\eta = 1/\sigma_1^2$ on $\tfrac12\|Aa - f\|^2$, in float64 over 1000 steps, has the "
        r"residual $r(t) = \sum_k (1 - \eta\sigma_k^2)^t\langle u_k, r(0)\rangle u_k + r_\perp$ ($24 \times 24$ sine and tanh systems).",
        family="training",
        source="classical",
        predicate=r"torch in float64 stays within $10^{-11}\|r(0)\|$ of the law over 1000 steps",
        kind="sampled",
        scopes=_both,
        instances=_instances,
        test=_descent_law(lambda step: step, 1e-11),
        derivation=(
            Step(r"$r(t+1) = (I - \eta AA^T)\,r(t)$", "one step of gradient descent"),
            Step(r"$AA^T = U\,\mathrm{diag}(\sigma_k^2)\,U^T$", "singular value decomposition"),
        ),
        describe=witness,
        search=_search,
        mutants=(
            Mutant("rate-too-large", "the law's step is larger by one per cent", "constant",
                   lambda c: c.with_(test=_descent_law(lambda step: 1.01 * step, 1e-11))),
            Mutant("flow", "the factor of a mode is that of the gradient flow, exp(−ησ²t)", "predicate",
                   lambda c: c.with_(test=_descent_law(lambda step: step, 1e-11, _flow))),
        ),
    ),
    Claim(
        id="training.truncated-svd",
        title="Residual of the truncated pseudo-inverse",
        statement=r"In float64 and for $\sigma_r \ge 10^{-8}\sigma_1$ the truncated-SVD solution with cut-off $r$ leaves the residual $\|(I - U_rU_r^T)f\|$, to $10^{-7}\|f\|$: for "
        r"$A_{FD}$, that of the discretised equation ($24 \times 24$ sine and tanh systems).",
        family="training",
        source="classical",
        predicate=r"both agree within $10^{-7}\|f\|$ for every $r$ with $\sigma_r \ge 10^{-8}\sigma_1$, in float64",
        kind="sampled",
        scopes=_both,
        instances=_instances,
        test=_projection(1e-7, 0),
        describe=witness,
        search=_search,
        mutants=(
            Mutant("off-by-one", "one more singular value is counted", "constant",
                   lambda c: c.with_(test=_projection(1e-7, 1))),
            Mutant("float32", "they agree as well for the matrix stored in float32", "assumption",
                   lambda c: c.with_(test=_projection(1e-7, 0, "float32"))),
        ),
    ),
    Claim(
        id="training.loewner-integral",
        title="The time-integrated loss favours AD under the Loewner order",
        statement=r"If $0 < A_{FD}A_{FD}^T \le A_{AD}A_{AD}^T$ (Loewner) then $\int_0^\infty \mathrm{loss}\,dt = "
        r"\tfrac14 r_0^TK^{-1}r_0$ is at most as large for AD as for FD, for every $f$ (pairs of rational kernels of "
        "five rows, as the sine factorisation orders them).",
        family="training",
        source="ours",
        predicate="for each pair of rational kernels (those of the sine factorisation, rounded, five rows), "
        r"$K_{FD}^{-1} - K_{AD}^{-1} \ge 0$ by elimination in exact rationals: every $f$ at once; the integral of the instance's own $f$ is "
        r"$\tfrac14r_0^TK^{-1}r_0$ exactly",
        kind="exact",
        scopes=once({"activation": "sin"}),
        instances=_instances,
        test=_integral(False),
        derivation=(
            Step(r"$0 < K' \le K$ implies $K^{-1} \le K'^{-1}$", "inversion is antitone (Löwner, 1934)", "cited"),
            Step(r"$\int_0^\infty \tfrac12\|e^{-Kt}r_0\|^2dt = \tfrac14r_0^TK^{-1}r_0$", "integrate each mode"),
        ),
        describe=witness,
        search=_search,
        mutants=(
            Mutant("reversed", "FD has the smaller integral", "sign", lambda c: c.with_(test=_integral(True))),
            Mutant("unordered", "the factors of the difference may exceed 1", "assumption",
                   lambda c: c.with_(test=_integral(False, Fraction(3, 2)))),
        ),
    ),
    Claim(
        id="training.invariance",
        title="AD and FD have the same pseudo-inverse residual for sine features and interior rows",
        statement=r"For sine features with $m(hw_j) \ne 0$ and interior rows ($8 \times 5$ systems) $A_{FD} = A_{AD}D$ with $D = \mathrm{diag}(m(hw_j))$ invertible has the range of $A_{AD}$: in exact arithmetic the "
        r"least-squares residuals are equal, so nothing is lost by FD.",
        family="training",
        source="ours",
        predicate=r"residuals of an $8\times5$ system agree within $10^{-30}\|f\|$ in 60-digit arithmetic",
        kind="sampled",
        scopes=once({"activation": "sin"}),
        instances=_with_tanh,
        test=_invariance(1e-30, False),
        assumptions=(_sine,),
        describe=witness,
        search=lambda scope: _search(scope) | _search({"activation": "tanh"}),
        mutants=(
            Mutant("any-activation", "the activation need not be sin", "assumption",
                   lambda c: c.without_assumption("sin")),
            Mutant("truncated", "the residuals of a truncated pseudo-inverse are equal too", "predicate",
                   lambda c: c.with_(test=_invariance(1e-30, True))),
        ),
    ),
)  # fmt: skip
"""Claims about the random feature model."""

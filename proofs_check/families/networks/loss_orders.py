"""What an ordering of kernels, ``0 ≤ K' ≤ K``, says about losses: exactly, in rational arithmetic.

``K = A Aᵀ`` for AD and ``K' = A D Dᵀ Aᵀ`` for FD with factors in (0, 1], as the sine factorisation gives them. Three
kinds of pairs: ``sine`` kernels (rounded to rationals so that the order stays exact), ``commuting`` ones, where
everything is decided mode by mode, and one small ``witness`` each for what is false.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from proofs_check.claims.claim import Assumption, Profile, Scope, Step, stated, weaker, wrong
from proofs_check.claims.comparisons import below, once, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import from_comparison
from theory.base.exact import spell
from theory.solvable import least_squares as dynamics
from theory.solvable.least_squares import Matrix, Vector

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ITERATIONS: dict[Profile, tuple[int, ...]] = {"quick": (1, 2, 5), "full": (1, 2, 3, 5, 8, 16)}
PENALTIES = (Fraction(1, 100), Fraction(1), Fraction(10))


@dataclass(frozen=True)
class Pair:
    """Two kernels and what is done with them.

    Attributes:
        small: K';  large: K.
        start: the residual at the start.
        penalty: of ridge regression.
        step: of gradient descent.
        iterations: of gradient descent.
    """

    small: Matrix
    large: Matrix
    start: Vector
    penalty: Fraction = Fraction(1)
    step: Fraction = Fraction(1)
    iterations: int = 1

    def describe(self) -> dict[str, Any]:
        """JSON types, exactly."""
        return {
            "small": [[spell(v) for v in row] for row in self.small],
            "large": [[spell(v) for v in row] for row in self.large],
            "start": [spell(v) for v in self.start],
            "penalty": spell(self.penalty),
            "step": spell(self.step),
            "iterations": self.iterations,
        }


def is_semidefinite(matrix: Matrix) -> bool:
    """Whether a symmetric rational matrix is positive semidefinite, by exact elimination.

    >>> is_semidefinite(((Fraction(1), Fraction(1)), (Fraction(1), Fraction(1))))
    True
    >>> is_semidefinite(((Fraction(0), Fraction(1)), (Fraction(1), Fraction(1))))
    False
    """
    rows = [list(row) for row in matrix]
    for k, pivot in enumerate(rows):
        if pivot[k] < 0 or (pivot[k] == 0 and any(pivot[k:])):
            return False
        if pivot[k] == 0:
            continue
        for other in rows[k + 1 :]:
            factor = other[k] / pivot[k]
            for j in range(k, len(rows)):
                other[j] -= factor * pivot[j]
    return True


def combined(first: Matrix, second: Matrix, factor: Fraction | int) -> Matrix:
    """``first + factor · second``."""
    return tuple(tuple(a + factor * b for a, b in zip(u, v, strict=True)) for u, v in zip(first, second, strict=True))


def _scaled(matrix: Matrix, factor: Fraction) -> Matrix:
    return tuple(tuple(factor * v for v in row) for row in matrix)


def identity(size: int) -> Matrix:
    """I."""
    return tuple(tuple(Fraction(i == j) for j in range(size)) for i in range(size))


@lru_cache(maxsize=512)
def _ordered(small: Matrix, large: Matrix) -> bool:
    return is_semidefinite(small) and is_semidefinite(combined(large, small, -1))


def rounded(value: float, denominator: int = 1000) -> Fraction:
    """The nearest fraction with this denominator."""
    return Fraction(round(denominator * value), denominator)


@lru_cache(maxsize=64)
def sine_kernels(seed: int, rows: int = 4, columns: int = 7) -> tuple[Matrix, Matrix]:
    """``(K', K)`` of u'' for sine features, w ~ N(0, 16), and central differences with h = 1/4, to three decimals.

    Features and factors ``sinc²(wh/2)`` are rounded separately: K' ≤ K then holds exactly.
    """
    generator = random.Random(seed)
    drawn = [(generator.gauss(0, 4), generator.gauss(0, 1)) for _ in range(columns)]
    points = [2 * (i + 1) / (rows + 1) - 1 for i in range(rows)]
    # Divided by 16, which changes the units of K only, so that the numbers stay small.
    A = tuple(tuple(rounded(-w * w * math.sin(w * x + b) / 16) for w, b in drawn) for x in points)
    factors = [rounded(float(np.sinc(w / 8 / np.pi)) ** 2) for w, _ in drawn]
    scaled = tuple(tuple(v * d for v, d in zip(row, factors, strict=True)) for row in A)
    return dynamics.gram(scaled), dynamics.gram(A)


@lru_cache(maxsize=64)
def commuting_kernels(seed: int, size: int = 4) -> tuple[Matrix, Matrix]:
    """``(K', K)`` with the same eigenvectors (a rational reflection) and ordered eigenvalues."""
    generator = random.Random(seed)
    v = [Fraction(generator.randint(-5, 5)) for _ in range(size - 1)] + [Fraction(1)]
    norm = sum(c * c for c in v)
    Q = tuple(tuple((i == j) - 2 * a * b / norm for j, b in enumerate(v)) for i, a in enumerate(v))
    large = [Fraction(generator.randint(1, 60), 10) for _ in range(size)]
    small = [value * Fraction(generator.randint(1, 10), 10) for value in large]

    def kernel(values: list[Fraction]) -> Matrix:
        return tuple(
            tuple(sum((a * e * b for a, e, b in zip(u, values, w, strict=True)), Fraction(0)) for w in Q) for u in Q
        )

    return kernel(small), kernel(large)


def _pairs(scope: Scope, profile: Profile) -> Iterator[tuple[Matrix, Matrix]]:
    make = {"sine": sine_kernels, "commuting": commuting_kernels}[scope["kernels"]]
    return (make(seed) for seed in seeds(profile, 4, 16))


def _stable_step(kernel: Matrix) -> Fraction:
    """1 over the trace, which is at most 1/λ_max."""
    return 1 / sum((kernel[k][k] for k in range(len(kernel))), Fraction(0))


def _floats(kernel: Matrix) -> Float[np.ndarray, "n n"]:
    return np.array([[float(v) for v in row] for row in kernel])


def _worst_start(small: Float[np.ndarray, "n n"], large: Float[np.ndarray, "n n"]) -> Vector:
    """The direction in which ``rᵀ large r`` exceeds ``rᵀ small r`` most, to four decimals: a candidate, no proof."""
    vectors = np.linalg.eigh(large - small)[1]
    return tuple(rounded(float(v), 10**4) for v in vectors[:, -1])


def _ridge_instances(scope: Scope, profile: Profile) -> Iterator[Pair]:
    if scope["kernels"] == "witness":
        yield Pair(*dynamics.loewner_ridge_witness())
        return
    for small, large in _pairs(scope, profile):
        for penalty in PENALTIES:
            shifted = [np.linalg.inv(_floats(K) + float(penalty) * np.eye(len(K))) for K in (small, large)]
            start = _worst_start(shifted[0] @ shifted[0], shifted[1] @ shifted[1])
            yield Pair(small, large, start, penalty)
            yield Pair(large, small, start, penalty)  # not ordered, for whoever drops the assumption


def _descent_instances(scope: Scope, profile: Profile) -> Iterator[Pair]:
    if scope["kernels"] == "witness":
        yield Pair(*dynamics.loewner_descent_witness())
        return
    for small, large in _pairs(scope, profile):
        step = _stable_step(large)
        for t in ITERATIONS[profile]:
            decays = [np.linalg.matrix_power(np.eye(len(K)) - float(step) * _floats(K), 2 * t) for K in (small, large)]
            pair = Pair(small, large, _worst_start(*decays), step=step, iterations=t)
            yield pair
            yield replace(pair, step=_unstable_step(large))


def _unstable_step(kernel: Matrix) -> Fraction:
    """1.9/λ_max, about: gradient descent still converges, but its factors are no longer ordered."""
    return rounded(1.9 / float(np.linalg.eigvalsh(_floats(kernel))[-1]))


Form = Callable[[Matrix, Pair], Matrix]
"""A loss as a quadratic form in the residual at the start."""


@lru_cache(maxsize=2048)
def _power(kernel: Matrix, step: Fraction, exponent: int) -> Matrix:
    """``(I − ηK)^exponent`` for an even exponent: the square of its half."""
    half = [dynamics.residual_law(kernel, unit, step, exponent // 2) for unit in identity(len(kernel))]
    return dynamics.gram(tuple(half))


def _descent_form(kernel: Matrix, pair: Pair) -> Matrix:
    """``½ (I − ηK)^{2t}``: the loss after t iterations."""
    return _scaled(_power(kernel, pair.step, 2 * pair.iterations), Fraction(1, 2))


def _ridge_objective_form(kernel: Matrix, pair: Pair) -> Matrix:
    """``½ λ (K + λ)^{-1}``: the least value of the ridge objective."""
    units = identity(len(kernel))
    shifted = combined(kernel, units, pair.penalty)
    return _scaled(tuple(dynamics.solve(shifted, unit) for unit in units), pair.penalty / 2)


def _ridge_residual_form(kernel: Matrix, pair: Pair) -> Matrix:
    """``λ² (K + λ)^{-2}``: the squared residual at the minimiser."""
    return _scaled(dynamics.gram(_ridge_objective_form(kernel, pair)), Fraction(4))


def form_value(form: Matrix, r: Vector) -> Fraction:
    """``rᵀ form r``."""
    return sum((a * v * b for a, row in zip(r, form, strict=True) for v, b in zip(row, r, strict=True)), Fraction(0))


def _favours_large(pair: Pair, form: Form, reverse: bool) -> Outcome:
    """Whether the form is at most as large for K as for K', at every r; the other way round if ``reverse``."""
    large, small = form(pair.large, pair), form(pair.small, pair)
    holds = is_semidefinite(combined(large, small, -1) if reverse else combined(small, large, -1))
    values = [form_value(matrix, pair.start) for matrix in (large, small)]
    return Outcome(
        from_comparison(holds),
        f"at the r least in favour {float(values[0]):.6g} for K, {float(values[1]):.6g} for K'",
        data={"value_large": spell(values[0]), "value_small": spell(values[1])},
    )


_loewner = Assumption(r"$0 \le K' \le K$ (Loewner), checked exactly", lambda p: _ordered(p.small, p.large))
_short = Assumption(r"$\eta \ge 0$, $\eta\lambda_{\max}(K) \le 1$, checked exactly",
                    lambda p: p.step >= 0 and is_semidefinite(combined(identity(len(p.large)), p.large, -p.step)))  # fmt: skip


def _search(make: Callable[[Scope, Profile], Iterator[Pair]]) -> Callable[[Scope], SearchStrategy[Pair]]:
    def space(scope: Scope) -> SearchStrategy[Pair]:
        from hypothesis import strategies as st

        return st.sampled_from(list(make(scope, "full")))

    return space


_kinds = once({"kernels": "sine"}, {"kernels": "commuting"}, {"kernels": "witness"})
_common: dict[str, Any] = {"source": "ours", "kind": "exact", "describe": Pair.describe}
_COMMUTING = {"kernels": "commuting"}


@stated(
    "training.ridge-objective",
    title="The ridge objective is ordered",
    predicate=r"$(K' + \lambda)^{-1} - (K + \lambda)^{-1} \ge 0$, decided by elimination in exact rationals",
    scopes=_kinds,
    instances=_ridge_instances,
    assumptions=(_loewner,),
    derivation=(
        Step(r"the least value is $\tfrac\lambda2 r^T(K + \lambda)^{-1}r$", "normal equations"),
        Step(r"$K' \le K$ implies $(K + \lambda)^{-1} \le (K' + \lambda)^{-1}$", "inversion is antitone (Löwner)", "cited"),
    ),
    search=_search(_ridge_instances),
    judges=(dynamics.solve,),
    mutants=(
        wrong("reversed", "FD has the smaller least value", "sign", reverse=True),
        weaker("unordered", "the kernels need not be ordered", "Loewner"),
        wrong("residual", "the residual at the minimiser, instead of the least value", "predicate", {"kernels": "witness"},
              form=_ridge_residual_form),
    ),
    **_common,
)  # fmt: skip
def ridge_objective(pair: Pair, scope: Scope, form: Form = _ridge_objective_form, reverse: bool = False) -> Outcome:
    r"""If $0 \le K' \le K$ then the least value of $\tfrac12\|Aa - f\|^2 + \tfrac\lambda2\|a\|^2$ is at
    most as large for $K$ (AD) as for $K'$ (FD), for every $\lambda > 0$ and $f$ (checked: $\lambda = 1/100, 1, 10$, rational
    kernels of four rows, and a pair of two)."""
    return _favours_large(pair, form, reverse)


@stated(
    "training.ridge-residual",
    title="Every ridge residual favours AD",
    predicate=r"$(K' + \lambda)^{-2} - (K + \lambda)^{-2} \ge 0$, decided by elimination in exact rationals",
    scopes=_kinds,
    instances=_ridge_instances,
    assumptions=(_loewner,),
    derivation=(
        Step(r"$(K+\lambda)^{-1} \le (K'+\lambda)^{-1}$ does not imply the same of the squares",
             "the square is not operator monotone"),
    ),
    search=_search(_ridge_instances),
    judges=(dynamics.solve,),
    mutants=(
        wrong("reversed", "FD has the smaller residual", "sign", _COMMUTING, reverse=True),
        weaker("unordered", "the kernels need not be ordered", "Loewner", _COMMUTING),
    ),
    **_common,
)  # fmt: skip
def ridge_residual(pair: Pair, scope: Scope, reverse: bool = False) -> Outcome:
    r"""If $0 \le K' \le K$ then the residual $\|Aa - f\|$ of ridge regression is at most as large for $K$
    (AD) as for $K'$ (FD), for every $\lambda > 0$ and $f$ (checked: $\lambda = 1/100, 1, 10$, rational kernels of four rows,
    and a pair of two)."""
    return _favours_large(pair, _ridge_residual_form, reverse)


@stated(
    "training.pointwise-loss",
    title="The loss favours AD at every iteration",
    predicate=r"$(I - \eta K')^{2t} - (I - \eta K)^{2t} \ge 0$ for several $t \le 16$, decided by "
    "elimination in exact rationals",
    scopes=_kinds,
    instances=_descent_instances,
    assumptions=(_loewner, _short),
    derivation=(
        Step(r"$0 \le I - \eta K \le I - \eta K'$ does not imply the same of the squares",
             "the square is not operator monotone (Bhatia, Matrix Analysis, 1997, section V.1)"),
    ),
    search=_search(_descent_instances),
    judges=(dynamics.residual_law,),
    mutants=(
        wrong("reversed", "FD has the smaller loss", "sign", _COMMUTING, reverse=True),
        weaker("any-step", "the step may be up to 2/λ_max", "eta", _COMMUTING),
    ),
    **_common,
)  # fmt: skip
def pointwise_loss(pair: Pair, scope: Scope, reverse: bool = False) -> Outcome:
    r"""If $0 \le K' \le K$, $\eta \ge 0$ and $\eta\lambda_{\max}(K) \le 1$ then the loss of gradient descent from $a = 0$ is at most as
    large for $K$ (AD) as for $K'$ (FD), after every number $t$ of iterations and for every $f$ (checked:
    $t = 1, 2, 5$, in the full profile to 16)."""
    return _favours_large(pair, _descent_form, reverse)


@stated(
    "training.average-loss",
    title="The loss averaged over data favours AD at every iteration",
    predicate=r"$\tfrac12\mathrm{tr}(I - \eta K)^{2t}$, the mean of the loss, compared in exact rationals for several $t \le 16$",
    scopes=once({"kernels": "sine"}, _COMMUTING),
    instances=_descent_instances,
    assumptions=(_loewner, _short),
    derivation=(
        Step(r"$\lambda_k(K') \le \lambda_k(K)$ for every $k$", "Weyl's monotonicity principle", "cited"),
        Step(r"$(1 - \eta\lambda)^{2t}$ decreases on $[0, 1/\eta]$", "calculus"),
    ),
    search=_search(_descent_instances),
    judges=(dynamics.residual_law,),
    mutants=(
        wrong("reversed", "FD has the smaller mean loss", "sign", reverse=True),
        weaker("any-step", "the step may be up to 2/λ_max", "eta"),
        wrong("any-mean", "f of covariance I may have a mean", "assumption", mean=1000),
        wrong("for-every-f", "it holds for every f, not only in the mean", "predicate", averaged=False),
    ),
    **_common,
)
def average_loss(pair: Pair, scope: Scope, reverse: bool = False, mean: int = 0, averaged: bool = True) -> Outcome:
    r"""If $0 \le K' \le K$, $\eta \ge 0$ and $\eta\lambda_{\max}(K) \le 1$ then the loss of gradient descent from $a = 0$, averaged
    over $f$ of mean 0 and covariance $I$, is at most as large for $K$ (AD) as for $K'$ (FD), after every number $t$ of
    iterations (checked: rational kernels of four rows, $t = 1, 2, 5$, in the full profile to 16)."""
    if not averaged:
        return _favours_large(pair, _descent_form, reverse)
    forms = [_descent_form(kernel, pair) for kernel in (pair.large, pair.small)]
    # The loss of the mean itself, ``mean`` times the start of the pair, is added.
    large, small = (
        sum((row[k] for k, row in enumerate(form)), mean**2 * form_value(form, pair.start)) for form in forms
    )
    return Outcome(
        below(small, large) if reverse else below(large, small),
        f"mean loss {float(large):.6g} for K, {float(small):.6g} for K'",
        margin=float((large - small if reverse else small - large) / small) if small else None,
        data={"value_large": spell(large), "value_small": spell(small)},
    )


CLAIMS = (ridge_objective, ridge_residual, pointwise_loss, average_loss)
"""Claims about ordered kernels."""

"""The mean squared distance of an empirical kernel from its limit is a variance over the width, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import cast

from numerics.arithmetic.balls import Enclosure
from numerics.problem.problem import Method, Problem
from numerics.spectra.kernels import kernel_spectrum
from proofs_check.claims.claim import Profile, Scope, Step, stated, wrong
from proofs_check.claims.comparisons import below, every, once
from proofs_check.claims.verdicts import Outcome
from theory.features.laws import Discrete

DIGITS = 30
EQUAL = Fraction(1, 10**20)
"""Two enclosed numbers count as equal within this, relative to the first."""
VALUES: tuple[tuple[Fraction | int, ...], ...] = (
    (1, 2),
    (Fraction(1, 2), Fraction(-5, 3)),
    (3, Fraction(1, 3)),
    (Fraction(7, 4), -2),
    (0, Fraction(5, 2)),
)

OFFSETS: tuple[tuple[Fraction | int, ...], ...] = ((0, 1), (Fraction(-1, 3), 2))


def _laws(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for w, b in product(VALUES[: 1 if profile == "quick" else 5], OFFSETS):
        yield Problem(
            activation_name=scope["activation"], weights=Discrete(tuple(Fraction(v) for v in w)),
            biases=Discrete(tuple(Fraction(v) for v in b)), count=1, interior=(3,), boundary=(), step=(Fraction(1, 2),),
        )  # fmt: skip


@lru_cache(maxsize=256)
def _squares(instance: Problem, method: Method, kernel: str) -> Enclosure:
    """The squared Frobenius norm of a kernel, from its eigenvalues."""
    values = kernel_spectrum(instance, method, kernel, DIGITS).values  # type: ignore[arg-type]
    return sum((Enclosure(max(v.lower, Fraction(0)) ** 2, v.upper**2) for v in values), Enclosure.exact(0))


@stated(
    "kernels.empirical-variance",
    title="The mean squared error of an empirical kernel is a variance over the width",
    source="classical (variance of a mean)",
    predicate=r"all $4^M$ draws enumerated, M = 1, 2, 3, $E\|G_M\|_F^2 - \|K\|_F^2$ against $(E\|G_1\|_F^2 - \|K\|_F^2)/M$: enclosures that agree to "
    "1e-20, K from its closed form",
    kind="ball",
    scopes=once(*({"activation": a, "method": m} for a in ("sin", "cos") for m in ("ad", "fd"))),
    instances=_laws,
    derivation=(
        Step(r"$E\|G_M - K\|_F^2 = E\|G_M\|_F^2 - \|K\|_F^2$", "E G_M = K"),
        Step(r"$G_M - K$ is the mean of $M$ independent copies of $G_1 - K$, whose mean is 0", "independent features"),
    ),
    judges=(kernel_spectrum,),
    mutants=(
        wrong(
            "root",
            "over 1, 7/5 and 7/4, the root of the width",
            "exponent",
            divisors=(1, Fraction(7, 5), Fraction(7, 4)),
        ),
        wrong("a-hundredth", "one hundredth more at M = 3", "constant", divisors=(1, 2, Fraction(300, 101))),
    ),
)
def empirical_variance(instance: Problem, scope: Scope, divisors: tuple[Fraction | int, ...] = (1, 2, 3)) -> Outcome:
    r"""For $M$ independent features whose weights and biases take two values each, $G_M = A A^T/M$ and $K = E\,G_M$:
    $E\|G_M - K\|_F^2 = (E\|a\|^4 - \|K\|_F^2)/M$, $a$ one column of A (sine and cosine features of $u_{xx}$, three points, AD and
    FD with $h = 1/2$; $M$ = 1, 2, 3)."""
    method = cast(Method, scope["method"])
    weights, biases = (cast(Discrete, law).values for law in (instance.weights, instance.biases))
    pairs = list(product(weights, biases))
    limit = _squares(instance, method, "limit")
    checks, single, said = [], Enclosure.exact(0), []
    for width, divisor in enumerate(divisors, 1):
        total = Enclosure.exact(0)
        draws = Counter(
            tuple(sorted(drawn)) for drawn in product(pairs, repeat=width)
        )  # the order of features is none of A Aᵀ
        for drawn, count in draws.items():
            case = instance.with_(weights=tuple((w,) for w, _ in drawn), biases=tuple(b for _, b in drawn), count=width)
            total = total + _squares(case, method, "empirical").scaled(Fraction(count))
        variance = total.scaled(Fraction(1, len(pairs) ** width)) - limit
        single = variance if width == 1 else single
        expected = single.scaled(Fraction(1) / divisor)
        room = EQUAL * limit.upper
        checks += [below(variance - expected, room), below(expected - variance, room)]
        said.append(f"{float(variance.middle):.6g}")
    return Outcome(every(checks), "mean squared distance " + ", ".join(said))


CLAIMS = (empirical_variance,)
"""Claims about the variance of kernels."""

"""The round-off floor of A_FD: where its small singular values flatten in floating point, and how that depends on h."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from numerics.floor import predict
from numerics.matrices import float_matrix
from numerics.problem import Problem
from numerics.spectra import UNIT_ROUNDOFF, spectrum
from proofs_check.claim import TYPICAL, Assumption, Claim, Mutant, Profile, Request, Scope, Step
from proofs_check.claims.common import once, problem, seeds, witness
from proofs_check.verdicts import Outcome

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

FACTOR = 4.0
"""The floor law is judged within this factor (the model promises no more for coherent errors)."""


def _instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    size = 32 if profile == "quick" else 64
    for seed in seeds(profile, 32, 64):
        yield problem(
            scope["activation"], seed=seed, size=size, operator=scope["operator"], step=Fraction(scope["step"])
        )


def _search(scope: Scope) -> SearchStrategy[Problem]:
    """Draws of the same kind by their seed: the law is about many random features."""
    from proofs_check import search_spaces

    operator, step = scope["operator"], Fraction(scope["step"])
    return search_spaces.seeded(
        lambda seed: problem(scope["activation"], seed=seed, size=32, operator=operator, step=step)
    )


def _requests(instance: Problem, scope: Scope) -> Iterator[Request]:
    yield (instance, "ad", "exact")


def _behind_knee(scale: float) -> Callable[[Problem, Scope], Outcome]:
    """The middle half of the singular values behind the knee against the predicted quantiles times ``scale``."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        arithmetic = scope["arithmetic"]
        exact = spectrum(instance, "ad", "exact").floats()
        floor = predict(instance, arithmetic, exact)
        measured = spectrum(instance, "fd", arithmetic).floats()[floor.knee :]
        count = min(len(measured), len(floor.noise))
        middle = range(count // 4, max(count // 4 + 1, count - count // 4))
        ratio = median(measured[k] / (scale * floor.noise[k]) for k in middle)
        return Outcome(
            1 / FACTOR <= ratio <= FACTOR,
            f"measured/predicted {ratio:.3f} in the middle of the floor, knee {floor.knee} of {len(exact)}",
            margin=math.log(FACTOR) - abs(math.log(ratio)) if ratio > 0 else -math.inf,
            data={"ratio": ratio, "knee": floor.knee, "tau": floor.entry_error},
        )

    return test


def _has_floor(instance: Problem) -> bool:
    """Whether at least eight singular values lie behind the knee in float64 (then also in float32)."""
    exact = spectrum(instance, "ad", "exact").floats()
    return len(exact) - predict(instance, "float64", exact).knee >= 8


def _floor_reaches(instance: Problem) -> bool:
    """Whether the smallest quarter lies behind the knee in float64 (then also in float32, and at smaller steps)."""
    exact = spectrum(instance, "ad", "exact").floats()
    return predict(instance, "float64", exact).knee <= len(exact) - len(exact) // 4


STEPS = tuple(Fraction(1, 2**k) for k in range(4, 9))
"""Dyadic steps: h and its powers are exact in every arithmetic."""


def _slope(expected: Callable[[int], int]) -> Callable[[Problem, Scope], Outcome]:
    """Slope of log(median of the smallest quarter) against log h; the floor law gives −m."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        arithmetic = scope["arithmetic"]
        heights = []
        for h in STEPS:
            values = spectrum(instance.with_(step=(h,)), "fd", arithmetic).floats()
            heights.append(median(values[-(len(values) // 4) :]))
        slope = float(np.polyfit([math.log(h) for h in STEPS], [math.log(v) for v in heights], 1)[0])
        order = expected(instance.operator.order)
        return Outcome(abs(slope - order) <= 0.25, f"slope {slope:.3f}, law {order}", margin=0.25 - abs(slope - order))

    return test


def _entries(ratio: float) -> Callable[[Problem, Scope], Outcome]:
    """The measured root-mean-square error of A_FD's entries against the model's τ times ``ratio``."""

    def test(instance: Problem, scope: Scope) -> Outcome:
        wide = float_matrix(instance, "fd", "float64")
        narrow = float_matrix(instance, "fd", "float32").astype(np.float64)
        measured = float(np.sqrt(np.mean((narrow - wide) ** 2)))
        tau = predict(instance, "float32", ()).entry_error * ratio
        quotient = measured / tau
        detail = f"measured rms {measured:.3e}, model {tau:.3e}, quotient {quotient:.3f}"
        return Outcome(0.5 <= quotient <= 2, detail, margin=math.log(2) - abs(math.log(quotient)))

    return test


_cells = once(
    *(
        {"arithmetic": arithmetic, "activation": activation, "operator": "u_xx", "step": "1/100"}
        for activation in ("sin", "tanh", "gaussian")
        for arithmetic in ("float32", "float64")
    )
)
_float32 = {"arithmetic": "float32", "activation": "tanh", "operator": "u_xx", "step": "1/100"}

CLAIMS = (
    Claim(
        id="floor.entries",
        title="Size of the rounding errors of A_FD's entries",
        statement=r"Entries of $A_{FD}$ carry errors of typical size $\tau = \kappa u\sqrt{\sum c_k^2}\;"
        r"\mathrm{rms}\sqrt{\sigma^2 + \sigma'^2(2(wx)^2 + z^2)}\,/\,h^m$, $\kappa = 1/\sqrt6$.",
        family="floor",
        source="ours",
        predicate="measured root-mean-square error (float32 against float64) within a factor 2 of the model, "
        "for at least 9 in 10 draws (95 % confidence)",
        kind="sampled",
        scopes=once(
            *({"activation": a, "operator": "u_xx", "step": "1/100"} for a in ("sin", "tanh", "erf", "gaussian"))
        ),
        instances=_instances,
        test=_entries(1.0),
        quantifier=TYPICAL,
        describe=witness,
        search=_search,
        mutants=(
            Mutant("unit-roundoff-of-bfloat16", "the unit round-off is 2⁻⁸ instead of 2⁻²⁴", "constant",
                   lambda c: c.with_(test=_entries(2.0**16))),
            Mutant("no-division", "the division by h^m is forgotten", "exponent",
                   lambda c: c.with_(test=_entries(1e-4))),
        ),
    ),
    Claim(
        id="floor.law",
        title="Behind the knee the spectrum of A_FD is that of noise",
        statement=r"In floating point the small singular values of $A_{FD}$ flatten: behind the knee (the first $k$ "
        r"with $\sigma_k(A_{AD}) < \tau(\sqrt N + \sqrt M)$) they follow the Marchenko–Pastur quantiles of a noise "
        "matrix.",
        family="floor",
        source="ours",
        predicate="median of measured over predicted in the middle half behind the knee within a factor 4, "
        "for at least 9 in 10 draws (95 % confidence)",
        kind="sampled",
        scopes=_cells,
        instances=_instances,
        test=_behind_knee(1.0),
        assumptions=(Assumption("at least eight singular values lie behind the knee in float64", _has_floor, True),),
        quantifier=TYPICAL,
        derivation=(
            Step(r"$\|E\|_2 \approx \tau(\sqrt N + \sqrt M)$ for independent errors of size $\tau$",
                 "Davidson and Szarek (2001), theorem II.13", "cited"),
            Step(r"an $(N-k)\times(M-k)$ noise matrix has Marchenko–Pastur quantiles",
                 "Marchenko and Pastur, Math. USSR Sb. 1 (1967) 457", "cited"),
        ),
        requests=_requests,
        describe=witness,
        search=_search,
        mutants=(
            Mutant("one-power-of-h", "the noise is u/h instead of u/h²", "exponent",
                   lambda c: c.with_(test=_behind_knee(1e-2)), _float32),
            Mutant("other-arithmetic", "float32 has the unit round-off of float64", "constant",
                   lambda c: c.with_(test=_behind_knee(
                       float(UNIT_ROUNDOFF["float64"] / UNIT_ROUNDOFF["float32"]))), _float32),
        ),
    ),
    Claim(
        id="floor.exponent",
        title="The floor grows like h to the minus m",
        statement=r"The round-off floor of $A_{FD}$ scales like $u\,h^{-m}$ in the order $m$ of the derivative.",
        family="floor",
        source="ours",
        predicate=r"slope of $\log$(median of the smallest quarter) against $\log h$, $h = 2^{-4} \dots 2^{-8}$, "
        r"within 0.25 of $-m$, for at least 9 in 10 draws (95 % confidence)",
        kind="sampled",
        scopes=once(
            {"arithmetic": "float32", "activation": "tanh", "operator": "u_xx", "step": "1/16"},
            {"arithmetic": "float32", "activation": "tanh", "operator": "u_xxxx", "step": "1/16"},
            {"arithmetic": "float64", "activation": "sin", "operator": "u_xx", "step": "1/16"},
            {"arithmetic": "float32", "activation": "sin", "operator": "u_x", "step": "1/16"},
        ),
        instances=_instances,
        test=_slope(lambda m: -m),
        assumptions=(
            Assumption("the smallest quarter lies behind the knee at the largest step", _floor_reaches, True),
        ),
        quantifier=TYPICAL,
        requests=_requests,
        describe=witness,
        search=_search,
        mutants=(
            Mutant("one-less", "the exponent is −(m − 1)", "exponent", lambda c: c.with_(test=_slope(lambda m: 1 - m))),
            Mutant("shrinks", "the floor shrinks with the step, like h^m", "sign",
                   lambda c: c.with_(test=_slope(lambda m: m))),
        ),
    ),
)  # fmt: skip
"""Claims about round-off."""

"""The round-off floor with proof: singular values of stored matrices, bounded through the enclosed error."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from numerics.arithmetic.balls import Enclosure, ball
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import METHODS, Arithmetic, Method, Problem
from numerics.spectra.spectrum import certified_float_spectrum
from numerics.spectra.stored import (
    StoredBounds,
    prior_bounds,
    prior_errors,
    rounding_errors,
    stored_bounds,
    stored_order,
)
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import below, every, less, once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Decision, from_comparison

SIZE = 24
_bounds = lru_cache(maxsize=64)(stored_bounds)
_order = lru_cache(maxsize=64)(stored_order)


@lru_cache(maxsize=64)
def _stored(instance: Problem, method: Method, arithmetic: Arithmetic) -> tuple[Enclosure, ...]:
    return certified_float_spectrum(instance, method, arithmetic, 20).values


def _draws(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 2, 10):
        yield problem(scope["activation"], seed=seed, size=SIZE, step=Fraction(1, 1000))


SCOPES = once(*({"activation": a, "arithmetic": t} for a in ("sin", "tanh") for t in ("float32", "float64")))


@stated(
    "floor.stored-values",
    title="The round-off floor of a stored matrix, from its enclosed error",
    source="H. Weyl; Horn and Johnson, Topics in Matrix Analysis (1991), theorem 3.3.16",
    predicate="every k and j, AD and FD; the error E in balls from the stored entries and the exact rationals, the stored matrix's singular "
    "values certified by themselves",
    kind="ball",
    scopes=SCOPES,
    instances=_draws,
    judges=(stored_bounds,),
    mutants=(
        wrong("half", "the change is at most half the norm of the error", "constant", factor=Fraction(1, 2)),
        wrong("no-tail", "sigma_k of the stored matrix is at least that of the error", "predicate", tail=False),
    ),
)
def stored_values(instance: Problem, scope: Scope, factor: Fraction = Fraction(1), tail: bool = True) -> Outcome:
    r"""With $E = \mathrm{fl}(A) - A$, $\mathrm{fl}(A)$ the matrix as float32 or float64 store it (24 sine or tanh features and points,
    $w, b \sim N(0, 1)$, $u_{xx}$, $h = 1/1000$): $|\sigma_k(\mathrm{fl}\,A) - \sigma_k(A)| \le \|E\|_2$ and
    $\sigma_k(\mathrm{fl}\,A) \ge \sigma_{k+j}(E) - \sigma_{j+1}(A)$ for every $k$ and $j$, for $A_{AD}$ and $A_{FD}$."""
    checks: list[Decision] = []
    said = []
    for method in METHODS:
        bounds: StoredBounds = _bounds(instance, method, scope["arithmetic"])
        stored, norm = _stored(instance, method, scope["arithmetic"]), bounds.errors[0].scaled(factor)
        n = len(stored)
        for k, (value, exact) in enumerate(zip(stored, bounds.exact, strict=True)):
            checks += [below(value - exact, norm), below(exact - value, norm)]
            for j in range(n - k if tail else 1):
                room = value + bounds.exact[j] if tail else value
                checks.append(below(bounds.errors[k + j], room))
        known = sum(b.lower > 0 for b in bounds.values)
        said.append(f"{method}: norm of E {float(norm.middle):.3g}, {known} of {n} values proven positive")
    return Outcome(every(checks), "; ".join(said))


@stated(
    "floor.small-values-proven",
    title="FD's small singular values exceed AD's, proven from the rounding error",
    source="ours, from Weyl's inequalities",
    predicate="the sign of each difference from the enclosed errors; at least a quarter of all k, and none against the certified stored spectra",
    kind="ball",
    scopes=once(*({"activation": a, "arithmetic": "float32"} for a in ("sin", "tanh"))),
    instances=_draws,
    judges=(stored_order,),
    mutants=(
        wrong("reversed", "FD's are smaller", "sign", sign=-1),
        wrong("all", "for every k", "predicate", share=Fraction(1)),
    ),
)
def small_values_proven(instance: Problem, scope: Scope, sign: int = 1, share: Fraction = Fraction(1, 4)) -> Outcome:
    r"""At $h = 1/1000$ in float32 (24 sine or tanh features and points, $w, b \sim N(0, 1)$, $u_{xx}$), for at least a quarter of all $k$,
    $\max_j(\sigma_{k+j}(E_{FD}) - \sigma_{j+1}(A_{FD})) > \min_j(\sigma_{k-j}(A_{AD}) + \sigma_{j+1}(E_{AD}))$, E the rounding errors of the
    stored matrices: the floor alone makes $\sigma_k$ of the stored $A_{FD}$ larger than that of the stored $A_{AD}$."""
    found = _order(instance, scope["arithmetic"])
    ad, fd = (_stored(instance, method, scope["arithmetic"]) for method in METHODS)
    against = [k for k, s in enumerate(found) if s and less(fd[k].scaled(-s), ad[k].scaled(-s)).holds is not True]
    larger = sum(s == sign for s in found)
    enough = below(share * len(found), larger)
    detail = f"proven larger at {larger} of {len(found)} k, smaller at {sum(s == -sign for s in found)}, open at {found.count(None)}"
    return Outcome(every((enough, below(len(against), 0))), detail, margin=larger / len(found))


@stated(
    "floor.prior-bound",
    title="Rounding errors of entries lie within their a priori bounds",
    source="N. J. Higham, Accuracy and Stability of Numerical Algorithms (2002), sections 2.2 and 3.3",
    predicate="every entry of A_AD and A_FD; the error E in balls from the stored entry and the exact rationals, the bound from the exact data alone",
    kind="ball",
    scopes=SCOPES,
    instances=_draws,
    judges=(prior_errors,),
    mutants=(
        wrong("fiftieth", "within a fiftieth of them", "constant", factor=Fraction(1, 50)),
        wrong("one-rounding", "the entry is the exact one, rounded twice", "predicate", twice=True),
    ),
)  # fmt: skip
def prior_bound(instance: Problem, scope: Scope, factor: Fraction = Fraction(1), twice: bool = False) -> Outcome:
    r"""Under the hypothesis that every value of sin or tanh, and of a power above the second, is computed to within 4 units in the last
    place at its argument, the standard model $\mathrm{fl}(x \circ y) = (x \circ y)(1 + \delta) + \varepsilon$, $|\delta| \le u$, bounds
    $|\mathrm{fl}(A) - A|$ entry by entry before anything is computed; the entries that float32 and float64 store (24 sine or tanh features
    and points, $w, b \sim N(0, 1)$, $u_{xx}$, $h = 1/1000$) are within these bounds."""
    arithmetic: Arithmetic = scope["arithmetic"]  # type: ignore[assignment]
    checks: list[Decision] = []
    said = []
    for method in METHODS:
        errors = rounding_errors(instance, method, arithmetic)(120).entries()
        bound = prior_errors(instance, method, arithmetic).entries()
        if twice:
            unit = ball(Fraction(1, 2**23 if arithmetic == "float32" else 2**52))
            bound = [abs(v) * unit for v in ball_entries(instance, method)(120).entries()]
        room = [(abs(e), ball(factor) * b) for e, b in zip(errors, bound, strict=True)]
        checks.append(from_comparison(False if any(e > b for e, b in room) else all(e <= b for e, b in room) or None))
        largest = max(float(e.upper() / b) for e, b in room)
        said.append(f"{method}: errors at most {largest:.2g} of the bounds")
    return Outcome(every(checks), "; ".join(said))


def _at_a_hundredth(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for instance in _draws(scope, profile):
        yield instance.with_(step=(Fraction(1, 100),))


@stated(
    "floor.prior-order",
    title="FD's singular values are smaller in float64 at moderate steps, proven before anything is rounded",
    source="ours, from Weyl's inequality and Higham's model of rounding",
    predicate="the sign of each difference from the a priori bounds; at least a quarter of all k, and none against the certified "
    "stored spectra",
    kind="ball",
    scopes=once(*({"activation": a, "arithmetic": "float64"} for a in ("sin", "tanh"))),
    instances=_at_a_hundredth,
    judges=(stored_order, prior_bounds),
    mutants=(
        wrong("reversed", "FD's are larger", "sign", sign=1),
        wrong("all", "for every k", "predicate", share=Fraction(1)),
    ),
)
def prior_order(instance: Problem, scope: Scope, sign: int = -1, share: Fraction = Fraction(1, 4)) -> Outcome:
    r"""Under the hypothesis that every value of sin or tanh, and of a power above the second, is computed to within 4 units in the last place
    at its argument: at $h = 1/100$ in float64 (24 sine or tanh features and points, $w, b \sim N(0, 1)$, $u_{xx}$), for at least a quarter
    of all $k$, $\sigma_k$ of the stored $A_{FD}$ is smaller than that of the stored $A_{AD}$, by more than the a priori bounds of both rounding
    errors."""
    arithmetic: Arithmetic = scope["arithmetic"]  # type: ignore[assignment]
    found = stored_order(instance, arithmetic, bounds=prior_bounds)
    ad, fd = (_stored(instance, method, scope["arithmetic"]) for method in METHODS)
    against = [k for k, s in enumerate(found) if s and less(fd[k].scaled(-s), ad[k].scaled(-s)).holds is not True]
    proven = sum(s == sign for s in found)
    checks = (below(share * len(found), proven), below(len(against), 0))
    last = max((k for k, s in enumerate(found, 1) if s), default=0)
    return Outcome(
        every(checks),
        f"smaller at {found.count(-1)} of {len(found)} k, larger at {found.count(1)}, the last k = {last}",
        margin=proven / len(found),
    )


CLAIMS = (stored_values, small_values_proven, prior_bound, prior_order)
"""Claims about stored matrices."""

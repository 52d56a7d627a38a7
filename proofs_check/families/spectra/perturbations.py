"""What the norm of A_AD − A_FD says about singular values: Weyl and Mirsky, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import flint

from numerics.arithmetic.balls import Enclosure
from numerics.matrices.balls import ball_entries
from numerics.problem.problem import METHODS, Problem
from numerics.spectra.engine import certified_singular_values
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import below, once, problem, seeds
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.spectra.spectra import requests


def _general_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    for seed in seeds(profile, 6, 20):
        for size in (3, 8):
            yield problem(scope["activation"], seed=seed, size=size, scale=2, step=Fraction(1, 4))
        if scope["activation"] != "sin":  # two nearly parallel columns: nearly an equality (for sin it is one)
            yield problem(scope["activation"], seed=seed, size=1, points=2, scale=Fraction(1, 4), step=Fraction(1, 4))


@lru_cache(maxsize=512)
def _difference_values(instance: Problem) -> tuple[Enclosure, ...]:
    """Certified singular values of A_AD − A_FD."""
    ad, fd = ball_entries(instance, "ad"), ball_entries(instance, "fd")

    def entries(precision: int) -> flint.arb_mat:
        with flint.ctx.workprec(precision):
            return ad(precision) - fd(precision)

    return tuple(certified_singular_values(entries, 12).values)


def _perturbed(
    instance: Problem, constant: Fraction, total: bool, paired: bool = True, nuclear: bool = True
) -> Outcome:
    """The largest change against the spectral norm, or the total one against the nuclear norm, times ``constant``.

    For mutants: values not ``paired`` in order, the total against the spectral norm.
    """
    ad, fd = (spectrum(instance, method, "exact") for method in METHODS)
    changes = [_distance(a, f) for a, f in zip(ad.values, fd.values[:: 1 if paired else -1], strict=True)]
    norms = _difference_values(instance)[: None if nuclear else 1]
    if total:
        change, norm = (sum(values, Enclosure.exact(0)) for values in (changes, norms))
    else:
        change = Enclosure(max(c.lower for c in changes), max(c.upper for c in changes))
        norm = norms[0]
    holds = below(change, norm.scaled(constant))
    if not norm.lower > 0:  # the matrices may agree
        return Outcome(holds, f"change of {float(change.middle):.3g}, norm not known to be positive")
    share = float(change.middle / norm.middle)
    return Outcome(holds, f"change is {share:.6f} of the norm", margin=float(constant) - share)


def _distance(a: Enclosure, b: Enclosure) -> Enclosure:
    low = max(a.lower - b.upper, b.lower - a.upper, Fraction(0))
    return Enclosure(low, max(a.upper - b.lower, b.upper - a.lower))


_each = once({"activation": "sin"}, {"activation": "tanh"}, {"activation": "gaussian"})


@stated(
    "spectra.weyl",
    title="Weyl: no singular value moves by more than the norm of the difference",
    source="H. Weyl, Math. Ann. 71 (1912) 441",
    predicate=r"$\max_k|\sigma_k - \sigma'_k| \le \sigma_1(A_{AD} - A_{FD})$, all certified",
    kind="ball",
    scopes=_each,
    instances=_general_instances,
    requests=requests,
    judges=(spectrum,),
    mutants=(
        wrong("a-tenth-less", "nine tenths of the norm are enough", "constant", {"activation": "gaussian"}, constant=Fraction(9, 10)),
        wrong("opposite-order", "the values of one matrix may be taken in ascending order", "assumption", paired=False),
    ),
)  # fmt: skip
def weyl(instance: Problem, scope: Scope, constant: Fraction = Fraction(1), paired: bool = True) -> Outcome:
    r"""$|\sigma_k(A_{AD}) - \sigma_k(A_{FD})| \le \|A_{AD} - A_{FD}\|_2$ for every $k$ (checked: $3 \times 3$, $8 \times 8$ and
    $2 \times 1$ matrices of $\partial^2$, $h = 1/4$)."""
    return _perturbed(instance, constant, False, paired)


@stated(
    "spectra.mirsky",
    title="Mirsky: the total change is at most the nuclear norm of the difference",
    source="L. Mirsky, Quart. J. Math. 11 (1960) 50, theorem 5",
    predicate=r"$\sum_k|\sigma_k - \sigma'_k| \le \sum_k\sigma_k(A_{AD} - A_{FD})$, all certified",
    kind="ball",
    scopes=_each,
    instances=_general_instances,
    requests=requests,
    judges=(spectrum,),
    mutants=(
        wrong("a-tenth-less", "nine tenths of the nuclear norm are enough", "constant", {"activation": "gaussian"}, constant=Fraction(9, 10)),
        wrong("spectral-norm", "the spectral norm instead of the nuclear norm", "predicate", nuclear=False),
    ),
)  # fmt: skip
def mirsky(instance: Problem, scope: Scope, constant: Fraction = Fraction(1), nuclear: bool = True) -> Outcome:
    r"""$\sum_k|\sigma_k(A_{AD}) - \sigma_k(A_{FD})| \le \|A_{AD} - A_{FD}\|_*$ (checked: $3 \times 3$, $8 \times 8$ and
    $2 \times 1$ matrices of $\partial^2$, $h = 1/4$)."""
    return _perturbed(instance, constant, True, nuclear=nuclear)


CLAIMS = (weyl, mirsky)
"""Claims about perturbed spectra."""

"""Whether applying the operator makes the kernel's eigenvalues decay faster (W. Gan, Y. Li, Q. Lin, Z. Shi,
arXiv:2503.11029), on exactly solvable models: AD multiplies the eigenvalue of frequency n by n^2m, FD by the symbol.

The paper is about tangent kernels of deep networks and says "in most cases"; the models (random features), the comparison of
relative eigenvalues, and the counts are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import below, every, less, once
from proofs_check.claims.verdicts import Outcome
from theory.base.enclosure import Enclosure
from theory.base.exact import spell
from theory.solvable import Circle, HermiteDiagonal, frequencies, geometric_frequencies, uniform_frequencies

COUNT = 40
"""Eigenvalues compared, from the largest, each counted once."""
REACH = 160
"""Frequencies listed, of which those are the largest (geometric laws: a longer list has the same; a test lists 400)."""
H = Fraction(1, 10)


def _rising(count: int) -> Circle:
    total = sum(n * n for n in range(1, count + 1))
    return Circle(frequencies({n: Fraction(n * n, total) for n in range(1, count + 1)}))


def _algebraic(count: int) -> Circle:
    weights = {n: Fraction(1, n**6) for n in range(1, count + 1)}
    total = sum(weights.values())
    return Circle(frequencies({n: w / total for n, w in weights.items()}))


MODELS: dict[str, Circle | HermiteDiagonal] = {
    "circle (p_n = q^n with q = 1/4)": Circle(geometric_frequencies(Fraction(1, 4))),
    "circle (p_n = q^n with q = 19/20)": Circle(geometric_frequencies(Fraction(19, 20))),
    "circle, p_n ~ n^-6, n ≤ 60": _algebraic(60),
    "circle, uniform n ≤ 60": Circle(uniform_frequencies(60)),
    "circle, p_n ~ n^2, n ≤ 60": _rising(60),
    "hermite (ρ = 1/2)": HermiteDiagonal(Fraction(1, 2)),
}


@dataclass(frozen=True)
class Case:
    """A model, what is applied, and to which its decay is compared."""

    model: str
    applied: str

    @lru_cache(maxsize=64)  # noqa: B019 - a handful of cases, each small
    def eigenvalues(self, applied: str) -> list[Enclosure]:
        """The largest, descending (by their lower ends; overlapping ones may change places, which moves no bound)."""
        found = MODELS[self.model]
        if isinstance(found, HermiteDiagonal):
            listed = [
                Enclosure.exact(found.ratio ** (n + 2) if applied == "nothing" else found.ad_mode(n))
                for n in range(REACH)
            ]
        else:
            reach = found.law.largest or REACH
            listed = [self._circle(found, n, applied) for n in range(1, reach + 1)]
        return sorted(listed, key=lambda e: e.lower, reverse=True)[:COUNT]

    @staticmethod
    def _circle(model: Circle, n: int, applied: str) -> Enclosure:
        if applied == "fd":
            return model.fd_mode(n, H)
        return Enclosure.exact(model.ad_mode(n) / (n**4 if applied == "nothing" else 1))

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"model": self.model, "applied": self.applied, "step": spell(H), "eigenvalues": str(COUNT)}


def _cases(scope: Scope, profile: Profile) -> Iterator[Case]:
    yield Case(scope["model"], scope["applied"])


_CELLS = tuple(
    {"model": name, "applied": how, "arithmetic": "exact"}
    for name in MODELS
    for how in ("ad", "fd")
    if not (name.startswith("hermite") and how == "fd")
)


@stated(
    "literature.decay-no-faster",
    title="The operator does not make eigenvalues decay faster",
    family="literature",
    source="arXiv:2503.11029",
    predicate=rf"$\lambda_k(K')/\lambda_1(K') \ge \lambda_k(K)/\lambda_1(K)$ for every $k \le {COUNT}$ (of the circle each double eigenvalue once), "
    r"$K'$ with $\partial^2$ applied in both arguments: exactly, or the central second difference at $h = 1/10$; exact rationals and enclosures",
    kind="ball",
    scopes=once(*_CELLS),
    instances=_cases,
    judges=(Circle.ad_mode, HermiteDiagonal.ad_mode),
    mutants=(
        wrong("faster", "it makes every eigenvalue after the first decay faster", "sign", _CELLS[0], faster=True),
        wrong("slower-by-half", "each relative eigenvalue grows by a half at least", "constant",
              {"model": "circle (p_n = q^n with q = 19/20)", "applied": "ad", "arithmetic": "exact"}, factor=Fraction(3, 2)),
    ),
)  # fmt: skip
def decay_no_faster(case: Case, scope: Scope, faster: bool = False, factor: Fraction = Fraction(1)) -> Outcome:
    r"""Applying the differential operator, or its difference, to both arguments of the kernel does not make the eigenvalues decay
    faster, relative to the largest (the source: of the decay rate, in most cases; our reading: each of the first 40).
    """
    plain, applied = case.eigenvalues("nothing"), case.eigenvalues(case.applied)
    decisions = []
    for k, (one, other) in enumerate(zip(plain[1:], applied[1:], strict=True), 2):
        # λ_k λ'_1 against λ'_k λ_1
        left = [one.lower * applied[0].lower * factor, one.upper * applied[0].upper * factor]
        right = [other.lower * plain[0].lower, other.upper * plain[0].upper]
        sides = Enclosure(*left), Enclosure(*right)
        decisions.append((k, less(sides[1], sides[0]) if faster else below(*sides)))
    holds = every(d for _, d in decisions)
    bad = next((k for k, d in decisions if d.holds is False), None)
    last = len(plain) - 1
    ratio = float(applied[last]) / float(applied[0]) / (float(plain[last]) / float(plain[0]))
    where = "" if bad is None else f"; fails first at k = {bad}"
    return Outcome(
        holds, f"the relative eigenvalue {last + 1} is multiplied by {ratio:.3g}{where}", certified=bad is not None
    )


CLAIMS = (decay_no_faster,)

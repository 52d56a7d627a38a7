"""Verdicts and the evidence they rest on.

Status (the verdict), method and assumptions are three separate things.  Unknown never counts as a pass.

What was found of a statement in a cell: it holds, it is reversed, the draws are mixed, or the number of draws leaves
it open.

A *share* is the probability that the statement is true of one draw of the features.  It is enclosed by the interval of
Clopper and Pearson, at a confidence that is simultaneous over all the facts of a statement (Bonferroni): whatever the
words afterwards pick out, every interval they name is right at once with that confidence.  A share needs independent
draws.  In exact arithmetic nothing is estimated: each draw is decided with proof, and the finding is about those draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from theory.base.enclosure import Decision
from theory.base.errors import InputError


class Verdict(StrEnum):
    """What a check came to.

    ``PROVED``: formal statements over declared variables that were proved here, or a theorem that a proof kernel has
    checked (:mod:`proofs_check.claims.theorems`).  ``CERTIFIED``: exact rational or ball
    arithmetic, for the stated instances.  ``SUPPORTED``: sampled, with numbers.  ``REFUTED``: a witness that re-checks
    by itself.  ``INCONCLUSIVE``: undecided.  ``VACUOUS``: no sample met the assumptions.  ``ERROR``: the check failed
    to run, or contradicts itself.
    """

    PROVED = "PROVED"
    CERTIFIED = "CERTIFIED"
    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    VACUOUS = "VACUOUS"
    ERROR = "ERROR"


STRENGTH: dict[Verdict, int] = {
    Verdict.INCONCLUSIVE: 0,
    Verdict.SUPPORTED: 1,
    Verdict.CERTIFIED: 2,
    Verdict.PROVED: 3,
}
"""Verdicts that differ in strength alone: a stronger one than expected is an improvement, not a change."""

Status = Literal["as expected", "improved", "changed", "unrecorded", "error"]
"""How a verdict compares with the recorded one."""

Kind = Literal["symbolic", "exact", "ball", "sampled"]
"""How a claim is checked: symbolic identity, exact rationals, ball arithmetic, or samples in floating point."""

POSITIVE: dict[Kind, Verdict] = {
    "symbolic": Verdict.PROVED,
    "exact": Verdict.CERTIFIED,
    "ball": Verdict.CERTIFIED,
    "sampled": Verdict.SUPPORTED,
}
"""The verdict when every instance holds."""


def compare(verdict: Verdict, expected: str | None) -> Status:
    """How a verdict compares with the recorded one (None: nothing is recorded)."""
    if verdict in {Verdict.ERROR, Verdict.VACUOUS}:
        return "error"
    if expected is None:
        return "unrecorded"
    if verdict == expected:
        return "as expected"
    if expected in STRENGTH and verdict in STRENGTH and STRENGTH[verdict] > STRENGTH[Verdict(expected)]:
        return "improved"
    return "changed"


@dataclass(frozen=True, init=False)
class Outcome:
    """What one instance of a claim came to.

    Attributes:
        holds: True, False, or None when the arithmetic could not decide.
        detail: one line with the numbers.
        margin: how far from the boundary, positive when it holds (dimensionless; None where it makes no sense).
        data: JSON types; on a failure, enough for the witness to re-check by itself.
        certified: whether a failure is proven (exact or ball arithmetic).
        decision: the three-valued decision that ``holds`` was given as, if it was.
    """

    holds: bool | None
    detail: str
    margin: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    certified: bool = False
    decision: Decision | None = None

    def __init__(
        self,
        holds: bool | Decision | None,
        detail: str,
        margin: float | None = None,
        data: Mapping[str, Any] | None = None,
        certified: bool = False,
        decision: Decision | None = None,
    ) -> None:
        """From a truth value or a decision.

        Raises:
            InputError: ``holds`` is neither of them, such as a number, a text or NaN.
        """
        if isinstance(holds, Decision):
            decision, holds = holds, holds.holds
        elif holds is not None:
            holds = truth(holds)
        if decision is not None and decision.holds is not holds:
            decision = None
        values = {"holds": holds, "detail": detail, "margin": margin, "data": {} if data is None else data,
                  "certified": certified, "decision": decision}  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, value)


def truth(value: object) -> bool:
    """A truth value of Python, numpy or SymPy as Python's own.

    Raises:
        InputError: anything else: the number 0 and the text "False" are neither true nor false.
    """
    kind = type(value)
    if value is True or value is False:
        return value
    if (kind.__module__, kind.__name__) in TRUTH_VALUES:
        return bool(value)
    raise InputError(f"{value!r:.60} ({kind.__name__}) is no truth value; allowed: True, False, None or a Decision")


TRUTH_VALUES = {
    ("numpy", "bool"),
    ("numpy", "bool_"),
    ("sympy.logic.boolalg", "BooleanTrue"),
    ("sympy.logic.boolalg", "BooleanFalse"),
}
"""Types of two values each, besides ``bool``."""


@dataclass(frozen=True)
class Evidence:
    """Why a cell has its verdict.

    Attributes:
        verdict: the conclusion.
        summary: one line for people, with numbers.
        instances: how many instances met the assumptions.
        holding: for how many the claim held.
        undecided: for how many it could not be decided.
        rejected: how many samples missed the assumptions.
        data: JSON types: witness, worst margin, confidence interval, instance details.
        finding: what was found of the share of draws (:mod:`proofs_check.claims.verdicts`), where one is asked.
    """

    verdict: Verdict
    summary: str
    instances: int = 0
    holding: int = 0
    undecided: int = 0
    rejected: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    finding: str | None = None


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """One-sided lower and upper confidence bounds on a probability, each at ``confidence``.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.

    >>> low, high = clopper_pearson(32, 32)
    >>> round(low, 3), high
    (0.911, 1.0)
    """
    from scipy.special import betaincinv  # the quantile of the beta law; scipy.stats itself is slow to import

    alpha = 1 - confidence
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, alpha))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - alpha))
    return low, high


def finite(value: Any) -> Any:
    """``value`` in JSON types with NaN and infinities as None, recursively."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


SHARE = 0.9
"""The share from which a statement is said to hold, and under 1 − which it is said to be reversed."""
CONFIDENCE = 0.95
"""Of all intervals of a statement at once."""


class Finding(StrEnum):
    """``holds``: share ≥ 0.9 shown; ``reversed``: share ≤ 0.1 shown; ``mixed``: both excluded; ``open``: none of these.

    Of draws that are each decided with proof: all hold, all fail, some hold and some fail, or some are undecided.
    """

    HOLDS = "holds"
    REVERSED = "reversed"
    MIXED = "mixed"
    OPEN = "open"


@dataclass(frozen=True)
class Share:
    """In how many of the independent draws a statement held, and the interval of its probability.

    Attributes:
        holding: draws in which it held.
        undecided: draws in which it could not be decided; they count as failures below and as successes above.
        draws: all of them.
        low: lower end of the interval.
        high: upper end.
        confidence: of ``facts`` such intervals at once.
        facts: how many.
    """

    holding: int
    undecided: int
    draws: int
    low: float
    high: float
    confidence: float
    facts: int

    def finding(self, level: float = SHARE) -> Finding:
        """What is shown of the share."""
        if self.low >= level:
            return Finding.HOLDS
        if self.high <= 1 - level:
            return Finding.REVERSED
        return Finding.MIXED if self.low > 1 - level and self.high < level else Finding.OPEN

    def apart(self, other: Share) -> bool:
        """Whether the two intervals have no point in common."""
        return self.high < other.low or other.high < self.low

    @property
    def text(self) -> str:
        """``97 of 100 draws, share in [0.89, 1.00] (95 %, simultaneous over 104 facts)``."""
        undecided = f" ({self.undecided} undecided)" if self.undecided else ""
        over = f", simultaneous over {self.facts} facts" if self.facts > 1 else ""
        inside = f"share in [{self.low:.2f}, {self.high:.2f}] ({self.confidence:.0%}{over})"
        return f"{self.holding} of {self.draws} draws{undecided}, {inside}"


def share(holding: int, draws: int, undecided: int = 0, *, confidence: float = CONFIDENCE, facts: int = 1) -> Share:
    """The two-sided interval of Clopper and Pearson, simultaneous over ``facts`` of them by Bonferroni.

    >>> found = share(100, 100, facts=50)
    >>> round(found.low, 3), str(found.finding())
    (0.927, 'holds')
    >>> str(share(95, 100).finding()), str(share(50, 100).finding()), str(share(0, 100).finding())
    ('open', 'mixed', 'reversed')
    """
    each = 1 - (1 - confidence) / (2 * facts)
    low = clopper_pearson(holding, draws, each)[0]
    high = clopper_pearson(holding + undecided, draws, each)[1]
    return Share(holding, undecided, draws, low, high, confidence, facts)


def decided(holding: int, draws: int, undecided: int = 0) -> Finding:
    """The finding about draws each of which is decided with proof.

    >>> str(decided(3, 3)), str(decided(0, 3)), str(decided(1, 3)), str(decided(1, 3, 2))
    ('holds', 'reversed', 'mixed', 'open')
    """
    failing = draws - holding - undecided
    if holding and failing:
        return Finding.MIXED
    if undecided or not draws:
        return Finding.OPEN
    return Finding.HOLDS if holding else Finding.REVERSED

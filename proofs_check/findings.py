"""What was found of a statement in a cell: it holds, it is reversed, the draws are mixed, or the number of draws leaves
it open.

A *share* is the probability that the statement is true of one draw of the features.  It is enclosed by the interval of
Clopper and Pearson, at a confidence that is simultaneous over all the facts of a statement (Bonferroni): whatever the
words afterwards pick out, every interval they name is right at once with that confidence.  A share needs independent
draws.  In exact arithmetic nothing is estimated: each draw is decided with proof, and the finding is about those draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proofs_check.verdicts import clopper_pearson

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

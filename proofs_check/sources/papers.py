"""The sources whose statements are judged: who wrote them, what of them is in hand, and how they are compared.

Of every paper abstract-level facts alone are in hand.  What is said here of a paper is in our words; sizes, steps, laws,
thresholds and quantifiers of the claims are ours, and each page names them as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from theory.base.errors import InputError
from theory.base.expressions import nearest

ABSTRACT = "abstract-level facts only"
ARXIV = "arXiv:"


@dataclass(frozen=True)
class Paper:
    """A source of statements, and the protocol under which they are judged.

    Attributes:
        id: its arXiv number, or a name.
        authors: as printed; empty where they are not in hand.
        year: of its first version; 0 for what is no publication.
        title: its title, or what it is.
        in_hand: what is known of it here.
        says: what it states, in our words, as far as it is judged here.
        settings: the problems on which it is judged: ours.
        matched: what the two sides of a comparison have in common.
        ours: readings and choices that are ours and not the paper's.
        change: what would change the verdicts.
        labels: ``source`` of its claims, besides ``arXiv:ID`` or the id.
        example: a shipped problem file on which its comparison can be run.
    """

    id: str
    authors: str
    year: int
    title: str
    says: tuple[str, ...]
    settings: str
    matched: str
    ours: str
    change: str
    in_hand: str = ABSTRACT
    labels: tuple[str, ...] = ()
    example: str = ""

    @property
    def arxiv(self) -> bool:
        """Whether its id is an arXiv number."""
        return self.id[:4].isdigit()

    @property
    def name(self) -> str:
        """``arXiv:2601.07017``, or the id."""
        return ARXIV + self.id if self.arxiv else self.id

    @property
    def cited(self) -> str:
        """Authors, title, number and year in a line."""
        who = self.authors or ("authors not in hand" if self.arxiv else "")
        where = f"{self.name}, {self.year}" if self.arxiv else ""
        return ", ".join(part for part in (who, self.title, where) if part)


PAPERS: tuple[Paper, ...] = (
    Paper(
        "2405.14099",
        "C. Chen, Y. Yang, Y. Xiang, W. Hao",
        2024,
        "Automatic Differentiation is Essential in Training Neural Networks for Solving Differential Equations",
        (
            "S1: large singular values of the two system matrices agree.",
            "S2: small singular values of FD are larger.",
            "S3: the truncated entropy of AD is at least that of FD.",
            "S4, S5: truncated entropy quantifies the residual loss of random features and the speed of two-layer networks.",
            "S6, S7: AD outperforms FD in training, and the advantage grows with order and depth.",
        ),
        "random features and two-layer networks on Poisson and biharmonic equations in one dimension (two for S1 to S3)",
        "the same features or the same start, points, boundary rows, optimiser, budget and arithmetic, paired by seed",
        "every predicate, threshold, size, law, step, convention of the entropy, and the margin of ten per cent",
        "the source's own sizes, cut-off rule, tolerance and step: S2 and S3 turn over with size, arithmetic and convention",
        labels=tuple(f"S{k}" for k in range(1, 8)),
        example="poisson",
    ),
)
"""In the order of the report."""


class _Sourced(Protocol):
    @property
    def source(self) -> str: ...


T = TypeVar("T", bound=_Sourced)


def paper_of(source: str) -> Paper | None:
    """The paper that a claim's ``source`` names; None for what is ours or classical."""
    return next((p for p in PAPERS if source in (*p.labels, p.name)), None)


def find(text: str) -> Paper:
    """The paper of this id, with or without ``arXiv:``.

    Raises:
        InputError: there is none; the line lists them.

    >>> find("arXiv:2405.14099").year
    2024
    """
    known = {p.id: p for p in PAPERS}
    number = text[len(ARXIV) :] if text.lower().startswith(ARXIV.lower()) else text
    if number not in known:
        raise InputError(f"source {text!r}: unknown; {nearest(number, known)}allowed: {', '.join(known)}")
    return known[number]


def is_paper(text: str) -> bool:
    """Whether it is the id of a paper."""
    return any(text in (p.id, p.name) for p in PAPERS)


def judged_by(paper: Paper, claims: Iterable[T]) -> list[T]:
    """The claims that judge statements of a paper."""
    return [claim for claim in claims if paper_of(claim.source) is paper]

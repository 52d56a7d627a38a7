"""The mutation score: how many deliberately wrong claims each family's checks refuted, and of which kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proofs_check.report.records import Claim


@dataclass(frozen=True)
class Score:
    """One family.

    Attributes:
        family: its name.
        claims: how many claims it has.
        total: how many mutants were run.
        refuted: how many of them were refuted.
        kinds: what was changed in how many, the most frequent first.
        survivors: ``claim: mutant`` of those that were not.
    """

    family: str
    claims: int
    total: int
    refuted: int
    kinds: list[tuple[str, int]]
    survivors: list[str]

    @property
    def kinds_text(self) -> str:
        """``sign 3, constant 2``."""
        return ", ".join(f"{kind} {count}" for kind, count in self.kinds)


def scores(claims: Sequence[Claim]) -> list[Score]:
    """A score for each family with mutants that were run, in the ledger's order, and their sum where there are more."""
    families = list(dict.fromkeys(claim.family for claim in claims))
    found = [_score(family, [c for c in claims if c.family == family]) for family in families]
    found = [score for score in found if score.total]
    return [*found, _score("all families", list(claims))] if len(found) > 1 else found


def _score(family: str, claims: Sequence[Claim]) -> Score:
    run = [(claim, mutant) for claim in claims for mutant in claim.mutants if mutant.verdict is not None]
    kinds: dict[str, int] = {}
    for _, mutant in run:
        kinds[mutant.kind] = kinds.get(mutant.kind, 0) + 1
    return Score(
        family,
        len(claims),
        len(run),
        sum(1 for _, mutant in run if mutant.verdict == "REFUTED"),
        sorted(kinds.items(), key=lambda item: (-item[1], item[0])),
        [f"{claim.id}: {mutant.name}" for claim, mutant in run if mutant.verdict != "REFUTED"],
    )

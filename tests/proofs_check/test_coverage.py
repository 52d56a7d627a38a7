"""What a claim was checked for comes from its cells and instances."""

from __future__ import annotations

from proofs_check.coverage import checked_for, sentence
from proofs_check.ledger import all_claims

CLAIMS = {c.id: c for c in all_claims()}


def test_cells_and_instances_are_listed() -> None:
    found = checked_for(CLAIMS["solvable.uniform-circle"])
    assert found["coordinates"]["rule"] == ["fixed", "relative", "energy"]
    assert found["varying"]["R"] == ["2", "8", "32"]
    assert found["rejected"] == 4
    assert "R: 2, 8, 32" in sentence(found)


def test_a_changed_claim_changes_the_words() -> None:
    claim = CLAIMS["stencils.truncation"]
    fewer = claim.with_(scopes=lambda profile: claim.scopes(profile)[:2])
    assert checked_for(claim)["cells"] == 7
    assert checked_for(fewer)["cells"] == 2
    assert sentence(checked_for(fewer)).startswith("2 cells (stencil: central m=1 p=2, central m=2 p=2)")


def test_every_claim_says_for_what_it_was_checked() -> None:
    for claim in CLAIMS.values():
        if claim.kind == "sampled":
            found = [checked_for(claim, profile) for profile in ("quick", "full")]
            assert max(one["cells"] for one in found) > 0
            assert all("cell" in sentence(one) for one in found)

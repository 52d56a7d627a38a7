"""Judgement: claims, evidence, verdicts, the ledger, its report and the command line."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from numerics.differences.search import Advice
    from proofs_check.advice.advice import advise
    from proofs_check.claims.claim import ALL, SHARE, TYPICAL, Assumption, Claim, Mutant, Quantifier, Step
    from proofs_check.claims.formal import integers, reals
    from proofs_check.claims.instances import draws, sampler, whole
    from proofs_check.claims.verdicts import Evidence, Outcome, Verdict
    from proofs_check.ledger.judging import judge
    from proofs_check.ledger.ledger import all_claims, select
    from proofs_check.ledger.runner import verify
    from proofs_check.own.claims import claim, without
    from proofs_check.own.claims import load as load_claims
    from proofs_check.own.float_guard import guess
    from proofs_check.own.statements import statement
    from proofs_check.report.page import write_report
    from proofs_check.search.refute import search as refute
    from proofs_check.search.spaces import like

__all__ = [
    "ALL", "SHARE", "TYPICAL", "Advice", "Assumption", "Claim", "Evidence", "Mutant", "Outcome", "Quantifier",
    "Step", "Verdict", "advise", "all_claims", "claim", "draws", "guess", "integers", "judge", "like",
    "load_claims", "reals", "refute", "sampler", "select", "statement", "verify", "whole", "without",
    "write_report",
]  # fmt: skip
NAMES = {
    "numerics.differences.search": "Advice",
    "proofs_check.advice.advice": "advise",
    "proofs_check.claims.claim": "ALL Assumption Claim Mutant Quantifier SHARE Step TYPICAL",
    "proofs_check.claims.formal": "integers reals",
    "proofs_check.claims.instances": "draws sampler whole",
    "proofs_check.claims.verdicts": "Evidence Outcome Verdict",
    "proofs_check.ledger.judging": "judge",
    "proofs_check.ledger.ledger": "all_claims select",
    "proofs_check.ledger.runner": "verify",
    "proofs_check.own.claims": "claim load_claims=load without",
    "proofs_check.own.float_guard": "guess",
    "proofs_check.own.statements": "statement",
    "proofs_check.report.page": "write_report",
    "proofs_check.search.refute": "refute=search",
    "proofs_check.search.spaces": "like",
}
"""Where each is defined; it is imported when it is first asked for."""


# pytest imports this package for its plugin, wherever adfd is installed.  Until more of it is wanted the other rooms, whose
# names a project of one's own may have too, are not imported.


def __getattr__(name: str) -> Any:
    from theory.base.faces import face

    return face(__name__, NAMES)[1](name)


def __dir__() -> list[str]:
    from theory.base.faces import face

    return face(__name__, NAMES)[2]()


class _First:
    """Puts the old names of modules in place (:mod:`theory.base.old_names`) when the first module is asked for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("proofs_check.") or name == "proofs_check.pytest_plugin":
            return None
        from theory.base import old_names

        sys.meta_path.remove(self)
        return old_names.install().find_spec(name, path, target)


sys.meta_path.insert(0, _First())

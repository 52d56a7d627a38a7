"""What a user of adfd needs: problems and their numbers, claims of one's own and how they are judged, advice on steps.

>>> import adfd
>>> central = adfd.stencil(2, [-1, 0, 1])
>>> central.order
2
"""

from __future__ import annotations

from theory.base.faces import face

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numerics.arithmetic.balls import below, less, same
    from numerics.entropy.compare import difference
    from numerics.entropy.compare import entropy_of as entropy
    from numerics.problem.file import load_problem as load
    from numerics.problem.given import pose as problem
    from numerics.problem.problem import Problem
    from numerics.spectra.spectrum import spectrum
    from proofs_check.advice.advice import advise
    from proofs_check.advice.watch import watch
    from proofs_check.claims.claim import SHARE, TYPICAL
    from proofs_check.claims.formal import integers, reals
    from proofs_check.claims.instances import draws, sampler, whole
    from proofs_check.claims.verdicts import Outcome
    from proofs_check.ledger.judging import judge
    from proofs_check.ledger.runner import verify
    from proofs_check.own.claims import claim, without
    from proofs_check.own.float_guard import guess
    from proofs_check.own.statements import statement
    from proofs_check.search.refute import search as refute
    from proofs_check.search.spaces import like
    from theory.base.enclosure import Decision, Enclosure, every, some
    from theory.entropy.conventions import Convention
    from theory.stencils.stencil import stencil

__all__ = [
    "SHARE", "TYPICAL", "Convention", "Decision", "Enclosure", "Outcome", "Problem", "advise", "below", "claim",
    "difference", "draws", "entropy", "every", "guess", "integers", "judge", "less", "like", "load", "problem",
    "reals", "refute", "same", "sampler", "some", "spectrum", "statement", "stencil", "verify", "watch", "whole", "without",
]  # fmt: skip
NAMES = {
    "numerics.arithmetic.balls": "below less same",
    "numerics.entropy.compare": "difference entropy=entropy_of",
    "numerics.problem.file": "load=load_problem",
    "numerics.problem.given": "problem=pose",
    "numerics.problem.problem": "Problem",
    "numerics.spectra.spectrum": "spectrum",
    "proofs_check.advice.advice": "advise",
    "proofs_check.advice.watch": "watch",
    "proofs_check.claims.claim": "SHARE TYPICAL",
    "proofs_check.claims.formal": "integers reals",
    "proofs_check.claims.instances": "draws sampler whole",
    "proofs_check.claims.verdicts": "Outcome",
    "proofs_check.ledger.judging": "judge",
    "proofs_check.ledger.runner": "verify",
    "proofs_check.own.claims": "claim without",
    "proofs_check.own.float_guard": "guess",
    "proofs_check.own.statements": "statement",
    "proofs_check.search.refute": "refute=search",
    "proofs_check.search.spaces": "like",
    "theory.base.enclosure": "Decision Enclosure every some",
    "theory.entropy.conventions": "Convention",
    "theory.stencils.stencil": "stencil",
}
"""Where each is defined; it is imported when it is first asked for."""
_, __getattr__, __dir__ = face(__name__, NAMES)

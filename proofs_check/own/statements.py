"""Statements of one's own that are proved: declared variables, domains, hypotheses and a conclusion, and no callable.

>>> import sympy
>>> from proofs_check.ledger.judging import judge
>>> from proofs_check.claims.formal import reals
>>> x = sympy.Symbol("x", real=True)
>>> made = statement("own.parabola", "A parabola.", {x: reals(0, 1)}, sympy.Le(x * (1 - x), sympy.Rational(1, 4)),
...                  mutants={"fifth": sympy.Le(x * (1 - x), sympy.Rational(1, 5))})
>>> judge(made, made.scopes("quick")[0], "quick").verdict
<Verdict.PROVED: 'PROVED'>
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proofs_check.claims.claim import Claim, Mutant, Scope
from proofs_check.claims.formal import Domain, Formal
from proofs_check.claims.verdicts import Outcome
from proofs_check.own.claims import register
from theory.base.errors import InputError

if TYPE_CHECKING:  # heavy at start-up
    import sympy
    from hypothesis.strategies import SearchStrategy

CELL: Scope = {"statement": "formal"}
"""The one cell of a statement."""


def statement(
    id: str,
    says: str,
    variables: Mapping[sympy.Symbol, Domain],
    concludes: Any,
    *,
    mutants: Mapping[str, Any],
    given: Sequence[Any] = (),
    by: Sequence[Any] = (),
    source: str = "conjecture",
    rests_on: Sequence[str] = (),
) -> Claim:
    """A claim that is proved, refuted at a rational point, or left open (INCONCLUSIVE).

    Args:
        id: dotted name, unique in the file and not one of the ledger's.
        says: the statement in words; the formal one is printed beside it.
        variables: each symbol with its domain (:func:`proofs_check.claims.formal.reals`, ``positive``, ``between``, ``integers``).
        concludes: ``sympy.Eq``, ``Le``, ``Lt``, ``Ge`` or ``Gt`` of two expressions in the variables.
        mutants: wrong conclusions by name, which must be refuted.
        given: hypotheses, relations likewise.
        by: expressions between the two sides, for a chain whose every step is proved.
        source: a reference, or whose conjecture it is.
        rests_on: claims that the reader should know of.

    Raises:
        InputError: no words, no mutant, or not a formal statement.
    """
    if not isinstance(says, str) or not says.strip():
        raise InputError(f"statement {id}: says: the statement in words")
    if not mutants:
        raise InputError(f"statement {id}: has no mutant; name a wrong conclusion that must be refuted")
    try:
        formal = Formal(variables, concludes, tuple(given), tuple(by))
        wrong = {name: Formal(variables, other, tuple(given)) for name, other in mutants.items()}
    except InputError as error:
        raise InputError(f"{id}: {error}") from None
    made = Claim(
        id=id,
        title=id.rpartition(".")[2].replace("-", " "),
        statement=" ".join(says.split()),
        family=id.partition(".")[0],
        source=source,
        predicate="the formal statement, at rational points and as a whole",
        kind="symbolic",
        scopes=lambda profile: (CELL,),
        instances=lambda scope, profile: _points(formal),
        test=lambda point, scope: _at(formal, point),
        mutants=tuple(
            Mutant(name, str(other.conclusion), "predicate", lambda c, other=other: _of(c, other))  # type: ignore[misc]
            for name, other in wrong.items()
        ),
        describe=lambda point: {str(symbol): str(value) for symbol, value in point.items()},
        rests_on=tuple(rests_on),
        own=True,
        search=lambda scope: _strategy(formal),
        formal=lambda scope: (formal,),
    )
    register(made, sys._getframe(1).f_globals)
    return made


def _of(claim: Claim, formal: Formal) -> Claim:
    return claim.with_(
        instances=lambda scope, profile: _points(formal),
        test=lambda point, scope: _at(formal, point),
        search=lambda scope: _strategy(formal),
        formal=lambda scope: (formal,),
    )


def _points(formal: Formal) -> Iterable[Any]:
    from proofs_check.claims.provers import points, try_point

    return [point for point in points(formal) if try_point(formal, point) is not None]


def _at(formal: Formal, point: Any) -> Outcome:
    from proofs_check.claims.provers import try_point

    where = ", ".join(f"{symbol} = {value}" for symbol, value in point.items())
    return Outcome(try_point(formal, point), f"at {where}")


def _strategy(formal: Formal) -> SearchStrategy[Any]:
    from fractions import Fraction

    from hypothesis import strategies as st

    def inside(domain: Domain) -> SearchStrategy[Fraction]:
        if domain.integer:
            low = None if domain.low is None else -((-domain.low) // 1)
            return st.integers(low, None if domain.high is None else domain.high // 1).map(Fraction)
        return st.fractions(domain.low, domain.high, max_denominator=64).filter(domain.has)

    return st.fixed_dictionaries({symbol: inside(domain) for symbol, domain in formal.variables.items()})

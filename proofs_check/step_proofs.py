"""Proof objects of the entropy gap's sign for all steps of an interval, with the checker as the judge.

From the least step upward, a piece is kept when the checker proves its sign from the spectra at its ends (sine and cosine
features) or about its middle (any smooth activation); otherwise a shorter one is tried. The sharper bounds of
:mod:`numerics.step_interval` have no proof object.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

from numerics.certificates import FORMAT, problem_part
from numerics.entropy_certificates import convention_part, resolved_spectrum
from numerics.problem import Problem
from numerics.step_interval import at_step
from proofs_check import checker, checker_entropies
from proofs_check.checker_entropies import Node
from theory.conventions import Convention
from theory.errors import PrecisionCapError
from theory.exact import spell

DIGITS = 15
"""Of the singular values."""
SHORTEST = 1e-4
"""Pieces shorter than this, relative to their step, are given up."""
SKIPPED = Fraction(1, 500)
"""Relative length of what is then left open."""


def step_certificate(
    problem: Problem,
    convention: Convention,
    low: Fraction,
    high: Fraction,
    max_pieces: int = 500,
    seconds: float = 60.0,
) -> dict[str, Any]:
    """The proof object of the sign of ``H_FD - H_AD``, piece by piece, as far as it is proven in the time.

    Raises:
        PrecisionCapError: nothing is proven, or no entropy of A_AD is.
    """
    search = _Search(problem, convention, high)
    begun, ratio, a = time.perf_counter(), 2.0, low
    pieces: list[dict[str, Any]] = []
    while a < high and len(pieces) < max_pieces and time.perf_counter() - begun < seconds:
        b = min(high, Fraction(float(a) * ratio).limit_denominator(1 << 24))
        piece = search.piece(a, b) if a < b else None
        if piece is not None:
            pieces.append(piece)
            a, ratio = b, 1 + 1.5 * (ratio - 1)
        elif ratio > 1 + SHORTEST:
            ratio = 1 + (ratio - 1) / 2
        else:  # the sign changes here, or is too close to call: a gap
            a, ratio = a * (1 + SKIPPED), 1 + 50 * SHORTEST
    if not pieces:
        raise PrecisionCapError("certificate: the sign is proven for no part of the interval of steps")
    return search.certificate(pieces)


class _Search:
    """The spectra made so far, and what the checker says of a piece."""

    def __init__(self, problem: Problem, convention: Convention, high: Fraction) -> None:
        self.problem, self.convention = problem, convention
        self.part = problem_part(problem)
        self.read, self.rule = checker.read_problem(self.part), checker_entropies.read_convention(self.stated)
        self.ad = resolved_spectrum(problem, "ad", convention, DIGITS)
        claims = checker.spectrum(self.read, self.ad, "ad", _unlimited())
        _, self.least, self.most = checker_entropies.entropy(claims, self.rule, _unlimited())
        self.nodes: dict[Fraction, tuple[dict[str, Any], Node]] = {}
        self.falls = checker_entropies.falls(self.read, self.node(high), high)

    @property
    def stated(self) -> dict[str, Any]:
        return convention_part(self.convention)

    def node(self, step: Fraction) -> Node:
        """The proven spectrum at a step."""
        if step not in self.nodes:
            data = resolved_spectrum(at_step(self.problem, step), "fd", self.convention, DIGITS) | {"step": spell(step)}
            self.nodes[step] = data, checker_entropies.read_node(self.read, data, _unlimited())
        return self.nodes[step][1]

    def piece(self, low: Fraction, high: Fraction) -> dict[str, Any] | None:
        """The piece with its sign, if the checker proves one."""
        kind = "between" if self.falls else "about"
        steps = (low, high) if self.falls else ((low + high) / 2,)
        try:
            nodes = [self.node(step) for step in steps]
            values = checker_entropies.values_on(self.read, kind, nodes, low, high, _unlimited())
            _, below, above = checker_entropies.entropy(values, self.rule, _unlimited())
        except (checker.RefusedError, PrecisionCapError):
            return None
        sign = "fd<ad" if above < self.least else "fd>ad" if below > self.most else None
        if sign is None:
            return None
        return {"low": spell(low), "high": spell(high), "kind": kind, "nodes": list(steps), "sign": sign}

    def certificate(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """The file, with the nodes that its pieces need."""
        steps = sorted({step for piece in pieces for step in piece["nodes"]})
        place = {step: k for k, step in enumerate(steps)}
        return {
            "format": FORMAT,
            "statement": "entropies on steps",
            "problem": self.part,
            "ad": self.ad,
            "nodes": [self.nodes[step][0] for step in steps],
            "convention": self.stated,
            "pieces": [piece | {"nodes": [place[step] for step in piece["nodes"]]} for piece in pieces],
        }


def _unlimited() -> checker.Work:
    return checker.Work(float("inf"))

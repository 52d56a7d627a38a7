"""Proof objects of the entropy gap's sign for all steps of an interval, with the checker as the judge.

From the least step upward, a piece is kept when the checker proves its sign: from the spectra at its ends (sine and cosine
features), or (any smooth activation) to first order about A_AD or about A_FD at its middle, or from the values at its
middle; otherwise a shorter one is tried.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

from flint import arb

from numerics.certificates import FORMAT, problem_part
from numerics.entropy_certificates import convention_part, resolved_spectrum
from numerics.problem import Problem
from numerics.step_interval import at_step
from proofs_check import checker, checker_entropies, checker_steps
from proofs_check.checker_steps import Frame, Node
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
    search = Search(problem, convention, high)
    begun, ratio, a = time.perf_counter(), max(2.0, float(high / low)), low
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


class Search:
    """The spectra made so far, and what the checker says of a piece."""

    def __init__(self, problem: Problem, convention: Convention, high: Fraction) -> None:
        self.problem, self.convention = problem, convention
        self.part = problem_part(problem)
        self.read, self.rule = checker.read_problem(self.part), checker_entropies.read_convention(self.stated)
        self.ad = resolved_spectrum(problem, "ad", convention, DIGITS)
        claims = checker.spectrum(self.read, self.ad, "ad", _unlimited())
        try:
            _, self.least, self.most = checker_entropies.entropy(claims, self.rule, _unlimited())
        except checker.RefusedError as error:
            raise PrecisionCapError(f"certificate: A_AD: {error}") from None
        self.nodes: dict[Fraction, tuple[dict[str, Any], Node]] = {}
        self.frames: dict[Fraction, Frame | None] = {}
        self.high = high
        self.falls = checker_steps.falls(self.read, self.node(high), high)

    @property
    def stated(self) -> dict[str, Any]:
        return convention_part(self.convention)

    def node(self, step: Fraction) -> Node:
        """The proven spectrum at a step."""
        if step not in self.nodes:
            data = resolved_spectrum(at_step(self.problem, step), "fd", self.convention, DIGITS) | {"step": spell(step)}
            self.nodes[step] = data, checker_steps.read_node(self.read, data, _unlimited())
        return self.nodes[step][1]

    def frame(self, step: Fraction) -> Frame | None:
        """The matrix near A_FD at a step (A_AD for 0) whose singular vectors are known."""
        if step not in self.frames:
            if step:
                self.node(step)
            try:
                data = self.nodes[step][0] if step else self.ad
                self.frames[step] = checker_steps.frame(self.read, data, _unlimited())
            except checker.RefusedError:
                self.frames[step] = None
        return self.frames[step]

    def piece(self, low: Fraction, high: Fraction) -> dict[str, Any] | None:
        """The piece with its sign, if the checker proves one: by the first means that does."""
        middle = (low + high) / 2
        ways = [lambda: self.between(low, high)] if self.falls else []
        ways += [
            lambda: self.first_order(Fraction(0), low, high),
            lambda: self.first_order(middle, low, high),
            lambda: self.about(middle, low, high),
        ]
        for way in ways:
            try:
                found = way()
            except (checker.RefusedError, PrecisionCapError):
                continue
            if found is not None:
                return {"low": spell(low), "high": spell(high)} | found
        return None

    def sign(self, bounds: tuple[arb, arb]) -> str | None:
        """The sign of the gap, if these bounds of the entropy of A_FD prove one."""
        below, above = bounds
        return "fd<ad" if above < self.least else "fd>ad" if below > self.most else None

    def between(self, low: Fraction, high: Fraction) -> dict[str, Any] | None:
        return self._by_values("between", (low, high), low, high)

    def about(self, middle: Fraction, low: Fraction, high: Fraction) -> dict[str, Any] | None:
        return self._by_values("about", (middle,), low, high)

    def _by_values(
        self, kind: str, steps: tuple[Fraction, ...], low: Fraction, high: Fraction
    ) -> dict[str, Any] | None:
        nodes = [self.node(step) for step in steps]
        values = checker_steps.values_on(self.read, kind, nodes, low, high, _unlimited())
        _, *bounds = checker_entropies.entropy(values, self.rule, _unlimited())
        sign = self.sign((bounds[0], bounds[1]))
        return None if sign is None else {"kind": kind, "nodes": list(steps), "sign": sign}

    def first_order(self, base: Fraction, low: Fraction, high: Fraction) -> dict[str, Any] | None:
        """About A_AD (0) or A_FD at a step, with the first remainder and split that decide: from all values down to one."""
        frame = self.frame(base)
        if frame is None:
            return None
        for derivatives in self.remainders:
            if base:
                drift = checker_steps.drift_from(self.read, self.node(base), low, high, _unlimited(), derivatives)
            else:
                node = self.node(self.high)
                drift = checker_steps.drift(self.read, node, base, low, high, _unlimited(), derivatives)
            for split in range(len(frame.values), 0, -1):
                try:
                    sign = self.sign(checker_entropies.near(frame, drift, split, self.rule, _unlimited()))
                except checker.RefusedError:
                    continue
                if sign is not None:
                    nodes = [base] if base else []
                    how = {"split": split, "derivatives": derivatives}
                    return {"kind": "first order", "nodes": nodes, "sign": sign} | how
        return None

    @property
    def remainders(self) -> list[int]:
        """Orders of the derivative in the remainder to try: the higher, the sharper for small steps, the wider for large."""
        order = max(term.order for term in self.read.operator)
        return [min(order + 6, checker.MAX_ORDER), checker.MAX_ORDER]

    def certificate(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """The file, with the nodes that its pieces need."""
        steps = sorted({step for piece in pieces for step in piece["nodes"]}) or [self.high]
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

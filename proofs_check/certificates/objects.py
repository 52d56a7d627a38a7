"""Certificates of version 1 in the words of version 2, where what they say has one meaning only.

Version 1 held expressions as Python text. What is read here are the forms that adfd wrote: integers, the variables, pi,
E, ``+ - * /``, integer and half-integer powers, calls of the functions of the format; ASCII, no comments, no chains of
powers, no exponent that would have to be computed. Anything else is refused.

Proof objects as they are written: no file leaves adfd that its own checker refuses.

Proof objects of the entropy gap's sign for all steps of an interval, with the checker as the judge.

Where all steps from 0 on are asked, the first piece is ``(0, h_0]``, by the gap over the leading power of the step.
From the least step upward, a piece is kept when the checker proves its sign: from the spectra at its ends (sine and cosine
features), or (any smooth activation) to first order about A_AD or about A_FD at its middle, or from the values at its
middle; otherwise a shorter one is tried.
"""

from __future__ import annotations

import ast
import json
import re
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from flint import arb

from numerics.entropy.interval import at_step
from numerics.entropy.proof_objects import convention_part, resolved_spectrum
from numerics.problem.problem import Problem
from numerics.spectra.certificate import FORMAT, problem_part
from proofs_check import checker, checker_entropies, checker_steps
from proofs_check.checker import FORMAT as CHECKED_FORMAT
from proofs_check.checker import FUNCTIONS, RefusedError, demand, fields, integer, listed
from proofs_check.checker_steps import Drift, Frame, Node
from theory.base.errors import PrecisionCapError
from theory.base.exact import spell
from theory.entropy.conventions import Convention

OLD_FORMAT = "adfd certificate of singular values, version 1"


def is_old(data: object) -> bool:
    """Whether a file says that it is of version 1."""
    return isinstance(data, dict) and data.get("format") == OLD_FORMAT


def upgraded(data: object) -> dict[str, Any]:
    """The same certificate in version 2.

    Raises:
        RefusedError: it is not what adfd wrote, or could be read in two ways.
    """
    try:
        return _upgraded(data)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"malformed version 1 ({type(error).__name__})") from None


def _upgraded(data: object) -> dict[str, Any]:
    names = "format method activation variables weights biases interior boundary precision vectors values"
    old = fields(data, "certificate", names)
    demand(old["method"] in ("ad", "fd"), "method: ad or fd")
    interior = fields(old["interior"], "interior", "points terms")
    read = _derivative if old["method"] == "ad" else _difference
    terms = [read(term) for term in listed(interior["terms"], "terms")]
    faces = [fields(face, "boundary", "points weight terms") for face in listed(old["boundary"], "boundary")]
    problem = {
        "variables": old["variables"],
        "activation": tree(old["activation"]),
        "weights": [_numbers(w) for w in listed(old["weights"], "weights")],
        "biases": _numbers(old["biases"]),
        "operator": [term for term, _ in terms],
        "points": [_numbers(x) for x in listed(interior["points"], "points")],
        "boundary": [
            {
                "points": [_numbers(x) for x in listed(face["points"], "points")],
                "weight": _number(face["weight"]),
                "operator": [_derivative(term)[0] for term in listed(face["terms"], "terms")],
            }
            for face in faces
            if face["points"]
        ],
    }
    spectrum = {
        "difference": None if old["method"] == "ad" else [difference for _, difference in terms],
        "precision": old["precision"],
        "vectors": old["vectors"],
        "values": [_bounds(value) for value in listed(old["values"], "values")],
    }
    return {"format": CHECKED_FORMAT, "statement": "singular values", "problem": problem, "spectrum": spectrum}


Term = tuple[dict[str, Any], dict[str, Any] | None]


def _derivative(term: Any) -> Term:
    named = fields(term, "term", "derivative coefficient")
    part = {"orders": named["derivative"], "factor": "1"}
    return {"coefficient": tree(named["coefficient"]), "derivatives": [part]}, None


def _difference(term: Any) -> Term:
    named = fields(term, "term", "target coefficient shifts weights scale")
    parts = [fields(part, "target", "derivative factor") for part in listed(named["target"], "target")]
    derivatives = [{"orders": part["derivative"], "factor": _number(part["factor"])} for part in parts]
    scale = Fraction(_number(named["scale"]))
    demand(scale > 0, "scale: must be positive")
    weights = [str(Fraction(v) / scale) for v in _numbers(named["weights"])]
    shifts = [_numbers(shift) for shift in listed(named["shifts"], "shifts")]
    term = {"coefficient": tree(named["coefficient"]), "derivatives": derivatives}
    return term, {"shifts": shifts, "weights": weights}


def _numbers(data: Any) -> list[str]:
    return [_number(v) for v in listed(data, "numbers")]


def _number(data: Any) -> str:
    """``p/q`` or a decimal, in lowest terms."""
    return str(_exactly(data))


def _exactly(data: Any) -> Fraction:
    demand(isinstance(data, str) and len(data) <= 4000, "numbers are texts such as '1/3'")
    found = re.fullmatch(r"-?[0-9]+(?:/0*[1-9][0-9]*|(?:\.[0-9]+)?(?:e([+-]?[0-9]{1,5}))?)", data)
    demand(found is not None and abs(int(found[1] or 0)) <= 20_000, f"{data[:40]!r} is not a number")
    return Fraction(data)


def _bounds(value: Any) -> dict[str, Any]:
    return {name: _decimal(end) for name, end in fields(value, "values", "lower upper").items()}


def _decimal(end: Any) -> list[Any]:
    """A decimal as mantissa and exponent."""
    value, exponent = _exactly(end), 0
    demand("/" not in end, "values: bounds are decimals")
    match = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]+))?", end)
    assert match is not None
    if value == 0:
        return ["0", 0]
    digits = (match[2] + (match[3] or "")).lstrip("0")
    short = digits.rstrip("0")
    exponent = int(match[4] or 0) - len(match[3] or "") + len(digits) - len(short)
    return [match[1] + short, exponent]


def tree(source: Any) -> list[Any]:
    """An expression's text as a tree."""
    demand(isinstance(source, str) and 0 < len(source) <= 4000, "an expression is a short text")
    demand(re.fullmatch(r"[A-Za-z0-9 +*/()-]+", source) is not None, "expression: a character that is not allowed")
    words = re.findall("[A-Za-z0-9]+", source)
    demand(all(re.fullmatch("0|[1-9][0-9]*|[A-Za-z]+", word) for word in words), "expression: an unusual number")
    try:
        return _node(ast.parse(source, mode="eval").body)
    except SyntaxError:
        raise RefusedError(f"{source[:40]!r} is no expression") from None


def _node(node: ast.expr) -> list[Any]:
    match node:
        case ast.Constant(value=int() as n) if not isinstance(n, bool):
            return ["number", str(n)]
        case ast.Name(id="pi"):
            return ["pi"]
        case ast.Name(id="E"):
            return ["exp", ["number", "1"]]
        case ast.Name(id=name) if name in ("x", "y", "z", "t"):
            return ["variable", name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ["product", ["number", "-1"], _node(inner)]
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return ["power", _node(left), str(_exponent(right))]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return ["sum", _node(left), _node(right)]
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return ["sum", _node(left), ["product", ["number", "-1"], _node(right)]]
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return ["product", _node(left), _node(right)]
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return ["product", _node(left), ["power", _node(right), "-1"]]
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return ["power", _node(argument), "1/2"]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return [name, _node(argument)]
    raise RefusedError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")


def _exponent(node: ast.expr) -> Fraction:
    """``n``, ``-n``, ``n/2`` or ``-n/2``, nothing that would have to be computed."""
    match node:
        case ast.Constant(value=int() as n) if not isinstance(n, bool):
            return Fraction(integer(n, "exponent", 1, 1000))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
            return -_exponent(inner)
        case ast.BinOp(left=ast.Constant() | ast.UnaryOp() as left, op=ast.Div(), right=ast.Constant(value=2)):
            return _exponent(left) / 2
    raise RefusedError(f"{ast.unparse(node)[:40]!r} is not allowed as an exponent")


def accepted(certificate: dict[str, Any]) -> dict[str, Any]:
    """The certificate, with as much precision as the checker needs for its own formulas.

    Raises:
        PrecisionCapError: the checker refuses it at four times the precision too.
    """
    data = json.loads(json.dumps(certificate))
    spectra = [part for key in ("spectrum", "ad", "fd") if (part := data.get(key))] + data.get("nodes", [])
    first = [part["precision"] for part in spectra]
    for quarters in (4, 6, 8, 16):
        for part, bits in zip(spectra, first, strict=True):
            part["precision"] = min(checker.MAX_PRECISION, bits * quarters // 4)
        try:
            checker_entropies.verify(data)
        except checker.RefusedError as error:
            reason = error
        else:
            return dict(data)
    raise PrecisionCapError(f"certificate: what was found is not accepted by the checker ({reason})")


def is_certificate(path: Path) -> bool:
    """Whether a file is a proof object: its first field says so."""
    with path.open("rb") as file:
        return bool(re.match(rb'\s*\{\s*"format"\s*:\s*"adfd certificate', file.read(200)))


DIGITS = 15
"""Of the singular values."""
HALVINGS = 24
"""Of the largest step, until a sign near 0 is given up."""
ROOM = 4
"""How much larger another checker's bound of a remainder may be: how narrow derivatives are enclosed is not specified."""
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
    begun, a = time.perf_counter(), low
    pieces: list[dict[str, Any]] = []
    if not low:
        a = high / 2**HALVINGS
        for k in range(HALVINGS):
            found = search.near_zero(high / 2**k)
            if found is not None:
                pieces, a = [found], high / 2**k
                break
    ratio = max(2.0, float(high / low)) if low else 2.0
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
    while _beyond_budget(search.certificate(pieces)) and len(pieces) > 1:
        pieces = pieces[: max(1, len(pieces) * 3 // 4)]
    return search.certificate(pieces)


def _beyond_budget(certificate: dict[str, Any]) -> bool:
    """Whether a file asks for more work than its size allows."""
    try:
        checker_entropies.verify(json.loads(json.dumps(certificate)))
    except checker.RefusedError as reason:
        return str(reason).startswith("budget")
    return False


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
                    sign = self.sign(checker_entropies.near(frame, _with_room(drift), split, self.rule, _unlimited()))
                except checker.RefusedError:
                    continue
                if sign is not None:
                    nodes = [base] if base else []
                    how = {"split": split, "derivatives": derivatives}
                    return {"kind": "first order", "nodes": nodes, "sign": sign} | how
        return None

    def near_zero(self, high: Fraction) -> dict[str, Any] | None:
        """All steps in (0, high], if the checker proves their sign."""
        frame, node = self.frame(Fraction(0)), self.node(self.high)
        if frame is None:
            return None
        for derivatives in self.remainders:
            try:
                power = checker_steps.leading_power(self.read, node, _unlimited(), derivatives)
                zero = Fraction(0)
                moved = checker_steps.drift(self.read, node, zero, zero, high, _unlimited(), derivatives, power)
                gap = checker_entropies.rate(
                    frame, _with_room(moved), checker.ball(high**power), self.rule, _unlimited()
                )
            except checker.RefusedError:
                continue
            sign = "fd>ad" if gap > 0 else "fd<ad" if gap < 0 else None
            if sign is not None:
                piece = {"low": "0", "high": spell(high), "kind": "near zero", "nodes": [], "sign": sign}
                return piece | {"derivatives": derivatives}
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


def _with_room(drift: Drift) -> Drift:
    return replace(drift, rest=ROOM * drift.rest)


def _unlimited() -> checker.Work:
    return checker.Work(float("inf"))

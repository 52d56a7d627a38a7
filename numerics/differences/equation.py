"""Equations in unknowns and their derivatives, linear or not, as they are differenced term by term."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend
from numerics.differences.steps import rms
from theory.base import expressions
from theory.base.errors import InputError, nearest
from theory.operators.equations import RESERVED, Derivative, equations, normal
from theory.operators.operator import (
    COORDINATES,
    MAX_ORDER,
    NAMES,
    DifferenceTerm,
    LinearOperator,
    MultiIndex,
    StencilChoice,
    coordinate,
    discretise,
    meant,
    operator,
)

MAX_DEPTH = 6
"""Highest derivative that nested autograd is asked for."""
_DERIVATIVE = re.compile(r"\bu(?:_([a-z]+))?\b")
_ANY = re.compile(r"\b([^\W\d_]\w*?)_[xyzt]+\b")


class Equation:
    """One equation or several in unknowns, their derivatives and the coordinates; what is right of ``=`` moves to the left.

    Args:
        operator: such as ``"u_t + u*u_x = 0.01*u_xx"``, or a name such as ``"poisson"``; several as a list, or with ``;`` between.
        dimension: the number of coordinates; they are named in the order x, y, z, t.
        unknowns: what the columns of the function are called, in order; by default there is one, ``u``.

    Attributes:
        text: as given.
        variables: the coordinates.
        names: the unknowns, one per column.
        expressions: one per equation.
        symbols: what stands for each derivative in them.

    Raises:
        InputError: not such expressions, no derivative, one beyond :data:`MAX_DEPTH`, other coordinates or unknowns.
    """

    def __init__(
        self, operator: str | Sequence[str], dimension: int, unknowns: str | Sequence[str] | None = None
    ) -> None:
        texts = operator.split(";") if isinstance(operator, str) else operator
        if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"operator: {operator!r} must be a string, or a list of them")
        texts = [text.strip() for text in texts if text.strip()] or [""]
        self.text = operator if isinstance(operator, str) else "; ".join(texts)
        self.names: tuple[str, ...] = ("u",)
        self.symbols: dict[Derivative, sp.Symbol] = {}
        if unknowns is None and len(texts) == 1:
            self.variables, self.expressions = self._single(texts[0], dimension)
        else:
            self.variables, self.expressions = self._several(texts, dimension, unknowns)

    def _single(self, text: str, dimension: int) -> tuple[tuple[str, ...], tuple[sp.Expr, ...]]:
        """In ``u`` alone; names of operators are known."""
        _refuse_others([text])
        body = _one_side(text, dimension)
        suffixes = {match[1] or "" for match in _DERIVATIVE.finditer(body)}
        named = set("".join(suffixes)) | {name for name in COORDINATES if re.search(rf"\b{name}\b", body)}
        if named - set(COORDINATES):
            raise InputError(
                f"operator: derivatives are in the coordinates {', '.join(COORDINATES)}, which name the columns of the points"
            )
        if not any(suffixes):
            raise InputError(
                f"operator: {text[:60]!r} has no derivative of u; {_hint(text)}write for instance 'u_t + u*u_x'"
            )
        names = [name for name in COORDINATES if name in named]
        names += [name for name in COORDINATES if name not in names][: max(0, dimension - len(names))]
        if len(names) != dimension:
            raise InputError(
                f"operator: uses {', '.join(names)}, but the points have {dimension} column(s); give one for each"
                " coordinate, a row for each point"
            )
        variables = tuple(sorted(names, key=COORDINATES.index))
        deepest = max(suffixes, key=len)
        if len(deepest) > min(MAX_DEPTH, MAX_ORDER):
            raise InputError(f"operator: u_{deepest[:20]}: derivatives up to order {MAX_DEPTH} are allowed")
        meanings = {s: Derivative("u", tuple(s.count(name) for name in variables)) for s in sorted(suffixes)}
        self.symbols = {d: sp.Symbol(f"u_{s}" if s else "u", real=True) for s, d in meanings.items()}
        known: dict[str, Any] = {f"u_{s}" if s else "u": self.symbols[d] for s, d in meanings.items()}
        known |= {name: coordinate[name] for name in variables}
        try:
            return variables, (expressions.parse(body, known, "operator"),)
        except InputError as error:
            hint = meant(text).strip()
            if not hint and "unknown name" in str(error):
                hint = "write parameters as numbers (0.01*u_xx)"
            raise InputError(f"{error}; {hint}" if hint else str(error)) from None

    def _several(
        self, texts: Sequence[str], dimension: int, unknowns: str | Sequence[str] | None
    ) -> tuple[tuple[str, ...], tuple[sp.Expr, ...]]:
        """As problem files pose them; a column that is in no equation is let be."""
        if unknowns is None:
            _refuse_others(texts)
            unknowns = ("u",)
        names = [name.strip() for name in unknowns.split(",")] if isinstance(unknowns, str) else list(unknowns)
        if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
            raise InputError(f"unknowns: {unknowns!r}; allowed: different names, one for each column of the module")
        self.names = tuple(map(normal, names))
        if taken := [name for name in self.names if name in RESERVED]:
            raise InputError(f"unknowns: {taken[0]!r} is taken: it is a coordinate, a function or a constant")
        whole = normal(" ".join(texts))
        used = [name for name in self.names if re.search(rf"\b{re.escape(name)}(?:_[a-z]+)?\b", whole)]
        if not used:
            raise InputError(f"operator: {texts[0][:60]!r} has none of the unknowns {', '.join(self.names)}")
        try:
            posed = equations(texts, dimension, unknowns=used, what="operator")
        except InputError as error:
            raise InputError(
                str(error).replace("problem.domain has", "the points have").replace("problem.", "")
            ) from None
        found = {d: symbol for one in posed for symbol, d in one.derivatives}
        self.symbols = dict(
            sorted(found.items(), key=lambda one: (self.names.index(one[0].unknown), one[0].alpha[::-1]))
        )
        if not any(any(d.alpha) for d in self.symbols):
            raise InputError(f"operator: {texts[0][:60]!r} has no derivative; write for instance 'u_t + u*u_x'")
        deepest = max(self.symbols, key=lambda d: sum(d.alpha))
        if sum(deepest.alpha) > MAX_DEPTH:
            raise InputError(f"operator: {self.name(deepest)}: derivatives up to order {MAX_DEPTH} are allowed")
        return posed[0].variables, tuple(one.expr for one in posed)

    @property
    def derivatives(self) -> tuple[Derivative, ...]:
        """All that occur, unknowns themselves included where they do."""
        return tuple(self.symbols)

    def column(self, derivative: Derivative) -> int:
        """That of its unknown."""
        return self.names.index(derivative.unknown)

    def name(self, derivative: Derivative) -> str:
        """Such as ``u_xx``."""
        return derivative.name(self.variables)

    def value(
        self, x: Float[np.ndarray, "n d"], derivatives: Mapping[Derivative, Any], sizes: Sequence[float] | None = None
    ) -> Float[np.ndarray, " m"]:
        """The expressions at the points in float64, one after the other, each divided by its size if that is given."""
        found = [self._evaluated(expr, x, derivatives) for expr in self.expressions]
        return np.concatenate([v / size for v, size in zip(found, sizes or [1.0] * len(found), strict=True)])

    def sizes(self, x: Float[np.ndarray, "n d"], derivatives: Mapping[Derivative, Any]) -> tuple[float, ...]:
        """Of each equation the root mean square of its largest part ``s ∂F/∂s``, s a derivative, or of its value if that is more.

        The residual of a trained network is small because its terms cancel; an error is large or small beside them.
        """
        found = []
        for expr in self.expressions:
            parts = [expr, *(s * sp.diff(expr, s) for d, s in self.symbols.items() if any(d.alpha) and expr.has(s))]
            found.append(max(rms(self._evaluated(part, x, derivatives)) for part in parts))
        return tuple(found)

    def _evaluated(self, expr: sp.Expr, x: Any, derivatives: Mapping[Derivative, Any]) -> Float[np.ndarray, " n"]:
        table = {coordinate[name]: x[:, axis] for axis, name in enumerate(self.variables)}
        table |= {self.symbols[d]: value for d, value in derivatives.items()}
        return np.asarray(expressions.evaluate(expr, table, FloatBackend(np.float64)) + 0 * x[:, 0])

    def difference(self, alpha: MultiIndex, choice: StencilChoice) -> DifferenceTerm:
        """The difference for one derivative, at h = 1."""
        name = Derivative("u", alpha).name(self.variables)
        linear = LinearOperator(name, self.variables, ((alpha, sp.Integer(1)),))
        (term,) = discretise(linear, choice, (Fraction(1),) * len(self.variables)).terms
        return term


def _refuse_others(texts: Sequence[str]) -> None:
    """Derivatives of more than ``u`` need the names of the columns."""
    found = dict.fromkeys(match[1] for text in texts for match in _ANY.finditer(text))
    if set(found) - {"u"}:
        listed = ", ".join(f'"{name}"' for name in found)
        if any(name.startswith("u_") for name in found):  # u_x_x
            raise InputError(f"operator: {texts[0][:60]!r}: {meant(' '.join(texts))}write for instance 'u_t + u*u_x'")
        raise InputError(
            f"operator: has derivatives of {', '.join(found)}; say which column of the module is which, unknowns = [{listed}]"
        )


FAMOUS = {
    "burgers": "u_t + u*u_x = 0.01*u_xx", "kdv": "u_t + 6*u*u_x + u_xxx = 0", "allen-cahn": "u_t = 0.01*u_xx + u - u**3",
    "kuramoto-sivashinsky": "u_t + u*u_x + u_xx + u_xxxx = 0", "laplacian": "laplace",
}  # fmt: skip
"""Equations that people call by name."""
SEVERAL = ("navier-stokes", "schrodinger", "cavity", "maxwell", "stokes")
"""And those that have several unknowns."""


def _hint(text: str) -> str:
    """What may have been meant by an expression in which no derivative of u was found."""
    name = text.strip().lower().replace("_", "-").replace("’", "").replace("'", "")
    if close := nearest(name, [*FAMOUS, *SEVERAL, *(n.replace("_", "-") for n in NAMES)]):
        found = close.split("'")[1]
        if found in SEVERAL:
            return "several unknowns are posed in a file, see 'adfd example navier-stokes'; "
        return f"did you mean {FAMOUS.get(found, found.replace('-', '_'))!r}? "
    return meant(text)


def _one_side(text: str, dimension: int) -> str:
    """Everything on the left-hand side; a name written out."""
    left, equals, right = text.partition("=")
    if "=" in right:
        raise InputError(f"operator: {text[:60]!r} has more than one equals sign; write 'left = right'")
    name = re.split(r"[(\s]", left.strip().lower().replace("-", "_"), maxsplit=1)[0]
    if name in NAMES and not _DERIVATIVE.search(left):
        made = operator(left, dimension, what="operator")
        left = " + ".join(f"({c})*{_spelled(alpha, made.variables)}" for alpha, c in made.terms)
    return f"({left}) - ({right})" if equals and right.strip() not in {"", "0"} else left


def _spelled(alpha: MultiIndex, variables: tuple[str, ...]) -> str:
    suffix = "".join(v * k for v, k in zip(variables, alpha, strict=True))
    return f"u_{suffix}" if suffix else "u"

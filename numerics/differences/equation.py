"""An equation in u and its derivatives, linear or not, as it is differenced term by term."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Float

from numerics.arithmetic.backends import FloatBackend
from theory.base import expressions
from theory.base.errors import InputError
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


class Equation:
    """An expression in u, its derivatives and the coordinates; an equals sign moves what is right of it to the left.

    Args:
        text: such as ``"u_t + u*u_x = 0.01*u_xx"``, or a name such as ``"poisson"``.
        dimension: the number of coordinates; they are named in the order x, y, z, t.

    Raises:
        InputError: not such an expression, no derivative, one beyond :data:`MAX_DEPTH`, other coordinates.
    """

    def __init__(self, text: str, dimension: int) -> None:
        if not isinstance(text, str):
            raise InputError(f"operator: {text!r} must be a string")
        self.text = text
        body = _one_side(text, dimension)
        suffixes = {match[1] or "" for match in _DERIVATIVE.finditer(body)}
        named = set("".join(suffixes)) | {name for name in COORDINATES if re.search(rf"\b{name}\b", body)}
        if named - set(COORDINATES):
            raise InputError(f"operator: derivatives are in the coordinates {', '.join(COORDINATES)}")
        if not any(suffixes):
            raise InputError(
                f"operator: {text[:60]!r} has no derivative of u; {meant(text)}write for instance 'u_t + u*u_x'"
            )
        names = [name for name in COORDINATES if name in named]
        names += [name for name in COORDINATES if name not in names][: max(0, dimension - len(names))]
        if len(names) != dimension:
            raise InputError(f"operator: uses {', '.join(names)}, but the points have {dimension} column(s)")
        self.variables = tuple(sorted(names, key=COORDINATES.index))
        deepest = max(suffixes, key=len)
        if len(deepest) > min(MAX_DEPTH, MAX_ORDER):
            raise InputError(f"operator: u_{deepest[:20]}: derivatives up to order {MAX_DEPTH} are allowed")
        self.unknowns = {self._index(s): sp.Symbol(f"u_{s}" if s else "u", real=True) for s in sorted(suffixes)}
        symbols: dict[str, Any] = {f"u_{s}" if s else "u": self.unknowns[self._index(s)] for s in suffixes}
        known = symbols | {name: coordinate[name] for name in self.variables}
        try:
            self.expression = expressions.parse(body, known, "operator")
        except InputError as error:
            if hint := meant(text):
                raise InputError(f"{error}; {hint.strip()}") from None
            raise

    def _index(self, suffix: str) -> MultiIndex:
        return tuple(suffix.count(name) for name in self.variables)

    @property
    def derivatives(self) -> tuple[MultiIndex, ...]:
        """All multi-indices that occur, u itself included where it does."""
        return tuple(self.unknowns)

    def name(self, alpha: MultiIndex) -> str:
        """Such as ``u_xx``."""
        return "u_" + "".join(v * k for v, k in zip(self.variables, alpha, strict=True))

    def value(self, x: Float[np.ndarray, "n d"], derivatives: dict[MultiIndex, Any]) -> Float[np.ndarray, " n"]:
        """The expression at the points, in float64."""
        table = {coordinate[name]: x[:, axis] for axis, name in enumerate(self.variables)}
        table |= {self.unknowns[alpha]: value for alpha, value in derivatives.items()}
        return np.asarray(expressions.evaluate(self.expression, table, FloatBackend(np.float64)) + 0 * x[:, 0])

    def difference(self, alpha: MultiIndex, choice: StencilChoice) -> DifferenceTerm:
        """The difference for one derivative, at h = 1."""
        linear = LinearOperator(self.name(alpha), self.variables, ((alpha, sp.Integer(1)),))
        (term,) = discretise(linear, choice, (Fraction(1),) * len(self.variables)).terms
        return term


def _one_side(text: str, dimension: int) -> str:
    """Everything on the left-hand side; a name written out."""
    left, equals, right = text.partition("=")
    if "=" in right:
        raise InputError(f"operator: {text[:60]!r} has more than one equals sign")
    name = re.split(r"[(\s]", left.strip().lower().replace("-", "_"), maxsplit=1)[0]
    if name in NAMES and not _DERIVATIVE.search(left):
        made = operator(left, dimension, what="operator")
        left = " + ".join(f"({c})*{_spelled(alpha, made.variables)}" for alpha, c in made.terms)
    return f"({left}) - ({right})" if equals and right.strip() not in {"", "0"} else left


def _spelled(alpha: MultiIndex, variables: tuple[str, ...]) -> str:
    suffix = "".join(v * k for v, k in zip(variables, alpha, strict=True))
    return f"u_{suffix}" if suffix else "u"

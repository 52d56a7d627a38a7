"""A_AD and A_FD as matrices of FLINT balls, from the exact rationals of a problem."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy as sp

from numerics.backends import BallBackend
from numerics.ball_waves import WAVES, wave_entries
from numerics.expression_balls import ball
from numerics.matrices import Exact, assemble, cancellation_digits
from numerics.problem import Method, Problem


def ball_entries(problem: Problem, method: Method) -> Callable[[int], flint.arb_mat]:
    """A (rows x M) as a function of the working precision in bits.

    The differences of ``L_h`` are made with as many more bits as they lose. Every activation, operator, stencil
    and dimension; sin, cos and exp by addition theorems (:mod:`numerics.ball_waves`).
    """
    extra = math.ceil(cancellation_digits(problem, method) * math.log2(10)) + 20
    if problem.activation.name in WAVES:
        return wave_entries(problem, method, extra)
    return generic_entries(problem, method, extra)


def generic_entries(problem: Problem, method: Method, extra: int) -> Callable[[int], flint.arb_mat]:
    """A by evaluating the activation at every entry, for any activation.

    Arguments of an activation with a kink stay exact rationals: a ball around the kink decides on no side of it.
    """
    inputs = _balls if problem.activation.smoothness == sp.oo else _rationals

    def entries(precision: int) -> flint.arb_mat:
        with flint.ctx.workprec(precision + extra):
            return flint.arb_mat(assemble(problem, method, BallBackend(), inputs).tolist())

    return entries


def _balls(values: Exact) -> np.ndarray:
    return _array(values, ball)


def _rationals(values: Exact) -> np.ndarray:
    return _array(values, lambda value: flint.fmpq(value.numerator, value.denominator))


def _array(values: Exact, constant: Callable[[Fraction], Any]) -> np.ndarray:
    rows = [[constant(v) for v in row] if isinstance(row, tuple) else constant(row) for row in values]
    return np.array(rows, dtype=object)

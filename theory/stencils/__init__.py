"""Finite-difference stencils: everything a caller needs, from one place.

:class:`Stencil` and its truncation expansion, the constructors from offsets, the named ones, the algebra.
"""

from __future__ import annotations

from theory.stencils.families import (
    NAMES,
    add,
    backward,
    central,
    compose,
    embed,
    five_point,
    forward,
    identity,
    inside,
    laplacian,
    multiply,
    named,
    nine_point,
    rescale,
    skewed_five_point,
    tensor,
    thirteen_point,
)
from theory.stencils.moments import MultiIndex, multi_factorial, multi_indices
from theory.stencils.stencil import Stencil, TruncationTerm, stencil, stencil_nd

__all__ = [
    "NAMES",
    "MultiIndex",
    "Stencil",
    "TruncationTerm",
    "add",
    "backward",
    "central",
    "compose",
    "embed",
    "five_point",
    "forward",
    "identity",
    "inside",
    "laplacian",
    "multi_factorial",
    "multi_indices",
    "multiply",
    "named",
    "nine_point",
    "rescale",
    "skewed_five_point",
    "stencil",
    "stencil_nd",
    "tensor",
    "thirteen_point",
]

"""Finite-difference stencils: everything a caller needs, from one place.

:class:`Stencil` and its truncation expansion, the constructors from offsets, the named ones, the algebra.
"""

from __future__ import annotations

from theory.moments import MultiIndex, multi_factorial, multi_indices
from theory.named_stencils import (
    NAMES,
    backward,
    central,
    five_point,
    forward,
    laplacian,
    named,
    nine_point,
    skewed_five_point,
    thirteen_point,
)
from theory.stencil_algebra import add, compose, embed, identity, multiply, rescale, tensor
from theory.stencil_core import Stencil, TruncationTerm, stencil, stencil_nd

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

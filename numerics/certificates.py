"""Proof objects: singular values with everything that a checker needs to verify them from scratch.

A certificate holds the exact rationals that define the matrix, approximate left singular vectors as dyadic
rationals, and the enclosures claimed. What it proves, and why, is written in ``proofs_check/checker.py``, which
rebuilds the matrix by itself and shares no code with this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
from flint import arb, arb_mat

from numerics.ball_matrices import ball_entries
from numerics.enclosure import Enclosure
from numerics.engine.balls import frobenius_upper
from numerics.engine.driver import CAP_BITS, Clock, Factorisation, factorise
from numerics.features import boundary_rows, features, interior_points
from numerics.problem import Method, Problem
from theory.discretisation import DifferenceTerm
from theory.errors import PrecisionCapError
from theory.exact import spell
from theory.operators import LinearOperator

_NOISE_BITS = 48
"""Bits by which the noise of another evaluation of the matrix may exceed ours."""
FORMAT = "adfd certificate of singular values, version 1"


def certificate(
    problem: Problem, method: Method, digits: int = 12, floor: Fraction | None = None, cap_bits: int = CAP_BITS
) -> dict[str, Any]:
    """The proof object of all singular values of A, as JSON types.

    Args:
        problem: the problem; its random features and points are written out as the rationals they are.
        method: ``"ad"`` or ``"fd"``.
        digits: the relative width of the claims is at most ``10^(1-digits)``.
        floor: see :func:`numerics.engine.certified_singular_values`.
        cap_bits: largest working precision.

    Raises:
        PrecisionCapError: the digits are not reached under the cap.
    """
    entries = ball_entries(problem, method)
    found = factorise(entries, digits + 2, floor, cap_bits, Clock())
    x = approximate_vectors(found)
    claims = _claims(found.matrix, x, digits)
    return {
        "format": FORMAT,
        "method": method,
        **_matrix(problem, method),
        "precision": found.bits + 32,
        "vectors": [_column(column) for column in x.transpose().tolist()],
        "values": [claim.decimals(digits + 3) for claim in claims],
    }


def approximate_vectors(found: Factorisation) -> arb_mat:
    """``X = Q V``, each column rounded to the bits that its singular value needs."""
    if found.factors is None:
        return arb_mat(found.matrix.nrows(), 0)
    full = found.factors.left_vectors(found.bits + 16)
    columns = found.factors.vectors.columns
    if len(columns) < found.matrix.nrows():  # the bound on the rest needs every column in full
        places = [found.bits] * len(columns)
    else:
        spare = 48 + found.accuracy
        places = [spare + columns[0] - f for f in columns]
    rows = [[_rounded(v, p) for v, p in zip(row, places, strict=True)] for row in full.tolist()]
    return arb_mat(len(rows), len(columns), [v for row in rows for v in row])


def _rounded(value: arb, places: int) -> arb:
    """The dyadic with ``places`` binary places next below."""
    mantissa, exponent = value.mid().man_exp()
    shift = int(exponent) + places
    return value.mid() if shift >= 0 else arb((int(mantissa) >> -shift, -places))


def vector_bounds(matrix: arb_mat, x: arb_mat) -> tuple[list[arb], list[arb], arb] | None:
    """Lower and upper bounds of the ``r`` largest singular values, and an upper bound of the others.

    The certificate of the module's reference: ``W = A^T X``, the defects of ``W D^-1`` and of X, and what ``X Z``
    leaves of A. At the precision in force; ``None`` where a defect is not proven to be below 1.
    """
    n, r = matrix.nrows(), x.ncols()
    if r == 0:
        return [], [], frobenius_upper(matrix.entries())
    w = matrix.transpose() * x
    gram, own = (w.transpose() * w).tolist(), x.transpose() * x
    if not all(gram[j][j].is_finite() and gram[j][j].mid() > 0 for j in range(r)):
        return None
    d = [gram[j][j].mid().sqrt().mid() for j in range(r)]
    scaled = arb_mat(r, r, [gram[i][j] / d[i] / d[j] for i in range(r) for j in range(r)])
    eta, delta = _defect(scaled), _defect(own)
    if not (eta < 1 and delta < 1):
        return None
    rho = arb(0)
    if r < n:
        z = (own.mid().inv() * w.transpose().mid()).mid()
        rho = frobenius_upper((matrix - x * z).entries())
    lower = sorted(((v * ((1 - eta) / (1 + delta)).sqrt()).lower() for v in d), reverse=True)
    upper = sorted(((v * v * (1 + eta) / (1 - delta) + rho * rho).sqrt().upper() for v in d), reverse=True)
    return lower, upper, rho


def _defect(gram: arb_mat) -> arb:
    """``||G - I||_F``, the norm that the checker takes."""
    n = gram.ncols()
    return frobenius_upper([x - 1 if i % (n + 1) == 0 else x for i, x in enumerate(gram.entries())])


def _claims(matrix: arb_mat, x: arb_mat, digits: int) -> list[Enclosure]:
    """What is claimed: the bounds that the vectors prove, and a little room for another rounding of the same."""
    bits = max([64, *(int(v.bits()) for v in x.entries())]) + 64
    with flint.ctx.workprec(bits):
        found = vector_bounds(matrix, x)
    if found is None:
        raise PrecisionCapError("certificate: the vectors do not prove their values; ask for more digits")
    lower, upper, rest = found
    room = Fraction(1, 10 ** (digits + 1))
    claims = [
        Enclosure(Enclosure.from_arb(a).lower * (1 - room), Enclosure.from_arb(b).upper * (1 + room))
        for a, b in zip(lower, upper, strict=True)
    ]
    # the rest is rounding noise of the matrix: other formulas for the same entries may lose some digits more of it
    claims += [Enclosure(Fraction(0), Enclosure.from_arb(rest).upper * 2**_NOISE_BITS)] * (matrix.nrows() - len(claims))
    for k, claim in enumerate(claims[: len(lower)]):
        width = claim.relative_width
        if width is None or width > Fraction(10) ** (1 - digits):
            raise PrecisionCapError(f"certificate: value {k + 1} is not proven to {digits} digits; ask for fewer")
    return claims


def _column(column: Sequence[arb]) -> dict[str, Any]:
    """One exponent and integer mantissas in hexadecimal."""
    pairs = [(int(m), int(e)) for m, e in (v.man_exp() for v in column)]
    lowest = min((e for m, e in pairs if m), default=0)
    return {"exponent": lowest, "mantissas": [f"{m << (e - lowest):x}" if m else "0" for m, e in pairs]}


def _matrix(problem: Problem, method: Method) -> dict[str, Any]:
    drawn = features(problem)
    terms = _derivatives(problem.operator) if method == "ad" else [_difference(t) for t in problem.difference.terms]
    return {
        "activation": sp.sstr(problem.activation.derivative(0)),
        "variables": list(problem.operator.variables),
        "weights": [[spell(c) for c in w] for w in drawn.weights],
        "biases": [spell(b) for b in drawn.biases],
        "interior": {"points": [[spell(c) for c in x] for x in interior_points(problem)], "terms": terms},
        "boundary": [
            {
                "points": [[spell(c) for c in x] for x in rows.points],
                "weight": spell(rows.rows.weight),
                "terms": _derivatives(rows.operator),
            }
            for rows in boundary_rows(problem)
        ],
    }


def _derivatives(operator: LinearOperator) -> list[dict[str, Any]]:
    return [{"derivative": list(a), "coefficient": sp.sstr(c)} for a, c in operator.terms]


def _difference(term: DifferenceTerm) -> dict[str, Any]:
    target = term.stencil.target if term.stencil is not None else ((term.derivative, Fraction(1)),)
    return {
        "target": [{"derivative": list(a or ()), "factor": spell(f)} for a, f in target],
        "coefficient": sp.sstr(term.coefficient),
        "shifts": [[spell(c) for c in shift] for shift in term.shifts],
        "weights": [spell(w) for w in term.weights],
        "scale": spell(term.scale),
    }

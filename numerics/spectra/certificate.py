"""Proof objects: singular values with everything that a checker needs to verify them from scratch.

A certificate holds the exact rationals and expressions that define the matrix, approximate left singular vectors as
dyadic rationals, and the enclosures claimed. The format and what it proves are specified in ``docs/certificates.md``;
two checkers, which rebuild the matrix by themselves and share no code with this module, read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
from flint import arb, arb_mat

from numerics.arithmetic.balls import Enclosure, from_ball
from numerics.matrices.balls import ball_entries
from numerics.problem.drawn import boundary_rows, features, interior_points
from numerics.problem.problem import Method, Problem
from numerics.spectra.engine.basis import frobenius_upper, power_of_two
from numerics.spectra.engine.driver import CAP_BITS, Clock, Factorisation, factorise
from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import spell
from theory.operators.operator import LinearOperator

Json = dict[str, Any]

FORMAT = "adfd certificate, version 2"
_NOISE_BITS = 48
"""Bits by which the noise of another evaluation of the matrix may exceed ours."""


def certificate(
    problem: Problem, method: Method, digits: int = 12, floor: Fraction | None = None, cap_bits: int = CAP_BITS
) -> Json:
    """The proof object of all singular values of A, as JSON types.

    Args:
        problem: the problem; its random features and points are written out as the rationals they are.
        method: ``"ad"`` or ``"fd"``.
        digits: the relative width of the claims is at most ``10^(1-digits)``.
        floor: see :func:`numerics.spectra.engine.certified_singular_values`.
        cap_bits: largest working precision.

    Raises:
        PrecisionCapError: the digits are not reached under the cap.
    """
    return {
        "format": FORMAT,
        "statement": "singular values",
        "problem": problem_part(problem),
        "spectrum": spectrum_part(problem, method, digits, floor, cap_bits),
    }


def spectrum_part(
    problem: Problem, method: Method, digits: int, floor: Fraction | None = None, cap_bits: int = CAP_BITS
) -> Json:
    """The difference, the vectors and the claims of one matrix; arguments and errors of :func:`certificate`."""
    found = factorise(ball_entries(problem, method), digits + 2, floor, cap_bits, Clock())
    x = approximate_vectors(found)
    return {
        "difference": None if method == "ad" else difference_part(problem),
        "precision": found.bits + 32,
        "vectors": [_column(column) for column in x.transpose().tolist()],
        "values": [decimal_bounds(claim, digits + 3) for claim in _claims(found, x, digits)],
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
    known = vector_defects(matrix, x)
    if known is None:
        return None
    d, eta, delta = known
    rho = arb(0)
    if r < n:
        w, own = matrix.transpose() * x, x.transpose() * x
        z = (own.mid().inv() * w.transpose().mid()).mid()
        rho = frobenius_upper((matrix - x * z).entries())
    lower = sorted(((v * ((1 - eta) / (1 + delta)).sqrt()).lower() for v in d), reverse=True)
    upper = sorted(((v * v * (1 + eta) / (1 - delta) + rho * rho).sqrt().upper() for v in d), reverse=True)
    return lower, upper, rho


def vector_defects(matrix: arb_mat, x: arb_mat) -> tuple[list[arb], arb, arb] | None:
    """With ``W = A^T X``: lengths d of its columns (exact), and upper bounds of the defects of ``W D^-1`` and of X.

    ``None`` where one is not proven to be below 1.
    """
    w, r = matrix.transpose() * x, x.ncols()
    gram, own = (w.transpose() * w).tolist(), x.transpose() * x
    if not all(gram[j][j].is_finite() and gram[j][j].mid() > 0 for j in range(r)):
        return None
    d = [gram[j][j].mid().sqrt().mid() for j in range(r)]
    scaled = arb_mat(r, r, [gram[i][j] / d[i] / d[j] for i in range(r) for j in range(r)])
    eta, delta = _defect(scaled), _defect(own)
    return (d, eta, delta) if eta < 1 and delta < 1 else None


def _defect(gram: arb_mat) -> arb:
    """``||G - I||_F``, the norm that the checker takes."""
    n = gram.ncols()
    return frobenius_upper([x - 1 if i % (n + 1) == 0 else x for i, x in enumerate(gram.entries())])


def _claims(proven: Factorisation, x: arb_mat, digits: int) -> list[Enclosure]:
    """What is claimed: the bounds that the vectors prove, and a little room for another rounding of the same."""
    matrix = proven.matrix
    bits = max([64, *(int(v.bits()) for v in x.entries())]) + 64
    with flint.ctx.workprec(bits):
        found = vector_bounds(matrix, x)
    if found is None:
        raise PrecisionCapError("certificate: the vectors do not prove their values; ask for more digits")
    lower, upper, rest = found
    room = Fraction(1, 10 ** (digits + 1))
    claims = [
        Enclosure(from_ball(a).lower * (1 - room), from_ball(b).upper * (1 + room))
        for a, b in zip(lower, upper, strict=True)
    ]
    # where the rest is rounding noise of the matrix, other formulas for the same entries may lose some digits more of it
    noise = frobenius_upper([v.rad() + abs(v.mid()) * power_of_two(-proven.bits) for v in matrix.entries()])
    top = from_ball(rest).upper * (1 + room) + from_ball(noise).upper * 2**_NOISE_BITS
    claims += [Enclosure(Fraction(0), top)] * (matrix.nrows() - len(claims))
    for k, claim in enumerate(claims[: proven.rank]):  # under a floor, the last ones are bounded, not resolved
        width = claim.relative_width
        if width is None or width > Fraction(10) ** (1 - digits):
            raise PrecisionCapError(f"certificate: value {k + 1} is not proven to {digits} digits; ask for fewer")
    return claims


def _column(column: Sequence[arb]) -> dict[str, Any]:
    """One exponent and integer mantissas in hexadecimal."""
    pairs = [(int(m), int(e)) for m, e in (v.man_exp() for v in column)]
    lowest = min((e for m, e in pairs if m), default=0)
    return {"exponent": lowest, "mantissas": [f"{m << (e - lowest):x}" if m else "0" for m, e in pairs]}


def decimal_bounds(claim: Enclosure, digits: int) -> Json:
    """``{"lower": ["p", e], "upper": ["p", e]}``: outward-rounded, p times 10^e, p not a multiple of 10."""
    return {name: _decimal(str(text)) for name, text in claim.decimals(digits).items()}


def _decimal(text: str) -> list[str | int]:
    sign, digits, exponent = Decimal(text).as_tuple()
    mantissa = "".join(map(str, digits)).lstrip("0")
    short = mantissa.rstrip("0")
    if not short:
        return ["0", 0]
    return ["-" * sign + short, int(exponent) + len(mantissa) - len(short)]


def problem_part(problem: Problem) -> Json:
    """What defines the features, the operator and the rows.

    The terms of the operator are those that one difference each stands for.
    """
    drawn, names = features(problem), problem.operator.variables
    operator = []
    for term in problem.difference.terms:
        target = term.stencil.target if term.stencil is not None else ((term.derivative, Fraction(1)),)
        orders = [{"orders": list(a or ()), "factor": spell(f)} for a, f in target]
        if term.derivative is not None:  # a stencil of one derivative knows its own direction alone
            orders = [{"orders": list(term.derivative), "factor": "1"}]
        operator.append({"coefficient": tree(term.coefficient, names), "derivatives": orders})
    return {
        "variables": list(names),
        "activation": tree(problem.activation.derivative(0), ("z",)),
        "weights": [[spell(c) for c in w] for w in drawn.weights],
        "biases": [spell(b) for b in drawn.biases],
        "operator": operator,
        "points": [[spell(c) for c in x] for x in interior_points(problem)],
        "boundary": [
            {
                "points": [[spell(c) for c in x] for x in rows.points],
                "weight": spell(rows.rows.weight),
                "operator": _operator(rows.operator),
            }
            for rows in boundary_rows(problem)
            if rows.points
        ],
    }


def _operator(operator: LinearOperator) -> list[Json]:
    return [
        {"coefficient": tree(c, operator.variables), "derivatives": [{"orders": list(a), "factor": "1"}]}
        for a, c in operator.terms
    ]


def difference_part(problem: Problem) -> list[Json]:
    """Shifts and weights for each term of the operator."""
    return [
        {
            "shifts": [[spell(c) for c in shift] for shift in term.shifts],
            "weights": [spell(w / term.scale) for w in term.weights],
        }
        for term in problem.difference.terms
    ]


def tree(expr: sp.Expr, names: Sequence[str]) -> list[Any]:
    """An expression as a JSON tree.

    Raises:
        InputError: it holds what no certificate can say.

    >>> tree(sp.exp(-sp.Symbol("z") ** 2), ["z"])
    ['exp', ['product', ['number', '-1'], ['power', ['variable', 'z'], '2']]]
    """
    parts = [tree(argument, names) for argument in expr.args]
    if expr.is_Rational:
        return ["number", spell(Fraction(int(expr.p), int(expr.q)))]
    if expr.is_Symbol and expr.name in names:
        return ["variable", expr.name]
    if expr is sp.pi:
        return ["pi"]
    if expr is sp.E:
        return ["exp", ["number", "1"]]
    if expr.is_Add or expr.is_Mul:
        return ["sum" if expr.is_Add else "product", *parts]
    if expr.is_Pow and not isinstance(expr, sp.exp) and expr.exp.is_Rational:
        return ["power", parts[0], parts[1][1]]
    if expr.is_Function and len(parts) == 1:
        return [type(expr).__name__, parts[0]]
    raise InputError(f"certificate: {expr} cannot be written down in one")

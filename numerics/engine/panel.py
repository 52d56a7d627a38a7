"""Orthonormalising a few dozen columns at once: pivoted Cholesky of their Gram matrix.

Nothing here is part of a proof: midpoints in, midpoints out. "Cholesky QR" loses half of the digits, so the
caller works with twice the panel's dynamic range more bits than it wants back.
"""

from __future__ import annotations

import flint
from flint import arb, arb_mat

from numerics.engine.balls import exponent

_BLOCK = 8
"""Columns between two updates of the trailing matrix; the scalar loops run inside a block only."""


def orthonormalising_factor(gram: arb_mat, floor: int, bits: int) -> tuple[arb_mat, int] | None:
    """``P`` with ``(Y P)^T (Y P) = I`` for ``gram = Y^T Y``, and the binary exponent of the last pivot kept.

    ``P`` is ``b x r``: a column permutation times an inverse triangular factor; ``r`` counts the pivots above
    ``2^(2 floor)``. ``None`` where there is none. The pivot is the largest remaining diagonal entry, so the
    orthonormal columns come in the order of the range they capture (Higham, 2002, section 10.3).
    """
    with flint.ctx.workprec(bits):
        factor, order = _pivoted_cholesky(gram, 2 * floor)
        r = len(factor)
        if not r:
            return None
        inverse = _triangular_inverse(factor)
        table = inverse.transpose().tolist()  # upper triangular
        rows: list[list[arb]] = [[arb(0)] * r for _ in range(gram.nrows())]
        for position, column in enumerate(order[:r]):
            rows[column] = table[position]
        last = exponent(factor[-1][r - 1])
        return arb_mat(len(rows), r, [x for row in rows for x in row]), last


def _pivoted_cholesky(gram: arb_mat, stop: int) -> tuple[list[list[arb]], list[int]]:
    """Rows of the lower triangular factor (exact midpoints), and the order of the columns."""
    order: list[int] = []  # columns by pivot
    rest = list(range(gram.nrows()))  # columns not yet chosen
    trailing = gram.mid().tolist()  # their Schur complement, brought up to date after every block
    rows: dict[int, list[arb]] = {i: [] for i in rest}  # of the factor
    while rest:
        position = {i: k for k, i in enumerate(rest)}
        diagonal = [trailing[k][k] for k in range(len(rest))]
        start = len(order)
        block = rest[:]
        while block and len(order) < start + _BLOCK:
            i = max(block, key=lambda i: diagonal[position[i]])
            square = diagonal[position[i]]
            if not square > 0 or exponent(square) < stop:
                break
            block.remove(i)
            root = square.sqrt().mid()
            inverse = (1 / root).mid()
            mine, column = rows[i][start:], trailing[position[i]]
            for j in block:
                value = column[position[j]]
                for a, b in zip(mine, rows[j][start:], strict=True):
                    value = value - a * b
                value = (value * inverse).mid()
                rows[j].append(value)
                diagonal[position[j]] = (diagonal[position[j]] - value * value).mid()
            rows[i].append(root)
            order.append(i)
        if len(order) < start + _BLOCK or not block:
            break
        kept = [position[j] for j in block]
        panel = arb_mat(len(block), _BLOCK, [x for j in block for x in rows[j][start:]])
        schur = arb_mat(len(block), len(block), [trailing[k][m] for k in kept for m in kept])
        trailing = (schur - panel * panel.transpose()).mid().tolist()
        rest = block
    return [rows[i] + [arb(0)] * (len(order) - len(rows[i])) for i in order], order


def _triangular_inverse(rows: list[list[arb]]) -> arb_mat:
    """Inverse of a lower triangular matrix, by halving (midpoints)."""
    n = len(rows)
    if n <= _BLOCK:
        return arb_mat(n, n, [x for row in rows for x in row]).inv().mid()
    h = n // 2
    first, last = _triangular_inverse([row[:h] for row in rows[:h]]), _triangular_inverse([row[h:] for row in rows[h:]])
    corner = arb_mat(n - h, h, [x for row in rows[h:] for x in row[:h]])
    lower = -(last * corner * first).mid()
    top, left, right = first.tolist(), lower.tolist(), last.tolist()
    table = [row + [arb(0)] * (n - h) for row in top] + [a + b for a, b in zip(left, right, strict=True)]
    return arb_mat(n, n, [x for row in table for x in row])

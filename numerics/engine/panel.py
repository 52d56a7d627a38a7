"""Orthonormalising a few dozen columns at once: pivoted Cholesky of their Gram matrix.

Nothing here is part of a proof: midpoints in, midpoints out. "Cholesky QR" loses half of the digits, so the
caller works with twice the panel's dynamic range more bits than it wants back.
"""

from __future__ import annotations

import flint
from flint import arb, arb_mat

from numerics.engine.balls import exponent

_BLOCK = 12
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
    size = gram.nrows()
    order = list(range(size))
    trailing = gram.mid().tolist()  # by original index, updated a block at a time
    done: dict[int, list[arb]] = {i: [] for i in order}  # rows of the factor by original index
    rank = 0
    while rank < size:
        start = rank
        diagonal = {i: trailing[i][i] for i in order[start:]}
        while rank < min(start + _BLOCK, size):
            pivot = max(range(rank, size), key=lambda k: diagonal[order[k]])
            order[rank], order[pivot] = order[pivot], order[rank]
            i = order[rank]
            if not diagonal[i] > 0 or exponent(diagonal[i]) < stop:
                return [done[i][:] + [arb(0)] * (rank - len(done[i])) for i in order[:rank]], order
            root = diagonal[i].sqrt().mid()
            mine = done[i][start:]
            for j in order[rank + 1 :]:
                row = done[j]
                value = trailing[i][j]
                for a, b in zip(mine, row[start:], strict=True):
                    value = value - a * b
                value = (value / root).mid()
                row.append(value)
                diagonal[j] = (diagonal[j] - value * value).mid()
            done[i].append(root)
            rank += 1
        rest = order[rank:]
        if rest:
            block = arb_mat(len(rest), rank - start, [x for j in rest for x in done[j][start:rank]])
            update = (block * block.transpose()).mid().tolist()
            for a, i in enumerate(rest):
                for b, j in enumerate(rest):
                    trailing[i][j] = (trailing[i][j] - update[a][b]).mid()
    return [done[i] + [arb(0)] * (rank - len(done[i])) for i in order], order


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

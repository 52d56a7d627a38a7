"""Refinement that keeps the grading: orthonormal columns ``A = (L T^-1)(T R) + E``, and better singular vectors.

``T`` and ``G``, its inverse nearly, are upper triangular, so that row ``k`` of ``T R`` mixes row ``k`` of R with
*later*, shorter rows alone and stays as graded as it was. Both are exact dyadics: first QR in float64, and where more
bits are asked a quadratically convergent correction, the upper half of ``(L G)^T L G - I``. With upper bounds

    delta >= ||(L G)^T L G - I||,   phi >= ||T G - I||,   both below 1,

the singular values of ``L T^-1 = (L G)(T G)^-1`` lie in ``[sqrt(1-delta)/(1+phi), sqrt(1+delta)/(1-phi)]``.

The singular vectors converge quadratically.  Ogita & Aishima (2018, algorithm 1) for the symmetric matrix ``H = R R^T``: with ``S = V^T H V``, ``P = V^T V``,
``lambda_j = S_jj / P_jj`` the correction is ``V (I + F)``,

    F_ij = (S_ij + lambda_j (I - P)_ij) / (lambda_j - lambda_i),     F_ij = (I - P)_ij / 2  where i, j are clustered.

``S_ij`` is known relative to ``d_i d_j``, so ``F_ij`` for ``d_i >> d_j`` is known relative to ``d_j / d_i``: it is
kept multiplied by ``2^(f_i - f_j)``, as ``V`` is. Inside a cluster only the vectors' orthogonality is restored;
:func:`separate` then turns the cluster's basis (Ogita & Aishima, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import flint
import numpy as np
import scipy.linalg
from flint import arb, arb_mat

from numerics.spectra.engine.basis import (
    EXACT,
    NO_BITS,
    exponent,
    fixed_point,
    from_floats,
    identity_defect,
    power_of_two,
)
from numerics.spectra.engine.vectors import GradedVectors, Grams

_ROUNDS = 16
_TOP = 2
"""Binary exponent that the triangles' entries hardly exceed; larger ones cost time, no accuracy."""


@dataclass(frozen=True)
class Triangles:
    """``T`` and ``G`` (``r x r``, upper triangular, exact dyadics) with ``delta_Q``.

    The squares of the singular values of ``L T^-1`` are proven to lie in ``[1 - delta, 1 + delta]``.
    """

    forward: arb_mat
    inverse: arb_mat
    delta: arb


def float_triangles(left: arb_mat) -> tuple[arb_mat, arb_mat] | None:
    """``T`` and ``G`` from QR in float64, as exact dyadics; ``None`` for dependent columns."""
    n, r = left.nrows(), left.ncols()
    table = np.array(list(map(float, left.entries()))).reshape(n, r)
    upper = np.triu(np.linalg.qr(table, mode="r"))
    if not (np.abs(np.diagonal(upper)) > 0).all():
        return None
    inverse = scipy.linalg.solve_triangular(upper, np.eye(r), check_finite=False)
    return from_floats(upper), from_floats(np.triu(inverse))


def triangles(left: arb_mat, guess: tuple[arb_mat, arb_mat], wanted: int, bits: int) -> Triangles | None:
    """``T`` and ``G`` for ``left`` (``N x r``, exact, entries of about 1), with ``delta_Q`` below ``2^-wanted``.

    Starts from a guess of both. Products are made with at most ``bits`` bits; what they allow is returned where that
    is less than wanted, ``None`` where nothing is proven.
    """
    forward, inverse = guess
    work = min(bits, 60)
    best: arb | None = None
    for _ in range(_ROUNDS):
        gram = _gram(left, inverse, work)
        with flint.ctx.workprec(work + 10):
            product = fixed_point(forward, work, _TOP) * fixed_point(inverse, work, _TOP)
            delta, phi = identity_defect(gram), identity_defect(product)
            total = _combined(delta, _symmetric(product, phi))
            if total is not None and (total < power_of_two(-wanted) or (best is not None and not total < best / 4)):
                return Triangles(forward, inverse, total)
            best = total
        work = min(bits, 2 * work)
        with flint.ctx.workprec(work + 10):
            gram = _gram(left, inverse, work)
            half = _upper_half(gram)
            inverse = (inverse - inverse * half).mid()
            forward = (forward + half * forward).mid()
            for _ in range(2):
                forward = (forward + forward - forward * inverse * forward).mid()
            forward, inverse = _triangular(forward), _triangular(inverse)
    return None


def orthonormal_columns(left: arb_mat, inverse: arb_mat, bits: int) -> arb_mat:
    """Balls that contain ``L G``."""
    return fixed_point(left, bits, 0) * fixed_point(inverse, bits, _TOP)


def _gram(left: arb_mat, inverse: arb_mat, bits: int) -> arb_mat:
    with flint.ctx.workprec(bits + 10):
        columns = fixed_point(orthonormal_columns(left, inverse, bits), bits, 0)
        return columns.transpose() * columns


def _combined(delta: arb, phi: arb) -> arb | None:
    """The larger deviation from 1 of the bounds on the squares of the singular values of ``L T^-1``."""
    if not (delta < 1 and phi < 1):
        return None
    high = (1 + delta) / ((1 - phi) * (1 - phi)) - 1
    low = 1 - (1 - delta) / ((1 + phi) * (1 + phi))
    return high.max(low).upper()


def _symmetric(product: arb_mat, rows: arb) -> arb:
    """``sqrt(||F||_1 ||F||_inf)`` for ``F = T G - I``, which is not symmetric."""
    return (rows * identity_defect(product.transpose())).sqrt().upper()


def _upper_half(gram: arb_mat) -> arb_mat:
    """The strict upper triangle of ``H = gram - I`` and half of its diagonal (midpoints): ``U + U^T = H``."""
    r = gram.ncols()
    rows = gram.mid().tolist()
    zero = arb(0)
    return arb_mat(
        r, r, [x if j > i else (x - 1) / 2 if j == i else zero for i, row in enumerate(rows) for j, x in enumerate(row)]
    ).mid()


def _triangular(matrix: arb_mat) -> arb_mat:
    r = matrix.ncols()
    zero = arb(0)
    return arb_mat(r, r, [x if j >= i else zero for i, row in enumerate(matrix.tolist()) for j, x in enumerate(row)])


_ANGLE_BITS = 12
"""A pair whose rotation would exceed about ``2^-12`` counts as clustered."""


@dataclass(frozen=True)
class Step:
    """One refinement.

    Attributes:
        vectors: the better ``V``.
        clusters: groups of two or more indices whose vectors were only orthogonalised.
        spread: binary exponent of the largest coupling left inside a cluster, relative to its values.
    """

    vectors: GradedVectors
    clusters: list[list[int]]
    spread: int


def refined(vectors: GradedVectors, found: Grams, bits: int) -> Step:
    """One step of the refinement in ``bits`` bits."""
    r = len(vectors.columns)
    f = vectors.columns
    with flint.ctx.workprec(bits + 10):
        s = found.images.mid().tolist()
        p = found.vectors.mid().tolist()
        ritz = [(s[j][j] / p[j][j]).mid() for j in range(r)]
        plain = [[arb(0)] * r for _ in range(r)]
        scaled = [[arb(0)] * r for _ in range(r)]
        links: list[tuple[int, int]] = []
        spread = NO_BITS
        small, rounding = power_of_two(-_ANGLE_BITS), power_of_two(8 - bits)
        for i in range(r):
            half = ((1 - p[i][i]) / 2).mid()
            plain[i][i] = scaled[i][i] = half
            for j in range(i + 1, r):
                lift = f[i] - f[j]  # not negative: columns are in descending order
                shrink = power_of_two(-lift)
                ratio = (ritz[j] * shrink * shrink).mid()  # lambda_j / lambda_i with ritz_i
                gap = ratio - ritz[i]
                defect = -p[i][j]
                above = s[i][j] + ritz[j] * shrink * defect  # of F_ij, times 2^lift
                # a coupling at the level of round-off must not be divided by a small gap
                settled = abs(gap) < small and abs(above) < rounding
                if settled or abs(gap) * small <= abs(above) * shrink:
                    if not settled:
                        links.append((i, j))
                        spread = max(spread, exponent(above))
                    plain[i][j] = plain[j][i] = (defect / 2).mid()
                    scaled[i][j] = (defect / 2 * power_of_two(lift)).mid()
                    scaled[j][i] = (defect / 2 * shrink).mid()
                    continue
                scaled[i][j] = (above / gap).mid()
                plain[i][j] = (scaled[i][j] * shrink).mid()
                # F_ij + F_ji = (I - P)_ij holds exactly: its own quotient would lose the bits of a small gap
                plain[j][i] = (defect - plain[i][j]).mid()
                scaled[j][i] = (plain[j][i] * shrink).mid()
        hat = fixed_point(vectors.scaled(), bits, 6).mid()
        flat = fixed_point(vectors.plain(), bits, 0).mid()
        hat = hat + hat * _matrix(scaled)
        flat = flat + flat * _matrix(plain)
        better = GradedVectors.mixed(flat.mid(), hat.mid(), vectors.rows, f)
    return Step(better, _components(r, links), spread)


def _matrix(rows: list[list[arb]]) -> arb_mat:
    return arb_mat(len(rows), len(rows[0]), [x for row in rows for x in row])


def _components(size: int, links: list[tuple[int, int]]) -> list[list[int]]:
    """Connected components of two or more indices."""
    parent = list(range(size))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in links:
        parent[find(i)] = find(j)
    groups: dict[int, list[int]] = {}
    for i in range(size):
        groups.setdefault(find(i), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def separate(vectors: GradedVectors, found: Grams, clusters: list[list[int]], bits: int) -> GradedVectors:
    """Turn the basis of each cluster by the eigenvectors of its block, found in float64 after the shift.

    The block ``S_c - mean P_c`` is all difference, so float64 resolves it relative to its own size.
    """
    columns = list(vectors.columns)
    for group in clusters:  # one exponent a cluster: its columns are going to be mixed
        for j in group:
            columns[j] = max(columns[k] for k in group)
    shift = [old - new for old, new in zip(vectors.columns, columns, strict=True)]
    order = sorted(range(len(columns)), key=lambda j: -columns[j])
    with flint.ctx.workprec(EXACT):
        plain, scaled = vectors.plain().transpose().tolist(), vectors.scaled().transpose().tolist()
        scaled = [[x * power_of_two(k) for x in column] for column, k in zip(scaled, shift, strict=True)]
        s, p = found.images.mid().tolist(), found.vectors.mid().tolist()
    with flint.ctx.workprec(bits + 10):
        for group in clusters:
            block = [[s[i][j] * power_of_two(shift[i] + shift[j]) for j in group] for i in group]
            mean = sum((block[k][k] for k in range(len(group))), arb(0)) / len(group)
            difference = [
                [(block[a][b] - mean * p[i][j]).mid() for b, j in enumerate(group)] for a, i in enumerate(group)
            ]
            size = max(exponent(x) for row in difference for x in row)
            table = np.array([[float(x * power_of_two(-size)) for x in row] for row in difference])
            if not np.isfinite(table).all():
                continue
            _, turn = np.linalg.eigh((table + table.T) / 2)
            for kind in (plain, scaled):
                old = [kind[j] for j in group]
                for b, j in enumerate(reversed(range(len(group)))):  # eigh is ascending, we are not
                    weights = [arb(float(x)) for x in turn[:, j]]
                    kind[group[b]] = [
                        sum((w * column[i] for w, column in zip(weights, old, strict=True)), arb(0)).mid()
                        for i in range(len(vectors.rows))
                    ]
        plain_matrix = _matrix([plain[j] for j in order]).transpose()
        scaled_matrix = _matrix([scaled[j] for j in order]).transpose()
    return GradedVectors.mixed(plain_matrix, scaled_matrix, vectors.rows, tuple(columns[j] for j in order))

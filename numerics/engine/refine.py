"""Quadratically convergent refinement of singular vectors, in a form that keeps their grading.

Ogita & Aishima (2018, algorithm 1) for the symmetric matrix ``H = R R^T``: with ``S = V^T H V``, ``P = V^T V``,
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
from flint import arb, arb_mat

from numerics.engine.balls import EXACT, NO_BITS, exponent, fixed_point, power_of_two
from numerics.engine.certificate import Grams
from numerics.engine.vectors import GradedVectors

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

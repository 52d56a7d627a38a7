"""What rests on what in the ledger: for a claim, the claims that its proof or its explanation uses, and for what.

A verdict that rests on a claim which is not positive is shown as conditional on it.  Hypotheses that a claim checks on
its instances are no links; nor are claims of which it is a special case.

What rests on what: links between claims, their check, and the verdicts that are conditional on others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proofs_check.claims.verdicts import POSITIVE, Verdict
from theory.base.errors import InputError, nearest

LINKS: dict[str, dict[str, str]] = {
    "stencils.leading-terms": {"stencils.truncation": "the expansion in each variable"},
    "stencils.peano": {"stencils.truncation": "polynomials of degree below m are annihilated, and ∫K = 1"},
    "stencils.error-constant": {"stencils.peano": "the second Peano kernel is made of the first"},
    "stencils.no-average-of-high-order": {"stencils.peano": "∫ t²K is D_h of a power"},
    "stencils.average-norms": {"stencils.peano": "K is the kernel of these differences"},
    "stencils.minimal-is-average": {"stencils.peano": "K is the kernel of these differences"},
    "stencils.positivity-criterion": {"stencils.minimal-is-average": "K is a combination of two B-splines"},
    "symbols.sinc-powers": {"symbols.composition": "minimal central differences are compositions of two"},
    "spectra.ostrowski": {"spectra.sine-factorisation": "the diagonal factor whose extremes bound the ratios"},
    "spectra.sine-ordering": {
        "spectra.ostrowski": "σ_k(A D) ≤ ‖D‖ σ_k(A)",
        "symbols.central-bounded": "‖D‖ ≤ 1",
    },
    "spectra.exponential-reversal": {"symbols.sinc-powers": "the symbol at imaginary frequencies: sinhc² ≥ 1"},
    "spectra.interlacing": {"spectra.sine-ordering": "of the interior rows, before boundary rows are added"},
    "entropy.ratio-majorisation": {"entropy.majorisation-order": "ordered ratios majorise; entropy is Schur-concave"},
    "entropy.gap-expansion": {"stencils.truncation": "A_FD = A_AD + h^p B + o(h^p)"},
    "entropy.covariance": {
        "spectra.sine-factorisation": "A_FD = A_AD diag(m(h w))",
        "stencils.truncation": "m(θ) = 1 − θ²/12 + O(θ⁴)",
        "entropy.gap-expansion": "into which both are inserted",
    },
    "entropy.distance-bound": {"spectra.mirsky": "bounds the sum of the changes by the nuclear norm"},
    "entropy.factor-bound": {"spectra.ostrowski": "bounds every ratio of singular values"},
    "solvable.entropy-order": {"spectra.sine-factorisation": "FD eigenvalues are AD's times the symbol squared"},
    "solvable.uniform-circle": {
        "symbols.sinc-powers": "the ratio of eigenvalues is sinc⁴(nh/2)",
        "spectra.sine-factorisation": "FD eigenvalues are AD's times the symbol squared",
        "entropy.ratio-majorisation": "a monotone ratio decides the sign at equal cut-off numbers",
        "entropy.majorisation-order": "r_FD is at least r_AD under relative and energy rules",
        "entropy.rank-monotone": "more values kept, more entropy",
    },
    "solvable.circle-traces": {"symbols.sinc-powers": "FD eigenvalues are (2 sin(nh/2)/h)⁴ p_n/4"},
    "kernels.closed-forms": {
        "laws.characteristic-functions": "kernels of sin and cos are made of them",
        "laws.moments": "kernels of polynomials are made of them",
    },
    "kernels.fd-rate": {
        "stencils.truncation": "the leading truncation operator",
        "kernels.derivatives": "K_AD is the differentiated kernel",
    },
    "kernels.heavy-tails": {"kernels.closed-forms": "the kernel whose differences are taken"},
    "kernels.cauchy-sine": {"kernels.closed-forms": "the kernel whose differences are taken"},
    "kernels.empirical-rate": {"kernels.closed-forms": "the limit"},
    "floor.law": {"floor.entries": "the size of the noise in an entry"},
    "floor.exponent": {"floor.entries": "the size of the noise in an entry"},
    "steps.brute-force": {
        "steps.optimal": "the step of least total error",
        "stencils.truncation": "the truncation error",
        "floor.entries": "the typical round-off",
        "steps.roundoff-size": "its constant, in both arithmetics",
    },
    "steps.slopes": {"stencils.truncation": "h^p over h*", "floor.entries": "h^−m under it"},
    "steps.digits-gained": {"steps.optimal": "the least value scales like ρ^(p/(p+m))", "floor.entries": "ρ ∝ u"},
    "training.loewner-integral": {
        "spectra.sine-factorisation": "A_FD A_FDᵀ = A_AD D² A_ADᵀ",
        "symbols.central-bounded": "D² ≤ I: the kernels on which it is judged are ordered",
    },
    "training.invariance": {"spectra.sine-factorisation": "A_FD = A_AD D"},
    "training.pointwise-loss": {"training.gradient-descent": "the loss at every iteration"},
    "training.average-loss": {"training.gradient-descent": "the loss at every iteration"},
    "networks.residual-noise": {"floor.entries": "the same round-off, of a network in place of one feature"},
    "regimes.small-values": {"floor.law": "the predicted floor and knee"},
    "regimes.entropy-order": {
        "entropy.covariance": "the prediction in exact arithmetic",
        "entropy.gap-expansion": "the leading truncation term",
        "floor.law": "the noise behind the knee",
    },
    "prediction.small-values": {
        "floor.law": "noise behind the knee",
        "floor.entries": "the sizes of its entries",
        "stencils.truncation": "the shift of the values above the knee",
    },
    "prediction.onset": {"prediction.small-values": "the predicted share of draws at each size"},
    "prediction.entropy-sign": {
        "entropy.covariance": "the sign to first order, at one cut-off number",
        "stencils.truncation": "the leading terms of A_FD",
        "floor.entries": "the sizes of the errors that move the cut-off",
    },
    "limit.entropy-gap": {"entropy.covariance": "the gap of a draw, whose limit this is"},
    "limit.many-sines": {"limit.entropy-gap": "the sign in the limit"},
    "S1.leading-agree": {
        "spectra.weyl": "the change is at most ‖A_AD − A_FD‖",
        "stencils.truncation": "which falls like h^p in exact arithmetic",
        "floor.entries": "and grows like u h^−m in floating point",
    },
    "S2.every-small": {
        "spectra.sine-ordering": "decides sin and cos in exact arithmetic, the other way",
        "floor.law": "what lifts the small singular values in floating point",
    },
    "S2.some-small": {"floor.law": "what lifts the small singular values in floating point"},
    "S3.entropy-order": {
        "entropy.covariance": "the sign of the gap to leading order, for sine features",
        "entropy.ratio-majorisation": "a lifted tail over an equal head raises the entropy",
        "floor.law": "the lifted tail in floating point",
    },
    "S4.entropy-ranks-loss": {"training.truncated-svd": "the residual that a cut-off leaves"},
    "S4.paired": {"training.truncated-svd": "the residual that a cut-off leaves"},
    "networks.ntk-frozen-law": {"networks.jets-agree": "residuals and Jacobians of the networks"},
    "networks.kernel-fluctuation": {"networks.jets-agree": "residuals and Jacobians of the networks"},
    "S5.entropy-ranks-speed": {"networks.jets-agree": "what the networks are trained by"},
    "S5.paired": {"networks.jets-agree": "what the networks are trained by"},
    "S6.ad-outperforms": {"networks.jets-agree": "what the networks are trained by"},
    "S7.noise-acts-as-ridge": {"training.ridge-objective": "the least value of the penalised problem"},
    "S7.floor-explains": {"floor.exponent": "the floor is u h^−m"},
    "S7.grows-with-order": {"S7.floor-explains": "our explanation of the growth"},
}
"""``{id: {id on which it rests: for what}}``."""


SOUND = frozenset(str(verdict) for verdict in POSITIVE.values())
"""Verdicts on which another claim may rest."""
GRAVITY = (Verdict.ERROR, Verdict.REFUTED, Verdict.VACUOUS, Verdict.INCONCLUSIVE)
"""Verdicts on which none may, the gravest first."""

Links = Mapping[str, Iterable[str]]
"""A claim's id to the ids on which it rests."""


def check(links: Links, known: Iterable[str]) -> list[str]:
    """The ids in an order in which every claim comes after those on which it rests.

    Args:
        links: what rests on what.
        known: ids that may be rested on, besides those of ``links``.

    Raises:
        InputError: an id that is not known, named twice, or a circle.

    >>> check({"a": ("b", "c"), "b": ("c",)}, ["c"])
    ['c', 'b', 'a']
    """
    table = {id: list(targets) for id, targets in links.items()}
    allowed = {*known, *table}
    for id, targets in table.items():
        for target in targets:
            if target not in allowed:
                raise InputError(
                    f"claim {id}: rests on {target!r}: unknown; {nearest(target, allowed)}see 'adfd claims'"
                )
        if len(set(targets)) < len(targets):
            raise InputError(f"claim {id}: rests on the same claim twice: {', '.join(targets)}")
    order: list[str] = []
    state: dict[str, int] = {}  # 1 while its targets are visited, 2 when done

    def visit(id: str, path: tuple[str, ...]) -> None:
        if state.get(id) == 2:
            return
        if state.get(id) == 1:
            circle = [*path[path.index(id) :], id]
            raise InputError(f"claim {id}: rests on itself: {' → '.join(circle)}")
        state[id] = 1
        for target in table.get(id, ()):
            visit(target, (*path, id))
        state[id] = 2
        order.append(id)

    for id in table:
        visit(id, ())
    return order


def conditions(
    id: str, scope: Mapping[str, str], links: Links, verdicts: Mapping[str, Sequence[tuple[Mapping[str, str], str]]]
) -> list[dict[str, Any]]:
    """The claims on which a cell rests, directly or through others, that are not positive where it matters.

    Of a claim that is rested on, the cells count that agree with ``scope`` in the coordinates they share; where no cell
    does, all of them.

    Args:
        id: the claim.
        scope: coordinates of its cell.
        links: what rests on what.
        verdicts: of each claim that was judged, the coordinates and the verdict of every cell.

    Returns:
        ``{"id", "verdict", "cells", "of", "text"}`` each: the gravest verdict, and in how many of how many cells.
    """
    found, seen = [], {id}
    queue = [(target, "") for target in links.get(id, ())]
    while queue:
        target, through = queue.pop(0)
        if target in seen:
            continue
        seen.add(target)
        queue += [(further, target) for further in links.get(target, ())]
        cells = verdicts.get(target, ())
        near = [v for where, v in cells if all(scope.get(key, value) == value for key, value in where.items())]
        counted = near or [v for _, v in cells]
        bad = [v for v in counted if v not in SOUND]
        if not bad:
            continue
        gravest = next(str(v) for v in GRAVITY if v in bad)
        number = sum(1 for v in bad if v == gravest)
        where = "" if number == len(counted) else f" in {number} of {len(counted)} cells"
        by = f" (through {through})" if through else ""
        found.append(
            {
                "id": target,
                "verdict": gravest,
                "cells": number,
                "of": len(counted),
                "text": f"conditional on {target}{by}, which is {gravest}{where}",
            }
        )
    return found

"""Which of AD and FD has more entropy in its tangent kernel, predicted from the AD side (ours).

``G = J Jᵀ``; its entropies are those of the singular values of J (power 1) or of the eigenvalues (power 2). For a
derivative along one axis and any stencil, Taylor's formula at every node gives, for each entry of J, which is a smooth
function of the point,

    J_FD = J_AD + Σ_{p≤q<Q} e_q h^q ∂^q J_AD + R,     |R| ≤ h^Q Σ_k |c_k| |s_k|^(m+Q) / (m+Q)! · sup |∂^(m+Q) …|,

the supremum over the hull of the nodes, by bounded derivatives of the activation. Derivatives of J_AD are closed, so the
sum is known without an evaluation at a shifted point; what is computed of J_FD in float64 differs from it by R and
round-off (:class:`numerics.predictions.bounds.Rounding`), together ``ρ`` in the Frobenius norm. By Weyl every
singular value lies within ρ of that of the sum, and the entropies lie in the hulls over such spectra: where those of AD
and FD are disjoint, the order is predicted. Along training the same holds at every iteration from the AD side there;
and from the start alone as :mod:`numerics.predictions.persistence` says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import flint
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.entropy.compare import EntropyEnclosure, entropy_enclosures
from numerics.networks import ntk
from numerics.networks.activations import TorchActivation
from numerics.networks.networks import Rows, System, Term
from numerics.networks.two_layer import TwoLayerResidual
from numerics.predictions.bounds import Rounding, supremum
from numerics.predictions.drawn import TrainingProblem, along_axis, steps
from numerics.predictions.persistence import EntropyOrder, entropies_of, kept_along, order
from numerics.problem.problem import METHODS, Method
from numerics.spectra.engine import certified_singular_values
from numerics.spectra.kernels import tangent_entries
from numerics.training.loop import GradientDescent, minimise, optimiser
from theory.base.errors import InputError
from theory.entropy.conventions import Convention

TERMS = 4
"""Most terms of the expansion; that number is used which leaves the least remainder."""
_U = 2.0**-53


@dataclass(frozen=True)
class Predicted:
    """What is known of one network's Jacobians from the AD side.

    Attributes:
        ad: J_AD, ``[r, p]``; fd: the expansion of J_FD.
        remainder: ρ, a bound on the Frobenius distance of the J_FD computed in float64 from ``fd``.
    """

    ad: Float[Tensor, "r p"]
    fd: Float[Tensor, "r p"]
    remainder: float

    def entropies(self, conventions: Sequence[Convention]) -> list[tuple[EntropyEnclosure, EntropyEnclosure]]:
        """Enclosures of H_AD and H_FD under each convention."""
        sides = entropies_of(self.ad, conventions), entropies_of(self.fd, conventions, self.remainder)
        return list(zip(*sides, strict=True))

    def orders(self, conventions: Sequence[Convention]) -> list[EntropyOrder | None]:
        """The predicted order under each convention; None where it is not separated."""
        return [order(*pair) for pair in self.entropies(conventions)]


def predict(drawn: TrainingProblem, flat: Float[Tensor, "b p"]) -> list[Predicted]:
    """For each network at the parameters ``flat``, in float64 whatever the arithmetic of the run.

    (Points and shifts that are rounded to float32 are those of another stencil.)

    Raises:
        InputError: an activation without bounds, or derivatives along several axes.
    """
    drawn = drawn.in_float64()
    ad, fd = drawn.model("ad"), drawn.model("fd")
    J = ntk.jacobian(ad, flat)
    floor = Rounding.of(fd, flat).jacobian * _U
    found: list[tuple[Tensor, Tensor]] = []
    for terms in range(TERMS + 1):
        model, rest = _expanded(drawn, ad, terms)
        expansion = ntk.jacobian(model, flat)
        error = floor + Rounding.of(model, flat).jacobian * _U + ntk.jacobian(rest, flat.abs())
        found.append((expansion, 1.01 * torch.linalg.matrix_norm(error)))
    sizes = torch.stack([size for _, size in found])
    best = torch.nan_to_num(sizes, nan=math.inf).argmin(0)
    return [Predicted(J[k], found[int(best[k])][0][k], float(sizes[int(best[k]), k])) for k in range(len(flat))]


@dataclass(frozen=True)
class Compared:
    """What is predicted of one network beside what is measured.

    Attributes:
        predicted: from the AD side.
        entropies: those of AD and FD that it implies, under each convention.
        measured: the entropies of J_FD.
        within: whether J_FD lies within the remainder.
    """

    predicted: Predicted
    entropies: list[tuple[EntropyEnclosure, EntropyEnclosure]]
    measured: list[EntropyEnclosure]
    within: bool


def compared(drawn: TrainingProblem, flat: Float[Tensor, "b p"], conventions: Sequence[Convention]) -> list[Compared]:
    """For each network at the parameters ``flat``, in float64.

    Raises:
        InputError: as :func:`predict`.
    """
    jacobians = ntk.jacobian(drawn.in_float64().model("fd"), flat)
    return [
        Compared(
            found,
            found.entropies(conventions),
            entropies_of(J, conventions),
            float(torch.linalg.matrix_norm(J - found.fd)) <= found.remainder,
        )
        for found, J in zip(predict(drawn, flat), jacobians, strict=True)
    ]


def _expanded(drawn: TrainingProblem, ad: TwoLayerResidual, terms: int) -> tuple[TwoLayerResidual, TwoLayerResidual]:
    """The AD model with ``terms`` orders more, and a twin whose Jacobian at ``|θ|`` bounds the remainder's entries."""
    interior = ad.system.rows[0]
    parts: list[Term] = [part for part in interior.parts if isinstance(part, Term)]
    rests: list[Term] = []
    reach = 0.0
    for term, part in zip(drawn.problem.difference.terms, tuple(parts), strict=True):
        s = along_axis(term)
        if s is None:
            continue
        assert term.derivative is not None
        (axis,) = (k for k, m in enumerate(term.derivative) if m)
        h, m = drawn.problem.steps[axis], s.degree

        def higher(q: int, factor: Fraction, part: Term = part, axis: int = axis) -> Term:
            alpha = tuple(times + q * (k == axis) for k, times in enumerate(part.alpha))
            return Term(alpha, part.coefficient * float(factor))

        expansion = s.truncation(terms + 1)
        parts += [higher(t.power, t.value * h**t.power) for t in expansion[:-1]]
        last = expansion[-1].power
        size = sum((abs(c) * abs(n[0]) ** (m + last) for c, n in zip(s.weights, s.nodes, strict=True)), Fraction(0))
        rests.append(higher(last, size * h**last / math.factorial(m + last)))
        reach = max(reach, float(h * max(abs(node[0]) for node in s.nodes)))
    rows = Rows(interior.points, interior.target, tuple(parts), interior.root)
    model = replace(ad, system=System((rows, *ad.system.rows[1:])))
    name = ad.network.activation.name

    def jet(z: Tensor, top: int) -> list[Tensor]:
        return [torch.full_like(z, supremum(name, k)) for k in range(top + 1)]

    twin = replace(ad.network, activation=TorchActivation("supremum", lambda z: jet(z, 0)[0], jet))
    positive = [Term(t.alpha, _size(t.coefficient)) for t in rests] or [Term((0,) * drawn.problem.dimension, 0.0)]
    bounded = Rows(interior.points.abs() + reach, interior.target, tuple(positive), interior.root)
    edges: list[Any] = [
        Rows(r.points, r.target, (Term((0,) * drawn.problem.dimension, 0.0),), r.root) for r in ad.system.rows[1:]
    ]
    return model, replace(ad, network=twin, system=System((bounded, *edges)))


def _size(coefficient: float | Tensor) -> float | Tensor:
    return coefficient.abs() if isinstance(coefficient, Tensor) else abs(coefficient)


@dataclass(frozen=True)
class Along:
    """The orders of one network's entropies along its two trainings, by AD and by FD.

    Attributes:
        kept: at each time and for each convention the order that the start and the drifts imply; None: none.
        measured: the order of the entropies of the Jacobians then; None: not separated, or diverged.
    """

    kept: list[list[EntropyOrder | None]]
    measured: list[list[EntropyOrder | None]]


def along(
    drawn: TrainingProblem, times: Sequence[int], conventions: Sequence[Convention], share: float = 1.0
) -> list[Along]:
    """For each network, trained from one start by AD and by FD with the problem's optimiser, in float64.

    Args:
        times: iterations, the first 0.
        share: of the drifts that is counted: 1, or what is kept must be wrong.
    """
    drawn = drawn.in_float64()
    training = drawn.problem.training
    flat = drawn.start.to(drawn.device)
    jacobians: dict[Method, list[Tensor]] = {}
    for method in METHODS:
        model = drawn.model(method)
        chosen = (
            GradientDescent(steps(drawn, model, flat).to(flat)) if training.optimizer == "gd" else optimiser(training.optimizer)
        )  # fmt: skip
        run = minimise(model, flat, chosen, training.iterations, training.iterations, snapshots=times)
        jacobians[method] = [ntk.jacobian(model, run.snapshots[t].to(flat)) for t in times]
    found = []
    for k in range(len(flat)):
        ad, fd = ([J[k] for J in jacobians[method]] for method in METHODS)
        measured = [_measured(a, b, conventions) for a, b in zip(ad, fd, strict=True)]
        found.append(Along(kept_along(ad, fd, conventions, share), measured))
    return found


def _measured(ad: Tensor, fd: Tensor, conventions: Sequence[Convention]) -> list[EntropyOrder | None]:
    if not all(bool(torch.isfinite(J).all()) for J in (ad, fd)):
        return [None] * len(conventions)
    sides = (entropies_of(J, conventions) for J in (ad, fd))
    return [order(*pair) for pair in zip(*sides, strict=True)]


def proven_entropies(
    drawn: TrainingProblem, member: int, conventions: Sequence[Convention]
) -> list[list[EntropyEnclosure]]:
    """Of G_AD and of G_FD of one network at its start in exact arithmetic, enclosed by balls.

    The features are those drawn, as the rationals that they are; nothing of what predicts is used.

    Raises:
        InputError: amplitudes other than ±1, or the scaling ``"standard"``, where columns are scaled differently.
        PrecisionCapError: the digits are beyond the cap.
    """
    if drawn.amplitudes != "signs" or drawn.problem.training.scaling != "ntk":
        raise InputError("exact kernels: amplitudes of signs and the scaling ntk are needed")
    problem = drawn.problem.with_(seed=drawn.problem.seed + member)
    found = []
    for method in METHODS:
        values = certified_singular_values(tangent_entries(problem, method), 15).values
        with flint.ctx.workprec(200):
            root = flint.arb(problem.count).sqrt()
            scaled = [from_ball(to_ball(v, 200) / root) for v in values]
        scaled = [Enclosure(max(Fraction(0), v.lower), v.upper) for v in scaled]
        found.append(entropy_enclosures(scaled, conventions))
    return found

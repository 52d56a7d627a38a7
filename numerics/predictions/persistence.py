"""How long an order of entropies persists while Jacobians move, whatever moves them (ours).

Let an order be known of two Jacobians, with a gap between their entropies, and let each move. A moved entropy stays within
what the distance moved allows, so that the order persists as long as the two allowances together stay below the gap. Two
bounds, of which either suffices:

* *Weyl*: every singular value moves by ``‖J_t − J‖_2`` at most; the entropies lie in the hulls over such spectra;
* *Fannes and Audenaert*: ``|H_t − H| ≤ T log(r − 1) + h₂(T)``, where Mirsky bounds the distance T of the probabilities by the
  nuclear norm of ``J_t − J`` (power 1) or its Frobenius norm (power 2), and r is the larger cut-off number; what a
  changed cut-off drops is added to T (:mod:`theory.entropy.bounds`). A normalised entropy is divided by the logarithm of
  its own cut-off number.

Nothing is said of the optimiser: only the distances are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import flint
import torch
from flint import arb
from jaxtyping import Float
from torch import Tensor

from numerics.arithmetic.balls import Enclosure
from numerics.entropy.compare import EntropyEnclosure, entropy_enclosures
from numerics.networks import ntk
from numerics.problem.problem import METHODS, Method
from numerics.spectra.spectrum import lapack_error
from numerics.training.ensembles import Model, on
from theory.base.errors import InputError
from theory.entropy.bounds import fannes_audenaert, mirsky_distance, mirsky_distance_squares
from theory.entropy.conventions import Convention

EntropyOrder = Literal["fd<ad", "fd>ad"]
_BITS = 100


@dataclass(frozen=True)
class Drift:
    """Norms of the difference of two matrices, or upper bounds of them."""

    nuclear: float
    frobenius: float
    spectral: float

    @staticmethod
    def between(moved: Float[Tensor, "r p"], reference: Float[Tensor, "r p"]) -> Drift:
        """Of ``moved − reference``, LAPACK's error added."""
        if not bool(torch.isfinite(moved).all()):
            return Drift(math.inf, math.inf, math.inf)
        found = Spectrum.of(moved - reference)
        values, error, n = found.values, found.error, len(found.values)
        return Drift(math.fsum(values) + n * error, math.hypot(*values) + n * error, values[0] + error)

    def scaled(self, share: float) -> Drift:
        """Of that share of the difference."""
        return Drift(share * self.nuclear, share * self.frobenius, share * self.spectral)

    @staticmethod
    def within(radius: float, rank: int) -> Drift:
        """Of any difference whose Frobenius norm is at most ``radius``.

        >>> Drift.within(1.0, 4)
        Drift(nuclear=2.0, frobenius=1.0, spectral=1.0)
        """
        return Drift(math.sqrt(rank) * radius, radius, radius)


@dataclass(frozen=True)
class Spectrum:
    """Singular values in float64, descending, with LAPACK's error."""

    values: tuple[float, ...]
    error: float

    @staticmethod
    def of(matrix: Float[Tensor, "r p"]) -> Spectrum:
        """Of a matrix in float64; by LAPACK wherever the matrix is: the error is about no other library."""
        values = torch.linalg.svdvals(matrix.cpu()).tolist()
        return Spectrum(tuple(values), lapack_error(values[0], *matrix.shape))


def enclosed(matrix: Float[Tensor, "r p"], radius: float) -> list[Enclosure]:
    """Enclosures of the singular values of all matrices within ``radius``, descending; LAPACK's error is added."""
    found = Spectrum.of(matrix)
    error = Fraction(radius) + Fraction(found.error)
    return [Enclosure(max(Fraction(0), v - error), v + error) for v in map(Fraction, found.values)]


def entropies_of(
    matrix: Float[Tensor, "r p"], conventions: Sequence[Convention], radius: float = 0.0
) -> list[EntropyEnclosure]:
    """Enclosures, under each convention, of the entropies of all matrices within ``radius``."""
    return entropy_enclosures(enclosed(matrix, radius), conventions)


def order(ad: EntropyEnclosure, fd: EntropyEnclosure) -> EntropyOrder | None:
    """The sign of ``H_FD − H_AD`` where the enclosures decide it."""
    if ad.value is None or fd.value is None:
        return None
    if fd.value.upper < ad.value.lower:
        return "fd<ad"
    return "fd>ad" if fd.value.lower > ad.value.upper else None


def entropy_change(
    spectrum: Spectrum, drift: Drift, convention: Convention, cutoff: tuple[int, int], moved: tuple[int, int]
) -> float:
    """The most that an entropy can change, by Fannes and Audenaert; infinite where nothing is known.

    Args:
        spectrum: of the matrix that moves.
        cutoff: the least and the greatest possible effective cut-off number of the matrix.
        moved: of what it has moved to.
    """
    r, least = cutoff[0], min(cutoff[0], moved[0])
    if cutoff[0] != cutoff[1] or least < 1 or (convention.normalised and least < 2):
        return math.inf
    with flint.ctx.workprec(_BITS):
        sigma = [arb(v, spectrum.error) for v in spectrum.values]
        try:
            worst = max(
                float(_change(sigma, drift, convention, r, cut).upper()) for cut in range(moved[0], moved[1] + 1)
            )
        except InputError:  # no sum is certainly positive
            return math.inf
    return math.nextafter(worst, math.inf) if math.isfinite(worst) else math.inf


def _change(sigma: list[arb], drift: Drift, convention: Convention, r: int, cut: int) -> arb:
    """From the cut-off number r to ``cut``."""
    top, power = max(r, cut), convention.power
    if r <= cut:
        dropped = sum((_power(s, power) for s in sigma[r:cut]), arb(0))
    else:  # by the other spectrum, which is known by Weyl
        dropped = arb(0).union(sum((_power(s + drift.spectral, power) for s in sigma[cut:r]), arb(0)))
    if power == 1:
        total = sum(sigma[:r], arb(0))
        distance = mirsky_distance(arb(drift.nuclear), total, total, dropped)
    else:
        own = sum((s * s for s in sigma[:top]), arb(0)).sqrt()
        other = own + arb(0, drift.frobenius)
        pair = (own, other) if r <= cut else (other, own)
        distance = mirsky_distance_squares(arb(drift.frobenius), *pair, dropped)
    bound = fannes_audenaert(arb(distance.abs_upper()), top)
    if convention.normalised:
        least, greatest = arb(min(r, cut)).log(), arb(top).log()
        bound = bound / least + (greatest / least - 1)
    return bound


def _power(x: arb, power: int) -> arb:
    return x if power == 1 else x * x  # the power of a ball about 0 is not finite


def kept(
    matrices: tuple[Float[Tensor, "r p"], Float[Tensor, "r p"]],
    conventions: Sequence[Convention],
    drifts: Sequence[tuple[Drift, Drift]],
) -> list[list[EntropyOrder | None]]:
    """For each pair of drifts, of J_AD and of J_FD from these matrices, the order of entropies that still holds.

    None where there was no order, or where it may have turned.
    """
    spectra = [Spectrum.of(m) for m in matrices]
    still = [entropies_of(m, conventions) for m in matrices]
    out: list[list[EntropyOrder | None]] = []
    for pair in drifts:
        if not all(math.isfinite(d.nuclear) for d in pair):
            out.append([None] * len(conventions))
            continue
        hulls = [entropies_of(m, conventions, d.spectral) for m, d in zip(matrices, pair, strict=True)]
        row: list[EntropyOrder | None] = []
        for k, convention in enumerate(conventions):
            says = order(hulls[0][k], hulls[1][k])
            if says is None and (first := order(still[0][k], still[1][k])) is not None:
                allowed = sum(
                    entropy_change(spectrum, d, convention, side[k].cutoff, hull[k].cutoff)
                    for spectrum, d, side, hull in zip(spectra, pair, still, hulls, strict=True)
                )
                says = first if allowed < gap(still[0][k], still[1][k]) else None
            row.append(says)
        out.append(row)
    return out


def gap(one: EntropyEnclosure, other: EntropyEnclosure) -> float:
    """A lower bound on the distance of two entropies; 0 where they may agree."""
    if one.value is None or other.value is None:
        return 0.0
    apart = max(one.value.lower - other.value.upper, other.value.lower - one.value.upper)
    return max(0.0, math.nextafter(float(apart), -math.inf))


def horizons(orders: Sequence[Sequence[EntropyOrder | None]], times: Sequence[int]) -> list[int | None]:
    """For each convention the first of ``times`` at which the order is not known to persist; None: it does throughout.

    >>> horizons([["fd<ad", None], ["fd<ad", None], [None, None]], [0, 5, 9])
    [9, 0]
    """
    columns = zip(*orders, strict=True)
    return [next((t for t, says in zip(times, column, strict=True) if says is None), None) for column in columns]


def kept_along(
    ad: Sequence[Float[Tensor, "r p"]],
    fd: Sequence[Float[Tensor, "r p"]],
    conventions: Sequence[Convention],
    share: float = 1.0,
) -> list[list[EntropyOrder | None]]:
    """:func:`kept` for Jacobians met along a training by AD and one by FD, the first of each at the start.

    Args:
        share: of the drifts that is counted: 1, or what is kept must be wrong.
    """
    drifts = [
        (Drift.between(a, ad[0]).scaled(share), Drift.between(b, fd[0]).scaled(share))
        for a, b in zip(ad, fd, strict=True)
    ]
    return kept((ad[0], fd[0]), conventions, drifts)


def lasting(
    models: Mapping[Method, Model],
    snapshots: Mapping[Method, Mapping[int, Float[Tensor, "b p"]]],
    convention: Convention,
) -> list[tuple[EntropyOrder | None, int | None]]:
    """For each member, trained by AD and by FD from one start, the order of entropies there and its horizon.

    The horizon is the first of the iterations of the snapshots at which the order is not known to persist (0 without an
    order, None if it is at all of them): Jacobians in float64, and nothing is said of the iterations between.
    """
    times = sorted(snapshots["ad"])
    exact = {method: on(models[method], torch.device("cpu"), torch.float64) for method in METHODS}

    def jacobians(method: Method, member: int) -> list[Tensor]:
        return [ntk.jacobian(exact[method], snapshots[method][t][member : member + 1].double().cpu())[0] for t in times]

    found = []
    for k in range(len(snapshots["ad"][times[0]])):
        rows = kept_along(jacobians("ad", k), jacobians("fd", k), [convention])
        found.append((rows[0][0], horizons(rows, times)[0]))
    return found

r"""The entropy gap in the limit of many features and points: a number of the law, not of a draw (ours).

For N, M → ∞ the singular values of ``A_AD / sqrt(N M)`` tend to those of the operator
``a -> E[a(w, b) (L phi)(x; w, b)]`` from L²(law of w, b) to L²(dx / |domain|), whose squares are the eigenvalues of
``K_AD``; the truncation terms T of A_FD become the operator with ``T phi`` in place of ``L phi``. So, for a fixed number
of values or an energy rule, ``(H_FD − H_AD) / h^p`` tends for h → 0 to ``-q Cov_p(f, log p)`` with
``f_k = <u_k, T v_k> / sigma_k`` (:func:`theory.entropy.entropy.entropy_gap_coefficient`).

Quadrature: Gauss-Legendre in x, and in w and b Gauss-Legendre (uniform laws) or the trapezoidal rule (normal laws: error
exponentially small in 1/spacing for features analytic in a strip, F. Stenger, Numerical Methods Based on Sinc and
Analytic Functions, 1993). The same matrices as everywhere, rows and columns weighted; no proof, two resolutions are
compared. :func:`limit_entropies` is the proven counterpart, for kernels with a closed form, on N points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from jaxtyping import Float

from numerics.arithmetic.balls import Enclosure, from_ball, to_ball
from numerics.entropy.compare import EntropyEnclosure, entropy_enclosures
from numerics.matrices.assemble import float_matrix, truncation_terms
from numerics.problem.problem import Method, Problem
from numerics.spectra.kernels import kernel_spectrum
from theory.base.errors import InputError
from theory.entropy.conventions import Convention, Power
from theory.entropy.entropy import entropy_gap_coefficient, probabilities, shannon_entropy
from theory.features.laws import Discrete, Law, Normal, Uniform

REACH = 8.0
"""Standard deviations to which the trapezoidal rule for a normal law extends: beyond it lies a mass of 1e-15."""
_BITS = 160


@dataclass(frozen=True)
class LimitSpectrum:
    """Singular values of the limit operator and their rates.

    Attributes:
        values: sigma_k (n,), descending.
        rates: derivative of sigma_k in h^p at h = 0, (n,).
        power: p.
    """

    values: Float[np.ndarray, " n"]
    rates: Float[np.ndarray, " n"]
    power: int

    def gap(self, power: Power = 1, rank: int | None = None) -> LimitGap:
        """The limits for the probabilities ``sigma_k^q / sum``, of the first ``rank`` values or of all.

        All: those above 1e-13 of the largest, beyond which float64 resolves none.
        """
        kept = int(np.sum(self.values > 1e-13 * self.values[0])) if rank is None else rank
        values, rates = self.values[:kept].tolist(), self.rates[:kept].tolist()
        return LimitGap(
            float(entropy_gap_coefficient(values, rates, kept, power)),
            float(shannon_entropy(probabilities(values, kept, power))),
        )


@dataclass(frozen=True)
class LimitGap:
    """Limit of ``(H_FD − H_AD) / h^p``, and of H_AD."""

    coefficient: float
    entropy: float

    @property
    def relative(self) -> float:
        """Limit of ``(H_FD / H_AD − 1) / h^p``; the same for normalised entropies at one cut-off number."""
        return self.coefficient / self.entropy


def limit_spectrum(problem: Problem, points: int = 48, spacing: float = 0.25, nodes: int = 64) -> LimitSpectrum:
    """Singular values and rates in the limit of many features and points, by quadrature.

    Args:
        problem: in one dimension, with laws; its step, counts and points play no part.
        points: of the Gauss rule in x.
        spacing: of the trapezoidal rule for a normal law, in standard deviations.
        nodes: of the Gauss rule for a uniform law.

    Raises:
        InputError: several dimensions, other laws than normal, uniform and discrete ones, or differences without truncation error.
        NonexistenceError: the activation lacks the derivatives of the truncation error.
    """
    if problem.dimension != 1 or not isinstance(problem.weights, Law) or not isinstance(problem.biases, Law):
        raise InputError("limit: one dimension, and laws of weights and biases")
    ((low, high),) = problem.domain
    x, row = _gauss(low, high, points)
    w, w_mass = _rule(problem.weights, spacing, nodes)
    b, b_mass = _rule(problem.biases, spacing, nodes)
    mass = np.multiply.outer(w_mass, b_mass).ravel()
    kept = mass > 1e-25 * mass.max()
    weights, biases = (grid.ravel()[kept] for grid in np.meshgrid(w, b, indexing="ij"))
    weighted = problem.with_(
        weights=tuple((Fraction(float(v)),) for v in weights),
        biases=tuple(Fraction(float(v)) for v in biases),
        count=len(weights),
        interior=tuple((Fraction(float(v)),) for v in x),
        layout="grid",
        boundary=(),
        step=(Fraction(1),),
    )
    root = np.sqrt(np.multiply.outer(row, mass[kept]))
    terms = truncation_terms(weighted)
    if not terms:
        raise InputError("limit: the difference is exact, there is no truncation error")
    power, leading = next(iter(terms.items()))
    U, sigma, Vt = np.linalg.svd(float_matrix(weighted, "ad", "float64") * root, full_matrices=False)
    rates = np.einsum("ik,ij,kj->k", U, leading * root, Vt, optimize=True)
    return LimitSpectrum(sigma, rates, power)


def _gauss(low: Fraction, high: Fraction, count: int) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Nodes and weights of total 1 of the Gauss-Legendre rule on an interval."""
    nodes, mass = np.polynomial.legendre.leggauss(count)
    return float(low) + float(high - low) * (nodes + 1) / 2, mass / 2


def _rule(law: Law, spacing: float, nodes: int) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    match law:
        case Normal(mean=mean, std=std):
            count = math.ceil(REACH / spacing)
            t = spacing * np.arange(-count, count + 1)
            mass = np.exp(-t * t / 2)
            return float(mean) + float(std) * t, mass / mass.sum()
        case Uniform(low=low, high=high):
            return _gauss(low, high, nodes)
        case Discrete(values=values):
            return np.array([float(v) for v in values]), np.full(len(values), 1 / len(values))
        case _:
            raise InputError(f"limit: no quadrature for the law {law}; allowed: normal, uniform and discrete laws")


def limit_entropies(
    problem: Problem, conventions: Sequence[Convention], digits: int = 12
) -> list[tuple[EntropyEnclosure, EntropyEnclosure]]:
    """Proven entropies of AD and FD with infinitely many features on the problem's N points, at its own step.

    The singular values are the roots of the kernels' eigenvalues (:func:`numerics.spectra.kernels.kernel_spectrum`),
    the limits of those of ``A / sqrt M``.

    Raises:
        InputError: no closed form of the kernel.
        PrecisionCapError: beyond the cap of the engine.
    """
    found = [_roots(problem, method, digits) for method in ("ad", "fd")]
    return list(zip(*(entropy_enclosures(values, list(conventions)) for values in found), strict=True))


def _roots(problem: Problem, method: Method, digits: int) -> list[Enclosure]:
    with flint.ctx.workprec(_BITS):
        roots = []
        for value in kernel_spectrum(problem, method, "limit", digits).values:
            upper = to_ball(Enclosure.exact(value.upper), _BITS).sqrt()
            lower = to_ball(Enclosure.exact(max(value.lower, Fraction(0))), _BITS).sqrt()
            roots.append(Enclosure(from_ball(lower).lower, from_ball(upper).upper))
        return roots

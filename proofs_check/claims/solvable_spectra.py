"""Exactly solvable spectra against Nyström's method: kernels on quadrature nodes, differences of shifts of K."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from numerics.hermite_spectrum import InfiniteHermite
from proofs_check.claim import Profile, Scope, stated, wrong
from proofs_check.verdicts import Outcome
from theory.exact import spell
from theory.solvable import Circle, Mehler, Prolate, SolvableSpectrum, uniform_frequencies

MODELS: dict[str, SolvableSpectrum] = {
    "circle uniform 8": Circle(uniform_frequencies(8)),
    "prolate 4": Prolate(Fraction(4)),
    "mehler 1": Mehler(Fraction(1), Fraction(1)),
    "hermite 1/2": InfiniteHermite(Fraction(1, 2)),
}
SLOW = ("mehler 1",)
"""In the full profile only."""
COUNT = 6
"""Eigenvalues compared, from the largest."""
TOLERANCE = 1e-9
"""Relative to the largest eigenvalue: differences of K in float64 lose 16 unit round-offs / h⁴."""
FOURTH = ((-2, 1), (-1, -4), (0, 6), (1, -4), (2, 1))
"""The second difference at both points, as shifts of K(x − y)."""

Function = Callable[[Float[np.ndarray, "n n"]], Float[np.ndarray, "n n"]]


@dataclass(frozen=True)
class Trial:
    """A model, a method and a step."""

    name: str
    method: str
    h: Fraction

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"model": self.name, "method": self.method, "step": spell(self.h)}


def _stationary(name: str) -> tuple[Function, Function, Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """k and k⁗ with K(x, y) = k(x − y), and nodes and weights of the measure of x."""
    if name.startswith("circle"):
        n = np.arange(1, 9)

        def wave(power: int) -> Function:
            return lambda r: 0.5 * np.mean(n**power * np.cos(n * r[..., None]), axis=-1)

        return wave(0), wave(4), 2 * np.pi * np.arange(64) / 64, np.full(64, 1 / 64)
    if name.startswith("prolate"):
        nodes, weights = np.polynomial.legendre.leggauss(48)
        w = 4 * nodes

        def band(power: int) -> Function:
            return lambda r: 0.5 * np.cos(r[..., None] * w) @ (weights / 2 * w**power)

        return band(0), band(4), nodes, weights / 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    return (
        lambda r: 0.5 * np.exp(-r * r / 2),
        lambda r: 0.5 * (r**4 - 6 * r * r + 3) * np.exp(-r * r / 2),
        nodes,
        weights / np.sqrt(2 * np.pi),
    )


FEATURES = 96
"""Of the Hermite model with ρ = 1/2: the others have squared norms under 2^-80."""


def _functions(x: Float[np.ndarray, " n"], count: int) -> Float[np.ndarray, "count n"]:
    """He_j(x)/√j!, by its recurrence."""
    found = [np.ones_like(x), x]
    for j in range(1, count - 1):
        found.append((x * found[j] - np.sqrt(j) * found[j - 1]) / np.sqrt(j + 1))
    return np.array(found)


def _hermite(method: str, h: float) -> Float[np.ndarray, " n"]:
    """Squared singular values of the weighted matrix of exact or differenced features ρ^{j/2} He_j/√j!, ρ = 1/2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    j = np.arange(FEATURES)
    if method == "ad":  # ψ_j'' = √(j(j − 1)) ψ_{j−2}
        values = np.sqrt(j * (j - 1.0))[2:, None] * _functions(nodes, FEATURES)[:-2]
    else:
        left, centre, right = (_functions(nodes + s * h, FEATURES)[2:] for s in (-1, 0, 1))
        values = (left - 2 * centre + right) / h**2
    matrix = np.sqrt(weights / np.sqrt(2 * np.pi))[:, None] * (0.5 ** (j[2:] / 2)[:, None] * values).T
    return np.linalg.svd(matrix, compute_uv=False) ** 2


def nystrom(trial: Trial) -> Float[np.ndarray, " n"]:
    """The eigenvalues of K_AD or K_FD, from the largest, in float64."""
    h = float(trial.h)
    if trial.name.startswith("hermite"):
        return _hermite(trial.method, h)
    k, fourth, nodes, weights = _stationary(trial.name)
    r = nodes[:, None] - nodes[None, :]
    values = fourth(r) if trial.method == "ad" else sum(c * k(r + s * h) for s, c in FOURTH) / h**4
    root = np.sqrt(weights)
    return np.asarray(np.linalg.eigvalsh(root[:, None] * values * root[None, :]))[::-1]


def _scopes(profile: Profile) -> tuple[Scope, ...]:
    return tuple({"model": name} for name in MODELS if profile == "full" or name not in SLOW)


def _trials(scope: Scope, profile: Profile) -> Iterator[Trial]:
    steps = (Fraction(1, 4),) if profile == "quick" else (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
    yield Trial(scope["model"], "ad", steps[0])
    for h in steps:
        yield Trial(scope["model"], "fd", h)


@stated(
    "solvable.spectra",
    title="Eigenvalues of the exactly solvable kernels",
    source="ours; K: Mehler (1866), Slepian and Pollak (1961)",
    predicate=f"the {COUNT} largest agree within {TOLERANCE:g} of the largest with Nyström's method in float64, "
    r"$K_{FD}$ there as a combination of shifts of $K$",
    kind="sampled",
    scopes=_scopes,
    instances=_trials,
    describe=Trial.to_dict,
    statement=r"Circle: $p_n n^4/4$ and $p_n(2\sin(nh/2)/h)^4/4$, each twice; Mehler, prolate and Hermite models, the last "
    r"with all its features: the enclosed eigenvalues of $K_{AD}$ and $K_{FD}$ for $\partial^2$, the "
    f"{COUNT} largest of the models of the cells, to {TOLERANCE:g} of the largest.",
    mutants=(
        wrong("half", "1/2 in the place of 1/4", "constant", factor=Fraction(2)),
        wrong("exchanged", "AD and FD exchanged", "predicate", {"model": "prolate 4"}, other=True),
    ),
)  # fmt: skip
def spectra(trial: Trial, scope: Scope, factor: Fraction = Fraction(1), other: bool = False) -> Outcome:
    # The model's eigenvalues, times ``factor`` or of the other method, against Nyström's.
    model = MODELS[trial.name]
    ad = (trial.method == "ad") != other
    found = model.ad_eigenvalues(COUNT, 20) if ad else model.fd_eigenvalues(COUNT, trial.h, 20)
    stated = np.array([float(factor * v.middle) for v in found])
    gap = float(np.max(np.abs(stated - nystrom(trial)[:COUNT])) / stated[0])
    detail = f"{trial.method.upper()}, h = {trial.h}: {COUNT} eigenvalues differ by {gap:.1e} of the largest"
    return Outcome(gap <= TOLERANCE, detail, margin=TOLERANCE - gap, data={"gap": gap})


CLAIMS = (spectra,)
"""Claims about exactly solvable spectra."""

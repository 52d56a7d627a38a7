"""Prints the numbers of docs/why.md and draws docs/why.svg.

    python docs/make_why.py

About a minute. tests/test_docs.py checks the limits in the text against the functions that give them.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from numerics.entropy.limit import limit_spectrum
from numerics.matrices.assemble import float_matrix, truncation_terms
from numerics.problem.problem import Problem
from theory import Convention, Law, Normal, Uniform, cutoff, entropy_gap_coefficient, truncated_entropy

TARGET = Path(__file__).resolve().parent / "why.svg"
ONE = Normal(Fraction(0), Fraction(1))
FEATURES = (50, 100, 200, 400, 1600, 6400)
DRAWS = 20
ENERGY = Convention("energy", Fraction(1, 10**6))
STYLES = {"tanh": ("#1f4e79", "o"), "erf": ("#3a7d44", "^"), "gaussian": ("#7a5195", "D"), "sin": ("#b5502f", "s")}


def of(activation: str, weights: Law = ONE, biases: Law = ONE) -> Problem:
    """u_xx by the central second difference; the step is 1, so that the leading term is its coefficient."""
    return Problem(activation_name=activation, weights=weights, biases=biases, interior=(32,), step=(Fraction(1),))


def drawn(activation: str, features: int, seed: int) -> float:
    """(H_FD / H_AD − 1) / h² to leading order for one draw: 32 points, energy rule 1e-6, power 1."""
    made = of(activation).with_(count=features, seed=seed)
    U, values, Vt = np.linalg.svd(float_matrix(made, "ad", "float64"), full_matrices=False)
    ((_, leading),) = truncation_terms(made).items()
    rates = np.einsum("ik,ij,kj->k", U, leading, Vt, optimize=True)
    r = cutoff(values.tolist(), ENERGY)
    entropy = truncated_entropy(values, ENERGY).value
    assert entropy is not None
    return float(entropy_gap_coefficient(values.tolist(), rates.tolist(), r)) / float(entropy)


def uniform(scale: float, power: int) -> float:
    """The limit for sin with w ~ U(−s, s), b ~ U(−1, 1)."""
    s = Fraction(scale)
    made = of("sin", Uniform(-s, s), Uniform(Fraction(-1), Fraction(1)))
    return limit_spectrum(made, nodes=48).gap(power).relative  # type: ignore[arg-type]


def main() -> None:
    """Tables to standard output, the figure to its file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "adfd"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    print("| activation | power 1 | power 2 |\n| --- | --- | --- |")
    limits = {}
    for activation in STYLES:
        found = limit_spectrum(of(activation))
        limits[activation] = found.gap(1).relative
        print(f"| {activation} | {found.gap(1).relative:.4f} | {found.gap(2).relative:.4f} |")
    print("\n| features | " + " | ".join(f"{a}: mean (deviation), AD larger in" for a in ("tanh", "sin")) + " |")
    print("| --- | --- | --- |")
    table = {a: [[drawn(a, m, seed) for seed in range(DRAWS)] for m in FEATURES] for a in ("tanh", "sin")}
    for k, m in enumerate(FEATURES):
        cells = []
        for rows in table.values():
            values = np.array(rows[k])
            cells.append(f"{values.mean():.3f} ({values.std(ddof=1):.3f}), {int(np.sum(values <= 0))} of {DRAWS}")
        print(f"| {m} | " + " | ".join(cells) + " |")
    for activation, rows in table.items():
        colour, marker = STYLES[activation]
        left.errorbar(
            FEATURES,
            [np.mean(row) for row in rows],
            [np.std(row, ddof=1) for row in rows],
            color=colour,
            marker=marker,
            capsize=3,
            label=f"{activation}: mean and deviation of {DRAWS} draws",
        )
        left.axhline(limits[activation], color=colour, linestyle="--", label=f"{activation}: limit")
    left.axhline(0, color="black", linewidth=0.8)
    left.set(xscale="log", xlabel="number of features M", ylabel="relative gap (H(FD)/H(AD) − 1) / h²")
    left.set_yscale("symlog", linthresh=0.02)
    left.legend(fontsize=7)
    scales = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4]
    print("\n| scale s | sin, w ~ N(0, s²) | sin, w ~ U(−s, s) |\n| --- | --- | --- |")
    normal = [limit_spectrum(of("sin", Normal(Fraction(0), Fraction(s)))).gap(1).relative for s in scales]
    bounded = [uniform(s, 1) for s in scales]
    for s, a, b in zip(scales, normal, bounded, strict=True):
        print(f"| {s} | {a:.4f} | {b:+.5f} |")
    for power in (1, 2):
        print(
            f"\nsin, w ~ U(−s, s), power {power}: the sign changes at s = {brentq(uniform, 0.5, 2, args=(power,)):.4f}"
        )
    right.plot(scales, normal, color="#b5502f", marker="s", label="sin, w ~ N(0, s²), b ~ N(0, 1)")
    right.plot(scales, bounded, color="#e0a030", marker="v", label="sin, w ~ U(−s, s), b ~ U(−1, 1)")
    right.axhline(0, color="black", linewidth=0.8)
    right.set(xlabel="weight scale s", ylabel="limit of the relative gap / h²")
    right.set_yscale("symlog", linthresh=0.001)
    right.legend(fontsize=7)
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main()

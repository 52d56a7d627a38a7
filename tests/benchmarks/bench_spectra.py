"""Certified spectra against mpmath's ``svd_r`` (gmpy2, unproven) and FLINT's rigorous ``eig`` in the same run.

Every matrix is A_AD or A_FD of random features (sine features with random rational weights unless others are named),
singular values over more than sixty decades, twelve digits asked; entries are made beforehand and not timed. The legs
run one after the other, the certified engine before and after each peer. Run as a script::

    python tests/benchmarks/bench_spectra.py                           # every leg, about two minutes
    python tests/benchmarks/bench_spectra.py --quick                   # n = 64 against the peers, growth to 128
    python tests/benchmarks/bench_spectra.py --legs mpmath --activations tanh,erf --law "normal(0, 20)" --size 96
    python tests/benchmarks/bench_spectra.py --legs growth,proof --repeat 3
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from time import process_time

import flint
import mpmath
import numpy as np
from flint import acb_mat, arb_mat

from numerics.matrices.balls import ball_entries
from numerics.problem.problem import Problem
from numerics.spectra.engine import CertifiedSpectrum, certified_singular_values
from theory.features.laws import Law, law

DIGITS = 12
MPMATH_BAR, EIG_BAR, PROOF_BAR = 7.0, 8.0, 0.30
SECONDS_BARS = {300: 10.0, 500: 60.0}
LEGS = ("mpmath", "eig", "proof", "growth")


def problem(n: int, activation: str = "sin", weights: Law | None = None, operator: str = "u_xx") -> Problem:
    """Random features; without a law, |w| <= W so that 0.64 W values are large and the others fall to 1e-60 ... 1e-110.

    Sine features with a narrow law fall faster than that, so that the default is the harder case.
    """
    if weights is not None:
        biases = law("normal(0, 1)")
        return Problem(
            operator, count=n, interior=(n,), activation_name=activation, weights=weights, biases=biases, seed=n
        )
    source = random.Random(n)
    reach = int(1000 * max(0.55 * n, (n - 85) / 0.637))
    drawn = tuple((Fraction(source.randint(-reach, reach), 1000),) for _ in range(n))
    shifts = tuple(Fraction(source.randint(-3000, 3000), 1000) for _ in range(n))
    return Problem(operator, count=n, interior=(n,), activation_name=activation, weights=drawn, biases=shifts)


class Entries:
    """Ball entries of a problem, kept by precision."""

    def __init__(self, case: Problem, method: str = "ad") -> None:
        self.make = ball_entries(case, "fd" if method == "fd" else "ad")
        self.kept: dict[int, arb_mat] = {}

    def __call__(self, bits: int) -> arb_mat:
        if bits not in self.kept:
            self.kept[bits] = self.make(bits)
        return self.kept[bits]


def ours(entries: Entries) -> CertifiedSpectrum:
    """Enclosures of all singular values."""
    return certified_singular_values(entries, DIGITS)


def by_mpmath(entries: Entries, digits: int) -> Callable[[], list[mpmath.mpf]]:
    """``svd_r``, values only, at the digits that the range needs."""
    table = entries(math.ceil(digits * math.log2(10)) + 10).tolist()
    with mpmath.workdps(digits):
        matrix = mpmath.matrix([[mpmath.mpf(x.mid().str(digits + 5, radius=False)) for x in row] for row in table])

    def run() -> list[mpmath.mpf]:
        with mpmath.workdps(digits):
            return sorted((abs(v) for v in mpmath.svd_r(matrix, compute_uv=False)), reverse=True)

    return run


def by_eig(entries: Entries, bits: int) -> Callable[[], list[flint.acb]]:
    """FLINT's rigorous eigenvalues of the ball Gram matrix; raises ValueError where it cannot isolate them."""
    with flint.ctx.workprec(bits):
        matrix = entries(bits)
        gram = acb_mat(matrix * matrix.transpose())

    def run() -> list[flint.acb]:
        with flint.ctx.workprec(bits):
            return list(gram.eig())

    return run


def timed(call: Callable[[], object], repeats: int = 1) -> tuple[float, object]:
    """Least processor time of some calls, and the last result."""
    best, result = math.inf, None
    for _ in range(repeats):
        start = process_time()
        result = call()
        best = min(best, process_time() - start)
    return best, result


def decades(found: CertifiedSpectrum) -> float:
    """log10 of the smallest over the largest singular value."""
    ratio = found.values[-1].middle / found.values[0].middle
    return math.log10(ratio.numerator) - math.log10(ratio.denominator)


def against_mpmath(entries: Entries, title: str, repeats: int) -> bool:
    """The engine before and after ``svd_r``, processor time; whether the bar is met and the values agree."""
    found = ours(entries)  # makes and keeps the entries
    span = decades(found)
    digits = math.ceil(-span) + 20
    good = True
    for _ in range(repeats):
        before, _ = timed(lambda: ours(entries), 3)
        peer, values = timed(by_mpmath(entries, digits))
        after, _ = timed(lambda: ours(entries), 3)
        mine = min(before, after)
        exact = [Fraction(int(m)) * Fraction(2) ** int(e) for m, e in (v.man_exp for v in values)]  # type: ignore[attr-defined]
        agree = all(abs(x - e.middle) <= e.middle / 10**10 for x, e in zip(exact, found.values, strict=True))
        print(
            f"{title}, range 1e{span:.0f}, {DIGITS} proven digits: {mine:.3f} s processor time; "
            f"mpmath svd_r ({digits} digits) {peer:.2f} s, ratio {peer / mine:.1f} (bar {MPMATH_BAR:.0f}); "
            f"values agree: {agree}",
            flush=True,
        )
        good = good and agree and peer / mine >= MPMATH_BAR
    return good


def against_eig(entries: Entries, title: str, repeats: int) -> bool:
    """The engine before and after FLINT's ``eig`` of A A^T, processor time; whether the bar is met."""
    span = decades(ours(entries))
    good = True
    for _ in range(repeats):
        before, _ = timed(lambda: ours(entries), 3)
        bits = math.ceil(2 * -span * math.log2(10)) + 64
        while True:
            try:
                peer, _ = timed(by_eig(entries, bits))
                break
            except ValueError:  # not isolated at this precision
                bits += bits // 8
        after, _ = timed(lambda: ours(entries), 3)
        mine = min(before, after)
        print(
            f"{title}, range 1e{span:.0f}, {DIGITS} proven digits: {mine:.3f} s processor time; "
            f"flint eig ({bits} bits) {peer:.2f} s, ratio {peer / mine:.1f} (bar {EIG_BAR:.0f})",
            flush=True,
        )
        good = good and peer / mine >= EIG_BAR
    return good


def cost_of_proof(entries: Entries, title: str, repeats: int) -> bool:
    """Time spent on bounds that only the proof needs, over the rest of the computation (median of some runs)."""
    found = [ours(entries) for _ in range(2 * repeats + 3)]
    share = float(np.median([f.proof_seconds / (f.seconds - f.proof_seconds - f.entries_seconds) for f in found]))
    print(f"{title}: proof {100 * share:.0f} % of the computation (bar {100 * PROOF_BAR:.0f} %)", flush=True)
    return share <= PROOF_BAR


def growth(sizes: tuple[int, ...]) -> bool:
    """Several sizes alone: processor time, each against its bar in seconds, and the exponent of the growth."""
    good, times = True, []
    for n in sizes:
        entries = Entries(problem(n))
        ours(entries)
        seconds, found = timed(lambda entries=entries: ours(entries))  # type: ignore[misc]
        times.append(seconds)
        bar = SECONDS_BARS.get(n)
        print(
            f"n = {n}, range 1e{decades(found):.0f}: {seconds:.2f} s processor time"  # type: ignore[arg-type]
            + (f" (bar {bar:.0f} s)" if bar else ""),
            flush=True,
        )
        good = good and (bar is None or seconds <= bar)
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    print(f"growth: n^{slope:.2f} (bar n^3)")
    return good and slope <= 3


def main(arguments: list[str]) -> int:
    """Prints the ratios; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="n = 64 against the peers, growth to 128; never fails")
    parser.add_argument("--legs", default=",".join(LEGS), help=f"some of {', '.join(LEGS)}")
    parser.add_argument("--activations", default="sin", help="names, separated by commas")
    parser.add_argument("--law", help='of the weights, such as "normal(0, 20)"; biases are then N(0, 1)')
    parser.add_argument("--operator", default="u_xx")
    parser.add_argument("--method", default="ad", choices=("ad", "fd"))
    parser.add_argument("--size", type=int, help="features and points against the peers; 128, or 64 with --quick")
    parser.add_argument("--repeat", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if os.environ.get("OMP_NUM_THREADS") != "1":  # one thread each: numpy reads this as it is loaded
        os.execve(sys.executable, [sys.executable, __file__, *arguments], {**os.environ, "OMP_NUM_THREADS": "1"})
    legs = chosen.legs.split(",")
    if not set(legs) <= set(LEGS):
        parser.error(f"--legs: some of {', '.join(LEGS)}")
    n = chosen.size or (64 if chosen.quick else 128)
    weights = law(chosen.law) if chosen.law else None
    good = []
    for name in chosen.activations.split(","):
        entries = Entries(problem(n, name, weights, chosen.operator), chosen.method)
        title = f"{name}, {weights or 'uniform, wide'}, {chosen.operator}, {chosen.method}, n = {n}"
        for leg, run in (("mpmath", against_mpmath), ("eig", against_eig), ("proof", cost_of_proof)):
            if leg in legs:
                good.append(run(entries, title, chosen.repeat))
    if "growth" in legs:
        good.append(growth((32, 64, 128) if chosen.quick else (128, 200, 300, 500)))
    return 0 if all(good) or chosen.quick else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

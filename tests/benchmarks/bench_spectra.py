"""Certified spectra against mpmath's ``svd_r`` (gmpy2, unproven) and FLINT's rigorous ``eig`` in the same run.

The matrix is A_AD of sine features with random rational weights and biases, singular values over more than sixty
decades, twelve digits asked; entries are made beforehand and not timed. Run as a script::

    python tests/benchmarks/bench_spectra.py [--quick]
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from time import perf_counter, process_time

import flint
import mpmath
import numpy as np
from flint import acb_mat, arb_mat

from numerics.ball_matrices import ball_entries
from numerics.engine import CertifiedSpectrum, certified_singular_values
from numerics.problem import Problem

DIGITS = 12
MPMATH_BAR, EIG_BAR, PROOF_BAR = 7.0, 8.0, 0.30
SECONDS_BARS = {300: 10.0, 500: 60.0}


def problem(n: int) -> Problem:
    """Sine features with |w| <= W: about 0.64 W singular values are large, the others fall to 1e-60 ... 1e-110."""
    source = random.Random(n)
    reach = int(1000 * max(0.55 * n, (n - 85) / 0.637))
    weights = tuple((Fraction(source.randint(-reach, reach), 1000),) for _ in range(n))
    biases = tuple(Fraction(source.randint(-3000, 3000), 1000) for _ in range(n))
    return Problem(count=n, interior=(n,), activation_name="sin", weights=weights, biases=biases)


class Entries:
    """Ball entries of a problem, kept by precision."""

    def __init__(self, n: int) -> None:
        self.make = ball_entries(problem(n), "ad")
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


def against_peers(n: int) -> bool:
    """One size against both peers, interleaved; whether the bars are met."""
    entries = Entries(n)
    found = ours(entries)  # makes and keeps the entries
    span = decades(found)
    first, _ = timed(lambda: ours(entries), 3)
    digits = math.ceil(-span) + 20
    mp_time, values = timed(by_mpmath(entries, digits))
    second, _ = timed(lambda: ours(entries), 3)
    bits = math.ceil(2 * -span * math.log2(10)) + 64
    while True:
        try:
            eig_time, _ = timed(by_eig(entries, bits))
            break
        except ValueError:  # not isolated at this precision
            bits += bits // 8
    mine, found = timed(lambda: ours(entries), 3)  # type: ignore[assignment]
    mine = min(mine, first, second)
    exact = [Fraction(int(m)) * Fraction(2) ** int(e) for m, e in (v.man_exp for v in values)]  # type: ignore[attr-defined]
    agree = all(abs(x - e.middle) <= e.middle / 10**10 for x, e in zip(exact, found.values, strict=True))
    share = found.proof_seconds / (found.seconds - found.proof_seconds)
    print(
        f"n = {n}, range 1e{span:.0f}, {DIGITS} proven digits: {mine:.2f} s processor time; "
        f"mpmath svd_r ({digits} digits) {mp_time:.2f} s, ratio {mp_time / mine:.1f} (bar {MPMATH_BAR:.0f}); "
        f"flint eig ({bits} bits) {eig_time:.2f} s, ratio {eig_time / mine:.1f} (bar {EIG_BAR:.0f}); "
        f"proof {100 * share:.0f} % of the computation (bar {100 * PROOF_BAR:.0f} %); values agree: {agree}",
        flush=True,
    )
    return agree and mp_time / mine >= MPMATH_BAR and eig_time / mine >= EIG_BAR and share <= PROOF_BAR


def alone(n: int) -> tuple[float, bool]:
    """One size without peers: processor time, and whether its bar in seconds is met."""
    entries = Entries(n)
    ours(entries)
    start = perf_counter()
    seconds, found = timed(lambda: ours(entries))
    wall = perf_counter() - start
    bar = SECONDS_BARS.get(n)
    span = decades(found)  # type: ignore[arg-type]
    print(
        f"n = {n}, range 1e{span:.0f}: {seconds:.2f} s processor time, {wall:.2f} s wall"
        + (f" (bar {bar:.0f} s)" if bar else ""),
        flush=True,
    )
    return seconds, bar is None or seconds <= bar


def main(arguments: list[str]) -> int:
    """Prints the ratios; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 64 against the peers, growth to 128")
    quick = parser.parse_args(arguments).quick
    if os.environ.get("OMP_NUM_THREADS") != "1":  # one thread each: numpy reads this as it is loaded
        os.execve(sys.executable, [sys.executable, __file__, *arguments], {**os.environ, "OMP_NUM_THREADS": "1"})
    good = [against_peers(64)] if quick else [against_peers(128)]
    sizes = (32, 64, 128) if quick else (128, 200, 300, 500)
    times = []
    for n in sizes:
        seconds, met = alone(n)
        times.append(seconds)
        good.append(met)
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    print(f"growth: n^{slope:.2f} (bar n^3)")
    good.append(slope <= 3)
    return 0 if all(good) or quick else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

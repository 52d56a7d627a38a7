"""How far the sign of the entropy gap is proven for *every* step of an interval: a table of limits.

Columns are numbers of features, rows cut-off rules; each entry is the share of [1/100, 1/10] that is decided within
the time allowed, with the sign where it is one and the same. Run as a script::

    python tests/benchmarks/bench_interval.py [--seconds 10] [--sizes 4,8,16,32] [--activations sin,tanh]
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction

from numerics.entropy.interval import entropy_sign_on_interval
from numerics.problem.problem import Problem
from theory.base.errors import InputError, PrecisionCapError
from theory.entropy.conventions import Convention
from theory.features.laws import law

LOW, HIGH = Fraction(1, 100), Fraction(1, 10)
CONVENTIONS = (
    Convention("fixed", rank=2),
    Convention("fixed", rank=4),
    Convention("fixed", rank=4, power=2),
    Convention("relative", tau=Fraction(1, 10**3)),
    Convention("relative", tau=Fraction(1, 10**12)),
)


def limit(activation: str, n: int, convention: Convention, seconds: float) -> str:
    """One entry of the table."""
    problem = Problem(
        count=n, interior=(n,), activation_name=activation, weights=law("normal(0, 1)"), biases=law("normal(0, 1)")
    )
    try:
        found = entropy_sign_on_interval(problem, LOW, HIGH, convention, seconds=seconds)
    except (InputError, PrecisionCapError) as error:
        return type(error).__name__
    sign = {1: "fd>ad", -1: "fd<ad", None: ""}[found.sign]
    return f"{100 * float(found.decided):.0f} % {sign}".strip()


def main(arguments: list[str]) -> int:
    """Prints one table an activation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--sizes", default="4,8,16,32")
    parser.add_argument("--activations", default="sin,tanh")
    chosen = parser.parse_args(arguments)
    sizes = [int(n) for n in chosen.sizes.split(",")]
    for activation in chosen.activations.split(","):
        print(f"{activation}, u_xx, w, b ~ N(0, 1), h in [{LOW}, {HIGH}], {chosen.seconds:g} s each")
        print(f"{'':32}" + "".join(f"{f'n = {n}':>16}" for n in sizes), flush=True)
        for convention in CONVENTIONS:
            row = [limit(activation, n, convention, chosen.seconds) for n in sizes]
            print(f"{convention.label:32}" + "".join(f"{entry:>16}" for entry in row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

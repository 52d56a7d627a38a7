"""The laws of weights and biases: characteristic functions and moments, against quadrature of their densities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from proofs_check import proof_steps
from proofs_check.claim import Profile, Scope, Step, stated, wrong
from proofs_check.claims.common import once
from proofs_check.verdicts import Outcome
from theory.exact import spell
from theory.laws import Law, law

LAWS = (
    "normal(1/3, 2)", "uniform(-1, 2)", "laplace(1/3, 2)", "cauchy(1/4, 1/2)", "student(3, 1)", "student(5, 1/2)",
    "discrete(-1, 1/2, 2)", "constant(3/2)",
)  # fmt: skip
QUADRATURE_DIGITS = 25
"""Digits of agreement asked of a characteristic function."""
MOMENTS = 8
"""Highest moment."""

_each = once(*({"law": name} for name in LAWS))


def _frequencies(scope: Scope, profile: Profile) -> Iterator[Fraction]:
    """Positive and negative, of order one."""
    yield from (Fraction(3, 4), Fraction(-5, 3))
    if profile == "full":
        yield from (Fraction(1, 10), Fraction(7, 2), Fraction(-1), Fraction(6))


def _orders(scope: Scope, profile: Profile) -> Iterator[int]:
    yield from range(MOMENTS + 1)


def _by_quadrature(one: Law, n: int) -> Any:
    """E wⁿ from the density, at two levels that must agree to 20 digits relative to E|w|ⁿ's size."""
    from mpmath import mp

    from theory.quadrature import exponential_mean, rule

    values = []
    for level in (10, 12):
        if one.moment_bound is None:
            chosen = rule(one, level)
            values.append(mp.fsum(c * s**n for s, c in zip(chosen.nodes, chosen.weights, strict=True)))
        else:
            values.append(mp.re(exponential_mean(one, n, mp.mpc(0), level)))
    return values[1] if abs(values[0] - values[1]) <= mp.mpf(10) ** -20 * max(1, abs(values[1])) else mp.nan


SCALES = (0, 1, 4, 10, 20)
"""k of the dyadic parts of E|w − c|ⁿ, over [2ᵏ, 2ᵏ⁺¹] scales, that are compared with the next."""


def _tail_ratios(one: Law, n: int) -> list[Any]:
    """∫ |w − c|ⁿ dP over [2R, 4R] divided by that over [R, 2R], R = 2ᵏ scales: all at least 1 when it diverges.

    Under Student's law |t|^(ν+1) times the density increases, so for n ≥ ν the parts do not decay; the ratio tends to
    2^(n−ν), less than 1 for n < ν.
    """
    from mpmath import mp

    from theory.quadrature import density, real

    f, centre, scale = density(one), real(one.centre), real(one.parameters[1])

    def part(k: int) -> Any:
        return mp.quad(
            lambda s: mp.exp(s) ** (n + 1) * f(centre + mp.exp(s)),
            [mp.log(scale) + (k + j) * mp.ln2 for j in (0, 1)],
            method="gauss-legendre",  # the integrand is analytic around the interval
        )

    with mp.workdps(12):
        return [part(k + 1) / part(k) for k in SCALES]


def _increases(scope: Scope) -> Outcome:
    """d/dt log(t^(ν+1) (1 + t²/ν)^(−(ν+1)/2)) = (ν + 1)ν/(t(ν + t²)), for every ν and t > 0."""
    import sympy as sp

    t, nu = sp.symbols("t nu", positive=True)
    weight = (nu + 1) * sp.log(t) - (nu + 1) / 2 * sp.log(1 + t**2 / nu)
    stated = (nu + 1) * nu / (t * (nu + t**2))
    return proof_steps.identity(weight.diff(t), stated, {t: (Fraction(1, 8), 9), nu: (1, 9)})


@stated(
    "laws.characteristic-functions",
    title="Characteristic functions of the laws",
    family="kernels",
    source="classical",
    predicate=f"{QUADRATURE_DIGITS} digits after the point against quadrature of the density (Ooura and Mori's rule "
    "for heavy tails)",
    kind="sampled",
    scopes=_each,
    instances=_frequencies,
    derivation=(
        Step(r"Student, $\nu = 2k+1$: $\varphi(t) = P_k(\sqrt\nu|t|)e^{-\sqrt\nu|t|}$, $P_1 = 1 + s$, "
             r"$P_2 = 1 + s + s^2/3$", "Bessel functions of half-integer order"),
    ),
    describe=lambda t: {"t": spell(t)},
    mutants=(
        wrong("conjugate", "E e^(−itw)", "sign", change=lambda t: -t),
        wrong("scale", "half the scale", "constant", {"law": "student(3, 1)"}, change=lambda t: t / 2),
        wrong("twice", "2 φ", "constant", {"law": "cauchy(1/4, 1/2)"}, factor=2),
    ),
)  # fmt: skip
def characteristic_functions(
    t: Fraction, scope: Scope, change: Callable[[Fraction], Fraction] = lambda t: t, factor: int = 1
) -> Outcome:
    r"""$\varphi(t) = E\,e^{itw}$ in closed form for one law each of the families normal, uniform, Laplace, Cauchy,
    Student with $\nu = 3, 5$, discrete and constant, to 25 digits at $t = 3/4$ and $-5/3$ (full: six $t$).
    """
    # φ(change(t)) · factor against E e^{itw} by quadrature, at the first level that reaches the digits or at the
    # last.
    import sympy as sp
    from mpmath import mp

    from theory.kernels.evaluation import evaluate
    from theory.quadrature import exponential_mean, real

    one = law(scope["law"])
    moved = change(t)
    closed = sp.expand_complex(one.characteristic_function(sp.Rational(moved.numerator, moved.denominator)))
    parts = [factor * part for part in closed.as_real_imag()]
    digits = 0.0
    with mp.workdps(36):
        claimed = mp.mpc(*(evaluate(part, {}) for part in parts))
        for level in range(8, 16):
            gap = abs(exponential_mean(one, 0, mp.mpc(0, real(t)), level) - claimed)
            digits = float(-mp.log10(gap)) if gap else 36.0
            if digits >= QUADRATURE_DIGITS or (digits < 5 and level > 9):
                break  # reached, or out of reach of a finer rule
    return Outcome(digits >= QUADRATURE_DIGITS, f"t = {t}: {digits:.1f} digits after the point",
                   margin=digits - QUADRATURE_DIGITS, data={"t": spell(t), "digits": digits})  # fmt: skip


@stated(
    "laws.moments",
    title="Moments of the laws, and which are infinite",
    family="kernels",
    source="classical",
    predicate="20 digits of agreement with quadrature of the density; where no moment is stated, the parts of "
    r"$E|w - c|^n$ over $[2^k, 2^{k+1}]$ scales do not fall to the next at $k = 0, 1, 4, 10, 20$, and grow by $2^{n-\nu}$ at the "
    r"last; that they never fall follows from the density (derivation)",
    kind="sampled",
    scopes=_each,
    instances=_orders,
    derivation=(
        Step(r"$t^{\nu+1}(1 + t^2/\nu)^{-(\nu+1)/2}$ increases: its logarithm has the slope $(\nu+1)\nu/(t(\nu + t^2)) > 0$; so "
             r"for $n \ge \nu$ the parts of $E|w - c|^n$ over $[2^kR, 2^{k+1}R]$ do not decrease in $k$", "differentiation", "identity",
             _increases),
    ),
    describe=lambda n: {"n": n},
    mutants=(
        wrong("central", "odd moments vanish", "sign", change=lambda value, n: Fraction(0) if n % 2 else value),
        wrong("variance", "twice the second moment", "constant", {"law": "laplace(1/3, 2)"},
            change=lambda value, n: 2 * value if n == 2 else value),
        wrong("one-less", "Student's moments end one order earlier", "exponent", {"law": "student(5, 1/2)"}, bound=1),
    ),
)  # fmt: skip
def moments(
    n: int, scope: Scope, change: Callable[[Fraction, int], Fraction] = lambda value, n: value, bound: int = 0
) -> Outcome:
    r"""For the laws of the cells and $n \le 8$, $E\,w^n$ is the stated rational, and $E|w|^n$ infinite exactly for $n
    \ge \nu$ under Student's law, $\nu = 3, 5$, and Cauchy's, $\nu = 1$ (there the parts of $E|w - c|^n$ over dyadic
    scales do not decay).
    """
    # E wⁿ, changed, against quadrature; where the moment is said not to exist, dyadic parts of it do not decay, and
    # grow like 2^(n−ν) in the end. ``bound`` moves the order up to which moments are claimed to exist.
    from mpmath import mp

    from theory.quadrature import real

    one = law(scope["law"])
    claimed = one.moment(n)
    with mp.workdps(36):
        if claimed is None or (bound and one.moment(max(0, n + bound)) is None):
            ratios = [float(r) for r in _tail_ratios(one, n)]
            least, limit = min(ratios), 2.0 ** float(n - (one.moment_bound or 0))
            return Outcome(
                least >= 1 - 1e-9 and abs(ratios[-1] / limit - 1) <= 1e-9,
                f"n = {n}: said to be infinite; dyadic parts grow by {least:.4f} at least, {ratios[-1]:.4f} at last",
                margin=least - 1,
                data={"n": n},
            )
        stated = change(claimed, n)
        gap = abs(_by_quadrature(one, n) - real(stated)) / max(1, abs(real(stated)))
    holds = bool(gap <= mp.mpf(10) ** -20)
    return Outcome(holds, f"n = {n}: E wⁿ = {spell(stated)}, off by {float(gap):.1e}", data={"n": n})


CLAIMS = (characteristic_functions, moments)
"""Claims about laws."""

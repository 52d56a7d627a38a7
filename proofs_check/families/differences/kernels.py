"""Kernels of random features, and the laws of their weights and biases, against quadrature of the densities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache, partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

from proofs_check.claims import steps
from proofs_check.claims.claim import Profile, Scope, Step, misproved, stated, wrong
from proofs_check.claims.comparisons import once
from proofs_check.claims.verdicts import Outcome
from theory.base.errors import NonexistenceError
from theory.base.exact import spell
from theory.features.laws import Law, law
from theory.operators.operator import StencilChoice

if TYPE_CHECKING:
    import sympy

    from theory.kernels.kernel import KernelDerivation, Kind

DIGITS = 25
"""Digits to which a closed form must agree with the quadrature."""
OFF, ON = (Fraction(3, 7), Fraction(-2, 9)), (Fraction(5, 8), Fraction(5, 8))
"""Points at which closed forms are judged: other ones than those of the derivation's own verification."""

QUICK = (
    ("sin", "normal(1/2, 1)", "normal(0, 1)"),
    ("sin", "cauchy(0, 1)", "normal(0, 1)"),
    ("cos", "laplace(0, 1/2)", "normal(0, 1)"),
    ("gaussian", "normal(0, 1)", "normal(0, 1)"),
    ("erf", "normal(0, 1)", "normal(0, 1/2)"),
    ("relu", "normal(0, 1)", "normal(0, 1)"),
    ("tanh", "discrete(1, 2)", "uniform(-1, 1)"),
    ("z**3 - 2*z", "laplace(0, 1)", "uniform(-1, 2)"),
)
"""One of each route and law."""
FULL = (
    ("sin", "uniform(-2, 3)", "uniform(-1, 2)"),
    ("sin", "student(5, 1/2)", "normal(0, 1)"),
    ("cos", "student(3, 1)", "uniform(-1, 1)"),
    ("z*exp(-z**2/2)", "normal(0, 1)", "normal(1, 1)"),
    ("gelu", "normal(0, 1)", "normal(0, 1)"),
    ("relu2", "normal(0, 1)", "normal(0, 1)"),
    ("step", "normal(0, 1)", "normal(0, 1)"),
    ("sin", "discrete(1, -1/2, 3)", "laplace(1/3, 1)"),
    ("exp", "normal(0, 1/2)", "uniform(-1, 1)"),
    ("(1-z**2)*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)"),
    ("cos(3*z)*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)"),
    ("relu", "normal(0, 1)", "constant(0)"),
    ("relu2", "discrete(1, -1/2)", "uniform(-1, 2)"),
    ("sigmoid", "constant(-2)", "uniform(-1, 3)"),
)
EXPENSIVE = (
    ("gaussian", "cauchy(0, 1)", "normal(0, 1)"),
    ("gaussian", "uniform(-1, 2)", "normal(0, 1)"),
    ("relu", "normal(0, 1)", "uniform(-1, 1)"),
)
"""Closed forms whose reference is a product rule of seconds: in the full profile."""


DERIVED = ("theory.kernels.derive.derive_kernel",)
"""What claims about kernels judge."""


@lru_cache(maxsize=256)
def kernel(
    activation: str,
    weights: str,
    biases: str,
    operator: str | None = None,
    stencil: tuple[str, int] | None = None,
    step: Fraction | None = None,
) -> KernelDerivation:
    """A derived kernel, not verified: verifying it is what the claims are for."""
    from theory.kernels.derive import derive_kernel

    choice = StencilChoice(*stencil) if stencil else None
    return derive_kernel(activation, weights, biases, operator, choice, step, verify=False)


def value(derived: KernelDerivation, kind: Kind, x: Fraction, y: Fraction, digits: int) -> Any:
    """K, K_AD or K_FD at two points as an mpmath number.

    Raises:
        NonexistenceError: K_AD is infinite there.
    """
    found = derived.value(kind, x, y, digits)
    if found is None:
        raise ArithmeticError(f"{kind} was not asked for when the kernel was derived")
    return found


def _law_cells(profile: Profile) -> tuple[Scope, ...]:
    chosen = QUICK if profile == "quick" else QUICK + FULL + EXPENSIVE
    return tuple({"activation": a, "weights": w, "biases": b} for a, w, b in chosen)


def _of(scope: Scope) -> tuple[str, str, str]:
    return scope["activation"], scope["weights"], scope["biases"]


def _wanted(derived: KernelDerivation) -> list[tuple[Kind, Fraction, Fraction]]:
    found: list[tuple[Kind, Fraction, Fraction]] = [("K", *OFF), ("K", *ON)]
    try:
        derived.require_existence()
    except NonexistenceError:
        return found
    return [*found, ("K_AD", *OFF)]


def _agreement(
    derived: KernelDerivation, values: list[Any], products: list[Any], wanted: int, symmetric: bool
) -> tuple[float, str]:
    """Digits to which values agree with the expectations of these products by quadrature, and how those were found.

    The expectations know the densities and the activation alone.  Rules get finer until the digits are reached, or no
    longer grow; where there are more values than products, they are compared with them in turn.
    """
    from mpmath import mp

    from theory.kernels.oracle import multivariate as references
    from theory.kernels.oracle.quadratures import derivative_table, form_of

    form, w, b = form_of(derived.activation), derived.weights, derived.biases
    table, digits = derivative_table(derived.activation), -math.inf
    for level in references.levels(form, w, b, order=2):
        exact = references.reference(form, table, w, b, products, level, symmetric=symmetric)
        gap = max(abs(v - r) / abs(r) if r else abs(v) for v, r in zip(values, cycle(exact), strict=False))
        better = float(-mp.log10(gap)) if gap else 36.0
        if better >= wanted or better < digits + 1:  # reached, or a finer rule no longer helps
            digits = max(digits, better)
            break
        digits = better
    return digits, references.method(form, w, b)


MOMENT_DIGITS = 20
"""Digits to which K_AD agrees with an expectation of products of derivatives of σ."""


def _cube(K: sympy.Expr) -> sympy.Expr:
    """K³: of the bump, Δ^(−3/2) in the place of Δ^(−1/2)."""
    return K**3


def _dominated(scope: Scope) -> Outcome:
    """Differentiation under the expectation: K_AD is finite at generic points and on the diagonal."""
    derived = kernel(*_of(scope), "u_xx")

    def exists(points: tuple[Fraction, Fraction] | None) -> bool:
        try:
            derived.require_existence(*(((v,) for v in points) if points else ()))
        except NonexistenceError:
            return False
        return True

    return steps.theorem(
        "dominated convergence",
        [("E (Lφ)² is finite on the diagonal", exists(None)), (f"E Lφ Lφ' is finite at {OFF}", exists(OFF))],
    )


def _enclosed(scope: Scope, orders: tuple[int, int]) -> Outcome:
    """K_AD and the differentiated K in ball arithmetic: what the expansion says of them is not taken on trust."""
    import sympy as sp

    derived = kernel(*_of(scope), "u_xx")
    x, y = derived.symbols
    differentiated = sp.diff(derived.K, x, orders[0], y, orders[1])
    holds, detail = steps.agreement(derived.K_AD, differentiated, {x: (-1, 1), y: (-1, 2)})
    return Outcome(holds, detail, certified=True)


_BUMP = {"activation": "gaussian", "weights": "normal(0, 1)", "biases": "normal(0, 1)"}


@stated(
    "kernels.closed-forms",
    title="Closed forms of kernels",
    source="ours",
    predicate="25 digits of agreement with quadrature of the definition (densities and activation alone), off and "
    "on the diagonal, at other points than those of the derivation's own verification",
    kind="sampled",
    scopes=_law_cells,
    instances=lambda scope, profile: (_of(scope),),
    judges=DERIVED,
    mutants=(
        wrong("half", "half of it", "constant",
            {"activation": "z**3 - 2*z", "weights": "laplace(0, 1)", "biases": "uniform(-1, 2)"}, factor=(1, 2)),
        wrong("sign", "the other sign", "sign",
            {"activation": "tanh", "weights": "discrete(1, 2)", "biases": "uniform(-1, 1)"}, factor=(-1, 1)),
        wrong("twentieth-digit", "wrong by 1e-20", "constant", exponent=20),
    ),
)  # fmt: skip
def closed_forms(
    names: tuple[str, str, str], scope: Scope, factor: tuple[int, int] = (1, 1), exponent: int = 0
) -> Outcome:
    r"""The derived closed forms of $K(x,y) = E\,\sigma(wx+b)\,\sigma(wy+b)$, and of $K_{AD}$ for $\partial^2$ where it
    exists, are right, for the activations and laws of the cells, to 25 digits at the points tested.
    """
    # The closed form, times ``factor`` (a fraction) and 1 + 10^−exponent, against quadrature of the definition.
    from mpmath import mp

    derived = kernel(*names, "u_xx")
    if not derived.closed:
        return Outcome(False, "there is no closed form")
    wanted = _wanted(derived)
    with mp.workdps(36):
        scale = mp.mpf(factor[0]) / factor[1] * (1 + mp.mpf(10) ** -exponent if exponent else 1)
        values = [scale * value(derived, kind, x, y, 34) for kind, x, y in wanted]
        products = [derived.features(kind, (x,), (y,)) for kind, x, y in wanted]
        digits, method = _agreement(derived, values, products, DIGITS, derived.activation.parity is not None)
    kinds = "K and K_AD" if len(wanted) == 3 else "K (K_AD is not compared)"
    detail = f"{kinds}: {digits:.1f} digits by {derived.route.lower()} against {method}"
    return Outcome(digits >= DIGITS, detail, margin=digits - DIGITS, data={"digits": digits})


@stated(
    "kernels.derivatives",
    title="The kernel of the exact features is the differentiated kernel",
    source="classical (dominated convergence)",
    predicate=r"$K_{AD}$, and $\partial_x^2\partial_y^2K$ differentiated here, both agree to "
    f"{MOMENT_DIGITS} digits with "
    r"$E\,w^4\sigma''(wx+b)\,\sigma''(wy+b)$, by quadrature of the densities and of $\sigma''$ alone, off and on the "
    "diagonal",
    kind="sampled",
    scopes=once(
        *({"activation": a, "weights": w, "biases": b} for a, w, b in (
            ("sin", "normal(1/2, 1)", "normal(0, 1)"),
            ("gaussian", "normal(0, 1)", "normal(0, 1)"),
            ("z**3 - 2*z", "laplace(0, 1)", "uniform(-1, 2)"),
        ))
    ),
    instances=lambda scope, profile: (_of(scope),),
    derivation=(
        Step(r"$L_xL_y E\,\sigma(wx+b)\,\sigma(wy+b) = E\,L\varphi(x)\,L\varphi(y)$", "dominated convergence",
             "theorem", _dominated),
        Step(r"the closed $K_{AD}$ and the differentiated closed $K$ have the same values (of $K$ itself this says "
             r"nothing)", "ball arithmetic at points of $[-1,1]\\times[-1,2]$",
             "identity", partial(_enclosed, orders=(2, 2))),
    ),
    statement=r"For $L = \partial^2$ and three families ($\sin$ with $w \sim N(1/2, 1)$, $b \sim N(0, 1)$; $e^{-z^2/2}$ with "
    r"$w, b \sim N(0, 1)$; $z^3 - 2z$ with Laplace weights and uniform biases) $K_{AD} = L_xL_yK$: differentiation and "
    rf"expectation commute, to {MOMENT_DIGITS} digits at two pairs of points.",
    judges=DERIVED,
    mutants=(
        misproved("third", r"the second step has $\partial_x^3\partial_y$", "predicate", 2, check=partial(_enclosed, orders=(3, 1))),
        wrong("one-side", "L acts at x alone", "order", orders=(2, 0)),
        wrong("sign", "the other sign", "sign", _BUMP, sign=-1),
        wrong("wrong-kernel", r"K is $\Delta^{-3/2}$ for the bump, and $K_{AD}$ its derivative", "exponent", _BUMP,
            change=_cube),
    ),
)  # fmt: skip
def derivatives(
    names: tuple[str, str, str],
    scope: Scope,
    orders: tuple[int, int] = (2, 2),
    sign: int = 1,
    change: Callable[[sympy.Expr], sympy.Expr] | None = None,
) -> Outcome:
    # K_AD and ∂ˣ∂ʸK of the given orders, both at points, against E w⁴ σ''(wx + b) σ''(wy + b) by quadrature, which
    # knows neither K nor its derivatives. ``change`` is made to K, and K_AD derived from it, for a mutant.
    import sympy as sp
    from mpmath import mp

    from theory.kernels.evaluation import to_digits

    derived = kernel(*names, "u_xx")
    x, y = derived.symbols
    K = change(derived.K) if change else derived.K
    forms = (sp.diff(K, x, 2, y, 2) if change else derived.K_AD, sign * sp.diff(K, x, orders[0], y, orders[1]))
    with mp.workdps(36):
        products = [derived.features("K_AD", (p,), (q,)) for p, q in (OFF, ON)]
        values = [to_digits(form, {x: p, y: q}, 30) for form in forms for p, q in (OFF, ON)]
        digits, method = _agreement(derived, values, products, MOMENT_DIGITS, symmetric=False)
    detail = f"K_AD and ∂ˣ∂ʸK agree with E Lφ(x) Lφ(y) to {digits:.1f} digits, by {method}"
    return Outcome(digits >= MOMENT_DIGITS, detail, margin=digits - MOMENT_DIGITS, data={"digits": digits})


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

    from theory.base.quadrature import exponential_mean, rule

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

    from theory.base.quadrature import density, real

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
    return steps.identity(weight.diff(t), stated, {t: (Fraction(1, 8), 9), nu: (1, 9)})


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
    judges=(Law.characteristic_function,),
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

    from theory.base.quadrature import exponential_mean, real
    from theory.kernels.evaluation import evaluate

    one = law(scope["law"])
    moved = change(t)
    closed = sp.expand_complex(one.characteristic_function(sp.Rational(moved)))
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
    judges=(Law.moment,),
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

    from theory.base.quadrature import real

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


CLAIMS = (characteristic_functions, moments, closed_forms, derivatives)

"""Singular values of A_AD and A_FD in exact arithmetic: the sine factorisation and its orderings.

Every instance is a matrix with exact rational data; entries and singular values are FLINT balls, so what holds here
is certified for the stated instances, and what fails has a certified witness.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import flint

from numerics.arithmetic.balls import ball, from_ball
from numerics.matrices.balls import ball_entries
from numerics.problem.drawn import boundary_rows, features
from numerics.problem.problem import METHODS, Boundary, Problem
from numerics.spectra.spectrum import spectrum
from proofs_check.claims import steps as proof_steps
from proofs_check.claims.claim import (
    Assumption,
    Mutant,
    Profile,
    Request,
    Scope,
    Step,
    instead,
    misproved,
    stated,
    weaker,
    wrong,
)
from proofs_check.claims.comparisons import below, both_spectra, every, once, problem, same, seeds, witness
from proofs_check.claims.verdicts import Outcome
from theory.operators.operator import StencilChoice
from theory.stencils import Stencil, central
from theory.stencils.symbol import symbol

PRECISION = 256
"""Bits at which entries are compared."""
NEAR = Fraction(1, 10**40)
"""Entries that are this near agree."""


def _stencil(instance: Problem) -> Stencil:
    """The stencil of the operator's derivative (the only one, for a homogeneous operator in one dimension)."""
    return next(term.stencil for term in instance.difference.terms if term.stencil is not None)


def symbol_factors(instance: Problem) -> list[flint.arb]:
    """m(h w_j) of each feature, as balls: the symbol of a symmetric 1-D stencil, at the precision in force.

    ``m(θ) = Σ c_k e^{i s_k θ} / (iθ)^m`` is real for a symmetric stencil; m(0) = 1.
    """
    stencil, h = _stencil(instance), instance.h
    m = stencil.derivative
    factors = []
    for (w,) in features(instance).weights:
        if w == 0:
            factors.append(flint.arb(1))
            continue
        waves = [ball(h * w * s) for s in stencil.offsets]
        total = sum(
            (ball(c) * (t.sin() if m % 2 else t.cos()) for c, t in zip(stencil.weights, waves, strict=True)),
            flint.arb(0),
        )
        power = math.prod([ball(h * w)] * m, start=flint.arb(1))
        factors.append((-1 if m % 4 in (2, 3) else 1) * total / power)
    return factors


_interior_only = Assumption("interior rows only", lambda p: not p.boundary)
SINUSOID = Assumption(r"$\sigma = \sin$ or $\cos$", lambda p: p.activation.name in {"sin", "cos"})
_homogeneous = Assumption("$L$ has constant coefficients and one order", lambda p: p.operator.is_homogeneous)
_symmetric = Assumption("the stencil is symmetric, so that its symbol is real", lambda p: p.difference.is_symmetric)
CENTRAL = Assumption(
    r"the stencil is a standard central one, so that $|m| \le 1$",
    lambda p: p.stencil.offsets is None and p.stencil.name == "central",
)
_second_order = Assumption(
    "the stencil is the central one of order 2",
    lambda p: p.stencil.offsets is None and (p.stencil.name, p.stencil.order) == ("central", 2),
)
SINE = (_interior_only, SINUSOID, _homogeneous, _symmetric)


def _sine_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    """Draws that meet the hypotheses, then draws that miss one each: only the former count, unless one is dropped."""
    operator = scope.get("operator", "u_xx")
    for seed in seeds(profile, 6, 20):
        order = int(scope.get("order", "2"))
        base = problem(
            scope["activation"], seed=seed, size=8, scale=3, step=Fraction(1, 5), operator=operator, order=order
        )
        yield base
        if seed < 2:  # fewer and more points than features
            yield base.with_(interior=((5,), (12,))[seed])
        yield base.with_(activation_name="tanh")
        yield base.with_(boundary=(Boundary("all", 2),))
        for small in range(8 * seed, 8 * seed + 8):  # small stacks, where boundary rows do break the order now and then
            yield _stack(scope["activation"], small)
        yield base.with_(stencil=StencilChoice("forward", 2))
        yield base.with_(operator_text=f"{operator} - 4*u")
        yield base.with_(stencil=StencilChoice(offsets=_stretched(operator)))


def _stack(activation: str, seed: int) -> Problem:
    """Three interior and two boundary rows, three features, a coarse step."""
    return problem(activation, seed=seed, size=3, scale=3, step=Fraction(1, 2), boundary=2)


def _stretched(operator: str) -> tuple[Fraction, ...]:
    """A symmetric stencil that is not minimal, with |m| > 1 somewhere: widely spaced extra nodes."""
    reach = 2 if operator.count("x") <= 2 else 3
    inner = [Fraction(k) for k in range(-reach, reach + 1)]
    return tuple(sorted({*inner, Fraction(9, 2), Fraction(-9, 2)}))


def boundary_count(instance: Problem) -> int:
    """N_b, the number of boundary rows."""
    return sum(len(rows.points) for rows in boundary_rows(instance))


def _ordered(instance: Problem, direction: int, shift: int = 0) -> Outcome:
    """σ_{k+s}(FD) ≤ σ_k(AD) for every k (direction −1), or ≥ (direction +1), with the ``shift`` s."""
    ad, fd = (spectrum(instance, method, "exact") for method in METHODS)
    pairs = list(zip(ad.values, fd.values[shift:], strict=False))
    if not pairs:
        return Outcome(None, "no index is left")
    decisions = [below(f, a) if direction < 0 else below(a, f) for a, f in pairs]
    ratios = [float(f.middle / a.middle) if a.lower > 0 else math.inf for a, f in pairs]
    extreme = (max if direction < 0 else min)(ratios)
    broken = next((k + 1 for k, d in enumerate(decisions) if d.holds is False), None)
    detail = f"σ_k(FD)/σ_k(AD) from {min(ratios):.6g} to {max(ratios):.6g}"
    if broken is not None:
        detail = f"index {broken} of {len(decisions)} breaks the order; {detail}"
    return Outcome(every(decisions), detail, margin=direction * (extreme - 1))


def requests(instance: Problem, scope: Scope) -> tuple[Request, ...]:
    """Both spectra of an instance."""
    return both_spectra(instance)


def _boundary_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    """Draws with boundary rows, then two systems that miss a hypothesis: these count only where it is dropped."""
    first = scope == _sine_cells(profile)[0]
    changes = {"operator_text": scope["operator"], "stencil": StencilChoice("central", int(scope["order"]))}
    for seed in range(40 if profile == "quick" and first else 12 if profile == "quick" else 200):
        step = (Fraction(1, 2), Fraction(1), Fraction(1, 10))[seed % 3]
        yield _stack(scope["activation"], seed).with_(step=(step,), **changes)
    for seed in seeds(profile, 6 if first else 2, 20):
        large = problem(scope["activation"], seed=seed, size=10, scale=3, step=Fraction(1, 4), boundary=2)
        yield large.with_(**changes)
        yield _stack(scope["activation"], seed).with_(boundary=(Boundary("x-", 1),), **changes)
    if not first:
        return
    yield _near_diagonal("sin", Fraction(2), (Fraction(0), Fraction(11, 7)), Fraction(11, 14), Fraction(0)).with_(
        stencil=StencilChoice("forward", 2)
    )
    yield _near_diagonal("exp(z) - exp(-z)", Fraction(3), (Fraction(3), Fraction(-3)), Fraction(1), Fraction(-1))


def _near_diagonal(
    activation: str, w: Fraction, biases: tuple[Fraction, Fraction], first: Fraction, second: Fraction
) -> Problem:
    """Two features of one frequency, each (nearly) 0 at the point of the other, above a boundary row of weight 10⁻¹²."""
    return Problem(
        activation_name=activation,
        weights=((w,), (w,)),
        biases=biases,
        count=2,
        interior=((first,), (second,)),
        boundary=(Boundary("x-", 1, weight=Fraction(1, 10**12)),),
        step=(Fraction(3, 4),),
    )


def _single(activation: str, w: Fraction, b: Fraction, h: Fraction) -> Problem:
    """One feature at the point 0."""
    return Problem(
        activation_name=activation, weights=((w,),), biases=(b,), count=1, interior=((Fraction(0),),), step=(h,)
    )


def _exponential_instances(scope: Scope, profile: Profile) -> Iterator[Problem]:
    """Draws that meet the hypotheses, then systems that miss one each: these count only where it is dropped."""
    for seed in seeds(profile, 6, 20):
        for step in (Fraction(1, 4), Fraction(1, 2), Fraction(1, 20)):
            yield problem("exp", seed=seed, size=6, scale=2, step=step)
    one = _single("exp", Fraction(8), Fraction(0), Fraction(1, 4))
    yield one.with_(stencil=StencilChoice("central", 4))  # the factor of order 4 at wh = 2 is 0.745
    # Above a boundary row the two columns become nearly parallel when the first interior entry grows by its factor.
    weights = ((Fraction(-4),), (Fraction(9, 20),))
    yield one.with_(weights=weights, biases=(Fraction(0),) * 2, count=2, boundary=(Boundary("x-", 1),))


def _one_by_one_fourth(scope: Scope, profile: Profile) -> Iterator[Problem]:
    return (p.with_(stencil=StencilChoice("central", 4)) for p in _one_by_one(scope, profile))


def _one_by_one(scope: Scope, profile: Profile) -> Iterator[Problem]:
    """1 × 1 matrices: feature w = 1, b = u at the point x = 0, step h."""
    for u in (Fraction(1, 4), Fraction(1), Fraction(2), Fraction(3)):
        for h in (Fraction(1, 2), Fraction(1, 10)):
            yield _single(scope["activation"], Fraction(1), u, h)


_sine_cells = once(
    {"activation": "sin", "operator": "u_xx", "order": "2"},
    {"activation": "cos", "operator": "u_xx", "order": "2"},
    {"activation": "sin", "operator": "u_x", "order": "2"},
    {"activation": "sin", "operator": "u_xx", "order": "4"},
    {"activation": "cos", "operator": "u_xxxx", "order": "2"},
)


def _of_cell(scope: Scope) -> Stencil:
    """The central stencil of a cell."""
    return central(len(scope["operator"]) - len("u_"), int(scope["order"]))


def _euler(scope: Scope) -> Outcome:
    """sin = (e^{iz} − e^{−iz})/2i and cos = (e^{iz} + e^{−iz})/2."""
    import sympy as sp

    z = sp.Symbol("z", real=True)
    wave, back = sp.exp(sp.I * z), sp.exp(-sp.I * z)
    one, other = {"sin": (sp.sin(z), (wave - back) / (2 * sp.I)), "cos": (sp.cos(z), (wave + back) / 2)}[
        scope["activation"]
    ]
    return proof_steps.identity(one, other, {z: (-9, 9)})


def _insert(shift: int) -> proof_steps.Check:
    """h^−m Σ c_k e^{iw(x + s_k h)} = m(hw) (iw)^m e^{iwx}, m from the closed form of the symbol; ``shift`` scales hw."""

    def check(scope: Scope) -> Outcome:
        import sympy as sp

        s = _of_cell(scope)
        h, w, x = sp.symbols("h w x", positive=True)
        found = symbol(s)
        (theta,) = found.variables
        total = sp.Add(
            *(
                sp.Rational(c.numerator, c.denominator) * sp.exp(sp.I * w * (x + int(k) * h))
                for k, c in zip(s.offsets, s.weights, strict=True)
            )
        )
        closed = found.expression.subs(theta, shift * h * w) * (sp.I * w) ** s.derivative * sp.exp(sp.I * w * x)
        box = {h: (Fraction(1, 8), 1), w: (Fraction(1, 4), 3), x: (Fraction(1, 8), 1)}
        return proof_steps.identity(total / h**s.derivative, closed, box)

    return check


def _sinhc(scope: Scope) -> Outcome:
    """(e^t − 2 + e^−t)/t² = (sinh(t/2)/(t/2))², and sinh s ≥ s for s ≥ 0 by its derivative."""
    import sympy as sp

    t = sp.Symbol("t", positive=True)
    box = {t: (Fraction(1, 8), 3)}
    factor = (sp.exp(t) - 2 + sp.exp(-t)) / t**2
    half = (sp.exp(t / 2) - sp.exp(-t / 2)) / 2
    rest = (sp.exp(t) - sp.exp(-t)) / 2 - t
    return proof_steps.every(
        (
            ("the factor", proof_steps.identity(factor, (half / (t / 2)) ** 2, box)),
            ("(sinh t − t)'", proof_steps.identity(rest.diff(t), 2 * half**2, box)),
            ("at 0", proof_steps.equal([(rest.subs(t, 0), 0)], "sinh t − t at 0")),
        )
    )


def _pairs(scope: Scope) -> Outcome:
    """c_{−k} = (−1)^m c_k exactly."""
    s = _of_cell(scope)
    weight = dict(zip(s.offsets, s.weights, strict=True))
    return proof_steps.equal(((weight[-k], (-1) ** s.derivative * c) for k, c in weight.items()), "c_{-k} = ± c_k")


_FACTOR_PROOF = (
    Step(r"$\sigma(w x + b)$ is the imaginary (real) part of $e^{i(w x + b)}$", "definition of sin and cos",
         "identity", _euler),
    Step(r"$D_h e^{i w x} = m(h w)\,(i w)^m e^{i w x}$, $m(\theta) = \sum_k c_k e^{i s_k\theta}/(i\theta)^m$",
         "insert the exponential into the difference", "identity", _insert(1)),
    Step(r"$m$ is real for a symmetric stencil, so it passes through real and imaginary parts",
         "nodes come in pairs $\\pm s_k$ with weights $c_k = \\pm c_{-k}$", "identity", _pairs),
)  # fmt: skip

_ANY = weaker("any-activation", "the activation need not be sin or cos", "sin")
_WITH_BOUNDARY = weaker("with-boundary", "boundary rows are allowed", "interior")


@stated(
    "spectra.sine-factorisation",
    title="Sine features: FD is AD times the symbol",
    source="ours",
    predicate="every entry of the difference is a ball around 0 of size below $10^{-40}$; eight features, 5, 8 and 12 points, "
    r"$w \sim N(0, 9)$, $h = 1/5$",
    kind="ball",
    scopes=_sine_cells,
    instances=_sine_instances,
    assumptions=SINE,
    derivation=_FACTOR_PROOF,
    describe=witness,
    judges=(ball_entries,),
    mutants=(
        wrong("shifted-symbol", "the symbol is larger by 1e-6", "constant", shift=Fraction(1, 10**6)),
        misproved("double-argument", r"the second step has $m(2hw)$", "predicate", 2, check=_insert(2)),
        _ANY,
        _WITH_BOUNDARY,
        weaker("mixed-orders", "L may have terms of several orders", "one order"),
    ),
)
def sine_factorisation(instance: Problem, scope: Scope, shift: Fraction = Fraction(0)) -> Outcome:
    r"""For sine or cosine features, interior rows, $L = \partial^m$ and a symmetric stencil of it (checked: central, for sine
    $m = 1, 2$ at order 2 and $m = 2$ at order 4, for cosine $m = 2, 4$ at order 2, and one with extra nodes each) the finite
    difference factorises exactly: $A_{FD} = A_{AD}\,\mathrm{diag}(m(h w_j))$ with the Fourier symbol $m$ of the stencil."""
    with flint.ctx.workprec(PRECISION):
        ad, fd = (ball_entries(instance, method)(PRECISION) for method in METHODS)
        factors = [f + ball(shift) for f in symbol_factors(instance)]
        worst = flint.arb(0)
        for i in range(ad.nrows()):
            for j in range(ad.ncols()):
                gap = fd[i, j] - ad[i, j] * factors[j]
                if not gap.contains(0):
                    detail = f"entry ({i}, {j}) differs by {float(abs(gap).mid()):.3g}"
                    return Outcome(same(gap, 0), detail, data={"entry": [i, j]})
                worst = worst.max(abs(gap))
    # Containment of zero in a wide ball would show nothing: the balls must be far smaller than the entries.
    bound = float(worst.upper())
    return Outcome(below(worst, NEAR), f"all entries agree within {bound:.1e}", margin=1e-40 - bound)


@stated(
    "spectra.sine-ordering",
    title="Sine features: FD lies under AD at every index",
    source="ours, from Ostrowski (1959)",
    predicate=r"certified enclosures satisfy $\overline{\sigma_k(A_{FD})} \le \underline{\sigma_k(A_{AD})}$ "
    r"for all $k$; eight features, 5, 8 and 12 points, $w \sim N(0, 9)$, $h = 1/5$",
    kind="ball",
    scopes=_sine_cells,
    instances=_sine_instances,
    assumptions=(*SINE, CENTRAL),
    derivation=(
        *_FACTOR_PROOF,
        Step(
            r"$|m(\theta)| \le 1$ on $\mathbf{R}$ for standard central stencils",
            "claim symbols.central-bounded",
            "claim",
        ),
        Step(r"$\sigma_k(A D) \le \|D\|_2\,\sigma_k(A)$", "Ostrowski, PNAS 45 (1959) 740", "cited"),
    ),
    requests=requests,
    describe=witness,
    judges=(spectrum,),
    mutants=(wrong("reversed", "FD lies above AD", "sign", direction=+1), _ANY, _WITH_BOUNDARY),
)
def sine_ordering(instance: Problem, scope: Scope, direction: int = -1) -> Outcome:
    r"""For sine or cosine features, interior rows, $L = \partial^m$ and a standard central stencil (checked:
    $m = 1, 2, 4$ at order 2, $m = 2$ at order 4), in exact arithmetic, $\sigma_k(A_{FD}) \le \sigma_k(A_{AD})$ for every $k$."""
    return _ordered(instance, direction)


@stated(
    "spectra.ostrowski",
    title="Sine features: the ratios lie within the symbol's range",
    source="ours, from A. Ostrowski, PNAS 45 (1959) 740",
    predicate=r"both inequalities hold for the certified enclosures at every $k$; eight features, 5, 8 and 12 points, $w \sim N(0, 9)$, "
    "$h = 1/5$",
    kind="ball",
    scopes=_sine_cells,
    instances=_sine_instances,
    assumptions=SINE,
    describe=witness,
    judges=(spectrum,),
    mutants=(
        wrong("a-tenth-less", "the range of the symbol is a tenth narrower", "constant", tighten=Fraction(9, 10)),
        _ANY,
    ),
)
def ostrowski(instance: Problem, scope: Scope, tighten: Fraction = Fraction(1)) -> Outcome:
    r"""Under the factorisation of sine or cosine features (claim spectra.sine-factorisation)
    $d_{\min}\,\sigma_k(A_{AD}) \le \sigma_k(A_{FD}) \le d_{\max}\,\sigma_k(A_{AD})$ for every $k$,
    $d_{\min}$ and $d_{\max}$ the extremes of $|m(h w_j)|$."""
    # More digits than usual: at a small weight the ratio can come as close to the bound as 1 − 1e-13.
    ad, fd = (spectrum(instance, method, "exact", 30) for method in METHODS)
    with flint.ctx.workprec(PRECISION):
        sizes = [from_ball(abs(f)) for f in symbol_factors(instance)]
    low, high = min(s.lower for s in sizes), max(s.upper for s in sizes)
    centre = (low + high) / 2
    low, high = centre + (low - centre) * tighten, centre + (high - centre) * tighten
    pairs = list(zip(ad.values, fd.values, strict=True))
    decisions = [one for a, f in pairs for one in (below(a.scaled(low), f), below(f, a.scaled(high)))]
    ratios = [float(f.middle / a.middle) for a, f in pairs if a.lower > 0]
    if not ratios:  # such as for weights that are all 0
        return Outcome(every(decisions), "no singular value is known to be positive")
    detail = f"ratios {min(ratios):.6g} to {max(ratios):.6g} within |m| from {float(low):.6g} to {float(high):.6g}"
    margin = min(min(ratios) - float(low), float(high) - max(ratios))
    return Outcome(every(decisions), detail, margin=margin)


@stated(
    "spectra.exponential-reversal",
    title="Exponential features: the order reverses",
    source="ours",
    predicate=r"certified enclosures satisfy $\underline{\sigma_k(A_{FD})} \ge \overline{\sigma_k(A_{AD})}$ for all $k$",
    kind="ball",
    scopes=once({"activation": "exp"}),
    instances=_exponential_instances,
    assumptions=(_interior_only, _second_order),
    derivation=(
        Step(r"$(e^{t} - 2 + e^{-t})/t^2 = \mathrm{sinhc}^2(t/2)$, $t = wh$, and $\sinh s - s$ has the derivative "
             r"$\cosh s - 1 = 2\sinh^2(s/2) \ge 0$ and is 0 at 0", "exponentials", "identity", _sinhc),
        Step(r"$\sigma_k(A D) \ge \min_j|d_j|\,\sigma_k(A)$", "Ostrowski, PNAS 45 (1959) 740", "cited"),
    ),
    requests=requests,
    describe=witness,
    judges=(spectrum,),
    mutants=(
        weaker("any-order", "the stencil may have order 4", "order 2"),
        _WITH_BOUNDARY,
        wrong("as-sine", "FD lies under AD, as for sine", "sign", direction=-1),
        wrong("one-index-on", r"$\sigma_{k+1}(A_{FD}) \ge \sigma_k(A_{AD})$", "constant", shift=1),
    ),
)  # fmt: skip
def exponential_reversal(instance: Problem, scope: Scope, direction: int = +1, shift: int = 0) -> Outcome:
    r"""For $\sigma = \exp$, interior rows only and the central second difference of order 2 of $\partial^2$ the
    factor is $\mathrm{sinhc}^2(w h/2) \ge 1$, so that in exact arithmetic $\sigma_k(A_{FD}) \ge \sigma_k(A_{AD})$ for every
    $k$ (checked: six features, $w \sim N(0, 4)$, $h = 1/4, 1/2, 1/20$). (At order 4 it is not: the factor at $wh = 2$ is $0.745$; nor
    with boundary rows.)"""
    return _ordered(instance, direction, shift)


@stated(
    "spectra.interlacing",
    title="Boundary rows: what survives of the ordering",
    source="ours, from Cauchy interlacing",
    predicate=r"certified enclosures satisfy $\overline{\sigma_{k+N_b}(A_{FD})} \le \underline{\sigma_k(A_{AD})}$",
    kind="ball",
    scopes=_sine_cells,
    instances=_boundary_instances,
    assumptions=(
        SINUSOID,
        _homogeneous,
        _symmetric,
        CENTRAL,
        Assumption("there are boundary rows", lambda p: boundary_count(p) > 0),
    ),
    derivation=(
        Step(r"$\sigma_{k+N_b}(A_{FD}) \le \sigma_k$ of the interior rows of $A_{FD}$", "Cauchy interlacing: $N_b$ rows less",
             "cited"),
        Step(r"$\sigma_k$ of the interior rows of $A_{FD}$ is at most that of $A_{AD}$", "claim spectra.sine-ordering", "claim"),
        Step(r"$\sigma_k$ of the interior rows of $A_{AD}$ is at most $\sigma_k(A_{AD})$", "Cauchy interlacing", "cited"),
    ),
    requests=requests,
    describe=witness,
    judges=(spectrum,),
    mutants=(
        wrong("no-shift", "the ordering holds without the shift by $N_b$", "constant", shifted=False),
        wrong("reversed", r"$\sigma_{k+N_b}(A_{FD}) \ge \sigma_k(A_{AD})$", "sign", direction=+1),
        _ANY,
        Mutant("any-stencil", "the stencil need not be a central one", "assumption",
               lambda c: c.without_assumption("standard central").without_assumption("symmetric")),
    ),
)  # fmt: skip
def interlacing(instance: Problem, scope: Scope, direction: int = -1, shifted: bool = True) -> Outcome:
    r"""With $N_b$ boundary rows below interior rows of sine or cosine features and a standard central stencil
    (checked: $\partial$, $\partial^2$ and $\partial^4$ at order 2, $\partial^2$ at order 4, $h$ from $1/10$ to $1$, $N_b$ = 1, 2),
    in exact arithmetic $\sigma_{k+N_b}(A_{FD}) \le \sigma_k(A_{AD})$ for every $k$ with $k + N_b$ in range."""
    return _ordered(instance, direction, boundary_count(instance) if shifted else 0)


@stated(
    "spectra.order-beyond-sine",
    title="The ordering of sine features extends to tanh, erf and gaussian",
    source="ours",
    predicate=r"$|L_h\phi(0)| \le |L\phi(0)|$ for one feature $\sigma(x + b)$, certified",
    kind="ball",
    scopes=once({"activation": "tanh"}, {"activation": "erf"}, {"activation": "gaussian"}),
    instances=_one_by_one,
    requests=requests,
    describe=witness,
    judges=(spectrum,),
    mutants=(
        wrong("reversed", "FD lies above AD at every index", "sign", direction=+1),
        instead("fourth-order", "a stencil of order 4 restores the order", "assumption", instances=_one_by_one_fourth),
    ),
)
def order_beyond_sine(instance: Problem, scope: Scope, direction: int = -1) -> Outcome:
    r"""For this activation $\sigma_k(A_{FD}) \le \sigma_k(A_{AD})$, as it holds for sine features.
    (It does not: there are $1 \times 1$ witnesses.)"""
    return _ordered(instance, direction)


CLAIMS = (sine_factorisation, sine_ordering, ostrowski, exponential_reversal, interlacing, order_beyond_sine)
"""Claims about exact spectra."""

"""Hypothesis strategies for the objects of this project, for its own tests and for tests of code that uses it.

Every draw is valid input: what is generated can be spelled, read back and evaluated.  Draws shrink towards what a
person would write down first: few nodes, features and points, small integers, the simplest activation.

>>> from hypothesis import find, settings
>>> from theory.base.exact import spell
>>> wide = find(stencils(), lambda s: s.order >= 3, settings=settings(database=None, derandomize=True))
>>> [spell(c) for c in wide.weights]  # the smallest stencil of order 3
['-11/6', '3', '-3/2', '1/3']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from numerics.arithmetic.balls import Enclosure
from numerics.problem.problem import Boundary, Problem, Training, Vector
from theory import stencils as stencil_makers
from theory.base.exact import spell
from theory.entropy.conventions import RULES, Convention, Rule
from theory.features import laws as law_classes
from theory.features.activations import Activation, activation
from theory.features.laws import Law
from theory.operators.operator import LinearOperator, MultiIndex, StencilChoice, operator
from theory.stencils import Stencil

if TYPE_CHECKING:
    from numerics.predictions.drawn import TrainingProblem

_TWO = Fraction(2)
ENTIRE = ("sin", "cos", "exp", "gaussian", "erf")
"""Names of activations that are entire functions."""
SMOOTH = ("tanh", *ENTIRE, "sigmoid", "softplus", "silu", "sech", "gelu")
"""Names of the smooth activations."""
KINKED = ("relu", "relu2", "relu3", "relu4", "step")
"""Names of the activations with a kink or a jump at 0."""
STEPS = tuple(Fraction(1, n) for n in (1, 2, 4, 10, 100, 1000))
"""Steps h that :func:`problems` draws."""
TRAINED_OPERATORS = (
    ("u_x", 1), ("u_xx", 1), ("u_xx + u_yy", 2), ("u_xx + u_yy + 4*u", 2), ("-1/20*u_xx + u_x", 1), ("u_xxxx", 1)
)  # fmt: skip
"""Operators that :func:`training_problems` draws, with their dimensions: Poisson, Helmholtz, advection–diffusion, …"""
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Widths that :func:`training_problems` draws, besides any up to 16."""


@lru_cache(maxsize=256)
def rationals(
    low: int | Fraction = -4, high: int | Fraction = 4, max_denominator: int = 12
) -> SearchStrategy[Fraction]:
    """Rationals in ``[low, high]``; they shrink to the simplest: least denominator, then nearest to 0."""
    if (high - low) * max_denominator**2 > 10_000:
        return st.fractions(low, high, max_denominator=max_denominator)
    listed = {Fraction(k, n) for n in range(1, max_denominator + 1) for k in range(ceil(low * n), floor(high * n) + 1)}
    return st.sampled_from(sorted(listed, key=lambda q: (q.denominator, abs(q), q < 0)))


@st.composite
def offsets(draw: DrawFn, derivative: int = 0, *, extra: int = 4, integers: bool = False) -> tuple[Fraction, ...]:
    """Distinct offsets, at least ``derivative + 1`` and at most ``extra`` more, in increasing order.

    Args:
        derivative: order of the derivative that they must determine.
        extra: most nodes beyond the least number.
        integers: integers only.
    """
    node = st.integers(-6, 6).map(Fraction) if integers else rationals()
    nodes = draw(st.lists(node, min_size=derivative + 1, max_size=derivative + 1 + extra, unique=True))
    return tuple(sorted(nodes))


@st.composite
def stencils(draw: DrawFn, *, derivatives: SearchStrategy[int] | None = None, extra: int = 4) -> Stencil:
    """Stencils in one variable: on any offsets, central, forward or backward.

    Args:
        derivatives: the orders of differentiation, 1 to 4 by default.
        extra: most nodes beyond the least number.
    """
    m = draw(derivatives if derivatives is not None else st.integers(1, 4))
    kind = draw(st.sampled_from(("forward", "central", "backward", "offsets")))
    match kind:
        case "central":
            return stencil_makers.central(m, 2 * draw(st.integers(1, 3)))
        case "forward":
            return stencil_makers.forward(m, draw(st.integers(1, 4)))
        case "backward":
            return stencil_makers.backward(m, draw(st.integers(1, 4)))
        case _:
            return stencil_makers.stencil(m, draw(offsets(m, extra=extra)))


@st.composite
def laws(draw: DrawFn, *, names: Sequence[str] = tuple(law_classes.LAWS), centred: bool = False) -> Law:
    """Laws of weights and biases.

    Args:
        names: the families, all by default.
        centred: only laws that are symmetric about 0.
    """
    name = draw(st.sampled_from(tuple(names)))
    centre = Fraction(0) if centred else draw(rationals())
    scale = rationals(Fraction(1, 12), 4)
    match name:
        case "constant":
            return law_classes.Constant(centre)
        case "discrete":
            values = draw(st.lists(rationals(), min_size=1, max_size=4))
            return law_classes.Discrete(tuple(values + [-v for v in values] if centred else values))
        case "student":
            return law_classes.Student(draw(rationals(Fraction(1, 2), 9)), draw(scale))
        case "uniform":
            half = draw(scale)
            return law_classes.Uniform(centre - half, centre + half)
        case "normal":
            return law_classes.Normal(centre, draw(scale))
        case "laplace":
            return law_classes.Laplace(centre, draw(scale))
        case "cauchy":
            return law_classes.Cauchy(centre, draw(scale))
        case _:
            raise ValueError(f"no strategy for the law {name}")


def expressions(variables: Sequence[str] = ("z",), *, max_leaves: int = 6) -> SearchStrategy[str]:
    """Text that :func:`theory.base.expressions.parse` accepts: smooth and real wherever the variables are real.

    Roots, logarithms and quotients occur only where they are defined; arguments of exp are bounded.
    """
    number = st.integers(0, 9).map(str) | rationals(0, 9).map(lambda q: f"({spell(q)})")
    leaf = st.sampled_from(tuple(variables)) | number | st.sampled_from(("pi", "e"))

    def extend(inner: SearchStrategy[str]) -> SearchStrategy[str]:
        binary = st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner)
        bounded = st.sampled_from(("sin", "cos", "tanh", "atan", "erf", "gaussian", "sigmoid", "sech", "asinh"))
        unary = st.builds("{}({})".format, bounded, inner)
        templates = ("({})**2", "-({})", "1/(1 + ({})**2)", "sqrt(2 + sin({}))", "log(1 + ({})**2)", "exp(-({})**2)")
        return binary | unary | st.builds(str.format, st.sampled_from(templates), inner)

    return st.recursive(leaf, extend, max_leaves=max_leaves)


def activations(*, kinked: bool = False, custom: bool = True) -> SearchStrategy[Activation]:
    """Activations by name, simplest first, and safe expressions in z.

    Args:
        kinked: also powers of ReLU and the step.
        custom: also expressions.
    """
    named = st.sampled_from(SMOOTH + (KINKED if kinked else ())).map(activation)
    texts = ("z*sin(z)", "z**3", "1/(1 + z**2)", "exp(-z**2)", "sin(z) + cos(2*z)", "z*exp(-z**2/2)", "log(1 + exp(z))")
    return named | st.sampled_from(texts).map(activation) if custom else named


def _multi_indices(dimension: int, max_order: int) -> list[MultiIndex]:
    found = [a for k in range(max_order + 1) for a in stencil_makers.multi_indices(dimension, k)]
    return sorted(found, key=lambda a: (sum(a), a))


@st.composite
def operators(
    draw: DrawFn,
    dimension: int = 1,
    *,
    max_order: int = 4,
    homogeneous: bool = False,
    constant: bool = False,
) -> LinearOperator:
    """Linear operators of order at least 1 in the coordinates x, y, …

    Args:
        dimension: number of coordinates.
        max_order: highest derivative.
        homogeneous: constant coefficients and one order of differentiation only.
        constant: constant coefficients.
    """
    names = ("x", "y", "z")[:dimension]
    candidates = [a for a in _multi_indices(dimension, max_order) if any(a)]
    first = draw(st.sampled_from(candidates))
    others = [a for a in candidates if sum(a) == sum(first)] if homogeneous else _multi_indices(dimension, max_order)
    chosen = {first, *draw(st.lists(st.sampled_from(others), max_size=2))}
    number = rationals(Fraction(1, 12), 4).map(spell) | rationals(-4, Fraction(-1, 12)).map(spell)
    variable = st.sampled_from((*names, f"1 + {names[-1]}**2", f"cos({names[0]})", f"exp(-{names[-1]})"))
    coefficient = number if constant or homogeneous else number | variable
    terms = []
    for alpha in sorted(chosen, reverse=True):
        suffix = "".join(name * times for name, times in zip(names, alpha, strict=True))
        terms.append(f"({draw(coefficient)})*u" + (f"_{suffix}" if suffix else ""))
    return operator(" + ".join(terms), dimension)


@st.composite
def stencil_choices(draw: DrawFn, target: LinearOperator, *, symmetric: bool = False) -> StencilChoice:
    """Stencil choices that can discretise ``target``.

    Args:
        target: the operator.
        symmetric: central stencils only, whose symbol is real.
    """
    if symmetric:
        return StencilChoice("central", 2 * draw(st.integers(1, 3)))
    kind = draw(st.sampled_from(("central", "forward", "backward", "offsets")))
    if kind == "offsets":
        highest = max(m for alpha, _ in target.terms for m in alpha)
        return StencilChoice(offsets=draw(offsets(highest, extra=3)))
    return StencilChoice(kind, 2 * draw(st.integers(1, 2)) if kind == "central" else draw(st.integers(1, 3)))


def _inside(low: Fraction, high: Fraction) -> SearchStrategy[Fraction]:
    """Numbers of an interval, simplest fractions of its length first."""
    return rationals(0, 1).map(lambda part: low + (high - low) * part)


@st.composite
def problems(
    draw: DrawFn,
    *,
    dimensions: SearchStrategy[int] | None = None,
    activation: SearchStrategy[Activation] | None = None,
    target: SearchStrategy[LinearOperator] | None = None,
    max_count: int = 4,
    max_points: int = 4,
    max_weight: int = 4,
    max_order: int = 4,
    symmetric: bool = False,
    boundary: bool = True,
    steps: Sequence[Fraction] = STEPS,
) -> Problem:
    """Small problems with explicit rational features and points, in one or two dimensions.

    Args:
        dimensions: number of coordinates, 1 or 2; overridden by ``target``.
        activation: the activations, smooth ones by default.
        target: the operators; they decide the dimension.
        max_count: most features.
        max_points: most interior points.
        max_weight: bound on weights and biases.
        max_order: highest derivative of the operators drawn by default.
        symmetric: central stencils only.
        boundary: also boundary rows.
        steps: the steps h.
    """
    if target is not None:
        chosen = draw(target)
    else:
        d = draw(dimensions if dimensions is not None else st.integers(1, 2))
        chosen = draw(operators(d, max_order=min(max_order, 4 if d == 1 else 2)))
    names = chosen.variables
    lows = [draw(st.sampled_from((Fraction(0), Fraction(-1)))) for _ in names]
    domain = tuple((low, low + draw(st.sampled_from((Fraction(1), Fraction(2), Fraction(1, 3))))) for low in lows)
    number = rationals(-max_weight, max_weight)
    vector: SearchStrategy[Vector] = st.tuples(*(number for _ in names))
    point: SearchStrategy[Vector] = st.tuples(*(_inside(low, high) for low, high in domain))
    features = draw(st.lists(st.tuples(vector, number), min_size=1, max_size=max_count))
    rows: tuple[Boundary, ...] = ()
    if boundary and draw(st.booleans()):
        weight = draw(rationals(Fraction(1, 12), 9))
        face = draw(st.sampled_from(("all", f"{names[0]}-", f"{names[-1]}+")))
        rows = (Boundary(face, draw(st.integers(1, 3)), draw(st.sampled_from(("u", f"u_{names[0]}"))), weight=weight),)
    shapes = (" * ".join(f"sin(pi*{v})" for v in names), " + ".join(f"{v}**2" for v in names), f"exp({names[0]})")
    return Problem(
        operator_text=chosen.text,
        domain=domain,
        solution=draw(st.sampled_from(shapes)),
        activation_name=draw(activation if activation is not None else activations()).name,
        weights=tuple(w for w, _ in features),
        biases=tuple(b for _, b in features),
        count=len(features),
        interior=tuple(draw(st.lists(point, min_size=1, max_size=max_points))),
        boundary=rows,
        stencil=draw(stencil_choices(chosen, symmetric=symmetric)),
        step=(draw(st.sampled_from(tuple(steps))),),
        convention=draw(conventions()),
    )


@st.composite
def training_problems(
    draw: DrawFn,
    *,
    activations: Sequence[str] = ("tanh", "sin", "gaussian", "erf", "sigmoid", "cos"),
    widths: SearchStrategy[int] | None = None,
    bounded: bool | None = None,
    rates: Sequence[Fraction] = tuple(Fraction(n, 100) for n in (100, 50, 10, 1, 150, 190)),
    dtypes: Sequence[str] = ("float64", "float32"),
    optimizers: Sequence[str] = ("gd",),
    steps: Sequence[Fraction] = STEPS[2:],
    operators: Sequence[tuple[str, int]] = TRAINED_OPERATORS,
    boundary: bool | None = None,
    iterations: int = 24,
    members: int = 8,
    device: str = "cpu",
) -> TrainingProblem:
    """Two-layer networks to train: some seeds of one shape, which are trained as one ensemble.

    They shrink to one neuron, two points, few iterations, u_x and the first of each list.

    Args:
        activations: by name.
        widths: 1 to 4096 by default, most of them small.
        bounded: only laws with bounded support, or only others (normal and Student); both by default.
        rates: steps of gradient descent in units of ``1/λ_max`` of the kernel at the start.
        dtypes, optimizers, device: of the run.
        steps: h of the differences.
        operators: texts and dimensions.
        boundary: with or without Dirichlet rows; drawn by default.
        iterations: the most.
        members: the most networks of a draw; large ones are fewer.
    """
    from numerics.predictions.drawn import TrainingProblem  # torch takes a second; most strategies do without

    text, d = draw(st.sampled_from(tuple(operators)))
    width = draw(widths if widths is not None else st.integers(1, 16) | st.sampled_from(WIDTHS))
    interior = draw(st.integers(2, 40) if d == 1 else st.integers(2, 6))
    if width > 256:
        interior = min(interior, 12 if d == 1 else 3)
    if draw(st.booleans()) if bounded is None else bounded:
        law: Law = (
            law_classes.Uniform(Fraction(-1), Fraction(1)) if draw(st.booleans()) else law_classes.Uniform(-_TWO, _TWO)
        )
        amplitudes = draw(st.sampled_from(("signs", "opposite"))) if width > 1 else "signs"
    else:
        student = law_classes.Student(Fraction(5), Fraction(1))
        law = draw(st.sampled_from((law_classes.Normal(Fraction(0), Fraction(1)), student)))
        amplitudes = "normal"
    edges: tuple[Boundary, ...] = ()
    if draw(st.booleans()) if boundary is None else boundary:
        edges = (
            Boundary(
                count=2 if d == 1 else 4, weight=draw(st.sampled_from((Fraction(1), Fraction(10), Fraction(1, 4))))
            ),
        )
    choices = [
        StencilChoice("central", 2),
        StencilChoice("forward", 1),
        StencilChoice("central", 4),
        StencilChoice("forward", 2),
    ]
    cells = width * (interior**d + (2 if edges else 0))
    training = Training(
        "two-layer",
        draw(st.sampled_from(tuple(optimizers))),
        draw(st.integers(1, iterations)),
        None,
        draw(st.integers(1, max(1, min(members, 2**15 // cells)))),
        draw(st.sampled_from(("ntk", "standard"))),
    )
    problem = Problem(
        operator_text=text,
        domain=((Fraction(-1), Fraction(1)),) * d,
        solution=draw(st.sampled_from(("x", "sin(pi*x)", "exp(x)"))),
        activation_name=draw(st.sampled_from(tuple(activations))),
        weights=law,
        biases=law,
        count=width,
        seed=draw(st.integers(0, 10_000)),
        interior=(interior,) * d,
        boundary=edges,
        stencil=draw(st.sampled_from(choices)),
        step=(draw(st.sampled_from(tuple(steps))),),
        dtype=draw(st.sampled_from(tuple(dtypes))),
        training=training,
    )
    return TrainingProblem(problem, amplitudes, draw(st.sampled_from(tuple(rates))), device)  # type: ignore[arg-type]


@st.composite
def lazy_problems(
    draw: DrawFn,
    *,
    widths: SearchStrategy[int] | None = None,
    iterations: int = 40,
    members: int = 8,
    device: str = "cpu",
) -> TrainingProblem:
    """Networks most of which train lazily (:mod:`numerics.predictions.bounds`): wide, with bounded laws, from zero, and with a small
    target at one to three points; in float64."""
    found: TrainingProblem = draw(
        training_problems(
            widths=widths if widths is not None else st.sampled_from((256, 512, 1024, 4096)), bounded=True,
            boundary=False, iterations=iterations, members=members, dtypes=("float64",), device=device,
            operators=(("u_x", 1), ("u_xx", 1)), rates=(Fraction(1), Fraction(1, 2), Fraction(1, 10)),
        )
    )  # fmt: skip
    points = draw(st.sampled_from((1, 2, 3)))
    solution = draw(st.sampled_from(("exp(x)/1000", "exp(x)/100", "x**2/2000 + x/500", "sin(x + 2)/10**5")))
    changed = found.problem.with_(interior=(points,), solution=solution)
    return replace(found, amplitudes="opposite", problem=changed)


@st.composite
def exact_kernel_problems(
    draw: DrawFn, *, activations: Sequence[str] = ("tanh", "sin", "gaussian", "erf", "sigmoid", "cos"), members: int = 1
) -> TrainingProblem:
    """Networks whose kernels exact arithmetic can take at the start: at most 8 neurons, 6 points in one dimension or 2 × 2 in
    two, amplitudes ±1 and the scaling ntk."""
    found: TrainingProblem = draw(
        training_problems(
            activations=activations, widths=st.integers(1, 8), bounded=True, members=members, iterations=1,
            dtypes=("float64",),
        )
    )  # fmt: skip
    most = 6 if found.problem.dimension == 1 else 2
    changed = found.problem.with_(
        interior=tuple(min(n, most) for n in found.problem.interior),
        training=replace(found.problem.training, scaling="ntk"),
    )
    return replace(found, amplitudes="signs", problem=changed)


@st.composite
def conventions(draw: DrawFn, *, rules: Sequence[Rule] = RULES, normalised: bool | None = None) -> Convention:
    """Entropy conventions.

    Args:
        rules: the cut-off rules.
        normalised: fixed to one value, or drawn.
    """
    rule = draw(st.sampled_from(tuple(rules)))
    power = draw(st.sampled_from((1, 2)))
    by_log = draw(st.booleans()) if normalised is None else normalised
    if rule == "fixed":
        return Convention("fixed", power=power, normalised=by_log, rank=draw(st.integers(1, 12)))  # type: ignore[arg-type]
    small = st.integers(1, 14).map(lambda n: Fraction(1, 10**n))
    tau = draw(small | rationals(Fraction(1, 12), Fraction(11, 12)))
    return Convention(rule, tau, power, by_log)  # type: ignore[arg-type]


def spectra(
    *, min_size: int = 1, max_size: int = 8, zeros: bool = True, wide: bool = True
) -> SearchStrategy[tuple[Fraction, ...]]:
    """Singular values: non-negative rationals in descending order, the first one positive.

    Args:
        min_size: least number of values.
        max_size: greatest number of values.
        zeros: also spectra that end in zeros.
        wide: also spectra over many orders of magnitude.
    """
    ordinary = rationals(Fraction(1, 12), 12)
    value = ordinary | st.builds(lambda q, n: q / 10**n, ordinary, st.integers(0, 30)) if wide else ordinary
    tail = st.integers(0, 2) if zeros else st.just(0)

    def ordered(values: list[Fraction], trailing: int) -> tuple[Fraction, ...]:
        kept = len(values) - min(trailing, len(values) - 1)
        return tuple(sorted(values, reverse=True)[:kept]) + (Fraction(0),) * (len(values) - kept)

    return st.builds(ordered, st.lists(value, min_size=min_size, max_size=max_size), tail)


@st.composite
def enclosed_spectra(
    draw: DrawFn, values: SearchStrategy[tuple[Fraction, ...]] | None = None
) -> tuple[tuple[Fraction, ...], tuple[Enclosure, ...]]:
    """A spectrum, and enclosures of its values of relative width at most 1/10, both ends in descending order."""
    exact = draw(values if values is not None else spectra())
    width = Fraction(1, 10 ** draw(st.integers(1, 20)))
    down, up = draw(rationals(0, 1)) * width, draw(rationals(0, 1)) * width
    return exact, tuple(Enclosure(v * (1 - down), v * (1 + up)) for v in exact)

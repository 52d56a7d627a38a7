"""Linear differential operators L = Σ c_α(x) ∂^α, read from text such as ``"u_xx + u_yy - x*u"`` or from a name.

Finite-difference versions L_h of a linear operator L: one stencil per derivative, applied mesh-free.

``L_h u(x) = Σ_α c_α(x) h^{-α} Σ_k w_{α,k} u(x + h s_k)``: the shifted points need not be collocation points.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import sympy as sp

from theory import stencils
from theory.base import expressions
from theory.base.errors import InputError, nearest
from theory.base.exact import rational, spell
from theory.stencils import Stencil

MultiIndex = tuple[int, ...]
"""One order of differentiation per coordinate."""

COORDINATES = ("x", "y", "z", "t")
"""Names of the coordinates, in the order of the problem's domain (time last)."""
MAX_ORDER = 8
"""Highest derivative that an operator may contain."""
MAX_DIMENSION = 4
MAX_OPERATIONS = 10_000
"""Largest derivative of a solution, in operations."""

coordinate: dict[str, sp.Symbol] = {name: sp.Symbol(name, real=True) for name in COORDINATES}
"""The symbol of each coordinate."""

_DERIVATIVE = re.compile(r"\bu(?:_([a-z]+))?\b")


@dataclass(frozen=True)
class LinearOperator:
    """L = Σ c_α(x) ∂^α acting on functions of the coordinates named in ``variables``.

    Attributes:
        text: as written.
        variables: coordinate names, one per dimension.
        terms: (α, c_α) with c_α a non-zero expression in the coordinates; sorted by α.
    """

    text: str
    variables: tuple[str, ...]
    terms: tuple[tuple[MultiIndex, sp.Expr], ...]

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.variables)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The coordinates as SymPy symbols."""
        return tuple(coordinate[name] for name in self.variables)

    @cached_property
    def order(self) -> int:
        """Highest order of differentiation."""
        return max(sum(alpha) for alpha, _ in self.terms)

    @cached_property
    def has_constant_coefficients(self) -> bool:
        """Whether every c_α is a number."""
        return all(not c.free_symbols for _, c in self.terms)

    @cached_property
    def is_homogeneous(self) -> bool:
        """Whether L has constant coefficients and terms of one order only: its symbol is then i^m times a real form."""
        return self.has_constant_coefficients and len({sum(alpha) for alpha, _ in self.terms}) == 1

    def apply(self, u: sp.Expr) -> sp.Expr:
        """L u for an expression ``u`` in the coordinates."""
        return sp.Add(*(c * differentiate(u, alpha, self.symbols) for alpha, c in self.terms))

    def symbol(self, frequency: tuple[sp.Expr, ...]) -> sp.Expr:
        """The symbol Σ c_α ∏ (i ξ_j)^{α_j}, with L e^{iξ·x} = symbol · e^{iξ·x}."""
        return sp.Add(
            *(
                c * sp.Mul(*((sp.I * xi) ** a for xi, a in zip(frequency, alpha, strict=True)))
                for alpha, c in self.terms
            )
        )

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def latex(self) -> str:
        """L u in LaTeX."""
        u = sp.Function("u")(*self.symbols)
        return str(sp.latex(self.apply(u)))


def differentiate(u: sp.Expr, alpha: MultiIndex, symbols: tuple[sp.Symbol, ...]) -> sp.Expr:
    """∂^α u.

    Raises:
        InputError: a derivative of more than :data:`MAX_OPERATIONS` operations.
    """
    for symbol in (s for s, times in zip(symbols, alpha, strict=True) for _ in range(times)):
        try:
            u = sp.diff(u, symbol)
            small = sp.count_ops(u) <= MAX_OPERATIONS
        except RecursionError:
            small = False
        if not small:
            raise InputError(f"problem.solution: a derivative of it has over {MAX_OPERATIONS} operations")
    return u


def _named(name: str, parameter: str | None, space: tuple[str, ...]) -> str | None:
    """The expression that a name stands for; the parameter is a number, already checked."""
    laplacian = " + ".join(f"u_{v}{v}" for v in space)
    match name:
        case "poisson" | "laplace":
            return laplacian
        case "biharmonic":
            squares = [f"u_{v * 4}" for v in space]
            mixed = [f"2*u_{v * 2}{w * 2}" for i, v in enumerate(space) for w in space[i + 1 :]]
            return " + ".join(squares + mixed)
        case "helmholtz":
            return f"{laplacian} + ({parameter or 1})**2*u"
        case "advection_diffusion":
            return f"u_x - ({parameter or '1/10'})*({laplacian})"
        case "heat":
            return f"u_t - ({parameter or 1})*({laplacian})"
        case "wave":
            return f"u_tt - ({parameter or 1})**2*({laplacian})"
        case _:
            return None


NAMES = ("poisson", "laplace", "biharmonic", "helmholtz", "advection_diffusion", "heat", "wave")
"""Operators known by name; helmholtz(k), advection_diffusion(ε), heat(κ) and wave(c) take a number."""

_CALL = re.compile(r"([a-z_\-–]+)\s*(?:\(([^()]*)\))?")


def operator(
    text: str,
    dimension: int | None = None,
    *,
    variables: tuple[str, ...] | None = None,
    what: str = "problem.operator",
) -> LinearOperator:
    """The linear operator that ``text`` spells.

    Args:
        text: a name of :data:`NAMES`, or a linear expression in ``u``, ``u_x``, ``u_xy``, … with coefficients in the
            coordinates ``x, y, z, t``.
        dimension: number of coordinates; by default as many as the text names (time counts last).
        variables: the coordinates where they are known, as for boundary operators; overrides ``dimension``.
        what: the name of the quantity, for the error message.

    Raises:
        InputError: not linear in u, an unknown name, or beyond the limits of this module.

    >>> operator("u_xx + x*u").terms
    (((0,), x), ((2,), 1))
    >>> operator("biharmonic", 2).terms
    (((0, 4), 1), ((2, 2), 2), ((4, 0), 1))
    """
    if not isinstance(text, str):
        raise InputError(f"{what}: {text!r} must be a string")
    if dimension is not None and not 1 <= dimension <= MAX_DIMENSION:
        raise InputError(f"problem.domain: {dimension} dimensions; allowed are 1 to {MAX_DIMENSION}")
    return _operator(text.strip(), dimension if variables is None else len(variables), variables, what)


@cache
def _operator(text: str, dimension: int | None, given: tuple[str, ...] | None, what: str) -> LinearOperator:
    body = text
    if match := _CALL.fullmatch(text.lower()):
        name = match[1].replace("-", "_").replace("–", "_")
        evolution = name in {"heat", "wave"}
        parameter = match[2]
        if parameter is not None:
            parameter = str(rational(parameter, what))
        space = COORDINATES[: (dimension or (2 if evolution else 1)) - evolution]
        if given is not None:
            space = tuple(v for v in given if v != "t")
        expanded = _named(name, parameter, space)
        if expanded is not None:
            if evolution and dimension == 1:
                raise InputError(f"{what}: {name} needs a domain in space and time, such as [[0, 1], [0, 1]]")
            body = expanded
        elif not _DERIVATIVE.search(body):
            hint = meant(text) or nearest(name, NAMES)
            raise InputError(
                f"{what}: unknown operator {text!r}; {hint}allowed: {', '.join(NAMES)},"
                " or an expression in u, u_x, u_xx, …"
            )
    suffixes = {match[1] or "" for match in _DERIVATIVE.finditer(body)}
    if not suffixes:
        hint = meant(text) or "write for instance 'u_xx + x*u'"
        raise InputError(f"{what}: {text[:60]!r} does not contain u; {hint.strip()}")
    for suffix in suffixes:
        if set(suffix) - set(COORDINATES):
            raise InputError(f"{what}: u_{suffix}: derivatives are in the coordinates {', '.join(COORDINATES)}")
        if len(suffix) > MAX_ORDER:
            raise InputError(f"{what}: u_{suffix}: derivatives up to order {MAX_ORDER} are allowed")
    named = set("".join(suffixes)) | {name for name in COORDINATES if re.search(rf"\b{name}\b", body)}
    if given is not None and named - set(given):
        raise InputError(f"{what}: {text[:60]!r} is not in the coordinates {', '.join(given)} of the problem")
    variables = given or _variables(named, dimension)
    unknowns = {suffix: sp.Symbol(f"u_{suffix}" if suffix else "u", real=True) for suffix in suffixes}
    symbols: dict[str, sp.Expr] = {symbol.name: symbol for symbol in unknowns.values()}
    symbols |= {name: coordinate[name] for name in variables}
    try:
        expr = expressions.parse(body, symbols, what)
    except InputError as error:
        if hint := meant(body):
            raise InputError(f"{error}; {hint.strip()}") from None
        raise
    if expressions.term_bound(expr) > expressions.MAX_TERMS:
        raise InputError(f"{what}: {text[:60]!r} expands to more than {expressions.MAX_TERMS} terms")
    expr = sp.expand(expr)
    gathered: dict[MultiIndex, sp.Expr] = {}
    for suffix, unknown in unknowns.items():
        coefficient = sp.diff(expr, unknown)
        if coefficient.free_symbols & set(unknowns.values()):
            hint = '; pose it as problem.equations = ["left = right"]' if what == "problem.operator" else ""
            raise InputError(f"{what}: {text[:60]!r} is not linear in u{hint}")
        alpha = tuple(suffix.count(name) for name in variables)
        gathered[alpha] = gathered.get(alpha, sp.Integer(0)) + coefficient
    if expr.xreplace(dict.fromkeys(unknowns.values(), sp.Integer(0))) != 0:
        raise InputError(f"{what}: {text[:60]!r} has a term without u; put it into problem.rhs")
    terms = tuple(sorted((alpha, c) for alpha, c in gathered.items() if c != 0))
    if not terms:
        raise InputError(f"{what}: {text[:60]!r} is zero")
    return LinearOperator(text, variables, terms)


_SPELLINGS = (
    (re.compile(r"u_\{([xyzt]{1,8})\}"), r"u_\1"),
    (re.compile(r"(?:d|∂)(\d?)\s*u\s*/\s*(?:d|∂)\s*([xyzt])(?:\^|\*\*)?\1(?!\w)"), None),
    (re.compile(r"\b(?:diff|grad)\(u,\s*([xyzt])(?:,\s*(\d))?\)"), None),
    (re.compile(r"\bu([xyzt]{1,8})\b"), r"u_\1"),
    (re.compile(r"\bu((?:_[xyzt]){2,8})\b"), lambda found: "u_" + found[1].replace("_", "")),
    (re.compile(r"\bu('{1,8})"), lambda found: "u_" + "x" * len(found[1])),
    (re.compile(r"\b(?:laplacian|laplace|Δ|lap)\s*\(\s*u\s*\)|∇²\s*u|Δ\s*u|\blaplacian\b"), "laplace"),
    (re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?=u(?:_[xyzt]+)?\b)"), r"\1*"),
    (re.compile(r"(u(?:_[xyzt]+)?) +(?=u(?:_[xyzt]+)?\b)"), r"\1*"),
    (re.compile(r"\bu_([XYZT]{1,8})\b"), None),
)
"""Derivatives as others write them: u_{xx}, d2u/dx2, diff(u, x, 2), uxx, u_XX, u_x_x, u'', laplacian(u), 2u_xx, u u_x."""


def meant(text: str) -> str:
    """A hint such as ``"did you mean 'u_xx'? "`` for a derivative as others write it, or nothing.

    >>> meant("d2u/dx2 + u_{yy}")
    "did you mean 'u_xx + u_yy'? "
    """
    told = text[: expressions.MAX_LENGTH]
    for pattern, plain in _SPELLINGS:
        told = pattern.sub(plain or _respelled, told)
    return f"did you mean {told[:60]!r}? " if told != text[: expressions.MAX_LENGTH] else ""


def _respelled(match: re.Match[str]) -> str:
    first, second = (*match.groups(), None)[:2]
    if first and first.isupper():
        return f"u_{first.lower()}"
    name, times = (second, first) if first is None or first == "" or first.isdigit() else (first, second)
    return f"u_{(name or 'x') * int(times or 1)}"


def _variables(named: set[str], dimension: int | None) -> tuple[str, ...]:
    """The coordinates that the operator names, filled up in order to the dimension of the domain."""
    used = [name for name in COORDINATES if name in named] or ["x"]
    if dimension is None:
        return tuple(used)
    for name in COORDINATES:
        if len(used) < dimension and name not in used:
            used.append(name)
    if len(used) > dimension:
        raise InputError(
            f"problem.operator: uses the coordinates {', '.join(used)}, but problem.domain has {dimension} dimension(s)"
        )
    return tuple(sorted(used, key=COORDINATES.index))


SCHEMES = ("central", "forward", "backward", "five-point", "nine-point", "thirteen-point")
"""Names of :attr:`StencilChoice.name`; the last three stand for the whole Laplacian or biharmonic operator."""


@dataclass(frozen=True)
class StencilChoice:
    """Which stencil stands for each derivative.

    Attributes:
        name: one of :data:`SCHEMES`; it sizes itself to the derivative.
        order: order of accuracy of ``central``, ``forward`` and ``backward``.
        offsets: explicit offsets in units of h, used for every derivative and on every axis; overrides ``name``.
    """

    name: str = "central"
    order: int = 2
    offsets: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        if self.offsets is None and self.name not in SCHEMES:
            raise InputError(f"difference.stencil: {self.name!r} is unknown; allowed: {', '.join(SCHEMES)}")

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``[difference]`` that spell this choice."""
        if self.offsets is not None:
            return {"offsets": [spell(s) for s in self.offsets]}
        return {"stencil": self.name, "order": self.order}


@dataclass(frozen=True)
class DifferenceTerm:
    """One derivative of L and what stands for it.

    Attributes:
        coefficient: c(x), an expression in the coordinates.
        derivative: α, or None where the stencil stands for a whole operator.
        stencil: nodes and weights in units of h; None for the term without derivative.
        scale: h^α, exact; the weighted sum is divided by it.
        shifts: the nodes times h, exact.
    """

    coefficient: sp.Expr
    derivative: MultiIndex | None
    stencil: Stencil | None
    scale: Fraction
    shifts: tuple[tuple[Fraction, ...], ...]

    @property
    def weights(self) -> tuple[Fraction, ...]:
        """The stencil's weights, (1,) without derivative."""
        return self.stencil.weights if self.stencil else (Fraction(1),)


@dataclass(frozen=True)
class DifferenceOperator:
    """L_h, with the operator it stands for."""

    operator: LinearOperator
    steps: tuple[Fraction, ...]
    terms: tuple[DifferenceTerm, ...]

    @cached_property
    def order(self) -> int:
        """Order of accuracy p: the least over the derivatives."""
        return min((term.stencil.order for term in self.terms if term.stencil), default=0)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether every stencil is even or odd about 0, so that its symbol factor is real."""
        return all(term.stencil is None or term.stencil.is_symmetric for term in self.terms)


def discretise(operator: LinearOperator, choice: StencilChoice, steps: tuple[Fraction, ...]) -> DifferenceOperator:
    """L_h for the operator, stencil choice and steps (one per axis).

    Raises:
        InputError: too few offsets for the operator's derivatives, or a stencil for another operator.
    """
    if choice.offsets is None and choice.name in {"five-point", "nine-point", "thirteen-point"}:
        return _whole(operator, choice, steps)
    terms = []
    for alpha, coefficient in operator.terms:
        if not any(alpha):
            origin = (Fraction(0),) * operator.dimension
            terms.append(DifferenceTerm(coefficient, alpha, None, Fraction(1), (origin,)))
            continue
        axes = [axis_stencil(m, choice) for m in alpha]
        stencil = axes[0] if len(axes) == 1 else stencils.tensor(*axes)
        scale = Fraction(1)
        for h, m in zip(steps, alpha, strict=True):
            scale *= h**m
        terms.append(DifferenceTerm(coefficient, alpha, stencil, scale, _shifts(stencil, steps)))
    return DifferenceOperator(operator, steps, tuple(terms))


def axis_stencil(derivative: int, choice: StencilChoice) -> Stencil:
    """The stencil that stands for a derivative along one axis, in units of h.

    Raises:
        InputError: too few offsets, or an order that the family does not have.
    """
    if derivative == 0:
        return stencils.stencil(0, [0])
    if choice.offsets is not None and len(choice.offsets) <= derivative:
        raise InputError(
            f"difference.offsets: {len(choice.offsets)} nodes for derivative {derivative};"
            f" at least {derivative + 1} are needed"
        )
    makers: dict[str, Callable[[int, int], Stencil]] = {
        "central": stencils.central,
        "forward": stencils.forward,
        "backward": stencils.backward,
    }
    try:
        if choice.offsets is not None:
            return stencils.stencil(derivative, choice.offsets)
        return makers[choice.name](derivative, choice.order)
    except InputError as error:  # names the stencil's own argument: offsets or order
        raise InputError(f"difference.{error}") from None


def _whole(operator: LinearOperator, choice: StencilChoice, steps: tuple[Fraction, ...]) -> DifferenceOperator:
    """A named two-dimensional stencil for the part of L that is a multiple of its target."""
    stencil = stencils.named(choice.name)
    target = dict(stencil.target)
    if operator.dimension != stencil.dimension or len(set(steps)) != 1:
        raise InputError(f"difference.stencil: {choice.name} needs two dimensions and one step for both")
    principal = {alpha: c for alpha, c in operator.terms if sum(alpha) == stencil.degree}
    factor = next((c / _sympy(target[alpha]) for alpha, c in principal.items() if alpha in target), None)
    if factor is None or set(principal) != set(target) or any(
        sp.expand(c - factor * _sympy(target[alpha])) != 0 for alpha, c in principal.items()
    ):  # fmt: skip
        raise InputError(f"difference.stencil: {choice.name} stands for another operator than {operator.text!r}")
    h = steps[0]
    rest = tuple((alpha, c) for alpha, c in operator.terms if alpha not in principal)
    whole = DifferenceTerm(factor, None, stencil, h**stencil.degree, _shifts(stencil, steps))
    if not rest:
        return DifferenceOperator(operator, steps, (whole,))
    others = discretise(LinearOperator(operator.text, operator.variables, rest), StencilChoice(), steps)
    return DifferenceOperator(operator, steps, (whole, *others.terms))


def _shifts(stencil: Stencil, steps: tuple[Fraction, ...]) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(h * s for h, s in zip(steps, node, strict=True)) for node in stencil.nodes)


def _sympy(value: Fraction) -> sp.Expr:
    return sp.Rational(value.numerator, value.denominator)

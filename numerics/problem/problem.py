"""A problem: operator, features, points, difference, arithmetic and entropy convention, all exact.

A :class:`Problem` is a value: immutable, hashable, and the same in every process.  Whatever is random in it is named
by a seed and drawn in one documented way (:mod:`numerics.problem.drawn`), then taken exactly.  Reading and checking files
is in :mod:`numerics.problem.file`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, Literal

import sympy as sp

from numerics.problem.schema import (
    NOT_NEGATIVE,
    POSITIVE,
    REQUIRED,
    Key,
    Number,
    Values,
    at,
    contents,
    keys,
    several,
    written,
)
from theory.base import expressions
from theory.base.errors import InputError, nearest
from theory.base.exact import rational, spell
from theory.entropy.conventions import Convention
from theory.features.activations import Activation, activation
from theory.features.laws import Law
from theory.operators.equations import Expression, equations, expression, normal
from theory.operators.operator import SCHEMES, DifferenceOperator, LinearOperator, StencilChoice, discretise, operator

Arithmetic = Literal["float32", "float64", "exact"]
"""The arithmetic in which a matrix is made: ``exact`` stands for the exact-rational matrix, to any digits."""
Method = Literal["ad", "fd"]
"""Automatic or finite differentiation of the features."""
Layout = Literal["grid", "uniform", "sobol"]
Texts = tuple[tuple[str, str], ...]
"""An expression for each of some names."""
Vector = tuple[Fraction, ...]
"""A point, or a weight: one exact number per dimension."""

ARITHMETICS: tuple[Arithmetic, ...] = ("exact", "float64", "float32")
METHODS: tuple[Method, ...] = ("ad", "fd")
MAX_COUNT = 20_000
"""Largest number of features or points."""
MAX_SEED = 2**63 - 1
DIRICHLET = (
    Key("problem", "boundary", str, "dirichlet", "shorthand: rows u = g all around, or none", ("dirichlet", "none")),
    Key("problem", "weight", Number, 1, "λ of these rows", sign=NOT_NEGATIVE),
    Key("points", "boundary", int | None, None, "how many of these rows; 2 a dimension where no [[boundary]] is given"),
)
"""Keys beside the ``[[boundary]]`` tables."""
STENCIL = (
    Key("difference", "offsets", list[Number] | None, None, "nodes in units of h, for every derivative and axis"),
    Key("difference", "stencil", str, "central", "a family that sizes itself to the derivative", SCHEMES),
    Key("difference", "order", int, 2, "of accuracy, of central, forward and backward", within=(1, 16)),
)


_OF_EQUATIONS: set[tuple[str, str]] = {("difference", "outside")}
"""Tables and keys that only equations have."""


def _more(table: str, key: str, kind: Any) -> dict[str, Any]:
    """A key that only equations have: left out where it is empty, so that the keys of older problems stay as they are."""
    _OF_EQUATIONS.add((table, key))
    empty: Any = {} if "dict" in str(kind) else []
    return at(table, kind=kind, default=empty, quiet=True)


def _standard() -> Law:
    from theory.features.laws import law

    return law("normal(0, 1)")


@dataclass(frozen=True)
class Boundary:
    """One set of boundary rows B u = g, weighted by √weight.

    Attributes:
        face: ``"all"``, or a coordinate and a side such as ``"x-"`` (lower end) or ``"t-"`` (initial time); of equations also
            a coordinate, ``"x"``: what B u is on ``x+`` less what it is on ``x-``, so that 0 is periodic.
        count: number of points.
        operator: B, as in :func:`theory.operators.operator.operator`; ``"u"`` is Dirichlet. Of equations any expression in the
            unknowns; left out in a file, each unknown in turn.
        value: g as an expression in the coordinates; None takes it from the solution (or 0 without one).
        weight: λ; the rows carry its square root.
    """

    face: str = field(default="all", metadata=at("boundary"))
    count: int = field(default=2, metadata=at("boundary", within=(0, MAX_COUNT)))
    operator: str = field(default="u", metadata=at("boundary", kind=str | None, default=None))
    value: str | None = field(default=None, metadata=at("boundary"))
    weight: Fraction = field(default=Fraction(1), metadata=at("boundary", sign=NOT_NEGATIVE))


@dataclass(frozen=True)
class Training:
    """How networks are trained; see :mod:`numerics.training`.

    Attributes:
        model: random features, whose output weights alone are trained, or a network; equations take a network.
        optimizer: gradient descent, Adam or L-BFGS; by default gd, of equations adam.
        iterations: how many.
        step: of gradient descent (by default the largest stable one), or Adam's rate.
        seeds: how many networks, or draws of the features.
        scaling: of the output layer: divided by √M, or drawn so small.
        depth: affine maps of the network; 2 has one hidden layer.
    """

    model: Literal["rfm", "two-layer"] = field(default="rfm", metadata=at("training", default=None))
    optimizer: Literal["gd", "adam", "lbfgs"] = field(default="gd", metadata=at("training", default=None))
    iterations: int = field(default=1000, metadata=at("training", within=(1, 10_000_000)))
    step: Fraction | None = field(default=None, metadata=at("training", sign=POSITIVE))
    seeds: int = field(default=8, metadata=at("training", within=(1, 100_000)))
    scaling: Literal["ntk", "standard"] = field(default="ntk", metadata=at("training"))
    depth: int = field(default=2, metadata=at("training", within=(1, 10)))


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that determines A_AD and A_FD, their spectra and their entropies.

    Attributes:
        operator_text: L, as in :func:`theory.operators.operator.operator`: one linear equation in u. It or ``equations``
            must be given.
        domain: one exact interval per coordinate.
        solution: u as an expression in the coordinates, or None when only ``rhs`` is known; of equations one for
            each unknown whose solution is known, ``{u = "…", v = "…"}``.
        rhs: f = L u as an expression, or None to derive it from the solution; of equations one source each.
        unknowns: names of the unknowns of the equations; by default every name with a derivative.
        equations: ``"u_t + u*u_x = nu*u_xx"``, linear or not; see :mod:`theory.operators.equations`. Networks are trained on
            them; there is no matrix of them.
        parameters: exact numbers that the equations name.
        mask: hard conditions: an unknown is ``mask · network + lift``, both expressions in the coordinates.
        lift: as there; 0 by default.
        periodic: coordinates in which the networks are periodic with the period of the domain.
        activation_name: as in :func:`theory.features.activations.activation`.
        weights: law of each coordinate of w, or explicit values (M, d).
        biases: law of b, or explicit values (M,).
        count: number M of features.
        seed: of weights and biases.
        interior: points per axis of the grid, one number for the random layouts, or explicit points; 64 by default, of equations
            64, 20, 8 or 5 an axis by the number of coordinates.
        layout: how interior points lie.
        points_seed: of the random layouts.
        boundary: the boundary rows, in order.
        stencil: which finite difference stands for each derivative.
        step: h, one for all axes or one per axis; exact.
        along: coordinates that finite differences take the place of autodiff in; by default all (equations only).
        outside: whether differences may evaluate outside the domain; otherwise they are one-sided near its border
            (equations only; those of ``operator`` are the same at every point).
        dtype: floating-point arithmetic of training runs and of ``--arithmetic`` defaults.
        digits: decimal digits asked of exact spectra.
        convention: of the entropy.
        training: of networks.
    """

    operator_text: str = field(default="u_xx", metadata=at("problem", "operator", kind=str | None, default=None))
    domain: tuple[tuple[Fraction, Fraction], ...] = field(
        default=((Fraction(-1), Fraction(1)),), metadata=at("problem", kind=list[list[Number]] | None, default=None)
    )
    solution: str | Texts | None = field(
        default="sin(pi*x)", metadata=at("problem", kind=str | dict[str, str] | None, default=None)
    )
    rhs: str | tuple[str, ...] | None = field(default=None, metadata=at("problem", kind=str | list[str] | None))
    unknowns: tuple[str, ...] = field(default=(), metadata=_more("problem", "unknowns", kind=list[str]))
    equations: tuple[str, ...] = field(default=(), metadata=_more("problem", "equations", kind=str | list[str]))
    parameters: tuple[tuple[str, Fraction], ...] = field(
        default=(), metadata=_more("problem", "parameters", kind=dict[str, Number])
    )
    mask: Texts = field(default=(), metadata=_more("problem", "mask", kind=str | dict[str, str]))
    lift: Texts = field(default=(), metadata=_more("problem", "lift", kind=str | dict[str, str]))
    periodic: tuple[str, ...] = field(default=(), metadata=_more("problem", "periodic", kind=list[str]))
    activation_name: str = field(default="tanh", metadata=at("features", "activation", default=REQUIRED))
    weights: Law | tuple[Vector, ...] = field(default_factory=_standard, metadata=at("features", kind=str | Values))
    biases: Law | tuple[Fraction, ...] = field(default_factory=_standard, metadata=at("features", kind=str | Values))
    count: int = field(default=64, metadata=at("features", kind=int | None, default=None))
    seed: int = field(default=0, metadata=at("features", within=(0, MAX_SEED)))
    interior: tuple[int, ...] | tuple[Vector, ...] = field(
        default=(64,), metadata=at("points", kind=int | list[int] | Values | None, default=None)
    )
    layout: Layout = field(default="grid", metadata=at("points"))
    points_seed: int = field(default=0, metadata=at("points", "seed", within=(0, MAX_SEED)))
    boundary: tuple[Boundary, ...] = field(default=(), metadata=several(*DIRICHLET))
    stencil: StencilChoice = field(default=StencilChoice(), metadata=several(*STENCIL))
    step: tuple[Fraction, ...] = field(
        default=(Fraction(1, 100),), metadata=at("difference", kind=Number | list[Number], default="1/100")
    )
    along: tuple[str, ...] = field(default=(), metadata=_more("difference", "along", kind=list[str]))
    outside: bool = field(default=False, metadata=at("difference", quiet=True))
    dtype: Literal["float32", "float64"] = field(default="float64", metadata=at("arithmetic"))
    digits: int = field(default=12, metadata=at("arithmetic", within=(1, 1000)))
    convention: Convention = Convention()
    training: Training = Training()

    def __post_init__(self) -> None:
        self._check_types()
        if self.equations:
            self._normalise()
        elif isinstance(self.solution, tuple):
            if [name for name, _ in self.solution] != ["u"]:
                raise InputError("problem.solution: the unknown of problem.operator is u")
            object.__setattr__(self, "solution", self.solution[0][1])
        if len(self.step) not in (1, self.dimension):
            raise InputError(f"difference.step: {len(self.step)} values for {self.dimension} dimension(s)")
        if any(h <= 0 for h in self.step):
            raise InputError(f"difference.step: {spell(min(self.step))} must be positive")
        if any(low >= high for low, high in self.domain):
            raise InputError("problem.domain: each interval needs low < high")
        if isinstance(self.weights, tuple):
            if any(len(w) != self.dimension for w in self.weights):
                raise InputError(f"features.weights: each value needs {self.dimension} coordinate(s)")
            if len(self.weights) != self.count:
                raise InputError(f"features.count: {self.count}, but features.weights has {len(self.weights)} values")
        if isinstance(self.biases, tuple) and len(self.biases) != self.count:
            raise InputError(f"features.count: {self.count}, but features.biases has {len(self.biases)} values")
        if not 1 <= self.count <= MAX_COUNT:
            raise InputError(f"features.count: {self.count}; allowed are 1 to {MAX_COUNT}")
        explicit = [len(p) for p in self.interior if isinstance(p, tuple)]
        per_axis = self.dimension if self.layout == "grid" else 1
        if any(n != self.dimension for n in explicit) or not (explicit or len(self.interior) == per_axis):
            raise InputError(f"points.interior: give points of {self.dimension} coordinate(s), or {per_axis} number(s)")
        # Made once, early: a problem that exists has a readable operator, activation, stencil and data.
        _ = self.activation
        if self.equations:
            self._check_equations()
        else:
            _ = self.operator, self.difference, self.solution_expression, self._given_rhs
            if self._given_rhs is None and self.solution_expression is None:
                raise InputError("problem.rhs: give problem.solution or problem.rhs")
            for place, key in sorted(_OF_EQUATIONS - {("problem", "equations")}):
                if getattr(self, key):
                    raise InputError(f"{place}.{key}: is of problem.equations, which are not given")
        for rows in self.boundary:
            faces = ("all", *(f"{name}{sign}" for name in self.variables for sign in "-+"))
            faces += self.variables if self.equations else ()
            if rows.face not in faces:
                raise InputError(f"boundary.face: {rows.face[:60]!r}; allowed: {', '.join(faces)}")
            _ = self.boundary_expression(rows) if self.equations else self.boundary_operator(rows)
            _ = self.boundary_value(rows)
            if rows.count < 0 or rows.weight < 0:
                raise InputError("boundary: count and weight must not be negative")

    def _check_types(self) -> None:
        """What a value is made of is exact; :func:`numerics.problem.given.pose` takes floats, arrays and tensors."""
        for name, kinds in (
            ("domain", tuple),
            ("step", tuple),
            ("interior", tuple),
            ("weights", tuple | Law),
            ("biases", tuple | Law),
        ):
            if not isinstance(value := getattr(self, name), kinds):
                raise InputError(
                    f"{name}: {repr(value)[:60]}; Problem takes exact values in tuples, adfd.problem({name}=…) what one has"
                )
        for name, key in keys(Problem):
            if key.allowed and name in ("dtype", "layout") and getattr(self, name) not in key.allowed:
                raise InputError(f"{name}: {getattr(self, name)!r}; allowed: {', '.join(key.allowed)}")

    def _normalise(self) -> None:
        """What is given as lists and tables becomes tuples; networks alone are trained on equations."""

        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("operator_text", "")
        texts: Any = self.equations
        put("equations", (texts,) if isinstance(texts, str) else tuple(texts))
        for name in ("unknowns", "periodic", "along"):
            put(name, tuple(getattr(self, name)))
        put("parameters", tuple((n, rational(v, f"problem.parameters.{n}")) for n, v in dict(self.parameters).items()))
        put("rhs", self.rhs if self.rhs is None or isinstance(self.rhs, str) else tuple(self.rhs))
        put("training", replace(self.training, model="two-layer"))
        for name in ("solution", "mask", "lift"):
            given = getattr(self, name)
            if isinstance(given, str):
                if len(self.unknown_names) > 1:
                    raise InputError(
                        f"problem.{name}: give one for each unknown, {name} = {{{self.unknown_names[0]} = …}}"
                    )
                given = {self.unknown_names[0]: given}
            put(name, None if given is None else tuple((normal(k), v) for k, v in dict(given).items()))

    def _check_equations(self) -> None:
        names = self.unknown_names
        for key in ("solution", "mask", "lift"):
            for name, _ in getattr(self, key) or ():
                if name not in names:
                    hint = nearest(name, names)
                    raise InputError(f"problem.{key}: {name[:30]!r} is no unknown; {hint}allowed: {', '.join(names)}")
        for key, place in (("periodic", "problem"), ("along", "difference")):
            for name in getattr(self, key):
                if name not in self.variables:
                    raise InputError(f"{place}.{key}: {name[:30]!r}; allowed: {', '.join(self.variables)}")
        if self.periodic and isinstance(self.weights, tuple):
            raise InputError(
                "features.weights: give a law; a periodic coordinate enters networks as a sine and a cosine"
            )
        if self.stencil.offsets is None and self.stencil.name in ("five-point", "nine-point", "thirteen-point"):
            raise InputError(
                f"difference.stencil: {self.stencil.name} is of one operator; allowed: central, forward, backward"
            )
        _ = self.solution_fields, self.sources, self.hard
        if not (self.boundary or self.mask):
            raise InputError(
                "boundary: the equations have no conditions; give [[boundary]], problem.mask or problem.solution"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)  # of the content, once: hashing hundreds of rationals at every look-up is slow

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.domain)

    @cached_property
    def operator(self) -> LinearOperator:
        """L.

        Raises:
            InputError: the problem is posed by equations.
        """
        if self.equations:
            raise InputError(
                "problem.equations: the matrices of random features, their spectra and entropies are of one linear equation, "
                "problem.operator; of equations 'adfd train' and 'adfd advise' treat networks, and 'adfd spectrum --kernel ntk' gives the"
                " eigenvalues of a network's tangent kernel"
            )
        return operator(self.operator_text, self.dimension)

    @cached_property
    def activation(self) -> Activation:
        """σ."""
        return activation(self.activation_name)

    @cached_property
    def difference(self) -> DifferenceOperator:
        """L_h."""
        return _discretised(self.operator, self.stencil, self.steps)

    @property
    def steps(self) -> tuple[Fraction, ...]:
        """h per axis."""
        return self.step * self.dimension if len(self.step) == 1 else self.step

    @property
    def h(self) -> Fraction:
        """The step where it is the same on every axis, else the largest."""
        return max(self.step)

    @cached_property
    def posed(self) -> tuple[Expression, ...]:
        """The equations, where they are given."""
        return equations(
            self.equations, self.dimension, unknowns=self.unknowns, parameters=dict(self.parameters)
        )  # fmt: skip

    @cached_property
    def unknown_names(self) -> tuple[str, ...]:
        """The unknowns, in order."""
        if not self.equations:
            return ("u",)
        found = dict.fromkeys(d.unknown for e in self.posed for _, d in e.derivatives)
        return tuple(dict.fromkeys((*map(normal, self.unknowns), *found)))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return self.posed[0].variables if self.equations else self.operator.variables

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The coordinates as SymPy symbols."""
        return self.posed[0].symbols if self.equations else self.operator.symbols

    def _expression(self, text: str | None, what: str) -> sp.Expr | None:
        named = tuple((name, sp.Rational(v.numerator, v.denominator)) for name, v in self.parameters)
        return None if text is None else _parsed(text, self.symbols, named, what)

    @cached_property
    def solution_fields(self) -> dict[str, sp.Expr]:
        """The unknowns whose solution is known, in the coordinates."""
        if not isinstance(self.solution, tuple):
            return {} if self.solution_expression is None else {"u": self.solution_expression}
        return {name: self._expression(text, f"problem.solution.{name}") for name, text in self.solution}

    @cached_property
    def sources(self) -> tuple[sp.Expr, ...]:
        """Of each equation what is taken from its left side: as given, else its residual at the known solution, else 0."""
        if self.rhs is not None:
            given = (self.rhs,) if isinstance(self.rhs, str) else self.rhs
            if len(given) != len(self.posed):
                raise InputError(f"problem.rhs: {len(given)} sources for {len(self.posed)} equations")
            return tuple(self._expression(text, f"problem.rhs[{i}]") for i, text in enumerate(given))
        known = self.solution_fields
        whole = [all(d.unknown in known for _, d in e.derivatives) for e in self.posed]
        return tuple(e.apply(known) if all_ else sp.Integer(0) for e, all_ in zip(self.posed, whole, strict=True))

    @cached_property
    def hard(self) -> dict[str, tuple[sp.Expr, sp.Expr]]:
        """Mask and lift of the unknowns that have one."""
        mask, lift = dict(self.mask), dict(self.lift)
        names = [name for name in self.unknown_names if name in mask or name in lift]
        return {
            name: (
                self._expression(mask.get(name, "1"), f"problem.mask.{name}"),
                self._expression(lift.get(name, "0"), f"problem.lift.{name}"),
            )
            for name in names
        }

    @cached_property
    def solution_expression(self) -> sp.Expr | None:
        """u in the coordinates, where it is known and the only unknown."""
        if isinstance(self.solution, tuple):
            return self.solution_fields.get(self.unknown_names[0]) if len(self.unknown_names) == 1 else None
        return self._expression(self.solution, "problem.solution")

    @cached_property
    def _given_rhs(self) -> sp.Expr | None:
        if not (self.rhs is None or isinstance(self.rhs, str)):
            raise InputError("problem.rhs: several; the operator is one equation")
        return self._expression(self.rhs, "problem.rhs")

    @cached_property
    def rhs_expression(self) -> sp.Expr:
        """f: as given, else L u."""
        return self._given_rhs if self._given_rhs is not None else self.operator.apply(self.solution_expression)

    def boundary_operator(self, rows: Boundary) -> LinearOperator:
        """B of these rows, in the coordinates of the problem."""
        return operator(rows.operator, variables=self.operator.variables, what="boundary.operator")

    def boundary_expression(self, rows: Boundary) -> Expression:
        """B of these rows, in the unknowns of the equations."""
        return expression(rows.operator, self.variables, self.unknown_names, dict(self.parameters))

    def boundary_value(self, rows: Boundary) -> sp.Expr:
        """g of these rows: as given, else B u of the known solution, else 0."""
        given = self._expression(rows.value, "boundary.value")
        if given is not None:
            return given
        if self.equations:
            found = self.boundary_expression(rows)
            if rows.face in self.variables or any(d.unknown not in self.solution_fields for _, d in found.derivatives):
                return sp.Integer(0)
            return found.apply(self.solution_fields)
        if self.solution_expression is None:
            return sp.Integer(0)
        return self.boundary_operator(rows).apply(self.solution_expression)

    def with_(self, **changes: Any) -> Problem:
        """The same problem with some attributes changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The content of a problem file that spells this problem; read back by ``problem_file.problem_from_dict``."""
        explicit = bool(self.interior) and isinstance(self.interior[0], tuple)

        def write(attribute: str, key: Key) -> Any:
            value = getattr(self, attribute)
            match attribute:
                case "stencil":
                    return value.to_dict().get(key.name)
                case "boundary":  # all in tables of their own
                    return 0 if key.table == "points" else None
                case "layout" | "points_seed" if explicit:
                    return None
                case "interior" if not explicit:
                    return value if len(value) > 1 else value[0]
                case "operator_text" if self.equations:
                    return None
                case "parameters" | "mask" | "lift":
                    return dict(value)
                case "solution" if isinstance(value, tuple):
                    return dict(value)
                case "weights" | "biases" | "interior":
                    return _values(value) if isinstance(value, tuple) else str(value)
                case _:
                    return value

        data = contents(self, write) | {
            "entropy": self.convention.to_dict(),
            "training": vars(self.training),
            "boundary": [vars(rows) for rows in self.boundary],
        }
        spelled: dict[str, Any] = written(data)
        return spelled

    @cached_property
    def key(self) -> str:
        """A content key: equal problems have equal keys, in every process and on every machine."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@lru_cache(maxsize=1024)
def _parsed(text: str, symbols: tuple[sp.Symbol, ...], named: tuple[tuple[str, sp.Expr], ...], what: str) -> sp.Expr:
    return expressions.parse(text, {**{s.name: s for s in symbols}, **dict(named)}, what)


@lru_cache(maxsize=1024)
def _discretised(chosen: LinearOperator, stencil: StencilChoice, steps: tuple[Fraction, ...]) -> DifferenceOperator:
    return discretise(chosen, stencil, steps)


def _values(listed: tuple[Any, ...]) -> dict[str, Any]:
    """What is given explicitly, as a file has it; a vector of one coordinate is a number."""
    return {"values": [v[0] if isinstance(v, tuple) and len(v) == 1 else v for v in listed]}

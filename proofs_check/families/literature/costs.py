"""What a derivative of a network costs, in operations counted one by one: nested reverse mode, Taylor mode, the forward
Laplacian, and differences.

The programs are run on numbers that count: additions, multiplications and activations, one each; constants folded nowhere, what
does not depend on x never differentiated, sums of nothing left out.  Counted are one evaluation of the derivative at one point, and
a step of training: the loss of a grid of points with its gradient in all parameters, where differences on the grid share the
values of the network at its points.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from proofs_check.claims.claim import Profile, Scope, stated, wrong
from proofs_check.claims.comparisons import below, every, once
from proofs_check.claims.verdicts import Outcome
from theory.stencils import central

WIDTH = 8


@dataclass(eq=False, slots=True)
class Node:
    """A number of a program, with what it was made of; ``slopes`` gives ∂/∂parent as nodes."""

    tape: Tape
    value: float
    parents: tuple[Node, ...] = ()
    kind: str = "constant"

    def __add__(self, other: Node) -> Node:
        return self.tape.make("add", self.value + other.value, self, other)

    def __mul__(self, other: Node) -> Node:
        return self.tape.make("mul", self.value * other.value, self, other)


@dataclass
class Tape:
    """Nodes in the order in which they were made, and how many operations that took."""

    nodes: list[Node] = field(default_factory=list)
    operations: int = 0
    parameters: dict[float, Node] = field(default_factory=dict)

    def make(self, kind: str, value: float, *parents: Node) -> Node:
        """One operation more."""
        self.operations += 1
        node = Node(self, value, parents, kind)
        self.nodes.append(node)
        return node

    def constant(self, value: float) -> Node:
        """A number, or a coordinate."""
        node = Node(self, value)
        self.nodes.append(node)
        return node

    def parameter(self, value: float) -> Node:
        """A parameter of the network, which all its evaluations share; no two have the same value."""
        if value not in self.parameters:
            self.parameters[value] = self.constant(value)
        return self.parameters[value]

    def tanh(self, x: Node) -> Node:
        """The activation: one operation."""
        return self.make("tanh", math.tanh(x.value), x)

    def slope(self, t: Node) -> Node:
        """1 − t² for t = tanh: two operations."""
        return self.constant(1.0) + self.make("mul", -t.value * t.value, t, self.make_negative(t))

    def make_negative(self, t: Node) -> Node:
        """−t, of which the sign costs nothing."""
        node = Node(self, -t.value, (t,), "neg")
        self.nodes.append(node)
        return node

    def gradient(self, y: Node, inputs: Sequence[Node]) -> list[Node]:
        """Reverse mode, along what depends on the inputs; its operations are on the tape, to be differentiated again."""
        needed = {id(x) for x in inputs}
        for node in self.nodes:
            if any(id(p) in needed for p in node.parents):
                needed.add(id(node))
        adjoint: dict[int, Node] = {id(y): self.constant(1.0)}
        unit = {id(y)}

        def send(parent: Node, amount: Node, is_unit: bool = False) -> None:
            if id(parent) not in needed:
                return
            before = adjoint.get(id(parent))
            adjoint[id(parent)] = amount if before is None else before + amount
            (unit.add if is_unit and before is None else unit.discard)(id(parent))

        for node in reversed(list(self.nodes)):
            bar = adjoint.get(id(node))
            if bar is None or id(node) not in needed:
                continue
            one = id(node) in unit
            if node.kind == "add":
                for parent in node.parents:
                    send(parent, bar, one)
            elif node.kind == "neg":
                send(node.parents[0], self.make_negative(bar))
            elif node.kind == "mul":
                a, b = node.parents
                if id(a) in needed:
                    send(a, b if one else bar * b)
                if id(b) in needed:
                    send(b, a if one else bar * a)
            elif node.kind == "tanh":
                slope = self.slope(node)
                send(node.parents[0], slope if one else bar * slope)
        return [adjoint.get(id(x)) or self.constant(0.0) for x in inputs]


def _parameter(*place: int) -> float:
    """Some number between −1 and 1 for a place in the network."""
    return math.sin(1 + sum((k + 2) ** (i + 1.5) for i, k in enumerate(place)))


def network(tape: Tape, x: Sequence[Node], layers: int) -> Node:
    """tanh layers of width 8, then a linear one."""
    values = list(x)
    for layer in range(layers):
        values = [
            tape.tanh(
                _affine(tape, values, [_parameter(layer, j, i) for i in range(len(values))], _parameter(layer, j))
            )
            for j in range(WIDTH)
        ]
    return _affine(tape, values, [_parameter(layers, j) for j in range(WIDTH)], None)


def _affine(tape: Tape, values: Sequence[Node], weights: Sequence[float], bias: float | None) -> Node:
    total = None if bias is None else tape.parameter(bias)
    for v, w in zip(values, weights, strict=True):
        term = tape.parameter(w) * v
        total = term if total is None else total + term
    assert total is not None
    return total


AT = (0.3, -0.2, 0.7, 0.1, -0.5, 0.4, 0.6, -0.1, 0.2, 0.5)
Counted = tuple[float, int]
"""The value of the derivative and the operations."""


@cache
def nested_reverse(order: int, layers: int) -> Counted:
    """∂^m by reverse mode of reverse mode, m times."""
    tape = Tape()
    return _reverse(tape, AT[0], order, layers).value, tape.operations


def _reverse(tape: Tape, at: float, order: int, layers: int) -> Node:
    x = tape.constant(at)
    y = network(tape, [x], layers)
    for _ in range(order):
        (y,) = tape.gradient(y, [x])
    return y


@cache
def taylor(order: int, layers: int) -> Counted:
    """∂^m by truncated power series: z_k = z^(k)/k!, tanh by t' = (1 − t²) z'."""
    tape = Tape()
    return _taylor(tape, AT[0], order, layers).value, tape.operations


def _taylor(tape: Tape, at: float, order: int, layers: int) -> Node:
    series: list[list[Node | None]] = [
        [tape.constant(at), *([tape.constant(1.0)] * (order > 0)), *([None] * (order - 1))]
    ]
    for layer in range(layers):
        series = [
            _tanh_series(tape, _affine_series(tape, series, [_parameter(layer, j, i) for i in range(len(series))],
                                              _parameter(layer, j)), order)
            for j in range(WIDTH)
        ]  # fmt: skip
    last = _affine_series(tape, series, [_parameter(layers, j) for j in range(WIDTH)], None)[order]
    assert last is not None
    return tape.constant(float(math.factorial(order))) * last


def _affine_series(
    tape: Tape, series: list[list[Node | None]], weights: Sequence[float], bias: float | None
) -> list[Node | None]:
    found: list[Node | None] = []
    for k in range(len(series[0])):
        known = [(s[k], w) for s, w in zip(series, weights, strict=True) if s[k] is not None]
        parts = [v for v, _ in known if v is not None]
        found.append(_affine(tape, parts, [w for _, w in known], bias if k == 0 else None) if parts else None)
    return found


def _sum(parts: Sequence[Node]) -> Node | None:
    total = None
    for part in parts:
        total = part if total is None else total + part
    return total


def _tanh_series(tape: Tape, z: list[Node | None], order: int) -> list[Node | None]:
    assert z[0] is not None
    t: list[Node | None] = [tape.tanh(z[0])]
    slopes: list[Node | None] = []
    for k in range(1, order + 1):
        s = _sum([a * b for i in range(k) if (a := t[i]) is not None and (b := t[k - 1 - i]) is not None])
        assert s is not None
        slopes.append(tape.constant(1.0) + s * tape.constant(-1.0) if k == 1 else s * tape.constant(-1.0))
        parts = [tape.constant(j / k) * (a * b) for j in range(1, k + 1)
                 if (a := z[j]) is not None and (b := slopes[k - j]) is not None]  # fmt: skip
        t.append(_sum(parts))
    return t


@cache
def differences(order: int, layers: int) -> Counted:
    """∂^m by the central stencil of order 2."""
    tape, h = Tape(), 0.02
    stencil = central(order)
    values = [network(tape, [tape.constant(AT[0] + float(s) * h)], layers) for s in stencil.offsets]
    tape.operations += len(values)  # x + s h
    total = _sum([tape.constant(float(c) / h**order) * v for c, v in zip(stencil.weights, values, strict=True)])
    assert total is not None
    return total.value, tape.operations


@cache
def laplacian_reverse(dimension: int, layers: int) -> Counted:
    """Reverse mode for the gradient, and again for each of its components, each time along what depends on its coordinate."""
    tape = Tape()
    x = [tape.constant(v) for v in AT[:dimension]]
    first = tape.gradient(network(tape, x, layers), x)
    total = _sum([tape.gradient(g, [v])[0] for g, v in zip(first, x, strict=True)])
    assert total is not None
    return total.value, tape.operations


@cache
def laplacian_forward(dimension: int, layers: int) -> Counted:
    """Values, gradients and Laplacians, layer by layer."""
    tape = Tape()
    values = [tape.constant(v) for v in AT[:dimension]]
    gradients: list[list[Node | None]] = [
        [tape.constant(1.0) if i == j else None for j in range(dimension)] for i in range(dimension)
    ]
    laplacians: list[Node | None] = [None] * dimension
    for layer in range(layers + 1):
        out = WIDTH if layer < layers else 1
        new_values, new_gradients, new_laplacians = [], [], []
        for j in range(out):
            w = (
                [_parameter(layer, j, i) for i in range(len(values))]
                if layer < layers
                else [_parameter(layers, i) for i in range(WIDTH)]
            )
            z = _affine(tape, values, w, _parameter(layer, j) if layer < layers else None)
            zg = [_combined(tape, [g[k] for g in gradients], w) for k in range(dimension)]
            zl = _combined(tape, laplacians, w)
            if layer == layers:
                return (zl.value if zl is not None else 0.0), tape.operations
            t = tape.tanh(z)
            s = tape.slope(t)
            known = [g for g in zg if g is not None]
            squares = _sum([g * g for g in known])
            second = None if squares is None else tape.constant(-2.0) * (t * s) * squares
            linear = None if zl is None else s * zl
            new_values.append(t)
            new_gradients.append([None if g is None else s * g for g in zg])
            new_laplacians.append(_sum([p for p in (second, linear) if p is not None]))
        values, gradients, laplacians = new_values, new_gradients, new_laplacians
    raise AssertionError


def _combined(tape: Tape, parts: Sequence[Node | None], weights: Sequence[float]) -> Node | None:
    return _sum([tape.parameter(w) * p for p, w in zip(parts, weights, strict=True) if p is not None])


@cache
def laplacian_differences(dimension: int, layers: int) -> Counted:
    """The star of 2d + 1 points."""
    tape, h = Tape(), 0.02
    corners = [AT[:dimension]]
    corners += [
        tuple(v + s * h * (i == k) for i, v in enumerate(AT[:dimension])) for k in range(dimension) for s in (-1, 1)
    ]
    values = [network(tape, [tape.constant(v) for v in x], layers) for x in corners]
    tape.operations += 2 * dimension
    around = _sum(values[1:])
    assert around is not None
    total = (around + tape.constant(-2.0 * dimension) * values[0]) * tape.constant(h**-2)
    return total.value, tape.operations


GRID = 8
"""Points of a step of training."""


@cache
def training_step(mode: str, order: int, layers: int) -> tuple[tuple[float, ...], int]:
    """The gradient of Σ (∂^m u)² over a grid in all parameters (those of the forward programs first), and the operations.

    Differences are those of the grid: the network is evaluated once at each point, and at those beyond the ends.
    """
    tape = Tape()
    grid = [Fraction(2 * k, GRID + 1) - 1 for k in range(1, GRID + 1)]
    if mode == "differences":
        stencil, h = central(order), Fraction(2, GRID + 1)
        places = sorted({x + s * h for x in grid for s in stencil.offsets})
        values = {x: network(tape, [tape.constant(float(x))], layers) for x in places}
        terms = [[tape.constant(float(c / h**order)) * values[x + s * h] for c, s in zip(stencil.weights, stencil.offsets, strict=True)]
                 for x in grid]  # fmt: skip
        residuals = [_sum(parts) for parts in terms]
    else:
        made = {"nested reverse": _reverse, "Taylor": _taylor}[mode]
        residuals = [made(tape, float(x), order, layers) for x in grid]
    loss = _sum([r * r for r in residuals if r is not None])
    assert loss is not None
    named = sorted(tape.parameters)
    gradient = tape.gradient(loss, [tape.parameters[value] for value in named])
    return tuple(node.value for node in gradient), tape.operations


MODES = {"nested reverse": nested_reverse, "Taylor": taylor, "differences": differences}
LAPLACIANS = {
    "nested reverse": laplacian_reverse,
    "forward Laplacian": laplacian_forward,
    "differences": laplacian_differences,
}
ORDERS = (1, 2, 3, 4, 5, 6)
_WHERE = (
    f"one point, tanh layers of width {WIDTH}; additions, multiplications and activations counted alike, exact integers"
)


@stated(
    "literature.cost-grows-exponentially",
    title="The cost grows exponentially with the order",
    family="literature",
    source="modes of differentiation",
    predicate=rf"operations for $\partial^{{m+1}}$ at least 3/2 times those for $\partial^m$, m = 1 to 5: the growth of each order. {_WHERE}",
    kind="exact",
    scopes=once(*({"mode": mode, "layers": n} for mode in MODES for n in ("1", "3"))),
    instances=lambda scope, profile: (int(scope["layers"]),),
    judges=(central,),
    mutants=(
        wrong("tenfold", "each order costs ten times the one before", "constant", {"mode": "nested reverse", "layers": "1"}, tenths=100),
        wrong("falls", "a higher order costs less", "sign", {"mode": "nested reverse", "layers": "1"}, falls=True),
    ),
)  # fmt: skip
def grows_exponentially(layers: int, scope: Scope, tenths: int = 15, falls: bool = False) -> Outcome:
    """The operations for a derivative grow by a constant factor (3/2 at least) with each order (known of nested reverse mode; judged
    of it, of Taylor mode and of differences, to order 6)."""
    counts = [MODES[scope["mode"]](m, layers)[1] for m in ORDERS]
    pairs = itertools.pairwise(counts)
    holds = every([below(10 * b, 9 * a) if falls else below(tenths * a, 10 * b) for a, b in pairs])
    return Outcome(
        holds, f"operations for m = 1 to 6: {counts}", certified=holds.holds is False, data={"operations": counts}
    )


_TASKS = {"∂": 1, "∂²": 2, "∂⁴": 4, "Laplacian (d = 2)": 2, "Laplacian (d = 10)": 10}


@stated(
    "literature.fd-cheaper",
    title="FD takes fewer operations than AD",
    family="literature",
    source="arXiv:2602.21590",
    predicate=f"operations of differences (central, order 2; the star of 2d + 1 points) fewer than those of the mode. {_WHERE}",
    kind="exact",
    scopes=once(*({"mode": mode, "derivative": task, "layers": n}
                  for task in _TASKS for mode in (("nested reverse", "forward Laplacian") if task.startswith("L") else ("nested reverse", "Taylor"))
                  for n in ("1", "3"))),
    instances=lambda scope, profile: (int(scope["layers"]),),
    judges=(central,),
    mutants=(
        wrong("more", "it takes more", "sign", {"mode": "nested reverse", "derivative": "∂⁴", "layers": "3"}, more=True),
        wrong("tenth", "it takes a tenth", "constant", {"mode": "nested reverse", "derivative": "∂²", "layers": "3"}, factor=10),
    ),
)  # fmt: skip
def fd_cheaper(layers: int, scope: Scope, more: bool = False, factor: int = 1) -> Outcome:
    """A difference of the network takes fewer operations than automatic differentiation (the source measures training time; here
    operations of one derivative are counted, for nested reverse mode and for forward modes)."""
    number = _TASKS[scope["derivative"]]
    table = LAPLACIANS if scope["derivative"].startswith("L") else MODES
    fd, ad = table["differences"](number, layers)[1], table[scope["mode"]](number, layers)[1]
    holds = below(ad + 1, fd) if more else below(factor * fd + 1, ad)
    return Outcome(
        holds, f"differences {fd}, {scope['mode']} {ad}", certified=holds.holds is False, data={"fd": fd, "ad": ad}
    )


def _step_cells(profile: Profile) -> tuple[Scope, ...]:
    return tuple(
        {"mode": mode, "derivative": d, "layers": n}
        for d in ("∂", "∂²", "∂⁴")
        for mode in ("nested reverse", "Taylor")
        for n in ("1", "3")
        if profile == "full" or n == "1" or d == "∂²"
    )


@stated(
    "literature.fd-step-cheaper",
    title="A step of training takes fewer operations with FD on a uniform grid",
    family="literature",
    source="arXiv:2602.21590",
    predicate=rf"operations for $\sum_i (\partial^m u(x_i))^2$ over {GRID} equispaced points with its gradient in all parameters (reverse mode): by the central difference of "
    rf"order 2 on that grid, whose values are shared, fewer than by the mode. tanh layers of width {WIDTH}; additions, multiplications and activations counted alike",
    kind="exact",
    scopes=_step_cells,
    instances=lambda scope, profile: (int(scope["layers"]),),
    judges=(central,),
    mutants=(
        wrong("more", "it takes more", "sign", {"mode": "nested reverse", "derivative": "∂²", "layers": "1"}, more=True),
        wrong("fiftieth", "it takes a fiftieth", "constant", {"mode": "nested reverse", "derivative": "∂²", "layers": "1"}, factor=50),
    ),
)  # fmt: skip
def fd_step_cheaper(layers: int, scope: Scope, more: bool = False, factor: int = 1) -> Outcome:
    """A step of training on a uniform grid takes fewer operations with differences than with automatic differentiation (the source
    measures seconds; here operations of the loss and of its gradient in the parameters, for nested reverse mode and Taylor mode)."""
    order = _TASKS[scope["derivative"]]
    fd, ad = (training_step(mode, order, layers)[1] for mode in ("differences", scope["mode"]))
    holds = below(ad + 1, fd) if more else below(factor * fd + 1, ad)
    return Outcome(
        holds, f"differences {fd}, {scope['mode']} {ad}", certified=holds.holds is False, data={"fd": fd, "ad": ad}
    )


CLAIMS = (grows_exponentially, fd_cheaper, fd_step_cheaper)

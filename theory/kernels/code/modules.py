"""Python source of a kernel as a function of arrays: numpy, torch, or mpmath.

Array code works on blocks of rows that stay in cache, evaluates what depends on one point on vectors, and uses
stable forms (log cosh without overflow, scaled error functions, no difference of large hyperbolic functions). mpmath
code takes scalars in the current precision. Numerical kernels become a product of quadrature features, K ≈ F(x) W F(y)ᵀ.
"""

from __future__ import annotations

from typing import Literal

import sympy as sp
from mpmath import mp

from theory.base.errors import InputError
from theory.base.quadrature import rule
from theory.features.activations import z
from theory.features.laws import Law, Normal
from theory.kernels.code.helpers import closure
from theory.kernels.code.printing import ArrayPrinter, literal
from theory.kernels.evaluation import FUNCTIONS
from theory.kernels.forms.activation_forms import ErfSum
from theory.kernels.forms.coordinates import fraction
from theory.kernels.forms.integrals import ErfcX, LogCosh, SincMoment, SinhMoment
from theory.kernels.kernel import KernelDerivation, Kind
from theory.kernels.numerical import NumericalKernel
from theory.kernels.routes.pieces import TruncatedMoment
from theory.kernels.routes.price_theorem import PriceKernel

_LOCAL = {LogCosh: "integrals.LogCosh", ErfcX: "integrals.ErfcX", SincMoment: "integrals.SincMoment",
          SinhMoment: "integrals.SinhMoment", TruncatedMoment: "pieces.TruncatedMoment"}  # fmt: skip
_HOMES = {"integrals": "theory.kernels.forms", "pieces": "theory.kernels.routes"}


class _Printer:
    """Expressions as text over ``mp``; rationals stay exact until the precision is known."""

    def __init__(self) -> None:
        self.modules: set[str] = set()

    def text(self, node: sp.Basic) -> str:
        if node.is_Integer:
            return f"mp.mpf({int(node)})"
        if node.is_Rational:
            return f"(mp.mpf({int(node.p)}) / {int(node.q)})"
        if node is sp.pi:
            return "mp.pi"
        if node is sp.E:
            return "mp.e"
        if node.is_Symbol:
            return str(node.name)
        if node.is_Add or node.is_Mul:
            joint = " + " if node.is_Add else " * "
            return f"({joint.join(self.text(a) for a in node.args)})"
        if isinstance(node, sp.exp):
            return f"mp.exp({self.text(node.args[0])})"
        if node.is_Pow:
            base, exponent = self.text(node.base), node.exp
            if exponent.is_Integer:
                return f"{base} ** {int(exponent)}" if node.base.is_Symbol else f"({base}) ** ({int(exponent)})"
            if exponent.is_Rational and exponent.q == 2:
                return f"mp.sqrt({base}) ** ({int(exponent.p)})"
            return f"mp.power({base}, {self.text(exponent)})"
        if isinstance(node, sp.Piecewise):
            return self._piecewise(node)
        if type(node) in _LOCAL:
            name = _LOCAL[type(node)]
            self.modules.add(name.split(".")[0])
            return f"{name}.mp_value(mp, {', '.join(self.text(a) for a in node.args)})"
        name = node.func.__name__
        if name == "Abs":
            return f"abs({self.text(node.args[0])})"
        if name in FUNCTIONS:
            return f"mp.{name}({', '.join(self.text(a) for a in node.args)})"
        raise InputError(f"code: {name} has no mpmath form")

    def _piecewise(self, node: sp.Piecewise) -> str:
        operators = {sp.Eq: "==", sp.Ne: "!=", sp.StrictLessThan: "<", sp.LessThan: "<=", sp.StrictGreaterThan: ">",
                     sp.GreaterThan: ">="}  # fmt: skip
        *branches, (last, _) = node.args
        text = self.text(last)
        for value, condition in reversed(branches):
            test = f"{self.text(condition.lhs)} {operators[condition.func]} {self.text(condition.rhs)}"
            text = f"({self.text(value)} if {test} else {text})"
        return text


def mpmath_module(kernel: KernelDerivation, kind: Kind) -> str:
    """A module that defines ``kernel(x, y)`` for two points (sequences in several dimensions)."""
    printer = _Printer()
    names = [s.name for s in kernel.symbols]
    lines = [f"def _values({', '.join(names)}):"]
    expr = kernel.K_AD if kind == "K_AD" else kernel.K
    replacements, (final,) = (
        sp.cse(expr, symbols=sp.numbered_symbols("t"), order="none") if not expr.has(sp.Piecewise) else ([], [expr])
    )  # a branch that is not taken must not be evaluated
    lines += [f"    {symbol} = {printer.text(value)}" for symbol, value in replacements]
    lines.append(f"    return {printer.text(final)}")
    d = kernel.coordinates.dimension
    points = ["x", "y"] if d == 1 else [f"{p}[{i}]" for p in "xy" for i in range(d)]
    lines += ["", "", "def kernel(x, y):", f'    """{kind} at two points, in the current precision of mpmath."""']
    if kind == "K_FD":
        lines.append("    total = mp.mpf(0)")
        left, right = (s.fd or () for s in kernel.sides)
        bound = [f"    {name} = {p}" for name, p in zip(names, points, strict=True) if name != p]
        lines += bound
        for s, c in left:
            for t, e in right:
                moved = [
                    f"{name} + {printer.text(fraction(h))}" if h else name
                    for name, h in zip(names, (*s, *t), strict=True)
                ]
                lines.append(f"    total += {printer.text(c * e)} * _values({', '.join(moved)})")
        lines.append("    return total")
    else:
        lines.append(f"    return _values({', '.join(points)})")
    head = [f'"""{kind}, sigma(z) = {kernel.activation.name}, w ~ {kernel.weights}, b ~ {kernel.biases}."""', ""]
    head.append("from mpmath import mp")
    if printer.modules:
        head += ["", *(f"from {_HOMES[module]} import {module}" for module in sorted(printer.modules))]
    return "\n".join([*head, "", "", *lines]) + "\n"


LEVEL = 7
"""Level of the rules in generated code: the normal law has step 2^−3.5, which gives about 1e-13 for |x| up to 2."""


def quadrature_module(kernel: KernelDerivation, target: Target, kind: Kind) -> str:
    """A module that defines ``kernel(x, y)``, for one dimension; accuracy about 1e-12 where |w x| varies moderately.

    Raises:
        InputError: for mpmath, for which :meth:`KernelDerivation.evaluate` is the way.
    """
    if target == "mpmath":
        raise InputError("code: a numerical kernel has no mpmath form; use evaluate")
    assert isinstance(kernel.source, NumericalKernel)
    library = "np" if target == "numpy" else "torch"
    printer = ArrayPrinter([z], [], False)
    orders = {0} if kind != "K_AD" else {a[0] for a, _ in kernel.sides[0].ad}
    sigma = {}
    for n in sorted(orders):
        fresh = ArrayPrinter([z], [], False)
        text = fresh.text(kernel.activation.derivative(n))
        sigma[n] = [*fresh.statements(), f"return {text}"]
        printer.functions |= fresh.functions
    point = sp.Symbol("p", real=True)
    lines: list[str] = []
    sides = kernel.sides if kernel.operator is not None else (None, None)
    for name, side, symbol in zip(("_left", "_right"), sides, kernel.symbols, strict=True):
        coefficients = ArrayPrinter([point], [], False)
        terms = []
        if kind == "K" or side is None:
            terms.append("_sigma0(w * p + b)")
        elif kind == "K_AD":
            for a, c in side.ad:
                text = coefficients.text(c.xreplace({symbol: point}))
                terms.append(f"{text} * w**{a[0]} * _sigma{a[0]}(w * p + b)")
        else:
            for s, c in side.fd or ():
                text = coefficients.text(c.xreplace({symbol: point}))
                terms.append(f"{text} * _sigma0(w * (p + {float(s[0])!r}) + b)")
        lines.append(f"def {name}(p, w, b):")
        lines += [f"    {line}" for line in coefficients.statements()]
        lines += [f"    return {' + '.join(terms)}", "", ""]
        printer.functions |= coefficients.functions
    functions = sorted(printer.functions)
    rename = {"absolute": "absolute", "atan": "arctan", "asin": "arcsin", "acos": "arccos", "asinh": "arcsinh"}
    head = [f'"""{kind} by quadrature (no closed form): sigma(z) = {kernel.activation.name}, w ~ {kernel.weights},'
            f' b ~ {kernel.biases}."""', "", f"import {'numpy as np' if target == 'numpy' else 'torch'}"]  # fmt: skip
    for name in functions:
        if name in ("erf", "erfcx") and target == "numpy":
            head.append(f"from scipy.special import {name}")
        else:
            chosen = rename.get(name, name) if target == "numpy" else name
            head.append(f"{name} = {library}.{chosen}")
    for n, body in sigma.items():
        head += ["", "", f"def _sigma{n}(z):", *(f"    {line}" for line in body)]
    nodes = [f"_W = {_table(kernel.weights)}", f"_B = {_table(kernel.biases)}"]
    return "\n".join([*head, "", "", *lines, *nodes, "", "", _DRIVER[target]])


def _table(law: Law) -> str:
    """Nodes and weights in float64, without those that cannot matter."""
    with mp.workdps(20):
        found = rule(law, LEVEL if isinstance(law, Normal) else LEVEL + 3)
        rows = [(float(s), float(c)) for s, c in zip(found.nodes, found.weights, strict=True)]
    largest = max(c for _, c in rows)
    return str([row for row in rows if row[1] > 1e-18 * largest])


_DRIVER = {
    "numpy": '''def kernel(x, y):
    """The matrix of values at points x (n,) and y (m,): shape (n, m), float64."""
    x, y = np.asarray(x, dtype=float).reshape(-1), np.asarray(y, dtype=float).reshape(-1)
    out = np.zeros((len(x), len(y)))
    b, e = np.array([s for s, _ in _B]), np.array([c for _, c in _B])
    step = max(1, 4096 // len(b))
    for start in range(0, len(_W), step):
        part = _W[start : start + step]
        w = np.repeat([s for s, _ in part], len(b))
        c = np.repeat([c for _, c in part], len(b)) * np.tile(e, len(part))
        keep = c > 1e-20
        w, bias, c = w[keep], np.tile(b, len(part))[keep], c[keep]
        out += (_left(x[:, None], w, bias) * c) @ _right(y[:, None], w, bias).T
    return out
''',
    "torch": '''def kernel(x, y):
    """The matrix of values at points x (n,) and y (m,): shape (n, m), of the dtype and device of x."""
    x, y = x.reshape(-1), y.reshape(-1)
    kind = dict(dtype=x.dtype, device=x.device)
    out = torch.zeros(len(x), len(y), **kind)
    b, e = torch.tensor([s for s, _ in _B], **kind), torch.tensor([c for _, c in _B], **kind)
    step = max(1, 4096 // len(b))
    for start in range(0, len(_W), step):
        part = _W[start : start + step]
        w = torch.tensor([s for s, _ in part], **kind).repeat_interleave(len(b))
        c = torch.tensor([c for _, c in part], **kind).repeat_interleave(len(b)) * e.repeat(len(part))
        keep = c > 1e-20
        w, bias, c = w[keep], b.repeat(len(part))[keep], c[keep]
        out = out + (_left(x[:, None], w, bias) * c) @ _right(y[:, None], w, bias).T
    return out
''',
}


Target = Literal["numpy", "torch", "mpmath"]
TARGETS: tuple[Target, ...] = ("numpy", "torch", "mpmath")

_NUMPY_NAMES = {"atan": "arctan", "asin": "arcsin", "acos": "arccos", "atan2": "arctan2", "asinh": "arcsinh"}
_SCIPY = {"erf", "erfcx", "ndtr", "kv"}
_TORCH_SPECIAL = {"erf", "erfcx", "ndtr"}
_HELPER_NAMES = (
    "absolute", "cos", "cosh", "erf", "erfcx", "exp", "full_like", "isfinite", "log1p", "ndtr", "sin", "sinh", "sqrt",
    "tanh", "where",
)  # fmt: skip
"""Library functions that helpers use."""


def generate(kernel: KernelDerivation, target: Target = "numpy", kind: Kind = "K") -> str:
    """The source of a module that defines ``kernel(x, y)``.

    Points are arrays of shape (n,) and (m,), or (n, d) and (m, d); the result has shape (n, m). The mpmath module
    takes single points and works in mpmath's current precision.

    Raises:
        InputError: an unknown target or kind, or a function without a form in that library.
        NonexistenceError: K_AD does not exist.
    """
    if target not in TARGETS:
        raise InputError(f"code: {target!r}; allowed: {', '.join(TARGETS)}")
    if kind not in ("K", "K_AD", "K_FD"):
        raise InputError(f"code: {kind!r}; allowed: K, K_AD, K_FD")
    if kind != "K" and kernel.operator is None:
        raise InputError(f"operator: none was given, so there is no {kind}")
    if kind == "K_FD" and kernel.difference is None:
        raise InputError("step: none was given, so there is no K_FD")
    if isinstance(kernel.source, NumericalKernel):
        return quadrature_module(kernel, target, kind)
    if target == "mpmath":
        return mpmath_module(kernel, kind)
    return _array_module(kernel, target, kind)


def _expression(kernel: KernelDerivation, target: Target, kind: Kind) -> sp.Expr:
    """K or K_AD in the form that suits the library."""
    source = kernel.source
    if target == "torch" and isinstance(source, PriceKernel) and isinstance(source.shape, ErfSum):
        zero = (0,) * kernel.coordinates.dimension
        if kind != "K_AD":
            return source.derivative_with_asin(zero, zero)
    return kernel.raw_K_AD if kind == "K_AD" else kernel.raw_K


def _array_module(kernel: KernelDerivation, target: Target, kind: Kind) -> str:
    coordinates = kernel.coordinates
    separate = isinstance(kernel.source, PriceKernel) and kernel.source.angle_is_regular
    printer = ArrayPrinter(coordinates.x, coordinates.y, separate)
    expr = _expression(kernel, target, kind)
    replacements, (final,) = sp.cse(expr, symbols=sp.numbered_symbols("t"), order="none")
    body = []
    for symbol, value in replacements:
        text = printer.text(value)
        body += [*printer.statements(), f"{symbol} = {text}"]
        printer.define(symbol, value)
    result = printer.text(final)
    body += printer.statements()
    helpers = closure(printer.helpers)
    if helpers:
        names = ", ".join(s.name for s in (coordinates.x[0], coordinates.y[0]))
        body.insert(0, f"zero = 0.0 * ({names.replace(', ', ' + ')})")
        joined = "\n".join(helpers)
        printer.functions |= {name for name in _HELPER_NAMES if f"{name}(" in joined}
    if target == "torch" and "kv" in printer.functions:
        raise InputError("code: torch has no Bessel function K of this order; allowed: numpy, mpmath")
    arguments = ", ".join(s.name for s in coordinates.all)
    function = [f"def _values({arguments}):", *(f"    {line}" for line in body), f"    return {result}"]
    parts = [_title(kernel, kind), _header(target, printer.functions), *helpers, "\n".join(function)]
    if kind == "K_FD":
        parts.append(_combination(kernel, printer))
    parts.append(_driver(target, coordinates.dimension, arguments, "_difference" if kind == "K_FD" else "_values"))
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


def _title(kernel: KernelDerivation, kind: Kind) -> str:
    lines = [
        f"{kind} of random features sigma(w.x + b), sigma(z) = {kernel.activation.name}, w ~ {kernel.weights},"
        f" b ~ {kernel.biases}."
    ]
    if kernel.operator is not None and kind != "K":
        lines.append(f"Operator: {kernel.operator.text}.")
    lines.append(f"Route: {kernel.route}; verified to {kernel.verified_digits} digits.")
    if kind == "K_FD":
        lines.append(
            "A difference of nearby values: about 16 unit round-offs / h^(2m) are lost (m: order of derivative)."
        )
    return '"""' + "\n".join(lines) + '\n"""'


def _header(target: Target, functions: set[str]) -> str:
    names = sorted(functions)
    if target == "numpy":
        lines = ["import os", "from concurrent.futures import ThreadPoolExecutor", "", "import numpy as np"]
        plain = [n for n in names if n not in _SCIPY]
        renamed = [f"{_NUMPY_NAMES[n]} as {n}" if n in _NUMPY_NAMES else n for n in plain]
        if renamed:
            lines.append(f"from numpy import {', '.join(renamed)}")
        special = [n for n in names if n in _SCIPY]
        if special:
            lines.append(f"from scipy.special import {', '.join(special)}")
        return "\n".join(lines)
    lines = ["import torch"]
    plain = [n for n in names if n not in _TORCH_SPECIAL]
    if plain:
        lines.append(f"from torch import {', '.join(plain)}")
    special = [n for n in names if n in _TORCH_SPECIAL]
    if special:
        lines.append(f"from torch.special import {', '.join(special)}")
    return "\n".join(lines)


def _combination(kernel: KernelDerivation, printer: ArrayPrinter) -> str:
    """The finite combination of shifts of K."""
    x, y = kernel.coordinates.x, kernel.coordinates.y
    names = ", ".join(s.name for s in kernel.symbols)
    lines = [f"def _difference({names}):", "    total = 0.0"]
    left, right = (s.fd or () for s in kernel.sides)
    for s, c in left:
        for t, e in right:
            points = [
                f"{p.name} + {literal(fraction(h))}" if h else p.name for p, h in zip((*x, *y), (*s, *t), strict=True)
            ]
            factor = printer.text(c * e)
            lines += [f"    {line}" for line in printer.statements()]
            lines.append(f"    total = total + {factor} * _values({', '.join(points)})")
    lines.append("    return total")
    return "\n".join(lines)


def _driver(target: Target, dimension: int, arguments: str, function: str) -> str:
    left = [f"x[part, {i}:{i + 1}]" for i in range(dimension)]
    right = [f"columns[{i}]" for i in range(dimension)]
    call = f"{function}({', '.join(left + right)})"
    shape = "(n,) and (m,)" if dimension == 1 else f"(n, {dimension}) and (m, {dimension})"
    if target == "numpy":
        return f'''def kernel(x, y, threads=None):
    """The matrix of values at points x and y of shapes {shape}: shape (n, m), float64."""
    x = np.asarray(x, dtype=float).reshape(-1, {dimension})
    y = np.asarray(y, dtype=float).reshape(-1, {dimension})
    columns = [np.ascontiguousarray(y[:, i])[None, :] for i in range({dimension})]
    out = np.empty((len(x), len(y)))
    rows = max(1, -(-32768 // max(1, len(y))))

    def block(start):
        part = slice(start, start + rows)
        with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
            out[part] = {call}

    starts = range(0, len(x), rows)
    threads = threads or min(os.cpu_count() or 1, 8)
    if threads == 1 or out.size < 1 << 17:
        for start in starts:
            block(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(block, starts))
    return out
'''
    return f'''def kernel(x, y):
    """The matrix of values at points x and y of shapes {shape}: shape (n, m), of the dtype and device of x."""
    x, y = x.reshape(-1, {dimension}), y.reshape(-1, {dimension})
    columns = [y[:, i].contiguous()[None, :] for i in range({dimension})]
    if torch.is_grad_enabled() and (x.requires_grad or y.requires_grad):
        part = slice(None)
        return {call} + torch.zeros(len(x), len(y), dtype=x.dtype, device=x.device)
    out = torch.empty(len(x), len(y), dtype=x.dtype, device=x.device)
    size = 1 << 17 if torch.get_num_threads() == 1 else 1 << 19
    rows = max(1, -(-size // max(1, len(y)))) if x.device.type == "cpu" else max(1, len(x))
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        out[part] = {call}
    return out
'''

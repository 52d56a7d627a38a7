"""Python source of a kernel as a function of arrays: numpy, torch, or mpmath.

Array code works on blocks of rows that stay in cache, evaluates what depends on one point on vectors, and uses
stable forms (log cosh without overflow, scaled error functions, no difference of large hyperbolic functions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import sympy as sp

from theory.errors import InputError
from theory.kernels.code_mpmath import mpmath_module
from theory.kernels.code_quadrature import quadrature_module
from theory.kernels.coordinates import fraction
from theory.kernels.numerical import NumericalKernel
from theory.kernels.preamble import closure
from theory.kernels.price import PriceKernel
from theory.kernels.printing import ArrayPrinter, literal
from theory.kernels.shapes import ErfSum

if TYPE_CHECKING:
    from theory.kernels.derive import KernelDerivation, Kind

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


def generate(kernel: KernelDerivation, target: Target, kind: Kind) -> str:
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

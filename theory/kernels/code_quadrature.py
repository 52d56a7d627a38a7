"""Numerical kernels as array code: a product of quadrature features, K ≈ F(x) W F(y)ᵀ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp
from mpmath import mp

from theory.activations import z
from theory.errors import InputError
from theory.kernels.numerical import NumericalKernel
from theory.kernels.printing import ArrayPrinter
from theory.laws import Law, Normal
from theory.quadrature import rule

if TYPE_CHECKING:
    from theory.kernels.code import Target
    from theory.kernels.derive import KernelDerivation, Kind

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

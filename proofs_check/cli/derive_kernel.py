"""A limit on the wall time of a derivation: one clear line instead of a command that never returns.

``adfd derive kernel``: random-feature kernels, derived, verified and evaluated.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal, cast

import sympy as sp
from mpmath import mp

from proofs_check.cli.output import console, emit, say, table
from theory.base.errors import InputError, PrecisionCapError
from theory.base.exact import rationals
from theory.kernels.derive import derive_kernel
from theory.kernels.evaluation import decimal
from theory.kernels.kernel import KINDS, KernelDerivation
from theory.kernels.oracle.cache import default_cache
from theory.operators.operator import StencilChoice

SECONDS = 180.0
"""For a whole command; every supported derivation takes under ten seconds on an idle core."""


@contextmanager
def deadline(what: str, seconds: float = SECONDS) -> Iterator[None]:
    """Stops the body after ``seconds`` of wall time; without effect outside the main thread.

    Raises:
        PrecisionCapError: the time is over.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise PrecisionCapError(f"{what}: not done after {seconds:g} s; ask for fewer digits or a simpler expression")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


TARGETS = ("numpy", "torch", "mpmath")
SURE = 20
"""Digits of agreement from which a closed form is taken to be right."""


def kernel(
    *,
    activation: str,
    weights: str,
    biases: str,
    operator: str | None,
    offsets: str | None,
    step: str | None,
    at: str | None,
    digits: int,
    terms: int,
    code: str | None,
    latex: bool,
    as_json: bool,
) -> int:
    """Derives the kernel; prints its forms, its values at a pair of points, its expansion or its code."""
    if operator is None and (offsets is not None or step is not None or terms):
        raise InputError("--operator: needed with --offsets, --step and --terms, for instance --operator u_xx")
    if (offsets is not None or terms) and step is None:
        raise InputError("--step: needed with --offsets and --terms, for instance --step 1/10")
    if code is not None and code not in TARGETS:
        raise InputError(f"--code: {code!r}; allowed: {', '.join(TARGETS)}")
    stencil = StencilChoice(offsets=rationals(offsets.split(","), "--offsets")) if offsets is not None else None
    with deadline("kernel"):
        derived = derive_kernel(activation, weights, biases, operator, stencil, step, cache=default_cache())
        if code is not None:
            return _code(derived, code, as_json)
        content = _content(derived, at, digits, terms)
    if as_json:
        emit(content)
    elif latex:
        say(f"${derived.latex}$")
    else:
        _print(derived, content)
    return 0


def _content(derived: KernelDerivation, at: str | None, digits: int, terms: int) -> dict[str, Any]:
    record = derived.record.to_dict()
    expansion = derived.expansion(terms) if terms else None
    values = _values(derived, at, digits) if at is not None else None
    return {
        "activation": derived.activation.name,
        "weights": str(derived.weights),
        "biases": str(derived.biases),
        "operator": None if derived.operator is None else derived.operator.text,
        "closed_form": derived.closed,
        "latex": sp.latex(derived.K),
        "sympy": str(derived.K),
        "sympy_ad": str(derived.K_AD) if derived.operator is not None else None,
        "route": derived.route,
        "steps": record["steps"],
        "assumptions": record["assumptions"],
        "values": None if values is None else {kind: v.text for kind, v in values.items()},
        "errors": None if values is None else {kind: v.error for kind, v in values.items()},
        "expansion": None
        if expansion is None
        else [{"power": t.power, "value": str(t.coefficient)} for t in expansion.terms],
        "verified_digits": derived.verified_digits,
        "seconds": derived.seconds,
    }


@dataclass(frozen=True)
class Value:
    """A kernel at a pair of points.

    Attributes:
        text: decimals, no more than are verified; None for what was not asked for or is not verified to any digit.
        error: a bound on its distance from the kernel: the rounding of the text, or the estimate of the quadrature and of
            the rule that it was compared with, where that is more.
    """

    text: str | None
    error: str | None


def _values(derived: KernelDerivation, at: str, digits: int) -> dict[str, Value]:
    numbers = rationals(at.split(","), "--at")
    d = derived.coordinates.dimension
    if len(numbers) != 2 * d:
        raise InputError(f"--at: {len(numbers)} numbers; {2 * d} are needed, the coordinates of x and then of y")
    # a closed form that is verified is exact: its digits come by comparing two working precisions
    sure = derived.closed and derived.verified_digits >= SURE
    shown = digits if sure else min(digits, derived.verified_digits)
    if not shown:
        return dict.fromkeys(KINDS, Value(None, None))
    found: dict[str, Value] = {}
    for kind in KINDS:
        value = derived.value(kind, numbers[:d], numbers[d:], shown)
        if value is None:
            found[kind] = Value(None, None)
            continue
        with mp.workdps(shown + 10):
            error = abs(value) * mp.mpf(10) ** (1 - shown)
            found[kind] = Value(decimal(value, shown), mp.nstr(error, 2) if value else "0.0")
    return found


def _code(derived: KernelDerivation, target: str, as_json: bool) -> int:
    kinds = ["K"] + (["K_AD"] if derived.operator is not None else []) + (["K_FD"] if derived.difference else [])
    from theory.kernels.code.modules import generate

    sources = {kind: generate(derived, cast(Literal["numpy"], target), cast(Literal["K"], kind)) for kind in kinds}
    if as_json:
        emit({"target": target, "code": sources})
    else:
        say("\n\n".join(sources.values()))
    return 0


def _print(derived: KernelDerivation, content: dict[str, Any]) -> None:
    console.print(f"σ = {content['activation']}, w ~ {content['weights']}, b ~ {content['biases']}")
    console.print(f"route: {content['route']}, verified to {content['verified_digits']} digits")
    for number, step in enumerate(content["steps"], 1):
        formula = f": {_short(step['latex'])}" if step["latex"] else ""
        console.print(f"{number}. {step['text']}{formula}", soft_wrap=True)
    if derived.closed:
        console.print(f"K = {content['sympy']}")
        if content["sympy_ad"]:
            console.print(f"K_AD = {_short(content['sympy_ad'])}")
    else:
        console.print("no closed form is known: values are by quadrature, as far as another rule confirms them")
    for term in content["expansion"] or []:
        console.print(f"K_FD − K_AD: h^{term['power']} · ({_short(term['value'])})")
    if content["values"]:
        missing = "not asked for" if derived.verified_digits else "not verified"
        errors = content["errors"]
        rows = [[name, value or missing, errors[name] or ""] for name, value in content["values"].items()]
        table("Values", ["kernel", "value", "error at most"], rows)


def _short(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters; --json has all)"

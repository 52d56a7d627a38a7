"""``adfd derive spectrum``: exactly solvable models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numerics.hermite_spectrum import InfiniteHermite
from proofs_check.commands.output import console, emit, table
from theory.enclosures import Enclosure
from theory.errors import InputError, PrecisionCapError
from theory.exact import rational
from theory.expressions import nearest
from theory.solvable import (
    Circle,
    HermiteDiagonal,
    Mehler,
    Prolate,
    SolvableSpectrum,
    geometric_frequencies,
    uniform_frequencies,
)

SIGNS = {-1: "fd<ad", 1: "fd>ad", 0: "equal", None: "undecided"}


@dataclass(frozen=True)
class Model:
    """A model of the command: its parameters with their defaults, what it is, and how it is made."""

    about: str
    defaults: dict[str, str]
    make: Callable[[dict[str, Fraction]], SolvableSpectrum]


def _circle(p: dict[str, Fraction]) -> SolvableSpectrum:
    if p["R"]:
        if p["R"].denominator != 1 or p["R"] < 1:
            raise InputError(f"--parameter: R={p['R']}; allowed: a positive integer")
        return Circle(uniform_frequencies(int(p["R"])))
    return Circle(geometric_frequencies(p["q"]))


def _hermite(p: dict[str, Fraction]) -> SolvableSpectrum:
    if p["N"].denominator != 1 or p["N"] < 0:
        raise InputError(f"--parameter: N={p['N']}; allowed: a number of features, or 0 for all of them")
    return HermiteDiagonal(p["rho"], int(p["N"])) if p["N"] else InfiniteHermite(p["rho"])


MODELS: dict[str, Model] = {
    "circle": Model("points uniform on the circle, integer frequencies with weights q^n, or uniform up to R",
                    {"q": "19/20", "R": "0"}, _circle),
    "mehler": Model("Gaussian kernel of weight variance s2 under a normal law of variance sigma2",
                    {"s2": "1", "sigma2": "1"}, lambda p: Mehler(p["s2"], p["sigma2"])),
    "hermite": Model("diagonal in Hermite functions with ratio rho, all features or the first N",
                     {"rho": "3/5", "N": "0"}, _hermite),
    "prolate": Model("frequencies uniform on [-R, R], points uniform on [-X, X]",
                     {"R": "4", "X": "1"}, lambda p: Prolate(p["R"], p["X"])),
}  # fmt: skip


def _parameters(model: Model, given: list[str]) -> dict[str, Fraction]:
    values = {key: rational(text) for key, text in model.defaults.items()}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in values:
            listed = ", ".join(f"{k}={v}" for k, v in model.defaults.items())
            raise InputError(f"--parameter: {text!r}; allowed (with defaults): {listed}")
        values[key] = rational(value, f"--parameter {key}")
    return values


def solvable(
    *, model: str, parameters: list[str] | None, step: str, count: int, power: int, digits: int, as_json: bool
) -> int:
    """Prints eigenvalues, entropies and the sign of the gap."""
    if model not in MODELS:
        raise InputError(f"model {model!r}: unknown; {nearest(model, MODELS)}allowed: {', '.join(MODELS)}")
    values = _parameters(MODELS[model], parameters or [])
    h = rational(step, "--step")
    if h <= 0:
        raise InputError(f"--step: {step} must be positive")
    spectrum = MODELS[model].make(values)
    ad = spectrum.ad_eigenvalues(count, digits)
    fd = spectrum.fd_eigenvalues(count, h, digits)
    content: dict[str, Any] = {
        "model": model,
        "about": MODELS[model].about,
        "parameters": {key: str(value) for key, value in values.items()},
        "step": str(h),
        "power": power,
        "ad": [_shown(v, digits) for v in ad],
        "fd": [_shown(v, digits) for v in fd],
    }
    for method in ("ad", "fd"):
        content[f"entropy_{method}"] = _entropy(spectrum, method, h, power, digits)
    sign = spectrum.gap_sign(h, power=power)  # type: ignore[arg-type]
    content |= {"sign": SIGNS[sign.sign], "route": sign.route, "reason": sign.reason}
    if as_json:
        emit(content)
        return 0
    rows = [[str(k), _text(a), _text(f)] for k, (a, f) in enumerate(zip(content["ad"], content["fd"], strict=True), 1)]
    table(f"{model}: kernel eigenvalues at h = {h}", ["k", "AD", "FD"], rows)
    for method in ("ad", "fd"):
        console.print(f"H of {method.upper()} (power {power}): {_text(content[f'entropy_{method}'])}", markup=False)
    console.print(f"sign: {content['sign']} ({content['route']}: {content['reason']})", markup=False)
    return 0


def _entropy(spectrum: SolvableSpectrum, method: Any, h: Fraction, power: int, digits: int) -> Any:
    try:
        return _shown(spectrum.entropy(method, h, power=power, digits=digits), digits)  # type: ignore[arg-type]
    except PrecisionCapError:
        return None


def _shown(value: Enclosure, digits: int) -> dict[str, str]:
    return dict(value.decimals(digits))  # type: ignore[arg-type]


def _text(value: dict[str, str] | None) -> str:
    return "not found" if value is None else f"[{value['lower']}, {value['upper']}]"

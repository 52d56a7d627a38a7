"""The oracle of kernels reads σ itself: a recogniser that is wrong about σ is refused, in one and several dimensions."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sympy as sp
from mpmath import mp

from theory.base.errors import PrecisionCapError
from theory.features.activations import Activation, activation, step, z
from theory.kernels import derive
from theory.kernels.evaluation import evaluate
from theory.kernels.forms.activation_forms import ErfSum, GaussianSum, Group, ReluPower, Shape, TanhAffine, shape
from theory.kernels.oracle import conditioning as regression
from theory.kernels.oracle import lattice, verify
from theory.kernels.oracle import multivariate as references
from theory.kernels.oracle import multivariate as several
from theory.kernels.oracle import quadratures as integrand
from theory.kernels.oracle import quadratures as means
from theory.kernels.oracle.quadratures import Kink, Polynomial, Waves, form_of

ROOT = Path(__file__).resolve().parents[4]
ROUTES = (
    "theory.kernels.routes", "theory.kernels.derive", "theory.kernels.forms.activation_forms",
    "theory.kernels.forms.gaussian_moments", "theory.kernels.forms.integrals", "theory.kernels.forms.radical",
)  # fmt: skip
"""Modules of routes, of their recogniser and of their functions."""
ORACLE: tuple[ModuleType, ...] = (integrand, lattice, means, references, regression, several)


@pytest.mark.parametrize("module", ORACLE, ids=lambda m: m.__name__)
def test_the_oracle_imports_no_route(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert all(
        (ROOT / f"{name.replace('.', '/')}{end}").exists() for name, end in zip(ROUTES, ["", *[".py"] * 5], strict=True)
    )
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found = {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
            assert not {name for name in found if name.startswith(ROUTES)}, f"{module.__name__}, line {node.lineno}"


def test_the_whole_oracle_is_loaded_without_a_route() -> None:
    code = "import sys, theory.kernels.oracle.verify; print([m for m in sys.modules if '.kernels.routes' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def doubled(found: Shape | None) -> Shape | None:
    """The shape of 2σ."""
    match found:
        case GaussianSum(groups):
            return GaussianSum(tuple(Group(tuple(2 * c for c in g.coefficients), g.q, g.tilt) for g in groups))
        case ErfSum(p, q, c):
            return ErfSum(tuple(2 * v for v in p), tuple(2 * v for v in q), c)
        case ReluPower(scale, n):
            return ReluPower(2 * scale, n)
        case TanhAffine(a, b, c):
            return TanhAffine(2 * a, 2 * b, c)
    return None


def stretched(found: Shape | None) -> Shape | None:
    """The shape of another function of the same kind: a frequency, a width, a power or a slope is wrong."""
    match found:
        case GaussianSum(groups) if all(g.q == 0 and g.tilt == 0 for g in groups):
            return GaussianSum(tuple(Group((*g.coefficients, sp.Integer(1)), g.q, g.tilt) for g in groups))
        case GaussianSum(groups):
            return GaussianSum(tuple(Group(g.coefficients, 2 * g.q, 2 * g.tilt) for g in groups))
        case ErfSum(p, q, c):
            return ErfSum(p, q, 2 * c)
        case ReluPower(scale, n):
            return ReluPower(scale, n + 1)
        case TanhAffine(a, b, c):
            return TanhAffine(a, b, 2 * c)
    return None


CASES = (
    ("cos", "normal(0, 1)", "normal(0, 1)", 1),
    ("sin", "cauchy(0, 1)", "uniform(-1, 1)", 1),
    ("exp", "normal(0, 1/2)", "uniform(-1, 1)", 1),
    ("z**3 - 2*z", "normal(0, 1)", "uniform(-1, 2)", 1),
    ("gaussian", "normal(0, 1)", "normal(0, 1)", 1),
    ("z*exp(-z**2/2)", "normal(0, 1)", "normal(0, 1)", 1),
    ("erf", "normal(0, 1)", "normal(0, 1/2)", 1),
    ("relu", "normal(0, 1)", "normal(0, 1)", 1),
    ("relu2", "discrete(1, -1/2)", "uniform(-1, 2)", 1),
    ("tanh", "discrete(1, 2)", "uniform(-1, 1)", 1),
    ("cos", "normal(0, 1)", "normal(0, 1)", 2),
    ("z**2 - 1", "laplace(0, 1)", "normal(0, 1)", 2),
    ("gaussian", "normal(0, 1)", "normal(0, 1)", 2),
    ("erf", "normal(0, 1)", "normal(0, 1/2)", 2),
    ("relu", "normal(0, 1)", "normal(0, 1)", 2),
    ("tanh", "discrete(1, 2)", "uniform(-1, 1)", 2),
)
"""A case of every shape and route."""


@pytest.mark.parametrize("wrong", [doubled, pytest.param(stretched, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}, {c[1]}, {c[3]}-D")
def test_a_wrong_recogniser_is_refused(
    case: tuple[str, str, str, int], wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quadrature settles on other values, or agrees to no digit."""
    name, weights, biases, dimension = case
    monkeypatch.setattr(derive, "shape", lambda expr: wrong(shape(expr)))
    monkeypatch.setattr(verify, "TARGET", 8)  # a wrong value shows in the first digits
    for module in (verify, several):
        monkeypatch.setattr(module, "WORKING", 16)
    try:
        kernel = derive.derive_kernel(name, weights, biases, dimension=dimension)
    except (ArithmeticError, PrecisionCapError):
        return
    assert kernel.verified_digits <= 1


@pytest.mark.parametrize(
    "text",
    ["sin", "cos(3*z + 1)", "sin(z)**3*cos(2*z)", "exp", "2*exp(z/2) - exp(-z)", "z**3 - 2*z", "relu", "relu3"],
)
def test_forms_reproduce_the_activation(text: str) -> None:
    sigma = activation(text)
    form = form_of(sigma)
    assert form is not None
    with mp.workdps(30):
        for k in range(-7, 8):
            u = mp.mpf(k) / 3
            assert abs(form.value(u)[0] - evaluate(sigma.derivative(0), {z: u})) < 1e-26


def test_forms_of_each_kind_and_of_none() -> None:
    assert isinstance(form_of(activation("sin")), Waves)
    assert isinstance(form_of(activation("z**2")), Polynomial)
    assert form_of(activation("relu2")) == Kink(sp.Integer(1), 2)
    for text in ("tanh", "gaussian", "erf", "sin(z)*exp(z)", "z*sin(z)", "gelu", "sin(z**2)"):
        assert form_of(activation(text)) is None
    assert integrand.growth(activation("erf").derivative(0)) == 1
    assert integrand.growth(activation("gaussian").derivative(0)) == sp.Rational(1, 2)
    assert integrand.decays(activation("z*exp(-z**2/2)").derivative(0))
    assert not integrand.decays(activation("erf").derivative(0))
    assert not integrand.decays(sp.exp(-(z**2)) + 1)


@pytest.mark.parametrize(
    "wrong", [Kink(sp.Integer(2), 1), Kink(sp.Integer(1), 2), Polynomial((sp.Integer(0), sp.Integer(1)))]
)
def test_a_wrong_form_is_a_defect(wrong: Any) -> None:
    with pytest.raises(ArithmeticError, match="a defect of this program"):
        integrand.confirm(wrong, z * step(z))


def test_an_activation_of_the_same_name_is_not_confused() -> None:
    """Forms belong to expressions, not to names."""
    other = Activation("sin", lambda order: sp.cos(2 * z).diff(z, order))
    assert form_of(other) != form_of(activation("sin"))

"""Kernels of kinked activations without a closed form: panels between kinks, and digits no more than are right."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from mpmath import mp
from typer.testing import CliRunner

from proofs_check.cli import derive_kernel as derive_command
from proofs_check.cli.main import app
from theory.base.derivation import Verification
from theory.features.activations import activation
from theory.features.laws import law
from theory.kernels.derive import derive_kernel
from theory.kernels.numerical import NumericalKernel
from theory.kernels.oracle import quadratures as panels
from theory.kernels.oracle.lattice import Feature
from theory.kernels.oracle.quadratures import Kink

X, Y = Fraction(3, 10), Fraction(-7, 10)
PAIR = (Feature(((0, X, Fraction(1)),)), Feature(((0, Y, Fraction(1)),)))


@pytest.mark.parametrize(("weight", "bias"), [("uniform(-1, 1)", "normal(0, 1)"), ("uniform(-1, 2)", "laplace(0, 1)")])
@pytest.mark.parametrize(("n", "level"), [(0, 5), (2, 6)])
def test_the_two_orders_of_integration_agree(weight: str, bias: str, n: int, level: int) -> None:
    """Other nodes, other panels, the same value."""
    with mp.workdps(20):
        both = [
            panels.panels(Kink(sp.Integer(1), n), law(weight), law(bias), [PAIR], level, bias_outside=outside)[0]
            for outside in (True, False)
        ]
        assert abs(both[0] - both[1]) <= mp.mpf(10) ** -5 * abs(both[0])


def test_relu_with_uniform_weights() -> None:
    """0.47307145580513…, against mpmath's own quadrature of the definition in w with the mean over b in closed form."""
    with mp.workdps(20):
        x, y = mp.mpf(3) / 10, mp.mpf(-7) / 10

        def over_bias(w: mp.mpf) -> mp.mpf:
            # E (wx + b)(wy + b) over b > c = max(−wx, −wy): p + c φ(c) …
            c, p, s = max(-w * x, -w * y), w * x * w * y, w * (x + y)
            return (p + 1) * mp.ncdf(-c) + (s + c) * mp.npdf(c)

        exact = mp.quad(over_bias, [-1, 0, 1]) / 2
        found = derive_kernel("relu", "uniform(-1, 1)", "normal(0, 1)", verify=False).value("K", X, Y, 12)
        assert abs(found - exact) < mp.mpf(10) ** -12


@pytest.mark.slow
def test_the_command_prints_the_digits_that_are_verified() -> None:
    arguments = ["derive", "kernel", "--activation", "relu", "--weights", "uniform(-1, 1)", "--at=3/10,-7/10"]
    result = CliRunner().invoke(app, [*arguments, "--digits", "7", "--json"])
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["values"]["K"] == "0.4730715"
    assert content["verified_digits"] >= 7
    assert 0 < float(content["errors"]["K"]) < 1e-6
    assert content["errors"]["K_AD"] is None
    assert "exponentially for analytic" not in result.stdout


def test_no_digit_is_shown_that_is_not_verified() -> None:
    """Not verified: no digits. Verified to 9 digits: 9 of the 30 asked for. A verified closed form: all."""
    kernel = derive_kernel("relu", "uniform(-1, 1)", "normal(0, 1)", verify=False)
    assert derive_command._values(kernel, "3/10,-7/10", 7)["K"] == derive_command.Value(None, None)
    nine = replace(kernel, record=kernel.record.verified(Verification("another rule", 9, (), 0.0)))
    shown = derive_command._values(nine, "3/10,-7/10", 30)
    assert shown["K"].text == "0.473071456"
    assert shown["K"].error is not None
    assert 1e-9 < float(shown["K"].error) < 1e-8
    closed = derive_kernel("sin", "normal(0, 1)", "normal(0, 1)")
    assert len(derive_command._values(closed, "3/10,-7/10", 40)["K"].text or "") >= 40


def test_errors_across_kinks_are_not_extrapolated() -> None:
    """Where panels do not apply: eight times the last change, whatever it is."""
    one = activation("relu")
    kernel = derive_kernel("step", "cauchy(0, 1)", "laplace(0, 1)", verify=False).source
    assert isinstance(kernel, NumericalKernel)
    assert kernel.kink is None
    assert not kernel.analytic
    assert "exponentially" not in kernel.steps[0].text
    assert kernel._error(mp.mpf(1), mp.mpf("1.001")) == 8 * abs(mp.mpf(1) - mp.mpf("1.001"))
    smooth = derive_kernel("tanh", "normal(0, 1)", "normal(0, 1)", verify=False).source
    assert isinstance(smooth, NumericalKernel)
    assert smooth.analytic
    assert one.strip == 0

"""Kernels without a closed form: rules against moments and nested quadrature, honest digits, no runaway."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy import integrate, special, stats

from theory.base import quadrature
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.features.activations import activation
from theory.features.laws import Laplace, Normal, law
from theory.kernels import numerical
from theory.kernels.derive import derive_kernel
from theory.kernels.numerical import NumericalKernel
from theory.kernels.oracle import lattice
from theory.kernels.oracle.lattice import Feature
from theory.kernels.oracle.quadratures import derivative_table, feature_means, kept_pairs
from theory.operators.operator import StencilChoice

F = Fraction


@pytest.mark.parametrize("shifted", [False, True])
def test_the_rule_of_a_laplace_law_has_its_moments(shifted: bool) -> None:
    with mp.workdps(30):
        rule = quadrature.laplace_rule(Laplace(F(1, 3), F(2)), 5, shifted)
        for n in range(5):
            moment = mp.fsum(c * s**n for s, c in zip(rule.nodes, rule.weights, strict=True))
            exact = Laplace(F(1, 3), F(2)).moment(n)
            assert exact is not None
            assert abs(moment - mp.mpf(exact.numerator) / exact.denominator) < 1e-18 * max(1, exact)


def test_rules_that_check_each_other_share_no_nodes() -> None:
    with mp.workdps(20):
        for name in ("normal(1/3, 2)", "laplace(0, 1)", "uniform(-1, 2)", "cauchy(0, 1)", "student(3, 1)"):
            one = law(name)
            own = {mp.nstr(s, 12) for level in range(3, 7) for s in numerical._rule_of(one, one, level).nodes}
            from theory.kernels.oracle.mehler import _other_rule

            for level in (3, 4, 5):
                other = {mp.nstr(s, 12) for s in _other_rule(one, level, False).nodes}
                centre = {mp.nstr(mp.mpf(one.centre.numerator) / one.centre.denominator, 12)}
                assert not (own & other) - centre, name


@pytest.mark.parametrize("name", ["cauchy(1/2, 2)", "student(3, 1/2)", "student(9/2, 1)"])
def test_the_angular_rule_integrates_bounded_functions(name: str) -> None:
    one = law(name)
    centre, scale = (float(one.centre), float(one.parameters[1]))
    dof = 1.0 if name.startswith("cauchy") else float(one.parameters[0])
    with mp.workdps(25):
        rule = quadrature.angular_rule(one, 9)  # type: ignore[arg-type]
        assert abs(mp.fsum(rule.weights) - 1) < 1e-18
        found = rule.mean(lambda w: mp.sech(w))
    expected, _ = integrate.quad(lambda w: stats.t.pdf((w - centre) / scale, dof) / scale / float(mp.cosh(w)), -40, 40)
    assert float(found) == pytest.approx(expected, rel=1e-8)


features = st.tuples(
    st.integers(0, 3), st.fractions(-2, 2, max_denominator=6), st.fractions(-3, 3, max_denominator=5)
).map(lambda t: Feature((t,)))


@settings(max_examples=6)
@given(left=features, right=features)
def test_the_lattice_and_the_product_rule_agree(left: Feature, right: Feature) -> None:
    """Two programs for one expectation: a straight lattice in integers, and a general product rule."""
    weight, bias = Normal(F(1, 3), F(1)), Normal(F(0), F(1, 2))
    table = derivative_table(activation("sech"))
    with mp.workdps(10):
        (first,) = lattice.means(table, weight, bias, [(left, right)], 4)
        rules = [quadrature.shifted_normal_rule(one, 3) for one in (weight, bias)]
        (second,) = feature_means(table, *rules, [(left, right)])
        assert abs(first - second) <= 1e-4 * max(1, abs(first))


@settings(max_examples=6)
@given(left=features, right=features, name=st.sampled_from(["tanh", "sech", "erf"]))
def test_half_of_the_nodes_do_for_even_and_odd_activations(left: Feature, right: Feature, name: str) -> None:
    weight, bias = Normal(F(0), F(1)), Normal(F(0), F(1, 2))
    table = derivative_table(activation(name))
    with mp.workdps(20):
        (whole,) = lattice.means(table, weight, bias, [(left, right)], 4)
        (half,) = lattice.means(table, weight, bias, [(left, right)], 4, symmetric=True)
        assert abs(whole - half) <= mp.mpf(10) ** -19 * max(1, abs(whole))


def test_a_law_off_centre_keeps_every_node() -> None:
    table = derivative_table(activation("tanh"))
    one = Feature(((0, F(1, 2), F(1)),))
    with mp.workdps(20):
        for laws in ((Normal(F(1, 3), F(1)), Normal(F(0), F(1))), (Normal(F(0), F(1)), Normal(F(1, 3), F(1)))):
            (whole,) = lattice.means(table, *laws, [(one, one)], 4)
            (claimed,) = lattice.means(table, *laws, [(one, one)], 4, symmetric=True)
            assert whole == claimed


def test_what_cancels_inside_a_difference_does_not_widen_the_range() -> None:
    """The second difference of tanh at step 10⁻³ loses 12 digits of 36: the shorter range gives the other 24."""
    h = F(1, 10**3)
    difference = Feature(tuple((0, F(1, 2) + k * h, c / h**2) for k, c in ((-1, F(1)), (0, F(-2)), (1, F(1)))))
    one, table = Normal(F(0), F(1)), derivative_table(activation("tanh"))
    with mp.workdps(36):
        (wide,) = lattice.means(table, one, one, [(difference, difference)], 4)
        (short,) = lattice.means(table, one, one, [(difference, difference)], 4, loss=12)
        assert 0 < abs(wide - short) < mp.mpf(10) ** -20 * abs(wide)


def test_k_fd_at_a_small_step_is_verified_in_closed_form() -> None:
    closed = derive_kernel("erf", "normal(0, 1)", "normal(0, 1)", "u_xxxx", step="1/50")
    checked = closed.record.verification
    assert checked is not None
    assert checked.digits >= 25
    assert {kind for kind, _, _ in checked.checks} == {"K", "K_AD", "K_FD"}


@pytest.mark.slow
def test_k_fd_out_of_reach_of_quadrature_is_said_not_to_be_checked() -> None:
    kernel = derive_kernel("erf", "normal(1/3, 2)", "normal(0, 1)", "u_xxxx", step="1/100")
    checked = kernel.record.verification
    assert checked is not None
    assert checked.digits >= 25
    assert {kind for kind, _, _ in checked.checks} == {"K", "K_AD"}
    assert checked.route.endswith("K_FD is a combination of values of K")


def test_a_node_where_the_argument_is_constant() -> None:
    """1/2 − 5h = 0, where w·x + b is the constant bias."""
    stencil = StencilChoice("backward", 2)
    kernel = derive_kernel("tanh", "normal(0, 1)", "constant(1/3)", "u_xxxx", stencil, "1/10")
    checked = kernel.record.verification
    assert checked is not None
    assert checked.digits >= 20
    assert {kind for kind, _, _ in checked.checks} == {"K", "K_AD", "K_FD"}
    from theory.kernels.oracle.mehler import gaussian_reference

    with mp.workdps(20):  # the features at 0 are tanh(1/3) and w² tanh″(1/3)
        zero, here = (F(0),), (F(1, 2),)
        closed = mp.tanh(mp.mpf(1) / 3)
        assert abs(gaussian_reference(kernel, "K", zero, zero) - closed**2) < 1e-18
        mean = kernel.value("K", zero, here, 15)
        assert mean is not None
        assert abs(gaussian_reference(kernel, "K", zero, here) - mean) < 1e-14
        second = kernel.value("K_AD", zero, zero, 12)
        assert second is not None
        assert abs(gaussian_reference(kernel, "K_AD", zero, zero) - second) < 1e-10 * abs(second)


@pytest.mark.parametrize("point", [F(1, 2), F(-1, 4)])
def test_a_coefficient_keeps_its_sign(point: Fraction) -> None:
    """L = d/dx + x at points on both sides of 0: the mean of the features is the closed form."""
    closed = derive_kernel("sin", "normal(0, 1)", "normal(0, 1/2)", "u_x + x*u", step="1/10")
    assert closed.verified_digits >= 25
    source = NumericalKernel(closed.activation, (closed.weights,), closed.biases, closed.coordinates)
    for kind in ("K_AD", "K_FD"):
        (left, right) = closed.features(kind, (point,), (F(-1, 3),))
        ((value, _),) = source.means([(left, right)], 15)
        assert abs(value - closed.value(kind, point, "-1/3", 15)) < 1e-13


@pytest.mark.parametrize("bias", ["normal(0, 1)", "constant(1/3)", "normal(1/4, 1/2)"])
def test_on_the_diagonal_the_weight_is_conditioned_on_its_argument(bias: str) -> None:
    """E w⁴ σ″(wx + b)² by one integral against the two-dimensional lattice."""
    from theory.kernels.oracle.mehler import gaussian_reference

    kernel = derive_kernel("tanh", "normal(1/3, 1/2)", bias, "u_xx", verify=False)
    x = (F(3, 4),)
    with mp.workdps(20):
        own = kernel.value("K_AD", x, x, 15)
        assert own is not None
        assert abs(gaussian_reference(kernel, "K_AD", x, x) - own) < mp.mpf(10) ** -14 * abs(own)


@pytest.mark.parametrize(
    ("names", "density"),
    [
        (("tanh", "normal(0, 1)", "uniform(-1, 1)"), lambda w, b: stats.norm.pdf(w) / 2),
        (("erf", "uniform(-1, 1)", "laplace(0, 1)"), lambda w, b: stats.laplace.pdf(b) / 2),
    ],
)
def test_values_agree_with_nested_quadrature(names: tuple[str, str, str], density: Callable[..., Any]) -> None:
    kernel = derive_kernel(*names, verify=False)
    assert not kernel.closed
    assert "no closed form" in kernel.route
    sigma = {"tanh": np.tanh, "erf": special.erf}[names[0]]
    nodes, weights = np.polynomial.legendre.leggauss(160)
    # w on one panel, b on two, since the Laplace density has a kink at 0
    wide, tall = (9.0, 1.0) if names[0] == "tanh" else (1.0, 36.0)
    w, cw = wide * nodes, wide * weights
    b = np.concatenate([tall * (nodes - 1) / 2, tall * (nodes + 1) / 2])
    cb = np.concatenate([tall * weights / 2] * 2)
    grid = w[:, None], b[None, :]
    values = sigma(0.5 * grid[0] + grid[1]) * sigma(-0.75 * grid[0] + grid[1]) * density(*grid)
    assert float(kernel.value("K", "1/2", "-3/4", 10) or 0) == pytest.approx(cw @ values @ cb, abs=1e-9)


def test_the_cost_of_a_product_rule_is_counted_exactly() -> None:
    calls = 0

    def table(u: object, n: int) -> list[object]:
        nonlocal calls
        calls += 1
        return [mp.mpf(1)] * (n + 1)

    with mp.workdps(15):
        first, second = quadrature.laplace_rule(Laplace(F(0), F(1)), 2), quadrature.rule(Normal(F(0), F(1)), 3)
        one = Feature(((0, F(1), F(1)),))
        (mean,) = feature_means(table, first, second, [(one, one)])
        assert abs(mean - 1) < 1e-7
        assert abs(kept_pairs(first, second) - calls) <= 0.02 * calls


@pytest.mark.parametrize("names", [("tanh", "normal(0, 1)", "normal(0, 1)"), ("erf", "normal(0, 1)", "constant(1/3)")])
def test_gaussian_laws_are_verified_to_25_digits_without_a_closed_form(names: tuple[str, str, str]) -> None:
    """Also where weights and bias leave one random variable, for which Mehler's expansion diverges."""
    kernel = derive_kernel(*names)
    assert not kernel.closed
    assert kernel.verified_digits >= 25


@pytest.mark.slow
def test_heavy_tails_report_the_few_digits_that_were_confirmed() -> None:
    kernel = derive_kernel("erf", "student(5, 1)", "cauchy(0, 1)")
    assert 1 <= kernel.verified_digits < 25
    assert any("digits only" in text for text in kernel.record.assumptions)


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("sin(sin(sin(sin(z))))", "normal(0, 1)", "normal(0, 1)", "u_xxxx"),
        ("erf", "cauchy(0, 1)", "student(3, 1)", "u_xx"),
    ],
)  # fmt: skip
def test_no_derivation_runs_away(names: tuple[str, str, str, str]) -> None:
    start = time.process_time()
    derive_kernel(*names, step="1/10")
    assert time.process_time() - start < 20  # a few seconds on an idle machine


@pytest.mark.slow
def test_digits_out_of_reach_are_refused_in_one_line() -> None:
    kernel = derive_kernel("erf", "student(3, 1)", "cauchy(0, 1)", verify=False)
    start = time.process_time()
    with pytest.raises(PrecisionCapError, match="ask for fewer digits"):
        kernel.value("K", "1/2", "1/3", 60)
    assert time.process_time() - start < 60


def test_several_dimensions_need_a_closed_form() -> None:
    with pytest.raises(InputError, match="one dimension"):
        derive_kernel("tanh", "normal(0, 1)", "normal(0, 1)", "u_xx + u_yy")


def test_an_evaluation_knows_its_error() -> None:
    kernel = derive_kernel("silu", "normal(0, 1)", "normal(0, 1)", verify=False)
    source = kernel.source
    assert isinstance(source, NumericalKernel)
    pair = kernel.features("K", (F(1, 2),), (F(-1),))
    ((value, error),) = source.means([pair], 8)
    ((better, _),) = source.means([pair], 14)
    assert abs(value - better) <= max(error, abs(better) * mp.mpf(10) ** -12)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("exp(exp(exp(z)))", NonexistenceError, "grows too fast"),
        ("exp(z**4)", NonexistenceError, "grows too fast"),
        ("1/z", InputError, "not real and finite"),
        ("log(z)", InputError, "not real and finite"),
        ("sqrt(z)", InputError, "not real and finite"),
    ],
)
def test_activations_without_an_expectation_are_refused(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        derive_kernel(name, "normal(0, 1)", "normal(0, 1)", "u_xx")

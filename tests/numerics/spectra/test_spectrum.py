"""Spectra in a named arithmetic: proven enclosures against mpmath, LAPACK's against mpmath on the stored matrix."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.arithmetic.balls import Enclosure
from numerics.matrices.assemble import float_matrix, multiprecision_entries, shape
from numerics.problem.problem import Arithmetic, Boundary, Method, Problem, Training
from numerics.runs.store import Store
from numerics.spectra import spectrum as module
from numerics.spectra.spectrum import (
    UNIT_ROUNDOFF,
    Spectrum,
    floating_singular_values,
    lapack_error,
    read_dyadic,
    spectrum,
    spectrum_key,
    spell_dyadic,
)
from proofs_check.search.strategies import problems
from theory.entropy.conventions import Convention
from theory.features.laws import law
from theory.operators.operator import StencilChoice

METHODS: tuple[Method, ...] = ("ad", "fd")
SMALL = Problem(count=6, interior=(5,), boundary=(Boundary(),), weights=law("uniform(-4, 4)"))


def singular_values(matrix: mpmath.matrix, digits: int = 80) -> list[mpmath.mpf]:
    """By mpmath, descending."""
    with mpmath.workdps(digits):
        tall = matrix if matrix.rows >= matrix.cols else matrix.T
        return sorted((abs(v) for v in mpmath.svd_r(tall, compute_uv=False)), reverse=True)


def fraction(value: mpmath.mpf) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(int(-mantissa if sign else mantissa)) * Fraction(2) ** int(exponent)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15)
@given(problem=problems())
def test_exact_spectra_contain_the_values_and_are_narrow(method: Method, problem: Problem) -> None:
    found = spectrum(problem, method, "exact")
    assert found.certified
    assert (found.method, found.arithmetic) == (method, "exact")
    assert len(found.values) == min(shape(problem))
    with mpmath.workdps(80):
        reference = [fraction(v) for v in singular_values(multiprecision_entries(problem, method)(80))]
    scale = max(reference[0], Fraction(1, 10**30))
    for k, (enclosure, exact) in enumerate(zip(found.values, reference, strict=True)):
        slack = scale / 10**60  # of the reference
        assert enclosure.lower - slack <= exact <= enclosure.upper + slack
        assert 0 <= enclosure.lower
        if k < found.rank:
            assert enclosure.lower > 0
            assert enclosure.relative_width is not None
            assert enclosure.relative_width <= Fraction(1, 10**11)
        else:
            assert enclosure == Enclosure(Fraction(0), found.rest_upper)
            assert found.rest_upper < scale / 10**12


@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15)
@given(problem=problems())
def test_floating_spectra_are_those_of_the_stored_matrix(
    method: Method, arithmetic: Arithmetic, problem: Problem
) -> None:
    found = spectrum(problem, method, arithmetic)
    assert not found.certified
    stored = float_matrix(problem, method, arithmetic)
    with mpmath.workdps(80):
        matrix = mpmath.matrix([[mpmath.mpf(float(v)) for v in row] for row in stored])
        reference = [fraction(v) for v in singular_values(matrix)]
    assert len(found.values) == len(reference) == min(stored.shape)
    assert all(exact in enclosure for enclosure, exact in zip(found.values, reference, strict=True))
    width = 2 * Fraction(lapack_error(float(reference[0] * Fraction(11, 10)), *stored.shape))
    assert all(enclosure.width <= width for enclosure in found.values)
    assert found.rank == sum(1 for enclosure in found.values if enclosure.lower > 0)
    assert found.computed is not None
    assert found.floats() == found.computed
    assert list(found.computed) == sorted(found.computed, reverse=True)


def test_the_lapack_bound_holds_on_graded_matrices() -> None:
    """Hilbert-like matrices, 1e-17 to 1 in one spectrum: the error stays under max(N, M) u σ_1, not idly."""
    worst = 0.0
    for n, m in ((12, 12), (20, 8), (8, 20)):
        stored = np.array([[1 / (i + j + 1) for j in range(m)] for i in range(n)])
        values = floating_singular_values(stored)
        with mpmath.workdps(60):
            reference = singular_values(mpmath.matrix([[mpmath.mpf(float(v)) for v in row] for row in stored]))
            error = max(abs(float(mpmath.mpf(float(a)) - b)) for a, b in zip(values, reference, strict=True))
        worst = max(worst, error / lapack_error(float(values[0]), n, m))
    assert 1e-3 < worst <= 1


def test_the_float32_matrix_is_widened_first() -> None:
    """The noise shown is that of the entries; a decomposition in float32 would add its own, some 10 u σ_1."""
    problem = SMALL.with_(count=30, interior=(30,))
    found = spectrum(problem, "ad", "float32")
    stored = float_matrix(problem, "ad", "float32").astype(np.float64)
    assert np.allclose(found.floats(), np.linalg.svd(stored, compute_uv=False), rtol=0, atol=1e-13 * found.floats()[0])
    assert found.values[0].width < found.values[0].middle / 10**13


def test_weyl_between_arithmetics() -> None:
    """|σ_k(float) − σ_k(exact)| ≤ ‖difference‖_F: an inequality between two routes, at every index."""
    for method in METHODS:
        exact = spectrum(SMALL, method, "exact")
        entries = multiprecision_entries(SMALL, method)(30)
        for arithmetic in ("float32", "float64"):
            stored = float_matrix(SMALL, method, arithmetic)
            gap = max(  # in Fractions: entrywise, so that nothing cancels in floating point
                abs(fraction(mpmath.mpf(float(stored[i, j]))) - fraction(entries[i, j]))
                for i, j in np.ndindex(stored.shape)
            )
            frobenius = gap * stored.size  # at least the Frobenius norm
            floating = spectrum(SMALL, method, arithmetic)  # type: ignore[arg-type]
            for a, b in zip(exact.values, floating.values, strict=True):
                assert abs(a.middle - b.middle) <= frobenius + a.width + b.width


@given(st.integers(-(10**40), 10**40), st.integers(-2000, 2000))
def test_dyadics_read_back(mantissa: int, exponent: int) -> None:
    value = Fraction(mantissa) * Fraction(2) ** exponent
    text = spell_dyadic(value)
    assert read_dyadic(text) == value
    assert len(text) <= len(str(mantissa)) + 10


@given(st.fractions())
def test_other_rationals_read_back(value: Fraction) -> None:
    assert read_dyadic(spell_dyadic(value)) == value


@pytest.mark.parametrize("arithmetic", ["exact", "float64", "float32"])
@pytest.mark.parametrize("method", METHODS)
def test_a_spectrum_is_written_and_read_exactly(method: Method, arithmetic: Arithmetic) -> None:
    found = spectrum(SMALL, method, arithmetic)
    again = Spectrum.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.floats() == found.floats()


def test_floats_beyond_the_proven_rank_are_zero() -> None:
    tail = Enclosure(Fraction(0), Fraction(1, 10**20))
    found = Spectrum("ad", "exact", (Enclosure.exact(2), tail, tail), True, 30, 0.0, 1)
    assert found.floats() == (2.0, 0.0, 0.0)
    assert found.rest_upper == Fraction(1, 10**20)
    full = Spectrum("ad", "exact", (Enclosure.exact(2),), True, 30, 0.0, 1)
    assert full.rest_upper == 0


def test_repeated_features_give_a_proven_rank() -> None:
    doubled = ((Fraction(1),), (Fraction(1),), (Fraction(2),))
    problem = Problem(weights=doubled, biases=(Fraction(0), Fraction(0), Fraction(1)), count=3, interior=(4,))
    for method in METHODS:
        found = spectrum(problem, method, "exact")
        assert found.rank == 2
        assert found.values[2].lower == 0
        assert found.rest_upper < found.values[1].lower / 10**9


@pytest.mark.parametrize("digits", [5, 12, 30])
def test_digits_asked_are_digits_given(digits: int) -> None:
    for method in METHODS:
        found = spectrum(SMALL, method, "exact", digits)
        wide = spectrum(SMALL, method, "exact", 40)
        assert found.rank == len(found.values)
        for a, b in zip(found.values, wide.values, strict=True):
            assert a.relative_width is not None
            assert a.relative_width <= Fraction(10) ** (1 - digits)
            assert a.overlaps(b)


SAME: list[dict[str, Any]] = [
    {"solution": "cos(x)"},
    {"rhs": "x"},
    {"dtype": "float32"},
    {"digits": 30},
    {"convention": Convention(power=2)},
    {"training": Training(depth=3)},
]
OTHER: list[dict[str, Any]] = [
    {"operator_text": "u_x"},
    {"activation_name": "sin"},
    {"seed": 1},
    {"count": 7},
    {"interior": (6,)},
    {"boundary": ()},
    {"weights": law("normal(0, 2)")},
    {"domain": ((Fraction(0), Fraction(1)),)},
]


@pytest.mark.parametrize("changes", SAME, ids=str)
def test_the_key_leaves_out_what_does_not_enter_the_matrix(changes: dict[str, Any]) -> None:
    other = SMALL.with_(**changes)
    for method in METHODS:
        assert spectrum_key(other, method, "exact") == spectrum_key(SMALL, method, "exact")
        assert np.array_equal(float_matrix(other, method, "float64"), float_matrix(SMALL, method, "float64"))


def test_the_key_holds_what_enters_the_matrix() -> None:
    keys = [
        spectrum_key(p, m, a)
        for p in (SMALL, *(SMALL.with_(**c) for c in OTHER))
        for m in METHODS
        for a in UNIT_ROUNDOFF
    ]
    keys += [spectrum_key(SMALL, "ad", "exact", digits) for digits in (5, 12)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("changes", [{"step": (Fraction(1, 7),)}, {"stencil": StencilChoice("forward")}], ids=str)
def test_the_stencil_enters_the_difference_matrix_alone(changes: dict[str, Any]) -> None:
    other = SMALL.with_(**changes)
    assert spectrum_key(other, "ad", "exact") == spectrum_key(SMALL, "ad", "exact")
    assert spectrum_key(other, "fd", "exact") != spectrum_key(SMALL, "fd", "exact")
    assert np.array_equal(float_matrix(other, "ad", "float64"), float_matrix(SMALL, "ad", "float64"))


def test_a_store_behind_the_process_is_read_and_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACKING", [])
    store = Store(tmp_path / "s.sqlite")
    module.back_with(store)
    problem = SMALL.with_(seed=12345)
    first = spectrum(problem, "ad", "exact")
    key = spectrum_key(problem, "ad", "exact")
    assert Spectrum.from_dict(store.get(key)) == first
    spectrum.cache_clear()
    monkeypatch.setattr(module, "_exact", lambda *_: pytest.fail("computed twice"))
    assert spectrum(problem, "ad", "exact") == first
    spectrum.cache_clear()
    assert spectrum(problem.with_(solution="1"), "ad", "exact").values == first.values
    spectrum.cache_clear()

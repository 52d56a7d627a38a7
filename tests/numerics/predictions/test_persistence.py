"""Bounds on the change of entropies against entropies computed anew; what attains them; what they must not let pass."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.entropy.compare import entropy_enclosures
from numerics.predictions.persistence import Drift, Spectrum, enclosed, entropy_change, gap, horizons, kept
from proofs_check.search.strategies import conventions
from theory.entropy.conventions import Convention, standard_conventions
from theory.entropy.entropy import truncated_entropy


def change(matrix: torch.Tensor, moved: torch.Tensor, convention: Convention, share: float = 1.0) -> float:
    """The bound, with the cut-off numbers of both as they are."""
    cutoffs = [entropy_enclosures(enclosed(m, 0.0), [convention])[0].cutoff for m in (matrix, moved)]
    drift = Drift.between(moved, matrix).scaled(share)
    return entropy_change(Spectrum.of(matrix), drift, convention, cutoffs[0], cutoffs[1])


def actual(matrix: torch.Tensor, moved: torch.Tensor, convention: Convention) -> float | None:
    """By another SVD."""
    found = [
        truncated_entropy(np.linalg.svd(m.cpu().numpy(), compute_uv=False).tolist(), convention).value
        for m in (matrix, moved)
    ]
    return None if None in found else abs(found[1] - found[0])  # type: ignore[operator]


@settings(max_examples=200)
@given(st.integers(1, 5), st.integers(0, 10**6), st.integers(-9, 0), st.integers(0, 6), conventions())
def test_entropies_change_by_no_more(
    device: str, n: int, seed: int, size: int, decay: int, convention: Convention
) -> None:
    draw = np.random.default_rng(seed)
    matrix = draw.standard_normal((n, n + 2)) * 10.0 ** (-decay * np.arange(n))[:, None]
    moved = matrix + 10.0**size * draw.standard_normal((n, n + 2)) * 10.0 ** (-decay * np.arange(n))[:, None]
    one, other = torch.from_numpy(matrix).to(device), torch.from_numpy(moved).to(device)
    measured = actual(one, other, convention)
    if measured is not None:
        assert measured <= change(one, other, convention) + 1e-12


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("T", [1e-6, 1e-3, 0.1])
def test_the_bound_is_nearly_attained(power: int, T: float) -> None:
    """From one value to a rest spread over all others, as Audenaert's bound is: within a factor 2.3, and not with less drift."""
    n = 6
    one = torch.zeros(n, n, dtype=torch.float64)
    one[0, 0] = 1.0
    p = [1 - T] + [T / (n - 1)] * (n - 1)
    other = torch.diag(torch.tensor([v ** (1 / power) for v in p], dtype=torch.float64))
    convention = Convention("absolute", "1e-9", power)
    measured = actual(one, other, convention)
    assert measured is not None
    bound = change(one, other, convention)
    expected = T * math.log(n - 1) - T * math.log(T) - (1 - T) * math.log(1 - T)
    assert measured == pytest.approx(expected, rel=1e-9)
    if power == 1:
        assert measured <= bound <= 2.3 * measured
        assert change(one, other, convention, 0.3) < measured
    else:  # Cauchy and Schwarz lose the root of T
        assert measured <= bound


def test_a_changed_cutoff_is_paid_for() -> None:
    """The smallest value crosses the threshold: the entropy jumps by what is dropped, however small the drift."""
    convention = Convention("absolute", "1/2")
    one, other = (torch.diag(torch.tensor([1.0, 0.5 + e], dtype=torch.float64)) for e in (1e-9, -1e-9))
    measured = actual(one, other, convention)
    assert measured is not None
    assert measured > 0.6
    assert change(one, other, convention) >= measured
    assert change(other, one, convention) >= measured
    same = entropy_change(Spectrum.of(one), Drift.between(other, one), convention, (2, 2), (2, 2))
    assert same < 1e-6


def test_what_is_not_known_is_infinite() -> None:
    spectrum, tiny = Spectrum((1.0, 0.5), 0.0), Drift.within(1e-9, 2)
    plain, normalised = Convention("relative", "1e-6"), Convention("relative", "1e-6", 1, True)
    assert entropy_change(spectrum, tiny, plain, (1, 2), (2, 2)) == math.inf  # its own cut-off is open
    assert entropy_change(spectrum, tiny, plain, (2, 2), (0, 2)) == math.inf
    assert entropy_change(spectrum, tiny, normalised, (2, 2), (1, 2)) == math.inf
    assert entropy_change(spectrum, tiny, normalised, (2, 2), (2, 2)) < 1e-6


@given(st.integers(2, 4), st.integers(0, 10**6))
def test_orders_are_lost_as_the_drift_grows(device: str, n: int, seed: int) -> None:
    """And none appears that was not there; without a drift all that are separated are kept."""
    draw = np.random.default_rng(seed)
    pair = tuple(torch.from_numpy(draw.standard_normal((n, n + 1))).to(device) for _ in range(2))
    names = standard_conventions(2)
    sizes = (0.0, 1e-9, 1e-6, 1e-3, 1.0, 100.0)
    rows = kept(pair, names, [(Drift.within(s, n),) * 2 for s in sizes])  # type: ignore[arg-type]
    for before, after in itertools.pairwise(rows):
        assert all(b is not None or a is None for b, a in zip(before, after, strict=True))
        assert all(a in (None, b) for b, a in zip(before, after, strict=True))
    assert not any(rows[-1])
    sides = [entropy_enclosures(enclosed(m, 0.0), names) for m in pair]
    for k, says in enumerate(rows[0]):
        assert (says is not None) == (gap(sides[0][k], sides[1][k]) > 0)
    ends = horizons(rows, sizes)  # type: ignore[arg-type]
    assert all(end is not None for end in ends)


def test_fannes_and_audenaert_keep_what_weyl_loses() -> None:
    """A drift of rank one: its nuclear norm is that of one value, where Weyl lets all of them move."""
    one = torch.diag(torch.tensor([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], dtype=torch.float64))
    other = torch.diag(torch.tensor([1.0, 0.4, 0.3, 0.2, 0.2, 0.1], dtype=torch.float64))
    names = [Convention("fixed", rank=6)]
    size = 0.045
    assert kept((one, other), names, [(Drift(size, size, size), Drift(size, size, size))])[0][0] == "fd<ad"
    hulls = [entropy_enclosures(enclosed(m, size), names)[0].value for m in (one, other)]
    assert hulls[0] is not None
    assert hulls[1] is not None
    assert hulls[0].lower < hulls[1].upper


def test_an_order_is_kept_while_the_allowances_are_below_the_gap() -> None:
    """The case above with more drift: kept as long as the two changes together are less than the distance, no longer."""
    one = torch.diag(torch.tensor([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], dtype=torch.float64))
    other = torch.diag(torch.tensor([1.0, 0.4, 0.3, 0.2, 0.2, 0.1], dtype=torch.float64))
    convention = Convention("fixed", rank=6)
    sides = [entropy_enclosures(enclosed(m, 0.0), [convention])[0] for m in (one, other)]
    seen = set()
    for size in (0.02, 0.045, 0.06, 0.07, 0.08, 0.09):
        drift = Drift(size, size, size)
        hulls = [entropy_enclosures(enclosed(m, size), [convention])[0] for m in (one, other)]
        allowed = sum(
            entropy_change(Spectrum.of(m), drift, convention, side.cutoff, hull.cutoff)
            for m, side, hull in zip((one, other), sides, hulls, strict=True)
        )
        assert hulls[0].value is not None
        assert hulls[1].value is not None
        by_weyl = hulls[1].value.upper < hulls[0].value.lower
        ((says,),) = kept((one, other), [convention], [(drift, drift)])
        assert (says is not None) == (by_weyl or allowed < gap(*sides))
        seen.add((by_weyl, says is not None))
    assert {(False, True), (False, False)} <= seen


def test_a_normalised_entropy_changes_with_the_cut_off_too() -> None:
    """(1, 1) and next to nothing beside it: H/log r falls from 1 to log 2/log 3 when a third value is counted."""
    one = torch.diag(torch.tensor([1.0, 1.0, 0.99e-6], dtype=torch.float64))
    other = torch.diag(torch.tensor([1.0, 1.0, 1.01e-6], dtype=torch.float64))
    for power in (1, 2):
        convention = Convention("relative", "1e-6", power, normalised=True)  # type: ignore[arg-type]
        for pair in ((one, other), (other, one)):
            measured = actual(*pair, convention)
            assert measured is not None
            assert measured > 0.36
            assert measured <= change(*pair, convention) < 2


def test_a_run_that_diverged_keeps_nothing() -> None:
    one = torch.eye(2, dtype=torch.float64)
    lost = Drift.between(one * math.nan, one)
    assert lost.nuclear == math.inf
    assert kept((one, 2 * one), standard_conventions(2), [(lost, lost)]) == [[None] * len(standard_conventions(2))]

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from theory.base.enclosure import Enclosure
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.entropy.conventions import Power
from theory.solvable import Mehler, Prolate
from theory.solvable import galerkin as eigenvalues
from theory.solvable.galerkin import GalerkinSpectrum, symmetric_eigenvalues
from theory.solvable.hermite import oscillator_power
from theory.solvable.model import Listed, Tail, entropy_term, interval_context, lift, listed_entropy
from theory.stencils import Stencil, central, forward

HALF = Fraction(1, 2)


def real(x: Fraction) -> mpmath.mpf:
    return mp.mpf(x.numerator) / x.denominator


def inside(value: mpmath.mpf, enclosure: Enclosure, slack: float = 0.0) -> bool:
    return real(enclosure.lower) - slack <= value <= real(enclosure.upper) + slack


def entropy(weights: list[mpmath.mpf], power: Power) -> mpmath.mpf:
    roots = [x if power == 2 else mp.sqrt(x) for x in weights if x > 0]
    total = mp.fsum(roots)
    return mp.log(total) - mp.fsum(x * mp.log(x) for x in roots) / total


# --- proven eigenvalues -------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 10**6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_eigenvalue_enclosures(n: int, seed: int, repeated: bool) -> None:
    rng, bits = np.random.default_rng(seed), 120
    half = [[int(x) for x in row] for row in rng.integers(-9, 10, (n, n))]
    if repeated:
        half[n - 1] = list(half[0])
    full = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in half] for u in half]
    found = symmetric_eigenvalues([[x << bits for x in row] for row in full], bits, Fraction(0))
    with mp.workdps(50):
        exact = sorted(mp.eigsy(mp.matrix(full), eigvals_only=True), reverse=True)
        size = max(1, abs(exact[0]))
        assert all(inside(x, b, float(size) * 1e-45) for x, b in zip(exact, found, strict=True))
        assert all(b.width < Fraction(1, 10**28) for b in found)
    assert sum(b.lower for b in found) <= sum(full[i][i] for i in range(n)) <= sum(b.upper for b in found)
    widened = symmetric_eigenvalues([[x << bits for x in row] for row in full], bits, Fraction(1, 10))
    assert all(b.upper - a.upper == Fraction(1, 10) == a.lower - b.lower for a, b in zip(found, widened, strict=True))


def test_eigenvectors_need_not_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad vectors give wide enclosures, or none; never wrong ones."""
    bits = 60
    matrix = [[2 << bits, 1 << bits], [1 << bits, 2 << bits]]
    one = 1 << bits
    monkeypatch.setattr(eigenvalues, "_approximate_vectors", lambda *_: [[one, 0], [0, one]])
    wide = symmetric_eigenvalues(matrix, bits, Fraction(0))
    assert 3 in wide[0]
    assert 1 in wide[1]
    assert wide[0].width > 1
    monkeypatch.setattr(eigenvalues, "_approximate_vectors", lambda *_: [[one, 0], [one, 0]])
    with pytest.raises(PrecisionCapError, match="orthonormal"):
        symmetric_eigenvalues(matrix, bits, Fraction(0))


def test_eigenvalues_refuse() -> None:
    assert symmetric_eigenvalues([], 10, Fraction(0)) == []
    for matrix in ([[1, 2], [3, 1]], [[1, 2]], [[0] * 161 for _ in range(161)]):
        with pytest.raises(InputError, match="matrix"):
            symmetric_eigenvalues(matrix, 10, Fraction(0))


# --- entropies from enclosures and tails --------------------------------------------------------------------------


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("multiplicity", [1, 2])
def test_entropy_with_a_tail_contains_the_closed_form(power: Power, multiplicity: int) -> None:
    theta = Fraction(1, 3)
    values = tuple(Enclosure(theta**k, theta**k) for k in range(40))
    listed = Listed(values, Tail(theta**40, theta), multiplicity)
    found = listed_entropy(listed, power, None, 30)
    with mp.workdps(40):
        x = real(theta) ** (mp.mpf(power) / 2)
        assert inside(-mp.log(1 - x) - x * mp.log(x) / (1 - x) + mp.log(multiplicity), found)
    assert found.width < Fraction(1, 10**7)
    # Without the tail the enclosure is of another number; with a tail too large it is refused.
    assert found.lower < listed_entropy(Listed(values, None, multiplicity), power, None, 30).upper < found.upper
    with pytest.raises(PrecisionCapError, match="tail"):
        listed_entropy(Listed(values, Tail(Fraction(1), theta)), power, None, 30)


@given(st.fractions(0, 2, max_denominator=200), st.fractions(0, 1, max_denominator=200))
def test_entropy_terms_by_monotonicity(low: Fraction, width: Fraction) -> None:
    context = interval_context(20)
    term = entropy_term(context, lift(context, Enclosure(low, low + width)))
    for t in range(11):
        x = real(low + width * Fraction(t, 10))
        value = -x * mp.log(x) if x > 0 else mp.mpf(0)
        assert mp.mpf(term.a) - 1e-14 <= value <= mp.mpf(term.b) + 1e-14


def test_largest_and_its_refusals() -> None:
    values = tuple(Enclosure(Fraction(x), Fraction(x) + Fraction(1, 10)) for x in (1, 5, 3))
    assert [float(b.lower) for b in Listed(values).largest(3)] == [5, 3, 1]
    assert [float(b.lower) for b in Listed(values, None, 2).largest(3)] == [5, 5, 3]
    with pytest.raises(InputError, match="at most 3"):
        Listed(values).largest(4)
    with pytest.raises(PrecisionCapError, match="were enclosed"):
        Listed(values, Tail(HALF, HALF)).largest(4)
    with pytest.raises(PrecisionCapError, match="tail"):
        Listed(values, Tail(Fraction(2), HALF)).largest(3)
    for call in (
        lambda: Tail(Fraction(-1), HALF),
        lambda: Tail(HALF, Fraction(1)),
        lambda: Enclosure(Fraction(1), Fraction(0)),
        lambda: listed_entropy(Listed((Enclosure(Fraction(0), Fraction(1)),)), 1, None, 10),
    ):
        with pytest.raises(InputError):
            call()


# --- Mehler and prolate -------------------------------------------------------------------------------------------

Symbol = Callable[[mpmath.mpf], mpmath.mpf]


def squared(stencil: Stencil, h: Fraction | None) -> Symbol:
    """``|symbol of the operator|²`` at w, in complex arithmetic."""
    m = stencil.derivative

    def g(w: mpmath.mpf) -> mpmath.mpf:
        if h is None:
            return w ** (2 * m)
        total = mp.fsum(
            real(c) * mp.expj(real(s * h) * w) for s, c in zip(stencil.offsets, stencil.weights, strict=True)
        )
        return abs(total) ** 2 / real(h) ** (2 * m)

    return g


def nystrom(nodes: list[mpmath.mpf], weights: list[mpmath.mpf], kernel: Symbol, g: Symbol) -> list[mpmath.mpf]:
    """Eigenvalues of ½ √g K̂ √g on the side of the weights, by quadrature: nothing of the Galerkin route.

    Everything is even, so the positive half of symmetric nodes gives the even and the odd eigenvectors apart.
    """
    half = [(x, mp.sqrt(w * g(x) / 2)) for x, w in zip(nodes, weights, strict=True) if x > 0]
    values = []
    for sign in (1, -1):
        matrix = mp.matrix(len(half), len(half))
        for i, (x, root) in enumerate(half):
            for j, (y, other) in enumerate(half[: i + 1]):
                matrix[i, j] = matrix[j, i] = root * other * (kernel(x - y) + sign * kernel(x + y))
        values += list(mp.eigsy(matrix, eigvals_only=True))
    return sorted(values, reverse=True)


def legendre(n: int) -> tuple[list[mpmath.mpf], list[mpmath.mpf]]:
    """Gauss–Legendre on [-1, 1] for the probability measure dx/2, by Newton from cosines."""
    nodes, weights = [], []
    for k in range(n):
        x = mp.cos(mp.pi * (k + mp.mpf(3) / 4) / (n + mp.mpf(1) / 2))
        for _ in range(60):
            p, before = mp.mpf(1), mp.mpf(0)
            for j in range(n):
                p, before = ((2 * j + 1) * x * p - j * before) / (j + 1), p
            slope = n * (x * p - before) / (x * x - 1)
            step = p / slope
            x -= step
            if abs(step) < mp.eps * 4:
                break
        nodes.append(x)
        weights.append(1 / ((1 - x * x) * slope**2))
    return nodes, weights


CASES = [
    (central(2), None),
    (central(2), HALF),
    (central(2), Fraction(3)),
    (central(1), HALF),
    (forward(2, 1), HALF),
]


@pytest.mark.parametrize(("chosen", "h"), CASES)
def test_prolate_against_quadrature(chosen: Stencil, h: Fraction | None) -> None:
    model = Prolate(Fraction(5, 2), Fraction(3, 2), chosen)
    with mp.workdps(40):
        nodes, weights = legendre(24 if h != 3 else 36)  # at h = 3 the symbol oscillates
        scaled = [real(model.band) * x for x in nodes]
        numerical = nystrom(
            scaled, weights, lambda d: mp.sincpi(d * real(model.half_width) / mp.pi), squared(chosen, h)
        )
        found = model.ad_eigenvalues(6, 28) if h is None else model.fd_eigenvalues(6, h, 28)
        for value, enclosure in zip(numerical, found, strict=False):
            assert inside(value, enclosure, float(numerical[0]) * 1e-26)
            assert enclosure.width < Fraction(1, 10**26) * max(1, found[0].upper)
        total = sum((b.middle for b in found), Fraction(0))
        assert total < model.trace("ad" if h is None else "fd", h).upper
        assert abs(mp.fsum(numerical) - real(model.trace("ad" if h is None else "fd", h).middle)) < 1e-24 * numerical[0]


def test_prolate_reproduces_slepian() -> None:
    """λ_n(c) of Slepian and Pollak (1961), table I, c = 1 and c = 4."""
    tables = {1: ["0.57258", "0.062791", "0.0012375"], 4: ["0.99589", "0.91211", "0.51905", "0.11021", "0.0088279"]}
    for c, table in tables.items():
        found = Prolate(Fraction(c), stencil=central(0)).ad_eigenvalues(len(table))
        scaled = [float(x) * 4 * c / np.pi for x in found]
        assert scaled == pytest.approx([float(x) for x in table], rel=2e-5)


@given(st.fractions(HALF, 6, max_denominator=8), st.fractions(Fraction(1, 20), 1, max_denominator=20))
@settings(max_examples=3, deadline=None)
def test_prolate_ratios(band: Fraction, part: Fraction) -> None:
    h = part * Fraction(628, 100) / band  # below 2π/R
    model = Prolate(band)
    allowed = model.ratio_range(h)
    angle = float(band * h) / 2
    assert float(allowed.lower) == pytest.approx((np.sin(angle) / angle) ** 4, rel=1e-9, abs=1e-20)
    for ad, fd in zip(model.ad_eigenvalues(6), model.fd_eigenvalues(6, h), strict=True):
        assert fd.lower <= ad.upper
        assert fd.upper >= allowed.lower * ad.lower


def test_prolate_ratios_need_their_hypothesis() -> None:
    model = Prolate(Fraction(4))
    with pytest.raises(NonexistenceError, match="exceeds 2π"):
        model.ratio_range(Fraction(158, 100))
    assert float(model.ratio_range(Fraction(157, 100)).lower) < 1e-11
    for chosen in (central(1), central(2, 4), forward(2, 1)):
        with pytest.raises(NonexistenceError, match="symbol"):
            Prolate(Fraction(4), Fraction(1), chosen).ratio_range(HALF)


@pytest.mark.parametrize(("chosen", "h"), CASES)
def test_mehler_against_quadrature(chosen: Stencil, h: Fraction | None) -> None:
    """Trapezoidal rule on the side of the weights: exponentially accurate for Gaussian decay."""
    model = Mehler(Fraction(4, 5), Fraction(1, 3), chosen)
    with mp.workdps(28):
        s2, width = real(model.weight_variance), mp.mpf(3) / 10
        nodes = [(k + mp.mpf(1) / 2) * width for k in range(-38, 38)]
        weights = [width * mp.exp(-x * x / (2 * s2)) / mp.sqrt(2 * mp.pi * s2) for x in nodes]
        keep = [k for k, w in enumerate(weights) if w > mp.mpf(10) ** -22]
        numerical = nystrom(
            [nodes[k] for k in keep],
            [weights[k] for k in keep],
            lambda d: mp.exp(-real(model.point_variance) * d * d / 2),
            squared(chosen, h),
        )
        found = model.ad_eigenvalues(5, 13) if h is None else model.fd_eigenvalues(5, h, 13)
        for value, enclosure in zip(numerical, found, strict=False):
            assert inside(value, enclosure, float(numerical[0]) * 1e-17)
            assert enclosure.width < Fraction(1, 10**12) * max(1, found[0].upper)
        trace = model.trace("ad" if h is None else "fd", h)
        assert abs(mp.fsum(numerical) - real(trace.middle)) < 1e-17 * numerical[0]


@pytest.mark.parametrize("kappa", [Fraction(2), Fraction(1, 10)])
def test_mehler_kernel_is_geometric_with_a_closed_entropy(kappa: Fraction) -> None:
    model = Mehler(kappa, Fraction(1))
    with mp.workdps(40):
        ratio = real(model.kernel_ratio().middle)
        if kappa == 2:
            assert Fraction(1, 2) in model.kernel_ratio()  # 4 / (1 + 4 + 3)
            assert Fraction(1, 4) in model.kernel_eigenvalue(0)
        # The first eigenfunction is exp(-(c-a) x²): check the integral equation at two points.
        a = 1 / mp.mpf(4)
        c = a * mp.sqrt(1 + 4 * real(kappa))
        for x in (mp.mpf(0), mp.mpf(2) / 3):
            image = mp.quad(
                lambda y, x=x: mp.exp(-real(kappa) * (x - y) ** 2 / 2 - (c - a) * y * y - y * y / 2) / 2,
                [-mp.inf, 0, mp.inf],
            ) / mp.sqrt(2 * mp.pi)
            assert abs(image - real(model.kernel_eigenvalue(0).middle) * mp.exp(-(c - a) * x * x)) < mp.mpf(10) ** -25
        for power in (1, 2):
            summed = entropy([ratio**k for k in range(900)], power)
            assert inside(summed, model.kernel_entropy(power), 1e-28)
            assert model.kernel_entropy(power).width < Fraction(1, 10**30)


def test_oscillator_powers_are_gaussian_moments() -> None:
    """⟨0|x^{2m}|0⟩ = (2m-1)!! and x² He_1 = He_3 + 3 He_1."""
    assert [oscillator_power(2 * m, 0)[0] for m in range(5)] == [1, 1, 3, 15, 105]
    assert oscillator_power(2, 1) == {3: 1, 1: 3}


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(
    "model", [Mehler(Fraction(4, 5), Fraction(1, 5)), Prolate(Fraction(3))], ids=["mehler", "prolate"]
)
def test_entropies_of_the_infinite_spectrum(model: GalerkinSpectrum, power: Power) -> None:
    """Against many eigenvalues of an independent precision; the enclosure is narrow and contains the sum."""
    h = Fraction(2, 5)
    for method in ("ad", "fd"):
        wanted = 9
        enclosure = model.entropy(method, h, power=power, digits=wanted)  # type: ignore[arg-type]
        assert enclosure.width < Fraction(1, 10 ** (wanted - 3))
        many = model.listed(method, h, 4, 26).values  # type: ignore[arg-type]
        with mp.workdps(30):
            assert inside(entropy([real(b.middle) for b in many], power), enclosure, 1e-11)
    assert model.gap_sign(h, power=power).sign == model.gap(h, power=power, digits=9).sign() != 0
    rank_one = model.gap(h, power=power, rank=1, digits=9)
    assert rank_one.lower <= 0 <= rank_one.upper


def test_fd_eigenvalues_are_below_ad_for_symbols_at_most_one() -> None:
    model = Mehler(Fraction(4, 5), Fraction(1, 3))
    for h in (Fraction(1, 2), Fraction(2), Fraction(7)):
        pairs = zip(model.ad_eigenvalues(5, 10), model.fd_eigenvalues(5, h, 10), strict=True)
        assert all(fd.upper <= ad.lower for ad, fd in pairs)
    one_sided = Mehler(Fraction(4, 5), Fraction(1, 3), forward(2, 2))
    assert one_sided.fd_eigenvalues(1, HALF, 10)[0].lower > one_sided.ad_eigenvalues(1, 10)[0].upper


def test_small_steps_lose_no_digits() -> None:
    for model in (Mehler(HALF, HALF), Prolate(Fraction(2))):
        ad, fd = model.ad_eigenvalues(1, 12)[0], model.fd_eigenvalues(1, Fraction(1, 10**4), 12)[0]
        assert fd.width < ad.lower / 10**10
        assert Fraction(1, 10**11) < (ad.middle - fd.middle) / ad.middle < Fraction(1, 10**6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Mehler(Fraction(0), Fraction(1)),
        lambda: Mehler(Fraction(1), Fraction(-1)),
        lambda: Mehler(Fraction(1), Fraction(1), central(0)),
        lambda: Prolate(Fraction(0)),
        lambda: Prolate(Fraction(1), Fraction(0)),
        lambda: Mehler(Fraction(1), Fraction(1)).entropy("fd", Fraction(-1)),
        lambda: Prolate(Fraction(1)).fd_eigenvalues(2, Fraction(0)),
    ],
)
def test_bad_input_gives_one_line(call: Callable[[], object]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_too_large_a_basis_is_refused() -> None:
    with pytest.raises(PrecisionCapError, match="fewer digits"):
        Mehler(Fraction(1000), Fraction(1000)).entropy("ad", digits=30)


@pytest.mark.parametrize("method", ["ad", "fd"])
@pytest.mark.parametrize(
    "model",
    [Mehler(Fraction(4, 5), Fraction(1, 2)), Mehler(Fraction(2), Fraction(2), central(4)), Prolate(Fraction(5, 2))],
    ids=["mehler", "mehler biharmonic", "prolate"],
)
def test_trace_tails_bound_the_remainders(model: GalerkinSpectrum, method: str) -> None:
    """``t_N = trace - Σ_{i<N} K_ii`` from the closed trace and the diagonal, both independent of the bound."""
    h, bits, size = Fraction(3, 4), 260, 24
    parts = model.blocks(method, h, size, bits)  # type: ignore[arg-type]
    diagonal = [Fraction(parts[i % 2][0][i // 2][i // 2], 1 << bits) for i in range(size)]
    slack = size * max(error for _, error in parts)
    trace = model.trace(method, h, 60)  # type: ignore[arg-type]
    checked = 0
    for start in range(size - 4):
        tail = model.trace_tail(method, h, start)  # type: ignore[arg-type]
        if tail is None:
            continue
        for j in range(4):
            remainder = trace.middle - sum(diagonal[: start + j], Fraction(0))
            assert remainder <= tail.first * tail.ratio**j + slack + trace.width
            checked += 1
        if method == "ad":  # and it is not wasteful
            assert tail.first < 100 * (trace.middle - sum(diagonal[:start], Fraction(0))) / (1 - tail.ratio) + slack
    assert checked >= 20

"""What the proven checker of ``theory/rocq/Checker.v`` reads, made from a certificate: integers alone.

Nothing made here has to be right, but for the enclosures of the entries: the theorem ``Checker.check_sound`` is about
every matrix with entries in these intervals, and its hypothesis is that the check holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat, ctx

from proofs_check import checker
from proofs_check.certificates.features import Summand, Table, activation, bits, table
from proofs_check.checker import demand

Bound = tuple[int, int]
"""``(p, e)``: p times 10^e."""
ERROR = 2
"""Units within which a truncated image is known: one of the truncation, one of the entries."""
GUARD = 8
MOST_BITS = 2000
"""With which the kernel evaluates functions."""


@dataclass(frozen=True)
class Row:
    """An approximate left singular vector, ``y 2^-(bits + shift)``.

    Attributes:
        y: its integers.
        shift: places that are cut off y before the vectors' own Gram matrix is taken.
        cut: places that are cut off y times the matrix.
        weight: of this row in Gershgorin's sums.
    """

    y: tuple[int, ...]
    shift: int
    cut: int
    weight: int


@dataclass(frozen=True)
class Witness:
    """A record ``certificate`` of ``Checker.v``.

    Attributes:
        places: entries are in units of ``2^-places``.
        entries: the integers, one tuple a column; every entry is within one unit of its integer.
        rows: approximate left singular vectors, the largest value first.
        bounds: the claims, as decimals.
        transposed: whether it is about the transpose of the certificate's matrix.
    """

    places: int
    entries: tuple[tuple[int, ...], ...]
    rows: tuple[Row, ...]
    bounds: tuple[tuple[Bound, Bound], ...]
    transposed: bool


def witness(problem: checker.Problem, spectrum: dict[str, Any]) -> Witness:
    """The witness of one spectrum of a file that the checker has accepted.

    Raises:
        RefusedError: the entries cannot be enclosed as closely as it takes.
    """
    before = ctx.prec, ctx.cap
    try:
        return _witness(problem, spectrum)
    finally:
        ctx.prec, ctx.cap = before


def _witness(problem: checker.Problem, spectrum: dict[str, Any]) -> Witness:
    bounds = tuple((_pair(claim["lower"]), _pair(claim["upper"])) for claim in spectrum["values"])
    exact = [checker.interval(claim, "values") for claim in spectrum["values"]]
    accuracy = max([32, *(_bits(high / (high - low)) for low, high in exact if 0 < low < high)])
    bits = 2 * accuracy + 4 * GUARD
    A, transposed = _matrix(problem, spectrum, spectrum["precision"] + bits)
    X, _ = checker.vectors(spectrum["vectors"], A.nrows())
    N, r = A.nrows(), X.ncols()
    lengths = [_log2(_length(column)) for column in (X.transpose() * A).tolist()]
    order = sorted(range(r), key=lambda j: -lengths[j])
    places = bits + GUARD - min(lengths, default=0)
    rest = [high for _, high in exact[r:] if high > 0]
    if rest:  # what is not resolved is bounded through the error of a truncated Gram matrix, a root of it
        places = max(places, bits // 2 + 4 * GUARD + _bits(1 / min(rest)))
    places = max(places, GUARD)
    A, _ = _matrix(problem, spectrum, places + max(0, _log2(_length(A.entries()))) + 2 * GUARD)
    columns = [_integers(spectrum["vectors"][j]) for j in order]
    rows = [_row(y, p, bits, places + lengths[j] - bits, 1) for (y, p), j in zip(columns, order, strict=True)]
    fine = places + 2 * GUARD
    for y in _complement(A, X, fine) if r < N else []:
        size = _log2(_length((arb_mat([y]) * A).entries())) - 2 * GUARD  # in units of what the entries' error allows
        cut = max(0, size - bits)
        weight = 1 << max(0, bits - max(0, size - cut) - accuracy - 2 * GUARD)
        rows.append(_row(y, fine, bits, cut, weight))
    return Witness(places, _enclosed(A, places), tuple(rows), bounds, transposed)


def _pair(bound: list[Any]) -> Bound:
    return int(bound[0]), int(bound[1])


def _bits(value: Fraction) -> int:
    """About ``log2`` of a positive number, rounded up."""
    return value.numerator.bit_length() - value.denominator.bit_length() + 1


def _log2(x: arb) -> int:
    """About ``log2`` of a ball's midpoint, rounded up."""
    mantissa, exponent = x.mid().man_exp()
    return int(mantissa).bit_length() + int(exponent)


def _length(entries: Iterable[arb]) -> arb:
    """Of the midpoints."""
    return sum((x.mid() * x.mid() for x in entries), arb(0)).mid().sqrt().mid()


def _matrix(problem: checker.Problem, spectrum: dict[str, Any], precision: int) -> tuple[arb_mat, bool]:
    """A in balls, transposed where it is taller than wide; at this precision from now on."""
    work = checker.Work(float("inf"))
    A = checker.matrix(problem, checker.read_difference(spectrum["difference"], problem, work), precision, work)
    transposed = A.nrows() > A.ncols()
    return (A.transpose() if transposed else A), transposed


def _enclosed(A: arb_mat, places: int) -> tuple[tuple[int, ...], ...]:
    """The integers within one unit of which the entries are proven to lie, column by column."""
    unit = arb(2) ** places
    found = []
    for column in A.transpose().tolist():
        scaled = [x * unit for x in column]
        integers = [_nearest(x) for x in scaled]
        demand(
            all(abs(x - n) <= 1 for x, n in zip(scaled, integers, strict=True)), "matrix: not enclosed to its places"
        )
        found.append(tuple(integers))
    return tuple(found)


def _integers(column: dict[str, Any]) -> tuple[list[int], int]:
    """``y, p`` of a column ``y 2^-p``."""
    return [int(m, 16) for m in column["mantissas"]], -column["exponent"]


def _row(y: list[int], p: int, bits: int, excess: int, weight: int) -> Row:
    """The row of ``y 2^-p``; its image is cut to about ``bits`` bits, and no further than its entries' error allows."""
    if p < bits:
        y, p = [v << (bits - p) for v in y], bits
    return Row(tuple(y), p - bits, max(p + excess, sum(map(abs, y)).bit_length()), weight)


def _complement(A: arb_mat, X: arb_mat, places: int) -> list[list[int]]:
    """Integers times ``2^-places``: vectors nearly orthonormal, and orthogonal to X as far as their images allow.

    The images of the whole basis under A^T are orthogonal in two groups, those of X and the others.
    """
    N, r = A.nrows(), X.ncols()
    ctx.prec = 2 * places + 4 * GUARD + 2 * N
    P = arb_mat([[arb(i == j) for j in range(N)] for i in range(N)])
    if r:
        P = P - X * ((X.transpose() * X).mid().inv().mid() * X.transpose())
    columns, found = P.mid().transpose().tolist(), []
    for _ in range(N - r):
        lengths = [_length(column) for column in columns]
        u = columns[max(range(N), key=lambda j: float(lengths[j]))]
        u = [(x / _length(u)).mid() for x in u]
        found.append(u)
        columns = [_away(column, u) for column in columns]
    Y = arb_mat(found).transpose()
    if r:
        W = (A.transpose() * X).mid()
        Y = Y - X * ((W.transpose() * W).mid().inv().mid() * (W.transpose() * (A.transpose() * Y).mid()).mid())
    return [[_nearest(x * arb(2) ** places) for x in column] for column in Y.mid().transpose().tolist()]


def _away(column: list[arb], u: list[arb]) -> list[arb]:
    """The column less its part along u."""
    along = sum((a * b for a, b in zip(u, column, strict=True)), arb(0)).mid()
    return [(a - along * b).mid() for a, b in zip(column, u, strict=True)]


def _nearest(x: arb) -> int:
    return int((x.mid() + 0.5).mid().floor().unique_fmpz())


# ---- as text for Rocq


@dataclass(frozen=True)
class Features:
    """The entries as sums of derivatives of an activation, column by column, for the kernel to enclose by itself."""

    activation: str
    bits: int
    table: Table


def features(problem: checker.Problem, spectrum: dict[str, Any], found: Witness) -> Features | None:
    """The entries of a small matrix of sin, cos, exp or tanh features; ``None`` for any other."""
    name = activation(problem)
    difference = checker.read_difference(spectrum["difference"], problem, checker.Work(float("inf")))
    entries = None if name is None else table(problem, difference, found.transposed)
    if name is None or entries is None or (precision := bits(entries, found.places)) > MOST_BITS:
        return None
    return Features(name, precision, entries)


def source(found: Witness, entries: Features | None = None) -> str:
    """A Rocq file that states and proves the bounds: it compiles if, and only if, the checks hold."""
    lines = [
        "From Coq Require Import ZArith Uint63 List.",
        "From adfd Require Import Checker.",
        "Import ListNotations.",
    ]
    if entries is not None:
        lines[1] = "From adfd Require Import Features Checker FeatureChecker."
    lines.append("Local Open Scope uint63_scope. Local Open Scope list_scope.")
    for k, column in enumerate(found.entries):
        lines.append(f"Definition column{k} : list (list int) := {_listed(map(_words, column))}.")
    for k, row in enumerate(found.rows):
        y = _listed(map(_words, row.y))
        lines.append(f"Definition row{k} := Row {y} {row.shift} {row.cut} {_words(row.weight)}.")
    bounds = _listed(f"({_decimal(low)}, {_decimal(high)})" for low, high in found.bounds)
    lines += [
        f"Definition certificate := Certificate {len(found.rows)}%nat {len(found.entries)}%nat {found.places}",
        f"  {_listed(f'column{k}' for k in range(len(found.entries)))}",
        f"  {_listed(f'row{k}' for k in range(len(found.rows)))} {_words(ERROR)} {bounds}.",
        "Lemma checked : check certificate = true.",
        "Proof. vm_cast_no_check (eq_refl true). Qed.",
    ]
    suffix = "_transposed" if found.transposed else ""
    if entries is None:
        lines.append(f"Definition proven := fun A => @check_sound{suffix} certificate A checked.")
        return "\n".join(lines) + "\n"
    for k, sums in enumerate(entries.table):
        lines.append(
            f"Definition sums{k} : list (list term) := {_listed(_listed(map(_term, entry)) for entry in sums)}."
        )
    about = f"{entries.bits} {entries.activation} sums certificate"
    lines += [
        f"Definition sums := {_listed(f'sums{k}' for k in range(len(entries.table)))}.",
        f"Lemma enclosed : check_entries {about} = true.",
        "Proof. vm_cast_no_check (eq_refl true). Qed.",
        f"Definition proven := @features_sound{suffix} {about} checked enclosed.",
    ]
    return "\n".join(lines) + "\n"


def _term(summand: Summand) -> str:
    c, m, z = summand
    return f"Term {_rational(c)} {m}%nat {_rational(z)}"


def _rational(q: Fraction) -> str:
    return f"(({hex(q.numerator)})%Z, {hex(q.denominator)}%positive)"


def _decimal(bound: Bound) -> str:
    return f"Decimal {_words(bound[0])} ({bound[1]})%Z"


def _words(n: int) -> str:
    """The sign, and the 63-bit digits from the lowest."""
    digits, rest = [], abs(n)
    while rest:
        digits.append(hex(rest & (2**63 - 1)))
        rest >>= 63
    return _listed(["0" if n >= 0 else "1", *digits])


def _listed(items: Iterable[str]) -> str:
    return f"[{'; '.join(items)}]"

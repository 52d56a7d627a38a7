"""``adfd check --kernel``: the witness is one that the proven check accepts, and what is tampered with it refuses.

The check of ``Checker.v`` stands here once more, in fractions, so that witnesses are tested without Rocq; where Rocq is
there, its own verdicts must be these.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import pytest
from certificate_cases import FACTORS, made, matrix, valid

from numerics.problem.problem import Boundary, Method, Problem
from numerics.spectra.certificate import certificate
from proofs_check import checker, rocq
from proofs_check.certificates import kernel
from proofs_check.certificates.witness import ERROR, Bound, Row, Witness, features, source, witness
from proofs_check.claims.theorems import BUILD
from proofs_check.cli.main import main

needs_rocq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed")


def sums(beta: int, columns: int, rows: list[list[int]], weights: list[int]) -> list[tuple[int, int]]:
    """Diagonal and Gershgorin's sum of each row of the Gram matrix, as the definitions in ``Checker.v`` have them."""
    slack = 2 * beta * max(sum(map(abs, row)) for row in rows) + columns * beta * beta
    gram = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in rows] for x in rows]
    return [
        (line[j], sum((abs(g) + slack) * w for g, w in zip(line, weights, strict=True))) for j, line in enumerate(gram)
    ]


def decimal(bound: Bound) -> Fraction:
    return bound[0] * Fraction(10) ** bound[1]


def accepts(it: Witness) -> bool:
    """The check in fractions."""
    n, m = len(it.rows), len(it.entries)
    weights = [row.weight for row in it.rows]
    shapes = all(len(column) == n for column in it.entries) and all(len(row.y) == n for row in it.rows)
    if not shapes or min(weights) <= 0:
        return False
    if any(sum(map(abs, row.y)) > (ERROR - 1) << row.cut for row in it.rows):
        return False
    own = sums(1, n, [[v >> row.shift for v in row.y] for row in it.rows], [1] * n)
    least, most = min(2 * d - g for d, g in own), max(g for _, g in own)
    images = [[sum(a * b for a, b in zip(row.y, c, strict=True)) >> row.cut for c in it.entries] for row in it.rows]
    found = sums(ERROR, m, images, weights)
    scale = [Fraction(4**row.cut, 4 ** (it.places + row.shift)) for row in it.rows]
    lower = [(2 * d - Fraction(g, w)) * s for (d, g), w, s in zip(found, weights, scale, strict=True)]
    upper = [Fraction(g, w) * s for (_, g), w, s in zip(found, weights, scale, strict=True)]
    return least > 0 and all(
        (decimal(low) <= 0 or all(decimal(low) ** 2 * most <= v for v in lower[: k + 1]))
        and decimal(high) >= 0
        and all(v <= decimal(high) ** 2 * least for v in upper[k:])
        for k, (low, high) in enumerate(it.bounds)
    )


def true_of(it: Witness) -> bool:
    """Whether the bounds hold for the midpoints, up to the width of the intervals and the oracle's own error."""
    with mpmath.workdps(60 + len(str(2**it.places))):
        unit = mpmath.mpf(2) ** -it.places
        A = mpmath.matrix([[unit * x for x in column] for column in it.entries])
        values = sorted((abs(v) for v in mpmath.svd_r(A, compute_uv=False)), reverse=True) if any(A) else [0] * A.cols
        slack = A.rows * A.cols * unit
        return all(
            low[0] * mpmath.mpf(10) ** low[1] <= v + slack and v - slack <= high[0] * mpmath.mpf(10) ** high[1]
            for v, (low, high) in zip(values, it.bounds, strict=True)
        )


def of(data: dict[str, Any]) -> Witness:
    return witness(checker.read_problem(data["problem"]), data["spectrum"])


@cache
def stored(seed: int) -> Witness:
    return of(valid(seed))


def test_witnesses_are_accepted_but_for_matrices_that_vanish() -> None:
    vanishing = 0
    for seed in range(60):
        data = valid(seed)
        found = of(data)
        zero = any(claim["upper"][0] == "0" for claim in data["spectrum"]["values"])
        assert accepts(found) != zero, seed
        vanishing += zero
        assert found.transposed == (len(found.entries) > len(data["problem"]["weights"]))
    assert 0 < vanishing < 12


@pytest.mark.parametrize("seed", range(1, 40, 4))
def test_entries_are_enclosed(seed: int) -> None:
    data = valid(seed)
    found = of(data)
    with mpmath.workdps(110):
        A = matrix(data["problem"], data["spectrum"]["difference"])
        A = A.T if found.transposed else A
        for k, column in enumerate(found.entries):
            for i, n in enumerate(column):
                assert abs(A[i, k] * 2**found.places - n) <= 1 + mpmath.mpf(10) ** -20 * 2 ** max(0, found.places - 260)


def test_what_is_false_for_the_ordinary_checker_is_false_here() -> None:
    for name, (data, reason) in FACTORS.items():
        if reason is not None and "false" in name:
            assert not accepts(of(data)), name


def tampered(it: Witness, dice: random.Random) -> Witness:
    """A witness with one field changed."""
    k, j = dice.randrange(len(it.bounds)), dice.randrange(len(it.rows))
    row = it.rows[j]

    def with_row(**changes: Any) -> Witness:
        return replace(it, rows=(*it.rows[:j], replace(row, **changes), *it.rows[j + 1 :]))

    def with_bound(end: int, p: int, e: int) -> Witness:
        pair = [*it.bounds[k]]
        pair[end] = p, e
        return replace(it, bounds=(*it.bounds[:k], (pair[0], pair[1]), *it.bounds[k + 1 :]))

    (low, e), (high, f) = it.bounds[k]
    i = dice.randrange(len(row.y))
    c = dice.randrange(len(it.entries))
    size = dice.choice([1, 1 << 40, 1 << max(1, it.places - dice.randrange(60))])
    column = (*it.entries[c][:i], it.entries[c][i] + dice.choice([1, -1]) * size, *it.entries[c][i + 1 :])
    return dice.choice(
        [
            lambda: with_bound(0, low * 1000 + dice.choice([10**6, 10**9, 10**13]), e - 3),
            lambda: with_bound(1, high * 1000 - dice.choice([10**6, 10**9, 10**13]), f - 3),
            lambda: with_bound(1, -high, f),
            lambda: with_bound(0, low, e + 1),
            lambda: with_bound(1, high, f - 1),
            lambda: replace(it, bounds=tuple(reversed(it.bounds))),
            lambda: replace(it, entries=(*it.entries[:c], column, *it.entries[c + 1 :])),
            lambda: replace(it, entries=it.entries[:-1]),
            lambda: replace(it, places=it.places + dice.choice([-1, 1, 30])),
            lambda: with_row(y=(*row.y[:i], row.y[i] + dice.choice([1, -1]) * size, *row.y[i + 1 :])),
            lambda: with_row(y=it.rows[0].y),
            lambda: with_row(y=row.y[:-1]),
            lambda: with_row(y=(0,) * len(row.y)),
            lambda: with_row(shift=row.shift + dice.choice([1, 40])),
            lambda: with_row(cut=dice.choice([0, row.cut + 1, row.cut + 60])),
            lambda: with_row(weight=dice.choice([0, -1, 2**200])),
        ]
    )()


def test_what_is_tampered_with_is_refused_or_true() -> None:
    refused = 0
    for seed in range(300):
        it = tampered(stored(seed % 20), random.Random(seed))
        if accepts(it):
            assert true_of(it), seed
        else:
            refused += 1
    assert refused > 200


def test_a_witness_as_text() -> None:
    row = Row((2**63 + 5, -1), 3, 70, 1)
    text = source(Witness(9, ((3, 0), (-(2**126), 1)), (row, row), (((1, 2), (3, -4)),), True))
    assert "column1 : list (list int) := [[1; 0x0; 0x0; 0x1]; [0; 0x1]]" in text
    assert "row0 := Row [[0; 0x5; 0x1]; [1; 0x1]] 3 70 [0; 0x1]" in text
    assert "Decimal [0; 0x1] (2)%Z, Decimal [0; 0x3] (-4)%Z" in text
    assert "@check_sound_transposed" in text


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["adfd", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_without_rocq_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "proof.json"
    path.write_text(str(made(1)))
    monkeypatch.setattr(rocq.shutil, "which", lambda name: None)
    code, out, err = run(capsys, "check", str(path), "--kernel")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert all(package in err for package in rocq.PACKAGES)
    code, out, _ = run(capsys, "check", str(path), "--json")
    assert (code, json.loads(out)["kernel"]) == (0, None)


@pytest.mark.parametrize(("said", "code"), [(None, 0), ("not proven: the kernel's check of these bounds is false", 1)])
def test_what_the_kernel_says_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, said: str | None, code: int
) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(of_features("gelu", "ad")))
    monkeypatch.setattr(kernel, "prepare", lambda: None)
    monkeypatch.setattr(kernel, "judged", lambda text, seconds: said)
    found, out, _ = run(capsys, "check", str(path), "--kernel", "--json")
    content = json.loads(out)
    assert (found, content["accepted"], len(content["kernel"])) == (code, said is None, int(said is None))
    if said is None:
        assert content["kernel"][0]["matrix_sha256"] == content["proven"]["matrix_sha256"]
        assert "FLINT" in content["kernel"][0]["entries"]
        assert "FLINT's word" in run(capsys, "check", str(path), "--kernel")[1]
    else:
        assert content["findings"] == [f"spectrum: {said}"]


def test_files_of_steps_are_not_for_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(rocq.InputError, match="entropies on steps"):
        kernel.prove({"statement": "entropies on steps"})


def of_features(activation: str, method: Method, **changes: Any) -> dict[str, Any]:
    base = Problem(count=3, interior=(3,), boundary=(Boundary(weight=Fraction(9, 4)),), activation_name=activation)
    return dict(json.loads(json.dumps(certificate(base.with_(**changes), method, 10))))


@pytest.mark.parametrize("activation", ["sin", "cos", "exp", "tanh"])
@pytest.mark.parametrize("method", ["ad", "fd"])
def test_entries_as_sums_of_derivatives(activation: str, method: Method) -> None:
    data = of_features(activation, method, operator_text="u_xxx + x*u_xx/3 - u")
    problem = checker.read_problem(data["problem"])
    found = features(problem, data["spectrum"], of(data))
    assert found is not None
    with mpmath.workdps(40):
        A = matrix(data["problem"], data["spectrum"]["difference"])
        for k, row in enumerate(found.table):  # the matrix is taller than wide, so these are its rows
            for j, entry in enumerate(row):
                value = mpmath.fsum(
                    mpmath.mpf(c.numerator) / c.denominator
                    * mpmath.diff(getattr(mpmath, activation), mpmath.mpf(z.numerator) / z.denominator, m)
                    for c, m, z in entry
                )  # fmt: skip
                assert abs(value - A[k, j]) < mpmath.mpf(10) ** -12 * (1 + abs(A[k, j]))


@pytest.mark.parametrize(
    ("activation", "changes"),
    [
        ("gelu", {}),
        ("sin", {"operator_text": "u_xx + exp(x)*u"}),
        ("sin", {"boundary": (Boundary(weight=Fraction(2)),)}),
        ("tanh", {"count": 60, "interior": (60,)}),
    ],
)
def test_other_entries_are_left_to_flint(activation: str, changes: dict[str, Any]) -> None:
    data = of_features(activation, "ad", **changes)
    assert features(checker.read_problem(data["problem"]), data["spectrum"], of(data)) is None


@pytest.mark.slow  # make proofs runs it
@needs_rocq
@pytest.mark.timeout(900)
def test_the_kernel_proves_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(of_features("tanh", "fd")))
    code, out, _ = run(capsys, "check", str(path), "--kernel", "--json")
    assert (code, json.loads(out)["kernel"][0]["theorem"]) == (0, "FeatureChecker.features_sound_transposed")
    data = json.loads(path.read_text())
    it = of(data)
    entries = features(checker.read_problem(data["problem"]), data["spectrum"], it)
    assert entries is not None
    c, m, z = entries.table[0][0][0]
    moved = replace(entries, table=[[[(c, m, z + Fraction(1, 10**9))], *entries.table[0][1:]], *entries.table[1:]])
    assert kernel.judged(source(it, moved)) == "not proven: the kernel's check of these bounds is false"
    assert kernel.judged(source(it)) is None
    (p, e), high = it.bounds[0]
    narrowed = replace(it, bounds=(((p * 1000 + 10**6, e - 3), high), *it.bounds[1:]))
    assert kernel.judged(source(narrowed)) == "not proven: the kernel's check of these bounds is false"
    with pytest.raises(rocq.InputError, match="coqc"):
        kernel.judged("Lemma nothing : False.")


@needs_rocq
@pytest.mark.slow
def test_the_kernel_agrees_with_the_check_in_fractions(tmp_path: Path) -> None:
    kernel.prepare()
    lines, verdicts = [], []
    for seed in range(120):
        it = stored(seed % 20) if seed < 20 else tampered(stored(seed % 20), random.Random(seed))
        text, verdict = source(it), accepts(it)
        body = text.partition("Lemma checked")[0].partition("Local Open Scope list_scope.")
        lines += [*([body[0] + body[1]] if not lines else []), f"Module M{seed}.", body[2]]
        lines += [
            f"Goal check certificate = {str(verdict).lower()}. Proof. vm_compute. reflexivity. Qed.",
            f"End M{seed}.",
        ]
        verdicts.append(verdict)
    assert 20 < sum(verdicts) < 60
    path = tmp_path / "Batch.v"
    path.write_text("\n".join(lines))
    done = subprocess.run(["coqc", "-Q", str(BUILD), "adfd", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Hostile problem files, expressions, certificates, stores and command lines: no traceback, nothing executed, no hang.

A few hundred inputs by default; ``-m slow`` runs more than 20 000 and prints what became of them.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import fuzz_files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import EVIL_TEXT, EVIL_VALUES, Tally, mutated_bytes, mutated_text, mutated_tree

from numerics.arithmetic.backends import FloatBackend
from numerics.matrices.assemble import float_matrix
from numerics.problem import file as problem_file
from numerics.runs import sweep
from numerics.runs.grid import Plan
from numerics.runs.rows import Record, SweepStore, read_rows
from numerics.runs.store import Store
from numerics.spectra.certificate import certificate
from proofs_check import checker
from proofs_check.cli import main as cli
from proofs_check.cli.check import shipped
from theory.base import expressions
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.base.exact import rational
from theory.features.laws import law
from theory.operators.operator import operator

REFUSALS = (InputError, NonexistenceError, PrecisionCapError)
Fuzzer = Callable[[random.Random, Tally, Path], None]

EXPRESSIONS = (
    "sin(pi*x)", "u_xx + 25*u", "exp(-x**2/2)*cos(3*y)", "(1 + x**2)*u_xx - 3*u_x + u", "tanh(z) + z/3", "z*exp(-z**2)",
    "u_t - 1/10*u_xx", "sqrt(1 + x**2)", "log(2 + x)*sinh(x)", "x**3*y - 2.5", "u_xxyy + u_xy", "(x - 1)*(x + 1)/4",
)  # fmt: skip


def expression(dice: random.Random, tally: Tally, folder: Path) -> None:
    """An expression, an operator, a law, an activation or a number."""
    import numpy as np

    kind = dice.randrange(4)
    x, y, z = (expressions.sp.Symbol(name, real=True) for name in "xyz")
    known = [text for text in EXPRESSIONS if ("u_" in text) == (kind == 1)]
    text = dice.choice(EVIL_TEXT) if dice.random() < 0.2 else mutated_text(dice, dice.choice(known))
    if dice.random() < 0.3:
        text = f"({dice.choice(known)}){dice.choice('+-*/')}({dice.choice(known)})"
    with tally.one(text, REFUSALS):
        if kind == 0:
            found = expressions.parse(text, {"x": x, "y": y, "z": z})
            with np.errstate(all="ignore"):
                expressions.evaluate(found, {s: np.array([0.3, -2.0]) for s in (x, y, z)}, FloatBackend(np.float64))
        elif kind == 1:
            operator(text)
        elif kind == 2:
            law(text if dice.random() < 0.3 else mutated_text(dice, dice.choice(["normal(0, 1)", "student(3, 1/2)"])))
        else:
            rational(dice.choice([text, mutated_text(dice, "-12345.678e-9"), *EVIL_VALUES[:40]]))


@cache
def tables() -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((text, tomllib.loads(text, parse_float=str)) for text in shipped().values())


def problem(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A problem or sweep file, its text or its content mutated; what is accepted is made use of and comes back."""
    text, table = dice.choice(tables())
    if dice.random() < 0.4:
        text = mutated_text(dice, text)
        path = folder / "p.toml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        with tally.one(text, REFUSALS):
            table = problem_file.load_table(path)
            _use(dict(table))
        return
    changed = mutated_tree(dice, table)
    with tally.one(changed, REFUSALS):
        _use(changed)


def _use(table: Any) -> None:
    if isinstance(table, dict) and "sweep" in table:
        of = sweep.sweep_from_table(table)
        Plan(of).check()
        assert of.total <= 1_000_000
        return
    made = problem_file.problem_from_dict(table)
    again = problem_file.problem_from_dict(made.to_dict())
    assert again == made, "does not come back from its own content"
    if made.count <= 64 and len(made.interior) * made.dimension <= 64 and str(made.interior).count(",") < 200:
        size = made.interior[0] if not isinstance(made.interior[0], tuple) else 1
        if isinstance(size, int) and size <= 64:
            float_matrix(made, "fd", "float32")


@cache
def proof() -> dict[str, Any]:
    """A small valid certificate."""
    made = problem_file.problem_from_dict(
        {
            "problem": {"operator": "u_xx", "solution": "sin(x)", "boundary": "none"},
            "features": {
                "activation": "sin",
                "weights": {"values": [1, 2]},
                "biases": {"values": [0, "1/2"]},
                "count": 2,
            },
            "points": {"interior": {"values": ["1/3", "-1/5"]}},
            "difference": {"step": "1/10"},
        }
    )
    found: dict[str, Any] = json.loads(json.dumps(certificate(made, "fd", 8)))
    assert checker.check(found) == []
    return found


def proofs(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A certificate mutated as text or as data; the checker answers with findings, it never raises."""
    if dice.random() < 0.3:
        path = folder / "c.json"
        content = mutated_bytes(dice, json.dumps(proof()).encode())
        path.write_bytes(content)
        with tally.one(content, ()):
            findings = checker.check_file(path)
        changed = None
    else:
        changed = mutated_tree(dice, proof())
        with tally.one(changed, ()):
            findings = checker.check(changed)
    assert isinstance(findings, list)
    assert all(isinstance(line, str) and "\n" not in line for line in findings), findings
    if not findings and isinstance(changed, dict) and _same_matrix(changed):
        # Accepted: then the claims must be true, whatever became of the vectors behind them.
        claims = changed["spectrum"]["values"]
        for claim, value in zip(claims, TRUE_VALUES, strict=True):
            lower, upper = (int(claim[end][0]) * Fraction(10) ** claim[end][1] for end in ("lower", "upper"))
            assert lower <= Fraction(value) <= upper, claims


TRUE_VALUES = ("3.6996078272", "0.23184607253")
"""Singular values of the matrix of :func:`proof`, to ten digits; from numpy, by another route (see the test below)."""


def _same_matrix(changed: dict[str, Any]) -> bool:
    same = changed["problem"] == proof()["problem"]
    return bool(same and changed["spectrum"]["difference"] == proof()["spectrum"]["difference"])


def test_true_values_of_the_proof() -> None:
    import mpmath

    with mpmath.workdps(40):
        h = mpmath.mpf(1) / 10
        rows = [
            [(mpmath.sin(w * (x + h) + b) - 2 * mpmath.sin(w * x + b) + mpmath.sin(w * (x - h) + b)) / h**2
             for w, b in ((1, mpmath.mpf(0)), (2, mpmath.mpf(1) / 2))]
            for x in (mpmath.mpf(1) / 3, -mpmath.mpf(1) / 5)
        ]  # fmt: skip
        values = mpmath.svd_r(mpmath.matrix(rows), compute_uv=False)
        for value, text in zip(values, TRUE_VALUES, strict=True):
            assert abs(value - mpmath.mpf(text)) < 1e-9


@cache
def good_store(folder: Path) -> bytes:
    """The bytes of a store with results and cells."""
    path = folder / "good"
    Store(path).put("result:1", {"x": 1})
    store = SweepStore(path)
    store.put(Record(f"{k:032x}", "done", json.dumps({"a.b": k, "v": 1 / (k + 1)}), None, 0.1) for k in range(40))
    store.close()
    return path.read_bytes()


def stores(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A store whose bytes or whose rows are mutated; one that is refused is left as it is."""
    content = good_store(folder)
    for old in folder.glob("store*"):
        old.unlink()
    path = folder / "store"
    if dice.random() < 0.6:
        path.write_bytes(mutated_bytes(dice, content))
    else:
        path.write_bytes(content)
        with sqlite3.connect(path) as connection:
            value: Any = dice.choice([*EVIL_TEXT, "[1]", "3", "{", '{"a":1e999}', b"\xff\xfe", None, 5])
            column = dice.choice(["content", "status", "reason", "seconds"])
            try:
                connection.execute(f"UPDATE cell SET {column} = ? WHERE rowid < 5", (value,))
                connection.execute("UPDATE result SET value = ?", (value,))
            except sqlite3.Error:
                connection.rollback()
        connection.close()
    before = path.read_bytes()
    refused = tally.refused
    with tally.one(before[:200], REFUSALS):
        rows = read_rows(path)
        assert all(isinstance(row, dict) for row in rows)
        sweep.recorded_sweeps(path)
        Store(path).get("result:1")
    if tally.refused > refused:
        # A journal may have been folded in, but rows never go: what can be read still is what was.
        assert path.stat().st_size >= min(len(before), 100) or not before


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("derive", "truncation", "--derivative", "2", "--offsets=-1,0,1", "--terms", "2"),
    ("derive", "symbol", "--derivative", "1", "--offsets=-1,1"),
    ("derive", "remainder", "--derivative", "2", "--offsets=-1,0,1"),
    ("derive", "operator", "u_xx + u_yy", "--stencil", "five-point"),
    ("spectrum", "FILE", "--method", "fd", "--digits", "8", "--certify"),
    ("entropy", "FILE", "--rule", "relative", "--tau", "1e-6", "--power", "1"),
    ("train", "FILE", "--model", "rfm", "--seeds", "1", "--iterations", "3"),
    ("sweep", "SWEEP", "--store", "STORE", "--jobs", "1", "--resume"),
    ("report", "FILE", "--out", "OUT"),
    ("check", "PROOF"),
    ("show", "S2.some-small"),
    ("claims",),
    ("example", "poisson"),
    ("verify", "no.such.claim", "--profile", "quick"),
    ("refute", "no.such.claim", "--seconds", "1"),
    ("advise", "ABSENT", "--figure", "f.svg"),
)
OPTIONS = ("--json", "--digits", "--certify", "--latex", "--help", "--tau", "--rank", "--arithmetic", "--jobs", "--terms",
           "--offsets", "--step", "--cell", "--out", "--export", "--method", "--normalised", "--version", "-x")  # fmt: skip


def command_line(dice: random.Random, tally: Tally, folder: Path) -> None:
    """A command line with words left out, doubled, replaced by hostile ones; run in this process.

    What would take minutes (all claims, a search) is not reached: its words name nothing that exists.
    """
    import contextlib
    import io

    import torch  # noqa: F401 - not to be cut off while it is imported

    files = _files(folder)
    words = [files.get(word, word) for word in dice.choice(COMMANDS)]
    head = 2 if words[0] == "derive" else 1
    for _ in range(dice.randint(0, 3)):
        kind, at = dice.randrange(4), dice.randint(head, len(words))
        if kind == 0 and at < len(words) and words[0] not in {"verify", "refute", "advise"}:
            del words[at]
        elif kind == 1:
            words.insert(at, dice.choice(OPTIONS))
        elif kind == 2:
            evil = dice.choice([t for t in EVIL_TEXT if "\x00" not in t])
            words[at : at + 1] = [evil] if words[0] not in {"verify", "refute"} or at > head else [f"no.{evil}"]
        else:
            words[at:at] = [dice.choice(["-1", "0", "1", "3", "1e9", "1/7", "nan", "4000", "x", "--"])]
    if any(word in {"--derivative", "--jobs", "--seeds"} for word in words) and any(
        w in words for w in ("4000", "1e9")
    ):
        words = [w for w in words if w not in {"4000", "1e9"}]
    out, errors = io.StringIO(), io.StringIO()
    code: Any = None
    with tally.one(words, (), 60), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        before, sys.argv = sys.argv, ["adfd", *words]
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            sys.argv = before
    said = errors.getvalue()
    assert code in {0, 1, 2}, (words, code, said[-2000:])
    assert "Traceback" not in said, (words, said)
    assert "internal error" not in said, (words, said)
    if code == 2:
        assert out.getvalue() == "", (words, out.getvalue()[:500])
        assert len(said.strip().splitlines()) <= 1 or "Usage" in said, (words, said)
    if code == 0 and "--json" in words and "--help" not in words and "--version" not in words:
        json.loads(out.getvalue())


@cache
def _files(folder: Path) -> dict[str, str]:
    """Small files that commands work on in milliseconds."""
    head = '[problem]\noperator = "u_xx"\nsolution = "sin(x)"\nboundary = "none"\n[features]\nactivation = "sin"\n'
    tail = 'count = 3\n[points]\ninterior = 3\n[difference]\nstep = "1/10"\n'
    (folder / "f.toml").write_text(head + tail)
    (folder / "s.toml").write_text(
        head + tail + '[sweep]\n"features.seed" = [0, 1]\n"entropy.tau" = ["1e-3", "1e-9"]\n'
    )
    (folder / "proof.json").write_text(json.dumps(proof()))
    return {"FILE": str(folder / "f.toml"), "SWEEP": str(folder / "s.toml"), "STORE": str(folder / "st.sqlite"),
            "PROOF": str(folder / "proof.json"), "OUT": str(folder / "out"),
            "ABSENT": str(folder / "absent.toml")}  # fmt: skip


FUZZERS: dict[str, tuple[Fuzzer, int, int]] = {
    "expressions": (expression, 80, 8000),
    "problems": (problem, 60, 6000),
    "proofs": (proofs, 100, 4000),
    "stores": (stores, 20, 2000),
    "commands": (command_line, 12, 1500),
    "entropy proofs": (fuzz_files.entropy_proofs, 16, 2000),
    "reports": (fuzz_files.reports, 4, 400),
    "witnesses": (fuzz_files.witnesses, 20, 2000),
    "exports": (fuzz_files.exports, 60, 6000),
    "claims": (fuzz_files.claims, 6, 600),
    "marks": (fuzz_files.marks, 30, 2000),
}
"""Each with how many inputs by default, and in the slow run: 34 500 in all."""


def fuzz(name: str, seed: int, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Tally:
    """So many inputs of one kind; nothing called CANARY may be there afterwards."""
    monkeypatch.chdir(folder)
    tally = Tally()
    fuzzer = FUZZERS[name][0]
    for k in range(count):
        fuzzer(random.Random(f"{name} {seed} {k}"), tally, folder)
    assert not list(folder.rglob("CANARY"))
    return tally


@pytest.mark.parametrize("name", FUZZERS)
def test_hostile_inputs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = fuzz(name, 0, FUZZERS[name][1], tmp_path, monkeypatch)
    assert tally.accepted + tally.refused == FUZZERS[name][1]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("name", FUZZERS)
def test_thousands_of_hostile_inputs(name: str, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = fuzz(name, 1 + part, FUZZERS[name][2] // 4, tmp_path, monkeypatch)
    print(f"{name}: {tally}")
    assert tally.refused + tally.accepted == FUZZERS[name][2] // 4
    assert tally.slowest[0] < 60


@given(st.text(max_size=60) | st.text("xyzu_+-*/()., 0123456789e'[]", max_size=60))
def test_any_text_is_an_expression_or_one_line(text: str) -> None:
    with Tally().one(text, REFUSALS):
        expressions.parse(text, {"x": expressions.sp.Symbol("x", real=True)})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner,
       max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_any_data_is_refused_as_a_problem_and_as_a_proof(data: Any) -> None:
    with Tally().one(data, ()):
        assert checker.check(data)
    if isinstance(data, dict):
        tally = Tally()
        with tally.one(data, (InputError,)):
            problem_file.problem_from_dict(data)
        assert tally.refused == 1


def test_the_tally_tells_a_hang_and_an_execution() -> None:
    """The watch itself: it must be able to fail."""
    with pytest.raises(AssertionError, match="longer than"), Tally().one("loop", (), 0.05):
        threading.Event().wait(30)
    with pytest.raises(AssertionError, match=r"subprocess\.Popen"), Tally().one("run", ()):
        subprocess.run(["true"], check=True)
    import mutations

    mutations._seen.clear()
    with pytest.raises(AssertionError, match="ZeroDivisionError"), Tally().one("error", REFUSALS):
        Fraction(1, 0)

"""Witnesses: exact round trips, re-checks in fresh processes that know nothing of the search, refusals."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.problem.problem import Problem
from numerics.spectra import spectrum as engine
from proofs_check.claims.claim import Claim, Scope
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.spectra.entropy import Pair
from proofs_check.ledger import ledger, witness
from proofs_check.own.claims import draws
from proofs_check.search.refute import ROUNDS
from proofs_check.search.spaces import space_of
from proofs_check.search.strategies import conventions, enclosed_spectra, laws, problems, rationals, spectra, stencils
from theory.base.errors import InputError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | rationals(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
)


def _claim(id: str) -> Claim:
    return next(c for c in ledger.all_claims() if c.id == id)


def _one_by_one(activation: str, bias: Fraction) -> Problem:
    one = Fraction(1)
    return Problem(
        activation_name=activation,
        weights=((one,),),
        biases=(bias,),
        count=1,
        interior=((Fraction(0),),),
        step=(Fraction(1, 2),),
    )


def _witness(instance: Any, id: str = "spectra.order-beyond-sine", scope: Scope | None = None) -> dict[str, Any]:
    claim = _claim(id)
    found = witness.content(claim, None, scope or claim.scopes("quick")[0], instance, Outcome(False, "as found"))
    return dict(json.loads(json.dumps(found)))


TANH_AT_TWO = _one_by_one("tanh", Fraction(2))
"""FD/AD = 1.0657: the ordering of sine features fails."""
TANH_AT_A_QUARTER = _one_by_one("tanh", Fraction(1, 4))
"""Here it holds."""


@given(ANYTHING)
def test_plain_values_come_back(value: Any) -> None:
    text = json.dumps(witness.encode(value))
    back = witness.decode(json.loads(text))
    assert back == value
    assert type(back) is type(value)


@given(problems() | stencils() | laws() | conventions() | spectra() | enclosed_spectra())
def test_mathematical_values_come_back(value: Any) -> None:
    back = witness.decode(json.loads(json.dumps(witness.encode(value))))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("claim", ledger.all_claims(), ids=lambda c: c.id)
def test_a_witness_of_every_claim_can_be_written_and_read(claim: Claim) -> None:
    scope = (*claim.scopes("quick"), *claim.scopes("full"))[0]
    for instance in draws(space_of(claim, scope, ROUNDS[3]), 1):
        data = json.loads(json.dumps(witness.content(claim, None, scope, instance, Outcome(False, ""))))
        assert witness.instance_of(data, witness.claim_of(data)) == instance


@pytest.mark.parametrize("value", [object(), print, {1, 2}, Path("x")])
def test_what_cannot_be_written_says_so(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written"):
        witness.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        {"class": "subprocess:Popen", "fields": {}},
        {"class": "os:system", "fields": {}},
        {"class": "numerics.problem.problem:nothing", "fields": {}},
        {"class": "numerics.problem.problem:hashlib.sha256", "fields": {}},
        {"class": ":print", "fields": {}},
        {"unknown": 1},
        {"problem": {"problem": {"operator": "u_xx"}, "features": {"activation": "__import__('os')"}}},
    ],
)
def test_only_values_of_this_project_are_rebuilt(data: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        witness.decode(data)


def test_a_witness_refutes_and_a_harmless_instance_does_not() -> None:
    found = witness.check(_witness(TANH_AT_TWO))
    assert found["refutes"]
    assert found["certified"]
    assert "breaks the order" in found["detail"]
    honest = witness.check(_witness(TANH_AT_A_QUARTER))
    assert not honest["refutes"]
    assert not honest["certified"]


def test_a_witness_must_meet_the_assumptions() -> None:
    found = witness.check(_witness(TANH_AT_TWO, "spectra.sine-ordering"))
    assert not found["refutes"]
    assert "misses the assumption" in found["detail"]


def test_an_instance_that_cannot_be_written_is_named_by_its_place() -> None:
    class Odd:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Odd) and other.number == self.number

        def __hash__(self) -> int:
            return self.number

    claim = _claim("entropy.range").with_(instances=lambda scope, profile: [Odd(k) for k in range(5)])
    data = witness.content(claim, None, {"cell": "only"}, Odd(3), Outcome(False, ""))
    assert data["instance"] == {"drawn": {"profile": "quick", "index": 3}}
    assert witness.instance_of(data, claim) == Odd(3)
    with pytest.raises(TypeError, match="cannot be written"):
        witness.content(claim, None, {"cell": "only"}, Odd(7), Outcome(False, ""))


def test_a_file_re_checks_in_fresh_processes_by_both_routes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "witness.json"
    path.write_text(json.dumps(_witness(TANH_AT_TWO)))
    assert witness.main([str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rechecked"]
    assert found["certified"]
    assert found["reference"]["refutes"]
    difference = 4 * (math.tanh(2.5) - 2 * math.tanh(2) + math.tanh(1.5))
    derivative = -2 * math.tanh(2) * (1 - math.tanh(2) ** 2)
    assert f"{difference / derivative:.6g}" in found["reference"]["detail"]


def test_a_harmless_instance_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "witness.json"
    path.write_text(json.dumps(_witness(TANH_AT_A_QUARTER)))
    assert witness.main([str(path), "--one-route"]) == 1
    assert json.loads(capsys.readouterr().out)["refutes"] is False


@pytest.mark.parametrize(
    ("instance", "id", "count"),
    [
        (TANH_AT_TWO, "spectra.order-beyond-sine", 2),
        (Pair((Fraction(2), Fraction(1)), (Fraction(1), Fraction(1))), "entropy.range", 0),
    ],
)
def test_the_reference_route_replaces_every_exact_spectrum(
    instance: Any, id: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_exact", engine._exact)  # restored afterwards
    engine.spectrum.cache_clear()
    mutant = None if count else "log-of-r-minus-1"
    found = witness.check(_witness(instance, id) | {"mutant": mutant}, reference=True)
    engine.spectrum.cache_clear()
    assert found["refutes"]
    assert found["spectra"] == count
    assert found["certified"] is (count == 0)  # mpmath proves nothing


def test_the_re_check_knows_nothing_of_the_search(tmp_path: Path) -> None:
    path = tmp_path / "witness.json"
    path.write_text(json.dumps(_witness(TANH_AT_TWO)))
    program = (
        "import sys, pathlib\nfrom proofs_check import witness\n"
        f"assert witness.check(witness.read(pathlib.Path({str(path)!r})))['refutes']\n"
        "searching = {'hypothesis', 'proofs_check.search.refute', 'proofs_check.search.spaces', 'proofs_check.search.strategies'}\n"
        "assert not searching & set(sys.modules), searching & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1, 2]", "is not a witness"),
        ('{"schema": 2, "claim": "a", "cell": {}, "instance": {}}', "is not a witness of version 1"),
        ('{"schema": 1, "claim": "no.such", "cell": {}, "instance": {}}', "unknown"),
        ('{"schema": 1, "claim": "spectra.weyl", "mutant": "x", "cell": {}, "instance": {}}', "no mutant"),
        ('{"schema": 1, "claim": "spectra.weyl", "cell": {}, "instance": {}}', "cannot be rebuilt"),
        ('{"schema": 1, "claim": "spectra.weyl", "file": "/no/such.py", "cell": {}, "instance": {}}', "no such file"),
    ],
)
def test_bad_files_are_one_line(tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "witness.json"
    path.write_text(text)
    assert witness.main([str(path), "--one-route"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert message in err


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert witness.main([str(tmp_path / "none.json")]) == 2
    assert "no such file" in capsys.readouterr().err

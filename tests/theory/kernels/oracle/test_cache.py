"""The cache of reference values: concurrent writers, damage, tampering; what is read is always checked again."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from theory.base.derivation import Verification
from theory.kernels.derive import derive_kernel
from theory.kernels.kernel import KernelDerivation
from theory.kernels.oracle import cache as derivation_cache
from theory.kernels.oracle.cache import DerivationCache, key_of

ENTRY = Verification("a route", 30, (("K", "1/2;-1/4", "0.25"), ("K_AD", "1/2;1/2", "-1.5e-3")), 1.0)


def question(cache: DerivationCache | None = None) -> KernelDerivation:
    return derive_kernel("sin", "uniform(-1, 1)", "constant(0)", "u_xx", cache=cache)


def test_an_entry_is_read_back(tmp_path: Path) -> None:
    cache = DerivationCache(tmp_path / "new" / "folder")
    assert cache.read("k") is None
    assert cache.write("k", ENTRY)
    found = cache.read("k")
    assert found is not None
    assert (found.route, found.digits, found.checks, found.cached) == (ENTRY.route, ENTRY.digits, ENTRY.checks, True)
    assert [p.name for p in cache.directory.iterdir()] == ["k.json"]  # no temporary files are left


def test_concurrent_writers_and_readers_never_see_half_an_entry(tmp_path: Path) -> None:
    cache = DerivationCache(tmp_path)
    entries = [Verification(f"route {i}", 30, (("K", "1/2;-1/4", "0." + str(i) * 300),) * (1 + 40 * i), 0.0)
               for i in range(1, 5)]  # fmt: skip
    cache.write("k", entries[0])
    wanted = {(e.route, e.checks) for e in entries}
    bad: list[object] = []

    def write(entry: Verification) -> None:
        for _ in range(15):
            if not cache.write("k", entry):
                bad.append(entry)

    def read() -> None:
        for _ in range(60):
            found = cache.read("k")
            if found is None or (found.route, found.checks) not in wanted:
                bad.append(found)

    threads = [
        *(threading.Thread(target=write, args=(e,)) for e in entries),
        *(threading.Thread(target=read) for _ in range(3)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not bad
    assert [p.name for p in tmp_path.iterdir()] == ["k.json"]


def test_the_second_derivation_is_checked_against_stored_values(tmp_path: Path) -> None:
    cache = DerivationCache(tmp_path)
    first, second = question(cache), question(cache)
    assert first.record.verification is not None
    assert second.record.verification is not None
    assert not first.record.verification.cached
    assert second.record.verification.cached
    assert second.verified_digits >= 25
    assert second.K == first.K


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("change", ["value", "kind", "fewer", "digits", "format"])
def test_a_tampered_entry_costs_time_and_nothing_else(tmp_path: Path, change: str, sealed: bool) -> None:
    """Also one whose checksum has been made to fit: what it lacks, or what disagrees, is computed again."""
    cache = DerivationCache(tmp_path)
    key = key_of(question(cache))
    path = cache.path(key)
    data = json.loads(path.read_text())
    del data["seal"]
    if change == "fewer":
        data["checks"] = [check for check in data["checks"] if check[0] != "K_AD"]
    elif change == "digits":
        data |= {"digits": 3, "checks": [[k, w, v[:6]] for k, w, v in data["checks"]]}
    elif change == "format":
        data["format"] = 1
    else:
        data["checks"][0][{"value": 2, "kind": 0}[change]] = {"value": "0.123", "kind": "K_AD"}[change]
    if sealed:
        data["seal"] = derivation_cache._seal(data)
    path.write_text(json.dumps(data))
    again = question(cache)
    assert again.record.verification is not None
    assert not again.record.verification.cached
    assert again.verified_digits >= 25
    repaired = cache.read(key)
    assert repaired is not None
    assert repaired.checks == again.record.verification.checks


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 0}', '{"format": 2, "key": "other"}',
     '{"format": 2, "key": "k", "route": "r", "digits": 30, "checks": []}',
     '{"format": 2, "key": "k", "route": "r", "digits": "30", "checks": [["K", "1;1", "1.0"]]}',
     '{"format": 2, "key": "k", "route": "r", "digits": 30, "checks": [["K", "1;1", "__import__(\'os\')"]]}',
     '{"format": 2, "key": "k", "route": "r", "digits": 30, "checks": [["K", "1;1", "1e9999999"]]}',
     '{"format": 2, "key": "k", "route": "r", "digits": 30, "checks": [["K_XX", "1;1", "1.0"]]}',
     '{"format": 2, "key": "k", "route": "r", "digits": 30, "checks": [["K", "1/0x;1", "1.0"]]}',
     "\xff\xfe"],
)  # fmt: skip
def test_damaged_entries_are_ignored(tmp_path: Path, content: str) -> None:
    cache = DerivationCache(tmp_path)
    cache.path("k").write_text(content, encoding="latin-1")
    assert cache.read("k") is None
    if content.startswith('{"format": 2, "key": "k"'):  # and with a checksum that fits
        data = json.loads(content)
        cache.path("k").write_text(json.dumps(data | {"seal": derivation_cache._seal(data)}))
        assert cache.read("k") is None


def test_long_entries_are_ignored(tmp_path: Path) -> None:
    cache = DerivationCache(tmp_path)
    cache.write("k", ENTRY)
    path = cache.path("k")
    path.write_text(path.read_text() + " " * derivation_cache.MAX_ENTRY)
    assert cache.read("k") is None


def test_an_unusable_directory_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DerivationCache(tmp_path / "file" / "below")
    assert not cache.write("k", ENTRY)
    assert cache.read("k") is None
    assert question(cache).verified_digits >= 25


def test_the_key_depends_on_every_part_of_the_question() -> None:
    names = ("sin", "uniform(-1, 1)", "constant(0)")
    kernels = [
        derive_kernel(*names, verify=False),
        derive_kernel(*names, "u_xx", verify=False),
        derive_kernel(*names, "u_x", verify=False),
        derive_kernel(*names, "u_xx", step="1/10", verify=False),
        derive_kernel(*names, "u_xx", step="1/20", verify=False),
        derive_kernel(*names, "u_xx", ("-1", "0", "2"), "1/10", verify=False),
        derive_kernel(*names, dimension=2, verify=False),
        derive_kernel("cos", *names[1:], verify=False),
        derive_kernel("sin", "uniform(-1, 2)", "constant(0)", verify=False),
        derive_kernel("sin", "uniform(-1, 1)", "constant(1)", verify=False),
    ]
    assert len({key_of(k) for k in kernels}) == len(kernels)
    assert key_of(kernels[0]) == key_of(derive_kernel(*names, verify=False))


def test_the_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADFD_CACHE", str(tmp_path))
    assert derivation_cache.default_cache().directory == tmp_path
    monkeypatch.delenv("ADFD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert derivation_cache.default_directory() == tmp_path / "adfd" / "derivations"

"""The store: a model of it, several processes at once, ``kill -9`` in the middle of writing, damaged files."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerics.runs import store_file
from numerics.runs.store import SCHEMA, Store, content_key
from theory.base.errors import InputError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@pytest.mark.parametrize("in_memory", [True, False])
@given(pairs=st.lists(st.tuples(keys, json_values), max_size=6), asked=st.lists(keys, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_value_of_a_key_stays(
    in_memory: bool, pairs: list[tuple[str, Any]], asked: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against a dictionary: memory and file behave the same."""
    path = None if in_memory else tmp_path_factory.mktemp("store") / "s.sqlite"
    store = Store(path)
    model: dict[str, Any] = {}
    half = len(pairs) // 2
    for key, value in pairs[:half]:
        store.put(key, value)
        model.setdefault(key, value)
    store.put_many(pairs[half:])
    for key, value in pairs[half:]:
        model.setdefault(key, value)
    assert len(store) == len(model)
    again = store if in_memory else Store(path)
    for key, value in model.items():
        assert again.get(key) == json.loads(json.dumps(value))
    for key in asked:
        assert (again.get(key) is None) == (model.get(key) is None)
    expected = [key for key in dict.fromkeys([*asked, *model]) if key not in model]
    assert again.missing([*asked, *asked, *model]) == expected


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_stored_value_is_a_copy(in_memory: bool, tmp_path: Path) -> None:
    store = Store(None if in_memory else tmp_path / "s.sqlite")
    value = {"list": [1, 2], "tuple": (3,)}
    store.put("k", value)
    value["list"].append(9)  # type: ignore[union-attr]
    assert store.get("k") == {"list": [1, 2], "tuple": [3]}
    store.get("k")["list"].append(7)
    assert store.get("k") == {"list": [1, 2], "tuple": [3]}
    with pytest.raises(TypeError):
        store.put("o", object())


@given(json_values, json_values)
def test_content_keys(one: Any, two: Any) -> None:
    assert content_key("a", one) == content_key("a", json.loads(json.dumps(one)))
    assert content_key("a", one) != content_key("b", one)
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (content_key("a", one) == content_key("a", two)) == same


KNOWN = hashlib.sha256(b'["k",{"a":[1,"\\u00e9"]}]').hexdigest()[:32]
"""The documented rule, by hand."""


def test_content_keys_do_not_depend_on_order_or_process() -> None:
    assert content_key("k", {"a": 1, "b": 2}) == content_key("k", {"b": 2, "a": 1})
    assert content_key("k", {"a": [1, "é"]}) == "k:" + KNOWN
    code = "from numerics.runs.store import content_key; print(content_key('k', {'b': [1, 'é'], 'a': None}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == content_key("k", {"a": None, "b": [1, "é"]})


WRITER = """
import sys, time
from numerics.runs.store import Store
path, me, start = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
while time.time() < start:
    time.sleep(0.001)
store = Store(path)
for k in range(40):
    store.put(f"own-{me}-{k}", [me, k])
    store.put(f"shared-{k}", me)
    store.put_many([(f"pair-{me}-{k}-{i}", i) for i in range(3)])
"""


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    start = str(time.time() + 1.5)  # all open the absent file together
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(me), start], stderr=subprocess.PIPE, text=True)
        for me in range(4)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=100)
        assert writer.returncode == 0, errors
    store = Store(path)
    assert len(store) == 4 * 40 + 40 + 4 * 40 * 3
    for k in range(40):
        assert store.get(f"shared-{k}") in range(4)
        assert [store.get(f"own-{me}-{k}") for me in range(4)] == [[me, k] for me in range(4)]


ENDLESS = """
import sys
from numerics.runs.store import Store
store = Store(sys.argv[1])
k = int(sys.argv[2])
while True:
    store.put_many([(f"{k}-{i}", "x" * 5000) for i in range(4)])
    print(k, flush=True)
    k += 1
"""


def test_what_is_committed_survives_kill(tmp_path: Path) -> None:
    """Killed at any moment: every transaction that was reported is there, and none is there in part."""
    path = tmp_path / "s.sqlite"
    reported: list[int] = []
    for attempt, lines in enumerate((1, 7, 23)):
        writer = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(path), str(1000 * attempt)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(lines):
            reported.append(int(writer.stdout.readline()))
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read()  # also what this side has read ahead, which communicate() with a timeout loses
        writer.wait(60)
        writer.stdout.close()
        reported += [int(line) for line in rest.split("\n")[:-1]]
        store = Store(path)
        for k in reported:
            assert store.missing(f"{k}-{i}" for i in range(4)) == []
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = [key for (key,) in connection.execute("SELECT key FROM result")]
        connection.close()
        whole = {key.partition("-")[0] for key in stored}
        assert len(stored) == 4 * len(whole)
        assert len(whole) - len(set(reported)) in range(attempt + 2)  # at most one unreported per kill
    assert len(set(reported)) == len(reported) >= 31


def damaged(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_files_that_are_no_store_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    good = tmp_path / "good"
    Store(good).put("k", "v" * 10_000)
    content = good.read_bytes()
    other = tmp_path / "other"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE users (name TEXT)")
    connection.close()
    newer = tmp_path / "newer"
    with sqlite3.connect(newer) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA + 1}")
        connection.execute("CREATE TABLE thing (a)")
    connection.close()
    shaped = tmp_path / "shaped"
    with sqlite3.connect(shaped) as connection:
        connection.execute("CREATE TABLE result (a, b)")
    connection.close()
    cases = [
        damaged(tmp_path / "text", b"hello, world\n" * 1000),
        damaged(tmp_path / "none", content[:100] + bytes(len(content) - 100)),  # no row of ours is left in it
        other,
        newer,
        shaped,
    ]
    for path in cases:
        before = path.read_bytes()
        with pytest.raises(InputError, match="is not a store") as caught:
            Store(path)
        assert str(caught.value).isprintable()
        assert str(path) in str(caught.value)
        if path not in (shaped,):
            assert path.read_bytes() == before


def test_damage_under_way_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    store.put("k", 1)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE result SET value = '{bad' WHERE key = 'k'")
    connection.close()
    assert store.get("k") is None  # refused by its seal, and to be computed again
    path.unlink()
    for question in (
        lambda: store.get("k"),
        lambda: store.put("k", 1),
        lambda: store.missing(["k"]),
        lambda: len(store),
    ):
        with pytest.raises(InputError, match="is not a store"):
            question()


@pytest.mark.parametrize("place", ["/proc/absent/s.sqlite", "/dev/null/s.sqlite", "a\0b", "."])
def test_places_that_cannot_be_opened(place: str) -> None:
    with pytest.raises(InputError):
        Store(place)


def test_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "s.sqlite"
    Store(path).put("k", None)
    assert path.is_file()
    assert Store(str(path)).missing(["k", "l"]) == ["l"]


def test_one_connection_for_all_reads_and_writes(tmp_path: Path) -> None:
    """A store that stays connected and one that does not see each other's results, each the moment it is there."""
    kept, other = Store(tmp_path / "store.sqlite"), Store(tmp_path / "store.sqlite")
    kept.keep_connected()
    kept.keep_connected()
    for k in range(3):
        kept.put(f"cell:{k}@1", k)
        assert other.get(f"cell:{k}@1") == k
        other.put(f"cell:{k}@2", [k])
        assert kept.get(f"cell:{k}@2") == [k]
        assert kept.missing([f"cell:{k}@1", f"cell:{k}@2"]) == [f"cell:{k}@1"]  # of another recipe, replaced
    assert len(kept) == len(other) == 3


def test_the_switch_to_a_log_waits_for_others_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    other = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE t (a)")
    other.execute("BEGIN EXCLUSIVE")
    with closing(sqlite3.connect(str(path), timeout=0, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store_file._write_ahead(connection, seconds=0.05)
        later = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        later.start()
        store_file._write_ahead(connection)
        later.join()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()

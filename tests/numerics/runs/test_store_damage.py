"""Damaged stores: a row that is not as it was written is refused by name, the rest is kept, nothing differs in silence.

Forty files by default; ``-m slow`` damages a thousand.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from numerics.problem import file as problem_file
from numerics.runs import store_file as store_pages
from numerics.runs import sweep
from numerics.runs.rows import Record, SweepStore, read_rows
from numerics.runs.store import Store, content_key
from numerics.runs.store_file import APPLICATION, SCHEMA, TABLES, _sealed, inspect
from numerics.spectra import spectrum as spectra
from theory.base.errors import InputError

OLD = Path(__file__).with_name("stores") / "layout1.store"
"""A store of layout 1 (no seals): twelve cells, an exact spectrum, a verdict."""
TEXT = """[problem]
operator = "u_xx"
solution = "sin(x)"
[features]
activation = "sin"
count = 5
[points]
interior = 5
[sweep]
"features.seed" = {range = [0, 3]}
"difference.step" = ["1/10", "1/100"]
arithmetic = ["float64", "exact"]
"""
"""The sweep whose cells are in it."""


def write_store(path: Path) -> None:
    """A store with results and cells, some pages long, all in its one file."""
    Store(path).put_many([(content_key("cell", k, "r1"), {"verdict": "PROVED", "k": k}) for k in range(60)])
    store = SweepStore(path)
    store.put(Record(f"{k:032x}", "done", json.dumps({"a.b": k, "v": 1 / (k + 1)}), None, 0.1, "entropy 1")
              for k in range(150))  # fmt: skip
    store.close()


def seen(path: Path) -> Seen:
    """The results, the rows by their key in the sweep, and whether anything was said to be wrong."""
    told = bool(SweepStore(path).inspect())
    rows = {str(row["a.b"]): row for row in read_rows(path)}
    return {str(v["k"]): v for v in Store(path).values("cell:")}, rows, told


def damage(dice: random.Random, path: Path) -> str:
    """Bits, runs of bytes, the length, or a value in a row."""
    content = bytearray(path.read_bytes())
    kind = dice.choice(["bit", "bits", "zeros", "swap", "short", "value"])
    if kind in {"bit", "bits"}:
        for _ in range(1 if kind == "bit" else dice.randrange(2, 30)):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    elif kind == "zeros":
        start = dice.randrange(len(content))
        content[start : start + dice.randrange(1, 600)] = bytes(len(content[start : start + dice.randrange(1, 600)]))
    elif kind == "swap":
        one, other = (4096 * dice.randrange(len(content) // 4096) for _ in range(2))
        content[one : one + 4096], content[other : other + 4096] = (
            content[other : other + 4096],
            content[one : one + 4096],
        )
    elif kind == "short":
        del content[dice.randrange(len(content)) :]
    else:
        with sqlite3.connect(path) as connection:
            table, column, value = dice.choice(
                [
                    ("result", "value", '{"verdict":"REFUTED","k":3}'), ("cell", "content", '{"a.b":3,"v":2.0}'),
                    ("cell", "status", "failed"), ("cell", "seconds", 7), ("cell", "reason", "no"), ("cell", "recipe", ""),
                    ("result", "key", content_key("cell", 9, "r2")), ("result", "seal", "0"), ("cell", "key", "f" * 32),
                ]
            )  # fmt: skip
            number = dice.randrange(50)
            which = f"(SELECT key FROM {table} ORDER BY key LIMIT 1 OFFSET {number})"
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE key = {which}", (value,))
        connection.close()
        return kind
    path.write_bytes(content)
    return kind


Seen = tuple[dict[str, Any], dict[str, Any], bool]


def trial(number: int, folder: Path, good: Path, whole: Seen, tally: Counter[str]) -> None:
    """Damages a store: what is read is what was written, or something is said."""
    path = folder / "store"
    for old in folder.glob("store*"):
        old.unlink()
    shutil.copy(good, path)
    results, rows, _ = whole
    kind = damage(random.Random(number), path)
    try:
        found, table, told = seen(path)
    except InputError as error:
        assert str(error).isprintable()
        tally["refused as a whole"] += 1
        return
    assert found.items() <= results.items(), (number, kind)
    assert table.items() <= rows.items(), (number, kind)
    assert told or (len(found) == len(results) and len(table) == len(rows)), (number, kind)
    tally["told" if told else "as before"] += 1
    if told:  # what is left is a whole store: it takes what is missing, and has nothing more to say
        write_store(path)
        assert seen(path) == (results, rows, False), (number, kind)


def damage_many(numbers: range, folder: Path) -> Counter[str]:
    good = folder / "good"
    write_store(good)
    tally: Counter[str] = Counter()
    whole = seen(good)
    assert not whole[2]
    for number in numbers:
        trial(number, folder, good, whole, tally)
    return tally


def test_damage_is_told_and_undone(tmp_path: Path) -> None:
    tally = damage_many(range(40), tmp_path)
    assert tally["told"] >= 20
    assert tally["refused as a whole"] < 6  # nothing of a row is left in these


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a machine that others use too
@pytest.mark.parametrize("part", range(5))
def test_a_thousand_damaged_stores(part: int, tmp_path: Path) -> None:
    tally = damage_many(range(1000 + 200 * part, 1200 + 200 * part), tmp_path)
    print(dict(tally))
    assert tally.total() == 200


def all_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """By SQLite."""
    with sqlite3.connect(path) as connection:
        found = {
            name: connection.execute(f"SELECT {', '.join(columns)}, seal FROM {name}").fetchall()
            for name, columns in TABLES.items()
        }
    connection.close()
    return found


@pytest.fixture(scope="module")
def long_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Also with rows over many pages, and with numbers of every size that SQLite keeps in its own way."""
    path = tmp_path_factory.mktemp("long") / "s"
    write_store(path)
    Store(path).put_many((f"long:{k}", "ä" * 700 * k) for k in range(1, 60, 7))
    store = SweepStore(path)
    store.put(
        Record(f"x{k}", "failed", json.dumps("y" * k), "why", float(k), "") for k in (0, 1, 7, 300, 70_000, 10**6)
    )
    store.close()
    return path


def test_pages_hold_the_rows_that_sqlite_reads(long_store: Path) -> None:
    rows = all_rows(long_store)
    assert max(len(row[2]) for row in rows["cell"]) == 10**6 + 2
    for name, expected in rows.items():
        assert sorted(_sealed(long_store, name)) == sorted(expected)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_of_a_file_gives_rows_that_were_written(long_store: Path, tmp_path: Path, seed: int) -> None:
    dice, path = random.Random(seed), tmp_path / "s"
    content = bytearray(long_store.read_bytes())
    start = dice.randrange(len(content))
    kind = seed % 4
    if kind == 0:
        content = content[:start]
    elif kind == 1:
        content[:100] = bytes(100)  # the header
    elif kind == 2:
        content[start : start + 8192] = dice.randbytes(8192)
    else:
        content = content[start // 4096 * 4096 :]
    path.write_bytes(content)
    expected = all_rows(long_store)
    found = {name: list(_sealed(path, name)) for name in TABLES}
    assert all(set(found[name]) <= set(expected[name]) for name in TABLES)
    assert kind or sum(map(len, found.values())) > 0 or start < 10_000
    if not any(found.values()):
        return
    damage = SweepStore(path).inspect()
    assert damage
    kept = all_rows(path)
    assert all(set(kept[name]) >= set(found[name]) for name in TABLES)
    if damage.aside:
        assert damage.aside.read_bytes() == content
        assert "sound rows were copied" in damage.text()
    assert not inspect(path)


def test_pages_of_anything_else_have_no_rows_and_cost_little(tmp_path: Path) -> None:
    dice, path = random.Random(2), tmp_path / "s"
    for kind in (0x0D, 0x0A, 0x02, 0x05):
        page = bytearray(dice.randbytes(4096))
        page[0] = kind
        page[100] = kind
        for k in range(9):  # cells that begin anywhere, and long ones whose chain of pages is a circle
            at = 1000 + 300 * k
            page[at : at + 9] = bytes([0x83, 0xFF, 0x7F, 1, 9, 1, 1, 1, 1])
            page[8 + 2 * k : 10 + 2 * k] = at.to_bytes(2, "big")
        path.write_bytes(bytes(page) * 4)
        assert [row for name in TABLES for row in _sealed(path, name)] == []
        with pytest.raises(InputError, match="is not a store"):
            Store(path)
        assert path.read_bytes() == bytes(page) * 4
    path.write_bytes(b"")
    assert list(store_pages.rows(path, lambda row: True)) == []


def test_of_two_versions_of_a_row_in_a_damaged_file_neither_is_kept(tmp_path: Path) -> None:
    """One of them was replaced, and the pages do not say which."""
    path, other = tmp_path / "s", tmp_path / "o"
    for target, value in ((path, 1), (other, 2)):
        Store(target).put_many([("cell:a@r", value), (f"cell:b{value}@r", value)])
    path.write_bytes(bytes(100) + path.read_bytes()[100:] + other.read_bytes())
    store = Store(path)
    assert store.get("cell:a@r") is None
    assert [store.get(f"cell:b{k}@r") for k in (1, 2)] == [1, 2]


def test_a_text_that_is_no_unicode_any_more_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "s"
    store = Store(path)
    store.put_many([("cell:a@r", "REFUTED"), ("cell:b@r", "PROVED"), ("cell:c@r", "PROVED")])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE result SET value = CAST(x'22ff22' AS TEXT) WHERE key = 'cell:a@r'")
        connection.execute("UPDATE result SET key = CAST(x'63656c6cf4' AS TEXT) WHERE key = 'cell:c@r'")
    connection.close()
    assert "2 damaged rows are refused: cell:a@r, cell" in inspect(path).text()
    assert not inspect(path)
    assert store.get("cell:b@r") == "PROVED"
    assert len(store) == 1


def test_an_edited_verdict_is_refused_by_name_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "s"
    store = Store(path)
    store.put_many([("cell:a@r", "REFUTED"), ("cell:b@r", "PROVED")])
    with sqlite3.connect(path) as connection:
        connection.execute("""UPDATE result SET value = '"PROVED"' WHERE key = 'cell:a@r'""")
    connection.close()
    assert inspect(path).text() == "1 damaged rows are refused: cell:a@r"
    assert not inspect(path)
    assert store.missing(["cell:a@r", "cell:b@r"]) == ["cell:a@r"]
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM tally")
        connection.execute("DELETE FROM result")
    connection.close()
    assert inspect(path)
    store.put("cell:a@r", "REFUTED")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER result_delete")
        connection.execute("DELETE FROM result")
    connection.close()
    assert inspect(path).text() == "1 rows are gone"


def test_an_edited_row_is_never_read(tmp_path: Path) -> None:
    """Also without an inspection beforehand."""
    path = tmp_path / "s"
    write_store(path)
    key = content_key("cell", 3, "r1")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE result SET value = '{}' WHERE key = ?", (key,))
        connection.execute("UPDATE cell SET content = '{}' WHERE rowid = 4")
    connection.close()
    with pytest.raises(InputError, match=r"the cell 0+3 is damaged"):
        read_rows(path)
    assert Store(path).get(key) is None
    Store(path).put(key, 1)
    assert Store(path).get(key) == 1


def old_store(folder: Path) -> Path:
    path = folder / "old"
    shutil.copy(OLD, path)
    return path


def test_a_store_of_the_first_layout_keeps_its_keys(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    before = sqlite3.connect(path)
    results = dict(before.execute("SELECT key, value FROM result"))
    cells = before.execute("SELECT key, status, content, reason, seconds FROM cell").fetchall()
    assert before.execute("PRAGMA user_version").fetchone() == (1,)
    before.close()
    (tmp_path / "sweep.toml").write_text(TEXT)
    grid = sweep.load_sweep(tmp_path / "sweep.toml")
    found = sweep.run_sweep(grid, path, resume=True)
    assert (found.reused, found.computed, found.outdated, found.damage) == (12, 0, 0, "")
    with sqlite3.connect(path) as after:
        assert after.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert after.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert dict(after.execute("SELECT key, value FROM result")) == results
        assert after.execute("SELECT key, status, content, reason, seconds FROM cell").fetchall() == cells
    after.close()
    table = {name: rows for name, rows in tomllib.loads(TEXT).items() if name != "sweep"}
    key = spectra.spectrum_key(problem_file.problem_from_dict(table), "fd", "exact")
    kept = spectra.Spectrum.from_dict(Store(path).get(key))
    assert kept.certified
    assert kept.rank == 5
    assert not inspect(path)


def test_a_damaged_store_of_the_first_layout_is_refused(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:8192] + bytes(4096) + content[12288:])
    with pytest.raises(InputError, match="is not a store"):
        Store(path)


def test_cells_of_an_older_recipe_are_computed_again_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_store(tmp_path)
    (tmp_path / "sweep.toml").write_text(TEXT)
    grid = sweep.load_sweep(tmp_path / "sweep.toml")
    monkeypatch.setitem(sweep.recipe.__globals__["RECIPES"], "entropy", 2)
    found = sweep.run_sweep(grid, path, resume=True)
    assert (found.reused, found.computed, found.outdated) == (0, 12, 12)
    found = sweep.run_sweep(grid, path, resume=True)
    assert (found.reused, found.computed, found.outdated) == (12, 0, 0)
    monkeypatch.undo()
    assert sweep.run_sweep(grid, path, resume=True).outdated == 12
    assert sweep.run_sweep(grid, path, refresh=True).computed == 12


def test_results_of_another_recipe_are_known_and_replaced(tmp_path: Path) -> None:
    for store in (Store(tmp_path / "s"), Store(None)):
        one, other = content_key("cell", [1], "aa"), content_key("cell", [1], "bb")
        store.put(one, 1)
        assert store.outdated([other, content_key("cell", [2], "aa"), one]) == [other]
        store.put(other, 2)
        assert store.get(one) is None
        assert store.get(other) == 2
        store.put_many([("spectrum:x", 3), ("cell:y@r", 4)])
        store.forget([other], keep=["cell"])
        assert (store.get(other), store.get("spectrum:x"), store.get("cell:y@r")) == (None, None, 4)
        assert len(store) == 1

"""The catalogue of source faults points at what is there, and the injection tells a fault that is caught from one
that is not. (The injection itself takes minutes: ``make faults``.)"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from tests.faults.inject import ROOT, Fault, catalogue, judge, locate, place, suite_of, texts

FAULTS = catalogue()


def test_every_fault_has_its_place_its_tests_and_its_reason_and_stands_once() -> None:
    """Together: the modules of a room are read once."""
    rooms = {room: texts(ROOT, room) for room in {fault.room for fault in FAULTS}}
    seen = Counter[tuple[Path, str]]()
    for fault in FAULTS:
        path, (before, own, after) = place(fault, ROOT, rooms[fault.room])
        changed = own.replace(fault.old, fault.new)
        sound, wrong = (ast.dump(ast.parse(dedent(text))) for text in (own, changed))
        assert sound != wrong, fault.label
        assert any(name.startswith("tests/") for name in suite_of(fault, path)), f"{fault.label}: name a test file"
        assert fault.why, fault.label
        assert fault.equivalent is None or len(fault.equivalent) > 20, fault.label
        seen[path, before + changed + after] += 1
    assert [path for (path, _), n in seen.items() if n > 1] == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project of one function, tested at one point."""
    (tmp_path / "theory").mkdir()
    (tmp_path / "tests" / "theory").mkdir(parents=True)
    # the plugin of pytest that is installed needs the rest of the room
    (tmp_path / "theory" / "__init__.py").write_text(f"__path__.append({str(ROOT / 'theory')!r})\n")
    (tmp_path / "theory" / "square.py").write_text("def square(x):\n    return x * x\n")
    (tmp_path / "tests" / "theory" / "test_square.py").write_text(
        "from theory.square import square\n\n\ndef test_square():\n    assert square(2) == 4\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return tmp_path


FAULT = Fault("theory", "square", "x * x", "x ** 3", "the square is no cube")


def test_a_fault_that_the_tests_see_is_caught_and_taken_back(small: Path) -> None:
    assert judge(FAULT, small) == "caught"
    assert judge(replace(FAULT, equivalent="a reason that is wrong, and long enough"), small) == "observed"
    assert "x * x" in (small / "theory" / "square.py").read_text()


def test_a_fault_that_they_do_not_see_survives(small: Path) -> None:
    unseen = replace(FAULT, new="x + x")
    assert judge(unseen, small) == "survived"
    assert judge(replace(unseen, equivalent="argued to be the same for every input"), small) == "equivalent"


def test_tests_that_do_not_run_prove_nothing(small: Path) -> None:
    (small / "tests" / "theory" / "test_square.py").write_text("")
    assert judge(FAULT, small) == "broken"


@pytest.mark.parametrize("change", [{"name": "cube"}, {"old": "x - x"}, {"old": "x"}, {"tests": ("test_cube",)}])
def test_a_place_that_is_gone_or_not_unique_is_an_error(small: Path, change: dict[str, object]) -> None:
    with pytest.raises(LookupError):
        judge(replace(FAULT, **change), small)  # type: ignore[arg-type]


def test_moving_a_definition_does_not_lose_it(small: Path) -> None:
    (small / "theory" / "algebra").mkdir()
    (small / "theory" / "square.py").rename(small / "theory" / "algebra" / "square.py")
    assert locate(FAULT, small)[0] == Path("theory/algebra/square.py")

"""The faces of the rooms: what they hand on, and that it costs nothing until it is asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = [room for room in ("theory", "numerics", "proofs_check") if hasattr(importlib.import_module(room), "HOMES")]
HEAVY = ("sympy", "mpmath", "numpy", "scipy", "torch", "flint", "matplotlib")


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_is_there_and_told_to_type_checkers(room: str) -> None:
    face = importlib.import_module(room)
    told = {
        (node.module, alias.name)
        for block in ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {(module, name) for module, names in face.HOMES.items() for name in names.split()}
    assert sorted(name for _, name in told) == face.__all__
    for module, name in told:
        assert getattr(face, name) is getattr(importlib.import_module(str(module)), name)
    assert set(face.__all__) <= set(dir(face))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_loads_no_library(room: str) -> None:
    code = f"import sys, {room}; dir({room}); print(sorted({{*{HEAVY!r}}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"

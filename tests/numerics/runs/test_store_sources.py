"""What a value is made by: imports read off the text against Python's own parser, and digests that follow the sources."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from numerics.runs import store as sources
from proofs_check.ledger import ledger


def by_parser(module: str, path: Path) -> set[str]:
    """The names that a module imports, by Python's own parser."""
    found = set()
    left: list[ast.AST] = [ast.parse(path.read_bytes())]
    while left:  # through statements and their parts, but not into expressions, where there are none
        node = left.pop()
        left += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are read, but not written here"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_imports_are_those_of_the_parser() -> None:
    for module, path in sources.modules().items():
        found = sources.imports(module)
        if module in sources.ROOMS:  # a face hands names on, and no module of the rooms asks it for one
            assert not found
            continue
        for name in by_parser(module, path):
            top = name.partition(".")[0]
            expected = name if name in sources.modules() else top
            assert expected in found or (top not in sources.ROOMS and len(found) == len(sources.modules())), module


def test_modules_are_those_that_python_finds() -> None:
    for name in ("theory.base.exact", "numerics.training", "proofs_check"):
        assert Path(str(import_module(name).__file__)) == sources.modules()[name]


def test_verdicts_depend_on_what_their_claim_reaches_and_on_nothing_else() -> None:
    everything = len(sources.modules())
    for name in {entry.partition(":")[0] for entry in ledger.ORDER}:
        reached = sources.reached(name) & sources.modules().keys()
        assert {name, "proofs_check.claims.claim", "theory.base.errors"} <= reached
        assert len(reached) < 0.6 * everything, name
        assert not any(one.startswith(("proofs_check.report", "proofs_check.cli")) for one in reached), name
    assert "numerics.spectra.engine.driver" in sources.reached("proofs_check.families.spectra.spectra")
    assert "torch" in sources.reached("proofs_check.families.networks.networks")


def test_what_is_computed_counts_as_everything() -> None:
    assert sources.imports("proofs_check.ledger.ledger") == sources.modules().keys()


def test_a_recipe_changes_with_the_sources_it_reaches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "theory").mkdir()
    (tmp_path / "proofs_check" / "problems").mkdir(parents=True)
    texts = {"a": "from theory import b\nimport math, mpmath\n", "b": "X = 1\n", "c": "Y = 2\n"}
    for name, text in texts.items():
        (tmp_path / "theory" / f"{name}.py").write_text(text)
    monkeypatch.setattr(sources, "ROOT", tmp_path)

    def recipe() -> str:
        for function in (sources.modules, sources.imports, sources.reached, sources.recipe, sources.code_digest):
            function.cache_clear()
        return sources.recipe("theory.a")

    first = recipe()
    assert recipe() == first
    (tmp_path / "theory" / "c.py").write_text("Y = 3\n")
    assert recipe() == first
    for change in (
        lambda: (tmp_path / "theory" / "b.py").write_text("X = 2\n"),
        lambda: monkeypatch.setenv("ADFD_DEVICE", "cuda"),
        lambda: monkeypatch.setattr(sources, "version", lambda name: "0.0"),
        lambda: (tmp_path / "proofs_check" / "problems" / "p.toml").write_text(""),
    ):
        change()
        assert recipe() != first
        first = recipe()
    monkeypatch.undo()
    recipe_cache = (sources.modules, sources.imports, sources.reached, sources.recipe, sources.code_digest)
    for function in recipe_cache:
        function.cache_clear()

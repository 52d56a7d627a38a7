"""The documentation is up to date, its links lead somewhere, its commands parse, and its studies run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def module(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made  # dataclasses look for their module
    spec.loader.exec_module(made)
    return made


def test_the_index_of_modules_is_up_to_date() -> None:
    made = module(DOCS / "make_api.py").render()
    assert (DOCS / "api.md").read_text(encoding="utf-8") == made, "run: python docs/make_api.py"


def test_the_keys_of_problem_files_are_up_to_date() -> None:
    made = module(DOCS / "make_problem_file.py").render()
    assert (DOCS / "problem-file.md").read_text(encoding="utf-8") == made, "run: python docs/make_problem_file.py"


def test_the_index_of_formulas_is_up_to_date() -> None:
    made = module(DOCS / "make_formulas.py")
    assert (DOCS / "formulas-index.md").read_text(encoding="utf-8") == made.render(), (
        "run: python docs/make_formulas.py"
    )


def test_formulas_are_reached_by_the_commands_and_claims_beside_them() -> None:
    """By names, as :mod:`tests.proofs_check.claims.test_claim_judges` follows them."""
    from proofs_check.ledger.ledger import all_claims
    from tests.proofs_check.claims.test_claim_judges import mentions, modules, resolve, used

    @cache
    def reach(name: str) -> set[tuple[str, str]]:
        claim = claims[name]
        start = [found for one in claim.judged if (found := resolve(one)) is not None]
        start += [(claim.test.__module__, one) for one in modules()[claim.test.__module__].defined]
        seen, todo = set(start), start
        while todo:
            home, name = todo.pop()
            new = follow(home, name) - seen
            seen |= new
            todo += new
        return seen

    @cache
    def follow(home: str, name: str) -> set[tuple[str, str]]:
        return set(mentions(home, modules()[home].defined[name]))

    claims = {claim.id: claim for claim in all_claims()}
    rows = [row for rows in module(DOCS / "make_formulas.py").table().values() for row in rows]
    assert len(rows) >= 60
    for row in rows:
        node = resolve(row.function)
        assert node is not None, row.function
        if not row.command.startswith("adfd verify"):
            assert used(row.function), f"{row.function}: no command uses it"
        for name in (*row.through, *row.command.split()[2:] * row.command.startswith("adfd verify")):
            assert node in reach(name), f"{row.function}: {name} does not come to it"


def test_the_glossary_is_short_and_says_where() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| `([\w.]+)` \|$", (DOCS / "glossary.md").read_text("utf-8"), flags=re.M)
    assert 30 <= len(rows) <= 50
    assert [term for term, _ in rows] == sorted((term for term, _ in rows), key=str.casefold)
    for term, name in rows:
        assert exists(name), f"{term}: there is no {name}"


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name in one, or an attribute of that."""
    found: Any = importlib.import_module(dotted.partition(".")[0])
    for part in dotted.split(".")[1:]:
        package = isinstance(found, ModuleType) and hasattr(found, "__path__")
        inside = f"{found.__name__}.{part}" if package else ""
        is_module = inside and importlib.util.find_spec(inside) is not None
        found = importlib.import_module(inside) if is_module else getattr(found, part, None)
    return found is not None


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command of the command line, with its words."""
    if hasattr(command, "commands"):
        return [found for name, sub in command.commands.items() for found in commands(sub, (*path, name))]
    return [(path, command)]


@cache
def command_line() -> Any:
    """The command line as a tree of commands."""
    from proofs_check.cli.main import app

    return get_command(app)


def examples() -> list[tuple[str, str]]:
    """(command, example line) of every --help, and of the documentation."""
    found = []
    for words, command in commands(command_line()):
        lines = re.findall(r"\*\*(adfd .*?)\*\*", " ".join((command.help or "").split()))
        assert lines, f"adfd {' '.join(words)} --help has no example"
        assert all(line.split()[1 : 1 + len(words)] == list(words) for line in lines)
        found += [(" ".join(words), line) for line in lines]
    for page in PAGES:
        for line in re.findall(r"^(?:    )?(adfd .*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            found.append((page.name, line.partition("  #")[0].rstrip()))
    return found


@pytest.mark.parametrize(("where", "line"), examples())
def test_examples_are_read_by_the_command_line(where: str, line: str) -> None:
    """Each is parsed down to its last option, and nothing is run."""
    words = shlex.split(line.partition(" > ")[0])[1:]
    command = command_line()
    context = typer.Context(command, info_name="adfd")
    while hasattr(command, "commands"):
        name, command, words = command.resolve_command(context, words)
        assert name is not None, where
        context = command.make_context(name, list(words), parent=context) if not hasattr(command, "commands") else (
            typer.Context(command, info_name=name, parent=context))  # fmt: skip
    assert not context.args


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def test_the_tutorial_on_claims_is_the_file_that_is_tested() -> None:
    first, second = blocks("own-claim.md", "python")
    assert first == (ROOT / "tests" / "proofs_check" / "tutorial.py").read_text(encoding="utf-8")
    made: dict[str, Any] = {}
    exec(second, made)  # noqa: S102  # our own page
    assert made["top"].id == "mine.top"


def test_the_problems_shown_are_problems() -> None:
    from numerics.problem.file import problem_from_dict

    shown = blocks("own-problem.md", "toml")
    assert len(shown) == 2
    for text in shown:
        problem_from_dict(tomllib.loads(text))


@pytest.mark.parametrize("name", ["which-order", "which-step"])
def test_the_notebooks_run_and_are_kept_without_outputs(name: str) -> None:
    """Cell by cell; they assert what they say, and ``make docs`` puts the outputs there."""
    cells = json.loads((DOCS / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec("".join(cell["source"]), names)  # noqa: S102  # our own page


@pytest.mark.parametrize("name", ["practitioner", "theorist", "equations"])
def test_the_studies_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In their cheap mode; they assert what they print."""
    module(DOCS / "studies" / f"{name}.py").main(cheap=True)
    assert len(capsys.readouterr().out.splitlines()) > 5


@pytest.mark.parametrize(
    ("name", "package"),
    [("torch_loop", "torch"), ("deepxde_step", "deepxde"), ("physicsnemo_step", "physicsnemo"), ("jax_step", "jax")],
)
def test_the_examples_run(name: str, package: str) -> None:
    """In their cheap mode, each in a process of its own (packages set the defaults of torch), where its package is."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    done = subprocess.run(
        [sys.executable, str(DOCS / "examples" / f"{name}.py"), "--cheap"], env=os.environ | {"DDE_BACKEND": "pytorch"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.startswith("h = 0.001 with central order 2 in float32 is ") for line in lines) == 1
    assert sum("advised" in line for line in lines) == 2, done.stdout


def test_the_limits_in_the_text_are_those_of_the_functions() -> None:
    script = module(DOCS / "make_why.py")
    text = (DOCS / "why.md").read_text(encoding="utf-8")
    for activation in ("tanh", "sin", "gaussian"):
        found = script.limit_spectrum(script.of(activation))
        row = f"| {activation} | {found.gap(1).relative:.4f} | {found.gap(2).relative:.4f} |".replace("-", "−")
        assert row in text
    assert script.uniform(0.7235, 1) * script.uniform(0.7237, 1) < 0

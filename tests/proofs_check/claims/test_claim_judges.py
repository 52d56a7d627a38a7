"""What is judged is what is used: every function that a claim names is reached from a command other than through claims.

The graph is one of names, in the text alone: a module's functions, classes and constants, and the names that each of them
mentions, imports inside functions included.  It goes too far rather than not far enough where a class is mentioned (all
that its body mentions is reached).  That claims are written beside their tests is checked here too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path

from proofs_check.ledger.ledger import all_claims

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("theory", "numerics", "proofs_check")
COMMANDS = "proofs_check.cli."
CLAIMS = ("proofs_check.families", "proofs_check.sources")
ALONE = {
    "differences.floor.predicted_onset",
    "differences.model.predicted_gap",
    "entropy.bounds.entropy_gap_bound",
    "entropy.bounds.majorises",
    "entropy.bounds.total_variation",
    "entropy.compare.compare_entropies",
    "entropy.entropy.covariance_gap",
    "entropy.gap.GapExpansion.at",
    "entropy.limit.limit_entropies",
    "entropy.limit.limit_spectrum",
    "networks.ntk.feature_matrix",
    "networks.ntk.frozen_law",
    "networks.ntk.limit_kernel",
    "predictions.bounds.curvatures",
    "predictions.bounds.descent_step",
    "predictions.bounds.lazy",
    "predictions.drawn.examine",
    "predictions.entropy_order.along",
    "predictions.entropy_order.compared",
    "predictions.entropy_order.proven_entropies",
    "solvable.circle.Circle.ad_trace",
    "solvable.circle.Circle.fd_trace",
    "solvable.least_squares.kernel_loss_integral",
    "solvable.least_squares.residual_law",
    "solvable.least_squares.solve",
    "stencils.remainder.remainder_constants",
}
"""Judged, without their room, though no command uses them: a debt.  Whoever wires one into a command takes it off."""
Node = tuple[str, str]
"""A module, and one of its names."""


@dataclass
class Module:
    """A module of the rooms: its names, with all that the statement defining each is made of, and what it imports."""

    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    handed_on: dict[str, str] = field(default_factory=dict)
    """By a package, when they are asked for: names, and the modules that define them."""

    def read(self, tree: ast.Module) -> None:
        """Takes up the statements of a module."""
        for node in tree.body:
            parts = list(ast.walk(node))
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.defined[node.name] = parts
                continue
            self.imported |= imports(parts)
            for part in parts:
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    self.defined.setdefault(part.id, parts)
                if isinstance(part, ast.Dict):
                    keys, values = ([getattr(x, "value", None) for x in side] for side in (part.keys, part.values))
                    pairs = zip(keys, values, strict=True)
                    self.handed_on |= {k: v for k, v in pairs if isinstance(k, str) and isinstance(v, str)}


def imports(parts: list[ast.AST]) -> dict[str, str]:
    """What the imports in a piece of code bind: name to dotted name."""
    found = {}
    for node in parts:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return found


@cache
def modules() -> dict[str, Module]:
    """Every module of the rooms by its dotted name."""
    found = {}
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module()
        found[name].read(ast.parse(path.read_text("utf-8")))
    return found


@cache
def resolve(dotted: str) -> Node | None:
    """Where a dotted name is defined; an attribute of a class is the class."""
    home, _, name = dotted.rpartition(".")
    if home not in modules():
        return resolve(home) if "." in home else None
    module = modules()[home]
    if name in module.defined:
        return home, name
    other = module.imported.get(name) or (f"{module.handed_on[name]}.{name}" if name in module.handed_on else dotted)
    return None if other == dotted else resolve(other)


def mentions(home: str, parts: list[ast.AST]) -> Iterator[Node]:
    """The names that a piece of a module mentions."""
    known = modules()[home].imported | imports(parts)
    for one in parts:
        attributes, start = [], one
        while isinstance(start, ast.Attribute):
            attributes.append(start.attr)
            start = start.value
        if isinstance(start, ast.Name):
            dotted = known.get(start.id, f"{home}.{start.id}")
            for longer in accumulate([dotted, *reversed(attributes)], lambda left, right: f"{left}.{right}"):
                if (found := resolve(longer)) is not None:
                    yield found
                    break


@cache
def reached() -> tuple[set[Node], set[str]]:
    """What the commands reach, other than through claims; and the attributes that are read in it."""
    todo = [(home, name) for home in modules() if home.startswith(COMMANDS) for name in modules()[home].defined]
    seen, attributes = set(todo), set()
    while todo:
        home, name = todo.pop()
        parts = modules()[home].defined[name]
        attributes |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
        new = {found for found in mentions(home, parts) if not found[0].startswith(CLAIMS)} - seen
        seen |= new
        todo += new
    return seen, attributes


def used(dotted: str) -> bool:
    """Whether a command uses it."""
    found = resolve(dotted)
    assert found is not None, f"there is no {dotted}"
    own = dotted.rpartition(".")[2]
    names, attributes = reached()
    return found in names and (own == found[1] or own in attributes)


def test_the_graph_tells_what_is_used() -> None:
    assert used("theory.stencils.remainder.peano_kernel")
    assert used("theory.stencils.stencil.Stencil.truncation")
    assert not used("proofs_check.families.differences.averages.ray_formula")
    assert len(reached()[0]) > 1000


def test_what_claims_judge_is_what_commands_use() -> None:
    assert [claim.id for claim in all_claims() if not claim.judges] == []
    judged = {name for claim in all_claims() for name in claim.judged}
    assert {name.partition(".")[0] for name in judged} <= {"theory", "numerics"}
    assert {name.partition(".")[2] for name in judged if not used(name)} == ALONE


LONGEST = 60
"""Lines from a claim's first to the last of its test: its statement, constants, mutants and test are seen at once."""


def decorators(node: ast.FunctionDef) -> str:
    return " ".join(f"@{ast.unparse(one)}" for one in node.decorator_list)


def test_statement_test_and_mutants_stand_together() -> None:
    lengths: dict[str, int] = {}
    for home, module in modules().items():
        for name, parts in module.defined.items() if home.startswith(CLAIMS) else ():
            node = parts[0]
            if isinstance(node, ast.FunctionDef) and node.end_lineno and "@stated(" in decorators(node):
                lengths[name] = node.end_lineno - node.decorator_list[0].lineno + 1
    assert len(lengths) > 40
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}

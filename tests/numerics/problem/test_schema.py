"""The keys of a problem file, each once."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given

from numerics.problem.file import known_keys, problem_from_dict, problem_text, schema
from numerics.problem.problem import Boundary, Problem, Training
from numerics.problem.schema import keys, meanings
from proofs_check.search.strategies import problems

KEYS = {
    "problem": ("operator", "domain", "solution", "rhs", "boundary", "weight"),
    "features": ("activation", "weights", "biases", "count", "seed"),
    "points": ("interior", "layout", "seed", "boundary"),
    "difference": ("offsets", "stencil", "order", "step"),
    "arithmetic": ("dtype", "digits"),
    "entropy": ("rule", "tau", "power", "normalised", "rank"),
    "training": ("model", "optimizer", "iterations", "step", "seeds", "scaling", "depth"),
    "boundary": ("face", "count", "operator", "value", "weight"),
}
"""Those of the first release that had them all: files that use them must be read for ever."""


def test_old_keys_are_read() -> None:
    for table, names in KEYS.items():
        assert set(names) <= set(known_keys()[table])


def test_every_key_says_what_it_means_and_fills_an_attribute() -> None:
    for table, listed in schema().items():
        for key in listed:
            assert key.about, (table, key.name)
            assert key.table == table
    for part in (Problem, Training, Boundary):
        unfilled = {f.name for f in fields(part)} - {name for name, _ in keys(part)}
        assert unfilled == ({"convention", "training"} if part is Problem else set())
        assert set(meanings(part)) >= {f.name for f in fields(part)}


@given(problems())
def test_what_is_written_is_in_the_schema(problem: Problem) -> None:
    known = known_keys()
    content = problem.to_dict()
    assert set(content) == set(known)
    for table, rows in content.items():
        for row in rows if isinstance(rows, list) else [rows]:
            assert set(row) <= set(known[table])


def test_the_keys_of_stores_are_those_they_were() -> None:
    assert Problem().key == "dc01a7a11f30071b5049e547"
    assert problem_from_dict(Problem().to_dict()).key == Problem().key
    assert problem_text(Problem().to_dict()).startswith('[problem]\noperator = "u_xx"\ndomain = [["-1", "1"]]\n')

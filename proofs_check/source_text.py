"""The text of a function, for people: what a hypothesis says in code."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable
from functools import lru_cache
from typing import Any

LONGEST = 160
"""Characters that are shown."""


def code_of(function: Callable[..., Any]) -> str:
    """A function's code in one line: a lambda's own, or the name, first line of the docstring and body of another.

    Empty where there is no source.  Two lambdas on one line are told apart by their place.

    >>> code_of(print)
    ''
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    text = "".join(linecache.getlines(code.co_filename))
    found = [
        node for node in _functions(text) if _first_line(node) == code.co_firstlineno and _named(node) == code.co_name
    ]
    if len(found) > 1:  # where the body begins: a column of 0 is that of the call
        column = min((c for _, _, c, _ in code.co_positions() if c), default=-1)
        bodies = [(n, n.body) for n in found if isinstance(n, ast.Lambda)]
        found = [n for n, body in bodies if body.col_offset <= column < (body.end_col_offset or 0)]
    if not found:
        return ""
    node = found[0]
    if isinstance(node, ast.Lambda):
        shown = ast.unparse(node)
    else:
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        shown = f"{node.name}: {first + ' ' if first else ''}{'; '.join(map(ast.unparse, body))}"
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


@lru_cache(maxsize=64)
def _functions(text: str) -> tuple[Any, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.Lambda | ast.FunctionDef))


def _first_line(node: Any) -> int:
    """Of the code object: that of the first decorator where there is one."""
    decorators = getattr(node, "decorator_list", [])
    return int(decorators[0].lineno if decorators else node.lineno)


def _named(node: Any) -> str:
    return str(getattr(node, "name", "<lambda>"))

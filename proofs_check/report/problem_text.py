"""A problem in JSON types (``Problem.to_dict``) as the text of a problem file, so that every figure can be remade."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def problem_text(problem: Mapping[str, Any]) -> str:
    """TOML that ``numerics.problem_file.load`` reads back to the same problem.

    >>> print(problem_text({"problem": {"operator": "u_xx"}, "boundary": [{"count": 2}]}))
    [problem]
    operator = "u_xx"
    <BLANKLINE>
    [[boundary]]
    count = 2
    """
    blocks = []
    for name, content in problem.items():
        for table in content if isinstance(content, list) else [content]:
            head = f"[[{name}]]" if isinstance(content, list) else f"[{name}]"
            lines = [f"{key} = {_value(value)}" for key, value in table.items() if value is not None]
            blocks.append("\n".join([head, *lines]))
    return "\n\n".join(blocks)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # A JSON string is a TOML basic string once DEL, which JSON leaves as it is, is escaped too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

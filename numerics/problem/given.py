"""A problem from what one has at hand in Python: numbers, texts, arrays, tensors, under the names of the keys of a file.

Everything is handed to the reader of problem files, so that what is allowed and what is said of a mistake are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from numerics.problem.file import known_keys, problem_from_dict
from numerics.problem.problem import Problem
from theory.base.errors import InputError, nearest
from theory.base.exact import spell
from theory.entropy.conventions import Convention
from theory.features.laws import Law

KEYWORDS = {"points_seed": ("points", "seed"), "points": ("points", "interior"), "operator_text": ("problem", "operator"),
            "activation_name": ("features", "activation")}  # fmt: skip
"""Names of one's own, beside those of the keys."""
EXPLICIT = {("features", "weights"), ("features", "biases"), ("points", "interior")}
"""Keys that take ``{values = […]}``."""
PRECISIONS = {"double": "float64", "float": "float32", "single": "float32"}
"""Other names of an arithmetic: C's, which NumPy and torch share (``float`` is torch's)."""


def pose(**given: Any) -> Problem:
    """The problem that keys of a file pose, given as keyword arguments.

    Args:
        given: keys by their own names, ``operator="u_xx"``, ``activation="tanh"``, ``step=0.01``, ``rule="energy"``; one
            that several tables have is that of the first, and whole tables can be given as dictionaries,
            ``training={"seeds": 4}``. A float means the decimal that it prints as; the entries of an array or a tensor
            (weights, biases, points) mean what they store. ``boundary`` is a number of Dirichlet rows, ``"none"``, or a
            list of tables.

    Raises:
        InputError: an unknown key, a wrong type or a value that is not allowed; one line, as of a file.

    >>> posed = pose(operator="u_xx - u", activation="tanh", solution="sin(5*x)", step=0.01, interior=16, count=8)
    >>> posed.step, posed.count
    ((Fraction(1, 100),), 8)
    """
    tables: dict[str, Any] = {}
    known = known_keys()
    for name, value in given.items():
        if name in known and name != "boundary" and (isinstance(value, Mapping) or name not in KEYWORDS):
            if not isinstance(value, Mapping):
                raise InputError(f"{name}: {_shown(value)}; a table of keys, {{{', '.join(known[name][:3])}, …}}")
            tables.setdefault(name, {}).update({key: _plain((name, key), one) for key, one in value.items()})
        elif name == "boundary" and isinstance(value, list | tuple):
            tables["boundary"] = [{k: _plain(("boundary", k), v) for k, v in dict(row).items()} for row in value]
        elif name == "convention" and isinstance(value, Convention):
            tables["entropy"] = value.to_dict()
        elif value is not None:
            table, key = _place(name, value, known)
            tables.setdefault(table, {})[key] = _plain((table, key), value)
    return problem_from_dict(tables)


def _place(name: str, value: Any, known: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """The table and the key of a keyword."""
    if name in KEYWORDS:
        return KEYWORDS[name]
    if name == "boundary" and not isinstance(value, str):
        return "points", "boundary"
    for table, keys in known.items():
        if name in keys:
            return table, name
    names = sorted({key for keys in known.values() for key in keys} | set(known) | {"points_seed"})
    raise InputError(f"{name[:60]}: unknown key; {nearest(name, names)}allowed: {', '.join(names)}")


def _plain(place: tuple[str, str], value: Any) -> Any:
    """What a file would hold."""
    where = ".".join(place)
    if place == ("arithmetic", "dtype"):
        name = str(getattr(value, "__name__", value)).removeprefix("torch.")
        return PRECISIONS.get(name, name)
    if place == ("problem", "domain") and len(value := _listed(value)) == 2 and not isinstance(value[0], list | tuple):
        value = [value]
    if hasattr(value, "tolist") and not isinstance(stored := _stored(value.tolist(), where), str | int):
        return {"values": stored} if place in EXPLICIT else stored
    if place in EXPLICIT and isinstance(value, list | tuple) and not _counts(place, value):
        return {"values": _spelled(value, where)}
    return _spelled(value, where)


def _counts(place: tuple[str, str], value: Any) -> bool:
    return place == ("points", "interior") and all(isinstance(n, int) for n in value)


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _stored(value: Any, where: str) -> Any:
    """The numbers of an array, exactly."""
    if isinstance(value, list):
        return [_stored(one, where) for one in value]
    if isinstance(value, float):
        return spell(Fraction(_finite(value, where)))
    return value


def _finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise InputError(f"{where}: {value}; numbers must be finite")
    return value


def _spelled(value: Any, where: str) -> Any:
    """Floats as the decimals that they print as; laws and fractions as texts."""
    if isinstance(value, Mapping):
        return {str(key): _spelled(one, where) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(one, where) for one in value]
    if isinstance(value, float):
        return repr(float(_finite(value, where)))
    if isinstance(value, Fraction):
        return spell(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Law) or type(value).__module__.startswith("sympy"):
        return str(value)
    if hasattr(value, "item"):
        return _spelled(value.item(), where)
    raise InputError(f"{where}: {_shown(value)} is not allowed; a number, a text, a list or an array")


def _shown(value: Any) -> str:
    return repr(value)[:60]

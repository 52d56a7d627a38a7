"""The keys of a problem file, each once: beside the attribute that it fills.

A field of a dataclass names its key in its metadata (:func:`at`).  What a value may be follows from the annotation (a
``Literal`` lists what is allowed, a ``Fraction`` is written as a number), what it means from the docstring's
``Attributes``.  :mod:`numerics.problem.file` reads and checks by these keys, ``Problem.to_dict`` writes by them,
and the page ``docs/problem-file.md`` is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from fractions import Fraction
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from theory.base.exact import spell
from theory.features.laws import Law

Number = int | str
"""A number in a file, before it is read exactly (TOML floats arrive as the text that was written)."""
REQUIRED: Any = msgspec.UNSET
"""The default of a key that must be given."""


POSITIVE, NOT_NEGATIVE = "must be positive", "must not be negative"


class Values(msgspec.Struct, forbid_unknown_fields=True):
    """What is given explicitly: ``{values = […]}``."""

    values: list[Number | list[Number]]


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        table: where it stands.
        name: in its table.
        kind: what may be written, as a type that msgspec checks.
        default: as a file would spell it; :data:`REQUIRED`, or None where it follows from other keys or is nothing.
        about: what it means.
        allowed: the texts that are allowed, where they are listed.
        within: the least and the greatest integer.
        sign: :data:`POSITIVE` or :data:`NOT_NEGATIVE`, of an exact number.
        quiet: whether a value equal to the default is left out when a problem is written.
    """

    table: str
    name: str
    kind: Any
    default: Any = None
    about: str = ""
    allowed: tuple[str, ...] = ()
    within: tuple[int, int] | None = None
    sign: str | None = None
    quiet: bool = False


def at(
    table: str,
    name: str = "",
    kind: Any = None,
    *,
    default: Any = MISSING,
    within: tuple[int, int] | None = None,
    sign: str | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """The metadata of a field that one key fills; what is left out follows from the field."""
    return {"key": Key(table, name, kind, default, within=within, sign=sign, quiet=quiet)}


def several(*keys: Key) -> dict[str, Any]:
    """The metadata of a field that several keys fill together."""
    return {"keys": keys}


def meanings(documented: type) -> dict[str, str]:
    """What each attribute means, from the ``Attributes`` section of a docstring.

    >>> meanings(Key)["name"]
    'in its table.'
    """
    _, _, section = (documented.__doc__ or "").partition("Attributes:")
    section = re.split(r"\n\s*\n", section)[0]
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {9,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.replace("``", "`").split()) for name, text in found}


@cache
def keys(part: type) -> tuple[tuple[str, Key], ...]:
    """The field and the key, complete, of each key that a dataclass's fields name."""
    hints, told, found = get_type_hints(part), meanings(part), []
    for field in fields(part):
        found += [(field.name, key) for key in field.metadata.get("keys", ())]
        if (key := field.metadata.get("key")) is not None:
            if key.default is MISSING:
                made: Any = field.default_factory
                key = replace(key, default=field.default if made is MISSING else made())
            found.append((field.name, _complete(key, field.name, hints[field.name], told.get(field.name, ""))))
    return tuple(found)


def _complete(key: Key, name: str, hint: Any, about: str) -> Key:
    options = [hint, *get_args(hint)]
    listed = next((get_args(o) for o in options if get_origin(o) is Literal), ())
    kind = key.kind
    if kind is None:
        kind = str if listed else Number if Fraction in options else hint
        kind = kind | None if type(None) in options and kind is not hint else kind
    default = spell(d) if isinstance(d := key.default, Fraction) else str(d) if isinstance(d, Law) else d
    return replace(key, name=key.name or name, kind=kind, default=default, about=about, allowed=listed)


def structure(name: str, table: tuple[Key, ...]) -> type[msgspec.Struct]:
    """The table as a msgspec structure, which checks the types and refuses unknown keys."""
    made: list[Any] = [
        (key.name, key.kind) if key.default is REQUIRED else (key.name, key.kind, key.default) for key in table
    ]
    return msgspec.defstruct(name, sorted(made, key=len), forbid_unknown_fields=True)


def written(content: Any) -> Any:
    """In JSON types: exact numbers as text; what is None is left out."""
    if isinstance(content, dict):
        return {key: written(value) for key, value in content.items() if value is not None}
    if isinstance(content, list | tuple):
        return [written(value) for value in content]
    return spell(content) if isinstance(content, Fraction) else content


def contents(part: Any, write: Callable[[str, Key], Any]) -> dict[str, dict[str, Any]]:
    """The tables that spell the fields of a dataclass; ``write`` gives the value of a field's key."""
    tables: dict[str, dict[str, Any]] = {}
    made: Any = type(part)
    for field, key in keys(made):
        value = write(field, key)
        if not (key.quiet and written(value) == written(key.default)):
            tables.setdefault(key.table, {})[key.name] = value
    return tables

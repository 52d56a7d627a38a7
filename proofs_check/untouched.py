"""Whether adfd is what it was once a user's file has run: a function of ours that is exchanged would judge its own claims.

A file of claims is a program, and may do anything to the process that it runs in.  What it exchanges, by mistake or not, in
modules and classes of this project, or in the modules that these count with, is found, put back, and named.  What is
exchanged and put back between two looks is not seen.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import flint

from proofs_check.instances import ROOMS
from theory.errors import InputError

JUDGES = (
    "numerics.comparisons", "numerics.enclosure", "numerics.expression_balls", "proofs_check.claims.common", "proofs_check.findings",
    "proofs_check.float_guard", "proofs_check.formal", "proofs_check.instances", "proofs_check.judging", "proofs_check.provers",
    "proofs_check.verdicts", "theory.decision", "theory.enclosures", "theory.realroots",
)  # fmt: skip
"""Modules that decide verdicts: they are there before the file runs."""
FOUNDATIONS = ("fractions", "flint", "math", "operator", "sympy")
"""Modules of others that they count with; where they are there."""
Undo = Callable[[], None]


@contextmanager
def guarded(everything: bool = False) -> Iterator[None]:
    """Inside runs what a user wrote.

    Args:
        everything: whether all modules of this project are looked at, as once a file, or those that decide alone, as
            once a cell.

    Raises:
        InputError: it exchanged something of this project's; everything is as before.
    """
    for name in JUDGES:
        importlib.import_module(name)
    chosen = {name for name in sys.modules if name.startswith(ROOMS)} if everything else set(JUDGES)
    before = {name: sys.modules[name] for name in (*sorted(chosen), *FOUNDATIONS) if name in sys.modules}
    kept = {(id(owner), key): (owner, where, key, value) for owner, where, key, value in _parts(before)}
    codes = {id(v): (v, _code(v)) for _, _, _, v in kept.values() if isinstance(v, FunctionType)}
    names, built_in, bits = builtins.__dict__, builtins.__dict__.copy(), flint.ctx.prec
    try:
        yield
    finally:
        again = []
        for key, value in built_in.items():  # first, and without them
            if names.get(key) is not value:
                names[key] = value
                again.append(key)
        if not everything:  # a predicate that changes it does so for itself, a file for its claims
            flint.ctx.prec = bits
        changed: dict[str, Undo] = {f"builtins.{key}": (lambda: None) for key in again if key != "_"}
        changed |= _changes(before, kept, codes)
        for undo in changed.values():
            undo()
        if changed:
            raise InputError(
                f"exchanges {', '.join(sorted(changed)[:3])} of adfd or of what it counts with: no verdict stands on that"
            ) from None


def _parts(modules: dict[str, ModuleType]) -> Iterator[tuple[Any, str, str, Any]]:
    """Owner, its name, an attribute's name and value: functions and classes of modules, and all that their classes have."""
    for name, module in modules.items():
        for key, value in list(vars(module).items()):
            if isinstance(value, FunctionType | BuiltinFunctionType | type) or callable(
                getattr(value, "cache_info", None)
            ):
                yield module, name, key, value
                ours = isinstance(value, type) and value.__module__ == name
                if ours and (name.startswith(ROOMS) or name == "fractions"):
                    for part, inside in list(vars(value).items()):
                        if part.startswith("__") and not callable(inside):
                            continue
                        if not part.startswith("_abc"):
                            yield value, f"{name}.{key}", part, inside


def _changes(
    before: dict[str, ModuleType],
    kept: dict[tuple[int, str], tuple[Any, str, str, Any]],
    codes: dict[int, tuple[FunctionType, tuple[Any, ...]]],
) -> Iterator[tuple[str, Undo]]:
    """What is another one now, or has come to a class, with how to put it back."""
    for name, module in before.items():
        if sys.modules.get(name) is not module:
            yield name, lambda name=name, module=module: sys.modules.__setitem__(name, module)  # type: ignore[misc]
    for owner, where, key, value in kept.values():
        if vars(owner).get(key) is not value:
            yield f"{where}.{key}", lambda owner=owner, key=key, value=value: setattr(owner, key, value)  # type: ignore[misc]
    for owner, where, key, value in _parts(before):
        if isinstance(owner, type) and (id(owner), key) not in kept and isinstance(value, FunctionType | property):
            yield f"{where}.{key}", lambda owner=owner, key=key: delattr(owner, key)  # type: ignore[misc]
    for function, code in codes.values():
        if _code(function) != code:
            yield f"{function.__module__}.{function.__qualname__}", lambda f=function, c=code: _put_back(f, c)  # type: ignore[misc]


def _code(function: FunctionType) -> tuple[Any, ...]:
    return function.__code__, function.__defaults__, function.__kwdefaults__


def _put_back(function: FunctionType, code: tuple[Any, ...]) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = code

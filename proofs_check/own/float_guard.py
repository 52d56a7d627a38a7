"""Keeps floats out of exact predicates: ``arb(n / 10)`` holds a double, which no look at the ball can tell from n/10.

A file of claims and the modules of its own are compiled with a watch on calls, operators, comparisons and tests
(:mod:`proofs_check.own.watched_code`).  While a predicate in exact or ball arithmetic runs (:func:`watching`), a float may be computed
with floats and written into text; that it becomes an exact number, meets one, is compared or decides a branch is an
error that names the line.  So is a comparison of balls whose ``False`` is no decision.  What comes of floats while a file
is loaded (:func:`noting`) is remembered and refused where a predicate names it.  Code of installed packages is not
watched inside: what it returns is looked at where it is used.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import pairwise
from types import BuiltinFunctionType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any, Literal

from proofs_check.claims.instances import ROOMS, inexact
from theory.base.enclosure import Decision
from theory.base.errors import InputError

NAME = "__adfd_guard__"
"""What this module is called in the code that it watches."""
REMEDY = "write Fraction(n, 10), flint.fmpq(n, 10) or arb(n) / 10; a guess that is verified afterwards: guess(arb, x)"


class FloatError(InputError):
    """A float decides, or becomes an exact number, where arithmetic is said to be exact."""


_mode: Literal["off", "note", "raise"] = "off"
_first: FloatError | None = None
_noted: dict[int, Any] = {}
"""Exact objects that were made of floats while a file was loaded, by identity; kept alive."""
_texts: set[str] = set()
"""Texts that were written of floats in the predicate that is watched."""
_shown = False
_files: set[str] = set()
"""Files whose code is watched."""


def watch(path: str) -> None:
    """The code of a file is watched from now on."""
    _files.add(path)


@contextmanager
def watching() -> Iterator[None]:
    """Inside, what watched code makes of floats is an error, also where it catches that.

    Raises:
        FloatError: a float became an exact number, was compared or decided; or balls were compared undecided.
    """
    global _mode, _first
    before, (_mode, _first) = (_mode, _first), ("raise", None)
    _texts.clear()
    try:
        yield
        if _first is not None:
            raise _first
    except FloatError:
        raise
    except Exception:
        if _first is not None:
            raise _first from None
        raise
    finally:
        _mode, _first = before


@contextmanager
def noting() -> Iterator[None]:
    """Inside, what watched code makes of floats is remembered."""
    global _mode
    before, _mode = _mode, "note"
    try:
        yield
    finally:
        _mode = before


def guess(compute: Callable[..., Any], *arguments: Any) -> Any:
    """``compute(*arguments)`` with floats allowed: what comes of it is a guess, for the predicate to verify.

    >>> from fractions import Fraction
    >>> guess(Fraction, 0.25)
    Fraction(1, 4)
    """
    global _mode
    before, _mode = _mode, "off"
    try:
        found = compute(*arguments)
    finally:
        _mode = before
    if isinstance(found, Decision | bool):
        raise FloatError("guess: a guess is a number, which is verified afterwards; it decides nothing itself")
    return found


def made_of_floats(value: Any) -> str | None:
    """The first exact object inside a value that was made of floats while its file was loaded, as text."""
    queue, seen = [value], 0
    while queue and _noted and seen < 10_000:
        part = queue.pop()
        seen += 1
        if id(part) in _noted:
            return f"{part!r:.40}, made of a float"
        if isinstance(part, tuple | list | set | frozenset):
            queue += part
        elif isinstance(part, dict):
            queue += part.values()
    return None


def made_inexactly(value: Any) -> str | None:
    """The first float inside a value, or exact object that was made of one, as text."""
    return inexact(value) or made_of_floats(value)


def _tainted(value: Any) -> str | None:
    """What is not exact inside a value: a float, an integer of fixed width, which may have wrapped, or what was noted."""
    kind = type(value)
    if kind is int or kind is str or kind is bool or value is None:
        return None
    found = made_inexactly(value)
    if found is not None:
        return f"the float {found}"
    wraps = next((p for p in _parts(value) if _wraps(p)), None)
    return None if wraps is None else f"{wraps!r:.40}, of fixed width,"


def _exact(value: Any) -> bool:
    """Whether a value is surely exact: most are, and are not looked at further."""
    kind = type(value)
    return kind is int or kind is bool or (kind is Fraction and id(value) not in _noted)


def _parts(value: Any) -> Iterator[Any]:
    """A value, and what is in a tuple of tuples, such as the arguments of a call."""
    if type(value) is tuple:
        for part in value:
            yield from _parts(part)
    else:
        yield value


def _wraps(value: Any) -> bool:
    """numpy's integers, whose overflow is silent in arrays."""
    return type(value).__module__ == "numpy" and getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u")


def _stays(value: Any) -> bool:
    """Whether nothing exact is in what came of floats: floats, texts, and containers of them."""
    if value is None or isinstance(value, str | bytes):
        return True
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_stays, value))
    if isinstance(value, dict):
        return all(map(_stays, value.values()))
    return inexact(value) is not None or _wraps(value) or type(value).__name__ == "Outcome"


def _violation(what: str, depth: int) -> None:
    global _first
    frame = sys._getframe(depth + 1)
    place = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"
    error = FloatError(f"{place}: {what}")
    _first = _first or error
    raise error


def _comes_of(found: str, result: Any, what: str, depth: int = 1) -> None:
    """An exact result of something that is made of floats."""
    if _mode == "raise":
        _violation(f"{found} becomes an exact number in {what}; {REMEDY}", depth + 1)
    package = type(result).__module__.partition(".")[0]
    if package in {"flint", "fractions"} or isinstance(result, list | dict):  # others, as small integers, may be shared
        _noted[id(result)] = result


BY_FRAME = {
    ("theory.base.enclosure", "from_comparison"),
    ("proofs_check.own.statements", "statement"),
    ("sympy.core.symbol", "var"),
}
"""Functions that look at the code which calls them, with their modules."""
HARMLESS = set(map(id, (
    guess, len, zip, enumerate, reversed, iter, next, list, tuple, dict, set, isinstance, issubclass, type, id, print, getattr,
    hasattr, setattr, callable,
)))  # fmt: skip
"""By identity, for a function need not be hashable."""
TEXTS = set(map(id, (str, repr, format, ascii)))
REFUSED = set(map(id, (eval, exec, compile)))
ORDERING = set(map(id, (max, min, sorted)))
NUMERIC = {
    "builtins",
    "flint",
    "fractions",
    "sympy",
    "numpy",
    "mpmath",
    "decimal",
    "operator",
    "functools",
    "math",
    "torch",
}
"""Packages whose calls are looked at while a file is loaded."""


def _own(function: Any) -> bool:
    """Whether a callable is of watched code."""
    if isinstance(function, MethodType):
        function = function.__func__
    if isinstance(function, FunctionType):
        return function.__code__.co_filename in _files
    if isinstance(function, type):
        return getattr(sys.modules.get(function.__module__), NAME, None) is not None
    return False


def call(function: Any) -> Any:
    """The function itself, or one that looks at what it is given and at what it returns."""
    if _mode == "off":
        return function
    if id(function) in HARMLESS or _own(function):
        return function
    if id(function) in REFUSED:
        if _mode == "raise":
            _violation(f"{function.__name__} in an exact predicate cannot be watched; write the code out", 1)
        return function
    module, called = (
        str(getattr(function, "__module__", "") or type(function).__module__),
        getattr(function, "__name__", ""),
    )
    if (module, called) in BY_FRAME:
        return function
    if _mode == "raise" and module.startswith(ROOMS) and called.startswith("_") and not called.endswith("__"):
        _violation(f"{called} of {module} is private: what it returns is no decision of a comparison", 1)
    package = module.partition(".")[0]
    flints = type(getattr(function, "__self__", None)).__module__.startswith("flint")
    if _mode == "note" and package not in NUMERIC and not flints and not module.startswith(ROOMS):
        return function
    return partial(_called, function)


BOUND = (BuiltinFunctionType, MethodType, MethodWrapperType)
"""Callables that know whose they are."""


def _called(function: Any, /, *arguments: Any, **named: Any) -> Any:
    name = getattr(function, "__name__", type(function).__name__)
    receiver = getattr(function, "__self__", None) if isinstance(function, BOUND) else None
    given = (None if isinstance(receiver, ModuleType) else receiver, arguments, named)
    if name in ("__setattr__", "__delattr__", "__new__") and arguments and _of_rooms(arguments[0]):
        _violation(f"{name} of {arguments[0]!r:.40} changes or forges what adfd made", 1)
    sorts = id(function) in ORDERING or (name == "sort" and isinstance(receiver, list))
    if sorts and _mode == "raise" and (apart := _overlapping(arguments or (receiver,), named.get("key"))):
        _violation(f"{name} of balls that overlap, {apart}, picks one of them; write a.max(b), a.min(b)", 1)
    relation = name.strip("_")
    if relation in NEGATIONS and (_is_ball(receiver) or type(receiver) is ModuleType):  # a.__lt__(b), operator.lt(a, b)
        pair = (*(() if type(receiver) is ModuleType else (receiver,)), *arguments)
        return compare(relation, *pair, depth=2) if len(pair) == 2 else function(*arguments, **named)
    result = function(*arguments, **named)
    if name == "mid" and _is_ball(receiver):
        _forgets(result)
    if name == "str" and _is_ball(receiver) and named.get("radius") is False:  # decimals of the midpoint
        _texts.add(result)
    if _mode == "raise" and _is_ball(receiver) and (words := _undecided(name, receiver, result)):
        _violation(f"{name} of a ball decides nothing here: write {words}", 1)
    exact = not named and all(map(_exact, arguments)) and (given[0] is None or _exact(receiver))
    found = None if exact else _tainted(given)
    if found is None:
        found = next((t for a in arguments if isinstance(a, str) and (t := _written(a))), None)
        if found is None or isinstance(result, str):
            return result
    if isinstance(result, str):
        _texts.add(result)
    elif not (
        _stays(result)
        or (function is map and (id(arguments[0]) in TEXTS or arguments[0] is float or _own(arguments[0])))
    ):
        _comes_of(found, result, f"{name}(…)")
    return result


def _forgets(middle: Any) -> None:
    """The midpoint of a ball, which is no enclosure of what the ball encloses."""
    if _mode == "raise":
        _violation(
            "mid() of a ball forgets its radius: compare the ball; for a guess to be verified, guess(ball.mid)", 2
        )
    _noted[id(middle)] = middle


def _of_rooms(value: Any) -> bool:
    """Whether a value, or a class itself, is of this project."""
    return (value if isinstance(value, type) else type(value)).__module__.startswith(ROOMS)


def _written(text: str) -> str | None:
    """The text of a float that this one is a part of."""
    return next((f"the float {whole:.40}" for whole in _texts if text and text in whole), None)


def _is_ball(value: Any) -> bool:
    return type(value).__module__.startswith("flint.types.a")  # arb, acb, and their matrices, polynomials, series


def _is_form(left: Any, right: Any) -> bool:
    """Whether one of two values is an expression of SymPy that is no rational number or symbol."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and any(
        isinstance(one, sympy.Expr) and not (one.is_Rational or one.is_Symbol) for one in (left, right)
    )


def _undecided(name: str, ball: Any, result: Any) -> str | None:
    """What to write where a question to a ball was answered without a decision."""
    if name in ("overlaps", "contains") and result is True:
        return "same(a, b), for balls that overlap may differ"
    if name == "is_zero" and result is False and ball.contains(0):
        return "same(a, 0), for False says that it is not known"
    return None


def _may_be_in(value: Any, members: Any) -> bool:
    """Whether a value may be among members of which one, or itself, is a ball."""
    if not isinstance(members, tuple | list | set | frozenset):
        return False
    return any((_is_ball(value) or _is_ball(one)) and (value != one) is False for one in members)


def _overlapping(arguments: tuple[Any, ...], key: Callable[[Any], Any] | None) -> str | None:
    """Two real balls by which an ordering goes that overlap and are not the same exact number; of tuples, the first part."""
    alone = arguments[0] if len(arguments) == 1 else None
    given = alone if isinstance(alone, list | tuple | set | dict | range) else arguments
    by = [one if key is None else key(one) for one in given]
    by = [one[0] if isinstance(one, tuple | list) and one else one for one in by]
    balls = sorted((b for b in by if type(b).__name__ == "arb"), key=float)
    for one, other in pairwise(balls):
        if not (one <= other):
            return f"{one} and {other}"
    return None


NAMES = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "or_", "xor", "and_",
)  # fmt: skip
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {name: getattr(operator, name) for name in NAMES}


def binary(name: str, left: Any, right: Any) -> Any:
    """An operator: a float and an exact number may give a float alone."""
    result = OPERATIONS[name](left, right)
    if _mode != "off" and not (_exact(left) and _exact(right)):
        found, other = _tainted(left), _tainted(right)
        if isinstance(result, str):
            if found or other:
                _texts.add(result)
        elif (found or other) and not _stays(result):
            _comes_of(found or other or "", result, f"an expression with {name.strip('_')}")
    return result


def into(target: Any, value: Any) -> Any:
    """A value on its way into an exact number or matrix by ``+=`` or ``[…] =``, or the other way round."""
    if _mode != "off":
        for exact, other in ((target, value), (value, target)):
            if type(exact).__module__.startswith("flint") and (found := _tainted(other)):
                _comes_of(found, target, "an assignment")
    return value


NEGATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.ge, "le": operator.gt, "gt": operator.le, "ge": operator.lt, "eq": operator.ne, "ne": operator.eq,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: getattr(operator, name) for name in NEGATIONS},
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
}
WORDS = {
    "lt": "less(a, b)",
    "le": "below(a, b)",
    "gt": "less(b, a)",
    "ge": "below(b, a)",
    "eq": "same(a, b)",
    "ne": "~same(a, b)",
}


def compare(name: str, left: Any, right: Any, depth: int = 1) -> Any:
    """A comparison: of floats, or of balls where ``False`` does not say that the negation holds."""
    result = COMPARISONS[name](left, right)
    if _mode == "raise" and not (_exact(left) and _exact(right)):
        found = _tainted(left) or _tainted(right)
        if found is not None:
            _violation(f"{found} is compared, and decides; {REMEDY}", depth)
        if name in ("eq", "ne") and result is (name == "ne") and _is_form(left, right):
            _violation(f"SymPy compares forms, not values: write {WORDS[name]}", depth)
        if name in ("in", "not_in") and result is (name == "not_in") and _may_be_in(left, right):
            _violation(
                "whether a ball is in a list is not decided, where Python says no: write some(same(a, b) for …)", depth
            )
        balls = name in NEGATIONS and (_is_ball(left) or _is_ball(right))
        if balls and result is False and NEGATIONS[name](left, right) is not True:
            _violation(
                f"a comparison of balls that is not decided, where Python says False: write {WORDS[name]}", depth
            )
    return result


def chain(names: tuple[str, ...], first: Any, *others: Callable[[], Any]) -> Any:
    """``a < b < c``, evaluated as Python does."""
    left, result = first, True
    for name, other in zip(names, others, strict=True):
        right = other()
        result = compare(name, left, right, 2)
        if not result:
            return result
        left = right
    return result


def truth(value: Any) -> Any:
    """What a branch is taken by."""
    if _mode == "raise" and not (_exact(value) or isinstance(value, str)):
        if _is_ball(value):
            _violation("the truth value of a ball says nothing; compare it", 1)
        if not isinstance(value, tuple | list | dict | set) and (found := _tainted(value)):
            _violation(f"{found} decides a branch; {REMEDY}", 1)
    return value


def held(value: Any) -> Any:
    """``decision.holds`` where two values are asked for: None, of an undecided one, is not False."""
    if _mode == "raise" and value is None:
        _violation("an undecided decision is taken for False: write d.holds is True, d.holds is False, or ~d", 1)
    return value


def key(value: Any) -> Any:
    """What a container is asked for: a float finds another entry when it is rounded otherwise."""
    if (
        _mode == "raise"
        and not _exact(value)
        and not isinstance(value, slice)
        and (found := inexact(value)) is not None
    ):
        _violation(f"the float {found} chooses an entry; {REMEDY}", 1)
    return value


def shown(value: Any) -> Any:
    """A part of a text."""
    global _shown
    if _mode == "raise" and _tainted(value) is not None:
        _shown = True
    return value


def told(text: str) -> str:
    """A text of such parts."""
    global _shown
    if _shown:
        _texts.add(text)
        _shown = False
    return text

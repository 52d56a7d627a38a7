"""Keeps floats out of exact predicates: ``arb(n / 10)`` holds a double, which no look at the ball can tell from n/10.

A file of claims and the modules of its own are compiled with a watch on calls, operators, comparisons and tests
(:func:`instrumented`).  While a predicate in exact or ball arithmetic runs (:func:`watching`), a float may be computed
with floats and written into text; that it becomes an exact number, meets one, is compared or decides a branch is an
error that names the line.  So is a comparison of balls whose ``False`` is no decision.  What comes of floats while a file
is loaded (:func:`noting`) is remembered and refused where a predicate names it.  Code of installed packages is not
watched inside: what it returns is looked at where it is used.
"""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import pairwise
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Literal

from proofs_check.instances import ROOMS, inexact
from theory.errors import InputError

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
        return compute(*arguments)
    finally:
        _mode = before


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


CALLERS = {"super", "locals", "globals", "vars", "dir"}
"""Functions that look at the code which calls them; and those that do it by their frame, with their modules."""
BY_FRAME = {
    ("theory.decision", "from_comparison"),
    ("proofs_check.statements", "statement"),
    ("sympy.core.symbol", "var"),
}
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
    module = str(getattr(function, "__module__", "") or type(function).__module__)
    if (module, getattr(function, "__name__", "")) in BY_FRAME:
        return function
    package = module.partition(".")[0]
    flints = type(getattr(function, "__self__", None)).__module__.startswith("flint")
    if _mode == "note" and package not in NUMERIC and not flints and not module.startswith(ROOMS):
        return function
    return partial(_called, function)


def _called(function: Any, /, *arguments: Any, **named: Any) -> Any:
    name = getattr(function, "__name__", type(function).__name__)
    receiver = getattr(function, "__self__", None) if isinstance(function, BuiltinFunctionType | MethodType) else None
    given = (None if isinstance(receiver, ModuleType) else receiver, arguments, named)
    sorts = id(function) in ORDERING or (name == "sort" and isinstance(receiver, list))
    if sorts and _mode == "raise" and "key" not in named and (apart := _overlapping(arguments or (receiver,))):
        _violation(f"{name} of balls that overlap, {apart}, picks one of them; write a.max(b), a.min(b)", 1)
    result = function(*arguments, **named)
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


def _overlapping(arguments: tuple[Any, ...]) -> str | None:
    """Two real balls among the arguments of an ordering that overlap and are not the same exact number."""
    given = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list | tuple | set) else arguments
    balls = sorted((b for b in given if type(b).__name__ == "arb"), key=float)
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


# --- the code that is watched ---------------------------------------------------------------------------------------


DEPTH = 20_000
"""Recursion for long sums, which are nested as deep as they are long."""
OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or_", ast.BitXor: "xor", ast.BitAnd: "and_",
}  # fmt: skip
RELATIONS = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne", ast.In: "in", ast.NotIn: "not_in",
}  # fmt: skip


def instrumented(source: bytes | str, path: str) -> ast.Module:
    """The syntax tree of a module with the watch in it.

    Raises:
        SyntaxError: it is none.
    """
    tree = ast.parse(source, path)
    _files.add(path)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEPTH))
    try:
        _Watch().visit(tree)
    finally:
        sys.setrecursionlimit(limit)
    start = 0
    if tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant):
        start = 1  # the docstring
    while start < len(tree.body) and isinstance(one := tree.body[start], ast.ImportFrom) and one.module == "__future__":
        start += 1
    load = ast.ImportFrom(module="proofs_check", names=[ast.alias(name="float_guard", asname=NAME)], level=0)
    tree.body.insert(start, load)
    if len(tree.body) > start + 1:
        ast.copy_location(load, tree.body[start + 1])
    else:
        load.lineno, load.col_offset = 1, 0
    return ast.fix_missing_locations(tree)


def _asks(function: str, *arguments: ast.expr, at: ast.expr) -> ast.Call:
    place = ast.Attribute(value=ast.Name(id=NAME, ctx=ast.Load()), attr=function, ctx=ast.Load())
    made = ast.Call(func=place, args=list(arguments), keywords=[])
    return ast.fix_missing_locations(ast.copy_location(made, at))


class _Watch(ast.NodeTransformer):
    """Puts the watch around calls, operators, comparisons and tests; annotations and patterns are left alone."""

    def __init__(self) -> None:
        self.in_class = False

    def _inside(self, node: ast.AST, in_class: bool) -> ast.AST:
        before, self.in_class = self.in_class, in_class
        try:
            return self.generic_visit(node)
        finally:
            self.in_class = before

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, True)

    def _function(self, node: Any) -> ast.AST:
        returns, node.returns = node.returns, None
        self._inside(node, False)
        node.returns = returns
        return node  # type: ignore[no-any-return]

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._inside(node, False)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.visit(node.subject)
        for case in node.cases:
            case.guard = None if case.guard is None else self._test(self.visit(case.guard))
            case.body = [self.visit(statement) for statement in case.body]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id in CALLERS):
            node.func = _asks("call", node.func, at=node.func)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = ast.Constant(value=OPERATORS[type(node.op)])
        return _asks("binary", name, node.left, node.right, at=node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            return node
        names = [RELATIONS[type(op)] for op in node.ops]
        if len(names) == 1:
            return _asks("compare", ast.Constant(value=names[0]), node.left, node.comparators[0], at=node)
        bound = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
        if self.in_class or any(isinstance(part, bound) for right in node.comparators for part in ast.walk(right)):
            return node
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        later = [ast.Lambda(args=nothing, body=right) for right in node.comparators]
        listed = ast.Tuple(elts=[ast.Constant(value=name) for name in names], ctx=ast.Load())
        return _asks("chain", listed, node.left, *later, at=node)

    def _test(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr):
            return _asks("truth", node, at=node)
        return node

    def _tested(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        node.test = self._test(node.test)
        return node  # type: ignore[no-any-return]

    visit_If = visit_While = visit_IfExp = visit_Assert = _tested  # noqa: N815

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.ifs = [self._test(one) for one in node.ifs]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        node.values = [self._test(one) for one in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = self._test(node.operand)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        return _asks("told", node, at=node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = _asks("shown", self.visit(node.value), at=node.value)
        return node  # a format, itself a JoinedStr, must stay one

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        match node.targets:
            case [ast.Subscript(value=ast.Name() | ast.Attribute() as held)]:
                node.value = _asks("into", _loaded(held), node.value, at=node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name | ast.Attribute):
            node.value = _asks("into", _loaded(node.target), node.value, at=node.value)
        elif isinstance(node.target.value, ast.Name | ast.Attribute):
            node.value = _asks("into", _loaded(node.target.value), node.value, at=node.value)
        return node


def _loaded(target: Any) -> Any:
    """The same name or attribute, read."""
    if isinstance(target, ast.Attribute):
        return ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
    return ast.Name(id=target.id, ctx=ast.Load())

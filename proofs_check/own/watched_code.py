"""The watch of :mod:`proofs_check.own.float_guard` put into the syntax tree of a file of claims.

Calls, operators, comparisons, tests and keys are asked about; annotations and patterns are left alone.

Whether adfd is what it was once a user's file has run: a function of ours that is exchanged would judge its own claims.

A file of claims is a program, and may do anything to the process that it runs in.  What it exchanges, by mistake or not, in
modules and classes of this project, or in the modules that these count with, is found, put back, and named.  What is
exchanged and put back between two looks is not seen.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from proofs_check.claims.instances import ROOMS
from proofs_check.own.float_guard import NAME, watch
from theory.base.errors import InputError

CALLERS = {"super", "locals", "globals", "vars", "dir"}
"""Functions that look at the code which calls them."""
TRUTHS = {"all", "any", "bool"}
"""Functions that take what they are given for true or false."""
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
    watch(path)
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
    load = ast.ImportFrom(module="proofs_check.own", names=[ast.alias(name="float_guard", asname=NAME)], level=0)
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
        self.held: set[str] = set()

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
        before, self.held = self.held, self.held | _held_names(node)
        self._inside(node, False)
        node.returns, self.held = returns, before
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
        functions = _functions_asked(node)
        self.generic_visit(node)
        for function in functions:
            function.body = self._held(function.body)
        if isinstance(node.func, ast.Name) and node.func.id in TRUTHS and len(node.args) == 1:
            self._all_held(node.args[0])
            node.args = [self._held(node.args[0])]
        if not (isinstance(node.func, ast.Name) and node.func.id in CALLERS):
            node.func = _asks("call", node.func, at=node.func)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = ast.Constant(value=OPERATORS[type(node.op)])
        return _asks("binary", name, node.left, node.right, at=node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice | ast.Tuple | ast.Constant):
            node.slice = _asks("key", node.slice, at=node.slice)
        return node

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

    def _held(self, node: ast.expr) -> ast.expr:
        """``decision.holds``, or a name for it, where two values are asked for."""
        named = isinstance(node, ast.Name) and node.id in self.held
        return _asks("held", node, at=node) if named or _is_holds(node) else node

    def _all_held(self, node: ast.expr) -> None:
        """The same for what is in a list."""
        if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
            node.elt = self._held(node.elt)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            node.elts = [self._held(part) for part in node.elts]

    def _test(self, node: ast.expr) -> ast.expr:
        if (held := self._held(node)) is not node:
            return held
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


def _functions_asked(node: ast.Call) -> list[ast.Lambda]:
    """Functions written on the spot whose answers are taken for true or false: ``filter(f, …)``, ``any(map(f, …))``."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in TRUTHS and len(node.args) == 1:
        inner = node.args[0]
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "map":
            return [one for one in inner.args[:1] if isinstance(one, ast.Lambda)]
    return [one for one in node.args[:1] if isinstance(one, ast.Lambda)] if name == "filter" else []


def _is_holds(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "holds"


def _held_names(function: ast.AST) -> set[str]:
    """Names in a function that are ``decision.holds``."""
    found = set()
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                if _is_holds(value):
                    found.add(name)
    return found


def _loaded(target: Any) -> Any:
    """The same name or attribute, read."""
    if isinstance(target, ast.Attribute):
        return ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
    return ast.Name(id=target.id, ctx=ast.Load())


JUDGES = (
    "numerics.arithmetic.balls",
    "proofs_check.claims.comparisons",
    "proofs_check.claims.formal",
    "proofs_check.claims.instances",
    "proofs_check.claims.provers",
    "proofs_check.claims.verdicts",
    "proofs_check.ledger.judging",
    "proofs_check.own.float_guard",
    "theory.base.enclosure",
    "theory.base.polynomials",
)
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
    import flint

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

"""Certificates of version 1 in the words of version 2, where what they say has one meaning only.

Version 1 held expressions as Python text. What is read here are the forms that adfd wrote: integers, the variables, pi,
E, ``+ - * /``, integer and half-integer powers, calls of the functions of the format; ASCII, no comments, no chains of
powers, no exponent that would have to be computed. Anything else is refused.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from typing import Any

from proofs_check.checker import FORMAT, FUNCTIONS, RefusedError, demand, fields, integer, listed

OLD_FORMAT = "adfd certificate of singular values, version 1"


def is_old(data: object) -> bool:
    """Whether a file says that it is of version 1."""
    return isinstance(data, dict) and data.get("format") == OLD_FORMAT


def upgraded(data: object) -> dict[str, Any]:
    """The same certificate in version 2.

    Raises:
        RefusedError: it is not what adfd wrote, or could be read in two ways.
    """
    try:
        return _upgraded(data)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"malformed version 1 ({type(error).__name__})") from None


def _upgraded(data: object) -> dict[str, Any]:
    names = "format method activation variables weights biases interior boundary precision vectors values"
    old = fields(data, "certificate", names)
    demand(old["method"] in ("ad", "fd"), "method: ad or fd")
    interior = fields(old["interior"], "interior", "points terms")
    read = _derivative if old["method"] == "ad" else _difference
    terms = [read(term) for term in listed(interior["terms"], "terms")]
    faces = [fields(face, "boundary", "points weight terms") for face in listed(old["boundary"], "boundary")]
    problem = {
        "variables": old["variables"],
        "activation": tree(old["activation"]),
        "weights": [_numbers(w) for w in listed(old["weights"], "weights")],
        "biases": _numbers(old["biases"]),
        "operator": [term for term, _ in terms],
        "points": [_numbers(x) for x in listed(interior["points"], "points")],
        "boundary": [
            {
                "points": [_numbers(x) for x in listed(face["points"], "points")],
                "weight": _number(face["weight"]),
                "operator": [_derivative(term)[0] for term in listed(face["terms"], "terms")],
            }
            for face in faces
            if face["points"]
        ],
    }
    spectrum = {
        "difference": None if old["method"] == "ad" else [difference for _, difference in terms],
        "precision": old["precision"],
        "vectors": old["vectors"],
        "values": [_bounds(value) for value in listed(old["values"], "values")],
    }
    return {"format": FORMAT, "statement": "singular values", "problem": problem, "spectrum": spectrum}


Term = tuple[dict[str, Any], dict[str, Any] | None]


def _derivative(term: Any) -> Term:
    named = fields(term, "term", "derivative coefficient")
    part = {"orders": named["derivative"], "factor": "1"}
    return {"coefficient": tree(named["coefficient"]), "derivatives": [part]}, None


def _difference(term: Any) -> Term:
    named = fields(term, "term", "target coefficient shifts weights scale")
    parts = [fields(part, "target", "derivative factor") for part in listed(named["target"], "target")]
    derivatives = [{"orders": part["derivative"], "factor": _number(part["factor"])} for part in parts]
    scale = Fraction(_number(named["scale"]))
    demand(scale > 0, "scale: must be positive")
    weights = [str(Fraction(v) / scale) for v in _numbers(named["weights"])]
    shifts = [_numbers(shift) for shift in listed(named["shifts"], "shifts")]
    term = {"coefficient": tree(named["coefficient"]), "derivatives": derivatives}
    return term, {"shifts": shifts, "weights": weights}


def _numbers(data: Any) -> list[str]:
    return [_number(v) for v in listed(data, "numbers")]


def _number(data: Any) -> str:
    """``p/q`` or a decimal, in lowest terms."""
    return str(_exactly(data))


def _exactly(data: Any) -> Fraction:
    demand(isinstance(data, str) and len(data) <= 4000, "numbers are texts such as '1/3'")
    found = re.fullmatch(r"-?[0-9]+(?:/0*[1-9][0-9]*|(?:\.[0-9]+)?(?:e([+-]?[0-9]{1,5}))?)", data)
    demand(found is not None and abs(int(found[1] or 0)) <= 20_000, f"{data[:40]!r} is not a number")
    return Fraction(data)


def _bounds(value: Any) -> dict[str, Any]:
    return {name: _decimal(end) for name, end in fields(value, "values", "lower upper").items()}


def _decimal(end: Any) -> list[Any]:
    """A decimal as mantissa and exponent."""
    value, exponent = _exactly(end), 0
    demand("/" not in end, "values: bounds are decimals")
    match = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]+))?", end)
    assert match is not None
    if value == 0:
        return ["0", 0]
    digits = (match[2] + (match[3] or "")).lstrip("0")
    short = digits.rstrip("0")
    exponent = int(match[4] or 0) - len(match[3] or "") + len(digits) - len(short)
    return [match[1] + short, exponent]


def tree(source: Any) -> list[Any]:
    """An expression's text as a tree."""
    demand(isinstance(source, str) and 0 < len(source) <= 4000, "an expression is a short text")
    demand(re.fullmatch(r"[A-Za-z0-9 +*/()-]+", source) is not None, "expression: a character that is not allowed")
    words = re.findall("[A-Za-z0-9]+", source)
    demand(all(re.fullmatch("0|[1-9][0-9]*|[A-Za-z]+", word) for word in words), "expression: an unusual number")
    try:
        return _node(ast.parse(source, mode="eval").body)
    except SyntaxError:
        raise RefusedError(f"{source[:40]!r} is no expression") from None


def _node(node: ast.expr) -> list[Any]:
    match node:
        case ast.Constant(value=int() as n) if not isinstance(n, bool):
            return ["number", str(n)]
        case ast.Name(id="pi"):
            return ["pi"]
        case ast.Name(id="E"):
            return ["exp", ["number", "1"]]
        case ast.Name(id=name) if name in ("x", "y", "z", "t"):
            return ["variable", name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ["product", ["number", "-1"], _node(inner)]
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return ["power", _node(left), str(_exponent(right))]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return ["sum", _node(left), _node(right)]
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return ["sum", _node(left), ["product", ["number", "-1"], _node(right)]]
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return ["product", _node(left), _node(right)]
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return ["product", _node(left), ["power", _node(right), "-1"]]
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return ["power", _node(argument), "1/2"]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return [name, _node(argument)]
    raise RefusedError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")


def _exponent(node: ast.expr) -> Fraction:
    """``n``, ``-n``, ``n/2`` or ``-n/2``, nothing that would have to be computed."""
    match node:
        case ast.Constant(value=int() as n) if not isinstance(n, bool):
            return Fraction(integer(n, "exponent", 1, 1000))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
            return -_exponent(inner)
        case ast.BinOp(left=ast.Constant() | ast.UnaryOp() as left, op=ast.Div(), right=ast.Constant(value=2)):
            return _exponent(left) / 2
    raise RefusedError(f"{ast.unparse(node)[:40]!r} is not allowed as an exponent")

"""Certificates for tests: an oracle in mpmath that shares no code with checkers or engine, random problems, mutations."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
from mpmath import mp

from numerics.problem.problem import Boundary, Method, Problem
from numerics.spectra.certificate import FORMAT, certificate
from proofs_check import checker, checker_entropies
from proofs_check.second_checker.judge import findings
from theory.base.errors import PrecisionCapError
from theory.features.activations import names
from theory.features.laws import law
from theory.operators.operator import StencilChoice

Json = dict[str, Any]

# ---- both checkers


def refused(data: Json) -> str | None:
    """The first checker's reason to refuse a proof object of entropies; the second one must agree."""
    data = json.loads(json.dumps(data))
    try:
        checker_entropies.verify(data)
    except checker.RefusedError as error:
        assert findings(data) != [], str(error)
        return str(error)
    assert findings(data) == []
    return None


# ---- the oracle: direct evaluation of what a file says


def number(text: str) -> mpmath.mpf:
    value = Fraction(text)
    return mpmath.mpf(value.numerator) / value.denominator


def bound(pair: list[Any]) -> mpmath.mpf:
    return mpmath.mpf(int(pair[0])) * mpmath.mpf(10) ** pair[1]


MPMATH: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "exp": mp.exp, "log": mp.log, "atan": mp.atan, "erf": mp.erf,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "asinh": mp.asinh,
}  # fmt: skip
FUNCTIONS = [*sorted(MPMATH), "step"]


def value(tree: list[Any], at: dict[str, mpmath.mpf], centre: dict[str, mpmath.mpf] | None = None) -> mpmath.mpf:
    """A tree in mpmath; a step takes its side at the centre, and so is constant when differentiated there."""
    match tree:
        case ["number", text]:
            return number(text)
        case ["variable", name]:
            return at[name]
        case ["pi"]:
            return +mp.pi
        case ["sum", *parts]:
            return mpmath.fsum(value(part, at, centre) for part in parts)
        case ["product", *parts]:
            return mpmath.fprod(value(part, at, centre) for part in parts)
        case ["power", base, text]:
            exponent = Fraction(text)
            if exponent.denominator == 1:
                return value(base, at, centre) ** int(exponent)
            return mpmath.power(value(base, at, centre), mpmath.mpf(exponent.numerator) / exponent.denominator)
        case ["step", argument]:
            return mpmath.mpf(value(argument, centre or at) > 0)
    return MPMATH[tree[0]](value(tree[1], at, centre))


def matrix(problem: Json, difference: list[Json] | None) -> mpmath.matrix:
    """A, entry by entry, derivatives by mpmath's own differences at high precision."""
    names_of = problem["variables"]
    features = [([number(v) for v in w], number(b)) for w, b in zip(problem["weights"], problem["biases"], strict=True)]

    @cache
    def sigma(z: mpmath.mpf, order: int) -> mpmath.mpf:
        def function(u: mpmath.mpf) -> mpmath.mpf:
            return value(problem["activation"], {"z": u}, {"z": z})

        return function(z) if order == 0 else mpmath.diff(function, z, order)

    def argument(w: list[mpmath.mpf], b: mpmath.mpf, x: list[mpmath.mpf]) -> mpmath.mpf:
        return mpmath.fsum(wi * xi for wi, xi in zip(w, x, strict=True)) + b

    def derivative(operator: list[Json], x: list[mpmath.mpf], w: list[mpmath.mpf], b: mpmath.mpf) -> mpmath.mpf:
        at = dict(zip(names_of, x, strict=True))
        total = mpmath.mpf(0)
        for term in operator:
            for part in term["derivatives"]:
                k = sum(part["orders"])
                power = mpmath.fprod(wi**m for wi, m in zip(w, part["orders"], strict=True))
                factor = value(term["coefficient"], at) * number(part["factor"])
                total += factor * power * sigma(argument(w, b, x), k)
        return total

    def quotient(operator: list[Json], x: list[mpmath.mpf], w: list[mpmath.mpf], b: mpmath.mpf) -> mpmath.mpf:
        assert difference is not None
        at = dict(zip(names_of, x, strict=True))
        total = mpmath.mpf(0)
        for term, one in zip(operator, difference, strict=True):
            moved = [[xi + number(s) for xi, s in zip(x, shift, strict=True)] for shift in one["shifts"]]
            sums = mpmath.fsum(
                number(c) * sigma(argument(w, b, y), 0) for c, y in zip(one["weights"], moved, strict=True)
            )
            total += value(term["coefficient"], at) * sums
        return total

    inner = derivative if difference is None else quotient
    rows = [[inner(problem["operator"], list(map(number, x)), *f) for f in features] for x in problem["points"]]
    for face in problem["boundary"]:
        root = mpmath.sqrt(number(face["weight"]))
        rows += [
            [root * derivative(face["operator"], list(map(number, x)), *f) for f in features] for x in face["points"]
        ]
    return mpmath.matrix(rows)


def singular_values(problem: Json, difference: list[Json] | None) -> list[mpmath.mpf]:
    """Descending."""
    found = matrix(problem, difference)
    tall = found if found.rows >= found.cols else found.T
    if not any(tall):
        return [mpmath.mpf(0)] * tall.cols
    return sorted((abs(v) for v in mpmath.svd_r(tall, compute_uv=False)), reverse=True)


def holds(problem: Json, spectrum: Json) -> bool:
    """Whether the claimed singular values are right, up to the oracle's own error."""
    with mpmath.workdps(110):
        values = singular_values(problem, spectrum["difference"])
        slack = mpmath.mpf(10) ** -50 * (values[0] + mpmath.mpf(10) ** -40)
        if len(values) != len(spectrum["values"]):
            return False
        claims = [(bound(v["lower"]), bound(v["upper"])) for v in spectrum["values"]]
        return all(low - slack <= v <= high + slack for v, (low, high) in zip(values, claims, strict=True))


# ---- valid certificates

ACTIVATIONS = (
    *names(), "z*exp(-z**2)", "1/(1 + z**2)", "sqrt(1 + z**2)", "(2 + sin(z))**(1/3)", "atan(z)", "asinh(z) + 1/3",
    "sinh(z/2)", "log(2 + z**2)", "pi*z - e", "z**3", "1/3", "tan(z/8)",
)  # fmt: skip


def problem(seed: int, largest: int = 4) -> Problem:
    """A small problem: any activation, wide, tall, square, rank-deficient, in one or two dimensions, one-sided."""
    dice = random.Random(seed)
    dimension = dice.choice([1, 1, 1, 2])
    count, rows = dice.randint(1, largest), dice.randint(1, largest)
    changes: Json = {
        "count": count,
        "seed": seed,
        "activation_name": ACTIVATIONS[seed % len(ACTIVATIONS)],
        "weights": law(dice.choice(["normal(0, 1)", "uniform(-3, 3)", "uniform(-8, 8)", "discrete(-1, 1)"])),
        "biases": law(dice.choice(["normal(0, 1)", "uniform(-2, 2)", "constant(0)", "constant(1/3)"])),
        "interior": (rows,),
        "step": (Fraction(dice.choice(["1/10", "1/100", "1/3", "1/1000"])),),
        "boundary": dice.choice([(), (Boundary(),), (Boundary(weight=Fraction(3, 2)),), (Boundary(operator="u_x"),)]),
        "operator_text": dice.choice(["u_xx", "u_xx", "u_x", "u", "u_xx + x*u_x - u/3", "u_xxxx", "exp(x)*u_xx"]),
        "stencil": dice.choice(
            [StencilChoice(), StencilChoice(), StencilChoice("forward"), StencilChoice("backward", 1)]
        ),
    }
    if dimension == 2:
        changes |= {
            "domain": ((Fraction(-1), Fraction(1)),) * 2,
            "solution": "x*y",
            "interior": dice.choice([(1, 2), (2, 1), (1, 1), (2, 2)]),
            "operator_text": dice.choice(["u_xx + u_yy", "u_xy - u", "y*u_xx + y*u_yy"]),
            "boundary": (),
            "stencil": dice.choice([StencilChoice(), StencilChoice("forward")]),
        }
        if changes["operator_text"] != "u_xy - u" and dice.random() < 0.5:
            changes["stencil"] = StencilChoice(dice.choice(["five-point", "nine-point"]))
    if dice.random() < 0.2:  # rank-deficient: features that repeat
        changes |= {"weights": ((Fraction(2, 3),) * dimension,) * count, "biases": (Fraction(1, 3),) * count}
    return Problem(**changes)


@cache
def made(seed: int, largest: int = 4) -> str | None:
    """A certificate of the problem of that seed, as JSON; ``None`` where the engine itself proves nothing."""
    method: Method = "fd" if seed // len(ACTIVATIONS) % 2 else "ad"
    try:
        return json.dumps(certificate(problem(seed, largest), method, 6 + seed % 3 * 4))
    except PrecisionCapError:
        return None


def valid(seed: int) -> Json:
    """The certificate of that seed, or of the next that has one."""
    text = made(seed)
    return valid(seed + 1) if text is None else dict(json.loads(text))


# ---- small matrices in which each factor of the proof decides


def of_matrix(rows: list[list[str]], vectors: list[list[int]], exponent: int, values: list[list[Any]]) -> Json:
    """A certificate of singular values of a rational 1 x 1, 2 x 2 or 3 x 3 matrix: phi_j(x) = x_j."""
    n = len(rows)
    unit = [["1" if i == j else "0" for i in range(n)] for j in range(n)]
    one = {"coefficient": ["number", "1"], "derivatives": [{"orders": [0] * n, "factor": "1"}]}
    problem = {
        "variables": list("xyz"[:n]), "activation": ["variable", "z"], "weights": unit, "biases": ["0"] * n,
        "operator": [one], "points": rows, "boundary": [],
    }  # fmt: skip
    spectrum = {
        "difference": None, "precision": 64,
        "vectors": [{"exponent": exponent, "mantissas": [f"{m:x}" for m in column]} for column in vectors],
        "values": [{"lower": low, "upper": high} for low, high in values],
    }  # fmt: skip
    return {"format": FORMAT, "statement": "singular values", "problem": problem, "spectrum": spectrum}


def _wide(*ends: tuple[Any, Any]) -> list[list[Any]]:
    return [[list(low), list(high)] for low, high in ends]


_ROOMY = (("6", -1), ("119", -2))
_NARROW = (("6", -1), ("11", -1))
_EQUAL = [["19/20" if i == j else "1/10" for j in range(3)] for i in range(3)]
_UNIT = [[int(i == j) for i in range(3)] for j in range(3)]
_SHEAR = [["1", "1"], ["0", "1"]]
FACTORS: dict[str, tuple[Json, str | None]] = {
    # sigma = 1, X = 5/4: without 1 + delta the image's length 5/4 would be a lower bound
    "long": (of_matrix([["1"]], [[5]], -2, _wide((("99", -2), ("2", 0)))), None),
    "long, false": (of_matrix([["1"]], [[5]], -2, _wide((("11", -1), ("2", 0)))), "lower"),
    # sigma = 1, X = 3/4: without 1 - delta the image's length 3/4 would be an upper bound
    "short": (of_matrix([["1"]], [[3]], -2, _wide((("6", -1), ("1001", -3)))), None),
    "short, false": (of_matrix([["1"]], [[3]], -2, _wide((("6", -1), ("8", -1)))), "upper"),
    # [[1, 1], [0, 1]] with X = e_1: sigma_1 = 1.618, the image's length is 1.414, rho = 1, sigma_2 = 0.618
    "rest": (of_matrix(_SHEAR, [[1, 0]], 0, _wide((("141", -2), ("174", -2)), (("0", 0), ("101", -2)))), None),
    "rest, false": (
        of_matrix(_SHEAR, [[1, 0]], 0, _wide((("141", -2), ("15", -1)), (("0", 0), ("101", -2)))), "values[0].upper"
    ),
    "beyond, false": (
        of_matrix(_SHEAR, [[1, 0]], 0, _wide((("141", -2), ("174", -2)), (("0", 0), ("6", -1)))), "values[1].upper"
    ),
    # 0.85 I + 0.1 J: sigma_1 = 1.15; images of length 0.9605, cosines 0.217: the defect is a norm, no largest entry
    "norm": (of_matrix(_EQUAL, _UNIT, 0, _wide(_ROOMY, _ROOMY, _ROOMY)), None),
    "norm, false": (of_matrix(_EQUAL, _UNIT, 0, _wide(_NARROW, _NARROW, _NARROW)), "values[0].upper"),
    "norm, false below": (
        of_matrix(_EQUAL, _UNIT, 0, _wide(_ROOMY, _ROOMY, (("8501", -4), ("119", -2)))), "values[2].lower"
    ),
}  # fmt: skip


# ---- mutations


def mutated(data: Json, dice: random.Random) -> Json:
    """A certificate of singular values changed in one or two places; most of the changes make it false."""
    data = copy.deepcopy(data)
    for _ in range(dice.choice((1, 1, 1, 2))):
        while True:
            try:
                dice.choice(MUTATIONS)(data, dice)
                break
            except (
                IndexError,
                ValueError,
                KeyError,
                ZeroDivisionError,
                TypeError,
                AttributeError,
            ):  # nothing of the kind is there
                continue
    return data


def _nudged(text: str, dice: random.Random) -> str:
    exact = Fraction(text)
    size = Fraction(1, 10 ** dice.randint(0, 18))
    return str(dice.choice([exact + size, exact - size, exact * (1 + size), exact * (1 - size), -exact, Fraction(0)]))


def _nudged_bound(pair: list[Any], dice: random.Random) -> list[Any]:
    mantissa, exponent = int(pair[0]) * 10**6, pair[1] - 6
    change = dice.choice([1, -1]) * 10 ** dice.randint(0, len(str(abs(mantissa))))
    mantissa = dice.choice([mantissa + change, mantissa + change, -mantissa, 0, mantissa * 2])
    if mantissa == 0:
        return ["0", 0]
    while mantissa % 10 == 0:
        mantissa, exponent = mantissa // 10, exponent + 1
    return [str(mantissa), exponent]


def _values_nudged(data: Json, dice: random.Random) -> None:
    claim = dice.choice(data["spectrum"]["values"])
    end = dice.choice(["lower", "upper"])
    claim[end] = _nudged_bound(claim[end], dice)


def _value_exponent(data: Json, dice: random.Random) -> None:
    dice.choice(data["spectrum"]["values"])[dice.choice(["lower", "upper"])][1] += dice.choice([-30, -1, 1, 30])


def _values_swapped(data: Json, dice: random.Random) -> None:
    values = data["spectrum"]["values"]
    i, j = dice.sample(range(len(values)), 2)
    values[i], values[j] = values[j], values[i]


def _values_counted_wrongly(data: Json, dice: random.Random) -> None:
    values = data["spectrum"]["values"]
    if dice.random() < 0.5:
        values.pop(dice.randrange(len(values)))
    else:
        values.insert(dice.randrange(len(values)), dice.choice(values))


def _mantissa(data: Json, dice: random.Random) -> None:
    column = dice.choice(data["spectrum"]["vectors"])["mantissas"]
    i = dice.randrange(len(column))
    m = int(column[i], 16)
    m += dice.choice([1, -1]) * (1 << dice.randrange(max(1, m.bit_length() + 3)))
    column[i] = f"{dice.choice([m, -m, 0]):x}"


def _vector_replaced(data: Json, dice: random.Random) -> None:
    columns = data["spectrum"]["vectors"]
    columns[dice.randrange(len(columns))] = copy.deepcopy(dice.choice(columns))


def _vector_scaled(data: Json, dice: random.Random) -> None:
    dice.choice(data["spectrum"]["vectors"])["exponent"] += dice.choice([-400, -2, -1, 1, 2, 400])


def _vector_dropped(data: Json, dice: random.Random) -> None:
    columns, values = data["spectrum"]["vectors"], data["spectrum"]["values"]
    columns.pop(dice.randrange(len(columns)))
    if dice.random() < 0.5:  # with the claim of a zero tail
        values[-1] = {"lower": ["0", 0], "upper": dice.choice([["0", 0], ["1", -30], values[-1]["upper"]])}


def _precision(data: Json, dice: random.Random) -> None:
    data["spectrum"]["precision"] = dice.randint(32, data["spectrum"]["precision"])


def _feature(data: Json, dice: random.Random) -> None:
    where = dice.choice([data["problem"]["biases"], *data["problem"]["weights"]])
    i = dice.randrange(len(where))
    where[i] = _nudged(where[i], dice)


def _point(data: Json, dice: random.Random) -> None:
    block = dice.choice([data["problem"], *data["problem"]["boundary"]])
    x = dice.choice(block["points"])
    i = dice.randrange(len(x))
    x[i] = _nudged(x[i], dice)


def _boundary_weight(data: Json, dice: random.Random) -> None:
    dice.choice(data["problem"]["boundary"])["weight"] = dice.choice(["2", "0", "1/4", "-1", "10000000001/10000000000"])


def _difference(data: Json, dice: random.Random) -> None:
    one = dice.choice(data["spectrum"]["difference"])
    k = dice.randrange(len(one["weights"]))
    if dice.random() < 0.3:  # a consistent change: another step
        t = Fraction(dice.choice(["2", "1/2", "99/100"]))
        order = max(sum(part["orders"]) for part in data["problem"]["operator"][0]["derivatives"])
        for one in data["spectrum"]["difference"]:
            one["shifts"] = [[str(Fraction(s) * t) for s in shift] for shift in one["shifts"]]
            one["weights"] = [str(Fraction(c) / t**order) for c in one["weights"]]
    elif dice.random() < 0.5:
        one["weights"][k] = _nudged(one["weights"][k], dice)
    else:
        one["shifts"][k][0] = _nudged(one["shifts"][k][0], dice)


def _operator(data: Json, dice: random.Random) -> None:
    term = dice.choice(data["problem"]["operator"])
    part = dice.choice(term["derivatives"])
    kind = dice.randrange(4)
    if kind == 0:
        part["factor"] = _nudged(part["factor"], dice)
    elif kind == 1:
        part["orders"][0] = max(0, part["orders"][0] + dice.choice([-1, 1, 2]))
    elif kind == 2:
        term["coefficient"] = dice.choice([["number", "2"], ["pi"], ["product", ["number", "-1"], term["coefficient"]]])
    else:
        data["problem"]["operator"].append(copy.deepcopy(term))


def _other_method(data: Json, dice: random.Random) -> None:
    data["spectrum"]["difference"] = None


def subtrees(tree: list[Any]) -> list[list[Any]]:
    """Every subtree of an expression, itself included."""
    return [tree, *(found for part in tree[1:] if isinstance(part, list) for found in subtrees(part))]


def _expression(data: Json, dice: random.Random) -> None:
    """The kinds of change by which one expression may be taken for another."""
    term = dice.choice(data["problem"]["operator"])
    holder, key = dice.choice([(data["problem"], "activation")] * 4 + [(term, "coefficient")])
    node = dice.choice(subtrees(holder[key]))
    z: list[Any] = ["variable", "z" if key == "activation" else data["problem"]["variables"][0]]
    kind = dice.randrange(9)
    if kind == 0 and node[0] in FUNCTIONS:
        node[0] = dice.choice(FUNCTIONS)
    elif kind == 1 and node[0] == "power":
        node[2] = dice.choice(["1/4", "1/2", "3/2", "-1", "1/2/2", "2/4", "0", "1", "-1/3", "2.0", "+2", "1e0", "5/4"])
    elif kind == 2 and node[0] in ("sum", "product"):
        node[0] = "sum" if node[0] == "product" else "product"
    elif kind == 3 and node[0] == "number":
        node[1] = dice.choice([_nudged(node[1], dice), "1_0", "٣", " 1", "1 ", "+1", "1e3", "0x1", "01", "-0", "1.0"])
    elif kind == 4:
        node[:] = ["power", list(node), dice.choice(["2", "1/2", "1/3", "-1", "1/4", "3"])]
    elif kind == 5:
        node[:] = [dice.choice(FUNCTIONS), list(node)]
    elif kind == 6:
        node[:] = dice.choice([z, ["number", "1"], ["pi"], ["sum", z, list(node)], ["product", z, list(node)]])
    elif kind == 7 and len(node) > 2:
        node.pop()
    else:
        node.append(dice.choice([z, "1", 1, None, ["number", "2"]]))


def _structure(data: Json, dice: random.Random) -> None:
    """Anything anywhere removed, doubled or replaced."""
    holder: Any = data
    while True:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = dice.choice(list(keys))
        if not isinstance(holder[key], dict | list) or not holder[key] or dice.random() < 0.15:
            break
        holder = holder[key]
    kind = dice.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == 2 and isinstance(holder, dict):
        holder[dice.choice(["precision", "x", "method", "", "scale"])] = holder[key]
    else:
        holder[key] = dice.choice([None, True, False, 0, 1, -1, 2, 1.5, "", "1", "nan", "1/0", [], {}, [[]], 10**30])


MUTATIONS = [
    _values_nudged, _values_nudged, _value_exponent, _values_swapped, _values_counted_wrongly, _mantissa,
    _vector_replaced, _vector_scaled, _vector_dropped, _precision, _feature, _point, _boundary_weight, _difference,
    _operator, _other_method, _expression, _expression, _expression, _structure,
]  # fmt: skip

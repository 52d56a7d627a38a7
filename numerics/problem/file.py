"""Problem files: TOML in, a :class:`numerics.problem.problem.Problem` out, or one line that says what is wrong and where.

Decimals mean the decimal as spelled, numbers in quotes are exact rationals, unknown keys are errors that name the
nearest known key.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from numerics.problem.problem import (
    DIRICHLET,
    MAX_COUNT,
    MAX_SEED,
    STENCIL,
    Boundary,
    Layout,
    Problem,
    Training,
    Vector,
)
from numerics.problem.schema import POSITIVE, REQUIRED, Key, Number, Values, keys, meanings, structure
from theory.base.errors import InputError, nearest
from theory.base.exact import MAX_DIGITS, rational, rationals, spell
from theory.entropy.conventions import Convention
from theory.features.laws import Law, law
from theory.operators.equations import equations
from theory.operators.operator import COORDINATES, StencilChoice, operator

MAX_BYTES = 4_000_000
"""Largest problem file read."""


ALSO = {
    "epochs": "training.iterations", "learning_rate": "training.step", "lr": "training.step",
    "width": "features.count", "neurons": "features.count", "hidden": "features.count", "layers": "training.depth",
    "pde": "problem.equations", "equation": "problem.equations", "bc": "[[boundary]]", "ic": '[[boundary]] with face = "t-"',
    "dx": "difference.step", "h": "difference.step", "collocation": "points.interior", "exact": "problem.solution",
}  # fmt: skip
"""What some keys of other programs are called here."""


@cache
def schema() -> dict[str, tuple[Key, ...]]:
    """The keys of each table of a problem file, in order; those of ``[entropy]`` check themselves."""
    tables: dict[str, tuple[Key, ...]] = {}
    for part in (Problem, Training, Boundary):
        for _, key in keys(part):
            tables[key.table] = (*tables.get(key.table, ()), key)
    told = meanings(Convention)
    entropy = [Key("entropy", f.name, Any, f.default, told[f.name]) for f in fields(Convention)]
    order = ("problem", "features", "points", "difference", "arithmetic", "entropy", "training", "boundary")
    return {name: tables.get(name, tuple(entropy)) for name in order}


def known_keys() -> dict[str, tuple[str, ...]]:
    """The names of the keys of each table of a problem file.

    >>> known_keys()["arithmetic"]
    ('dtype', 'digits')
    """
    return {name: tuple(key.name for key in table) for name, table in schema().items()}


@cache
def _file() -> type[msgspec.Struct]:
    made: list[Any] = []
    for name, table in schema().items():
        one = structure(name.capitalize(), table)
        if name == "entropy":
            made.append((name, dict[str, Any], {}))
        elif name == "boundary":
            made.append((name, list[one], []))  # type: ignore[valid-type]
        elif any(key.default is REQUIRED for key in table):
            made.append((name, one))
        else:
            made.append((name, one, msgspec.field(default_factory=one)))
    return msgspec.defstruct("File", sorted(made, key=len), forbid_unknown_fields=True)


def load_table(path: Path | str) -> dict[str, Any]:
    """The content of a TOML file, decimals kept as text.

    Raises:
        InputError: no such file, not readable, too large, not UTF-8 or not TOML; the line names the file.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except FileNotFoundError:
        hint = (
            f"; a shipped problem is printed by 'adfd example {path}'" if re.fullmatch(r"[a-z0-9-]+", str(path)) else ""
        )
        raise InputError(f"{path}: no such file{hint}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory; a problem file is TOML") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # a ValueError also for an integer of too many digits
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not TOML: {error}") from None


def load_problem(path: Path | str) -> Problem:
    """The problem in a file; every error names the file."""
    table = load_table(path)
    try:
        return problem_from_dict(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def problem_from_dict(table: dict[str, Any]) -> Problem:
    """The problem that a file's content spells.

    Raises:
        InputError: an unknown key, a wrong type or a value that is not allowed; one line.
    """
    if "sweep" in table:
        raise InputError("sweep: a file with a [sweep] table poses many problems; run it with 'adfd sweep'")
    known_tables = known_keys()
    for key in table:
        if key not in known_tables:
            raise InputError(
                f"{_shown(key)}: unknown table; {nearest(key, known_tables)}allowed: {', '.join(known_tables)}"
            )
    for name, known in known_tables.items():
        rows = table.get(name, {})
        for row in rows if isinstance(rows, list) else [rows]:
            for key in row if isinstance(row, dict) else ():
                if key not in known:
                    hint = f"did you mean {ALSO[key]}? " if key in ALSO else nearest(key, known)
                    raise InputError(f"{name}.{_shown(key)}: unknown key; {hint}allowed: {', '.join(known)}")
    _check_values(table, "")
    if isinstance(posed := table.get("problem"), dict) and isinstance(posed.get("operator"), list):
        raise InputError(
            'problem.operator: one linear equation as a text; several are problem.equations = ["left = right", …]'
        )
    try:
        file = msgspec.convert(table, _file(), strict=True)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        where = where.rstrip("`").lstrip(".") or "file"
        reason = reason.replace("Object missing required field", "missing").replace("`", "'")
        raise InputError(f"{where}: {reason[0].lower()}{reason[1:]}") from None
    return _build(file)


def _shown(key: str) -> str:
    """A user's key on one line."""
    return repr(key)[1:-1][:60]


def _check_values(item: Any, where: str) -> None:
    """Refuses integers too long to print, and unknown keys beside ``values``."""
    if isinstance(item, dict):
        for key, value in item.items():
            if where.count(".") == 1 and where.startswith(("features.", "points.")) and key != "values":
                raise InputError(
                    f"{where}.{_shown(str(key))}: unknown key; {nearest(str(key), ['values'])}allowed: values"
                )
            _check_values(value, f"{where}.{_shown(str(key))}".lstrip("."))
    elif isinstance(item, list):
        for i, value in enumerate(item):
            _check_values(value, f"{where}[{i}]")
    elif isinstance(item, int) and item.bit_length() > 4 * MAX_DIGITS:
        raise InputError(f"{where}: an integer of more than {MAX_DIGITS} digits")


def _build(file: Any) -> Problem:
    if len(file.boundary) > 64:
        raise InputError(f"boundary: {len(file.boundary)} tables; at most 64 are allowed")
    if file.problem.operator is not None and file.problem.equations:
        raise InputError("problem.operator: is one linear equation; drop it or problem.equations")
    if file.problem.operator is None and not file.problem.equations:
        raise InputError("problem: missing 'operator' (one linear equation in u), or 'equations'")
    made: dict[str, Any] = {"domain": _domain(file.problem)}
    if file.problem.equations:
        made |= _equations(file)
    for attribute, key in keys(Problem):
        if attribute not in made:
            given = getattr(getattr(file, key.table), key.name)
            read = _READ.get(attribute)
            made[attribute] = _plain(given, key, f"{key.table}.{key.name}") if read is None else read(given, made, file)
    if made["solution"] is None and made["rhs"] is None and not file.problem.equations:
        raise InputError("problem.solution: give problem.solution or problem.rhs")
    return Problem(**made, convention=_convention(file.entropy), training=_training(file))


def _equations(file: Any) -> dict[str, Any]:
    """What is particular of equations; :class:`Problem` makes tuples of it."""
    given = file.problem
    texts = [given.equations] if isinstance(given.equations, str) else given.equations
    values = {name: rational(v, f"problem.parameters.{_shown(name)}") for name, v in given.parameters.items()}
    made = {"operator_text": "", "equations": tuple(texts), "parameters": tuple(values.items()), "rhs": given.rhs}
    return made | {name: getattr(given, name) for name in ("solution", "unknowns", "mask", "lift", "periodic")}


def _training(file: Any) -> Training:
    given, posed = file.training, bool(file.problem.equations)
    if posed and given.model == "rfm":
        raise InputError("training.model: 'rfm' solves one linear equation; equations are trained with 'two-layer'")
    given.model = given.model or ("two-layer" if posed else "rfm")
    given.optimizer = given.optimizer or ("adam" if posed else "gd")
    found: Training = _part(Training, given, "training")
    return found


def _part(part: type, given: Any, where: str) -> Any:
    """A dataclass whose fields are the keys of one table."""
    return part(**{name: _plain(getattr(given, key.name), key, f"{where}.{key.name}") for name, key in keys(part)})


def _plain(value: Any, key: Key, where: str) -> Any:
    """The value of a key that stands for itself, checked."""
    if value is None:
        return None
    if key.allowed:
        return _choice(value, key.allowed, where)
    if key.within:
        return _within(value, *key.within, where)
    if key.sign:
        number = rational(value, where)
        if number < 0 or (number == 0 and key.sign == POSITIVE):
            raise InputError(f"{where}: {spell(number)} {key.sign}")
        return number
    return tuple(value) if isinstance(value, list) else tuple(value.items()) if isinstance(value, dict) else value


def _choice(value: str, allowed: tuple[str, ...], what: str) -> Any:
    if value not in allowed:
        raise InputError(f"{what}: {value[:60]!r}; {nearest(value, allowed)}allowed: {', '.join(allowed)}")
    return value


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        most = "2**63 - 1" if high == MAX_SEED else high
        raise InputError(f"{what}: {value}; allowed are {low} to {most}")
    return value


def _domain(problem: Any) -> tuple[tuple[Fraction, Fraction], ...]:
    given: list[list[Number]] | None = problem.domain
    if given is None and problem.equations:
        posed = problem.equations if isinstance(problem.equations, list) else [problem.equations]
        values = {name: rational(v, f"problem.parameters.{_shown(name)}") for name, v in problem.parameters.items()}
        found = equations(posed, unknowns=problem.unknowns, parameters=values)
        return ((Fraction(-1), Fraction(1)),) * len(found[0].variables)
    if given is None:
        return ((Fraction(-1), Fraction(1)),) * operator(problem.operator).dimension
    if not 1 <= len(given) <= len(COORDINATES):
        raise InputError(f"problem.domain: {len(given)} intervals; allowed are 1 to {len(COORDINATES)}")
    intervals = []
    for i, pair in enumerate(given):
        if len(pair) != 2:
            raise InputError(f"problem.domain[{i}]: {len(pair)} numbers; an interval is [low, high]")
        low, high = rationals(pair, f"problem.domain[{i}]")
        if low >= high:
            raise InputError(f"problem.domain[{i}]: [{spell(low)}, {spell(high)}] needs low < high")
        intervals.append((low, high))
    return tuple(intervals)


def _vectors(values: list[Number | list[Number]], dimension: int, what: str) -> tuple[Vector, ...]:
    if not 1 <= len(values) <= MAX_COUNT:
        raise InputError(f"{what}.values: {len(values)} values; allowed are 1 to {MAX_COUNT}")
    vectors = []
    for i, value in enumerate(values):
        vector = rationals(value if isinstance(value, list) else [value], f"{what}.values[{i}]")
        if len(vector) != dimension:
            raise InputError(f"{what}.values[{i}]: {len(vector)} coordinate(s); the domain has {dimension}")
        vectors.append(vector)
    return tuple(vectors)


def _weights(given: str | Values, made: dict[str, Any], file: Any) -> Law | tuple[Vector, ...]:
    if isinstance(given, Values):
        return _vectors(given.values, len(made["domain"]), "features.weights")
    return _law(given, "features.weights")


def _biases(given: str | Values, made: dict[str, Any], file: Any) -> Law | tuple[Fraction, ...]:
    if isinstance(given, Values):
        return tuple(b for (b,) in _vectors(given.values, 1, "features.biases"))
    return _law(given, "features.biases")


def _count(given: int | None, made: dict[str, Any], file: Any) -> int:
    explicit = [len(v) for v in (made["weights"], made["biases"]) if isinstance(v, tuple)]
    return given if given is not None else explicit[0] if explicit else 64


def _law(text: str, what: str) -> Law:
    try:
        return law(text)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def _interior(given: int | list[int] | Values | None, made: dict[str, Any], file: Any) -> Any:
    dimension = len(made["domain"])
    layout = _choice(file.points.layout, get_args(Layout), "points.layout")
    if given is None:
        given = (64, 20, 8, 5)[dimension - 1] if file.problem.equations and layout == "grid" else 64
    if isinstance(given, Values):
        return _vectors(given.values, dimension, "points.interior")
    counts = given if isinstance(given, list) else [given] * (dimension if layout == "grid" else 1)
    if layout == "grid" and len(counts) != dimension:
        raise InputError(f"points.interior: {len(counts)} numbers; the domain has {dimension} dimension(s)")
    if layout != "grid" and len(counts) != 1:
        raise InputError(f"points.interior: layout {layout!r} takes one number of points")
    total = 1
    for n in counts:
        total *= _within(n, 1, MAX_COUNT, "points.interior")
    _within(total, 1, MAX_COUNT, "points.interior")
    return tuple(counts)


def _boundary(given: str, made: dict[str, Any], file: Any) -> tuple[Boundary, ...]:
    if given not in {"dirichlet", "none"}:
        raise InputError(
            f"problem.boundary: {given[:60]!r}; allowed: dirichlet, none (others are posed by [[boundary]] tables)"
        )
    weight = _plain(file.problem.weight, DIRICHLET[1], "problem.weight")
    count = file.points.boundary
    posed: bool = bool(file.problem.equations)
    if count is None:
        each = 32 if posed else 2
        count = 0 if file.boundary or given == "none" else each * len(made["domain"])
    names = _known(file.problem, made) if posed else ["u"]
    _within(count, 0, MAX_COUNT, "points.boundary")
    rows = [Boundary("all", count, name, weight=weight) for name in names if count]
    for i, one in enumerate(file.boundary):
        for name in [one.operator] if one.operator is not None else _unknowns(made) if posed else ["u"]:
            one.operator = name
            rows.append(_part(Boundary, one, f"boundary[{i}]"))
    return tuple(rows)


def _unknowns(made: dict[str, Any]) -> list[str]:
    found = equations(
        made["equations"], len(made["domain"]), unknowns=made["unknowns"], parameters=dict(made["parameters"])
    )
    return list(made["unknowns"] or dict.fromkeys(d.unknown for e in found for _, d in e.derivatives))


def _known(problem: Any, made: dict[str, Any]) -> list[str]:
    """Unknowns with a solution and without a hard condition: Dirichlet rows by default."""
    names = _unknowns(made)
    solution = {names[0]: problem.solution} if isinstance(problem.solution, str) else problem.solution or {}
    mask = {names[0]: problem.mask} if isinstance(problem.mask, str) else problem.mask
    return [name for name in names if name in solution and name not in mask]


def _stencil(offsets: list[Number] | None, made: dict[str, Any], file: Any) -> StencilChoice:
    if offsets is not None:
        if not 1 <= len(offsets) <= 41:
            raise InputError(f"difference.offsets: {len(offsets)} offsets; allowed are 1 to 41")
        return StencilChoice(offsets=rationals(offsets, "difference.offsets"))
    order = STENCIL[2]
    return StencilChoice(file.difference.stencil, _plain(file.difference.order, order, "difference.order"))


def _step(given: Number | list[Number], made: dict[str, Any], file: Any) -> tuple[Fraction, ...]:
    steps = given if isinstance(given, list) else [given]
    return (rational(steps[0], "difference.step"),) if len(steps) == 1 else rationals(steps, "difference.step")


_READ: dict[str, Callable[[Any, dict[str, Any], Any], Any]] = {
    "weights": _weights,
    "biases": _biases,
    "count": _count,
    "interior": _interior,
    "boundary": _boundary,
    "stencil": _stencil,
    "step": _step,
}
"""Attributes that take more than their own key: from what is given, what is made so far, and the whole file."""


def _convention(table: dict[str, Any]) -> Convention:
    try:
        return Convention.from_dict(table)
    except (InputError, TypeError) as error:
        raise InputError(f"entropy.{error}") from None


def problem_text(problem: Mapping[str, Any]) -> str:
    """TOML that :func:`load_problem` reads back to the same problem.

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
            lines = [f"{key} = {_toml(value)}" for key, value in table.items() if value is not None]
            blocks.append("\n".join([head, *lines]))
    return "\n\n".join(blocks)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # A JSON string is a TOML basic string once DEL, which JSON leaves as it is, is escaped too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

"""``adfd check``: re-verifies a proof object.

``adfd example``: the shipped problem files.

``adfd advise``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from numerics.differences.search import Advice, ArithmeticAdvice
from numerics.problem import file as problem_file
from proofs_check import checker, checker_entropies
from proofs_check.advice import advice
from proofs_check.advice import words as advice_words
from proofs_check.advice.answer import COLUMNS, cells
from proofs_check.advice.told import ToldModule, ToldProblem, ToldSystem
from proofs_check.cli.output import console, emit, say, table
from proofs_check.sources import papers
from theory.base.errors import InputError, nearest
from theory.base.files import check_output


def check(*, path: Path, problem: str | None, method: str | None, kernel: bool, as_json: bool) -> int:
    """Runs the checker on a file; 1 when the proof is refused, or is not about the problem asked for.

    With ``kernel`` what the checker accepts goes through the proven checker of ``theory/rocq`` as well.
    JSON: ``{"file", "accepted", "findings", "proven", "kernel"}``; ``kernel`` is null without the option, else a list
    with one object a matrix: ``method``, ``matrix_sha256``, ``values`` (how many), ``theorem``, ``entries`` (whose
    enclosures), ``places``, ``seconds`` (``witness``, ``kernel``).
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if method is not None and problem is None:
        raise InputError("--method: names a matrix of --problem, which is missing")
    if kernel:
        from proofs_check.certificates import kernel as rocq_kernel

        rocq_kernel.prepare()
    expected = None if problem is None else _digests(problem)
    findings: list[str] = []
    by_kernel: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    try:
        data = checker.read(path)
        from proofs_check.certificates.objects import is_old, upgraded

        data = upgraded(data) if is_old(data) else data
        found = checker_entropies.verify(data)
    except checker.RefusedError as reason:
        findings = [str(reason)]
    if found and expected is not None:
        findings = _about(found, expected, method)
    if kernel and not findings:
        by_kernel, findings = rocq_kernel.prove(data)
    if as_json:
        report = {"file": str(path), "accepted": not findings, "findings": findings, "proven": found or None}
        emit(report | {"kernel": by_kernel if kernel else None})
    elif findings:
        for line in findings:
            console.print(f"refused: {line}")
    else:
        console.print(f"accepted: {path}")
        console.print(checker.summary(found), soft_wrap=True, highlight=False)
        if problem is not None:
            console.print(f"it is about {problem}")
        for line in rocq_kernel.lines(by_kernel) if kernel else []:
            console.print(line, soft_wrap=True, highlight=False)
    return 1 if findings else 0


def _digests(path: str) -> dict[str, str]:
    """Of the problem and of its two matrices."""
    from numerics.problem import file as problem_file
    from numerics.spectra.certificate import difference_part, problem_part

    problem = problem_file.load_problem(path)
    part = problem_part(problem)
    matrices = {"ad": None, "fd": difference_part(problem)}
    return {"problem": checker.digest(part)} | {
        name: checker.digest({"problem": part, "difference": difference}) for name, difference in matrices.items()
    }


def _about(found: dict[str, Any], expected: dict[str, str], method: str | None) -> list[str]:
    """Why the proof is not about the problem, or about another matrix of it."""
    if found["problem_sha256"] != expected["problem"]:
        return ["the proof holds, but it is about another problem"]
    if found["statement"] == "entropies on steps":  # its steps are its own
        return []
    wanted = [method] if method is not None else found["method"].split(" and ")
    matrices = found["matrix_sha256"].split()
    if any(expected[name] not in matrices for name in wanted):
        return [f"the proof holds, but not for the {' and '.join(wanted)} matrix of this problem"]
    return []


def shipped() -> dict[str, str]:
    """Name and text of every shipped problem file."""
    folder = files("proofs_check") / "problems"
    found = {
        p.name.removesuffix(".toml"): p.read_text(encoding="utf-8")
        for p in folder.iterdir()
        if p.name.endswith(".toml")
    }
    return dict(sorted(found.items()))


def _headline(text: str) -> str:
    first = text.splitlines()[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def example(*, name: str | None, as_json: bool) -> int:
    """Lists the files, or prints one."""
    known = shipped()
    if name is None:
        listed = [{"name": n, "about": _headline(text)} for n, text in known.items()]
        if as_json:
            emit({"examples": listed})
        else:
            table("Shipped problems", ["name", "about"], [[e["name"], e["about"]] for e in listed])
            console.print("print one: adfd example poisson > poisson.toml")
        return 0
    if papers.is_paper(name) and papers.find(name).example:
        name = papers.find(name).example
    if name not in known:
        raise InputError(f"example {name!r}: unknown; {nearest(name, known)}allowed: {', '.join(known)}")
    if as_json:
        emit({"name": name, "toml": known[name]})
    else:
        sys.stdout.write(known[name])
    return 0


def advise(
    *,
    path: str | None,
    device: str,
    figure: Path | None,
    as_json: bool,
    force: bool = False,
    module: str | None = None,
    operator: str | None = None,
    domain: str | None = None,
    count: int = 512,
    dtype: str | None = None,
    step: str | None = None,
    cost: bool = True,
    unknowns: str | None = None,
) -> int:
    """Prints which step, stencil and precision to use, and what AD would gain; draws it when asked.

    JSON: ``{"problem", "given": {"stencil", "step"}, "scale", "points", "features", "whole", "arithmetics":
    {"float32" | "float64": {"stencils": […], "given": {…}}}, "skipped", "cost", "recommendation"}``.

    * Each of ``stencils`` (the file's own first): ``stencil`` (its name), ``difference`` (the keys that spell it),
      ``own``, ``order``, ``evaluations`` (of the network a point), ``basis`` (``model``, ``search`` or ``none``),
      ``step`` (h*), ``suggested_step`` (two binary digits), ``good_steps`` ([low, high]: at most twice the least error),
      ``best`` and ``given`` (``step``, ``truncation``, ``roundoff``, ``error``, ``worst_roundoff``), ``reason``.
    * ``given``, of the file's own stencil and step: these parts, ``measured_error``, ``entry_error`` (τ), ``floor``,
      ``knee``, ``values``, ``cutoff`` and ``entropy`` (of A_AD and A_FD; ``gap`` is FD − AD, ``predicted_gap`` the
      model's), ``loss_floor`` (``ad``, ``fd``; ``predicted_fd`` = ``unresolved`` + ``truncation`` + ``roundoff``).
    * ``recommendation``: ``sufficient`` (the file's own difference reaches twice AD's least loss), ``arithmetic``, ``stencil``, ``difference``, ``step``, ``suggested_step``, ``floor``, ``knee``
      and ``loss_floor`` there, ``text`` (sentences).
    * Of equations: ``{"problem", "points", "unknowns": {name: as of a module}, "common": {"float32" | "float64": {"step",
      "suggested_step", "good_steps", "error", "given_error", "residual", "edge", "prices", "curve"}}, "text"}``.
    * ``scale`` is the root mean square of the entries of A_AD; ``cost`` has seconds an iteration: ``ad`` (nested
      autograd), ``fd``, ``ad_taylor`` (closed form), ``ratio``; ``device``, ``dtype``, ``threads``.
    * Of each stencil also ``steps`` and ``suggested_steps`` (one per axis), ``usable``, and ``solution_errors``
      ([step, relative error] of the least-squares solution) where AD misses the jumps of the features.

    JSON of all of them also has ``answer``: ``equation``, ``dtype``, ``stencil``, ``steps`` (by coordinate, to copy), ``error``
    (relative, to expect), ``usable``, ``ad`` (``error``, ``times_fd``: an iteration with nested autograd over one with FD,
    ``closed_form_times_fd``), ``text``, and ``rows``, each difference that was looked at: ``name``, ``dtype``, ``stencil``,
    ``steps``, ``good``, ``error``, ``usable``, ``points`` (h, error), ``truncation`` (C, p), ``roundoff`` (ρ, m), ``ad``.

    JSON of a module: ``{"equation", "arithmetic", "columns", "points", "terms", "equations", "notes", "judged",
    "recommendation", "module"}``; each of ``terms`` (derivatives) and ``equations`` has ``derivative``, ``stencil``,
    ``arithmetic``, ``basis`` (``model``, ``search``, ``edge``, ``zero``, ``kinks``), ``step``, ``steps``, ``suggested_step``,
    ``suggested_steps``, ``good_steps``, ``loose``, ``error``, ``relative_error``, ``size``, ``usable``, ``missed``,
    ``ad_error``; ``judged`` is null without ``--step``.
    """
    if (path is None) == (module is None):
        raise InputError("advise: give a problem file, or --module FILE.py:name with --operator")
    if figure is not None:
        from proofs_check.report.figures import advice as advice_figure

        advice_figure.check_figure(figure)
        check_output(figure, option="--figure", force=force, inputs=[path or ""])
    if module is not None:
        found = _module(module, operator, unknowns, domain, count, dtype, step, cost)
        return _tell(found, figure, force, as_json, {"module": module})
    assert path is not None
    for option, value in (
        ("--operator", operator), ("--unknowns", unknowns), ("--domain", domain), ("--step", step),
    ):  # fmt: skip
        if value is not None:
            raise InputError(f"{option}: belongs to --module; the problem file has its own")
    problem = problem_file.load_problem(path)
    return _tell(advice.advise(problem, device=device, cost=cost, dtype=dtype), figure, force, as_json, {})


def _tell(
    found: ToldProblem | ToldModule | ToldSystem, figure: Path | None, force: bool, as_json: bool, also: dict[str, Any]
) -> int:
    """The sentences, the recommendation first, then the tables."""
    if figure is not None:
        found.figure(figure, force=force)
    if as_json:
        emit(found.to_dict() | also | ({"figure": str(figure)} if figure else {}))
        return 0
    for sentence in found.text:
        say(f"- {sentence}")
    if isinstance(found, Advice):
        for part in found.arithmetics:
            _table(found, part)
    else:
        table("Errors in parts of what is differenced", list(COLUMNS), [cells(row) for row in found.answer.rows])
    return 0


def _module(
    place: str,
    operator: str | None,
    unknowns: str | None,
    domain: str | None,
    count: int,
    dtype: str | None,
    step: str | None,
    cost: bool,
) -> ToldModule:
    """The advice on what a Python file of the user's defines; ``operator``, ``unknowns`` and ``points`` may be there too."""
    file, _, name = place.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise InputError(f"--module: {place!r}; allowed: FILE.py:name")
    names = _names(file)
    if name not in names:
        raise InputError(f"--module: {file} defines no {name!r}")
    equation = operator or names.get("operator")
    if not isinstance(equation, str | list | tuple):
        raise InputError("--operator: is missing; give the equation, such as --operator 'u_t + u*u_x = 0.01*u_xx'")
    points = names.get("points") if domain is None else _uniform(domain, count)
    if points is None:
        raise InputError(f"--domain: is missing, and {file} defines no points; give for instance --domain=-1,1;0,1")
    steps = None if step is None else _steps(step)
    named = unknowns or names.get("unknowns")
    return advice.advise(names[name], equation, points, unknowns=named, dtype=dtype, step=steps, cost=cost)


def _names(file: str) -> dict[str, Any]:
    """What a user's own Python file defines; it is run, with its folder on the path."""
    path = Path(file)
    if not path.is_file():
        raise InputError(f"--module: {file}: no such file")
    spec = importlib.util.spec_from_file_location(f"adfd_module_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[made.__name__] = made
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what it prints is not the answer
            spec.loader.exec_module(made)
    except (Exception, SystemExit) as error:
        told = " ".join(str(error).split())[:160]
        raise InputError(f"--module: {file} fails: {type(error).__name__}: {told}") from None
    finally:
        sys.path.remove(str(path.parent.resolve()))
    return vars(made)


def _uniform(domain: str, count: int) -> Any:
    """Points drawn uniformly from a box such as ``-1,1;0,1``, with a fixed seed."""
    import numpy as np

    try:
        box = [[float(end) for end in axis.split(",")] for axis in domain.split(";")]
    except ValueError:
        box = []
    if not box or any(len(axis) != 2 or not axis[0] < axis[1] for axis in box):
        raise InputError(f"--domain: {domain!r}; allowed: low,high for each axis, such as -1,1;0,1")
    low, high = np.array(box).T
    return low + (high - low) * np.random.default_rng(0).random((count, len(box)))


def _steps(text: str) -> Any:
    """``0.01``, or one for each axis, ``0.01,0.001``."""
    from theory.base.exact import rational

    found = [float(rational(part.strip(), "--step")) for part in text.split(",")]
    return found[0] if len(found) == 1 else found


def _table(found: Advice, part: ArithmeticAdvice) -> None:
    rows = []
    for s in part.stencils:
        rows.append(
            [
                s.label + (" (yours)" if s.own else ""),
                str(s.evaluations),
                "" if s.step is None else advice_words.number(s.step),
                "" if s.good is None else " … ".join(advice_words.number(h) for h in s.good),
                "" if s.best is None else advice_words.number(s.best.error),
                "" if s.here is None else advice_words.number(s.here.truncation),
                "" if s.here is None else advice_words.number(s.here.roundoff),
            ]
        )
    step = found.problem.to_dict()["difference"]["step"]
    columns = ["stencil", "evaluations", "h*", "good h", "error at h*", "truncation", "round-off"]
    table(f"{part.arithmetic}; truncation and round-off at your h = {', '.join(step)}", columns, rows)

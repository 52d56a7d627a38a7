"""``adfd advise``."""

from __future__ import annotations

from pathlib import Path

from numerics import problem_file
from proofs_check import advice, advice_words
from proofs_check.advice_search import Advice, ArithmeticAdvice
from proofs_check.commands.output import emit, say, table
from theory.files import check_output


def advise(*, path: str, device: str, figure: Path | None, as_json: bool, force: bool = False) -> int:
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
    * ``scale`` is the root mean square of the entries of A_AD; ``cost`` has seconds an iteration: ``ad`` (nested
      autograd), ``fd``, ``ad_taylor`` (closed form), ``ratio``; ``device``, ``dtype``, ``threads``.
    """
    problem = problem_file.load(path)
    if figure is not None:
        from proofs_check import advice_figure

        advice_figure.check_figure(figure)
        check_output(figure, option="--figure", force=force, inputs=[path])
    found = advice.advise(problem, device=device)
    if figure is not None:
        advice_figure.draw(found, figure, force=force)
    if as_json:
        emit(advice_words.to_dict(found) | ({"figure": str(figure)} if figure else {}))
        return 0
    for part in found.arithmetics:
        _table(found, part)
    for sentence in found.text:
        say(f"- {sentence}")
    return 0


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
    columns = ["stencil", "values", "h*", "good h", "error at h*", "truncation", "round-off"]
    table(f"{part.arithmetic}; truncation and round-off at your h = {', '.join(step)}", columns, rows)

"""Advice as it is shown: as text, as a page for notebooks in light and dark, as a figure, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from numerics.differences.network import ModuleAdvice
from numerics.differences.search import Advice
from numerics.differences.systems import SystemAdvice
from proofs_check.advice import module_words, system_words, words
from proofs_check.advice.answer import COLUMNS, Answer, answer, cells


class Told:
    """What every kind of advice can do besides."""

    text: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        """The recommendation and every difference that was looked at, the same for every kind."""
        assert isinstance(self, Advice | ModuleAdvice | SystemAdvice)
        return answer(self)

    def to_dict(self) -> dict[str, Any]:
        """As ``adfd advise --json``."""
        raise NotImplementedError

    def figure(self, path: Path | str, *, force: bool = False) -> Path:
        """Draws error against step, to a file that ends in .svg, .pdf or .png.

        Raises:
            InputError: another suffix, no such folder, or a file that adfd did not make and ``force`` is not given.
        """
        from proofs_check.report.figures import advised

        advised.draw(self.answer, Path(path), force=force)
        return Path(path)

    def panels(self) -> Sequence[str]:
        """The same as SVG elements for a page."""
        from proofs_check.report.figures import advised

        return advised.panels(self.answer)

    def __str__(self) -> str:
        return "\n".join(self.text)

    def _repr_html_(self) -> str:
        from proofs_check.advice.page import page

        found = self.answer
        return page(found, COLUMNS, [cells(row) for row in found.rows], self.panels())


@dataclass(frozen=True, repr=False)
class ToldProblem(Told, Advice):
    """Advice on one linear equation."""

    def to_dict(self) -> dict[str, Any]:
        return words.to_dict(self) | {"answer": self.answer.to_dict()}

    def figure(self, path: Path | str, *, force: bool = False) -> Path:
        from proofs_check.report.figures import advice

        advice.draw(self, Path(path), force=force)
        return Path(path)

    def panels(self) -> Sequence[str]:
        from proofs_check.report.figures import advice

        return advice.panels(self)


@dataclass(frozen=True, repr=False)
class ToldModule(Told, ModuleAdvice):
    """Advice on a network or function of one's own."""

    def to_dict(self) -> dict[str, Any]:
        return module_words.to_dict(self) | {"answer": self.answer.to_dict()}


@dataclass(frozen=True, repr=False)
class ToldSystem(Told, SystemAdvice):
    """Advice on equations."""

    def to_dict(self) -> dict[str, Any]:
        return system_words.to_dict(self) | {"answer": self.answer.to_dict()}


def told(advice: Advice | ModuleAdvice | SystemAdvice) -> ToldProblem | ToldModule | ToldSystem:
    """An advice put in words."""
    content = {field.name: getattr(advice, field.name) for field in fields(advice)}
    if isinstance(advice, Advice):
        return ToldProblem(**content | {"text": tuple(words.recommendation(advice))})
    if isinstance(advice, ModuleAdvice):
        return ToldModule(**content | {"text": tuple(module_words.of_network(advice))})
    return ToldSystem(**content | {"text": tuple(system_words.of_system(advice))})

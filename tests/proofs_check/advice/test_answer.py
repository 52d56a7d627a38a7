"""One answer for modules, equations and problems: the same keys, a figure, a page; and it says what was found."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from numerics.problem import file as problem_file
from proofs_check.advice.advice import advise
from proofs_check.advice.told import ToldModule, ToldProblem, ToldSystem
from theory.base.errors import InputError

Any_ = ToldModule | ToldProblem | ToldSystem
POISSON = """
[problem]
operator = "u_xx"
solution = "sin(x)"
[features]
activation = "tanh"
count = 8
[points]
interior = 8
"""
EQUATION = """
[problem]
equations = ["u_x + v = 0", "v_x = u"]
solution = {u = "cos(x)", v = "sin(x)"}
domain = [[0, 1]]
[features]
activation = "tanh"
count = 4
[points]
interior = 6
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any_]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    linear, system = (problem_file.problem_from_dict(tomllib.loads(text)) for text in (POISSON, EQUATION))
    return {
        "module": advise(net, "u_xx", torch.linspace(0, 1, 20)[:, None], step=1e-4),
        "problem": advise(linear),
        "system": advise(system),
    }


@pytest.mark.parametrize("kind", ["module", "problem", "system"])
def test_every_kind_answers_alike(told: dict[str, Any_], kind: str, tmp_path: Path) -> None:
    found = told[kind]
    answer = found.to_dict()["answer"]
    assert set(answer) == set(told["module"].to_dict()["answer"])
    assert answer["steps"]
    assert answer["usable"]
    assert 0 < answer["error"] < 1e-3
    assert answer["text"] == list(found.text) == str(found).splitlines()
    assert found.answer.cost is not None
    assert found.answer.cost.fd > 0
    assert all(row["good"][0] <= max(row["steps"].values()) * 1.01 for row in answer["rows"])
    page = found._repr_html_()
    assert page.count("<svg") >= 2
    assert "prefers-color-scheme:dark" in page
    assert not re.search(r"#17181a(?!;)", page.partition("</style>")[2])  # colours come from the theme
    assert found.figure(tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="allowed: a name that ends in"):
        found.figure(tmp_path / "f.gif")


def test_the_rows_of_a_module_are_what_was_measured(told: dict[str, Any_]) -> None:
    """At steps of the far branches the model's lines lie on the measured points; AD lies under the least error."""
    (row, *_) = [r for r in told["module"].answer.rows if (r.dtype, r.stencil) == ("float32", "central order 2")]
    assert row.truncation is not None
    assert row.roundoff is not None
    h, error = min(row.points)
    assert error == pytest.approx(row.roundoff[0] * h ** -row.roundoff[1], rel=0.7)
    (C, p), (rho, m) = row.truncation, row.roundoff
    assert (p, m) == (2, 2)
    crossing = (rho / C) ** (1 / (p + m))
    assert abs(math.log(crossing / row.steps[0][1])) < math.log(2)
    assert row.ad is not None
    assert row.error is not None
    assert row.ad < row.error
    assert [r.ad for r in told["module"].answer.rows if r.dtype == "float64"] == [
        None
    ] * 3  # what errors are told against


def test_no_cost_is_measured_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("numerics.differences.judged.medians", refuse)
    assert advise(torch.nn.Linear(1, 1), "u_x", [[0.0], [1.0]], cost=False).cost is None

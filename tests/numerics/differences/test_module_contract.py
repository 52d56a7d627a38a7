"""How modules and functions are called, what is said of those that cannot be advised on, and steps that are judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from numerics.differences.network import ModuleAdvice, advise_module, judge_module
from numerics.differences.steps import least, spacing
from proofs_check.advice.advice import advise
from proofs_check.advice.watch import StepWarning, watch
from theory.base.errors import InputError
from theory.operators.operator import StencilChoice, meant

CENTRAL = (StencilChoice("central", 2),)


def line(low: float = 0.0, high: float = 1.0, n: int = 40) -> torch.Tensor:
    return torch.linspace(low, high, n)[:, None]


def square(n: int = 40) -> torch.Tensor:
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(0))


class Plain(torch.nn.Module):
    """A plain attribute in float32, a complex parameter, and an attribute that carries a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.B = torch.tensor([[3.0]])
        self.c = torch.nn.Parameter(torch.tensor([1.0 + 0.5j]))
        self.scale = 2 * torch.nn.Parameter(torch.tensor([0.5]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.sin(x @ self.B) * self.c).real * self.scale


class Two(torch.nn.Module):
    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.tanh(2 * x + t)


WAVE = Plain()


@pytest.mark.parametrize(
    ("given", "operator", "points"),
    [
        (Plain(), "u_xx", line()),
        (lambda x: WAVE(x) * x * (1 - x), "u_xx", line().numpy()),
        (WAVE.forward, "u_xx", line().double()),
        (Two(), "u_t - u_xx", square()),
        (lambda x: np.sin(3 * x), "u_xx", line().numpy()),
        (lambda x, t: np.tanh(2 * x + t), "heat", square().tolist()),
    ],
)
def test_what_is_understood(given: Any, operator: str, points: Any) -> None:
    found = advise_module(given, operator, points, choices=CENTRAL)
    assert found.recommended.usable
    assert found.recommended.relative < 1e-2
    assert WAVE.B.dtype == torch.float32


def test_columns_have_names() -> None:
    def pair(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.sin(x[:, 0] + x[:, 1]), torch.tanh(x[:, :1] * x[:, 1:])

    def columns(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.sin(x[:, 0] + x[:, 1]), torch.tanh(x[:, 0] * x[:, 1])], 1)

    posed = ["u_t = v_xx", "v_t = u*u_x"]
    one, other = (
        advise_module(f, posed, square(), unknowns=["u", "v"], choices=CENTRAL).recommended for f in (pair, columns)
    )
    assert one.error == other.error
    assert one.relative < 1e-2
    swapped = advise_module(columns, posed, square(), unknowns="v, u", choices=CENTRAL)
    assert swapped.of("v_xx", "float64").size == pytest.approx(
        float((torch.sin(square().double().sum(1)) ** 2).mean().sqrt())
    )
    told = list(advise(columns, posed, square(), unknowns=["u", "v"]).text)
    assert any("The error of the equations is then about" in line for line in told)
    judged = judge_module(columns, "; ".join(posed), square(), 0.01, unknowns=["u", "v"])
    assert {part.name for part in judged.terms} == {"u_t", "v_xx", "v_t", "u_x"}
    only = advise_module(columns, "v_t = 0*x", square(), unknowns=["u", "v"], choices=CENTRAL)  # u is let be
    assert {t.derivative for t in only.terms} == {"v_t"}


@pytest.mark.parametrize(
    ("operator", "unknowns", "words"),
    [
        ("u_t = v_xx", None, 'say which column of the module is which, unknowns = \\["u", "v"\\]'),
        (["u_t = v_xx", "v_t = u_x"], ["u", "v", "w"], "returns \\(40, 2\\) for 40 points; allowed: \\(n, 3\\)"),
        ("u_t = u_xx", None, "allowed: \\(n,\\) or \\(n, 1\\); several unknowns are named"),
        ("u_t = w_xx", ["u", "v"], "unknown name 'w_xx'"),
        ("u_t = v_xx", ["u", "u"], "different names"),
        ("u_t = v_xx", ["u", "x"], "'x' is taken"),
        ("u = v + x + t", ["u", "v"], "no derivative"),
        ("u_t = v_xyy", ["u", "v"], "the points have 2 dimension"),
    ],
)
def test_columns_that_do_not_fit(operator: Any, unknowns: Any, words: str) -> None:
    def columns(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.sin(x[:, 0]), x[:, 1]], 1)

    with pytest.raises(InputError, match=words) as caught:
        advise_module(columns, operator, square(), unknowns=unknowns)
    assert "\n" not in str(caught.value)


def test_the_residual_of_a_trained_network_is_no_measure() -> None:
    """u_t = u_xx holds exactly: the error is told in parts of the terms, which do not vanish."""
    found = advise_module(lambda x: torch.exp(-x[:, 1]) * torch.sin(x[:, 0]), "u_t = u_xx", square(), choices=CENTRAL)
    whole = found.of("u_t = u_xx", "float64")
    assert whole.size == pytest.approx(found.of("u_xx", "float64").size)
    assert whole.usable


class Half(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x.float())


def fails(x: Any) -> Any:
    raise RuntimeError("on\ntwo lines")


@pytest.mark.parametrize(
    ("given", "operator", "points", "words"),
    [
        (torch.nn.Linear(2, 1), "u_t - u_xx - u_yy", torch.rand(9, 3), "fails on points of shape"),
        (torch.nn.Linear(1, 2), "u_x", line(), "returns"),
        (lambda x: x * 1j, "u_x", line(), "complex"),
        (Half(), "u_x", line(), "casts inside"),
        (fails, "u_x", line(), "on two lines"),
        (3, "u_x", line(), "cannot be called"),
        (torch.nn.Linear(1, 1), "u_x", "abc", "array of numbers"),
        (torch.nn.Linear(1, 1), "u_x", [[math.nan]], "not finite"),
        (torch.nn.Linear(1, 1), "uxx", line(), "did you mean 'u_xx'"),
        (torch.nn.Linear(1, 1), "u_x = u = 1", line(), "equals"),
    ],
)
def test_one_line_where_it_cannot_be_advised_on(given: Any, operator: str, points: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        advise_module(given, operator, points)
    assert "\n" not in str(caught.value)


def told(*given: Any, **options: Any) -> tuple[ModuleAdvice, str]:
    found = advise(*given, **options)
    assert isinstance(found, ModuleAdvice)
    return found, " ".join(found.text)


def test_derivatives_that_vanish_get_a_sentence() -> None:
    found, text = told(torch.nn.Linear(1, 1), "u_xx", line())
    assert found.recommended.basis == "zero"
    assert "Nothing to difference: u_xx vanishes" in text
    _, text = told(lambda x, t: torch.tanh(x) + 0 * t, "u_t - u_xx", square())
    assert "u_t vanishes at these points" in text


def test_kinks_are_not_judged_by_autograd() -> None:
    found, text = told(lambda x: (x - 0.5).abs() + x.sin(), "u_xx", line(-1, 1))
    assert found.recommended.basis == "kinks"
    assert not found.recommended.usable
    assert "AD is not the truth" in text
    assert told(torch.relu, "u_x", line(-1, 1))[0].recommended.basis != "kinks"
    assert told(lambda x: torch.tanh(3000 * (x - 0.3)), "u_xx", line(-1, 1))[0].recommended.basis != "kinks"


def test_a_graph_that_is_cut_off_is_told() -> None:
    found, text = told(lambda x: torch.sin(2 * x) + torch.sin(3 * x).detach(), "u_xx", line())
    assert "A part of the graph is cut off" in text
    assert found.of("u_xx", "float64").relative < 1e-5


def test_offsets_are_told_and_every_good_step_is_good() -> None:
    found, text = told(lambda x: torch.tanh(3 * (2 * (x - 1000) - 1)), "u_x", line(1000, 1001, 100))
    term = found.of("u_x", "float32")
    assert term.good[0] == term.good[1]
    assert math.frexp(term.step)[0] == 0.5
    assert term.loose is not None
    assert term.loose[2] > 100
    assert "stores without rounding" in text
    assert "Columns: x from 1000 to 1001" in text


def test_that_nothing_works_is_said_with_what_would() -> None:
    found, text = told(lambda x: 1e6 + torch.sin(x), "u_xxxx", line())
    assert not found.of("u_xxxx", "float32").usable
    assert text.startswith("No step works in float32")
    assert "float64" in text


def test_a_step_is_judged() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    equation = "u_t + u*u_x = 0.1*u_xx"
    small = judge_module(net, equation, square(), 1e-4)
    assert not small.fine
    assert small.whole.cause == "round-off"
    assert small.gradient is not None
    assert small.gradient[0] > 0.1
    assert judge_module(net, equation, square(), {"x": 0.9, "t": 0.9}).whole.cause == "truncation"
    good = judge_module(net, equation, square(), [h for _, h in small.best.steps])
    assert good.fine
    assert good.gradient is not None
    assert good.gradient[0] < 1e-2
    assert good.times == pytest.approx(1, rel=1e-6)
    for bad in (0, [0.1], {"x": 0.1}, {"x": 0.1, "t": 0.1, "y": 1}, "a", math.inf):
        with pytest.raises(InputError, match="step: "):
            judge_module(net, equation, square(), bad)


def test_a_watch_warns_when_a_shock_forms() -> None:
    class Shock(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.k = torch.nn.Parameter(torch.tensor(1.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.k * x)

    net = Shock()
    look = watch(net, "u_x", line(-1, 1), 0.03, every=2)
    found = look()
    assert found is not None
    assert found.fine
    assert look() is None
    with pytest.warns(StepWarning, match="is not all right"):
        judged = look.over({"late": {"k": torch.tensor(60.0)}})
    assert not judged[0][1].fine
    assert [name for name, _ in look.history] == [0, "late"]
    assert float(net.k.detach()) == 1.0
    with pytest.raises(InputError, match="does not fit"):
        look.over({"other": {"q": torch.tensor(1.0)}})
    with pytest.raises(InputError, match="every"):
        watch(net, "u_x", line(), 0.1, every=0)


def test_the_search_over_steps() -> None:
    found = least(lambda h: 2 * h**2 + 1e-8 / h, 1e-9, 1.0)
    assert found.step == pytest.approx((1e-8 / 4) ** (1 / 3), rel=0.1)
    assert found.edge is None
    assert all(2 * h**2 + 1e-8 / h <= 2.01 * found.error for h in np.geomspace(*found.good, 50))
    assert least(lambda h: 1 / h, 1e-6, 1.0).edge == "high"
    assert least(lambda h: h, 1e-6, 1.0).edge == "low"
    assert spacing(1.5, 2.0**-23) == 2.0**-23


def test_spellings() -> None:
    assert meant("d2u/dx2 - ut") == "did you mean 'u_xx - u_t'? "
    assert meant("u_xx + x*u") == ""

"""What people get wrong at first: each gets one line that says what would do, an InputError in Python and status 2 on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from proofs_check.advice.advice import advise
from proofs_check.cli import exits
from proofs_check.cli.check import shipped
from proofs_check.cli.main import app
from theory.base.errors import InputError

ONE = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
TWO = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
X, XT = torch.rand(5, 1), torch.rand(5, 2)


@pytest.mark.parametrize(
    ("equation", "remedy"),
    [
        ("du/dx", "did you mean 'u_x'"), ("d2u/dx2", "did you mean 'u_xx'"), ("uxx", "did you mean 'u_xx'"),
        ("u_x_x", "did you mean 'u_xx'"), ("u''", "did you mean 'u_xx'"), ("u_{xx}", "did you mean 'u_xx'"),
        ("laplacian(u)", "did you mean 'laplace'"), ("poison", "did you mean 'poisson'"), ("2u_xx", r"did you mean '2\*u_xx'"),
        ("u u_x", r"did you mean 'u\*u_x'"), ("burgers", r"did you mean 'u_t \+ u\*u_x = 0.01\*u_xx'"),
        ("Allen-Cahn", r"did you mean 'u_t = 0.01\*u_xx"), ("navier-stokes", "adfd example navier-stokes"),
        ("T_xx", r'unknowns = \["T"\]'), ("u_x^2", r"write powers as \*\*"), ("nu*u_xx", "write parameters as numbers"),
        ("u_x == 0", "write 'left = right'"), ("u", "write for instance"), ("", "write for instance"), ("u_rr", "x, y, z, t"),
        ([3], "operator"), ("u_t - u_xx", "the points have 1 column"), ("u_xxxxxxxxx", "up to order 6"),
    ],
)  # fmt: skip
def test_equations(equation: Any, remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        advise(ONE, equation, X, cost=False)


@pytest.mark.parametrize(
    ("ask", "remedy"),
    [
        (lambda: advise(ONE, X, "u_xx"), r"the order is advise\(module, equation, points\)"),
        (lambda: advise(ONE, "u_xx", torch.rand(9)), r"points\[:, None\]"),
        (lambda: advise(ONE, "u_xx", torch.rand(0, 1)), "n at least 1"),
        (lambda: advise(ONE, "u_xx", [[float("nan")]]), "not finite"),
        (lambda: advise(TWO, "u_t - u_xx", torch.rand(2, 9)), "a row for each point"),
        (lambda: advise(ONE, "u_t - u_xx", XT), r"does it take the 2 column\(s\) of the points"),
        (lambda: advise(ONE, "u_xx", X, step=0), "allowed: a positive number"),
        (lambda: advise(ONE, "u_xx", X, step=True), "allowed: a positive number"),
        (lambda: advise(ONE, "u_xx", X, step="small"), "allowed: 3, -1/7, 0.25, 1e-3"),
        (lambda: advise(ONE, "u_xx", X, step=[0.1, 0.1]), "one for each of x"),
        (lambda: advise(TWO, "u_t - u_xx", XT, step={"x": 0.1}), "one for each of x, t"),
        (lambda: advise(TWO, "u_t - u_xx", XT, step={"x": 0.1, "y": 0.1}), "one for each of x, t"),
        (lambda: advise(ONE, "u_xx", X, dtype="f32"), "did you mean 'float32'"),
        (lambda: advise(ONE, "u_xx", X, dtype="double"), "did you mean 'float64'"),
        (lambda: advise(ONE, "u_xx", X, dtype="int64"), "allowed: float32, float64"),
        (lambda: advise(torch.nn.Linear(1, 3), "u_xx", X), r"several unknowns are named, unknowns = "),
        (lambda: advise(torch.nn.Linear, "u_xx", X), "is a class"),
        (lambda: advise(ONE.state_dict(), "u_xx", X), "allowed: a torch module or a function"),
        (lambda: advise("poisson.toml"), r"adfd.load\('poisson.toml'\)"),
        (lambda: advise(ONE, "u_xx"), r"advise\(module, 'u_xx', points\)"),
        (lambda: advise(lambda x: None, "u_xx", X), "allowed: a tensor or an array of floats"),
        (lambda: advise(lambda x: ONE(x).mean(), "u_xx", X), "row by row"),
        (lambda: advise(lambda x: torch.exp(1j * x), "u_xx", X), "take .real"),
    ],
)  # fmt: skip
def test_arguments(ask: Callable[[], Any], remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        ask()


def test_what_is_meant_is_taken() -> None:
    """Steps as text, a dtype of torch's or NumPy's."""
    steps = [advise(ONE, "u_x", X, step=h, dtype=kind, cost=False).judged
             for h, kind in (("1/100", torch.float32), (0.01, np.float32))]  # fmt: skip
    assert steps[0] is not None
    assert steps[0] == steps[1]


MODULE = "advise --module net.py:model"


@pytest.mark.parametrize(
    ("words", "old", "new", "remedy"),
    [
        ("advise", "", "", "give a problem file"),
        ("train poisson", "", "", "adfd example poisson"),
        ("advise --module net.py", "", "", "allowed: FILE.py:name"),
        ("advise --module net.py:modell", "", "", "defines no 'modell'"),
        (f"{MODULE} --operator u_xx", "", "", "give for instance --domain"),
        (f"{MODULE} --domain 0,1", "", "", "give the equation"),
        (f"{MODULE} --operator u_t-u_xx --domain 0,1", "", "", "give one for each coordinate"),
        (f"{MODULE} --operator u_x --domain 1,0", "", "", "low,high for each axis"),
        (f"{MODULE} --operator u_x --domain [0,1]", "", "", "low,high for each axis"),
        (f"{MODULE} --operator u_x --domain 0,1 --step 0", "", "", "a positive number"),
        (f"{MODULE} --operator u_x --domain 0,1 --dtype f32", "", "", "'float64', 'float32'"),
        (f"{MODULE} --operator u_x --domain 0,1 --figure f.gif", "", "", ".svg, .pdf, .png"),
        ("advise p.toml --step 0.1", "", "", "the problem file has its own"),
        ("advise p.toml", '"u_xx"', '"uxx"', "did you mean 'u_xx'"),
        ("advise p.toml", '"u_xx"', '"poisonn"', "did you mean 'poisson'"),
        ("advise p.toml", "operator =", "operater =", "did you mean 'operator'"),
        ("advise p.toml", "operator =", "pde =", "did you mean problem.equations"),
        ("advise p.toml", "[features]", "[feature]", "did you mean 'features'"),
        ("advise p.toml", 'activation = "tanh"', 'activation = "tahn"', "did you mean 'tanh'"),
        ("advise p.toml", "\nstep =", "\ndx =", "did you mean difference.step"),
        ("advise p.toml", "sin(pi*x)", "np.sin(pi*x)", "functions of one argument"),
        ("train b.toml", 'parameters = {nu', "parameters = {mu", "unknown name 'nu'"),
        ("train b.toml", "t*(1 - x**2)", "t(1 - x**2)", "unknown function 't'"),
        ("train b.toml", 'mask = "t*(1 - x**2)"', "", "give [[boundary]], problem.mask or problem.solution"),
        ("train b.toml", '"lbfgs"', '"LBFGS"', "gd, adam, lbfgs"),
        ("train b.toml", '"lbfgs"', '"sgd"', "gd, adam, lbfgs"),
        ("train b.toml", "optimizer =", "optimiser =", "did you mean 'optimizer'"),
        ("train b.toml", "iterations =", "epochs =", "did you mean training.iterations"),
        ("train b.toml", "optimizer =", "learning_rate = 0.1\noptimizer =", "did you mean training.step"),
        ("train b.toml", "count =", "width =", "did you mean features.count"),
        ("train b.toml", 'step = "1/50"', 'step = "10"', "take a smaller step"),
        ("train b.toml", "[24, 12]", "[24]", "the domain has 2 dimension(s)"),
        ("train b.toml", "[[-1, 1], [0, 1]]", "[[1, -1], [0, 1]]", "needs low < high"),
        ("train b.toml --model rfm", "", "", "two-layer"),
        ("train b.toml --method both", "", "", "'ad', 'fd'"),
        ("train b.toml --step 0", "", "", "must be positive"),
        ("entropy b.toml", "", "", "--kernel ntk"),
    ],
)  # fmt: skip
def test_commands(
    words: str, old: str, new: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text("import torch\n\ndef model(x):\n    return torch.sin(x[:, 0])\n")
    for name, text in (("p.toml", shipped()["poisson"]), ("b.toml", shipped()["burgers"])):
        assert not old or name not in words or old in text
        (tmp_path / name).write_text(text.replace(old, new) if old else text, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["adfd", *words.split()])
    with pytest.raises(SystemExit) as stop:
        exits.run(app)
    told = capsys.readouterr()
    assert stop.value.code == 2
    assert told.out == ""
    assert remedy in told.err
    assert len(told.err.strip().splitlines()) == 1

"""Advice on steps and stencils: against brute force, against theory by other routes, and as a command."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.differences.advise import _stencil, advise_cells
from numerics.differences.floor import entry_errors
from numerics.differences.model import (
    MAX_SIZE,
    ErrorModel,
    at_step,
    error_model,
    leading_terms,
    measured_error,
    thinned,
    values,
    with_largest_step,
)
from numerics.differences.search import Advice, inputs, label, near
from numerics.matrices.assemble import float_matrix, multiprecision_entries
from numerics.problem import file as problem_file
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs import sweep
from proofs_check.advice import words as advice_words
from proofs_check.advice.advice import advise
from proofs_check.cli import output
from proofs_check.cli.check import advise as command
from proofs_check.cli.check import shipped
from proofs_check.report.figures.advice import curves, draw
from theory.base.errors import InputError
from theory.operators import roundoff
from theory.operators.operator import StencilChoice
from theory.stencils import central, forward

OPERATORS = (
    "u_xx", "u_x", "u_xxx", "u_xxxx", "u_xx + u_yy", "u_t - u_xx", "helmholtz(5)", "u_x - 1/10*u_xx", "x*u_xx + u_x",
    "u_xx + 100*u",
)  # fmt: skip
ACTIVATIONS = ("tanh", "sin", "gaussian", "erf", "sigmoid", "softplus", "silu", "gelu", "z*exp(-z**2/3)")
STENCILS = (("central", 2), ("central", 4), ("central", 6), ("forward", 1), ("forward", 2), ("backward", 2))


def problem(operator: str = "u_xx", activation: str = "tanh", **changes: Any) -> Problem:
    """A small problem; keys are those of the tables of a file, merged."""
    table: dict[str, Any] = {
        "problem": {"operator": operator, "solution": "sin(x)", "boundary": "none"},
        "features": {"activation": activation, "count": 12},
        "points": {"interior": 4 if {"y", "t"} & set(operator) else 12},
        "difference": {"step": "1/100"},
    }
    for key, value in changes.items():
        name, _, entry = key.partition("__")
        table[name][entry] = value
    return problem_file.problem_from_dict(table)


def at_random(seed: int) -> tuple[Problem, str]:
    """A random problem and arithmetic."""
    draw_ = random.Random(seed)
    operator = draw_.choice(OPERATORS)
    scale = draw_.choice(["1/2", "1", "2", "5"])
    name, order = draw_.choice(STENCILS)
    made = problem(
        operator,
        draw_.choice(ACTIVATIONS),
        features__weights=draw_.choice([f"normal(0, {scale})", f"uniform(-{scale}, {scale})", f"laplace(0, {scale})"]),
        features__biases=draw_.choice(["normal(0, 1)", "uniform(-3, 3)"]),
        features__seed=draw_.randrange(1000),
        features__count=24,
        points__interior=5 if {"y", "t"} & set(operator) else 24,
        difference__stencil=name,
        difference__order=order,
    )
    return made, draw_.choice(["float32", "float64"])


def against_brute_force(seed: int) -> tuple[float, float]:
    """h* over the best of a search among steps a factor 2^(1/4) apart, and the error there over the least."""
    made, arithmetic = at_random(seed)
    step = error_model(values(made), made.stencil, arithmetic).optimum()
    assert step is not None
    errors = {}
    for k in range(-8, 140):
        h = 2.0 ** (-k / 4)
        if step / 64 < h < step * 64:
            errors[h] = measured_error(made, arithmetic, h)
    best = min(errors, key=lambda h: errors[h])
    assert min(errors) < best < max(errors)
    return step / best, measured_error(made, arithmetic, step) / errors[best]


@pytest.mark.parametrize("seed", range(8))
def test_the_advised_step_is_within_a_factor_2_of_the_best(seed: int) -> None:
    ratio, loss = against_brute_force(seed)
    assert 1 / 2 <= ratio <= 2
    assert loss <= 2


@pytest.mark.slow
def test_the_advised_step_on_hundreds_of_problems() -> None:
    found = [against_brute_force(seed) for seed in range(200)]
    ratios = np.sort([ratio for ratio, _ in found])
    print(
        f"h* over the best: {ratios[0]:.2f} to {ratios[-1]:.2f}, middle half {ratios[50]:.2f} to {ratios[150]:.2f};"
        f" error over the least at most {max(loss for _, loss in found):.2f}"
    )
    assert ratios[0] >= 1 / 2
    assert ratios[-1] <= 2
    assert max(loss for _, loss in found) <= 2


PLANE = ({"stencil": "five-point"}, {"stencil": "nine-point"}, {"stencil": "central", "order": 4})
BENDING = ({"stencil": "thirteen-point"}, {"stencil": "central", "order": 2}, {"stencil": "forward", "order": 1})
LINE = ("u_xx", "u_x", "u_xxxx", "(1 + x**2)*u_xx + 3*u_x - u", "exp(x)*u_xx")
SKEW = (["-1", "0", "1/2"], ["0", "1", "2", "3"], ["-1/2", "0", "3/2", "2"], ["-3", "-1", "0", "2", "5"])


def of_many_kinds(seed: int) -> tuple[Problem, Arithmetic]:
    """Planes, biharmonic operators, one-sided and uneven stencils up to order 8, weights from 1/10 to 20."""
    draw_ = random.Random(seed)
    kind = draw_.choice(["plane", "bending", "space", "heat", "line", "line", "skew"])
    name, order = draw_.choice([*STENCILS, ("central", 8), ("forward", 4), ("backward", 3)])
    operator, difference = draw_.choice(LINE), {"stencil": name, "order": order}
    if kind == "plane":
        operator, difference = "u_xx + u_yy", draw_.choice(PLANE)
    elif kind == "bending":
        operator, difference = "u_xxxx + 2*u_xxyy + u_yyyy", draw_.choice(BENDING)
    elif kind in {"space", "heat"}:
        operator = "u_xx + u_yy + u_zz" if kind == "space" else "u_t - u_xx"
    elif kind == "skew":
        operator, difference = draw_.choice(["u_x", "u_xx"]), {"offsets": draw_.choice(SKEW)}
    dimension = {"plane": 2, "bending": 2, "space": 3, "heat": 2}.get(kind, 1)
    scale = draw_.choice(["1/10", "1/2", "1", "2", "5", "20"])
    table = {
        "problem": {
            "operator": operator,
            "solution": "sin(x)",
            "boundary": "none",
            "domain": [draw_.choice([[-1, 1], [0, 1], [0, 10], [-5, 5]])] * dimension,
        },
        "features": {
            "activation": draw_.choice([*ACTIVATIONS, "cos", "sech"]),
            "weights": draw_.choice([f"normal(0, {scale})", f"uniform(-{scale}, {scale})", f"student(5, {scale})"]),
            "biases": draw_.choice(["normal(0, 1)", "uniform(-3, 3)", "constant(0)"]),
            "seed": draw_.randrange(1000),
            "count": 24,
        },
        "points": {"interior": {1: 24, 2: 5, 3: 3}[dimension]},
        "difference": {**difference, "step": "1/100"},
    }
    return problem_file.problem_from_dict(table), draw_.choice(["float32", "float64"])


def advised_against_brute_force(seed: int) -> tuple[float, float, float] | None:
    """h* and the suggested step over the best of a search among steps a factor 2^(1/4) apart, and the loss at h*.

    None where no step is best, or an entry is not finite.
    """
    made, arithmetic = of_many_kinds(seed)
    try:
        given_ = values(made)
        found = _stencil(given_, inputs(made, arithmetic), arithmetic, made.stencil, "own", own=True)
    except InputError:
        return None
    if found.step is None or found.suggested is None:
        return None
    errors = {}
    for k in range(-12, 112):
        h = 2.0 ** (-k / 4)
        if found.step / 40 < h < found.step * 40:
            errors[h] = measured_error(made, arithmetic, h)
    best = min(errors, key=lambda h: errors[h])
    at_step_ = measured_error(made, arithmetic, found.step)
    return found.step / best, float(Fraction(found.suggested)) / best, at_step_ / errors[best]


@pytest.mark.parametrize("seed", range(6))
def test_the_advised_step_on_other_kinds_of_problems(seed: int) -> None:
    found = advised_against_brute_force(seed)
    assert found is not None
    assert 1 / 2 <= found[0] <= 2
    assert 1 / 2 <= found[1] <= 2
    assert found[2] <= 2


@pytest.mark.slow
def test_the_advised_step_on_hundreds_of_problems_of_other_kinds() -> None:
    """At most 2 in 100 escape: noise of a few dominating features makes the best of a search an accident."""
    found = [one for seed in range(150) if (one := advised_against_brute_force(seed)) is not None]
    escaped = [one for one in found if not (all(1 / 2 <= r <= 2 for r in one[:2]) and one[2] <= 2)]
    print(f"{len(found)} problems, {len(escaped)} escaped: {escaped}")
    assert len(found) >= 130
    assert len(escaped) <= 0.02 * len(found)


def test_a_model_that_is_wrong_is_corrected_by_measuring() -> None:
    """Weights up to 20 in a one-sided difference of a bump: at the model's optimum the next terms count."""
    made, arithmetic = of_many_kinds(12)
    given_ = values(made)
    own = _stencil(given_, inputs(made, arithmetic), arithmetic, made.stencil, "own", own=True)
    step = error_model(given_, made.stencil, arithmetic).optimum()
    assert own.basis == "search"
    assert "say too little" in (own.reason or "")
    assert own.step is not None
    assert own.best is not None
    assert step is not None
    assert own.best.error == pytest.approx(measured_error(made, arithmetic, own.step), rel=1e-12)
    assert own.best.error < measured_error(made, arithmetic, step) / 2
    assert own.good is not None
    assert own.good[0] <= own.step <= own.good[1]


@pytest.mark.parametrize(("name", "order", "made"), [("central", 2, central(2, 2)), ("forward", 2, forward(2, 2))])
def test_one_difference_agrees_with_the_closed_form_of_theory(name: str, order: int, made: Any) -> None:
    """u_xx of sine features: σ⁽ⁿ⁾ by hand, ρ and h* by :mod:`theory.operators.roundoff`."""
    given_ = values(problem("u_xx", "sin"))
    w, z = given_.weights[:, 0], given_.argument
    p = made.order
    derivative = np.sqrt(np.mean((w ** (2 + p) * (np.sin(z) if p % 2 == 0 else np.cos(z))) ** 2))
    size = np.sqrt(np.mean(np.sin(z) ** 2 + np.cos(z) ** 2 * (2 * given_.products**2 + z**2)))
    for arithmetic in ("float32", "float64"):
        unit = roundoff.UNIT_ROUNDOFF[arithmetic]
        rho = roundoff.typical(made, float(size), unit)
        expected = roundoff.optimal_step(made, rho, float(derivative))
        model = error_model(given_, StencilChoice(name, order), arithmetic)
        step = model.optimum()
        assert step is not None
        assert step == pytest.approx(expected.step, rel=1e-12)
        assert model.truncation(step) == pytest.approx(expected.truncation, rel=1e-12)
        assert model.roundoff(step) == pytest.approx(expected.roundoff, rel=1e-12)
        worst = roundoff.worst_case(
            made,
            float(np.max(np.abs(np.sin(z)) + np.abs(np.cos(z)) * (2 * np.abs(given_.products) + np.abs(z)))),
            unit,
            float(np.max(np.abs(np.sin(z)))),
        )
        assert model.parts(0.1).worst_roundoff == pytest.approx(worst / 0.01, rel=1e-12)


positive = st.floats(-12, 6).map(lambda t: 10.0**t)


@given(
    st.dictionaries(st.sampled_from([1, 2, 4, 6]), positive, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from([0, 1, 2, 4]), st.floats(-20, -4).map(lambda t: 10.0**t), min_size=1, max_size=3),
)
def test_the_optimum_is_a_minimum_and_the_good_steps_are_those_near_it(
    powers: dict[int, float], rho: dict[int, float]
) -> None:
    gram = {(p, q): a * b for p, a in powers.items() for q, b in powers.items()}
    model = ErrorModel(gram, rho, {}, True)
    step = model.optimum()
    if step is None:
        grid = np.geomspace(1e-12, 16, 2000)
        least = grid[int(np.argmin([model.error(h) for h in grid]))]
        assert set(rho) == {0} or least < 1.1e-12 or least > 14
        return
    for other in np.geomspace(1e-12, 16, 400):
        assert model.error(step) <= model.error(float(other)) * (1 + 1e-9)
    low, high = model.good_steps(step)
    limit = 2 * model.error(step)
    for end, outward in ((low, 1 / 1.001), (high, 1.001)):
        assert model.error(end) <= limit * (1 + 1e-9)
        if 1.01e-12 < end < 16 * 60:
            assert model.error(end * outward) > limit


CASES = [
    ("u_xx", StencilChoice("central", 4), ("1/50",)),
    ("u_x", StencilChoice("forward", 2), ("1/50",)),
    ("x*u_xx - u_x + 3*u", StencilChoice(offsets=(Fraction(-1), Fraction(0), Fraction(1, 2))), ("1/50",)),
    ("u_xx + u_yy", StencilChoice("nine-point"), ("1/50",)),
    ("biharmonic", StencilChoice("thirteen-point"), ("1/50",)),
    ("u_xxyy + u_xy", StencilChoice("central", 2), ("1/50", "1/80")),
    ("u_t - u_xx", StencilChoice("forward", 1), ("1/90", "1/50")),
]


@pytest.mark.parametrize(("operator", "choice", "steps"), CASES)
def test_leading_terms_are_the_limit_of_the_exact_error(
    operator: str, choice: StencilChoice, steps: tuple[str, ...]
) -> None:
    """(L_h − L) φ in multiprecision over the leading terms tends to 1 with h, entry by entry in the mean square."""
    made = problem(operator, "tanh", features__count=4, points__interior=2)
    if operator == "biharmonic":
        made = made.with_(domain=made.domain * 2, interior=(2, 2))
    made = made.with_(stencil=choice, step=tuple(Fraction(s) for s in steps))
    leading, smooth = leading_terms(values(made), choice)
    assert smooth
    distances = []
    for scale in (1, 8):
        finer = with_largest_step(made, made.h / scale)
        ad, fd = (np.array(multiprecision_entries(finer, m)(40).tolist(), dtype=object) for m in ("ad", "fd"))
        error = np.array((fd - ad).tolist(), dtype=np.float64)
        expected = sum(float(finer.h) ** p * part for p, part in leading.items())
        distances.append(np.linalg.norm(error - expected) / np.linalg.norm(error))
    assert distances[1] < 0.02
    assert distances[1] < distances[0] / 4


@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
@pytest.mark.parametrize(("operator", "steps"), [("u_xx", ("1/64",)), ("u_xxyy + x*u_y", ("1/20", "1/64"))])
def test_round_off_is_that_of_the_floor_and_stays_under_its_bound(
    operator: str, steps: tuple[str, ...], arithmetic: str
) -> None:
    made = problem(operator).with_(step=tuple(Fraction(s) for s in steps))
    parts = error_model(values(made), made.stencil, arithmetic).parts(float(made.h))
    assert parts.roundoff == pytest.approx(float(np.sqrt(np.mean(entry_errors(made, arithmetic) ** 2))), rel=1e-12)
    with mpmath.workdps(50):
        exact = np.array(multiprecision_entries(made, "fd")(40).tolist(), dtype=object)
        stored = float_matrix(made, "fd", arithmetic)
        wrong = max(abs(mpmath.mpf(float(a)) - b) for a, b in zip(stored.ravel(), exact.ravel(), strict=True))
    assert 0 < wrong <= parts.worst_roundoff
    assert wrong > parts.worst_roundoff / 1000


@pytest.fixture(scope="module")
def standing() -> Advice:
    return advise(problem_file.problem_from_dict(_table("poisson")), cost=False)


def _table(name: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(shipped()[name], parse_float=str)


def test_what_was_measured_is_what_was_predicted(standing: Advice) -> None:
    for found in standing.arithmetics:
        assert found.own.here is not None
        assert 0.5 < found.measured / found.own.here.error < 2
    at = standing.of("float64").at
    assert at.gap is not None
    assert at.predicted_gap == pytest.approx(at.gap, rel=0.05)
    assert at.floor.knee < at.values
    assert at.loss.truncation == pytest.approx(at.loss.fd, rel=0.5)


@pytest.mark.parametrize("name", ["sine", "helmholtz", "biharmonic", "heat", "poisson-2d"])
@pytest.mark.parametrize("step", ["1/20", "1/100"])
def test_entropy_gaps_are_predicted(name: str, step: str) -> None:
    made = problem_file.problem_from_dict(_table(name)).with_(step=(Fraction(step),))
    at = at_step(values(made), "float64")
    assert at.gap is not None
    assert at.predicted_gap == pytest.approx(at.gap, rel=0.25)


@pytest.mark.parametrize("step", ["1/10", "1/100", "1/1000"])
def test_the_least_loss_of_fd_is_predicted_within_a_factor_4(step: str) -> None:
    for name in ("poisson", "sine", "helmholtz", "heat"):
        made = problem_file.problem_from_dict(_table(name)).with_(step=(Fraction(step),))
        loss = at_step(values(made), "float64").loss
        assert 1 / 4 < loss.predicted / loss.fd < 4, (name, loss)


def test_stencils_are_compared_and_the_own_one_is_not_listed_twice(standing: Advice) -> None:
    labels = [s.label for s in standing.arithmetics[0].stencils]
    assert labels == ["central order 2", "central order 4", "central order 6", "forward order 2"]
    assert [s.own for s in standing.arithmetics[0].stencils] == [True, False, False, False]
    assert [s.evaluations for s in standing.arithmetics[0].stencils] == [3, 5, 7, 4]
    assert standing.recommended.label == "central order 6"
    other = advise(problem(difference__offsets=[-1, 0, "1/2", 2]), cost=False).arithmetics[0].stencils
    assert other[0].label == "offsets -1, 0, 1/2, 2"
    assert len(other) == 5


def test_recommendations_say_what_to_do(standing: Advice) -> None:
    text = " ".join(standing.text)
    for words in (
        "Recommended: central order 6",
        "In float32 with central order 2 keep h between",
        "is too large",
        "floor",
    ):
        assert words in text
    assert not {"nan", "inf", "None"} & set(text.replace(",", " ").split())
    small = " ".join(advise(standing.problem.with_(step=(Fraction(1, 10**6),)), cost=False).text)
    assert "is too small: round-off makes the error" in small
    step = Fraction(standing.of("float64").own.suggested or 1)
    good = advise(standing.problem.with_(step=(step,)), cost=False)
    assert any(sentence.startswith(f"Your h = {step} is good") for sentence in good.text)
    assert not standing.sufficient
    heat = advise(problem_file.problem_from_dict(_table("heat")), cost=False)
    assert heat.sufficient
    assert "is good enough" in heat.text[0]
    assert any("AD gains nothing" in sentence for sentence in heat.text)


def test_activations_without_the_derivatives_are_searched() -> None:
    found = advise(problem("u_xx", "relu3", features__count=8), cost=False)
    own = found.of("float32").own
    assert own.basis == "search"
    assert own.reason is not None
    assert "relu3 lacks" in own.reason
    assert own.step is not None
    errors = {h: measured_error(found.problem, "float32", h) for h in (2.0 ** (-k / 2) for k in range(-4, 60))}
    found_there = measured_error(found.problem, "float32", own.step)
    assert found_there <= 1.2 * min(errors.values())
    assert own.best is not None
    assert own.best.error == pytest.approx(found_there, rel=1e-12)
    assert found.of("float32").at.predicted_gap is None


def test_no_truncation_no_best_step() -> None:
    found = advise(problem("u_xx", "z**3"), cost=False)
    own = found.of("float64").own
    assert (own.step, own.best, own.basis) == (None, None, "none")
    assert "vanish" in (own.reason or "")
    assert any("there is no best h" in sentence for sentence in found.text)
    json.dumps(advice_words.to_dict(found), allow_nan=False)


def test_large_problems_are_thinned_out() -> None:
    made = problem(features__count=MAX_SIZE + 100, points__interior=MAX_SIZE + 7)
    study = thinned(made)
    assert (study.count, len(study.interior)) == (MAX_SIZE, MAX_SIZE)
    assert thinned(study) is study
    whole = values(made)
    kept = values(study)
    assert set(kept.value.ravel()) <= set(whole.value.ravel())
    assert (kept.value[0, 0], kept.value[-1, -1]) == (whole.value[0, 0], whole.value[-1, -1])


def test_without_points_there_is_nothing_to_advise() -> None:
    made = problem(points__interior={"values": ["1/2"]})
    assert advise(made, cost=False).size == (1, 12)
    with pytest.raises(InputError, match="nothing to difference"):
        values(replace_interior(made))


def replace_interior(made: Problem) -> Problem:
    return made.with_(interior=(0,))


@given(st.floats(1e-10, 10))
def test_suggested_steps_have_two_binary_digits_and_are_near_by(step: float) -> None:
    suggested = Fraction(near(step))
    part = suggested.numerator // 3 if suggested.numerator % 3 == 0 else suggested.numerator
    assert part & (part - 1) == 0
    assert suggested.denominator & (suggested.denominator - 1) == 0
    assert 0.81 < float(suggested) / step < 1.23


def test_labels() -> None:
    assert label(StencilChoice("nine-point")) == "nine-point"
    assert label(StencilChoice("backward", 3)) == "backward order 3"


def test_cost_is_measured_where_torch_trains() -> None:
    found = advise(problem("u_xx + u_yy", points__interior=3))
    assert found.cost is not None
    assert found.cost.device == "cpu"
    assert found.cost.ad > found.cost.fd * 0.2
    assert found.cost.ratio == found.cost.ad / found.cost.fd
    assert any(sentence.startswith("An iteration with") for sentence in found.text)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numerics.differences.advise.measure_cost", lambda problem, device: None)
    monkeypatch.setattr(output.console, "width", 200)
    path, figure = tmp_path / "p.toml", tmp_path / "f.svg"
    path.write_text(shipped()["poisson"].replace("64", "12", 2))
    assert command(path=str(path), device="cpu", figure=figure, as_json=True) == 0
    content = json.loads(capsys.readouterr().out)
    assert set(content) == {
        "problem", "given", "scale", "points", "features", "whole", "arithmetics", "skipped", "cost",
        "recommendation", "figure", "answer",
    }  # fmt: skip
    for found in content["arithmetics"].values():
        own = found["stencils"][0]
        assert own["own"] is True
        assert own["good_steps"][0] < own["step"] < own["good_steps"][1]
        assert own["best"]["error"] == pytest.approx(own["best"]["truncation"] + own["best"]["roundoff"])
        loss = found["given"]["loss_floor"]
        assert loss["predicted_fd"] == pytest.approx(loss["unresolved"] + loss["truncation"] + loss["roundoff"])
    best = content["recommendation"]
    again = dict(content["problem"]) | {"difference": best["difference"]}
    improved = advise(
        problem_file.problem_from_dict(again), cost=False
    )  # what is recommended can be pasted into the file
    assert improved.of("float64").at.loss.fd == pytest.approx(best["loss_floor"]["fd"])
    assert figure.read_text().startswith("<?xml")
    assert command(path=str(path), device="cpu", figure=None, as_json=False) == 0
    printed = capsys.readouterr().out
    assert "central order 2 (yours)" in printed
    assert "- Recommended: central order 6" in printed
    for bad, words in ((tmp_path / "f.gif", "ends in"), (tmp_path / "absent" / "f.png", "no such folder")):
        with pytest.raises(InputError, match=words):
            command(path=str(path), device="cpu", figure=bad, as_json=True)


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_figures_draw_the_model(standing: Advice, tmp_path: Path, suffix: str) -> None:
    draw(standing, tmp_path / f"f{suffix}")
    assert (tmp_path / f"f{suffix}").stat().st_size > 5000
    assert [p.suffix for p in tmp_path.iterdir()] == [suffix]
    found = standing.of("float64")
    lines = curves(standing, found, points=2001)
    for s in found.stencils:
        steps, errors = lines[s.label]
        assert s.step is not None
        assert s.best is not None
        lowest = int(np.argmin(errors))
        assert steps[lowest] == pytest.approx(s.step, rel=0.02)
        assert errors[lowest] * standing.scale == pytest.approx(s.best.error, rel=1e-3)


def test_a_sweep_of_advice(tmp_path: Path) -> None:
    table = _table("poisson") | {"sweep": {"compute": "advise", "difference.step": ["1/10", "1/100", "0"]}}
    del table["difference"]["offsets"]
    table["features"]["count"] = table["points"]["interior"] = 12
    of = sweep.sweep_from_table(table)
    with pytest.raises(InputError, match="pass compute"):
        sweep.run_sweep(of, tmp_path / "s")
    found = sweep.run_sweep(of, tmp_path / "s", compute=advise_cells)
    assert (found.computed, found.failed) == (2, 1)
    first, second, bad = sweep.sweep_rows(of, tmp_path / "s")
    assert first["best_step_float32"] == second["best_step_float32"]
    assert first["truncation_float64"] == pytest.approx(100 * second["truncation_float64"])
    assert math.isfinite(first["loss_fd_float64"])
    assert "must be positive" in bad["reason"]


def test_advice_is_a_value(standing: Advice) -> None:
    again = advise(standing.problem, cost=False)
    assert replace(again, arithmetics=standing.arithmetics, then=standing.then) == standing
    assert again.text == standing.text


def test_kinks_are_judged_by_the_solution() -> None:
    table = {
        "problem": {"operator": "u_xx", "domain": [[-1, 1]], "solution": "1 - x**2"},
        "features": {"activation": "relu", "count": 64},
        "points": {"interior": 39},
        "difference": {"step": "1/20"},
        "arithmetic": {"dtype": "float32"},
    }
    found = advise(problem_file.problem_from_dict(table), cost=False)
    own = found.of("float32").own
    assert own.basis == "solution"
    assert own.step is not None
    assert 1 / 16 < own.step < 1 / 4
    errors = dict(own.solution_errors)
    assert errors[own.step] < 0.02
    assert errors[min(errors)] > 0.5
    assert found.text[0].startswith("Recommended: central order 2")
    assert "AD is not the truth here" in found.text[1]
    assert not found.sufficient
    json.dumps(advice_words.to_dict(found), allow_nan=False)


def test_steps_of_si_units_stay_in_the_domain_and_are_called_unusable_where_they_are() -> None:
    table = {
        "problem": {
            "operator": "u_t - 0.00001*u_xx",
            "domain": [[0, "1/1000"], [0, 1000]],
            "solution": "exp(-t/100)*sin(1000*x)",
        },
        "features": {"activation": "tanh", "weights": "normal(0, 1)", "count": 48},
        "points": {"interior": [8, 8]},
        "difference": {"step": "1/100"},
        "arithmetic": {"dtype": "float32"},
    }
    found = advise(problem_file.problem_from_dict(table), cost=False)
    for part in found.arithmetics:
        x, t = part.own.steps
        assert x <= 1e-3
        assert 0 < t < 1000
        assert part.own.best is not None
        assert part.own.usable == (part.own.best.error < 0.2 * found.scale)
        assert all(
            float(Fraction(h)) <= extent for h, extent in zip(part.own.suggested_steps, (1e-3, 1e3), strict=True)
        )
    best = advice_words.to_dict(found)["recommendation"]
    again = table | {"difference": best["difference"]}
    assert problem_file.problem_from_dict(again)  # what is recommended can be pasted into the file


@pytest.mark.parametrize("scale", ["1/1000000", "100000"])
def test_steps_follow_the_scale_of_the_domain(scale: str) -> None:
    width = Fraction(scale)
    table = {
        "problem": {"operator": "u_xx", "domain": [["0", scale]], "solution": "x", "boundary": "none"},
        "features": {"activation": "tanh", "weights": f"normal(0, {4 / width})", "count": 12},
        "points": {"interior": 20},
        "difference": {"step": str(width / 100)},
    }
    found = advise(problem_file.problem_from_dict(table), cost=False)
    for part in found.arithmetics:
        own = part.own
        assert own.step is not None
        assert own.good is not None
        assert 0 < own.step < width
        steps = np.geomspace(float(width) * 2.0**-40, float(width), 160)
        least = min(measured_error(found.problem, part.arithmetic, float(h)) for h in steps)
        for h in (own.step, float(Fraction(own.suggested or 0)), *np.geomspace(*own.good, 9)):
            assert measured_error(found.problem, part.arithmetic, float(h)) <= 2.5 * least


def test_command_on_a_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    path.write_text("import torch\nprint('loud')\nmodel = lambda x: torch.sin(3 * x)\n")
    options: dict[str, Any] = {"path": None, "device": "cpu", "figure": None, "as_json": True}
    assert command(**options, module=f"{path}:model", operator="u_xx", domain="0,1", count=40, step="1/1000") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["recommendation"]["usable"]
    assert content["judged"]["fine"] is False
    assert content["columns"][0]["name"] == "x"
    path.write_text("1/0\n")
    for changes, words in (
        ({"module": f"{path}:model", "operator": "u_xx", "domain": "0,1"}, "ZeroDivisionError"),
        ({"module": "net:model"}, "allowed: FILE.py:name"),
        ({}, "give a problem file"),
        ({"path": "p.toml", "operator": "u_x"}, "belongs to --module"),
    ):
        with pytest.raises(InputError, match=words):
            command(**(options | changes))

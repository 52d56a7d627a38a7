"""The numbers of the report's figures, with the problems they belong to and the commands that remake them.

Nothing is drawn here: :func:`figure_part` and :func:`assemble` return JSON types, ``figures.json`` keeps them, and the page
is made from that file alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.differences.floor import predicted_floor
from numerics.entropy.compare import difference, entropy_of
from numerics.matrices.assemble import float_matrix, float_rhs
from numerics.problem.problem import ARITHMETICS, METHODS, Boundary, Method, Problem, Training
from numerics.spectra.spectrum import spectrum
from proofs_check.claims.claim import Profile
from proofs_check.families.spectra.regimes import SIZE, regime_map
from proofs_check.report.figures import phase_data
from proofs_check.report.records import SCHEMA
from theory.base.exact import spell
from theory.entropy.conventions import Convention
from theory.entropy.entropy import cutoff, entropy_gap_coefficient
from theory.features.laws import Normal, Uniform

if TYPE_CHECKING:  # slow to import, and needed by two of the figures alone
    import torch


SIZES = {"quick": 40, "full": 64}
"""N = M of the spectra, by profile."""
ENTROPY_SIZES = {"quick": 24, "full": 40}
STEPS = {
    "quick": ("1/5", "1/10", "1/30", "1/100", "1/300", "1/1000", "1/10000", "1/100000", "1/1000000"),
    "full": tuple(f"1/{n}" for n in (5, 8, 12, 20, 50, 100, 300, 1000, 3000, 10**4, 30_000, 10**5, 300_000, 10**6)),
}
ITERATIONS = {"quick": 2000, "full": 50_000}
NETWORKS = {"quick": (100, 6, 64), "full": (2000, 16, 256)}
"""Iterations, seeds and width of the two-layer networks."""
BOUNDS: dict[Profile, tuple[tuple[int, ...], int]] = {
    "quick": ((1, 4, 16, 64, 256), 8),
    "full": ((1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096), 300),
}
"""Widths and draws of the networks that are shown against the bound of their law."""
DTYPES = ("float64", "float32")
DIGITS = 12


def figure_work(profile: Profile) -> list[tuple[str, Callable[[], dict[str, Any]]]]:
    """What there is to compute: the kind of each part, and the function that makes it."""
    spectra, entropies, training = spectrum_problems(profile), entropy_problems(profile), training_problem()
    network = network_problem(profile)
    work: list[tuple[str, Callable[[], dict[str, Any]]]] = []
    work += [("spectra", partial(spectrum_figure, name, problem)) for name, problem in spectra.items()]
    work += [("entropy", partial(entropy_figure, name, problem, profile)) for name, problem in entropies.items()]
    work += [("regimes", partial(regime_figure, "tanh", arithmetic, profile)) for arithmetic in ARITHMETICS]
    for make in (phase_data.over_size, phase_data.over_step, phase_data.over_pairs, phase_data.over_speeds):
        for activation, arithmetic in product(phase_data.ACTIVATIONS, phase_data.ARITHMETICS):
            work.append(("phases", partial(make, activation, arithmetic, profile)))
    work += [("training", partial(training_figure, "training", training, profile))]
    work += [("networks", partial(network_figure, "two-layer", network))]
    work += [("bounds", partial(bound_figure, profile))]
    return work


def figure_part(profile: Profile, index: int) -> dict[str, Any]:
    """One part of :func:`figure_work`: its kind, its content and how long it took."""
    start = time.perf_counter()
    kind, make = figure_work(profile)[index]
    return {"kind": kind, "content": make(), "seconds": time.perf_counter() - start}


def assemble(profile: Profile, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The content of ``figures.json`` from its parts, in the order of :func:`figure_work`."""
    found: dict[str, list[dict[str, Any]]] = {part["kind"]: [] for part in parts}
    for part in parts:
        found[part["kind"]].append(part["content"])
    seconds = round(sum(part["seconds"] for part in parts), 3)
    return {"schema": SCHEMA, "profile": profile, "seconds": seconds, **found}


def spectrum_problems(profile: Profile) -> dict[str, Problem]:
    """The problems of the first figure: interior rows only, since boundary rows are the same in both matrices."""
    size = SIZES[profile]
    common = Problem(biases=Uniform(Fraction(-4), Fraction(4)), count=size, interior=(size,), step=(Fraction(1, 100),))
    return {
        "tanh": common.with_(activation_name="tanh", weights=Uniform(Fraction(-4), Fraction(4))),
        "sin": common.with_(activation_name="sin", weights=Uniform(Fraction(-20), Fraction(20))),
        "steep-tanh": common.with_(activation_name="tanh", weights=Normal(Fraction(0), Fraction(20))),
    }


def entropy_problems(profile: Profile) -> dict[str, Problem]:
    """The problems whose entropies are followed over h."""
    size = ENTROPY_SIZES[profile]
    base = {name: p for name, p in spectrum_problems(profile).items() if name != "steep-tanh"}
    return {f"entropy-{name}": p.with_(count=size, interior=(size,)) for name, p in base.items()}


def training_problem() -> Problem:
    """−1 ≤ x ≤ 1, u'' = f with two Dirichlet rows of weight 100; 64 points and 64 features."""
    return Problem(
        activation_name="tanh",
        weights=Uniform(Fraction(-4), Fraction(4)),
        biases=Uniform(Fraction(-4), Fraction(4)),
        count=64,
        interior=(64,),
        boundary=(Boundary("all", 2, weight=Fraction(100)),),
        step=(Fraction(1, 100),),
    )


def network_problem(profile: Profile) -> Problem:
    """The same equation for two-layer networks, trained by gradient descent in float64."""
    iterations, seeds, width = NETWORKS[profile]
    training = Training("two-layer", "gd", iterations, None, seeds)
    return training_problem().with_(count=width, interior=(24,), training=training)


def _file(name: str) -> str:
    return f"problems/{name}.toml"


def spectrum_figure(name: str, problem: Problem) -> dict[str, Any]:
    """Singular values in every arithmetic, with the predicted floor, knee and noise in floating point."""
    exact_ad = spectrum(problem, "ad", "exact", DIGITS).floats()
    panels = []
    for arithmetic in ARITHMETICS:
        ad, fd = (list(spectrum(problem, method, arithmetic, DIGITS).floats()) for method in METHODS)
        panel: dict[str, Any] = {"arithmetic": arithmetic, "ad": ad, "fd": fd, "floor": None, "knee": None, "noise": []}
        if arithmetic != "exact":
            floor = predicted_floor(problem, arithmetic, exact_ad)
            panel |= {"floor": floor.floor, "knee": floor.knee, "noise": list(floor.noise)}
        panels.append(panel)
    return {
        "name": name,
        "activation": problem.activation_name,
        "problem": problem.to_dict(),
        "step": spell(problem.h),
        "panels": panels,
        "commands": [
            f"adfd spectrum {_file(name)} --method {method} --arithmetic {arithmetic}"
            for arithmetic in ARITHMETICS
            for method in METHODS
        ],
    }


def entropy_figure(name: str, problem: Problem, profile: Profile) -> dict[str, Any]:
    """Entropies of AD and FD over h in every arithmetic, and the first-order prediction of the exact gap."""
    convention = problem.convention
    curves = []
    for arithmetic in ARITHMETICS:
        h_ad = entropy_of(spectrum(problem, "ad", arithmetic, DIGITS), convention)
        fd, gap, sign = [], [], []
        for step in STEPS[profile]:
            stepped = problem.with_(step=(Fraction(step),))
            h_fd = entropy_of(spectrum(stepped, "fd", arithmetic, DIGITS), convention)
            between = difference(h_ad, h_fd)
            fd.append(h_fd.middle())
            gap.append(None if between is None else float(between.middle))
            sign.append(None if between is None else between.sign())
        curves.append({"arithmetic": arithmetic, "ad": [h_ad.middle()] * len(fd), "fd": fd, "gap": gap, "sign": sign})
    rate = gap_coefficient(problem, convention)
    return {
        "name": name,
        "activation": problem.activation_name,
        "problem": problem.to_dict(),
        "convention": convention.label,
        "steps": list(STEPS[profile]),
        "curves": curves,
        "first_order": [rate * float(Fraction(step)) ** 2 for step in STEPS[profile]],
        "commands": [f"adfd entropy {_file(name)}"],
    }


def gap_coefficient(problem: Problem, convention: Convention) -> float:
    """c in H_FD − H_AD = c h² + o(h²) for u_xx and the central second difference: B = A(u_xxxx)/12.

    In float64: c depends on ``σ̇_k = u_kᵀ B v_k`` divided by Σσ, never by a small σ_k.
    """
    A = float_matrix(problem, "ad", "float64")
    B = float_matrix(problem.with_(operator_text="u_xxxx"), "ad", "float64") / 12
    left, values, right = np.linalg.svd(A, full_matrices=False)
    rates = np.einsum("nk,nm,km->k", left, B, right)
    r = cutoff([float(v) for v in values], convention)
    return float(entropy_gap_coefficient([float(v) for v in values], [float(v) for v in rates], r, convention.power))


def regime_figure(activation: str, arithmetic: str, profile: Profile) -> dict[str, Any]:
    """Where S2 and S3 hold in one arithmetic, and where they are predicted to."""
    points = [asdict(p) | {"step": spell(p.step)} for p in regime_map(activation, arithmetic, profile)]
    return {"arithmetic": arithmetic, "activation": activation, "features": SIZE, "points": points}


def training_figure(name: str, problem: Problem, profile: Profile) -> dict[str, Any]:
    """Gradient descent against its exact law, and truncated SVD for every cut-off."""
    import torch

    iterations = ITERATIONS[profile]
    A_ad = torch.as_tensor(float_matrix(problem, "ad", "float64"))
    f = torch.as_tensor(float_rhs(problem, "float64"))
    runs, truncated = [], []
    for dtype in DTYPES:
        target = torch.as_tensor(float_rhs(problem, dtype))
        for method in METHODS:
            A = torch.as_tensor(float_matrix(problem, method, dtype))
            runs.append(_run(A, target, A_ad, f, method, dtype, iterations))
            truncated.append(_truncated(A, target, A_ad, f, method, dtype))
    return {
        "name": name,
        "optimizer": "gd",
        "activation": problem.activation_name,
        "problem": problem.to_dict(),
        "step": spell(problem.h),
        "runs": runs,
        "truncated": truncated,
        "commands": [f"adfd train {_file(name)} --dtype {dtype} --iterations {iterations}" for dtype in DTYPES],
    }


def _run(
    A: torch.Tensor,
    f: torch.Tensor,
    A_ad: torch.Tensor,
    exact_f: torch.Tensor,
    method: Method,
    dtype: str,
    iterations: int,
) -> dict[str, Any]:
    from numerics.training import rfm

    step = rfm.stable_step(A)
    curve = rfm.gradient_descent(A, f, step, iterations, dtype=dtype, device="cpu")
    law = rfm.predicted_loss(A, f, step, iterations)
    assert curve.parameters is not None
    left = float(0.5 * ((A_ad @ curve.parameters.double() - exact_f) ** 2).sum())
    return {
        "method": method,
        "dtype": dtype,
        "step": step,
        "equation": left if math.isfinite(left) else None,
        "iterations": list(curve.iterations),
        "loss": list(curve.loss),
        "predicted": list(law.loss),
    }


def _truncated(
    A: torch.Tensor, f: torch.Tensor, A_ad: torch.Tensor, exact_f: torch.Tensor, method: Method, dtype: str
) -> dict[str, Any]:
    """Residuals of the stored matrix's truncated SVD (taken in float64), relative to ‖f‖."""
    import torch

    from numerics.training import rfm

    solved = rfm.truncated_svd(A.double(), f.double())
    size = float(torch.linalg.vector_norm(exact_f))
    return {
        "method": method,
        "dtype": dtype,
        "minimised": _finite(solved.residuals.tolist(), size),
        "equation": _finite(solved.computed_residuals(A_ad, exact_f).tolist(), size),
    }


def _finite(values: Sequence[float], size: float) -> list[float | None]:
    return [value / size if math.isfinite(value) else None for value in values]


def network_figure(name: str, problem: Problem) -> dict[str, Any]:
    """Quartiles of the loss over the seeds, each method at its own step, and the frozen kernel's prediction."""
    import torch

    from numerics.training.from_problem import model, train_methods

    trained = train_methods(problem, METHODS, device="cpu", law=True)
    equation = model(problem, "ad")
    ensembles = []
    for one in trained:
        if one.rule not in ("own", "given", None):
            continue
        lower, median, upper = _quartiles(one.run.loss)
        with torch.no_grad():
            residuals = equation.residual(one.run.parameters.double())
        left = _quartiles(0.5 * (residuals**2).sum(1, keepdim=True).T)[1][0]
        low = high = None
        if one.law is not None:
            sizes = (2 * one.law.predicted).sqrt()
            ends = (sizes - one.law.bound).clamp(min=0), sizes + one.law.bound
            low, high = (_quartiles(end.square() / 2)[1] for end in ends)
        ensembles.append(
            {
                "method": one.method,
                "equation": left,
                "iterations": list(one.run.iterations),
                "lower": lower,
                "median": median,
                "upper": upper,
                "predicted_lower": low,
                "predicted_upper": high,
                "valid_until": None if one.law is None else list(one.law.valid_until),
            }
        )
    training = problem.training
    return {
        "name": name,
        "optimizer": training.optimizer,
        "activation": problem.activation_name,
        "problem": problem.to_dict(),
        "step": spell(problem.h),
        "width": problem.count,
        "seeds": training.seeds,
        "dtype": problem.dtype,
        "ensembles": ensembles,
        "commands": [f"adfd train {_file(name)} --model two-layer"],
    }


def bound_figure(profile: Profile) -> dict[str, Any]:
    """Drawn networks of many widths: how far each ended from the law of its first kernel, and the bound on it."""
    from hypothesis import strategies as st

    from numerics.predictions.drawn import run
    from proofs_check.families.networks.drawn_networks import generated
    from proofs_check.search.strategies import training_problems

    widths, draws = BOUNDS[profile]
    points = []
    problems = generated(lambda *_: training_problems(widths=st.sampled_from(widths), members=4), profile, draws)
    for drawn in problems:
        for method in METHODS:
            found = run(drawn, method)
            last = zip(found.deviation[-1].tolist(), found.bound[-1].tolist(), found.loss[0].tolist(), strict=True)
            points += [
                {
                    "method": method,
                    "width": drawn.problem.count,
                    "bounded": drawn.bounded,
                    "dtype": drawn.problem.dtype,
                    "deviation": deviation / math.sqrt(2 * loss),
                    "bound": bound / math.sqrt(2 * loss),
                }
                for deviation, bound, loss in last
                if math.isfinite(deviation) and math.isfinite(bound) and loss > 0
            ]
    return {"draws": len(problems), "points": points}


def _quartiles(values: torch.Tensor) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """Quartiles over the second axis; None where a run that diverged makes one of them not finite."""
    import torch

    found = torch.quantile(values.double(), torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), dim=1)
    lower, median, upper = (_finite(row, 1.0) for row in found.tolist())
    return lower, median, upper

"""A made-up ledger and figures in the shape of real ones, for tests of the report alone: the numbers mean nothing."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

ACTIVATIONS = ("sin", "cos", "tanh", "erf", "gaussian", "z*exp(-z**2/2)")
ARITHMETICS = ("exact", "float64", "float32")
CONVENTIONS = tuple(
    f"{rule}, power {power}{tail}"
    for rule in ("relative τ=1e-12", "absolute τ=1e-10", "energy τ=1e-6", "fixed r=8")
    for power in (1, 2)
    for tail in ("", ", normalised")
)
HOSTILE = (
    "\"'><script>alert(1)</script><img src=http://example.org/x onerror=alert(1)></title></style>{{7*7}}{% raw %}"
    "$\\href{javascript:x}{y}$ $<b>$ `<i>`\\input{x}%&#_^~ --> ]]> \x7f"
)
"""Markup, templates and LaTeX that must come out as the text they are."""


def cell(claim: str, scope: dict[str, str], verdict: str, rng: random.Random) -> dict[str, Any]:
    """One cell; its numbers are consistent with one another and otherwise arbitrary."""
    address = ",".join(f"{key}={scope[key]}" for key in sorted(scope))
    holding = {"REFUTED": rng.randrange(20), "INCONCLUSIVE": 29}.get(verdict, 32)
    data: dict[str, Any] = {"worst_margin": rng.random(), "confidence_bounds": [0.81, 0.97]}
    if verdict == "REFUTED":
        data["witness"] = {"instance": {"features": {"seed": 3, "weights": "normal(0, 1)"}}, "x": [1] * 60}
    return {
        "scope": scope,
        "address": address,
        "verdict": verdict,
        "expected": verdict,
        "status": "as expected",
        "method": "ball arithmetic" if scope.get("arithmetic") == "exact" else "sampled in floating point",
        "quantifier": "typical(0.9, 0.95)",
        "evidence": {
            "summary": f"holds in {holding} of 32; share between 0.53 and 0.84 (95% each side); 0.9 is claimed",
            "instances": 32,
            "holding": holding,
            "undecided": 0,
            "rejected": 2,
            "data": data,
        },
        "seconds": rng.random(),
        "command": f"adfd verify {claim} --cell '{address}'",
    }


def claim(
    id: str, title: str, source: str, statement: str, verdicts: list[tuple[dict[str, str], str]], rng: random.Random
) -> dict[str, Any]:
    """One claim with these cells."""
    return {
        "id": id,
        "title": title,
        "statement": statement,
        "family": "source" if source.startswith("S") else id.split(".")[0],
        "source": source,
        "predicate": r"$\sigma_k(A_{FD}) > \sigma_k(A_{AD})$ for every $k > n/2$, in 9 of 10 draws.",
        "kind": "sampled",
        "quantifier": "typical(0.9, 0.95)",
        "assumptions": [r"$\sigma_r > \sigma_{r+1}$", "interior rows only"],
        "derivation": [
            {"text": r"$D_h u = u^{(m)} + \sum_{q \ge p} e_q h^q u^{(m+q)}$", "because": "Taylor's theorem at $x$"},
            {"text": r"$|H - H'| \le T \log(r-1) + h_2(T)$, $T = \frac{1}{2}\|p - p'\|_1$", "because": "Audenaert"},
        ],
        "mutants": [{"name": "exchanged", "change": "AD and FD exchanged", "kind": "sign", "verdict": "REFUTED"}],
        "cells": [cell(id, scope, verdict, rng) for scope, verdict in verdicts],
    }


def ledger(seed: int = 0, conventions: tuple[str, ...] = CONVENTIONS) -> dict[str, Any]:
    """A ledger of five claims; with every convention, several hundred cells."""
    rng = random.Random(seed)
    common = {"operator": "u_xx", "regime": "w~N(0,1) h=1/100"}
    by_arithmetic = [
        {"arithmetic": a, "activation": s, **common} for s, a in itertools.product(ACTIVATIONS, ARITHMETICS)
    ]
    by_convention = [scope | {"convention": c} for scope in by_arithmetic for c in conventions]

    def small(scope: dict[str, str]) -> str:
        if scope["arithmetic"] == "exact":
            return "REFUTED" if scope["activation"] in ("sin", "cos") else "INCONCLUSIVE"
        return "SUPPORTED"

    def order(scope: dict[str, str]) -> str:
        bias = 0.8 if scope["activation"] in ("sin", "cos") else 0.1
        return "REFUTED" if rng.random() < bias else "SUPPORTED" if rng.random() < 0.9 else "INCONCLUSIVE"

    claims = [
        claim("S1.leading-agree", "Large singular values agree", "S1", "Those of $A_{AD}$ and $A_{FD}$ agree.",
              [(s, "SUPPORTED") for s in by_convention if s["convention"] in conventions[::3]], rng),
        claim("S2.every-small", "Every small singular value of FD is larger", "S2", "Every one of them.",
              [(s, small(s)) for s in by_arithmetic], rng),
        claim("S3.entropy-order", "AD has at least the entropy of FD", "S3", r"$H(A_{AD}) \ge H(A_{FD})$.",
              [(s, order(s)) for s in by_convention], rng),
        claim("stencils.truncation", "Truncation expansion", "ours", r"$e_q = \sum_k c_k s_k^{m+q}/(m+q)!$.",
              [({"stencil": f"order {p}"}, "PROVED") for p in (2, 4, 6)], rng),
        claim("entropy.fannes-audenaert", "Continuity of the entropy", "Audenaert, J. Phys. A 40 (2007) 8127",
              r"$|H - H'| \le T\log(r-1) + h_2(T)$.", [({"arithmetic": "exact"}, "CERTIFIED")], rng),
    ]  # fmt: skip
    cells = [c for item in claims for c in item["cells"]]
    return {
        "schema": 1,
        "summary": {
            "claims": len(claims), "cells": len(cells), "as_expected": len(cells), "improved": 0, "changed": 0,
            "unrecorded": 0, "errors": 0, "verdicts": {}, "mutants": {"total": 5, "refuted": 5}, "seconds": 41.7,
        },
        "provenance": {
            "adfd": "0.1.0", "python": "3.11.7", "platform": "Linux x86_64", "packages": {"sympy": "1.14"},
            "profile": "quick", "date": "2026-11-23T12:00:00Z", "command": "adfd verify --profile quick",
        },
        "claims": claims,
    }  # fmt: skip


def figures(n: int = 12) -> dict[str, Any]:
    """Figures with every kind of panel; a None and a zero where real ones can have them."""
    problem = {
        "problem": {"operator": "u_xx", "domain": [["-1", "1"]]},
        "features": {"activation": "tanh", "weights": "uniform(-4, 4)", "count": n},
        "boundary": [{"face": "all", "count": 2}],
    }
    values = [10.0 ** (3 - k) for k in range(n)]
    panels: list[dict[str, Any]] = [
        {"arithmetic": "exact", "ad": values, "fd": [0.9 * v for v in values], "floor": None, "knee": None},
        {"arithmetic": "float64", "ad": [*values[:-1], 0.0], "fd": [max(v, 1e-6) for v in values], "floor": 1e-6,
         "knee": n // 2, "noise": [1e-6 / (k + 1) for k in range(n - n // 2)]},
        {"arithmetic": "float32", "ad": values, "fd": [max(v, 1e-2) for v in values], "floor": 1e-2, "knee": 4},
    ]  # fmt: skip
    steps = ["1/10", "1/100", "1/1000"]
    curves = [
        {"arithmetic": a, "ad": [2.0] * 3, "fd": [2.1, 2.0, None], "gap": [g, g / 100, None], "sign": [s, None, None]}
        for a, g, s in (("exact", -0.1, -1), ("float64", -0.1, -1), ("float32", 0.1, 1))
    ]
    runs = [
        {"method": m, "dtype": d, "step": 0.1, "equation": 0.02, "iterations": [0, 1, 10, 100],
         "loss": [1.0, 0.5, 0.1, 0.01], "predicted": [1.0, 0.5, 0.1, None]}
        for d in ("float64", "float32") for m in ("ad", "fd")
    ]  # fmt: skip
    truncated = [
        {"method": m, "dtype": d, "minimised": [1.0, 0.1, 0.01], "equation": [1.0, 0.1, e]}
        for d in ("float64", "float32") for m, e in (("ad", 0.001), ("fd", 0.05))
    ]  # fmt: skip
    ensembles = [
        {"method": m, "equation": 0.1, "iterations": [0, 10], "lower": [1.0, 0.05], "median": [1.5, 0.1],
         "upper": [2.0, None], "predicted_lower": [1.5, 0.1], "predicted_upper": [1.5, 0.2], "valid_until": [None, 4]}
        for m in ("ad", "fd")
    ]  # fmt: skip
    shared = {"activation": "tanh", "problem": problem, "commands": ["adfd example"]}
    return {
        "schema": 1,
        "profile": "quick",
        "seconds": 3.0,
        "spectra": [{"name": "tanh", "step": "1/100", "panels": panels, **shared}],
        "entropy": [
            {"name": "entropy", "convention": "relative τ=1e-12, power 1", "steps": steps, "curves": curves,
             "first_order": [-0.1, -0.001, -0.00001], **shared}
        ],
        "training": [
            {"name": "training", "optimizer": "gd", "step": "1/100", "runs": runs, "truncated": truncated, **shared}
        ],
        "networks": [
            {"name": "two-layer", "optimizer": "gd", "step": "1/100", "width": 64, "seeds": 8, "dtype": "float64",
             "ensembles": ensembles, **shared}
        ],
        "bounds": [
            {"draws": 2, "points": [
                {"method": m, "width": w, "bounded": w > 1, "dtype": "float64", "deviation": d, "bound": 0.1}
                for m in ("ad", "fd") for w, d in ((1, 0.0), (256, 0.05))
            ]}
        ],
    }  # fmt: skip


KEPT = ("schema", "verdict", "method", "arithmetic", "dtype", "steps", "step", "names")


def hostile(value: Any, free: bool = False) -> Any:
    """Every text, and every key that is not of the schema (``free``: of scopes and packages), with markup behind it."""
    if isinstance(value, dict):
        return {
            (key + HOSTILE if free and key not in KEPT else key): (
                item if key in KEPT else hostile(item, key in ("scope", "packages"))
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return value + HOSTILE if isinstance(value, str) else value


def write(directory: Path, ledger_content: Any, figures_content: Any) -> Path:
    """Writes both files and returns the directory."""
    directory.mkdir(exist_ok=True)
    (directory / "ledger.json").write_text(json.dumps(ledger_content), encoding="utf-8")
    (directory / "figures.json").write_text(json.dumps(figures_content), encoding="utf-8")
    return directory

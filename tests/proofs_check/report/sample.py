"""A made-up ledger in the shape of a real one, for tests of the report alone: its verdicts mean nothing."""

from __future__ import annotations

import itertools
import random
from typing import Any

ACTIVATIONS = ("sin", "cos", "tanh", "erf", "gaussian", "z*exp(-z**2/2)")
CONVENTIONS = tuple(
    f"{rule}, power {power}{tail}"
    for rule in ("relative τ=1e-12", "absolute τ=1e-10", "energy τ=1e-6", "fixed r=8")
    for power in (1, 2)
    for tail in ("", ", normalised")
)
HOSTILE = "\"'><script>alert(1)</script><img src=http://example.org/x onerror=alert(1)>{{7*7}}$\\href{javascript:x}{y}$"


def cell(claim: str, scope: dict[str, str], verdict: str, rng: random.Random) -> dict[str, Any]:
    address = ",".join(f"{key}={scope[key]}" for key in sorted(scope))
    holding = {"REFUTED": rng.randrange(20), "INCONCLUSIVE": 29}.get(verdict, 32)
    data: dict[str, Any] = {"worst_margin": rng.random(), "confidence_bounds": [0.81, 0.97]}
    if verdict == "REFUTED":
        data["witness"] = {
            "instance": {"features": {"seed": 3, "weights": "normal(0, 1)"}},
            "detail": "σ_13",
            "x": [1] * 60,
        }
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
    id: str,
    title: str,
    source: str,
    statement: str,
    scopes: list[dict[str, str]],
    verdicts: list[str],
    rng: random.Random,
) -> dict[str, Any]:
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
            {
                "text": r"$|H - H'| \le T \log(r-1) + h_2(T)$, $T = \frac{1}{2}\|p - p'\|_1$",
                "because": "Audenaert (2007)",
            },
        ],
        "mutants": [{"name": "exchanged", "change": "AD and FD exchanged", "kind": "sign", "verdict": "REFUTED"}],
        "cells": [cell(id, scope, verdict, rng) for scope, verdict in zip(scopes, verdicts, strict=True)],
    }


def ledger(seed: int = 0) -> dict[str, Any]:
    rng = random.Random(seed)
    by_arithmetic = [
        {"arithmetic": a, "activation": s, "operator": "u_xx", "regime": "w~N(0,1) h=1/100"}
        for s, a in itertools.product(ACTIVATIONS, ("exact", "float64", "float32"))
    ]
    by_convention = [scope | {"convention": c} for scope in by_arithmetic for c in CONVENTIONS]

    def pick(scope: dict[str, str], bias: float) -> str:
        return "REFUTED" if rng.random() < bias else "SUPPORTED" if rng.random() < 0.9 else "INCONCLUSIVE"

    def small(scope: dict[str, str]) -> str:
        if scope["arithmetic"] == "exact":
            return "REFUTED" if scope["activation"] in ("sin", "cos") else "INCONCLUSIVE"
        return "SUPPORTED"

    claims = [
        claim("S1.leading-agree", "Large singular values agree", "S1", "The large singular values of $A_{AD}$ and $A_{FD}$ agree.",
              by_convention[:90], ["SUPPORTED"] * 90, rng),
        claim("S2.every-small", "Every small singular value of FD is larger", "S2", "Every one of them.",
              by_arithmetic, [small(s) for s in by_arithmetic], rng),
        claim("S3.entropy-order", "AD has at least the truncated entropy of FD", "S3", "The truncated entropy of $A_{AD}$ is at least that of $A_{FD}$.",
              by_convention, [pick(s, 0.8 if s["activation"] in ("sin", "cos") else 0.1) for s in by_convention], rng),
        claim("stencils.truncation", "Truncation expansion", "ours",
              r"$D_h u = u^{(m)} + \sum_{q\ge p} e_q h^q u^{(m+q)}$ with $e_q = \sum_k c_k s_k^{m+q}/(m+q)!$.",
              [{"stencil": f"order {p}"} for p in (2, 4, 6)], ["PROVED"] * 3, rng),
        claim("entropy.fannes-audenaert", "Continuity of the truncated entropy", "Audenaert, J. Phys. A 40 (2007) 8127",
              r"$|H - H'| \le T\log(r-1) + h_2(T)$.", [{"arithmetic": "exact"}], ["CERTIFIED"], rng),
    ]  # fmt: skip
    cells = [c for item in claims for c in item["cells"]]
    return {
        "schema": 1,
        "summary": {
            "claims": len(claims), "cells": len(cells), "as_expected": len(cells), "improved": 0, "changed": 0,
            "unrecorded": 0, "errors": 0, "verdicts": {}, "mutants": {"total": 5, "refuted": 5}, "seconds": 41.7,
        },
        "provenance": {
            "adfd": "0.1.0", "python": "3.11.7", "platform": "Linux x86_64", "packages": {"sympy": "1.14", "torch": "2.13.0"},
            "profile": "quick", "date": "2026-11-23T12:00:00Z", "command": "adfd verify --profile quick",
        },
        "claims": claims,
    }  # fmt: skip


def hostile(value: Any) -> Any:
    """Every string of a ledger (but the few that must stay readable) followed by markup."""
    if isinstance(value, dict):
        return {
            k if k in FIXED else k + HOSTILE if k in SCOPE else k: v if k in FIXED else hostile(v)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return value + HOSTILE if isinstance(value, str) else value


FIXED = ("schema", "verdicts")
SCOPE = ("convention", "stencil", "sympy")

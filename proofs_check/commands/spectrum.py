"""``adfd spectrum`` and ``adfd entropy``."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from numerics import problem_file
from numerics.enclosure import Enclosure
from numerics.entropies import EntropyEnclosure, difference, entropy_enclosure
from numerics.kernel_spectra import Kernel
from numerics.matrices import multiprecision_entries
from numerics.problem import Arithmetic, Method, Problem
from numerics.spectra import Spectrum, certified_float_spectrum, spectrum_to
from proofs_check.commands.output import console, emit, table
from proofs_check.proof_objects import accepted, is_certificate
from theory.entropy import Convention
from theory.errors import InputError
from theory.exact import rational
from theory.files import check_output, write

SIGNS = {-1: "fd<ad", 1: "fd>ad", 0: "undecided", None: "undecided"}
"""What the sign of H_FD − H_AD is called."""


def spectrum(
    *,
    path: str,
    method: Method,
    digits: int | None,
    certify: bool,
    arithmetic: Arithmetic,
    engine: str,
    certificate: Path | None,
    force: bool = False,
    kernel: Kernel | None,
    as_json: bool,
) -> int:
    """Prints all singular values of A, or eigenvalues of a kernel, and writes a proof object when asked."""
    problem = problem_file.load(path)
    asked = digits or problem.digits
    if kernel is not None:
        if certificate is not None or engine != "certified" or arithmetic != "exact":
            raise InputError("--kernel: exact, by the certified engine; drop --certificate, --engine and --arithmetic")
        content = _of_kernel(problem, method, kernel, asked, certify)
        if as_json:
            emit(content)
        else:
            _print_kernel(content)
        return 0
    if engine == "mpmath" and (certify or certificate or arithmetic != "exact"):
        raise InputError(
            "--engine: mpmath proves nothing and serves exact spectra only; drop --certify and --arithmetic"
        )
    if certificate is not None and arithmetic != "exact":
        raise InputError("--certificate: a proof object is about the exact matrix; drop --arithmetic")
    if certificate is not None:
        check_output(certificate, option="--certificate", force=force, known=is_certificate, inputs=[path])
    if engine == "mpmath":
        content = _by_mpmath(problem, method, asked)
    else:
        content = _by_engine(problem, method, asked, certify, arithmetic)
    if certificate is not None:
        _write_certificate(problem, method, asked, certificate, force)
        content["certificate"] = str(certificate)
    if as_json:
        emit(content)
    else:
        _print_spectrum(content)
    return 0


def _by_mpmath(problem: Problem, method: Method, digits: int) -> dict[str, Any]:
    import mpmath

    from numerics.reference_spectra import reference_singular_values

    found = reference_singular_values(multiprecision_entries(problem, method), digits)
    return {
        "method": method,
        "arithmetic": "exact",
        "matrix": "exact",
        "engine": "mpmath",
        "singular_values": [mpmath.nstr(v, digits, strip_zeros=False) for v in found.values],
        "rest_upper": None,
        "certified": False,
        "working_digits": found.working_digits,
        "seconds": found.seconds,
    }


def _by_engine(problem: Problem, method: Method, digits: int, certify: bool, arithmetic: Arithmetic) -> dict[str, Any]:
    found = spectrum_to(problem, method, arithmetic, digits)
    if certify and arithmetic != "exact":
        found = certified_float_spectrum(problem, method, arithmetic, digits)
    values: list[Any]
    if certify:
        values = [v.decimals(digits + 3) for v in found.values]
    else:
        values = [_plain(found, k, digits) for k in range(len(found.values))]
    return {
        "method": method,
        "arithmetic": arithmetic,
        "matrix": arithmetic,
        "singular_values": values,
        "rest_upper": Enclosure.exact(found.rest_upper).decimals(digits)["upper"],
        "certified": certify,
        "working_digits": found.working_digits,
        "seconds": found.seconds,
    }


def _of_kernel(problem: Problem, method: Method, kernel: Kernel, digits: int, certify: bool) -> dict[str, Any]:
    from numerics.kernel_spectra import kernel_spectrum

    found = kernel_spectrum(problem, method, kernel, digits)
    values: list[Any] = [v.decimals(digits + 3) for v in found.values]
    if not certify:
        shown = (Enclosure.exact(v.middle).decimals(digits)["lower"] for v in found.values[: found.rank])
        values = [*shown, *["0"] * (len(found.values) - found.rank)]
    return {
        "method": method,
        "arithmetic": "exact",
        "matrix": "exact",
        "kernel": kernel,
        "eigenvalues": values,
        "rest_upper": Enclosure.exact(found.rest_upper).decimals(digits)["upper"],
        "certified": certify,
        "working_digits": found.working_digits,
        "seconds": found.seconds,
    }


def _print_kernel(content: dict[str, Any]) -> None:
    rows = []
    for k, value in enumerate(content["eigenvalues"], 1):
        rows.append([str(k), value if isinstance(value, str) else f"[{value['lower']}, {value['upper']}]"])
    what = "proven enclosures" if content["certified"] else "not proven"
    table(f"Eigenvalues of the {content['kernel']} kernel, {content['method'].upper()}, {what}", ["k", "λ_k"], rows)
    console.print(
        f"{len(rows)} values, {content['working_digits']} working digits, {content['seconds']:.2f} s", markup=False
    )


def _plain(found: Spectrum, k: int, digits: int) -> str:
    """A value as a decimal: the float that LAPACK gave, or the middle of the enclosure."""
    if found.computed is not None:
        return repr(found.computed[k])
    if k >= found.rank:
        return "0"
    return Enclosure.exact(found.values[k].middle).decimals(digits)["lower"]


def _write_certificate(problem: Problem, method: Method, digits: int, path: Path, force: bool) -> None:
    from numerics.certificates import certificate

    write(path, json.dumps(accepted(certificate(problem, method, digits))), option="--certificate", force=force,
          known=is_certificate)  # fmt: skip


def _print_spectrum(content: dict[str, Any]) -> None:
    rows = []
    for k, value in enumerate(content["singular_values"], 1):
        rows.append([str(k), value if isinstance(value, str) else f"[{value['lower']}, {value['upper']}]"])
    what = "proven enclosures" if content["certified"] else "not proven"
    table(
        f"Singular values of A_{content['method'].upper()}, {content['arithmetic']} matrix, {what}", ["k", "σ_k"], rows
    )
    console.print(
        f"{len(rows)} values, {content['working_digits']} working digits, {content['seconds']:.2f} s", markup=False
    )


def entropy(
    *,
    path: str,
    rule: str | None,
    tau: str | None,
    rank: int | None,
    power: int | None,
    normalised: bool | None,
    certify: bool,
    arithmetic: Arithmetic,
    digits: int | None,
    step_interval: str | None,
    certificate: Path | None = None,
    force: bool = False,
    as_json: bool,
) -> int:
    """Prints the entropies of A_AD and A_FD and the sign of their difference; writes a proof object when asked."""
    problem = problem_file.load(path)
    convention = convention_from(problem.convention, rule, tau, rank, power, normalised)
    if certificate is not None:
        from proofs_check.commands.entropy_proof import may_write

        if not certify or arithmetic != "exact":
            raise InputError("--certificate: a proof object is about the exact matrices; add --certify")
        may_write(certificate, path, force)
    if step_interval is not None:
        from proofs_check.commands.interval import entropy_on_interval

        return entropy_on_interval(problem, convention, step_interval, certify, as_json, certificate, force)
    asked = digits or problem.digits
    found, gap = _entropies(problem, convention, asked, certify, arithmetic, certificate, force)
    content: dict[str, Any] = {
        "convention": convention.to_dict() | {"label": convention.label},
        "arithmetic": arithmetic,
        "matrix": arithmetic,
        "ad": _shown(found["ad"], asked),
        "fd": _shown(found["fd"], asked),
        "cutoff": {m: _cutoff(e) for m, e in found.items()},
        "difference": None if gap is None else gap.decimals(max(asked, 6)),
        "sign": SIGNS[gap.sign()] if gap is not None else "undecided",
        "reason": found["ad"].reason or found["fd"].reason,
        "certified": certify,
    }
    if certificate is not None:
        content["certificate"] = str(certificate)
    if as_json:
        emit(content)
        return 0
    rows = [[f"H of A_{m.upper()}", _text(content[m]), str(content["cutoff"][m])] for m in ("ad", "fd")]
    rows.append(["H_FD − H_AD", _text(content["difference"]), ""])
    table(f"Truncated entropy, {convention.label}, {arithmetic} matrix", ["", "value", "r"], rows)
    console.print(
        f"sign: {content['sign']} ({'proven' if certify and content['sign'] != 'undecided' else 'not proven'})",
        markup=False,
    )
    if content["reason"]:
        console.print(f"undefined: {content['reason']}", markup=False)
    return 0


def _entropies(
    problem: Problem,
    convention: Convention,
    asked: int,
    certify: bool,
    arithmetic: Arithmetic,
    certificate: Path | None,
    force: bool,
) -> tuple[dict[str, EntropyEnclosure], Enclosure | None]:
    """Both entropies and their difference: as a proof object states them, proven, or computed."""
    if certificate is not None:
        from proofs_check.commands.entropy_proof import proved_entropies

        return proved_entropies(problem, convention, asked, certificate, force)
    if certify and arithmetic != "exact":
        spectra = {m: certified_float_spectrum(problem, m, arithmetic, asked) for m in ("ad", "fd")}
    else:
        spectra = {m: spectrum_to(problem, m, arithmetic, asked) for m in ("ad", "fd")}
    found = {m: entropy_enclosure(s.values, convention) for m, s in spectra.items()}
    if certify and arithmetic == "exact":
        found = _decide(problem, convention, asked, found)
    return found, difference(found["ad"], found["fd"])


def _decide(
    problem: Problem, convention: Convention, digits: int, found: dict[str, EntropyEnclosure]
) -> dict[str, EntropyEnclosure]:
    """Raises the digits until the sign of the difference is proven, three times at most."""
    for more in (2, 4, 8):
        gap = difference(found["ad"], found["fd"])
        if gap is None or gap.sign() is not None:
            break
        found = {
            m: entropy_enclosure(spectrum_to(problem, m, "exact", more * max(digits, 12)).values, convention)
            for m in ("ad", "fd")
        }
    return found


def convention_from(
    base: Convention, rule: str | None, tau: str | None, rank: int | None, power: int | None, normalised: bool | None
) -> Convention:
    """The file's convention with the options over it; a new rule brings its own default threshold."""
    data = base.to_dict()
    if rule is not None and rule != base.rule:
        data = {"rule": rule, "power": base.power, "normalised": base.normalised}
        if rule == "absolute":
            data["tau"] = "1e-10"
        elif rule == "energy":
            data["tau"] = "1e-6"
    if tau is not None:
        data["tau"] = str(rational(tau, "--tau"))
    if rank is not None:
        data["rank"] = rank
        data.pop("tau", None)
    if power is not None:
        data["power"] = power
    if normalised is not None:
        data["normalised"] = normalised
    return Convention.from_dict(data)


def _shown(found: EntropyEnclosure, digits: int) -> dict[str, str] | None:
    if found.value is None:
        return None
    ends = found.value.decimals(max(digits, 6))
    return {"lower": ends["lower"], "upper": ends["upper"]}


def _cutoff(found: EntropyEnclosure) -> int | list[int]:
    low, high = found.cutoff
    return low if low == high else [low, high]


def _text(value: dict[str, str] | None) -> str:
    return "undefined" if value is None else f"[{value['lower']}, {value['upper']}]"


def interval(text: str) -> tuple[Fraction, Fraction]:
    """``LOW,HIGH`` as exact rationals.

    Raises:
        InputError: not two positive rationals in ascending order.
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise InputError(f"--step-interval: {text!r}; write LOW,HIGH such as 1/100,1/10")
    low, high = (rational(part, "--step-interval") for part in parts)
    if not 0 < low < high:
        raise InputError(f"--step-interval: {text!r} needs 0 < LOW < HIGH")
    return low, high

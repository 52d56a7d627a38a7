"""``adfd spectrum``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from numerics import problem_file
from numerics.enclosure import Enclosure
from numerics.kernel_spectra import Kernel
from numerics.matrices import multiprecision_entries
from numerics.problem import Arithmetic, Method, Problem
from numerics.spectra import Spectrum, certified_float_spectrum, spectrum_to
from proofs_check.commands.output import console, emit, table
from proofs_check.proof_objects import accepted, is_certificate
from theory.errors import InputError
from theory.files import check_output, write


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
            title = f"Eigenvalues of the {kernel} kernel, {method.upper()}"
            _print(title, ["k", "λ_k"], content["eigenvalues"], content)
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
        title = f"Singular values of A_{method.upper()}, {content['arithmetic']} matrix"
        _print(title, ["k", "σ_k"], content["singular_values"], content)
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


def _print(title: str, columns: list[str], values: list[Any], content: dict[str, Any]) -> None:
    rows = [[str(k), v if isinstance(v, str) else f"[{v['lower']}, {v['upper']}]"] for k, v in enumerate(values, 1)]
    table(f"{title}, {'proven enclosures' if content['certified'] else 'not proven'}", columns, rows)
    console.print(
        f"{len(rows)} values, {content['working_digits']} working digits, {content['seconds']:.2f} s", markup=False
    )

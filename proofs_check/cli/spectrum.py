"""``adfd spectrum``.

``adfd entropy --certificate``: what is printed is what the file proves, no more.

``adfd entropy``: both entropies, or the sign of H_FD − H_AD for every step in an interval.
"""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from numerics.arithmetic.balls import Decimals, Enclosure
from numerics.entropy.compare import EntropyEnclosure, difference, entropy_enclosure
from numerics.entropy.interval import IntervalVerdict, Piece, entropy_sign_on_interval
from numerics.entropy.proof_objects import entropy_certificate
from numerics.matrices.assemble import multiprecision_entries, shape
from numerics.problem import file as problem_file
from numerics.problem.drawn import interior_points
from numerics.problem.problem import Arithmetic, Method, Problem
from numerics.spectra.kernels import Kernel
from numerics.spectra.spectrum import Spectrum, certified_float_spectrum, spectrum_to
from proofs_check.certificates.objects import accepted, is_certificate, step_certificate
from proofs_check.cli.output import console, emit, table
from theory.base.errors import InputError, NonexistenceError, PrecisionCapError
from theory.base.exact import rational, spell
from theory.base.files import check_output, write
from theory.entropy.conventions import Convention


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
    problem = problem_file.load_problem(path)
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
            if found := content.get("sampling"):
                console.print(
                    f"M E‖A Aᵀ/M − K‖²_F in [{found['variance']['lower']}, {found['variance']['upper']}]; with M ≥ {found['features']} random "
                    f"features r = {found['cutoff']} as in the limit, with probability at least 9/10"
                )
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

    from numerics.spectra.spectrum import reference_singular_values

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
    error = (
        {"rounding_error": _rounding_error(problem, method, arithmetic)} if certify and arithmetic != "exact" else {}
    )
    return {
        "method": method,
        "arithmetic": arithmetic,
        "matrix": arithmetic,
        "singular_values": values,
        "rest_upper": Enclosure.exact(found.rest_upper).decimals(digits)["upper"],
        "certified": certify,
        "working_digits": found.working_digits,
        "seconds": found.seconds,
        **error,
    }


LARGEST_STORED = 256
"""Largest number of singular values whose bounds through the rounding error are computed beside others."""


def _rounding_error(problem: Problem, method: Method, arithmetic: Arithmetic) -> dict[str, Any] | None:
    """Encloses the norm of what rounding changed, and what it leaves of each value; None where that is not known."""
    from numerics.arithmetic.prior import HYPOTHESIS
    from numerics.spectra.stored import prior_bounds, stored_bounds

    if min(shape(problem)) > LARGEST_STORED:
        return None
    try:
        found = stored_bounds(problem, method, arithmetic)
    except (NonexistenceError, PrecisionCapError):
        return None
    content = {"norm": found.errors[0].decimals(6), "singular_values": [v.decimals(6) for v in found.values]}
    try:
        before = prior_bounds(problem, method, arithmetic)
    except InputError:
        return content | {"a_priori": None}
    return content | {"a_priori": {"norm": before.errors[0].decimals(6)["upper"], "hypothesis": HYPOTHESIS}}


def _order_of_values(problem: Problem, arithmetic: Arithmetic) -> dict[str, Any] | None:
    """At which k the rounding errors alone prove which of the stored matrices has the larger value; a priori bounds too."""
    from numerics.arithmetic.prior import HYPOTHESIS
    from numerics.spectra.stored import prior_bounds, stored_order

    if min(shape(problem)) > LARGEST_STORED:
        return None
    try:
        found = stored_order(problem, arithmetic)
    except (NonexistenceError, PrecisionCapError):
        return None

    def named(order: tuple[int | None, ...]) -> dict[str, Any]:
        return {name: [k for k, sign in enumerate(order, 1) if sign == value] for name, value in SIGN.items()}

    try:
        before = named(stored_order(problem, arithmetic, bounds=prior_bounds)) | {"hypothesis": HYPOTHESIS}
    except InputError:
        return named(found) | {"a_priori": None}
    return named(found) | {"a_priori": before}


def _of_kernel(problem: Problem, method: Method, kernel: Kernel, digits: int, certify: bool) -> dict[str, Any]:
    if problem.equations:
        return _of_network(problem, method, kernel, certify)
    from numerics.spectra.kernels import kernel_spectrum

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
    } | ({"sampling": _of_samples(problem, method)} if kernel == "limit" else {})


SAMPLED_POINTS = 12
"""Most points at which the variance of a sampled kernel is asked for."""


def _of_samples(problem: Problem, method: Method) -> dict[str, Any] | None:
    """How many features have the limit's cut-off number under the file's convention; None where that is not known."""
    from numerics.entropy.sampling import sampling

    try:
        if len(interior_points(problem)) > SAMPLED_POINTS:
            return None
        found = sampling(problem, method, problem.convention)
    except (InputError, NonexistenceError, PrecisionCapError):
        return None
    return {
        "variance": found.variance.decimals(12),
        "convention": problem.convention.to_dict(),
        "cutoff": found.cutoff,
        "distance": Enclosure.exact(found.distance).decimals(12)["lower"],
        "probability": "9/10",
        "features": found.enough(Fraction(1, 10)),
    }


def _of_network(problem: Problem, method: Method, kernel: Kernel, certify: bool) -> dict[str, Any]:
    """Eigenvalues of J Jᵀ of the residuals of one network at its start, in float64: not proven."""
    if kernel != "ntk" or certify:
        raise InputError(
            "--kernel: of equations there is ntk alone, the kernel of a network at its start, and nothing of it is proven"
        )
    import torch

    from numerics.networks import ntk
    from numerics.training import from_problem

    began = time.perf_counter()
    kernels = ntk.kernel(from_problem.model(problem, method), from_problem.start(problem, [problem.seed]))
    values = torch.linalg.eigvalsh(kernels[0]).flip(0).tolist()
    return {
        "method": method,
        "arithmetic": "float64",
        "matrix": "float64",
        "kernel": kernel,
        "eigenvalues": [repr(max(value, 0.0)) for value in values],
        "rest_upper": None,
        "certified": False,
        "working_digits": 15,
        "seconds": time.perf_counter() - began,
    }


def _plain(found: Spectrum, k: int, digits: int) -> str:
    """A value as a decimal: the float that LAPACK gave, or the middle of the enclosure."""
    if found.computed is not None:
        return repr(found.computed[k])
    if k >= found.rank:
        return "0"
    return Enclosure.exact(found.values[k].middle).decimals(digits)["lower"]


def _write_certificate(problem: Problem, method: Method, digits: int, path: Path, force: bool) -> None:
    from numerics.spectra.certificate import certificate

    write(path, json.dumps(accepted(certificate(problem, method, digits))), option="--certificate", force=force,
          known=is_certificate)  # fmt: skip


def _print(title: str, columns: list[str], values: list[Any], content: dict[str, Any]) -> None:
    rows = [[str(k), v if isinstance(v, str) else f"[{v['lower']}, {v['upper']}]"] for k, v in enumerate(values, 1)]
    table(f"{title}, {'proven enclosures' if content['certified'] else 'not proven'}", columns, rows)
    console.print(f"{len(rows)} values, {content['working_digits']} working digits, {content['seconds']:.2f} s")
    if content.get("rounding_error"):
        console.print(
            f"norm of the rounding error: {_text(content['rounding_error']['norm'])}; no value is off by more"
        )


SIGN = {"fd<ad": -1, "fd>ad": 1}
"""The sign of H_FD − H_AD by its name."""


def may_write(path: Path, problem: str, force: bool) -> None:
    """Refuses a file that may not be written, before anything is computed.

    Raises:
        InputError: see :func:`theory.base.files.check_output`.
    """
    check_output(path, option="--certificate", force=force, known=is_certificate, inputs=[problem])


def proved_entropies(
    problem: Problem, convention: Convention, digits: int, path: Path, force: bool
) -> tuple[dict[str, EntropyEnclosure], Enclosure]:
    """Writes the proof object; both entropies as it states them, and their difference.

    Raises:
        PrecisionCapError: an entropy is not proven to exist, or the checker refuses the proof.
    """
    data = accepted(entropy_certificate(problem, convention, digits))
    found = {}
    for method, claim in data["entropies"].items():
        low, high = claim["cutoff"]
        found[method] = EntropyEnclosure(_enclosure(claim), (low, high))
    _write(data, path, force)
    return found, _enclosure(data["gap"])


def proved_steps(
    problem: Problem, convention: Convention, low: Fraction, high: Fraction, path: Path, force: bool, seconds: float
) -> IntervalVerdict:
    """Writes the proof object; its pieces, and what lies between them as undecided.

    Raises:
        PrecisionCapError: nothing is proven.
    """
    start = time.perf_counter()
    data = accepted(step_certificate(problem, convention, low, high, seconds=seconds))
    pieces, end = [], low
    for piece in data["pieces"]:
        a, b = Fraction(piece["low"]), Fraction(piece["high"])
        if end < a:
            pieces.append(Piece(end, a, None, None))
        pieces.append(Piece(a, b, SIGN[piece["sign"]], None))
        end = b
    if end < high:
        pieces.append(Piece(end, high, None, None))
    _write(data, path, force)
    signs = {piece.sign for piece in pieces}
    decided = sum((p.high - p.low for p in pieces if p.sign is not None), Fraction(0)) / (high - low)
    sign = signs.pop() if len(signs) == 1 else None
    return IntervalVerdict(tuple(pieces), sign, float(decided), len(data["pieces"]), time.perf_counter() - start)


def _enclosure(claim: dict[str, Any]) -> Enclosure:
    low, high = (int(claim[end][0]) * Fraction(10) ** claim[end][1] for end in ("lower", "upper"))
    return Enclosure(low, high)


def _write(data: dict[str, Any], path: Path, force: bool) -> None:
    write(path, json.dumps(data), option="--certificate", force=force, known=is_certificate)


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
    problem = problem_file.load_problem(path)
    convention = convention_from(problem.convention, rule, tau, rank, power, normalised)
    if certificate is not None:
        if not certify or arithmetic != "exact":
            raise InputError("--certificate: a proof object is about the exact matrices; add --certify")
        may_write(certificate, path, force)
    if step_interval is not None:
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
        "sign": "undecided" if gap is None else _sign(gap.sign()),
        "reason": found["ad"].reason or found["fd"].reason,
        "certified": certify,
    }
    if certify and arithmetic != "exact":
        content["order_of_values"] = _order_of_values(problem, arithmetic)
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
    )
    if content["reason"]:
        console.print(f"undefined: {content['reason']}")
    return 0


def _sign(found: int | None) -> str:
    """What the sign of H_FD − H_AD is called."""
    return next((word for word, value in SIGN.items() if value == found), "undecided")


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


def _shown(found: EntropyEnclosure, digits: int) -> Decimals | None:
    return None if found.value is None else found.value.decimals(max(digits, 6))


def _cutoff(found: EntropyEnclosure) -> int | list[int]:
    low, high = found.cutoff
    return low if low == high else [low, high]


def _text(value: dict[str, str] | None) -> str:
    return "undefined" if value is None else f"[{value['lower']}, {value['upper']}]"


def interval(text: str) -> tuple[Fraction, Fraction]:
    """``LOW,HIGH`` as exact rationals; ``0,HIGH`` stands for all steps in ``(0, HIGH]``.

    Raises:
        InputError: not two rationals in ascending order, neither negative.
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise InputError(f"--step-interval: {text!r}; write LOW,HIGH such as 1/100,1/10")
    low, high = (rational(part, "--step-interval") for part in parts)
    if not 0 <= low < high:
        raise InputError(f"--step-interval: {text!r} needs 0 <= LOW < HIGH")
    return low, high


SECONDS = 60.0
"""Time after which what is open stays open."""


def entropy_on_interval(
    problem: Problem,
    convention: Convention,
    text: str,
    certify: bool,
    as_json: bool,
    certificate: Path | None = None,
    force: bool = False,
) -> int:
    """Prints what is proven for every step of ``LOW,HIGH``.

    Raises:
        InputError: without ``--certify``, or an interval that is none.
    """
    if not certify:
        raise InputError("--step-interval: a statement on every step of an interval is a proof; add --certify")
    low, high = interval(text)
    if certificate is None:
        found = entropy_sign_on_interval(problem, low, high, convention, seconds=SECONDS)
    else:
        found = proved_steps(problem, convention, low, high, certificate, force, SECONDS)
    runs = _runs(found)
    content: dict[str, Any] = {
        "convention": convention.to_dict() | {"label": convention.label},
        "interval": {"low": spell(low), "high": spell(high)},
        "sign": _sign(found.sign),
        "decided": found.decided,
        "pieces": [{"low": a, "high": b, "sign": _sign(sign), "count": count} for a, b, sign, count in runs],
        "evaluations": found.evaluations,
        "seconds": found.seconds,
        "certified": True,
    }
    if found.small is not None:
        small = found.small
        content["small_steps"] = {
            "high": spell(small.high),
            "power": small.power,
            "quotient": small.quotient.decimals(6),
        }
    content["agreeing_steps"] = _agreeing_steps(problem, high)
    if certificate is not None:
        content["certificate"] = str(certificate)
    if as_json:
        emit(content)
        return 0
    rows = [[a, b, _sign(sign), str(count)] for a, b, sign, count in runs]
    table(f"H_FD − H_AD, {convention.label}, exact matrices", ["h from", "to", "for every h", "pieces"], rows)
    console.print(
        f"{content['sign']} for every h in the interval"
        if found.sign is not None
        else f"proven on {100 * found.decided:.1f} % of the interval, {found.evaluations} pieces examined",
    )
    steps = [Fraction(h) for h in content["agreeing_steps"] or []]
    agreeing = [k for k, h in enumerate(steps, 1) if h == high]
    if agreeing:
        console.print(
            f"σ_k of A_AD and A_FD agree to a hundredth for every h up to {spell(high)}: {len(agreeing)} of {len(steps)} k, "
            f"and k = {agreeing[-1]} is the last"
        )
    if found.small is not None:
        ends = found.small.quotient.decimals(4)
        console.print(
            f"(H_FD − H_AD) / h^{found.small.power} in [{ends['lower']}, {ends['upper']}] for every "
            f"h in (0, {spell(found.small.high)}]"
        )
    return 0


def _agreeing_steps(problem: Problem, high: Fraction) -> list[str] | None:
    """For each k the step below which AD's and FD's values agree to a hundredth, proven; None where that takes long."""
    from numerics.spectra.agreement import agreeing_steps

    if min(shape(problem)) > LARGEST_STORED:
        return None
    try:
        return [spell(h) for h in agreeing_steps(problem, high, Fraction(1, 100))]
    except PrecisionCapError:
        return None


def _runs(found: IntervalVerdict) -> list[tuple[str, str, int | None, int]]:
    """Neighbouring pieces of one sign put together: ends, sign, number of pieces."""
    runs: list[tuple[str, str, int | None, int]] = []
    for piece in found.pieces:
        if runs and runs[-1][2] == piece.sign:
            low, _, sign, count = runs[-1]
            runs[-1] = (low, spell(piece.high), sign, count + 1)
        else:
            runs.append((spell(piece.low), spell(piece.high), piece.sign, 1))
    return runs

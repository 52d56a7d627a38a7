"""``adfd entropy``: both entropies, or the sign of H_FD − H_AD for every step in an interval."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from numerics import problem_file
from numerics.enclosure import Decimals, Enclosure
from numerics.entropies import EntropyEnclosure, difference, entropy_enclosure
from numerics.problem import Arithmetic, Problem
from numerics.spectra import certified_float_spectrum, spectrum_to
from numerics.step_interval import IntervalVerdict, entropy_sign_on_interval
from proofs_check.commands.entropy_proof import SIGN, may_write, proved_entropies, proved_steps
from proofs_check.commands.output import console, emit, table
from theory.entropy import Convention
from theory.errors import InputError
from theory.exact import rational, spell


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
        markup=False,
    )
    return 0


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

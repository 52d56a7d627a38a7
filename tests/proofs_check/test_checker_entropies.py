"""Proof objects of entropies and of steps: both checkers, against an oracle in mpmath, tampered and crafted."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import mpmath
import pytest
from certificate_cases import bound, problem, refused, singular_values

from numerics.arithmetic.balls import Enclosure
from numerics.entropy.proof_objects import entropy_certificate, possible_cutoffs, proven_entropy
from numerics.problem.problem import Boundary, Problem
from proofs_check import checker, checker_entropies, checker_steps
from proofs_check.certificates.objects import Search
from proofs_check.second_checker import entropies as second_entropies
from proofs_check.second_checker import reading
from proofs_check.second_checker import steps as second_steps
from proofs_check.second_checker.intervals import allow
from theory.base.errors import PrecisionCapError
from theory.entropy.conventions import Convention, standard_conventions
from theory.features.laws import law

Json = dict[str, Any]


def entropy(sigma: list[mpmath.mpf], data: Json) -> mpmath.mpf:
    """By the definition, with exact comparisons of 100-digit numbers."""
    tau, q = Fraction(data["threshold"]), data["power"]
    t = mpmath.mpf(tau.numerator) / tau.denominator
    sigma = [s if s > mpmath.mpf(10) ** -80 else mpmath.mpf(0) for s in sigma]
    if data["rule"] == "fixed":
        r = min(int(tau), sum(s > 0 for s in sigma))
    elif data["rule"] == "energy":
        w = [s**q for s in sigma]
        r = next(k for k in range(len(w) + 1) if mpmath.fsum(w[k:]) <= t * mpmath.fsum(w))
    else:
        unit = sigma[0] if data["rule"] == "relative" else 1
        r = sum(s > 0 and s >= t * unit for s in sigma)
    w = [s**q for s in sigma[:r]]
    p = [x / mpmath.fsum(w) for x in w]
    value = -mpmath.fsum(x * mpmath.log(x) for x in p)
    return value / mpmath.log(r) if data["normalised"] else value


def true(data: Json) -> bool:
    """Whether the entropies, their difference and its sign are as claimed."""
    with mpmath.workdps(110):
        found = {
            m: entropy(singular_values(data["problem"], data[m]["difference"]), data["convention"])
            for m in ("ad", "fd")
        }
        slack = mpmath.mpf(10) ** -45
        gap = found["fd"] - found["ad"]
        inside = [
            bound(claim["lower"]) - slack <= value <= bound(claim["upper"]) + slack
            for claim, value in [*((data["entropies"][m], found[m]) for m in found), (data["gap"], gap)]
        ]
        return all(inside) and {"fd<ad": gap < slack, "fd>ad": gap > -slack, "undecided": True}[data["sign"]]


CONVENTIONS = standard_conventions(2)


@cache
def proof(seed: int) -> str | None:
    """A certificate of the problem of that seed, under one convention after the other; ``None`` if there is no entropy."""
    try:
        return json.dumps(entropy_certificate(problem(seed), CONVENTIONS[seed % len(CONVENTIONS)], 8))
    except PrecisionCapError:
        return None


def proofs(seeds: range) -> list[Json]:
    return [json.loads(text) for text in map(proof, seeds) if text is not None]


def test_entropies_of_all_conventions_are_proven_and_true() -> None:
    found = proofs(range(32))
    assert len({json.dumps(data["convention"]) for data in found}) >= 12
    assert {data["sign"] for data in found} == {"fd<ad", "fd>ad", "undecided"}
    for data in found:
        assert refused(data) is None
    for data in found[::3]:
        assert true(data)


def _nudged(pair: list[Any], dice: random.Random) -> list[Any]:
    change = dice.choice([1, -1]) * 10 ** dice.randint(0, 9)
    mantissa, exponent = int(pair[0]) * 10**3 + change, pair[1] - 3
    while mantissa and mantissa % 10 == 0:
        mantissa, exponent = mantissa // 10, exponent + 1
    return [str(mantissa), exponent if mantissa else 0]


def _claim(data: Json, dice: random.Random) -> None:
    claim = dice.choice([data["entropies"]["ad"], data["entropies"]["fd"], data["gap"]])
    end = dice.choice(["lower", "upper"])
    claim[end] = _nudged(claim[end], dice)


def _sign(data: Json, dice: random.Random) -> None:
    data["sign"] = dice.choice(["fd<ad", "fd>ad", "undecided", "ad", None, True])


def _cutoff(data: Json, dice: random.Random) -> None:
    cutoff = data["entropies"][dice.choice(["ad", "fd"])]["cutoff"]
    cutoff[dice.randrange(2)] += dice.choice([-1, 1])


def _convention(data: Json, dice: random.Random) -> None:
    key = dice.choice(["rule", "threshold", "power", "normalised"])
    data["convention"][key] = {
        "rule": dice.choice(["relative", "absolute", "energy", "fixed", "none"]),
        "threshold": dice.choice(["1/2", "1", "2", "3", "0", "-1", "1/1000000", "99/100"]),
        "power": dice.choice([1, 2, 3, True]),
        "normalised": dice.choice([True, False, 1, 0]),
    }[key]


def _swapped(data: Json, dice: random.Random) -> None:
    data["ad"], data["fd"] = data["fd"], data["ad"]
    if dice.random() < 0.5:
        data["ad"]["difference"], data["fd"]["difference"] = data["fd"]["difference"], data["ad"]["difference"]


def _spectrum(data: Json, dice: random.Random) -> None:
    claim = dice.choice(data[dice.choice(["ad", "fd"])]["values"])
    end = dice.choice(["lower", "upper"])
    claim[end] = _nudged(claim[end], dice)


def _both(data: Json, dice: random.Random) -> None:
    """A smaller and consistent gap, with its sign."""
    _claim(data, dice)
    _sign(data, dice)


MUTATIONS: list[Callable[[Json, random.Random], None]] = [
    _claim, _claim, _sign, _cutoff, _convention, _convention, _swapped, _spectrum, _both
]  # fmt: skip


def trial(seed: int, sources: list[Json]) -> bool:
    dice = random.Random(seed)
    data = copy.deepcopy(dice.choice(sources))
    dice.choice(MUTATIONS)(data, dice)
    if refused(data) is not None:
        return False
    assert true(data), seed
    return True


def test_tampered_entropies_are_judged_alike_and_never_falsely() -> None:
    sources = proofs(range(32))
    assert 5 < sum(trial(seed, sources) for seed in range(60)) < 45


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thousands_of_tampered_entropies() -> None:
    sources = proofs(range(400))
    assert 100 < sum(trial(10**6 + seed, sources) for seed in range(3000)) < 2200


# ---- cut-offs that the intervals leave open


def _first(claims: list[tuple[Fraction, Fraction]], convention: Json) -> Any:
    rule = checker_entropies.read_convention(convention)
    (least, most), low, high = checker_entropies.entropy(claims, rule, checker.Work(1e9))
    return (least, most), float(low), float(high)


def _second(claims: list[tuple[Fraction, Fraction]], convention: Json) -> Any:
    allow(1e9)
    cutoff, found = second_entropies.entropy(claims, second_entropies.convention(convention))
    return cutoff, *map(float, found.fractions())


def stated(rule: str, threshold: str, power: int = 1, normalised: bool = False) -> Json:
    return {"rule": rule, "threshold": threshold, "power": power, "normalised": normalised}


OPEN = [
    # sigma_2 in [0.4, 0.6] against half of sigma_1 = 1: one value or two, H = 0 or at most that of (1, 0.6)
    ([("1", "1"), ("2/5", "3/5")], stated("relative", "1/2"), (1, 2), 0.0, 0.66164),
    ([("1", "1"), ("2/5", "3/5")], stated("absolute", "1/2"), (1, 2), 0.0, 0.66164),
    ([("1", "1"), ("0", "1/100")], stated("fixed", "2"), (1, 2), 0.0, 0.0556),
    # 1/3 of the whole may be left out: sigma_2 is 0.4 to 0.6 of 1.4 to 1.6
    ([("1", "1"), ("2/5", "3/5")], stated("energy", "1/3"), (1, 2), 0.0, 0.66164),
    # no value need be as large as 1
    ([("1/2", "2"), ("1/4", "1/4")], stated("absolute", "1"), None, 0, 0),
    ([("0", "2"), ("0", "1/4")], stated("relative", "1/2"), None, 0, 0),
    ([("1", "1"), ("2/5", "3/5")], stated("relative", "1/2", 1, True), None, 0, 0),
    # both probabilities may be 1/e and more: the peak of -p log p bounds them, not their ends
    ([("1", "9"), ("1", "9"), ("1", "9")], stated("fixed", "3"), (3, 3), 0.5, 1.0987),
    ([("1", "9"), ("1", "9")], stated("fixed", "2", 2, True), (2, 2), 0.1, 1.0001),
]


@pytest.mark.parametrize("case", range(len(OPEN)))
def test_undecided_cut_offs_are_hulls(case: int) -> None:
    values, convention, cutoff, low, high = OPEN[case]
    claims = [(Fraction(a), Fraction(b)) for a, b in values]
    for judged in (_first, _second):
        if cutoff is None:
            with pytest.raises(Exception, match="undefined"):
                judged(claims, convention)
            continue
        found, least, most = judged(claims, convention)
        assert found == cutoff
        assert -1e-60 <= least <= low + 1e-9
        assert high - 0.3 <= most <= high


def test_hulls_hold_every_spectrum_in_the_intervals() -> None:
    dice = random.Random(4)
    conventions = [c for c in CONVENTIONS if c.rule != "absolute"] + [Convention("absolute", tau=Fraction(1, 3))]
    checked = 0
    for _ in range(60):
        ends = sorted((Fraction(dice.randint(0, 40), 20) for _ in range(8)), reverse=True)
        claims = [(ends[2 * k + 1], ends[2 * k]) for k in range(4)]
        convention = dice.choice(conventions)
        try:
            cutoff, hull = proven_entropy([Enclosure(*claim) for claim in claims], convention)
        except PrecisionCapError:
            continue
        how = {
            "rule": convention.rule,
            "threshold": str(convention.tau if convention.rank is None else convention.rank),
            "power": int(convention.power),
            "normalised": convention.normalised,
        }
        for judged in (_first, _second):
            found, low, high = judged(claims, how)
            assert found == cutoff == possible_cutoffs([Enclosure(*claim) for claim in claims], convention)
            assert abs(low - float(hull.lower)) + abs(high - float(hull.upper)) < 1e-12
        for _ in range(10):
            inside = [low + (high - low) * Fraction(dice.randint(0, 4), 4) for low, high in claims]
            with mpmath.workdps(60):
                value = float(entropy([mpmath.mpf(v.numerator) / v.denominator for v in inside], how))
            assert float(hull.lower) - 1e-12 <= value <= float(hull.upper) + 1e-12
            checked += 1
    assert checked > 200


@pytest.mark.parametrize("rule", ["relative", "absolute", "energy", "fixed"])
def test_cut_off_numbers_are_the_least_and_the_greatest_of_all_spectra(rule: str) -> None:
    """Against every spectrum with its values at ends of the intervals (between them nothing new happens)."""
    dice = random.Random(rule)
    several = 0
    for _ in range(40):
        ends = sorted((Fraction(dice.randint(1, 40), 20) for _ in range(6)), reverse=True)
        claims = [(ends[2 * k + 1], ends[2 * k]) for k in range(3)]
        tau = Fraction(dice.randint(1, 3)) if rule == "fixed" else Fraction(dice.randint(1, 19), 20)
        how = stated(rule, str(tau), dice.choice([1, 2]))
        found = set()
        for spectrum in itertools.product(*claims):
            if rule == "fixed":
                found.add(min(int(tau), 3))
            elif rule == "energy":
                w = [v ** how["power"] for v in spectrum]
                found.add(next(r for r in range(4) if sum(w[r:]) <= tau * sum(w)))
            else:
                found.add(sum(v >= tau * (spectrum[0] if rule == "relative" else 1) for v in spectrum))
        wanted = min(found), max(found)
        several += wanted[0] < wanted[1]
        assert checker_entropies.cutoffs(claims, checker_entropies.read_convention(how)) == wanted
        allow(1e9)
        assert second_entropies.cutoff(claims, second_entropies.convention(how)) == wanted
        convention = Convention(rule, **({"rank": int(tau)} if rule == "fixed" else {"tau": tau}), power=how["power"])  # type: ignore[arg-type]
        assert possible_cutoffs([Enclosure(*claim) for claim in claims], convention) == wanted
    assert several >= 5 or rule == "fixed"


def claimed(change: Callable[[Json], None]) -> str | None:
    """The reason for which a true certificate, wide in all it says, is refused after a change."""
    data = json.loads(json.dumps(wide()))
    assert refused(data) is None
    change(data)
    return refused(data)


@cache
def wide() -> Json:
    """Singular values within a fiftieth, entropies between what follows from them and far beyond."""
    problem = Problem(
        count=3, interior=(3,), activation_name="tanh", step=(Fraction(1, 3),), weights=law("uniform(-4, 4)")
    )
    data = entropy_certificate(problem, Convention("fixed", rank=2), 12)
    for method in ("ad", "fd"):
        for claim in data[method]["values"]:
            for end, sign in (("lower", -1), ("upper", 1)):
                value = int(claim[end][0]) * Fraction(10) ** claim[end][1]
                claim[end] = pair(value * (1 + Fraction(sign, 50)))
        claims = [
            tuple(int(claim[e][0]) * Fraction(10) ** claim[e][1] for e in ("lower", "upper"))
            for claim in data[method]["values"]
        ]
        cutoff, low, high = _first(claims, data["convention"])  # type: ignore[arg-type]
        data["entropies"][method] = {"cutoff": list(cutoff), "lower": pair(Fraction(low) - Fraction(1, 10**6)),
                                     "upper": pair(Fraction(high) + Fraction(1, 10**6))}  # fmt: skip
        assert high - low > 0.01
    data["gap"], data["sign"] = {"lower": ["-1", 0], "upper": ["1", 0]}, "undecided"
    return data


def pair(value: Fraction) -> list[Any]:
    """To twelve decimals, as a certificate writes it."""
    mantissa, exponent = str(round(value * 10**12)), -12
    while mantissa.endswith("0") and mantissa != "0":
        mantissa, exponent = mantissa[:-1], exponent + 1
    return [mantissa, exponent if mantissa != "0" else 0]


def number(ends: list[Any]) -> Fraction:
    return int(ends[0]) * Fraction(10) ** ends[1]


@pytest.mark.parametrize("method", ["ad", "fd"])
@pytest.mark.parametrize("end", ["lower", "upper"])
def test_an_end_within_what_is_proven_is_refused(method: str, end: str) -> None:
    def inwards(data: Json) -> None:
        claim = data["entropies"][method]
        middle = (number(claim["lower"]) + number(claim["upper"])) / 2
        claim[end] = pair((number(claim[end]) + middle) / 2)

    assert f"entropies.{method}: the {end} bound" in (claimed(inwards) or "")


@pytest.mark.parametrize("sign", ["fd<ad", "fd>ad"])
def test_a_sign_needs_the_whole_gap_on_its_side(sign: str) -> None:
    def said(data: Json) -> None:
        data["sign"] = sign

    assert claimed(said) == "sign: not proven"


@pytest.mark.parametrize("end", ["lower", "upper"])
def test_a_gap_is_end_from_other_end(end: str) -> None:
    def narrowed(data: Json) -> None:
        ends = data["entropies"]
        far = {
            "lower": (number(ends["fd"]["lower"]) - number(ends["ad"]["lower"])),
            "upper": (number(ends["fd"]["upper"]) - number(ends["ad"]["upper"])),
        }
        data["gap"][end] = pair(far[end])

    assert claimed(narrowed) == "gap: not proven"


def test_the_possible_cut_off_numbers_are_stated() -> None:
    def fewer(data: Json) -> None:
        data["entropies"]["ad"]["cutoff"] = [1, 2]

    assert "cutoff" in (claimed(fewer) or "")


# ---- all steps of an interval

SMALL = {
    "falling": (
        Problem(count=4, interior=(4,), activation_name="sin"), Convention("fixed", rank=2), ("9/100", "95/1000", "1/10")
    ),
    "smooth": (
        Problem(count=2, interior=(1,), activation_name="gaussian", boundary=(Boundary(),), weights=law("uniform(-1, 1)")),
        Convention(), ("50/1000", "51/1000", "52/1000"),
    ),
}  # fmt: skip


@cache
def steps(name: str) -> str:
    """Two neighbouring pieces by values: between their ends, or about their middles."""
    of, convention, ends = SMALL[name]
    one, pieces = Search(of, convention, Fraction(ends[-1])), []
    for low, high in pairwise(map(Fraction, ends)):
        found = one.between(low, high) if name == "falling" else one.about((low + high) / 2, low, high)
        assert found is not None
        pieces.append({"low": str(low), "high": str(high)} | found)
    return json.dumps(one.certificate(pieces))


@pytest.mark.parametrize("name", SMALL)
def test_signs_on_steps_are_proven_and_true(name: str) -> None:
    data = json.loads(steps(name))
    assert refused(data) is None
    of, convention, _ = SMALL[name]
    for piece in (data["pieces"][0], data["pieces"][-1]):
        a, b = Fraction(piece["low"]), Fraction(piece["high"])
        for h in (a, (2 * a + b) / 3, b):
            one = entropy_certificate(of.with_(step=(h,)), convention)
            assert one["sign"] == piece["sign"]


def _flip(data: Json) -> None:
    data["pieces"][0]["sign"] = "fd<ad" if data["pieces"][0]["sign"] == "fd>ad" else "fd>ad"


def _stretch(data: Json) -> None:
    data["pieces"][-1]["high"] = str(Fraction(data["pieces"][-1]["high"]) * 2)


def _lower(data: Json) -> None:
    data["pieces"][0]["low"] = str(Fraction(data["pieces"][0]["low"]) / 2)


def _overlap(data: Json) -> None:
    data["pieces"].append(copy.deepcopy(data["pieces"][0]))


def _no_pieces(data: Json) -> None:
    data["pieces"] = []


def _other_kind(data: Json) -> None:
    data["pieces"][0]["kind"] = "about" if data["pieces"][0]["kind"] == "between" else "between"


def _other_step(data: Json) -> None:
    data["nodes"][0]["step"] = str(Fraction(data["nodes"][0]["step"]) * Fraction(101, 100))


def _no_difference(data: Json) -> None:
    data["nodes"][0]["difference"] = None


def _difference_for_ad(data: Json) -> None:
    data["ad"] = {key: data["nodes"][0][key] for key in data["ad"]}


def _undecided(data: Json) -> None:
    data["pieces"][0]["sign"] = "undecided"


def _node_that_is_not(data: Json) -> None:
    data["pieces"][0]["nodes"][0] = 99


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    "change",
    [_flip, _stretch, _lower, _overlap, _no_pieces, _other_kind, _other_step, _no_difference, _difference_for_ad,
     _undecided, _node_that_is_not],
)  # fmt: skip
def test_tampered_steps_are_refused(name: str, change: Callable[[Json], None]) -> None:
    data = json.loads(steps(name))
    change(data)
    assert refused(data) is not None


def test_values_fall_with_the_step_under_every_hypothesis_only() -> None:
    data = json.loads(steps("falling"))
    of = checker.read_problem(data["problem"])
    node = checker_steps.read_node(of, data["nodes"][-1], checker.Work(1e9))
    second = second_steps._node(reading.problem(data["problem"]), data["nodes"][-1])

    def falls(change: Callable[[Json], None], highest: Fraction = node.step) -> bool:
        changed = copy.deepcopy(data["problem"])
        change(changed)
        one = checker_steps.falls(checker.read_problem(changed), node, highest)
        assert one == second_steps._falls(reading.problem(changed), second, highest)
        return one

    assert falls(lambda p: None)
    assert not falls(lambda p: None, Fraction(20))
    assert not falls(lambda p: p.update(activation=["tanh", ["variable", "z"]]))
    assert not falls(lambda p: p.update(activation=["sin", ["product", ["number", "9"], ["variable", "z"]]]))
    assert not falls(lambda p: p["operator"][0]["derivatives"][0].update(factor="2"))
    face = {"points": [["1"]], "weight": "1", "operator": data["problem"]["operator"]}
    assert not falls(lambda p: p.update(boundary=[face]))


def test_the_files_run_as_scripts(tmp_path: Path) -> None:
    import subprocess
    import sys

    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(steps("falling"))
    data = json.loads(steps("falling"))
    _flip(data)
    bad.write_text(json.dumps(data))
    script = Path(checker_entropies.__file__)
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(good), str(bad)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"accepted: {good}")
    assert f"refused: {bad}: pieces: the sign" in done.stdout
    lines = script.read_text().splitlines()
    used = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert used - set(sys.stdlib_module_names) == {"flint", "proofs_check"}

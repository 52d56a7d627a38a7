"""A theorist's study: a conjecture on the order of entropies is stated, judged, refuted, explained and repaired.

    python docs/studies/theorist.py [--cheap]

The conjecture sounds like folklore: *for sine features, differencing loses fine detail, so the AD matrix has at least
the truncated entropy of the FD matrix.*  Sine features are where it should be safest: there A_FD is A_AD with each
column scaled by the stencil's symbol, so that every singular value of FD is at most that of AD.

The repair is a theorem: by ratio majorisation (Marshall, Olkin & Arnold, Inequalities, 2nd ed. 2011, Prop. 5.B.1) the
order of the entropies is decided by whether the ratios σ_k(FD)/σ_k(AD) rise or fall with k, not by their size.

The script asserts what it says, so that running it checks the text.
"""

from __future__ import annotations

import argparse

from adfd import (
    Convention,
    Outcome,
    Problem,
    below,
    claim,
    difference,
    entropy,
    judge,
    like,
    refute,
    spectrum,
    without,
)

RANK = 2
CONVENTION = Convention("fixed", rank=RANK, power=1)
SINE = like(Problem(activation_name="sin"), least=RANK)  # u'' by central differences; any features, points and step
CELL = {"instances": "drawn"}


def values(problem: Problem, method: str):  # type: ignore[no-untyped-def]
    """The certified singular values of the exact matrix, as many as the convention keeps."""
    return spectrum(problem, method, "exact").values[:RANK]  # type: ignore[arg-type]


def full_rank(problem: Problem) -> bool:
    """Whether both matrices have the rank that the convention keeps, so that no entropy is undefined."""
    return all(values(problem, method)[-1].lower > 0 for method in ("ad", "fd"))


def gap(problem: Problem):  # type: ignore[no-untyped-def]
    """An enclosure of H_FD − H_AD."""
    entropies = [entropy(spectrum(problem, m, "exact"), CONVENTION) for m in ("ad", "fd")]  # type: ignore[arg-type]
    return difference(*entropies)


def ratios_rise(problem: Problem) -> bool:
    """Whether σ_k(FD)/σ_k(AD) is certainly non-decreasing in k."""
    ad, fd = values(problem, "ad"), values(problem, "fd")
    return all(fd[k].upper * ad[k + 1].upper <= fd[k + 1].lower * ad[k].lower for k in range(RANK - 1))


def ordered(problem: Problem, sign: int = 1) -> Outcome:
    """Whether sign·(H_FD − H_AD) ≥ 0, decided by balls."""
    found = gap(problem)
    if found is None:
        return Outcome(None, "undefined")
    decision = below(0, found) if sign > 0 else below(found, 0)
    return Outcome(decision, f"H_FD − H_AD = {float(found.middle):.6g}")


@claim("study.order", over=SINE, kind="ball", assume={"full rank": full_rank}, mutants={"reversed": {"sign": 1}})
def ad_has_the_entropy(problem: Problem, sign: int = -1) -> Outcome:
    r"""For sine features $H_{AD} \ge H_{FD}$ at a fixed rank."""
    return ordered(problem, sign)


@claim(
    "study.repaired",
    over=SINE,
    kind="ball",
    assume={"full rank": full_rank, "the ratios rise": ratios_rise},
    mutants={"reversed": {"sign": -1}, "any ratios": without("the ratios rise")},
)
def rising_ratios_give_fd_the_entropy(problem: Problem, sign: int = 1) -> Outcome:
    r"""For sine features $H_{FD} \ge H_{AD}$ at a fixed rank wherever $\sigma_k(A_{FD})/\sigma_k(A_{AD})$ rises with k."""
    return ordered(problem, sign)


def main(*, cheap: bool) -> None:
    """Judges, refutes, explains, repairs."""
    print("1. The conjecture:", ad_has_the_entropy.statement)
    first = judge(ad_has_the_entropy, CELL, "quick")
    print(f"   judged: {first.verdict}; {first.summary}")
    assert first.verdict == "REFUTED"

    print("2. The smallest counterexample found:")
    effort = refute(ad_has_the_entropy, [CELL], 3 if cheap else 20)
    assert effort.best is not None
    problem = effort.best.instance
    content = problem.to_dict()
    print(f"   weights {content['features']['weights']}, biases {content['features']['biases']},")
    print(f"   points {content['points']['interior']}, h = {content['difference']['step']}")
    shown = {m: [f"{float(v.middle):.6f}" for v in values(problem, m)] for m in ("ad", "fd")}
    print(f"   singular values AD {shown['ad']}, FD {shown['fd']}; proven H_FD − H_AD > 0: {gap(problem).sign() == 1}")

    print("3. Why: FD lies under AD at every index, yet the ratios rise with k, so FD is the flatter spectrum:")
    ratios = [
        float(f.middle / a.middle) for a, f in zip(values(problem, "ad"), values(problem, "fd"), strict=True)
    ]  # fmt: skip
    print(f"   σ_k(FD)/σ_k(AD) = {', '.join(f'{r:.6f}' for r in ratios)}")
    assert ratios[0] < ratios[1] <= 1

    print("4. The repair:", rising_ratios_give_fd_the_entropy.statement)
    second = judge(rising_ratios_give_fd_the_entropy, CELL, "quick")
    print(f"   judged: {second.verdict}; {second.summary}")
    assert second.verdict == "CERTIFIED"
    for mutant in rising_ratios_give_fd_the_entropy.mutants:
        verdict = judge(mutant.mutate(rising_ratios_give_fd_the_entropy), CELL, "quick").verdict
        print(f"   wrong version {mutant.name!r}: {verdict}")
        assert verdict == "REFUTED"
    print("   Each instance is certified; the theorem behind them all is ratio majorisation, in theory.entropy.bounds.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cheap", action="store_true", help="a few seconds, for tests")
    main(cheap=parser.parse_args().cheap)

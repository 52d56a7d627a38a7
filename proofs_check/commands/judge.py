"""``adfd verify S1 S2 S3 --problem FILE``: a statement of the source on a reader's own problem, its features redrawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from numerics import problem_file
from numerics.problem import Arithmetic, Problem
from proofs_check import findings, ledger
from proofs_check.claim import Claim
from proofs_check.claims import source
from proofs_check.claims.measures import Measured, entropy_gaps, leading_values, small_values
from proofs_check.claims.samples import Reduced, reduced
from proofs_check.commands.interval import convention_from
from proofs_check.commands.output import emit, progress, say, table
from proofs_check.judging import VERDICT_OF
from proofs_check.verdicts import Outcome, finite
from theory.entropy import Convention
from theory.errors import InputError
from theory.expressions import nearest

DRAWS, MOST_DRAWS = 100, 10_000
ARITHMETICS: tuple[Arithmetic, ...] = ("float64", "float32")

Test = Callable[[Reduced, int, str], Outcome]
TESTS: dict[str, tuple[Test, Callable[[Sequence[Outcome]], Measured]]] = {
    "S1.leading-agree": (lambda found, k, label: source.leading_outcome(found, k, label), leading_values),
    "S2.every-small": (lambda found, k, label: source.small_outcome(found, k, "every"), small_values),
    "S2.some-small": (lambda found, k, label: source.small_outcome(found, k, "some"), small_values),
    "S3.entropy-order": (lambda found, k, label: source.order_outcome(found, k, label), entropy_gaps),
}
"""How a statement is tested at a draw, and what is reported beside the number of draws."""


def judge(
    *,
    ids: list[str],
    path: str | None,
    draws: int | None,
    rule: str | None,
    tau: str | None,
    rank: int | None,
    power: int | None,
    normalised: bool | None,
    others: Mapping[str, Any] = {},
    as_json: bool,
) -> int:
    """Judges statements on the draws of a problem file in float64 and float32; returns the exit code 0.

    Args:
        ids: of the claims.
        path: the problem file.
        draws: how many; 100 by default.
        rule: of the entropy; it and the four that follow override the file's.
        tau: its threshold.
        rank: r of the fixed rule.
        power: of the singular values.
        normalised: whether entropies are divided by log r.
        others: other options of the command, which do not go together with a file.
        as_json: one JSON object instead of a table.

    Raises:
        InputError: a claim that is not one of S1, S2 and S3, features that are given and not drawn, a bad file or option.
    """
    if path is None:
        raise InputError("--draws, --rule, --tau, --rank, --power, --normalised: only with --problem FILE")
    if clash := [name for name, value in others.items() if value]:
        raise InputError(f"--{clash[0]}: cannot be combined with --problem, which judges the draws of that file alone")
    claims, draws = _chosen(ids), DRAWS if draws is None else draws
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"--draws: {draws}; allowed are 1 to {MOST_DRAWS}")
    problem = problem_file.load(path)
    convention = convention_from(problem.convention, rule, tau, rank, power, normalised)
    with progress() as shown:
        statements = _judged(claims, problem, convention, draws, shown)
    content: dict[str, Any] = {
        "problem": path,
        "draws": draws,
        "seeds": [problem.seed, problem.seed + draws - 1],
        "convention": convention.label,
        "facts": len(claims) * len(ARITHMETICS),
        "statements": statements,
    }
    if as_json:
        emit(content)
    else:
        _print(content)
    return 0


def _chosen(ids: list[str]) -> list[Claim]:
    chosen = ledger.select(ids) if ids else ()
    others = [claim.id for claim in chosen if claim.id not in TESTS]
    if others or not chosen:
        named = others[0] if others else "none"
        raise InputError(f"--problem: {named}; {nearest(named, TESTS)}allowed: S1, S2, S3, {', '.join(TESTS)}")
    return list(chosen)


def _judged(
    claims: list[Claim], problem: Problem, convention: Convention, draws: int, shown: Callable[[str, int, int], None]
) -> list[dict[str, Any]]:
    label, found = convention.label, []
    seeds = range(problem.seed, problem.seed + draws)
    facts = len(claims) * len(ARITHMETICS)
    for arithmetic in ARITHMETICS:
        shown(arithmetic, 0, draws)
        sample = reduced(
            problem, seeds, arithmetic, {label: convention}, {label: convention}, partial(shown, arithmetic)
        )
        for claim in claims:
            test, measure = TESTS[claim.id]
            outcomes = [test(sample, k, label) for k in range(draws)]
            holding = sum(o.holds is True for o in outcomes)
            undecided = sum(o.holds is None for o in outcomes)
            share = findings.share(holding, draws, undecided, facts=facts)
            words, data = measure(outcomes)
            finding = share.finding()
            found.append(
                {
                    "id": claim.id,
                    "statement": claim.statement,
                    "arithmetic": arithmetic,
                    "finding": str(finding),
                    "verdict": str(VERDICT_OF[finding]),
                    "evidence": {
                        "summary": f"{finding}: {share.text}{words}",
                        "instances": draws,
                        "holding": holding,
                        "undecided": undecided,
                        "data": finite({"confidence_bounds": [share.low, share.high], **data}),
                    },
                }
            )
    return found


def _print(content: dict[str, Any]) -> None:
    rows = [[one["id"], one["arithmetic"], one["finding"], one["evidence"]["summary"].partition(": ")[2]]
            for one in content["statements"]]  # fmt: skip
    table(f"{content['problem']}, {content['convention']}", ["claim", "arithmetic", "finding", "evidence"], rows)
    first, last = content["seeds"]
    say(
        f"{content['draws']} draws of the features (seeds {first} to {last}); holds: a share of at least 9 in 10 is shown, "
        "reversed: at most 1 in 10, mixed: both are excluded, open: neither"
    )

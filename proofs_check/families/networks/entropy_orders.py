"""The order of the entropies of AD's and FD's tangent kernels over drawn networks: what predicts it, how long it lasts (ours)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from proofs_check.claims.claim import Assumption, Mutant, Profile, Scope, wrong
from proofs_check.claims.comparisons import Decision, every, less, once
from proofs_check.claims.verdicts import Outcome
from proofs_check.families.networks.drawn_networks import BOUNDED, DIFFERENCES, double, instances_of, of_networks
from theory.entropy.conventions import standard_conventions

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from numerics.entropy.compare import EntropyEnclosure
    from numerics.predictions.drawn import TrainingProblem
    from numerics.predictions.entropy_order import Along, Compared
    from numerics.predictions.persistence import EntropyOrder

CONVENTIONS = standard_conventions(4)


@lru_cache(maxsize=64)
def _compared(drawn: TrainingProblem) -> tuple[Compared, ...]:
    """For each network at its start."""
    from numerics.predictions.entropy_order import compared

    return tuple(compared(drawn, drawn.start, CONVENTIONS))


def _something_is_predicted(drawn: TrainingProblem) -> bool:
    from numerics.predictions.persistence import order

    return any(order(*pair) is not None for one in _compared(drawn) for pair in one.entropies)


_PREDICTED = (Assumption("an order is predicted for a network of the draw", _something_is_predicted),)


@of_networks(
    "entropy-order",
    space=double,
    counts=(8, 100),
    scopes=DIFFERENCES,
    title="Where AD alone predicts the order of the kernels' entropies, it is the order",
    predicate=f"{len(CONVENTIONS)} conventions, every drawn network at its start, in float64",
    assumptions=_PREDICTED,
    judges=("numerics.predictions.entropy_order.compared", "numerics.predictions.entropy_order.order"),
    mutants=(
        wrong("sign", "the opposite order", "sign", reverse=True),
        wrong("expansion", "the expansion has the other sign", "sign", leading=-1.0),
        wrong("always", "wherever an order is predicted AD has the larger entropy", "predicate", always="fd<ad"),
    ),
)
def entropy_order(
    drawn: TrainingProblem, scope: Scope, reverse: bool = False, leading: float = 1.0, always: str | None = None
) -> Outcome:
    r"""$\mathrm{sign}(H(G_{FD}) - H(G_{AD}))$ from the expansion of $J_{FD}$ in $h$ with its remainder and round-off, wherever the
    hulls are disjoint."""
    from numerics.predictions.persistence import order

    said = missed = total = 0
    for one in _compared(drawn):
        predicted = one.entropies if leading == 1 else _led(one.predicted, leading).entropies(CONVENTIONS)
        for (ad, fd), actual in zip(predicted, one.measured, strict=True):
            says = order(ad, fd)
            total += 1
            if says is not None:
                said += 1
                missed += ((always or says) == order(ad, actual)) == reverse
    return Outcome(
        missed == 0, f"{said} of {total} orders predicted, {missed} wrong", data={"predicted": said, "of": total}
    )


def _led(found: Any, leading: float) -> Any:
    """The prediction with ``leading`` times the expansion."""
    return replace(found, fd=found.ad + leading * (found.fd - found.ad))


def _small(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    from proofs_check.search.strategies import exact_kernel_problems

    return exact_kernel_problems(activations=BOUNDED)


@lru_cache(maxsize=64)
def _proven(drawn: TrainingProblem) -> tuple[tuple[EntropyEnclosure, EntropyEnclosure], ...]:
    from numerics.predictions.entropy_order import proven_entropies

    ad, fd = proven_entropies(drawn, 0, CONVENTIONS)
    return tuple(zip(ad, fd, strict=True))


def _is_proven(says: EntropyOrder, ad: EntropyEnclosure, fd: EntropyEnclosure) -> Decision:
    if ad.value is None or fd.value is None:
        return Decision.UNDECIDED
    return less(fd.value, ad.value) if says == "fd<ad" else less(ad.value, fd.value)


@of_networks(
    "entropy-order-exact",
    space=_small,
    counts=(8, 100),
    scopes=DIFFERENCES,
    kind="ball",
    title="Where AD alone predicts the order of the kernels' entropies, it is the order in exact arithmetic",
    predicate=f"{len(CONVENTIONS)} conventions, entropies from certified singular values of J; every drawn network of at most 8 neurons, 6 points in "
    "one dimension (2 × 2 in two) and boundary rows, amplitudes ±1",
    assumptions=_PREDICTED,
    judges=("numerics.predictions.entropy_order.compared", "numerics.predictions.entropy_order.proven_entropies"),
    mutants=(
        wrong("expansion", "the expansion has the other sign", "sign", leading=-1.0),
        wrong("always", "wherever an order is predicted AD has the larger entropy", "predicate", always="fd<ad"),
    ),
)
def entropy_order_exact(
    drawn: TrainingProblem, scope: Scope, leading: float = 1.0, always: EntropyOrder | None = None
) -> Outcome:
    r"""$\mathrm{sign}(H(G_{FD}) - H(G_{AD}))$ as predicted in float64 from the expansion of $J_{FD}$ in $h$ is the sign for the
    kernels of these features, points and steps as rationals."""
    (one,) = _compared(drawn)
    decisions = [
        _is_proven(always or says, *pair)
        for says, pair in zip(_led(one.predicted, leading).orders(CONVENTIONS), _proven(drawn), strict=True)
        if says is not None
    ]
    right = sum(decision.holds is True for decision in decisions)
    return Outcome(
        every(decisions),
        f"{len(decisions)} of {len(CONVENTIONS)} orders predicted, {right} proven right",
        data={"predicted": len(decisions), "right": right},
        certified=True,
    )


def _coarse(scope: Scope, widths: tuple[int, ...], **more: Any) -> SearchStrategy[TrainingProblem]:
    """In float64, with the optimiser of the cell and coarse differences, whose orders are predicted."""
    from hypothesis import strategies as st

    from proofs_check.search.strategies import training_problems

    return training_problems(
        widths=st.sampled_from(widths), activations=BOUNDED, members=2, iterations=12, dtypes=("float64",),
        optimizers=(scope["optimizer"],), boundary=False, operators=(("u_x", 1), ("u_xx", 1)),
        steps=(Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)), **more,
    )  # fmt: skip


def _trained(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """Wide, with few points and small targets, else no order outlives an iteration."""
    from hypothesis import strategies as st

    drawn = _coarse(
        scope, (64, 256) if profile == "quick" else (16, 64, 256, 1024), bounded=True,
        rates=(Fraction(1, 10), Fraction(1, 100), Fraction(1)),
    )  # fmt: skip
    points, targets = st.integers(2, 6), st.sampled_from(("exp(x)/1000", "exp(x)/100", "exp(x)"))

    def small(problem: TrainingProblem, interior: int, solution: str) -> TrainingProblem:
        return replace(
            problem, amplitudes="opposite", problem=problem.problem.with_(interior=(interior,), solution=solution)
        )

    return st.builds(small, drawn, points, targets)


def _moving(scope: Scope, profile: Profile = "full") -> SearchStrategy[TrainingProblem]:
    """Narrow, so that kernels move: orders turn."""
    return _coarse(scope, (4, 16))


@lru_cache(maxsize=128)
def _along(drawn: TrainingProblem, share: float) -> tuple[Along, ...]:
    """Orders at the start, in the middle and at the end."""
    from numerics.predictions.entropy_order import along

    iterations = drawn.problem.training.iterations
    return tuple(along(drawn, sorted({0, 1, iterations // 2, iterations}), CONVENTIONS, share))


def _some_order_persists(drawn: TrainingProblem) -> bool:
    return any(says is not None for found in _along(drawn, 1.0) for row in found.kept[1:] for says in row)


@of_networks(
    "entropy-persists",
    space=_trained,
    counts=(12, 60),
    scopes=once(*({"optimizer": name} for name in ("gd", "adam", "lbfgs"))),
    title="An order of the kernels' entropies persists while the drift is small, whatever the optimiser",
    source="ours; continuity: Audenaert (2007), Mirsky (1960)",
    predicate=f"{len(CONVENTIONS)} conventions, both methods trained from one start in float64, at the first, middle and last iteration; AD and FD "
    "at their own parameters",
    assumptions=(Assumption("an order outlives the start for a network of the draw", _some_order_persists),),
    judges=("numerics.predictions.entropy_order.along",),
    mutants=(
        Mutant("always", "an order at the start persists throughout", "assumption",
               lambda c: c.without_assumption("outlives").given(always=True).with_(instances=instances_of(_moving, 8, 50))),
        Mutant("thousandth", "a thousandth of the drift counts", "constant",
               lambda c: c.without_assumption("outlives").given(share=1e-3).with_(instances=instances_of(_moving, 8, 50))),
        wrong("turned", "the order that persists is the opposite one", "sign", reverse=True),
    ),
)  # fmt: skip
def entropy_persists(
    drawn: TrainingProblem, scope: Scope, share: float = 1.0, always: bool = False, reverse: bool = False
) -> Outcome:
    r"""$\mathrm{sign}(H(G^{FD}_t) - H(G^{AD}_t))$ is that at the start while the hulls by $\|J_t-J\|_2$ (Weyl) are disjoint, or
    $\sum T\log(r-1)+h_2(T)$ over both sides (Fannes and Audenaert, T by Mirsky from $\|J_t-J\|_*$ or $\|J_t-J\|_F$) is below the gap;
    $J$ at the start."""
    said = missed = total = 0
    for found in _along(drawn, share):
        for row, actual in zip(found.kept[1:], found.measured[1:], strict=True):
            for first, says, is_ in zip(found.kept[0], row, actual, strict=True):
                claimed = first if always else says
                total += first is not None
                said += claimed is not None
                missed += claimed is not None and (claimed == is_) == reverse
    return Outcome(
        missed == 0, f"{said} of {total} orders persist, {missed} wrong", data={"persist": said, "of": total}
    )


CLAIMS = (entropy_order, entropy_order_exact, entropy_persists)
"""Claims about the order of two entropies."""

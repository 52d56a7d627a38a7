"""What the samples of :mod:`proofs_check.sources.training_samples` come to: predictors before training, outcomes after it.

Each sample is computed once in a process, and once in all processes that share a store, whatever the order in which
samples are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from numerics.problem.problem import METHODS, Method
from numerics.runs.store import content_key, recipe
from numerics.spectra import spectrum as spectra
from proofs_check.sources import least_squares, trained
from proofs_check.sources.trained import Columns
from proofs_check.sources.training_samples import Study, random_method

Moment = Literal["start", "middle"]
"""When a spectrum is taken: before training, or after half of the iterations (networks only)."""


@dataclass(frozen=True)
class Table:
    """All that a sample comes to by one method: computed once, before the cells that read it."""

    study: Study
    method: Method

    @property
    def key(self) -> str:
        """Its content key."""
        return content_key("table", [self.study.key, self.method], recipe(__name__))

    @property
    def cost(self) -> float:
        """Seconds, roughly."""
        work = len(self.study.seeds) * self.study.count
        return 1e-10 * work * (self.study.points * self.study.count + 300 * self.study.points * self.study.iterations)

    def prepare(self) -> None:
        """Computes it and keeps it in the store of this process."""
        store = spectra.backing()
        if store is not None and store.missing([self.key]):
            store.put(self.key, _computed(self.study, self.method))


def tables(study: Study, methods: Sequence[Method] = METHODS) -> tuple[Table, ...]:
    """What the cells of a study read: the tables themselves, without what does not matter for them."""
    asked = [(study.as_computed(m), m) for m in methods]
    if study.sample == "methods":
        asked = [(replace(one, sample="seeds"), m) for one, _ in asked for m in METHODS]
    return tuple(dict.fromkeys(Table(one.as_computed(m), m) for one, m in asked))


@lru_cache(maxsize=256)
def table(study: Study, method: Method) -> Columns:
    """All that a sample comes to by a method, one value a seed.

    Columns ``"start: …"`` and ``"middle: …"``: see :func:`predictors`; ``"after …: …"`` and the rest:
    see :func:`outcomes`.
    """
    own = study.as_computed(method)
    if own.sample == "methods":
        both = {m: table(replace(own, sample="seeds"), m) for m in METHODS}
        drawn = [both[random_method(seed)] for seed in own.seeds]
        return {name: tuple(one[name][k] for k, one in enumerate(drawn)) for name in both["ad"]}
    if (store := spectra.backing()) is None:
        return _computed(own, method)
    wanted = Table(own, method)
    wanted.prepare()
    kept: Any = store.get(wanted.key)
    return {name: tuple(column) for name, column in kept.items()}


def _computed(study: Study, method: Method) -> Columns:
    return least_squares.columns(study, method) if study.model == "rfm" else trained.columns(study, method)


def predictors(study: Study, method: Method, moment: Moment = "start") -> Columns:
    """Entropies by convention and their rivals (:func:`spectrum_predictors`), one value a seed.

    Of the singular values of the features' matrix A for random features, and of the eigenvalues of the gradient-descent
    kernel ``G = J Jᵀ`` of the residual for networks, before training or in the middle of it.
    """
    return _columns(table(study, method), f"{moment}: ")


def outcomes(study: Study, method: Method, solver: str = "pseudo-inverse") -> Columns:
    """What the runs of a method came to, one value a seed.

    ``residual``: norm of the residual that was minimised, in the arithmetic of the run, over ``‖f‖`` for random
    features. ``equation residual``: of the differential equation itself, by autodiff in float64 at the solution that
    was found. ``solution error``: relative to the exact solution. For networks ``iterations to τ``: first iteration
    with at most that fraction of the first loss, None where that was not reached; ``loss``: the last over the first;
    ``later loss``: the last over that in the middle.

    Args:
        solver: for the pseudo-inverse of random features, ``"pseudo-inverse"`` (cut at the arithmetic's own
            ``eps · max(n, M) · σ_1``) or the label of a convention, at whose cut-off number the spectrum is cut.
    """
    found = table(study, method)
    if study.model == "rfm" and study.optimiser == "svd":
        return _columns(found, f"after {solver}, {study.solution}: ")
    return {name: column for name, column in found.items() if not name.startswith(("start: ", "middle: "))}


def _columns(found: Columns, prefix: str) -> Columns:
    return {name.removeprefix(prefix): column for name, column in found.items() if name.startswith(prefix)}

"""The samples on which S1, S2 and S3 are judged: settings, their draws, and what is kept of each draw's spectra.

A setting is an activation, an operator, a law with a step, and a size.  Its draws are seeds of its own: no two settings
share one.  Within a setting the arithmetics, the statements and the conventions look at the same draws, so their
findings depend on each other (intervals by Bonferroni allow for that).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from typing import Any

import msgspec
import numpy as np
from jaxtyping import Float, Int

from numerics.entropy.compare import cutoff_curve, cutoffs, entropies_at_every_cutoff, truncated_entropies
from numerics.matrices import batches as draws
from numerics.problem.problem import Arithmetic, Problem
from numerics.runs.store import content_key, recipe
from numerics.spectra import spectrum as spectra
from proofs_check.claims.claim import Scope
from proofs_check.claims.comparisons import problem
from theory.base.errors import InputError
from theory.entropy.conventions import Convention, Power, standard_conventions

REGIMES = {
    "w~N(0,1) h=1/100": (1, Fraction(1, 100)),
    "w~N(0,25) h=1/100": (5, Fraction(1, 100)),
    "w~N(0,1) h=1/10": (1, Fraction(1, 10)),
    "w~N(0,1) h=1/1000": (1, Fraction(1, 1000)),
}
"""Scale of the weights, and step."""
FIXED_RANK = 8
TIE = 1e-12
"""Entropies that differ by less are not told apart: float64's own error in an entropy of a thousand values."""
TAUS = tuple(10 ** (-k / 2) for k in range(2, 31))
"""Tolerances 1e-1, 10^-1.5, … 1e-15 of the curves."""
SHARES = (1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8, 1.0)
"""Shares of n of the curves."""
CURVES: tuple[tuple[str, Power], ...] = (
    ("energy", 1), ("energy", 2), ("relative", 1), ("relative", 2), ("absolute", 1), ("absolute", 2),
    ("fixed", 1), ("fixed", 2),
)  # fmt: skip
NOISE_DRAWS = 2
"""Draws in which the rounding errors of A_AD are measured."""


@cache
def conventions() -> dict[str, Convention]:
    """The entropy conventions under which S3 is judged, by label.

    At a fixed number of values the normalisation changes no decision: it divides both entropies by the same logarithm.
    """
    return {c.label: c for c in standard_conventions(FIXED_RANK) if not (c.rule == "fixed" and c.normalised)}


@cache
def rules() -> dict[str, Convention]:
    """The cut-off rules by which S1 counts a singular value as large; the normalisation plays no part."""
    return {c.label: c for c in conventions().values() if not c.normalised and (c.power == 1 or c.rule == "energy")}


def shape(size: str) -> tuple[int, int]:
    """Points and features of ``n=64`` or ``N=128,M=64``.

    >>> shape("n=64"), shape("N=128,M=64")
    ((64, 64), (128, 64))

    Raises:
        InputError: neither.
    """
    square, other = re.fullmatch(r"n=(\d+)", size), re.fullmatch(r"N=(\d+),M=(\d+)", size)
    if square:
        return int(square[1]), int(square[1])
    if not other:
        raise InputError(f"size: {size!r}; write n=64, or N=128,M=64")
    return int(other[1]), int(other[2])


@dataclass(frozen=True)
class Setting:
    """What the draws of a sample have in common; the coordinates of a cell, but for arithmetic and convention."""

    activation: str
    operator: str
    regime: str
    size: str

    @staticmethod
    def of(scope: Scope) -> Setting:
        """The setting of a cell."""
        return Setting(scope["activation"], scope["operator"], scope["regime"], scope["size"])

    @property
    def scope(self) -> dict[str, str]:
        """The coordinates."""
        return {"activation": self.activation, "operator": self.operator, "regime": self.regime, "size": self.size}

    @cached_property
    def first_seed(self) -> int:
        """The seed of draw 0: a multiple of 1000 that the coordinates determine."""
        text = "|".join((self.activation, self.operator, self.regime, self.size))
        return 1000 * (int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % 10**6)

    @cached_property
    def template(self) -> Problem:
        """Draw 0."""
        return self.draw(0)

    def draw(self, index: int) -> Problem:
        """A draw as a problem."""
        scale, step = REGIMES[self.regime]
        rows, columns = shape(self.size)
        return problem(
            self.activation, seed=self.first_seed + index, size=columns, scale=scale, step=step,
            operator=self.operator, points=rows,
        )  # fmt: skip


class Curve(msgspec.Struct, frozen=True):
    """In how many draws the statements hold, for each tolerance (of ``fixed``: share of n).

    ``leading`` (S1): the first r_AD values agree; ``small`` (S2): every value behind r_AD is larger with FD; ``raw`` and
    ``normalised`` (S3).  ``…_undecided``: draws in which that could not be decided or says nothing (no value behind
    r_AD, H/log r with r = 1).  ``past_own_knee``: draws in which r_AD counts noise of A_AD itself.
    """

    rule: str
    power: int
    tolerances: list[float]
    leading: list[int]
    small: list[int]
    small_undecided: list[int]
    raw: list[int]
    raw_undecided: list[int]
    normalised: list[int]
    normalised_undecided: list[int]
    cutoff_ad: list[float]
    cutoff_fd: list[float]
    past_own_knee: list[int]


class Reduced(msgspec.Struct, frozen=True):
    """What is kept of the spectra of a sample: one entry a draw.

    Attributes:
        n: number of singular values.
        larger: how many k > n/2 have σ_k(FD) > σ_k(AD); smaller: σ_k(AD) > σ_k(FD).
        ratio: the largest σ_k(FD)/σ_k(AD), k > n/2, at most 1e300.
        last: the last k (from 1) at which σ_k(FD) > σ_k(AD) fails, 0 for none.
        apart: by rule, the largest |σ_k(FD) − σ_k(AD)|/σ_k(AD) among the r_AD leading values; ``all``: of all values.
        entropy_ad, entropy_fd: by convention; None where undefined.
        cutoff_ad, cutoff_fd: effective cut-off numbers, by convention and rule.
        own_knee: number of values of A_AD above its own noise.
        knee: number of values of A_AD above the predicted noise of A_FD.
    """

    n: int
    larger: list[int]
    smaller: list[int]
    ratio: list[float]
    last: list[int]
    apart: dict[str, list[float]]
    entropy_ad: dict[str, list[float | None]]
    entropy_fd: dict[str, list[float | None]]
    cutoff_ad: dict[str, list[int]]
    cutoff_fd: dict[str, list[int]]
    own_knee: list[int]
    knee: list[int]
    curves: list[Curve]


Spectra = Float[np.ndarray, "draws n"]


def reduce(
    drawn: draws.DrawnSpectra,
    noise: float,
    judged: Mapping[str, Convention],
    cut: Mapping[str, Convention] | None = None,
    curves: bool = True,
) -> Reduced:
    """What the statements need of the spectra of a sample.

    Args:
        drawn: the spectra.
        noise: where the values of A_AD itself are noise.
        judged: conventions of S3, by label.
        cut: rules of S1; by default :func:`rules`.
        curves: whether the curves over the tolerance are wanted.
    """
    ad, fd = drawn.ad, drawn.fd
    n = ad.shape[1]
    larger, smaller = fd > ad, ad > fd
    half = n // 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.where(ad > 0, np.abs(fd - ad) / ad, np.where(fd > 0, np.inf, 0.0))
        ratio = np.where(ad > 0, fd / ad, np.inf)
    apart = np.minimum(np.maximum.accumulate(apart, axis=1), 1e300)
    own_knee = (ad >= draws.own_floor(drawn, noise)[:, None]).sum(axis=1)
    leading = rules() if cut is None else cut
    numbers = {label: (cutoffs(ad, c), cutoffs(fd, c)) for label, c in (dict(leading) | dict(judged)).items()}
    entropies = {label: [truncated_entropies(v, c)[0] for v in (ad, fd)] for label, c in judged.items()}
    last = np.where(larger, 0, np.arange(1, n + 1)).max(axis=1)
    return Reduced(
        n=n,
        larger=larger[:, half:].sum(axis=1).tolist(),
        smaller=smaller[:, half:].sum(axis=1).tolist(),
        ratio=np.minimum(ratio[:, half:].max(axis=1), 1e300).tolist(),
        last=last.tolist(),
        apart={label: _within(apart, numbers[label][0]).tolist() for label in leading} | {"all": apart[:, -1].tolist()},
        entropy_ad={label: _listed(pair[0]) for label, pair in entropies.items()},
        entropy_fd={label: _listed(pair[1]) for label, pair in entropies.items()},
        cutoff_ad={label: pair[0].tolist() for label, pair in numbers.items()},
        cutoff_fd={label: pair[1].tolist() for label, pair in numbers.items()},
        own_knee=own_knee.tolist(),
        knee=(ad >= (drawn.entry_error * drawn.spread)[:, None]).sum(axis=1).tolist(),
        curves=[_curve(rule, power, ad, fd, apart, last, own_knee) for rule, power in CURVES if curves],
    )


def _listed(values: Float[np.ndarray, " draws"]) -> list[float | None]:
    return [None if v != v else v for v in values.tolist()]


def _within(apart: Spectra, r: Int[np.ndarray, " draws"]) -> Float[np.ndarray, " draws"]:
    """The greatest of the first r values of an ascending row; 0 for none."""
    return np.where(r > 0, apart[np.arange(len(r)), np.maximum(r, 1) - 1], 0.0)


def decided(gap: Any, settled: Any = False) -> tuple[Any, Any]:
    """Whether H_AD ≥ H_FD, from gaps H_FD − H_AD: arrays of holding and of undecided.

    ``settled``: both entropies are 0 exactly, since r = 1.
    """
    clear = np.abs(gap) > TIE
    return (clear & (gap < 0)) | settled, ~(clear | settled)


def _curve(
    rule: str, power: Power, ad: Spectra, fd: Spectra, apart: Spectra, last: Int[np.ndarray, " draws"],
    own_knee: Int[np.ndarray, " draws"],
) -> Curve:  # fmt: skip
    tolerances = np.array(SHARES if rule == "fixed" else TAUS)
    n = ad.shape[1]
    r_ad, r_fd = (cutoff_curve(values, rule, power, tolerances) for values in (ad, fd))
    H_ad, H_fd = (
        np.where(r > 0, np.take_along_axis(entropies_at_every_cutoff(v, power), np.maximum(r, 1) - 1, axis=1), np.nan)
        for v, r in ((ad, r_ad), (fd, r_fd))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        raw, raw_open = decided(H_fd - H_ad, (r_ad == 1) & (r_fd == 1))
        scaled = [np.where(r > 1, H / np.log(np.maximum(r, 2)), np.nan) for H, r in ((H_ad, r_ad), (H_fd, r_fd))]
        normal, normal_open = decided(scaled[1] - scaled[0])
    none_behind = r_ad >= n
    close = np.take_along_axis(apart, np.maximum(r_ad, 1) - 1, axis=1) <= float(AGREEMENT)

    def count(values: Any) -> list[int]:
        return [int(v) for v in values.sum(axis=0)]

    return Curve(
        rule, power, tolerances.tolist(),
        leading=count(close | (r_ad == 0)),
        small=count((last[:, None] <= r_ad) & ~none_behind),
        small_undecided=count(none_behind),
        raw=count(raw), raw_undecided=count(raw_open),
        normalised=count(normal), normalised_undecided=count(normal_open),
        cutoff_ad=np.median(r_ad, axis=0).tolist(), cutoff_fd=np.median(r_fd, axis=0).tolist(),
        past_own_knee=count(r_ad > own_knee[:, None]),
    )  # fmt: skip


AGREEMENT = Fraction(1, 100)
"""S1: singular values agree when they differ by at most one per cent of AD's."""


@dataclass(frozen=True)
class Sample:
    """The draws of a setting in float32 or float64; cells that read it are judged after it is there."""

    setting: Setting
    arithmetic: Arithmetic
    draws: int

    @cached_property
    def key(self) -> str:
        """Its content key."""
        return content_key("sample", [self.setting.scope, self.arithmetic, self.draws], recipe(__name__))

    @cached_property
    def found(self) -> Reduced:
        """What :func:`read` finds of it."""
        return read(self)

    @property
    def cost(self) -> float:
        """Seconds, roughly."""
        rows, columns = shape(self.setting.size)
        return self.draws * 1e-9 * rows * columns * min(rows, columns) + 0.1

    def prepare(self) -> None:
        """Computes it and keeps it in the store of this process."""
        store = spectra.backing()
        if store is not None and store.missing([self.key]):
            store.put(self.key, msgspec.to_builtins(_computed(self)))


def _computed(sample: Sample) -> Reduced:
    setting = sample.setting
    seeds = range(setting.first_seed, setting.first_seed + sample.draws)
    return reduced(setting.template, seeds, sample.arithmetic, conventions())


def reduced(
    template: Problem,
    seeds: range,
    arithmetic: Arithmetic,
    judged: Mapping[str, Convention],
    cut: Mapping[str, Convention] | None = None,
    tell: draws.Tell = lambda done, total: None,
) -> Reduced:
    """The sample of a problem's draws, by seed; ``judged`` and ``cut`` as in :func:`reduce`, ``tell`` told of each draw.

    Raises:
        InputError: features that are not drawn, or an entry of a matrix that is not finite.
    """
    drawn = draws.float_draws(template, seeds, arithmetic, tell)
    tried = [template.with_(seed=seed) for seed in seeds[:NOISE_DRAWS]]
    return reduce(drawn, draws.own_entry_error(tried, arithmetic) * drawn.spread, judged, cut)


@lru_cache(maxsize=64)
def read(sample: Sample) -> Reduced:
    """A sample, from the store of this process where it is there."""
    store = spectra.backing()
    found = None if store is None else store.get(sample.key)
    if found is None:
        sample.prepare()
        found = None if store is None else store.get(sample.key)
    return _computed(sample) if found is None else msgspec.convert(found, Reduced)

"""The two files a report is made of, read and checked: ``ledger.json`` and ``figures.json``.

Nothing in them is trusted: whatever is missing, of a wrong type or not JSON is one line that names the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from theory.base.errors import InputError

SCHEMA = 1
"""Version of both files; another version is refused, never guessed at."""
LEDGER = "ledger.json"
FIGURES = "figures.json"
MAX_BYTES = 200_000_000
"""Largest file read."""


class Condition(msgspec.Struct, frozen=True):
    """A claim that is not positive, on which a cell rests."""

    id: str
    verdict: str
    text: str


class Link(msgspec.Struct, frozen=True):
    """A claim on which another rests, and for what."""

    id: str
    because: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """Why a cell has its verdict; ``data`` is in JSON types."""

    summary: str
    instances: int = 0
    holding: int = 0
    undecided: int = 0
    rejected: int = 0
    data: dict[str, Any] = {}
    conditions: list[Condition] = []


class Cell(msgspec.Struct, frozen=True):
    """One cell of a claim: where it was judged, what came of it, and how to judge it again.

    ``finding`` is ``holds``, ``reversed``, ``mixed`` or ``open`` of a share of draws; None where none is asked.
    """

    scope: dict[str, str]
    address: str
    verdict: str
    evidence: Evidence
    finding: str | None = None
    expected: str | None = None
    status: str = "unrecorded"
    method: str = ""
    quantifier: str = "all"
    seconds: float = 0.0
    command: str = ""
    run: int = 0


class Step(msgspec.Struct, frozen=True):
    """A step of a derivation."""

    text: str
    because: str = ""
    rule: str | None = None


class Hypothesis(msgspec.Struct, frozen=True):
    """What an instance must meet to count, in words and in code."""

    text: str
    code: str = ""


class Formal(msgspec.Struct, frozen=True):
    """A formal statement of a cell; without ``text`` in older files."""

    conclusion: str
    text: str = ""
    cell: str = ""


class Theorem(msgspec.Struct, frozen=True):
    """A theorem that a proof kernel has checked: in words, as Rocq prints it, what it rests on, and where it was compiled.

    ``proves`` says whether the claim follows from it (with the others that do); else it proves a part.
    """

    name: str
    file: str = ""
    says: str = ""
    statement: str | None = None
    axioms: list[str] = []
    primitives: list[str] = []
    compiled: str | None = None
    proves: bool = True
    cells: dict[str, list[str]] = {}

    @property
    def rests(self) -> str:
        """What it rests on, in words."""
        if self.compiled is None:
            return "not on record as it stands: it counts for nothing"
        known = ", ".join(one.rpartition(".")[2] for one in self.axioms)
        return f"{self.compiled}; {f'axioms: {known}' if known else 'no axioms'}" + (
            f"; and {len(self.primitives)} specifications of the machine's numbers" if self.primitives else ""
        )


class Mutant(msgspec.Struct, frozen=True):
    """A wrong version of a claim that its check must refute."""

    name: str
    change: str
    kind: str = ""
    verdict: str | None = None
    summary: str = ""


class Claim(msgspec.Struct, frozen=True):
    """A statement with its cells."""

    id: str
    title: str
    statement: str
    family: str
    source: str
    predicate: str = ""
    kind: str = ""
    quantifier: str = "all"
    assumptions: list[str] = []
    hypotheses: list[Hypothesis] = []
    formal: list[Formal] = []
    theorems: list[Theorem] = []
    derivation: list[Step] = []
    rests_on: list[Link] = []
    mutants: list[Mutant] = []
    cells: list[Cell] = []


class MutantCount(msgspec.Struct, frozen=True):
    """How many mutants were run, and how many of them were refuted."""

    total: int
    refuted: int


class Summary(msgspec.Struct, frozen=True):
    """Counts over the whole ledger, by the runner."""

    as_expected: int = 0
    improved: int = 0
    changed: int = 0
    unrecorded: int = 0
    errors: int = 0
    mutants: MutantCount | None = None
    seconds: float = 0.0


class Provenance(msgspec.Struct, frozen=True):
    """What produced the ledger."""

    adfd: str = ""
    python: str = ""
    platform: str = ""
    packages: dict[str, str] = {}
    profile: str = ""
    date: str = ""
    command: str = ""
    code: str = ""


class Ledger(msgspec.Struct, frozen=True):
    """The content of ``ledger.json``; each cell's ``run`` is its place in ``runs``, empty in older files."""

    schema: int
    summary: Summary
    provenance: Provenance
    claims: list[Claim]
    runs: list[Provenance] = []


class SpectrumPanel(msgspec.Struct, frozen=True):
    """Singular values of A_AD and A_FD in one arithmetic, descending.

    ``floor``, ``knee`` and ``noise`` (the values behind the knee) are predictions; None and empty in exact arithmetic.
    """

    arithmetic: str
    ad: list[float]
    fd: list[float]
    floor: float | None = None
    knee: int | None = None
    noise: list[float] = []


class SpectrumFigure(msgspec.Struct, frozen=True):
    """Spectra of one problem in several arithmetics, with the problem file and the commands that remake them."""

    name: str
    activation: str
    problem: dict[str, Any]
    step: str
    panels: list[SpectrumPanel]
    commands: list[str] = []


class EntropyCurve(msgspec.Struct, frozen=True):
    """Entropies against the step h in one arithmetic; None where undefined; ``gap`` is FD minus AD.

    ``sign`` is the sign of the gap where the enclosures decide it (−1, 0 or 1), else None.
    """

    arithmetic: str
    ad: list[float | None]
    fd: list[float | None]
    gap: list[float | None]
    sign: list[int | None]


class EntropyFigure(msgspec.Struct, frozen=True):
    """Entropies of one problem against h under one convention; ``first_order`` is the predicted exact gap."""

    name: str
    activation: str
    problem: dict[str, Any]
    convention: str
    steps: list[str]
    curves: list[EntropyCurve]
    first_order: list[float] | None = None
    commands: list[str] = []


class LossRun(msgspec.Struct, frozen=True):
    """A measured loss curve and the exact law's, at the recorded iterations; None where it overflowed.

    ``equation`` is the loss of the differential equation itself at the end: FD minimises that of the discretised one.
    """

    method: str
    dtype: str
    step: float
    equation: float | None
    iterations: list[int]
    loss: list[float | None]
    predicted: list[float | None]


class Truncated(msgspec.Struct, frozen=True):
    """Truncated SVD for every cut-off number 0, 1, …: relative residual norms (None where not finite).

    ``minimised`` is of the equation that was solved (discretised for FD), ``equation`` of the differential one.
    """

    method: str
    dtype: str
    minimised: list[float | None]
    equation: list[float | None]


class TrainingFigure(msgspec.Struct, frozen=True):
    """The random feature model of one problem solved with AD and with FD."""

    name: str
    optimizer: str
    activation: str
    problem: dict[str, Any]
    step: str
    runs: list[LossRun]
    truncated: list[Truncated] = []
    commands: list[str] = []


class Ensemble(msgspec.Struct, frozen=True):
    """Losses of a batch of two-layer networks: quartiles over the seeds, and the tangent kernel's prediction.

    ``equation`` is the median loss of the differential equation itself at the end. ``predicted_lower`` and
    ``predicted_upper`` are medians of the ends of each network's band (None where there is no law), so that the median
    loss lies between them; ``valid_until``: for each network, how long the kernel at the start predicts.
    """

    method: str
    equation: float | None
    iterations: list[int]
    lower: list[float | None]
    median: list[float | None]
    upper: list[float | None]
    predicted_lower: list[float | None] | None = None
    predicted_upper: list[float | None] | None = None
    valid_until: list[int | None] | None = None


class NetworkFigure(msgspec.Struct, frozen=True):
    """Two-layer networks of one width trained with AD and with FD."""

    name: str
    optimizer: str
    activation: str
    problem: dict[str, Any]
    step: str
    width: int
    seeds: int
    dtype: str
    ensembles: list[Ensemble]
    commands: list[str] = []


class RegimePoint(msgspec.Struct, frozen=True):
    """One step and weight scale: in how many draws S2 and S3 hold, and are predicted to."""

    scale: int
    step: str
    draws: int
    small_larger: int
    small_predicted: int
    entropy_order: int
    entropy_predicted: int


class RegimeMap(msgspec.Struct, frozen=True):
    """Where S2 and S3 hold in one arithmetic."""

    arithmetic: str
    activation: str
    features: int
    points: list[RegimePoint]


class PhaseMap(msgspec.Struct, frozen=True):
    """Shares of draws in which S2 (``small``) and S3 (``raw``, ``normalised``) hold; one list a row of the map.

    ``…_predicted`` is None where nothing is; ``flagged`` where the cut-off number counts noise of A_AD itself. Across
    ``pairs``, ``small`` is the share in which AD leaves less of the equation than FD, ``raw`` and ``normalised`` that in
    which the method with the larger entropy does (S4); across ``speeds``, the same with the loss that is left by gradient
    descent after so many ``iterations`` (S5).
    """

    across: Literal["size", "step", "pairs", "speeds"]
    activation: str
    arithmetic: str
    draws: int
    columns: list[str]
    rows: list[str]
    small: list[list[float]]
    raw: list[list[float]]
    normalised: list[list[float]]
    small_predicted: list[list[bool | None]]
    raw_predicted: list[list[bool | None]]
    normalised_predicted: list[list[bool | None]]
    flagged: list[list[bool]]
    iterations: int = 0


class BoundPoint(msgspec.Struct, frozen=True):
    """One trained network at its last iteration: distance from the law of its first kernel, and the bound on it.

    Both are relative to the first residual.
    """

    method: str
    width: int
    bounded: bool
    dtype: str
    deviation: float
    bound: float


class BoundFigure(msgspec.Struct, frozen=True):
    """Drawn networks against the bound of their law."""

    draws: int
    points: list[BoundPoint]


class Figures(msgspec.Struct, frozen=True):
    """The content of ``figures.json``."""

    schema: int
    profile: str = ""
    seconds: float = 0.0
    spectra: list[SpectrumFigure] = []
    entropy: list[EntropyFigure] = []
    training: list[TrainingFigure] = []
    networks: list[NetworkFigure] = []
    regimes: list[RegimeMap] = []
    phases: list[PhaseMap] = []
    bounds: list[BoundFigure] = []


_T = TypeVar("_T", Ledger, Figures)


def read_ledger(directory: Path) -> Ledger:
    """``directory/ledger.json``.

    Raises:
        InputError: missing, unreadable, not JSON, of another shape or version; the line names the file.
    """
    return _read(directory / LEDGER, Ledger)


def read_figures(directory: Path) -> Figures:
    """``directory/figures.json``; errors as in :func:`read_ledger`."""
    return _read(directory / FIGURES, Figures)


class _OldCell(msgspec.Struct):
    address: str
    verdict: str


class _OldClaim(msgspec.Struct):
    id: str
    cells: list[_OldCell]


class _OldLedger(msgspec.Struct):
    claims: list[_OldClaim]


class _Version(msgspec.Struct):
    schema: int


def read_verdicts(path: Path) -> dict[tuple[str, str], str]:
    """The verdicts in a ledger's file by claim and cell; nothing else of it is looked at.

    Raises:
        InputError: it cannot be read, is not a ledger, or is one of another schema; the line names the file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Version).schema
        if version != SCHEMA:
            raise InputError(f"{path}: a ledger of schema {version}; this program reads {SCHEMA}")
        found = msgspec.json.decode(content, type=_OldLedger)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise InputError(f"{path}: is not a ledger that 'adfd verify' wrote") from None
    return {(claim.id, cell.address): cell.verdict for claim in found.claims for cell in claim.cells}


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; adfd verify --out DIR writes it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: is not a report's file: {error}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not JSON: {error}") from None
    if found.schema != SCHEMA:
        raise InputError(f"{path}: schema {found.schema}; this program reads {SCHEMA}")
    return found

"""The command line ``adfd``: names, options, JSON and exit codes; the work is done in the other modules of this folder.

Nothing heavy is imported here: ``adfd --help`` needs neither sympy nor numpy nor torch nor matplotlib.
Exit codes: 0 as expected, also undecided or not found; 1 a verdict changed, a check failed or a precision cap;
2 bad input; 3 an internal error; 130 interrupted.
"""

from __future__ import annotations

from proofs_check.cli import interrupts

interrupts.install()  # before anything else is imported: typer alone takes a tenth of a second

import os
from collections.abc import Callable
from enum import Enum, StrEnum
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from proofs_check.cli import exits

Method = StrEnum("Method", ["ad", "fd"])
ArithmeticName = StrEnum("ArithmeticName", ["exact", "float64", "float32"])
Dtype = StrEnum("Dtype", ["float64", "float32"])
ProfileName = StrEnum("ProfileName", ["quick", "full"])
Device = StrEnum("Device", ["auto", "cpu", "cuda"])
Engine = StrEnum("Engine", ["certified", "mpmath"])
KernelName = StrEnum("KernelName", ["limit", "empirical", "ntk"])
Rule = StrEnum("Rule", ["relative", "absolute", "energy", "fixed"])
Model = StrEnum("Model", {"rfm": "rfm", "two_layer": "two-layer"})
Optimizer = StrEnum("Optimizer", ["gd", "adam", "lbfgs"])

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
ProblemFile = Annotated[str, typer.Argument(metavar="PROBLEM.toml", help="A problem file; see 'adfd example'.")]
Derivative = Annotated[int, typer.Option("--derivative", help="m, the derivative that is approximated.")]
Offsets = Annotated[str, typer.Option("--offsets", help="Offsets in units of h, such as --offsets=-1,0,1 or 0,1/2,2.")]
Terms = Annotated[int, typer.Option("--terms", min=1, max=40, help="How many terms of the expansion.")]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="Worker processes; 0 takes one per core.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that adfd did not make.")]
RuleOf = Annotated[Rule | None, typer.Option("--rule", help="Cut-off rule; the file's by default.")]
Tau = Annotated[str | None, typer.Option("--tau", help="Threshold of the rule, such as 1e-12.")]
Rank = Annotated[int | None, typer.Option("--rank", min=1, help="r of the fixed rule.")]
Power = Annotated[int | None, typer.Option("--power", min=1, max=2, help="Probabilities from σ (1) or σ² (2).")]
Normalised = Annotated[bool | None, typer.Option("--normalised/--plain", help="Divide by log r.")]
Latex = Annotated[bool, typer.Option("--latex", help="LaTeX instead of text.")]
Matrix = Annotated[ArithmeticName, typer.Option("--arithmetic", help="Which matrix: exact, or as stored in float.")]
LastReport = Annotated[Path, typer.Option("--out", help="Where the last report was written.")]
"""Values and options that several commands have in common."""

app = typer.Typer(
    name="adfd",
    help="Checks the theory of automatic versus finite differentiation in training neural PDE solvers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
derive = typer.Typer(no_args_is_help=True, help="Derives a formula: truncation, symbol, remainder, operator, kernel.")
app.add_typer(derive, name="derive")


Options = Callable[..., None]


def _call(body: str, **options: Any) -> None:
    """Runs ``MODULE.FUNCTION`` of the commands; the module is imported only now."""
    module, _, function = body.partition(".")
    code = getattr(import_module(f"proofs_check.cli.{module}"), function)(**options)
    if code:
        raise typer.Exit(code)


def _command(body: str, *, name: str | None = None, of: typer.Typer = app) -> Callable[[Options], Options]:
    """Makes a command of a function that has options and no body: they go to ``body`` by their names."""

    def register(options: Options) -> Options:
        @wraps(options)
        def run(**given: Any) -> None:
            _call(body, **{key: value.value if isinstance(value, Enum) else value for key, value in given.items()})

        of.command(name)(run)
        return options

    return register


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"adfd {version('adfd')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Checks the theory of automatic versus finite differentiation in training neural PDE solvers."""


@app.command()
def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Claims, families, or FILE.py of your own, which is run."),
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Run the wrong versions instead; each must be refuted.")
    ] = False,
    profile: Annotated[ProfileName, typer.Option(help="quick: about a minute; full: a study.")] = ProfileName.quick,
    out: Annotated[Path, typer.Option(help="Where index.html and ledger.json go.")] = Path("report"),
    jobs: Jobs = 0,
    device: Annotated[Device, typer.Option(help="Where networks train.")] = Device.auto,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what an interrupted run has computed.")] = False,
    cell: Annotated[str | None, typer.Option(help="One cell, key=value,key=value as the ledger prints it.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Put the verdicts on record as expected.")] = False,
    release: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Of the whole ledger, all as recorded: make this release.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An older ledger.json: list the verdicts that moved.")] = None,
    problem: Annotated[str | None, typer.Option(help="Judge S1, S2 or S3 on this file, its features redrawn.")] = None,
    draws: Annotated[int | None, typer.Option(help="How many, with --problem (100); the next five too.")] = None,
    rule: RuleOf = None,
    tau: Tau = None,
    rank: Rank = None,
    power: Power = None,
    normalised: Normalised = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Judges the claims and writes the report.

    Examples: **adfd verify**; **adfd verify S2 S3 --profile full**; **adfd verify --mutants**;
    **adfd verify S2.some-small --cell activation=sin,arithmetic=exact**; **adfd verify my_claims.py**;
    **adfd verify S2 S3 --problem poisson.toml --draws 100 --rule energy --tau 1e-6**
    """
    own = {"draws": draws, "rule": rule.value if rule else None, "tau": tau, "rank": rank, "power": power,
           "normalised": normalised}  # fmt: skip
    shared = {
        "mutants": mutants,
        "resume": resume,
        "record": record,
        "cell": cell,
        "against": against,
        "release": release,
    }
    if problem is not None or any(value is not None for value in own.values()):
        others = shared | {"profile": profile is not ProfileName.quick}
        _call("verify.judge", ids=ids or [], path=problem, others=others, **own, as_json=as_json)
        return
    if jobs != 1:  # one thread a worker; set before numpy is loaded, so that the workers can be forked
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    _call("verify.verify", ids=ids or [], profile=profile.value, out=out, jobs=jobs, device=device.value, **shared,
          force=force, as_json=as_json)  # fmt: skip


@_command("claims.claims")
def claims(
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="Those of this source: 2601.07017, S2, …; see 'adfd show ID'.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="A paragraph on each statement of the source instead.")
    ] = False,
    out: LastReport = Path("report"),
    as_json: Json = False,
) -> None:
    """Lists the claims of the ledger.

    Examples: **adfd claims --json**; **adfd claims --source 2601.07017**; **adfd claims --summary**, what came of the
    statements of the source, in prose
    """


@_command("claims.show")
def show(
    claim_id: Annotated[str, typer.Argument(metavar="ID", help="A claim, a source, or S1 to S7; see 'adfd claims'.")],
    out: LastReport = Path("report"),
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Of a source: its page, as a file by itself.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="With --html: what AD and FD cost in seconds, on this machine, now.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Shows a claim: statement, predicate, assumptions, derivation, mutants and the last evidence.

    Examples: **adfd show S2.some-small**; **adfd show S3**, what came of a statement of the source, in prose;
    **adfd show 2601.07017**, the page of a source: settings, matched protocol, verdicts, what would change them;
    **adfd show 2601.07017 --html langer.html** after ``adfd verify literature``, the same as a page to send
    """


@_command("claims.cite")
def cite(
    claim_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="A claim's id; see 'adfd claims'.")] = None,
    release_of: Annotated[
        str | None, typer.Option("--release", metavar="VERSION", help="This release, or the claim as it stood in it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cites a claim: BibTeX with the version and the digest of the ledger, and the paper that is judged; or a release.

    Examples: **adfd cite S2.some-small**; **adfd cite --release 0.1.0**, whose digests are computed again
    """


@_command("derive.truncation", of=derive)
def truncation(
    derivative: Derivative, offsets: Offsets, terms: Terms = 3, latex: Latex = False, as_json: Json = False
) -> None:
    """Weights and truncation expansion of a stencil, exactly.

    Example: **adfd derive truncation --derivative 2 --offsets=-1,0,1**
    """


@_command("derive.symbol", of=derive)
def symbol(
    derivative: Derivative, offsets: Offsets, terms: Terms = 3, latex: Latex = False, as_json: Json = False
) -> None:
    """Fourier symbol of a stencil, and whether its modulus stays at or below 1 on the whole line.

    Example: **adfd derive symbol --derivative 2 --offsets=-1,0,1**
    """


@_command("derive.remainder", of=derive)
def remainder(
    derivative: Derivative, offsets: Offsets, terms: Terms = 3, latex: Latex = False, as_json: Json = False
) -> None:
    """Peano kernel of a stencil: its pieces, its sign, and the exact error constant.

    Example: **adfd derive remainder --derivative 2 --offsets=-1,0,1**
    """


@_command("derive.operator", of=derive)
def operator(
    expression: Annotated[str, typer.Argument(metavar="OPERATOR", help="Such as 'u_xx + u_yy', or a name.")],
    stencil: Annotated[str, typer.Option(help="central, forward, backward, five-point, nine-point, …")] = "central",
    order: Annotated[int, typer.Option(min=1, max=16, help="Order of accuracy, where the stencil has one.")] = 2,
    offsets: Annotated[str | None, typer.Option("--offsets", help="Explicit offsets for every derivative.")] = None,
    terms: Terms = 1,
    latex: Latex = False,
    as_json: Json = False,
) -> None:
    """Leading truncation terms of a discretised operator, in any dimension.

    Example: **adfd derive operator "u_xx + u_yy" --stencil five-point**
    """


@_command("derive_kernel.kernel", of=derive)
def kernel(
    activation: Annotated[str, typer.Option(help="A name, or an expression in z.")],
    weights: Annotated[str, typer.Option(help="Law of the weights, such as 'normal(0, 1)'.")] = "normal(0, 1)",
    biases: Annotated[str, typer.Option(help="Law of the biases, such as 'normal(0, 1/2)'.")] = "normal(0, 1)",
    operator: Annotated[str | None, typer.Option(help="L, such as u_xx; K alone without it.")] = None,
    offsets: Annotated[str | None, typer.Option("--offsets", help="Offsets of the difference, for K_FD.")] = None,
    step: Annotated[str | None, typer.Option(help="h, for K_FD.")] = None,
    at: Annotated[str | None, typer.Option(metavar="X,Y", help="Evaluate at this pair of points.")] = None,
    digits: Annotated[int, typer.Option(min=1, max=200, help="Digits of the values.")] = 30,
    terms: Annotated[int, typer.Option(min=0, max=8, help="Terms of the expansion of K_FD in h.")] = 0,
    code: Annotated[str | None, typer.Option(metavar="numpy|torch|mpmath", help="Print the kernel as code.")] = None,
    latex: Latex = False,
    as_json: Json = False,
) -> None:
    """Random-feature kernel K and its AD and FD versions, derived and verified by independent quadrature.

    Example: **adfd derive kernel --activation erf --weights "normal(0, 1)" --biases "normal(0, 1/2)"
    --operator u_xx --offsets=-1,0,1 --step 1/10 --at 3/10,-7/10**
    """


@_command("derive.solvable", name="spectrum", of=derive)
def solvable(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="circle, mehler, hermite or prolate.")],
    parameters: Annotated[list[str] | None, typer.Option("--parameter", "-p", metavar="KEY=VALUE")] = None,
    step: Annotated[str, typer.Option(help="h of the difference.")] = "1/10",
    count: Annotated[int, typer.Option(min=1, max=200, help="How many eigenvalues.")] = 8,
    power: Annotated[int, typer.Option(min=1, max=2, help="Probabilities from σ (1) or σ² (2).")] = 1,
    rule: Annotated[Rule | None, typer.Option("--rule", help="Cut-off rule; without one all values are kept.")] = None,
    tau: Tau = None,
    rank: Rank = None,
    normalised: Normalised = None,
    digits: Annotated[int, typer.Option(min=1, max=60)] = 15,
    as_json: Json = False,
) -> None:
    """AD and FD eigenvalues and entropies of an exactly solvable model, with the proven sign of the gap.

    The spectrum may be infinite: what is not listed is bounded, under every cut-off rule.

    Example: **adfd derive spectrum circle -p q=19/20 --step 1/10 --rule energy --tau 1e-6 --normalised**
    """


@_command("spectrum.spectrum")
def spectrum(
    path: ProblemFile,
    method: Annotated[Method, typer.Option(help="Automatic or finite differentiation.")] = Method.ad,
    digits: Annotated[int | None, typer.Option(min=1, max=1000, help="Digits asked of every singular value.")] = None,
    certify: Annotated[bool, typer.Option("--certify", help="Proven enclosures instead of decimals.")] = False,
    arithmetic: Matrix = ArithmeticName.exact,
    engine: Annotated[Engine, typer.Option(help="How an exact spectrum is computed.")] = Engine.certified,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a proof object; 'adfd check' re-verifies it.")
    ] = None,
    kernel: Annotated[
        KernelName | None,
        typer.Option(
            help="Eigenvalues of a kernel on the points instead: the limit of many features (and how many are "
            "enough), A Aᵀ/M, or the tangent kernel of the two-layer network with outer weights ±1."
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Singular values of A_AD or A_FD, or eigenvalues of a kernel on the points.

    Example: **adfd spectrum poisson.toml --method fd --digits 20 --certify**

    Example: **adfd spectrum poisson.toml --kernel ntk --certify**
    """


@_command("spectrum.entropy")
def entropy(
    path: ProblemFile,
    rule: RuleOf = None,
    tau: Tau = None,
    rank: Rank = None,
    power: Power = None,
    normalised: Normalised = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="Proven enclosures and the proven sign of H_FD − H_AD.")
    ] = False,
    arithmetic: Matrix = ArithmeticName.exact,
    digits: Annotated[int | None, typer.Option(min=1, max=1000, help="Digits asked of the singular values.")] = None,
    step_interval: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="With --certify: for every h in an interval (0,HIGH: every h in (0, HIGH]), as far as a minute goes: some "
            "sixty features at a fixed rank. What stays open is reported as undecided.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --certify: write a proof object, and print what it proves."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Truncated entropies of A_AD and A_FD, and the sign of their difference.

    Example: **adfd entropy poisson.toml --rule relative --tau 1e-12 --power 1 --certify**
    """


@_command("train.train")
def train(
    path: ProblemFile,
    model: Annotated[Model | None, typer.Option(help="Random feature model, or two-layer network.")] = None,
    method: Annotated[Method | None, typer.Option(help="Only this one; both by default.")] = None,
    optimizer: Annotated[Optimizer | None, typer.Option(help="The file's by default (gd).")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many draws are trained.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="Steps of the optimiser.")] = None,
    step: Annotated[
        str | None, typer.Option(help="Step of gradient descent (1/σ₁², 1/λ₁ by default), or Adam's rate (1e-3).")
    ] = None,
    dtype: Annotated[Dtype | None, typer.Option(help="Arithmetic of the run.")] = None,
    device: Annotated[Device, typer.Option(help="Where torch computes.")] = Device.auto,
    cast: Annotated[
        bool, typer.Option("--cast-after-forward", help="Difference in float64 what was evaluated in float32.")
    ] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the state of network runs in this folder.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the state in --checkpoint.")] = False,
    tolerance: Annotated[
        float | None, typer.Option(metavar="T", help="Also the first iteration with T times the first loss (networks).")
    ] = None,
    entropy: Annotated[
        bool, typer.Option("--entropy", help="Also the entropy of the residual Jacobian along training (networks).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Trains with AD and FD residuals and compares with the predicted loss.

    Examples: **adfd train poisson.toml --model rfm --seeds 4 --iterations 1000**;
    **adfd train poisson.toml --model two-layer --optimizer adam --dtype float32 --checkpoint runs --resume**;
    **adfd train poisson.toml --model two-layer --optimizer lbfgs --tolerance 0.01 --entropy --json**

    Loss: half the sum of squared residuals. Depth, scaling and defaults: the file's [training] table.
    """


@_command("check.advise")
def advise(
    path: Annotated[str | None, typer.Argument(metavar="[PROBLEM.toml]", help="A problem file.")] = None,
    module: Annotated[
        str | None, typer.Option(metavar="FILE.py:NAME", help="A torch module or function instead; the file is run.")
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option(help="The module's equation, such as 'u_t + u*u_x = 0.01*u_xx'; several with ';' between."),
    ] = None,
    unknowns: Annotated[
        str | None, typer.Option(help="What its columns are called, in order, such as u,v,p; u by default.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Where its points are drawn, such as --domain='-1,1;0,1'.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many points are drawn there.")] = 512,
    step: Annotated[str | None, typer.Option(help="A step of the module's to judge: h, or one for each axis.")] = None,
    dtype: Annotated[Dtype | None, typer.Option(help="The arithmetic; the file's or the module's by default.")] = None,
    cost: Annotated[bool, typer.Option("--cost/--no-cost", help="Measure what AD and FD cost.")] = True,
    device: Annotated[Device, typer.Option(help="Where the cost of AD and FD is measured.")] = Device.auto,
    figure: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it (svg, pdf or png).")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Which step, stencil and precision to use, and what AD would gain.

    Examples: **adfd advise poisson.toml**; **adfd advise poisson.toml --figure advice.svg --json**;
    **adfd advise --module net.py:model --operator "u_t - u_xx" --domain "-1,1;0,1" --step 0.001**
    """


@_command("sweep.sweep")
def sweep(
    path: Annotated[str, typer.Argument(metavar="SWEEP.toml", help="A problem file with a [sweep] table.")],
    store: Annotated[Path, typer.Option(metavar="FILE", help="Where results are kept.")] = Path("sweep.sqlite"),
    jobs: Jobs = 0,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A dask scheduler instead of processes.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a store that is there already.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Compute all cells again, those in the store too.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the rows: .csv, .parquet or .json.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Computes every combination of a sweep file; an interrupted sweep resumes with nothing computed twice.

    Examples: **adfd sweep steps.toml --store steps.sqlite --export steps.csv**;
    **adfd sweep steps.toml --store steps.sqlite --resume --jobs 2**
    """


@_command("refute.refute")
def refute(
    claim_id: Annotated[
        str, typer.Argument(metavar="ID", help="A claim, a mutant ID/MUTANT, or FILE.py::ID of your own; it is run.")
    ],
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long to search.")] = 60.0,
    cell: Annotated[str | None, typer.Option(help="Search in this cell only.")] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the witness; it re-checks by itself.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Searches for the smallest counterexample to a claim, and re-checks it.

    Examples: **adfd refute spectra.order-beyond-sine --seconds 20**; **adfd refute my_claims.py::mine.norm**
    """


@_command("check.check")
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A proof object, as --certificate writes it.")],
    problem: Annotated[str | None, typer.Option(metavar="PROBLEM.toml", help="Also: about this problem?")] = None,
    method: Annotated[Method | None, typer.Option(help="Also: about this matrix of --problem?")] = None,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="Also: let the kernel of Rocq (Coq) prove the singular values.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Re-verifies a proof object with a checker that stands on FLINT alone, and prints what is proven.

    Examples: **adfd check proof.json**; **adfd check proof.json --problem poisson.toml --method fd**;
    **adfd check proof.json --kernel**
    """


@_command("sweep.report")
def report(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR|STORE", help="A directory that 'adfd verify --out' wrote, or a sweep's store."),
    ] = Path("report"),
    latex: Annotated[bool, typer.Option("--latex", help="Also write statements and tables as LaTeX.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where a store's figures go; by default beside it.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Writes DIR/index.html again from DIR/ledger.json and DIR/figures.json; or draws the figures of a sweep's store.

    Examples: **adfd report report --latex**; **adfd report steps.sqlite**
    """


@_command("check.example")
def example(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this one; list them by default.")] = None,
    as_json: Json = False,
) -> None:
    """Lists the shipped problem files, or prints one.

    Examples: **adfd example**; **adfd example poisson > poisson.toml**
    """


def main() -> None:
    """Entry point: every failure becomes one line on stderr and its exit code."""
    exits.run(app)


if __name__ == "__main__":
    main()

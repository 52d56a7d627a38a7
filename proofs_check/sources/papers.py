"""The sources whose statements are judged: who wrote them, what of them is in hand, and how they are compared.

Of every paper abstract-level facts alone are in hand.  What is said here of a paper is in our words; sizes, steps, laws,
thresholds and quantifiers of the claims are ours, and each page names them as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from theory.base.errors import InputError, nearest

ABSTRACT = "abstract-level facts only"
ARXIV = "arXiv:"


@dataclass(frozen=True)
class Paper:
    """A source of statements, and the protocol under which they are judged.

    Attributes:
        id: its arXiv number, or a name.
        authors: as printed; empty where they are not in hand.
        year: of its first version; 0 for what is no publication.
        title: its title, or what it is.
        in_hand: what is known of it here.
        says: what it states, in our words, as far as it is judged here.
        settings: the problems on which it is judged: ours.
        table: the same as rows of a table, where a page has one: name and value.
        matched: what the two sides of a comparison have in common.
        ours: readings and choices that are ours and not the paper's.
        change: what would change the verdicts.
        labels: ``source`` of its claims, besides ``arXiv:ID`` or the id.
        example: a shipped problem file on which its comparison can be run.
    """

    id: str
    authors: str
    year: int
    title: str
    says: tuple[str, ...]
    settings: str
    matched: str
    ours: str
    change: str
    in_hand: str = ABSTRACT
    labels: tuple[str, ...] = ()
    example: str = ""
    table: tuple[tuple[str, str], ...] = ()

    @property
    def arxiv(self) -> bool:
        """Whether its id is an arXiv number."""
        return self.id[:4].isdigit()

    @property
    def name(self) -> str:
        """``arXiv:2601.07017``, or the id."""
        return ARXIV + self.id if self.arxiv else self.id

    @property
    def cited(self) -> str:
        """Authors, title, number and year in a line."""
        who = self.authors or ("authors not in hand" if self.arxiv else "")
        where = f"{self.name}, {self.year}" if self.arxiv else ""
        return ", ".join(part for part in (who, self.title, where) if part)


TRAINED = (
    (
        "Equation",
        r"$u'' = f$ on $(-1, 1)$, both end values with weight 100, $f$ of the solution $\sin k\pi x$, $k = 1$ (and 3 in the full profile)",
    ),
    (
        "Points",
        "8 or 32 in the interior, equispaced; FD: the central second difference at the spacing of the points, so that it links neighbours",
    ),
    (
        "Network",
        r"$u = \frac{1}{\sqrt{64}}\sum_j a_j\sigma(w_j x + b_j)$ with 64 neurons, all parameters trained, $w \sim N(0, 9)$, $a, b \sim N(0, 1)$",
    ),
    (
        "Activations",
        "ReLU, tanh, sin (and ReLU², ReLU³ in the full profile); AD takes ReLU's second derivative to be zero",
    ),
    (
        "Training",
        "L-BFGS, 30 iterations, or Adam at 0.01, 200 iterations (300 and 2000 too in the full profile); loss half the sum of squared residuals",
    ),
    ("Arithmetic", "float64 on the CPU"),
    ("Starts", "32 a setting, seeds 0 to 31, each trained with AD and with FD"),
    ("Error", r"$\|u - u^*\| / \|u^*\|$ on a fine grid between the points too; a run trains when it ends under 1/10"),
)
"""The trained comparison, which two pages share."""

PAPERS: tuple[Paper, ...] = (
    Paper(
        "2405.14099",
        "C. Chen, Y. Yang, Y. Xiang, W. Hao",
        2024,
        "Automatic Differentiation is Essential in Training Neural Networks for Solving Differential Equations",
        (
            "S1: large singular values of the two system matrices agree.",
            "S2: small singular values of FD are larger.",
            "S3: the truncated entropy of AD is at least that of FD.",
            "S4, S5: truncated entropy quantifies the residual loss of random features and the speed of two-layer networks.",
            "S6, S7: AD outperforms FD in training, and the advantage grows with order and depth.",
        ),
        "random features and two-layer networks on Poisson and biharmonic equations in one dimension (two for S1 to S3)",
        "the same features or the same start, points, boundary rows, optimiser, budget and arithmetic, paired by seed",
        "every predicate, threshold, size, law, step, convention of the entropy, and the margin of ten per cent",
        "the source's own sizes, cut-off rule, tolerance and step, which are not in hand; size, arithmetic and convention are axes of the cells",
        labels=tuple(f"S{k}" for k in range(1, 8)),
        example="poisson",
    ),
    Paper(
        "2601.07017",
        "A. Langer",
        2026,
        "The Ill-Posed Foundations of Physics-Informed Neural Networks and Their Finite-Difference Variants",
        (
            "For networks that are wide enough, of depth two at least, minimisers of the AD and of the FD loss are infinitely many.",
            "Every FD minimiser agrees on the grid with a minimiser of the finite-difference problem.",
            "In experiments FD stays stable, also where AD may fail to converge.",
        ),
        r"$u'' = f$ on $(-1, 1)$ with both end values, $h$ the spacing of the grid. Exactly: 8 grid points, 6, 8 or 16 random features, every draw. "
        "Trained: two-layer networks of width 64, all parameters, 8 or 32 interior points, ReLU, its powers, tanh and sin, L-BFGS and Adam, 32 starts",
        "the same features or the same start, points, end rows, right-hand side, optimiser, iterations and arithmetic; only the second derivative differs",
        "sizes, laws, optimisers and budgets; for the exact claims random features (hidden parameters fixed) in place of trained networks; “trains” as "
        "a relative error under a tenth at the end, “fails” as one above; ReLU and few points as the settings in which AD may fail",
        "trained hidden parameters for the exact claims: padding a network with a neuron of amplitude zero gives infinitely many minimisers at once; "
        "other networks and laws, nonlinear equations, a grid that is not that of the difference, a longer budget",
        example="langer",
        table=(
            *TRAINED,
            (
                "Exact claims",
                "8 points with the ends, 6, 8 or 16 random features with fixed $w \\sim N(0, 4)$, $b \\sim N(0, 1)$; ranks by minors in balls of 512 bits",
            ),
        ),
    ),
    Paper(
        "2505.10949",
        "C. Xu, D. Liu, A. Nassereldine, J. Xiong",
        2025,
        "FP64 is All You Need: Rethinking Failure Modes in Physics-Informed Neural Networks",
        (
            "Failures of training, small residual and large error, come of precision: in float32 L-BFGS meets its convergence test too early.",
            "float64 rescues the optimisation.",
        ),
        r"two-layer tanh networks of width 16, $u'' = f$ with solutions $\sin\pi x$ and $\sin 3\pi x$, 32 interior points and both ends",
        "the same starts, points, optimiser, history and budget; the test is applied afterwards to runs that know none, so that arithmetic "
        "and test vary apart",
        "the networks, the equation (the source's own problems are not run), the budget, PyTorch's change of 1e-9 on ½|r|², "
        "the factor ten",
        "problems on which training fails altogether, which these are not chosen to be; a longer budget; the scale of the loss, on which an absolute "
        "test depends",
    ),
    Paper(
        "2110.15832",
        "P.-H. Chiu, J. C. Wong, C. Ooi, M. H. Dao, Y.-S. Ong",
        2021,
        "CAN-PINN: A Fast Physics-Informed Neural Network Based on Coupled-Automatic-Numerical Differentiation Method",
        (
            "AD is accurate only with many collocation points.",
            "Differences link neighbouring points and train with few; their accuracy is limited by the interpolation.",
            "A coupled scheme is better than AD with few points, and better than differences by one to two orders of magnitude.",
        ),
        r"64 random features, 4, 8, 16 and 32 interior points, $u'' = f$ with the solution $\sin\pi x$; least-norm solutions in float64",
        "the same features, points, end rows, right-hand side and cut-off; the schemes differ in the interior rows alone",
        "random features solved by least squares in place of training; our coupled scheme (the compact one of order 4) in place of the source's for "
        "convection and pressure; a smooth solution",
        "a solution with sharp layers; convection; training from a start in place of the solution of least norm",
    ),
    Paper(
        "2503.11029",
        "W. Gan, Y. Li, Q. Lin, Z. Shi",
        2025,
        "Neural Tangent Kernel of Neural Networks with Loss Informed by Differential Operators",
        (
            "In most cases the differential operator in the loss does not make the eigenvalues of the kernel decay faster.",
        ),
        "random-feature kernels on the circle (five laws of the frequencies) and the Hermite model, 40 eigenvalues, $\\partial^2$ and its central "
        "difference at $h = 1/10$",
        "the same law and the same count of eigenvalues, each relative to the largest",
        "random-feature kernels in place of tangent kernels of deep networks; eigenvalue by eigenvalue in place of an asymptotic rate; the laws",
        "an asymptotic rate in place of the first 40 eigenvalues (FD multiplies by a bounded factor that vanishes at $nh = 2\\pi$); laws whose weights "
        "do not fall with the frequency",
    ),
    Paper(
        "2410.06308",
        "C. Chen, Q. Zhou, Y. Yang, Y. Xiang, T. Luo",
        2024,
        "Quantifying Training Difficulty and Accelerating Convergence in Neural Network-Based PDE Solvers",
        (
            "A larger effective rank of the kernel's eigenvalues at initialisation goes with faster convergence of the training error.",
            "Variance scaling of the initialisation raises the effective rank.",
        ),
        r"32 random features and points, tanh and sin, scales 1, 4, 16, 64; values, $u''$ by AD, $u''$ by FD; float64",
        "the same normal numbers at both scales, the same points, right-hand side and number of iterations; gradient descent at step "
        r"$1/\sigma_1^2$ of each",
        "the scales, the size, random features for trained networks, the target sin πx, 1000 iterations; “goes with” read as nine draws in ten",
        "a correlation over many networks in place of pairs; another target: what is left depends on the projections and not on the spectrum alone",
    ),
    Paper(
        "2602.10541",
        "A. Sulc",
        2026,
        "Solving PDEs in One Shot via Fourier Features with Exact Analytical Derivatives",
        ("Derivatives of every order at little cost are special to sinusoidal activations.",),
        "eleven activations, derivatives 0 to 12, exactly",
        "the same orders for each activation",
        "“cheap” read as: all derivatives lie in a space of two functions; and, of tanh, as a bounded number of terms",
        "a count of operations with recurrences, such as Hermite's for the Gaussian, which is not made here",
        in_hand="title and author as the author's own software cites it, and a sentence on the abstract",
    ),
    Paper(
        "2601.11771",
        "T. Mao, J. Xu, X. Xu",
        2026,
        "Solving High-Dimensional PDEs Using Linearized Neural Networks",
        ("Linear systems of linearised tanh networks are even worse conditioned than those of ReLU powers.",),
        r"one dimension, 8 features with kinks in the domain, 40 points, $|w|$ = 1, 4, 16, 64; values, and collocation of $u''$ with both ends",
        "the same hidden parameters, points and end rows; condition numbers enclosed with proof",
        "one dimension, the law of the kinks, the scales, the number of features; Gram matrices of the variational form are not judged",
        "the scale: steep tanh features are nearly steps, and ReLU powers, being homogeneous, keep their angles; higher dimension; more features",
    ),
    Paper(
        "2602.21590",
        "K. L. Lim, R. Dutta, M. Rotaru",
        2026,
        "Physics Informed Neural Network using Finite Difference Method",
        (
            "FD losses on a grid are faster to compute than AD losses and on a par in error.",
            "(A summary by others:) the residual's gradient in the network's values is treated as constant.",
        ),
        "error: the trained networks of 2601.07017 above; operations: a tanh network of width 8, one or three layers: one derivative at one point, and a step of training on a grid of 8 points; "
        "for the constant gradient the random features of 2601.07017",
        "the same start, points, end rows, right-hand side, optimiser, iterations and arithmetic; the same network and point",
        "“on a par” as errors within a factor of two in the geometric mean over starts; operations counted in place of seconds (no verdict "
        "rests on seconds); what “constant” means: the direction $\\Phi^T r$ in place of $\\Phi^T D^T r$, random features",
        "the budget (longer training lowers AD's error below FD's truncation), the activation, the number of points; the mode of AD, the dimension, the "
        "number of layers, a compiler that shares subexpressions; for the constant gradient, the number of features",
        in_hand="the abstract, and a summary by others for the constant gradient",
        table=(
            *TRAINED,
            (
                "Operations",
                "a tanh network of width 8, one or three layers: one derivative at one point, and the loss of 8 points on a grid with its gradient in all parameters, where differences share values; additions, multiplications and activations, one each",
            ),
            ("Constant gradient", "the random features of the exact claims on arXiv:2601.07017"),
        ),
    ),
    Paper(
        "rules-of-practice",
        "",
        0,
        "Steps of differences as software sets them",
        (
            r"$h = \varepsilon^{1/(2+m)}$ for a derivative of order $m$, whatever the problem (NeuralPDE.jl).",
            "$h = 0.001$ by default (PhysicsNeMo); said to work for most problems in float32.",
            "One step for all derivatives of an equation.",
        ),
        "24 points and 24 random features, tanh and sin, scales of the weights 1 to 100, float32 and float64",
        "the same draws, rounded to float32, in both arithmetics and at every step",
        "what “works” means: a factor 10 of the least error, or a tenth of the derivative; features for trained networks",
        "the scale of the features, of which the rules take none, and the order of the stencil",
        labels=("rules of practice",),
        in_hand="defaults and documentation of the software named",
    ),
    Paper(
        "modes-of-differentiation",
        "",
        0,
        "Reverse mode nested in itself, Taylor mode, the forward Laplacian",
        ("The cost of nested reverse mode grows exponentially with the order; forward modes do not have that growth.",),
        "one derivative of order 1 to 6 of a tanh network of width 8, one or three layers, at one point",
        "the same network and point; the modes agree in value",
        "the programs (no operation is shared or folded by a compiler), the count of one for each addition, multiplication and activation",
        "a compiler that shares subexpressions; counting the gradient in the parameters too",
        labels=("modes of differentiation",),
        in_hand="textbooks (Griewank and Walther, Evaluating Derivatives, 2008)",
    ),
)
"""In the order of the report."""


class _Sourced(Protocol):
    @property
    def source(self) -> str: ...


T = TypeVar("T", bound=_Sourced)


def paper_of(source: str) -> Paper | None:
    """The paper that a claim's ``source`` names; None for what is ours or classical."""
    return next((p for p in PAPERS if source in (*p.labels, p.name)), None)


def find(text: str) -> Paper:
    """The paper of this id, with or without ``arXiv:``.

    Raises:
        InputError: there is none; the line lists them.

    >>> find("arXiv:2405.14099").year
    2024
    """
    known = {p.id: p for p in PAPERS}
    number = text[len(ARXIV) :] if text.lower().startswith(ARXIV.lower()) else text
    if number not in known:
        raise InputError(f"source {text!r}: unknown; {nearest(number, known)}allowed: {', '.join(known)}")
    return known[number]


def is_paper(text: str) -> bool:
    """Whether it is the id of a paper."""
    return any(text in (p.id, p.name) for p in PAPERS)


def judged_by(paper: Paper, claims: Iterable[T]) -> list[T]:
    """The claims that judge statements of a paper."""
    return [claim for claim in claims if paper_of(claim.source) is paper]

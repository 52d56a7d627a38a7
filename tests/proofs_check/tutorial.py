"""Two conjectures about sine features in exact arithmetic; one of them is true."""

from adfd import Enclosure, Problem, below, claim, like, spectrum

SINE = like(Problem(activation_name="sin"), least=2)  # u'' by central differences; any features, points and step


def values(problem, method):
    """Certified singular values."""
    return spectrum(problem, method, "exact").values


def condition(problem, method):
    """The condition number, enclosed."""
    first, *_, last = values(problem, method)
    return Enclosure(first.lower / last.upper, first.upper / last.lower)


@claim(
    "mine.norm",
    over=SINE,
    kind="ball",
    mutants={"reversed": {"smaller": "ad", "larger": "fd"}},
    rests_on=["spectra.sine-ordering"],
)
def fd_has_the_smaller_norm(problem, smaller="fd", larger="ad"):
    r"""For sine features $\|A_{FD}\|_2 \le \|A_{AD}\|_2$."""
    return below(values(problem, smaller)[0], values(problem, larger)[0])


@claim(
    "mine.condition",
    over=SINE,
    kind="ball",
    assume={"regular": lambda problem: all(values(problem, method)[-1].lower > 0 for method in ("ad", "fd"))},
    mutants={"reversed": {"better": "fd", "worse": "ad"}},
)
def fd_is_worse_conditioned(problem, better="ad", worse="fd"):
    r"""For sine features the condition number of $A_{FD}$ is at least that of $A_{AD}$."""
    low, high = condition(problem, better), condition(problem, worse)
    return below(low, high), f"{better}: {float(low.middle):.5g}, {worse}: {float(high.middle):.5g}"

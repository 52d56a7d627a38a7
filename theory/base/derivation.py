"""The record of a derivation: what was derived, by which route, from which assumptions, and how it was checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Step:
    """One step: a sentence, and the formula it arrives at in LaTeX (without dollar signs; may be empty)."""

    text: str
    latex: str = ""


@dataclass(frozen=True)
class Verification:
    """What an independent computation says about a result.

    Attributes:
        route: the independent route, in words.
        digits: decimal digits to which both agree, at the worst of the points; relative to the larger of the
            value and the Cauchy–Schwarz bound of it.
        checks: (quantity, point, reference value) as text; the reference is the independent route's.
        seconds: wall time of the independent computation; 0 when its values came from a cache.
        cached: whether the reference values were read from a cache instead of computed.
    """

    route: str
    digits: int
    checks: tuple[tuple[str, str, str], ...]
    seconds: float
    cached: bool = False


@dataclass(frozen=True)
class Derivation:
    """A derived result with everything a reader needs to believe it.

    Attributes:
        subject: the left-hand side, in LaTeX.
        result: the right-hand side; an expression, or None when there is no closed form.
        route: the name of the method.
        steps: in order.
        assumptions: one sentence each; the result holds under all of them.
        seconds: wall time of the derivation alone.
        verification: None as long as nothing independent has confirmed it.
    """

    subject: str
    result: sympy.Expr | None
    route: str
    steps: tuple[Step, ...] = ()
    assumptions: tuple[str, ...] = ()
    seconds: float = 0.0
    verification: Verification | None = None

    @property
    def verified_digits(self) -> int:
        """Digits confirmed by an independent route; 0 without one."""
        return self.verification.digits if self.verification else 0

    def verified(self, verification: Verification) -> Derivation:
        """The same derivation with its verification attached."""
        return replace(self, verification=verification)

    def latex(self) -> str:
        """The result as one equation, without dollar signs.

        >>> from sympy import Symbol
        >>> Derivation("K", Symbol("x") ** 2, "direct").latex()
        'K = x^{2}'
        """
        if self.result is None:
            return self.subject
        from sympy import latex

        return f"{self.subject} = {latex(self.result)}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def markdown(self) -> str:
        """Steps, assumptions and verification as Markdown with LaTeX formulas."""
        lines = [f"**Route:** {self.route}", ""]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number}. {step.text}" + (f"\n\n   $$ {step.latex} $$" if step.latex else ""))
        lines += ["", f"$$ {self.latex()} $$", ""]
        if self.assumptions:
            lines += ["**Assumptions**", "", *(f"- {text}" for text in self.assumptions), ""]
        if self.verification:
            lines.append(f"**Verified** to {self.verification.digits} digits by {self.verification.route}.")
        else:
            lines.append("**Not verified.**")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: LaTeX for formulas, text for the rest."""
        check = self.verification
        return {
            "subject": self.subject,
            "latex": self.latex(),
            "route": self.route,
            "steps": [{"text": s.text, "latex": s.latex} for s in self.steps],
            "assumptions": list(self.assumptions),
            "seconds": self.seconds,
            "verified_digits": self.verified_digits,
            "verification": None
            if check is None
            else {"route": check.route, "digits": check.digits, "seconds": check.seconds, "cached": check.cached},
        }

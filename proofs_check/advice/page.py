"""An answer as a piece of HTML that stands by itself in a notebook or a page, in light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import escape

from proofs_check.advice.answer import Answer
from proofs_check.advice.words import factor, percent

_LIGHT = "--ink:#17181a;--muted:#5d5f64;--rule:#dcdcd7;--ad:#0072b2;--fd:#d55e00;--third:#009e73;--fourth:#b8558f"
_DARK = "--ink:#e7e6e2;--muted:#a3a5a9;--rule:#34373c;--ad:#56b4e9;--fd:#f08a3c;--third:#2fc79a;--fourth:#e09bc4"
_STYLE = f"""
.adfd{{{_LIGHT};color:var(--ink);font:14px/1.5 system-ui,sans-serif;max-width:60rem}}
@media(prefers-color-scheme:dark){{.adfd{{{_DARK}}}}}
[data-jp-theme-light=true] .adfd,[data-theme=light] .adfd{{{_LIGHT}}}
[data-jp-theme-light=false] .adfd,[data-theme=dark] .adfd{{{_DARK}}}
.adfd h4{{margin:.2em 0 .5em;font-size:1.1em}}
.adfd dl{{display:flex;flex-wrap:wrap;gap:.3em 2em;margin:0 0 .8em}}
.adfd dt{{color:var(--muted);font-size:.85em}} .adfd dd{{margin:0;font-weight:600}}
.adfd ul{{margin:.4em 0;padding-left:1.2em}} .adfd summary{{cursor:pointer;color:var(--muted);margin-top:.6em}}
.adfd .wide{{overflow-x:auto}}
.adfd table{{border-collapse:collapse;font-size:.9em;color:inherit;background:none}}
.adfd th,.adfd td{{text-align:left;padding:.15em .8em .15em 0;border-bottom:1px solid var(--rule);background:none;color:inherit}}
.adfd .panels{{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:.5em}}
"""


def page(answer: Answer, columns: Sequence[str], rows: Sequence[Sequence[str]], panels: Sequence[str]) -> str:
    """The recommendation first, then the reasons, the figure, the table."""
    facts = {
        "arithmetic": answer.dtype,
        "stencil": answer.stencil,
        "h": _steps(answer),
        "error to expect": "none is told" if answer.error is None else percent(answer.error),
        "AD errs by": "" if answer.ad_error is None else percent(answer.ad_error),
        "an iteration with AD": _cost(answer),
    }
    told = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items() if v)
    first, *reasons = answer.text
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in reasons)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    drawn = "".join(f"<div>{panel}</div>" for panel in panels)
    return (
        f'<div class="adfd"><style>{_STYLE}</style><h4>{escape(answer.equation)}</h4><dl>{told}</dl><p>{escape(first)}</p>'
        f"<details open><summary>Reasons</summary><ul>{listed}</ul></details>"
        f'<details open><summary>Error against step</summary><div class="panels">{drawn}</div></details>'
        f'<details><summary>Every difference</summary><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></details></div>"
    )


def _steps(answer: Answer) -> str:
    if not answer.steps or not answer.usable:
        return "no step works"
    values = {h for _, h in answer.steps}
    return values.pop() if len(values) == 1 else ", ".join(f"{name}: {h}" for name, h in answer.steps)


def _cost(answer: Answer) -> str:
    cost = answer.cost
    if cost is None:
        return ""
    nested = "" if cost.ratio is None else f"{factor(cost.ratio)} times one with FD"
    closed = f"{factor(cost.ad_taylor / cost.fd)} times one with FD in closed form" if cost.ad_taylor else ""
    return ", ".join(part for part in (nested, closed) if part)

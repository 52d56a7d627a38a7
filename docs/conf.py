"""How ``make docs`` builds these pages: Sphinx with MyST, formulas as MathML, nothing fetched when they are read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

project = "adfd"
author = copyright = "the adfd authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["build"]
html_theme = "furo"
html_title = "adfd"
html_copy_source = False
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 120
napoleon_use_ivar = True
autodoc_typehints = "description"
autodoc_member_order = "bysource"
suppress_warnings = ["misc.highlighting_failure"]
OUTSIDE = {"](../README.md": "](readme.md", "[CHANGELOG](../CHANGELOG.md)": "`CHANGELOG.md`"}
"""Links to what is no page here."""


def _links(app: Any, name: str, source: list[str]) -> None:
    for link, here in OUTSIDE.items():
        source[0] = source[0].replace(link, here)


def _inline(visitor: Any, node: Any) -> None:
    visitor.body.append(convert(node.astext()))
    raise _skip()


def _block(visitor: Any, node: Any) -> None:
    visitor.body.append(convert(node.astext(), display="block"))
    raise _skip()


def _skip() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()


def setup(app: Any) -> None:
    """Formulas become MathML, which browsers draw by themselves."""
    from docutils import nodes

    app.connect("source-read", _links)
    app.add_node(nodes.math, override=True, html=(_inline, None))
    app.add_node(nodes.math_block, override=True, html=(_block, None))

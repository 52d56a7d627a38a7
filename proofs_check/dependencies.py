"""What rests on what: links between claims, their check, and the verdicts that are conditional on others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proofs_check.verdicts import POSITIVE, Verdict
from theory.errors import InputError
from theory.expressions import nearest

SOUND = frozenset(str(verdict) for verdict in POSITIVE.values())
"""Verdicts on which another claim may rest."""
GRAVITY = (Verdict.ERROR, Verdict.REFUTED, Verdict.VACUOUS, Verdict.INCONCLUSIVE)
"""Verdicts on which none may, the gravest first."""

Links = Mapping[str, Iterable[str]]
"""A claim's id to the ids on which it rests."""


def check(links: Links, known: Iterable[str]) -> list[str]:
    """The ids in an order in which every claim comes after those on which it rests.

    Args:
        links: what rests on what.
        known: ids that may be rested on, besides those of ``links``.

    Raises:
        InputError: an id that is not known, named twice, or a circle.

    >>> check({"a": ("b", "c"), "b": ("c",)}, ["c"])
    ['c', 'b', 'a']
    """
    table = {id: list(targets) for id, targets in links.items()}
    allowed = {*known, *table}
    for id, targets in table.items():
        for target in targets:
            if target not in allowed:
                raise InputError(
                    f"claim {id}: rests on {target!r}: unknown; {nearest(target, allowed)}see 'adfd claims'"
                )
        if len(set(targets)) < len(targets):
            raise InputError(f"claim {id}: rests on the same claim twice: {', '.join(targets)}")
    order: list[str] = []
    state: dict[str, int] = {}  # 1 while its targets are visited, 2 when done

    def visit(id: str, path: tuple[str, ...]) -> None:
        if state.get(id) == 2:
            return
        if state.get(id) == 1:
            circle = [*path[path.index(id) :], id]
            raise InputError(f"claim {id}: rests on itself: {' → '.join(circle)}")
        state[id] = 1
        for target in table.get(id, ()):
            visit(target, (*path, id))
        state[id] = 2
        order.append(id)

    for id in table:
        visit(id, ())
    return order


def conditions(
    id: str, scope: Mapping[str, str], links: Links, verdicts: Mapping[str, Sequence[tuple[Mapping[str, str], str]]]
) -> list[dict[str, Any]]:
    """The claims on which a cell rests, directly or through others, that are not positive where it matters.

    Of a claim that is rested on, the cells count that agree with ``scope`` in the coordinates they share; where no cell
    does, all of them.

    Args:
        id: the claim.
        scope: coordinates of its cell.
        links: what rests on what.
        verdicts: of each claim that was judged, the coordinates and the verdict of every cell.

    Returns:
        ``{"id", "verdict", "cells", "of", "text"}`` each: the gravest verdict, and in how many of how many cells.
    """
    found, seen = [], {id}
    queue = [(target, "") for target in links.get(id, ())]
    while queue:
        target, through = queue.pop(0)
        if target in seen:
            continue
        seen.add(target)
        queue += [(further, target) for further in links.get(target, ())]
        cells = verdicts.get(target, ())
        near = [v for where, v in cells if all(scope.get(key, value) == value for key, value in where.items())]
        counted = near or [v for _, v in cells]
        bad = [v for v in counted if v not in SOUND]
        if not bad:
            continue
        gravest = next(str(v) for v in GRAVITY if v in bad)
        number = sum(1 for v in bad if v == gravest)
        where = "" if number == len(counted) else f" in {number} of {len(counted)} cells"
        by = f" (through {through})" if through else ""
        found.append(
            {
                "id": target,
                "verdict": gravest,
                "cells": number,
                "of": len(counted),
                "text": f"conditional on {target}{by}, which is {gravest}{where}",
            }
        )
    return found

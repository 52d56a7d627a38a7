"""How a sweep's cells are computed, as far as the results depend on it: the recipe that each row carries."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

RECIPES = {"entropy": 1, "spectrum": 1, "train": 1, "advise": 1}
"""Raised, for each kind of value, when the same cell comes out differently; a test holds golden values to them."""
LIBRARIES = {
    "entropy": ("numpy", "scipy", "python-flint"),
    "spectrum": ("numpy", "scipy", "python-flint"),
    "train": ("torch",),
    "advise": ("numpy", "scipy"),
}
"""Whose release (to the second number) the last digits depend on; cells are trained on the CPU."""


def recipe(kind: str) -> str:
    """The recipe of now.

    >>> recipe("train").startswith("train 1; torch ")
    True
    """
    parts = [f"{kind} {RECIPES.get(kind, 1)}"]
    for name in LIBRARIES.get(kind, ()):
        try:
            parts.append(f"{name} {'.'.join(version(name).split('.')[:2])}")
        except PackageNotFoundError:
            parts.append(f"{name} absent")
    return "; ".join(parts)


def is_current(stored: str, kind: str) -> bool:
    """Whether a row with this recipe is what would be computed now.

    A row of a version that recorded none is of the first; libraries that it does not name are not held against it.

    >>> is_current("", "entropy"), is_current("train 0; torch 2.5", "train"), is_current("train 1", "train")
    (True, False, True)
    """
    wanted = recipe(kind).split("; ")
    found = stored.split("; ") if stored else [f"{kind} 1"]
    libraries = dict(part.split(" ", 1) for part in wanted[1:])
    named = [part.split(" ", 1) for part in found[1:] if " " in part]
    return found[0] == wanted[0] and all(libraries.get(name, release) == release for name, release in named)

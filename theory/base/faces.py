"""The faces of the rooms: public names that are loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:  # every command starts with this module
    from collections.abc import Callable, Mapping


def face(package: str, homes: Mapping[str, str]) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """``__all__``, ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its name.
        homes: the names that it hands on, parted by blanks, by the module that defines them; ``new=old`` for one that
            is handed on under another name.
    """
    home = {
        name: (module, own or name)
        for module, names in homes.items()
        for name, _, own in (word.partition("=") for word in names.split())
    }

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, own = home[name]
        value = getattr(import_module(module), own)
        setattr(sys.modules[package], name, value)
        return value

    return sorted(home), load, lambda: sorted({*vars(sys.modules[package]), *home})

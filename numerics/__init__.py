"""Numbers: problems become matrices, spectra, entropies and training runs, in a named arithmetic."""

from __future__ import annotations

from theory.base import old_names

old_names.install()

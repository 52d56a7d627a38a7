"""``python proofs_check/second_checker FILE...``: exit status 0 if every file is accepted, 1 if one is refused, 2 without."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from proofs_check.second_checker.intervals import UndecidedError
from proofs_check.second_checker.judge import findings
from proofs_check.second_checker.reading import load


def judged(path: str) -> list[str]:
    """Why a file is refused, in one line; nothing where its claim is proven."""
    try:
        data = load(Path(path).read_bytes())
    except UndecidedError as reason:
        return [str(reason)]
    except Exception as error:
        return [f"not readable as JSON ({type(error).__name__})"]
    return findings(data)


def main(paths: Sequence[str]) -> int:
    """One line a file."""
    status = 0 if paths else 2
    for path in paths:
        found = judged(path)
        print(f"refused: {path}: {found[0]}" if found else f"accepted: {path}")
        status = max(status, int(bool(found)))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

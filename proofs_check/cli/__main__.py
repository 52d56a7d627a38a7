"""``python -m proofs_check.cli``: the command line where its script is not on the path."""

from __future__ import annotations

from proofs_check.cli.main import main

if __name__ == "__main__":
    main()

"""Start-up of ``adfd --help`` against a bare typer application of as many commands, interleaved; the bar is 2."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
COMMANDS = 19

BARE = "import typer\napp = typer.Typer()\n" + "".join(
    f"@app.command()\ndef command{k}(name: str = 'x', flag: bool = False):\n    'Does something.'\n"
    for k in range(COMMANDS)
)


def seconds(arguments: list[str]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Prints both medians and their ratio."""
    adfd = str(Path(sys.executable).with_name("adfd"))
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE + "app()\n")
        pairs = [(seconds([adfd, "--help"]), seconds([sys.executable, str(bare), "--help"])) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"adfd --help {ours * 1000:.0f} ms, bare typer {theirs * 1000:.0f} ms, ratio {ours / theirs:.2f} (bar 2)")


if __name__ == "__main__":
    main()

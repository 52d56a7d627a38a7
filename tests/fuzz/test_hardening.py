"""Full disks, folders that take no files, readers that leave, Ctrl-C at random moments, and no paths of this machine."""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from numerics.runs import sweep
from numerics.runs.rows import SweepStore, export
from proofs_check.cli import main as cli
from proofs_check.cli import sweep as report
from proofs_check.cli import sweep as sweep_command
from proofs_check.cli.check import shipped
from theory.base.errors import InputError

ADFD = str(Path(sys.executable).with_name("adfd"))


def small(folder: Path, seeds: int = 6) -> Path:
    """A sweep of little cells."""
    path = folder / "sweep.toml"
    path.write_text(
        '[problem]\noperator = "u_xx"\nsolution = "sin(x)"\n[features]\nactivation = "sin"\ncount = 5\n'
        f'[points]\ninterior = 5\n[sweep]\n"features.seed" = {{range = [0, {seeds}]}}\n'
        '"difference.step" = ["1/10", "1/100"]\n'
    )
    return path


class Full:
    """A disk on which files may not grow beyond so many bytes, as one that is full."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


def one_line(error: BaseException) -> str:
    text = str(error)
    assert text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("size", [4096, 60_000])
def test_a_full_disk_stops_a_sweep_with_one_line_and_loses_nothing(tmp_path: Path, size: int) -> None:
    of, store = sweep.load_sweep(small(tmp_path, 60)), tmp_path / "store"
    with Full(size), pytest.raises(InputError) as caught:
        sweep.run_sweep(of, store)
    assert str(store) in one_line(caught.value)
    kept = [row["features.seed"] for row in sweep.sweep_rows(of, store)]
    found = sweep.run_sweep(of, store, resume=True)
    assert found.reused == len(kept)
    assert found.computed == 120 - len(kept)
    other = tmp_path / "other"
    sweep.run_sweep(of, other)
    assert sweep.sweep_rows(of, store) == sweep.sweep_rows(of, other)


def test_a_full_disk_leaves_no_half_files(tmp_path: Path) -> None:
    of, store = sweep.load_sweep(small(tmp_path)), tmp_path / "store"
    sweep.run_sweep(of, store)
    rows = sweep.sweep_rows(of, store)
    before = {p.name for p in tmp_path.iterdir()}
    target = tmp_path / "rows.csv"
    target.write_text("what was there")
    with Full(100), pytest.raises(InputError, match="cannot be written"):
        export(rows, target)
    assert target.read_text() == "what was there"
    with Full(3000), pytest.raises(InputError, match="cannot be"):
        report.report(directory=store, latex=False, out=tmp_path / "figures", as_json=True)
    assert {p.name for p in tmp_path.iterdir()} <= before | {"rows.csv", "figures", "store-wal", "store-shm"}
    assert not list(tmp_path.rglob("*.tmp*"))


def test_folders_that_take_no_files(tmp_path: Path) -> None:
    """/proc takes none from anybody, root included."""
    path = small(tmp_path)
    of = sweep.load_sweep(path)
    for store in (Path("/proc/none/store"), Path("/proc/store"), tmp_path / "sweep.toml" / "store"):
        with pytest.raises(InputError) as caught:
            sweep.run_sweep(of, store)
        one_line(caught.value)
    sweep.run_sweep(of, tmp_path / "store")
    for out in (Path("/proc/figures"), path):
        with pytest.raises(InputError, match="cannot be written") as caught:
            report.report(directory=tmp_path / "store", latex=False, out=out, as_json=True)
        one_line(caught.value)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of bash; the exit status of ``adfd`` is written last."""
    script = f"{line}; echo ${{PIPESTATUS[0]}}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=folder, timeout=120, check=True)


@pytest.mark.parametrize("words", ["example --json", "claims"])
def test_a_reader_that_leaves_is_no_error(tmp_path: Path, words: str) -> None:
    """JSON, and tables that rich writes."""
    done = shell(f"{ADFD} {words} | head -c 5", tmp_path)
    assert done.stdout.endswith("0\n"), done
    assert done.stderr == ""


def test_standard_output_that_takes_no_more_is_named(tmp_path: Path) -> None:
    done = shell(f"{ADFD} example poisson > /dev/full", tmp_path)
    assert (done.stdout, done.stderr) == (
        "2\n", "adfd: standard output: cannot be written (No space left on device)\n"
    )  # fmt: skip


@pytest.mark.slow
def test_paths_of_this_machine_stay_out_of_exports_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    path, store, rows = small(tmp_path), tmp_path / "store", tmp_path / "rows.json"
    sweep_command.sweep(path=str(path), store=store, jobs=1, dask=None, resume=False, export=rows, as_json=False)
    report.report(directory=store, latex=False, out=tmp_path / "figures", as_json=False)
    monkeypatch.setattr(sys, "argv", ["adfd", "verify", "symbols.central-bounded", "--out", str(tmp_path / "r")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    capsys.readouterr()
    places = {str(tmp_path), str(Path.home()), str(Path(__file__).resolve().parents[2]), sys.prefix}
    written = [rows, *(tmp_path / "figures").iterdir(), *(tmp_path / "r").glob("*.json")]
    assert len(written) >= 5
    for file in written:
        content = file.read_bytes()
        for place in places - {"/", "/root"}:
            assert place.encode() not in content, (file.name, place)
    provenance: dict[str, Any] = json.loads((tmp_path / "r" / "ledger.json").read_text())["provenance"]
    assert provenance["command"] == "adfd verify symbols.central-bounded --out r"


OURS = re.compile(r'proofs_check/(?!(cli|interrupts)\.py", line \d+, in <module>)')


def is_start_of_python(errors: str) -> bool:
    """Whether an interrupt came before ours could be seen to: Python starts, or imports our first module."""
    before = errors.startswith(("Traceback", "Fatal Python error", "Error processing", "Failed checking"))
    importing = errors.startswith("Exception ignored in: <function _get_module_lock")
    return (before or importing) and not OURS.search(errors)


def _heeding_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a machine that others use too
def test_ctrl_c_at_random_moments(tmp_path: Path) -> None:
    """Interrupted commands exit with 130 and one line, or have finished; a sweep goes on where it was."""
    dice = random.Random(5)
    sweep_file = small(tmp_path, 3000)
    poisson = tmp_path / "poisson.toml"
    poisson.write_text(shipped()["poisson"])
    lines = (
        ["sweep", str(sweep_file), "--store", str(tmp_path / "s"), "--resume", "--jobs", "2"],
        ["advise", str(poisson)],
        ["entropy", str(poisson), "--certify"],
        ["verify", "symbols.central-bounded", "--out", str(tmp_path / "r"), "--jobs", "2"],
    )
    codes: list[int] = []
    for k in range(40):
        words = lines[k % len(lines)]
        with subprocess.Popen(
            [ADFD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_heeding_interrupts
        ) as running:
            time.sleep(dice.uniform(0.3, 4))  # Python itself answers until the first of our modules is imported
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=60)
        codes.append(running.returncode)
        if (not errors and running.returncode == -signal.SIGINT) or is_start_of_python(errors):
            continue  # on a busy machine Python has not yet come to the end of our first import
        assert running.returncode in {0, 130}, (words, running.returncode, errors)
        assert "Traceback" not in errors, (words, errors)
        assert "Exception ignored" not in errors, (words, errors)
        if running.returncode == 130:
            assert errors.strip().splitlines()[-1].startswith("adfd: interrupted"), (words, errors)
    print(codes)
    assert codes.count(130) >= 10
    of = sweep.load_sweep(sweep_file)
    kept = len(SweepStore(tmp_path / "s"))
    assert sweep.run_sweep(of, tmp_path / "s", resume=True).reused == kept

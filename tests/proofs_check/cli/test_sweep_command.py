"""``adfd sweep`` as others use it: JSON fields, exit codes, one line for bad input, progress with an estimate."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import processes
import pytest

from proofs_check.cli import sweep as command
from proofs_check.cli.check import shipped
from theory.base.errors import InputError

ADFD = str(Path(sys.executable).with_name("adfd"))
HEAD = (
    '[problem]\noperator = "u_xx"\nsolution = "sin(pi*x)"\n[features]\nactivation = "sin"\ncount = 5\n'
    "[points]\ninterior = 5\n[sweep]\n"
)


def call(path: Path, store: Path, **options: Any) -> int:
    given: dict[str, Any] = {"jobs": 1, "dask": None, "resume": False, "export": None, "as_json": True} | options
    return command.sweep(path=str(path), store=store, **given)


def file(folder: Path, body: str) -> Path:
    path = folder / "sweep.toml"
    path.write_text(HEAD + body)
    return path


def test_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, '"features.seed" = {range = [0, 3]}\n"difference.step" = ["1/10", 0.02]\n')
    store, rows = tmp_path / "store.sqlite", tmp_path / "rows.json"
    first = processes.adfd("sweep", str(path), "--store", str(store), "--jobs", "2", "--json", "--export", str(rows))
    assert first.returncode == 0, first.stderr
    counts = {"total": 6, "computed": 6, "reused": 0, "failed": 0, "store": str(store), "outdated": 0, "refused": 0}
    assert json.loads(first.stdout) == counts
    assert "cells: 6/6" in first.stderr
    listed = json.loads(rows.read_text())
    assert [(row["features.seed"], row["difference.step"]) for row in listed] == [
        (seed, step) for seed in range(3) for step in ("1/10", "0.02")
    ]
    with pytest.raises(InputError, match="--resume"):
        call(path, store)
    assert capsys.readouterr().out == ""
    assert call(path, store, resume=True) == 0
    assert json.loads(capsys.readouterr().out) == counts | {"computed": 0, "reused": 6}


def test_failed_cells_exit_1_and_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, '"difference.offsets" = [[-1, 0, 1], [0, 1]]\n')
    rows = tmp_path / "rows.json"
    assert call(path, tmp_path / "s", export=rows) == 1
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    bad = json.loads(rows.read_text())[1]
    assert bad["status"] == "failed"
    assert "2 nodes for derivative 2" in bad["reason"]
    assert call(path, tmp_path / "s", resume=True, as_json=False) == 1
    assert "2 nodes for derivative 2" in capsys.readouterr().out


def test_refusals_come_before_any_work(tmp_path: Path) -> None:
    path = file(tmp_path, '"features.seed" = [0]\n')
    for options, words in (
        ({"export": tmp_path / "rows.xlsx"}, "ends in"),
        ({"export": tmp_path / "absent" / "rows.csv"}, "no such folder"),
        ({"dask": "tcp://127.0.0.1:1"}, "distributed"),
    ):
        with pytest.raises(InputError, match=words):
            call(path, tmp_path / "store", **options)
    assert not (tmp_path / "store").exists()


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pyarrow, which is not installed"):
        call(file(tmp_path, '"features.seed" = [0]\n'), tmp_path / "s", export=tmp_path / "rows.parquet")


def test_a_dask_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The code path with a stand-in for dask's client, which is not installed with this program."""
    closed = []

    class Client:
        def __init__(self, address: str, timeout: float) -> None:
            if address != "tcp://here:8786":
                raise OSError("Timed out trying to connect")
            self.pool = ThreadPoolExecutor(2)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            self.pool.shutdown()
            closed.append(True)

        def nthreads(self) -> dict[str, int]:
            return {"worker 1": 1, "worker 2": 1}

        def get_executor(self) -> ThreadPoolExecutor:
            return self.pool

    stand_in = ModuleType("distributed")
    stand_in.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", stand_in)
    path = file(tmp_path, '"features.seed" = {range = [0, 9]}\n')
    alone, cluster = tmp_path / "alone.json", tmp_path / "cluster.json"
    assert call(path, tmp_path / "a", export=alone) == 0
    assert call(path, tmp_path / "c", export=cluster, dask="tcp://here:8786", jobs=0) == 0
    assert alone.read_text() == cluster.read_text()
    assert closed == [True]
    capsys.readouterr()
    with pytest.raises(InputError, match="no scheduler answers"):
        call(path, tmp_path / "d", dask="tcp://nowhere:1")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # dask's own
def test_a_dask_cluster_of_two_workers(tmp_path: Path) -> None:
    """The same rows as one process gives; where the package is installed."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: --dask is optional")
    path = file(tmp_path, '"features.seed" = {range = [0, 40]}\n"difference.step" = ["1/10", "1/100"]\n')
    alone, cluster = tmp_path / "alone.json", tmp_path / "cluster.json"
    assert call(path, tmp_path / "a", export=alone) == 0
    local = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with local:
        assert call(path, tmp_path / "c", export=cluster, dask=local.scheduler_address, jobs=0) == 0
    assert alone.read_text() == cluster.read_text()


def test_progress_has_an_estimate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 0.0, 20.0, 25.0, 200.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with command._progress() as shown:
        for done in (100, 200, 210, 300):
            shown("cells", done, 300)
    assert capsys.readouterr().err.splitlines() == [
        "cells: 100/300 (0 s)",
        "cells: 200/300 (20 s, about 20 s left)",
        "cells: 300/300 (3 min)",
    ]


def test_ctrl_c_ends_with_130_and_keeps_the_store(tmp_path: Path) -> None:
    body = '"features.seed" = {range = [0, 4000]}\n"difference.step" = ["1/10", "1/20", "1/50", "1/100"]\n'
    arguments = [ADFD, "sweep", str(file(tmp_path, body)), "--store", str(tmp_path / "s"), "--jobs", "2", "--json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not (tmp_path / "s-wal").exists() or (tmp_path / "s-wal").stat().st_size < 50_000:
            assert time.monotonic() < deadline
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert out == ""
    assert "Traceback" not in errors
    from numerics.runs.rows import SweepStore

    assert 0 < len(SweepStore(tmp_path / "s")) < 16_000


@pytest.mark.parametrize("name", [n for n, text in shipped().items() if "[sweep]" in text])
def test_shipped_sweeps_run(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(shipped()[name])
    assert call(path, tmp_path / "s") == 0


def test_there_is_a_shipped_sweep() -> None:
    assert "sweep-steps" in shipped()
    assert shipped()["sweep-steps"].startswith("# ")

"""What reaches a terminal, a spreadsheet and the shell: no escapes from files, no formulas, one line and a status always."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import processes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from numerics.runs.rows import export
from proofs_check.cli import output
from proofs_check.cli.output import PlainConsole, emit, say, visible
from theory.base.errors import printable

ADFD = str(Path(sys.executable).with_name("adfd"))
HARMLESS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]))
STEERING = ("\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\x08", "\x7f", "\u202e", "\u2066", "\ud800")


@given(st.text(), st.sampled_from(STEERING), st.text())
def test_nothing_steers_the_terminal(before: str, steering: str, after: str) -> None:
    for shown in (visible(before + steering + after), printable(before + steering + after)):
        assert not any(c in shown for c in "\x1b\x9b\r\x08\x7f\u202e\u2066\ud800")
        shown.encode()


@given(HARMLESS)
def test_other_texts_are_as_they_were(text: str) -> None:
    assert visible(text) == text
    assert visible(f"{text}\n{text}") == f"{text}\n{text}"


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text() | st.sampled_from(STEERING)))
def test_json_means_the_same_and_has_no_controls(content: dict[str, str]) -> None:
    for encoding in ("utf-8", "ascii"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            emit(content)
            stream.flush()
        text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert json.loads(text) == content
        assert visible(text) == text
        assert text.count("\n") == 1


def test_markup_and_emoji_codes_are_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[red]a[/red] :skull: [link=file:///etc/passwd]b[/link] \x1b[2J [/]"
    for stderr in (False, True):
        PlainConsole(stderr=stderr).print(text)
    monkeypatch.setattr(output, "console", PlainConsole())
    output.table(text, [text], [[text]])
    say(text)
    out, err = capsys.readouterr()
    wanted = text.replace("\x1b", "\\x1b")
    assert err.replace("\n", " ").strip() == wanted
    assert "\x1b" not in out
    assert out.count(":skull:") == 5
    assert isinstance(output.remarks, Console)


@given(
    st.sampled_from(["=", "+", "-", "@", "\t", "\r", "=cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "+1x", "-1/2/3"]),
    HARMLESS,
)
def test_csv_has_no_formulas(tmp_path_factory: pytest.TempPathFactory, start: str, rest: str) -> None:
    path = tmp_path_factory.getbasetemp() / "formulas.csv"
    path.unlink(missing_ok=True)
    numbers = {"a": "-1/2", "b": "+3", "c": -0.5, "d": "-1.5e-300", "e": -3, "f": "-7."}
    rows = [numbers | {"g": start + rest, "=h": "[-1,0,1]"}]
    export(rows, path)
    with path.open(newline="", encoding="utf-8") as file:
        head, values = csv.reader(file)
    assert head == [*"abcdefg", "'=h"]
    assert values[:6] == [str(v) for v in numbers.values()]
    assert values[6] in {f"'{start}{rest}", start + rest}
    assert (
        values[6].startswith("'") or values[6].strip("+-").replace(".", "").replace("/", "").replace("e", "").isdigit()
    )


def run(*arguments: str, script: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments] if script else [ADFD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


SHELL = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1], shell=True))"


def test_streams_that_are_closed_or_not_unicode(tmp_path: Path) -> None:
    shell = f'"{ADFD}" example poisson'
    closed = run(f"{shell} >&-", script=SHELL)
    assert (closed.returncode, closed.stderr) == (2, "adfd: standard output: is closed\n")
    silent = run(f"{shell} 2>&-", script=SHELL)
    assert (silent.returncode, silent.stdout[:1]) == (0, "#")
    bad = os.fsdecode(b"\xff\x1b[2J.toml")
    plain = run("spectrum", bad, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (plain.returncode, plain.stdout) == (2, "")
    assert plain.stderr == "adfd: \\udcff\\x1b[2J.toml: no such file\n"
    ascii_ = run(
        "derive", "truncation", "--derivative", "1", "--offsets=-1,1", env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert (ascii_.returncode, ascii_.stderr) == (0, "")


def test_the_command_line_is_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofs_check.cli.main", "derive", "truncation"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("adfd: Missing option")


def test_draws_beyond_floats_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        '[problem]\noperator = "u_xx"\nsolution = "sin(x)"\n[features]\nactivation = "tanh"\ncount = 4\n'
        'weights = "student(1/1000000, 1)"\n[points]\ninterior = 4\n'
    )
    done = processes.adfd("spectrum", str(path))
    assert done.returncode == 2
    assert done.stderr.startswith("adfd: features: a draw of student(1/1000000, 1) is beyond the range of float64")


SHUTDOWN = """
import atexit, os, signal, sys
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass
class Last:
    def __del__(self, kill=os.kill, me=os.getpid(), number=signal.SIGINT):
        kill(me, number)
sys.argv = ["adfd", "example"]
if sys.argv[1:] and os.environ["MOMENT"] == "last":
    atexit.register(interrupt)
sys.last = Last() if os.environ["MOMENT"] == "finalization" else None
from proofs_check.cli import main as cli
if os.environ["MOMENT"] == "first":
    atexit.register(interrupt)
if os.environ["MOMENT"] == "code":
    cli._call = lambda *a, **k: interrupt()
cli.main()
"""


@pytest.mark.parametrize(("moment", "code"), [("last", 0), ("finalization", 0), ("first", 130), ("code", 130)])
def test_an_interrupt_while_python_shuts_down(moment: str, code: int) -> None:
    """What was done is done, or the status is 130: never a signal, never a traceback."""
    done = run(script=SHUTDOWN, env=os.environ | {"MOMENT": moment})
    assert done.returncode == code, done.stderr
    assert done.returncode != -signal.SIGINT
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr
    assert (done.stderr.startswith("adfd: interrupted")) == (code == 130)


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("hypothesis", "pytest", "_pytest"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from proofs_check.cli.main import main
main()
"""


def test_pytest_and_hypothesis_are_needed_only_where_claims_draw(tmp_path: Path) -> None:
    done = run("verify", "stencils.truncation", "--out", str(tmp_path / "out"), "--jobs", "1", script=BLOCKED)
    assert done.returncode == 0, done.stderr

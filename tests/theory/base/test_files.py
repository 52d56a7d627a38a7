"""Writing files: whole or not at all, over nothing that adfd did not make, and through no symbolic link."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theory.base.errors import InputError
from theory.base.files import MADE_BY, MARK, check_output, is_marked, make_folder, write

OURS = (
    json.dumps(MADE_BY | {"a": 1}),
    json.dumps(MADE_BY | {"a": 1}, indent=1),
    f"# {MARK}\n[problem]\n",
    f"% {MARK}\n\\section{{A}}\n",
    '<!DOCTYPE html><meta name="generator" content="adfd 0.1.0">',
)


@pytest.mark.parametrize("old", OURS)
def test_what_adfd_made_is_replaced(tmp_path: Path, old: str) -> None:
    path = tmp_path / "f"
    path.write_text(old)
    path.chmod(0o640)
    write(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


@given(st.binary(min_size=1, max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_another_made_stays(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(old)
    with pytest.raises(InputError, match=r"--out: .*adfd did not make"):
        write(path, "new", option="--out")
    assert path.read_bytes() == old
    write(path, b"new", force=True)
    assert path.read_bytes() == b"new"


def test_a_text_that_mentions_the_mark_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for text in (f"this was not {MARK}", '{"a": 1, "made_by": "adfd"}', f"\n\n-- # {MARK}"):
        path.write_text(text)
        assert not is_marked(path)
    path.write_text("")  # nothing to lose
    assert write(path, "new").read_text() == "new"


def test_links_folders_inputs_and_devices_are_refused(tmp_path: Path) -> None:
    target, link, given_, twin = (tmp_path / name for name in ("target", "link", "given", "twin"))
    target.write_text(OURS[0])
    link.symlink_to(target)
    given_.write_text(OURS[0])
    os.link(given_, twin)
    for path, why in ((link, "symbolic link"), (tmp_path, "folder"), (Path("/dev/null"), "regular"), (twin, "reads")):
        for force in (False, True):
            with pytest.raises(InputError, match=why):
                write(path, "new", force=force, inputs=[given_, tmp_path / "absent"])
    assert target.read_text() == given_.read_text() == OURS[0]
    (tmp_path / "sub").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(InputError, match="symbolic link"):
        make_folder(tmp_path / "sub")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match="symbolic link"):
        write(dangling, "new")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ZeroDivisionError()])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "f"
    path.write_text(OURS[0])

    def stop(file: object) -> None:
        (hidden,) = (p for p in tmp_path.iterdir() if p != path)
        assert len(hidden.name) > len(path.name) + 16  # 64 random bits
        raise error

    with pytest.raises(InputError if isinstance(error, OSError) else type(error)):
        write(path, stop)
    assert path.read_text() == OURS[0]
    assert list(tmp_path.iterdir()) == [path]


def test_names_and_places_that_cannot_be(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "f", Path("/proc/f"), Path("a\0b"), tmp_path / ("n" * 300)):
        with pytest.raises(InputError, match="cannot be written"):
            write(path, "new")
    check_output(tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize("old", ["1.5", '"a"', "{}", "[1]", "[[]]", "[" * 100_000, "null"])
def test_json_of_another_form_is_not_ours(tmp_path: Path, old: str) -> None:
    """What recognises a file's content may fail in any way on what it does not expect."""
    path = tmp_path / "rows.json"
    path.write_text(old)
    with pytest.raises(InputError, match="adfd did not make"):
        write(path, "[]", known=lambda found: bool(json.loads(found.read_text())[0]["status"]))

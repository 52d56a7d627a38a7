"""Sources: found by their ids, with the claims that judge them; pages, citations, and what a digest stands for."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proofs_check.cli.main import app
from proofs_check.ledger import ledger, release
from proofs_check.sources.papers import PAPERS, find, judged_by, paper_of
from theory.base.errors import InputError

IDS = [p.id for p in PAPERS]


def run(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("id", IDS)
def test_a_source_has_claims_that_judge_it_and_a_page(id: str, tmp_path: Path) -> None:
    paper = find(id)
    claims = judged_by(paper, ledger.all_claims())
    assert claims
    assert all(c.source in (*paper.labels, paper.name) for c in claims)
    listed = run("claims", "--source", id)["claims"]
    assert [c["id"] for c in listed] == [c.id for c in claims]
    assert {c["paper"] for c in listed} == {id}
    page = run("show", id, "--out", str(tmp_path))
    assert page["claims"] == [c.id for c in claims]
    assert page["settings"]
    assert page["matched"]
    assert page["ours"]
    assert page["would_change"]
    assert page["from"] == "the verdicts on record (quick profile)"
    record = ledger.load_expected("quick")
    told = {v["id"]: {c["address"]: c["verdict"] for c in v["cells"]} for v in page["verdicts"]}
    assert told == {c.id: {where: e["verdict"] for where, e in record[c.id].items()} for c in claims if c.id in record}


def test_a_claim_has_one_paper_or_none() -> None:
    names = [label for p in PAPERS for label in (*p.labels, p.name)]
    assert len(names) == len(set(names))
    assert paper_of("ours") is None
    assert paper_of("S2") is find("2405.14099") is find("arXiv:2405.14099")
    assert {c["paper"] for c in run("claims", "--source", "ours")["claims"]} == {None}


@pytest.mark.parametrize("text", ["2405.14098", "", "arXiv:", "S"])
def test_another_source_is_bad_input(text: str) -> None:
    with pytest.raises(InputError, match="unknown"):
        find(text)
    done = CliRunner().invoke(app, ["claims", "--source", text])
    assert isinstance(done.exception, InputError)


def test_a_citation_names_version_digest_and_paper() -> None:
    found = run("cite", "S2.some-small")
    assert found["paper"] == "arXiv:2405.14099"
    assert found["digest"].removeprefix("sha256:") in found["bibtex"][0]
    assert f"version {found['version']}" in found["bibtex"][0]
    assert "2405.14099" in found["bibtex"][1]
    assert len(run("cite", "steps.optimal")["bibtex"]) == 1
    for entry in found["bibtex"]:
        assert entry.count("{") == entry.count("}")


def test_the_digest_is_of_words_and_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = release.digest.__wrapped__()
    assert release.digest.__wrapped__() == before
    record = ledger.load_expected("quick")
    id = next(iter(record))
    where = next(iter(record[id]))
    other = {
        **record,
        id: {**record[id], where: {"verdict": "REFUTED" if record[id][where]["verdict"] != "REFUTED" else "CERTIFIED"}},
    }
    monkeypatch.setattr(ledger, "load_expected", lambda profile: other if profile == "quick" else {})
    assert release.digest.__wrapped__() != before


PROVENANCE = {
    "date": "2026-01-02T03:04:05Z", "python": "3", "platform": "Linux x86_64", "packages": {"numpy": "2"}, "code": "abc",
    "command": "adfd verify", "profile": "quick",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package without releases."""
    monkeypatch.setattr(release, "RELEASES", tmp_path / "releases.json")
    (tmp_path / "releases.json").write_text("{}")
    return tmp_path


def test_a_release_is_made_once_and_cited(folder: Path) -> None:
    name = release.version("adfd")
    line = release.make(name, PROVENANCE)
    assert line["digest"] == release.digest()
    assert release.standing() == "released"
    assert "command" not in line["environment"]
    with pytest.raises(InputError, match="never changes"):
        release.make(name, PROVENANCE)
    with pytest.raises(InputError, match="version of the code"):
        release.make("99.0", PROVENANCE)
    whole = run("cite", "--release", name)
    assert whole["digest"] == f"sha256:{line['digest']}"
    assert whole["date"] == PROVENANCE["date"]
    then = run("cite", "S2.some-small", "--release", name)["bibtex"][0]
    assert line["digest"] in then
    assert release.verdicts(next(c for c in ledger.all_claims() if c.id == "S2.some-small")) in then
    for arguments, word in (
        (["--release", "0.0"], "made were"),
        (["S9.none", "--release", name], "none of this name"),
        ([], "name a"),
    ):
        done = CliRunner().invoke(app, ["cite", *arguments])
        assert isinstance(done.exception, InputError)
        assert word in str(done.exception)


@pytest.mark.parametrize("what", ["verdict", "date", "words", "line", "bytes", "gone"])
def test_a_release_that_was_altered_is_found_out(folder: Path, what: str) -> None:
    name = release.version("adfd")
    release.make(name, PROVENANCE)
    path = folder / "releases" / f"{name}.json.xz"
    record = json.loads(lzma.decompress(path.read_bytes()))
    match what:
        case "verdict":
            cells = next(iter(record["content"]["verdicts"]["quick"].values()))
            cells[next(iter(cells))] = "PROVED holds, honestly"
        case "date":
            record["date"] = "2020-01-01T00:00:00Z"
        case "words":
            record["content"]["claims"][0]["statement"] += " always"
        case "line":
            listed = json.loads((folder / "releases.json").read_text())
            listed[name]["date"] = "2020-01-01T00:00:00Z"
            (folder / "releases.json").write_text(json.dumps(listed))
    path.write_bytes(lzma.compress(release.canonical(record).encode()) if what != "bytes" else b"no archive")
    if what == "gone":
        path.unlink()
    with pytest.raises(release.AlteredError):
        release.released(name)
    done = CliRunner().invoke(app, ["cite", "--release", name])
    assert done.exit_code == 1
    assert not done.stdout


def test_releases_that_were_made_are_what_they_were() -> None:
    for name in release.releases():
        assert release.released(name)


@pytest.mark.parametrize("others", [["S2"], ["--mutants"], ["--record"], ["--cell", "a=b"]])
def test_a_release_is_of_the_whole_ledger(folder: Path, others: list[str]) -> None:
    done = CliRunner().invoke(app, ["verify", *others, "--release", release.version("adfd"), "--out", str(folder)])
    assert isinstance(done.exception, InputError)
    assert "whole ledger" in str(done.exception)
    assert not (folder / "releases").exists()


def test_what_is_no_release_is_not_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "releases.json"
    monkeypatch.setattr(release, "RELEASES", path)
    for content, word in (({}, "not a release"), ({release.version("adfd"): "0" * 64}, "changed since"),
                          ({release.version("adfd"): release.digest()}, "released"),
                          ({release.version("adfd"): {"digest": release.digest()}}, "released")):  # fmt: skip
        path.write_text(json.dumps(content))
        assert release.standing().startswith(word)


def test_a_page_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["show", "2503.11029", "--out", str(tmp_path), "--html", str(out)])
    assert done.exit_code == 0, done.stderr
    assert "W. Gan" in out.read_text()
    assert release.digest() in out.read_text()
    other = tmp_path / "mine.html"
    other.write_text("mine")
    for arguments, word in ((["2503.11029", "--html", str(other)], "mine.html"), (["S2", "--html", str(out)], "of a source"),
                            (["2503.11029", "--measure"], "goes with")):  # fmt: skip
        refused = CliRunner().invoke(app, ["show", *arguments, "--out", str(tmp_path)])
        assert isinstance(refused.exception, InputError)
        assert word in str(refused.exception)

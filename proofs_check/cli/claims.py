"""``adfd claims``, ``adfd show`` and ``adfd cite``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from proofs_check.claims.claim import Claim, address, parse_address
from proofs_check.cli.output import console, emit, remarks, say, table
from proofs_check.ledger import coverage, index, ledger
from proofs_check.own.claims import is_file
from proofs_check.report import records
from proofs_check.report.text import standing
from proofs_check.sources import papers
from theory.base import files
from theory.base.errors import InputError, nearest


def claims(*, source: str | None, summary: bool, out: Path, as_json: bool) -> int:
    """The ledger as a table; with ``summary``, a paragraph on each statement of the source."""
    if summary and source is not None:
        raise InputError("--summary: is about S1 to S7; for another source: adfd show ID")
    if summary:
        return _summary(out, as_json)
    listed = _of_source(source)
    if as_json:
        emit({"claims": [index.words(one) for one in listed]})
    else:
        rows = [[c["id"], c["source"], c["family"], c["title"]] for c in listed]
        table("Claims", ["id", "source", "family", "title"], rows)
        console.print(f"{len(listed)} claims; 'adfd show ID' shows one, 'adfd verify ID' judges it")
    return 0


def _of_source(source: str | None) -> list[dict[str, Any]]:
    """What the claims of a source say: a paper's id, S1 to S7, or a claim's source as it stands."""
    known = index.claims()
    found = [c for c in known if source in (None, c["source"])]
    return found or _of_paper(papers.find(source or ""))


def _of_paper(paper: papers.Paper) -> list[dict[str, Any]]:
    return [c for c in index.claims() if c["paper"] == paper.id]


def cite(*, claim_id: str | None, release_of: str | None, as_json: bool) -> int:
    """BibTeX of a claim, with the version and the digest of the ledger, and of the paper that it judges; or of a release."""
    from importlib.metadata import version

    from proofs_check.ledger import release

    if release_of is not None:
        return _cite_release(claim_id, release_of, as_json)
    if claim_id is None:
        raise InputError("cite: name a claim, or --release VERSION")
    (claim, *others) = ledger.select([claim_id])
    if others or claim.id != claim_id or claim.file is not None:
        raise InputError(f"claim {claim_id!r}: is no single claim of the ledger; see 'adfd claims'")
    entries = release.bibtex(claim)
    if as_json:
        paper = papers.paper_of(claim.source)
        emit({"id": claim.id, "version": version("adfd"), "digest": f"sha256:{release.digest()}",
              "standing": release.standing(), "paper": None if paper is None else paper.name, "bibtex": entries})  # fmt: skip
    else:
        say("\n\n".join(entries))
    return 0


def _cite_release(claim_id: str | None, name: str, as_json: bool) -> int:
    """A release, or a claim as it stood in one; 1 where its record is not what was released."""
    from proofs_check.ledger import release

    try:
        line, record = release.released(name)
        entry = release.bibtex_of(line, record) if claim_id is None else release.bibtex_then(claim_id, line, record)
    except release.AlteredError as error:
        remarks.print(str(error), soft_wrap=True)
        return 1
    if as_json:
        emit({"id": claim_id, "version": name, "digest": f"sha256:{line['digest']}", "standing": "released", "bibtex": [entry],
              **{key: line[key] for key in ("date", "environment", "claims", "cells")}})  # fmt: skip
    else:
        say(entry)
    return 0


def _summary(out: Path, as_json: bool) -> int:
    from proofs_check.report.summary import STATEMENTS

    judged = {c["source"] for c in index.claims()}
    found = {label: paragraph_of(label, out) for label in STATEMENTS if label in judged}
    own = [c for c in ledger.all_claims() if c.source in STATEMENTS or c.id.startswith("prediction.")]
    full = coverage.on_record(own, ledger.load_expected("full"), "full")
    if as_json:
        told = [{"id": label, "statement": STATEMENTS[label], "verdict": text, "from": since}
                for label, (text, since) in found.items()]  # fmt: skip
        emit({"statements": told, "on_record": full})
        return 0
    for label, (text, _) in found.items():
        console.rule(f"{label}: {STATEMENTS[label]}", align="left")
        console.print(text)
    for since in dict.fromkeys(since for _, since in found.values()):
        console.print(f"From {since}.")
    console.print(full)
    return 0


def show(
    *, claim_id: str, out: Path, as_json: bool, html: Path | None = None, measure: bool = False, force: bool = False
) -> int:
    """One claim, with the evidence of the last run where there is one."""
    if html is not None and not papers.is_paper(claim_id):
        raise InputError(f"--html: is of a source; {claim_id!r} is none")
    if is_file(claim_id):
        from proofs_check.ledger import runner

        chosen = ledger.select([claim_id])
        if len(chosen) != 1:
            raise InputError(f"claim {claim_id!r}: names {len(chosen)} claims; name one: FILE.py::ID")
        return _claim(chosen[0], runner.describe(chosen[0]), claim_id, out, as_json)
    known = {c["id"]: c for c in index.claims()}
    if claim_id in known:
        found = known[claim_id]
        return _claim(ledger.defined(claim_id, found["home"]), index.words(found), claim_id, out, as_json)
    if papers.is_paper(claim_id):
        return _protocol(papers.find(claim_id), out, as_json, html, measure, force)
    if _of_label(claim_id):
        return _statement(claim_id, out, as_json)
    raise InputError(f"claim {claim_id!r}: unknown; {nearest(claim_id, known)}see 'adfd claims'")


def _claim(claim: Claim, words: Mapping[str, Any], name: str, out: Path, as_json: bool) -> int:
    """One claim, with the instances of its cells and its proof as they are now."""
    from proofs_check.ledger.judging import chain, formal_steps

    checked = {profile: coverage.checked_for(claim, profile) for profile in ("quick", "full")}
    content = {**words, "judges": list(claim.judged), "checked_for": checked, "cells": _last(out, claim.id)}
    scopes = claim.scopes("quick") or claim.scopes("full")
    chains = [chain(claim, scope) for scope in (scopes if claim.formal else scopes[:1])]
    for step, result in zip(content["derivation"], chains[0], strict=False):
        step |= {"holds": result["holds"], "detail": result["detail"], "cell": address(scopes[0])}
    proofs: list[dict[str, Any]] = [
        {"cell": address(scope), "steps": steps + formal_steps(claim.formal(scope))}
        for scope, steps in zip(scopes, chains, strict=False)
        if claim.formal
    ]
    content["proofs"] = proofs
    if as_json:
        emit(content)
        return 0
    console.rule(f"{content['id']}: {content['title']}", align="left")
    for label, key in (
        ("Statement", "statement"),
        ("Predicate", "predicate"),
        ("Source", "source"),
        ("Quantifier", "quantifier"),
        ("Checked by", "kind"),
    ):
        console.print(f"{label + ':':<12}{content[key]}")
    for found in checked.values():
        console.print(f"Checked for: {coverage.sentence(found)}")
    for assumption in content["hypotheses"]:
        code = f"  [{assumption['code']}]" if assumption["code"] else ""
        console.print(f"Assumes:    {assumption['text']}{code}")
    for link in content["rests_on"]:
        because = f" ({link['because']})" if link["because"] else ""
        console.print(f"Rests on:   {link['id']}{because}")
    for proof in proofs:
        console.print(f"Proof of    [{proof['cell']}]")
        for number, step in enumerate(proof["steps"], 1):
            label = "Formally: " if step["rule"] == "formal" else ""
            came = standing(step["rule"], step)
            console.print(f"  {number:>2} {label}{step['text']}\n     {came}")
    for listed in content["theorems"]:
        theorem = msgspec.convert(listed, records.Theorem)
        part = "" if theorem.proves else " (a part of the claim)"
        console.print(f"Theorem{part}: {theorem.name} ({theorem.file}; {theorem.rests})\n            {theorem.says}")
        console.print(f"            {theorem.statement}" if theorem.statement else "", markup=False)
    for number, step in enumerate(content["derivation"], 1):
        came = standing(step["rule"], chains[0][number - 1] if chains[0] else {})
        console.print(f"Step {number}:     {step['text']}\n            ({step['because']})")
        console.print(f"            {came}")
    for mutant in content["mutants"]:
        console.print(f"Mutant:     {mutant['name']}: {mutant['change']} ({mutant['kind']})")
    cells = content["cells"]
    if not cells:
        console.print(f"No evidence in {out}; run: adfd verify {name} --out {out}")
        return 0
    rows = [[c["address"], c["verdict"], c["evidence"]["summary"]] for c in cells]
    table(f"Evidence of the last run in {out}", ["cell", "verdict", "summary"], rows)
    judged = [told for c in cells if (told := coverage.told_by(c["evidence"].get("data") or {})) is not None]
    if judged:
        console.print(f"Judged there: {coverage.of_cell(coverage.merged(judged))}")
    return 0


def _statement(label: str, out: Path, as_json: bool) -> int:
    """A statement of the source: a paragraph on it, from the last run or else from the verdicts on record."""
    from proofs_check.report.summary import STATEMENTS

    text, since, short = _told(label, out)
    own = [c["id"] for c in _of_label(label)]
    if as_json:
        head = {"id": label, "statement": STATEMENTS.get(label, ""), "brief": short}
        emit(head | {"verdict": text, "from": since, "claims": own})
        return 0
    console.rule(f"{label}: {STATEMENTS.get(label, '')}", align="left")
    if short:
        console.print(f"{short}\n")
    console.print(text)
    console.print(f"From {since}. Its claims: {', '.join(own)}; 'adfd show ID' shows one.")
    return 0


def _protocol(paper: papers.Paper, out: Path, as_json: bool, html: Path | None, measure: bool, force: bool) -> int:
    """The page of a source: settings, matched protocol, verdicts of the last run or on record, what would change them."""
    if measure and html is None:
        raise InputError("--measure: goes with --html")
    if html is not None:
        files.check_output(html, option="--html", force=force)
    from proofs_check.report.protocols import protocol, text

    own = _of_paper(paper)
    found, since = _cells_of(own, out)
    page = protocol(paper, found)
    if as_json:
        verdicts = [{"id": v.claim.id, "title": v.claim.title, "statement": v.claim.statement, "words": v.sentence,
                     "cells": [{"address": c.address, "verdict": c.verdict, "finding": c.finding,
                                "summary": c.evidence.summary} for c in v.claim.cells]} for v in page.verdicts]  # fmt: skip
        head = {"id": paper.id, "authors": paper.authors, "year": paper.year, "title": paper.title}
        parts = {"in_hand": paper.in_hand, "says": list(paper.says), "settings": paper.settings,
                 "matched": paper.matched, "ours": paper.ours, "would_change": paper.change}  # fmt: skip
        emit(head | parts | {"from": since, "claims": [c["id"] for c in own], "verdicts": verdicts})
        return 0
    if html is not None:
        _write_page(page, since.partition(" in ")[0], html, measure, force)
        console.print(f"Written: {html}")
        return 0
    for line in text(page):
        console.print(line)
    console.print(f"From {since}. 'adfd show ID' shows a claim, 'adfd cite ID' cites it.")
    return 0


def _write_page(page: Any, since: str, html: Path, measure: bool, force: bool) -> None:
    """A source's page by itself."""
    from importlib.metadata import version

    from proofs_check.ledger import release
    from proofs_check.report.page import source_page

    cited = {c.id: c for c in ledger.all_claims()}
    entries = release.bibtex(cited[page.compared_claim.id]) if page.verdicts else []
    made = source_page(page, since, version("adfd"), entries, _seconds() if measure else None)
    files.write(html, made, option="--html", force=force)


def _seconds() -> dict[str, Any]:
    """What a loss and its gradient take on this machine now: FD, nested reverse mode, Taylor mode, at two numbers of points."""
    import platform
    from datetime import UTC, datetime

    from numerics.differences.cost import measure_cost
    from proofs_check.families.literature.trained import Setting

    rows, cost = [], None
    for points in (32, 512):
        cost = measure_cost(Setting("tanh", points, 1, "Adam 200").problem, "cpu")
        rows.append(
            [str(points), *("—" if v is None else f"{1e3 * v:.2f}" for v in (cost.fd, cost.ad, cost.ad_taylor))]
        )
    assert cost is not None
    machine = f"{platform.system()} {platform.machine()}, {cost.device}, {cost.dtype}, {cost.threads} thread{'s' if cost.threads != 1 else ''}"
    return {"rows": rows, "machine": machine, "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}


def _of_label(label: str) -> list[dict[str, Any]]:
    return [c for c in index.claims() if c["source"] == label]


def _cells_of(own: Iterable[Mapping[str, Any]], out: Path) -> tuple[list[records.Claim], str]:
    """Claims with the cells of the last run, or else those on record, and where they are from."""
    listed = [dict(c) for c in own]
    told = [c | {"cells": _last(out, c["id"])} for c in listed]
    since = f"the last run in {out}"
    if not any(one["cells"] for one in told):
        record, since = ledger.load_expected("quick"), "the verdicts on record (quick profile)"
        told = [c | {"cells": _recorded(record.get(c["id"], {}))} for c in listed]
    try:
        return [msgspec.convert(one, records.Claim) for one in told if one["cells"]], since
    except ValueError:
        raise InputError(f"{out / 'ledger.json'}: is not a ledger that 'adfd verify' wrote") from None


def paragraph_of(label: str, out: Path) -> tuple[str, str]:
    """The paragraph on a statement of the source, and where its verdicts are from."""
    return _told(label, out)[:2]


def _told(label: str, out: Path) -> tuple[str, str, str]:
    """The paragraph, where its verdicts are from, and the same in one sentence."""
    from proofs_check.report.brief import brief
    from proofs_check.report.paragraphs import paragraph

    own = _of_label(label)
    claims, since = _cells_of(own, out)
    if not claims:
        return (
            f"{label} has not been judged; run: adfd verify {' '.join(c['id'] for c in own)} --out {out}",
            "no run",
            "",
        )
    return paragraph(label, claims), since, brief(label, claims)


def _recorded(cells: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Cells on record, without their evidence but for its numbers of draws."""
    return [
        {"scope": parse_address(where), "address": where, "verdict": entry["verdict"], "finding": entry.get("finding"),
         "evidence": {"summary": entry.get("reason", ""), "holding": entry.get("holding", 0),
                      "instances": entry.get("draws", 0), "undecided": entry.get("undecided", 0),
                      "data": {"mechanism": entry.get("mechanism"), "relative_gap": {"median": entry.get("relative_gap")}}}}
        for where, entry in cells.items()
    ]  # fmt: skip


def _last(out: Path, claim_id: str) -> list[dict[str, Any]]:
    path = out / "ledger.json"
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [cell for claim in content["claims"] if claim["id"] == claim_id for cell in claim["cells"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path}: is not a ledger that 'adfd verify' wrote") from None

"""The short sentences: short, and true of the record and of random findings, read back by a grammar of their own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from proofs_check.report.answers import ANSWERS, number, of_reading
from proofs_check.report.brief import brief, effect, places
from proofs_check.report.records import Cell, Claim
from proofs_check.report.text import ARITHMETIC_WORDS
from proofs_check.report.training_answers import PAIRED, VARIANTS
from tests.proofs_check.report.test_report_answers import READING, cell, cells_of, recorded, tables

WORDS = 50
"""About ten seconds."""
ARITHMETIC = {words: key for key, words in ARITHMETIC_WORDS.items()}
CLAIMS: dict[str, list[Claim]] = {}


def claims_of(label: str) -> list[Claim]:
    if label not in CLAIMS:
        CLAIMS[label] = recorded(label)
    return CLAIMS[label]


@pytest.mark.parametrize("label", [f"S{k}" for k in range(1, 8)])
def test_a_sentence_is_read_in_ten_seconds(label: str) -> None:
    text = brief(label, claims_of(label))
    assert 15 < len([word for word in text.split() if re.search(r"\w", word)]) <= WORDS
    assert re.fullmatch(r"[^.]*(\d\.\d[^.]*)*\.", text), "one sentence"
    assert not re.search("depend|fail", text)


@pytest.mark.parametrize("label", ["S1", "S2", "S3"])
def test_the_sentence_on_spectra_is_true_of_the_record(label: str) -> None:
    """Each ``[variant] arithmetic from n=… (not …)`` is looked up; what is not named has another finding."""
    text = brief(label, claims_of(label))
    body = text.split(", it ", 1)[1].rstrip(".")
    verb, seen = "", []
    for part in body.split("; "):
        found = re.match(r"(holds|reversed|shown neither way)? ?in ", part)
        assert found, part
        verb = found[1] or verb
        for variant, name, size, words, names in re.findall(
            r"(raw |normalised )?(exact arithmetic|float32|float64)(?: from n=(\d+))?(?: \((not|only) ([^:;]*?)\))?(?=:|;| and |$)",
            part,
        ):
            low = int(size or 0)
            listed = set(re.split(r", ", names)) if names else set()
            for reading in ANSWERS[label]:
                if variant and reading.variant != variant.strip():
                    continue
                own = [c for c in of_reading(claims_of(label), reading) if c.scope["arithmetic"] == ARITHMETIC[name]]
                every = {c.scope["activation"] for c in own}
                told = every if not words else listed if words == "only" else every - listed
                assert listed <= every
                for activation in every:
                    cells = [c for c in own if c.scope["activation"] == activation]
                    above = [c for c in cells if number(c.scope["size"]) >= low]
                    if activation in told:
                        assert above, (activation, name)
                        assert {c.finding for c in above} == {verb}, (activation, name)
                    else:
                        assert {c.finding for c in above} != {verb}, (activation, name)
                seen.append((reading.variant, name))
                if verb == "holds":  # not already from the size before, for all of them
                    sizes = sorted({number(c.scope["size"]) for c in own if number(c.scope["size"]) < low})
                    before = [
                        c
                        for c in own
                        if sizes and number(c.scope["size"]) == sizes[-1] and c.scope["activation"] in told
                    ]
                    assert not before or {c.finding for c in before} != {"holds"}
    assert sorted(seen) == sorted((r.variant, name) for r in ANSWERS[label] for name in ARITHMETIC)


def test_mechanisms_and_sizes_of_effects_are_those_of_the_cells() -> None:
    (raw, normalised) = ANSWERS["S3"]
    cells = [c for c in of_reading(claims_of("S3"), normalised) if c.scope["arithmetic"] == "float32"]
    text = brief("S3", claims_of("S3"))
    low, high = map(int, re.search(r"normalised float32 from n=24: by (\d+)–(\d+) %", text).groups())  # type: ignore[union-attr]
    gaps = [100 * c.evidence.data["relative_gap"]["median"] for c in cells]
    assert low <= min(gaps) <= max(gaps) <= high
    assert max(low + 1 - min(gaps), max(gaps) - high + 1) > 0
    assert {c.evidence.data["mechanism"] for c in cells} == {"noise counted"}
    bound = float(re.search(r"under (1e-\d)", text)[1])  # type: ignore[index]
    ties = [c for r in (raw, normalised) for c in of_reading(claims_of("S3"), r)
            if c.finding == "holds" and c.scope["arithmetic"] != "float32"]  # fmt: skip
    assert ties
    assert all(abs(c.evidence.data["relative_gap"]["median"]) < bound for c in ties)
    floats = [
        c
        for c in of_reading(claims_of("S2"), ANSWERS["S2"][0])
        if c.scope["arithmetic"] != "exact" and c.finding == "holds"
    ]
    assert {c.evidence.data["mechanism"] for c in floats} == {"floor"}
    assert "FD's round-off floor" in brief("S2", claims_of("S2"))


@pytest.mark.parametrize("label", ["S4", "S5"])
def test_the_sentence_on_entropies_is_true_of_the_record(label: str) -> None:
    text, told = brief(label, claims_of(label)), PAIRED[label]
    own = [
        c for claim in claims_of(label) if claim.id == f"{label}.paired" for c in claim.cells
        if c.scope["convention"] in VARIANTS and all(c.scope.get(k, v) == v for k, v in told.where.items())
        and (label == "S4" or c.scope["optimiser"] in ("adam", "gd"))
    ]  # fmt: skip
    findings = [c.finding for c in own]
    assert f"holds in {findings.count('holds')} of {len(own)} cells, reversed in {findings.count('reversed')}:" in text
    ahead = sum(c.evidence.data["mechanism"].startswith("AD ahead") for c in own)
    assert f"AD {told.ahead} in {ahead}, whatever" in text
    (ranked,) = (claim.cells for claim in claims_of(label) if claim.id == told.ranks)
    for fixed, words in ((False, "ver populations in"), (True, "held fixed in")):
        some = [c.finding for c in ranked if (c.scope["given"] != "nothing") == fixed]
        assert f"{words} {some.count('holds')} of {len(some)}" in text


@pytest.mark.parametrize("label", ["S6", "S7"])
def test_the_sentence_on_training_is_true_of_the_record(label: str) -> None:
    text = brief(label, claims_of(label))
    counts = [tuple(map(int, pair)) for pair in re.findall(r"(\d+) of (\d+)", text)]
    split: dict[tuple[str, str], list[Cell]] = {}
    for claim in claims_of(label):
        if claim.id.startswith(label):
            for c in claim.cells:
                split.setdefault((claim.id, c.scope["model"]), []).append(c)
    found = [(sum(c.finding == "holds" for c in cells), len(cells)) for cells in split.values()]
    assert counts == found
    every = [c for cells in split.values() for c in cells]
    assert ("it is reversed in none" in text) == all(c.finding != "reversed" for c in every)
    for kind, where in re.findall(r"(round-off|truncation) in (float\d\d)", text):
        held = {
            c.evidence.data.get("mechanism") for c in every if c.finding == "holds" and c.scope["arithmetic"] == where
        }
        assert kind in held


@given(tables)
def test_places_are_those_of_the_findings(table: dict[tuple[str, str], list[str]]) -> None:
    found = {p.name: p for p in places([(READING, cells_of(table))])}
    for key, words in ARITHMETIC_WORDS.items():
        own = {name: row for (name, arithmetic), row in table.items() if arithmetic == key}
        assert (words in found) == bool(own)
        if words in found:
            place = found[words]
            last = {name: row[-1] for name, row in own.items()}
            holds, back = (sorted(n for n, f in last.items() if f == kind) for kind in ("holds", "reversed"))
            if not holds and not back:
                assert place.finding == "undecided"
                continue
            assert place.finding == ("holds" if len(holds) >= len(back) else "reversed")
            assert list(place.series) == (holds if place.finding == "holds" else back)
            assert sorted(place.series + place.exceptions) == sorted(own)


def test_an_effect_is_rounded_outward() -> None:
    def gaps(*values: float) -> list[Cell]:
        return [cell("tanh", "n=24", "holds", relative_gap={"median": value}) for value in values]

    assert effect(gaps(7.5e-5, -2e-6)) == "a tie in size under 1e-4"
    assert effect(gaps(0.213, 0.588)) == "by 21–59 %"
    assert effect([]) == ""

"""Conditions of the core in the rulebook's own words: what is said can be read back, and means the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines import lemmas
from specforge.engines.cases import Book
from specforge.engines.portfolio import rows_of
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.phrases import Phrases, fits, written_out

BOOKS = sorted(Path("tests/venues").glob("*.rulebook"))
NO_WORD = ("settling", "has acted")  # what the language itself cannot say


def read_back(path: Path, more: str, folder: Path) -> ir.System:
    """The rulebook with further sentences, beside copies of those it uses."""
    for each in BOOKS:
        (folder / each.name).write_text(each.read_text())
    (folder / path.name).write_text(path.read_text() + "\n" + more)
    system, problems = load(str(folder / path.name))
    assert system is not None, problems
    return system


def alike(one: ir.Expr, other: ir.Expr) -> bool:
    """The same but for the names of bound members."""
    return fits(written_out(one), written_out(other), frozenset(), {})


@pytest.mark.parametrize("path", BOOKS, ids=lambda each: each.stem)
def test_every_claim_is_said_so_that_it_reads_back_as_the_same_claim(path: Path, tmp_path: Path):
    system, _ = load(str(path))
    assert system is not None
    phrases = Phrases(system)
    more: list[str] = []
    for claim in system.claims.values():
        head = re.match(r'claim \w+(?: "[^"]*")?([^:]*):', claim.span.text)
        assert head is not None
        more.append(f"claim again_{claim.name}{head[1]}:\n    {phrases.text(claim.cond)}\n")
    again = read_back(path, "\n".join(more), tmp_path)
    for claim in system.claims.values():
        assert alike(claim.cond, again.claims[f"again_{claim.name}"].cond), phrases.text(claim.cond)


@pytest.mark.parametrize("path", BOOKS, ids=lambda each: each.stem)
def test_every_guess_at_a_lemma_reads_back_as_the_same_condition(path: Path, tmp_path: Path):
    system, _ = load(str(path))
    assert system is not None
    book = Book.of(system)
    phrases = Phrases(book.system)
    goals = [row.quest.goal for row in rows_of(system) if isinstance(row.quest.goal, ClaimGoal)]
    guesses = {each.name: each for layer in lemmas.layers(book, goals, []) for each in layer}
    said = {name: phrases.text(each.expr) for name, each in guesses.items()}
    sayable = {name: text for name, text in said.items() if not any(each in text for each in NO_WORD)}
    more = [f"claim guess_{at}:\n    {text}\n" for at, text in enumerate(sayable.values())]
    again = read_back(path, "\n".join(more), tmp_path)
    for at, (name, text) in enumerate(sayable.items()):
        assert text == Phrases(again).text(again.claims[f"guess_{at}"].cond), name


def test_what_the_language_has_no_word_for_is_said_in_words():
    system, _ = load("tests/venues/01_bitmex.rulebook")
    assert system is not None
    book = Book.of(system)
    rules = ir.Lit(ir.Member(ir.RULES, 0))
    settling, stale = ir.Read("by:round", rules), ir.Read("Venue.stale", ir.Lit(ir.Member("Venue", 0)))
    mark = ir.Read("was:Venue.mark", ir.Lit(ir.Member("Venue", 0)))
    phrases = Phrases(book.system)
    fund = ir.Op(ir.Operator.LE, (ir.ZERO, ir.Read("Venue.fund", ir.Lit(ir.Member("Venue", 0)))))
    assert phrases.text(fund) == "Venue.fund >= 0"
    assert phrases.text(ir.Op(ir.Operator.OR, (settling, stale, fund))) == (
        "not Venue.stale implies Venue.fund >= 0, outside the settling of round"
    )
    assert phrases.text(ir.Op(ir.Operator.LT, (ir.ZERO, mark))) == "(Venue.mark as the settling began) > 0"

"""`lemma NAME: …`: what the author offers is checked before any proof rests on it."""

from __future__ import annotations

from pathlib import Path

from specforge.elaborate import load
from specforge.engines.induction import prove
from specforge.evidence.certificate import NotProved, Proved
from specforge.evidence.goal import ClaimGoal

BOOK = """\
rulebook "Two counters"

asset USD

party Venue, one:
    paid: USD = 0
    owed: USD = 0

action sell(n: USD):
    require n > 0
    Venue.paid += n
    Venue.owed += 3 * n

{lemma}
claim thrice:
    Venue.paid >= 5 USD implies Venue.owed >= 15 USD
    expect proved
"""


def outcomes(tmp_path: Path, lemma: str) -> dict[str, Proved | NotProved]:
    file = tmp_path / "counters.rulebook"
    file.write_text(BOOK.format(lemma=lemma))
    system, problems = load(str(file))
    assert system is not None, problems
    return {goal.name: each for goal, each in prove(system, [ClaimGoal(each) for each in system.claims.values()]).items()}


def test_a_claim_is_proved_with_the_lemma_that_is_offered(tmp_path: Path):
    found = outcomes(tmp_path, 'lemma three_to_one "the books keep step": Venue.owed = 3 * Venue.paid')
    claim = found["thrice"]
    assert isinstance(found["three_to_one"], Proved)
    assert isinstance(claim, Proved) and claim.lemmas == ("Venue.owed = 3 * Venue.paid",)


def test_a_lemma_that_does_not_hold_is_a_row_of_its_own_and_proves_nothing(tmp_path: Path):
    found = outcomes(tmp_path, "lemma more: Venue.owed >= 4 * Venue.paid + 1 USD")
    assert isinstance(found["more"], NotProved)
    claim = found["thrice"]
    assert isinstance(claim, NotProved) or not any("4 * Venue.paid" in each for each in claim.lemmas)


def test_a_lemma_may_be_called_anything_and_still_be_a_word(tmp_path: Path):
    assert isinstance(outcomes(tmp_path, "let lemma = Venue.owed\nlemma twice: lemma >= 2 * Venue.paid")["twice"], Proved)

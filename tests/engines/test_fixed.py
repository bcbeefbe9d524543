"""Proofs for a fixed number of members: what is kept by one step, by a few, and what must not be proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.encoding import Encoding
from specforge.engines.fixed import prove_fixed
from specforge.engines.spacer import from_fixed_point
from specforge.evidence.certificate import NotProved, ProofOutcome, Proved
from specforge.evidence.goal import ClaimGoal
from tests.engines.texts import SHIFTS

ROOT = Path(__file__).parents[2]


def system_of(text: str) -> ir.System:
    system, diagnostics = compile_text('rulebook "T" "A test."\n' + text)
    assert system is not None, diagnostics
    return system


def outcomes(system: ir.System, members: int, depth: int = 3) -> dict[str, ProofOutcome]:
    goals = [ClaimGoal(c, e.given) for c in system.claims.values() for e in c.expects or (ir.Expect("proved"),)]
    sizes = {party.name: max(members, len(party.named)) for party in system.open_parties()}
    return {goal.name: found for goal, found in prove_fixed(system, sizes, goals, rlimit=1_000_000, depth=depth).items()}


def from_file(name: str) -> ir.System:
    system, _ = load(str(ROOT / name))
    assert system is not None
    return system


@pytest.mark.parametrize("members", [2, 3, 6])
def test_the_mini_exchange_keeps_its_promises(members: int) -> None:
    found = outcomes(from_file("benchmarks/m1.rulebook"), members)
    assert {name for name, each in found.items() if isinstance(each, Proved)} == {
        "cash_holds", "books_balance", "fund_holds", "matched"
    }  # fmt: skip


def test_with_one_account_exempt_only_the_books_are_kept() -> None:
    found = outcomes(from_file("benchmarks/m1x.rulebook"), 2)
    assert {name for name, each in found.items() if isinstance(each, Proved)} == {"books_balance", "matched"}


def test_a_fresh_solver_confirms_every_obligation_from_its_text() -> None:
    for each in outcomes(from_file("benchmarks/m1.rulebook"), 2).values():
        assert isinstance(each, Proved)
        assert each.certificate.obligations
        assert each.certificate.recheck() == []


def test_what_one_step_does_not_keep_two_may() -> None:
    system = system_of(SHIFTS)
    assert isinstance(outcomes(system, 0, depth=1)["never_seven"], NotProved)
    proof = outcomes(system, 0, depth=2)["never_seven"]
    assert isinstance(proof, Proved)
    assert any("over 2 steps" in each.need.shows for each in proof.certificate.obligations)
    assert proof.certificate.recheck() == []


def test_what_happens_after_two_steps_is_never_proved() -> None:
    for depth in (1, 2, 3):
        assert isinstance(outcomes(system_of(SHIFTS), 0, depth=depth)["never_eight"], NotProved)


DEAD_END = """
party Venue, one:
    level: number = 0

action jump:
    require Venue.level = 0
    Venue.level := 5

claim stays_low:
    Venue.level < 5
"""


def test_a_state_from_which_nothing_follows_counts_too() -> None:
    for depth in (1, 2, 3):
        assert isinstance(outcomes(system_of(DEAD_END), 0, depth=depth)["stays_low"], NotProved)


ASSUMED = """
unit USD

party Venue, one:
    level: USD = 0

action raise_it(amount: USD):
    require amount > 0
    Venue.level := amount

assumption small on raise_it(amount): amount < 10 USD

claim low:
    Venue.level < 10 USD
    expect proved given small
"""


def test_what_is_assumed_is_used_and_named() -> None:
    system = system_of(ASSUMED)
    proof = outcomes(system, 0)["low"]
    assert isinstance(proof, Proved)
    assert any("given: what is assumed" in each.uses for each in proof.certificate.obligations)
    alone = prove_fixed(system, {}, [ClaimGoal(system.claims["low"])])
    assert all(isinstance(each, NotProved) for each in alone.values())


@pytest.mark.parametrize("name", ["05_small_venue", "09_ftx_as_run"])
def test_nothing_is_proved_that_three_members_can_break(name: str) -> None:
    system = from_file(f"tests/venues/{name}.rulebook")
    wrong = [ClaimGoal(c, e.given) for c in system.claims.values() for e in c.expects if e.verdict == "refuted"]
    sizes = {party.name: max(3, len(party.named)) for party in system.open_parties()}
    found = prove_fixed(system, sizes, wrong, rlimit=200_000, depth=2)
    assert [goal.name for goal, each in found.items() if isinstance(each, Proved)] == []


APART = """
party Venue, one:
    left: number = 0
    right: number = 0
    gap: number = 0

action both_grow:
    Venue.left += 3
    Venue.right += 1

action compare:
    Venue.gap += Venue.left - 3 * Venue.right

claim no_gap:
    Venue.gap = 0

claim small:
    Venue.left <= 30
"""


def test_what_no_number_of_steps_keeps_a_fixed_point_search_may_prove() -> None:
    system = system_of(APART)
    goal = ClaimGoal(system.claims["no_gap"])
    assert isinstance(prove_fixed(system, {}, [goal])[goal], NotProved)
    proof = prove_fixed(system, {}, [goal], further=from_fixed_point)[goal]
    assert isinstance(proof, Proved)
    assert any("Venue.left" in text for text in proof.lemmas)
    assert proof.certificate.recheck() == []


def test_a_fixed_point_search_proves_nothing_that_a_run_breaks() -> None:
    system = system_of(APART)
    goal = ClaimGoal(system.claims["small"])
    assert isinstance(prove_fixed(system, {}, [goal], further=from_fixed_point)[goal], NotProved)


def test_what_a_fixed_point_search_says_counts_only_if_every_step_keeps_it() -> None:
    system = system_of(APART)
    goal = ClaimGoal(system.claims["no_gap"])
    def wishful(encoding: Encoding, looked: object) -> list[tuple[str, object]]:
        return [("left stays small", encoding.formal["Venue.left", 0, 0].term <= 5)]

    assert isinstance(prove_fixed(system, {}, [goal], further=wishful)[goal], NotProved)

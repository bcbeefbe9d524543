"""Loops with an order: proved over a closed list, given up (with the loop's name) over any number of members."""

from __future__ import annotations

from specforge.elaborate import compile_text
from specforge.engines.fixed import prove_fixed
from specforge.engines.induction import prove
from specforge.evidence.certificate import NotProved, ProofOutcome, Proved
from specforge.evidence.goal import ClaimGoal

TEXT = """rulebook "In turn"
asset USD
party PARTY:
    money: balance USD
    rank: number
party Pool, one:
    need: USD at least 0 = 0
    got: balance USD = 0
action ask(n: USD):
    require n > 0
    Pool.need := n
    for each m: Market where m.money > 0 in order of m.rank, lowest first:
        let x = min(Pool.need, m.money)
        transfer x from m.money to Pool.got
        Pool.need -= x
claim nobody_is_spared:
    Pool.need > 0 implies (for all m: Market: m.money = 0)
claim best_first after ask(n):
    for all m, k: Market: m.rank < k.rank and k.money < old(k.money) implies m.money = 0
claim wrong:
    Pool.need > 0 implies Pool.got > 5 USD
claim wrong_order after ask(n):
    for all m, k: Market: m.rank > k.rank and k.money < old(k.money) implies m.money = 0
"""
TRUE, FALSE = {"nobody_is_spared", "best_first"}, {"wrong", "wrong_order"}


def outcomes(party: str, members: int | None = None) -> dict[str, ProofOutcome]:
    system, problems = compile_text(TEXT.replace("PARTY", party))
    assert system is not None, problems
    goals = [ClaimGoal(each, ()) for each in system.claims.values()]
    if members is None:
        found = prove(system, goals)
    else:
        found = prove_fixed(system, {"Market": members}, goals, rlimit=1_000_000, depth=2)
    return {goal.name: outcome for goal, outcome in found.items()}


def test_a_loop_over_a_closed_list_is_proved_about() -> None:
    found = outcomes("Market, one of a, b, c")
    assert {name for name, each in found.items() if isinstance(each, Proved)} == TRUE


def test_over_any_number_of_members_the_prover_gives_up_and_names_the_loop() -> None:
    found = outcomes("Market")
    assert all(isinstance(each, NotProved) for each in found.values())
    best = found["best_first"]
    assert isinstance(best, NotProved) and "one after the other" in best.reason
    assert best.span is not None and best.span.text.startswith("for each m: Market")


def test_for_a_fixed_number_of_members_nothing_false_is_proved() -> None:
    found = outcomes("Market", 2)
    assert not {name for name, each in found.items() if isinstance(each, Proved)} & FALSE

"""Bounded search on small rulebooks whose answers are known, and the hunt's way of choosing what to keep to."""

from __future__ import annotations

import math

from quicktions import Fraction

from specforge.algebra.solver import SECOND
from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines.bmc import Unrolling
from specforge.engines.deadline import Clock, Work
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.grids import choose_grid, lightest_grid
from specforge.engines.hunt import Hunt, essential, parameter_choices, specs
from specforge.engines.search import Search, Spec, Suits, Way
from specforge.evidence.goal import ClaimGoal, ReachGoal
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.trace import Trace

HEAD = 'rulebook "T" "A test."\nasset USD\nasset BTC\n'
VENUE = """party Trader:
    margin: balance USD
    position: net BTC
    unsettled: net USD
party Venue, one:
    book: net USD
    hold: net BTC
    mark: USD per BTC above 0 = 100 USD per BTC
let equity(t: Trader) = t.margin + t.position * Venue.mark + t.unsettled
action deposit(t: Trader, amount: USD):
    require amount > 0
    receive amount into t.margin
action trade(buyer: Trader, seller: Trader, size: BTC):
    require buyer != seller and size > 0
    transfer size from seller.position to buyer.position
    transfer size * Venue.mark from buyer.unsettled to seller.unsettled
    require equity(buyer) >= initial * abs(buyer.position) * Venue.mark
    require equity(seller) >= initial * abs(seller.position) * Venue.mark
action mark_moves(price: USD per BTC):
    require price > 0
    Venue.mark := price
duty liquidate(t: Trader) after mark_moves:
    when equity(t) < maintenance * abs(t.position) * Venue.mark
    transfer t.margin from t.margin to Venue.book
    transfer t.unsettled from t.unsettled to Venue.book
    transfer t.position from t.position to Venue.hold
assumption small on mark_moves(price): abs(price - Venue.mark) <= maintenance * Venue.mark
claim sound:
    Venue.book + Venue.hold * Venue.mark >= 0
claim never_short:
    Venue.hold >= 0
reach flat_again: Venue.book > 0 and Venue.hold = 0
"""
PARAMETERS = """parameter initial: ratio from 0% to 100% = 10%
parameter maintenance: ratio from 0% to 100% = 5%
"""
COUNTER = """party Venue, one:
    done: number = 0
    extra: number = 0
action rise:
    Venue.done += 1
action double:
    require Venue.done > 0
    Venue.done += Venue.done
action aside(much: number):
    Venue.extra += much
claim low:
    Venue.done < 5
"""
TWICE = """party Venue, one:
    done: number = 0
action rise:
    require Venue.done < 2
    Venue.done += 1
claim low:
    Venue.done < 2
"""


def system(*texts: str) -> ir.System:
    made, diagnostics = compile_text(HEAD + "".join(texts))
    assert made is not None, diagnostics
    return made


def claim(book: ir.System, name: str, *given: ir.Given) -> ClaimGoal:
    return ClaimGoal(book.claims[name], given)


def work(units: float = 20 * SECOND) -> Work:
    return Work(units, Clock(math.inf))


def found(book: ir.System, goal: ClaimGoal | ReachGoal) -> Trace:
    for plan in Hunt(book, goal).run(work()):
        try:
            return replay(book, plan, goal)
        except NotReplayed:
            continue
    raise AssertionError("not found")


def test_shorter_runs_are_excluded_and_the_shortest_is_found():
    book = system(COUNTER)
    unrolling = Unrolling(Encoding(book, {}, Grids(), [claim(book, "low")]))
    answers = [unrolling.ask(0, unrolling.bad(0, 0))]
    for length in range(1, 5):
        unrolling.extend()
        answers.append(unrolling.ask(0, unrolling.bad(0, length)))
    assert answers == ["unsat", "unsat", "unsat", "unsat", "sat"]
    trace = replay(book, unrolling.plan(4), claim(book, "low"))
    assert [step.name for step in trace.steps][:2] != ["double", "double"]
    assert trace.actions == 4


def test_a_longer_unrolling_still_answers_about_short_runs():
    book = system(TWICE)
    for ends_early, answer in ((False, "unsat"), (True, "sat")):
        unrolling = Unrolling(Encoding(book, {}, Grids(), [claim(book, "low")]), ends_early=ends_early)
        for _ in range(4):  # after two steps nothing is possible any more
            unrolling.extend()
        assert unrolling.ask(0, unrolling.bad(0, 2)) == answer


def test_the_straight_way_and_the_stones_both_arrive():
    book = system(PARAMETERS, VENUE)
    trace = found(book, claim(book, "sound"))
    assert trace.actions == 2 and [step.name for step in trace.steps if step.duty] == ["liquidate"]


def test_what_is_given_is_kept():
    book = system(PARAMETERS, VENUE)
    goal = claim(book, "sound", ir.Given("small", assumption="small"))
    trace = found(book, goal)
    marks = [step.args[0] for step in trace.steps if step.name == "mark_moves"]
    maintenance = trace.start["maintenance", 0, 0]
    before = Fraction(100)
    for mark in marks:
        assert abs(mark - before) <= maintenance * before
        before = mark


def test_a_fixed_parameter_is_part_of_the_plan():
    book = system(PARAMETERS, VENUE)
    goal = claim(book, "sound")
    fixed = {("initial", 0, 0): Fraction(1, 2), ("maintenance", 0, 0): Fraction(1, 4)}
    plans = Search(Suits(book, goal), Spec(2, fixed, 0)).run(10 * SECOND, work())
    plan = next(iter(plans))
    assert {cell: plan.start[cell] for cell in fixed} == fixed
    replay(book, plan, goal)


def test_parameters_are_tried_at_the_edge_of_what_is_given():
    book = system(PARAMETERS, VENUE)
    cond = ir.Op(ir.Operator.LE, (_parameter("maintenance"), _parameter("initial")))
    choices, edges = parameter_choices(book, claim(book, "sound", ir.Given("initial >= maintenance", cond=cond)))
    assert choices[0] == {("initial", 0, 0): Fraction(1, 10), ("maintenance", 0, 0): Fraction(1, 20)}
    assert edges > 0 and all(len(set(each.values())) == 1 for each in choices[1 : 1 + edges])
    assert choices[-1] == {}
    assert all(each["maintenance", 0, 0] <= each["initial", 0, 0] for each in choices[:-1])


def test_a_condition_that_leaves_no_choice_fixes_the_parameter():
    book = system(PARAMETERS, VENUE)
    cond = ir.Op(ir.Operator.EQ, (_parameter("initial"), ir.Lit(Fraction(1, 5))))
    choices, _ = parameter_choices(book, claim(book, "sound", ir.Given("initial = 20%", cond=cond)))
    assert all(each["initial", 0, 0] == Fraction(1, 5) for each in choices)


def _parameter(name: str) -> ir.Read:
    return ir.Read(name, ir.Lit(ir.Member(ir.RULES, 0)))


def test_deposits_are_left_out_of_deep_searches():
    book = system(PARAMETERS, VENUE)
    assert essential(book, claim(book, "sound")) == {"trade", "mark_moves"}


def test_contracts_are_kept_to_a_grid_rather_than_money():
    book = system(PARAMETERS, VENUE)
    assert choose_grid(book, {"Trader": 2}, []) == ("BTC", "number")
    assert choose_grid(book, {"Trader": 2}, [], {("initial", 0, 0): Fraction(1), ("maintenance", 0, 0): Fraction(1)}) == (
        "BTC",
    )


RANKED = """action unwind:
    require Venue.hold != 0
    collect abs(Venue.hold):
        taking lots from each w: Trader where w.position * Venue.hold < 0 up to abs(w.position) in order of KEY, highest first:
            transfer lots * (1 if w.position > 0 otherwise -1) from w.position to Venue.hold
        rest left:
            nothing
claim richest_is_closed after unwind:
    for all t, u: Trader: (old(t.margin > u.margin and t.position < 0 and u.position < 0)) implies (
        t.position = 0 or u.position = old(u.position))
"""


def test_a_ranking_by_something_nonlinear_is_left_open():
    book = system(PARAMETERS, VENUE, RANKED.replace("KEY", "equity(w) * equity(w)"))
    goal = claim(book, "richest_is_closed")
    fixed = parameter_choices(book, goal)[0][0]
    assert choose_grid(book, {"Trader": 2}, [goal], fixed) != ("BTC",)
    suits = Suits(book, goal)
    tiers = [node for node in ir.walk(suits.products(fixed)[0].actions["unwind"].body) if isinstance(node, ir.Tier)]
    assert [tier.policy for tier in tiers] == [ir.Policy.ANY] and not suits.has_ways(fixed)
    plain = system(PARAMETERS, VENUE, RANKED.replace("KEY", "equity(w)"))
    suits = Suits(plain, claim(plain, "richest_is_closed"))
    assert suits.products(fixed)[0] is plain


def test_a_hunt_for_short_runs_ends_by_itself_and_asks_for_nothing_longer():
    book = system(COUNTER)
    goal = claim(book, "low")
    hunt = Hunt(book, goal, longest=3)
    assert not list(hunt.run(work())) and hunt.over
    assert all(len(each.unrolling.steps) <= 4 for each in hunt.searches if each.unrolling is not None)


def test_a_hunt_that_is_gone_on_with_finds_what_one_turn_did_not():
    book = system(PARAMETERS, VENUE)
    hunt = Hunt(book, claim(book, "sound"))
    turns = 0
    while not list(hunt.run(work(0.02 * SECOND))) and turns < 200:
        turns += 1
    assert 0 < turns < 200


def test_what_does_not_hold_is_asked_for_again():
    book = system(PARAMETERS, VENUE)
    goal = claim(book, "sound")
    search = Search(Suits(book, goal), Spec(2, parameter_choices(book, goal)[0][0], 1))
    plans = [plan for plan, _ in zip(search.run(10 * SECOND, work()), range(3), strict=False)]
    shapes = {tuple((event.action, event.args[:2]) for event in plan.events) for plan in plans}
    assert len(plans) == 3 and len(shapes) == 3


POOL = """party Pool, one:
    usd: balance USD = 100 USD
    coin: balance COIN at least 1 COIN
action swap(lot: COIN):
    require lot > 0
    receive lot into Pool.coin
    pay Pool.usd * lot / (Pool.coin + lot) from Pool.usd
claim deep:
    Pool.usd > 20 USD
"""


def test_products_that_contracts_do_not_cover_have_other_ways():
    book = system("asset COIN\n", PARAMETERS, VENUE, POOL)
    goal = claim(book, "sound")
    suits = Suits(book, goal)
    fixed = parameter_choices(book, goal)[0][0]
    assert suits.has_ways(fixed)
    linear = suits.encoding(Spec(2, fixed, 1, None, Way.LINEAR))
    assert "swap" not in [rule.name for rule in linear.rules] and set(linear.grids.values) == {"BTC"}
    assert lightest_grid(book, suits.products(fixed)[1]) == ("BTC",)
    assert {each.way for each, _ in zip(specs(suits, 0), range(8), strict=False)} == set(Way)
    assert found(book, goal).actions == 2
    assert found(book, claim(book, "deep")).actions >= 1


def test_the_same_seed_asks_for_the_same():
    book = system(PARAMETERS, VENUE)
    suits = Suits(book, claim(book, "sound"))
    first, second = ([each for each, _ in zip(specs(suits, 3), range(30), strict=False)] for _ in range(2))
    assert first == second


def test_a_start_that_the_text_works_out_is_left_to_the_text():
    book = system(
        "parameter seed: USD at least 0 = 5 USD\nparty Venue, one:\n    free: USD at least 0\n"
        "    twice: USD = 2 * free + seed\n"
        "action grow:\n    Venue.free += 1 USD\nclaim low:\n    Venue.twice <= 30 USD\n",
    )
    trace = found(book, claim(book, "low"))
    assert {cell[0] for cell in trace.plan.start} == {"seed", "Venue.free"}
    seed, free, twice = (trace.start[name, 0, 0] for name in ("seed", "Venue.free", "Venue.twice"))
    assert twice == 2 * free + seed and twice > 30

"""What the interpreter does is a model of the formulas, and nothing next to it is; both judge alike."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from quicktions import Fraction

from specforge.algebra.exact import ExactMachine
from specforge.algebra.staged import StagedMachine
from specforge.algebra.symbolic import disj
from specforge.core import ir
from specforge.core.machine import DefectFound, Refused
from specforge.elaborate import load
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids, written_fields
from specforge.engines.grids import choose_grid, grids_for
from specforge.engines.simulate import Draw, exact_args
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal
from specforge.evidence.replay import replay
from tests.engines.runs import AtRest, Move, Pinned, Run, random_runs
from tests.engines.texts import system_of

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "tests" / "venues").glob("*.rulebook"))
DEFECTS = [DefectGoal(each) for each in ir.Defect]


def goals_of(system: ir.System) -> list[Goal]:
    goals: list[Goal] = [*map(ReachGoal, system.reaches.values())]
    for claim in system.claims.values():
        goals += [ClaimGoal(claim, given) for given in dict.fromkeys([(), *(each.given for each in claim.expects)])]
    return goals


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs_of_the_interpreter_are_runs_of_the_formulas(path: Path) -> None:
    system, _ = load(str(path))
    assert system is not None
    goals = goals_of(system)
    random = Random(path.stem)
    for members in (2, 3):
        for run in random_runs(system, members, goals, seed=members, count=1, steps=5):
            cells = [cell for cell in run.start if system.fields[cell[0]].name in written_fields(system)]
            pinned = Pinned(system, run, goals, {t: random.choice(cells) for t in range(1, len(run.moves) + 1)})
            assert pinned.can()
            for t in pinned.otherwise:
                assert not pinned.can(other=t), "a state next to it"
            judged_alike(pinned, run)
            tried_alike(system, run, random)


def judged_alike(pinned: Pinned, run: Run) -> None:
    unrolling = pinned.unrolling
    for at, shown in enumerate(run.shown):
        first = unrolling.length_of(at)
        until = len(run.moves) if shown is None else shown - 1
        before = disj(unrolling.bad(at, t - first) for t in range(first, until + 1))
        assert before is False or not pinned.can(before, counts=at), (pinned.encoding.goals[at], "too early")
        if shown is not None:
            assert pinned.can(unrolling.bad(at, shown - first), counts=at), (pinned.encoding.goals[at], "missed")


def tried_alike(system: ir.System, run: Run, random: Random) -> None:
    """Actions tried at the end of the run: refused, defective or done, in the formulas as in the interpreter."""
    staged, exact, formulas = StagedMachine(system, run.sizes), ExactMachine(system, run.sizes), AtRest(system, run, DEFECTS)
    draw = Draw(staged, random)
    staged.load(run.end)
    for action in random.choices([each for each in system.actions.values() if each.open], k=5):
        args = exact_args(action.params, draw.arguments(action)(staged.state))
        move = Move(action.name, False, args, run.end)
        exact.restore(run.end)
        met: list[ir.Defect] = []
        try:
            exact.act(action.name, args)
            done = True
        except Refused:
            done = False
        except DefectFound as found:
            met, done = [found.defect], False
        assert formulas.goes_through(move) == done, (action.name, args)
        assert [each.defect for at, each in enumerate(DEFECTS) if formulas.shows(at, move)] == met, (action.name, args)


@pytest.mark.parametrize("name", ["04_bybit_copper_ethena", "06_coinflex", "07_deribit", "12_ccp_waterfall"])
def test_what_the_formulas_find_is_replayed_by_the_interpreter(name: str) -> None:
    system, _ = load(str(ROOT / "tests" / "venues" / f"{name}.rulebook"))
    assert system is not None
    goals = [*map(RuleGoal, (*system.actions, *system.duties)), *goals_of(system)]
    sizes = {party.name: max(2, len(party.named)) for party in system.open_parties()}
    unrolling = Unrolling(Encoding(system, sizes, grids_for(system, choose_grid(system, sizes, goals), 0), goals))
    replayed: set[str] = set()
    for length in range(1, 4):
        unrolling.extend()
        for at, goal in enumerate(goals):
            t = length - unrolling.length_of(at)
            if goal.name not in replayed and unrolling.ask(at, unrolling.bad(at, t), seconds=1) == "sat":
                replay(system, unrolling.plan(length), goal)
                replayed.add(goal.name)
    assert len(replayed) >= 3, replayed


OVERDRAWN = """rulebook "Overdrawn"
asset USD
party Venue, one:
    fund: balance USD = 5 USD
action take(amount: USD):
    require amount > 0
    pay amount from Venue.fund
"""
RANKED = """rulebook "Ranked"
asset USD
party Trader:
    key: number
    done: number = 0
action look:
    nothing
duty mark(t: Trader) after look:
    when t.done = 0
    in order of 1 / t.key, highest first
    t.done := 1
claim untouched:
    for all t: Trader: t.done = 0
"""


def bounded(text: str, members: int, goal: Goal, steps: int) -> list[str]:
    """What the search says of runs of 0, 1, … steps."""
    system = system_of(text)
    unrolling = Unrolling(Encoding(system, {"Trader": members}, Grids(), [goal, DEFECTS[0]]))
    answers: list[str] = []
    for length in range(steps + 1):
        if length:
            unrolling.extend()
        t = length - unrolling.length_of(0)
        answers.append(unrolling.ask(0, unrolling.bad(0, t)) if t >= 0 else "")
        if answers[-1] == "sat":
            replay(system, unrolling.plan(length), goal)
    return answers


def test_a_defect_is_found_at_the_step_that_does_not_go_through() -> None:
    """Found 2026-11-22: the step in which a defect arises was asked to go through as well, so none was ever found."""
    assert bounded(OVERDRAWN, 0, DefectGoal(ir.Defect.FUNDED), 3) == ["", "sat", "sat", "sat"]
    assert bounded(OVERDRAWN, 0, DefectGoal(ir.Defect.TABLE), 2) == ["", "unsat", "unsat"]


def test_somebody_who_is_alone_is_not_ranked() -> None:
    """Found 2026-11-22: a key that does not exist excluded runs in which nobody asks for it; with two it is a defect."""
    claim = ClaimGoal(system_of(RANKED).claims["untouched"])
    assert bounded(RANKED, 1, claim, 2) == ["unsat", "unsat", "sat"]
    assert bounded(RANKED, 1, DefectGoal(ir.Defect.DIVISION), 2)[1:] == ["unsat", "unsat"]
    assert bounded(RANKED, 2, DefectGoal(ir.Defect.DIVISION), 2)[2] == "sat"


@pytest.mark.parametrize("rule", ["look", "mark"])
def test_a_rule_is_seen_to_happen(rule: str) -> None:
    assert bounded(RANKED, 1, RuleGoal(rule), 2)[1:] == (["sat", "unsat"] if rule == "look" else ["unsat", "sat"])


CALLED = """rulebook "Called"
party Venue, one:
    n: number = 0
action bump(k: number):
    require k > 0
    Venue.n += k
action go:
    bump(5)
claim more after bump(k):
    k > 0
"""


def test_a_claim_after_an_action_is_about_what_the_world_did() -> None:
    """Found 2026-11-22: when another rule called the action, the claim was judged with arguments that nobody had given."""
    assert bounded(CALLED, 0, ClaimGoal(system_of(CALLED).claims["more"]), 3) == ["unsat"] * 4
    less = CALLED.replace("k > 0\n", "k < 5\n").replace("require k < 5", "require k < 6")
    assert bounded(less, 0, ClaimGoal(system_of(less).claims["more"]), 1) == ["unsat", "sat"]


ASSUMED = """rulebook "Assumed"
party Venue, one:
    n: number = 0
action go(k: number):
    Venue.n := k
assumption small on go(k): 1 / k < 1
claim zero:
    Venue.n != 0
"""


def test_what_is_assumed_of_an_action_is_no_defect_of_it() -> None:
    """Found 2026-11-22: an assumption without a value counted as a defect of the action, whatever was looked for."""
    system = system_of(ASSUMED)
    goals = [DefectGoal(ir.Defect.DIVISION), ClaimGoal(system.claims["zero"], (ir.Given("small", "small"),))]
    unrolling = Unrolling(Encoding(system, {}, Grids(), goals))
    unrolling.extend()
    assert unrolling.ask(0, unrolling.bad(0, 0)) == "unsat"


WORTH = """rulebook "Worth" "What somebody's lots are worth, as they are looked at, and given back."
asset USD
asset LOT
party Trader:
    position: net LOT
party Venue, one:
    mark: USD per LOT above 0
    looked: flag = no
    taken: net LOT
action trade(buyer: Trader, seller: Trader):
    transfer 1 LOT from seller.position to buyer.position
duty look after trade:
    when not Venue.looked
    Venue.looked := yes
duty give_back(t: Trader) after trade:
    when Venue.looked and t.position > 0
    transfer t.position from t.position to Venue.taken
claim looking_changes_nothing after look:
    for all t: Trader: t.position * Venue.mark = old(t.position * Venue.mark)
claim giving_changes_nothing after give_back(t):
    t.position * Venue.mark = old(t.position * Venue.mark)
"""


def test_what_a_number_is_after_a_step_says_nothing_against_what_it_was_before() -> None:
    """Found 2026-11-26: that a position on a grid is 1 now excluded that it was 0 before; whoever compared the two found
    everything unequal."""
    system = system_of(WORTH)
    grids = Grids({"LOT": (Fraction(-1), Fraction(0), Fraction(1))})
    goals: list[Goal] = [ClaimGoal(each) for each in system.claims.values()]
    unrolling = Unrolling(Encoding(system, {"Trader": 2}, grids, goals))
    for expected in (["unsat", "unsat"], ["unsat", "unsat"], ["unsat", "sat"]):
        unrolling.extend()
        t = len(unrolling.steps) - 1
        assert [unrolling.ask(at, unrolling.bad(at, t)) for at in (0, 1)] == expected

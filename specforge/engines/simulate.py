"""Random runs of a rulebook: quick at finding what is easy to break, and at counting what happens at all.

Runs are played on the generated Python (algebra/staged.py).  What they find is a suggestion; only the exact replay makes
it a verdict.  All goals are judged along the same runs, at the moments that evidence/play.py defines for one goal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import Cell
from specforge.algebra.staged import Cells, Compiled, StagedMachine, Watched, whole
from specforge.core import ir
from specforge.core.machine import FIRING_LIMIT, Choice, DefectFound, Firing, Members, first_option, settle
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal, action_assumptions, state_assumptions
from specforge.evidence.play import Event
from specforge.evidence.trace import Plan
from specforge.records import define, frozen

QUICK_FIRING_LIMIT = 300  # of one settling; only one that goes on beyond it is played to FIRING_LIMIT
TRIES = 4  # events tried for each one wanted, before a run is given up
NO_GOALS = 0
SHORT_FIRING_LIMIT = 40  # in a search, once it is known that some settling never ends
AIMED = 0.1  # of the events: a number is moved to where something tips over
ECHOED = 0.08  # of the events: one that has happened, for other members
ROUND_NUMBERS = 0.75  # of the runs: fractions are rounded off
TWINS = 0.3  # of the starts: everybody of a party begins alike
LARGEST_DENOMINATOR = 1000
LARGEST_PROBE = 400  # comparisons
FEW_STARTS, MANY_STARTS = 8, 64  # starts that are played again and again
HOPELESS = 3  # times that no start was found in which a goal's assumptions hold

Args = tuple[Any, ...]


# ---------------------------------------------------------------- judging many goals at once


class Judges:
    """Judges all `goals` along a run, as `Judge` does for one.  Sets of goals are bit masks, by position in `goals`.

    A goal leaves `live` when something it assumes has failed, or when its own condition has no value there; the rest of the
    run does not count for it.  Every method returns the goals shown at that moment."""

    def __init__(self, machine: StagedMachine, goals: Sequence[Goal]):
        self.machine, self.goals = machine, goals
        self.wanted = (1 << len(goals)) - 1
        self.live = 0
        self.compile()

    def compile(self) -> None:
        """The checks of the goals still wanted, as functions."""
        system = self.machine.system
        rest: list[Watched] = []
        step: list[Watched] = []
        after_action: dict[str, list[Watched]] = {}
        after_duty: dict[str, list[Watched]] = {}
        at_action: dict[str, list[Watched]] = {}
        self.shift = len(self.goals)
        self.defects: dict[ir.Defect, int] = {}
        self.rules: dict[str, int] = {}
        for at, goal in enumerate(self.goals):
            bit = 1 << at
            if not self.wanted & bit:
                continue
            assumed = [Watched(cond, (), bit, False) for cond in state_assumptions(system, goal)]
            rest += assumed
            for action, assumptions in action_assumptions(system, goal).items():
                at_action.setdefault(action, []).extend(Watched(each.cond, each.params, bit, False) for each in assumptions)
            shown = bit << self.shift
            if isinstance(goal, DefectGoal):
                self.defects[goal.defect] = self.defects.get(goal.defect, 0) | bit
            elif isinstance(goal, RuleGoal):
                self.rules[goal.rule] = self.rules.get(goal.rule, 0) | bit
            elif isinstance(goal, ReachGoal):
                rest.append(Watched(goal.reach.cond, (), shown, True))
            elif isinstance(moment := goal.claim.moment, ir.After):
                broken = Watched(goal.claim.cond, moment.params, shown, False)
                if moment.duty:
                    after_duty.setdefault(moment.name, []).extend([*assumed, broken])
                else:
                    after_action.setdefault(moment.name, []).append(broken)
            else:
                broken = Watched(goal.claim.cond, (), shown, False)
                rest.append(broken)
                if isinstance(moment, ir.EveryStep):
                    step += [*assumed, broken]
        self._rest = self._check("at rest", rest, 0)
        self._step = self._check("at every step", step, 0)
        self._after_duty = {
            name: self._check(f"after {name}", items, len(system.duties[name].params)) for name, items in after_duty.items()
        }
        self._after_action = {
            name: self._check(f"after {name}", items, len(system.actions[name].params)) for name, items in after_action.items()
        }
        self._at_action = {
            name: self._check(f"assumed of {name}", items, len(system.actions[name].params))
            for name, items in at_action.items()
        }
        self.observes = bool(step or after_duty or self.rules)
        self.needs_before = frozenset(after_action)
        self.assumes_of = frozenset(at_action)

    def _check(self, title: str, items: list[Watched], args: int) -> _Check | None:
        return _Check(self.machine, title, items, args, self.shift) if items else None

    def _judge(self, check: _Check | None, before: Cells, args: Args = ()) -> int:
        if check is None:
            return NO_GOALS
        try:
            seen = check.all(self.machine.state, before, *args)
        except DefectFound:
            seen = check.one_by_one(self.machine.state, before, args, self.live)
        if not seen:
            return NO_GOALS
        self.live &= ~seen
        shown = seen >> self.shift & self.live
        self.live &= ~shown
        return shown

    def begin(self) -> None:
        """A new run."""
        self.live = self.wanted

    def hears(self, action: str) -> bool:
        """Whether more than the state at rest is judged of this action."""
        return self.observes or action in self.needs_before or action in self.rules

    def forget(self, goals: int) -> None:
        """These have been shown and need not be looked for any more."""
        self.wanted &= ~goals
        self.live &= self.wanted
        self.compile()

    def excluded(self, action: str, args: Args) -> int:
        """The goals that assume that this action is not taken so, now."""
        check = self._at_action[action]
        assert check is not None
        try:
            return check.all(self.machine.state, self.machine.state, *args)
        except DefectFound:
            return check.one_by_one(self.machine.state, self.machine.state, args, self.live)

    def at_rest(self, took: Sequence[tuple[str, Args]], before: Cells) -> int:
        shown = self._judge(self._rest, self.machine.state)
        if self.needs_before:
            for name, args in took:
                if name in self.needs_before:
                    shown |= self._judge(self._after_action[name], before, args)
        return shown

    def _happened(self, rule: str) -> int:
        shown = self.rules.get(rule, NO_GOALS) & self.live
        self.live &= ~shown
        return shown

    def after_body(self, action: str) -> int:
        return self._happened(action) | self._judge(self._step, self.machine.state)

    def after_firing(self, duty: str, members: Members, before: Cells) -> int:
        shown = self._happened(duty) | self._judge(self._step, self.machine.state)
        if duty in self._after_duty:
            shown |= self._judge(self._after_duty[duty], before, members)
        return shown


class _Check:
    """Conditions judged at the same moment.  `all` gives the goals whose assumption fails (low bits) and those whose
    condition is shown (high bits)."""

    def __init__(self, machine: StagedMachine, title: str, items: list[Watched], args: int, shift: int):
        self.machine, self.items, self.shift = machine, items, shift
        self.all: Compiled = machine.watch(title, items, args)

    def one_by_one(self, state: Cells, before: Cells, args: Args, live: int) -> int:
        """Where a condition has no value: only its own goal stops there."""
        seen, low = 0, (1 << self.shift) - 1
        for item in self.items:
            goals = (item.mask | item.mask >> self.shift) & low
            if not goals & live & ~seen:
                continue
            try:
                value = self.machine.value(item.expr, item.params)(state, before, *args[: len(item.params)])
                seen |= item.mask if value is item.when else 0
            except DefectFound:
                seen |= goals
        return seen


# ---------------------------------------------------------------- drawing starts and arguments

SMALL = (1, 2, 3, 4, 5, 10, 20, 100)
OF_AMOUNTS = (1, 1, 1, -1, 2, Fraction(1, 2))
OF_PRICES = (1, Fraction(1, 2), Fraction(4, 5), Fraction(9, 10), Fraction(19, 20), Fraction(11, 10), Fraction(6, 5), 2)


class Draw:
    """Draws starts and arguments: members, numbers that the rulebook itself uses, small ones, and what accounts hold now."""

    def __init__(self, machine: StagedMachine, random: Random):
        self.machine, self.system, self.random = machine, machine.system, random.random
        self.active = {name: list(range(size)) for name, size in machine.sizes.items()}
        self.round_off = False
        self.open_cells = self._find_open_cells()
        self._open_values: dict[str, list[Fraction]] = {}
        self.literals: dict[ir.Type, list[Any]] = {}
        for value, unit in self.system.literals:
            self.literals.setdefault(unit, []).append(whole(value))
        ratios = self.literals.get(ir.Number(), [])
        self.steps = sorted({sign * each + 1 for each in ratios if 0 < each < 1 for sign in (-1, 1)})

    def rounded(self, value: Any) -> Any:
        """A whole number nearby, in most runs: fractions are rarely what matters, and they make every later step slow."""
        if self.round_off and type(value) is Fraction and abs(value) > 1:
            return value.__floor__() + (self.random() < 0.5)
        return value

    def cast(self, random: Random) -> None:
        """A few members of each open party who will be drawn as arguments from now on; those the text names more often.  Few
        who meet often get further than many who never meet again."""
        self.round_off = random.random() < ROUND_NUMBERS
        for party in self.system.open_parties():
            size = self.machine.sizes[party.name]
            weights = [3 if member < len(party.named) else 1 for member in range(size)]
            by_luck = sorted(range(size), key=lambda member: random.random() ** (1 / weights[member]), reverse=True)
            self.active[party.name][:] = by_luck[: random.choice((2, 3, 3, 4, size))]

    def constants(self, type: ir.Type) -> list[Any]:
        """Numbers of this unit worth trying: the text's own (both signs) and small ones, twice as many of the small."""
        own = [each for each in self.literals.get(type, []) if each != 0]
        return [*own, *SMALL, *SMALL, *(-each for each in own), -1, -2, 0]

    def arguments(self, action: ir.Action) -> Callable[[Cells], Args]:
        """Draws the arguments of the action, in a state."""
        makers = [self._maker(param.type, action.params[:at]) for at, param in enumerate(action.params)]
        if not makers:
            return lambda state: ()
        if len(makers) == 1:
            make = makers[0]
            return lambda state: (make(state, []),)

        def draw(state: Cells) -> Args:
            args: list[Any] = []
            for make in makers:
                args.append(make(state, args))
            return tuple(args)

        return draw

    def _maker(self, type: ir.Type, earlier: tuple[ir.Argument, ...]) -> Callable[[Cells, list[Any]], Any]:
        random = self.random
        if isinstance(type, ir.Flag):
            return lambda state, args: random() < 0.5
        if isinstance(type, ir.Of):
            active = self.active[type.party]
            return lambda state, args: active[int(random() * len(active))]
        constants = self.constants(type)
        sources = self._sources(type, earlier)
        price = any(power < 0 for _, power in type.dims)
        factors: Sequence[Any] = [*OF_PRICES, *self.steps] if price else OF_AMOUNTS
        many, kinds, most = len(constants), len(sources), len(factors)
        from_state = 0.0 if not sources else 0.7 if price else 0.35

        def number(state: Cells, args: list[Any]) -> Any:
            if random() >= from_state:
                return constants[int(random() * many)]
            base, width, size, which = sources[int(random() * kinds)]
            member = int(random() * size) if which < 0 else args[which]
            value = state[base + member * width + (int(random() * width) if width > 1 else 0)]
            factor = factors[int(random() * most)]
            return value if factor == 1 else self.rounded(whole(value * factor))

        return number

    def _sources(self, type: ir.Number, earlier: tuple[ir.Argument, ...]) -> list[tuple[int, int, int, int]]:
        """Where amounts of this unit stand now: first cell, cells per member, members, and which argument is the member."""
        found: list[tuple[int, int, int, int]] = []
        for each in self.system.fields.values():
            if each.type != type or each.kind is ir.Kind.PARAMETER:
                continue
            base, width, size = (
                self.machine.at(each.name),
                self.machine.algebra.width[each.name],
                self.machine.sizes[each.party],
            )
            if not size:
                continue
            which = [at for at, param in enumerate(earlier) if param.type == ir.Of(each.party)] if size > 1 else []
            found += [(base, width, size, at) for at in which] or [(base, width, size, -1)]
        return found

    # -- starts

    def _find_open_cells(self) -> list[tuple[ir.Field, Cell]]:
        """The cells whose start the text leaves open."""
        oracle = self.machine.oracle
        named = oracle.named_starts
        kinds = (ir.Kind.BALANCE, ir.Kind.PLAIN)
        return [
            (each, cell)
            for each in self.system.fields.values()
            if each.kind in kinds and each.start is None
            for cell in oracle.cells(each)
            if cell not in named
        ]

    def start(self, defaults: bool) -> dict[Cell, Any]:
        """What is fixed of a start.  `defaults`: parameters keep the value the text gives them; others are always drawn."""
        fixed: dict[Cell, Any] = {}
        for each in self.system.parameters():
            if each.start is None or not defaults:
                fixed[each.name, 0, 0] = self._open(each)
        alike = self.random() < TWINS  # everybody of a party begins alike
        for each, cell in self.open_cells:
            twin = (each.name, 0, cell[2])
            if alike and cell[1] > 0 and twin in fixed:
                fixed[cell] = fixed[twin]
            elif self.random() < 0.85:  # else the nearest legal value to 0
                fixed[cell] = self._open(each)
        return fixed

    def _open(self, field: ir.Field) -> Any:
        if isinstance(field.type, ir.Flag):
            return self.random() < 0.5
        if isinstance(field.type, ir.Of):
            return int(self.random() * self.machine.sizes[field.type.party])
        if field.name not in self._open_values:
            self._open_values[field.name] = self._values_within(field)
        values = self._open_values[field.name]
        return values[int(self.random() * len(values))]

    def _values_within(self, field: ir.Field) -> list[Fraction]:
        low, high = (self._bound(each) for each in (field.low, field.high))
        if field.kind is ir.Kind.BALANCE and field.low is None:
            low = Fraction(0)
        values = [Fraction(each) for each in self.constants(field.type)]
        if low is not None and high is not None:
            values += [low + (high - low) * Fraction(each, 20) for each in range(21)]
        fits = [each for each in values if (low is None or each >= low) and (high is None or each <= high)]
        if field.low_open:
            fits = [each for each in fits if each != low]
        return fits or values

    def _bound(self, expr: ir.Expr | None) -> Fraction | None:
        """A bound that does not depend on the state; None if there is none, or it does."""
        if expr is None or any(isinstance(node, ir.Read | ir.Var) for node in ir.walk(expr)):
            return None
        return self.machine.oracle.evaluate(expr)


class _Aim:
    """Moves a number of an action's arguments to where something tips over: a guard, somebody's turn, a claim.

    Plays the body at two values, measures every comparison on the way, and takes the value at which one of them would be just
    met if it grew evenly in between."""

    def __init__(self, machine: StagedMachine, action: ir.Action, rest: tuple[Compiled, int], draw: Draw):
        self.body, self.in_body = machine.probe(action.name)
        self.rest, self.at_rest = rest
        self.numbers = [at for at, param in enumerate(action.params) if isinstance(param.type, ir.Number)]
        self.random, self.draw = draw.random, draw

    def __call__(self, state: Cells, args: Args) -> Args:
        random = self.random
        at = self.numbers[int(random() * len(self.numbers))]
        first = args[at]
        second = first + 1 if random() < 0.5 else first * 2 or 1
        one, two = self._measure(state, args), self._measure(state, (*args[:at], second, *args[at + 1 :]))
        tips = [(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None and a != b]
        if not tips:
            return args
        a, b = tips[int(random() * len(tips))]
        value = self.draw.rounded(whole(first - Fraction(a) * (second - first) / (b - a)))
        if type(value) is Fraction and value.denominator > LARGEST_DENOMINATOR:
            value = value.__floor__() + 1
        beyond = random()
        if beyond < 0.3:
            value = value + (1 if beyond < 0.15 else -1)
        return (*args[:at], value, *args[at + 1 :])

    def _measure(self, state: Cells, args: Args) -> list[Any]:
        state, body, rest = state[:], [None] * self.in_body, [None] * self.at_rest
        with suppress(DefectFound):
            self.body(state, first_option, [], None, body, *args)
            self.rest(state, rest)
        return body + rest


# ---------------------------------------------------------------- playing


@frozen
class ActionCount:
    tried: int = 0
    accepted: int = 0


@frozen
class Statistics:
    """What happened in the runs played.  `events`: tried, refused ones included.  `duties`: firings.  `tiers`: how often
    somebody gave.  `reached`, `broken`: runs in which the reach was reached, the claim (with nothing assumed) broken.
    `defects`: how often each was met, at which place in the text."""

    runs: int
    events: int
    accepted: int
    firings: int
    seconds: float
    actions: dict[str, ActionCount]
    duties: dict[str, int]
    tiers: dict[str, int]
    reached: dict[str, int]
    broken: dict[str, int]
    defects: dict[tuple[ir.Defect, Any], int]


@frozen
class Exploration:
    """What random runs found.  `plans`: by position of the goal among those given, a run that shows it (to be replayed
    exactly).  `steps`: events tried; `accepted`: those that happened."""

    plans: dict[int, Plan]
    runs: int
    steps: int
    accepted: int
    seconds: float


@define
class _Play:
    """An action of the world, ready to be tried.  `quiet`: nobody listens to it but duties that may be due at any time, and
    there are none."""

    name: str
    draw: Callable[[Cells], Args]
    function: Compiled
    quiet: bool
    parties: tuple[str, ...]  # of its arguments; "" for a number or a flag
    aim: _Aim | None = None
    tried: int = 0
    accepted: int = 0


@define
class _Done:
    """An event of the run being played, and where its picks begin in the log."""

    action: str
    args: Args
    log_at: int


class Walk:
    """Plays random runs on one machine and keeps count."""

    def __init__(self, system: ir.System, sizes: Mapping[str, int], goals: Sequence[Goal], seed: int):
        self.machine = StagedMachine(system, sizes)
        self.system = system
        self.random = Random(seed)
        self.judges = Judges(self.machine, goals)
        self.draw = Draw(self.machine, self.random)
        anytime = any(not duty.after for duty in system.duties.values())
        heard = {name for duty in system.duties.values() for name in duty.after}
        self.plays = [
            _Play(
                action.name, self.draw.arguments(action), self.machine.action(action.name),
                not anytime and action.name not in heard and not any(isinstance(x, ir.Took) for x in ir.walk(action.body)),
                tuple(param.type.party if isinstance(param.type, ir.Of) else "" for param in action.params),
            )
            for action in system.actions.values()
            if action.open
        ]  # fmt: skip
        self.by_name = {each.name: each for each in self.plays}
        self.firings = dict.fromkeys(system.duties, 0)
        self.defects: dict[tuple[ir.Defect, Any], int] = {}
        self.runs = self.tried = self.accepted = 0
        self.log: list[tuple[Choice, int]] = []
        self.done: list[_Done] = []
        self.fixed: dict[Cell, Any] = {}
        self.origin: Cells = []
        self.excluded = 0  # goals whose assumptions the event being played contradicts
        self.shown = 0  # goals shown in this run
        self.on_shown: Callable[[int], None] = lambda goals: None
        self.limit = QUICK_FIRING_LIMIT
        self.goes_on = False  # play on when nothing is left to be judged

    # -- starts

    def begin(self, defaults: bool, focus: int = 0, tries: int = 40) -> bool:
        """Draws a start; no if none was found that is legal and in which all of `focus` may still be shown."""
        for attempt in range(tries):
            fixed = self.draw.start(defaults and (attempt < tries // 2 or not focus))
            try:
                self.machine.begin(fixed)
            except DefectFound:
                continue
            self.fixed, self.origin = fixed, self.machine.save()
            if self._settle_start(focus):
                return True
        return False

    def resume(self, fixed: dict[Cell, Any], origin: Cells) -> None:
        """Starts again where another run has started."""
        self.machine.restore(origin)
        self.fixed, self.origin = fixed, origin
        self._settle_start(0)

    def take_aim(self) -> None:
        """From now on, numbers are now and then moved to where a guard, a duty or a goal tips over."""
        conditions: dict[int, ir.Expr] = {}
        for goal in self.judges.goals:
            if isinstance(goal, ClaimGoal):
                if not isinstance(goal.claim.moment, ir.After):
                    conditions[id(goal.claim.cond)] = goal.claim.cond
                conditions.update((id(each), each) for each in state_assumptions(self.system, goal))
            elif isinstance(goal, ReachGoal):
                conditions[id(goal.reach.cond)] = goal.reach.cond
        with suppress(SyntaxError, RecursionError):  # too large to be written out
            rest = self.machine.probe_rest(list(conditions.values()))
            for play in self.plays:
                action = self.system.actions[play.name]
                if rest[1] <= LARGEST_PROBE and any(isinstance(param.type, ir.Number) for param in action.params):
                    with suppress(SyntaxError, RecursionError):
                        aim = _Aim(self.machine, action, rest, self.draw)
                        play.aim = aim if 0 < aim.in_body + aim.at_rest <= LARGEST_PROBE else None

    def _settle_start(self, focus: int) -> bool:
        del self.log[:], self.done[:]
        self.judges.begin()
        self.shown = 0
        happened = self._act(None, (), self.machine.save(), self.limit)
        return happened and not focus & ~(self.judges.live | self.shown)

    # -- steps

    def run(self, steps: int, focus: int = 0) -> None:
        """Plays on until `steps` events were accepted, or too many refused.  An event that would exclude one of the goals in
        `focus` (they share their assumptions), or that meets a defect, is taken back."""
        self.runs += 1
        random, plays, judges = self.random.random, self.plays, self.judges
        many, state = len(plays), self.machine.state
        accepted, tries = 0, steps * TRIES
        while accepted < steps and tries and (judges.live or self.goes_on):
            tries -= 1
            play = plays[int(random() * many)]
            luck = random()
            if luck < ECHOED and self.done:
                play, args = self._echo()
            elif luck > 1 - AIMED and play.aim is not None:
                args = play.aim(state, play.draw(state))
            else:
                args = play.draw(state)
            play.tried += 1
            excluded = 0
            if play.name in judges.assumes_of:
                excluded = judges.excluded(play.name, args)
                if excluded & focus:
                    continue
            if play.quiet and not judges.hears(play.name):
                happened = self._quiet_event(play, args, excluded, focus)
            else:
                happened = self._event(play, args, excluded, focus)
            if happened:
                play.accepted += 1
                accepted += 1
        self.tried += steps * TRIES - tries
        self.accepted += accepted

    def _echo(self) -> tuple[_Play, Args]:
        """Something that happened before, for somebody else: what is alike shows who is treated differently."""
        done = self.done[int(self.random.random() * len(self.done))]
        play = self.by_name[done.action]
        members = [at for at, party in enumerate(play.parties) if party]
        args = list(done.args)
        for at in members:
            if self.random.random() < 0.6:
                args[at] = self.random.choice(self.draw.active[play.parties[at]])
        return play, tuple(args)

    def _quiet_event(self, play: _Play, args: Args, excluded: int, focus: int) -> bool:
        """An event after which nothing happens but a judgement at rest; no if it was refused or taken back."""
        state, judges, at = self.machine.state, self.judges, len(self.log)
        before = state[:]
        try:
            if play.function(state, self.pick, None, None, *args):
                del self.log[at:]
                return False
        except DefectFound as found:
            self.done.append(_Done(play.name, args, at))
            self._defect(found)
            self._take_back(before, at, judges.live)
            return False
        self.done.append(_Done(play.name, args, at))
        live = judges.live
        judges.live = live & ~excluded
        shown = judges.at_rest((), before)
        if shown:
            self._show(shown)
        if focus & live & ~judges.live & ~self.shown:
            self._take_back(before, at, live)
            return False
        return True

    def _event(self, play: _Play, args: Args, excluded: int, focus: int) -> bool:
        """An event that duties or claims listen to; no if it was refused or taken back."""
        judges, at, live = self.judges, len(self.log), self.judges.live
        before = self.machine.save()
        self.excluded = excluded
        self.done.append(_Done(play.name, args, at))
        happened = self._act(play, args, before, self.limit)
        if not happened or focus & live & ~judges.live & ~self.shown:
            self._take_back(before, at, live)
            return False
        return True

    def _take_back(self, before: Cells, at: int, live: int) -> None:
        self.machine.state[:] = before
        self.judges.live = live & ~self.shown
        del self.log[at:]
        self.done.pop()

    def _act(self, play: _Play | None, args: Args, before: Cells, limit: int) -> bool:
        """The body, the settling and the judging (of the start: without a body)."""
        judges, machine, at, excluded, live = self.judges, self.machine, len(self.log), self.excluded, self.judges.live
        machine.on_took = hear = self._hear if judges.assumes_of else None
        took: list[tuple[str, Args]] = []
        try:
            if play is not None:
                took.append((play.name, args))
                if play.function(machine.state, self.pick, took, hear, *args):
                    return False
                judges.live &= ~self.excluded
                if judges.observes:
                    self._show(judges.after_body(play.name))
            settle(machine, {name for name, _ in took}, self.pick, self._observe, limit)
            self._show(judges.at_rest(took, before))
        except DefectFound as found:
            if found.defect is ir.Defect.RESTS and limit < FIRING_LIMIT and not self._rests_known():
                machine.restore(before)
                del self.log[at:]
                self.excluded, judges.live = excluded, live & ~self.shown
                return self._act(play, args, before, FIRING_LIMIT)
            self._defect(found)
            return False
        finally:
            self.excluded = 0
        return True

    def _rests_known(self) -> bool:
        """A settling that never ends was met before, and nobody looks for one any more."""
        return (ir.Defect.RESTS, None) in self.defects and not self.judges.defects.get(ir.Defect.RESTS, 0)

    def _hear(self, action: str, args: Args) -> None:
        if action in self.judges.assumes_of:
            self.excluded |= self.judges.excluded(action, args)

    def _observe(self, duty: ir.Duty, members: Members, before: Cells, firing: Firing) -> None:
        self.firings[duty.name] += 1
        judges = self.judges
        judges.live &= ~self.excluded
        if judges.observes:
            self._show(judges.after_firing(duty.name, members, before))

    def pick(self, choice: Choice) -> int:
        many = len(choice.options)
        picked = int(self.random.random() * many) if many > 1 else 0
        self.log.append((choice, picked))
        return picked

    # -- what was found

    def _show(self, goals: int) -> None:
        if goals:
            self.shown |= goals
            self.on_shown(goals)

    def _defect(self, found: DefectFound) -> None:
        place = None if found.defect is ir.Defect.RESTS else found.span
        self.defects[found.defect, place] = self.defects.get((found.defect, place), 0) + 1
        self._show(self.judges.defects.get(found.defect, 0))

    def plan(self) -> Plan:
        """The run so far."""
        system = self.system
        events: list[Event] = []
        firings: list[tuple[Firing, ...] | None] = []
        starts = [0, *(each.log_at for each in self.done), len(self.log)]
        for at, (first, last) in enumerate(pairwise(starts)):
            giving, fired = _script(self.log[first:last])
            firings.append(fired)
            if at:
                done = self.done[at - 1]
                events.append(Event(done.action, exact_args(system.actions[done.action].params, done.args), giving))
        open_parties = {party.name for party in system.open_parties()}
        sizes = {name: size for name, size in self.machine.sizes.items() if name in open_parties}
        return Plan(sizes, dict(self.fixed), tuple(events), tuple(firings))


def _script(log: Sequence[tuple[Choice, int]]) -> tuple[tuple[Members, ...], tuple[Firing, ...]]:
    """What a log of picks says: who gave in the action's own collects, and the firings that followed."""
    own: list[Members] = []
    firings: list[tuple[str, Members, list[Members]]] = []
    for choice, picked in log:
        if choice.turn:
            firings.append((choice.site, choice.options[picked], []))
        else:
            (firings[-1][2] if firings else own).append(choice.options[picked])
    return tuple(own), tuple(Firing(duty, members, tuple(giving)) for duty, members, giving in firings)


def exact_args(params: Sequence[ir.Argument], args: Args) -> Args:
    return tuple(Fraction(arg) if isinstance(each.type, ir.Number) else arg for each, arg in zip(params, args, strict=True))


# ---------------------------------------------------------------- the two uses


def sizes_for(system: ir.System, members: int | Mapping[str, int]) -> dict[str, int]:
    """How many members each open party has: `members`, but never fewer than the rulebook names."""
    return {
        party.name: max(len(party.named), members if isinstance(members, int) else members.get(party.name, 0))
        for party in system.open_parties()
    }


def explore(
    system: ir.System,
    goals: Sequence[Goal],
    members: int | Mapping[str, int],
    steps: int = 20,
    seed: int = 0,
    runs: int | None = None,
    seconds: float | None = None,
    events: int | None = None,
    hoped: Collection[int] | None = None,
) -> Exploration:
    """Looks for runs of up to `steps` actions that show the goals, until all are found or `runs`, `events` (firings included)
    or `seconds` are spent.  `hoped`: once these are found, a tenth of the events is enough.

    The same seed, `runs` and `events` give the same result."""
    search = _Search(system, goals, members, seed)
    started = time.perf_counter()
    while search.goes_on(runs):
        if seconds is not None and time.perf_counter() - started >= seconds:
            break
        if events is not None and search.events() >= (events if _any_left(hoped, search.plans) else events / 10):
            break
        search.run(steps)
    walk = search.walk
    return Exploration(search.plans, walk.runs, walk.tried, walk.accepted, time.perf_counter() - started)


def _any_left(hoped: Collection[int] | None, plans: Mapping[int, Plan]) -> bool:
    return hoped is None or any(each not in plans for each in hoped)


class _Search:
    """Random runs in turn for each family of goals that share their assumptions; all goals are judged in all of them."""

    def __init__(self, system: ir.System, goals: Sequence[Goal], members: int | Mapping[str, int], seed: int):
        self.walk = Walk(system, sizes_for(system, members), goals, seed)
        self.walk.on_shown = self._found
        self.walk.take_aim()
        self.plans: dict[int, Plan] = {}
        families: dict[tuple[ir.Given, ...], int] = {}
        for at, goal in enumerate(goals):
            families[goal.given] = families.get(goal.given, 0) | 1 << at
        self.families = list(families.values())
        self.failures = dict.fromkeys(self.families, 0)  # starts in vain
        self.starts: dict[int, list[tuple[dict[Cell, Any], Cells]]] = {each: [] for each in self.families}
        self.turn = 0

    def _open(self) -> list[int]:
        return [each for each in self.families if each & self.walk.judges.wanted and self.failures[each] < HOPELESS]

    def goes_on(self, runs: int | None) -> bool:
        return bool(self._open()) and (runs is None or self.walk.runs < runs)

    def events(self) -> int:
        """What was done so far: a start counts as well."""
        return self.walk.tried + sum(self.walk.firings.values()) + self.turn

    def _found(self, goals: int) -> None:
        fresh = goals & self.walk.judges.wanted
        new = [at for at in range(fresh.bit_length()) if fresh >> at & 1 and at not in self.plans]
        if new:
            plan = self.walk.plan()
            self.plans.update((at, plan) for at in new)

    def run(self, steps: int) -> None:
        walk, families = self.walk, self._open()
        family = families[self.turn % len(families)]
        self.turn += 1
        known, focus = self.starts[family], family & walk.judges.wanted
        walk.draw.cast(walk.random)
        if len(known) < FEW_STARTS or walk.random.random() < 1 / FEW_STARTS:
            if not walk.begin(walk.random.random() < 0.7, focus):
                self.failures[family] += not known
                return self._drop_found()
            known.append((walk.fixed, walk.origin))
            del known[:-MANY_STARTS]
        else:
            walk.resume(*known[int(walk.random.random() * len(known))])
        walk.run(steps, focus)
        return self._drop_found()

    def _drop_found(self) -> None:
        found = sum(1 << at for at in self.plans) & self.walk.judges.wanted
        if found:
            self.walk.judges.forget(found)
            if any(defect is ir.Defect.RESTS for defect, _ in self.walk.defects):
                self.walk.limit = SHORT_FIRING_LIMIT


def sample(
    system: ir.System,
    members: int | Mapping[str, int],
    runs: int = 100,
    steps: int = 20,
    seed: int = 0,
    seconds: float | None = None,
) -> Statistics:
    """Plays random runs as an execution would (parameters keep the value the text gives them) and counts what happens."""
    goals: list[Goal] = [*map(ReachGoal, system.reaches.values()), *map(ClaimGoal, system.claims.values())]
    walk = Walk(system, sizes_for(system, members), goals, seed)
    walk.goes_on = True
    counts = [0] * len(goals)
    started = time.perf_counter()
    for _ in range(runs):
        if seconds is not None and time.perf_counter() - started >= seconds:
            break
        if walk.begin(defaults=True):
            walk.run(steps)
        for at in range(len(goals)):
            counts[at] += walk.shown >> at & 1
    many = len(system.reaches)
    return Statistics(
        runs=walk.runs,
        events=walk.tried,
        accepted=walk.accepted,
        firings=sum(walk.firings.values()),
        seconds=time.perf_counter() - started,
        actions={each.name: ActionCount(each.tried, each.accepted) for each in walk.plays},
        duties=dict(walk.firings),
        tiers=walk.machine.fired,
        reached=dict(zip(system.reaches, counts[:many], strict=True)),
        broken=dict(zip(system.claims, counts[many:], strict=True)),
        defects=dict(walk.defects),
    )

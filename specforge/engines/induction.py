"""Proofs for any number of members and any number of steps: what holds at the start and is kept by every transition.

A lemma is something that holds in every state of every run: at the start, after each action's body and after each firing of a
duty.  A claim follows from the lemmas, from "no duty is due" where it is judged at rest, and from what is assumed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

from attrs import evolve, field

from specforge.algebra.classes import NotAdditive, Split
from specforge.algebra.judging import witnesses
from specforge.algebra.obligation import RLIMIT, Hypothesis, Question
from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.engines import lemmas as guesses
from specforge.engines.cases import Book, Case, Extra, all_cases, members_text
from specforge.engines.cores import Asked, core_of
from specforge.engines.defects import Watch
from specforge.engines.idle import Idle, asked_one_by_one, idle_guards
from specforge.engines.lead import lead_of
from specforge.engines.settling import cycle, ring_text, settles
from specforge.engines.transitions import CROWDED, Classes, Scene, begin, in_classes
from specforge.evidence import certificate
from specforge.evidence.certificate import Core, Discharged, Lemma, Need, NotProved, ProofOutcome, Proved, Settling
from specforge.evidence.goal import ClaimGoal, DefectGoal, RuleGoal, action_assumptions, state_assumptions
from specforge.evidence.phrases import Phrases
from specforge.records import define

ENDS = "where settling ends"  # the premise of what is judged at rest, until it is proved
SPLIT_LIMIT = 20  # classes, if they are cut for the sake of what is assumed
FEWER = 0.8  # of the lemmas that cut them into too many: it is tried again with so many left


Provable = ClaimGoal | DefectGoal | RuleGoal
RESTS = DefectGoal(ir.Defect.RESTS)


@define(eq=False)
class Shared:
    """What provers of one system share.  `scenes`: transitions as formulas, or why there are none; `layers`: how many batches
    of guesses there were."""

    names: dict[str, ir.Expr] = field(factory=dict)
    scenes: dict[Any, tuple[Scene, Any] | NotAdditive] = field(factory=dict)
    layers: int = 0
    giving: dict[Case, bool] = field(factory=dict)  # transitions in which somebody of the crowd may give something
    resting: dict[Case, bool] = field(factory=dict)  # transitions that nobody listens to
    cuts: dict[tuple[Case, Extra | None], Classes] = field(factory=dict)  # the classes that a transition asks for; under
    # None, those that mean the same whoever else is named


@define
class Known:
    """What is shown with nothing assumed, and so holds under any assumption."""

    lemmas: dict[str, Lemma] = field(factory=dict)
    done: dict[Need, Discharged] = field(factory=dict)
    shared: Shared = field(factory=Shared)
    one_by_one: Shared = field(init=False)  # for the rulebook in which guards are asked one by one
    settling: Settling | None = None
    dropped: dict[tuple[int, str], int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.one_by_one = Shared(cuts=self.shared.cuts)


def prove(
    system: ir.System,
    goals: Sequence[Provable],
    rlimit: int = RLIMIT,
    seconds: float | None = None,
    known: Known | None = None,
    outcomes: dict[Provable, ProofOutcome] | None = None,
) -> dict[Provable, ProofOutcome]:
    """Each goal, proved or not: claims, that every settling ends (RESTS), that a defect is never met, that a rule never
    happens.  `rlimit`: the solver's work per obligation; `seconds`: when to stop looking for lemmas; `known`: what was shown of
    this system before, and what is shown now; `outcomes`: where to put each as soon as it is known."""
    stop = None if seconds is None else time.perf_counter() + seconds
    book, known = Book.of(system), known or Known()
    groups: dict[tuple[ir.Given, ...], list[Provable]] = {}
    for goal in goals:
        groups.setdefault(goal.given, []).append(goal)
    outcomes = {} if outcomes is None else outcomes
    for given, group in sorted(groups.items(), key=lambda each: len(each[0])):
        claims = [goal for goal in group if isinstance(goal, ClaimGoal)]
        prover = Prover(book, claims, rlimit, stop, dict(known.lemmas), dict(known.done), known.shared, known.settling)
        prover.dropped = {} if given else known.dropped
        prover.run(outcomes)
        if RESTS in group:
            outcomes[RESTS] = prover.rests()
        if not given:
            prover.never([goal for goal in group if isinstance(goal, DefectGoal) and goal != RESTS], outcomes)
            prover.dead([goal for goal in group if isinstance(goal, RuleGoal)], outcomes)
            known.lemmas, known.done, known.settling = prover.lemmas, prover.done, prover.settling
    return outcomes


def idle(system: ir.System, given: tuple[ir.Given, ...], known: Known, rlimit: int = RLIMIT) -> list[Idle]:
    """The guards that never refuse anything, under what is given, by what is known of the system."""
    if not given:
        always = Prover(Book.of(system), [], rlimit // 40, None, known.lemmas, known.done, known.shared)
        always.dropped = known.dropped
        for number, layer in enumerate(guesses.cheap_layers(always.book)):
            always.keep_inductive([each for each in layer if (number, each.name) not in known.dropped], number)
    split = asked_one_by_one(system)
    claim = ir.Claim("", ir.AtRest(), ir.YES, ())
    prover = Prover(Book.of(split), [ClaimGoal(claim, given)], rlimit, None, dict(known.lemmas), {}, known.one_by_one)

    def shown(scene: Scene, at: int, goal: Any) -> bool:
        question = scene.but_for(at, goal)
        if question is None:
            return True
        question.hypotheses = [*question.hypotheses, *prover.lemmas_in(scene)]
        return question.follows_plainly(rlimit // 400)

    def follows(scene: Scene, at: int) -> bool:
        """Nothing else refuses the action in any case, and the guard adds nothing."""
        return shown(scene, at, scene.algebra.conditions[at]) and not shown(scene, at, False)

    found = idle_guards(split, prover.cases, lambda case: prover.scene(case, (), None, None, "plain", False)[0], follows)
    return [evolve(each, given=tuple(assumed.text for assumed in given)) for each in found]


@define(eq=False)
class Prover:
    """Proves goals that share what is given."""

    book: Book
    goals: Sequence[ClaimGoal]
    rlimit: int = RLIMIT
    stop: float | None = None
    lemmas: dict[str, Lemma] = field(factory=dict)  # those not yet dropped
    done: dict[Need, Discharged] = field(factory=dict)
    shared: Shared = field(factory=Shared)
    settling: Settling | None = None
    cases: list[Case] = field(init=False)
    failed: dict[Need, Question | NotAdditive] = field(factory=dict)
    classes: dict[tuple[Case, int], Classes] = field(factory=dict)  # of the latest scene that the lemmas of a layer cut
    crowded: dict[tuple[Case, int], int] = field(factory=dict)  # how many lemmas cut them into too many
    cores: dict[int, Core] = field(factory=dict)
    asked: int = 0
    layer: int = field(init=False)  # a number that no other prover of the system has
    split: dict[Any, tuple[Scene, Any] | NotAdditive] = field(factory=dict)  # scenes of this layer that what is assumed cut
    restless: str | None = None  # why no settling was found, once that is known
    dropped: dict[tuple[int, str], int] = field(factory=dict)  # guesses of a layer that were none, beside so many that were

    def __attrs_post_init__(self) -> None:
        self.cases = all_cases(self.book)
        self._begin_layer()

    def _begin_layer(self) -> None:
        self.shared.layers += 1
        self.layer = self.shared.layers
        self.split.clear()

    # ------------------------------------------------------------ what is given

    @property
    def system(self) -> ir.System:
        return self.book.system

    def _given(self, at_rest: bool) -> list[tuple[str, ir.Expr]]:
        """The assumptions on states that may be used: those that never change anywhere, the others where they are judged."""
        exprs = state_assumptions(self.system, self.goals[0]) if self.goals else []
        names = [f"given: {self._words(cond)}" for cond in exprs]
        return [(name, cond) for name, cond in zip(names, exprs, strict=True) if at_rest or self.book.is_rigid(cond)]

    @property
    def _assumed_of_actions(self) -> tuple[ir.Given, ...]:
        given = self.goals[0].given if self.goals else ()
        return tuple(each for each in given if each.assumption and self.system.assumptions[each.assumption].action)

    def _words(self, cond: ir.Expr) -> str:
        for each in self.goals[0].given:
            if each.cond is cond:
                return each.text
            if each.assumption is not None and self.system.assumptions[each.assumption].cond is cond:
                return each.assumption
        return "?"

    # ------------------------------------------------------------ scenes

    def scene(
        self, case: Case, extra: Extra, show: ir.Expr | None, env: Mapping[str, str] | None, way: str, judged: bool
    ) -> tuple[Scene, Any]:
        """The transition, with `extra` members that stand for any, in classes that can answer `show`; and what to show."""
        splitting = way == "split"
        key = (case, extra, show, tuple((env or {}).items()), way, judged and splitting, self._assumed_of_actions)
        scenes = self.split if splitting else self.shared.scenes
        if key not in scenes:
            try:
                scenes[key] = self._build(case, extra, show, env, way, judged)
            except NotAdditive as reason:
                scenes[key] = reason.with_traceback(None)  # else it would keep everything alive that was half built
        found = scenes[key]
        if isinstance(found, NotAdditive):
            raise NotAdditive(found.reason, found.span)
        return found

    def _build(
        self, case: Case, extra: Extra, show: ir.Expr | None, env: Mapping[str, str] | None, way: str, judged: bool
    ) -> tuple[Scene, Any]:
        actions = action_assumptions(self.system, self.goals[0]) if self.goals else {}
        parties = [party.name for party in self.system.open_parties()]
        alike = (case, self.layer)
        saying = False

        def build(crowd: Classes) -> tuple[Scene, Any]:
            nonlocal saying
            saying = False
            made = begin(self.book, case, dict(extra), crowd, actions, way == "coarse", way == "split")
            names = {mine: made.env[theirs] for mine, theirs in (env or {}).items()}
            goal = made.show(show, names) if show is not None else True
            if way == "split":
                saying = made.evaluator.splitting = True
                self._assume_all(made, list(self.lemmas.values()))
                for name, cond in self._given(at_rest=True) if judged or self._comes_to_rest(case) else ():
                    self._says(made, name, cond, "after")
                made.evaluator.splitting = False
            return made, goal

        asked_for = self.shared.cuts.get((case, extra)) or self.shared.cuts.get((case, None))
        if way != "split":
            made = in_classes(build, parties, seed=asked_for)
            if show is None:
                crowd: Classes = made[0].algebra.crowd
                lasting = all(each.is_lasting for classes in crowd.values() for each in classes)
                self.shared.cuts |= {(case, extra): crowd} | ({(case, None): crowd} if lasting else {})
            return made
        if alike in self.crowded and len(self.lemmas) > self.crowded[alike] * FEWER:
            raise NotAdditive(CROWDED)
        try:
            made = in_classes(build, parties, SPLIT_LIMIT, self.classes.pop(alike, None) or asked_for)
        except NotAdditive:
            if saying:
                self.crowded[alike] = len(self.lemmas)
            raise
        self.classes[alike] = made[0].algebra.crowd
        return made

    def _assume_all(self, scene: Scene, lemmas: Iterable[Lemma]) -> list[Hypothesis]:
        said = [(lemma.name, lemma.expr) for lemma in lemmas]
        kind = scene.case.kind
        if kind in ("rest", "action"):
            facts = [(f"rest: {duty.name}", self.book.rest_fact(duty)) for duty in self.system.duties.values()]
            said += [(name, fact) for name, fact in facts if fact is not None]
        said += self._given(at_rest=kind in ("rest", "action"))
        return [each for name, expr in said for each in self._says(scene, name, expr, "before")]

    def _says(self, scene: Scene, source: str, expr: ir.Expr, when: str) -> list[Hypothesis]:
        key = (source, when)
        if key not in scene.said:
            kept, scene.hypotheses = scene.hypotheses, []
            state = scene.before if when == "before" else scene.algebra.state
            try:
                scene.assume(source, expr, state)
            finally:
                found, scene.hypotheses = scene.hypotheses, kept
            scene.said[key] = found
        return scene.said[key]

    # ------------------------------------------------------------ obligations

    def ask(
        self,
        need: Need,
        case: Case,
        extra: Extra,
        show: ir.Expr,
        env: Mapping[str, str] | None = None,
        judged: bool = False,
        thorough: bool = True,
        rlimit: int | None = None,
    ) -> bool:
        """Discharges one obligation, if it can be: first without cutting classes for the sake of what is assumed, then with."""
        self.asked += 1
        self.failed.pop(need, None)
        for way in self.ways(case) if thorough else self.ways(case)[:-1]:
            try:
                scene, goal = self._scene_showing(case, extra, show, env, way, judged)
            except NotAdditive as reason:
                self.failed.setdefault(need, reason)
                continue
            again = partial(core_of, self, Asked(case, extra, show, dict(env or {}), way, judged))
            if scene.impossible or goal is True:
                found = certificate.discharge(need, None, self.rlimit)
                self.done[need] = evolve(found, core=partial(again, None))  # type: ignore[type-var]
                return True
            if not judged and scene.is_broken(goal, self.layer):
                continue
            question = self.question(scene, goal, judged)
            found = certificate.discharge(need, question, rlimit or self.rlimit)
            if found is not None:
                self.done[need] = evolve(found, core=partial(again, question))
                self.failed.pop(need, None)
                return True
            self.failed[need] = question
            if not judged and question.counterexample is not None:
                scene.remember(question.counterexample, self.layer)
        return False

    def question(self, scene: Scene, goal: Any, judged: bool, lemmas: Mapping[str, Lemma] | None = None) -> Question:
        """What is asked of a solver: with all lemmas (or those of `lemmas`), what is given, and what "at rest" means."""
        question, case = scene.question(goal), scene.case
        if case.kind == "start":
            quiet = all(duty.after for duty in self.system.duties.values())  # else duties may act before it is judged
            for name, cond in self._given(at_rest=quiet):
                question.hypotheses += self._says(scene, name, cond, "before")  # type: ignore[operator]
        else:
            known = self.lemmas if lemmas is None else lemmas
            question.hypotheses = [*question.hypotheses, *self._assume_all(scene, known.values())]
        if judged or self._comes_to_rest(case):
            for name, cond in self._given(at_rest=True):
                question.hypotheses += self._says(scene, name, cond, "after")  # type: ignore[operator]
        return question

    def _comes_to_rest(self, case: Case) -> bool:
        """No duty listens: the state after the action is at rest, and what is assumed is judged there."""
        if case.kind != "action" or case.then:
            return bool(case.then)
        resting = self.shared.resting
        if case not in resting:
            resting[case] = not self.book.listening({case.rule} | called(self.system.actions[case.rule].body))
        return resting[case]

    def ways(self, case: Case) -> list[str]:
        """"coarse" forgets of the crowd who counts in a tier, "plain" not, "split" cuts classes for what is assumed too."""
        return ["coarse", "plain", "split"] if self._shares(case) else ["plain", "split"]

    def lemmas_in(self, scene: Scene) -> list[Hypothesis]:
        """What all lemmas, and what is given, say of the state before."""
        return self._assume_all(scene, self.lemmas.values())

    def _shares(self, case: Case) -> bool:
        """Somebody of the crowd may give something."""
        giving = self.shared.giving
        if case not in giving:
            rules = [self.system.actions.get(case.rule) or self.system.duties.get(case.rule), self.system.duties.get(case.then)]
            nodes = (node for rule in rules if rule is not None for node in ir.walk(rule.body))
            giving[case] = any(isinstance(node, ir.Tier) and node.party is not None for node in nodes)
        return giving[case]

    def _scene_showing(
        self, case: Case, extra: Extra, show: ir.Expr, env: Mapping[str, str] | None, way: str, judged: bool
    ) -> tuple[Scene, Any]:
        """`way`: "coarse" forgets of the crowd who counts in a tier; "plain" does not; "split" also cuts classes for the sake
        of what is assumed."""
        if way != "split":
            scene, _ = self.scene(case, extra, None, None, way, judged)
            try:
                names = {mine: scene.env[theirs] for mine, theirs in (env or {}).items()}
                return scene, scene.show(show, names)
            except Split:
                pass
        return self.scene(case, extra, show, env, way, judged)

    def extras(self, expr: ir.Expr) -> Iterator[Extra]:
        """How many further members stand for any: none up to as many as there are quantifiers."""
        most = {p: n for p, n in witnesses(expr).items() if self.system.parties[p].members is None}
        for counts in product(*(range(n + 1) for n in most.values())):
            yield tuple(zip(most, counts, strict=True))

    def lemma_needs(self, lemma: Lemma) -> list[tuple[Need, Case, Extra]]:
        """Everything that makes it a lemma: the start, and every transition."""
        return [
            (Need(lemma.name, case.text(), members_text(extra)), case, extra)
            for case in self.cases
            if case.kind != "rest"
            for extra in self.extras(lemma.expr)
        ]

    def claim_needs(self, goal: ClaimGoal) -> list[tuple[Need, Case, Extra, dict[str, str]]]:
        """Where the claim is judged.  Raises NotAdditive where this prover cannot say it."""
        claim, moment = goal.claim, goal.claim.moment
        env: dict[str, str] = {}
        match moment:
            case ir.AtRest():
                cases = [case for case in self.cases if case.kind == "rest"]
            case ir.EveryStep():
                cases = [case for case in self.cases if case.kind != "start"]
            case ir.After(name, params, True):
                cases = [case for case in self.cases if case.kind == "duty" and case.rule == name]
                env = dict(zip(params, (p.name for p in self.system.duties[name].params), strict=False))
            case ir.After(name, params, _):
                cases = self._after_action(claim, name)
                if not cases:
                    raise NotAdditive(f"`{name}` is never taken", claim.span)
                if cases[0].kind == "action":
                    env = dict(zip(params, (p.name for p in self.system.actions[name].params), strict=False))
        judged = product(cases, list(self.extras(claim.cond)))
        return [(Need("", case.text(), members_text(extra)), case, extra, env) for case, extra in judged]

    def _after_action(self, claim: ir.Claim, name: str) -> list[Case]:
        taking = [action for action in self.system.actions.values() if action.name == name or name in called(action.body)]
        if any(name in called(duty.body) for duty in self.system.duties.values()):
            raise NotAdditive(f"`{name}` is also called by a duty", claim.span)
        took = {action.name for action in taking} | {other for action in taking for other in called(action.body)}
        if not self.book.listening(took):
            if any(action.name != name for action in taking if action.open):
                raise NotAdditive(f"`{name}` is also called by other actions", claim.span)
            return [case for case in self.cases if case.kind == "action" and case.rule == name]
        listening = self.book.listening(took)
        alone = not any(action.name != name for action in taking if action.open)
        once = len(listening) == 1 and listening[0].once and not listening[0].params and not called(listening[0].body)
        if once and alone:
            return [
                evolve(case, then=listening[0].name) for case in self.cases if case.kind == "action" and case.rule == name
            ]
        params = {each for each in (claim.moment.params if isinstance(claim.moment, ir.After) else ())}
        if any(isinstance(node, ir.Old) or (isinstance(node, ir.Var) and node.name in params) for node in ir.walk(claim.cond)):
            raise NotAdditive("duties may act between the action and the moment the claim is judged", claim.span)
        return [case for case in self.cases if case.kind == "rest"]

    # ------------------------------------------------------------ the search

    def run(self, outcomes: dict[Provable, ProofOutcome]) -> None:
        started = time.perf_counter()
        open_ = list(self.goals)
        for number, layer in enumerate(guesses.layers(self.book, open_, self._given(at_rest=True))):
            if self._learns(layer, number):
                for goal in list(open_):
                    outcome = self.judge(goal, time.perf_counter() - started)
                    outcomes[goal] = outcome
                    if isinstance(outcome, certificate.Proved):
                        open_.remove(goal)
            if not open_ or (self.stop is not None and time.perf_counter() > self.stop):
                break
        for goal in self.goals:
            outcome = outcomes.get(goal)
            if isinstance(outcome, Proved) and outcome.premises == (ENDS,) and self.settles():
                outcomes[goal] = self._with_settling(goal, outcome)

    def _learns(self, layer: Iterable[Lemma], number: int) -> bool:
        """Is there more to prove with than before this layer?"""
        before = set(self.lemmas)
        self.keep_inductive(layer, number)
        return number == 0 or before != set(self.lemmas)

    def keep_inductive(self, candidates: Iterable[Lemma], layer: int = 0) -> None:
        """Adds those candidates that hold at the start and are kept by every transition, given all that remain (Houdini)."""
        self._begin_layer()
        kept = len(self.lemmas)
        for lemma in candidates:
            # INVARIANT: one name, one meaning, for as long as anything proved under that name is remembered.
            same = self.shared.names.setdefault(lemma.name, lemma.expr) == lemma.expr
            if same and self.dropped.get((layer, lemma.name)) != kept:
                self.lemmas.setdefault(lemma.name, lemma)
        lost: list[Lemma] = []
        while dropped := [lemma for lemma in list(self.lemmas.values()) if not self._kept(lemma)]:
            lost += dropped
        self.dropped |= {(layer, lemma.name): len(self.lemmas) for lemma in lost}

    def _kept(self, lemma: Lemma) -> bool:
        for need, case, extra in self.lemma_needs(lemma):
            proof = self.done.get(need)
            if proof is not None and all(source in self.lemmas or not _is_lemma(source) for source in proof.uses):
                continue
            if not self.ask(
                need,
                case,
                extra,
                lemma.expr,
                thorough=lemma.why in ("claim", "phase", "weakest condition"),
                rlimit=self.rlimit if lemma.why in ("claim", "weakest condition", "line") else self.rlimit // 8,
            ):
                del self.lemmas[lemma.name]
                return False
        return True

    def judge(self, goal: ClaimGoal, seconds: float) -> ProofOutcome:
        try:
            needs = self.claim_needs(goal)
        except NotAdditive as reason:
            lead = partial(lead_of, self, goal, reason.reason, reason.span)
            return NotProved(reason.reason, reason.span, seconds=seconds, lead=lead)
        for need, _, _, _ in needs:  # another goal's obligations have the same names
            self.done.pop(need, None)
        for need, case, extra, env in needs:
            if isinstance(goal.claim.moment, ir.After) and not goal.claim.moment.duty and case.kind == "rest":
                show: ir.Expr = ir.Op(ir.Operator.OR, (ir.Op(ir.Operator.NOT, (_by(goal.claim.moment.name),)), goal.claim.cond))
            else:
                show = goal.claim.cond
            if not self.ask(need, case, extra, show, env, judged=True):
                found = self._why_not(need, seconds)
                where = found.span if isinstance(found.span, Span) else NOWHERE
                return evolve(found, lead=partial(lead_of, self, goal, found.reason, where))
        return self._put_together(goal.name, [need for need, *_ in needs], self._premises(goal), seconds)

    def _put_together(
        self,
        name: str,
        needs: Sequence[Need],
        premises: tuple[str, ...],
        seconds: float,
        settling: Settling | None = None,
        known: Mapping[Need, Discharged] | None = None,
    ) -> Proved:
        of_lemma = {lemma.name: [need for need, *_ in self.lemma_needs(lemma)] for lemma in self.lemmas.values()}
        done = {**self.done, **(known or {})}
        say = Phrases(self.system).text
        return certificate.prove(name, needs, of_lemma, dict(self.lemmas), done, premises, seconds, say, settling)

    # ------------------------------------------------------------ that settling ends

    def settles(self) -> bool:
        """Every settling ends: by measures that are found."""
        if self.settling is None and self.restless is None:
            self.settling, left = settles(self.book, self._shown_after)
            if self.settling is None:
                self.restless = ring_text(cycle(left, self._shown_after))
        return self.settling is not None

    def rests(self) -> ProofOutcome:
        started = time.perf_counter()
        if not self.settles() or self.settling is None:
            return NotProved(self.restless or "", seconds=time.perf_counter() - started)
        return self._put_together("rests", self.settling_needs(self.settling), (), time.perf_counter() - started, self.settling)

    # ------------------------------------------------------------ that a rule never happens

    def dead(self, goals: Sequence[RuleGoal], outcomes: dict[Provable, ProofOutcome]) -> None:
        """That these actions and duties cannot happen: no state in which the lemmas hold lets them."""
        started, open_ = time.perf_counter(), list(goals)
        for number, layer in enumerate(guesses.layers(self.book, [], [])):
            if not open_ or (self.stop is not None and time.perf_counter() > self.stop):
                return
            self.keep_inductive([*layer, *guesses.never(self.book, [goal.rule for goal in open_])], number)
            for goal in list(open_):
                cases = [case for case in self.cases if case.kind in ("action", "duty") and case.rule == goal.rule]
                needs = [Need(f"`{goal.rule}` never happens", case.text()) for case in cases]
                asked = zip(needs, cases, strict=True)
                seconds = time.perf_counter() - started
                if all(self.ask(need, case, (), ir.NO, rlimit=self.rlimit // 8) for need, case in asked):
                    outcomes[goal] = self._put_together(goal.name, needs, (), seconds)
                    open_.remove(goal)
                else:
                    outcomes[goal] = NotProved("nothing was found that keeps it from happening", seconds=seconds)

    # ------------------------------------------------------------ that nothing goes wrong

    def never(self, goals: Sequence[DefectGoal], outcomes: dict[Provable, ProofOutcome]) -> None:
        """That these defects are never met, wherever it can be shown."""
        if not goals:
            return
        started, watch = time.perf_counter(), Watch(self)
        for number, layer in enumerate(guesses.cheap_layers(self.book)):
            if not self._learns(layer, number):
                continue
            watch.look()
            for goal in goals:
                found, seconds = watch.obstacle(goal.defect), time.perf_counter() - started
                if found is not None:
                    outcomes[goal] = NotProved(found.text(), found.span, found.step, seconds=seconds)
                elif not isinstance(outcomes.get(goal), Proved):
                    outcomes[goal] = self._put_together(goal.name, watch.shown.get(goal.defect, ()), (), seconds)
            if all(isinstance(outcomes[goal], Proved) for goal in goals):
                return
            if self.stop is not None and time.perf_counter() > self.stop:
                return

    def _with_settling(self, goal: ClaimGoal, proof: Proved) -> Proved:
        assert self.settling is not None
        known = {each.need: each for each in proof.certificate.obligations}
        needs = [need for need in known if not need.shows]
        needs += self.settling_needs(self.settling)
        return self._put_together(goal.name, needs, (), proof.seconds, self.settling, known)

    def _shown_after(self, name: str, duty: ir.Duty, show: ir.Expr, thorough: bool) -> bool:
        env = {param.name: param.name for param in duty.params}
        needs = self._after(name, duty.name, show)
        work = self.rlimit // 8
        return all(self.ask(need, case, extra, show, env, thorough=thorough, rlimit=work) for need, case, extra in needs)

    def _after(self, shows: str, duty: str, show: ir.Expr) -> list[tuple[Need, Case, Extra]]:
        cases = [case for case in self.cases if case.kind == "duty" and case.rule == duty]
        return [(Need(shows, case.text(), members_text(extra)), case, extra) for case in cases for extra in self.extras(show)]

    def settling_needs(self, settling: Settling) -> list[Need]:
        """Everything that makes the measures ones: none rises when a duty acts that is left, and it falls when it should."""
        needs: list[Need] = []
        left = [duty.name for duty in self.system.duties.values() if not duty.once]
        for measure in settling.measures:
            for duty in left:
                needs += [need for need, *_ in self._after(measure.name, duty, measure.rises_not)]
            for duty in measure.falls:
                needs += [need for need, *_ in self._after(measure.shows_fall, duty, measure.falling[duty])]
            left = [duty for duty in left if duty not in measure.falls]
        return needs

    def _premises(self, goal: ClaimGoal) -> tuple[str, ...]:
        moment = goal.claim.moment
        at_rest = not (isinstance(moment, ir.After) and moment.duty)
        return (ENDS,) if at_rest and self.system.duties else ()

    def _why_not(self, need: Need, seconds: float) -> NotProved:
        found = self.failed.get(need)
        if isinstance(found, NotAdditive):
            return NotProved(found.reason, found.span if found.span is not NOWHERE else None, need.text(), seconds=seconds)
        if found is None:
            return NotProved("not tried", step=need.text(), seconds=seconds)
        how = "the solver gave up" if found.answer == "gave up" else "the induction does not go through"
        state = tuple((name, str(value)) for name, value in sorted(found.model.items()) if "!" not in name)
        return NotProved(how, None, need.text(), state, seconds)


def _by(action: str) -> ir.Expr:
    return ir.Read(f"by:{action}", ir.Lit(ir.Member(ir.RULES, 0)))


def _is_lemma(source: str) -> bool:
    return not source.startswith(certificate.GIVEN)


def called(block: ir.Block) -> set[str]:
    return {node.action for node in ir.walk(block) if isinstance(node, ir.Took)}

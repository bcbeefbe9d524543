"""One step of a proof as a text that any solver reads: the facts that the step rests on, where each comes from, and the
opposite of what is to be shown.  A solver that answers "unsat" to it confirms the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import z3

from specforge.algebra.obligation import RLIMIT, Question, mentions_crowd
from specforge.algebra.second import Z3_SECONDS, ask_z3
from specforge.algebra.solver import asked, due_in
from specforge.algebra.symbolic import as_term, negate
from specforge.records import frozen

STATE = "the state, its declared bounds, and what happens"
STAGES = (STATE, "how a collect is shared out", "how many there are of each kind of member")
GOAL = "what is to be shown, denied"


class NotConfirmed(Exception):
    """A solver that is given nothing but the text does not come to the same answer."""


@frozen
class Written:
    """`uses`: the lemmas, rest facts and assumptions that the text contains; `logic`: its kind of arithmetic."""

    text: str
    logic: str
    uses: frozenset[str]


@frozen(eq=False)
class _Fact:
    term: Any
    why: str  # the heading it stands under
    source: str = ""
    sentence: Any = None  # of the rulebook


def is_plain(question: Question | None) -> bool:
    """Nothing was left to ask a solver."""
    return question is None or question.goal is True


def written(question: Question, heading: Sequence[str], say: Callable[[str], str]) -> Written:
    """The text, with `heading` above it as comments: first with no more than the proof needs, and if a fresh solver does not
    follow that, with everything known.  `say`: where a fact comes from, in words.  Raises NotConfirmed."""
    everything = _facts(question)
    least = _needed(everything)
    for facts in (least, everything) if len(least) < len(everything) else (everything,):
        done = _text(facts, heading, say)
        with due_in(Z3_SECONDS):
            confirmed = ask_z3(done.text, 40 * RLIMIT) == "unsat"
        if confirmed:
            return done
    raise NotConfirmed(heading[0])


def core(question: Question) -> tuple[set[Any], set[str]]:
    """The sentences of the rulebook, and the lemmas, rest facts and assumptions, that a proof needs: an unsatisfiable core of
    the facts, each tracked, made as small as the solver makes it."""
    needed = _needed(_facts(question))
    return {each.sentence for each in needed if each.sentence is not None}, {each.source for each in needed if each.source}


def _facts(question: Question) -> list[_Fact]:
    """Each fact once, conjunctions taken apart; the goal last."""
    found: list[_Fact] = []
    for stage in range(question.stage + 1):
        said = question.sentences[stage] or [None] * len(question.facts[stage])
        for each, sentence in zip(question.facts[stage], said, strict=True):
            found += [_Fact(term, STAGES[stage], sentence=sentence) for term in _parts(as_term(each))]
    for each in question.hypotheses:
        if each.stage <= question.stage and each.source in question.used:
            found += [_Fact(term, each.source, each.source) for term in _parts(as_term(each.formula))]
    found += [_Fact(term, GOAL) for term in _parts(as_term(negate(question.goal)))]
    once: dict[int, _Fact] = {}
    seen: dict[int, bool] = {}
    if question.only_named:  # the proof did without the crowd
        found = [each for each in found if each.why == GOAL or not mentions_crowd(each.term, seen)]
    for each in found:
        once.setdefault(each.term.get_id(), each)
    return list(once.values())


def _parts(term: Any) -> Iterator[Any]:
    if z3.is_and(term):
        for each in term.children():
            yield from _parts(each)
    elif not z3.is_true(term):
        yield term


def _needed(facts: list[_Fact]) -> list[_Fact]:
    """Those of them that a proof needs; all, if the solver cannot say."""
    fewer = _core(facts, z3.SimpleSolver(), RLIMIT // 40)
    if fewer is not None:
        return _core(fewer, z3.SimpleSolver(), RLIMIT // 8, minimal=True) or fewer
    return _one_by_one(_core(facts, _strong(), RLIMIT) or facts)


def _one_by_one(facts: list[_Fact]) -> list[_Fact]:
    """Leaves out whatever can be left out, for the procedure that does not do so itself."""
    for each in list(facts):
        rest = [other for other in facts if other is not each]
        if len(rest) < len(facts):
            facts = _core(rest, _strong(), RLIMIT // 40, seconds=2) or facts
    return facts


def _strong() -> Any:
    return z3.Tactic("qfnra-nlsat").solver()


def _core(facts: list[_Fact], solver: Any, rlimit: int, minimal: bool = False, seconds: int = 20) -> list[_Fact] | None:
    solver.set("unsat_core", True)
    if minimal:
        solver.set("core.minimize", True)
    for at, each in enumerate(facts):
        solver.assert_and_track(each.term, f"fact {at}")
    if asked(solver, rlimit, seconds * 1000) != "unsat":  # the time is a last resort: the work is bounded first
        return None
    core = {each.decl().name() for each in solver.unsat_core()}
    return [each for at, each in enumerate(facts) if f"fact {at}" in core]


def _text(facts: Sequence[_Fact], heading: Sequence[str], say: Callable[[str], str]) -> Written:
    unknowns: dict[str, str] = {}
    kinds: set[str] = set()
    for each in facts:
        _look(each.term, unknowns, kinds)
    logic = f"QF_{'N' if 'products' in kinds else 'L'}{'IRA' if 'rounding' in kinds else 'RA'}"
    lines = [f"; {comment(each)}" for each in heading]
    lines += ["(set-info :smt-lib-version 2.6)", f"(set-logic {logic})"]
    lines += [unknowns[name] for name in sorted(unknowns)]
    headings = list(dict.fromkeys(each.why for each in facts))
    headings.sort(key=lambda why: 0 if why in STAGES else 2 if why == GOAL else 1)
    for why in headings:
        lines.append(f"; {comment(why if why in STAGES or why == GOAL else say(why))}")
        lines += [f"(assert {each.term.sexpr()})" for each in facts if each.why == why]
    uses = frozenset(each.source for each in facts if each.source)
    return Written("\n".join([*lines, "(check-sat)"]) + "\n", logic, uses)


def comment(text: str) -> str:
    """As it may stand in a comment: one line of printable ASCII; anything else is written `\\u{…}`."""
    return "".join(each if " " <= each <= "~" else f"\\u{{{ord(each):x}}}" for each in text)


def _look(term: Any, unknowns: dict[str, str], kinds: set[str]) -> None:
    """Collects the declarations of unknowns, and what kind of arithmetic there is."""
    seen: set[int] = set()
    waiting = [term]
    while waiting:
        each = waiting.pop()
        if each.get_id() in seen:
            continue
        seen.add(each.get_id())
        if z3.is_const(each) and each.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            declared = each.decl().sexpr()
            # INVARIANT: one name is one unknown, and none is a name that the printer makes up for shared parts.
            same = unknowns.setdefault(str(each.decl().name()), declared) == declared
            assert same and not declared.startswith("(declare-fun a!")
        elif z3.is_mul(each) and sum(not _is_number(part) for part in each.children()) > 1:
            kinds.add("products")
        elif z3.is_to_int(each) or z3.is_int(each):
            kinds.add("rounding")
        waiting.extend(each.children())


def _is_number(term: Any) -> bool:
    if z3.is_app_of(term, z3.Z3_OP_UMINUS):
        return _is_number(term.arg(0))
    return z3.is_rational_value(term) or z3.is_int_value(term)

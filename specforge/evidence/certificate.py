"""What stands behind the word "proved": an invariant, every obligation that makes it one, and a solver's "no" to each.

This is the only maker of a `Proved`: each obligation is put to the solver here, and a proof is handed out only when every
obligation that its shape requires has been discharged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from attrs import evolve, field

from specforge.algebra.jointly import Together
from specforge.algebra.obligation import STAGES, Question, recheck
from specforge.core import ir
from specforge.evidence.lead import Lead
from specforge.evidence.sentences import Key
from specforge.records import frozen

GIVEN = ("rest: ", "given: ", "assumption: ")  # sources that are no lemmas: what "at rest" means, and what is assumed


@frozen
class Lemma:
    """Something that holds in every state of every run: `text` in the rulebook's own words, `why`: the kind of guess it was."""

    name: str
    expr: ir.Expr = field(eq=False, repr=False)
    text: str = field(default="", eq=False)
    why: str = field(default="", eq=False)


@frozen
class Measure:
    """Something that is counted: no duty that is still to be reckoned with lets it rise (`rises_not`, judged after each acting
    of such a duty), and whenever one of `falls` acts, it falls."""

    name: str
    text: str
    falls: tuple[str, ...]
    rises_not: ir.Expr = field(eq=False, repr=False)
    falling: Mapping[str, ir.Expr] = field(eq=False, repr=False)

    @property
    def shows_fall(self) -> str:
        """The name of what is to be shown of those in `falls`."""
        return f"{self.name} falls"


@frozen
class Settling:
    """Why every settling ends: the duties that a measure makes fall are left out of the next one's, until none is left."""

    measures: tuple[Measure, ...] = ()


@frozen
class Need:
    """One obligation by name: what is to be shown (`shows`: the name of a lemma or a measure, or "" for the claim) and of which
    transition."""

    shows: str
    case: str
    members: str = ""  # how many further members stand for any

    def text(self) -> str:
        return f"{self.shows or 'the claim'} @ {self.case}{' + ' + self.members if self.members else ''}"


@frozen
class Core:
    """What a proof needs of a rulebook: `sentences` (as evidence/sentences.py names them), and what is assumed, in words."""

    sentences: frozenset[Key] = frozenset()
    assumed: frozenset[str] = frozenset()

    def with_(self, other: Core) -> Core:
        return Core(self.sentences | other.sentences, self.assumed | other.assumed)


@frozen
class Discharged:
    """An obligation that a solver has discharged.  Made by `discharge` only."""

    need: Need
    uses: frozenset[str]
    stage: int
    seconds: float = field(eq=False)
    _question: Question | Together | None = field(eq=False, repr=False, default=None)
    why: str = field(eq=False, default="")  # nothing was left to ask
    core: Callable[[], Core] | None = field(eq=False, repr=False, default=None)  # what of the rulebook it needs

    @property
    def question(self) -> Question | Together | None:
        """What the solver was asked; None if nothing was left to ask."""
        return self._question

    def smtlib(self) -> str:
        return self._question.smtlib() if self._question is not None else "(assert false)\n(check-sat)\n"


class Incomplete(Exception):
    """An obligation that the proof requires has not been discharged."""


def discharge(need: Need, question: Question | Together | None, rlimit: int, why: str = "") -> Discharged | None:
    """Puts the question to the solver.  None for `question`: the transition cannot happen, or the goal is plainly true;
    `why` says which."""
    if question is None:
        return Discharged(need, frozenset(), 0, 0.0, why=why)
    if question.ask(rlimit) != "proved":
        return None
    return Discharged(need, question.used, question.stage, question.seconds, question)


@frozen
class Certificate:
    """`lemmas`: the invariant; `obligations`: all of them; `premises`: what the claim is proved under, in words; `settling`:
    why every settling ends, where the claim rests on it."""

    claim: str
    lemmas: tuple[Lemma, ...]
    obligations: tuple[Discharged, ...]
    premises: tuple[str, ...]
    settling: Settling | None = None

    def texts(self) -> dict[str, str]:
        """The obligations as SMT-LIB, by file name."""
        result = {}
        for at, each in enumerate(self.obligations):
            uses = ", ".join(sorted(each.uses)) or "nothing"
            result[f"{at:03d}.smt2"] = f"; {each.need.text()}\n; uses: {uses}\n{each.smtlib()}"
        return result

    def digest(self) -> str:
        return hashlib.sha256("\n".join(f"{k}\n{v}" for k, v in sorted(self.texts().items())).encode()).hexdigest()

    def recheck(self) -> list[str]:
        """The obligations that a fresh solver, given only the texts, does not confirm."""
        return [name for name, text in self.texts().items() if not recheck(text)]


@frozen
class Proved:
    """For any number of members, any number of steps, and every value of the parameters.  `stage`: how much of the sharing
    rules the proof needed."""

    certificate: Certificate
    seconds: float = field(eq=False)

    @property
    def lemmas(self) -> tuple[str, ...]:
        return tuple(each.text or each.name for each in self.certificate.lemmas)

    @property
    def premises(self) -> tuple[str, ...]:
        return self.certificate.premises

    @property
    def stage(self) -> str:
        return STAGES[max((each.stage for each in self.certificate.obligations), default=0)]


@frozen
class NotProved:
    """`reason`: one sentence.  `span`: the sentence of the rulebook that stood in the way.  `step`: the transition at which the
    induction fails, with the values of a state that may not be reachable; `lead`: looks for such a step in small."""

    reason: str
    span: object | None = field(default=None, eq=False)
    step: str = ""
    state: tuple[tuple[str, str], ...] = ()
    seconds: float = field(default=0.0, eq=False)
    lead: Callable[[], Lead] | None = field(default=None, eq=False, repr=False)


ProofOutcome = Proved | NotProved


def prove(
    claim: str,
    needs: Iterable[Need],
    of_lemma: dict[str, list[Need]],
    lemmas: dict[str, Lemma],
    done: dict[Need, Discharged],
    premises: tuple[str, ...],
    seconds: float,
    say: Callable[[ir.Expr], str],
    settling: Settling | None = None,
) -> Proved:
    """Puts a proof together.  `needs`: the claim's own obligations, and those of `settling`; `of_lemma`: those of each lemma;
    `say`: a lemma in the rulebook's words ("": it has its own).

    INVARIANT: every lemma that a used obligation uses has all of its own obligations discharged, by lemmas of the same set."""
    open_: list[str] = []
    chosen: dict[str, Lemma] = {}
    obligations: dict[Need, Discharged] = {}

    def take(need: Need) -> None:
        if need in obligations:
            return
        if need not in done or done[need].need != need:
            raise Incomplete(need.text())
        obligations[need] = done[need]
        for source in done[need].uses:
            if not source.startswith(GIVEN):
                if source not in lemmas:
                    raise Incomplete(f"{need.text()} uses `{source}`, which is not kept")
                open_.append(source)

    for need in needs:
        take(need)
    while open_:
        name = open_.pop()
        if name not in chosen:
            chosen[name] = evolve(lemmas[name], text=say(lemmas[name].expr) or lemmas[name].text)
            for need in of_lemma[name]:
                take(need)
    return Proved(Certificate(claim, tuple(chosen.values()), tuple(obligations.values()), premises, settling), seconds)

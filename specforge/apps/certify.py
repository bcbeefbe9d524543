"""`specforge certify`: writes every proof down, so that who does not trust this tool can check it with another solver."""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field

from specforge.algebra.judging import witnesses
from specforge.algebra.solver import set_seed
from specforge.algebra.written import NotConfirmed, is_plain, written
from specforge.apps import rulebooks
from specforge.apps.check import cores
from specforge.apps.errors import UsageError, closest
from specforge.apps.problems import print_diagnostics
from specforge.apps.progress import Progress
from specforge.apps.terminal import layout_for
from specforge.apps.tool import hashed, tool
from specforge.core import ir
from specforge.elaborate import load
from specforge.engines import workers
from specforge.engines.cases import Book, all_cases
from specforge.engines.deadline import Clock
from specforge.engines.defects import at_once, places_of, spot
from specforge.engines.portfolio import Agenda, News
from specforge.engines.tables import tables_kept
from specforge.engines.workers import Worker
from specforge.evidence.certificate import Proved
from specforge.evidence.files import INDEX, SCHEMA, Certificate, about, called, gaps, may_write, sha256, words, write
from specforge.evidence.goal import ClaimGoal, DefectGoal, ReachGoal, RuleGoal
from specforge.evidence.layout import Cell, Column, columns
from specforge.evidence.report import CheckOptions, Exit
from specforge.evidence.required import Step
from specforge.evidence.verdict import FREE_CHECKS
from specforge.records import frozen

Json = dict[str, Any]
DEFAULT = "certificates"
NO_TIME = "there was no time to look for a proof"
NOTHING = News(frozenset())  # is known of what runs show
LAST_RESORT = 1800.0  # seconds for one rulebook, where no budget is given: work is bounded otherwise, long before
FOLDERS = {"claim": "{}", "check": "free-{}", "rule": "never-{}", "reach": "unreached-{}", "condition": "unmet-{}"}


@frozen
class Entry:
    """One thing that was to be proved (`kind`, as a manifest says it).  `certificate` None: why there is none stands in
    `reason`; `unwritten`: it is proved nevertheless."""

    kind: str
    name: str
    given: tuple[str, ...] = ()
    wanted: bool = False  # somebody relies on its being proved
    certificate: Certificate | None = None
    reason: str = ""
    unwritten: bool = False
    lost: bool = False  # with all else of its rulebook, because of one question

    @property
    def said(self) -> str:
        return called(self.kind, self.name)


@frozen
class Piece:
    """A part of the work on one rulebook: looking (`known` None), then proving with what runs have shown."""

    path: Path
    known: News | None = field(default=None, eq=False, repr=False)
    again: int = 0


def main(options: argparse.Namespace) -> int:
    paths = rulebooks.discover(options.files)
    folder = Path(options.output or DEFAULT)
    if not may_write(folder):
        raise UsageError(f"`{folder}` holds other things than certificates; name a new directory with `--output`")
    systems = {path: rulebooks.load(str(path)) for path in paths}
    print_diagnostics([each for _, diagnostics in systems.values() for each in diagnostics], options.color)
    if any(system is None for system, _ in systems.values()):
        return Exit.NOT_A_RULEBOOK
    compiled = [system for system, _ in systems.values() if system is not None]
    known = {*FREE_CHECKS, *(name for each in compiled for name in (*each.claims, *each.reaches))}
    for name in options.only:
        if name not in known:
            raise UsageError(f"no claim, reach or free check is called `{name}`{closest(name, known)}")
    done = _all(paths, options)
    _write(folder, done)
    _print(folder, done, options)
    open_ = any(each.wanted and each.certificate is None for entries in done.values() for each in entries)
    return Exit.UNDECIDED if open_ else Exit.MET


def _all(paths: Sequence[Path], options: argparse.Namespace) -> dict[Path, list[Entry]]:
    """What each rulebook says.  INVARIANT: looking and proving have a process of their own, as when it is checked, so that the
    same text gives the same files."""
    jobs = min(options.jobs or cores(), len(paths))
    seconds = options.budget * jobs / len(paths) if options.budget else None
    asked = CheckOptions(only=tuple(options.only), budget=seconds)
    source = source_hash()
    waiting, running = [Piece(path) for path in paths], list[Worker[Piece]]()
    done: dict[Path, list[Entry]] = {}
    with Progress() as progress, workers.alike():
        try:
            while waiting or running:
                progress.say(f"{len(done)} of {len(paths)} rulebooks")
                while waiting and len(running) < jobs:
                    running.append(workers.begun(_work, waiting.pop(0), asked, source))
                for worker, what, said in workers.heard(running):
                    running.remove(worker)
                    worker.line.close()
                    if (piece := _next(worker, what, said)) is not None:
                        waiting.insert(0, piece)
                    elif what == "done":
                        done[worker.task.path] = said
                    else:
                        done[worker.task.path] = lost(worker.task.path, asked)
        finally:
            for worker in running:
                worker.process.kill()
    return {path: done[path] for path in paths}


def _next(worker: Worker[Piece], what: str, said: Any) -> Piece | None:
    """What is to be done of the rulebook after a worker has said its last word; None: nothing more."""
    piece = worker.task
    if what == "failed":
        raise RuntimeError(said)
    if what == workers.ENDED and not worker.is_stuck:
        raise RuntimeError(f"the worker for {piece.path} ended with code {said}")
    if what == workers.ENDED:
        again = worker.once_more()
        return again if again is not None or piece.known is not None else Piece(piece.path, NOTHING)
    return Piece(piece.path, said) if piece.known is None else None


def _write(folder: Path, done: dict[Path, list[Entry]]) -> None:
    """Every certificate in a directory of its own: DIR/rulebook/claim."""
    taken: set[str] = set()
    certificates: list[Certificate] = []
    unwritten: list[Json] = []
    try:
        for path, entries in done.items():
            book = _free(_plain(path.stem), taken)
            for each in entries:
                if each.certificate is not None:
                    name = _plain(FOLDERS[each.kind].format(each.name))
                    name += f"-given-{_plain('-'.join(each.given))[:48]}" if each.given else ""
                    certificates.append(evolve(each.certificate, directory=_free(f"{book}/{name}", taken)))
                elif each.unwritten:
                    about = {"rulebook": path.as_posix(), "kind": each.kind, "name": each.name, "given": list(each.given)}
                    unwritten.append({**about, "why": each.reason})
        write(folder, certificates, unwritten)
    except OSError as problem:
        raise UsageError(f"cannot write `{folder}`: {(problem.strerror or 'not a directory').lower()}") from None


def _plain(text: str) -> str:
    """As a file may be called anywhere."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip(".") or "_"


def _free(name: str, taken: set[str]) -> str:
    """The name, or the next one that no file system takes for the same."""
    number, free = 2, name
    while free.lower() in taken:
        number, free = number + 1, f"{name}-{number}"
    taken.add(free.lower())
    return free


def _print(folder: Path, done: dict[Path, list[Entry]], options: argparse.Namespace) -> None:
    layout = layout_for(sys.stdout, "text", options.color)
    rows: list[list[Cell]] = []
    for path, entries in done.items():
        for each in entries:
            book, name = Cell(layout.clean(path.stem), "dim"), Cell(each.said, "name")
            given = f"given {', '.join(each.given)}" if each.given else ""
            if each.certificate is None:
                why = f"no certificate written: {each.reason}" if each.unwritten else each.reason
                word = "UNWRITTEN" if each.unwritten else "OPEN"
                rows.append([Cell(word, "weak"), book, name, Cell("; ".join(filter(None, (given, why))))])
                continue
            steps, texts = len(each.certificate.manifest["obligations"]), len(each.certificate.texts)
            rows.append([Cell("CERTIFIED", "good"), book, name, Cell("; ".join(filter(None, (given, _steps(steps, texts)))))])
    heads = [Column(), Column(most=28), Column(most=40), Column(flex=True)]
    print("\n".join(columns(layout, heads, rows)))
    every = [each for entries in done.values() for each in entries]
    written = [each for each in every if each.certificate is not None]
    claims = [each for each in every if each.kind == "claim"]
    parts = [f"{sum(each.certificate is not None for each in claims)} of {len(claims)} claims"]
    if more := len(written) - sum(each.kind == "claim" for each in written):
        parts.append(f"{more} other proof{'' if more == 1 else 's'}")
    if unwritten := sum(each.unwritten for each in every):
        parts.append(f"no certificate was written of {unwritten} that {'is' if unwritten == 1 else 'are'} proved")
    if lost := sum(any(each.lost for each in entries) for entries in done.values()):
        parts.append(f"nothing of {lost} rulebook{'' if lost == 1 else 's'} (`--only NAME` asks the solver for less at once)")
    print(f"{', '.join(parts)}; check them with `specforge verify {layout.clean(str(folder))}`")


def _steps(steps: int, texts: int) -> str:
    plain = f", {steps - texts} that no solver was needed for" if texts < steps else ""
    return f"{steps} step{'' if steps == 1 else 's'}{plain}"


# ---------------------------------------------------------------- one rulebook


def _work(piece: Piece, options: CheckOptions, source: str, line: Any) -> None:
    """In a worker: one piece, with another seed if it was begun before."""

    def work(clock: Clock) -> News | list[Entry]:
        set_seed(piece.again)
        agenda = agenda_of(piece.path, options, clock)
        return looked(agenda) if piece.known is None else certified(agenda, piece.known, source)

    workers.at_work(time.monotonic() + (LAST_RESORT if options.budget is None else options.budget), line, work)


def agenda_of(path: Path, options: CheckOptions, clock: Clock) -> Agenda:
    system, _ = load(str(path))
    assert system is not None
    return Agenda(system, str(path), options, clock, lambda text: None, lambda result: None)


def looked(agenda: Agenda) -> News:
    """What runs have shown, as the prover hears of it when the rulebook is checked."""
    agenda.look()
    return agenda.news()


def certified(agenda: Agenda, known: News, source: str) -> list[Entry]:
    """Everything that is proved as the rulebook is checked, with the certificate of its proof, and the claims that are not."""
    agenda.learn(known)
    agenda.prove()
    agenda.prove_for_few()
    late = agenda.clock.left <= 0.1 * (agenda.options.budget or 0)  # what is open may be so for want of time
    agenda.clock.over()
    writer = Writer.of(agenda.system, Path(agenda.rulebook), source)
    entries = [*_claims(agenda, writer), *_reaches(agenda, writer), *_checks(agenda, writer), *_never(agenda, writer)]
    return [*map(_in_time, entries), *_unwritten(agenda)] if late else [*entries, *_unwritten(agenda)]


def _in_time(entry: Entry) -> Entry:
    """Of one that is open, that more time might have helped."""
    if entry.certificate is not None or entry.unwritten or entry.reason == NO_TIME:
        return entry
    return evolve(entry, reason=f"{entry.reason}, in the time given")


def lost(path: Path, options: CheckOptions) -> list[Entry]:
    """Of a rulebook whose solver never came back: all that was to be proved is open, whoever relies on it."""
    agenda = agenda_of(path, options, Clock(math.inf))
    goals = [row.quest.goal for row in agenda.rows if not row.sought]
    entries = [
        Entry("claim", each.name, tuple(given.text for given in each.given)) for each in goals if isinstance(each, ClaimGoal)
    ]
    entries += [Entry("check", each.check) for each in agenda.free if isinstance(each.goal, DefectGoal)]
    entries = entries or [Entry("reach", each.name) for each in goals if isinstance(each, ReachGoal)]
    return [evolve(each, wanted=True, lost=True, reason=workers.NEVER) for each in entries]


def _claims(agenda: Agenda, writer: Writer) -> Iterator[Entry]:
    for row in agenda.rows:
        goal = row.quest.goal
        if row.sought or not isinstance(goal, ClaimGoal):
            continue
        wanted = row.expect is None or row.expect.verdict == "proved"
        entry = Entry("claim", goal.name, tuple(each.text for each in goal.given), wanted)
        outcome = agenda.outcomes.get(goal)
        if isinstance(outcome, Proved):
            yield writer.written(entry, outcome, goal.claim, goal.given)
        elif row.few is not None:
            scope = "" if row.few[0] == "any" else f"for {row.few[0]} members only, "
            reason = f"proved {scope}by induction over a few steps"
            yield evolve(entry, reason=reason, unwritten=True)
        else:
            refuted = "a run breaks it" if row.quest.trace is not None else NO_TIME
            yield evolve(entry, reason=outcome.reason if outcome is not None else refuted)


def _reaches(agenda: Agenda, writer: Writer) -> Iterator[Entry]:
    """States that no run comes to."""
    for row in agenda.rows:
        goal = row.quest.goal
        never = agenda.opposite(row.quest, True) if isinstance(goal, ReachGoal) else None
        outcome = agenda.outcomes.get(never) if never is not None else None
        if isinstance(outcome, Proved) and isinstance(never, ClaimGoal):
            yield writer.written(Entry("reach", goal.name), outcome, evolve(never.claim, name=goal.name))


def _checks(agenda: Agenda, writer: Writer) -> Iterator[Entry]:
    """Defects that no run meets."""
    for each in agenda.free:
        outcome = agenda.outcomes.get(each.goal) if isinstance(each.goal, DefectGoal) else None
        if isinstance(outcome, Proved):
            yield writer.written(Entry("check", each.check), outcome, each.goal.defect)  # type: ignore[union-attr]
        elif outcome is not None:
            yield Entry("check", each.check, reason=outcome.reason)


def _never(agenda: Agenda, writer: Writer) -> Iterator[Entry]:
    """Rules that never happen, claims that are never judged, conditions that are never met."""
    for each, quest in agenda.searches.items():
        goal = agenda.opposite(quest, False)
        outcome = agenda.outcomes.get(goal) if goal is not None else None
        if isinstance(outcome, Proved) and isinstance(goal, RuleGoal):
            yield writer.written(Entry("rule", goal.rule), outcome, goal.rule)
        elif isinstance(outcome, Proved) and isinstance(goal, ClaimGoal):
            given = tuple(each.text for each in goal.given)
            claim = evolve(goal.claim, text=f"no run shows {each.text}")
            yield writer.written(Entry("condition", goal.name, given), outcome, claim, goal.given)


def _unwritten(agenda: Agenda) -> Iterator[Entry]:
    """What the checks say besides that rests on the solver, and not on an induction that could be written down."""
    if agenda.idle:
        reason = "which guards never refuse anything is a note, asked of the solver guard by guard"
        yield Entry("check", "idle", reason=reason, unwritten=True)
    if "tables" in agenda.checks and any(each.holds for each in tables_kept(agenda.system)):
        reason = "what tables are said to be is asked of the solver table by table (that every lookup finds a row is apart)"
        yield Entry("check", "tables", reason=reason, unwritten=True)


@frozen(eq=False)
class Writer:
    """Turns the proofs of one rulebook into manifests and texts."""

    system: ir.System
    rulebook: Json
    rules: Json
    names: dict[str, str]  # what the prover calls a transition -> what a certificate calls it
    kinds: dict[str, str]
    tool: Json
    texts: dict[int, Any]  # of steps that several proofs share

    @staticmethod
    def of(system: ir.System, path: Path, source: str) -> Writer:
        names: dict[str, str] = {}
        kinds: dict[str, str] = {}
        for case in all_cases(Book.of(system)):
            if case.text() in names:
                raise RuntimeError(f"two transitions are called {case.text()}")
            names[case.text()] = case.text() if case.kind in ("start", "rest") else f"{case.kind} {case.text()}"
            kinds[case.text()] = case.kind
        rulebook = {
            "name": system.name,
            "path": path.as_posix(),
            "sha256": sha256(path.read_bytes()),
            "used": [{"path": name, "sha256": sha256((path.parent / name).read_bytes())} for name in used(path)],
        }
        by = tool()
        by |= {"source": source, "solvers": hashed(by["solvers"])}
        return Writer(system, rulebook, _rules(system), names, kinds, by, {})

    def written(
        self, entry: Entry, proof: Proved, subject: ir.Claim | ir.Defect | str, given: tuple[ir.Given, ...] = ()
    ) -> Entry:
        """The entry with its certificate.  `subject`: the claim, the defect that is never met, or the rule that never acts."""
        certificate = proof.certificate
        lemmas = {each.name: each for each in sorted(certificate.lemmas, key=lambda each: each.name)}
        claimed = f"`{subject}` never happens" if isinstance(subject, str) else ""
        texts: dict[str, str] = {}
        obligations: list[Json] = []
        try:
            first = ("", claimed)
            for each in sorted(certificate.obligations, key=lambda each: (each.need.shows not in first, each.need.shows)):
                obligations.append(self._step(each, entry, claimed, lemmas, texts))
        except NotConfirmed as problem:
            return evolve(entry, reason=f"a fresh solver does not confirm from the text that {problem}", unwritten=True)
        manifest: Json = {
            "schema": SCHEMA,
            "tool": self.tool,
            "rulebook": self.rulebook,
            "claim": {
                "kind": entry.kind,
                "name": entry.name,
                "text": subject.text if isinstance(subject, ir.Claim) else claimed or FREE_CHECKS[entry.name],
                "moment": self._moment(subject, certificate),
                "members": self._open(witnesses(subject.cond)) if isinstance(subject, ir.Claim) else {},
            },
            "given": [{"text": each.text, "assumption": each.assumption} for each in given],
            "verdict": "proved",
            "members": "any",
            "steps": "any",
            "premises": list(certificate.premises),
            "lemmas": [
                {
                    "name": each.name,
                    "text": each.text or each.name,
                    "why": each.why,
                    "members": self._open(witnesses(each.expr)),
                }
                for each in lemmas.values()
            ],
            "measures": self._measures(certificate),
            "places": self._places(subject) if isinstance(subject, ir.Defect) else [],
            "rules": self.rules,
            "obligations": obligations,
        }
        self._whole(manifest)
        return evolve(entry, certificate=Certificate("", manifest, texts))

    def _whole(self, manifest: Json) -> None:
        """INVARIANT: what the prover calls a proof is one by the count of steps that shares nothing with the prover."""
        wrong = gaps(manifest)
        if wrong:
            raise RuntimeError(f"the proof of {about(manifest)} is not whole: {wrong[0]}")

    def _places(self, defect: ir.Defect) -> list[Json]:
        """For each rule the sentences that may meet the defect, and of how many members at once they speak."""
        result: list[Json] = []
        for rule in (*self.system.actions.values(), *self.system.duties.values()):
            if isinstance(rule, ir.Duty) or rule.open:
                at = [spot(self.system, place) for place in places_of(self.system, rule) if place[0] is defect]
                members = {party: count for party, count in at_once(self.system, rule).items() if count}
                result.append({"rule": rule.name, "members": members, "at": list(dict.fromkeys(at))})
        return result if defect is not ir.Defect.RESTS else []

    def _measures(self, certificate: Any) -> list[Json]:
        """Why settling ends, if the claim rests on it: what is counted, and which duties make it fall."""
        return [
            {
                "name": each.name,
                "text": each.text,
                "members": self._open(witnesses(each.rises_not)),
                "falls": {duty: self._open(witnesses(fall)) for duty, fall in each.falling.items()},
            }
            for each in (certificate.settling.measures if certificate.settling is not None else ())
        ]

    def _open(self, counts: dict[str, int]) -> dict[str, int]:
        return {party: count for party, count in counts.items() if self.system.parties[party].members is None}

    def _step(self, discharged: Any, entry: Entry, claimed: str, lemmas: dict[str, Any], texts: dict[str, str]) -> Json:
        need, question = discharged.need, discharged.question
        base, then, _ = _parts(need.case)
        transition = self.names[base]
        if then:
            head, bracket, tail = transition.partition(" [")
            transition = head + then + bracket + tail
        shows = need.shows if need.shows != claimed else ""
        step: Json = {
            "shows": shows, "transition": transition, "members": need.members, "lemmas": [], "assumes": [],
            "decided": "plain", "why": discharged.why or PLAIN, "file": None, "sha256": None,
        }  # fmt: skip
        if is_plain(question):
            return step
        heading = (
            self._said(Step(shows, transition, need.members), entry, lemmas),
            f"of {self.rulebook['path']} (sha256 {self.rulebook['sha256']}), by SpecForge {self.tool['version']}",
            "It holds if no values satisfy everything below: a solver's answer is unsat.",
        )
        done = self.texts.get(id(question))
        if done is None:
            done = self.texts[id(question)] = written(question, heading, lambda source: _from(source, lemmas))
        name = f"{len(texts):03d}.smt2"
        texts[name] = done.text
        return step | {
            "lemmas": sorted(done.uses & set(lemmas)), "assumes": sorted(_assumed(each) for each in done.uses - set(lemmas)),
            "decided": "solver", "why": "", "file": name, "sha256": sha256(done.text),
        }  # fmt: skip

    def _said(self, step: Step, entry: Entry, lemmas: dict[str, Any]) -> str:
        """What the step shows, in one line."""
        if step.shows in lemmas:
            return words(evolve(step, shows=lemmas[step.shows].text or step.shows))
        if step.shows or entry.kind == "claim":
            return words(step).replace("the claim", f"claim `{entry.name}`", 1)
        return f"{entry.said}: not in {step.transition}"

    def _moment(self, claim: ir.Claim | ir.Defect | str, certificate: Any) -> Json:
        """When the claim is judged, and where the proof shows it."""
        if isinstance(claim, ir.Defect):
            return {"at": "each settling" if claim is ir.Defect.RESTS else "each statement", "rule": "", "then": ""}
        if isinstance(claim, str):
            return {"at": "duty" if claim in self.system.duties else "action", "rule": claim, "then": ""}
        if isinstance(claim.moment, ir.AtRest):
            return {"at": "rest", "rule": "", "then": ""}
        if isinstance(claim.moment, ir.EveryStep):
            return {"at": "every step", "rule": "", "then": ""}
        cases = {each.need.case for each in certificate.obligations if not each.need.shows}
        if all(self.kinds.get(each) == "rest" for each in cases):
            return {"at": "rest", "rule": "", "then": ""}
        then = {_parts(each)[1] for each in cases}
        if len(then) > 1:
            raise RuntimeError(f"`{claim.name}` is judged at different moments")
        kind = "duty" if claim.moment.duty else "action"
        return {"at": kind, "rule": claim.moment.name, "then": then.pop().removeprefix(" then ")}


PLAIN = (
    "decided while the step was put into formulas: what happens there cannot happen, or what is to be shown comes out as "
    "true once equal sums are written alike; no solver was asked"
)


SOURCE = re.compile(r"(rest|given|assumption):? (.*)", re.DOTALL)


def _assumed(source: str) -> str:
    """What the prover calls a fact that is no lemma, as a certificate calls it: `rest liquidate`, `given no_exemptions`."""
    found = SOURCE.fullmatch(source)
    if found is None:
        raise RuntimeError(f"a proof rests on something without a name: {source}")
    return f"{found[1]} {found[2]}"


def _from(source: str, lemmas: dict[str, Any]) -> str:
    """Where a fact comes from, in words."""
    if source in lemmas:
        return f"lemma: {lemmas[source].text or source}"
    kind, _, what = _assumed(source).partition(" ")
    return f"at rest, nobody is due for {what}" if kind == "rest" else f"assumed: {what}"


def _parts(case: str) -> tuple[str, str, str]:
    """`deposit(t=0) then cover [policy=1]`: the transition without the duty that follows, ` then cover`, and its choices."""
    head, bracket, tail = case.partition(" [")
    rule, then, duty = head.partition(" then ")
    return rule + bracket + tail, then + duty, bracket + tail


def _rules(system: ir.System) -> Json:
    """The rules as a certificate's table has them: who takes part in each, nothing more."""

    def named(rule: ir.Action | ir.Duty) -> Json:
        members = [{"name": param.name, "party": param.type.party} for param in rule.params if isinstance(param.type, ir.Of)]
        return {"name": rule.name, "members": members}

    return {
        "parties": [
            {
                "name": each.name,
                "open": each.members is None,
                "members": len(each.named) if each.members is None else len(each.members),
            }
            for each in system.parties.values()
        ],
        "choices": [
            {"parameter": each.name, "values": len(system.parties[each.type.party].members or ())}
            for each in system.parameters()
            if isinstance(each.type, ir.Of)
        ],
        "actions": [named(each) for each in system.actions.values() if each.open],
        "duties": [{**named(each), "once": each.once} for each in system.duties.values()],
        "called": [each.name for each in system.actions.values() if not each.open],
    }


def used(path: Path) -> list[str]:
    """The rulebooks it uses or includes, and those they do, by their paths from its directory."""
    from specforge.elaborate.load import STANDARD
    from specforge.syntax import tree
    from specforge.syntax.parse import parse
    from specforge.syntax.read import read

    found: dict[str, None] = {}
    waiting = [Path(path.name)]
    while waiting:
        here = waiting.pop()
        source, _ = read(path.parent / here)
        book = parse(source)[0] if source is not None else None
        for item in book.items if book is not None else ():
            if isinstance(item, tree.Use | tree.Include) and not item.path.text.startswith(STANDARD):
                name = Path(_joined(here.parent / item.path.text))
                if name.as_posix() not in found and name != Path(path.name):
                    found[name.as_posix()] = None
                    waiting.append(name)
    return sorted(found)


def _joined(path: Path) -> str:
    from posixpath import normpath

    return normpath(path.as_posix())


def source_hash() -> str:
    """One hash for the tool's own source, so that a certificate says by exactly which program it was written."""
    import specforge

    folder = Path(specforge.__file__).parent if specforge.__file__ else Path(next(iter(specforge.__path__)))
    files = sorted(each for each in folder.rglob("*") if each.suffix in (".py", ".lark", ".bin", ".json", ".rulebook"))
    return sha256("\n".join(f"{each.relative_to(folder).as_posix()} {sha256(each.read_bytes())}" for each in files))


__all__ = ["DEFAULT", "INDEX", "certified", "main", "source_hash", "used"]

"""`specforge certify`: writes every proof down, so that who does not trust this tool can check it with another solver."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

from attrs import frozen

from specforge.apps import rulebooks
from specforge.apps.check import cores
from specforge.apps.crew import crew_of
from specforge.apps.errors import UsageError, closest
from specforge.apps.problems import print_diagnostics
from specforge.apps.progress import Progress
from specforge.apps.terminal import layout_for
from specforge.apps.tool import tool
from specforge.core import ir
from specforge.evidence.files import INDEX, Certificate, may_write, sha256, write
from specforge.evidence.layout import Cell, Column, columns
from specforge.evidence.report import Exit

Json = dict[str, Any]
DEFAULT = "certificates"
SECONDS = 60.0  # to look for the proofs of one rulebook, unless a budget is given


@frozen
class Claim:
    """One claim under one set of assumptions.  `certificate` None: why there is none stands in `reason`."""

    name: str
    given: tuple[str, ...]
    wanted: bool  # somebody relies on its being proved
    certificate: Certificate | None = None
    reason: str = ""


def main(options: argparse.Namespace) -> int:
    paths = rulebooks.discover(options.files)
    folder = Path(options.output or DEFAULT)
    if not may_write(folder):
        raise UsageError(f"`{folder}` holds other things than certificates; name a new directory with `--output`")
    systems = {path: rulebooks.load(str(path)) for path in paths}
    print_diagnostics([each for _, diagnostics in systems.values() for each in diagnostics], options.color)
    if any(system is None for system, _ in systems.values()):
        return Exit.NOT_A_RULEBOOK
    known = {name for system, _ in systems.values() if system is not None for name in system.claims}
    for name in options.only:
        if name not in known:
            raise UsageError(f"no claim is called `{name}`{closest(name, known)}")
    done = _all(paths, options)
    _write(folder, done)
    _print(folder, done, options)
    open_ = any(each.wanted and each.certificate is None for claims in done.values() for each in claims)
    return Exit.UNDECIDED if open_ else Exit.MET


def _all(paths: Sequence[Path], options: argparse.Namespace) -> dict[Path, list[Claim]]:
    """Each rulebook's claims.  INVARIANT: each has a process of its own, so that the same text gives the same files."""
    jobs = min(options.jobs or cores(), len(paths))
    seconds = options.budget * jobs / len(paths) if options.budget else SECONDS
    source = source_hash()
    done: dict[Path, list[Claim]] = {}
    with Progress() as progress, crew_of(jobs, alike=True) as crew:
        at = {crew.submit(certified, path, tuple(options.only), seconds, source): path for path in paths}
        progress.say(f"0 of {len(paths)} rulebooks")
        for each in as_completed(at):
            done[at[each]] = each.result()
            progress.say(f"{len(done)} of {len(paths)} rulebooks")
    return {path: done[path] for path in paths}


def _write(folder: Path, done: dict[Path, list[Claim]]) -> None:
    """Every certificate in a directory of its own: DIR/rulebook/claim."""
    from attrs import evolve

    taken: set[str] = set()
    certificates: list[Certificate] = []
    try:
        for path, claims in done.items():
            book = _free(_plain(path.stem), taken)
            for each in claims:
                if each.certificate is not None:
                    name = _plain(each.name) + (f"-given-{_plain('-'.join(each.given))[:48]}" if each.given else "")
                    certificates.append(evolve(each.certificate, directory=_free(f"{book}/{name}", taken)))
        write(folder, certificates)
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


def _print(folder: Path, done: dict[Path, list[Claim]], options: argparse.Namespace) -> None:
    layout = layout_for(sys.stdout, "text", options.color)
    rows: list[list[Cell]] = []
    for path, claims in done.items():
        for each in claims:
            book, name = Cell(layout.clean(path.stem), "dim"), Cell(each.name, "name")
            given = f"given {', '.join(each.given)}" if each.given else ""
            if each.certificate is None:
                why = Cell("; ".join(filter(None, (given, each.reason))))
                rows.append([Cell("OPEN", "weak"), book, name, why])
                continue
            steps, texts = len(each.certificate.manifest["obligations"]), len(each.certificate.texts)
            rows.append([Cell("CERTIFIED", "good"), book, name, Cell("; ".join(filter(None, (given, _steps(steps, texts)))))])
    heads = [Column(), Column(most=28), Column(most=32), Column(flex=True)]
    print("\n".join(columns(layout, heads, rows)))
    every = [each for claims in done.values() for each in claims]
    count = sum(each.certificate is not None for each in every)
    print(f"{count} of {len(every)} claims; check them with `specforge verify {layout.clean(str(folder))}`")


def _steps(steps: int, texts: int) -> str:
    plain = f", {steps - texts} that no solver was needed for" if texts < steps else ""
    return f"{steps} step{'' if steps == 1 else 's'}{plain}"


# ---------------------------------------------------------------- one rulebook


def certified(path: Path, only: tuple[str, ...], seconds: float, source: str) -> list[Claim]:
    """Every claim that is to be proved, with the certificate of its proof."""
    from specforge.elaborate import load
    from specforge.engines.induction import prove
    from specforge.engines.portfolio import rows_of
    from specforge.evidence.certificate import Proved
    from specforge.evidence.goal import ClaimGoal

    system, _ = load(str(path))
    assert system is not None
    wanted: dict[ClaimGoal, bool] = {}
    for row in rows_of(system):
        goal, verdict = row.quest.goal, "proved" if row.expect is None else row.expect.verdict
        if isinstance(goal, ClaimGoal) and verdict != "refuted" and (not only or goal.name in only):
            wanted[goal] = verdict == "proved"
    outcomes = prove(system, list(wanted), seconds=seconds)
    writer = Writer.of(system, path, source)
    result: list[Claim] = []
    for goal, matters in wanted.items():
        outcome, given = outcomes[goal], tuple(each.text for each in goal.given)
        if isinstance(outcome, Proved):
            result.append(writer.claim(goal, outcome, matters))
        else:
            result.append(Claim(goal.name, given, matters, None, outcome.reason))
    return result


@frozen(eq=False)
class Writer:
    """Turns the proofs of one rulebook into manifests and texts."""

    system: ir.System
    book: Any  # engines.cases.Book
    rulebook: Json
    rules: Json
    names: dict[str, str]  # what the prover calls a transition -> what a certificate calls it
    kinds: dict[str, str]
    tool: Json
    written: dict[int, Any]  # texts of steps that several claims share

    @staticmethod
    def of(system: ir.System, path: Path, source: str) -> Writer:
        from specforge.engines.cases import Book, all_cases

        book = Book.of(system)
        names: dict[str, str] = {}
        kinds: dict[str, str] = {}
        for case in all_cases(book):
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
        return Writer(system, book, rulebook, _rules(system), names, kinds, {**tool(), "source": source}, {})

    def claim(self, goal: Any, proof: Any, matters: bool) -> Claim:
        from specforge.algebra.judging import witnesses
        from specforge.algebra.written import NotConfirmed

        claim, given = goal.claim, tuple(each.text for each in goal.given)
        certificate = proof.certificate
        lemmas = {each.name: each for each in sorted(certificate.lemmas, key=lambda each: each.name)}
        texts: dict[str, str] = {}
        obligations: list[Json] = []
        try:
            for each in sorted(certificate.obligations, key=lambda each: (each.need.shows != "", each.need.shows)):
                obligations.append(self._step(each, claim, lemmas, texts))
        except NotConfirmed as problem:
            reason = f"proved, but a fresh solver does not confirm from the text that {problem}"
            return Claim(claim.name, given, matters, None, reason)
        manifest: Json = {
            "schema": "specforge/certificate/1",
            "tool": self.tool,
            "rulebook": self.rulebook,
            "claim": {
                "name": claim.name,
                "text": claim.text,
                "moment": self._moment(claim, certificate),
                "members": self._open(witnesses(claim.cond)),
            },
            "given": [{"text": each.text, "assumption": each.assumption} for each in goal.given],
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
            "rules": self.rules,
            "obligations": obligations,
        }
        self._whole(manifest)
        return Claim(claim.name, given, matters, Certificate("", manifest, texts))

    def _whole(self, manifest: Json) -> None:
        """INVARIANT: what the prover calls a proof is one by the count of steps that shares nothing with the prover."""
        from specforge.evidence.files import gaps

        wrong = gaps(manifest)
        if wrong:
            raise RuntimeError(f"the proof of {manifest['claim']['name']} is not whole: {wrong[0]}")

    def _measures(self, certificate: Any) -> list[Json]:
        """Why settling ends, if the claim rests on it: what is counted, and which duties make it fall."""
        from specforge.algebra.judging import witnesses

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

    def _step(self, discharged: Any, claim: ir.Claim, lemmas: dict[str, Any], texts: dict[str, str]) -> Json:
        from specforge.algebra.written import is_plain, written

        need, question = discharged.need, discharged.question
        base, then, _ = _parts(need.case)
        transition = self.names[base]
        if then:
            head, bracket, tail = transition.partition(" [")
            transition = head + then + bracket + tail
        step: Json = {
            "shows": need.shows, "transition": transition, "members": need.members, "lemmas": [], "assumes": [],
            "decided": "plain", "why": discharged.why or PLAIN, "file": None, "sha256": None,
        }  # fmt: skip
        if is_plain(question):
            return step
        what = need.shows or f"claim `{claim.name}`"
        if need.shows in lemmas:
            what = f"lemma `{lemmas[need.shows].text or need.shows}`"
        heading = (
            f"{what} {_when(self.kinds[base], transition)}" + (f"; {need.members} more stand for any" if need.members else ""),
            f"of {self.rulebook['path']} (sha256 {self.rulebook['sha256']}), by SpecForge {self.tool['version']}",
            "It holds if no values satisfy everything below: a solver's answer is unsat.",
        )
        done = self.written.get(id(question))
        if done is None:
            done = self.written[id(question)] = written(question, heading, lambda source: _from(source, lemmas))
        name = f"{len(texts):03d}.smt2"
        texts[name] = done.text
        return step | {
            "lemmas": sorted(done.uses & set(lemmas)), "assumes": sorted(_assumed(each) for each in done.uses - set(lemmas)),
            "decided": "solver", "why": "", "file": name, "sha256": sha256(done.text),
        }  # fmt: skip

    def _moment(self, claim: ir.Claim, certificate: Any) -> Json:
        """When the claim is judged, and where the proof shows it."""
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


def _when(kind: str, transition: str) -> str:
    if kind in ("start", "rest"):
        return f"holds at {'the ' if kind == 'start' else ''}{transition}"
    return f"holds after {transition}"


def _rules(system: ir.System) -> Json:
    """The rules as a certificate's table has them: who takes part in each, nothing more."""

    def named(rule: ir.Action | ir.Duty) -> Json:
        members = [
            {"name": param.name, "party": param.type.party} for param in rule.params if isinstance(param.type, ir.Of)
        ]
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

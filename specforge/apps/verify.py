"""`specforge verify`: re-checks written proofs with a second solver, from their files alone.

No rulebook is turned into formulas here, and no proof is looked for.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import IO, Any

from attrs import evolve, field

from specforge.algebra.second import ask_cvc5, ask_z3_apart, has_cvc5
from specforge.apps.crew import crew_of
from specforge.apps.errors import UsageError
from specforge.apps.included import Head, heads
from specforge.apps.progress import Progress
from specforge.apps.terminal import layout_for, opened
from specforge.apps.tool import tool
from specforge.evidence.files import INDEX, MANIFEST, Certificate, Problem, about, called, is_certificate, read, sha256, words
from specforge.evidence.layout import Cell, Column, Layout, columns
from specforge.evidence.required import Step
from specforge.records import frozen

Json = dict[str, Any]
CONFIRMED, FAILED, USAGE, OPEN = 0, 1, 2, 4  # exit codes, as of every command
FEW = 40  # texts for which no further process is worth starting
Z3_UNITS = 40  # z3 counts smaller units of work than cvc5


@frozen
class Checked:
    """One certificate, re-checked.  `by`: for each step's file, who says that it holds: "cvc5", "z3", or "" for nobody."""

    certificate: Certificate
    by: dict[str, str]
    problems: tuple[Problem, ...]

    @property
    def plain(self) -> int:
        return sum(each["decided"] == "plain" for each in self.certificate.manifest["obligations"])

    def count(self, who: str) -> int:
        return sum(each == who for each in self.by.values())

    @property
    def verdict(self) -> str:
        if self.problems:
            return "failed"
        return "confirmed" if set(self.by.values()) <= {"cvc5"} else "open"

    def step(self, file: str) -> str:
        each = next(each for each in self.certificate.manifest["obligations"] if each["file"] == file)
        return words(Step(each["shows"], each["transition"], each["members"]))


@frozen
class Verified:
    folder: Path
    certificates: tuple[Checked, ...]
    problems: tuple[Problem, ...] = ()  # of the directory as a whole
    unwritten: tuple[Json, ...] = ()  # what is proved without a certificate
    seconds: float = field(default=0.0, eq=False)

    @property
    def code(self) -> int:
        if self.problems or any(each.problems for each in self.certificates):
            return FAILED
        return CONFIRMED if all(each.verdict == "confirmed" for each in self.certificates) else OPEN


def main(options: argparse.Namespace) -> int:
    folder = Path(options.directory)
    if not folder.is_dir():
        raise UsageError(f"there is no directory `{folder}`")
    if not is_certificate(folder):
        raise UsageError(f"`{folder}` has neither an {INDEX} nor a {MANIFEST}: no certificate was written there")
    if options.solver == "cvc5" and not has_cvc5():
        raise UsageError(
            "cvc5 is not installed, which checks what z3 has proved: pip install 'specforge[certify]' "
            "(or `--solver z3` to have z3 look again; what only it confirms counts as not re-checked)"
        )
    began = time.monotonic()
    with opened(options.output) as stream:
        with Progress() as progress:
            done = verified(folder, options, progress)
        done = evolve(done, seconds=time.monotonic() - began)
        if options.format == "json":
            stream.write(json.dumps(as_json(done), indent=2) + "\n")
        else:
            _print(done, stream, layout_for(stream, options.format, options.color))
    return done.code


def verified(folder: Path, options: argparse.Namespace, progress: Progress) -> Verified:
    found = read(folder)
    certificates, problems = found.certificates, found.problems
    if not certificates and not problems:
        problems = [Problem(INDEX, "names no certificate")]
    for name in options.rulebook:
        problems += differences(Path(name), certificates)
    sound = [each for each in certificates if not each.problems]
    texts = list(dict.fromkeys(text for each in sound for text in each.texts.values()))
    answers = _ask(texts, options, progress)
    return Verified(folder, tuple(_checked(each, answers) for each in certificates), tuple(problems), tuple(found.unwritten))


def _checked(certificate: Certificate, answers: dict[str, tuple[str, str]]) -> Checked:
    by: dict[str, str] = {}
    problems = list(certificate.problems)
    for name, text in certificate.texts.items() if not problems else ():
        who, said = answers.get(text, ("", "not asked"))
        by[name] = who if said == "unsat" else ""
        file = f"{certificate.directory}/{name}" if certificate.directory else name
        if said == "sat":
            problems.append(Problem(file, f"does not hold: {who} finds values that satisfy it"))
        elif said.startswith("error"):
            problems.append(Problem(file, f"is not what a solver can read: {said.removeprefix('error ')}"))
    return Checked(certificate, by, tuple(problems))


# ---------------------------------------------------------------- asking


def _ask(texts: Sequence[str], options: argparse.Namespace, progress: Progress) -> dict[str, tuple[str, str]]:
    """For each text: who has decided it, and the answer."""
    jobs = min(options.jobs or _cores(), 1 + len(texts) // FEW)
    tasks = [(text, options.solver == "cvc5", options.units) for text in texts]
    answers: dict[str, tuple[str, str]] = {}
    for text, answer in zip(texts, _answers(tasks, jobs), strict=True):
        answers[text] = answer
        progress.say(f"{len(answers)} of {len(texts)} steps")
    return answers


def _answers(tasks: Sequence[tuple[str, bool, int]], jobs: int) -> Iterator[tuple[str, str]]:
    if jobs == 1:
        yield from map(_answer, tasks)
        return
    with crew_of(jobs) as crew:
        for each in [crew.submit(_answer, each) for each in tasks]:
            try:
                yield each.result()
            except BrokenProcessPool:
                yield "", "a solver ended without an answer"


def _answer(task: tuple[str, bool, int]) -> tuple[str, str]:
    text, second, units = task
    try:
        if second and (said := ask_cvc5(text, units)) != "unknown":
            return "cvc5", said
        return "z3", ask_z3_apart(text, Z3_UNITS * units)
    except ValueError as problem:
        return "", f"error {problem}".splitlines()[0][:200]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# ---------------------------------------------------------------- is it about this text?


def differences(file: Path, certificates: Sequence[Certificate]) -> list[Problem]:
    """What the rulebook as it is now, and those it uses, differ in from what the certificates speak of."""
    try:
        content = file.read_bytes()
    except OSError:
        raise UsageError(f"there is no rulebook `{file}`") from None
    books = {each.manifest["rulebook"]["path"] for each in certificates}
    mine = [each for each in certificates if Path(each.manifest["rulebook"]["path"]).name == file.name or len(books) == 1]
    if not mine:
        return [Problem(str(file), "no certificate here is about a rulebook of that name")]
    found: dict[Problem, None] = {}
    for each in mine:
        book = each.manifest["rulebook"]
        if sha256(content) != book["sha256"]:
            what = f"is not the text that was certified (sha256 {book['sha256'][:12]}…)"
            found[Problem(str(file), what)] = None
            continue
        for used in book["used"]:
            path = file.parent / used["path"]
            if not path.is_file() or sha256(path.read_bytes()) != used["sha256"]:
                what = "is not the text that was certified" if path.is_file() else "is missing, and the rulebook uses it"
                found[Problem(str(path), what)] = None
        written = heads(content.decode("utf-8", "replace"), file.parent, [used["path"] for used in book["used"]])
        for what in _left_out(written, each.manifest):
            found[Problem(f"{each.directory}/{MANIFEST}".lstrip("/"), what)] = None
    return list(found)


def _left_out(heads: Sequence[Head], manifest: Json) -> list[str]:
    """The rulebook's own actions and duties, found by their first words, against the manifest's table; and the claim."""
    rules, found = manifest["rules"], []
    parties = {each["name"] for each in rules["parties"]}
    table = {kind: {each["name"]: each["members"] for each in rules[kind]} for kind in ("actions", "duties")}
    for each in heads:
        kind, name, params = each.kind, each.name, each.params
        if kind not in ("action", "duty"):
            continue
        listed = table["actions" if kind == "action" else "duties"].get(name)
        members = [each.split(":")[0].strip() for each in params.split(",") if each.partition(":")[2].strip() in parties]
        if listed is None and name not in rules["called"]:
            found.append(f"leaves out the {kind} `{name}` of the rulebook")
        elif listed is not None and [each["name"] for each in listed] != members:
            found.append(f"names other members of the {kind} `{name}` than the rulebook")
    written = {each.name for each in heads}
    for kind, names in table.items():
        more = [name for name in names if "." not in name and name not in written]
        found += [f"has `{name}` among its {kind}, and the rulebook has not" for name in more]
    kind, name = manifest["claim"]["kind"], manifest["claim"]["name"]
    word = {"claim": "claim", "condition": "claim", "reach": "reach"}.get(kind, "")
    if word and "." not in name and (word, name) not in {(each.kind, each.name) for each in heads}:
        found.append(f"is about the {word} `{name}`, which the rulebook does not make")
    return found


# ---------------------------------------------------------------- the report


def _print(done: Verified, stream: IO[str], layout: Layout) -> None:
    kinds = {"confirmed": ("CONFIRMED", "good"), "open": ("OPEN", "weak"), "failed": ("FAILED", "bad")}
    rows: list[list[Cell]] = []
    for each in done.certificates:
        book = Path(each.certificate.manifest["rulebook"]["path"]).stem
        rows.append(
            [
                Cell(*kinds[each.verdict]),
                Cell(layout.clean(book), "dim"),
                Cell(layout.clean(about(each.certificate.manifest)), "name"),
                Cell(_how(each)),
            ]
        )
    lines = columns(layout, [Column(), Column(most=28), Column(most=48), Column(flex=True)], rows) if rows else []
    for each in done.certificates:
        at = f"{each.certificate.directory}/" if each.certificate.directory else ""
        if each.verdict == "open":
            lines += ["", layout.paint("weak", f"not re-checked by a second solver, of {about(each.certificate.manifest)}:")]
            for file, who in each.by.items():
                if who != "cvc5":
                    lines.append(f"  {at}{file}: {layout.clean(each.step(file))} ({who or 'nobody'} confirms it)")
    if done.unwritten:
        lines += ["", layout.paint("weak", "proved without a certificate, so nothing of it was checked here:")]
        for each in done.unwritten:
            given = f" given {', '.join(each['given'])}" if each["given"] else ""
            said = f"{Path(each['rulebook']).stem} {called(each['kind'], each['name'])}{given}: {each['why']}"
            lines.append(f"  {layout.clean(said)}")
    wrong = [*done.problems, *(problem for each in done.certificates for problem in each.problems)]
    if wrong:
        lines += ["", *(f"{layout.paint('bad', layout.clean(each.file))} {layout.clean(each.what)}" for each in wrong)]
    total = {who: sum(each.count(who) for each in done.certificates) for who in ("cvc5", "z3", "")}
    plain = sum(each.plain for each in done.certificates)
    parts = [f"{total['cvc5']} confirmed by cvc5", f"{plain} that no solver was needed for"]
    parts += [f"{total['z3']} by z3 only"] if total["z3"] else []
    parts += [f"{total['']} by nobody"] if total[""] else []
    count = sum(total.values()) + plain
    counts = f"{_many(len(done.certificates), 'certificate')}, {_many(count, 'step')}"
    lines.append(f"{counts}: {', '.join(parts)}; {done.seconds:.1f} s")
    stream.write("\n".join(lines) + "\n")


def _how(checked: Checked) -> str:
    if checked.problems:
        return f"{_many(len(checked.problems), 'thing')} wrong with it"
    whose = (("cvc5", "by cvc5"), ("z3", "by z3 only"), ("", "by nobody"))
    parts = [f"{_many(checked.count(who), 'step')} {name}" for who, name in whose if checked.count(who)]
    parts += [f"{checked.plain} without a solver"] if checked.plain else []
    return ", ".join(parts)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def as_json(done: Verified) -> Json:
    """As the schema `verification` describes it."""
    return {
        "schema": "specforge/verification/2",
        "tool": tool(),
        "exit_code": done.code,
        "directory": str(done.folder),
        "certificates": [
            {
                "directory": each.certificate.directory,
                "rulebook": each.certificate.manifest["rulebook"]["path"],
                "kind": each.certificate.manifest["claim"]["kind"],
                "claim": each.certificate.manifest["claim"]["name"],
                "given": [given["text"] for given in each.certificate.manifest["given"]],
                "verdict": each.verdict,
                "steps": len(each.certificate.manifest["obligations"]),
                "confirmed": each.count("cvc5"),
                "without_solver": each.plain,
                "not_rechecked": [
                    {"file": file, "step": each.step(file), "by": who or None} for file, who in each.by.items() if who != "cvc5"
                ],
                "problems": [{"file": problem.file, "what": problem.what} for problem in each.problems],
            }
            for each in done.certificates
        ],
        "unwritten": list(done.unwritten),
        "problems": [{"file": problem.file, "what": problem.what} for problem in done.problems],
        "seconds": round(done.seconds, 3),
    }

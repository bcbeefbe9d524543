"""Asks a solver about a text, and nothing but the text: the second opinion on a proof."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

Answer = Literal["unsat", "sat", "unknown"]
SECONDS = 20  # beyond which an answer of cvc5 is not waited for, whatever work was done
TURNS = ((True, 400, 10), (False, 1, 60), (True, 1, 60))  # z3's: the everyday procedure?, share of the work, seconds
Z3_SECONDS = sum(seconds for _, _, seconds in TURNS)


def has_cvc5() -> bool:
    return find_spec("cvc5") is not None


# Ways for cvc5 to go about it, with the share of the work each may do: where products matter, none is the best everywhere.
WAYS: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 5),
    ({"decision": "justification"}, 5),
    ({"simplification": "none"}, 5),
    ({"arith-rewrite-equalities": "true"}, 5),
    ({"nl-ext": "none", "nl-cov": "true"}, 5),
    ({"nl-ext": "full", "nl-ext-tplanes": "true"}, 5),
    ({}, 1),
)


def ask_cvc5(text: str, units: int) -> Answer:
    """What cvc5 answers, in one of its ways.  Raises ValueError if it does not understand the text."""
    for options, share in WAYS:
        answer = _ASKED.ask(text, units // share, options)
        if answer != "unknown":
            return answer
    return "unknown"


class _Apart:
    """A solver in a process of its own, ended when it does not keep to its time: some of their ways do not look at the clock.
    `solve`: asks it, in that process."""

    def __init__(self, solve: Callable[..., Answer], seconds: float):
        self.solve, self.seconds = solve, seconds
        self.process: Any = None
        self.line: Any = None

    def ask(self, *question: Any) -> Answer:
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.line, theirs = context.Pipe()
            self.process = context.Process(target=_answering, args=(theirs, self.solve, self.seconds), daemon=True)
            self.process.start()
            theirs.close()
            self.line.recv()  # it is there
        try:
            self.line.send(question)
            answer = self.line.recv() if self.line.poll(self.seconds + 2) else None
        except (EOFError, BrokenPipeError, ConnectionResetError):  # it has ended
            answer = None
        if answer is None:
            self.process.kill()
            self.process = None
            return "unknown"
        if isinstance(answer, ValueError):
            raise answer
        return answer


def _answering(line: Any, solve: Callable[..., Answer], seconds: float) -> None:
    """In a process of its own: one question after the other, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line.send("here")
    while True:
        try:
            question = line.recv()
        except EOFError:
            return
        if hasattr(signal, "alarm"):  # whoever has asked may have ended meanwhile
            signal.alarm(int(2 * seconds))
        try:
            said: Answer | ValueError = solve(*question)
        except ValueError as problem:
            said = problem
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        line.send(said)


def _cvc5(text: str, units: int, options: dict[str, str]) -> Answer:
    """INVARIANT: the text was read before (evidence/smtlib.py), for its commands are carried out."""
    cvc5: Any = import_module("cvc5")  # an extra, without types
    solver: Any = cvc5.Solver(cvc5.TermManager())
    for name, value in {"rlimit-per": str(units), "tlimit-per": str(SECONDS * 1000), **options}.items():
        solver.setOption(name, value)
    parser: Any = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    symbols = parser.getSymbolManager()
    said = ""
    try:
        while not (command := parser.nextCommand()).isNull():
            said = str(command.invoke(solver, symbols)).strip() or said
    except RuntimeError as problem:
        raise ValueError(str(problem).strip()) from None
    if said.startswith("(error"):
        raise ValueError(said)
    return "unsat" if said == "unsat" else "sat" if said == "sat" else "unknown"


def ask_z3(text: str, rlimit: int) -> Answer:
    """What a fresh z3 answers: its everyday procedure, the one for products, and the first again with more patience.  Raises
    ValueError if it does not understand the text."""
    import z3

    context = z3.Context()
    for everyday, share, seconds in TURNS:
        solver = z3.SimpleSolver(ctx=context) if everyday else z3.Tactic("qfnra-nlsat", ctx=context).solver()
        solver.set("rlimit", rlimit // share)
        solver.set("timeout", seconds * 1000)  # a last resort: the work is bounded first
        try:
            solver.from_string(text)
        except z3.Z3Exception as problem:
            raise ValueError(str(problem)) from None
        try:
            answer = str(solver.check())
        except z3.Z3Exception:
            answer = "unknown"
        if answer in ("sat", "unsat"):
            return "sat" if answer == "sat" else "unsat"
    return "unknown"


def ask_z3_apart(text: str, rlimit: int) -> Answer:
    """The same, and "unknown" if it does not come back."""
    return _AGAIN.ask(text, rlimit)


_ASKED, _AGAIN = _Apart(_cvc5, SECONDS), _Apart(ask_z3, Z3_SECONDS)

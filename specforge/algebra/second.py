"""Asks a solver about a text, and nothing but the text: the second opinion on a proof."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

Answer = Literal["unsat", "sat", "unknown"]
SECONDS = 600  # beyond which an answer is not waited for, whatever work was done


def has_cvc5() -> bool:
    return find_spec("cvc5") is not None


def ask_cvc5(text: str, units: int) -> Answer:
    """What cvc5 answers.  The text must have been read before (evidence/smtlib.py): its commands are carried out.  Raises
    ValueError if cvc5 does not understand it."""
    cvc5: Any = import_module("cvc5")  # an extra, without types
    solver: Any = cvc5.Solver(cvc5.TermManager())
    solver.setOption("rlimit-per", str(units))
    solver.setOption("tlimit-per", str(SECONDS * 1000))
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
    for everyday, share in ((True, 40), (False, 1), (True, 1)):
        solver = z3.Solver(ctx=context) if everyday else z3.Tactic("qfnra-nlsat", ctx=context).solver()
        solver.set("rlimit", rlimit // share)
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

"""Asks a solver about a text, and nothing but the text: the second opinion on a proof."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

Answer = Literal["unsat", "sat", "unknown"]
SECONDS = 60  # beyond which an answer is not waited for, whatever work was done


def has_cvc5() -> bool:
    return find_spec("cvc5") is not None


# Ways for cvc5 to go about it, with the share of the work each may do: where products matter, none is the best everywhere.
WAYS: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 5),
    ({"decision": "justification"}, 5),
    ({"simplification": "none"}, 5),
    ({"arith-rewrite-equalities": "true"}, 5),
    ({"nl-ext": "none", "nl-cov": "true"}, 5),
    ({}, 1),
)


def ask_cvc5(text: str, units: int) -> Answer:
    """What cvc5 answers, in one of its ways.  Raises ValueError if it does not understand the text."""
    for options, share in WAYS:
        answer = _cvc5(text, units // share, options)
        if answer != "unknown":
            return answer
    return "unknown"


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
    for everyday, share, seconds in ((True, 40, 10), (False, 1, 60), (True, 1, 60)):
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

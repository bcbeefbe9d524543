"""How long it takes to begin: `specforge --version` as a whole process, and 1,000 lines parsed, checked and lowered.

python benchmarks/frontend.py [rounds]
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from measure import HERE, Row, in_turn, median_of, process, python, show

EXAMPLES = HERE.parent / "tests" / "venues"
LINES = 1_000
NAMING = re.compile(
    r"^(?:asset|unit|parameter|party|member|let|table|action|duty|procedure|assumption|claim|reach|scenario|source) (\w+)",
    re.MULTILINE,
)
COPIED = ("01_bitmex", "02_binance", "07_deribit", "09_ftx_as_run", "12_ccp_waterfall", "05_small_venue")  # each stands alone


def long_rulebook(lines: int = LINES) -> str:
    """One rulebook of so many lines: copies of the examples under one heading, every name with the number of its copy."""
    text = ['rulebook "Long" "The examples, one after the other."']
    copy, fitting = 0, True
    while fitting:
        fitting = False
        for name in COPIED:
            body = (EXAMPLES / f"{name}.rulebook").read_text(encoding="utf-8").partition("\n")[2]
            names = "|".join(sorted(NAMING.findall(body), key=len, reverse=True))
            numbered = re.sub(rf"\b({names})\b", rf"\1_{copy + 1}", body).splitlines()
            if len(text) + len(numbered) <= lines:
                text += numbered
                copy, fitting = copy + 1, True
    text += ["# as many lines as were promised"] * (lines - len(text))
    return "\n".join(text) + "\n"


def loading(path: Path) -> None:
    from specforge.elaborate import load

    system, diagnostics = load(str(path))
    assert system is not None, diagnostics[:3]


def building_the_grammar() -> None:
    """What a parser that ships a grammar, not its tables, does at every start."""
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        def __init__(self, conf: object) -> None: ...

        def lex(self, *_: object) -> object: ...  # type: ignore[override]

    grammar = (HERE.parent / "specforge/syntax/grammar.lark").read_text(encoding="utf-8")
    Lark(grammar, parser="lalr", start=["header", "item"], lexer=NoLexer, maybe_placeholders=True)


def main(rounds: int) -> None:
    command = Path(sys.executable).with_name("specforge")
    ours, bare, solver = in_turn(
        [str(command), "--version"], [sys.executable, "-c", "pass"], [sys.executable, "-c", "import z3"], rounds=rounds
    )
    rows = [
        Row("specforge --version, whole process", ours.seconds, "python -c pass", bare.seconds, "0.15 s", ours.seconds <= 0.15),
        Row("the same beside a start of the solver", ours.seconds, "python -c 'import z3'", solver.seconds),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.rulebook"
        path.write_text(long_rulebook(), encoding="utf-8")
        grammar = median_of(building_the_grammar, max(3, rounds // 3))
        warm = median_of(lambda: loading(path), rounds)
        first = process(python("ours/load.py", path))
    rows += [
        Row(
            f"{LINES:,} lines parsed, checked, lowered", warm, "lark building the grammar alone", grammar, "0.3 s", warm <= 0.3,
            note="" if first.answer == "ok" else first.answer,
        ),
        Row("the same, the first time in a process", first.solving, "", None, "0.3 s", first.solving <= 0.3),
    ]  # fmt: skip
    show("frontend", "Before anything is decided", rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)

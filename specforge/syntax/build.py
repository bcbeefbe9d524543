"""Turns grammar.lark into tables.py, the same grammar as plain tables that load at once.

For developers: `python -m specforge.syntax.build` writes the file, `--check` says whether it is up to date.
Nothing else in the package needs Lark, and an installed package runs without it.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownLambdaType=false

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GRAMMAR, TABLES = HERE / "grammar.lark", HERE / "tables.py"
STARTS = ("header", "item")

# How a rule makes its value: it is one of its parts; a list of them; what a method makes of them; or, when a list
# turns out to have one member, that member.
PASS, LIST, CALL, PASS_ONE = 0, 1, 2, 3


def build(grammar: str) -> str:
    """The text of tables.py for this grammar.  Any conflict in the grammar is an error."""
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

    class NoLexer(Lexer):
        """We cut the text ourselves (lex.py); Lark only works out the tables."""

        def __init__(self, conf: Any) -> None: ...

        def lex(self, lexer_state: Any, parser_state: Any) -> Any: ...

    lark: Any = Lark(grammar, parser="lalr", start=list(STARTS), lexer=NoLexer, maybe_placeholders=True)
    analyzer: Any = LALR_Analyzer(lark.parser.parser_conf, debug=True, strict=True)
    analyzer.compute_lalr()
    table = analyzer.parse_table

    literals = {t.name: t.pattern.value for t in lark.terminals if t.pattern is not None}
    plain = {"$END": "END", "_NL": "NL", "_INDENT": "INDENT", "_DEDENT": "DEDENT"}
    rules = [r for r in lark.rules if not r.origin.name.startswith("$")]
    used = {s.name for r in rules for s in r.expansion if s.is_term}
    terminals = [*sorted(used, key=lambda name: (name in literals, literals.get(name, name))), "$END"]
    heads = sorted({r.origin.name for r in rules})
    number = {name: i for i, name in enumerate(terminals + heads)}
    calls = sorted({_method(r) for r in rules if _kind(r) >= CALL})

    rule_number = {r: i for i, r in enumerate(rules)}
    order = _in_order(table, Shift)
    rows: list[tuple[int, ...]] = []
    for state in order:
        row: list[int] = []
        for name, (what, arg) in sorted(table.states[state].items(), key=lambda a: a[0]):
            if name in number:
                row += [number[name], order[arg] if what is Shift else ~rule_number[arg]]
        rows.append(tuple(row))

    rule_rows = [
        (number[r.origin.name], len(r.expansion), _kind(r), calls.index(_method(r)) if _kind(r) >= CALL else 0, _recipe(r))
        for r in rules
    ]
    parts = {
        "TERMINALS": tuple(plain.get(n, literals.get(n, n)) for n in terminals),
        "RULES": tuple(rule_rows),
        "METHODS": tuple(calls),
        "FIRST": {s: order[table.start_states[s]] for s in STARTS},
        "LAST": {s: order[table.end_states[s]] for s in STARTS},
    }
    lines = [
        '"""The grammar as tables.  Made from grammar.lark by `python -m specforge.syntax.build`; do not edit."""',
        "",
        "# ruff: noqa",
        "# fmt: off",
        "",
        *(f"{name} = {_packed(value)}" for name, value in parts.items()),
        "# One line for each state: a symbol, what to do on it (a state to go to, or ~rule), another symbol, …",
        'STATES = """',
        *(" ".join(map(str, row)) for row in rows),
        '"""',
        "",
    ]
    return "\n".join(lines)


def _in_order(table: Any, shift: Any) -> dict[Any, int]:
    """The states numbered as they are first reached, so that every run gives the same tables."""
    order: dict[Any, int] = {}
    waiting = [table.start_states[s] for s in STARTS]
    for state in waiting:
        if state not in order:
            order[state] = len(order)
            waiting.extend(arg for _, (what, arg) in sorted(table.states[state].items(), key=lambda a: a[0]) if what is shift)
    return order


def _method(rule: Any) -> str:
    return str(rule.alias or rule.origin.name)


def _kind(rule: Any) -> int:
    if rule.origin.name.startswith("_"):
        return LIST
    if rule.options.expand1 and not rule.alias:
        return PASS if _recipe(rule)[0] >= 0 else PASS_ONE
    return CALL


def _recipe(rule: Any) -> tuple[int, ...]:
    """For each argument: which part of the rule it is; -1 for an optional part that is not there; ~i - 1 for a
    part i that is a list whose members are arguments of their own."""
    gaps = rule.options.empty_indices or (False,) * len(rule.expansion)
    parts = iter(enumerate(rule.expansion))
    recipe: list[int] = []
    for gap in gaps:
        if gap:
            recipe.append(-1)
            continue
        i, symbol = next(parts)
        if symbol.is_term and symbol.filter_out and not rule.options.keep_all_tokens:
            continue
        recipe.append(~i - 1 if not symbol.is_term and symbol.name.startswith("_") else i)
    return tuple(recipe)


def _packed(value: Any) -> str:
    """`value` in source form, broken into lines."""
    text = repr(value).replace(" ", "") if not isinstance(value, dict) else repr(value)
    return re.sub(r"(.{100,}?,)", r"\1\n", text) if not isinstance(value, dict) else text


def main(arguments: list[str]) -> int:
    text = build(GRAMMAR.read_text(encoding="utf-8"))
    if arguments == ["--check"]:
        fresh = TABLES.exists() and TABLES.read_text(encoding="utf-8") == text
        print("tables.py is up to date" if fresh else "tables.py is stale: run python -m specforge.syntax.build")
        return 0 if fresh else 1
    TABLES.write_text(text, encoding="utf-8")
    print(f"wrote {TABLES.name}: {len(text) // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

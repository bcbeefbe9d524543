"""Reads which commands a step's text gives to a solver, so that nothing but facts and one question is ever carried out."""

from __future__ import annotations

import re

TOKEN = re.compile(r'\s+|;[^\n]*|"(?:[^"]|"")*"|\|[^|\\]*\||[()]|[^\s()|";]+')
HARMLESS = {"set-info", "set-logic", "declare-fun", "assert", "check-sat"}
UNKNOWN = re.compile(r"\(declare-fun (?:\|[^|\\]*\||[^\s()|\";]+) \(\) (?:Real|Bool|Int)\)")


def mistake(text: str) -> str:
    """What keeps the text from being an obligation, in one sentence; "" if nothing does."""
    found = _commands(text)
    if isinstance(found, str):
        return found
    for name, command in found:
        if name not in HARMLESS:
            return f"the command `{name[:40]}` has no place in an obligation"
        if name == "declare-fun" and not UNKNOWN.fullmatch(command):
            return "something other than a plain unknown is declared"
        if name == "set-info" and command != "(set-info :smt-lib-version 2.6)":
            return "something other than the version of SMT-LIB is said of the text"
    names = [name for name, _ in found]
    if names.count("check-sat") != 1 or names[-1] != "check-sat":
        return "the question `(check-sat)` must stand once, at the end"
    if "assert" not in names:
        return "no fact is stated"
    return ""


def _commands(text: str) -> list[tuple[str, str]] | str:
    """Each command's name and text, or what is wrong."""
    found: list[tuple[str, str]] = []
    at = depth = start = 0
    name = ""
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            return "it is not SMT-LIB: a quoted name or text does not end"
        said, at = token[0], token.end()
        if said[0].isspace() or said[0] == ";":
            continue
        if said == "(":
            start = token.start() if depth == 0 else start
            depth += 1
        elif said == ")":
            depth -= 1
            if depth < 0:
                return "it is not SMT-LIB: a parenthesis closes what none opened"
            if depth == 0:
                found.append((name, text[start:at]))
                name = ""
        elif depth == 0:
            return "it is not SMT-LIB: something stands outside every command"
        elif depth == 1 and not name:
            name = said
    return "it is not SMT-LIB: a parenthesis is not closed" if depth else found

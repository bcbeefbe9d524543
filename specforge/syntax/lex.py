"""Cuts the text of a rulebook into words, numbers, signs and lines, and finds where blocks begin and end.

Spellings that are clearly meant (`==`, `&&`, `1,000`, `.5`) are reported with a fix and read as what they mean, so
that the rest of the file is still checked.
"""

from __future__ import annotations

import re

from attrs import Factory

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import SourceFile, Span
from specforge.records import define
from specforge.syntax.tables import TERMINALS

KIND = {name: kind for kind, name in enumerate(TERMINALS)}
KEYWORDS = {word: kind for word, kind in KIND.items() if word.isalpha() and word.islower()}
BAD = -1  # something already reported; no sentence can contain it
NAME, NUMBER, PERCENT, STRING = KIND["NAME"], KIND["NUMBER"], KIND["PERCENT"], KIND["STRING"]
NL, INDENT, DEDENT, END = KIND["NL"], KIND["INDENT"], KIND["DEDENT"], KIND["END"]
ALSO_NAMES = frozenset(  # names, too, wherever no sentence has these words
    ["apart", "balance", "every", "first", "highest", "include", "issued", "least", "lemma", "lowest", "net", "once", "one",
     "order", "proportion", "reach", "refused", "remain", "rest", "source", "step", "steps", "table", "unit", "without"]
)  # fmt: skip
RESERVED = frozenset(KEYWORDS) - ALSO_NAMES

MAX_BRACKETS = 64
MAX_DIGITS = 100
MAX_PROBLEMS = 50

# Words that begin a sentence and can stand nowhere inside brackets: where one begins a line, a bracket is open.
OPENERS = frozenset(
    ["source", "use", "asset", "unit", "parameter", "party", "member", "let", "table", "procedure", "action", "duty",
     "assumption", "claim", "reach", "scenario", "cites", "require", "transfer", "receive", "pay", "issue", "burn",
     "collect", "taking", "when", "once", "expect", "check", "then"]
)  # fmt: skip

_WORDS = re.compile(
    r"""[ \t]*(?:
      ([A-Za-z_][A-Za-z0-9_]*)                                              # 1 name or reserved word
    | ([0-9][0-9_]*(?:\.[0-9]+)?)(%?)                                       # 2 number, 3 percent
    | (!=(?!=)|<=|>=|:=|\+=|-=|=(?![=<>])|<(?!>)|\*(?!\*)|\.(?!\.)|[()+,\-/:>\[\]])   # 4 sign
    | ("[^"\n]*")                                                           # 5 text
    | (\r?\n)                                                               # 6 end of line
    | (\#[^\n]*)                                                            # 7 comment
    | (\r?\Z)                                                               # 8 end of file
    | (===|!==|==|\.\.+|<>|=<|=>|&&|\|\||\*\*|"[^"\n]*|[“„«][^“”»\n]*[“”»]|'[^'\n]*'
      |[^\x00-\x7f]+|[^ \t])                                                # 9 something foreign
    )""",
    re.VERBOSE,
)
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)")
_WORD_HERE = re.compile(r"[ \t]*([a-z]+)\b")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9_])(?:\.[0-9]+)?%?")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_MEANT = {
    "==": "=", "===": "=", "<>": "!=", "!==": "!=", "=<": "<=", "..": "to", "...": "to", "&&": "and", "||": "or", "!": "not",
    "≤": "<=", "≥": ">=", "≠": "!=", "\u2212": "-", "\u2013": "-", "\u00d7": "*", "·": "*", "÷": "/",
    "∧": "and", "\u2228": "or", "¬": "not",
    ";": "", "\u00a0": "",
}  # fmt: skip


@define
class Words:
    """The text cut up: kinds[i] stands from starts[i] to ends[i].  `items`: where sentences at the left margin begin."""

    file: SourceFile
    kinds: list[int] = Factory(list)
    starts: list[int] = Factory(list)
    ends: list[int] = Factory(list)
    items: list[int] = Factory(list)
    problems: list[Diagnostic] = Factory(list)

    def span(self, i: int) -> Span:
        return Span(self.file, self.starts[i], self.ends[i])

    def text(self, i: int) -> str:
        return self.file.text[self.starts[i] : self.ends[i]]


def lex(file: SourceFile, code: str) -> Words:
    """The words of `code`, which is the text of `file` with everything that is not code blanked out."""
    words = Words(file)
    _report_hidden(words, code)
    _Lexer(words, _HIDDEN.sub(" ", code) if _HIDDEN.search(code) else code).run()
    return words


def _report_hidden(words: Words, code: str) -> None:
    """Characters a reader cannot see could make a rulebook say something else than it shows."""
    found = [m for m in _HIDDEN.finditer(code) if not (m.start() == 0 and m.group() == "\ufeff")]
    for match in found[:3]:
        more = f", and {len(found) - 3} more like it" if len(found) > 3 and match is found[2] else ""
        span = Span(words.file, match.start(), match.end())
        words.problems.append(
            error(
                Code.SF101,
                f"a character that cannot be seen stands here: U+{ord(match.group()):04X}{more}",
                Label(span),
                help="delete it",
                fixes=(Fix(span, "", "delete it"),),
            )
        )


class _Lexer:
    def __init__(self, words: Words, text: str) -> None:
        self.words = words
        self.text = text
        self.open: list[int] = []  # offsets of the brackets still open
        self.indents: list[tuple[int, int]] = [(0, 0)]  # width with tabs to the next eighth column; with tabs as one
        self.line_start = self.misfit = 0

    def add(self, kind: int, start: int, end: int) -> None:
        self.words.kinds.append(kind)
        self.words.starts.append(start)
        self.words.ends.append(end)

    def problem(self, code: Code, message: str, start: int, end: int, help: str, replacement: str | None = None) -> None:
        span = Span(self.words.file, start, end)
        fixes = (Fix(span, replacement, help),) if replacement is not None else ()
        self.words.problems.append(error(code, message, Label(span), help=help, fixes=fixes))

    def run(self) -> None:
        text, match, keyword, add = self.text, _WORDS.match, KEYWORDS.get, self.add
        at = self.begin_line(1 if self.words.file.text.startswith("\ufeff") else 0)
        size = len(text)
        while True:
            m = match(text, at)
            if m is None or len(self.words.problems) > MAX_PROBLEMS:  # the first cannot happen
                break
            group = m.lastindex
            at = m.end()
            if group == 1:
                start = m.start(1)
                add(keyword(text[start:at], NAME), start, at)
            elif group == 4:
                at = self.sign(m.start(4), at)
            elif group == 3:
                at = self.number(m, at)
            elif group == 5:
                add(STRING, m.start(5), at)
            elif group == 6:
                at = self.line_end(at)
            elif group == 9:
                at = self.foreign(m.start(9), at)
            if at >= size and group != 6:
                break
        self.end()

    # ------------------------------------------------------------ lines

    def begin_line(self, at: int) -> int:
        """Skip empty lines and comments from `at`, the start of a line; open and close blocks; the offset of the
        first word."""
        m = _BLANK.match(self.text, at)
        assert m is not None
        start, at = m.start(1), m.end()
        if at >= len(self.text) or self.text[at] in "#\r\n":
            return at
        self.line_start = start
        blank = m.group(1)
        width = (len(blank.expandtabs(8)), len(blank)) if blank else (0, 0)
        top = self.indents[-1]
        if width != top:
            self.indent(width, start, at)
        if self.indents[-1] == (0, 0):
            self.words.items.append(len(self.words.kinds))
        return at

    def indent(self, width: tuple[int, int], start: int, at: int) -> None:
        place = self.words.ends[-1] if self.words.ends else 0
        if not self.words.kinds:
            self.problem(
                Code.SF104, "the first line of a rulebook is not indented", start, at, "begin it at the left margin", ""
            )
            return
        if width > self.indents[-1]:
            self.mixed(width, start, at)
            self.indents.append(width)
            self.add(INDENT, place, place)
            return
        while width <= self.indents[-2]:
            self.indents.pop()
            self.add(DEDENT, place, place)
            if width == self.indents[-1]:
                return
        if not self.mixed(width, start, at) and self.misfit != len(self.words.items):
            self.misfit = len(self.words.items)  # once per item; the line is read as one of the inner block
            inner, outer = self.indents[-1][0], self.indents[-2][0]
            self.problem(
                Code.SF104,
                f"this line is indented by {width[0]}, which fits no block above it",
                start,
                at,
                f"indent it by {inner} or by {outer}",
            )

    def mixed(self, width: tuple[int, int], start: int, at: int) -> bool:
        """Tabs and spaces mixed so that it depends on the editor which line is further in."""
        top = self.indents[-1]
        if (width[0] > top[0]) == (width[1] > top[1]) and (width[0] == top[0]) == (width[1] == top[1]):
            return False
        self.problem(
            Code.SF104, "tabs and spaces are mixed in the indentation", start, at, "indent with spaces", " " * width[0]
        )
        return True

    def line_end(self, at: int) -> int:
        if self.open:
            m = _WORD_HERE.match(self.text, at)
            if m is None or m.group(1) not in OPENERS:
                return at
            self.unclosed()
        if self.words.kinds:
            self.close_line()
        return self.begin_line(at)

    def close_line(self) -> None:
        if self.words.kinds[-1] not in (NL, INDENT, DEDENT):
            place = self.words.ends[-1]
            self.add(NL, place, place)

    def unclosed(self) -> None:
        start = self.open[-1]
        bracket = self.text[start]
        closing = ")" if bracket == "(" else "]"
        self.problem(Code.SF103, f"this `{bracket}` is never closed", start, start + 1, f"close it with `{closing}`")
        self.open.clear()
        self.add(BAD, self.words.ends[-1], self.words.ends[-1])

    def end(self) -> None:
        if self.open:
            self.unclosed()
        if self.words.kinds:
            self.close_line()
            place = self.words.ends[-1]
            for _ in self.indents[1:]:
                self.add(DEDENT, place, place)

    # ------------------------------------------------------------ words

    def sign(self, start: int, at: int) -> int:
        sign = self.text[start:at]
        if sign in "([":
            self.open.append(start)
            if len(self.open) == MAX_BRACKETS + 1:
                self.problem(
                    Code.SF123, f"brackets nested more than {MAX_BRACKETS} deep", start, at, "name a part with `let`"
                )
            if len(self.open) > MAX_BRACKETS:
                self.add(BAD, start, at)
                return at
        elif sign in ")]":
            if self.open:
                self.open.pop()
        elif sign == "." and self.text[at : at + 1].isdigit() and not self.follows_name(start):
            digits = re.compile(r"[0-9]+%?").match(self.text, at)
            end = digits.end() if digits else at
            if end > at:
                written = self.text[start:end]
                self.problem(Code.SF111, "a number begins with a digit", start, end, f"write `0{written}`", f"0{written}")
                self.add(PERCENT if written.endswith("%") else NUMBER, start, end)
                return end
        self.add(KIND[sign], start, at)
        return at

    def follows_name(self, start: int) -> bool:
        return bool(self.words.kinds) and self.words.ends[-1] == start and self.words.kinds[-1] in _ENDS

    def number(self, m: re.Match[str], at: int) -> int:
        start = m.start(2)
        if at < len(self.text) and self.text[at] == ",":
            grouped = _THOUSANDS.match(self.text, start)
            if grouped and (not self.open or re.search(",0", grouped.group())):
                written = grouped.group()
                plain = written.replace(",", "_")
                self.problem(
                    Code.SF111, "a comma cannot stand inside a number", start, grouped.end(), f"write `{plain}`", plain
                )
                self.add(PERCENT if written.endswith("%") else NUMBER, start, grouped.end())
                return grouped.end()
        elif at < len(self.text) and self.text[at] in "eE" and self.text[at + 1 : at + 2].isdigit():
            self.problem(
                Code.SF111, "numbers are written out", start, at + 2, "write it with all its zeros, as in `1_000_000`"
            )
        if at - start > MAX_DIGITS:
            self.problem(
                Code.SF124, f"this number has more than {MAX_DIGITS} digits", start, at, "no rulebook needs as many"
            )
            self.add(BAD, start, at)
            return at
        self.add(PERCENT if m.group(3) else NUMBER, start, at)
        return at

    def foreign(self, start: int, at: int) -> int:
        """Something the language does not have; say what to write instead, and read that when it is clear."""
        found = self.text[start:at]
        if len(found) > 1 and found[0] in "“„«'":
            plain = '"' + found[1:-1].replace('"', "") + '"'
            self.problem(Code.SF101, "quotation marks are straight and double", start, at, f"write `{plain}`", plain)
            self.add(STRING, start, at)
            return at
        if found[0] == '"':
            end = len(found.rstrip()) + start
            self.problem(
                Code.SF102, 'this text has no closing `"` on its line', start, end, 'close it with `"` at the end of the line'
            )
            self.add(BAD, start, end)
            return at
        meant = ">=" if found == "=>" else _MEANT.get(found)
        if meant is None:
            self.problem(Code.SF101, *_about(found, start, at))
            self.add(BAD, start, at)
        else:
            if found == "=>":
                message, help = "`=>` is not part of the language", "write `>=` for at least, or `implies`"
            elif found == ";":
                message, help = "a sentence ends with its line, without `;`", "delete it"
            elif not meant:
                message, help = f"a space of another kind (U+{ord(found):04X}) stands here", "write an ordinary space"
            else:
                message, help = f"`{found}` is written `{meant}`", f"write `{meant}`"
            replacement = meant or (" " if found == "\u00a0" else "")
            if meant.isalpha():  # a word needs a space on each side
                replacement = f"{meant} " if self.text[at : at + 1] not in (" ", "") else meant
                if self.text[start - 1 : start] not in (" ", "(", "["):
                    replacement = f" {replacement}"
            fix = None if found == "=>" else replacement
            self.problem(Code.SF110 if found.isascii() else Code.SF101, message, start, at, help, fix)
            if meant:
                self.add(KIND[meant], start, at)
        return at


_ENDS = frozenset({NAME, KIND[")"], KIND["]"]})


def _about(found: str, start: int, end: int) -> tuple[str, int, int, str]:
    """What to say about a character that no sentence contains."""
    if found in ("**", "^"):
        return f"`{found}` is not part of the language", start, end, "multiply it out: `x * x`"
    if found in "$€£¥₿":
        return f"`{found}` cannot stand here", start, end, "write the asset behind the number: `100 USD`"
    if found in "“”„«»\u2018\u2019'`":
        return f"`{found}` cannot stand here", start, end, 'quotation marks are straight and double: `"text"`'
    if found in "{}":
        return f"`{found}` cannot stand here", start, end, "a block is a header with `:` and indented lines below it"
    if found == "\r":
        return "a line ends with a carriage return alone", start, end, "save the file with ordinary line ends"
    if found == "%":
        return "`%` belongs right behind a number", start, end, "write `5%`; for a remainder use `floor`"
    if found.isalpha():
        return f"`{found}` cannot stand in a name", start, end, "names are made of a to z, A to Z, digits and `_`"
    return f"`{found}` is not part of the language", start, end, "delete it"

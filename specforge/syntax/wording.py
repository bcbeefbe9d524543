"""Says in words what could stand at a place of a rulebook, and what stands there."""

from __future__ import annotations

from collections.abc import Callable

from specforge.diagnostics.source import Span
from specforge.records import frozen
from specforge.syntax.lex import BAD, DEDENT, END, INDENT, KEYWORDS, NL, RESERVED, Words
from specforge.syntax.tables import TERMINALS

WORDS = frozenset(KEYWORDS)
VALUE = frozenset({"NAME", "NUMBER", "PERCENT", "(", "-", "yes", "no", "not", "for"})
OPERATORS = frozenset({"+", "-", "*", "/", "=", "!=", "<", "<=", ">", ">=", "and", "or", "implies", "if"})
ITEMS = (
    "party", "action", "duty", "claim", "parameter", "asset", "unit", "let", "table", "procedure", "member", "assumption",
    "reach", "lemma", "scenario", "source", "use", "include", "cites",
)  # fmt: skip
STATEMENTS = (
    "require", "transfer", "receive", "pay", "issue", "burn", "let", "if", "for", "collect", "nothing", "cites", "NAME",
)  # fmt: skip
# Words that join or introduce parts of a sentence; nobody means them as a name.
JOINING = frozenset(
    ["and", "or", "implies", "if", "otherwise", "where", "for", "from", "to", "into", "per", "of", "by", "given", "with",
     "only", "as", "in", "on", "after", "not", "then", "up", "at", "each"]
)  # fmt: skip
_NAMED = {
    "NAME": "a name",
    "STRING": "text in quotes",
    "NUMBER": "a number",
    "PERCENT": "a percentage",
    "NL": "the end of the line",
    "INDENT": "an indented line",
    "DEDENT": "the end of the block",
    "END": "the end of the item",
}


@frozen
class Situation:
    """Word `at` of the words `chunk` of one item cannot stand there.  Words are counted within the item."""

    words: Words
    chunk: list[int]
    at: int
    what: str  # "header" or "item"
    expected_at: Callable[[int], frozenset[str]]
    strict: bool = False  # words of the language are never read as names

    @property
    def reserved(self) -> frozenset[str]:
        return WORDS if self.strict else RESERVED

    @property
    def expected(self) -> frozenset[str]:
        return self.expected_at(self.at)

    @property
    def found(self) -> str:
        return self.kind(self.at)

    def kind(self, k: int) -> str:
        """`NAME`, `NL`, …, or the reserved word or sign itself; `END` outside the item."""
        if not 0 <= k < len(self.chunk):
            return "END"
        kind = self.words.kinds[self.chunk[k]]
        return "BAD" if kind == BAD else TERMINALS[kind]

    def layout(self, k: int) -> bool:
        return self.kind(k) in ("NL", "INDENT", "DEDENT", "END")

    def text(self, k: int) -> str:
        return self.words.text(self.chunk[k])

    def span(self, k: int) -> Span:
        """The word; for the end of a line or an item the place behind the last word."""
        if k < len(self.chunk):
            return self.words.span(self.chunk[k])
        end = self.words.ends[self.chunk[-1]]
        return Span(self.words.file, end, end)

    def next_word(self, k: int) -> int | None:
        """The first word from `k` on that is not layout; it may belong to the next item."""
        word = self.chunk[k] if k < len(self.chunk) else self.chunk[-1] + 1
        while word < len(self.words.kinds):
            if self.words.kinds[word] not in (NL, INDENT, DEDENT, END):
                return word
            word += 1
        return None

    def first(self, k: int) -> int:
        """The first word of the line on which word `k` stands."""
        k = min(k, len(self.chunk) - 1)
        while k > 0 and not self.layout(k - 1):
            k -= 1
        return k

    def begins_line(self, k: int) -> bool:
        return k == 0 or self.layout(k - 1)

    def open_bracket(self) -> int | None:
        """The innermost bracket that is open at `at`."""
        waiting: list[int] = []
        for k in range(self.at):
            if self.kind(k) in ("(", "["):
                waiting.append(k)
            elif self.kind(k) in (")", "]") and waiting:
                waiting.pop()
        return waiting[-1] if waiting else None


def found_words(s: Situation) -> str:
    """What stands at the place: user text in backticks, layout in words."""
    if s.found == "NL":
        return "the end of the line"
    if s.found in ("INDENT", "DEDENT", "END"):
        word = s.next_word(s.at)
        return "the end of the file" if word is None else f"`{_short(s.words.text(word))}`"
    return f"`{_short(s.text(s.at))}`"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def expected_words(expected: frozenset[str]) -> str:
    """`a`, `b` or `c`: the most telling of what could stand there."""
    rest = set(expected)
    parts: list[str] = []
    if rest >= {"NUMBER", "("}:
        parts.append("a value")
        rest -= VALUE | {"DEDENT"}
    elif len(rest & set(ITEMS)) > 10:
        parts.append("a declaration such as `party`, `action`, `duty` or `claim`")
        rest -= set(ITEMS)
    elif len(rest & set(STATEMENTS)) > 8:
        parts.append("a statement such as `require`, `transfer` or `let`")
        rest -= set(STATEMENTS)
    elif rest >= {"+", "*"}:
        more = rest - OPERATORS - {".", "[", "(", "per", "NAME"}
        if not more:
            return "an operator such as `+` or `<=`"
        rest = more
    if rest - {".", "["}:  # these may follow any name
        rest -= {".", "["}
    order = {"NAME": 0, "NUMBER": 1, "STRING": 4, "INDENT": 5, "NL": 6, "DEDENT": 7, "END": 8}
    for kind in sorted(rest, key=lambda k: (order.get(k, 3 if k.isalpha() else 2), k)):
        parts.append(_NAMED.get(kind) or f"`{kind}`")
    if len(parts) > 1:
        parts = [p for p in parts if p not in ("the end of the block", "the end of the item")] or parts
    if len(parts) > 7:
        parts = [*parts[:6], "something else"]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]


def another_name(word: str) -> str:
    """A name to use instead of a reserved word."""
    return _INSTEAD.get(word, f"the_{word}")


_INSTEAD = {
    "above": "ceiling", "action": "deed", "asset": "coin", "assumption": "premise", "balance": "funds", "below": "floor_level",
    "burn": "burned", "check": "test", "claim": "demand", "collect": "collected", "count": "how_many", "duty": "task",
    "equally": "evenly", "exists": "present", "first": "earliest", "highest": "top", "issue": "issuance",
    "issued": "minted", "largest": "maximum", "least": "minimum", "lowest": "bottom", "member": "person",
    "net": "net_amount", "nothing": "none", "one": "single", "order": "purchase", "parameter": "setting",
    "party": "side", "pay": "payment", "proportion": "fraction", "reach": "goal", "receive": "receipt",
    "refused": "rejected", "remain": "remaining", "require": "condition", "rest": "remainder", "scenario": "story",
    "smallest": "minimum", "source": "origin", "step": "stage", "steps": "stages", "sum": "total", "table": "schedule",
    "taking": "taken", "transfer": "transferred", "unit": "lot", "use": "usage", "given": "condition",
}  # fmt: skip
assert not WORDS & set(_INSTEAD.values())

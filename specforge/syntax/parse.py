"""Reads the text of a rulebook into its tree, and says everything that is wrong with it in one go.

Each item (a sentence at the left margin with the lines indented below it) is read on its own, so a mistake in one
does not hide the next.  Inside an item, a line that cannot be read is left out and the rest is read again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from typing import Any

from attrs import evolve

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Label, Severity, error
from specforge.diagnostics.source import SourceFile, Span
from specforge.records import frozen
from specforge.syntax import markdown, tree
from specforge.syntax.construct import Construct, with_cites
from specforge.syntax.lex import ALSO_NAMES, BAD, DEDENT, END, INDENT, KIND, NAME, NL, Words, lex
from specforge.syntax.mistakes import ELSE, explain
from specforge.syntax.tables import FIRST, LAST, METHODS, RULES, STATES, TERMINALS
from specforge.syntax.wording import Situation

MAX_CHARACTERS = 1_000_000
MAX_LINES = 20_000
MAX_DEPTH = 100
MAX_MISTAKES = 20
MAX_EFFORT = 300_000  # words read again to find further mistakes in one item

_ROWS = [list(map(int, line.split())) for line in STATES.split("\n")[1:-1]]
_TABLE: list[dict[int, int]] = [dict(zip(row[::2], row[1::2], strict=True)) for row in _ROWS]
_LEAVES = {KIND[name]: name for name in ("NAME", "NUMBER", "PERCENT", "STRING")}
_PASS, _LIST, _CALL, _PASS_ONE = 0, 1, 2, 3  # as in build.py
_ALSO_NAMES = frozenset(KIND[word] for word in ALSO_NAMES)
_TIER_WORDS = frozenset(KIND[word] for word in ("from", "taking", "rest"))
_PLAIN = [all(part >= -1 for part in recipe) for *_, recipe in RULES]


@frozen
class Stop:
    """Where reading stopped: word `at` fits no sentence, or the tree became too deep there."""

    at: int
    too_deep: Span | None = None


def parse(source: SourceFile) -> tuple[tree.Rulebook | None, list[Diagnostic]]:
    """The tree of a rulebook, or None and the errors in it.  Never raises, whatever the text."""
    book, problems = parse_partly(source)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return (None if failed else book), problems


def parse_partly(source: SourceFile) -> tuple[tree.Rulebook | None, list[Diagnostic]]:
    """As `parse`, but with errors the tree still holds every item that could be read: for editors."""
    too_large = _too_large(source)
    if too_large:
        return None, [too_large]
    code, problems = markdown.code(source)
    if problems:
        return None, problems
    words = lex(source, code)
    reader = _Reader(words)
    book = reader.read()
    return book, _in_order(words.problems, [*reader.construct.problems, *reader.problems])


def _too_large(source: SourceFile) -> Diagnostic | None:
    start = Label(Span(source, 0, 0))
    if len(source.text) > MAX_CHARACTERS:
        what = f"{len(source.text):,} characters; a rulebook may have {MAX_CHARACTERS:,}".replace(",", "_")
    elif source.text.count("\n") > MAX_LINES:
        what = f"{source.text.count(chr(10)):,} lines; a rulebook may have {MAX_LINES:,}".replace(",", "_")
    else:
        return None
    return error(Code.SF122, f"this file has {what}", start, help="split it, and join the parts with `use`")


def _in_order(of_words: list[Diagnostic], of_sentences: list[Diagnostic]) -> list[Diagnostic]:
    """By place, each mistake once, and not more than anybody would read."""
    lines = {problem.span.line for problem in of_words}
    brackets = {problem.span for problem in of_words if problem.code is Code.SF103}

    def follows(problem: Diagnostic) -> bool:
        """Whether a sentence makes no sense only because of a word in it that has been reported."""
        on_line = problem.span.line in lines or any(label.span in brackets for label in problem.labels)
        return problem.code is Code.SF100 and on_line

    found = [*of_words, *(problem for problem in of_sentences if not follows(problem))]
    ordered = list({(p.span, p.code): p for p in sorted(found, key=lambda p: (p.span.start, p.span.end))}.values())
    if len(ordered) <= MAX_MISTAKES:
        return ordered
    rest = Label(ordered[MAX_MISTAKES].span)
    more = Diagnostic(Code.SF125, Severity.NOTE, "there are more mistakes from here on", (rest,))
    return [*ordered[:MAX_MISTAKES], more]


class _Reader:
    def __init__(self, words: Words) -> None:
        self.words = words
        self.construct = Construct(words, _declared(words))
        self.methods: list[Callable[..., Any]] = [getattr(self.construct, name) for name in METHODS]
        self.problems: list[Diagnostic] = []

    def read(self) -> tree.Rulebook | None:
        """The header, then every item."""
        words = self.words
        bounds = [*words.items, len(words.kinds)]
        chunks = [list(range(lo, hi)) for lo, hi in pairwise(bounds) if hi > lo]
        if not chunks:
            self.problems.append(
                error(
                    Code.SF115,
                    "this file says nothing yet",
                    Label(Span(words.file, 0, 0)),
                    help='a rulebook begins with a line `rulebook "its name" "what it is about"`',
                )
            )
            return None
        starts_well = words.kinds[chunks[0][0]] == KIND["rulebook"]
        if not starts_well and words.kinds[chunks[0][0]] != BAD:
            self.problems.append(
                error(
                    Code.SF115,
                    "a file begins with a `rulebook` line",
                    Label(words.span(chunks[0][0])),
                    help='write `rulebook "its name" "what it is about"` above this',
                )
            )
        book = self.chunk(chunks[0], "header") if starts_well else None
        items: list[tree.Item] = []
        above: list[tree.Cite] = []
        for chunk in chunks[1 if starts_well else 0 :]:
            if len(self.problems) > MAX_MISTAKES:
                break
            item = self.chunk(chunk, "item")
            if isinstance(item, tree.Cite):
                above.append(item)
            else:
                if item is not None:
                    items.append(with_cites(item, above))
                above = []
        self.construct.dangling(above)
        if book is None:
            return None
        return evolve(book, items=tuple(items), span=Span(words.file, book.span.start, words.ends[-1]))

    def chunk(self, chunk: list[int], what: str) -> Any:
        """One item; None when anything in it could not be read."""
        result = self.run(chunk, what)
        if not isinstance(result, Stop):
            return result
        effort = MAX_EFFORT
        while isinstance(result, Stop) and len(self.problems) <= MAX_MISTAKES:
            at = self.report(result, chunk, what)
            effort -= len(chunk)
            if effort < 0 or (self.problems and self.problems[-1].code is Code.SF108):
                break
            chunk = self.without_line(chunk, at)
            if not chunk:
                break
            before = len(self.construct.problems)
            result = self.run(chunk, what)
            again = self.construct.problems[before:]
            self.construct.problems[before:] = [p for p in again if p.code is not Code.SF116]  # the line may be left out
        return None

    def report(self, stop: Stop, chunk: list[int], what: str) -> int:
        """Says what is wrong, and at which word."""
        words = self.words
        if stop.too_deep is not None:
            self.problems.append(
                error(
                    Code.SF123,
                    f"this is nested more than {MAX_DEPTH} deep",
                    Label(stop.too_deep),
                    help="name parts of it with `let`, or move them into a procedure",
                )
            )
        elif stop.at >= len(chunk) or words.kinds[chunk[stop.at]] != BAD:
            at, found = self.explained(stop.at, chunk, what)
            self.problems.append(found)
            return at
        return stop.at

    def explained(self, at: int, chunk: list[int], what: str) -> tuple[int, Diagnostic]:
        """The mistake at a word; or an earlier one, if a word of the language was read as a name and was not meant as one."""
        found = explain(Situation(self.words, chunk, at, what, cache(partial(self.expected, chunk, what))))
        before = len(self.construct.problems)
        strictly = self.run(chunk, what, strict=True)
        del self.construct.problems[before:]
        if isinstance(strictly, Stop) and strictly.too_deep is None and strictly.at <= at:
            expected = cache(partial(self.expected, chunk, what, strict=True))
            earlier = explain(Situation(self.words, chunk, strictly.at, what, expected, strict=True))
            if earlier.code not in (Code.SF100, Code.SF105):
                return strictly.at, earlier
        return at, found

    def without_line(self, chunk: list[int], at: int) -> list[int]:
        """The item without the line at which reading stopped and the block below that line; empty when this would
        only cause new mistakes: it is the header of the item, the only line of a block, part of an `if` or a tier."""
        kinds, layout = self.words.kinds, (NL, INDENT, DEDENT)
        if at >= len(chunk):
            return []
        if kinds[chunk[at]] == INDENT:  # lines indented for no reason: read them as part of the block around them
            if not any(kinds[k] == INDENT for k in chunk[:at]):
                return []
            end = self.block_end(chunk, at)
            return chunk[:at] + chunk[at + 1 : end - 1] + chunk[end:]
        first = at
        while first > 0 and kinds[chunk[first - 1]] not in layout:
            first -= 1
        last = at
        while last < len(chunk) and kinds[chunk[last]] != NL:
            last += 1
        if first == 0 or last >= len(chunk) - 1 or kinds[chunk[first]] in layout:
            return []
        rest = last + 1
        if kinds[chunk[rest]] == INDENT:
            rest = self.block_end(chunk, rest)
        follows = kinds[chunk[rest]] if rest < len(chunk) else END
        alone = kinds[chunk[first - 1]] == INDENT and follows == DEDENT
        in_tiers = kinds[chunk[first]] in _TIER_WORDS and kinds[chunk[first + 1]] != KIND[":"]
        in_if = follows == KIND["otherwise"] or (rest < len(chunk) and self.words.text(chunk[rest]) in ELSE)
        return [] if alone or in_if or in_tiers else chunk[:first] + chunk[rest:]

    def block_end(self, chunk: list[int], at: int) -> int:
        """Behind the end of the block that begins at `at`."""
        depth = 0
        for k in range(at, len(chunk)):
            kind = self.words.kinds[chunk[k]]
            depth += (kind == INDENT) - (kind == DEDENT)
            if depth == 0:
                return k + 1
        return len(chunk)

    # ------------------------------------------------------------ the automaton

    def run(self, chunk: list[int], what: str, strict: bool = False) -> Any:
        """The value of these words read as a header or an item, or where that stopped.  `strict`: a word of the language is
        never a name."""
        kinds, starts, ends = self.words.kinds, self.words.starts, self.words.ends
        table, rules, methods, leaf, file = _TABLE, RULES, self.methods, self.construct.leaf, self.words.file
        final = LAST[what]
        states: list[int] = [FIRST[what]]
        values: list[Any] = []
        begins: list[int] = []
        finishes: list[int] = []
        depths: list[int] = []
        size = len(chunk)
        at = 0
        while True:
            if at < size:
                word = chunk[at]
                kind = kinds[word]
            else:
                word, kind = -1, END
            do = table[states[-1]].get(kind)
            if do is None and kind in _ALSO_NAMES and not strict:
                kind = NAME
                do = table[states[-1]].get(kind)
            if do is None:
                return Stop(at)
            if do >= 0:  # take the word
                states.append(do)
                start, end = starts[word], ends[word]
                begins.append(start)
                finishes.append(end)
                depths.append(0)
                values.append(leaf(_LEAVES[kind], start, end) if kind in _LEAVES else word)
                at += 1
                continue
            head, length, how, method, recipe = rules[~do]  # the last `length` parts make a `head`
            if length == 1 and how == _PASS:  # one part under another name: most reductions
                del states[-1]
                states.append(table[states[-1]][head])
                if kind == END and states[-1] == final:
                    return values[-1]
                continue
            base = len(values) - length
            depth = 0
            if how == _PASS:
                value = values[base + recipe[0]]
                depth = depths[base + recipe[0]]
            elif _PLAIN[~do]:
                arguments = [None if part < 0 else values[base + part] for part in recipe]
                if length:
                    depth = max(depths[base:])
                    begin, finish = begins[base], finishes[-1]
                else:
                    begin = finish = finishes[-1] if finishes else 0
                if how == _CALL:
                    depth += 1
                    value = methods[method](Span(file, begin, finish), *arguments)
                else:
                    value = arguments
            else:
                if how == _LIST:  # its first part is the list so far: let it grow
                    arguments, more = values[base - recipe[0] - 2], recipe[1:]
                else:
                    arguments, more = [], recipe
                for part in more:
                    if part < -1:
                        arguments += values[base - part - 2]
                    else:
                        arguments.append(None if part < 0 else values[base + part])
                depth = max(depths[base:])
                if how == _LIST:
                    value = arguments
                elif how == _PASS_ONE and len(arguments) == 1:
                    value = arguments[0]
                else:
                    depth += 1
                    value = methods[method](Span(file, begins[base], finishes[-1]), *arguments)
            if depth > MAX_DEPTH:
                return Stop(at, too_deep=Span(file, begins[base], finishes[-1]))
            if length:
                finish = finishes[-1]
                begin = begins[base]
                del states[-length:], values[base:], begins[base:], finishes[base:], depths[base:]
            else:
                begin = finish = finishes[-1] if finishes else 0
            states.append(table[states[-1]][head])
            values.append(value)
            begins.append(begin)
            finishes.append(finish)
            depths.append(depth)
            if kind == END and states[-1] == final:
                return value

    def expected(self, chunk: list[int], what: str, at: int, strict: bool = False) -> frozenset[str]:
        """What could stand in place of word `at`: the kinds that the automaton would take there."""
        states = [FIRST[what]]
        for word in chunk[:at]:
            self.advance(states, self.words.kinds[word], strict)
        return frozenset(
            name for kind, name in enumerate(TERMINALS) if kind in _TABLE[states[-1]] and self.advance(states[:], kind, strict)
        )

    @staticmethod
    def advance(states: list[int], kind: int, strict: bool = False) -> bool:
        """Take one word, without building anything."""
        while True:
            do = _TABLE[states[-1]].get(kind)
            if do is None and kind in _ALSO_NAMES and not strict:
                do = _TABLE[states[-1]].get(NAME)
            if do is None:
                return False
            if do >= 0:
                states.append(do)
                return True
            head, length, *_ = RULES[~do]
            if length:
                del states[-length:]
            states.append(_TABLE[states[-1]][head])
            if kind == END and states[-1] in LAST.values():
                return True


def _declared(words: Words) -> frozenset[str]:
    """The names of the assets and units of this file."""
    opening = (KIND["asset"], KIND["unit"])
    return frozenset(
        words.text(i + 1)
        for i, kind in enumerate(words.kinds[:-1])
        if kind in opening and words.kinds[i + 1] == KIND["NAME"]
    )

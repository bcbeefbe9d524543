"""Laying text out for a terminal or a log: colours, widths, columns that line up, and wrapping."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from specforge.diagnostics.render import clean
from specforge.records import frozen

COLOURS = {
    "good": "32",  # proved, reached, holds
    "bad": "1;31",  # what needs attention
    "broken": "31",  # refuted, as the rulebook says itself
    "weak": "33",  # bounded, unknown
    "dim": "2",
    "bold": "1",
    "name": "36",
}
UNIT = re.compile(r"(?<=\d) (?=[A-Za-z]+\b)(?!and|or|is|for|of|on|in|given)|(?<=[A-Z]) (?=per [A-Z])|(?<=[A-Z] per) (?=[A-Z])")
PLAINER = {
    "→": "->", "\u2013": "-", "—": "-", "…": "...", "\u00d7": "x", "≤": "<=", "≥": ">=", "·": "|", "│": "|", "┌": "-", "─": "-",
}  # fmt: skip


@frozen
class Layout:
    """`color`: for a terminal.  `ascii`: no characters that a log or a screen reader stumbles over."""

    color: bool = False
    ascii: bool = False
    width: int = 100

    def paint(self, kind: str, text: str) -> str:
        if not self.color or not kind or not text.strip():
            return text
        body = text.rstrip(" ")
        return f"\x1b[{COLOURS[kind]}m{body}\x1b[0m" + text[len(body) :]

    @property
    def arrow(self) -> str:
        return "->" if self.ascii else "→"

    def clean(self, text: str) -> str:
        """`text` as this layout may print it: nothing in it can steer a terminal."""
        text = clean(text)
        if not self.ascii:
            return text
        for fancy, simple in PLAINER.items():
            text = text.replace(fancy, simple)
        return text.encode("ascii", "replace").decode()

    def wrapped(self, text: str, width: int | None = None) -> list[str]:
        width = max(width or self.width, 16)
        text = self.clean(text)
        if len(text) <= width and text.isprintable():
            return [text.rstrip()]
        kept = UNIT.sub("\u00a0", text)  # a figure and its unit stay on one line
        lines = textwrap.wrap(kept, width, break_long_words=False, break_on_hyphens=False)
        return [line.replace("\u00a0", " ") for line in lines] or [""]

    def paragraph(self, label: str, texts: Sequence[str], kind: str = "", at: int = 6) -> list[str]:
        """`why   …` with everything after the label hanging at one place."""
        lines = [line for text in texts for line in self.wrapped(text, self.width - at)]
        heads = [self.paint("bold", label.ljust(at)), *[" " * at] * (len(lines) - 1)]
        return [head + self.paint(kind, line) for head, line in zip(heads, lines, strict=True)]


@frozen
class Cell:
    """What stands in one column of one row: a text to wrap, or items that stay whole where they can."""

    text: str | tuple[str, ...] = ""
    kind: str = ""

    @property
    def natural(self) -> int:
        return len(self.text if isinstance(self.text, str) else ", ".join(self.text))

    def lines(self, layout: Layout, width: int) -> list[str]:
        if isinstance(self.text, str):
            return layout.wrapped(self.text, width)
        lines: list[str] = []
        for at, item in enumerate(self.text):
            item = layout.clean(item) + ("," if at + 1 < len(self.text) else "")
            if lines and len(lines[-1]) + 1 + len(item) <= width:
                lines[-1] += " " + item
            else:
                lines.extend(layout.wrapped(item, width))
        return lines or [""]


@frozen
class Column:
    """`most`: the widest it may be.  The one column with `flex` takes what the others leave."""

    title: str = ""
    right: bool = False
    flex: bool = False
    most: int = 1_000


GAP = 2


def columns(layout: Layout, heads: Sequence[Column], rows: Sequence[Sequence[Cell]], indent: int = 0) -> list[str]:
    """Rows in aligned columns, with their titles if there are any; empty columns left out."""
    titles = [[Cell(head.title, "dim") for head in heads]] if any(head.title for head in heads) else []
    return [line for lines in aligned(layout, heads, [*titles, *rows], indent) for line in lines]


def aligned(
    layout: Layout, heads: Sequence[Column], rows: Sequence[Sequence[Cell]], indent: int = 0
) -> list[list[str]]:
    """The lines of each row: columns lined up, long cells wrapped inside their own column."""
    body = [row for row in rows if [cell.text for cell in row] != [head.title for head in heads]]
    used = [i for i in range(len(heads)) if any(row[i].natural for row in body)]
    widths = {i: min(max(row[i].natural for row in rows), heads[i].most) for i in used}
    fixed = sum(widths[i] + GAP for i in used if not heads[i].flex) + indent
    for i in used:
        if heads[i].flex:
            widths[i] = max(min(widths[i], layout.width - fixed), 20)
    result: list[list[str]] = []
    for row in rows:
        lines: list[str] = []
        cells = [row[i].lines(layout, widths[i]) if row[i].natural else [] for i in used]
        for parts in zip_longest(*cells, fillvalue=""):
            pieces = []
            for i, part in zip(used, parts, strict=True):
                padded = part.rjust(widths[i]) if heads[i].right else part.ljust(widths[i])
                pieces.append(layout.paint(row[i].kind, padded))
            lines.append((" " * indent + (" " * GAP).join(pieces)).rstrip())
        result.append(lines)
    return result

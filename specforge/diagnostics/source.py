"""Where something stands: the text of one file, and a stretch of it from one character to another."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from specforge.records import frozen


@frozen
class SourceFile:
    """One file as the user sees it.  Lines and columns count from 1."""

    path: str
    text: str

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins."""
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset)

    def column_of(self, offset: int) -> int:
        return offset - self.line_starts[self.line_of(offset) - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line without its line end; empty beyond the last one."""
        if not 1 <= line <= len(self.line_starts):
            return ""
        start = self.line_starts[line - 1]
        end = self.text.find("\n", start)
        return (self.text[start:] if end < 0 else self.text[start:end]).rstrip("\r")


@frozen
class Span:
    """The characters `start <= i < end` of a file.  Empty when something is missing there."""

    file: SourceFile
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.file.line_of(self.start)

    @property
    def column(self) -> int:
        return self.file.column_of(self.start)

    @property
    def end_line(self) -> int:
        return self.file.line_of(self.end)

    @property
    def end_column(self) -> int:
        return self.file.column_of(self.end)

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this one to the end of `other`, in the same file."""
        return Span(self.file, min(self.start, other.start), max(self.end, other.end))

    def after(self) -> Span:
        """The empty place right behind this one."""
        return Span(self.file, self.end, self.end)

    def __str__(self) -> str:
        return f"{self.file.path}:{self.line}:{self.column}"

    def __repr__(self) -> str:
        return f"<{self}>"


NOWHERE = Span(SourceFile("", ""), 0, 0)

"""Lines and columns count from 1, at every edge of a file."""

from __future__ import annotations

import pytest

from specforge.diagnostics.source import NOWHERE, SourceFile, Span

FILE = SourceFile("a.rulebook", "ab\n\ncd\r\ne")


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 1)), (1, (1, 2)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1)), (7, (3, 4)), (8, (4, 1)), (9, (4, 2))],
)
def test_line_and_column(offset: int, place: tuple[int, int]) -> None:
    span = Span(FILE, offset, offset)
    assert (span.line, span.column) == place
    assert (span.end_line, span.end_column) == place


def test_text_of_lines() -> None:
    assert [FILE.line_text(n) for n in range(6)] == ["", "ab", "", "cd", "e", ""]


def test_spans_join() -> None:
    first, second = Span(FILE, 0, 1), Span(FILE, 4, 6)
    assert first.to(second) == second.to(first) == Span(FILE, 0, 6)
    assert first.text == "a" and second.after() == Span(FILE, 6, 6)
    assert str(second) == "a.rulebook:3:1"


def test_nowhere_is_a_place_too() -> None:
    assert (NOWHERE.line, NOWHERE.column, NOWHERE.text) == (1, 1, "")

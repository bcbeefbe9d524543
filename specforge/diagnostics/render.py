"""Prints a diagnostic for the terminal: the sentence, the lines it is about with the places marked, and the fix."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from specforge.diagnostics.diagnostic import Diagnostic, Label, Severity
from specforge.diagnostics.source import SourceFile
from specforge.records import frozen

TAB = 4
WIDTH = 120
_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}
_SECONDARY, _GUTTER, _BOLD = "1;34", "34", "1"


def render(diagnostic: Diagnostic, color: bool = False, width: int = WIDTH) -> str:
    """The whole message, without a line end after it."""
    paint = _Paint(color)
    tint = _COLORS[diagnostic.severity]
    headline = f"{diagnostic.severity.value}[{diagnostic.code}]"
    lines = [paint(headline, tint) + paint(f": {clean(diagnostic.message)}", _BOLD)]
    gutter = len(str(max((label.span.line for label in diagnostic.labels), default=1)))
    for file, labels in _by_file(diagnostic.labels):
        lines += _excerpt(file, labels, diagnostic, gutter, paint, width)
    lines += [paint("note", _BOLD) + f": {clean(note)}" for note in diagnostic.notes]
    help = diagnostic.help or next((fix.text for fix in diagnostic.fixes if fix.text), None)
    if help:
        lines.append(paint("help", _BOLD) + f": {clean(help)}")
    return "\n".join(line.rstrip() for line in lines)


def render_all(diagnostics: Iterable[Diagnostic], color: bool = False, width: int = WIDTH) -> str:
    """Several messages, with an empty line between them."""
    return "\n\n".join(render(diagnostic, color, width) for diagnostic in diagnostics)


def clean(text: str) -> str:
    """The text without anything that could steer a terminal or turn its direction: such characters show as `�`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(c) for c in text)


def _visible(c: str) -> str:
    if c in "\n\r\t":
        return " "
    return "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else c


@frozen
class _Paint:
    color: bool

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


@frozen
class _Mark:
    """A label on one line, in columns as they appear on the screen."""

    start: int
    end: int
    text: str
    primary: bool


def _by_file(labels: tuple[Label, ...]) -> list[tuple[SourceFile, list[Label]]]:
    """The labels of each file, the file of the primary label first."""
    files: list[tuple[SourceFile, list[Label]]] = []
    for label in labels:
        for file, group in files:
            if file == label.span.file:
                group.append(label)
                break
        else:
            if label.span.file.path:
                files.append((label.span.file, [label]))
    return files


def _excerpt(
    file: SourceFile, labels: list[Label], diagnostic: Diagnostic, gutter: int, paint: _Paint, width: int
) -> list[str]:
    """`┌─ path:line:column`, then each marked line with its marks below it."""
    first, bar = labels[0].span, paint("│", _GUTTER)
    place = f":{first.line}:{first.column}" if file.text else ""
    lines = [paint(f"{' ' * gutter}┌─", _GUTTER) + f" {clean(file.path)}{place}"]
    if not file.text:
        return lines
    previous = 0
    for number in sorted({label.span.line for label in labels}):
        if previous and number > previous + 1:
            lines.append(paint(f"{' ' * gutter}·", _GUTTER))
        previous = number
        text, columns = _columns(file.line_text(number))
        marks = [
            _mark(label, file, columns, label is diagnostic.labels[0]) for label in labels if label.span.line == number
        ]
        text, marks = _cropped(text, marks, max(20, width - gutter - 2))
        lines.append(paint(f"{number:>{gutter}}", _GUTTER) + f"{bar} {text}")
        tint = _COLORS[diagnostic.severity]
        lines += [f"{' ' * gutter}{bar} {below}" for below in _below(marks, paint, tint)]
    return lines


def _columns(line: str) -> tuple[str, list[int]]:
    """The line as it is shown, and for each of its characters (and its end) the screen column it begins at."""
    shown: list[str] = []
    columns: list[int] = []
    at = 0
    for c in line:
        columns.append(at)
        if c == "\t":
            step = TAB - at % TAB
            shown.append(" " * step)
        else:
            c = _visible(c)
            step = 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
            shown.append(c)
        at += step
    columns.append(at)
    return "".join(shown), columns


def _mark(label: Label, file: SourceFile, columns: list[int], primary: bool) -> _Mark:
    span = label.span
    last = len(columns) - 1
    start = columns[min(span.column - 1, last)]
    text = clean(label.text)
    if span.end_line == span.line or (span.end_line == span.line + 1 and span.end_column == 1):
        end = columns[last] if span.end_line > span.line else columns[min(span.end_column - 1, last)]
    else:
        end = columns[last]
        text = f"{text} (down to line {span.end_line})".strip()
    return _Mark(start, max(end, start + 1), text, primary)


def _cropped(text: str, marks: list[_Mark], width: int) -> tuple[str, list[_Mark]]:
    """At most `width` columns of a long line, those around the main mark.  A wide character counts as one here."""
    if len(text) <= width:
        return text, marks
    main = next((m for m in marks if m.primary), marks[0])
    left = max(0, min(main.start - 20, len(text) - width))
    right = left + width
    shown = ("…" if left else "") + text[left + bool(left) : right - 1] + ("…" if right < len(text) else text[right - 1])
    moved = [
        _Mark(max(0, min(m.start - left, width - 1)), max(1, min(m.end - left, width)), m.text, m.primary) for m in marks
    ]
    return shown, moved


def _below(marks: list[_Mark], paint: _Paint, tint: str) -> list[str]:
    """The lines under a source line: all marks with the text of the last one, then the other texts."""
    cells: dict[int, tuple[str, str]] = {}
    for mark in sorted(marks, key=lambda m: m.primary):  # the primary one is drawn over the others
        for column in range(mark.start, mark.end):
            cells[column] = ("^", tint) if mark.primary else ("-", _SECONDARY)
    texts = sorted((m for m in marks if m.text), key=lambda m: (m.start, m.end))
    row = _drawn(cells, paint)
    end = max(m.end for m in marks)
    if texts and texts[-1].end == end and sum(m.start == texts[-1].start for m in texts) == 1:
        last = texts.pop()
        row += " " + paint(last.text, tint if last.primary else _SECONDARY)
    rows = [row]
    while texts:
        mark = texts.pop()
        bars = {m.start: ("│", tint if m.primary else _SECONDARY) for m in texts if m.start < mark.start}
        rows.append(
            _drawn(bars, paint)
            + " " * (mark.start - max(bars, default=-1) - 1)
            + paint(mark.text, tint if mark.primary else _SECONDARY)
        )
    return rows


def _drawn(cells: dict[int, tuple[str, str]], paint: _Paint) -> str:
    """Cells at their columns, runs of one color painted together."""
    result, run, code = "", "", ""
    for column in range(max(cells, default=-1) + 1):
        sign, tint = cells.get(column, (" ", ""))
        if tint != code:
            result, run, code = result + paint(run, code) if code else result + run, "", tint
        run += sign
    return result + (paint(run, code) if code else run)

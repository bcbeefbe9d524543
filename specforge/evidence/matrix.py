"""Claims against what is given: one line a claim, one column a set of assumptions, and in each place the verdict."""

from __future__ import annotations

from specforge.evidence.layout import GAP, Cell, Column, Layout, columns
from specforge.evidence.report import FileReport, contradicts, is_undecided, is_vacuous
from specforge.evidence.report_text import kind_of
from specforge.evidence.trace_json import Json
from specforge.evidence.verdict import Result, Verdict
from specforge.records import frozen

Given = tuple[str, ...]
UNASKED = "·"


@frozen
class Matrix:
    """`columns`: what is given, from the fewest assumptions up; `rows`: each claim with its verdict in every column that it has
    an expectation for."""

    columns: tuple[Given, ...]
    rows: tuple[tuple[str, tuple[Result | None, ...]], ...]


def matrix_of(file: FileReport) -> Matrix | None:
    """None if the file makes no claim."""
    claims = [each for each in file.results if each.kind == "claim"]
    if not claims:
        return None
    found = list(dict.fromkeys(each.given for each in claims))
    givens = sorted(found, key=lambda each: (len(each), found.index(each)))
    names = dict.fromkeys(each.name for each in claims)
    known = {(each.name, each.given): each for each in claims}
    return Matrix(tuple(givens), tuple((name, tuple(known.get((name, given)) for given in givens)) for name in names))


def _heads(matrix: Matrix) -> list[str]:
    return [", ".join(given) or "nothing given" for given in matrix.columns]


def word_of(result: Result | None) -> str:
    """The verdict, and `!` where it is not what was expected, `?` where that is undecided."""
    if result is None:
        return UNASKED
    fewer = result.verdict is Verdict.PROVED and result.scope.members != "any"
    said = result.verdict.name + (f" to {result.scope.members}" if fewer else "")
    if is_vacuous(result):
        return f"{said}, vacuous"
    return said + (" !" if contradicts(result) else " ?" if is_undecided(result) else "")


def _cell(result: Result | None, layout: Layout) -> Cell:
    return Cell(layout.clean(word_of(result)), "dim" if result is None else kind_of(result))


def _blocks(widths: list[int], room: int) -> list[list[int]]:
    """The columns in order, as many beside one another as there is room for."""
    blocks: list[list[int]] = [[]]
    for at, width in enumerate(widths):
        if blocks[-1] and sum(widths[each] + GAP for each in blocks[-1]) + GAP + width > room:
            blocks.append([])
        blocks[-1].append(at)
    return blocks


def matrix_text(file: FileReport, layout: Layout) -> str:
    """The table for people; where the assumptions are too long to stand above their columns, letters do, and a list below.
    Where there is no room for all columns even then, the others stand below the first ones."""
    matrix = matrix_of(file)
    if matrix is None:
        return ""
    heads = _heads(matrix)
    body = [(name, [_cell(each, layout) for each in row]) for name, row in matrix.rows]
    named = max(len(name) for name, _ in body)
    wide = named + 2 + sum(max(len(head), *(row[at].natural for _, row in body)) + 2 for at, head in enumerate(heads))
    letters = wide > layout.width
    shown = [chr(ord("A") + at) if at < 26 else f"A{at}" for at in range(len(heads))] if letters else heads
    lines = [layout.paint("bold", str(file.path))]
    widths = [max(len(head), *(row[at].natural for _, row in body)) for at, head in enumerate(shown)]
    for block in _blocks(widths, layout.width - named - 2):
        titles = [Column("claim"), *(Column(layout.clean(shown[at])) for at in block)]
        lines += columns(layout, titles, [[Cell(name), *(row[at] for at in block)] for name, row in body], indent=2)
    if letters:
        lines += [f"  {letter}  {part}" if at == 0 else f"     {part}" for letter, head in zip(shown, heads, strict=True)
                  for at, part in enumerate(layout.wrapped(head, layout.width - 5))]  # fmt: skip
    return "\n".join(lines)


def matrix_markdown(file: FileReport) -> str:
    matrix = matrix_of(file)
    if matrix is None:
        return ""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"

    table = [line(["claim", *_heads(matrix)]), line(["---"] * (len(matrix.columns) + 1))]
    table += [line([f"`{name}`", *map(word_of, row)]) for name, row in matrix.rows]
    return "\n".join([f"**{file.path}**", "", *table])


def matrix_json(file: FileReport) -> Json | None:
    """The table for machines: each place as in `results`, without the evidence."""
    matrix = matrix_of(file)
    if matrix is None:
        return None
    return {
        "given": [list(each) for each in matrix.columns],
        "claims": [
            {
                "claim": name,
                "verdicts": [
                    None
                    if each is None
                    else {
                        "verdict": each.verdict.value,
                        "members": each.scope.members,
                        "expected": each.expected,
                        "met": each.met,
                        "vacuous": each.vacuous,
                    }
                    for each in row
                ],
            }
            for name, row in matrix.rows
        ],
    }

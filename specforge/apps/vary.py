"""`specforge run --vary ACTION=FROM..TO`: a scenario executed again and again with another number in one line."""

from __future__ import annotations

import argparse
import json
import re

from quicktions import Fraction

from specforge.apps.errors import UsageError
from specforge.apps.terminal import layout_for, opened
from specforge.core import ir
from specforge.evidence.layout import Cell, Column, Layout, columns
from specforge.evidence.report import Exit
from specforge.pages.draw import CannotDraw, svg
from specforge.pages.page import curve_page
from specforge.pages.series import CannotVary, Curve, curve, table_of
from specforge.pages.web import html

WANTED = re.compile(r"(?P<action>\w+)=(?P<low>-?[\d_]+(?:\.\d+)?)\.\.(?P<high>-?[\d_]+(?:\.\d+)?)")
POINTS = 41


def main(system: ir.System, options: argparse.Namespace, scenarios: list[ir.Scenario]) -> int:
    asked = WANTED.fullmatch(options.vary)
    if asked is None:
        raise UsageError(f"`--vary {options.vary}` is not of the form ACTION=FROM..TO, as in `--vary mark_moves=80..120`")
    if len(scenarios) != 1:
        raise UsageError("`--vary` needs one scenario: `--scenario NAME`")
    low, high = (Fraction(asked[each].replace("_", "")) for each in ("low", "high"))
    if low >= high:
        raise UsageError(f"`--vary {options.vary}`: the range has to rise")
    points = options.points or POINTS
    try:
        found = curve(system, scenarios[0], asked["action"], low, high, max(points, 2))
        text = _text(scenarios[0], found, options)
    except (CannotVary, CannotDraw) as problem:
        raise UsageError(str(problem)) from None
    with opened(options.output) as stream:
        stream.write(text if text is not None else _table(found, layout_for(stream, options.format, options.color)))
    return Exit.MET


def _text(scenario: ir.Scenario, found: Curve, options: argparse.Namespace) -> str | None:
    match options.format:
        case "svg":
            return svg(found)
        case "html":
            return html(curve_page(scenario, found))
        case "json":
            heads, rows = table_of(found)
            document = {"schema": "specforge/curve/1", "scenario": scenario.name, "heads": heads, "rows": rows}
            return json.dumps(document, indent=2) + "\n"
        case _:
            return None


def _table(found: Curve, layout: Layout) -> str:
    heads, rows = table_of(found)
    shown = columns(
        layout, [Column(head, right=True) for head in heads], [tuple(Cell(each) for each in row) for row in rows], 1
    )
    return "\n".join(shown) + "\n"

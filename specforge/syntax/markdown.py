"""A rulebook may be a Markdown file: its fenced `rulebook` blocks, in order, are the code."""

from __future__ import annotations

import re

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import SourceFile, Span

_FENCE = re.compile(r"( *)(`{3,}|~{3,})[ \t]*([^`\n]*)")


def is_markdown(path: str) -> bool:
    return path.lower().endswith((".md", ".markdown"))


def code(source: SourceFile) -> tuple[str, list[Diagnostic]]:
    """The text with everything that is not code turned into spaces, so that every offset stays true."""
    if not is_markdown(source.path):
        return source.text, []
    kept: list[str] = []
    problems: list[Diagnostic] = []
    fence, ours, blocks, offset = "", False, 0, 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", source.text):
        found = _FENCE.match(line)
        closes = bool(fence) and found is not None and found[2].startswith(fence) and not found[3].strip()
        keep = ours and bool(fence) and not closes
        kept.append(line if keep else re.sub(r"[^\n]", " ", line))
        if closes:
            fence = ""
        elif found and not fence and len(found[1]) < 4:
            fence, ours = found[2], found[3].split()[:1] == ["rulebook"]
            blocks += ours
            if ours and found[1]:
                span = Span(source, offset, offset + len(found[1]))
                problems.append(
                    error(
                        Code.SF127,
                        "a `rulebook` block begins at the left margin",
                        Label(span),
                        help="take the spaces before the fence away",
                        fixes=(Fix(span, "", "take the spaces away"),),
                    )
                )
        offset += len(line)
    if not blocks:
        problems.append(
            error(
                Code.SF126,
                "this Markdown file has no block of rules",
                Label(Span(source, 0, 0)),
                help="put the rules between a line ```rulebook and a line ```",
            )
        )
    return "".join(kept), problems

"""Whatever somebody writes, checking it ends with a system or with diagnostics, never with an exception."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specforge.core import ir
from specforge.diagnostics.diagnostic import Severity
from specforge.elaborate import compile_text

EXAMPLES = Path(__file__).parents[1] / "venues"
BOOKS = {path.name: path.read_text() for path in sorted(EXAMPLES.glob("*.rulebook"))}
WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|\d[\d_.]*%?|:=|[<>!+-]?=|[-+*/<>]")
WORDS = sorted({word for text in BOOKS.values() for word in WORD.findall(text)})


def judged(text: str, name: str) -> None:
    system, problems = compile_text(text, str(EXAMPLES / name))
    errors = [each for each in problems if each.severity is Severity.ERROR]
    assert (system is None) == bool(errors)
    for each in errors:
        assert each.labels and each.message
        for label in each.labels:
            assert 0 <= label.span.start <= label.span.end <= len(label.span.file.text)
    if system is not None:
        assert all(isinstance(each, ir.Claim) for each in system.claims.values())


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_word_never_breaks_the_checker(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(BOOKS)))
    text = BOOKS[name]
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(WORD.finditer(text))
        place = places[data.draw(st.integers(0, len(places) - 1))]
        kind = data.draw(st.sampled_from(("name", "word", "same file")))
        pool = WORDS
        if kind == "same file":
            pool = sorted({each.group() for each in places})
        word = data.draw(st.sampled_from(pool)) if kind != "name" else data.draw(st.sampled_from(("x", "t", "0", "USD", "old")))
        text = text[: place.start()] + word + text[place.end() :]
    judged(text, name)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_moved_line_never_breaks_the_checker(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(BOOKS)))
    lines = BOOKS[name].split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(lines) - 1))
        line = lines[at]
        action = data.draw(st.sampled_from(("leave out", "twice", "move")))
        if action == "leave out":
            del lines[at]
        elif action == "twice":
            lines.insert(at, line)
        else:
            del lines[at]
            lines.insert(data.draw(st.integers(1, len(lines))), line)
    judged("\n".join(lines), name)


@pytest.mark.parametrize("name", sorted(BOOKS))
def test_every_single_name_may_be_wrong(name: str) -> None:
    """Each name of a rulebook misspelled in turn (every 17th, to be quick)."""
    text = BOOKS[name]
    for place in list(re.finditer(r"[A-Za-z_]{3,}", text))[::17]:
        judged(text[: place.end()] + "q" + text[place.end() :], name)

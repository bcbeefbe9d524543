"""The terminal form of a diagnostic."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, Severity, error, warning
from specforge.diagnostics.render import render, render_all
from specforge.diagnostics.source import NOWHERE, SourceFile, Span

FILE = SourceFile("rules.rulebook", "\n" * 13 + "  equity = collateral + size\n\tlet 価格 = x + y\n")


def at(text: str, file: SourceFile = FILE) -> Span:
    start = file.text.index(text)
    return Span(file, start, start + len(text))


def shown(diagnostic: Diagnostic) -> str:
    return "\n" + render(diagnostic) + "\n"


def test_two_ends_on_one_line() -> None:
    problem = error(
        Code.SF312,
        "cannot add `USD` and `BTC`",
        Label(at("size"), "this is `BTC`"),
        Label(at("collateral"), "this is `USD`"),
        help="multiply by a price: `size * mark`",
    )
    assert shown(problem) == """
error[SF312]: cannot add `USD` and `BTC`
  ┌─ rules.rulebook:14:25
14│   equity = collateral + size
  │            ----------   ^^^^ this is `BTC`
  │            this is `USD`
help: multiply by a price: `size * mark`
"""


def test_three_labels_on_one_line_hang_below_each_other() -> None:
    labels = (Label(at("collateral"), "second"), Label(at("equity"), "first"), Label(at("size"), "third"))
    assert shown(error(Code.SF312, "x", *labels)) == """
error[SF312]: x
  ┌─ rules.rulebook:14:12
14│   equity = collateral + size
  │   ------   ^^^^^^^^^^   ---- third
  │   │        second
  │   first
"""


def test_several_lines_and_files_with_wide_text_and_tabs() -> None:
    other = SourceFile("other.rulebook", "asset USD")
    labels = (Label(at("x"), "here"), Label(at("価格")), Label(Span(FILE, 3, 3), "nothing"), Label(at("USD", other), "there"))
    assert shown(error(Code.SF312, "x", *labels, notes=("a note",))) == """
error[SF312]: x
  ┌─ rules.rulebook:15:11
 4│
  │ - nothing
  ·
15│     let 価格 = x + y
  │         ----   ^ here
  ┌─ other.rulebook:1:7
 1│ asset USD
  │       --- there
note: a note
"""


def test_the_end_of_a_file_and_a_place_over_two_lines() -> None:
    size = len(FILE.text)
    assert shown(warning(Code.SF100, "x", Label(Span(FILE, size, size), "end"))) == """
warning[SF100]: x
  ┌─ rules.rulebook:16:1
16│
  │ ^ end
"""
    assert shown(error(Code.SF100, "x", Label(Span(FILE, at("size").start, at("let").end), "both"))) == """
error[SF100]: x
  ┌─ rules.rulebook:14:25
14│   equity = collateral + size
  │                         ^^^^ both (down to line 15)
"""


def test_a_long_line_is_cut_around_the_place() -> None:
    file = SourceFile("l", "x" * 300 + " y " + "z" * 300)
    text = render(error(Code.SF100, "x", Label(at("y", file), "this")), width=60)
    line, mark = text.splitlines()[2:4]
    assert len(line) <= 60 and line[mark.index("^")] == "y"


def test_without_a_place_there_is_only_the_sentence() -> None:
    assert render(error(Code.SF100, "x")) == "error[SF100]: x"
    assert render(error(Code.SF100, "x", Label(NOWHERE, "y"))) == "error[SF100]: x"
    assert render(error(Code.SF120, "x", Label(Span(SourceFile("gone", ""), 0, 0)))) == "error[SF120]: x\n ┌─ gone"


def test_a_fix_speaks_when_there_is_no_help() -> None:
    problem = error(Code.SF100, "x", Label(at("size")), fixes=(Fix(at("size"), "y", "write `y`"),))
    assert render(problem).endswith("help: write `y`")


def test_color_only_adds_color() -> None:
    problem = error(Code.SF312, "x", Label(at("size"), "a"), Label(at("equity"), "b"), help="h")
    colored = render(problem, color=True)
    assert "\x1b[1;31m" in colored
    for code in ("1;31", "1;34", "34", "1", "0"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored == render(problem)


def test_text_of_the_user_cannot_steer_the_terminal() -> None:
    evil = "\x1b]0;x\x07\x1b[2Ja\u202eb\r\x9b1m"
    file = SourceFile(f"f{evil}", f"asset {evil} USD")
    text = render(error(Code.SF100, f"m{evil}", Label(at("USD", file), f"l{evil}"), notes=(evil,), help=f"h{evil}"))
    assert not any(c in text for c in "\x1b\x07\x9b\r\u202e")
    line, mark = text.splitlines()[2:4]
    assert line.index("USD") == mark.index("^^^")


def test_render_all_puts_a_line_between() -> None:
    assert render_all([error(Code.SF100, "a"), error(Code.SF100, "b")]) == "error[SF100]: a\n\nerror[SF100]: b"


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab \t\n\r価\u0301\x1b\u202e\ud800"), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.text(max_size=5)), max_size=5),
    st.integers(1, 80),
)
def test_any_places_in_any_text(text: str, places: list[tuple[int, int, str]], width: int) -> None:
    file = SourceFile("f", text)
    labels = tuple(
        Label(Span(file, min(a, b, len(text)), min(max(a, b), len(text))), said) for a, b, said in places
    )
    for severity in Severity:
        lines = render(Diagnostic(Code.SF100, severity, "m", labels), width=width).splitlines()
        assert not any("\x1b" in line or "\u202e" in line or "\ud800" in line for line in lines)

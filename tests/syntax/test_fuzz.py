"""Whatever the text, reading it ends with a tree or with messages that can be shown."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specforge.diagnostics.render import render_all
from specforge.diagnostics.source import SourceFile
from specforge.syntax import tree
from specforge.syntax.lex import ALSO_NAMES, RESERVED
from specforge.syntax.parse import parse, parse_partly

VALID = '''\
rulebook "small" "with a bit of everything"
source s = "x"
asset USD
asset BTC
parameter cap: ratio from 0% to 100% = 20%
party Market, one of btc, eth
party Trader "anyone":
    margin: balance USD at least -5 USD
    position: net BTC
    per Market:
        size: net BTC
party Venue, one:
    fund: balance USD = 0
    mark: USD per BTC above 0 = 100 USD per BTC
let equity(t: Trader) = t.margin + t.position * Venue.mark
let side(t: Trader) = 1 if t.position > 0 otherwise -1
table m(n: USD), rising:
    up to 5 USD: 1%
    otherwise: 2% * n
cites s "1"
action trade(a: Trader, b: Trader, n: BTC) "buy":
    require a != b and 0 < n <= 5 BTC
    transfer n from b.position to a.position
    if n > 1 BTC:
        Venue.mark += 1 USD per BTC
    otherwise:
        nothing
duty close(t: Trader) after trade:
    when equity(t) < 0
    once
    collect -equity(t) into t.margin:
        from Venue.fund
        taking cut from each w: Trader where equity(w) > 0 up to w.margin in proportion to w.margin:
            transfer cut from w.margin to t.margin
        rest left:
            nothing
claim matched "all":
    (sum of t.position for t: Trader) = 0
    expect proved given cap = 0
claim fair after close(l):
    for all t, u: Trader: t = l implies equity(t) >= 0
scenario first_day:
    with cap = 5%
    member ann: Trader with margin = 10 USD
    trade(ann, ann, 1 BTC) refused
    check Venue.fund = 0
'''
PIECES = [*sorted(RESERVED | ALSO_NAMES),
         *"()[]:.,=+-*/<>", ":=", "+=", "==", "\n", "\n    ", "\n        ", " ", "\t", '"', "x", "Trader",
          "1", "5%", "1,000", ".5", "&&", "é", "\x00", "\u202e", "#", "\r", "0.1", "\n```rulebook\n"]  # fmt: skip
QUICK = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


def read_anything(text: str, path: str = "t.rulebook") -> tree.Rulebook | None:
    source = SourceFile(path, text)
    book, problems = parse(source)
    assert (book is None) == any(p.severity.value == "error" for p in problems)
    assert len(problems) <= 21
    shown = render_all(problems)
    assert "\x1b" not in shown and "\x00" not in shown
    for problem in problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
        assert problem.message and problem.message[0] != " "
    return book


def test_the_valid_text_is_valid() -> None:
    assert parse(SourceFile("t.rulebook", VALID))[1] == []


@QUICK
@given(st.text(), st.sampled_from(["t.rulebook", "t.md"]))
def test_random_text(text: str, path: str) -> None:
    read_anything(text, path)


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.booleans())
def test_random_words(text: str, header: bool) -> None:
    read_anything('rulebook "t"\n' * header + text)


@QUICK
@given(st.data())
def test_valid_text_with_pieces_replaced(data: st.DataObject) -> None:
    text = VALID
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    read_anything(text)


@QUICK
@given(st.data())
def test_valid_text_with_lines_moved(data: st.DataObject) -> None:
    lines = VALID.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        line = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from([line, "  " + line, line.lstrip()])))
    read_anything("".join(lines))


@QUICK
@given(st.integers(0, len(VALID)))
def test_a_text_that_ends_early(length: int) -> None:
    read_anything(VALID[:length])


def test_extreme_texts_end() -> None:
    n = 100_000
    for text in (
        "(" * n, ")" * n, "-" * n, "not " * n, "a.b" * n, '"' * n, "«" * n, "'" * n, "x " * n, "1,000" * n, "\t" * n,
        "\n " * 15_000, "let x 5\n" * 15_000, "action a:\n" + "    require\n" * 15_000, "if x:\n" * 15_000, "\x00" * n,
        "\n".join(" " * i for i in range(500)) + "x", "\n".join(" " * i + "if x:" for i in range(900)),
        "let x = " + "1 + " * n + "1", "let x = " + "a and " * n + "a", "9" * n, "é" * n, "`" * n, "cites s \"x\"\n" * 15_000,
    ):  # fmt: skip
        read_anything('rulebook "t"\n' + text)
        parse_partly(SourceFile("t.md", "```rulebook\n" + text))

"""Turns the place where a sentence stops making sense into a message: the frequent mistakes by name, with the fix."""

from __future__ import annotations

from collections.abc import Callable

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import Span
from specforge.diagnostics.suggest import suggest
from specforge.syntax.lex import RESERVED
from specforge.syntax.wording import (
    ITEMS,
    JOINING,
    OPERATORS,
    STATEMENTS,
    WORDS,
    Situation,
    another_name,
    expected_words,
    found_words,
)

BROKEN = "a sentence is one line; it may be broken only inside `( )` or `[ ]`"


ELSE = ("else", "elif", "elsif", "elseif")


def explain(s: Situation) -> Diagnostic:
    """The first of the known mistakes that fits, or plainly what could stand there."""
    for mistake in _MISTAKES:
        diagnostic = mistake(s)
        if diagnostic is not None:
            return diagnostic
    return _unexpected(s)


def _replace(code: Code, message: str, span: Span, text: str, help: str = "") -> Diagnostic:
    """A message whose fix is to write `text` at `span`."""
    help = help or f"write `{text.strip()}`"
    return error(code, message, Label(span), help=help, fixes=(Fix(span, text, help),))


# ---------------------------------------------------------------- other languages


def _else(s: Situation) -> Diagnostic | None:
    first = s.first(s.at)
    for k in (first, s.at, s.at - 1):
        if s.kind(k) != "NAME" or s.text(k) not in ELSE:
            continue
        meant = "otherwise" if s.text(k) == "else" else "otherwise if"
        if k == first or "otherwise" in s.expected:
            return _replace(Code.SF110, f"`{s.text(k)}` is written `{meant}`", s.span(k), meant)
    return None


def _loop(s: Situation) -> Diagnostic | None:
    """`for t in Trader`, `for each … in`, `each` and `all` confused."""
    if s.kind(s.at - 1) == "for" and s.found in ("all", "each", "NAME"):
        if s.found == "NAME":
            word = "each" if "each" in s.expected else "all"
            return error(
                Code.SF110,
                f"a {'loop' if word == 'each' else 'sentence about everybody'} begins with `for {word}`",
                Label(s.span(s.at)),
                help=f"write `for {word} {s.text(s.at)}: …`",
            )
        meant = "each" if s.found == "all" else "all"
        why = "a loop over members is `for each`" if meant == "each" else "a sentence about all members is `for all`"
        return _replace(Code.SF110, why, s.span(s.at), meant)
    if s.found == "in" and ":" in s.expected and s.kind(s.at - 1) == "NAME":
        gap = Span(s.words.file, s.span(s.at - 1).end, s.span(s.at).end)
        help = f"write `{s.text(s.at - 1)}: …`"
        fix = Fix(gap, ":", help)
        return error(
            Code.SF110, "a member and its party are joined with `:`", Label(s.span(s.at)), help=help, fixes=(fix,)
        )
    return None


def _then(s: Situation) -> Diagnostic | None:
    if s.found == "then" and ":" in s.expected:
        gap = Span(s.words.file, s.span(s.at - 1).end, s.span(s.at).end)
        return error(
            Code.SF110, "`then` is written `:`", Label(s.span(s.at)), help="write `:`", fixes=(Fix(gap, ":", "write `:`"),)
        )
    return None


def _becomes(s: Situation) -> Diagnostic | None:
    if s.found == "=" and ":=" in s.expected:
        return _replace(
            Code.SF107, "`=` means equals; a value becomes another with `:=`", s.span(s.at), ":="
        )
    if s.found == ":=" and "=" in s.expected:
        return _replace(Code.SF107, "`:=` changes a value; what defines or compares is `=`", s.span(s.at), "=")
    return None


def _unit_slash(s: Situation) -> Diagnostic | None:
    if s.found == "/" and "per" in s.expected and "/" not in s.expected:
        gap = Span(s.words.file, s.span(s.at - 1).end, s.span(s.at + 1).start if not s.layout(s.at + 1) else s.span(s.at).end)
        help = "write `per`, as in `USD per BTC`"
        return error(
            Code.SF112, "units are divided with `per`", Label(s.span(s.at)), help=help, fixes=(Fix(gap, " per ", help),)
        )
    return None


# ---------------------------------------------------------------- expressions


def _aggregate(s: Situation) -> Diagnostic | None:
    if s.found in ("sum", "largest", "smallest", "count") and "(" in s.expected:
        body = "" if s.found == "count" else "… "
        form = f"({s.found} of {body}for t: Trader)" if body else "(count of t: Trader)"
    elif s.found == "exists" and "(" in s.expected:
        form = "(exists t: Trader where …)"
    else:
        return None
    if s.kind(s.at + 1) not in ("of", "(", "NAME"):
        return None
    return error(
        Code.SF113, f"`{s.found}` over members stands in brackets", Label(s.span(s.at)), help=f"write `{form}`"
    )


def _otherwise(s: Situation) -> Diagnostic | None:
    if s.found == "otherwise":
        if s.begins_line(s.at):
            return error(
                Code.SF109,
                "this `otherwise` has no `if`",
                Label(s.span(s.at)),
                help="it stands under an `if` block, indented as far as the `if`",
            )
        return error(
            Code.SF109,
            "this `otherwise` has no `if`",
            Label(s.span(s.at)),
            help="a choice is written `value if condition otherwise value`",
        )
    if "otherwise" in s.expected and "if" not in s.expected and ":" not in s.expected and s.found in ("NL", ")", "]", ","):
        return error(
            Code.SF119,
            "this choice does not say what holds otherwise",
            Label(s.span(s.at)),
            help="a choice is written `value if condition otherwise value`",
        )
    return None


def _ranking(s: Situation) -> Diagnostic | None:
    """`in order of profit(w)` without saying from which end."""
    if s.found not in (":", "NL", "in") or "," not in s.expected:
        return None
    line = [s.kind(k) for k in range(s.first(s.at), s.at)]
    if not any(line[k : k + 3] == ["in", "order", "of"] for k in range(len(line))):
        return None
    return error(
        Code.SF100,
        "say who goes first in this order",
        Label(s.span(s.at - 1).after()),
        help="write `, highest first` or `, lowest first` here",
    )


def _brackets(s: Situation) -> Diagnostic | None:
    if s.found in (")", "]") and s.open_bracket() is None:
        return _replace(Code.SF103, f"this `{s.found}` closes nothing", s.span(s.at), "", "take it away, or open a bracket")
    return None


# ---------------------------------------------------------------- lines and blocks


def _broken_line(s: Situation) -> Diagnostic | None:
    """A sentence that goes on where it may not."""
    before = s.kind(s.at - 1)
    goes_on = s.kind(s.at + 1) in OPERATORS | {"INDENT", "NUMBER", "PERCENT", "("}
    if s.found == "NL" and before in OPERATORS | {",", "not"} and goes_on:
        return error(Code.SF117, f"this sentence stops after `{before}`", Label(s.span(s.at)), help=BROKEN)
    word = s.next_word(s.at)
    if s.found == "INDENT" and word is not None:
        text = s.words.text(word)
        if ":" in s.expected_at(s.at - 1):
            return _replace(Code.SF106, "this header does not end with `:`", s.span(s.at - 1), ":", "write `:` at its end")
        if text in OPERATORS | {"otherwise", "where"}:
            return error(Code.SF117, f"a line cannot begin with `{text}`", Label(s.words.span(word)), help=BROKEN)
        return error(
            Code.SF104,
            "this line is indented, but the line above it opens no block",
            Label(s.words.span(word)),
            help="indent it as far as the line above; a sentence may go on in the next line only inside `( )` or `[ ]`",
        )
    if s.begins_line(s.at) and s.found in (OPERATORS - {"if", "-"}) | {"where"}:
        return error(Code.SF117, f"a line cannot begin with `{s.found}`", Label(s.span(s.at)), help=BROKEN)
    return None


def _colon(s: Situation) -> Diagnostic | None:
    if ":" in s.expected and s.found == "NL" and s.kind(s.at + 1) == "INDENT":
        return _replace(Code.SF106, "this header does not end with `:`", s.span(s.at), ":", "write `:` at its end")
    return None


def _block(s: Situation) -> Diagnostic | None:
    if s.expected == frozenset({"INDENT"}):
        return error(
            Code.SF114,
            "nothing stands below this header",
            Label(s.span(s.at - 2) if s.at > 1 else s.span(0)),
            help="indent the lines that belong to it; a block that does nothing says `nothing`",
        )
    if s.expected == frozenset({"NL"}) and s.kind(s.at - 1) == ":":
        gap = Span(s.words.file, s.span(s.at - 1).end, s.span(s.at).start)
        margin = "    "
        opening = s.span(s.first(s.at))
        margin += " " * (opening.column - 1)
        return error(
            Code.SF117,
            "a block begins on a line of its own",
            Label(s.span(s.at)),
            help="write this on the next line, indented",
            fixes=(Fix(gap, f"\n{margin}", "move it to the next line"),),
        )
    return None


def _rest(s: Situation) -> Diagnostic | None:
    if s.found == "NL" and s.kind(s.at - 1) == "nothing" and "may" in s.expected:
        return error(
            Code.SF108,
            "say what happens to what nobody could pay",
            Label(s.span(s.at - 1)),
            help="`nothing may remain` demands that nothing is left; `rest NAME:` says where it goes",
        )
    if not {"rest", "taking"} <= s.expected:
        return None
    ended = s.found in ("DEDENT", "END") or s.found in set(STATEMENTS) - {"nothing", "cites"}
    if not ended:
        return None
    header = _collect_header(s)
    return error(
        Code.SF108,
        "say what happens to what nobody could pay",
        Label(s.span(s.at).after() if s.found in ("DEDENT", "END") else s.span(s.at), "this `collect` ends without it"),
        *([Label(s.span(header))] if header is not None else []),
        help="end it with `rest NAME:` and what happens to it, or with `nothing may remain`",
    )


def _collect_header(s: Situation) -> int | None:
    """The `collect` whose tiers are being read at `at`."""
    depth = 0
    for k in range(s.at - 1, -1, -1):
        depth += {"DEDENT": 1, "INDENT": -1}.get(s.kind(k), 0)
        if s.kind(k) == "collect" and depth < 0:
            return k
    return None


# ---------------------------------------------------------------- words in the wrong place


def _reserved(s: Situation) -> Diagnostic | None:
    for k in (s.at, s.at - 1):
        word = s.kind(k)
        if word not in s.reserved:
            continue
        if k < s.at:  # `rest: USD` or `unit = 3`: the word was taken for the beginning of another sentence
            is_name = s.begins_line(k) and s.found in (":", "=", ":=", "+=", "-=", ".") and word not in ("otherwise", "if")
        elif "NAME" not in s.expected:
            is_name = False
        elif "NUMBER" in s.expected:
            is_name = word not in JOINING and not s.begins_line(k)
        elif s.begins_line(k):
            is_name = s.kind(k + 1) in (":", "=", ":=", "+=", "-=", ".", ",", "[")
        else:
            is_name = word not in JOINING or s.kind(k + 1) in (":", "=", ")", ",", "NL", "(")
        if is_name:
            other = another_name(word)
            return _replace(
                Code.SF105,
                f"`{word}` is one of the {len(RESERVED)} reserved words and cannot be a name",
                s.span(k),
                other,
                f"take another name, for instance `{other}`",
            )
    return None


def _misplaced(s: Situation) -> Diagnostic | None:
    """A sentence that belongs somewhere else."""
    if s.found not in s.reserved or not s.begins_line(s.at):
        return None
    word = s.found
    if s.at == 0:
        if word == "rulebook":
            help = "a file has one `rulebook` line, at its top"
        elif word in STATEMENTS or word in ("when", "once", "in", "rest", "taking", "from", "expect", "check", "then"):
            help = "it belongs into a block: indent it below its header"
        else:
            help = f"here stands {expected_words(s.expected)}"
    elif word == "when" and "require" in s.expected:
        duty = s.kind(0) == "duty"
        help = "`when` stands above the statements of a duty" if duty else "only a duty has `when`; here it is `require`"
    elif word in ("once", "in") and "require" in s.expected:
        help = "`when`, `in order of` and `once` stand in this order above the statements of a duty"
    elif word in ITEMS and word not in STATEMENTS and word != "member":
        help = "a declaration stands at the left margin"
    else:
        help = f"here stands {expected_words(s.expected)}"
    return error(Code.SF118, f"`{word}` cannot stand here", Label(s.span(s.at)), help=help)


def _misspelled(s: Situation) -> Diagnostic | None:
    """A word that looks like one that could stand there: `requires`, `trasnfer`."""
    first = s.first(s.at)
    for k in dict.fromkeys((s.at, first)):
        if s.kind(k) != "NAME" or (k == first and s.at - first > 1):
            continue
        words = s.expected_at(k) & WORDS
        meant = _SYNONYMS.get(s.text(k).lower())
        near = meant if meant in words else suggest(s.text(k), words)
        if near:
            return _replace(
                Code.SF100, f"`{s.text(k)}` cannot stand here", s.span(k), near, f"did you mean `{near}`?"
            )
    return None


_SYNONYMS = {
    "import": "use", "const": "parameter", "constant": "parameter", "var": "let", "def": "procedure",
    "function": "let", "fn": "let", "func": "let", "struct": "party", "entity": "party", "class": "party", "record": "party",
    "enum": "party", "event": "action", "transition": "action", "rule": "duty", "invariant": "claim", "property": "claim",
    "theorem": "claim", "assume": "assumption", "test": "scenario", "currency": "asset", "token": "asset", "assert": "require",
    "send": "transfer", "move": "transfer", "mint": "issue", "pass": "nothing", "skip": "nothing", "foreach": "for",
    "deposit": "receive", "withdraw": "pay", "require_that": "require", "assuming": "given", "descending": "highest",
    "ascending": "lowest", "until": "to", "forall": "for",
}  # fmt: skip


def _unexpected(s: Situation) -> Diagnostic:
    """What stands there, and what could."""
    wanted = expected_words(s.expected)
    behind = ""
    if s.at > 0 and not s.layout(s.at - 1) and s.kind(s.at - 1) != "BAD":
        text = s.text(s.at - 1)
        behind = f" after `{text if len(text) <= 40 else text[:39] + '…'}`"
    labels = [Label(s.span(s.at))]
    opened = s.open_bracket()
    if opened is not None and ({")", "]"} & s.expected):
        labels.append(Label(s.span(opened), "this bracket is still open"))
    if s.found in ("INDENT", "DEDENT", "END"):
        word = s.next_word(s.at)
        if word is not None:
            labels[0] = Label(s.words.span(word))
    return error(Code.SF100, f"expected {wanted}{behind}, found {found_words(s)}", *labels)


_MISTAKES: tuple[Callable[[Situation], Diagnostic | None], ...] = (
    _else,
    _becomes,
    _unit_slash,
    _loop,
    _then,
    _aggregate,
    _otherwise,
    _brackets,
    _ranking,
    _colon,
    _block,
    _rest,
    _broken_line,
    _reserved,
    _misplaced,
    _misspelled,
)

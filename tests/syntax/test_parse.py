"""What each sentence becomes, and that its place is exact."""

from __future__ import annotations

import pytest
from quicktions import Fraction

from specforge.diagnostics.codes import Code
from specforge.diagnostics.source import SourceFile
from specforge.syntax import tree
from specforge.syntax.lex import ALSO_NAMES
from specforge.syntax.parse import parse, parse_partly
from specforge.syntax.tree import Name, Path, Ref


def book(text: str, path: str = "t.rulebook") -> tree.Rulebook:
    result, problems = parse(SourceFile(path, 'rulebook "t"\n' + text))
    assert not problems, problems
    assert result is not None
    return result


def item(text: str) -> tree.Item:
    (only,) = book(text).items
    return only


def value(text: str) -> tree.Expr:
    let = item(f"let it = {text}\n")
    assert isinstance(let, tree.Let)
    return let.value


def body(text: str) -> tuple[tree.Stmt, ...]:
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    action = item(f"action it:\n{indented}")
    assert isinstance(action, tree.Action)
    return action.body


def name(text: str) -> Name:
    return Name(text)


def path(text: str) -> Path:
    return Path(tuple(Name(part) for part in text.split(".")))


def ref(text: str) -> Ref:
    head, *rest = text.split(".")
    return Ref(Name(head), tuple(tree.Dot(Name(part)) for part in rest))


def errors(text: str, header: str = 'rulebook "t"\n') -> list[Code]:
    result, problems = parse(SourceFile("t.rulebook", header + text))
    assert (result is None) == bool(problems)
    return [problem.code for problem in problems]


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000", tree.Number(Fraction(1000))),
        ("8.50 hours", tree.Number(Fraction(17, 2), Name("hours"))),
        ("100 USD per LOT per day", tree.Number(Fraction(100), Name("USD"), (Name("LOT"), Name("day")))),
        ("0.5%", tree.Percent(Fraction(1, 200))),
        ("5% per day", tree.Percent(Fraction(1, 20), Name("day"))),
        ("yes", tree.Flag(True)),
        ("t.margin", ref("t.margin")),
        ("t.size[m]", Ref(name("t"), (tree.Dot(name("size")), tree.Index(ref("m"))))),
        ("max(a, 0)", tree.Call(ref("max"), (ref("a"), tree.Number(Fraction(0))))),
        ("bybit.equity(there)", tree.Call(ref("bybit.equity"), (ref("there"),))),
        ("now()", tree.Call(ref("now"), ())),
        ("--a", tree.Neg(tree.Neg(ref("a")))),
        ("(a)", ref("a")),
    ],
)
def test_simple_values(text: str, expected: tree.Expr) -> None:
    assert value(text) == expected


def test_products_bind_tighter_than_sums_and_both_go_from_the_left() -> None:
    assert value("a - b * c - d") == value("(a - (b * c)) - d")
    assert value("a / b / c") == value("(a / b) / c")
    assert value("-a * b") == value("(-a) * b")


def test_a_chain_of_comparisons_stays_a_chain() -> None:
    assert value("0 < a <= b") == tree.Compare(
        (tree.Number(Fraction(0)), ref("a"), ref("b")), (tree.CompareOp.LT, tree.CompareOp.LE)
    )


def test_and_binds_tighter_than_or_and_implies_goes_to_the_right() -> None:
    assert value("a and b or c and d and e") == tree.Or(
        (tree.And((ref("a"), ref("b"))), tree.And((ref("c"), ref("d"), ref("e"))))
    )
    assert value("a implies b implies c") == tree.Implies(ref("a"), tree.Implies(ref("b"), ref("c")))
    assert value("not a and b") == tree.And((tree.Not(ref("a")), ref("b")))


def test_a_choice_may_go_on() -> None:
    assert value("a if b otherwise c if d otherwise e") == tree.Choose(
        ref("b"), ref("a"), tree.Choose(ref("d"), ref("c"), ref("e"))
    )


def test_for_all_reaches_as_far_right_as_it_can() -> None:
    binder = tree.Binder((name("t"), name("u")), path("Trader"))
    assert value("a and not for all t, u: Trader: b or c implies d") == tree.And(
        (ref("a"), tree.Not(tree.ForAll(binder, tree.Implies(tree.Or((ref("b"), ref("c"))), ref("d")))))
    )


def test_aggregates() -> None:
    binder = tree.Binder((name("t"),), path("bybit.Trader"), ref("t.open"))
    where = "t: bybit.Trader where t.open"
    assert value(f"(sum of t.x for {where})") == tree.Fold(tree.FoldKind.SUM, ref("t.x"), binder)
    assert value(f"(largest of t.x for {where})") == tree.Fold(tree.FoldKind.LARGEST, ref("t.x"), binder)
    assert value(f"(smallest of t.x for {where})") == tree.Fold(tree.FoldKind.SMALLEST, ref("t.x"), binder)
    assert value(f"(count of {where})") == tree.Count(binder)
    assert value(f"(exists {where})") == tree.Exists(binder)


# ---------------------------------------------------------------- statements


def test_money_statements() -> None:
    assert body("transfer x from a.b to c\nreceive x into a\npay x from a\nissue x into a\nburn x from a") == (
        tree.Transfer(ref("x"), ref("a.b"), ref("c")),
        tree.Receive(ref("x"), ref("a")),
        tree.Pay(ref("x"), ref("a")),
        tree.Issue(ref("x"), ref("a")),
        tree.Burn(ref("x"), ref("a")),
    )


def test_other_statements() -> None:
    assert body("require a\na.b := c\na += c\na -= c\nf(a)\nlet x = a\nlet g() = a\nnothing") == (
        tree.Require(ref("a")),
        tree.Set(ref("a.b"), tree.SetOp.SET, ref("c")),
        tree.Set(ref("a"), tree.SetOp.GROW, ref("c")),
        tree.Set(ref("a"), tree.SetOp.SHRINK, ref("c")),
        tree.Do(tree.Call(ref("f"), (ref("a"),))),
        tree.Let(name("x"), None, ref("a")),
        tree.Let(name("g"), (), ref("a")),
        tree.Nothing(),
    )


def test_if_has_its_branches_in_order() -> None:
    nothing = (tree.Nothing(),)
    branches = (tree.Branch(ref("a"), nothing), tree.Branch(ref("b"), nothing), tree.Branch(ref("c"), nothing))
    text = "if a:\n    nothing\notherwise if b:\n    nothing\notherwise if c:\n    nothing"
    assert body(text) == (tree.If(branches),)
    assert body(text + "\notherwise:\n    nothing") == (tree.If(branches, nothing),)
    assert body("if a:\n    nothing") == (tree.If(branches[:1]),)


def test_collect_with_every_kind_of_tier() -> None:
    (collect,) = body(
        "collect loss into V.book:\n"
        "    from t.margin\n"
        '    cites law "5"\n'
        "    from V.fund up to 80% * V.fund\n"
        "    from w.share of each w: C where ok(w) up to w.cap in proportion to w.frozen in steps of 1\n"
        "    taking cut from each w: C up to 5 in order of p(w), highest first:\n"
        "        nothing\n"
        "    taking cut from each w: C up to 5 in any order:\n"
        "        nothing\n"
        "    taking cut from each w: C up to 5 equally:\n"
        "        nothing\n"
        '    cites law "6"\n'
        "    rest unpaid:\n"
        "        V.hole += unpaid\n"
    )
    assert isinstance(collect, tree.Collect)
    one, fund, each, ranked, any_order, equally = collect.tiers
    assert one == tree.FromOne(ref("t.margin"))
    assert isinstance(fund, tree.FromOne) and [c.text.text for c in fund.cites] == ["5"]
    assert isinstance(each, tree.FromEach) and each.policy == tree.Proportion(ref("w.frozen"))
    assert each.step == tree.Number(Fraction(1)) and each.cap == ref("w.cap")
    assert isinstance(ranked, tree.Taking) and isinstance(ranked.policy, tree.Ranked) and ranked.policy.highest
    assert isinstance(any_order, tree.Taking) and any_order.policy == tree.AnyOrder()
    assert isinstance(equally, tree.Taking) and equally.policy == tree.Equally() and equally.step is None
    assert isinstance(collect.rest, tree.Rest) and [c.text.text for c in collect.rest.cites] == ["6"]


def test_collect_may_demand_that_nothing_remains() -> None:
    (collect,) = body("collect x:\n    taking y from each w: C up to 5 equally:\n        nothing\n    nothing may remain")
    assert isinstance(collect, tree.Collect)
    assert collect.rest == tree.NothingMayRemain() and collect.target is None


def test_a_loop() -> None:
    binder = tree.Binder((name("t"),), path("Trader"), ref("t.open"))
    assert body("for each t: Trader where t.open:\n    nothing") == (tree.ForEach(binder, (tree.Nothing(),)),)
    order = tree.Ranked(ref("t.seat"), False)
    assert body("for each t: Trader where t.open in order of t.seat, lowest first:\n    nothing") == (
        tree.ForEach(binder, (tree.Nothing(),), order),
    )
    anyhow = tree.ForEach(tree.Binder((name("t"),), path("Trader")), (tree.Nothing(),), tree.AnyOrder())
    assert body("for each t: Trader in any order:\n    nothing") == (anyhow,)


# ---------------------------------------------------------------- declarations


def test_small_declarations() -> None:
    assert book(
        'source s = "x"\nasset USD\nasset FTT issued\nunit point\n'
        'use "a.rulebook" as a\nuse "b.rulebook" as b only c, d with e = 1, F.g = 2\n'
        "member ann, bob: a.Trader with open = yes\n"
    ).items == (
        tree.Source(name("s"), tree.Text("x")),
        tree.Asset(name("USD")),
        tree.Asset(name("FTT"), True),
        tree.Unit(name("point")),
        tree.Use(tree.Text("a.rulebook"), name("a")),
        tree.Use(
            tree.Text("b.rulebook"),
            name("b"),
            (name("c"), name("d")),
            (tree.Binding(path("e"), tree.Number(Fraction(1))), tree.Binding(path("F.g"), tree.Number(Fraction(2)))),
        ),
        tree.Member((name("ann"), name("bob")), path("a.Trader"), (tree.Binding(path("open"), tree.Flag(True)),)),
    )


def test_a_parameter_with_bounds_and_a_value() -> None:
    percent = tree.Percent
    assert item("parameter cap: ratio from 0% to 100% above 0 = 20%\n") == tree.Parameter(
        name("cap"),
        tree.Quantity((path("ratio"),)),
        (tree.Between(percent(Fraction(0)), percent(Fraction(1))), tree.Above(tree.Number(Fraction(0)))),
        percent(Fraction(1, 5)),
    )
    assert item("parameter policy: Policy\n") == tree.Parameter(name("policy"), tree.Quantity((path("Policy"),)))


def test_types() -> None:
    party = item(
        'party T "anyone":\n    a: balance USD at least -b\n    n: net USD\n    q: A * B per C per b.D = 5\n'
        '    per Market:\n        cites s "1"\n        size: net LOT\n'
    )
    assert isinstance(party, tree.Party)
    a, n, q, per = party.fields
    assert a == tree.Field(name("a"), tree.Balance(path("USD")), (tree.AtLeast(tree.Neg(ref("b"))),))
    assert n == tree.Field(name("n"), tree.Net(path("USD")))
    assert isinstance(q, tree.Field) and q.type == tree.Quantity((path("A"), path("B")), (path("C"), path("b.D")))
    assert isinstance(per, tree.Per) and per.party == name("Market") and per.fields[0].cites


def test_parties_say_how_many() -> None:
    assert item("party A\n") == tree.Party(name("A"), None, tree.Census.OPEN)
    assert item('party A "x", one\n') == tree.Party(name("A"), tree.Text("x"), tree.Census.ONE)
    assert item("party A, one of b, c\n") == tree.Party(name("A"), None, tree.Census.LIST, (name("b"), name("c")))


def test_a_table() -> None:
    table = item("table m(n: USD), rising:\n    up to 5: 1\n    below 6: 2\n    cites s \"t\"\n    otherwise: 3\n")
    assert isinstance(table, tree.Table) and table.marks == (name("rising"),)
    assert [row.kind for row in table.rows] == [tree.RowKind.UP_TO, tree.RowKind.BELOW, tree.RowKind.OTHERWISE]
    assert table.rows[2].limit is None and table.rows[2].cites


def test_a_duty_has_its_head_in_parts() -> None:
    duty = item(
        'duty d(t: Trader) "x" after round, b.tick:\n    when a\n    in order of b, lowest first\n    once\n    nothing\n'
    )
    assert duty == tree.Duty(
        name("d"),
        (tree.Param(name("t"), tree.Quantity((path("Trader"),))),),
        tree.Text("x"),
        (path("round"), path("b.tick")),
        ref("a"),
        tree.Ranked(ref("b"), False),
        True,
        (tree.Nothing(),),
    )
    assert item("duty d:\n    nothing\n") == tree.Duty(name("d"), (), None, (), None, None, False, (tree.Nothing(),))


def test_claims_assumptions_and_reach() -> None:
    items = book(
        "assumption a: x\nassumption b \"t\" on move(p): x\nassumption c on round: x\nreach r: x\n"
        "claim c: \n    x\n    expect refuted \"why\" given a, p = q by s\n    expect proved\n"
        'claim d "t" at every step:\n    cites s "1"\n    x\nclaim e after f(g):\n    x\nclaim h after f:\n    x\n'
    ).items
    equal = tree.Compare((ref("p"), ref("q")), (tree.CompareOp.EQ,))
    expects = (
        tree.Expect(name("refuted"), tree.Text("why"), (ref("a"), equal), name("s")),
        tree.Expect(name("proved")),
    )
    cite = tree.Cite(name("s"), tree.Text("1"))
    assert items == (
        tree.Assumption(name("a"), None, None, ref("x")),
        tree.Assumption(name("b"), tree.Text("t"), tree.On(path("move"), (name("p"),)), ref("x")),
        tree.Assumption(name("c"), None, tree.On(path("round"), ()), ref("x")),
        tree.Reach(name("r"), None, ref("x")),
        tree.Claim(name("c"), None, None, ref("x"), expects),
        tree.Claim(name("d"), tree.Text("t"), tree.EveryStep(), ref("x"), cites=(cite,)),
        tree.Claim(name("e"), None, tree.After(path("f"), (name("g"),)), ref("x")),
        tree.Claim(name("h"), None, tree.After(path("f")), ref("x")),
    )


def test_a_scenario() -> None:
    scenario = item(
        'scenario s "t":\n    with p = 1\n    member ann: T\n    cites s "1"\n    f(ann) refused\n    g(ann)\n'
        "    then d(ann) taking bob, cy\n    then d(ann)\n    check x\n"
    )
    assert isinstance(scenario, tree.Scenario)
    f, g, d = (tree.Call(ref(n), (ref("ann"),)) for n in "fgd")
    assert scenario.lines == (
        tree.With((tree.Binding(path("p"), tree.Number(Fraction(1))),)),
        tree.Member((name("ann"),), path("T")),
        tree.Act(f, True, cites=(tree.Cite(name("s"), tree.Text("1")),)),
        tree.Act(g),
        tree.Then(d, (name("bob"), name("cy"))),
        tree.Then(d),
        tree.Check(ref("x")),
    )


def test_citations_join_the_sentence_below() -> None:
    party, action = book(
        'cites s "1"\ncites s "2"\nparty A\n\ncites s "3"\n# between\naction b:\n    cites s "4"\n    nothing\n'
    ).items
    assert [c.text.text for c in party.cites] == ["1", "2"]
    assert [c.text.text for c in action.cites] == ["3"]
    assert isinstance(action, tree.Action) and [c.text.text for c in action.body[0].cites] == ["4"]


# ---------------------------------------------------------------- layout and places


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_layout_does_not_matter(end: str) -> None:
    text = (
        'rulebook "t"\n\n# x\nasset USD   # y\nlet a = max(\n  1,\n# in between\n\n2)\n\n'
        "action b:\n\n\t# odd\n    nothing\n  # end"
    )
    result, problems = parse(SourceFile("t.rulebook", "\ufeff" + text.replace("\n", end)))
    assert not problems and result is not None
    assert len(result.items) == 3


def test_blocks_may_be_indented_by_tabs() -> None:
    (action,) = book("action a:\n\tif x:\n\t\tnothing\n\tnothing\n").items
    assert isinstance(action, tree.Action) and len(action.body) == 2


def test_every_place_is_exact() -> None:
    text = "action withdraw(t: Trader):\n    require  t.margin + 1 > 0   # why\n    t.margin := 2 USD\n"
    (action,) = book(text).items
    assert isinstance(action, tree.Action)
    require, change = action.body
    assert action.name.span.text == "withdraw"
    assert action.span.text == text.replace("action", "action").rstrip()
    assert require.span.text == "require  t.margin + 1 > 0"
    assert (require.span.line, require.span.column, require.span.end_column) == (3, 5, 30)
    assert isinstance(require, tree.Require) and isinstance(require.condition, tree.Compare)
    left = require.condition.operands[0]
    assert isinstance(left, tree.Arith)
    assert (left.span.text, left.op_span.text, left.left.span.text) == ("t.margin + 1", "+", "t.margin")
    assert isinstance(change, tree.Set) and (change.op_span.text, change.value.span.text) == (":=", "2 USD")


def test_walk_meets_every_node_parents_first() -> None:
    (let,) = book("let f(t: Trader) = (sum of t.x[m] * 2 for m: Market)\n").items
    kinds = [type(node).__name__ for node in tree.walk(let)]
    assert kinds[:2] == ["Let", "Name"]
    assert {"Param", "Fold", "Arith", "Index", "Dot", "Number", "Binder"} <= set(kinds)


def test_a_markdown_file_is_read_through_its_fences() -> None:
    text = (
        '# Title\n\nasset no\n\n```rulebook\nrulebook "t"\nasset USD\n```\nprose `x`\n\n```python\nasset no\n```\n'
        "~~~rulebook extra\naction a:\n~~~\nand\n```rulebook\n    nothing\n"
    )
    result, problems = parse(SourceFile("t.md", text))
    assert not problems and result is not None
    asset, action = result.items
    assert (asset.span.line, asset.span.text) == (7, "asset USD")
    assert isinstance(action, tree.Action) and action.body[0].span.line == 19


def test_a_markdown_file_needs_a_block() -> None:
    assert [p.code for p in parse(SourceFile("t.md", "asset USD\n"))[1]] == [Code.SF126]
    indented = '- x\n  ```rulebook\n  rulebook "t"\n  ```\n'
    assert [p.code for p in parse(SourceFile("t.md", indented))[1]] == [Code.SF127]


# ---------------------------------------------------------------- mistakes


def test_three_mistakes_in_three_items_are_three_messages() -> None:
    text = "asset 5\nlet x 5\nasset OK\naction a:\n    require\n"
    assert errors(text) == [Code.SF100, Code.SF100, Code.SF100]


def test_mistakes_in_one_item_are_all_found() -> None:
    text = "action a:\n    require x ==== 5\n    x = 5\n    pay x to y\n    nothing\n    use := 5\n"
    assert set(errors(text)) >= {Code.SF107, Code.SF100, Code.SF105}


def test_what_could_be_read_is_kept_for_editors() -> None:
    result, problems = parse_partly(SourceFile("t.rulebook", 'rulebook "t"\nasset USD\nlet x 5\nasset BTC\n'))
    assert len(problems) == 1 and result is not None
    assert [type(i).__name__ for i in result.items] == ["Asset", "Asset"]


def test_not_more_mistakes_than_anybody_reads() -> None:
    codes = errors("let x 5\n" * 5000)
    assert len(codes) == 21 and codes[-1] is Code.SF125
    codes = errors("action a:\n" + "    require\n" * 5000)
    assert 20 <= len(codes) <= 21


def test_too_large_a_file_is_refused() -> None:
    assert errors("\n" * 20_001) == [Code.SF122]
    assert errors("#" * 1_000_001) == [Code.SF122]


def test_fixes_can_be_applied() -> None:
    text = (
        'rulebook "t"\nasset USD\nasset BTC\nparty V, one:\n    x: USD/BTC\n    y: USD at least .5\n'
        "action a\n    require V.x == 0&&V.y <> 1,000 or!(1 > 2)\n    V.y = 5\n    V.x := 100 USD/BTC\n"
    )
    for _ in range(10):
        source = SourceFile("t.rulebook", text)
        result, problems = parse(source)
        fixes = [fix for problem in problems for fix in problem.fixes]
        if not fixes:
            break
        for fix in sorted(fixes, key=lambda fix: -fix.span.start):
            text = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    assert not problems and result is not None
    assert "V.x = 0 and V.y != 1_000 or not (1 > 2)" in text and "100 USD per BTC" in text


@pytest.mark.parametrize(
    "text", ["", "\n", "\x00", "\ufeff", "   ", "\r", "\\", '"', "rulebook", 'rulebook "t', 'rulebook "t"\n\x00\x01\x7f']
)
def test_odd_files_get_a_message(text: str) -> None:
    result, problems = parse(SourceFile("t.rulebook", text))
    assert result is None and problems


@pytest.mark.parametrize("word", sorted(ALSO_NAMES))
def test_a_word_of_the_language_is_a_name_where_no_sentence_has_it(word: str) -> None:
    text = f"""rulebook "Names"
asset USD
party Trader:
    {word}: number at least 0 = 1
    more: number = {word} + 1
party Kind, one of {word}, other
let twice(x: number, {word}: number) = ({word} + x * {word}) / 2
let of(t: Trader) = t.{word} if t.{word} > 0 otherwise -t.{word}
action change(t: Trader, {word}: number):
    require {word} > 0 and not t.{word} = {word}
    t.{word} := {word}
    let y = min({word}, 2)
    for each u: Trader where u.{word} < {word} in order of u.{word}, lowest first:
        u.{word} += {word}
claim c:
    (sum of t.{word} for t: Trader) >= 0
scenario s:
    member {word}, ann: Trader with {word} = 2
    change({word}, 3)
    check {word}.{word} = 3
"""
    text = text.replace("let of(", "let size_of(")
    book, problems = parse(SourceFile("t.rulebook", text))
    assert problems == [], problems
    assert book is not None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("    once\n", Code.SF118),
        ("    rest x:\n        nothing\n", Code.SF118),
        ("    reach r: yes\n", Code.SF118),
        ("    source = 5\n", Code.SF107),
        ("    require order of x\n", Code.SF100),
    ],
)
def test_a_word_that_was_not_meant_as_a_name_is_explained_as_what_it_is(line: str, code: Code) -> None:
    assert errors("action a:\n    nothing\n" + line) == [code]

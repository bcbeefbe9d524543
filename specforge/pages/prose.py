"""A rulebook told in sentences: what is there, what the world may do, what the venue must do, with where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from specforge.diagnostics.source import Span
from specforge.syntax import tree


def said(node: tree.Node) -> str:
    """The text of a node, on one line, as code."""
    return f"`{_bare(node)}`"


def _bare(node: tree.Node) -> str:
    return " ".join(node.span.text.split())


# ------------------------------------------------------------ things


def things(book: tree.Rulebook) -> Iterator[str]:
    """Assets, parameters and parties, a line of Markdown each."""
    for item in book.items:
        match item:
            case tree.Asset(name, issued):
                yield (
                    f"- **{name.text}** is an asset"
                    + (", which these rules may create and destroy" if issued else "")
                    + _from(item)
                )
            case tree.Unit(name):
                yield f"- **{name.text}** is a unit" + _from(item)
            case tree.Parameter(name, type, bounds, default):
                limits = "".join(f", {_bare(each)}" for each in bounds)
                usual = f"; {_bare(default)} unless something else is said" if default is not None else ""
                yield f"- **{name.text}** is a parameter ({_bare(type)}{limits}){usual}" + _from(item)
            case tree.Party(name, description, census, listed, fields):
                yield from _party(item, name, description, census, listed, fields)
            case tree.Member(names, party):
                yield f"- {_list([f'**{each.text}**' for each in names])}: always there, a {_bare(party)}" + _from(item)
            case tree.Use(path, alias):
                yield f"- the rulebook {_quoted(path)} is used, and called **{alias.text}**" + _from(item)
            case tree.Include(path):
                yield f"- the rules of {_quoted(path)} are part of this rulebook" + _from(item)
            case _:
                pass


def _party(
    item: tree.Party, name: tree.Name, description: tree.Text | None, census: tree.Census, listed: Sequence[tree.Name],
    fields: Sequence[tree.Field | tree.Per],
) -> Iterator[str]:  # fmt: skip
    text = f", {description.text}" if description is not None else ""
    if listed:
        yield f"- **{name.text}** is one of {_list([each.text for each in listed])}{text}" + _from(item)
    else:
        many = "any number of them. Each has" if census is tree.Census.OPEN else "there is exactly one. It has"
        yield f"- **{name.text}**{text}: {many}:" + _from(item)
    for each in fields:
        match each:
            case tree.Field():
                yield f"    - {_field(each)}"
            case tree.Per(party, inner):
                yield f"    - for every {party.text}: " + "; ".join(_field(one) for one in inner)


def _field(field: tree.Field) -> str:
    match field.type:
        case tree.Balance(asset):
            kind = f"an account of {_bare(asset)}"
        case tree.Net(asset):
            kind = f"an account of {_bare(asset)} that may be below zero"
        case tree.Quantity():
            kind = _bare(field.type)
    limits = "".join(f", {_bare(each)}" for each in field.bounds)
    start = f", {_bare(field.start)} at the start" if field.start is not None else ""
    return f"**{field.name.text}**: {kind}{limits}{start}{_from(field)}"


def definitions(book: tree.Rulebook) -> Iterator[str]:
    for item in book.items:
        match item:
            case tree.Let(name, params, value):
                inputs = f"({', '.join(each.name.text for each in params)})" if params else ""
                yield f"- **{name.text}{inputs}** is {said(value)}" + _from(item)
            case tree.Table(name, param, marks, rows):
                marked = f" ({', '.join(each.text for each in marks)})" if marks else ""
                yield f"- **{name.text}({param.name.text})** is looked up in a table{marked}:" + _from(item)
                for row in rows:
                    limit = f"{row.kind.value} {_bare(row.limit)}" if row.limit is not None else "otherwise"
                    yield f"    - {limit}: {said(row.value)}"
            case _:
                pass


# ------------------------------------------------------------ rules


def rules(book: tree.Rulebook) -> Iterator[tuple[str, str, Span, list[str]]]:
    """Of each procedure, action and duty: its kind, its heading, where it stands, and its sentences as lines of Markdown."""
    number = 0
    for item in book.items:
        match item:
            case tree.Procedure(name, params, body):
                yield "procedure", _heading(name, params, None), item.span, _cited(item, list(_block(body, 0)))
            case tree.Action(name, params, description, body):
                yield "action", _heading(name, params, description), item.span, _cited(item, list(_block(body, 0)))
            case tree.Duty(name, params, description, after, when, order, once, body):
                number += 1
                lines = [_due(params, after, when, order, once), *_block(body, 0)]
                yield "duty", f"{number}. {_heading(name, params, description)}", item.span, _cited(item, lines)
            case _:
                pass


def _heading(name: tree.Name, params: Sequence[tree.Param], description: tree.Text | None) -> str:
    inputs = ", ".join(each.name.text for each in params)
    return f"**{name.text}**({inputs})" + (f": {description.text}" if description is not None else "")


def _due(
    params: Sequence[tree.Param], after: Sequence[tree.Path], when: tree.Expr | None, order: tree.Ranked | None, once: bool
) -> str:
    whom = f"for a {_bare(params[0].type)} {params[0].name.text}" if params else "for the venue"
    moment = f"After {_list([f'`{_bare(each)}`' for each in after], 'or')}" if after else "Whenever it is so"
    cond = f", if {said(when)}" if when is not None else ""
    sequence = f"; {'highest' if order.highest else 'lowest'} {said(order.key)} first" if order is not None else ""
    return f"- {moment}, {whom}{cond}{sequence}{'; once in a settling' if once else ''}:"


def _block(body: Sequence[tree.Stmt], depth: int) -> Iterator[str]:
    for each in body:
        yield from _statement(each, depth)


def _statement(stmt: tree.Stmt, depth: int) -> Iterator[str]:
    pad = "    " * depth
    cites = _from(stmt)
    match stmt:
        case tree.Require(condition):
            yield f"{pad}- Refused unless {said(condition)}.{cites}"
        case tree.Set(target, op, value):
            how = {":=": "becomes", "+=": "grows by", "-=": "shrinks by"}[op.value]
            yield f"{pad}- {said(target)} {how} {said(value)}.{cites}"
        case tree.Transfer(amount, source, target):
            yield f"{pad}- {said(amount)} moves from {said(source)} to {said(target)}.{cites}"
        case tree.Receive(amount, target):
            yield f"{pad}- {said(amount)} comes in from outside, to {said(target)}.{cites}"
        case tree.Pay(amount, source):
            yield f"{pad}- {said(amount)} is paid out of {said(source)}.{cites}"
        case tree.Issue(amount, target):
            yield f"{pad}- {said(amount)} is created and goes to {said(target)}.{cites}"
        case tree.Burn(amount, source):
            yield f"{pad}- {said(amount)} is taken from {said(source)} and destroyed.{cites}"
        case tree.Do(call):
            yield f"{pad}- {said(call)}, as that rule says.{cites}"
        case tree.Nothing():
            yield f"{pad}- Nothing happens.{cites}"
        case tree.Let(name, _, value):
            yield f"{pad}- Let *{name.text}* be {said(value)}.{cites}"
        case tree.If(branches, otherwise):
            for at, branch in enumerate(branches):
                yield f"{pad}- {'If' if at == 0 else 'Otherwise, if'} {said(branch.condition)}:{cites if at == 0 else ''}"
                yield from _block(branch.body, depth + 1)
            if otherwise is not None:
                yield f"{pad}- Otherwise:"
                yield from _block(otherwise, depth + 1)
        case tree.ForEach(binder, body, order):
            how = f", {_policy(order)}" if order is not None else ""
            yield f"{pad}- For {_everybody(binder)}{how}:{cites}"
            yield from _block(body, depth + 1)
        case tree.Collect(amount, target, tiers, rest):
            where = f" for {said(target)}" if target is not None else ""
            yield f"{pad}- {said(amount)} is collected{where}, from one after the other:{cites}"
            for number, tier in enumerate(tiers, start=1):
                yield from _tier(tier, number, depth + 1)
            yield from _rest(rest, depth + 1)
        case _:
            assert_never(stmt)


def _tier(tier: tree.Tier, number: int, depth: int) -> Iterator[str]:
    pad = "    " * depth
    cites = _from(tier)
    match tier:
        case tree.FromOne(account, cap):
            yield f"{pad}{number}. {said(account)}{_up_to(cap)}.{cites}"
        case tree.FromEach(account, binder, cap, policy, step):
            whom = f"{said(account)} of {_everybody(binder)}{_up_to(cap)}"
            yield f"{pad}{number}. {whom}, {_policy(policy)}{_steps(step)}.{cites}"
        case tree.Taking(share, binder, cap, policy, step, body):
            yield (
                f"{pad}{number}. {_everybody(binder)}{_up_to(cap)}, {_policy(policy)}{_steps(step)}. "
                f"Who gives *{share.text}*:{cites}"
            )
            yield from _block(body, depth + 1)
        case _:
            assert_never(tier)


def _rest(rest: tree.Rest | tree.NothingMayRemain, depth: int) -> Iterator[str]:
    pad = "    " * depth
    match rest:
        case tree.Rest(name, body):
            yield f"{pad}- What is left then, *{name.text}*:{_from(rest)}"
            yield from _block(body, depth + 1)
        case tree.NothingMayRemain():
            yield f"{pad}- Nothing may be left.{_from(rest)}"


def _everybody(binder: tree.Binder) -> str:
    names = _list([each.text for each in binder.names])
    where = f" with {said(binder.where)}" if binder.where is not None else ""
    return f"every {_bare(binder.party)} {names}{where}"


def _up_to(cap: tree.Expr | None) -> str:
    return f", up to {said(cap)}" if cap is not None else ""


def _steps(step: tree.Expr | None) -> str:
    return f", in steps of {said(step)}" if step is not None else ""


def _policy(policy: tree.Policy | tree.Ranked | tree.AnyOrder) -> str:
    match policy:
        case tree.Ranked(key, highest):
            return f"{'highest' if highest else 'lowest'} {said(key)} first"
        case tree.AnyOrder():
            return "in any order"
        case tree.Proportion(weight):
            return f"in proportion to {said(weight)}"
        case tree.Equally():
            return "equally"


# ------------------------------------------------------------ where it comes from


def sources(book: tree.Rulebook) -> dict[str, str]:
    return {item.name.text: item.text.text for item in book.items if isinstance(item, tree.Source)}


def _from(sentence: tree.Sentence) -> str:
    if not sentence.cites:
        return ""
    return " *[" + "; ".join(f"{each.source.text}: {each.text.text}" for each in sentence.cites) + "]*"


def _cited(item: tree.Sentence, lines: list[str]) -> list[str]:
    return [f"*From {cite.source.text}: {cite.text.text}.*" for cite in item.cites] + ([""] if item.cites else []) + lines


def _quoted(text: tree.Text) -> str:
    return f"`{text.text}`"


def _list(words: Sequence[str], last: str = "and") -> str:
    return ", ".join(words[:-1]) + f" {last} " + words[-1] if len(words) > 1 else "".join(words)

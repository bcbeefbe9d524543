"""Two rulebooks written twice: the interpreter reads the text, the plain models beside this file were written by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from specforge.algebra.exact import ExactMachine
from specforge.core.machine import Choice, Refused, settle
from specforge.elaborate import load
from tests.reference import ccp_waterfall, small_venue

EXAMPLES = Path(__file__).parents[1] / "venues"
AMOUNTS = [Fraction(n) for n in (-1, 0, 1, 2, 3, 5, 10, 40)] + [Fraction(1, 3), Fraction(7, 2)]


def machine_for(name: str, party: str, members: int) -> ExactMachine:
    system, diagnostics = load(str(EXAMPLES / name))
    assert system is not None, diagnostics
    return ExactMachine(system, {party: members})


def perform(machine: ExactMachine, random: Random, action: str, args: tuple[Any, ...]) -> list[int] | None:
    """Who acted in the settling, in order; None if the action was refused."""

    def pick(choice: Choice) -> int:
        return random.randrange(len(choice.options))

    try:
        took = machine.act(action, args, pick)
    except Refused:
        return None
    return [firing.members[0] for firing in settle(machine, {name for name, _ in took}, pick)]


@pytest.mark.parametrize("seed", range(12))
def test_the_small_venue_agrees_with_its_model(seed: int) -> None:
    random, members = Random(seed), 3
    machine = machine_for("05_small_venue.rulebook", "Trader", members)
    margins = [random.choice([Fraction(n) for n in (0, 10, 25, 100)]) for _ in range(members)]
    fund = random.choice([Fraction(0), Fraction(15), Fraction(200)])
    machine.begin({("seed", 0, 0): fund} | {("Trader.margin", i, 0): margin for i, margin in enumerate(margins)})
    model = small_venue.SmallVenue([small_venue.Account(margin) for margin in margins], fund)

    for _ in range(60):
        action = random.choice(["trade", "trade", "mark_moves", "mark_moves", "round"])
        args: tuple[Any, ...] = ()
        if action == "trade":
            args = random.randrange(members), random.randrange(members), random.choice(AMOUNTS)
        elif action == "mark_moves":
            args = (model.mark * random.choice([Fraction(n, 20) for n in (0, 16, 18, 19, 21, 22, 24)]),)
        closed = perform(machine, random, action, args)
        try:
            if action == "round":
                model.round(closed or [])
            else:
                getattr(model, action)(*args)
        except small_venue.Rejected:
            assert closed is None, (action, args)
        else:
            assert closed is not None and (action == "round" or not closed), (action, args)
        state = machine.save()
        for i, account in enumerate(model.accounts):
            assert account.margin == state["Trader.margin", i, 0]
            assert account.position == state["Trader.position", i, 0]
            assert account.unsettled == state["Trader.unsettled", i, 0]
        for name in ("fund", "book", "inventory", "bad_debt", "mark"):
            assert getattr(model, name) == state[f"Venue.{name}", 0, 0], name
        assert model.money == state["holdings(USD)", 0, 0]


@pytest.mark.parametrize("seed", range(12))
def test_the_waterfall_agrees_with_its_model(seed: int) -> None:
    random, members = Random(seed), 4
    machine = machine_for("12_ccp_waterfall.rulebook", "Clearer", members)
    skin, cap = (
        random.choice([Fraction(0), Fraction(5), Fraction(50)]),
        random.choice([Fraction(0), Fraction(1, 2), Fraction(2)]),
    )
    machine.begin({("skin_start", 0, 0): skin, ("cap", 0, 0): cap})
    model = ccp_waterfall.Ccp([ccp_waterfall.Clearer() for _ in range(members)], skin, cap, money=skin)

    defaults = 0
    for _ in range(120):
        action = random.choice(["join", "join", "prices_move", "prices_move", "pay_variation", "take_variation", "default"])
        one, two = random.sample(range(members), 2) if random.random() < 0.9 else (0, 0)
        args: tuple[Any, ...] = {
            "join": (one, random.choice(AMOUNTS), random.choice(AMOUNTS)),
            "prices_move": (one, two, random.choice(AMOUNTS)),
            "pay_variation": (one,),
            "take_variation": (one, random.choice(AMOUNTS)),
            "default": (one, random.choice(AMOUNTS)),
        }[action]
        if action == "default":
            if random.random() < 0.5:
                continue
            deepest = min(range(members), key=lambda m: model.members[m].gain)
            one, args = deepest, (deepest, args[1])
        fired = perform(machine, random, action, args)
        try:
            getattr(model, action)(*args)
        except ccp_waterfall.Rejected:
            assert fired is None, (action, args)
        else:
            assert fired == ([one] if action == "default" else []), (action, args)
            defaults += action == "default"
        state = machine.save()
        for i, clearer in enumerate(model.members):
            for name in ("margin", "share", "frozen", "gain", "called", "failed"):
                assert getattr(clearer, name) == state[f"Clearer.{name}", i, 0], (action, args, i, name)
        assert (model.skin, model.book, model.torn) == tuple(state[f"Ccp.{name}", 0, 0] for name in ("skin", "book", "torn"))
        assert model.money == state["holdings(USD)", 0, 0]
    assert defaults > 0


def test_the_models_know_nothing_of_the_project() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        if not path.name.startswith("test_"):
            assert "specforge" not in path.read_text()

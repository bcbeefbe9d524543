"""Classes are what attrs makes of them, but for how their `repr` comes about."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from specforge import records


def made(define: Any) -> list[Any]:
    @define
    class Point:
        x: int
        y: int = attrs.field(default=2, repr=False)

    @define
    class Named(Point):
        name: str = "n"
        inside: Any = None

    @define
    class Own:
        x: int

        def __repr__(self) -> str:
            return f"own {self.x}"

    return [Point(1), Named(1, 3, "it's", Point(2)), Own(4)]


@pytest.mark.parametrize("name", ["define", "frozen"])
def test_they_are_shown_as_attrs_shows_them(name: str) -> None:
    ours, theirs = made(getattr(records, name)), made(getattr(attrs, name))
    assert [repr(each) for each in ours] == [repr(each) for each in theirs]
    assert repr(ours[1]) == "Named(x=1, name=\"it's\", inside=Point(x=2))" and repr(ours[2]) == "own 4"
    assert ours[0] == attrs.evolve(ours[0]) and ours[0] != attrs.evolve(ours[0], x=2)


def test_options_are_those_of_attrs() -> None:
    @records.frozen(eq=False)
    class Thing:
        x: int

    assert Thing(1) != Thing(1) and repr(Thing(1)) == "Thing(x=1)"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Thing(1).x = 2  # type: ignore[misc]

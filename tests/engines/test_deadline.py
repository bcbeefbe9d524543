"""Work that ends in time, wherever the time finds it."""

from __future__ import annotations

import signal
import sys
import threading
import time

import pytest
import z3

from specforge.algebra.solver import Session, interrupt, overdue
from specforge.algebra.terms import roots
from specforge.engines.deadline import OutOfTime, at_most


class Deaf:
    """Nothing that is raised while it goes gets out."""

    def __del__(self) -> None:
        time.sleep(0.1)


def test_it_ends_and_leaves_nothing_behind():
    before = signal.getsignal(signal.SIGALRM), sys.unraisablehook
    with pytest.raises(OutOfTime), at_most(0.02):
        while True:
            pass
    assert (signal.getsignal(signal.SIGALRM), sys.unraisablehook) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_that_is_turned_into_another_error_is_still_out_of_time():
    with pytest.raises(OutOfTime), at_most(0.02):
        try:
            while True:
                pass
        except BaseException as error:
            raise TypeError("argument 1") from error


def test_an_error_of_the_work_itself_stays_what_it_is():
    with pytest.raises(TypeError), at_most(100):
        raise TypeError("argument 1")


def test_an_alarm_that_falls_on_deaf_ears_rings_again(capsys):
    with pytest.raises(OutOfTime), at_most(0.02):
        Deaf()
        while True:
            pass
    assert "Exception ignored" not in capsys.readouterr().err


def test_the_binding_of_the_solver_is_never_broken_off():
    binding: dict[str, object] = {"__name__": "z3.z3core"}
    exec(
        "def work(until, done):\n    while not until():\n        pass\n    done.append(True)\n",
        binding,
    )
    done: list[bool] = []
    rung = time.monotonic() + 0.1
    with pytest.raises(OutOfTime), at_most(0.02):
        binding["work"](lambda: time.monotonic() > rung, done)  # type: ignore[operator]
        while True:
            pass
    assert done == [True]


def test_who_is_interrupted_is_the_question_that_is_being_worked_on_and_nobody_after_it():
    two = z3.Var(0, z3.RealSort()) * z3.Var(0, z3.RealSort()) - 4
    cubes = [z3.Int(f"cube {at}") for at in range(3)]
    hard, easy = Session(), Session()
    hard.add([sum(each**3 for each in cubes) == 114])
    easy.add([cubes[0] > 1])

    def press() -> None:
        while overdue() == 0.0 and not done.wait(0.1):
            interrupt()

    done = threading.Event()
    interrupt()  # nobody is at work
    thread = threading.Thread(target=press)
    thread.start()
    began = time.monotonic()
    assert hard.ask(seconds=60) == "unknown" and time.monotonic() - began < 30
    done.set()
    thread.join()
    assert easy.ask() == "sat" and len(roots(two)) == 2

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

import specforge
from specforge.apps.cli import main
from tests.apps import fake_pipeline

EXAMPLES = Path(__file__).parents[1] / "venues"


@frozen
class Ran:
    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees, or writes, what the user's own runs have kept."""
    monkeypatch.setenv("SPECFORGE_CACHE", str(tmp_path / "kept"))


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch):
    """The stand-in, in the place of the real pipeline."""
    monkeypatch.setitem(sys.modules, "specforge.pipeline", fake_pipeline)
    monkeypatch.setattr(specforge, "pipeline", fake_pipeline, raising=False)
    return fake_pipeline


@pytest.fixture
def cli(pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command line in this process."""
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def bitmex() -> str:
    return str(EXAMPLES / "01_bitmex.rulebook")


SMALL = """\
rulebook "Small" "One account, one promise."
asset USD
party Trader:
    margin: balance USD
party Venue, one:
    hole: USD = 0
action lose(t: Trader, amount: USD):
    require amount > 0
    let paid = min(amount, t.margin)
    pay paid from t.margin
    Venue.hole += amount - paid
claim no_hole "nobody owes more than he has":
    Venue.hole = 0
    expect refuted by ruin
scenario ruin:
    member ann: Trader with margin = 10 USD
    lose(ann, 30 USD)
    check Venue.hole = 20 USD
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A rulebook whose every expectation is met."""
    path = tmp_path / "small.rulebook"
    path.write_text(SMALL)
    return path

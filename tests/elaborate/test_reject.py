"""Every rulebook in reject/ is refused with exactly the message that lies beside it.

After a change of wording: SPECFORGE_GOLDEN=1 pytest tests/elaborate/test_reject.py, then read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specforge.diagnostics.render import render_all
from specforge.elaborate import load

REJECT = Path(__file__).parent / "reject"


@pytest.mark.parametrize("path", sorted(REJECT.glob("*.rulebook")), ids=lambda path: path.stem)
def test_the_message_is_as_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REJECT)
    system, problems = load(path.name)
    assert system is None
    shown = render_all(problems) + "\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("SPECFORGE_GOLDEN"):
        expected.write_text(shown, encoding="utf-8")
    assert expected.exists(), "no message recorded yet: run with SPECFORGE_GOLDEN=1"
    assert shown == expected.read_text(encoding="utf-8")

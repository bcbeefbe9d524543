"""Verdicts of earlier runs, shown again only where nothing they rest on has changed, and after each run has been replayed.

An entry holds a whole file's rows with its system.  It counts if the texts that were read (the rulebook's and those it uses),
the tool's own files, the solvers' versions and the options are the same, byte for byte; if anything is wrong with it, it is
ignored.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import asdict, evolve

from specforge.core import ir
from specforge.diagnostics.source import SourceFile
from specforge.evidence.bundle import versions
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.report import CheckOptions, FileReport
from specforge.evidence.trace import Step, Trace
from specforge.evidence.verdict import Result, Verdict
from specforge.records import frozen

VARIABLE = "SPECFORGE_CACHE"  # the folder, if it is to be another
MOST = 1000  # entries; beyond that the oldest go
PACKAGE = Path(__file__).parents[1]


def folder() -> Path:
    """Where entries lie: never inside the package."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "specforge"


@cache
def tool_digest() -> str:
    """Every file of the tool, and what it stands on."""
    digest = hashlib.sha256(json.dumps([versions(), sys.version, sys.platform], sort_keys=True).encode())
    for path in sorted(each for each in PACKAGE.rglob("*") if each.is_file() and each.suffix != ".pyc"):
        digest.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def digest_of(path: str) -> str | None:
    """The file's content; None if there is none."""
    with suppress(OSError):
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return None


@frozen
class Store:
    """The entries for runs with these options."""

    options: CheckOptions

    def find(self, path: Path) -> FileReport | None:
        """What was decided before; the rows asked for, out of an entry that has them all, do as well.  So does one in which
        nobody asked what proofs need, if there are no proofs among them."""
        for options in dict.fromkeys((self.options, evolve(self.options, only=(), off=()))):
            for asked in dict.fromkeys((options, evolve(options, proofs=False))):
                found = self._read(path, asked)
                if found is not None:
                    found = evolve(found, results=tuple(each for each in found.results if self._asked(each)))
                    if asked == options or all(each.verdict is not Verdict.PROVED for each in found.results):
                        return found
        return None

    def _asked(self, result: Result) -> bool:
        only, off = self.options.only, self.options.off
        return (not only or result.name in only) and not (result.kind == "free" and result.name in off)

    def keep(self, report: FileReport, began: float) -> None:
        """For the next run.  `began` (time.time): what has been changed since then is not what was decided."""
        with suppress(OSError, pickle.PicklingError, RecursionError):
            body, files = _pickled(report)
            read = {each: digest_of(each) for each in files}
            if any(digest is not None and Path(each).stat().st_mtime >= began for each, digest in read.items()):
                return
            head: dict[str, Any] = {"files": {each: digest for each, digest in read.items() if digest is not None}}
            head["body"] = hashlib.sha256(body).hexdigest()
            target = self._entry(report.path, self.options)
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".new", delete=False) as new:
                new.write(json.dumps(head).encode() + b"\n" + body)
            os.replace(new.name, target)
            _tidy(target.parent)

    def _entry(self, path: Path, options: CheckOptions) -> Path:
        asked = asdict(evolve(options, jobs=1, keep=True))
        key = json.dumps([str(path), str(path.resolve()), tool_digest(), asked], sort_keys=True)
        return folder() / hashlib.sha256(key.encode()).hexdigest()[:40]

    def _read(self, path: Path, options: CheckOptions) -> FileReport | None:
        try:
            text = self._entry(path, options).read_bytes()
            head, _, body = text.partition(b"\n")
            said = json.loads(head)
            if hashlib.sha256(body).hexdigest() != said["body"]:
                return None
            if any(digest_of(each) != digest for each, digest in said["files"].items()):
                return None
            report = _unpickled(body)
            return evolve(report, results=tuple(_replayed(report.system, each) for each in report.results), kept=True)
        except Exception:  # whatever is wrong with it, it is only an entry
            return None


def _replayed(system: ir.System | None, result: Result) -> Result:
    """The row, its run executed once more.  Raises if it does not go as it went."""
    trace = result.trace
    if trace is None:
        return result
    if system is None:
        raise NotReplayed("there is no rulebook")
    again = replay(system, trace.plan, trace.goal, trace.names)
    if (again.start, again.final, _bare(again)) != (trace.start, trace.final, _bare(trace)):
        raise NotReplayed("the run goes another way")
    return result


def _bare(trace: Trace) -> list[Step]:
    return [evolve(each, note="") for each in trace.steps]


def _tidy(entries: Path) -> None:
    those = [(each.stat().st_mtime, each) for each in entries.iterdir() if each.is_file()]
    for _, each in sorted(those)[: max(0, len(those) - MOST)]:
        each.unlink(missing_ok=True)


# ---------------------------------------------------------------- as bytes


class _Pickler(pickle.Pickler):
    """Each text once, however many copies of it there are."""

    def __init__(self, stream: io.BytesIO):
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.texts: dict[tuple[str, str], int] = {}

    def persistent_id(self, obj: Any) -> int | None:
        if isinstance(obj, SourceFile):
            return self.texts.setdefault((obj.path, obj.text), len(self.texts))
        return None


OTHERS = {("quicktions", "Fraction"), ("pathlib", "PosixPath"), ("pathlib", "WindowsPath")}


class _Unpickler(pickle.Unpickler):
    """Makes nothing but this project's own values, fractions and paths."""

    def __init__(self, stream: io.BytesIO, texts: Iterable[tuple[str, str]]):
        super().__init__(stream)
        self.texts = [SourceFile(path, text) for path, text in texts]

    def persistent_load(self, pid: Any) -> SourceFile:
        return self.texts[pid]

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name.split(".")[0] == "specforge" or (module_name, global_name) in OTHERS:
            found = import_module(module_name)
            for part in global_name.split("."):
                found = getattr(found, part)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name}")


def _pickled(report: FileReport) -> tuple[bytes, list[str]]:
    """The report as bytes, and the paths of the texts it speaks of."""
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    pickler.dump(report)
    texts = list(pickler.texts)
    return json.dumps(texts).encode() + b"\n" + stream.getvalue(), [path for path, _ in texts if path]


def _unpickled(body: bytes) -> FileReport:
    texts, _, rest = body.partition(b"\n")
    report = _Unpickler(io.BytesIO(rest), json.loads(texts)).load()
    assert isinstance(report, FileReport)
    return report

"""The command `specforge`: reads the command line, starts the verb, and turns whatever happens into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from specforge.apps.errors import UsageError, closest

MET, USAGE, INTERNAL, INTERRUPTED = 0, 2, 70, 130
PROGRAM = "specforge"

VERBS = ("check", "run", "trace", "doc", "certify", "verify", "schema")
LATER_VERBS = (
    "explain", "fmt", "lint", "diff", "solve", "mutate", "replay", "new", "repl", "lsp",
)  # fmt: skip
LATER_OPTIONS = ("--certify", "--new-since", "--show-config", "--exit-code", "--for")
LATER_FORMATS = ("sarif", "junit", "github", "html", "itf", "csv", "mermaid", "pytest")

EXIT_CODES = """\
exit codes:
    0  every expectation is met
    1  something contradicts: an unexpected refutation, a failing scenario, a free check refuted
    2  usage
    3  a rulebook does not compile
    4  nothing contradicts, but an expectation is undecided
    5  a claim is vacuous, or a state cannot be reached
   70  internal error
  130  interrupted
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\ntry `{self.prog} --help`")


def _format(*names: str) -> Callable[[str], str]:
    def choose(text: str) -> str:
        if text in names:
            return text
        if text in LATER_FORMATS:
            raise argparse.ArgumentTypeError(f"`{text}` belongs to a later version; now there are {', '.join(names)}")
        raise argparse.ArgumentTypeError(f"`{text}` is not a format; there are {', '.join(names)}")

    return choose


def _whole(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least {least}")
        return int(text)

    return whole


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds above 0")
    return value


def _arguments() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Decides whether an exchange's rulebook keeps its promises.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    _check(_verb(verbs, "check", "every claim of every rulebook: the verdict table, then each counterexample"))
    _run(_verb(verbs, "run", "execute scenarios, or random runs with counts of what happened"))
    _trace(_verb(verbs, "trace", "one counterexample, reached state or proof in full"))
    _doc(_verb(verbs, "doc", "a rulebook as a page for reviewers: rules in sentences, verdicts, counterexamples told"))
    _certify(_verb(verbs, "certify", "write proofs down, to be checked with another solver"))
    _verify(_verb(verbs, "verify", "re-check written proofs with cvc5, from their files alone"))
    schema = _verb(verbs, "schema", "print the JSON Schema of what SpecForge writes")
    names = "report, result, trace, diagnostic, summary, run, certificate, certificates or verification"
    schema.add_argument("name", metavar="NAME", help=names)
    _output(schema)
    return parser


def _verb(verbs: Any, name: str, help: str) -> Parser:
    parser: Parser = verbs.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def _output(parser: Parser) -> None:
    parser.add_argument("--output", metavar="FILE", help="write there instead of standard output")


def _printing(parser: Parser, *formats: str) -> None:
    parser.add_argument("--format", type=_format(*formats), default="text", metavar="FORMAT", help=", ".join(formats))
    _output(parser)
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: on a terminal)")


def _searching(parser: Parser) -> None:
    parser.add_argument("--members", type=_whole(1), metavar="N", help="search with at most N members of each open party")
    parser.add_argument("--steps", type=_whole(0), metavar="K", help="search runs of at most K actions")
    parser.add_argument("--budget", type=_seconds, metavar="SECONDS", help="stop after that long, with what is known")
    parser.add_argument("--jobs", type=_whole(1), metavar="N", help="worker processes (default: one per core)")
    parser.add_argument("--seed", type=_whole(0), default=0, metavar="N", help="for everything random (default: 0)")
    parser.add_argument("--no-cache", action="store_true", help="decide everything anew, and keep nothing")


def _check(parser: Parser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="rulebooks and directories of them (default: rulebooks/)")
    _printing(parser, "text", "plain", "json", "jsonl", "markdown")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this claim, reach, scenario or free check")
    parser.add_argument("--off", action="append", default=[], metavar="NAME", help="switch this free check off")
    parser.add_argument("--proofs", action="store_true", help="also what each proof rests on, and which sentences none needs")
    _searching(parser)
    parser.add_argument("--table", action="store_true", help="claims against what is given, instead of the rows")
    parser.add_argument("--stability", type=_whole(2), metavar="N", help="ask with N seeds: what some do not decide is fragile")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        choices=("refuted", "unknown", "vacuous", "any"),
        help="verdicts that make the exit code, whatever was expected",
    )


def _run(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE")
    _printing(parser, "text", "plain", "json", "html", "svg")
    parser.add_argument("--vary", metavar="ACTION=FROM..TO", help="the scenario's first such line with other numbers: a curve")
    parser.add_argument("--points", type=_whole(2), metavar="N", help="how many of them (default: 41)")
    parser.add_argument(
        "--scenario", metavar="NAME|FILE", help="one scenario, a file of further scenarios, or a trace (.json) to replay"
    )
    parser.add_argument("--runs", type=_whole(1), metavar="N", help="random runs instead of scenarios (default: 1000)")
    parser.add_argument("--steps", type=_whole(1), metavar="K", help="actions in a random run (default: 20)")
    parser.add_argument("--members", type=_whole(1), metavar="N", help="members of each open party then (default: 3)")
    parser.add_argument("--seed", type=_whole(0), metavar="N", help="of the random runs (default: 0)")


def _trace(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("claim", metavar="CLAIM", help="a claim, reach or free check")
    parser.add_argument("--given", metavar="NAMES", help="the one with exactly these assumptions, separated by commas")
    _printing(parser, "text", "plain", "json", "scenario", "html", "svg")
    _searching(parser)


def _doc(parser: Parser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="rulebooks, or directories of them")
    formats = ("markdown", "html")
    parser.add_argument("--format", type=_format(*formats), default="markdown", metavar="FORMAT", help=", ".join(formats))
    parser.add_argument("--output", metavar="FILE|DIR", help="where to write; a directory for several")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: on a terminal)")
    _searching(parser)


def _certify(parser: Parser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="rulebooks, or directories of them")
    parser.add_argument("--output", metavar="DIR", help="where to write them (default: certificates)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this claim, reach or free check")
    parser.add_argument("--budget", type=_seconds, metavar="SECONDS", help="to look for proofs (default: what is worth it)")
    parser.add_argument("--jobs", type=_whole(1), metavar="N", help="worker processes (default: one per core)")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: on a terminal)")


def _verify(parser: Parser) -> None:
    parser.add_argument("directory", metavar="DIR", help="what `certify` wrote, or one certificate of it")
    _printing(parser, "text", "plain", "json")
    parser.add_argument(
        "--rulebook", action="append", default=[], metavar="FILE", help="is the text that was certified still this one?"
    )
    parser.add_argument("--solver", choices=("cvc5", "z3"), default="cvc5", help="z3: without a second solver")
    parser.add_argument(
        "--units", type=_whole(1), default=1_000_000, metavar="N", help="of work on each step (default: 1000000, about 10 s)"
    )
    parser.add_argument("--jobs", type=_whole(1), metavar="N", help="worker processes (default: one per core)")


def _not_yet(arguments: Sequence[str]) -> None:
    """What belongs to a later version is a clear mistake, never silently ignored."""
    verb = next((each for each in arguments if not each.startswith("-")), "")
    if verb in LATER_VERBS:
        raise UsageError(f"`{PROGRAM} {verb}` belongs to a later version; now there are {', '.join(VERBS)}")
    for each in arguments:
        if each == "--":
            return
        if each.partition("=")[0] in LATER_OPTIONS:
            raise UsageError(f"`{each.partition('=')[0]}` belongs to a later version")
    if verb and verb not in VERBS and arguments[0] == verb:
        raise UsageError(f"there is no verb `{verb}`{closest(verb, VERBS)}")


def version() -> str:
    from importlib.metadata import version

    return version(PROGRAM)


def _start(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:
        print(f"{PROGRAM} {version()}")
        return MET
    _not_yet(arguments)
    parser = _arguments()
    options = parser.parse_args(list(arguments))
    if options.version:
        print(f"{PROGRAM} {version()}")
        return MET
    if options.verb is None:
        parser.print_help()
        return USAGE
    return import_module(f"specforge.apps.{options.verb}").main(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.  No exception leaves it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    try:
        return _start(arguments)
    except UsageError as problem:
        print(f"{PROGRAM}: {problem}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else MET
    except (Exception, RecursionError) as error:
        return _internal(error, arguments)


def _open_streams() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _internal(error: BaseException, arguments: Sequence[str]) -> int:
    from specforge.evidence.bundle import write_bundle

    files = [each for each in arguments if each.endswith((".rulebook", ".md"))]
    bundle = write_bundle(error, f"{PROGRAM} {' '.join(arguments)}", files)
    what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    print(f"{PROGRAM}: internal error ({what}); please report it with {bundle}", file=sys.stderr)
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())

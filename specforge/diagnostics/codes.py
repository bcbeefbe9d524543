"""The stable code of every kind of mistake, with a one-line title each.

Codes are a contract: add new ones at the end of their block, never renumber or reuse one.
SF1xx text and syntax, SF2xx names, SF3xx types and units, SF4xx rules, SF5xx claims and scenarios.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """`Code.SF201.title`; `str(Code.SF201)` is `SF201`."""

    # SF1xx: the text
    SF100 = "unexpected word"
    SF101 = "unexpected character"
    SF102 = "text in quotes that does not end"
    SF103 = "bracket that is not closed"
    SF104 = "indentation that fits no block"
    SF105 = "reserved word used as a name"
    SF106 = "missing `:` at the end of a header"
    SF107 = "`=` and `:=` confused"
    SF108 = "nothing said about what is left at the end of `collect`"
    SF109 = "`otherwise` without `if`"
    SF110 = "spelling from a programming language"
    SF111 = "number written another way"
    SF112 = "unit written with `/`"
    SF113 = "aggregate without brackets"
    SF114 = "empty block"
    SF115 = "file does not start with `rulebook`"
    SF116 = "citation with nothing below it"
    SF117 = "sentence broken over two lines"
    SF118 = "sentence in the wrong place"
    SF119 = "`if` without `otherwise` in a value"
    SF120 = "file cannot be read"
    SF121 = "file is not UTF-8 text"
    SF122 = "file is too large"
    SF123 = "nested too deeply"
    SF124 = "number has too many digits"
    SF125 = "too many mistakes to list"
    SF126 = "Markdown file without a `rulebook` block"
    SF127 = "indented fence in a Markdown file"

    # SF2xx: names
    SF201 = "unknown name"
    SF202 = "name given twice"
    SF203 = "name of the wrong kind"
    SF204 = "unknown field"
    SF205 = "unknown source in a citation"
    SF206 = "unknown party"
    SF207 = "unknown asset or unit"
    SF208 = "unknown parameter"
    SF209 = "named member of a closed list"
    SF210 = "import cycle"
    SF211 = "import outside the project directory"
    SF212 = "imported rulebook cannot be read"
    SF213 = "name hides another one"
    SF214 = "name of a built-in function or type"
    SF215 = "`only` names something that is not an action"
    SF216 = "unknown action or duty"
    SF217 = "name that the included file does not give"
    SF218 = "new word that means something else in the included file"

    # SF3xx: types and units
    SF301 = "wrong type"
    SF302 = "expected a flag"
    SF303 = "expected a number"
    SF304 = "expected a member of a party"
    SF305 = "wrong number of arguments"
    SF306 = "argument of the wrong type"
    SF307 = "parties that can never be equal"
    SF308 = "not a function"
    SF309 = "not a closed list"
    SF310 = "field of an open party"
    SF312 = "cannot add different units"
    SF313 = "cannot compare different units"
    SF314 = "cannot order members or flags"
    SF315 = "value of the wrong unit"
    SF316 = "choices of different units"
    SF317 = "`per` time in a percentage needs a unit of time"
    SF318 = "field type that cannot be held"
    SF319 = "bound of the wrong unit"
    SF320 = "contradictory bounds"
    SF321 = "division by zero"
    SF322 = "aggregate over mixed units"
    SF323 = "value outside its bounds"

    # SF4xx: rules
    SF401 = "not a ledger account"
    SF402 = "`:=` on a ledger account"
    SF403 = "transfer between different assets"
    SF404 = "amount of another asset"
    SF405 = "asset that is not declared `issued`"
    SF406 = "`collect` tiers of different units"
    SF407 = "`into` without a `from` tier, or the reverse"
    SF408 = "`net` account as a tier without `up to`"
    SF409 = "`require` inside a loop over everybody"
    SF410 = "`collect` inside a loop over everybody"
    SF411 = "`:=` on a shared field inside a loop over everybody"
    SF412 = "recursion"
    SF413 = "exponent too large"
    SF414 = "rulebook too large"
    SF415 = "nesting too deep after procedures are written out"
    SF416 = "not something that can be changed"
    SF417 = "floor that depends on something that moves"
    SF418 = "start that depends on something not yet known"
    SF419 = "table without an order"
    SF420 = "`old` outside a claim about a moment"
    SF421 = "`once` or `in order of` without a member to choose"
    SF422 = "closed list or one-member party with fields it cannot have"
    SF423 = "statement that changes another rulebook"
    SF424 = "transfer between two members inside a loop over everybody"
    SF425 = "sentence that can have no effect"

    # SF5xx: claims, assumptions and scenarios
    SF501 = "unknown verdict after `expect`"
    SF502 = "unknown scenario after `by`"
    SF503 = "unknown assumption after `given`"
    SF504 = "assumption about the wrong moment"
    SF505 = "claim after something that never happens"
    SF506 = "scenario member of a closed list"
    SF507 = "scenario starts outside a bound"
    SF508 = "`then` without a duty"
    SF509 = "`taking` without a tier to pin"
    SF510 = "scenario line that cannot be executed"
    SF511 = "`by` on an expectation that is not `refuted`"
    SF512 = "parameter without a value"
    SF513 = "scenario calls something that is not an action"
    SF514 = "claim after an action that a duty takes"

    @property
    def title(self) -> str:
        return self.value

    def __str__(self) -> str:
        return self.name

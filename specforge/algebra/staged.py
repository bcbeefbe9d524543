"""Rulebooks as Python functions: the rules written out for a fixed number of members, compiled once and run many times.

The evaluator runs over values that are pieces of source text.  Names in that text are made up here, and numbers are the
only thing of a rulebook that reaches it.  Numbers are whole Python integers wherever they are whole: a value may carry a
fixed denominator (0.5% of x is `x` over 200), so that comparisons stay comparisons of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import product
from math import lcm
from typing import Any

from attrs import field
from quicktions import Fraction

from specforge.algebra.exact import OPERATIONS, Cell, ExactMachine, share_out
from specforge.algebra.exact import State as ExactState
from specforge.core import ir
from specforge.core.evaluate import LIVE, Evaluator
from specforge.core.machine import DefectFound, Members, Picker, Refused, first_option
from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen

Cells = list[Any]  # a state: every cell's value, one field after the other
OR, AND, NOT, COMPARE, SUM, PRODUCT, MINUS, ATOM = range(1, 9)  # how tightly source text binds; 0: `a if c else b`


@frozen
class Code:
    """A value known only at run time: `text` / `over`, with `over` a whole number above zero.  `opposite`: for a flag, text
    for its negation, if there is a simpler one than `not`."""

    text: str
    binds: int = ATOM
    over: int = 1
    opposite: str = field(default="", eq=False)

    def inside(self, binds: int) -> str:
        """The text as an operand of an operator that binds as tightly as `binds`."""
        return self.text if self.binds >= binds else f"({self.text})"


Staged = Any  # Code, or the value itself where it is known: int, Fraction, bool, or a member's position


def whole(value: Any) -> Any:
    """The same value, as an int if it is a whole number."""
    return value.numerator if type(value) is Fraction and value.denominator == 1 else value


def ratio(a: Any, b: Any) -> Any:
    """a / b, as an int if it is a whole number; b is not zero."""
    if type(a) is int and type(b) is int:
        quotient, remainder = divmod(a, b)
        return Fraction(a, b) if remainder else quotient
    return whole(Fraction(a) / b)


def shares_of(
    tier: ir.Tier, asked: Any, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], step: Any, picker: Picker
) -> list[Any]:
    return [whole(x) for x in share_out(tier, asked, members, caps, keys, step, picker)]


class StagedAlgebra:
    """Values are source text or constants; statements append lines of source to `lines`."""

    def __init__(self, system: ir.System, sizes: Mapping[str, int]):
        self.sizes = sizes
        self.base: dict[str, int] = {}
        self.width: dict[str, int] = {}
        self.cells: list[Cell] = []
        for each in system.fields.values():
            self.base[each.name] = len(self.cells)
            self.width[each.name] = sizes[each.per] if each.per else 1
            indexes = range(self.width[each.name])
            self.cells += [(each.name, member, index) for member, index in product(range(sizes[each.party]), indexes)]
        self.constants: dict[str, Any] = {
            "Fraction": Fraction, "DefectFound": DefectFound, "ratio": ratio, "shares_of": shares_of,
        }  # fmt: skip
        self._constant_names: dict[Any, str] = {}
        self.refusals: list[Span] = [NOWHERE]  # by number; number 0 means: not refused
        self.tiers: list[str] = []  # names of the tiers, by number
        self.hits: list[int] = []  # how often somebody gave in the tier of that number
        self.constants["hits"] = self.hits
        self.begin()

    # -- writing source

    def begin(self) -> None:
        """A fresh function body."""
        self.lines: list[str] = []
        self.root = self.lines
        self.undo_at: int | None = None  # where, in the outermost lines, the state must be copied so that it can be given back
        self.undo_needed = False
        self.probes: int | None = None  # while a function is made that only measures: how many comparisons it measures so far
        self.writes = 0
        self._count = 0
        self._views: dict[str, int] = {}  # a copy of the state, and how many writes came before it
        self._used: set[str] = set()

    def finish(self) -> list[str]:
        """The body's lines, without copies that nobody reads."""
        if self.undo_needed and self.undo_at is not None:
            self.root.insert(self.undo_at, "before = s[:]")
        unused = {f"{view} = s[:]" for view in self._views if view not in self._used}
        body = [line.replace(line.lstrip(), "pass") if line.lstrip() in unused else line for line in self.root]
        return [line for line in body if line != "pass"]

    def fresh(self) -> str:
        self._count += 1
        return f"x{self._count}"

    def constant(self, value: Any) -> str:
        """A name in the compiled code for an object that lives outside it."""
        key = (type(value), id(value))
        if key not in self._constant_names:
            self._constant_names[key] = f"c{len(self._constant_names)}"
            self.constants[self._constant_names[key]] = value
        return self._constant_names[key]

    def emit(self, line: str) -> None:
        self.lines.append(line)

    def block(self, run: Callable[[], Any]) -> tuple[Any, list[str]]:
        """What `run` returns, and the lines it wrote, apart."""
        outer, self.lines = self.lines, []
        try:
            result = run()
            return result, self.lines
        finally:
            self.lines = outer

    def when(self, cond: Code, then: list[str], orelse: list[str]) -> None:
        if not then:
            cond, then, orelse = negate(cond), orelse, []
        if then:
            self.emit(f"if {cond.text}:")
            self.lines += ["    " + line for line in then]
        if orelse:
            self.emit("else:")
            self.lines += ["    " + line for line in orelse]

    def plain(self, value: Staged) -> str:
        """Text for the value itself, its denominator divided out."""
        if not isinstance(value, Code):
            return self.constant(value) if isinstance(value, Fraction) and value.denominator != 1 else repr(whole(value))
        return value.text if value.over == 1 else f"ratio({value.text}, {value.over})"

    # -- values

    def number(self, value: Fraction) -> Staged:
        return whole(value)

    def flag(self, value: bool) -> Staged:
        return value

    def member(self, party: str, index: int) -> Staged:
        return index

    def apply(self, op: ir.Operator, *args: Staged) -> Staged:
        if not any(isinstance(each, Code) for each in args):
            return whole(OPERATIONS[op](*args))
        match op:
            case ir.Operator.ADD | ir.Operator.SUB:
                return self._sum(op, *args)
            case ir.Operator.MUL:
                return self._product(*args)
            case ir.Operator.LT | ir.Operator.LE | ir.Operator.EQ:
                return self._compare(op, *args)
            case ir.Operator.NOT:
                return negate(args[0])
            case ir.Operator.FLOOR:
                return Code(f"{args[0].inside(PRODUCT)} // {args[0].over}", PRODUCT)
            case _:
                raise AssertionError(op)

    def _sum(self, op: ir.Operator, a: Staged, b: Staged) -> Staged:
        if not isinstance(b, Code) and b == 0:
            return a
        if not isinstance(a, Code) and a == 0:
            return b if op is ir.Operator.ADD else Code(f"-{b.inside(MINUS)}", MINUS, b.over)
        if not isinstance(b, Code) and b < 0:  # x + -1 is x - 1
            b, op = -b, ir.Operator.SUB if op is ir.Operator.ADD else ir.Operator.ADD
        over, (x, y) = common(a, b)
        return Code(f"{x.inside(SUM)} {op.value} {y.inside(PRODUCT)}", SUM, over)

    def _product(self, a: Staged, b: Staged) -> Staged:
        if not isinstance(b, Code):
            a, b = b, a
        if not isinstance(a, Code):
            if a == 0:
                return 0
            n, d = (a.numerator, a.denominator)
            if abs(n) == 1:
                return Code(b.text, b.binds, b.over * d) if n == 1 else Code(f"-{b.inside(MINUS)}", MINUS, b.over * d)
            return Code(f"{n} * {b.inside(MINUS)}", PRODUCT, b.over * d)
        return Code(f"{a.inside(PRODUCT)} * {b.inside(MINUS)}", PRODUCT, a.over * b.over)

    def _compare(self, op: ir.Operator, a: Staged, b: Staged) -> Staged:
        for one, other in ((a, b), (b, a)):
            if isinstance(one, bool) and op is ir.Operator.EQ:
                return other if one else negate(other)
        if a == b:
            return op is not ir.Operator.LT
        _, (x, y) = common(a, b)
        left, right = x.inside(SUM), y.inside(SUM)
        if self.probes is not None and op is not ir.Operator.EQ:
            self.emit(f"out[{self.probes}] = {right} - ({left})")
            self.probes += 1
        sign, opposite = {ir.Operator.LT: ("<", ">="), ir.Operator.LE: ("<=", ">"), ir.Operator.EQ: ("==", "!=")}[op]
        return Code(f"{left} {sign} {right}", COMPARE, opposite=f"{left} {opposite} {right}")

    def divide(self, a: Staged, b: Staged, span: Span) -> Staged:
        if not isinstance(b, Code):
            return self.undefined(ir.Defect.DIVISION, span) if b == 0 else self.apply(ir.Operator.MUL, 1 / Fraction(b), a)
        b = self.name("", b)
        self.emit(f"if {b.text} == 0:")
        self.emit(f"    {self._defect(ir.Defect.DIVISION, span)}")
        if not isinstance(a, Code) and a == 0:
            return 0
        top = self.plain(self.apply(ir.Operator.MUL, Fraction(b.over), Code(a.text, a.binds) if isinstance(a, Code) else a))
        bottom = self.plain(self.apply(ir.Operator.MUL, Fraction(a.over if isinstance(a, Code) else 1), Code(b.text)))
        result = self.fresh()
        self.emit(f"{result} = ratio({top}, {bottom})")
        return Code(result)

    def undefined(self, defect: ir.Defect, span: Span) -> Staged:
        self.emit(self._defect(defect, span))
        return 0

    def _defect(self, defect: ir.Defect, span: Span) -> str:
        return f"raise DefectFound({self.constant(defect)}, {self.constant(span)})"

    def choose(self, cond: Staged, then: Callable[[], Staged], orelse: Callable[[], Staged]) -> Staged:
        if not isinstance(cond, Code):
            return then() if cond else orelse()
        (a, a_lines), (b, b_lines) = self.block(then), self.block(orelse)
        if not a_lines and not b_lines:
            return _either(cond, a, b)
        over, (x, y) = common(a, b)
        result = self.fresh()
        self.when(cond, [*a_lines, f"{result} = {x.text}"], [*b_lines, f"{result} = {y.text}"])
        return Code(result, ATOM, over)

    def name(self, hint: str, value: Staged) -> Staged:
        if not isinstance(value, Code) or (value.binds == ATOM and value.text.isidentifier()):
            return value
        result = self.fresh()
        self.emit(f"{result} = {value.text}")
        return Code(result, ATOM, value.over)

    def members(self, party: str) -> range:
        return range(self.sizes[party])

    # -- state

    def _cell(self, field: ir.Field, member: Staged, index: Staged | None) -> str:
        width = self.width[field.name]
        at = self.apply(ir.Operator.ADD, self.apply(ir.Operator.MUL, member, width), 0 if index is None else index)
        return self.plain(self.apply(ir.Operator.ADD, at, self.base[field.name]))

    def read(self, view: str | None, field: ir.Field, member: Staged, index: Staged | None) -> Staged:
        place = "s"
        if view is not None and self._views.get(view) != self.writes:
            place = view  # something was written since: read the copy
            self._used.add(view)
        return Code(f"{place}[{self._cell(field, member, index)}]")

    def write(self, field: ir.Field, member: Staged, index: Staged | None, value: Staged) -> None:
        if self.undo_at is None:
            self.undo_at = len(self.root)
        self.emit(f"s[{self._cell(field, member, index)}] = {self.plain(value)}")
        self.writes += 1

    def freeze(self) -> str:
        view = f"v{len(self._views)}"
        self._views[view] = self.writes
        self.emit(f"{view} = s[:]")
        return view

    # -- statements

    def branch(self, cond: Staged, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        if not isinstance(cond, Code):
            (then if cond else orelse)()
            return
        # A copy that only one branch makes is no guide for what follows, but views never outlive the branch they are made in.
        (_, a_lines), (_, b_lines) = self.block(then), self.block(orelse)
        self.when(cond, a_lines, b_lines)

    def require(self, cond: Staged, span: Span) -> None:
        if cond is True or self.probes is not None:
            return
        self.refusals.append(span)
        lines = [f"return {len(self.refusals) - 1}"]
        if self.undo_at is not None:
            self.undo_needed = True
            lines.insert(0, "s[:] = before")
        if cond is False:
            self.lines += lines
        else:
            self.when(negate(cond), lines, [])

    def demand(self, cond: Staged, defect: ir.Defect, span: Span) -> None:
        if cond is False:
            self.emit(self._defect(defect, span))
        elif cond is not True:
            self.when(negate(cond), [self._defect(defect, span)], [])

    def shares(
        self, tier: ir.Tier, asked: Staged, members: Sequence[int], caps: Sequence[Staged], keys: Sequence[Staged], step: Staged
    ) -> list[Staged]:
        number = len(self.tiers)
        self.tiers.append(tier.name)
        self.hits.append(0)
        ordered = tier.policy is not ir.Policy.PROPORTION and step is None
        if ordered and len(members) == 1:
            cap = caps[0]
            given = [self.name("", self.choose(self.apply(ir.Operator.LT, cap, asked), lambda: cap, lambda: asked))]
        elif not members:
            return []
        else:
            given = [Code(self.fresh()) for _ in members]
            texts = [", ".join(self.plain(each) for each in values) for values in (caps, keys)]
            target = "".join(f"{each.text}, " for each in given)
            call = f"{target}= shares_of({self.constant(tier)}, {self.plain(asked)}, {tuple(members)!r}, ({texts[0]},), "
            call += f"({texts[1]}{',' * bool(keys)}), {'None' if step is None else self.plain(step)}, pick)"
            if ordered and isinstance(asked, Code):
                self.when(Code(f"{asked.inside(SUM)} > 0", COMPARE), [call], [" = ".join(each.text for each in given) + " = 0"])
            else:
                self.emit(call)
        some = [negate(self.apply(ir.Operator.LE, each, 0)) for each in given]
        gives = " or ".join(each.text if isinstance(each, Code) else repr(each) for each in some)
        self.emit(f"if {gives}:")
        self.emit(f"    hits[{number}] += 1")
        return given

    def took(self, action: str, args: tuple[Staged, ...]) -> None:
        called = f"{self.constant(action)}, ({''.join(self.plain(each) + ', ' for each in args)})"
        self.emit(f"took.append(({called}))")
        self.emit("if hear is not None:")
        self.emit(f"    hear({called})")


def negate(flag: Staged) -> Staged:
    if not isinstance(flag, Code):
        return not flag
    if flag.opposite:
        return Code(flag.opposite, COMPARE, opposite=flag.text)
    if flag.binds == NOT:
        return Code(flag.text.removeprefix("not "), COMPARE)
    return Code(f"not {flag.inside(NOT)}", NOT)


def common(a: Staged, b: Staged) -> tuple[int, tuple[Code, Code]]:
    """Both over one denominator: that denominator, and the two numerators."""
    overs = [each.over if isinstance(each, Code) else each.denominator for each in (a, b)]
    over = lcm(*overs)

    def numerator(value: Staged, times: int) -> Code:
        if not isinstance(value, Code):
            n = value if isinstance(value, bool) else value.numerator * times
            return Code(repr(n), MINUS if n < 0 else ATOM)
        return value if times == 1 else Code(f"{times} * {value.inside(MINUS)}", PRODUCT)

    return over, (numerator(a, over // overs[0]), numerator(b, over // overs[1]))


def _joined(word: str, binds: int, first: Code, second: Code) -> Code:
    return Code(f"{first.inside(binds)} {word} {second.inside(binds)}", binds)


def _either(cond: Code, a: Staged, b: Staged) -> Staged:
    """a if cond else b, in the plainest form."""
    if a == b:
        return a
    if a is True and b is False:
        return cond
    if a is False and b is True:
        return negate(cond)
    if isinstance(a, bool):  # yes if cond else b; no if cond else b
        return _joined("or", OR, cond, b) if a else _joined("and", AND, negate(cond), b)
    if isinstance(b, bool):
        return _joined("or", OR, negate(cond), a) if b else _joined("and", AND, cond, a)
    over, (x, y) = common(a, b)
    return Code(f"{x.inside(OR)} if {cond.inside(OR)} else {y.inside(OR)}", 0, over)


class StagedEvaluator(Evaluator):
    """The evaluator, with one care more: what is touched inside a simultaneous loop is known only at run time, so each touch
    leaves a mark, and the checks at the loop's end ask for it."""

    algebra: StagedAlgebra

    def _touch(self, field: ir.Field, member: Staged, index: Staged | None, span: Span) -> None:
        if self._touched is None:
            super()._touch(field, member, index, span)
            return
        mark: Staged = True
        if self.algebra.lines is not self._loop:
            mark = Code(self.algebra.fresh())
            self._loop.insert(self._loop_start, f"{mark.text} = False")
            self.algebra.emit(f"{mark.text} = True")
        self._marks.append((mark, field, member, index, span))

    def _simultaneously(self, bodies: Callable[[], None]) -> None:
        if self._touched is not None:
            bodies()  # inside another loop: the same state from before, the same checks at the end
            return
        algebra = self.algebra
        self.view, self._touched = algebra.freeze(), []
        self._loop, self._loop_start = algebra.lines, len(algebra.lines)
        self._marks: list[tuple[Staged, ir.Field, Staged, Staged | None, Span]] = []
        bodies()
        self.view, self._touched = LIVE, None
        seen: set[object] = set()
        for mark, place, member, index, span in self._marks:
            key = (place.name, member, index)
            if key not in seen:
                check = lambda f=place, m=member, i=index, s=span: self._touch(f, m, i, s)  # noqa: E731
                algebra.branch(mark, check, lambda: None)
            if mark is True:
                seen.add(key)


Compiled = Callable[..., Any]


@frozen
class Watched:
    """A condition over `params`, and the bits it sets when its value is `when`."""

    expr: ir.Expr
    params: tuple[str, ...]
    mask: int
    when: bool


class StagedMachine:
    """The generated Python of a rulebook for so many members, and a state to run it on."""

    def __init__(self, system: ir.System, sizes: Mapping[str, int]):
        self.system = system
        self.oracle = ExactMachine(system, sizes)
        self.sizes = self.oracle.sizes
        self.on_took: Callable[[str, tuple[Any, ...]], None] | None = None
        self.algebra = StagedAlgebra(system, self.sizes)
        self.evaluator = StagedEvaluator(system, self.algebra)
        self.state: Cells = [0] * len(self.algebra.cells)
        self.sources: dict[str, str] = {}  # the generated functions, for reading
        self._actions: dict[str, Compiled] = {}
        self._due: dict[str, Compiled] = {}
        self._fire: dict[str, Compiled] = {}
        self._values: dict[tuple[int, tuple[str, ...]], tuple[ir.Expr, Compiled]] = {}

    # -- state

    def save(self) -> Cells:
        return self.state[:]

    def restore(self, state: Cells) -> None:
        self.state[:] = state

    def begin(self, fixed: Mapping[Cell, Any]) -> None:
        """As ExactMachine.begin."""
        self.oracle.begin(fixed)
        self.load(self.oracle.save())

    def load(self, state: ExactState) -> None:
        """Takes over a state of the exact interpreter."""
        self.state[:] = [whole(state[cell]) for cell in self.algebra.cells]

    def exact(self, state: Cells | None = None) -> ExactState:
        """A state (the current one) as the exact interpreter has it."""
        numbers = {each.name for each in self.system.fields.values() if isinstance(each.type, ir.Number)}
        values = zip(self.algebra.cells, self.state if state is None else state, strict=True)
        return {cell: Fraction(value) if cell[0] in numbers else value for cell, value in values}

    def at(self, field: str, member: int = 0, index: int = 0) -> int:
        """Where in the state a cell stands."""
        return self.algebra.base[field] + member * self.algebra.width[field] + index

    @property
    def fired(self) -> dict[str, int]:
        """How often somebody gave, by tier."""
        result: dict[str, int] = {}
        for name, count in zip(self.algebra.tiers, self.algebra.hits, strict=True):
            result[name] = result.get(name, 0) + count
        return result

    # -- generating functions

    def compile(self, title: str, params: Sequence[str], write: Callable[[], str]) -> Compiled:
        """A function of `params` whose body `write` emits; it returns the text of the result."""
        self.algebra.begin()
        result = write()
        self.algebra.emit(f"return {result}")
        source = "\n    ".join([f"def function({', '.join(params)}):", *self.algebra.finish()])
        self.sources[title] = source
        exec(compile(source, f"<generated for {title}>", "exec"), self.algebra.constants)
        return self.algebra.constants.pop("function")

    def action(self, name: str) -> Compiled:
        """f(s, pick, took, hear, *args): performs the action's body on `s`; 0, or the number of the `require` that refused it
        (the state is then as it was)."""
        if name not in self._actions:
            rule = self.system.actions[name]
            names = [f"a{i}" for i in range(len(rule.params))]

            def write() -> str:
                self.evaluator.in_duty = False
                env = {each.name: Code(arg) for each, arg in zip(rule.params, names, strict=True)}
                self.evaluator.execute(rule.body, env)
                return "0"

            self._actions[name] = self.compile(f"action {name}", ["s", "pick", "took", "hear", *names], write)
        return self._actions[name]

    def duty(self, duty: ir.Duty) -> Compiled:
        """f(s, pick, took, hear, *members): lets the duty act on `s`."""
        if duty.name not in self._fire:
            names = [f"a{i}" for i in range(len(duty.params))]

            def write() -> str:
                self.evaluator.in_duty = True
                self.evaluator.execute(duty.body, {p.name: Code(a) for p, a in zip(duty.params, names, strict=True)})
                return "None"

            self._fire[duty.name] = self.compile(f"duty {duty.name}", ["s", "pick", "took", "hear", *names], write)
        return self._fire[duty.name]

    def waiting(self, duty: ir.Duty) -> Compiled:
        """f(s): everybody for whom the duty's `when` holds, whatever the rank."""
        if duty.name not in self._due:
            ranges = [range(self.sizes[p.type.party]) for p in duty.params]  # type: ignore[union-attr]

            def write() -> str:
                self.algebra.emit("due = []")
                for members in product(*ranges):
                    cond = self.evaluator.value(duty.when, dict(zip([p.name for p in duty.params], members, strict=True)))
                    self.algebra.branch(cond, lambda m=members: self.algebra.emit(f"due.append({m!r})"), lambda: None)
                return "due"

            self._due[duty.name] = self.compile(f"due {duty.name}", ["s"], write)
        return self._due[duty.name]

    def value(self, expr: ir.Expr, names: Sequence[str] = ()) -> Compiled:
        """f(s, o, *values of names): the value of `expr` in `s`, with `old(...)` in `o`.  Compiled on first use."""
        key = (id(expr), tuple(names))
        if key not in self._values:
            args = [f"a{i}" for i in range(len(names))]

            def write() -> str:
                self.evaluator.old = "o"
                env = {name: Code(arg) for name, arg in zip(names, args, strict=True)}
                return self.algebra.plain(self.evaluator.value(expr, env))

            self._values[key] = (expr, self.compile(f"value {len(self._values)}", ["s", "o", *args], write))
        return self._values[key][1]

    def watch(self, title: str, items: Sequence[Watched], args: int) -> Compiled:
        """f(s, o, *args): the bits of all items together.  One condition is computed once, however many items ask for it."""
        names = [f"a{i}" for i in range(args)]
        grouped: dict[tuple[int, tuple[str, ...]], tuple[ir.Expr, dict[bool, int]]] = {}
        for item in items:
            _, masks = grouped.setdefault((id(item.expr), item.params), (item.expr, {True: 0, False: 0}))
            masks[item.when] |= item.mask

        def write() -> str:
            algebra, self.evaluator.old = self.algebra, "o"
            algebra.emit("seen = 0")
            for (_, params), (expr, masks) in grouped.items():
                cond = self.evaluator.value(expr, dict(zip(params, map(Code, names), strict=False)))
                then, orelse = ([f"seen |= {masks[when]}"] if masks[when] else [] for when in (True, False))
                if isinstance(cond, Code):
                    algebra.when(cond, then, orelse)
                else:
                    algebra.lines += then if cond else orelse
            return "seen"

        return self.compile(title, ["s", "o", *names], write)

    def probe(self, name: str) -> tuple[Compiled, int]:
        """f(s, pick, took, hear, out, *args): performs the action's body on `s` without ever refusing; notes in `out` by how
        much each comparison on the way was met.  Its second part: how long `out` must be."""
        rule = self.system.actions[name]
        names = [f"a{i}" for i in range(len(rule.params))]

        def write() -> None:
            self.evaluator.in_duty = False
            self.evaluator.execute(rule.body, {p.name: Code(a) for p, a in zip(rule.params, names, strict=True)})

        return self._measuring(f"probe {name}", ["s", "pick", "took", "hear", "out", *names], write)

    def probe_rest(self, conditions: Sequence[ir.Expr]) -> tuple[Compiled, int]:
        """f(s, out): as `probe`, asks who is due in `s` and whether `conditions` hold."""

        def write() -> None:
            for duty in self.system.duties.values():
                ranges = [range(self.sizes[p.type.party]) for p in duty.params]  # type: ignore[union-attr]
                for members in product(*ranges):
                    self.evaluator.value(duty.when, dict(zip([p.name for p in duty.params], members, strict=True)))
            for each in conditions:
                self.evaluator.value(each, {})

        return self._measuring("probe at rest", ["s", "out"], write)

    def _measuring(self, title: str, params: Sequence[str], write: Callable[[], None]) -> tuple[Compiled, int]:
        measured = 0

        def noting() -> str:
            nonlocal measured
            self.algebra.probes, self.evaluator.old = 0, "s"
            write()
            measured = self.algebra.probes
            return "None"

        function = self.compile(title, params, noting)
        return function, measured

    # -- running

    def evaluate(self, expr: ir.Expr, env: Mapping[str, Any] | None = None, old: Cells | None = None) -> Any:
        env = env or {}
        return self.value(expr, tuple(env))(self.state, self.state if old is None else old, *map(whole, env.values()))

    def act(self, action: str, args: Sequence[Any], picker: Picker = first_option) -> list[tuple[str, tuple[Any, ...]]]:
        function = self.action(action)
        args = tuple(map(whole, args))
        took: list[tuple[str, tuple[Any, ...]]] = [(action, args)]
        if self.on_took is not None:
            self.on_took(action, args)
        refusal = function(self.state, picker, took, self.on_took, *args)
        if refusal:
            raise Refused(self.algebra.refusals[refusal])
        return took

    def due(self, duty: ir.Duty, acted: Container[Members] = ()) -> list[Members]:
        due = self.waiting(duty)(self.state)
        if acted:
            due = [members for members in due if members not in acted]
        if duty.rank is None or len(due) < 2:
            return due
        rank = self.value(duty.rank, tuple(p.name for p in duty.params))
        ranks = [rank(self.state, self.state, *members) for members in due]
        best = (max if duty.highest else min)(ranks)
        return [members for members, each in zip(due, ranks, strict=True) if each == best]

    def fire(self, duty: ir.Duty, members: Members, picker: Picker = first_option) -> list[tuple[str, tuple[Any, ...]]]:
        took: list[tuple[str, tuple[Any, ...]]] = []
        self.duty(duty)(self.state, picker, took, self.on_took, *members)
        return took

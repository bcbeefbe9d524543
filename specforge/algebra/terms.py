"""Z3's connectives, comparisons, sums and products, made directly: the same terms as by its operators, several times as fast.

Those look at every argument's sort and context first, which takes longer than the term itself; here all arguments are known
to be flags, or numbers, of the one context there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import z3
from quicktions import Fraction

CONTEXT = z3.main_ctx()  # made now, by one thread: made by two at once, there would be two
_CONTEXT = CONTEXT.ref()
_ARRAYS = [z3.Ast * count for count in range(32)]

# INVARIANT: what is made has arguments of the right sorts, so that no error has to be asked for after each call; what is null
# nevertheless (out of memory, a mistake in the sorts) is an exception.  Whoever interrupts must not do so here
# (engines/deadline.py).


def _plain(binding: Any) -> Any:
    """What the binding calls, without its question for errors; the binding itself, should it be made in another way."""
    (inner,) = binding.__defaults__ or (None,)
    return getattr(inner, "f", binding)


_keep = _plain(z3.Z3_inc_ref)
_not, _and, _or, _if = map(_plain, (z3.Z3_mk_not, z3.Z3_mk_and, z3.Z3_mk_or, z3.Z3_mk_ite))
_implies, _eq, _lt, _le, _gt, _ge = map(
    _plain, (z3.Z3_mk_implies, z3.Z3_mk_eq, z3.Z3_mk_lt, z3.Z3_mk_le, z3.Z3_mk_gt, z3.Z3_mk_ge)
)
_add, _sub, _mul = map(_plain, (z3.Z3_mk_add, z3.Z3_mk_sub, z3.Z3_mk_mul))


def _kept(kind: Any, made: Any) -> Any:
    """The term as an object of that class, which gives it back when it is no longer needed."""
    if not made:
        raise z3.Z3Exception(z3.Z3_get_error_msg(_CONTEXT, z3.Z3_get_error_code(_CONTEXT)))
    term = kind.__new__(kind)
    term.ast, term.ctx = made, CONTEXT
    _keep(_CONTEXT, made)
    return term


def _flag(made: Any) -> Any:
    return _kept(z3.BoolRef, made)


def _number(made: Any) -> Any:
    return _kept(z3.ArithRef, made)


def _all(parts: Sequence[Any]) -> Any:
    array = _ARRAYS[len(parts)] if len(parts) < len(_ARRAYS) else z3.Ast * len(parts)
    return array(*[each.ast for each in parts])


_REAL, _FLAG = z3.RealSort(CONTEXT), z3.BoolSort(CONTEXT)


def number(name: str) -> Any:
    """The unknown number of that name."""
    return _number(z3.Z3_mk_const(_CONTEXT, z3.Z3_mk_string_symbol(_CONTEXT, name), _REAL.ast))


def flag(name: str) -> Any:
    """The unknown flag of that name."""
    return _flag(z3.Z3_mk_const(_CONTEXT, z3.Z3_mk_string_symbol(_CONTEXT, name), _FLAG.ast))


def name_of(unknown: Any) -> str:
    symbol = z3.Z3_get_decl_name(_CONTEXT, z3.Z3_get_app_decl(_CONTEXT, unknown.ast))
    return z3.Z3_get_symbol_string(_CONTEXT, symbol)


def literal(of: Any) -> tuple[int, bool, str]:
    """Of a flag: the number of the condition it is, or is the opposite of; whether it is that condition; its name, if it is an
    unknown.  A number is for as long as the term lives."""
    term = of.ast
    declared = z3.Z3_get_app_decl(_CONTEXT, term)
    kind = z3.Z3_get_decl_kind(_CONTEXT, declared)
    if kind == z3.Z3_OP_NOT:
        return z3.Z3_get_ast_id(_CONTEXT, z3.Z3_get_app_arg(_CONTEXT, term, 0)), False, ""
    unknown = kind == z3.Z3_OP_UNINTERPRETED
    name = z3.Z3_get_symbol_string(_CONTEXT, z3.Z3_get_decl_name(_CONTEXT, declared)) if unknown else ""
    return z3.Z3_get_ast_id(_CONTEXT, term), True, name


def mentions(of: Any, mark: str, seen: dict[int, bool]) -> bool:
    """Does the term speak of an unknown whose name has that mark?  `seen`: what is known of terms that live as long."""
    return _mentions(of.ast, mark, seen)


def _mentions(term: Any, mark: str, seen: dict[int, bool]) -> bool:
    at = z3.Z3_get_ast_id(_CONTEXT, term)
    known = seen.get(at)
    if known is None:
        count = z3.Z3_get_app_num_args(_CONTEXT, term)
        if count:
            known = any(_mentions(z3.Z3_get_app_arg(_CONTEXT, term, each), mark, seen) for each in range(count))
        else:
            declared = z3.Z3_get_app_decl(_CONTEXT, term)
            unknown = z3.Z3_get_decl_kind(_CONTEXT, declared) == z3.Z3_OP_UNINTERPRETED
            known = unknown and mark in z3.Z3_get_symbol_string(_CONTEXT, z3.Z3_get_decl_name(_CONTEXT, declared))
        seen[at] = known
    return known


def conditions(of: Any) -> list[int]:
    """The numbers of the conditions that all have to hold for a flag to do so: its own, or those that "and" joins."""
    return list(_conditions(of.ast))


def _conditions(term: Any) -> Iterator[int]:
    if z3.Z3_get_decl_kind(_CONTEXT, z3.Z3_get_app_decl(_CONTEXT, term)) == z3.Z3_OP_AND:
        for at in range(z3.Z3_get_app_num_args(_CONTEXT, term)):
            yield from _conditions(z3.Z3_get_app_arg(_CONTEXT, term, at))
    else:
        yield z3.Z3_get_ast_id(_CONTEXT, term)


def both(parts: Sequence[Any]) -> Any:
    return _flag(_and(_CONTEXT, len(parts), _all(parts)))


def either(parts: Sequence[Any]) -> Any:
    return _flag(_or(_CONTEXT, len(parts), _all(parts)))


def no(cond: Any) -> Any:
    return _flag(_not(_CONTEXT, cond.ast))


def follows(a: Any, b: Any) -> Any:
    return _flag(_implies(_CONTEXT, a.ast, b.ast))


def choice(cond: Any, a: Any, b: Any) -> Any:
    """`a` where `cond` holds, else `b`: both flags, or both numbers."""
    made = _if(_CONTEXT, cond.ast, a.ast, b.ast)
    return _flag(made) if isinstance(a, z3.BoolRef) else _number(made)


def at_most(a: Any, b: Any) -> Any:
    return _flag(_le(_CONTEXT, a.ast, b.ast))


def at_least(a: Any, b: Any) -> Any:
    return _flag(_ge(_CONTEXT, a.ast, b.ast))


def less(a: Any, b: Any) -> Any:
    return _flag(_lt(_CONTEXT, a.ast, b.ast))


def more(a: Any, b: Any) -> Any:
    return _flag(_gt(_CONTEXT, a.ast, b.ast))


def alike(a: Any, b: Any) -> Any:
    return _flag(_eq(_CONTEXT, a.ast, b.ast))


def total(parts: Sequence[Any]) -> Any:
    return _number(_add(_CONTEXT, len(parts), _all(parts)))


def product(parts: Sequence[Any]) -> Any:
    return _number(_mul(_CONTEXT, len(parts), _all(parts)))


def plus(a: Any, b: Any) -> Any:
    return total((a, b))


def minus(a: Any, b: Any) -> Any:
    return _number(_sub(_CONTEXT, 2, _all((a, b))))


def times(a: Any, b: Any) -> Any:
    return product((a, b))


def assume(solver: z3.Solver, facts: Sequence[Any], named: Mapping[str, Sequence[Any]]) -> None:
    """Tells the solver the facts; and those that have names under their names, which an unsat core can give back."""
    raw = solver.solver  # type: ignore[attr-defined]
    for each in facts:
        z3.Z3_solver_assert(_CONTEXT, raw, each.ast)
    for name, parts in named.items():
        told = both(parts) if len(parts) > 1 else parts[0]
        z3.Z3_solver_assert_and_track(_CONTEXT, raw, told.ast, flag(name).ast)


def check(solver: z3.Solver, assuming: Sequence[Any]) -> int:
    """Can all it was told be so, and all these flags hold?  Above 0 it can, below 0 it cannot; 0: it does not know."""
    return z3.Z3_solver_check_assumptions(_CONTEXT, solver.solver, len(assuming), _all(assuming))  # type: ignore[attr-defined]


def stop(solver: z3.Solver) -> None:
    """Ends what this solver is doing (from another thread), and nothing else."""
    z3.Z3_solver_interrupt(_CONTEXT, solver.solver)  # type: ignore[attr-defined]


def substitute(of: Any, pairs: Sequence[tuple[Any, Any]]) -> Any:
    """The same flag over other unknowns: each first of a pair becomes the second."""
    ours, theirs = _all([a for a, _ in pairs]), _all([b for _, b in pairs])
    return _flag(z3.Z3_substitute(_CONTEXT, of.ast, len(pairs), ours, theirs))


def roots(of: Any) -> list[Any]:
    """The numbers at which a polynomial (over `z3.Var(0, z3.RealSort())`) is 0, in order."""
    vector = z3.Z3_algebraic_roots(_CONTEXT, of.ast, 0, _all(()))
    return [*cast(Any, z3.AstVector)(vector, CONTEXT)]


@lru_cache(maxsize=4096)
def real(value: Fraction) -> Any:
    return z3.RealVal(str(value))

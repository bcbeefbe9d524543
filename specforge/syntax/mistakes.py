"""x"""
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label, error
from attrs import frozen
@frozen
class Situation:
    words: object
    chunk: object
    at: int
    expected: frozenset
    what: str
def explain(s):
    i=s.chunk[min(s.at,len(s.chunk)-1)]
    return error(Code.SF100, f"{sorted(s.expected)}", Label(s.words.span(i)))

"""From the tree of a rulebook to the core: names found, units checked, procedures written out."""

from specforge.elaborate.load import check, compile_text, load

__all__ = ["check", "compile_text", "load"]

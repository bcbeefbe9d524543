"""Classes of attrs whose `repr` is written once, not generated for each: half of the time that a class takes to be made.

There are some three hundred of them, and a verdict from the cache takes less time than they would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from attrs import define as define
    from attrs import frozen as frozen
else:

    def _shown(self: Any) -> str:
        shown = (f"{each.name}={getattr(self, each.name)!r}" for each in attrs.fields(type(self)) if each.repr)
        return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"

    def _plainly(decorator: Any) -> Any:
        def decorate(cls: Any = None, **options: Any) -> Any:
            if cls is None:
                return lambda cls: decorate(cls, **options)
            if "__repr__" not in vars(cls):
                cls.__repr__ = _shown  # which attrs sees, and makes none
            return decorator(cls, **options)

        return decorate

    define, frozen = _plainly(attrs.define), _plainly(attrs.frozen)

__all__ = ["define", "frozen"]

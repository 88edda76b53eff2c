"""What a template gets for a variable that does not exist: it is noted, and rendering goes on.

So one run finds all undefined variables of a file, not only the first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from jinja2 import Template
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import Undefined
from jinja2.utils import missing


@dataclass(frozen=True, slots=True)
class UndefinedUse:
    """One use of something undefined in a template."""

    name: str
    """What was looked up: a variable, or the last step of e.g. ``numbers.salse``."""
    template: str
    """Where it was looked up, which for what is passed to a macro is the place of the call."""
    line: int
    used: tuple[str, int]
    """Template and line that needed the value."""
    root_line: int | None
    """The line of the file that is rendered, for a place inside an include; None where that is not known."""
    parent: Any
    """The value that was asked for an attribute or item; ``missing`` for a variable."""
    forbidden: bool
    """Refused by the sandbox rather than undefined."""
    hint: str | None


Report = Callable[[UndefinedUse], None]


def make_undefined(report: Report) -> type[Undefined]:
    """A class of undefined values that tells ``report`` about each use that would need a value."""

    class UndefinedVariable(Undefined):
        """Behaves as empty once it has been reported."""

        __slots__ = ("_places",)

        def __init__(
            self,
            hint: str | None = None,
            obj: Any = missing,
            name: str | None = None,
            exc: type[TemplateRuntimeError] = TemplateRuntimeError,
        ) -> None:
            super().__init__(hint, obj, name, exc)
            # Kept from the start: a macro that is passed the value needs it far from where it was looked up.
            self._places = template_places(sys._getframe(1))

        def _report(self) -> None:
            used = template_place(sys._getframe(1))
            places = self._places or [used]
            if len(places) > 1 and missing_parameter(self._undefined_hint):
                # Looked up by the macro, forgotten by the caller.
                used, *places = places
            template, line = places[0]
            forbidden = issubclass(self._undefined_exception, SecurityError)
            name = "?" if self._undefined_name is None else str(self._undefined_name)
            hint = self._undefined_hint
            report(UndefinedUse(name, template, line, used, places[-1][1], self._undefined_obj, forbidden, hint))

        def _as_undefined(self, *_arguments: Any, **_keywords: Any) -> Any:
            self._report()
            return self

        def __getattr__(self, name: str) -> Any:
            if name[:2] == "__":
                raise AttributeError(name)
            return self._as_undefined()

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _as_undefined
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _as_undefined
        __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = _as_undefined
        __call__ = __getitem__ = _as_undefined

        def __str__(self) -> str:
            self._report()
            return ""

        def __iter__(self) -> Iterator[Any]:
            self._report()
            return iter(())

        def __bool__(self) -> bool:
            self._report()
            return False

        def __len__(self) -> int:
            self._report()
            return 0

        def _zero(self, *_arguments: Any, **_keywords: Any) -> Any:
            self._report()
            return 0

        def _float_zero(self, *_arguments: Any, **_keywords: Any) -> Any:
            self._report()
            return 0.0

        __int__ = __index__ = _zero
        __float__ = _float_zero

        def __contains__(self, _item: Any) -> bool:
            return bool(self)

        def __eq__(self, other: object) -> bool:
            self._report()
            return self is other

        def __ne__(self, other: object) -> bool:
            return not self == other

        def __hash__(self) -> int:
            self._report()
            return id(self)

        def _compare(self, *_arguments: Any, **_keywords: Any) -> Any:
            return bool(self)

        __lt__ = __le__ = __gt__ = __ge__ = _compare

    return UndefinedVariable


def missing_parameter(hint: str | None) -> str | None:
    """The parameter that a macro was called without, where that is what Jinja2's hint is about."""
    match = re.fullmatch(r"parameter '(.+)' was not provided", hint or "")
    return match[1] if match else None


def template_place(frame: FrameType | None) -> tuple[str, int]:
    """Name and line of the innermost template on the stack; ``("", 1)`` without one."""
    return next(_on_stack(frame), ("", 1))


def template_places(frame: FrameType | None) -> list[tuple[str, int]]:
    """Names and lines of all templates on the stack, innermost first: the last is the file that is rendered."""
    return list(_on_stack(frame))


def error_places(traceback: TracebackType | None) -> list[tuple[str, int]]:
    """Names and lines of the templates that an exception came through, innermost first."""
    found = []
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            found.append((template.name or "", template.get_corresponding_lineno(traceback.tb_lineno)))
        traceback = traceback.tb_next
    return found[::-1]


def _on_stack(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            yield template.name or "", template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back

"""The mark of methods that implement hooks, with what the host may conclude from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

import pluggy

from provd.plugin.specs import PROJECT

F = TypeVar("F", bound=Callable[..., object])

_marker = pluggy.HookimplMarker(PROJECT)


@overload
def hookimpl(function: F) -> F: ...
@overload
def hookimpl(
    *, per_packet: bool = False, shared: str = "", when: str = "", only_with: tuple[int, ...] = ()
) -> Callable[[F], F]: ...
def hookimpl(
    function: F | None = None,
    *,
    per_packet: bool = False,
    shared: str = "",
    when: str = "",
    only_with: tuple[int, ...] = (),
) -> F | Callable[[F], F]:
    """Mark a method as the implementation of the hook of its name.

    Args:
        function: the method, where the decorator is used without parentheses.
        per_packet: the answer depends on more than the arguments, so it must not be remembered.
        shared: for label, subnet and option hooks: name of an attribute of the object, or ``"always"``. Where it is
            true, the answer does not look at the machine's hardware address, client identifier, UUID and host name, so
            that one answer serves all machines that differ in nothing else.
        when: name of an attribute of the object; where it is false, the hook is not offered at all.
        only_with: for gate and reply hooks: DHCP options by number; the hook is asked only about messages that carry
            one of them.
    """

    def mark(target: F) -> F:
        marked: F = _marker(target)
        marks = {"per_packet": per_packet, "shared": shared, "when": when, "only_with": frozenset(only_with)}
        for name, mark_of in marks.items():
            if mark_of:
                setattr(marked, f"provd_{name}", mark_of)
        return marked

    return mark(function) if function is not None else mark

"""The methods that may be called: a registry, never attributes of an object; none gets in without a permission."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provd.service.operations import ANONYMOUS_READ, PERMISSIONS

NOBODY: Final = "nobody"
"""Permission of the few methods that must be open before anybody has logged in: login, logout, ping, token checks."""

CLASSES: Final = (NOBODY, *PERMISSIONS)

_TOKEN_PLACES: Final = frozenset({"token", "flatten", "resolved", "expand", "page", "results_per_page"})
"""Arguments of a read in which clients of several ages put their token."""

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "dict": (dict,),
    "list": (list,),
    "bool": (bool, int),
    "number": (int, float),
}


class ArgumentError(TypeError):
    """Wrong number or type of arguments."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: as clients call it.
        permission: one of :data:`CLASSES`.
        run: coroutine function; gets the call and the arguments.
        differs: how it differs from Cobbler's, empty where it does not.
        fixed: arguments in front of the client's, for methods that are alike for several kinds.
    """

    name: str
    permission: str
    run: Callable[..., Awaitable[object]]
    differs: str = ""
    fixed: tuple[str, ...] = ()

    def parameters(self) -> list[inspect.Parameter]:
        """The client's parameters."""
        return list(inspect.signature(self.run).parameters.values())[1 + len(self.fixed) :]

    def checked(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, if their number and types fit.

        Raises:
            ArgumentError: they do not; the sentence names the argument.
        """
        expected = self.parameters()
        needed = sum(one.default is one.empty for one in expected)
        if not needed <= len(arguments) <= len(expected):
            names = ", ".join(one.name for one in expected)
            raise ArgumentError(f"{self.name} takes {names or 'no arguments'}; {len(arguments)} were given")
        for one, value in zip(expected, arguments, strict=False):
            kinds = _KINDS.get(one.annotation)
            if kinds is not None and not isinstance(value, kinds):
                raise ArgumentError(f"{self.name}: {one.name} must be of type {one.annotation}")
        return arguments

    def token(self, arguments: tuple[Any, ...]) -> object:
        """The token among the arguments, empty where there is none; a read finds it wherever clients put it."""
        found: object = ""
        for one, value in zip(self.parameters(), arguments, strict=False):
            reads = self.permission == ANONYMOUS_READ and isinstance(value, str) and one.name in _TOKEN_PLACES
            reads = reads and not value.isdecimal()  # the number of a page
            if value and (one.name == "token" or reads):
                found = value
        return found


class Registry:
    """Methods by name."""

    def __init__(self) -> None:
        self.methods: dict[str, Method] = {}

    def add(
        self,
        name: str,
        permission: str,
        run: Callable[..., Awaitable[object]],
        *fixed: str,
        differs: str = "",
    ) -> None:
        """Register a method.

        Raises:
            ValueError: it has no permission, is no coroutine function, is private, or the name is taken.
        """
        if permission not in CLASSES:
            raise ValueError(f"method {name}: the permission {permission!r} is not one of {', '.join(CLASSES)}")
        if not inspect.iscoroutinefunction(run):
            raise ValueError(f"method {name} is not a coroutine function")
        if name.startswith("_") or name in self.methods:
            raise ValueError(f"method {name}: the name is private or taken")
        self.methods[name] = Method(name, permission, run, differs, fixed)

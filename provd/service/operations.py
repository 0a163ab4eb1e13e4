"""The operations table: each operation is written once; API, CLI and every later protocol derive from it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import isawaitable
from ipaddress import IPv4Address, IPv4Network
from pathlib import PurePath
from typing import Annotated, Any, Final

import msgspec
from twisted.logger import Logger

from provd.config.decode import parse_address
from provd.config.values import value_faults
from provd.model.account import ROLES, Caller
from provd.model.mac import Mac
from provd.model.origin import Origin
from provd.model.scrub import HIDDEN, MASKED_URL, scrub_urls, without_url_passwords
from provd.plugin.contract import Operation
from provd.service.audit import Audit, attempt

ANONYMOUS_READ: Final = "anonymous-read"
"""Permission of the reads that old clients send without logging in; granted by the way they come, never by a role."""

PERMISSIONS: Final = (ANONYMOUS_READ, *ROLES)
"""From the weakest; a role may do what its own and the weaker ones may."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)?")
_FIELD: Final = re.compile(r" - at `\$\.?(.*)`$")


class OperationError(Exception):
    """An operation is refused or failed; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        kind: ``refused``, ``not-found``, ``usage``, ``denied`` or ``failed``.
    """

    def __init__(self, sentence: str, *, field: str = "", kind: str = "refused") -> None:
        super().__init__(scrub_urls(sentence))
        self.field = field
        self.kind = kind


DryRun = Annotated[bool, msgspec.Meta(description="Tell what would be done, and do nothing.")]
Revision = Annotated[str, msgspec.Meta(description="Refuse where the object has another revision now.")]


class Arguments(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of the arguments of built-in operations; unknown names are refused."""


class NoArguments(Arguments, frozen=True):
    """An operation that needs none."""


class OperationTable:
    """Every operation by name: the built-in ones and, read anew at each call, those of plugins.

    Args:
        theirs: operations of the plugins that run now.
        audit: keeps who changed what; None for a table that nobody but tests calls.
    """

    def __init__(self, theirs: Callable[[], Mapping[str, Operation]] = dict, audit: Audit | None = None) -> None:
        self._audit = audit
        self._own: dict[str, Operation] = {}
        self._theirs = theirs
        self._logger = Logger(namespace="provd.operations")

    def add(self, operations: Iterable[Operation]) -> None:
        """Register built-in operations.

        Raises:
            ValueError: one has no permission, summary or example, a wrong name, or a name that is taken.
        """
        for operation in operations:
            fault = operation_fault(operation)
            if not fault and operation.name in self._own:
                fault = "the name is taken"
            if fault:
                raise ValueError(f"operation {operation.name!r}: {fault}")
            self._own[operation.name] = operation

    def all(self) -> list[Operation]:
        """Every operation, by name; a plugin cannot replace a built-in one, and a faulty one does not appear."""
        theirs = {
            name: one for name, one in self._theirs().items() if name not in self._own and not operation_fault(one)
        }
        return [operation for _, operation in sorted({**theirs, **self._own}.items())]

    def get(self, name: str) -> Operation:
        """The operation of this name.

        Raises:
            OperationError: there is none.
        """
        found = self._own.get(name)
        if found is None:
            found = next((operation for operation in self.all() if operation.name == name), None)
        if found is None:
            raise OperationError(f"there is no operation {name!r}", kind="not-found")
        return found

    async def call(self, name: str, arguments: object, *, caller: Caller) -> object:
        """Run an operation and return its result as plain JSON values.

        Args:
            name: which one.
            arguments: mapping of argument names to plain values.
            caller: who asks; what needs more than reading is kept in the audit log, refused or not.

        Raises:
            OperationError: unknown, not permitted, wrong arguments, refused or failed.
        """
        operation = self.get(name)
        kept = self._audit if operation.permission not in {ANONYMOUS_READ, "read"} else None
        fault = _unsound(arguments) or (_masked(arguments) if kept is not None else None)
        with attempt(caller, name, arguments if fault is None else {}, kept):
            if fault is not None:
                raise OperationError(f"{name}: {fault[0]}: {fault[1]}", field=fault[0], kind="usage")
            return await self._run(operation, arguments, caller)

    async def _run(self, operation: Operation, arguments: object, caller: Caller) -> object:
        name = operation.name
        if not permitted(caller.role, operation.permission):
            raise OperationError(f"{name} needs the permission {operation.permission}", kind="denied")
        decoded = decode_arguments(operation, arguments)
        try:
            result: Any = operation.run(decoded)
            if isawaitable(result):
                result = await _awaited(result)
            return _shown(plain(result))
        except OperationError:
            raise
        except ValueError as error:
            # How a plugin refuses: it knows no exception of the service floor.
            raise OperationError(str(error)) from error
        except Exception as error:
            self._logger.failure("operation {name} failed", name=name)
            raise OperationError(
                f"{name} failed: {type(error).__name__}; the log has the error", kind="failed"
            ) from error


def permitted(role: str, permission: str) -> bool:
    """Whether a role may do what needs a permission."""
    return role in PERMISSIONS and PERMISSIONS.index(role) >= PERMISSIONS.index(permission)


async def _awaited(result: Awaitable[object]) -> object:
    return await result


def operation_fault(operation: Operation) -> str:
    """What is wrong with an operation's description, or empty."""
    if not _NAME.fullmatch(operation.name):
        return "the name is not noun.verb in lower case"
    if operation.permission not in PERMISSIONS:
        return f"the permission {operation.permission!r} is not one of {', '.join(PERMISSIONS)}"
    if not operation.summary or not operation.example:
        return "it needs a summary and an example"
    if not (isinstance(operation.arguments, type) and issubclass(operation.arguments, msgspec.Struct)):
        return "its arguments are not a msgspec structure"
    return ""


MOST_DEPTH: Final = 32
"""Levels of lists and objects in arguments."""


def _unsound(arguments: object) -> tuple[str, str] | None:
    """Place and rule of the first value that no operation can take: nothing could keep it, log it or send it back."""
    return next(value_faults(arguments, "", most=MOST_DEPTH, none=True), None)


def _masked(value: object, path: str = "") -> tuple[str, str] | None:
    """Place and rule of a URL whose password is the mask it was shown with: the real one would be lost."""
    if isinstance(value, str) and MASKED_URL.search(value):
        return path, f"holds the password of a URL as it is shown, {HIDDEN}; write the password itself"
    below = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    found = (_masked(inner, f"{path}.{key}" if path else str(key)) for key, inner in below)
    return next((one for one in found if one is not None), None)


def _shown(value: object) -> object:
    """What an operation tells, with the passwords of URLs masked."""
    text = msgspec.json.encode(value)
    # Tables of many machines hold no such URL and are told at once.
    return without_url_passwords(value) if b"://" in text and b"@" in text else value


def decode_arguments(operation: Operation, arguments: object) -> object:
    """Arguments as the operation's structure.

    Raises:
        OperationError: a missing, unknown or mistyped argument; ``field`` names it.
    """
    try:
        return msgspec.convert(arguments, operation.arguments, dec_hook=_decode)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _FIELD.search(text)
        missing = re.search(r"(?:required|unknown) field `([^`]+)`", text)
        field = ".".join(
            part for part in (found.group(1) if found else "", missing.group(1) if missing else "") if part
        )
        sentence = _FIELD.sub("", text).replace("Object ", "the arguments ").replace("contains", "contain")
        where = f"{operation.name}: {field}: " if field and not missing else f"{operation.name}: "
        raise OperationError(where + sentence, field=field, kind="usage") from error


def plain(value: object) -> object:
    """Plain JSON values of anything an operation returns."""
    return msgspec.to_builtins(value, enc_hook=_encode, str_keys=True)


def _decode(kind: type, value: object) -> object:
    if not isinstance(value, str):
        # msgspec gives only a ValueError of this hook its path.
        raise ValueError("expected a string")  # noqa: TRY004
    return _READERS[kind](value)


_READERS: Final[Mapping[type, Callable[[str], object]]] = {Mac: Mac.parse, IPv4Address: parse_address}


def _encode(value: object) -> object:
    if isinstance(value, Mac | Origin | IPv4Address | IPv4Network | PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return repr(value)

"""Writes that depend on what their caller has read: ETag and If-Match (RFC 9110 sections 8.8.3 and 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from provd.plugin.contract import Operation
from provd.service.operations import OperationError

HEADER: Final = "If-Match"
TAG: Final = r'^"[0-9A-Za-z._-]{1,128}"$'
"""An entity tag: a revision in quotes."""
_TAG: Final = re.compile(TAG)


def takes_revision(operation: Operation) -> bool:
    """Whether an operation can be told which revision its caller has seen."""
    return "revision" in getattr(operation.arguments, "__struct_fields__", ())


def guarded(operation: Operation, given: object, header: str | None) -> object:
    """Arguments with the revision that ``If-Match`` names.

    Args:
        operation: what is called.
        given: its arguments as they came.
        header: value of ``If-Match``, or None.

    Raises:
        OperationError: no revision in quotes, an operation without a revision, or another one in the arguments.
    """
    if header is None or not isinstance(given, Mapping):
        return given
    if not _TAG.fullmatch(header):
        raise _wrong("one revision in quotes is expected")
    if not takes_revision(operation):
        raise _wrong(f"{operation.name} takes no revision")
    revision = header.strip('"')
    if given.get("revision", revision) != revision:
        raise _wrong("the argument revision is another one")
    return {**given, "revision": revision}


def etag(result: object) -> str:
    """Entity tag of a result that has a revision, or empty."""
    found = result.get("revision") if isinstance(result, Mapping) else None
    tag = f'"{found}"'
    return tag if isinstance(found, str) and _TAG.fullmatch(tag) else ""


def _wrong(rule: str) -> OperationError:
    return OperationError(f"{HEADER}: {rule}", field=HEADER, kind="usage")

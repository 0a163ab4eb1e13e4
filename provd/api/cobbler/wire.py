"""XML-RPC on the wire: requests parsed within limits, answers without None, faults as Cobbler writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat
from xmlrpc.client import MAXINT, MININT, Binary, DateTime, Fault, Unmarshaller, dumps

MAX_BODY: Final = 1024 * 1024
"""Octets of one request."""

_NO_XML: Final = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

MAX_DEPTH: Final = 32
"""Levels of arrays and structures in one request."""


class BadRequestError(ValueError):
    """The request is none, or breaks a limit; the sentence says which rule."""


def parse(raw: bytes) -> tuple[str, tuple[Any, ...]]:
    """Method and arguments of a request.

    A document type, and with it every entity, is refused, so nothing can expand or be fetched (CVE-2003-1564).

    Raises:
        BadRequestError: not an XML-RPC call, too long or nested too deep.
    """
    if len(raw) > MAX_BODY:
        raise BadRequestError(f"the request is longer than {MAX_BODY} octets")
    reader = Unmarshaller(use_builtin_types=False)
    parser = expat.ParserCreate(None, None)
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += tag in {"array", "struct"}
        if depth > MAX_DEPTH:
            raise BadRequestError(f"the request is nested deeper than {MAX_DEPTH} levels")
        reader.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= tag in {"array", "struct"}
        reader.end(tag)

    def refuse(*_: object) -> int:
        raise BadRequestError("a document type is refused")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    reader.xml(None, None)  # type: ignore[arg-type]
    try:
        parser.Parse(raw, True)  # noqa: FBT003  expat's own
        arguments, method = reader.close(), reader.getmethodname()
    except BadRequestError:
        raise
    except Exception as error:
        # The reader of the standard library stumbles in many ways over what is no call.
        raise BadRequestError(f"the request is no XML-RPC call: {type(error).__name__}") from error
    if not isinstance(method, str) or not method:
        raise BadRequestError("the request names no method")
    return method, tuple(plain(one) for one in arguments)


def plain(value: Any) -> Any:
    """A value of a request in plain Python."""
    if isinstance(value, Binary):
        return bytes(value.data)
    if isinstance(value, DateTime):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    return value


def answer(value: object) -> bytes:
    """A response that says ``value``."""
    return dumps((sendable(value),), methodresponse=True, encoding="utf-8").encode("utf-8", "xmlcharrefreplace")


def fault(sentence: str, *, kind: str = "cobbler.cexceptions.CX", code: int = 1) -> bytes:
    """A response that is a fault.

    Args:
        sentence: what is wrong.
        kind: exception class that Cobbler would have named; its clients look for it.
        code: Cobbler's is always 1.
    """
    text = f"<class '{kind}'>:'{_clean(sentence)}'"
    return dumps(Fault(code, text), encoding="utf-8").encode("utf-8", "xmlcharrefreplace")


def sendable(value: object) -> Any:
    """What XML-RPC can carry: None is ``~`` as Cobbler says it, large integers are texts, names of members texts."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if MININT <= value <= MAXINT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bytes):
        return Binary(value)
    if isinstance(value, Mapping):
        return {_clean(str(name)): sendable(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [sendable(one) for one in value]
    return _clean(str(value))


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 section 2.2 has no place for."""
    return _NO_XML.sub("?", text)

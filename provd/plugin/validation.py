"""What each hook may return: every answer of a plugin is checked here before the core sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from inspect import isawaitable
from itertools import islice

from provd.core.naming import pattern_fault
from provd.model.boot import Action, BootFile, BootPlan, Location
from provd.model.content import AwaitedBody, Content, FileBody, NotFound, StreamBody
from provd.model.dhcp import Allow, Destination, Ignore, OptionSet, Refuse, Reply
from provd.model.subnet import Subnet
from provd.plugin.contract import Adoption, Veto
from provd.plugin.contract_install import CallbackResult
from provd.plugin.guard import WrongValueError, discard

Args = tuple[object, ...]
_MOST_ITEMS = 1000
_U32 = 2**32
_OUTCOMES = frozenset({"", "started", "finished", "failed", "firstboot"})


def wrong(value: object, expected: str) -> WrongValueError:
    """The error for ``value``: names the type that came and what was expected, never the value itself."""
    if isawaitable(value):
        discard(value)
        return WrongValueError(f"returned an awaitable, expected {expected}; request hooks are synchronous")
    return WrongValueError(f"returned {type(value).__name__}, expected {expected}")


def gate(value: object, _args: Args) -> object:
    """``Allow``, ``Ignore``, ``Refuse`` or None."""
    if value is None or isinstance(value, Allow):
        return value
    if isinstance(value, Ignore | Refuse) and isinstance(value.reason, str):
        return value
    raise wrong(value, "Allow, Ignore, Refuse or None")


def labels(value: object, _args: Args) -> object:
    """A frozenset of words."""
    if value is None:
        return frozenset()
    return frozenset(_texts(value, "an iterable of label words or None"))


def sentences(value: object, _args: Args) -> object:
    """A tuple of sentences."""
    return tuple(_texts(value, "an iterable of sentences"))


def subnet(value: object, args: Args) -> object:
    """One of the subnets that were offered, or None."""
    if value is None:
        return None
    if not isinstance(value, Subnet):
        raise wrong(value, "Subnet or None")
    if not any(value is known or value == known for known in _items(args[1], "subnets")):
        raise WrongValueError("returned a subnet that is not one of those it was given")
    return value


def options(value: object, _args: Args) -> object:
    """An ``OptionSet`` with octets by option code, or None."""
    if value is None:
        return None
    if not isinstance(value, OptionSet) or not isinstance(value.force, bool):
        raise wrong(value, "OptionSet or None")
    checked = option_map(value.options)
    return value if type(value.options) is dict else replace(value, options=checked)


def reply(value: object, _args: Args) -> object:
    """A ``Reply`` that can be encoded, or None."""
    if value is None:
        return None
    if not isinstance(value, Reply):
        raise wrong(value, "Reply or None")
    for name in ("yiaddr", "siaddr", "server_id"):
        _u32(getattr(value, name), name)
    if value.message_type not in {2, 5, 6}:
        raise WrongValueError("returned a Reply whose message_type is not 2, 5 or 6")
    if not isinstance(value.flags, int) or not 0 <= value.flags <= 0xFFFF:
        raise WrongValueError("returned a Reply whose flags are not 16 bits")
    for name, most in (("file", 127), ("sname", 63)):
        field = getattr(value, name)
        if not isinstance(field, bytes) or len(field) > most:
            raise WrongValueError(f"returned a Reply whose {name} is not bytes of at most {most} octets")
    if value.trailer is not None and not isinstance(value.trailer, bytes):
        raise WrongValueError("returned a Reply whose trailer is not bytes or None")
    _destination(value.destination)
    checked = option_map(value.options)
    return value if type(value.options) is dict else replace(value, options=checked)


def adoption(value: object, _args: Args) -> object:
    """An ``Adoption`` whose pattern makes names, or None."""
    if value is None:
        return None
    if not isinstance(value, Adoption) or not isinstance(value.name, str) or not isinstance(value.profile, str):
        raise wrong(value, "Adoption or None")
    if fault := pattern_fault(value.name):
        raise WrongValueError(f"returned an Adoption whose name is wrong: {fault}")
    return value


def boot_plan(value: object, _args: Args) -> object:
    """A ``BootPlan`` or None."""
    if value is None:
        return None
    if not isinstance(value, BootPlan):
        raise wrong(value, "BootPlan or None")
    if not isinstance(value.action, Action):
        raise WrongValueError("returned a BootPlan whose action is not an Action")
    return value


def kernel_args(value: object, _args: Args) -> object:
    """A tuple of single words."""
    if value is None:
        return ()
    words = _texts(value, "an iterable of kernel arguments or None")
    for word in words:
        if not word.strip() or any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in word):
            raise WrongValueError("returned a kernel argument that is empty or holds a control character")
    return words


def content(value: object, _args: Args) -> object:
    """``Content`` whose body and length agree, ``NotFound``, or None."""
    if value is None:
        return None
    if isinstance(value, NotFound):
        if not isinstance(value.reason, str) or not _status(value.status):
            raise WrongValueError("returned NotFound whose reason is not text or whose status is not an HTTP status")
        return value
    if not isinstance(value, Content):
        raise wrong(value, "Content, NotFound or None")
    if not isinstance(value.body, bytes | FileBody | StreamBody | AwaitedBody):
        raise WrongValueError(f"returned Content with a body of {type(value.body).__name__}")
    if isinstance(value.body, bytes) and value.length != len(value.body):
        raise WrongValueError(f"returned Content of {len(value.body)} octets with the length {value.length}")
    if not isinstance(value.length, int) or value.length < -1 or not _status(value.status):
        raise WrongValueError("returned Content whose length or status is not a possible number")
    for text in (value.media_type, value.etag, *value.headers.keys(), *value.headers.values()):
        if not isinstance(text, str) or "\r" in text or "\n" in text:
            raise WrongValueError("returned Content with a header that is not one line of text")
    return value


def answer_vars(value: object, _args: Args) -> object:
    """A dict of template variables."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong(value, "a mapping of variable names or None")
    found = dict(value)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier():
            raise WrongValueError(f"returned the variable name {str(name)[:40]!r}, which no template can use")
    return found


def change(value: object, _args: Args) -> object:
    """A ``Veto`` or None."""
    if value is None or (isinstance(value, Veto) and isinstance(value.reason, str)):
        return value
    raise wrong(value, "Veto or None")


def nothing(value: object, _args: Args) -> object:
    """None: an event hook is told, not asked."""
    if value is not None:
        raise wrong(value, "None")
    return None


def boot_file(value: object, _args: Args) -> object:
    """A ``BootFile`` or None."""
    if value is None:
        return None
    if not isinstance(value, BootFile) or value.transport not in {"tftp", "http"}:
        raise wrong(value, "BootFile over tftp or http, or None")
    if not isinstance(value.path, str) or not value.path or value.path.startswith("/"):
        raise WrongValueError("returned a BootFile whose path is empty or starts with a slash")
    option_map(value.options)
    return value


def location(value: object, _args: Args) -> object:
    """A ``Location`` or None."""
    if value is None or isinstance(value, Location):
        return value
    raise wrong(value, "Location or None")


def callback_result(value: object, _args: Args) -> object:
    """A ``CallbackResult`` with an outcome the core knows."""
    if not isinstance(value, CallbackResult):
        raise wrong(value, "CallbackResult")
    if value.outcome not in _OUTCOMES:
        raise WrongValueError("returned a CallbackResult with an unknown outcome")
    return value


def of_type(kind: type, expected: str) -> Callable[[object, Args], object]:
    """A check for one type."""

    def check(value: object, _args: Args) -> object:
        if not isinstance(value, kind):
            raise wrong(value, expected)
        return value

    return check


def option_map(value: object) -> dict[int, bytes]:
    """DHCP options by code 1 to 254 (RFC 2132 section 2), octets as values."""
    if not isinstance(value, Mapping):
        raise WrongValueError(f"returned options of {type(value).__name__}, expected a mapping of code to octets")
    found = value if type(value) is dict else dict(value)
    for code, octets in found.items():
        if type(code) is not int or not 1 <= code <= 254:
            raise WrongValueError("returned an option code that is not an integer of 1 to 254")
        if not isinstance(octets, bytes):
            raise WrongValueError(f"returned option {code} as {type(octets).__name__}, expected bytes")
    return found


def _destination(value: object) -> None:
    if not isinstance(value, Destination):
        raise WrongValueError("returned a Reply whose destination is not a Destination")
    _u32(value.address, "destination.address")
    if not isinstance(value.port, int) or not 0 < value.port < 65536 or not isinstance(value.mac, bytes):
        raise WrongValueError("returned a Reply whose destination has no possible port or mac")


def _u32(value: object, name: str) -> None:
    if type(value) is not int or not 0 <= value < _U32:
        raise WrongValueError(f"returned a Reply whose {name} is not an IPv4 address as an integer")


def _status(value: object) -> bool:
    return type(value) is int and 100 <= value <= 599


def _texts(value: object, expected: str) -> tuple[str, ...]:
    found = _items(value, expected)
    for item in found:
        if not isinstance(item, str):
            raise WrongValueError(f"returned an item of {type(item).__name__}, expected text")
    return tuple(str(item) for item in found)


def _items(value: object, expected: str) -> tuple[object, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise wrong(value, expected)
    found = tuple(islice(value, _MOST_ITEMS + 1))
    if len(found) > _MOST_ITEMS:
        raise WrongValueError(f"returned more than {_MOST_ITEMS} items")
    return found

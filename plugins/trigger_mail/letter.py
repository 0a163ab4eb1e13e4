"""A mail: its addresses, and its octets from templates and an event (RFC 5322, MIME)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default as policy
from email.utils import format_datetime
from typing import Any

from provd.plugin.api import Event, TextTemplate, scrub, scrub_value

SUBJECT = "provd: {{ kind }}{{ ' ' ~ system if system else '' }}"
BODY = """{{ when }}  {{ kind }}
system   {{ system or '-' }}
machine  {{ mac or '-' }}
session  {{ session or '-' }}
{% for name, value in fields.items() %}
{{ name }}: {{ value }}
{% endfor %}
"""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_NAMED = re.compile(r"(?P<name>[^<>\"@,;:\\]*?)\s*<(?P<address>[^<>]+)>")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_SUBJECT = 200
_LONGEST_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to go.

    Attributes:
        key: the same at each attempt: its ``Message-ID``.
        sender: address.
        recipients: addresses.
        octets: headers and body, lines ended by LF; no line begins with a dot.
    """

    key: str
    sender: str
    recipients: tuple[str, ...]
    octets: bytes


def mailbox(text: str) -> Address:
    """``ADDRESS`` or ``NAME <ADDRESS>``; the address is a dot-atom of ASCII and a host name.

    Raises:
        ValueError: it is neither.
    """
    named = _NAMED.fullmatch(text)
    address = named["address"] if named else text
    # Whatever could end a header line would begin another one (RFC 5322 section 2.2).
    if _CONTROL.search(text) or not _ADDRESS.fullmatch(address):
        raise ValueError(f"{text!r} is not a mail address")
    return Address(named["name"] if named else "", addr_spec=address)


class Writer:
    """Writes the letters of one kind of mail.

    Raises:
        ValueError: an address or a template is none.
    """

    def __init__(self, name: str, sender: str, to: Sequence[str], subject: str, body: str) -> None:
        if not to:
            raise ValueError(f"{name!r}: to names nobody")
        try:
            self._sender, self._to = mailbox(sender), tuple(mailbox(one) for one in to)
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error
        if _CONTROL.search(subject):
            raise ValueError(f"{name!r}: subject must be one line")
        self._name = name
        self._subject, self._body = TextTemplate(subject, f"{name}.subject"), TextTemplate(body, f"{name}.body")

    def doubts(self) -> Iterator[str]:
        """Names in the templates that no event has."""
        for template in (self._subject, self._body):
            yield from template.unknown(NAMES)

    def letter(self, event: Event) -> Letter:
        """The mail about an event.

        Raises:
            ValueError: a template fails, or the subject would have more than one line.
        """
        happened = datetime.fromtimestamp(event.at, UTC)
        values = _values(event, happened)
        # A machine that calls itself by several lines must not keep the mail about it from being sent.
        subject = self._subject.render({name: _one_line(value) for name, value in values.items()})
        if _CONTROL.search(subject):
            raise ValueError("the subject would have more than one line")
        message = EmailMessage(policy=policy)
        message["From"], message["To"] = self._sender, self._to
        message["Subject"] = subject.strip()[:_LONGEST_SUBJECT]
        message["Date"] = format_datetime(happened)
        key = f"<{event.id}.{int(event.at * 1000)}.{self._name}@{self._sender.domain}>"
        message["Message-ID"] = key
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
        # Base64: no line is too long or begins with a dot, whatever the body says.
        message.set_content(self._body.render(values)[:_LONGEST_BODY], cte="base64")
        recipients = tuple(dict.fromkeys(one.addr_spec for one in self._to))
        return Letter(key, self._sender.addr_spec, recipients, message.as_bytes())


NAMES = ("kind", "system", "mac", "session", "at", "when", "fields")
"""What templates know."""


def _values(event: Event, happened: datetime) -> Mapping[str, Any]:
    return {
        "kind": event.kind,
        "system": scrub(event.system),
        "mac": event.mac,
        "session": event.session,
        "at": event.at,
        "when": happened.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "fields": scrub_value(event.fields),
    }


def _one_line(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, Mapping):
        return {name: _one_line(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_one_line(one) for one in value]
    return value

"""The client of a remote server, where what it waits for is interrupted."""

from __future__ import annotations

import http.client
import io

import pytest

from provd.api.remote import RemoteClient


class Answer(io.BytesIO):
    """What was read."""

    status = 200


class Connection:
    """As HTTPSConnection: a question after one whose answer was not read is refused."""

    interrupted = False

    def __init__(self, *_where: object, **_more: object) -> None:
        self.asked = False

    def request(self, *_words: object) -> None:
        if self.asked:
            raise http.client.CannotSendRequest("Request-sent")
        self.asked = True

    def getresponse(self) -> Answer:
        if Connection.interrupted:
            Connection.interrupted = False
            raise KeyboardInterrupt
        self.asked = False
        return Answer(b'{"result": {"pcapng": ""}}')

    def close(self) -> None:
        """Nothing is open."""


def test_ctrl_c_while_it_waits_leaves_a_client_that_can_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As provd record does: Ctrl-C ends the waiting, and what was recorded is asked for."""
    monkeypatch.setattr(http.client, "HTTPSConnection", Connection)
    client = RemoteClient("https://10.0.0.1:8443")
    client.call("recording.begin", system="web1")
    Connection.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        client.call("recording.show", name="x")
    assert client.call("recording.end", name="x") == {"pcapng": ""}

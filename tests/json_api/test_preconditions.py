"""ETag and If-Match: a write of somebody who has not seen the last change is refused."""

from __future__ import annotations

import json

import pytest

from tests.json_api.api_server import Answer, ApiServer

CARD = [{"name": "eth0", "mac": "52:54:00:12:36:01"}]


def edit(api: ApiServer, tag: str, **arguments: object) -> Answer:
    body = json.dumps({"name": "tagged", **arguments}).encode()
    return api.ask("POST", "/v1/call/system.edit", body, "operate", {"If-Match": tag})


def test_a_stale_tag_is_412_and_changes_nothing(api: ApiServer) -> None:
    assert api.call("system.add", name="tagged", interfaces=CARD).status == 200
    shown = api.call("system.show", name="tagged")
    tag = shown.headers["etag"]
    assert tag == f'"{shown.body["result"]["revision"]}"'
    assert edit(api, tag, comment="one").status == 200
    stale = edit(api, tag, comment="two")
    assert (stale.status, stale.body["field"], stale.body["kind"]) == (412, "revision", "refused")
    again = api.call("system.show", name="tagged")
    assert again.body["result"]["comment"] == "one"
    assert again.headers["etag"] != tag
    assert edit(api, again.headers["etag"], comment="two").status == 200
    assert api.call("system.remove", name="tagged").status == 200


@pytest.mark.parametrize("tag", ["*", "abc", 'W/"abc"', '"a", "b"', '""', '"a b"', '"' + "x" * 200 + '"'])
def test_what_is_no_revision_in_quotes_is_refused(api: ApiServer, tag: str) -> None:
    answer = edit(api, tag, comment="x")
    assert (answer.status, answer.body["field"]) == (400, "If-Match")


def test_a_tag_where_none_is_taken_and_two_that_differ(api: ApiServer) -> None:
    answer = api.ask("POST", "/v1/call/system.list", b"{}", "read", {"If-Match": '"a"'})
    assert (answer.status, answer.body["error"]) == (400, "If-Match: system.list takes no revision")
    answer = edit(api, '"a"', revision="b")
    assert (answer.status, answer.body["error"]) == (400, "If-Match: the argument revision is another one")

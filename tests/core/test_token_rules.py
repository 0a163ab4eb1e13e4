"""Install tokens (C25)."""

from __future__ import annotations

from dataclasses import replace

from provd.core.token_rules import Denied, Granted, may_call, may_fetch, may_use
from provd.model.token import InstallToken

TOKEN = InstallToken(token="t0ken", system="web1", session="s1", bound="10.0.0.10", minted_at=0.0, expires_at=100.0)
BOUND = frozenset({"10.0.0.10"})


def test_C25_another_address_is_refused() -> None:
    assert isinstance(may_use(TOKEN, peer="10.0.0.10", allowed=BOUND, now=1.0), Granted)
    denied = may_use(TOKEN, peer="10.0.0.11", allowed=BOUND, now=1.0)
    assert denied == Denied("the token is bound to another address than 10.0.0.11")


def test_token_only_binding_takes_any_address() -> None:
    assert isinstance(may_use(TOKEN, peer="192.0.2.1", allowed=frozenset(), now=1.0), Granted)


def test_C25_an_expired_token_is_refused() -> None:
    assert may_use(TOKEN, peer="10.0.0.10", allowed=BOUND, now=100.0) == Denied("the token has expired")


def test_C25_after_the_finished_callback_nothing_is_served_but_the_first_boot_may_report() -> None:
    ended = replace(TOKEN, ended_at=50.0, end_reason="finished")
    assert isinstance(may_fetch(ended, "user-data", max_fetches=16), Denied)
    assert isinstance(may_call(ended, "progress"), Denied)
    assert isinstance(may_call(ended, "firstboot"), Granted)


def test_a_failed_install_may_still_send_its_log_and_nothing_else() -> None:
    ended = replace(TOKEN, ended_at=50.0, end_reason="failed")
    assert isinstance(may_call(ended, "log"), Granted)
    assert isinstance(may_call(ended, "firstboot"), Denied)


def test_fetches_are_limited_for_each_document() -> None:
    used = replace(TOKEN, fetches={"user-data": 16})
    assert isinstance(may_fetch(used, "user-data", max_fetches=16), Denied)
    assert isinstance(may_fetch(used, "meta-data", max_fetches=16), Granted)


def test_C18_the_token_is_not_in_the_repr() -> None:
    assert "t0ken" not in repr(TOKEN)

"""Faults planted in a set-up that works, with the real service: the trace names each, and none of them where all is well.

Real are the service and its sockets, the second DHCP server (dnsmasq), the relays (ISC dhcrelay), the closed ports
(nftables), the dead mirrors, the broken templates and the bad plugins; the machines are simulated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.app.running_server import wait_until
from tests.faults.planted_cases import CASES, HEALTHY, TENANTS, Case
from tests.faults.planted_site import PlantedSite, planted

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240)]


def boot(site: PlantedSite, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Boot the machines of these cases, all links at once; what became of each."""

    def of_link(name: str) -> dict[str, dict[str, Any]]:
        mine = [case for case in cases if case.park == name]
        booted = site.parks[name].boot([case.full_order for case in mine]) if mine else []
        return {case.name: one for case, one in zip(mine, booted, strict=True)}

    with ThreadPoolExecutor() as pool:
        return {name: one for told in pool.map(of_link, site.parks) for name, one in told.items()}


def wrong(case: Case, told: dict[str, Any]) -> str:
    """What a trace says that it should not, or does not say that it should; empty if all is right."""
    findings = told["findings"]
    if not case.rule:
        return f"{case.name}: {findings}" if findings else ""
    first = findings[0] if findings else {"rule": "", "step": "", "cause": told["verdict"]}
    right = (
        first["rule"] == case.rule
        and first["step"] == (case.step or first["step"])
        and all(word in first["cause"] for word in case.words)
        and told["verdict"] == first["cause"]
    )
    return "" if right else f"{case.name}: wants {case.rule} at {case.step or 'any step'} {case.words}, has {findings}"


def test_each_planted_fault_is_named_and_none_of_them_in_a_healthy_boot(tmp_path: Path) -> None:
    with planted(tmp_path) as site:
        booted = boot(site, HEALTHY)
        assert {one["outcome"] for one in booted.values()} == {"installed"}, booted
        boot(site, TENANTS)
        # The slow plugin last: it rests for a minute, and every machine goes without it.
        booted |= boot(site, CASES[:-1]) | boot(site, CASES[-1:])
        # The service sends the first block again and again before it gives up.
        wait_until(lambda: "tftp.failed" in site.kinds("port-tftp-data"), 40, lambda: "the transfer goes on")
        faults: list[str] = []
        passed = 0
        for seconds in (0, 16, 61, 601):
            site.pass_time(seconds - passed)
            passed = seconds
            read = [case for case in CASES if case.at_s == seconds and case.rule != "not-seen"]
            faults += [text for case in (*read, *HEALTHY) if (text := wrong(case, site.told(case.said)))]
        unseen = [case for case in CASES if case.rule == "not-seen"]
        faults += [case.name for case in unseen if case.words[0] not in site.command("trace", case.said)]
        assert not faults, "\n".join(faults)
        for name in ("arch-loader", "port-tftp", "relay-unknown"):
            case = next(case for case in CASES if case.name == name)
            assert not wrong(case, json.loads(site.command("trace", name, "-o", "json")))
            (line,) = [line for line in site.command("trace", name).splitlines() if f"[{case.rule}]" in line]
            assert line.startswith(f"{case.step}: ")
        expired = {"get": booted["token-expired"]["answer_url"], "source": booted["token-expired"]["address"]}
        site.pass_time(7 * 3600)
        assert site.parks["lan"].boot([{**expired, "mac": "00:00:00:00:00:00"}])[0]["then"] == [404]
        first = site.told("token-expired")["findings"][0]
        assert (first["rule"], first["cause"].partition(": ")[2]) == ("wrong-token", "the token has expired")

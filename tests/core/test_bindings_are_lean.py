"""What a lease costs in memory with compiled modules is what it costs without them."""

from __future__ import annotations

import json
import subprocess
import sys

_SCRIPT = """\
import json
import sys
from ipaddress import IPv4Address, IPv4Network

if sys.argv[1] == "compiled":
    from provd.compiled import use_compiled

    assert use_compiled()
from provd.core.dhcp_binding import Binding, Who
from provd.core.dhcp_leases import AddressTable
from provd.model.subnet import Pool, Subnet

network = IPv4Network("10.0.0.0/24")
table = AddressTable(Subnet("a", network, pool=Pool(IPv4Address("10.0.0.10"), IPv4Address("10.0.0.20"))))
who = table.who(1, bytes(6), b"", known=False)
binding = table.offer(who, int(IPv4Address("10.0.0.10")), 60, 1.5, 10.0)
again = table.who(1, bytes(6), b"", known=False)
told = {
    "sizes": [sys.getsizeof(binding), sys.getsizeof(who)],
    "searched for cycles": [Binding.__struct_config__.gc, Who.__struct_config__.gc],
    "frozen": Who.__struct_config__.frozen,
    "alike": again == binding.who,
}
print(json.dumps(told))
"""


def told(form: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, form], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_bindings_are_not_searched_for_cycles() -> None:
    found = told("sources")
    assert found["searched for cycles"] == [False, False]
    assert (found["frozen"], found["alike"]) == (True, True)

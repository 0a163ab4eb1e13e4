"""Where the gate's settings are wrong nobody is answered and the reason is told; right settings end that at once."""

from __future__ import annotations

from pathlib import Path

from provd.testing.world import MemoryServer
from tests.fakes.simulated_server import SimulatedServer


def test_a_gate_that_is_off_answers_nobody_until_its_settings_are_right(tmp_path: Path) -> None:
    SimulatedServer(tmp_path)
    config = tmp_path / "provd.toml"
    text = config.read_text().replace("enabled = [", 'enabled = ["gate_rules", ')
    config.write_text(text + '\n[plugins.gate_rules]\ndeny = ["nonsense"]\n')
    server = MemoryServer(config, "10.88.0.1", "eth0")
    assert server.boot("bios").address == ""
    assert set(server.services.dhcp.counters.dropped) == {"gate"}
    (fault,) = server.services.host.faults
    assert "plugins.gate_rules: 'nonsense' is not the beginning of a MAC address" in str(fault)
    server.services.host.swap("gate_rules", {"deny": ["00:00:5e"]})
    server.clock.advance(120)
    assert server.boot("bios", seed=2).address.startswith("10.88.0.")

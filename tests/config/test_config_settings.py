"""provd.toml as values: defaults, paths, subnets, what a reload cannot apply, and the schema."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provd.config.decode import decode
from provd.config.errors import ConfigError
from provd.config.keys import APPLIES
from provd.config.schema import ServerConfig
from provd.config.settings import changes_needing_restart, from_table, json_schema, load, model_subnets
from provd.model.subnet import Pool

PATH = Path("/srv/provd/provd.toml")


def test_an_empty_file_is_a_configuration() -> None:
    config = from_table({}, PATH)
    assert config.listen.http_port == 80
    assert config.identity == "auto"
    assert config.data_dir == "/var/lib/provd"
    assert config.enabled


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "provd.toml").write_text(
        'data_dir = "data"\nplugin_dirs = ["plugins", "/opt/plugins"]\nsocket = "../s"\n'
    )
    monkeypatch.chdir(tmp_path)
    config = load(Path("provd.toml"))
    assert config.data_dir == str(tmp_path / "data")
    assert config.plugin_dirs == (str(tmp_path / "plugins"), "/opt/plugins")
    assert config.socket == str(tmp_path / "../s")


@pytest.mark.parametrize(
    "pool", ["10.0.0.100-10.0.0.200", " 10.0.0.100 - 10.0.0.200", {"first": "10.0.0.100", "last": "10.0.0.200"}]
)
def test_a_pool_is_written_in_two_ways(pool: object) -> None:
    table = {"interface": [{"name": "eth1"}], "subnet": [{"network": "10.0.0.0/24", "pool": pool, "interface": "eth1"}]}
    (subnet,) = model_subnets(from_table(table, PATH))
    assert subnet.name == "10.0.0.0/24"
    assert subnet.pool == Pool(IPv4Address("10.0.0.100"), IPv4Address("10.0.0.200"))
    assert subnet.interface == "eth1"
    assert subnet.routers == ()


def test_every_key_of_a_subnet_reaches_the_model() -> None:
    raw = {
        "name": "lan",
        "network": "10.0.0.0/24",
        "relays": ["192.0.2.1"],
        "routers": ["10.0.0.1"],
        "dns": ["10.0.0.2"],
        "domain": "example.org",
        "ntp": ["10.0.0.3"],
        "lease_s": 100,
        "min_lease_s": 50,
        "max_lease_s": 200,
        "offer_s": 5,
        "decline_s": 6,
        "server_address": "192.0.2.9",
        "authoritative": True,
        "unknown": "ignore",
        "options": {"26": 1400},
    }
    (subnet,) = model_subnets(from_table({"interface": [{"name": "eth1"}], "subnet": [raw]}, PATH))
    for key, value in raw.items():
        kept: Any = getattr(subnet, key)
        assert (
            str(kept) if isinstance(value, str) else list(map(str, kept)) if isinstance(value, list) else kept
        ) == value


def test_a_reload_tells_what_it_leaves() -> None:
    old = from_table({}, PATH)
    new = from_table(
        {
            "data_dir": "/elsewhere",
            "enabled": ["relay"],
            "listen": {"http_port": 8080},
            "sessions": {"keep_days": 1},
            "interface": [{"name": "eth1"}],
            "plugins": {"relay": {"x": 1}},
        },
        PATH,
    )
    assert changes_needing_restart(old, new) == ("data_dir", "enabled", "listen.http_port")
    assert changes_needing_restart(new, new) == ()


def test_what_a_reload_must_apply_and_what_it_cannot() -> None:
    """Catalogues, subnets, pools, options, plugin settings and interfaces; not the list, store, user and ports."""
    keys = json_schema()["$defs"]["ServerConfig"]["properties"]
    assert {keys[name][APPLIES] for name in ("subnet", "interface", "plugins")} == {"reload"}
    assert {keys[name][APPLIES] for name in ("enabled", "data_dir", "user")} == {"restart"}
    listen = json_schema()["$defs"]["ListenConfig"]["properties"]
    assert {listen[name][APPLIES] for name in listen} == {"restart"}


def test_the_schema_is_printable_and_every_key_has_its_help() -> None:
    schema = json_schema()
    assert json.dumps(schema) == json.dumps(json_schema())
    for name, table in schema["$defs"].items():
        assert table["additionalProperties"] is False, name
        for key, description in table["properties"].items():
            if name != "PoolTable":
                assert description["description"].endswith("."), f"{name}.{key}"
                assert description[APPLIES] in {"reload", "restart"}, f"{name}.{key}"
    assert schema["$defs"]["SubnetConfig"]["properties"]["network"]["type"] == "string"


class Upstream(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    age_s: int = 0


class MirrorSettings(msgspec.Struct, forbid_unknown_fields=True):
    upstream: dict[str, Upstream] = {}
    tables: dict[str, dict[str, str]] = {}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"upstream": {"a": {"url": "x"}, "b": {"url": 3}}}, "upstream.b.url: expected a string, got an integer"),
        ({"upstream": {"a": {"url": "x", "aged_s": 1}}}, "upstream.a.aged_s: unknown key; did you mean 'age_s'?"),
        ({"upstream": {"a": {"url": "x"}, "b": {}}}, "upstream.b: the key 'url' is missing"),
        ({"upstream": {"a": 1}}, "upstream.a: expected a table, got an integer"),
        ({"tables": {"a": {"x": "1"}, "b": {"y": "1", "z": 2}}}, "tables.b.z: expected a string, got an integer"),
    ],
)
def test_keys_of_free_tables_are_named_in_errors(table: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(table, MirrorSettings, "provd.toml", "plugins.mirror")
    assert str(caught.value) == f"provd.toml: plugins.mirror.{expected}"


def test_configurations_are_values() -> None:
    assert from_table({}, PATH) == from_table({}, PATH)
    with pytest.raises(AttributeError):
        ServerConfig().user = "x"  # type: ignore[misc]

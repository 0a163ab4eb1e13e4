"""Subnets of ``provd.toml``: their conversion to the model, and the rules between them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from provd.config.decode import parse_address, parse_pool
from provd.config.errors import ConfigError
from provd.config.merge import REMOVE, key_path
from provd.config.options import check_options
from provd.config.schema import ServerConfig
from provd.config.schema_dhcp import SubnetConfig
from provd.core.dhcp_address import is_host
from provd.model.subnet import DHCP, PROXY, Pool, Subnet, edges
from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.options import encode_value, option_code


def to_subnet(config: SubnetConfig) -> Subnet:
    """The model's subnet.

    Raises:
        ValueError: the pool is not one.
    """
    return Subnet(
        name=config.name or str(config.network),
        network=config.network,
        pool=_pool(config),
        interface=config.interface,
        relays=config.relays,
        routers=config.routers,
        dns=config.dns,
        domain=config.domain,
        ntp=config.ntp,
        lease_s=config.lease_s,
        min_lease_s=config.min_lease_s,
        max_lease_s=config.max_lease_s,
        offer_s=config.offer_s,
        decline_s=config.decline_s,
        server_address=config.server_address,
        authoritative=config.authoritative,
        unknown=config.unknown,
        options=config.options,
        probe=config.probe,
        probe_ms=config.probe_ms,
        rapid_commit=config.rapid_commit,
        shared_network=config.shared_network,
        new_per_port=config.new_per_port,
        new_per_subnet=config.new_per_subnet,
        min_secs=config.min_secs,
        reply_delay_ms=config.reply_delay_ms,
        allocation=config.allocation,
        mode=config.mode,
        max_installs=config.max_installs,
    )


def pxe_interfaces(config: ServerConfig) -> list[str]:
    """Interfaces on which the PXE port is needed: those of subnets that promise it, all where a subnet names none."""
    names = [interface.name for interface in config.interfaces]
    promised = [subnet.interface for subnet in config.subnets if subnet.mode != DHCP]
    return names if "" in promised else [name for name in names if name in promised]


def _pool(config: SubnetConfig) -> Pool | None:
    if config.pool is None:
        return None
    if isinstance(config.pool, str):
        return parse_pool(config.pool)
    return Pool(parse_address(config.pool.first), parse_address(config.pool.last))


def check_subnets(config: ServerConfig, file: str) -> None:
    """Check every subnet by itself and against the others.

    Raises:
        ConfigError: the first fault.
    """
    subnets: list[Subnet] = []
    for index, raw in enumerate(config.subnets):
        key = f"subnet[{index}]"
        try:
            subnet = to_subnet(raw)
        except ValueError as error:
            raise ConfigError(file, f"{key}.pool", str(error)) from error
        for rule in (_check_network, _check_pool, _check_routers, _check_servers, _check_times, _check_domain):
            rule(subnet, file, key)
        _check_interface(subnet, config, file, key)
        check_options(subnet.options, file, f"{key}.options")
        _check_further_routers(subnet, file, key)
        _check_against(subnet, subnets, file, key)
        subnets.append(subnet)
    _check_pool_is_free(config, subnets, file)


def _check_network(subnet: Subnet, file: str, key: str) -> None:
    network = subnet.network
    if not is_host(int(network.network_address)):
        raise ConfigError(file, f"{key}.network", f"{network} has no addresses of hosts")


def _check_pool(subnet: Subnet, file: str, key: str) -> None:
    pool, key = subnet.pool, f"{key}.pool"
    if pool is None:
        return
    if subnet.mode == PROXY:
        raise ConfigError(file, key, "a subnet of mode proxy has no pool: another DHCP server gives its addresses")
    if pool.first > pool.last:
        raise ConfigError(file, key, f"the first address {pool.first} lies behind the last {pool.last}")
    for end in (pool.first, pool.last):
        if end not in subnet.network:
            raise ConfigError(file, key, f"{end} lies outside the subnet {subnet.network}")
    for special, name in _edges(subnet).items():
        if special in pool:
            raise ConfigError(file, key, f"contains the {name} address {special}")


def _edges(subnet: Subnet) -> dict[IPv4Address, str]:
    """Addresses of the subnet that no host has, with what they are."""
    return dict(zip(edges(subnet.network), ("network", "broadcast"), strict=False))


def _check_routers(subnet: Subnet, file: str, key: str) -> None:
    for index, router in enumerate(subnet.routers):
        where = f"{key}.routers[{index}]"
        if router not in subnet.network:
            raise ConfigError(file, where, f"{router} lies outside the subnet {subnet.network}")
        if special := _edges(subnet).get(router):
            raise ConfigError(file, where, f"{router} is the {special} address")
        if subnet.pool is not None and router in subnet.pool:
            raise ConfigError(file, where, f"{router} lies in the subnet's own pool")


def _check_servers(subnet: Subnet, file: str, key: str) -> None:
    """Relays, and provd's own address for machines behind them."""
    places = [(f"{key}.relays[{index}]", relay) for index, relay in enumerate(subnet.relays)]
    if subnet.server_address is not None:
        places.append((f"{key}.server_address", subnet.server_address))
    for where, address in places:
        if not is_host(int(address)):
            raise ConfigError(file, where, f"{address} is no host's address")
        if special := _edges(subnet).get(address):
            raise ConfigError(file, where, f"{address} is the {special} address")


def _check_further_routers(subnet: Subnet, file: str, key: str) -> None:
    """Option 3 among the further options, which are sound by now."""
    for name, value in subnet.options.items():
        if subnet.pool is None or name.startswith(REMOVE) or option_code(name) != codes.ROUTER:
            continue
        octets = encode_value(name, value)
        for at in range(0, len(octets) - len(octets) % 4, 4):
            router = IPv4Address(octets[at : at + 4])
            if router in subnet.pool:
                raise ConfigError(file, key_path(f"{key}.options", name), f"{router} lies in the subnet's own pool")


def _check_domain(subnet: Subnet, file: str, key: str) -> None:
    try:
        encode_value(codes.DOMAIN_NAME, subnet.domain or "none")
    except WireError as error:
        raise ConfigError(file, f"{key}.domain", error.problem) from error


def _check_times(subnet: Subnet, file: str, key: str) -> None:
    if subnet.min_lease_s > subnet.lease_s:
        raise ConfigError(file, f"{key}.min_lease_s", f"{subnet.min_lease_s} is longer than lease_s = {subnet.lease_s}")
    if subnet.max_lease_s < subnet.lease_s:
        raise ConfigError(
            file, f"{key}.max_lease_s", f"{subnet.max_lease_s} is shorter than lease_s = {subnet.lease_s}"
        )


def _check_interface(subnet: Subnet, config: ServerConfig, file: str, key: str) -> None:
    known = [interface.name for interface in config.interfaces]
    if not known:
        raise ConfigError(file, "interface", "at least one [[interface]] is needed, because there are subnets")
    if subnet.interface and subnet.interface not in known:
        rule = f"no [[interface]] has the name {subnet.interface!r}; known: {', '.join(known)}"
        raise ConfigError(file, f"{key}.interface", rule)


def _check_against(subnet: Subnet, others: Sequence[Subnet], file: str, key: str) -> None:
    for index, other in enumerate(others):
        if subnet.name == other.name:
            raise ConfigError(file, f"{key}.name", f"{subnet.name!r} is already the name of subnet[{index}]")
        if subnet.pool and other.pool and subnet.pool.first <= other.pool.last and other.pool.first <= subnet.pool.last:
            ranges = f"{subnet.pool.first}-{subnet.pool.last} overlaps {other.pool.first}-{other.pool.last}"
            raise ConfigError(file, f"{key}.pool", f"{ranges} of subnet {other.name!r}")
        if subnet.network.overlaps(other.network):
            rule = f"{subnet.network} overlaps {other.network} of subnet {other.name!r}"
            raise ConfigError(file, f"{key}.network", rule)
        for relay in subnet.relays:
            if relay in other.relays:
                raise ConfigError(file, f"{key}.relays", f"{relay} is already a relay of subnet {other.name!r}")


def _check_pool_is_free(config: ServerConfig, subnets: Sequence[Subnet], file: str) -> None:
    """Addresses that provd itself has cannot be given to a machine."""
    for subnet in subnets:
        for key, address in _own_addresses(config):
            if subnet.pool is not None and address in subnet.pool:
                raise ConfigError(file, key, f"{address} lies in the pool of subnet {subnet.name!r}")


def _own_addresses(config: ServerConfig) -> list[tuple[str, IPv4Address]]:
    own = [
        (f"interface[{index}].addresses[{at}]", address)
        for index, interface in enumerate(config.interfaces)
        for at, address in enumerate(interface.addresses)
    ]
    own += [
        (f"subnet[{index}].server_address", subnet.server_address)
        for index, subnet in enumerate(config.subnets)
        if subnet.server_address is not None
    ]
    return own

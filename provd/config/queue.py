"""``[queue]`` and the caps of subnets as values of the core."""

from __future__ import annotations

from provd.config.schema import ServerConfig
from provd.core.admission import Limits


def queue_limits(config: ServerConfig) -> Limits:
    """The caps of a configuration."""
    subnets = {subnet.name or str(subnet.network): subnet.max_installs for subnet in config.subnets}
    return Limits(
        per_subnet=config.queue.per_subnet,
        per_source=config.queue.per_source,
        subnets={name: most for name, most in subnets.items() if most},
        sources=config.queue.sources,
    )

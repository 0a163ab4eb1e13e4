"""Limits that a reload may change, as the services that keep them ask for them."""

from __future__ import annotations

from provd.config.queue import queue_limits
from provd.config.schema import ServerConfig
from provd.service.admission import AdmissionRules
from provd.service.current import Current
from provd.service.installer_logs import LogLimits


class CurrentLimits:
    """The limits of the configuration of this moment."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._kept: tuple[ServerConfig, AdmissionRules] | None = None

    def admission(self) -> AdmissionRules:
        """How many machines install at a time (``[queue]`` and the subnets); made once for each configuration."""
        config = self._current.config
        if self._kept is None or self._kept[0] is not config:
            self._kept = (config, AdmissionRules(queue_limits(config), config.queue.wait_s))
        return self._kept[1]

    def logs(self) -> LogLimits:
        """How much of installers' logs is kept (``[syslog]``)."""
        syslog = self._current.config.syslog
        return LogLimits(syslog.lines_per_second, syslog.lines_per_boot, syslog.line_max)

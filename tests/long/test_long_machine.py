"""The service against its model for 50,000 steps and more (`PROVD_EXAMPLES` runs of 50 steps)."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.faults.service_machine import ServiceMachine


class LongServiceMachine(ServiceMachine):
    """The same, longer."""


LongServiceMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("PROVD_EXAMPLES", "10000")), stateful_step_count=50, deadline=None, database=None
)
TestLongService_R15_R16_O02 = pytest.mark.timeout(1200)(LongServiceMachine.TestCase)

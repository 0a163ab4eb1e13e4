"""The whole DHCP service under any order of messages, failures and restarts, against a model."""

from __future__ import annotations

from hypothesis import settings

from tests.faults.service_machine import ServiceMachine

ServiceMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=50, deadline=None, database=None)
TestService_R15_R16_O02 = ServiceMachine.TestCase

"""One running provd for all tests of the JSON API that change nothing of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.json_api.api_server import ApiServer


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    made = ApiServer(tmp_path_factory.mktemp("api"))
    yield made
    made.server.stop(signal.SIGKILL)

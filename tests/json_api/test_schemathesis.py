"""Schemathesis over the JSON API: what fits the document and what does not, each answer is one that the document knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.json_api.api_server import ApiServer

EXAMPLES = 4
#: The login's limits would lock everybody out, a logout ends the token, the watch asks the network for seconds, and
#: the judges read for half a minute.
LEFT_OUT = frozenset({"login", "logout", "rogue.check", "lint"})
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)


@pytest.fixture(scope="module")
def operations(api: ApiServer) -> list[Any]:
    document = api.ask("GET", "/v1/openapi.json", role="read").body
    found: Iterator[Any] = schemathesis.openapi.from_dict(document).get_all_operations()
    return [one.ok() for one in found]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_the_document_says(
    api: ApiServer, operations: list[Any], mode: GenerationMode
) -> None:
    tried = 0
    for operation in operations:
        if operation.path.rpartition("/")[2] in LEFT_OUT:
            continue

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            response = case.call(
                base_url=f"https://127.0.0.1:{api.port}",
                headers={"Authorization": f"Bearer {api.tokens['admin']}"},
                timeout=90,  # the machine may be busy; slowness is judged elsewhere
                verify=str(api.server.folder / "data" / "api" / "certificate.pem"),
            )
            case.validate_response(response, checks=CHECKS)

        ask()
    assert tried > len(operations)
    # The token is still good: the answers were not all refusals of a stranger.
    assert api.call("status").status == 200

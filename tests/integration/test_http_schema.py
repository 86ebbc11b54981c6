from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from tests.live_edge import LiveEdge, edge_in_thread

OPERATIONS = [
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("POST", "/v1/chat"),
    ("GET", "/v1/conversations"),
    ("GET", "/v1/conversations/{conversation_id}"),
    ("DELETE", "/v1/conversations/{conversation_id}"),
    ("GET", "/v1/runs/{run_id}"),
    ("GET", "/v1/runs/{run_id}/events"),
    ("POST", "/v1/runs/{run_id}/cancel"),
    ("POST", "/v1/runs/{run_id}/resume"),
    ("POST", "/v1/search"),
    ("GET", "/v1/persona"),
    ("GET", "/v1/tools"),
    ("GET", "/v1/approvals"),
    ("POST", "/v1/approvals/{approval_id}"),
]


@pytest.fixture(scope="module")
def live() -> Iterator[LiveEdge]:
    with edge_in_thread() as made:
        yield made


@pytest.fixture(scope="module")
def schema(live: LiveEdge) -> Any:
    return schemathesis.openapi.from_url(f"{live.url('bruno')}/schema/openapi.json")


def test_the_document_lists_the_operations_that_are_checked_here(live: LiveEdge) -> None:
    with urllib.request.urlopen(f"{live.url('bruno')}/schema") as response:
        document = json.load(response)
    listed = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    assert sorted(listed) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_requests_made_from_the_document_are_answered_as_it_says(
    live: LiveEdge, schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.headers):
        assert method in {"GET", "DELETE", "POST"}
        return

    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(base_url=live.url("bruno"))

    check()

from __future__ import annotations

from typing import Any

import pytest
from litestar.routes import HTTPRoute
from tests.memory_gateway import MemoryGateway

from agent_gateway.api.apps import build_apps
from agent_gateway.api.streams import Streams


@pytest.fixture(scope="module")
def persona_app() -> Any:
    return build_apps(MemoryGateway().edge(), Streams()).persona


@pytest.fixture(scope="module")
def document(persona_app: Any) -> dict[str, Any]:
    made: dict[str, Any] = persona_app.state["document"]
    return made


def test_it_describes_exactly_what_a_persona_port_answers(persona_app: Any, document: dict[str, Any]) -> None:
    served = {
        (route.path.replace(":str}", "}"), method.lower())
        for route in persona_app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema")
        for method in route.methods
        if method != "OPTIONS"
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == served | {("/livez", "get"), ("/readyz", "get")}


def test_every_operation_has_a_name_of_its_own_and_says_how_it_fails(document: dict[str, Any]) -> None:
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["500"]["content"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    found = references(document)
    assert "#/components/schemas/Answer" in found
    assert {name.rpartition("/")[2] for name in found} <= set(document["components"]["schemas"])


def test_bodies_are_described_as_they_are_validated(document: dict[str, Any]) -> None:
    search = document["components"]["schemas"]["SearchRequest"]
    assert search["additionalProperties"] is False
    assert search["required"] == ["query", "collection"]
    assert search["properties"]["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}


def test_the_prompt_is_not_part_of_what_a_persona_shows(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["PersonaView"]["properties"]) == {
        "id",
        "title",
        "intents",
        "collections",
        "port",
    }

"""The OpenAPI document: the paths litestar routes, described by what their handlers carry, with msgspec's schemas.

The validator and the document therefore cannot disagree: both are the same types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.routes import BaseRoute, HTTPRoute

from agent_gateway.api.documentation import Endpoint
from agent_gateway.api.identifiers import MAXIMUM_SEQUENCE
from agent_gateway.api.problems import ProblemDocument
from agent_gateway.api.shapes import Liveness, ReadinessReport
from agent_gateway.events import EVENT_TYPES

_REFERENCE = "#/components/schemas/{name}"
_COMMON_ERRORS = (431, 500, 503)
#: What an endpoint that is for some may answer to others.
_REFUSALS = (401, 403, 429)
_HEALTH: dict[str, Endpoint] = {
    "/livez": Endpoint(summary="Whether the process runs", reply=Liveness),
    "/readyz": Endpoint(summary="Whether the gateway can answer", reply=ReadinessReport),
}

Document = dict[str, Any]

#: One event of a stream; `data` is the JSON that belongs to its type.
_EVENT: Document = {
    "type": "object",
    "description": "An event; `shutting_down` belongs to the connection and has no id.",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": [*EVENT_TYPES.values(), "shutting_down"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}


def document(title: str, version: str, routes: Iterable[BaseRoute]) -> Document:
    """Describe an application; `servers` is left to whoever knows the prefix."""
    paths: Document = {path: {"get": _operation(path, end)} for path, end in _HEALTH.items()}
    ready = paths["/readyz"]["get"]["responses"]
    ready["503"] = {**ready["200"], "description": HTTPStatus(503).phrase}
    kinds: list[Any] = [ProblemDocument, Liveness, ReadinessReport]
    for path, method, endpoint in _described(routes):
        kinds += [kind for kind in (endpoint.body, endpoint.reply) if kind is not None]
        paths.setdefault(path, {})[method] = _operation(path, endpoint)
    _, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    for component in components.values():
        component["properties"] = {name: _whole(kind) for name, kind in component.get("properties", {}).items()}
    info = {"title": title, "version": version}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": _components(components)}


def _components(schemas: Document) -> Document:
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a token of a provider; needed where authentication is configured.",
    }
    return {"schemas": schemas, "securitySchemes": {"bearer": bearer}}


def _described(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, Endpoint]]:
    """Find what is documented: the path, the method in lower case, and what its handler carries."""
    for route in routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method, endpoint in handler.opt.get("endpoints", {}).items():
                    yield route.path.replace(":str}", "}"), method, endpoint


def _operation(path: str, endpoint: Endpoint) -> Document:
    name = endpoint.summary.lower().replace(" ", "_").replace("'", "")
    operation: Document = {"operationId": name, "summary": endpoint.summary, "responses": _responses(endpoint)}
    parameters = [*_path_parameters(path), *_query_parameters(endpoint), *_header_parameters(endpoint)]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.roles:
        operation["description"] = f"For the roles {', '.join(endpoint.roles)}."
        operation["security"] = [{}, {"bearer": []}]
    if endpoint.body is not None:
        content = {"application/json": {"schema": _reference(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(endpoint: Endpoint) -> Document:
    content: Document = {}
    if endpoint.reply is not None:
        content["application/json"] = {"schema": _reference(endpoint.reply)}
    if endpoint.streams != "never":
        content["text/event-stream"] = {"schema": _EVENT}
    success: Document = {"description": HTTPStatus(endpoint.status).phrase}
    if content:
        success["content"] = content
    responses = {str(endpoint.status): success}
    for status in sorted({*endpoint.errors, *_COMMON_ERRORS, *(_REFUSALS if endpoint.roles else ())}):
        schema = {"schema": _reference(ProblemDocument)}
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": schema},
        }
    return responses


def _path_parameters(path: str) -> Iterator[Document]:
    for part in path.split("/"):
        if part.startswith("{"):
            schema = {"type": "string", "minLength": 1}
            yield {"name": part[1:-1], "in": "path", "required": True, "schema": schema}


def _query_parameters(endpoint: Endpoint) -> Iterator[Document]:
    if endpoint.query is None:
        return
    schema = msgspec.json.schema(endpoint.query)["$defs"][endpoint.query.__name__]
    for name, kind in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _given(_whole(kind)),
        }


def _whole(schema: Document) -> Document:
    """Write a multiple of 1 as what it is called, an integer."""
    if schema.get("multipleOf") != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key != "multipleOf"}, "type": "integer"}


def _given(schema: Document) -> Document:
    """Describe an optional parameter that is there: null is a way to leave it out."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return {key: value for key, value in kinds[0].items() if value is not None}


def _header_parameters(endpoint: Endpoint) -> Iterator[Document]:
    if endpoint.resumes:
        schema = {"type": "integer", "minimum": 0, "maximum": MAXIMUM_SEQUENCE}
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema}


def _reference(kind: Any) -> Document:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}

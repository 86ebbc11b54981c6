"""Who answers here: the persona of a port, and on the gateway port all of them."""

from __future__ import annotations

from collections.abc import Iterator

from litestar import get

from agent_gateway.api.documentation import READERS, Endpoint, described
from agent_gateway.api.edge import Edge
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, edge_of, persona_of, principal_of
from agent_gateway.api.shapes import PersonaEntry, PersonaList, PersonaView

_PERSONA = Endpoint(summary="Who answers here", roles=READERS, reply=PersonaView)
_PERSONAS = Endpoint(summary="List the personas", roles=READERS, reply=PersonaList)


@get("/v1/persona", opt=described(get=_PERSONA))
async def read_persona(request: Call) -> Sendable:
    """Show the persona, what it understands and which collections it sees; its prompt stays private."""
    edge, persona = edge_of(request), persona_of(request)
    return reply(
        PersonaView(
            id=persona.id,
            title=persona.title,
            intents=edge.intents_of(persona.id),
            collections=edge.visible_collections(persona.id),
            port=edge.ports.get(persona.id, 0),
        )
    )


@get("/personas", opt=described(get=_PERSONAS))
async def list_personas(request: Call) -> Sendable:
    """List the personas the caller may see, also those that are disabled, with the reason."""
    sees = principal_of(request).sees
    return reply(PersonaList(personas=tuple(each for each in _entries(edge_of(request)) if sees(each.id))))


def _entries(edge: Edge) -> Iterator[PersonaEntry]:
    status = "ready" if edge.readiness.ready else "starting"
    for persona in edge.personas.values():
        yield PersonaEntry(
            id=persona.id,
            title=persona.title,
            port=edge.ports.get(persona.id, 0),
            url=f"/personas/{persona.id}",
            status=status,
        )
    for name, reason in edge.disabled.items():
        yield PersonaEntry(id=name, title=name, port=0, url="", status=f"disabled: {reason}")

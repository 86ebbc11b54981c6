"""What the edge is given: its collaborators as Protocols, and its settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from agent_gateway.api.asgi import App
from agent_gateway.api.auth.admission import Admit
from agent_gateway.config.auth import AuthSettings
from agent_gateway.interfaces import (
    Approvals,
    Clusters,
    Ingestion,
    Journal,
    Knowledge,
    Readiness,
    RouteExplanation,
    Runs,
)
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool

#: Explains how a served persona (by its id) would route a message.
Explain: TypeAlias = Callable[[str, str], Awaitable[RouteExplanation]]


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """`keepalive_seconds`: silence after which a stream sends a comment. `body_limit_bytes`: longest request body.

    `cors_origins`: origins of web pages that may read answers, none when empty. `control_token`: bearer token of the
    control socket; without one nothing is served there. `auth`: who comes in at the other ports.
    """

    keepalive_seconds: float = 15.0
    body_limit_bytes: int = 1_048_576
    cors_origins: tuple[str, ...] = ()
    control_token: str = field(default="", repr=False)
    auth: AuthSettings = field(default_factory=AuthSettings)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The gateway as HTTP sees it.

    `personas`: id -> persona, those that are served. `disabled`: id -> why not, the others. `intents_of` and
    `visible_collections` take a persona's id. `ports`: id -> the port it listens on, filled in by the server.
    `clusters`: those that may be asked about tokens. `tools`: name -> tool, whoever has it.
    """

    runs: Runs
    approvals: Approvals
    journal: Journal
    tools: Mapping[str, Tool]
    knowledge: Knowledge
    ingestion: Ingestion
    readiness: Readiness
    personas: Mapping[str, Persona]
    intents_of: Callable[[str], tuple[str, ...]]
    visible_collections: Callable[[str], tuple[str, ...]]
    explain: Explain
    clusters: Clusters | None = None
    disabled: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    settings: EdgeSettings = EdgeSettings()


@dataclass(frozen=True, kw_only=True)
class Apps:
    """The ASGI applications behind the front; `personas` are the ids the persona application answers for.

    `admit` says who asks on the ports of the personas and of the gateway, `admit_control` on the control socket.
    """

    persona: App
    gateway: App
    control: App
    personas: frozenset[str]
    admit: Admit
    admit_control: Admit

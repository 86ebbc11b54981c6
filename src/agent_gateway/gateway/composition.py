"""A gateway: wires runs, knowledge, models and personas together, starts them and lets them end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from agent_gateway.api.edge import Edge, EdgeSettings
from agent_gateway.completion import ModelSpec
from agent_gateway.config import Configuration
from agent_gateway.errors import GatewayError
from agent_gateway.gateway.fixed import FixedIngestion
from agent_gateway.gateway.gathering import Opened, gather_faculties
from agent_gateway.gateway.memory import loading, settle, share_heaps
from agent_gateway.gateway.parts import Parts
from agent_gateway.gateway.readiness import ReadinessBoard
from agent_gateway.gateway.stock import Stock, open_stock
from agent_gateway.gateway.visibility import Visibility
from agent_gateway.gateway.warming import import_heavy, open_classifier
from agent_gateway.interfaces import Classifier, Encoder, Ingestion, Knowledge
from agent_gateway.messages import Run, Tier
from agent_gateway.registry import Registry

if TYPE_CHECKING:
    from agent_gateway.clusters import OpenClusters
    from agent_gateway.gateway.language_models import LanguageModels
    from agent_gateway.graph.agent import TurnAgent
    from agent_gateway.graph.explanation import RouteExplainer
    from agent_gateway.graph.faculties import Faculties
    from agent_gateway.runs.store import SqliteRuns

_PARTS = ("runs", "encoder", "knowledge", "classifier", "personas")
log = structlog.get_logger(__name__)


class Gateway:
    """Everything behind the edge. The data directory must be locked by this process."""

    def __init__(
        self, configuration: Configuration, registry: Registry, parts: Parts | None = None, *, control_token: str = ""
    ) -> None:
        self.configuration = configuration
        self.registry = registry
        self.readiness = ReadinessBoard(_PARTS)
        self._parts = parts or Parts()
        self._token = control_token
        self._agents: dict[str, TurnAgent] = {}
        self._runs: SqliteRuns | None = None
        self._stock: Stock | None = None
        self._models: LanguageModels | None = None
        self._clusters: OpenClusters | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Edge:
        """Prepare every part and take up what was cut; returns once the floor can answer."""
        share_heaps()
        with loading():
            await import_heavy()
        self._runs = runs = await self._open_runs()
        encoder, knowledge, ingestion = await self._open_knowledge(runs)
        self.registry = await asyncio.to_thread(self.registry.startup)
        visibility = Visibility(self.registry, knowledge)
        classifier = await self._open_classifier(encoder)
        opened = Opened(runs, encoder, knowledge, classifier, self._open_models(runs), self._open_clusters())
        faculties = gather_faculties(self.configuration, self.registry, opened, visibility, self._parts)
        self._make_agents(faculties)
        self._note_absences()
        if self._stock is not None:
            self._spawn(runs.drain_into(self._stock.absorb))
            every = self.configuration.settings.knowledge.optimize_seconds
            self._spawn(self._stock.store.tables.tidy_regularly(every))
            self._spawn(self._stock.refresh())
        await runs.recover()
        self.readiness.set("personas")
        await settle()
        await opened.models.find()
        # Not waited for: the floor answers, and what models need may take seconds to load.
        self._spawn(opened.models.start([each.persona for each in self.registry.served]))
        log.info("ready", personas=sorted(self._agents))
        return self._edge(opened, ingestion, visibility)

    async def drain(self, grace_seconds: float) -> None:
        """Let running turns end within the grace, keep everything durable, and close what was opened."""
        if self._runs is not None:
            await self._runs.drain(grace_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._models is not None:
            await self._models.close()
        if self._clusters is not None:
            await self._clusters.close()
        if self._stock is not None:
            await self._stock.close()
        await asyncio.to_thread(self.registry.shutdown)

    async def _open_runs(self) -> SqliteRuns:
        from agent_gateway.runs.database import FILE_NAME  # noqa: PLC0415 - loaded once the ports answer
        from agent_gateway.runs.store import RunOptions, SqliteRuns  # noqa: PLC0415 - as above

        settings = self.configuration.settings
        options = RunOptions(event_interval_ms=settings.runs.event_interval_ms, max_attempts=settings.runs.max_attempts)
        runs = await SqliteRuns.open(settings.data_dir / FILE_NAME, self._agents, options, self._tell_plugins)
        self.readiness.set("runs")
        return runs

    def _tell_plugins(self, run: Run) -> None:
        self.registry.run_finished(run)

    async def _open_knowledge(self, runs: SqliteRuns) -> tuple[Encoder, Knowledge, Ingestion]:
        brought = self._parts.knowledge
        if brought is not None and self._parts.encoder is not None:
            self.readiness.set("knowledge")
            self.readiness.set("encoder")
            return self._parts.encoder, brought, FixedIngestion(brought)
        self._stock = stock = await open_stock(
            self.configuration, self.registry, self._parts.encoder, self.readiness, runs.undelivered
        )
        if brought is not None:
            return stock.encoder, brought, FixedIngestion(brought)
        return stock.encoder, stock.library, stock.library

    async def _open_classifier(self, encoder: Encoder) -> Classifier:
        classifier = self._parts.classifier
        if classifier is None:
            report = partial(self.readiness.set, "classifier")
            data_dir = self.configuration.settings.data_dir
            classifier = await open_classifier(data_dir, encoder, self.registry.examples, report)
        self.readiness.set("classifier")
        return classifier

    def _open_models(self, runs: SqliteRuns) -> LanguageModels:
        from agent_gateway.gateway.language_models import LanguageModels  # noqa: PLC0415 - as in _open_runs

        settings, providers = self.configuration.settings.models, self.registry.providers
        self._models = models = LanguageModels(settings, providers, runs.ledger, tell=self._note_models)
        return models

    def _open_clusters(self) -> OpenClusters:
        from agent_gateway.clusters import open_clusters  # noqa: PLC0415 - as in _open_runs

        self._clusters = open_clusters(self.configuration.settings.clusters)
        return self._clusters

    def _note_models(self, tiers: Mapping[Tier, tuple[ModelSpec, ...]]) -> None:
        for tier, specs in tiers.items():
            self.readiness.note(f"models {tier}", ", ".join(spec.model for spec in specs))

    def _make_agents(self, faculties: Faculties) -> None:
        from agent_gateway.graph.agent import TurnAgent  # noqa: PLC0415 - loaded once the ports answer

        for each in self.registry.served:
            persona = each.persona
            abilities, intents = self.registry.abilities_of(persona), self.registry.intents_of(persona)
            self._agents[persona.id] = TurnAgent(persona, abilities, intents, faculties)

    def _note_absences(self) -> None:
        for plugin in self.registry.plugins:
            if plugin.errors:
                self.readiness.note(f"plugin {plugin.name}", f"disabled: {plugin.errors[0]}")
        for persona in self.registry.unserved:
            self.readiness.note(f"persona {persona.id}", f"not served: {persona.reason}")

    def _edge(self, opened: Opened, ingestion: Ingestion, visibility: Visibility) -> Edge:
        server = self.configuration.settings.server
        return Edge(
            runs=opened.runs,
            approvals=opened.runs.approvals,
            journal=opened.runs.journal,
            tools=self.registry.tools,
            knowledge=opened.knowledge,
            clusters=opened.clusters,
            ingestion=ingestion,
            readiness=self.readiness,
            personas={each.persona.id: each.persona for each in self.registry.served},
            intents_of=visibility.intents_of,
            visible_collections=visibility.visible_to,
            explain=self._explainer().explain,
            disabled={each.id: each.reason for each in self.registry.unserved},
            settings=EdgeSettings(
                keepalive_seconds=server.keepalive_seconds,
                body_limit_bytes=server.body_limit_bytes,
                cors_origins=server.cors_origins,
                control_token=self._token,
                auth=self.configuration.settings.auth,
            ),
        )

    def _explainer(self) -> RouteExplainer:
        from agent_gateway.graph.explanation import RouteExplainer  # noqa: PLC0415 - as in _make_agents
        from agent_gateway.graph.policies import make_policies  # noqa: PLC0415 - as in _make_agents

        _, other = make_policies(self.configuration.settings.route)
        return RouteExplainer(self._agents, other)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            detail = str(error) if isinstance(error, GatewayError) else repr(error)
            log.error("background_task_ended", error=detail, exc_info=error)

"""Puts together what all agents share, from the settings, the registry and the parts that were opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_gateway.config import Configuration
from agent_gateway.gateway.parts import Parts
from agent_gateway.gateway.visibility import Visibility
from agent_gateway.interfaces import Classifier, Clusters, Encoder, Knowledge
from agent_gateway.registry import Registry

if TYPE_CHECKING:
    from agent_gateway.gateway.language_models import LanguageModels
    from agent_gateway.graph.faculties import Faculties
    from agent_gateway.runs.store import SqliteRuns

#: Below the data directory: tool output that is too long to be shown whole, until its run ends.
TOOL_OUTPUT = "tool-output"


@dataclass(frozen=True)
class Opened:
    """The parts of a gateway that are open."""

    runs: SqliteRuns
    encoder: Encoder
    knowledge: Knowledge
    classifier: Classifier
    models: LanguageModels
    clusters: Clusters


def gather_faculties(
    configuration: Configuration, registry: Registry, opened: Opened, visibility: Visibility, parts: Parts
) -> Faculties:
    """What every agent uses."""
    from agent_gateway.graph.faculties import Faculties, ToolLimits  # noqa: PLC0415 - loaded once the ports answer
    from agent_gateway.graph.policies import make_router  # noqa: PLC0415 - as above
    from agent_gateway.models.extractive import ExtractiveModel  # noqa: PLC0415 - as above
    from agent_gateway.policy.executor import ToolExecutor  # noqa: PLC0415 - as above
    from agent_gateway.policy.writes import Records  # noqa: PLC0415 - as above

    settings = configuration.settings
    completions = opened.models.completions
    return Faculties(
        encoder=opened.encoder,
        classifier=opened.classifier,
        knowledge=opened.knowledge,
        router=make_router(settings.route, completions),
        models={"extractive": ExtractiveModel(), **parts.models},
        completions=completions,
        tools=ToolExecutor(
            registry.tools,
            registry.tools_of_intents(),
            settings.data_dir / TOOL_OUTPUT,
            Records(
                approvals=opened.runs.approvals,
                journal=opened.runs.journal,
                audit=opened.runs.audit,
                expire_seconds=settings.approvals.expire_minutes * 60,
            ),
            registry.veto,
        ),
        clusters=opened.clusters,
        checkpoints=opened.runs.checkpoints,
        collections=visibility.collections,
        remember=opened.runs.remember,
        passages=settings.retrieve.limit,
        deadline_seconds=settings.models.deadline_seconds,
        classify_threshold=settings.classify.threshold,
        classify_seconds=settings.classify.seconds,
        tool_limits=ToolLimits(**settings.tools.model_dump()),
    )

"""The gateway's settings: every key, its type, its default. How values reach them is in `layers`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent_gateway.config.approvals import ApprovalsSettings
from agent_gateway.config.auth import AuthSettings
from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.config.models import ModelsSettings
from agent_gateway.config.scalars import Count, Number, Section, split_list

#: Settings that name a file or folder; relative ones start where they were written.
PATH_KEYS = frozenset({"data_dir", "personas_file", "plugins_dir"})
#: The same within a section; these may also be empty.
SECTION_PATHS = {"clusters": ("kubeconfig",)}


def lower(value: Any) -> Any:
    """Understand names of levels and formats in any case."""
    return value.lower() if isinstance(value, str) else value


def refuse_empty(value: Any) -> Any:
    """Refuse an empty path, which would silently mean the working folder."""
    if value == "" or "\0" in str(value):
        raise ValueError("must be the name of a file or folder")
    return value


def check_origin(value: str) -> str:
    """Refuse what a browser never sends as an Origin header."""
    if not re.fullmatch(r"\*|https?://[^/\s?#]+", value):
        raise ValueError("must be like https://example.org, without a path, or *")
    return value


Location = Annotated[Path, BeforeValidator(refuse_empty)]
Origin = Annotated[str, AfterValidator(check_origin)]


class ServerSettings(Section):
    """Where the gateway listens and how long it waits. Times are seconds; port 0 takes a free one."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[Count, Field(ge=0, le=65535)] = 8080
    grace_seconds: Annotated[Number, Field(ge=0)] = 10.0
    header_timeout_seconds: Annotated[Number, Field(gt=0)] = 10.0
    body_limit_bytes: Annotated[Count, Field(gt=0)] = 1_048_576
    keepalive_seconds: Annotated[Number, Field(gt=0)] = 15.0
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(split_list)] = ()


class LogSettings(Section):
    """How the gateway logs; `auto` is console text on a terminal and JSON elsewhere."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = "info"
    format: Annotated[Literal["auto", "json", "console"], BeforeValidator(lower)] = "auto"


class RetrieveSettings(Section):
    """How many passages a turn keeps at most."""

    limit: Annotated[Count, Field(ge=1, le=20)] = 5


class RouteWeights(Section):
    """What each part of a question adds to its route score, per unit."""

    words: Number = 0.1
    reasoning_depth: Number = 2.0
    passages: Number = 0.5
    accuracy_requirement: Number = 3.0


class RouteThresholds(Section):
    """The route score from which the medium and the large tier answer."""

    medium: Number = 5.0
    large: Number = 10.0

    @model_validator(mode="after")
    def order(self) -> RouteThresholds:
        """Refuse a medium threshold above the large one: a tier would be unreachable."""
        if self.medium > self.large:
            raise ValueError("medium must not be above large")
        return self


class ClassifySettings(Section):
    """When a small model is asked what a message wants: the head is less sure than `threshold`, 0 for never.

    It has `seconds` for its answer.
    """

    threshold: Annotated[Number, Field(ge=0, le=1)] = 0.6
    seconds: Annotated[Number, Field(gt=0)] = 1.5


class RouteSettings(Section):
    """How the model tier is chosen. `shadow` logs what the other policy would have chosen."""

    policy: Literal["documented", "calibrated"] = "documented"
    shadow: bool = False
    weights: RouteWeights = RouteWeights()
    thresholds: RouteThresholds = RouteThresholds()


class ToolSettings(Section):
    """What a turn may use of tools: rounds, seconds, and tokens its model reads and writes meanwhile."""

    steps: Annotated[Count, Field(ge=1, le=50)] = 6
    seconds: Annotated[Number, Field(gt=0)] = 60.0
    tokens: Annotated[Count, Field(gt=0)] = 50_000


class RunsSettings(Section):
    """Durable runs: how often a cut run is started again, and how long events are gathered into one write."""

    max_attempts: Annotated[Count, Field(ge=1)] = 2
    event_interval_ms: Annotated[Count, Field(ge=0, le=1000)] = 20


class KnowledgeSettings(Section):
    """The knowledge base: seconds between two tidyings, and whether owners see what others asked the same persona."""

    optimize_seconds: Annotated[Number, Field(gt=0)] = 300.0
    share_memories: bool = False


class Settings(BaseSettings):
    """All settings. `plugins` maps a plugin's name to its own settings, which the plugin's model validates.

    `Settings()` is the defaults and reads nothing; `load_configuration` gathers the values of a real gateway.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    server: ServerSettings = ServerSettings()
    auth: AuthSettings = AuthSettings()
    log: LogSettings = LogSettings()
    data_dir: Location = Path("data")
    personas_file: Location = Path("personas.yaml")
    plugins_dir: Location = Path("plugins")
    retrieve: RetrieveSettings = RetrieveSettings()
    classify: ClassifySettings = ClassifySettings()
    route: RouteSettings = RouteSettings()
    models: ModelsSettings = ModelsSettings()
    tools: ToolSettings = ToolSettings()
    approvals: ApprovalsSettings = ApprovalsSettings()
    clusters: ClustersSettings = ClustersSettings()
    runs: RunsSettings = RunsSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    plugins: Annotated[Mapping[str, Mapping[str, Any]], Field(repr=False)] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_ambient: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: sources are given as layers."""
        return (init_settings,)

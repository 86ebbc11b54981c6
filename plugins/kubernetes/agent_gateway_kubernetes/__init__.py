"""Kubernetes: personas look at clusters and change them, command by command, with a human where it counts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

import agent_gateway as ag

from .checks import checks
from .kubectl_tool import KubectlTool
from .reading_tools import ReadingTools
from .session import Kubernetes
from .settings import KubernetesSettings
from .writing_tools import WritingTools


@ag.hookimpl
def register_settings() -> type[BaseModel]:
    """Have `plugins.kubernetes` validated."""
    return KubernetesSettings


@ag.hookimpl
def register_tools(settings: Mapping[str, BaseModel]) -> list[ag.Tool]:
    """Add `kubectl`, the tools that look, and the tools that change."""
    own = next((each for each in settings.values() if isinstance(each, KubernetesSettings)), KubernetesSettings())
    kubernetes = Kubernetes(own.request_seconds)
    return [*KubectlTool(kubernetes).tools(), *ReadingTools(kubernetes).tools(), *WritingTools(kubernetes).tools()]


@ag.hookimpl
def register_checks() -> list[ag.Check]:
    """Add a look at each cluster."""
    return checks()

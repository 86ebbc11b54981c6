"""Every command that only reads, and what carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from .getting import get
from .looking import describe, events, logs, top
from .scope import Scope
from .telling import api_resources, api_versions, can_i, cluster_info, explain, show_help, version, who_am_i
from .watching import rollout_history, rollout_status, wait

READS: Mapping[str, Callable[[Scope], Awaitable[str]]] = {
    "get": get,
    "describe": describe,
    "logs": logs,
    "events": events,
    "top pod": top,
    "top node": top,
    "rollout status": rollout_status,
    "rollout history": rollout_history,
    "wait": wait,
    "explain": explain,
    "auth can-i": can_i,
    "auth whoami": who_am_i,
    "api-resources": api_resources,
    "api-versions": api_versions,
    "version": version,
    "cluster-info": cluster_info,
    "help": show_help,
    "options": show_help,
}

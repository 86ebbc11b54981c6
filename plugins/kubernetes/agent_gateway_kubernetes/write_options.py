"""Which options of a command that changes something are carried out: one that is not is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping

import agent_gateway as ag

from .grammar import Command

#: Say how kubectl itself works, shows or waits; nothing else becomes of the objects.
_WITHOUT_EFFECT = frozenset(
    "output show-managed-fields allow-missing-template-keys record save-config field-manager validate request-timeout "
    "match-server-version warnings-as-errors disable-compression wait timeout dry-run openapi-patch concurrency "
    "chunk-size".split()
)
#: Have a meaning only together with what is never taken (`--force`), or are what is done anyway.
_MANIFESTS = "cascade grace-period overwrite"
_HEEDED = {
    "scale": "replicas current-replicas",
    "set env": "containers env",
    "set resources": "containers limits requests",
    "label": "overwrite",
    "annotate": "overwrite",
    "taint": "overwrite",
    "patch": "type subresource",
    "delete": "grace-period selector field-selector ignore-not-found",
    "drain": "ignore-daemonsets",
    "rollout undo": "to-revision",
    "autoscale": "min max cpu-percent cpu name",
    "expose": "selector name port protocol target-port type",
    "apply": f"server-side {_MANIFESTS}",
    "replace": _MANIFESTS,
    "diff": "server-side",
    "create configmap": "from-literal",
    "create quota": "hard scopes",
    "create pdb": "selector min-available max-unavailable",
    "create job": "from",
}
#: Said, but what is done without them.
_DEFAULTS: Mapping[str, str] = {"cascade": "background", "session-affinity": "None"}


def check_options(command: Command) -> None:
    """`InvalidInput` for an option that this command cannot carry out."""
    heeded = _WITHOUT_EFFECT.union(_HEEDED.get(command.verb, "").split())
    for name, value in command.options.items():
        if name not in heeded and value not in {"false", _DEFAULTS.get(name)}:
            raise ag.InvalidInput(f"`kubectl {command.verb}` is not carried out with --{name}", hint="leave it out")
    if command.options.get("subresource") == "resize":
        raise ag.InvalidInput("pods are not resized in place", hint="use `kubectl set resources` on their workload")

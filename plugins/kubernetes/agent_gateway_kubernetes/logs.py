"""Logs of pods: always the end of them, never more than a budget of lines and bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import agent_gateway as ag

from .api import Api, Query
from .request_guard import MOST_BYTES, MOST_LINES
from .resources import PODS

#: Logs that are read for one command; more pods than this are named, not read.
MOST_LOGS = 10
DEFAULT_LINES = 200
DEFAULT_BYTES = 200_000


class LogWish(msgspec.Struct, frozen=True, kw_only=True):
    """What of the logs. `container`: one of each pod, the main one when empty; `every`: all of them.

    `since` is in seconds, 0 for everything; `since_time` a moment. `prefix`: each line names its pod and container.
    """

    container: str = ""
    every: bool = False
    lines: int = DEFAULT_LINES
    limit_bytes: int = DEFAULT_BYTES
    since: int = 0
    since_time: str = ""
    previous: bool = False
    timestamps: bool = False
    prefix: bool = False

    def query(self, container: str) -> Query:
        """The parameters of one log."""
        terms = [
            ("container", container),
            ("tailLines", str(min(max(self.lines, 1), MOST_LINES))),
            ("limitBytes", str(min(max(self.limit_bytes, 1), MOST_BYTES))),
        ]
        if self.since:
            terms.append(("sinceSeconds", str(self.since)))
        elif self.since_time:
            terms.append(("sinceTime", self.since_time))
        flags = (("previous", self.previous), ("timestamps", self.timestamps))
        return (*terms, *((name, "true") for name, given in flags if given))


async def read_logs(api: Api, pods: Sequence[Mapping[str, Any]], wish: LogWish) -> str:
    """The logs of pods, one after the other."""
    places = [(pod, container) for pod in pods for container in _containers(pod, wish)]
    several = len(places) > 1
    parts = []
    for pod, container in places[:MOST_LOGS]:
        title = f"{pod['metadata']['name']}/{container}"
        text = await _read(api, pod, container, wish)
        if wish.prefix:
            parts.append("\n".join(f"[{title}] {line}" for line in ag.redact(text).splitlines()))
        else:
            parts.append(f"==> {title} <==\n{text or '(nothing)'}" if several else text)
    if len(places) > MOST_LOGS:
        parts.append(f"... and {len(places) - MOST_LOGS} more logs: name a pod or a container")
    return "\n".join(part for part in parts if part) or "(nothing was logged)"


async def _read(api: Api, pod: Mapping[str, Any], container: str, wish: LogWish) -> str:
    metadata = pod["metadata"]
    path = PODS.path(metadata["namespace"], metadata["name"], "log")
    try:
        answer = await api.fetch(path, wish.query(container), accept="*/*", limit=MOST_BYTES)
    except (ag.InvalidInput, ag.NotFound, ag.Unavailable) as error:
        # A container that has not started, or was not restarted; or a node that does not answer.
        if error.code == "cluster_unreachable":
            raise
        return f"(no log: {error.detail})"
    text = answer.body.decode(errors="replace").rstrip("\n")
    if len(answer.body) < min(wish.limit_bytes, MOST_BYTES):
        return text
    # Half a word may be half a secret, which nobody would know for one.
    whole = text.rpartition("\n")[0] or text.rpartition(" ")[0]
    return f"{whole}\n(cut: this log has more)"


def _containers(pod: Mapping[str, Any], wish: LogWish) -> list[str]:
    spec = pod["spec"]
    main: list[str] = [each["name"] for each in spec["containers"]]
    known = [*(each["name"] for each in spec.get("initContainers") or []), *main]
    if wish.every:
        return known
    if wish.container:
        if wish.container not in known:
            hint = f"it has: {', '.join(known)}"
            raise ag.NotFound(f"pod '{pod['metadata']['name']}' has no container '{wish.container}'", hint=hint)
        return [wish.container]
    annotations = pod["metadata"].get("annotations") or {}
    default = str(annotations.get("kubectl.kubernetes.io/default-container", ""))
    return [default] if default in main else main[:1]

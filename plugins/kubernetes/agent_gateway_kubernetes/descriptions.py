"""One object in full: what matters first, then what was asked of it, what is, and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from .ages import age
from .api import Api
from .event_lines import read_events, show_events
from .pruning import prune
from .resources import Resource
from .yaml_text import to_yaml

#: Shown in the heading, or said by nobody.
_QUIET = frozenset({"apiVersion", "kind", "metadata", "status"})


async def describe(api: Api, resource: Resource, found: Mapping[str, Any], *, events: bool = True) -> str:
    """What kubectl's `describe` would tell about an object."""
    # In a thread: a large object takes long to write down.
    sections = await asyncio.to_thread(_sections, resource, found)
    if events:
        sections.append(await _events(api, resource, found["metadata"]))
    return "\n\n".join(sections)


def _sections(resource: Resource, found: Mapping[str, Any]) -> list[str]:
    shown = prune(dict(found))
    metadata = shown.get("metadata") or {}
    sections = ["\n".join(_heading(resource, metadata))]
    if resource.kind == "Pod":
        sections.append("\n".join(_containers(shown)))
    conditions = [each for each in (shown.get("status") or {}).get("conditions") or [] if isinstance(each, dict)]
    if conditions:
        sections.append("Conditions:\n" + "\n".join(map(_condition, conditions)))
    rest = {key: value for key, value in shown.items() if key not in _QUIET}
    status = {key: value for key, value in (shown.get("status") or {}).items() if key != "conditions"}
    sections += [to_yaml(part) for part in (rest, {"status": status} if status else {}) if part]
    return sections


async def _events(api: Api, resource: Resource, metadata: Mapping[str, Any]) -> str:
    about = {"name": str(metadata.get("name", "")), "kind": resource.kind}
    found = await read_events(api, str(metadata.get("namespace", "")), involved=about)
    return f"Events:\n{show_events(found[-20:])}" if found else "Events: <none>"


def _heading(resource: Resource, metadata: Mapping[str, Any]) -> Iterator[str]:
    yield f"Kind: {resource.kind} ({resource.api_version})"
    yield f"Name: {metadata.get('name')}"
    if metadata.get("namespace"):
        yield f"Namespace: {metadata['namespace']}"
    yield f"Age: {age(metadata.get('creationTimestamp'))}"
    for title in ("labels", "annotations"):
        pairs = metadata.get(title) or {}
        yield f"{title.capitalize()}: {', '.join(f'{key}={value}' for key, value in sorted(pairs.items())) or '<none>'}"
    for owner in metadata.get("ownerReferences") or []:
        yield f"Controlled by: {owner.get('kind')}/{owner.get('name')}"
    if metadata.get("deletionTimestamp"):
        yield f"Being deleted since: {age(metadata['deletionTimestamp'])} ago"


def _condition(condition: Mapping[str, Any]) -> str:
    reason = " ".join(str(condition.get(key, "")) for key in ("reason", "message")).strip()
    since = age(condition.get("lastTransitionTime"))
    return f"  {condition.get('type')}={condition.get('status')} (for {since}) {reason}".rstrip()


def _containers(pod: Mapping[str, Any]) -> Iterator[str]:
    status = pod.get("status") or {}
    reason = f" ({status['reason']}: {status.get('message', '')})" if status.get("reason") else ""
    node = (pod.get("spec") or {}).get("nodeName") or "<none>"
    yield f"Status: {status.get('phase', 'Unknown')}{reason}, node {node}, IP {status.get('podIP', '<none>')}"
    for part in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for each in status.get(part) or []:
            ready = "ready" if each.get("ready") else "not ready"
            line = f"  {each.get('name')}: {_state(each.get('state'))}, {ready}, {each.get('restartCount', 0)} restarts"
            last = _state(each.get("lastState"))
            yield f"{line}, before: {last}" if last != "unknown" else line


def _state(state: Any) -> str:
    for name, detail in (state or {}).items():
        known = {**detail} if isinstance(detail, dict) else {}
        told = [str(known[key]) for key in ("reason", "message") if known.get(key)]
        if "exitCode" in known:
            told.append(f"exit code {known['exitCode']}")
        if known.get("finishedAt") or known.get("startedAt"):
            told.append(f"{age(known.get('finishedAt') or known.get('startedAt'))} ago")
        return f"{name} ({', '.join(told)})" if told else str(name)
    return "unknown"

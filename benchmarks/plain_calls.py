"""When two calls are the same call: defaults said or not, flags in another order, another name of the same kind."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Literal

from plugins.kubernetes.agent_gateway_kubernetes.recognized_kinds import find_kind

_DEFAULTS: Mapping[str, Any] = {"since": "1h", "lines": 200, "limit": 20, "with_source": True}
_FLAGS = {"-n": "--namespace", "-A": "--all-namespaces", "-o": "--output", "-l": "--selector", "-c": "--container"}
_LONE = frozenset({"--all-namespaces", "--show-labels", "--previous"})
_READING = frozenset({"get", "describe", "logs", "top", "events", "version", "api-resources", "explain", "auth"})
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

#: Tools that stand for a command.
_AS_COMMAND: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "list_objects": lambda given: f"kubectl get {given['kind']}{_place(given) or ' -A'}",
    "describe_object": lambda given: f"kubectl describe {given['kind']} {given['name']}{_place(given)}",
    "cluster_events": lambda given: f"kubectl events{_place(given) or ' -A'}",
    "restart_workload": lambda given: f"kubectl rollout restart {given['kind']}/{given['name']}{_place(given)}",
    "scale_workload": lambda given: (
        f"kubectl scale {given['kind']}/{given['name']}{_place(given)} --replicas={given['replicas']}"
    ),
}


def canonical(tool: str, arguments: Mapping[str, Any]) -> Any:
    """A form of a call that is equal for equal calls."""
    given = {name: value for name, value in arguments.items() if value not in ("", None, False)}
    if tool in _AS_COMMAND:
        command = _AS_COMMAND[tool](given)
        given = {"command": command} | ({"cluster": given["cluster"]} if "cluster" in given else {})
        tool = "kubectl"
    if tool == "kubectl":
        return tool, _command(str(given["command"])), given.get("cluster", "")
    plain = {name: _value(name, value) for name, value in given.items()}
    kept = {name: value for name, value in plain.items() if value != _value(name, _DEFAULTS.get(name))}
    return tool, json.dumps(kept, sort_keys=True)


def changes_something(arguments: Mapping[str, Any]) -> Literal["read", "write"]:
    """The effect of a kubectl command, by its verb."""
    words = [word for word in str(arguments.get("command", "")).split() if not word.startswith("-")][1:3]
    reads = bool(words) and (words[0] in _READING or words in (["rollout", "status"], ["rollout", "history"]))
    return "read" if reads else "write"


def _place(given: Mapping[str, Any]) -> str:
    return f" -n {given['namespace']}" if "namespace" in given else ""


def _value(name: str, value: Any) -> Any:
    if name in {"since", "min_duration"} and isinstance(value, str):
        found = re.fullmatch(r"(\d+)([smhdw])", value)
        return int(found[1]) * _SECONDS[found[2]] if found else value
    if name == "query":
        return re.sub(r"\s+", "", str(value))
    if name == "kind":
        return str(value).lower()
    # How a commit is called is nobody's to label.
    return "" if name == "message" else value


def _command(text: str) -> tuple[str, ...]:
    words = shlex.split(text.replace("kubectl get events", "kubectl events"))
    flags: list[str] = []
    things: list[str] = []
    position = 1
    while position < len(words):
        word = words[position]
        position += 1
        if not word.startswith("-"):
            things.append(word)
            continue
        name, _, value = word.partition("=")
        if not name.startswith("--") and len(name) > 2:
            name, value = name[:2], name[2:]
        name = _FLAGS.get(name, name)
        if not value and name not in _LONE and position < len(words):
            value, position = words[position], position + 1
        flags.append(f"{name}={value}")
    verb, kinds = _named(things)
    if kinds and all(not find_kind(each.partition("/")[0]).namespaced for each in kinds):
        flags = [each for each in flags if not each.startswith("--all-namespaces")]
    return (verb, *kinds, *sorted(flags))


def _named(things: list[str]) -> tuple[str, list[str]]:
    """The verb, and the objects as `kind/name` or kind, the kinds in their plural."""
    size = 2 if things[:1] in (["rollout"], ["auth"]) else 1
    verb, rest = " ".join(things[:size]), things[size:]
    if not rest:
        return verb, []
    if "/" in rest[0]:
        pairs = [each.split("/", 1) for each in rest]
        return verb, [f"{find_kind(kind).plural}/{name}" for kind, name in pairs]
    if verb in {"cordon", "uncordon"}:
        return verb, rest
    kinds = sorted(find_kind(each).plural for each in rest[0].split(","))
    return verb, [f"{kinds[0]}/{name}" for name in rest[1:]] or kinds

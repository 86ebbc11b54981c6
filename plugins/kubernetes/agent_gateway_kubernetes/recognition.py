"""Recognizes plain requests for this plugin's tools, without a model.

A pattern covers a whole message or does not fit: a word that nothing explains means that the request is not understood.
A workload without a kind is taken for a deployment, but only for what a human approves, and only with its namespace.
`scale` is the cluster's word; "set api to 3 replicas" without a kind is left to whatever keeps the desired state.
"""

from __future__ import annotations

import re
from typing import Any

import agent_gateway as ag

from .recognized_changes import Change, read_change
from .recognized_commands import recognize_command
from .recognized_gists import CONFIDENCE, read_gist
from .recognized_kinds import KINDS, find_kind
from .recognized_lists import read_list, read_telegram
from .recognized_logs import recognize_pod_logs
from .recognized_objects import read_object
from .recognized_reading import Reading
from .recognized_usage import read_usage
from .recognized_words import Words, read_words

__all__ = [
    "recognize_describe_object",
    "recognize_kubectl",
    "recognize_pod_logs",
    "recognize_restart_workload",
    "recognize_scale_workload",
]

#: A call that another tool of this plugin makes better stays below what is done without asking.
_LEFT_TO_ANOTHER = 0.6
#: The rest shows what is there now, whatever time is named.
_FOLLOWS_WINDOW = re.compile(r"kubectl (?:get )?events\b")


def recognize_kubectl(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `kubectl`: a command word for word, or a request that is one command."""
    if command := recognize_command(request):
        return command
    words = read_words(request)
    if not words.text:
        return None
    change = read_change(words)
    asked = request.text.rstrip().endswith("?")
    reading = change.reading if change is not None else _read(words, asked=asked)
    if reading is None:
        return None
    if _is_searched(words, reading, change) or (request.seconds and not _FOLLOWS_WINDOW.match(reading.command)):
        reading = reading._replace(confidence=min(_LEFT_TO_ANOTHER, reading.confidence))
    return reading.recognition(request.cluster)


def _read(words: Words, *, asked: bool) -> Reading | None:
    """What a phrase says for sure, else the gist of it, else what a phrase says that may mean something else."""
    phrased = read_usage(words) or read_telegram(words) or read_object(words) or read_list(words)
    if phrased is not None and (phrased.missing or phrased.confidence > CONFIDENCE):
        return phrased
    return read_gist(words, asked=asked) or phrased


def recognize_describe_object(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `describe_object`, which looks for the namespace when none is named."""
    words = read_words(request)
    reading = read_object(words) if words.text else None
    if reading is None or not _is_searched(words, reading, None):
        return None
    kind, name = reading.command.split()[2:4]
    return ag.Recognition(
        arguments=_on_cluster({"kind": kind, "name": name}, request),
        confidence=reading.confidence,
        meaning=reading.meaning,
    )


def recognize_restart_workload(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `restart_workload`, which looks for the namespace when none is named."""
    return _recognize_change(request, "restart")


def recognize_scale_workload(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `scale_workload`, which looks for the namespace when none is named."""
    return _recognize_change(request, "scale")


def _recognize_change(request: ag.PlainRequest, verb: str) -> ag.Recognition | None:
    words = read_words(request)
    change = read_change(words) if words.text else None
    if change is None or change.verb != verb or words.namespace or change.reading.missing:
        return None
    arguments: dict[str, Any] = {"kind": change.kind, "name": change.name}
    if verb == "scale":
        arguments["replicas"] = change.replicas
    return ag.Recognition(
        arguments=_on_cluster(arguments, request),
        confidence=change.reading.confidence,
        meaning=change.reading.meaning,
    )


def _is_searched(words: Words, reading: Reading, change: Change | None) -> bool:
    """Whether a tool that looks for the namespace does it better than kubectl, which takes the default one."""
    if words.namespace or words.everywhere or reading.missing:
        return False
    if change is not None:
        return change.verb in {"restart", "scale"}
    parts = reading.command.split()
    if parts[1] != "describe" or len(parts) != 4 or parts[3].startswith("-"):
        return False
    return parts[2] in KINDS and find_kind(parts[2]).namespaced


def _on_cluster(arguments: dict[str, Any], request: ag.PlainRequest) -> dict[str, Any]:
    return arguments | ({"cluster": request.cluster} if request.cluster else {})

"""Plain requests for the logs of a pod or an app: "logs of api last hour", "the last 50 lines of checkout's logs"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

import agent_gateway as ag

from .recognized_gists import CONFIDENCE, read_logs_gist
from .recognized_words import Words, read_words

_KINDS = "(?:pods|deployments|statefulsets|daemonsets|jobs|cronjobs|services|replicasets)"
_SLOTS = {
    "APP": (
        rf"<[spx]:(?P<kind>{_KINDS})>[ /](?P<name>{ag.Phrases.NAME})"
        rf"|(?P<name>{ag.Phrases.NAME}) (?:<[sx]:{_KINDS}>|<p:pods>)"
        rf"|(?:app |application |workload )?(?P<name>{ag.Phrases.NAME})(?: app| application| workload| component)?"
    ),
    "CONTAINER": rf"container (?P<container_name>{ag.Phrases.NAME})|(?P<container_name>{ag.Phrases.NAME}) container",
    "LOGS": (
        "(?:container |pod |application |app |service |full |raw |complete |<s:pods> )?(?:logs?|log output|log lines"
        "|log entries|log messages|log file|logging output|stdout|output)"
    ),
    "LATEST": "last|final|latest|recent|newest|most recent|new|tail of|tail|end of|full|current",
    "N": r"(?P<lines>\d{1,4})",
    "LINES": "lines|entries|messages|rows|log lines|log entries|log messages",
    "OLD": "(?P<previous>previous|crashed|prior|last crashed|terminated|old)",
    "BEFORE": (
        "(?P<previous>(?:from |of )?before (?:its |last |it )*(?:crash|crashed|restart|restarted)|(?:of|from) previous"
        " (?:container|instance|run)|--previous|-p)"
    ),
    "PRINTING": "logging|logs?|logged|printing|prints?|printed|writing|writes?|written|outputting",
    "OF": "of|for|from|by|on|to",
}
_END = "[[in|of|from] CONTAINER] [BEFORE] [(last|only|only last|--tail|tail) N [lines]]"
_ASKED = ag.Phrases(
    f"""
    [show|tail] [LATEST] LOGS [OF] APP {_END}
    [show|tail] OLD [LATEST] LOGS [OF] APP {_END}
    [show|tail] [LATEST] OLD LOGS [OF] APP {_END}
    [show] what (is in|are|do|does) [LATEST] APP LOGS [say|show|look like]
    what (is in|are|do|does) [LATEST] LOGS [OF] APP [say|show|look like] {_END}
    [show|tail] [LATEST] N LINES [of|from|in] [LOGS] [OF] APP [LOGS] {_END}
    [show|tail] [LATEST] N LOGS [OF] APP
    APP [LATEST] N LINES
    [show|tail] [LATEST] N LINES of|from OLD LOGS OF APP
    [show|tail] [LATEST] APP LOGS {_END}
    [show|tail] APP OLD LOGS
    [show] what is|does|did|has|was APP [been] PRINTING [to its|to] [logs|log|stdout] {_END}
    tail|follow APP {_END}
    [show|tail] [LATEST] LOGS [OF] CONTAINER of|in|from APP
    [show|tail] LOGS of|from previous container|instance|run of|in APP
    """,
    _SLOTS,
)
_OF_PREVIOUS = ag.Phrases("[show|tail] LOGS of|from previous container|instance|run of|in APP", _SLOTS)
_NOBODY = ag.Phrases("[show|tail] [LATEST] LOGS [of|for|from]\n[show|tail] [LATEST] N LINES [of|from] LOGS", _SLOTS)
_EXAMPLE = "a pod or an app, like `logs of api-service`"


def recognize_pod_logs(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `pod_logs`."""
    words = read_words(request)
    if not words.text:
        return None
    for parts in _ASKED.matches(words.text):
        if not words.everywhere:
            return _recognition(parts, request, words)
    if gist := read_logs_gist(words):
        return replace(_recognition(gist, request, words), confidence=CONFIDENCE)
    if _NOBODY.match(words.text) is not None and (words.named or request.seconds or words.text != "logs"):
        return ag.Recognition(confidence=0.8, meaning=f"show logs{words.where}", missing=_EXAMPLE)
    return None


def _recognition(parts: Mapping[str, str], request: ag.PlainRequest, words: Words) -> ag.Recognition:
    arguments: dict[str, Any] = {"name": parts["name"]}
    if words.namespace:
        arguments["namespace"] = words.namespace
    if "container_name" in parts:
        arguments["container"] = parts["container_name"]
    if "previous" in parts or _OF_PREVIOUS.match(words.text) is not None:
        arguments["previous"] = True
    if "lines" in parts:
        arguments["lines"] = int(parts["lines"])
    if request.seconds:
        arguments["since"] = span(request.seconds)
    if request.cluster:
        arguments["cluster"] = request.cluster
    # "Tail" is said of other things.
    vague = (
        "log" not in words.text and not (words.namespace or request.seconds) and not re.search(r"<|[-\d]", words.text)
    )
    # "The logs helped" tells something.
    told_of = not re.search(r"[-\d]", parts["name"]) and re.search(
        rf"\b(?:the|my|our|these) logs? {re.escape(parts['name'])}\b", words.said
    )
    vague = vague or bool(told_of)
    told = f"show the logs of {parts['name']}{words.where}"
    return ag.Recognition(arguments=arguments, confidence=0.6 if vague else 0.95, meaning=told)


def span(seconds: int) -> str:
    """Seconds as `2h`, `30m` or `45s`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"

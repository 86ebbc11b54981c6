"""Requests that no phrase covers, told by the objects and the aspect they name, in whatever order."""

from __future__ import annotations

import re
from typing import NamedTuple

import agent_gateway as ag

from .recognized_kinds import WORKLOADS, find_kind
from .recognized_reading import Reading
from .recognized_words import MANY, Words

#: So sure that the call is made, and less sure than any phrase.
CONFIDENCE = 0.76
_OBJECT = rf"<[spx]:(?P<kind>[^<>]+)>(?: called| named)?[ /](?P<name>{ag.Phrases.NAME})"
_TURNED = rf"(?P<name>{ag.Phrases.NAME}) <[sx]:(?P<kind>[^<>]+)>"
_LOGGING = "(?:<[spx]:pods> )?(?:logs?|logged|logging|log output|log lines|log entries)"


class _Aspect(NamedTuple):
    #: What is asked about an object, as a regular expression.
    words: str
    fillers: str
    #: The command for kind (for one), name and scope.
    command: str
    meaning: str
    kinds: frozenset[str] = frozenset()


_IMAGED = WORKLOADS | {"pods", "jobs", "cronjobs", "replicasets"}
_ASPECTS = (
    _Aspect("rollout status|rollout state|rollout progress|rollout|rolled out|roll out|rolling out",
            "status state fully completely finished done complete completed already successfully finish gone going",
            "rollout status {kind}/{name}{scope}", "show the rollout status of {kind} {name}", WORKLOADS),
    _Aspect("revisions?|revision history|rollout history|past rollouts", "previous past old earlier rollout",
            "rollout history {kind}/{name}{scope}", "show the rollout history of {kind} {name}", WORKLOADS),
    _Aspect("yaml|yml|manifest|yaml manifest|yaml definition|yaml output", "full complete output format as raw live",
            "get {kind} {name}{scope} -o yaml", "show the YAML of {kind} {name}"),
    _Aspect("describe|details?|description|information|info", "more full detailed output complete",
            "describe {kind} {name}{scope}", "describe {kind} {name}"),
    _Aspect("events?", "recent latest kubernetes happened occurred related recorded last",
            "events --for {kind}/{name}{scope}", "show the events of {kind} {name}"),
    _Aspect("images?|container images?|docker images?|image versions?|image tags?",
            "use used uses using container version",
            "get {kind} {name}{scope} -o wide", "show {kind} {name} with its image", _IMAGED),
)  # fmt: skip
_GISTS = [
    (aspect, ag.Gist(form, aspect.words, fillers=aspect.fillers)) for aspect in _ASPECTS for form in (_OBJECT, _TURNED)
]
_LIST = ag.Gist(MANY, fillers="status state health names overview ready healthy up together currently and contain")
_USED = ag.Gist(
    "<[spx]:(?P<kind>pods|nodes)>",
    "(?:cpu|memory|ram|resources?|cpu/memory|compute)(?: and (?:cpu|memory|ram))?(?: usage| consumption"
    "| utili[sz]ation| load)?"
    "|usage|consumption|utili[sz]ation|consume|consuming",
    fillers="use uses using used consume consumes consuming consumption usage much need per level taking up",
)
_EVENTS = ag.Gist("events?", fillers="recent latest kubernetes happened occurred cluster most newest last happening")
_LOGS = ag.Gist(
    _LOGGING,
    takes=(
        "<[spx]:(?:pods|deployments|statefulsets|daemonsets|jobs|cronjobs|services)>",
        r"(?:last |latest )?(?P<lines>\d{1,4}) (?:log )?lines",
        "(?P<previous>previous|crashed|before (?:it |the )?(?:crash|restart)(?:ed)?)(?: container| instance| run)?",
    ),
    fillers="output lines recent latest newest recently lately say says said written wrote printed container",
    named=True,
)


def read_gist(words: Words) -> Reading | None:
    """The command that is meant."""
    if not words.text or words.everywhere:
        return None
    for aspect, gist in _GISTS:
        parts = gist.read(words.text)
        if parts and (not aspect.kinds or parts["kind"] in aspect.kinds):
            return _object(aspect, parts, words)
    parts = _USED.read(words.text)
    if parts and words.namespace and parts["kind"] == "pods":
        return Reading(f"kubectl top pods{words.scope()}", f"show the usage of pods{words.where}", CONFIDENCE)
    if parts and not words.namespace and parts["kind"] == "nodes":
        return Reading("kubectl top nodes", "show the usage of nodes", CONFIDENCE)
    if words.namespace and _EVENTS.read(words.text) is not None:
        return Reading(f"kubectl events{words.scope()}", f"list the events{words.where}", CONFIDENCE)
    return _list(words)


def read_logs_gist(words: Words) -> dict[str, str] | None:
    """What is said about the logs that are asked for."""
    # "Does it have logs" asks for something else.
    return (
        None if words.everywhere or words.text.startswith(("does ", "do ", "is ", "are ")) else _LOGS.read(words.text)
    )


def _object(aspect: _Aspect, parts: dict[str, str], words: Words) -> Reading | None:
    known = find_kind(parts["kind"])
    # Without a place it may be about anything that has such a name.
    if known.namespaced != bool(words.namespace):
        return None
    names = {"kind": known.singular, "name": parts["name"]}
    command = "kubectl " + aspect.command.format(**names, scope=words.scope())
    return Reading(command, aspect.meaning.format(**names) + words.where, CONFIDENCE)


def _list(words: Words) -> Reading | None:
    parts = _LIST.read(words.text)
    kinds = [find_kind(each) for each in re.findall(r"<\w:([^<>]+)>", parts["kinds"])] if parts else []
    if len(kinds) != 1 or kinds[0].namespaced != bool(words.namespace):
        return None
    if not words.namespace and not re.match(r"show|which|how many", words.text):
        return None
    plural = kinds[0].plural
    return Reading(f"kubectl get {plural}{words.scope()}", f"list the {plural}{words.where}", CONFIDENCE)

"""Plain requests for lists of objects: "which pods run in web", "list the ingresses", "how many nodes are there"."""

from __future__ import annotations

import re
from collections.abc import Mapping

import agent_gateway as ag

from .recognized_kinds import find_kind
from .recognized_reading import Reading
from .recognized_words import MANY, Words

_SLOTS = {
    "MANY": MANY,
    "NAME": rf"(?P<name>{ag.Phrases.NAME})",
    "BEING": (
        "are|is|do|does|we|have|has|exist|exists|running|run|runs|there|deployed|present|available|you|see|got|defined"
        "|configured|active|created|scheduled|live|installed|registered|i|set up|in use|in total|using|around|it"
    ),
    "STATE": (
        "(?P<state>pending|failed|running|succeeded|completed|not running|not ready|not healthy|unhealthy|failing"
        "|crashing|crash ?looping|in crashloopbackoff|crashloopbackoff|restarting|broken|evicted|stuck|terminating"
        "|ready|healthy|up|ok|okay|fine|down|unready|notready|online|in trouble|alive|good|bound|unbound|scheduled)"
    ),
    "FORM": (
        "list|overview|status|statuses|state|states|health|names|inventory|table|listing|summary|full list|quick list"
        "|complete list"
    ),
    "LABEL": r"(?P<label>[a-z0-9][\w./-]*=[\w.-]+)",
    "WIDE": "(?P<wide>labels|ips?|ip addresses|nodes?|more details?)",
    "AGE": "(?P<age>age|creation|creation time|creation date)",
}
_SHAPE = (
    "[[with|and] [their] WIDE|(labelled|labeled|with label|with labels|having label|by label) [as|with] LABEL"
    "|that have label LABEL|carrying label LABEL|[sorted|ordered] by AGE]"
)
_ASKED = ag.Phrases(
    f"""
    show [a] [FORM of] MANY [FORM] (BEING)* {_SHAPE}
    show [a] [FORM of] STATE MANY {_SHAPE}
    show MANY (BEING)* STATE {_SHAPE}
    [show] what|which [are|is] [FORM of] MANY (BEING)* {_SHAPE}
    [show] what|which [are] STATE MANY (BEING)* {_SHAPE}
    [show] what|which MANY (BEING)* STATE {_SHAPE}
    [show] (how many|number of|count|count of) MANY (BEING)* {_SHAPE}
    [show] (how many|number of|count|count of) STATE MANY (BEING)* {_SHAPE}
    [show] (how many|number of|count|count of) MANY (BEING)* STATE
    is|are there MANY (BEING)* {_SHAPE}
    is|are there STATE MANY (BEING)* {_SHAPE}
    is|are there MANY (BEING)* STATE
    do|does we|i|it have MANY (BEING)* {_SHAPE}
    are|if|whether MANY [are] STATE
    [show] how is|are MANY [doing|looking]
    """,
    _SLOTS,
)
_NAMED = ag.Phrases(f"[FORM of] MANY [FORM] (BEING)* {_SHAPE}\nSTATE MANY", _SLOTS)
_PHASES = {"pending": "=Pending", "failed": "=Failed", "not running": "!=Running", "succeeded": "=Succeeded"}
_ON_NODE = ag.Phrases(
    """
    [show|which|what] [are] PODS (BEING)* on|of|from NODE NAME
    [show|which|what] [are] PODS (BEING)* [of|from] on NAME
    [show] what runs|is [running] on NODE NAME
    """,
    _SLOTS | {"PODS": "<p:pods>", "NODE": "<s:nodes>"},
)
_EVERYTHING = ag.Phrases("show everything|objects|resources [there is|running|deployed|that runs|that exists]")
_RUNNING = ag.Phrases("[show] what is running [there]\n[show] what runs [there]")


def read_list(words: Words) -> Reading | None:
    """The list that is asked for."""
    if (parts := _ON_NODE.match(words.text)) and _is_node(parts["name"], words):
        command = f"kubectl get pods{words.scope(listing=True)} --field-selector=spec.nodeName={parts['name']}"
        return Reading(command, f"list the pods on node {parts['name']}", 0.9)
    if parts := _ASKED.match(words.text):
        return _list(words, parts, 0.95 if _is_definite(words) else 0.5)
    if parts := _NAMED.match(words.text):
        # Without a verb it may be something to look up in documents, or a statement.
        placed = (words.named or words.everywhere) and "state" not in parts
        return _list(words, parts, 0.9 if placed else 0.85 if words.namespace and "state" not in parts else 0.5)
    return _read_everything(words)


def _is_node(name: str, words: Words) -> bool:
    """Whether a name is one of a node: the word says it, or it has a number as nodes do."""
    return "<s:nodes>" in words.text or bool(re.search(r"\d", name))


def _is_definite(words: Words) -> bool:
    """Whether it is about what there is: "what are pods" asks for a definition."""
    return bool(words.namespace or words.everywhere) or not re.fullmatch(r"what (?:is|are) <[^<>]+>", words.text)


def _list(words: Words, parts: Mapping[str, str], confidence: float) -> Reading | None:
    kinds = [find_kind(each) for each in re.findall(r"<\w:([^<>]+)>", parts["kinds"])]
    if any(each.namespaced for each in kinds):
        scope = words.scope(listing=True)
    elif words.namespace:
        return None
    else:
        scope = ""
    names = ",".join(each.plural for each in kinds)
    told = " and ".join(each.plural for each in kinds)
    return Reading(f"kubectl get {names}{scope}{_options(names, parts)}", f"list the {told}{words.where}", confidence)


def _options(names: str, parts: Mapping[str, str]) -> str:
    phase = _PHASES.get(parts.get("state", ""), "") if names == "pods" else ""
    options = f" --field-selector=status.phase{phase}" if phase else ""
    if label := parts.get("label"):
        options += f" -l {label}"
    if "age" in parts:
        options += " --sort-by=.metadata.creationTimestamp"
    if wide := parts.get("wide"):
        options += " --show-labels" if wide == "labels" else " -o wide"
    return options


def _read_everything(words: Words) -> Reading | None:
    if words.namespace and _EVERYTHING.match(words.text) is not None:
        return Reading(f"kubectl get all{words.scope()}", f"list everything{words.where}", 0.85)
    if words.named and _RUNNING.match(words.text) is not None:
        return Reading(f"kubectl get pods{words.scope()}", f"list the pods{words.where}", 0.85)
    return None

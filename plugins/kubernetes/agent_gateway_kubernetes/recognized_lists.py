"""Plain requests for lists of objects: "which pods run in web", "list the ingresses", "how many nodes are there"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import agent_gateway as ag

from .recognized_kinds import find_kind
from .recognized_reading import Reading
from .recognized_words import MANY, Words, is_place

_SLOTS = {
    "MANY": MANY,
    "THIS": "(?P<kinds><s:[^<>]+>)",
    "NAME": rf"(?P<name>{ag.Phrases.NAME})",
    "BEING": (
        "are|is|do|does|we|have|has|exist|exists|running|run|runs|there|deployed|present|available|you|see|got|defined"
        "|configured|active|created|scheduled|live|installed|registered|i|set up|set|applied|in place|in use"
        "|in total|using|around|it|that|which|exposed|mounted|can|hosted|doing|alive|on|were"
    ),
    "STATE": (
        "(?P<state>pending|failed|running|succeeded|completed|not running|not ready|not healthy|unhealthy|failing"
        "|crashing|crash ?looping|in crashloopbackoff|crashloopbackoff|restarting|broken|evicted|stuck|terminating"
        "|ready|healthy|up|ok|okay|fine|down|unready|notready|online|in trouble|alive|good|bound|unbound|scheduled)"
    ),
    "FORM": (
        "list|overview|status|statuses|state|states|health|names|inventory|table|listing|listings|summary"
        "|full list|quick list"
        "|complete list"
    ),
    "SPACE": rf"(?P<space_name>{ag.Phrases.NAME})",
    "LABEL": r"(?P<label>[a-z0-9][\w./-]*=[\w.-]+)",
    "WIDE": "(?P<wide>labels|<p:nodes>|ips?|ip addresses|nodes?|more details?)",
    "AGE": "(?P<age>age|creation|creation time|creation date)",
}
_SHAPE = (
    "[[with|and] [their] WIDE|(labelled|labeled|with label|with labels|having label|by label) [as|with] LABEL"
    "|[that|which] (have|having|with|carrying|has) label LABEL|label LABEL|[sorted|ordered] by AGE]"
)
_ASKED = ag.Phrases(
    f"""
    show [a|an] [FORM of|FORM for] MANY [FORM] (BEING)* {_SHAPE}
    [show] [what is] [a] THIS FORM (BEING)*
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
    is MANY STATE
    [show] what|which|how many MANY does|do cluster have
    do|does MANY (BEING)*
    [show] (which|any|how many) of MANY (BEING)* STATE
    [show] what|which MANY does|do SPACE have|contain|run|hold
    [show] what|which MANY (contain|make up|form) [cluster]
    [show] what|which MANY (do|does|are|is)* contain|hold
    [show] how many MANY does|do SPACE have|contain|run|hold
    do|does we|i|it have MANY (BEING)* {_SHAPE}
    are|if|whether MANY [are] STATE
    [show] how is|are [FORM of] MANY [doing|looking]
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
_TELEGRAM = ag.Phrases("MANY NAME", {"MANY": "<p:(?P<kind>[^<>]+)>", "NAME": f"(?P<name>{ag.Phrases.NAME})"})
_EVERYTHING = ag.Phrases("show everything|objects|resources [there is|running|deployed|that runs|that exists]")
_RUNNING = ag.Phrases("[show] what is running [there]\n[show] what runs [there]")


#: Kinds whose names are said of other things: a place, or a word like "list", makes them kinds.
_AMBIGUOUS = ("jobs", "roles", "leases", "certificates", "issuers", "receivers", "resourcequotas", "services")
#: Plural words that are said of a namespace and are no kind.
_NO_KINDS = frozenset(
    """users customers invoices files folders branches tags tickets emails messages packages passwords tokens keys
    sources targets applications servers machines hosts features bugs recipes books items entries members contacts
    services deployments values variables settings databases tables ports volumes workloads apps components projects
    tasks tests builds pipelines runs stages environments accounts credentials crashes failures exceptions restarts
    requests responses calls changes differences""".split()
)
_CUSTOM = ag.Phrases("show KIND (BEING)*\nwhat|which KIND (BEING)*", {**_SLOTS, "KIND": r"(?P<name>[a-z]{4,40}s)"})


def read_list(words: Words) -> Reading | None:
    """The list that is asked for."""
    if (parts := _ON_NODE.match(words.text)) and _is_node(parts["name"], words):
        command = f"kubectl get pods{words.scope(listing=True)} --field-selector=spec.nodeName={parts['name']}"
        return Reading(command, f"list the pods on node {parts['name']}", 0.92)
    if parts := _ASKED.match(words.text):
        words = (
            replace(words, namespace=parts["space_name"]) if "space_name" in parts and not words.namespace else words
        )
        return _list(words, parts, 0.95 if _is_definite(words, parts) else 0.6)
    if parts := _NAMED.match(words.text):
        # Without a verb it may be something to look up in documents, or a statement.
        formed = words.text.split(">")[-1].strip() in {"list", "status", "overview", "health"}
        placed = words.namespace or words.everywhere or (formed and _is_definite(words, parts))
        return _list(words, parts, 0.92 if placed and "state" not in parts else 0.5)
    return _read_everything(words) or _read_custom(words)


def read_telegram(words: Words) -> Reading | None:
    """Many objects and a name, and not a word more: "pods web-eu"."""
    parts = None if words.namespace or words.everywhere else _TELEGRAM.match(words.text)
    kind = find_kind(parts["kind"]) if parts else None
    if parts is None or kind is None or not (kind.namespaced and is_place(parts["name"])):
        return None
    return Reading(f"kubectl get {kind.plural} -n {parts['name']}", f"list the {kind.plural} in {parts['name']}", 0.78)


def _read_custom(words: Words) -> Reading | None:
    """A kind that nobody has heard of: kubectl will say whether it exists."""
    parts = _CUSTOM.match(words.text) if words.namespace else None
    if parts is None or parts["name"] in _NO_KINDS:
        return None
    confidence = 0.8 if words.asks_list else 0.6
    return Reading(f"kubectl get {parts['name']}{words.scope()}", f"list the {parts['name']}{words.where}", confidence)


def _is_node(name: str, words: Words) -> bool:
    """Whether a name is one of a node: the word says it, or it has a number as nodes do."""
    return "<s:nodes>" in words.text or bool(re.search(r"\d", name))


def _is_definite(words: Words, parts: Mapping[str, str]) -> bool:
    """Whether it is about what there is: "what are pods" asks for a definition, "pod status" for anything."""
    if words.namespace or words.everywhere:
        return True
    if not words.asks_list and any(f":{each}>" in parts["kinds"] for each in _AMBIGUOUS):
        return False
    if words.text.startswith("<"):
        return "nodes>" in parts["kinds"] or "namespaces>" in parts["kinds"]
    return not re.fullmatch(r"what (?:is|are) <[^<>]+>", words.text) or bool(re.search(" (?:the|our|my) ", words.said))


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
        return Reading(f"kubectl get all{words.scope()}", f"list everything{words.where}", 0.92)
    if words.named and _RUNNING.match(words.text) is not None:
        return Reading(f"kubectl get pods{words.scope()}", f"list the pods{words.where}", 0.92)
    return None

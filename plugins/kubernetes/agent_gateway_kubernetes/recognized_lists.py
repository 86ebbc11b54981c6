"""Plain requests for lists of objects: "which pods run in web", "list the ingresses", "how many nodes are there"."""

from __future__ import annotations

import re

from .recognized_kinds import find_kind
from .recognized_reading import Reading
from .recognized_words import MANY, Words

_BEING = (
    r"(?:are|is|do|does|we|have|has|exist|exists|running|run|runs|there|deployed|present|available|you|see|got|defined"
    r"|configured|active|created|scheduled|live|installed|registered|i|set up|it has|in use|know about|using)"
)
_STATE = (
    r"(?:pending|failed|running|succeeded|completed|not running|not ready|not healthy|unhealthy|failing|crashing"
    r"|crash ?looping|in crashloopbackoff|crashloopbackoff|restarting|broken|evicted|stuck|terminating|ready|healthy|up"
    r"|ok|okay|fine|down|unready|notready|online|in trouble|alive|good|bound|unbound|having (?:problems|issues|trouble))"  # noqa: E501 - a pattern is easier to read in one line
)
_FORM = r"(?:full |complete |short |quick )?(?:list|overview|status|statuses|state|states|health|names|inventory|table|listing|summary)"  # noqa: E501 - a pattern is easier to read in one line
_SHAPE = (
    r"(?P<shape> wide| with (?:their )?(?:labels|ips?|ip addresses|nodes?|more detail|more details)"
    r"| with (?:label )?(?P<label>[a-z0-9][\w./-]*=[\w.-]+)"
    r"|(?: that have| having| with| carrying)? (?:label(?:led|ed)?(?: with| as)?) (?P<label_too>[a-z0-9][\w./-]*=[\w.-]+)"  # noqa: E501 - a pattern is easier to read in one line
    r"| (?:by|sorted by|ordered by) (?:age|creation|creation time))?"
)
_ASKED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"show (?:me )?(?:{_FORM} of )?(?:(?P<state>{_STATE}) )?{MANY}(?: {_FORM})?(?: {_BEING})*(?: (?P<state_too>{_STATE}))?{_SHAPE}",  # noqa: E501 - a pattern is easier to read in one line
        rf"(?:show )?(?:what|which)(?: (?:are|is)(?: {_FORM} of)?)? (?:(?P<state>{_STATE}) )?{MANY}(?: {_BEING})*(?: (?P<state_too>{_STATE}))?{_SHAPE}",  # noqa: E501 - a pattern is easier to read in one line
        rf"(?:show )?(?:how many|number of|count(?: of)?) (?:(?P<state>{_STATE}) )?{MANY}(?: {_BEING})*(?: (?P<state_too>{_STATE}))?{_SHAPE}",  # noqa: E501 - a pattern is easier to read in one line
        rf"(?:is|are) there (?:(?P<state>{_STATE}) )?{MANY}(?: {_BEING})*(?: (?P<state_too>{_STATE}))?{_SHAPE}",
        rf"(?:do|does) (?:we|i|it) have (?:(?P<state>{_STATE}) )?{MANY}(?: {_BEING})*(?: (?P<state_too>{_STATE}))?{_SHAPE}",  # noqa: E501 - a pattern is easier to read in one line
        rf"(?:are|if|whether) {MANY} (?:are )?(?P<state>{_STATE}){_SHAPE}",
        rf"(?:show )?(?:what is|how is|how are) (?:{_FORM} of )?{MANY}(?: {_BEING})*(?: doing)?{_SHAPE}",
    )
)
_NAMED = re.compile(rf"(?:{_FORM} of )?{MANY}(?: {_FORM})?(?: (?:there are|running|deployed|there))?{_SHAPE}")
_PHASES = {"pending": "=Pending", "failed": "=Failed", "not running": "!=Running", "succeeded": "=Succeeded"}
_ON_NODE = re.compile(
    r"(?:show |which |what )?(?:are )?<p:pods>(?: that)?(?: are| do| does)?(?: running| scheduled| placed| run| runs)? (?:on|of|from) <s:nodes> (?P<node>[a-z0-9][a-z0-9.-]*)"  # noqa: E501 - a pattern is easier to read in one line
    r"|(?:show |which |what )<p:pods>(?: that)?(?: are)?(?: running| scheduled| placed| run| runs) on (?P<node_too>[a-z0-9][a-z0-9.-]*\d[a-z0-9.-]*)"  # noqa: E501 - a pattern is easier to read in one line
)
_EVERYTHING = re.compile(r"show (?:everything|objects|resources|workloads and <p:services>)(?: there is| running)?")
_RUNNING = re.compile(r"(?:show )?what (?:is|runs)(?: running)?")


def read_list(words: Words) -> Reading | None:
    """The list that is asked for."""
    if found := _ON_NODE.fullmatch(words.text):
        node = found["node"] or found["node_too"]
        command = f"kubectl get pods{words.scope(listing=True)} --field-selector=spec.nodeName={node}"
        return Reading(command, f"list the pods on node {node}", 0.9)
    for pattern in _ASKED:
        if found := pattern.fullmatch(words.text):
            return _list(words, found, 0.95 if _is_definite(words) else 0.5)
    if found := _NAMED.fullmatch(words.text):
        # Without a verb it may be something to look up in documents.
        placed = words.namespace or words.everywhere
        return _list(words, found, (0.9 if words.named or words.everywhere else 0.85) if placed else 0.5)
    return _read_everything(words)


def _is_definite(words: Words) -> bool:
    """Whether it is about what there is: "what are pods" asks for a definition."""
    return bool(words.namespace or words.everywhere) or not re.fullmatch(r"what (?:is|are) <[^<>]+>", words.text)


def _list(words: Words, found: re.Match[str], confidence: float) -> Reading | None:
    kinds = [find_kind(each) for each in re.findall(r"<\w:([^<>]+)>", found["kinds"])]
    if not any(each.namespaced for each in kinds):
        if words.namespace:
            return None
        scope = ""
    else:
        scope = words.scope(listing=True)
    names = ",".join(each.plural for each in kinds)
    parts = found.groupdict()
    options = _selected(names, parts) + _shaped(parts)
    told = " and ".join(each.plural for each in kinds)
    return Reading(f"kubectl get {names}{scope}{options}", f"list the {told}{words.where}", confidence)


def _selected(names: str, parts: dict[str, str | None]) -> str:
    label = parts.get("label") or parts.get("label_too")
    phase = _PHASES.get(parts.get("state") or parts.get("state_too") or "", "") if names == "pods" else ""
    return (f" -l {label}" if label else "") + (f" --field-selector=status.phase{phase}" if phase else "")


def _shaped(parts: dict[str, str | None]) -> str:
    shape = parts.get("shape") or ""
    if parts.get("label") or parts.get("label_too") or not shape:
        return ""
    if "labels" in shape:
        return " --show-labels"
    return " --sort-by=.metadata.creationTimestamp" if " by " in shape else " -o wide"


def _read_everything(words: Words) -> Reading | None:
    if not words.namespace:
        return None
    if _EVERYTHING.fullmatch(words.text):
        return Reading(f"kubectl get all{words.scope()}", f"list everything{words.where}", 0.85)
    if _RUNNING.fullmatch(words.text) and words.named:
        return Reading(f"kubectl get pods{words.scope()}", f"list the pods{words.where}", 0.85)
    return None

"""Plain requests for usage, rollouts, events and the like: "top pods in web", "rollout status of deployment api"."""

from __future__ import annotations

import re
from dataclasses import replace

import agent_gateway as ag

from .recognized_kinds import WORKLOADS, find_kind
from .recognized_reading import Reading
from .recognized_words import SUBJECT, Words, is_place

_SLOTS = {
    "WHAT": "cpu|memory|ram|mem|resources?|cpu and memory|cpu/memory|memory and cpu|cpu and ram|compute",
    "USE": "usage|consumption|use|utili[sz]ation|load|stats|metrics|numbers|figures",
    "USES": "uses?|using|consumes?|consuming|takes?|eats?|eating|hogs?|hogging|burns?|burning|needs?",
    "MEASURED": (
        rf"<[spx]:(?P<kind>pods|nodes)>(?: (?P<name>{ag.Phrases.NAME}))?"
        rf"|(?P<name>{ag.Phrases.NAME}) <s:(?P<kind>pods|nodes)>"
    ),
    "KIND": "<[sp]:(?P<kind>pods|nodes)>",
    "DEPLOYMENT": "<s:(?P<kind>deployments)>",
    "NAME": rf"(?P<name>{ag.Phrases.NAME})",
    "MANY": "<p:(?P<kind>pods|nodes)>",
    "BY": "(?P<by>cpu|memory|ram|mem)",
    "SUBJECT": SUBJECT,
    "DONE": "done|finish|finished|complete|completed|succeed|succeeded|through|over|successful",
    "STATE": "status|state|progress",
    "BEING": (
        "are|have|were|there|happened|occurred|recently|been|lately|happening|recorded|is|do|we|exist|that|which|occur"
    ),
    "RECENT": "most recent|recent|latest|last|new|newest|current|cluster",
    "WARNING": "(?P<warning>warning|abnormal)",
    "WARNINGS": "(?P<warning>warnings)",
}
_BY = "[[sorted|ordered|ranked] by BY [usage|consumption]]"
_TOP = ag.Phrases(
    f"""
    [show] which|what MANY [is|are] USES [up] most BY
    [show] MANY (with|that use|using|which use|that are using) highest|most BY [usage|consumption]
    [show] MANY [sorted|ordered|ranked] by BY [usage|consumption]
    [show] top BY [consuming] MANY
    [show] top [of] MEASURED {_BY}
    [show] [what is] [current] WHAT USE of|for|by|per|on|across|from [each] MEASURED {_BY}
    [show] MEASURED [WHAT] USE {_BY}
    [show] [what is] [current] USE of|for|by|per [each] MEASURED {_BY}
    [show] [what is] WHAT of|for MEASURED
    [show] [what is] KIND [WHAT] USE
    [show] how much WHAT [is|are|do|does] MEASURED USES [up]
    [show] what|which WHAT is|are|do MEASURED USES
    [show] how loaded|busy is|are MEASURED
    """,
    _SLOTS,
)
_ROLLOUT = {
    "status": ag.Phrases(
        """
        [show] [what is] rollout STATE of|for SUBJECT
        [show] SUBJECT rollout [STATE]
        show rollout of SUBJECT
        [show] [what is] STATE of SUBJECT rollout
        [show] [what is] STATE of rollout of|for SUBJECT
        is|has|did|if|whether rollout of|for SUBJECT [is|has] DONE
        is|has|did SUBJECT rollout DONE
        did|has|is SUBJECT (roll out|rolled out|finish rolling out|finished rolling out|done rolling out)
        how far is rollout of|for SUBJECT
        how is rollout of|for SUBJECT going|doing|progressing
        """,
        _SLOTS,
    ),
    "history": ag.Phrases(
        """
        [show] [what is] (rollout history|revision history|rollouts history|deployment history|history) of|for SUBJECT
        [show] [what|which|what are] [past|previous|old|earlier] revisions|rollouts [are there|exist|there are] \
            of|for SUBJECT
        [show] [what is] DEPLOYMENT history of|for NAME
        [show] SUBJECT (rollout history|revision history|history|revisions|rollout revisions)
        [show] what|which [past|previous|old|earlier] revisions|rollouts does|has|did SUBJECT have|had
        """,
        _SLOTS,
    ),
}
_EVENTS = ag.Phrases(
    """
    [show|what|which] (are|were|is)* [there] (RECENT)* [WARNING] events (BEING)*
    are|is|were|have there [been] (RECENT)* [WARNING] events (BEING)*
    [show|are there] [recent|latest] WARNINGS [there]
    """,
    _SLOTS,
)
_VERSION = ag.Phrases(
    """
    [show] [what is|which] [version of] server|cluster|kubectl version [is|are we|do we|running|run|it|this]
    [show] what|which version [is|of] [is] cluster|server [running|on|is]
    [show] [what is] version of cluster|server|kubernetes
    [show] [what|which|what is] kubernetes|k8s version [is|are we|do we|running|run|it|this|on]
    [show] what|which version of kubernetes|k8s (is|are|do|does|we|it|this|cluster|running|run|on)*
    [show] what|which kubernetes|k8s version (is|are|do|does|we|it|this|cluster|running|run|on|have)*
    """
)
_RESOURCES = ag.Phrases(
    """
    [show|what|which|what are] api-resources (are|there|available|exist)*
    [show|what|which|what are] api resources (are|there|available|exist)*
    """
)


def read_usage(words: Words) -> Reading | None:
    """What is asked about usage, rollouts, events, or the cluster itself."""
    return _read_top(words) or _read_rollout(words) or _read_events(words) or _read_cluster(words)


def _read_top(words: Words) -> Reading | None:
    for parts in _TOP.matches(words.text):
        many, name = parts["kind"], parts.get("name", "")
        kind = find_kind(many)
        if "<p:pods>" in words.text and not words.namespace and is_place(name):
            # "Top pods web-eu".
            words, name = replace(words, namespace=name), ""
        if words.namespace and not kind.namespaced:
            continue
        if name and not re.search(r"[-\d]", name) and re.search(r"<(?:p:|[sx]:pods)", words.text):
            # No pod has a name without either, and many have none.
            continue
        order = f" --sort-by={'cpu' if parts['by'] == 'cpu' else 'memory'}" if "by" in parts else ""
        scope = words.scope(listing=not name) if kind.namespaced else ""
        target = f"{kind.singular} {name}" if name else many
        return Reading(f"kubectl top {target}{scope}{order}", f"show the usage of {target}{words.where}", 0.95)
    return None


def _read_rollout(words: Words) -> Reading | None:
    for verb, phrases in _ROLLOUT.items():
        for parts in phrases.matches(words.text):
            kind, name = parts.get("kind", ""), parts["name"]
            # A history without a kind may be that of anything.
            kind = kind or ("deployments" if re.search("roll|revision|deployment", words.text) else "")
            if kind in WORKLOADS and not words.everywhere:
                one = find_kind(kind).singular
                command = f"kubectl rollout {verb} {one}/{name}{words.scope()}"
                return Reading(command, f"show the rollout {verb} of {one} {name}{words.where}", 0.92)
    return None


def _read_events(words: Words) -> Reading | None:
    parts = _EVENTS.match(words.text)
    if parts is None or not (words.namespace or words.everywhere or words.text.startswith(("show ", "what are "))):
        return None
    warning = parts.get("warning")
    if warning == "warnings" and not words.namespace:
        return None
    command = "get events" if warning else "events"
    option = " --field-selector=type=Warning" if warning else ""
    told = "warnings" if warning else "events"
    return Reading(f"kubectl {command}{words.scope(listing=True)}{option}", f"list the {told}{words.where}", 0.92)


def _read_cluster(words: Words) -> Reading | None:
    if words.namespace:
        return None
    if _VERSION.match(words.text) is not None:
        return Reading("kubectl version", "show the cluster's version", 0.92)
    if _RESOURCES.match(words.text) is not None:
        return Reading("kubectl api-resources", "list the kinds that the cluster knows", 0.92)
    return None

"""Plain requests about one object: describe it, its YAML, its state, its image, its events, why it does not start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import agent_gateway as ag

from .recognized_kinds import find_kind
from .recognized_reading import Reading
from .recognized_words import OBJECT, Words

_SLOTS = {
    "OBJECT": OBJECT,
    "NAME": rf"(?P<name>{ag.Phrases.NAME})",
    "MANY": r"<[px]:(?P<kind>[^<>]+)>",
    "NODE": "<s:nodes>",
    "WELL": (
        "doing|running|ready|healthy|up|up and running|ok|okay|fine|alive|available|there|bound|active|deployed"
        "|complete|completed|done|online|working|well"
    ),
    "ILL": (
        "pending|crashing|failing|stuck|not starting|not running|not ready|not scheduled|not coming up|crash ?looping"
        "|restarting|stuck pending|stuck in pending|in error|in imagepullbackoff|in crashloopbackoff"
        "|unschedulable|in pending|unready|not being scheduled|evicted|unhealthy|broken"
    ),
    "START": (
        "start|starting|run|running|crash|crashing|restart|restarting|get scheduled|become ready|get ready|fail|failing"
    ),
    "FULL": "full|complete|raw|live|whole|current|more|detailed|some|a",
    "FORM": "yaml|yml|manifest|spec|definition",
    "IMAGE": "image|images|image version|image tag|container image|container images|version|tag|docker image",
    "USE": "use|using|uses|run|running|runs|on|have|has",
    "COPIES": "replicas|copies|instances|pods",
    "PODS": "<p:pods>",
    "STATE": "status|state|health|condition|conditions",
}
_ABOUT = "of|about|on|for|from"


class _Form(NamedTuple):
    phrases: ag.Phrases
    #: The command for kind (for one), name and the scope.
    command: str
    meaning: str
    confidence: float = 0.95
    kinds: frozenset[str] = frozenset()
    but: str = ""

    def takes(self, kind: str) -> bool:
        """Whether this can be asked about a kind."""
        return kind != self.but and (not self.kinds or kind in self.kinds)


def _form(
    phrases: str, command: str, meaning: str, confidence: float = 0.95, *, kinds: str = "", but: str = ""
) -> _Form:
    return _Form(ag.Phrases(phrases, _SLOTS), command, meaning, confidence, frozenset(kinds.split()), but)


_FORMS = (
    _form(
        f"""
        describe OBJECT [in [more] detail]
        [show] (FULL)* details|detail|info|information|description {_ABOUT} OBJECT
        show OBJECT (in [more|full] detail|details|description|with details)
        OBJECT details|description
        show [more] about OBJECT
        [show] describe [output] of|for OBJECT
        """,
        "describe {kind} {name}{scope}",
        "describe {kind} {name}",
    ),
    _form(
        """
        [show] [what is] (FULL)* FORM [FORM|file] of|for|from|behind OBJECT
        [show] OBJECT [as|in] FORM [format]
        [show] FORM OBJECT
        what does FORM of|for OBJECT look like
        """,
        "get {kind} {name}{scope} -o yaml",
        "show the YAML of {kind} {name}",
    ),
    _form(
        "[show] (FULL)* json of|for OBJECT\n[show] OBJECT as|in json",
        "get {kind} {name}{scope} -o json",
        "show {kind} {name} as JSON",
    ),
    _form(
        """
        [show] [what is] [current] STATE of|for OBJECT
        [show] OBJECT STATE
        show OBJECT
        does OBJECT exist
        is there OBJECT
        """,
        "get {kind} {name}{scope}",
        "show {kind} {name}",
    ),
    # A service has no state of its own: that of the app behind it is meant.
    _form(
        "(is|how is|if|whether) OBJECT [is] WELL\nhow is OBJECT",
        "get {kind} {name}{scope}",
        "show {kind} {name}",
        but="services",
    ),
    _form("OBJECT", "get {kind} {name}{scope}", "show {kind} {name}", 0.6),
    _form(
        """
        [show] how many [ready|running|available] COPIES (does|is|are|do) OBJECT (have|has|running|run)
        [show] how many [ready|running|available] PODS (does|is|are|do) OBJECT (have|has|running|run)
        [show] how many [ready|running|available] COPIES (are)* (of|for) OBJECT (are|there|running|ready|up|available)*
        [show] how many [ready|running|available] COPIES (are)* (running|ready|available|there)* for OBJECT
        [show] [what is] (replicas|replica count|number of replicas|replica status|current replicas) of|for OBJECT
        """,
        "get {kind} {name}{scope}",
        "show {kind} {name}",
        0.92,
        kinds="deployments statefulsets replicasets daemonsets",
    ),
    _form(
        """
        [show] what|which IMAGE (is|are|does|do) OBJECT USE
        [show] [what is|what are|which] IMAGE (of|for|in|used by|used in|running in|from|deployed in|is running in) \
            OBJECT
        [show] OBJECT IMAGE
        [show] what|which IMAGE (is|are) used|run|deployed by|in|for OBJECT
        """,
        "get {kind} {name}{scope} -o wide",
        "show {kind} {name} with its image",
        0.92,
        kinds="pods deployments statefulsets daemonsets jobs cronjobs replicasets",
    ),
    _form(
        """
        [show] [on] what|which NODE (is|does|runs|hosts|has|running|hosting)* OBJECT \
            (running|scheduled|run|on|placed|live|sitting|is|runs)*
        where is|does OBJECT running|scheduled|run|placed|live
        [show] NODE of|for OBJECT
        """,
        "get {kind} {name}{scope} -o wide",
        "show {kind} {name} with its node",
        0.92,
        kinds="pods",
    ),
    _form(
        """
        why is|was OBJECT [still|always|constantly] ILL
        why does|will|did|would OBJECT [not|keep|keeps|keep on] START
        why does|will|did|is|can not OBJECT (START|ILL|WELL|scheduled)
        OBJECT is ILL why
        OBJECT will|does|is|can not START|WELL why
        what is reason [why|that] OBJECT is ILL
        why is|was OBJECT restarted|killed|terminated|evicted|failed
        what is (wrong|up|happening|going on|the matter|matter) with OBJECT
        """,
        "describe {kind} {name}{scope}",
        "describe {kind} {name}, which says why",
        0.92,
        kinds="pods persistentvolumeclaims jobs",
    ),
    _form(
        f"""
        [show|what|which] [are] (recent|latest|last|related)* events (happened|occurred|are|there)* \
            {_ABOUT}|to|involving OBJECT
        [show] OBJECT events
        """,
        "events --for {kind}/{name}{scope}",
        "show the events of {kind} {name}",
    ),
)
_NAMESPACE = ag.Phrases(f"describe\n[show] details|detail|info|information|description [{_ABOUT}]")
_NAMESPACE_FORM = ag.Phrases("[show] FORM [of|for]", _SLOTS)
_MANY = ag.Phrases("describe MANY", _SLOTS)
_NO_KIND = ag.Phrases("describe NAME\n[show] FORM of|for NAME\n[show] NAME in|as yaml", _SLOTS)


def read_object(words: Words) -> Reading | None:
    """What is asked about one object."""
    for form in _FORMS:
        for parts in form.phrases.matches(words.text):
            if form.takes(parts["kind"]):
                reading = _read(form, parts["kind"], parts["name"], words)
                return reading if reading is None or _is_known(parts, words) else reading._replace(confidence=0.6)
    return _read_namespace(words) or _read_many(words) or _read_unknown(words)


def _read(form: _Form, kind: str, name: str, words: Words) -> Reading | None:
    known = find_kind(kind)
    # An object has one namespace, or none, and not all of them.
    if (words.everywhere and known.namespaced) or (words.namespace and not known.namespaced):
        return None
    command = "kubectl " + form.command.format(kind=known.singular, name=name, scope=words.scope())
    return Reading(command, form.meaning.format(kind=known.singular, name=name) + words.where, form.confidence)


def _is_known(parts: Mapping[str, str], words: Words) -> bool:
    """Whether an object is meant: "a canary deployment" is none, "the user-api deployment" is one."""
    name = parts["name"]
    if re.search(rf"<p:[^<>]+> {re.escape(name)}(?!\S)", words.text) and not re.search(r"[-\d]", name):
        # "Nodes wide" is about many.
        return False
    return "turned" not in parts or bool(words.namespace or re.search(r"[-\d]", name) or f"the {name} " in words.said)


def _read_namespace(words: Words) -> Reading | None:
    """The namespace itself: its name was taken for the place."""
    if not words.named:
        return None
    if _NAMESPACE_FORM.match(words.text) is not None:
        command = f"kubectl get namespace {words.namespace} -o yaml"
        return Reading(command, f"show the YAML of namespace {words.namespace}", 0.92)
    if _NAMESPACE.match(words.text) is not None:
        return Reading(f"kubectl describe namespace {words.namespace}", f"describe namespace {words.namespace}", 0.92)
    return None


def _read_many(words: Words) -> Reading | None:
    parts = _MANY.match(words.text)
    if parts is None or (words.namespace and not find_kind(parts["kind"]).namespaced):
        return None
    scope = words.scope(listing=True) if find_kind(parts["kind"]).namespaced else ""
    # "Describe pods" may ask what they are.
    sure = 0.92 if words.namespace or words.everywhere else 0.6
    return Reading(f"kubectl describe {parts['kind']}{scope}", f"describe the {parts['kind']}{words.where}", sure)


def _read_unknown(words: Words) -> Reading | None:
    parts = _NO_KIND.match(words.text)
    name = parts["name"] if parts else ""
    if not name or not (words.namespace or "-" in name):
        return None
    return Reading("", f"describe {name}{words.where}", 0.8, "its kind, like `describe deployment api`")

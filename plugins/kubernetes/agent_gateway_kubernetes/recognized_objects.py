"""Plain requests about one object: describe it, its YAML, its state, its image, its events, why it does not start."""

from __future__ import annotations

import re
from typing import NamedTuple

from .recognized_kinds import find_kind
from .recognized_names import NAME, read_name
from .recognized_reading import Reading
from .recognized_words import OBJECT, Words, object_of

_WELL = (
    r"(?:doing|running|ready|healthy|up|up and running|ok|okay|fine|alive|available|there|bound|active|deployed|complete"  # noqa: E501 - a pattern is easier to read in one line
    r"|completed|done|online|synced|working|well)"
)
_ILL = (
    r"(?:pending|crashing|failing|stuck|not (?:starting|running|ready|scheduled|coming up)|crash ?looping|restarting"
    r"|in crashloopbackoff|unschedulable|in pending|unready|not being scheduled|down|evicted|unhealthy|broken)"
)
_FULL = r"(?:full |complete |raw |live |whole |current |more )?"


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    #: The command for kind (for one), name and the scope.
    command: str
    meaning: str
    confidence: float = 0.95
    kinds: frozenset[str] = frozenset()


def _form(pattern: str, command: str, meaning: str, confidence: float = 0.95, kinds: str = "") -> _Form:
    return _Form(re.compile(pattern.replace("OBJECT", OBJECT)), command, meaning, confidence, frozenset(kinds.split()))


_IMAGED = "pods deployments statefulsets daemonsets jobs cronjobs replicasets"
_FORMS = (
    _form(r"describe OBJECT(?: in (?:more )?detail)?", "describe {kind} {name}", "describe {kind} {name}"),
    _form(
        rf"(?:show )?{_FULL}(?:details?|detailed info|info|information|description) (?:of|about|on|for|from) OBJECT"
        rf"|show OBJECT (?:in (?:more |full )?detail|details|description)|OBJECT (?:details|description)"
        r"|show describe (?:output )?(?:of|for) OBJECT",
        "describe {kind} {name}",
        "describe {kind} {name}",
    ),
    _form(
        rf"(?:show )?(?:what is )?{_FULL}(?:yaml|yml|manifest|spec|definition)(?: (?:yaml|manifest|spec|definition|file))? (?:of|for|from|behind) OBJECT"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?OBJECT(?:'s)? (?:(?:as|in) )?(?:yaml|yml|manifest|spec)(?: format)?|show yaml OBJECT"
        r"|what does (?:yaml|manifest|spec) (?:of|for) OBJECT look like",
        "get {kind} {name}{scope} -o yaml",
        "show the YAML of {kind} {name}",
    ),
    _form(
        rf"(?:show )?{_FULL}json (?:of|for) OBJECT|(?:show )?OBJECT (?:as|in) json",
        "get {kind} {name}{scope} -o json",
        "show {kind} {name} as JSON",
    ),
    _form(
        r"(?:show )?(?:status|state|health|condition) (?:of|for) OBJECT|(?:show )?what is (?:status|state|health) of OBJECT"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?OBJECT(?:'s)? (?:status|state|health)",
        "get {kind} {name}",
        "show {kind} {name}",
    ),
    _form(
        rf"(?:is|how is|if|whether) OBJECT(?: is)? {_WELL}|(?:show )?OBJECT|how is OBJECT"
        r"|does OBJECT exist|is there OBJECT",
        "get {kind} {name}",
        "show {kind} {name}",
    ),
    _form(
        r"(?:show )?how many (?:replicas|copies|pods|instances) (?:does|is|are) OBJECT (?:have|has|running|run)"
        r"|(?:show )?how many (?:replicas|copies|instances) (?:of|for) OBJECT(?: are)?(?: there| running| ready| up| available)*"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?(?:what is )?(?:replicas|replica count|number of replicas)(?: count)? (?:of|for) OBJECT"
        r"|how many (?:replicas|copies|instances) (?:are )?(?:running|ready|available) for OBJECT",
        "get {kind} {name}",
        "show {kind} {name}",
        0.9,
        "deployments statefulsets replicasets daemonsets",
    ),
    _form(
        r"(?:show )?(?:what|which) (?:container )?(?:image|images|image version|image tag|version|tag) (?:is|are|does|do) OBJECT (?:use|using|run|running|on|have)"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?(?:what (?:is|are) )?(?:container )?(?:image|images|image version|image tag)(?: version| tag| used)? (?:of|for|in|used by|used in|running in|from) OBJECT"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?OBJECT(?:'s)? (?:container )?images?",
        "get {kind} {name}{scope} -o wide",
        "show {kind} {name} with its image",
        0.9,
        _IMAGED,
    ),
    _form(
        r"(?:show )?(?:what|which) <s:nodes> (?:is|does|runs|hosts)? ?OBJECT(?: (?:running|scheduled|run|on|placed|live))*"  # noqa: E501 - a pattern is easier to read in one line
        r"|where (?:is|does) OBJECT(?: (?:running|scheduled|run|placed))|(?:show )?<s:nodes> (?:of|for) OBJECT",
        "get {kind} {name}{scope} -o wide",
        "show {kind} {name} with its node",
        0.9,
        "pods",
    ),
    _form(
        rf"why (?:is|was) OBJECT (?:still |always |constantly )?{_ILL}"
        r"|why (?:does|will|did|won't|doesn't|isn't|can't) OBJECT (?:not |keep |keeps )?(?:start|starting|starts|run|running|crash|crashing|restart|restarting|get scheduled|become ready|get ready|fail|ready)",  # noqa: E501 - a pattern is easier to read in one line
        "describe {kind} {name}",
        "describe {kind} {name}, which says why",
        0.85,
        "pods persistentvolumeclaims jobs",
    ),
    _form(
        r"(?:show |what |which )?(?:recent |latest |last |related )?events(?: (?:happened|occurred|are there|there are))? (?:of|for|about|on|from|to|concerning|related to|involving|with) OBJECT"  # noqa: E501 - a pattern is easier to read in one line
        r"|(?:show )?OBJECT(?:'s)? events",
        "events --for {kind}/{name}",
        "show the events of {kind} {name}",
    ),
)
_NAMESPACE = re.compile(
    r"(?:describe|(?:show )?(?:details?|info|information|description) (?:of|about|on|for)?)"
    r"|(?P<yaml>(?:show )?(?:yaml|manifest|spec|definition)(?: of| for)?)"
)
_DESCRIBE_MANY = re.compile(r"describe <[px]:(?P<kind>[^<>]+)>")
_NO_KIND = re.compile(rf"(?:describe|(?:show )?(?:yaml|manifest|spec) (?:of|for)) (?P<name>{NAME})(?: (?:in|as) yaml)?")


def read_object(words: Words) -> Reading | None:
    """What is asked about one object."""
    for form in _FORMS:
        found = form.pattern.fullmatch(words.text)
        kind, name = object_of(found) if found else ("", "")
        if name and (not form.kinds or kind in form.kinds):
            return _read(form, kind, name, words)
    return _read_namespace(words) or _read_many(words) or _read_unknown(words)


def _read(form: _Form, kind: str, name: str, words: Words) -> Reading | None:
    known = find_kind(kind)
    if words.everywhere and known.namespaced:
        # An object has one namespace, and it is not told.
        return None
    if words.namespace and not known.namespaced:
        return None
    scope = words.scope()
    template = form.command if "{scope}" in form.command else form.command + "{scope}"
    command = "kubectl " + template.format(kind=known.singular, name=name, scope=scope)
    return Reading(command, form.meaning.format(kind=known.singular, name=name) + words.where, form.confidence)


def _read_namespace(words: Words) -> Reading | None:
    """The namespace itself: its name was taken for the place."""
    found = _NAMESPACE.fullmatch(words.text) if words.named else None
    if found is None:
        return None
    if found["yaml"]:
        command = f"kubectl get namespace {words.namespace} -o yaml"
        return Reading(command, f"show the YAML of namespace {words.namespace}", 0.9)
    return Reading(f"kubectl describe namespace {words.namespace}", f"describe namespace {words.namespace}", 0.9)


def _read_many(words: Words) -> Reading | None:
    found = _DESCRIBE_MANY.fullmatch(words.text)
    if found is None or (words.namespace and not find_kind(found["kind"]).namespaced):
        return None
    scope = words.scope(listing=True) if find_kind(found["kind"]).namespaced else ""
    return Reading(f"kubectl describe {found['kind']}{scope}", f"describe the {found['kind']}{words.where}", 0.9)


def _read_unknown(words: Words) -> Reading | None:
    found = _NO_KIND.fullmatch(words.text)
    name = read_name(found["name"]) if found else ""
    if not name or not (words.namespace or "-" in name or name[0] in "0123456789"):
        return None
    return Reading("", f"describe {name}{words.where}", 0.8, "its kind, like `describe deployment NAME`")

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
_OBJECT = (
    rf"<[sx]:(?P<kind>[^<>]+)>(?: called| named)?[ /](?P<name>{ag.Phrases.NAME})"
    rf"|<p:(?P<kind>[^<>]+)>(?: called| named)?[ /](?=\S*[-\d])(?P<name>{ag.Phrases.NAME})"
)
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
    but: frozenset[str] = frozenset()


_IMAGED = WORKLOADS | {"pods", "jobs", "cronjobs", "replicasets"}
_COUNTED = "replicas?|replica count|copies|instances|pods|<p:pods>"
#: What something is asked to be, or how it is.
_STATE = (
    "status|state|states|health|healthy|condition|ok|okay|ready|up|fine|alive|well|good|green|available|done|complete"
    "|completed|finished|finish|succeeded|successful|active|bound|doing|exists?|scheduled|online|all right|alright"
    f"|in (?:good |a good )?(?:shape|order)|happy|(?:how many )?(?:ready |running |available )?(?:{_COUNTED})"
)
_ROLLED = (
    "rollout status|rollout state|rollout progress|rollout|rolled out|roll out|rolling out|roll-out|rolling update"
)
_ROLLED_FILLERS = """status state progress fully completely finished finish done complete completed already successfully
    successful succeeded succeed gone go went going far along way still through over yet ready stuck fail failed
    progressing rolling new version out ok okay fine well"""
#: What may as well ask for one.
_ROLL_OUT = re.compile(r"roll-?out (?!of |for )\S+")
_REVISIONS = (
    "revision history|rollout history|history of (?:the )?(?:rollouts?|revisions?|deploys?)"
    "|rollouts history|deployment history|revisions?"
    "|(?:past|previous|prior|old|older|earlier|last) (?:rollouts|versions|deploys)"
)
_REVISIONS_FILLERS = "previous past old earlier older rollout rollouts deployed last kept history number"
_ASPECTS = (
    _Aspect(_ROLLED, _ROLLED_FILLERS,
            "rollout status {kind}/{name}{scope}", "show the rollout status of {kind} {name}", WORKLOADS),
    _Aspect(_REVISIONS, _REVISIONS_FILLERS,
            "rollout history {kind}/{name}{scope}", "show the rollout history of {kind} {name}", WORKLOADS),
    _Aspect("yaml|yml|manifest|yaml manifest|yaml definition|yaml output",
            "full complete output format form as raw live file definition export spec configuration whole",
            "get {kind} {name}{scope} -o yaml", "show the YAML of {kind} {name}"),
    _Aspect("json|json output", "full complete output format form as raw live file",
            "get {kind} {name}{scope} -o json", "show {kind} {name} as JSON"),
    _Aspect("describe|details?|detailed|description|information|info|specifics|everything|all|more",
            "more full detailed output complete view description details detail information info describe kubectl",
            "describe {kind} {name}{scope}", "describe {kind} {name}"),
    _Aspect("events?", "recent latest kubernetes happened occurred related recorded last logged fired raised",
            "events --for {kind}/{name}{scope}", "show the events of {kind} {name}"),
    _Aspect("images?|container images?|docker images?|image versions?|image tags?",
            "use used uses using container version tag currently deployed",
            "get {kind} {name}{scope} -o wide", "show {kind} {name} with its image", _IMAGED),
    _Aspect(_STATE, """how many ready running available still already much fully entirely properly correctly and
                    completely whether""",
            "get {kind} {name}{scope}", "show {kind} {name}", but=frozenset({"services"})),
)  # fmt: skip
_GISTS = [
    (aspect, ag.Gist(form, aspect.words, fillers=aspect.fillers)) for aspect in _ASPECTS for form in (_OBJECT, _TURNED)
]
#: The same of an app, whose deployment is meant.
_APP = "(?:<s:deployments>|<s:services>)"
_ROLLOUTS = (
    ("status", ag.Gist(_ROLLED, takes=(_APP,), fillers=_ROLLED_FILLERS, named=True)),
    ("history", ag.Gist(_REVISIONS, takes=(_APP,), fillers=_REVISIONS_FILLERS, named=True)),
)
_WIDE = "ips?|ip addresses|addresses|kernels?|kernel versions?|os|os images?|operating systems?|container runtimes?"
_LIST = ag.Gist(
    MANY,
    takes=(
        "(?P<wide>-o wide|wide output|wide|in wide format|wide format)",
        rf"(?:with|and|including|plus) (?:their |the )?(?P<wide>(?:{_WIDE}|<[sp]:nodes>)(?: and (?:{_WIDE}))*)",
    ),
    fillers="""status statuses state states health names overview ready healthy up together contain contains and ok
        okay fine well good set doing alive how many much number count full short complete listing inventory set-up do
        cluster installed view out look part members member active created present hosted in-use up everywhere all""",
)
#: Asks for what there is.
_NAMING = re.compile(r"(?:show|list|which|how many|all|every|what (?:nodes|namespaces)|how are)\b")
_MEASURES = "cpu|memory|ram|resources?|cpu/memory|compute|cores?"
_USED = ag.Gist(
    "<[spx]:(?P<kind>pods|nodes)>",
    "top|load|loaded|busy|full|usage|consumption|utili[sz]ation|consum(?:e|es|ing)|uses?|using|eats?|eating|burning"
    f"|hogging|burns?|hogs?|{_MEASURES}",
    takes=(
        r"(?:(?:sorted|ordered|ranked) )?by (?P<by>cpu|memory|ram)",
        r"(?P<most>most|hungriest|highest|biggest|largest|top)(?: (?P<what>cpu|memory|ram))?",
    ),
    fillers="""use uses using used consumed much need per level taking takes up how figures numbers stats metrics and
        first consumers consumer users hungry""",
)
_EVENTS = ag.Gist(
    "events?",
    fillers="""recent latest happened occurred cluster most newest last happening log logged logs recorded new fired
        raised lately today""",
)
_WARNINGS = ag.Gist(
    "warnings|(?:warning|abnormal|non-normal) events?",
    fillers="recent latest happened occurred cluster newest last happening logged recorded new warning events",
)
_LOGGED = ag.Gist(
    rf"(?P<name>{ag.Phrases.NAME}) (?:has |have )?(?:been )?(?:logged|logging|printed|printing|wrote|written|writing)",
    takes=("<[spx]:(?:pods|deployments|statefulsets|daemonsets|jobs|cronjobs|services)>",),
    fillers="recent latest last output out log logs stdout",
)
_LOGS = ag.Gist(
    _LOGGING,
    takes=(
        "<[spx]:(?:pods|deployments|statefulsets|daemonsets|jobs|cronjobs|services)>",
        r"(?:last |latest |final |newest )?(?P<lines>\d{1,4}) (?:log )?(?:lines|entries|rows|messages)",
        (
            "(?P<previous>previous|previously|prior|crashed|before (?:it |its |the |last )*(?:crash|restart)(?:ed)?"
            "|--previous)(?: container| instance| run)?(?: (?:in|of))?"
        ),
        f"container (?P<container_name>{ag.Phrases.NAME})|(?P<container_name>{ag.Phrases.NAME}) container",
    ),
    fillers="""output lines recent latest newest recently lately say says said saying written wrote write writes writing
        printed printing container instance entries messages full file stdout tail complete spit spits out last workload
        component end""",
    named=True,
)


def read_gist(words: Words, *, asked: bool = False) -> Reading | None:
    """The command that is meant; `asked`: a question mark stood behind the words."""
    if not words.text:
        return None
    if words.everywhere:
        return _read_events(words, asked=asked) or _list(words, asked=asked)
    for aspect, gist in _GISTS:
        parts = gist.read(words.text, asked=asked)
        if parts and (not aspect.kinds or parts["kind"] in aspect.kinds) and parts["kind"] not in aspect.but:
            return _object(aspect, parts, words)
    return (
        _read_rollout(words, asked=asked)
        or _read_usage(words, asked=asked)
        or _read_events(words, asked=asked)
        or _list(words, asked=asked)
    )


def _read_rollout(words: Words, *, asked: bool) -> Reading | None:
    """The rollout of an app without a kind, whose deployment is meant."""
    if not words.namespace or _ROLL_OUT.fullmatch(words.text):
        return None
    for verb, gist in _ROLLOUTS:
        if parts := gist.read(words.text, asked=asked):
            target = f"deployment/{parts['name']}"
            told = f"show the rollout {verb} of deployment {parts['name']}{words.where}"
            return Reading(f"kubectl rollout {verb} {target}{words.scope()}", told, CONFIDENCE)
    return None


def _read_usage(words: Words, *, asked: bool) -> Reading | None:
    parts = _USED.read(words.text, asked=asked)
    if not parts or bool(words.namespace) != find_kind(parts["kind"]).namespaced:
        return None
    by = parts.get("by") or parts.get("what") or ""
    if "most" in parts and not by:
        measures = set(re.findall(r"cpu|memory|ram", words.text))
        by = measures.pop() if len(measures) == 1 else ""
    order = f" --sort-by={'cpu' if by == 'cpu' else 'memory'}" if by else ""
    told = f"show the usage of {parts['kind']}{words.where}"
    return Reading(f"kubectl top {parts['kind']}{words.scope()}{order}", told, CONFIDENCE)


def _read_events(words: Words, *, asked: bool) -> Reading | None:
    if not (words.namespace or words.everywhere):
        return None
    if words.namespace and _WARNINGS.read(words.text, asked=asked) is not None:
        command = f"kubectl get events{words.scope()} --field-selector=type=Warning"
        return Reading(command, f"list the warnings{words.where}", CONFIDENCE)
    if _EVENTS.read(words.text, asked=asked) is not None:
        return Reading(f"kubectl events{words.scope(listing=True)}", f"list the events{words.where}", CONFIDENCE)
    return None


def read_logs_gist(words: Words) -> dict[str, str] | None:
    """What is said about the logs that are asked for."""
    # "Does it have logs" asks for something else.
    if words.everywhere or words.text.startswith(("does ", "do ", "is ", "are ")):
        return None
    return _LOGS.read(words.text) or _LOGGED.read(words.text)


def _object(aspect: _Aspect, parts: dict[str, str], words: Words) -> Reading | None:
    known = find_kind(parts["kind"])
    # Without a place it may be about anything that has such a name.
    if known.namespaced != bool(words.namespace):
        return None
    if not known.namespaced and not re.search(r"[-\d]", parts["name"]):
        return None
    names = {"kind": known.singular, "name": parts["name"]}
    command = "kubectl " + aspect.command.format(**names, scope=words.scope())
    return Reading(command, aspect.meaning.format(**names) + words.where, CONFIDENCE)


def _list(words: Words, *, asked: bool) -> Reading | None:
    parts = _LIST.read(words.text, asked=asked)
    kinds = [find_kind(each) for each in re.findall(r"<\w:([^<>]+)>", parts["kinds"])] if parts else []
    if not parts or len(kinds) != 1 or kinds[0].namespaced != bool(words.namespace or words.everywhere):
        return None
    # "What are nodes" asks for a definition.
    if not kinds[0].namespaced and not ("wide" in parts or _NAMING.match(words.said)):
        return None
    plural = kinds[0].plural
    option = " -o wide" if "wide" in parts else ""
    scope = words.scope() if kinds[0].namespaced else ""
    scope = " -A" if words.everywhere and kinds[0].namespaced else scope
    return Reading(f"kubectl get {plural}{scope}{option}", f"list the {plural}{words.where}", CONFIDENCE)

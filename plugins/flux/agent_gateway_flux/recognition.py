"""Recognizes plain requests for this plugin's tools, without a model.

A request that says "flux", or reconciles, suspends or resumes, is meant for them. One that only names a kind of Flux
("is kustomization apps ready") is left to a tool that lists any kind, when there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import agent_gateway as ag

#: How people write the kinds -> what the tools are told.
_KINDS = {
    "kustomization": "Kustomization", "kustomizations": "Kustomization", "ks": "Kustomization",
    "helmrelease": "HelmRelease", "helmreleases": "HelmRelease", "helm release": "HelmRelease",
    "helm releases": "HelmRelease", "hr": "HelmRelease", "gitrepository": "GitRepository",
    "gitrepositories": "GitRepository", "git repository": "GitRepository", "git repositories": "GitRepository",
    "gitrepo": "GitRepository", "source git": "GitRepository", "git source": "GitRepository",
    "sources git": "GitRepository", "git sources": "GitRepository",
    "helmrepository": "HelmRepository", "helmrepositories": "HelmRepository", "helm repository": "HelmRepository",
    "helm repositories": "HelmRepository", "source helm": "HelmRepository", "helmrepo": "HelmRepository",
    "sources helm": "HelmRepository", "ocirepository": "OCIRepository", "ocirepositories": "OCIRepository",
    "oci repository": "OCIRepository", "oci repositories": "OCIRepository", "source oci": "OCIRepository",
    "sources oci": "OCIRepository", "helmchart": "HelmChart", "helmcharts": "HelmChart", "helm chart": "HelmChart",
    "helm charts": "HelmChart", "source bucket": "Bucket",
}  # fmt: skip
_KIND = f"(?P<kind>{'|'.join(sorted(map(re.escape, _KINDS), key=len, reverse=True))})"
_NAME = rf"(?P<name>{ag.Phrases.NAME})"
_SLOTS = {
    "OBJECT": rf"{_KIND}[ /](?:called |named )?{_NAME}|{_NAME} {_KIND}",
    "NAME": _NAME,
    "KIND": _KIND,
    "IT": "(?P<it>it|that|this|them|those|these)",
    "WELL": (
        "ready|healthy|synced|in sync|reconciled|reconciling|suspended|ok|okay|fine|applied|up to date|failing|failed"
        "|stuck|stalled|paused|out of sync|doing|current"
    ),
    "ILL": "(?P<ill>suspended|paused|reconciled|synced|out of sync|in sync|stalled|not synced|not reconciled)",
    "SOURCED": "(?P<sourced>with source|with its source|--with-source|and its source)",
    "ALONE": "(?P<alone>without source|without its source|alone)",
    "STATE": "status|state|health|statuses|overview|conditions?",
    "RECONCILIATION": "reconciliation|reconcile|reconciling|sync|a reconciliation|a reconcile|a sync",
}
_END = "[SOURCED|ALONE] [in flux|with flux|via flux|again]"
_RECONCILE = ag.Phrases(
    f"""
    reconcile|re-reconcile IT
    [flux] reconcile OBJECT {_END}
    [flux] reconcile NAME {_END}
    [flux] (sync|resync|re-sync) OBJECT {_END}
    flux (sync|resync|re-sync) NAME {_END}
    (sync|resync|re-sync) NAME with|via|in flux
    (force|trigger|start|request|run|do) RECONCILIATION (of|for|on) OBJECT {_END}
    (force|trigger|start|request|run|do) RECONCILIATION (of|for|on) NAME {_END}
    (have|let|make|tell) flux [to] reconcile|sync|apply OBJECT {_END}
    (have|let|make|tell) flux [to] reconcile|sync|apply NAME {_END}
    """,
    _SLOTS,
)
_SWITCH = """
    VERB IT
    [flux] VERB OBJECT [in flux]
    [flux] VERB NAME [in flux]
    VERB (reconciliation of|reconciling|flux for|reconciliation for|syncing|syncing of) OBJECT
    VERB (reconciliation of|reconciling|flux for|reconciliation for|syncing|syncing of) NAME
"""
_SUSPEND = ag.Phrases(_SWITCH.replace("VERB", "(suspend|pause)"), _SLOTS)
_RESUME = ag.Phrases(_SWITCH.replace("VERB", "(resume|unsuspend|unpause|continue)"), _SLOTS)
#: Said with the word `flux`, or in its own language.
_GET = ag.Phrases(
    """
    [show] [what is] flux STATE
    how does flux look
    is flux working
    how is flux looking|working|faring
    [show] STATE of flux objects|resources
    [show] STATE overview of flux
    [show] what flux is doing
    flux get everything
    show overview of flux
    (is|are|what|which|show|find)* (is|anything|something|objects|things)* (failing|broken|suspended|stuck|not \
        ready|unhealthy) in flux
    flux STATE OBJECT
    how is OBJECT [doing] (in|by|with|according to) flux
    how is NAME [doing] (in|by|with|according to) flux
    flux STATE NAME
    [show] [what is] STATE of|for|in flux
    [show] [what is] STATE of everything in flux
    [show] flux objects|resources|everything
    [show] (everything|what|all) (that)* flux manages|has
    [show] what does flux manage|have|say
    what is flux doing|managing|reconciling
    what is flux up to
    is|are everything [in] flux WELL
    is|are everything in flux WELL
    how is flux [doing]
    is|if|whether flux WELL
    (flux get all|flux get|flux)
    [show|flux get|what|which] [flux] KIND [does|in|of|managed by] flux [have|manage]
    [show] flux KIND
    flux get KIND [NAME]
    [show] what does flux (say|think|report|know) [about|of|on] OBJECT
    [show] what does flux (say|think|report|know) [about|of|on] NAME
    [show] [what is] [flux] STATE of|for OBJECT in|from flux
    [show] [what is] [flux] STATE of|for NAME in|from flux
    [show] [what is] flux STATE of|for OBJECT
    [show] [what is] flux STATE of|for NAME
    is|if|whether NAME WELL (in|by|with|according to) flux
    is|if|whether OBJECT WELL (in|by|with|according to) flux
    [show] flux OBJECT
    """,
    _SLOTS,
)
#: What only Flux has, or knows.
_KNOWN = ag.Phrases(
    """
    [show|what|which] KIND (are|is) ILL
    [show] ILL KIND
    is|if|whether OBJECT [been] (suspended|paused|reconciled|synced|in sync|out of sync|stalled|up to date)
    has|did OBJECT [been] reconcile|reconciled|sync|synced
    when was|did OBJECT [last] reconciled|reconcile|synced|sync [last]
    [show] what|which revision (is|has|does|did)* OBJECT (on|at|applied|have|use|apply|deployed)
    [show] [last] [applied] revision of OBJECT
    """,
    _SLOTS,
)
_ASPECT = (
    "status|state|states|statuses|health|healthy|overview|conditions?|ready|happy|synced|syncing|in sync|reconciled"
    "|reconciling|suspended|paused|ok|okay|fine|good|green|applied|up to date|up-to-date|current"
    "|look|looks|looking|failing|failed|fails?|stuck|stalled|out of sync|unhealthy|broken|doing|working|well"
    "|behind|problems?|issues?|trouble|errors?|alright|all right"
)
_SAID = "everything|anything|resources|objects|saying|says?|reporting|reports?|manag(?:es?|ed|ing)|thinks?|knows?"
_FILLERS = """status state overview according objects resources things not still already successfully properly correctly
    been how many much yet say says report reports think know managed manages and they look with list full short
    everything"""
_LISTED = "list|which|every|all|status|overview|how many"
_PLURALS = "|".join(sorted((re.escape(each) for each in _KINDS if each.endswith("s") and each != "ks"), key=len)[::-1])
#: The same in any order; what it says of one thing, of a kind, and of everything.
_GISTS = (
    ag.Gist("flux", f"{_ASPECT}|{_SAID}", fillers=_FILLERS),
    ag.Gist(f"{_KIND}(?: called| named)?[ /]{_NAME}", _ASPECT, takes=("flux",), fillers=_FILLERS),
    ag.Gist(f"{_NAME} {_KIND}", _ASPECT, takes=("flux",), fillers=_FILLERS),
    ag.Gist(f"(?P<kind>{_PLURALS})", f"{_ASPECT}|{_LISTED}", takes=("flux",), fillers=_FILLERS),
    ag.Gist("flux", f"{_ASPECT}|{_SAID}", fillers=_FILLERS, named=True),
)
#: A kind of Flux alone: other tools show it as well.
_SHARED = ag.Phrases(
    """
    show KIND
    [show|what|which] KIND (are|is|do|we|have|there|exist|fail|failing|failed|not|ready|healthy|unhealthy)*
    [show] STATE of|for OBJECT
    [show] OBJECT STATE
    (is|if|whether|how is) OBJECT [not] WELL
    show|describe OBJECT
    """,
    _SLOTS,
)


def recognize_flux_get(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `flux_get`."""
    words = _words(request)
    for phrases, confidence in ((_GET, 0.95), (_KNOWN, 0.92), (_SHARED, 0.78)):
        if (parts := phrases.match(words)) is not None:
            if phrases is _SHARED and words == parts.get("kind"):
                return None
            if _is_loose(parts, words):
                return None
            arguments = _arguments(parts, request)
            told = "show what Flux says" + (f" about {_title(parts)}" if parts.keys() & {"kind", "name"} else "")
            return ag.Recognition(arguments=arguments, confidence=confidence, meaning=told)
    asked = request.text.rstrip().endswith("?")
    parts = next((found for gist in _GISTS if (found := gist.read(words, asked=asked)) is not None), None)
    if parts is None or _is_loose(parts, words):
        return None
    told = "show what Flux says" + (f" about {_title(parts)}" if parts else "")
    return ag.Recognition(arguments=_arguments(parts, request), confidence=0.76, meaning=told)


def _is_loose(parts: Mapping[str, str], words: str) -> bool:
    """Whether a word was taken for a name that may be any: one beside a whole kind, or before what is asked."""
    name = parts.get("name", "")
    if not name or re.search(r"[-\d]", name) or words.startswith("flux get "):
        return False
    if parts.get("kind", "ks").endswith("s"):
        return parts.get("kind", "ks") != "ks" or bool(
            re.match(rf"(?:show )?(?:is )?{re.escape(name)} (?!in|by)", words)
        )
    return False


def recognize_flux_reconcile(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `flux_reconcile`."""
    return _recognize_change(_RECONCILE.match(_words(request)), "reconcile", request)


def recognize_flux_suspend(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `flux_suspend`."""
    return _recognize_change(_SUSPEND.match(_words(request)), "suspend", request)


def recognize_flux_resume(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `flux_resume`."""
    return _recognize_change(_RESUME.match(_words(request)), "resume", request)


def _words(request: ag.PlainRequest) -> str:
    """The words without articles; a time window is nothing that Flux's tools know."""
    if request.seconds:
        return ""
    return " ".join(re.sub(r"(?<!\S)(?:the|our|my|all|any|an?)(?!\S)", " ", request.rest).split())


def _recognize_change(parts: Mapping[str, str] | None, verb: str, request: ag.PlainRequest) -> ag.Recognition | None:
    if parts is None or request.all_namespaces:
        return None
    if "it" in parts:
        missing = f"what to {verb}, like `{verb} kustomization apps`"
        return ag.Recognition(confidence=0.8, meaning=f"{verb} something", missing=missing)
    arguments = _arguments(parts, request)
    if "alone" in parts:
        arguments["with_source"] = False
    # "Suspend" and "resume" are said of other things, too.
    said = request.rest
    named = "kind" in parts or bool(re.search(r"flux|reconcili|reconciling|sync", said))
    known = named or (verb == "reconcile" and not re.search(r"\b(?:our|my|your)\b", said))
    confidence = 0.95 if known else 0.8 if re.search(r"[-\d]", parts["name"]) else 0.6
    return ag.Recognition(arguments=arguments, confidence=confidence, meaning=f"{verb} {_title(parts)} with Flux")


def _arguments(parts: Mapping[str, str], request: ag.PlainRequest) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if "kind" in parts:
        arguments["kind"] = _KINDS[parts["kind"]]
    if "name" in parts:
        arguments["name"] = parts["name"]
    if request.namespace:
        arguments["namespace"] = request.namespace
    if request.cluster:
        arguments["cluster"] = request.cluster
    return arguments


def _title(parts: Mapping[str, str]) -> str:
    """Kind and name, as far as they are known."""
    kind = _KINDS.get(parts.get("kind", ""), "")
    name = parts.get("name", "")
    return f"{kind} {name}".strip() if name else f"each {kind}"

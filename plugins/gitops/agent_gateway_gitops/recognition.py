"""Recognizes plain requests for this plugin's tools, without a model.

The repository keeps what is wanted: "set api to 3 replicas" and "bump api to 1.4.2" are commits. "Scale" is said of the
cluster, and so is everything that names a kind of object, a namespace or a cluster, unless the message says "in git".
"""

from __future__ import annotations

import re
from typing import Any

import agent_gateway as ag

_HERE = r"(?:git|(?:git |gitops )?(?:repo|repository)|gitops|main)"
_SLOTS = {
    "APP": rf"(?:app |application )?(?P<name>{ag.Phrases.NAME})(?: app| application)?",
    "COUNT": r"(?P<count>\d{1,4})",
    "COPIES": "replicas?|copies|instances",
    "VERSION": r"(?:version |tag )?(?P<version>v?\d+(?:\.\d+){1,3}(?:[-+][\w.]+)?)",
    "BEFORE": r"v?\d[\w.+-]*",
    "TAG": r"(?P<version>v?\d[\w.+-]*|[a-z]+-[\w.]+)",
    "IMAGE": r"(?P<image>(?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w.-]+)",
    "HERE": rf"(?:in|via|through|with|using|into|to) (?P<here>{_HERE})|(?P<here>and commit it|with a commit)",
    "PATH": r"(?P<path>[\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.ya?ml|[\w-]+/)",
    "FILE": "(?:file |path |folder |directory )?",
    "SHA": r"(?P<sha>[0-9a-f]{6,40})",
    "N": r"(?P<limit>\d{1,3}|two|three|four|five|ten|twenty)",
    "REPO": _HERE,
    "MADE": "changed|committed|pushed|merged|happened|going on|changes|new",
    "COMMITS": (
        "commits?|git commits?|changes|git changes|git history|commit history|git log|git activity|repo activity"
    ),
    "BEING": (
        "landed|came|came in|come in|in|are|were|is|was|have|been|there|made|did|we|have|recently|lately"
        "|pushed|happened"
    ),
}
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "twenty": 20}
_COMMIT = ag.Phrases(
    """
    set|change|put APP to COUNT COPIES [HERE]
    set|change|put (replicas|number of replicas|replica count|replicas count) (of|for) APP to COUNT [HERE]
    set|change|put APP replicas|replicas to COUNT [HERE]
    scale|bring APP [up|down|out] to COUNT [COPIES] HERE
    bump|upgrade|update|downgrade|move APP [from BEFORE] to VERSION [HERE]
    bump|upgrade|update|downgrade|set (version|tag|image tag|image version) (of|for) APP to VERSION [HERE]
    bump|upgrade|update|set|change APP (version|tag|image tag|image version) to VERSION [HERE]
    deploy|release|roll|ship APP [at|in|as|to] VERSION [HERE]
    set APP to version|tag TAG [HERE]
    set|change|update image of|for APP to IMAGE [HERE]
    set|change|update APP image to IMAGE [HERE]
    """,
    _SLOTS,
)
_IT = ag.Phrases("bump|upgrade|update it|that|this to VERSION [HERE]\nset it|that|this to COUNT COPIES [HERE]", _SLOTS)
#: "In git" may be said in many ways, and must be said in one of them.
_LOG = ag.Phrases(
    """
    [show] git log [for|of|on] [FILE] [PATH]
    [show] [last|latest|recent|newest] [N] commits [BEING] [to|in|on|of|from] [REPO]
    [show] [last|latest|recent|newest] [N] (BEING)* (COMMITS) [made|pushed] [in|of|to|on|from] REPO
    [show] [last|latest|recent|newest] [N] COMMITS (in|of|to|on|for|from|touching|under) FILEPATH [in REPO]
    [show] what (was|were|has been|have been|got|is|did we)* committed|pushed|commit|push [recently|lately]
    [show] [what are|which are] [last|latest|recent|newest|most recent] [N] [last|latest|recent|newest|most recent] \
        [git] commits (BEING)* [to|in|on|of|from] [REPO]
    [show] [full] commit|git history|log [of|in] [REPO]
    [show] what|which commits (touched|changed|modified|touch|change|are for|affected) FILEPATH [in REPO]
    [show] what|which COMMITS (BEING)* [in|of|to|on|from] [REPO]
    [show] what (has|was|is|got|have)* [been] [recently] MADE [recently|lately] (in|to|on) REPO [recently|lately]
    [show] what (has|was|is|got|have)* [been] [recently] MADE [recently|lately] (in|to|on|under) FILEPATH \
        [recently|lately]
    [show] history of REPO
    [show] [git] history of FILEPATH [in REPO]
    [show] REPO history|log|activity|commits|changes
    [show] [recent|latest|last] git activity|changes|commits|history
    """,
    _SLOTS | {"FILEPATH": _SLOTS["FILE"] + _SLOTS["PATH"]},
)
_SHOW = ag.Phrases(
    """
    [show] [git] [details of|diff of|content of|contents of|changes of|changes in|diff for] [git] commit SHA [in \
        REPO|diff]
    [show] git show SHA
    open|inspect|view [commit] SHA
    [show] what is|was [changed] in SHA
    [show] what changed in|with SHA
    [show] what did|does SHA change|do|contain|touch
    [show] what|which files did|does|were|are [commit] SHA change|changed|touch
    [show] what|which files (are|were) (changed in|changed by|in|part of) [commit] SHA
    [show] [what is] diff|changes|details of|in|for SHA
    [show] what did|does commit SHA change|do|contain|touch|changed
    [show] what is|was [changed] in commit SHA
    [show] what changed in|with commit SHA
    describe commit SHA
    """,
    _SLOTS,
)

#: The same in any order.
_COUNTED = rf"(?:last |latest |newest )?{_SLOTS['N']}"
_LOG_FILLERS = """recent latest newest last made touched touching changed change changes pushed landed merged everything
    git repo repository history file path directory folder recently new there been under affecting who what anybody
    anyone somebody someone committed commits log entries main branch gitops in to on touch affect affected touches
    were"""
_LOG_GISTS = (
    ag.Gist(
        "commits|committed|git log|git history|commit history|commit log|gitlog",
        takes=(_SLOTS["PATH"], _COUNTED),
        fillers=_LOG_FILLERS,
    ),
    ag.Gist(
        _SLOTS["PATH"],
        "who|history|changed|changes?|touched|touch|touches|change|modify|modified|edit|edited"
        "|log|commits|committed|updated|worked on",
        takes=(_COUNTED,),
        fillers=f"{_LOG_FILLERS} modified edited updated",
    ),
    ag.Gist(
        "git|(?:gitops |git )?(?:repo|repository)|gitops",
        "changed|changes|activity|happened|pushed|merged|new|history|log",
        takes=(_COUNTED,),
        fillers=_LOG_FILLERS,
    ),
)
_SHA = r"(?P<sha>(?=[a-f]*\d)[0-9a-f]{7,40})"
_ABOUT_COMMITS = "commit diff details detail changes change changed files about content contents touched git hash sha"
_SHOW_GISTS = [
    ag.Gist(_SHA, word, fillers=_ABOUT_COMMITS) for word in ("commit", "diff", "show|changed|changes?|touched|files")
]


def recognize_git_commit(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `git_commit`, and the reconciliation that follows it."""
    words = _words(request)
    if _IT.match(words) is not None:
        missing = "the app, like `set user-api to 3 replicas`"
        return ag.Recognition(confidence=0.8, meaning="commit a change to an app", missing=missing)
    parts = _COMMIT.match(words)
    placed = request.namespace or request.all_namespaces or request.cluster or request.seconds
    if parts is None or (placed and "here" not in parts):
        return None
    edit, told = _edit(parts)
    return ag.Recognition(
        arguments={"message": told, "edits": [edit]},
        confidence=0.95 if "here" in parts else 0.92,
        meaning=f"commit: {told}",
        then=(("flux_reconcile", {"name": edit["app"]}),),
    )


def recognize_git_log(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `git_log`."""
    parts = _LOG.match(_words(request))
    confidence = 0.92 if parts is not None else 0.76
    if parts is None:
        asked = request.text.rstrip().endswith("?")
        parts = next(
            (found for gist in _LOG_GISTS if (found := gist.read(_words(request), asked=asked)) is not None), None
        )
    if parts is None or request.namespace or request.all_namespaces:
        return None
    arguments: dict[str, Any] = {}
    if "path" in parts:
        arguments["path"] = parts["path"].rstrip("/")
    if request.seconds:
        arguments["since"] = _span(request.seconds)
    if "limit" in parts:
        arguments["limit"] = _NUMBERS.get(parts["limit"]) or int(parts["limit"])
    return ag.Recognition(arguments=arguments, confidence=confidence, meaning="list the newest commits")


def recognize_git_show(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `git_show`."""
    parts = _SHOW.match(_words(request))
    confidence = 0.95 if parts is not None else 0.76
    if parts is None:
        parts = next((found for gist in _SHOW_GISTS if (found := gist.read(_words(request))) is not None), None)
    if parts is None or request.namespace or request.seconds:
        return None
    return ag.Recognition(
        arguments={"commit": parts["sha"]}, confidence=confidence, meaning=f"show the commit {parts['sha']}"
    )


def _edit(parts: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The edit, and the commit's message."""
    app = parts["name"]
    if "count" in parts:
        return {
            "app": app,
            "field": "replicas",
            "value": int(parts["count"]),
        }, f"Set {app} to {parts['count']} replicas"
    if "image" in parts:
        return {"app": app, "field": "image", "value": parts["image"]}, f"Set the image of {app} to {parts['image']}"
    return {"app": app, "field": "tag", "value": parts["version"]}, f"Set {app} to {parts['version']}"


def _words(request: ag.PlainRequest) -> str:
    """The words without articles, and without what only belongs to the sentence."""
    return " ".join(re.sub(r"(?<!\S)(?:the|our|my|all|any|a)(?!\S)", " ", request.rest).split())


def _span(seconds: int) -> str:
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"

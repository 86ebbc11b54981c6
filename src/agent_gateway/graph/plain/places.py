"""Where a plain request looks: the namespace and the cluster that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_gateway.plain_names import read_name

_NAME = r"[\"'`]?(?P<name>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)[\"'`]?"
_IN = r"(?:in|inside|of|for|from|on|at|within|under|across|to|into|over)"
_END = r"(?:'s)?(?![\w/.=-])"
_FLAG = re.compile(rf"(?<!\S)(?:-n|--namespace)(?:[ =]|(?<=-n)){_NAME}(?![\w/.-])")
_EVERYWHERE = re.compile(
    rf"(?<!\S)(?:{_IN} )?(?:--all-namespaces|-a)(?!\S)"
    rf"|(?<!\S)(?<!list )(?<!names )(?<!status )(?<!overview )(?<!number )(?<!count ){_IN} (?:all|every|any"
    rf"|each)(?: (?:of )?(?:the|our|my))? (?:namespaces?|ns){_END}"
    rf"|(?<!\S)(?<!\A)(?<!show )(?:all|every) namespaces?{_END}"
    rf"|(?<!\S)across (?:the )?namespaces{_END}|(?<!\S)(?:cluster[- ]wide|everywhere|in any namespace)(?![\w-])"
    rf"|(?<!\S){_IN} (?:the|this|our|my) (?:whole|entire|full) cluster{_END}"
)
#: Says that it is about the cluster, as everything is.
_HERE = re.compile(rf"(?<!\S){_IN} (?:the|this|our|my|kubernetes|the kubernetes|our kubernetes) cluster{_END}")
_BEFORE = re.compile(
    rf"(?<!\S)(?:{_IN} )?(?:the |our |my )?(?:kubernetes )?(?:namespace|ns)(?:(?: called| named| =)? |: ?|[=/]){_NAME}{_END}"  # noqa: E501 - a pattern is easier to read in one line
)
_INSIDE = re.compile(rf"(?<!\S)(?:in|inside|within) (?:the |our |my )?{_NAME} (?:kubernetes )?(?:namespace|ns){_END}")
_STRICTLY_BEHIND = re.compile(rf"(?<!\S){_IN} (?:the |our |my )?{_NAME} (?:kubernetes )?(?:namespace|ns){_END}")
_BEHIND = re.compile(rf"(?<!\S)(?:{_IN} )?(?:the |our |my )?{_NAME} (?:kubernetes )?(?:namespace|ns){_END}")
#: Never meant as the name of a thing, and often as that of a namespace.
_PRODUCTS = frozenset("flux argo helm prometheus loki tempo grafana docker gitlab github git mail text".split())
#: Stands beside the word `namespace` without being the name of one.
_NO_NAME = frozenset(
    """a an the this that these those each every which what whose my our your any no new all some other another same
    right wrong current per by of in on at to from for with without and or not is are was were be has have had do does
    did can could should would will may might must i we you it they he she named called kubernetes k8s given certain
    specific particular names name list show get use using used exist exists existing there where when why how who
    only also still please one two three first last next empty own between than then so if but as inside within
    across into over under about describe delete create remove make label annotate restart scale limits quota quotas
    events pods pod services deployments logs isolation ready healthy up ok running pending done down fine failing \
        recently
    statefulsets daemonsets configmaps ingresses jobs cronjobs pvcs nodes secrets replicasets networkpolicies hpas
    kustomizations helmreleases certificates svcs svc deploy deploys describe desc top rollout p99 p95 rps cpu memory
    today lately please now contain contains hold holds""".split()
)


def find_namespace(words: str) -> tuple[str, bool, str]:
    """The namespace that is named, whether all of them are meant, and the words without that."""
    name = ""
    for pattern in (_FLAG, _INSIDE, _STRICTLY_BEHIND, _BEFORE, _BEHIND):
        found = next((each for each in pattern.finditer(words) if _may_be_name(each, words)), None)
        if found is not None:
            name, words = found["name"], f"{words[: found.start()]} {words[found.end() :]}"
            break
    everywhere = False
    if not name:
        everywhere = bool(_EVERYWHERE.search(words) or _HERE.search(words))
        words = _EVERYWHERE.sub(" ", words)
    return name, everywhere, _HERE.sub(" ", words)


def find_cluster(words: str, clusters: Sequence[str]) -> tuple[str, str]:
    """The configured cluster that is named, and the words without it."""
    for name in sorted(clusters, key=len, reverse=True):
        quoted = rf"[\"'`]?{re.escape(name.lower())}[\"'`]?"
        pattern = re.compile(
            rf"(?<!\S)(?:(?:{_IN} )?(?:the )?(?:{quoted} cluster|cluster {quoted})|(?:on|in|at|from|against) {quoted}"
            rf"|--cluster[= ]{quoted}){_END}"
        )
        if found := pattern.search(words):
            return name, f"{words[: found.start()]} {words[found.end() :]}"
    return "", words


def _may_be_name(found: re.Match[str], words: str) -> bool:
    """Whether a name is one; in "logs of api ns web" the word belongs to what follows it."""
    name = found["name"]
    if name in _NO_NAME or not (name in _PRODUCTS or found.re is _FLAG or read_name(name, place=True)):
        return False
    if found.re in {_STRICTLY_BEHIND, _BEHIND}:
        following = _BEFORE.match(words[found.end("name") :].lstrip())
        return following is None or following["name"] in _NO_NAME or not re.search(r"[-\d]", following["name"])
    return True

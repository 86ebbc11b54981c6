"""Other readings of a message that nobody understood as it stands: what stands apart in it may be its namespace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from agent_gateway.graph.plain.wording import plain_words
from agent_gateway.plain_names import gives_order, read_name
from agent_gateway.tool import PlainRequest

#: Nothing that has to be told from the words of a sentence: it has a dash or a digit, and letters.
_NAME = r"(?=[a-z0-9-]*[a-z])(?=[a-z0-9]*[-\d])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_APART = (
    # In brackets, before a colon, and in a place.
    re.compile(rf"[(\[] ?(?:in |of |from )?(?P<name>{_NAME}) ?[)\]]"),
    re.compile(rf"\A\W*(?:(?:hi|hey|hello|ok|please|in|for|on)\b,? *)*(?P<name>{_NAME}): "),
    re.compile(rf"(?<!\S)(?:in|inside|within) (?P<name>{_NAME})(?=[\s,;:?!]|\Z)"),
)
_AT_THE_ENDS = (
    re.compile(rf"\A(?:show )?(?P<name>{_NAME}),? (?=\S)"),
    re.compile(rf"(?<!\S)(?:does|do|did|has|have|had) (?P<name>{_NAME}) (?:have|has|had|got|contain|run|hold)\b"),
    re.compile(rf"(?P<before>\S+) (?P<name>{_NAME})\Z"),
)
#: Behind these a name is whatever they belong to.
_BELONGING = frozenset(
    """of for to by with from on named called about or and than like as vs versus into via per without except
    between the a an my our your is are was were be not no before after during until since instead""".split()
)
#: A name in front of more words than these, or of one that asks for more, is that of a thing.
_MOST_BEHIND = 4
#: What stands before the name of a thing, and what these messages are made of.
_NAMING = frozenset(
    """of for from on by about through pod deployment deploy service svc statefulset sts daemonset ds job
    cronjob ingress configmap cm pvc hpa app kustomization helmrelease container""".split()
)
_SPOKEN = frozenset(
    """describe svc svcs ing cm po deploy deploys sts ds cronjob cronjobs finished done through state rolled rolling
    warning tail previous lines replicas consume consuming consumption utilization ready top current""".split()
)
_MORE = re.compile(r"(?<!\S)(?:by|via|to|as|into|than|with|without|per|vs|versus|and|or|compared)(?!\S)")
#: Compounds of English, figures and versions.
_NO_NAME = re.compile(
    r"(?:real|long|short|high|low|on|off|up|out|non|re|pre|post|multi|single|cross|well|self|half|full|day|week|month"
    r"|follow|read|write|in|at|over|under|top|most|least|best|worst|so|old|new|all|per|cluster|node|pod|error|user|time"
    r"|last|first|one|two|three|four|five|ten|x|e)-.+"
    r"|.+-(?:running|lived|related|based|level|levels|priority|time|wide|ready|side|to|call|specific|like|free|date|old"
    r"|only|by|up|off|out|term|day|hour|minute|week|ended|fixed)"
    r"|\d+[a-z]*|p\d+|k8s|v\d[\d-]*|[0-9a-f]*\d[0-9a-f]{6,}"
)


def read_again(request: PlainRequest) -> Iterator[list[PlainRequest]]:
    """The message with each name that stands apart taken for the namespace; none when one is named.

    First for those that the message itself sets apart, then for those at its ends.
    """
    if request.namespace or request.all_namespaces or not request.rest or gives_order(request.rest):
        return
    seen: set[str] = set()
    for names, sure in ((_apart(request), True), (_at_the_ends(request), False)):
        fresh = [each for each in dict.fromkeys(names) if each not in seen and _may_be_place(each)]
        seen.update(fresh)
        if readings := [again for each in fresh if (again := _placed(request, each)) is not None]:
            yield [each for each in readings if sure or not _is_guessed(each.rest)]


def _apart(request: PlainRequest) -> Iterator[str]:
    for pattern in _APART:
        yield from (found["name"] for found in pattern.finditer(request.text.lower()))


def _at_the_ends(request: PlainRequest) -> Iterator[str]:
    """Names that begin a telegram or own what it asks for, and the last word of any message."""
    for pattern in _AT_THE_ENDS:
        for found in pattern.finditer(request.rest):
            if "before" in pattern.groupindex:
                if found["before"].rstrip(",") not in _BELONGING and not _may_be_thing(found["before"]):
                    yield found["name"]
            elif not _MORE.search(request.rest) and request.rest.count(" ") <= _MOST_BEHIND:
                yield found["name"]


def _is_guessed(words: str) -> bool:
    """Whether a word without dash or digit may be the name of a thing, and nothing says so."""
    parts = words.split()
    return any(_may_be_thing(word) and before not in _NAMING for before, word in zip(["", *parts], parts, strict=False))


def _may_be_thing(word: str) -> bool:
    return word.isalpha() and word not in _SPOKEN and bool(read_name(word))


def _may_be_place(name: str) -> bool:
    return not _NO_NAME.fullmatch(name) and bool(read_name(name, place=True))


def _placed(request: PlainRequest, name: str) -> PlainRequest | None:
    """The request with a name taken for its namespace; None when the name says more than where."""
    place = re.compile(rf"(?<!\S)(?:(?:in|inside|within|from) )?{re.escape(name)}(?=[\s,;:?!]|\Z),?")
    if len(place.findall(request.rest)) != 1:
        return None
    return replace(request, rest=plain_words(place.sub(" ", request.rest)), namespace=name)

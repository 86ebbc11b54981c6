"""Where a request goes, read from its path alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from .resources import SEGMENT

_VERSION = re.compile(r"v[0-9]+(?:(?:alpha|beta)[0-9]+)?")
_PLURAL = re.compile(r"[a-z][a-z0-9-]*")
#: Documents about the API server itself.
_DOCUMENT = re.compile(r"/version|/api|/apis|/api/v1|/apis/[a-z0-9.-]+(?:/v[0-9a-z]+)?|/openapi/v2")
#: Ancient prefixes that mean something else than a kind.
_PREFIXES = frozenset({"watch", "proxy"})
#: What belongs to a namespace itself, and is no kind within it.
_OF_NAMESPACE = frozenset({"status", "finalize"})


class Place(NamedTuple):
    """A kind, an object, or a part of one; what does not apply is empty."""

    group: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""


def is_document(path: str) -> bool:
    """Tell whether this is about the API server, and no object."""
    return _DOCUMENT.fullmatch(path) is not None


def locate(path: str) -> Place | None:
    """The place of objects that a path leads to; None when it leads anywhere else."""
    match path.split("/"):
        case ["", "api", "v1", *rest]:
            group = ""
        case ["", "apis", group, version, *rest] if _VERSION.fullmatch(version) and SEGMENT.fullmatch(group):
            pass
        case _:
            return None
    if not rest or not all(SEGMENT.fullmatch(part) for part in rest):
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in _OF_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3 or not _PLURAL.fullmatch(rest[0]) or rest[0] in _PREFIXES:
        return None
    resource, name, subresource = [*rest, "", ""][:3]
    return Place(group, namespace, resource, name, subresource)

"""Fields as people name them (image, tag, replicas, values.x) and where they stand in a manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass

import agent_gateway as ag

from .manifests import APPS, Document
from .places import Found, entry, find, parse, text_at
from .scalars import Scalar
from .yaml_nodes import MappingNode, ScalarNode, SequenceNode

_SHORT = re.compile(r"(image|tag|replicas|suspend|version)(?:\[([^\[\]]{1,100})\])?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(:\d{1,5})?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_WORKLOAD = ("spec", "template", "spec", "containers")


@dataclass(frozen=True)
class Assignment:
    """One scalar to be set. `exists`: it is there already, else it may be added."""

    steps: tuple[str, ...]
    value: Scalar
    exists: bool


def resolve(document: Document, field: str, value: Scalar) -> tuple[Assignment, ...]:
    """What setting a field means in a document, nothing when it has no such field; `InvalidInput` for a bad value."""
    short = _SHORT.fullmatch(field)
    if short is not None and document.kind:
        word, chosen = short[1], short[2] or ""
        if word in {"image", "tag"}:
            return _image(document, word, chosen, value)
        if chosen:
            return ()
        return next(filter(None, (_scalar(document, steps, value) for steps in _short_steps(document, word))), ())
    steps = parse(field)
    if steps[0] == "values" and document.kind == "HelmRelease":
        steps = ("spec", *steps)
    return _scalar(document, steps, value)


def with_tag(image: str, tag: str) -> str:
    """The image with another tag; a digest, which would say the opposite, goes."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}:{tag}"


def _short_steps(document: Document, word: str) -> list[tuple[str, ...]]:
    kind = document.kind
    if word == "replicas" and kind in APPS - {"DaemonSet"}:
        return [("spec", "replicas")]
    if word == "replicas" and kind == "HelmRelease":
        return [("spec", "values", "replicaCount"), ("spec", "values", "replicas")]
    if word == "version" and kind == "HelmRelease":
        return [("spec", "chart", "spec", "version")]
    if word == "suspend" and kind in {"HelmRelease", "Kustomization"}:
        return [("spec", "suspend")]
    return []


def _scalar(document: Document, steps: tuple[str, ...], value: Scalar) -> tuple[Assignment, ...]:
    found = find(document.root, steps)
    if isinstance(found.node, ScalarNode):
        return (Assignment(steps=steps, value=value, exists=True),)
    if found.node is None and isinstance(found.parent, MappingNode) and _may_add(document, steps, found):
        return (Assignment(steps=steps, value=value, exists=False),)
    return ()


def _may_add(document: Document, steps: tuple[str, ...], found: Found) -> bool:
    """A default that is not written down may be: replicas, suspend, and anything below a release's values."""
    if steps in {("spec", "replicas"), ("spec", "suspend")}:
        return bool(document.kind) and found.missing == steps[1:]
    below = steps[:2] == ("spec", "values") and len(steps) > 2 and len(found.missing) < len(steps)
    return document.kind == "HelmRelease" and below


def _image(document: Document, word: str, chosen: str, value: Scalar) -> tuple[Assignment, ...]:
    text = str(value)
    pattern, example = (_IMAGE, "ghcr.io/acme/web:1.2.3") if word == "image" else (_TAG, "1.2.3")
    if not pattern.fullmatch(text):
        raise ag.InvalidInput(f"'{text[:80]}' is no {word}, like {example}")
    if document.kind == "HelmRelease":
        return _helm_image(document, word, chosen, text)
    if document.kind == "Kustomization":
        return _replaced_image(document, word, chosen, text)
    container = _container(document, chosen)
    if not container:
        return ()
    steps = (*_WORKLOAD, container, "image")
    new = text if word == "image" else with_tag(text_at(document.root, *steps), text)
    return _scalar(document, steps, new)


def _container(document: Document, chosen: str) -> str:
    """The container that is meant; `InvalidInput` when there are several."""
    listed = find(document.root, _WORKLOAD).node
    names = [text_at(each, "name") for each in listed.value] if isinstance(listed, SequenceNode) else []
    if chosen:
        return chosen if chosen in names else ""
    if len(names) > 1:
        raise ag.InvalidInput(f"{document.title} has several containers, write image[{names[0]}] or tag[{names[0]}]")
    return names[0] if names else ""


def _helm_image(document: Document, word: str, chosen: str, text: str) -> tuple[Assignment, ...]:
    """Where charts usually have it: `values.image`, or `values.NAME.image`."""
    steps = ("spec", "values", chosen, "image") if chosen else ("spec", "values", "image")
    node = find(document.root, steps).node
    if isinstance(node, ScalarNode):
        return _scalar(document, steps, text if word == "image" else with_tag(str(node.value), text))
    if not isinstance(node, MappingNode):
        return ()
    if word == "tag":
        return (*_scalar(document, (*steps, "tag"), text), *_no_digest(node))
    if "@" in text or ":" not in text.rpartition("/")[2] or entry(node, "repository") is None:
        return ()
    repository, _, tag = text.rpartition(":")
    return (
        *_scalar(document, (*steps, "repository"), repository),
        *_scalar(document, (*steps, "tag"), tag),
        *_no_digest(node),
    )


def _no_digest(image: MappingNode) -> tuple[Assignment, ...]:
    if text_at(image, "digest"):
        raise ag.InvalidInput("the image is pinned by a digest; change image.digest and image.tag by their own fields")
    return ()


def _replaced_image(document: Document, word: str, chosen: str, text: str) -> tuple[Assignment, ...]:
    """An entry of a Kustomization's images."""
    listed = find(document.root, ("spec", "images")).node
    names = [text_at(each, "name") for each in listed.value] if isinstance(listed, SequenceNode) else []
    name = chosen or (names[0] if len(names) == 1 else "")
    if name not in names or not name or word != "tag":
        return ()
    return _scalar(document, ("spec", "images", name, "newTag"), text)

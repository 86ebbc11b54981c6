"""Manifests of a repository: which documents of which files describe an app."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import agent_gateway as ag

from .places import text_at
from .yaml_nodes import MappingNode, Node, compose

APPS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_GROUPS: Mapping[str, str] = {
    **dict.fromkeys(APPS, "apps/"),
    "HelmRelease": "helm.toolkit.fluxcd.io/",
    "Kustomization": "kustomize.toolkit.fluxcd.io/",
}


@dataclass(frozen=True)
class Document:
    """One document of a file; `kind` is empty when it is not one of the kinds that make an app."""

    file: str
    index: int
    root: Node
    kind: str
    name: str
    namespace: str

    @property
    def title(self) -> str:
        """What to call it."""
        return f"{self.kind or 'document'} {self.name or self.index + 1} in {self.file}"


def documents(file: str, text: str) -> list[Document]:
    """The documents of a file that are mappings; `InvalidInput` when it is no YAML."""
    try:
        roots = compose(text)
    except ag.InvalidInput as error:
        raise ag.InvalidInput(f"{file}: {error.detail}", code=error.code) from None
    return [_document(file, index, root) for index, root in enumerate(roots) if isinstance(root, MappingNode)]


def search(name: str, files: Iterator[str], read: Callable[[str], bytes]) -> list[Document]:
    """Every document that describes an app of this name. What is no YAML, like a chart's template, is passed over."""
    found: list[Document] = []
    wanted = re.compile(rb"name:\s*[\"']?" + re.escape(name.encode()) + rb"\b|\"name\"")
    for file in files:
        content = read(file)
        if not wanted.search(content):
            continue
        try:
            each = documents(file, content.decode("utf-8"))
        except (ag.InvalidInput, UnicodeDecodeError):
            continue
        found += [document for document in each if document.kind and document.name == name]
    return found


def _document(file: str, index: int, root: Node) -> Document:
    kind = text_at(root, "kind")
    group = _GROUPS.get(kind)
    ours = group is not None and text_at(root, "apiVersion").startswith(group)
    return Document(
        file=file,
        index=index,
        root=root,
        kind=kind if ours else "",
        name=text_at(root, "metadata", "name"),
        namespace=text_at(root, "metadata", "namespace"),
    )

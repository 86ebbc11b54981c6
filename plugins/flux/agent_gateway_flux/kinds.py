"""The kinds of Flux that can be looked at, reconciled and suspended."""

from __future__ import annotations

from dataclasses import dataclass

import agent_gateway as ag

_SOURCE = "source.toolkit.fluxcd.io"


@dataclass(frozen=True)
class Kind:
    """A kind, and what else people call it."""

    name: str
    group: str
    plural: str
    others: tuple[str, ...] = ()


KUSTOMIZATION = Kind("Kustomization", "kustomize.toolkit.fluxcd.io", "kustomizations", ("ks",))
HELM_RELEASE = Kind("HelmRelease", "helm.toolkit.fluxcd.io", "helmreleases", ("hr", "helm", "release"))
SOURCES = (
    Kind("GitRepository", _SOURCE, "gitrepositories", ("gitrepo", "git")),
    Kind("OCIRepository", _SOURCE, "ocirepositories", ("ocirepo", "oci")),
    Kind("HelmRepository", _SOURCE, "helmrepositories", ("helmrepo", "helm")),
    Kind("Bucket", _SOURCE, "buckets"),
    Kind("HelmChart", _SOURCE, "helmcharts", ("hc", "chart")),
)
KINDS = (KUSTOMIZATION, HELM_RELEASE, *SOURCES)
#: In what order a name without a kind is looked for.
STEPS = ((KUSTOMIZATION,), (HELM_RELEASE,), SOURCES)


def find_kind(text: str) -> Kind:
    """The kind that is meant: its name, plural or short name, in any case; `InvalidInput` names all kinds."""
    letters = "".join(char for char in text.lower() if char.isalnum())
    wanted = letters.removeprefix("source")
    # `helm` alone is a release, `source helm` a repository.
    for kind in KINDS if wanted == letters else SOURCES:
        if wanted in {kind.name.lower(), kind.plural, *kind.others}:
            return kind
    known = ", ".join(kind.name for kind in KINDS)
    raise ag.InvalidInput(f"'{text[:60]}' is no kind of Flux", hint=f"there are: {known}")

"""Fields as people name them end at the right place of each kind of manifest."""

from __future__ import annotations

import pytest
from plugins.gitops.agent_gateway_gitops.fields import resolve, with_tag
from plugins.gitops.agent_gateway_gitops.manifests import documents

import agent_gateway as ag

WORKLOAD = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  template:
    spec:
      containers:
        - {name: db, image: "registry.lan:5000/db:1@sha256:%s"}
        - {name: backup, image: backup}
""" % ("a" * 64)
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop}
spec:
  values:
    image: {repository: acme/shop, tag: "1"}
    worker: {image: "acme/worker:1"}
"""
KUSTOMIZATION = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec:
  images: [{name: web, newTag: "1"}]
"""


def places(text: str, field: str, value: str | int | bool) -> list[tuple[str, object, bool]]:
    (document,) = documents("a.yaml", text)
    return [(".".join(each.steps), each.value, each.exists) for each in resolve(document, field, value)]


@pytest.mark.parametrize(
    ("text", "field", "value", "expected"),
    [
        (WORKLOAD, "tag[db]", "2", [("spec.template.spec.containers.db.image", "registry.lan:5000/db:2", True)]),
        (WORKLOAD, "image[backup]", "b:2", [("spec.template.spec.containers.backup.image", "b:2", True)]),
        (WORKLOAD, "replicas", 3, [("spec.replicas", 3, False)]),
        (WORKLOAD, "image[nothing]", "b:2", []),
        (WORKLOAD, "spec.serviceName", "x", []),
        (RELEASE, "tag", "2", [("spec.values.image.tag", "2", True)]),
        (RELEASE, "tag[worker]", "2", [("spec.values.worker.image", "acme/worker:2", True)]),
        (
            RELEASE,
            "image",
            "acme/other:3",
            [("spec.values.image.repository", "acme/other", True), ("spec.values.image.tag", "3", True)],
        ),
        (RELEASE, "values.image.tag", "2", [("spec.values.image.tag", "2", True)]),
        (RELEASE, "suspend", True, [("spec.suspend", True, False)]),
        (KUSTOMIZATION, "tag", "2", [("spec.images.web.newTag", "2", True)]),
        (KUSTOMIZATION, "spec.images[web].newTag", "2", [("spec.images.web.newTag", "2", True)]),
        (KUSTOMIZATION, "replicas", 2, []),
        (KUSTOMIZATION, "metadata.labels.x", "y", []),
    ],
)
def test_a_field_ends_at_its_place(text: str, field: str, value: str, expected: list[object]) -> None:
    assert places(text, field, value) == expected


def test_several_containers_are_asked_back() -> None:
    with pytest.raises(ag.InvalidInput, match=r"tag\[db\]"):
        places(WORKLOAD, "tag", "2")


def test_a_pinned_image_is_not_half_changed() -> None:
    pinned = RELEASE.replace('tag: "1"', 'tag: "1", digest: "sha256:x"')
    with pytest.raises(ag.InvalidInput, match="pinned"):
        places(pinned, "tag", "2")


@pytest.mark.parametrize("field", ["", "..", "a[", "spec..x", "a]b"])
def test_what_is_no_field_is_said(field: str) -> None:
    with pytest.raises(ag.InvalidInput):
        places(RELEASE, field, "2")


@pytest.mark.parametrize(
    ("image", "expected"),
    [("web", "web:2"), ("web:1", "web:2"), ("lan:5000/web", "lan:5000/web:2"), ("a/web:1@sha256:0", "a/web:2")],
)
def test_a_tag_replaces_the_tag_alone(image: str, expected: str) -> None:
    assert with_tag(image, "2") == expected

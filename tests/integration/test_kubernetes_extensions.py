"""Kinds that are not Kubernetes' own: Flux's objects, found by discovery, asked to act and suspended, and no more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes_cluster import KubernetesCluster
from tests.kubernetes_house import House, open_house

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def releases(control_plane: KubernetesCluster, assets: Path) -> tuple[str, str]:
    """A namespace with a release, and the address of releases there."""
    for file in sorted((assets / "kubernetes" / "flux-crds").glob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text()):
            if each and not control_plane.exists(f"{CRDS}/{each['metadata']['name']}"):
                control_plane.create(CRDS, {key: value for key, value in each.items() if key != "status"})
    (crd,) = [each for each in control_plane.get(CRDS)["items"] if each["spec"]["names"]["kind"] == "HelmRelease"]
    version = next(each["name"] for each in crd["spec"]["versions"] if each["storage"])
    namespace = control_plane.new_namespace()
    path = f"/apis/helm.toolkit.fluxcd.io/{version}/namespaces/{namespace}/helmreleases"
    deadline = time.monotonic() + 20
    while not control_plane.exists(path) and time.monotonic() < deadline:
        time.sleep(0.1)
    source = {"kind": "HelmRepository", "name": "charts"}
    spec = {"interval": "5m", "chart": {"spec": {"chart": "web", "sourceRef": source}}, "values": {"a": 1}}
    kind = {"apiVersion": f"helm.toolkit.fluxcd.io/{version}", "kind": "HelmRelease"}
    control_plane.create(path, {**kind, "metadata": {"name": "web"}, "spec": spec})
    return namespace, path


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house


async def test_releases_are_listed(house: House, releases: tuple[str, str]) -> None:
    rows = (await house.read("kubectl get helmreleases -A")).splitlines()
    assert rows[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert [releases[0], "web"] in [row.split()[:2] for row in rows]


async def test_a_release_is_asked_to_act_and_suspended(
    house: House, control_plane: KubernetesCluster, releases: tuple[str, str]
) -> None:
    namespace, path = releases
    moment = "2026-11-22T00:00:00Z"
    command = f"annotate helmrelease web -n {namespace} reconcile.fluxcd.io/requestedAt={moment} --overwrite"
    assert (await house.change(f"kubectl {command}")).status == "ok"
    found: dict[str, Any] = control_plane.get(f"{path}/web")
    assert found["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"] == moment
    patch = '\'{"spec":{"suspend":true}}\''
    assert (await house.change(f"kubectl patch helmrelease web -n {namespace} --type=merge -p {patch}")).status == "ok"
    assert control_plane.get(f"{path}/web")["spec"] == {**found["spec"], "suspend": True}


async def test_what_a_release_installs_is_not_changed(
    house: House, control_plane: KubernetesCluster, releases: tuple[str, str]
) -> None:
    namespace, path = releases
    before = control_plane.get(f"{path}/web")
    for patch in ('{"spec":{"values":{"a":2}}}', '{"metadata":{"labels":{"x":"y"}}}'):
        result = await house.kubectl(f"kubectl patch helmrelease web -n {namespace} --type=merge -p '{patch}'")
        assert result.status in {"refused", "failed"}, result.text
    assert control_plane.get(f"{path}/web") == before

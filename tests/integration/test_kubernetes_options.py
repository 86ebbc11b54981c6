"""Options of commands that change something: carried out or refused; and what else is made or only compared."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kubernetes_cluster import KubernetesCluster
from tests.kubernetes_house import House, a_deployment, deployments, open_house


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house


@pytest.fixture
def apps(control_plane: KubernetesCluster) -> str:
    """A namespace with a deployment and a configmap."""
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    control_plane.create(
        f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}}
    )
    return namespace


async def test_what_cannot_be_carried_out_is_said_and_not_ignored(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    for command, option in (
        ("delete deploy web --cascade=foreground", "cascade"),
        ("set env deploy/web --from=configmap/settings", "from"),
        ("label deploy web a=b --resource-version=1", "resource-version"),
        ("expose deploy web --port=80 --cluster-ip=None", "cluster-ip"),
    ):
        result = await house.kubectl(f"kubectl {command} -n {apps}")
        assert (result.status, f"--{option}" in result.text) == ("failed", True), result.text
        assert house.approval is None
    assert "--pod-selector" in (await house.kubectl("kubectl drain worker-1 --pod-selector=app=web")).text
    scaled = await house.change(
        f'kubectl patch deploy web --subresource=scale --type=merge -p \'{{"spec":{{"replicas":3}}}}\' -n {apps}'
    )
    assert scaled.status == "ok", scaled.text
    assert control_plane.get(f"{deployments(apps)}/web")["spec"]["replicas"] == 3


async def test_limits_of_a_namespace_are_made_and_a_comparison_changes_nothing(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    assert (await house.change(f"kubectl create quota small --hard=pods=10,cpu=2 -n {apps}")).status == "ok"
    quota = control_plane.get(f"/api/v1/namespaces/{apps}/resourcequotas/small")["spec"]["hard"]
    assert quota == {"pods": "10", "cpu": "2"}
    made = await house.change(f"kubectl create poddisruptionbudget web --selector=app=web --min-available=1 -n {apps}")
    assert made.status == "ok", made.text
    budget = await house.read(f"kubectl get pdb web -n {apps} -o jsonpath='{{.spec.minAvailable}}'")
    assert budget == "1"
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "7"}}
    begun = len(control_plane.journal)
    shown = await house.change(f"kubectl diff -f - -n {apps}", manifest=json.dumps(manifest))
    assert (shown.status, "+  a: '7'" in shown.text or '+  a: "7"' in shown.text) == ("ok", True), shown.text
    assert all(request.harmless for request in control_plane.journal[begun:])

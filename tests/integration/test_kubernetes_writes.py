"""Commands that change something, over a real API server: what was approved is done, once, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes_cluster import KubernetesCluster, Recorded
from tests.kubernetes_house import House, a_deployment, a_pod, add_revisions, deployments, open_house, pods

import agent_gateway as ag

EFFECT = "agent-gateway/last-effect"
NOISE = ("generation", "resourceVersion", "managedFields")


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin"), weak=(control_plane, "nobody")) as house:
        yield house


@pytest.fixture
def apps(control_plane: KubernetesCluster) -> Iterator[str]:
    """A namespace with a deployment, two of its pods, and a configmap."""
    namespace = control_plane.new_namespace()
    control_plane.create(deployments(namespace), a_deployment())
    control_plane.create(pods(namespace), a_pod("web-1"), a_pod("web-2"))
    control_plane.create(
        f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}}
    )
    yield namespace
    control_plane.meddle = None


def stripped(value: Any) -> Any:
    """An object without what every write changes."""
    found = json.loads(json.dumps(value))
    for key in NOISE:
        found["metadata"].pop(key, None)
    found["metadata"].get("annotations", {}).pop(EFFECT, None)
    if not found["metadata"].get("annotations"):
        found["metadata"].pop("annotations", None)
    return found


def put(value: Any, path: str, new: Any) -> Any:
    """An object with another value at a path; None takes it away."""
    *keys, last = path.split("/")
    here = value
    for key in keys:
        here = here[int(key)] if isinstance(here, list) else here.setdefault(key, {})
    if new is None:
        del here[last]
    else:
        here[last] = new
    return value


CONTAINER = "spec/template/spec/containers/0"
IMAGE_PATCH = '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"registry.example.com/web:3"}]}}}}'


@pytest.mark.parametrize(
    ("command", "path", "value"),
    [
        ("scale deploy/web --replicas=5", "spec/replicas", 5),
        ("scale deploy web --replicas=0", "spec/replicas", 0),
        ("set image deploy/web web=registry.example.com/web:2.0", f"{CONTAINER}/image", "registry.example.com/web:2.0"),
        ("set env deploy/web MODE=b", f"{CONTAINER}/env", [{"name": "MODE", "value": "b"}]),
        ("label deploy web tier=gold", "metadata/labels/tier", "gold"),
        ("annotate deploy web note=hello", "metadata/annotations", {"note": "hello"}),
        ("rollout pause deploy/web", "spec/paused", True),
        ("patch deploy web --type=merge -p '{\"spec\":{\"replicas\":3}}'", "spec/replicas", 3),
        (
            "patch deploy web --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":4}]'",
            "spec/replicas",
            4,
        ),
        (
            f"patch deploy web -p '{IMAGE_PATCH}'",
            f"{CONTAINER}/image",
            "registry.example.com/web:3",
        ),
    ],
)  # fmt: skip
async def test_exactly_what_was_approved_is_changed(
    house: House, control_plane: KubernetesCluster, apps: str, command: str, path: str, value: Any
) -> None:
    before = control_plane.get(f"{deployments(apps)}/web")
    asked = await house.kubectl(f"kubectl {command} -n {apps}")
    assert asked.status == "waiting", asked.text
    assert stripped(control_plane.get(f"{deployments(apps)}/web")) == stripped(before)
    assert house.approval is not None
    assert house.approval.diff.startswith(f"--- a/air/deployments.apps/{apps}/web")
    (target,) = house.approval.targets
    assert (target.name, target.uid) == (f"air/deployments.apps/{apps}/web", before["metadata"]["uid"])
    done = await house.approve()
    assert done.status == "ok", done.text
    assert "carries this effect's key" in done.text
    after = control_plane.get(f"{deployments(apps)}/web")
    assert stripped(after) == stripped(put(before, path, value))
    assert after["metadata"]["annotations"][EFFECT] == f"{house.turned.run_id}.call"
    again = await house.executor.perform(house.made, house.turned)
    assert control_plane.get(f"{deployments(apps)}/web") == after
    assert again.text == done.text


async def test_typed_tools_go_the_same_way(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    name = f"only-{apps}"
    control_plane.create(deployments(apps), a_deployment(name))
    asked = await house.call("scale_workload", kind="deployment", name=name, replicas=7)
    assert (asked.status, house.approval is not None) == ("waiting", True)
    assert (await house.approve()).status == "ok"
    assert control_plane.get(f"{deployments(apps)}/{name}")["spec"]["replicas"] == 7
    await house.call("restart_workload", kind="deployment", name=name, namespace=apps)
    assert "restartedAt" in (house.approval.diff if house.approval else "")
    assert (await house.approve()).status == "ok"
    notes = control_plane.get(f"{deployments(apps)}/{name}")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in notes
    lost = await house.call("restart_workload", kind="deployment", name="nowhere-at-all")
    assert "in any namespace" in lost.text
    refused = await house.call("restart_workload", kind="deployment", name="--all")
    assert refused.status == "refused"


@pytest.mark.parametrize(
    "command", ["scale deploy/web --replicas=5", "delete deploy web", "rollout restart deploy/web"]
)
async def test_an_object_that_has_changed_since_is_left_alone(
    house: House, control_plane: KubernetesCluster, apps: str, command: str
) -> None:
    await house.kubectl(f"kubectl {command} -n {apps}")
    changed = control_plane.patch(f"{deployments(apps)}/web", {"spec": {"paused": True}})
    result = await house.approve()
    assert result.status == "failed"
    assert "has changed since it was approved" in result.text or "is paused" in result.text
    assert control_plane.get(f"{deployments(apps)}/web") == changed


@pytest.mark.parametrize("command", ["scale deploy/web --replicas=5", "replace -f -", "apply -f -"])
async def test_an_object_that_was_made_anew_is_left_alone(
    house: House, control_plane: KubernetesCluster, apps: str, command: str
) -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", **a_deployment(replicas=9)}
    text = json.dumps(manifest) if command.endswith("-f -") else ""
    assert (await house.kubectl(f"kubectl {command} -n {apps}", manifest=text)).status == "waiting"
    control_plane.call("DELETE", f"{deployments(apps)}/web")
    (new,) = control_plane.create(deployments(apps), a_deployment())
    result = await house.approve()
    assert (result.status, "has changed since" in result.text) == ("failed", True)
    assert control_plane.get(f"{deployments(apps)}/web") == new


async def test_another_object_of_the_same_name_is_not_deleted(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    await house.kubectl(f"kubectl delete deploy web -n {apps}")
    control_plane.call("DELETE", f"{deployments(apps)}/web")
    (new,) = control_plane.create(deployments(apps), a_deployment())
    assert "another one of that name is left alone" in (await house.approve()).text
    assert control_plane.get(f"{deployments(apps)}/web") == new


async def test_a_status_that_controllers_write_does_not_count(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    await house.kubectl(f"kubectl rollout restart deploy/web -n {apps}")
    status = {"status": {"observedGeneration": 1, "replicas": 1}}
    control_plane.patch(f"{deployments(apps)}/web/status", status)
    # An autoscaler moves the replicas; that is not what was approved.
    control_plane.patch(f"{deployments(apps)}/web", {"spec": {"replicas": 4}})
    writes = 0

    def write_status(request: Recorded) -> None:
        nonlocal writes
        if request.method == "PATCH" and not request.harmless and writes < 2:
            writes += 1
            control_plane.patch(f"{deployments(apps)}/web/status", {"status": {"replicas": 1 + writes}})

    control_plane.meddle = write_status
    done = await house.approve()
    assert (done.status, writes) == ("ok", 2)
    assert control_plane.get(f"{deployments(apps)}/web")["spec"]["replicas"] == 4


async def test_a_change_at_the_last_moment_is_seen(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    await house.kubectl(f"kubectl scale deploy/web --replicas=5 -n {apps}")

    def interfere(request: Recorded) -> None:
        if request.method == "PATCH" and not request.harmless:
            control_plane.patch(f"{deployments(apps)}/web", {"spec": {"replicas": 8}})

    control_plane.meddle = interfere
    result = await house.approve()
    assert (result.status, "has changed since" in result.text) == ("failed", True)
    assert control_plane.get(f"{deployments(apps)}/web")["spec"]["replicas"] == 8


async def test_who_may_not_is_told_before_anybody_is_asked(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    for command in ("scale deploy/web --replicas=5", "delete pod web-1", "expose deploy web --port=80", "create -f -"):
        text = manifest if command.endswith("-f -") else ""
        result = await house.kubectl(f"kubectl {command} -n {apps}", cluster="weak", manifest=text)
        assert result.status == "failed"
        assert "cannot" in result.text or "may not" in result.text
        assert house.approval is None
    allow(control_plane, apps, "get", "patch")
    result = await house.kubectl(f"kubectl delete deploy web -n {apps}", cluster="weak")
    assert f"may not delete deployments.apps in the namespace '{apps}'" in result.text
    assert (await house.change(f"kubectl scale deploy/web --replicas=3 -n {apps}", cluster="weak")).status == "ok"


def allow(cluster: KubernetesCluster, namespace: str, *verbs: str) -> None:
    """Let the user without rights do something with deployments."""
    group = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": list(verbs)}]
    cluster.create(f"{group}/roles", {"metadata": {"name": "some"}, "rules": rules})
    binding = {
        "metadata": {"name": "some"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "some"},
        "subjects": [{"kind": "User", "name": "nobody", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    cluster.create(f"{group}/rolebindings", binding)


async def test_asking_changes_nothing(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    begun = len(control_plane.journal)
    for command in ("delete pod web-1", "delete cm settings", "delete pods -l app=web", "expose deploy web --port=80"):
        assert (await house.kubectl(f"kubectl {command} -n {apps}")).status == "waiting"
    assert all(request.harmless for request in control_plane.journal[begun:])
    assert control_plane.exists(f"{pods(apps)}/web-1")
    assert not control_plane.exists(f"/api/v1/namespaces/{apps}/services/web")


async def test_named_and_selected_objects_are_deleted_and_no_later_ones(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    done = await house.change(f"kubectl delete cm settings -n {apps}")
    assert (done.status, "is gone" in done.text) == ("ok", True)
    await house.kubectl(f"kubectl delete pods -l app=web -n {apps}")
    control_plane.create(pods(apps), a_pod("web-3"))
    control_plane.call("DELETE", f"{pods(apps)}/web-2", {"gracePeriodSeconds": 0})
    control_plane.create(pods(apps), a_pod("web-2"))
    result = await house.approve()
    assert "web-2 in " in result.text
    assert "another one of that name is left alone" in result.text
    assert not control_plane.exists(f"{pods(apps)}/web-1")
    assert control_plane.exists(f"{pods(apps)}/web-2")
    assert control_plane.exists(f"{pods(apps)}/web-3")


async def test_a_dry_run_is_only_that(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    for command in ("delete pod web-1 --dry-run=client", "scale deploy/web --replicas=0 --dry-run=server"):
        begun = len(control_plane.journal)
        result = await house.change(f"kubectl {command} -n {apps}")
        assert result.status == "ok"
        assert "Dry run" in result.text
        assert all(request.harmless for request in control_plane.journal[begun:])


async def test_manifests_are_created_applied_and_replaced(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    path = f"/api/v1/namespaces/{apps}/configmaps"
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    merged = yaml.safe_dump({**config, "data": {"a": "9"}})
    assert "exists already" in (await house.kubectl(f"kubectl create -f - -n {apps}", manifest=merged)).text
    assert (await house.change(f"kubectl apply -f - -n {apps}", manifest=merged)).status == "ok"
    assert control_plane.get(f"{path}/settings")["data"] == {"a": "9", "b": "2"}
    assert "changes nothing" in (await house.kubectl(f"kubectl apply -f - -n {apps}", manifest=merged)).text
    whole = yaml.safe_dump({**config, "data": {"c": "3"}})
    assert (await house.change(f"kubectl replace -f - -n {apps}", manifest=whole)).status == "ok"
    assert control_plane.get(f"{path}/settings")["data"] == {"c": "3"}
    two = "\n---\n".join(yaml.safe_dump({**config, "metadata": {"name": name}}) for name in ("one", "two"))
    assert (await house.change(f"kubectl create -f - -n {apps}", manifest=two)).status == "ok"
    assert control_plane.exists(f"{path}/two")
    served = yaml.safe_dump({**config, "metadata": {"name": "one"}, "data": {"x": "y"}})
    assert (await house.change(f"kubectl apply --server-side -f - -n {apps}", manifest=served)).status == "ok"
    assert control_plane.get(f"{path}/one")["data"] == {"x": "y"}
    fresh = {**config, "metadata": {"name": "fresh"}}
    for value in ("y", "z"):
        text = yaml.safe_dump({**fresh, "data": {"x": value}})
        assert (await house.change(f"kubectl apply --server-side -f - -n {apps}", manifest=text)).status == "ok"
        assert control_plane.get(f"{path}/fresh")["data"] == {"x": value}
    control_plane.patch(f"{path}/fresh", {"data": {"x": "theirs"}})
    text = yaml.safe_dump({**fresh, "data": {"x": "ours"}})
    taken = await house.kubectl(f"kubectl apply --server-side -f - -n {apps}", manifest=text)
    assert (taken.status, "conflict" in taken.text) == ("failed", True)
    elsewhere = yaml.safe_dump({**config, "metadata": {"name": "one", "namespace": "kube-system"}})
    assert (await house.kubectl(f"kubectl apply -f - -n {apps}", manifest=elsewhere)).status in {"failed", "refused"}


async def test_what_exists_by_now_is_not_created(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    manifest = yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}}
    )
    await house.kubectl(f"kubectl create -f - -n {apps}", manifest=manifest)
    path = f"/api/v1/namespaces/{apps}/configmaps"
    (theirs,) = control_plane.create(path, {"metadata": {"name": "new"}, "data": {"a": "2"}})
    result = await house.approve()
    assert result.status == "failed"
    assert control_plane.get(f"{path}/new") == theirs


async def test_a_rollout_is_undone(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    add_revisions(control_plane, namespace)
    done = await house.change(f"kubectl rollout undo deploy/web -n {namespace}")
    assert done.status == "ok", done.text
    found = control_plane.get(f"{deployments(namespace)}/web")["spec"]["template"]
    assert found["spec"]["containers"][0]["image"] == "registry.example.com/web:0.9"
    assert "pod-template-hash" not in found["metadata"]["labels"]
    unknown = await house.kubectl(f"kubectl rollout undo deploy/web -n {namespace} --to-revision=7")
    assert "has no revision 7 (there are: 1, 2)" in unknown.text


async def test_a_node_is_closed_drained_and_opened(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    node = f"node-{apps}"
    control_plane.create("/api/v1/nodes", {"metadata": {"name": node}})
    replicas = {"kind": "ReplicaSet", "name": "web-x", "uid": "1"}
    control_plane.create(pods(apps), a_pod("moved-1", node, replicas), a_pod("moved-2", node, replicas))
    control_plane.create(pods(apps), a_pod("agent-1", node, {"kind": "DaemonSet", "name": "agent", "uid": "2"}))
    assert "--ignore-daemonsets" in (await house.kubectl(f"kubectl drain {node}")).text
    done = await house.change(f"kubectl drain {node} --ignore-daemonsets")
    assert done.status == "ok", done.text
    assert control_plane.get(f"/api/v1/nodes/{node}")["spec"]["unschedulable"] is True
    assert all(is_going(control_plane, f"{pods(apps)}/moved-{number}") for number in (1, 2))
    assert not is_going(control_plane, f"{pods(apps)}/agent-1")
    assert (await house.change(f"kubectl uncordon {node}")).status == "ok"
    assert "unschedulable" not in control_plane.get(f"/api/v1/nodes/{node}")["spec"]
    assert (await house.change(f"kubectl taint nodes {node} maintenance=true:NoSchedule")).status == "ok"
    taints = control_plane.get(f"/api/v1/nodes/{node}")["spec"]["taints"]
    assert {"key": "maintenance", "value": "true", "effect": "NoSchedule"} in taints
    control_plane.create(pods(apps), a_pod("naked-1", node))
    blocked = await house.kubectl(f"kubectl drain {node} --ignore-daemonsets")
    assert "naked-1 has no controller" in blocked.text


def is_going(cluster: KubernetesCluster, path: str) -> bool:
    """Whether an object is gone, or about to go."""
    return not cluster.exists(path) or "deletionTimestamp" in cluster.get(path)["metadata"]


async def test_an_autoscaler_and_a_service_are_made(house: House, control_plane: KubernetesCluster, apps: str) -> None:
    assert (await house.change(f"kubectl autoscale deploy web --min=2 --max=5 -n {apps}")).status == "ok"
    found = control_plane.get(f"/apis/autoscaling/v1/namespaces/{apps}/horizontalpodautoscalers/web")["spec"]
    assert (found["minReplicas"], found["maxReplicas"], found["scaleTargetRef"]["name"]) == (2, 5, "web")
    assert (await house.change(f"kubectl expose deploy web --port=80 --target-port=8080 -n {apps}")).status == "ok"
    service = control_plane.get(f"/api/v1/namespaces/{apps}/services/web")["spec"]
    assert (service["type"], service["selector"], service["ports"][0]["targetPort"]) == (
        "ClusterIP",
        {"app": "web"},
        8080,
    )


async def test_a_cut_off_effect_is_looked_up_and_not_repeated(
    house: House, control_plane: KubernetesCluster, apps: str
) -> None:
    await house.kubectl(f"kubectl scale deploy/web --replicas=5 -n {apps}")
    tool, approval = house.tools["kubectl"], house.approval
    assert approval is not None
    key = f"{approval.run_id}.call"
    warrant = ag.Warrant(key=key, run_id=approval.run_id, persona="b", requester="a", targets=approval.targets)
    given: dict[str, Any] = {**approval.arguments, "context": house.turned, "warrant": warrant}
    assert tool.verify is not None
    assert (await tool.verify(**given)).outcome == "not_done"
    await tool.run(**given)
    assert (await tool.verify(**given)).outcome == "done"
    control_plane.patch(f"{deployments(apps)}/web", {"metadata": {"annotations": {EFFECT: "another.call"}}})
    assert (await tool.verify(**given)).outcome == "unknown"
    with pytest.raises(ag.Conflict):
        await tool.run(**given)

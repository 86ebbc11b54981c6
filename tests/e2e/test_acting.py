"""An engineer has things changed: by the command line and HTTP, on a real API server and a real Git server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from benchmarks.acting_world import MANIFEST
from tests.flux_house import controllers, open_house
from tests.gateway_process import GatewayProcess
from tests.git_server import GitServer
from tests.kubernetes_cluster import KubernetesCluster, Recorded, write_kubeconfig

pytestmark = pytest.mark.server

DEPLOYMENT = {
    "metadata": {"name": "api"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": [{"name": "api", "image": "registry.example.org/api:1"}]},
        },
    },
}


def cli(folder: Path, *arguments: str) -> str:
    """Run a command in the gateway's folder; returns what it wrote."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
    kept["AGENT_GATEWAY__MODELS__DISCOVER"] = "false"
    done = subprocess.run(
        [sys.executable, "-m", "agent_gateway", *arguments], cwd=folder, env=kept, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(gateway: GatewayProcess, message: str) -> dict[str, Any]:
    with httpx.Client(base_url=gateway.addresses["auditor"], trust_env=False, timeout=60) as http:
        answer: dict[str, Any] = http.post("/v1/chat", json={"message": message}).json()
    return answer


def decide(gateway: GatewayProcess, approval: str) -> None:
    with httpx.Client(base_url=gateway.addresses["auditor"], trust_env=False, timeout=10) as http:
        assert http.post(f"/v1/approvals/{approval}", json={"decision": "approve"}).status_code == 200


def wait_for(gateway: GatewayProcess, run_id: str, *statuses: str) -> dict[str, Any]:
    """The run, once it has one of these statuses."""
    deadline = time.monotonic() + 30
    while (run := read_run(gateway, run_id))["status"] not in statuses:
        assert time.monotonic() < deadline, run
        time.sleep(0.05)
    return run


def read_run(gateway: GatewayProcess, run_id: str) -> dict[str, Any]:
    with httpx.Client(base_url=gateway.addresses["auditor"], trust_env=False, timeout=60) as http:
        run: dict[str, Any] = http.get(f"/v1/runs/{run_id}").json()
    return run


@pytest.fixture
def namespace(control_plane: KubernetesCluster, clone: Path) -> str:
    """A namespace with a deployment, on the cluster that the gateway in the folder is given."""
    name = control_plane.new_namespace()
    control_plane.create(f"/apis/apps/v1/namespaces/{name}/deployments", DEPLOYMENT)
    write_kubeconfig(clone / "kubeconfig.yaml", {"air": (control_plane, "admin")})
    (clone / "agent-gateway.yaml").write_text("clusters: {kubeconfig: kubeconfig.yaml}\n")
    return name


def effects(cluster: KubernetesCluster, since: int) -> list[Recorded]:
    """The requests that changed something."""
    return [each for each in cluster.journal[since:] if not each.harmless]


def deployment(cluster: KubernetesCluster, namespace: str) -> Any:
    return cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/api")


def test_a_restart_is_asked_for_shown_approved_verified_and_in_the_audit_log(
    gateway: GatewayProcess, clone: Path, control_plane: KubernetesCluster, namespace: str
) -> None:
    gateway.start()
    before = len(control_plane.journal)
    answer = ask(gateway, f"restart the api deployment in {namespace}")
    assert answer["status"] == "waiting"
    assert effects(control_plane, before) == []
    (waiting,) = json.loads(cli(clone, "approvals", "--json"))["approvals"]
    assert "restartedAt" in waiting["diff"]
    shown = cli(clone, "approvals", "approve", waiting["id"])
    assert "outcome: done" in shown
    assert "Verified:" in shown
    assert len(effects(control_plane, before)) == 1
    template = deployment(control_plane, namespace)["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]
    log = cli(clone, "audit", "list")
    assert all(kind in log for kind in ("approval_requested", "approval_decided", "effect_begun", "effect_ended"))
    assert "whole" in cli(clone, "audit", "verify")
    assert gateway.stop() == 0


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_between_approval_and_effect_leaves_exactly_one_effect(
    gateway: GatewayProcess, clone: Path, control_plane: KubernetesCluster, namespace: str, moment: str
) -> None:
    gateway.start()
    answer = ask(gateway, f"restart the api deployment in {namespace}")
    (waiting,) = answer["approvals"]
    before = len(control_plane.journal)
    killed: list[str] = []

    def kill(request: Recorded) -> None:
        if not request.harmless and not killed:
            killed.append(request.path)
            gateway.kill()
            if moment == "before":
                raise ConnectionAbortedError("the gateway is gone before its request was whole")

    control_plane.meddle = kill
    try:
        with suppress(httpx.TransportError):
            decide(gateway, waiting["id"])
        deadline = time.monotonic() + 20
        while not killed and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        control_plane.meddle = None
    assert killed
    time.sleep(0.3)
    gateway.start()
    run = wait_for(gateway, answer["run_id"], "completed")
    assert [call["status"] for call in run["answer"]["tool_calls"]] == ["ok"]
    assert deployment(control_plane, namespace)["metadata"]["generation"] == 2
    arrived = effects(control_plane, before)
    assert len(arrived) == (2 if moment == "before" else 1)


async def test_replicas_are_set_in_git_and_reconciled_each_with_its_own_approval(
    gateway: GatewayProcess, clone: Path, control_plane: KubernetesCluster, assets: Path, tmp_path: Path
) -> None:
    git = GitServer(tmp_path / "apps.git")
    git.commit({"apps/user-api.yaml": MANIFEST})
    async with open_house(control_plane, tmp_path, assets) as house, controllers(house):
        source = {"kind": "GitRepository", "name": "repo"}
        house.create("kustomizations", "user-api", {"interval": "5m", "prune": True, "path": ".", "sourceRef": source})
        write_kubeconfig(clone / "kubeconfig.yaml", {"air": (control_plane, "admin")})
        with git.running():
            repositories = {"apps": {"url": git.url, "paths": ["apps/**/*.yaml"]}}
            gitops = {"cache_dir": str(tmp_path / "cache"), "repositories": repositories}
            settings = {"clusters": {"kubeconfig": "kubeconfig.yaml"}, "plugins": {"gitops": gitops}}
            (clone / "agent-gateway.yaml").write_text(json.dumps(settings))
            await asyncio.to_thread(gateway.start)
            answer = await asyncio.to_thread(ask, gateway, "set user-api to 3 replicas")
            assert answer["status"] == "waiting"
            assert "replicas: 1" in git.files()["apps/user-api.yaml"]
            await asyncio.to_thread(decide, gateway, answer["approvals"][0]["id"])
            run = await asyncio.to_thread(wait_again, gateway, answer)
            assert "replicas: 3" in git.files()["apps/user-api.yaml"]
            assert f"Agent-Gateway-Run: {answer['run_id']}" in git.messages()[0]
            await asyncio.to_thread(decide, gateway, run["answer"]["approvals"][0]["id"])
            run = await asyncio.to_thread(wait_for, gateway, answer["run_id"], "completed")
            assert [(call["name"], call["status"]) for call in run["answer"]["tool_calls"]] == [
                ("git_commit", "ok"), ("flux_reconcile", "ok")
            ]  # fmt: skip
            assert "Applied revision" in run["answer"]["response"]
            await asyncio.to_thread(gateway.stop)


def wait_again(gateway: GatewayProcess, answer: dict[str, Any]) -> dict[str, Any]:
    """The run, once it waits for another approval than it did."""
    deadline = time.monotonic() + 30
    while True:
        run = read_run(gateway, answer["run_id"])
        if run["status"] == "waiting" and run["answer"]["approvals"] != answer["approvals"]:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.05)


async def test_reconcile_asks_and_waits_for_what_flux_makes_of_it(
    gateway: GatewayProcess, clone: Path, control_plane: KubernetesCluster, assets: Path, tmp_path: Path
) -> None:
    async with open_house(control_plane, tmp_path, assets) as house, controllers(house) as order:
        write_kubeconfig(clone / "kubeconfig.yaml", {"air": (control_plane, "admin")})
        (clone / "agent-gateway.yaml").write_text("clusters: {kubeconfig: kubeconfig.yaml}\n")
        await asyncio.to_thread(gateway.start)
        answer = await asyncio.to_thread(ask, gateway, f"reconcile kustomization apps in namespace {house.namespace}")
        assert answer["status"] == "waiting", answer["response"]
        assert order == []
        await asyncio.to_thread(decide, gateway, answer["approvals"][0]["id"])
        run = await asyncio.to_thread(wait_for, gateway, answer["run_id"], "completed")
        assert order == ["gitrepositories/repo", "kustomizations/apps"]
        assert "Verified" in run["answer"]["response"]
        await asyncio.to_thread(gateway.stop)
